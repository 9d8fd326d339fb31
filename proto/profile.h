/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What archive rules ask of the record of a file (hồ sơ) and of a document, as tables: proto/profiles/NAME.tsv, part of the program. Rules
 * change; a new one is a new table under a new name, and what was made by an old one can still be read. Lengths are in characters.
 * Pure. */
#ifndef SOHOA_PROFILE_H
#define SOHOA_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/buf.h"

enum profile_record { PROFILE_FILE, PROFILE_DOCUMENT, PROFILE_RECORDS };

struct profile_field {
    const char *name;
    const char *need; /* "required", "optional", or "FIELD=VALUE": required where that field has that value */
    size_t most_chars;
    const char *type; /* "text", "day" (DD/MM/YYYY), "number", "bool" (0, 1), "code:LIST" */
};

struct profile {
    const char *name; /* "aip-05-2025" */
    const struct profile_field *field[PROFILE_RECORDS];
    size_t fields[PROFILE_RECORDS];
};

const struct profile *profile_named(const char *name); /* NULL: there is none. Kept for good */
const char *profile_names(void);                       /* for people: "02-2019, aip-05-2025, sip-05-2025" */
const struct profile_field *profile_field(const struct profile *profile, enum profile_record record, const char *name);

/* The field's value; NULL or "": there is none. */
typedef const char *profile_value(const char *field, void *user);

/* Calls found for each field that is missing, too long or of another form, with why; returns how many. Nothing is cut or changed. */
size_t profile_check(const struct profile *profile, enum profile_record record, profile_value *value,
                     void (*found)(const char *field, const char *why, void *user), void *user);

/* The code that text stands for in a list ("typeName", "maintenance", ...): a code itself, or a name of it, whatever its case. NULL: none. */
const char *profile_code(const char *list, const char *text);

/* The W3C XML Schema of such a record, as packages carry it. root: the name of its element. */
void profile_schema(const struct profile *profile, enum profile_record record, const char *root, struct buf *into);

#define PROFILE_NAMESPACE "urn:sohoa:record:05-2025"

#endif
