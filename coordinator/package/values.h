/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The fields that an archive asks for, out of what is known: for each the first of what --set says, what a person corrected, what is in force
 * in the record (of an older system, or read), what was proposed and accepted by --accept-proposals, and what can be counted. Records are JSON
 * objects of texts, by the profile's names. Pure. */
#ifndef SOHOA_PACKAGE_VALUES_H
#define SOHOA_PACKAGE_VALUES_H

#include <jansson.h>

#include "proto/profile.h"

struct values_rules {
    const json_t *set;      /* by field: said for all */
    const json_t *files;    /* by file code: an object of fields, from --files */
    const json_t *accepted; /* array of fields whose proposals count */
};

/* code: of the file; ordinal: of the document in it. The caller owns what is given. */
json_t *values_document(const json_t *record, const char *code, uint32_t ordinal, const struct values_rules *rules);

/* A file, added up document by document. */
struct values_sum {
    char first[11], last[11]; /* issuedDate, ISO 8601; "": none yet */
    uint32_t documents, pages, sheets;
    bool born, scanned;
    bool damaged, worn;                 /* of format */
    json_t *language;                   /* object: codes there are */
    json_t *title, *maintenance, *mode; /* of the first document that says it */
};
void values_sum_clear(struct values_sum *sum);
void values_add(struct values_sum *sum, const json_t *record, const json_t *document);
json_t *values_file(const struct values_sum *sum, const char *code, const struct values_rules *rules);

const char *values_manifest(const json_t *record, const char *column); /* NULL: it has none */

/* For profile_check(): user is the json_t. */
const char *values_get(const char *field, void *user);

#endif
