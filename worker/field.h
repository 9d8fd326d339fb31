/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A field of a document's description, and the words on the page that it was read off. */
#ifndef SOHOA_FIELD_H
#define SOHOA_FIELD_H

#include "proto/buf.h"
#include "worker/lines.h"

enum {
    FIELDS = SOHOA__FIELD_NAME__FIELD_LANGUAGE + 1,
    FIELD_SURE_CPCT = 9000,   /* below it a field is one to be looked at */
    FIELD_VALUE_BYTES = 4096, /* of a value at most; what is longer is cut and doubted */
    FIELD_CANDIDATES = 5,
    FIELD_RAW_BYTES = 4096,
    FIELD_DOUBT_BYTES = 200,
    DESCRIPTION_BYTES = 1 << 20, /* packed, at most */
};

const char *field_name(Sohoa__FieldName name); /* "codeNumber": as records say it; borrowed for good */

/* Words that say the same thing; zero-initialised is none. */
struct evidence {
    const struct lines *page;
    int32_t x, y, right, bottom; /* in pixels of the view */
    uint64_t confidence_sum;
    uint32_t letters, words;
    uint32_t least_cpct; /* of the words with letters or digits */
    uint32_t odd;        /* words that are none of any language, as far as letters tell */
    struct buf raw;
};

void evidence_clear(struct evidence *evidence);
/* Characters [from, to) of line's bare text, with the words they are of. */
void evidence_add(struct evidence *evidence, const struct lines *page, const struct line *line, size_t from, size_t to);
/* 0 to 10000: how well the words were read. */
uint32_t evidence_cpct(const struct evidence *evidence);

/* A new description has all fields, without values. */
Sohoa__Description *description_new(void);
void description_destroy(Sohoa__Description **description);

/* Gives a field its value (NFC; borrowed) and how sure it is. evidence may be NULL: nothing on a page says it. */
void field_set(Sohoa__Description *description, Sohoa__FieldName name, const char *value, uint32_t confidence_cpct,
               const struct evidence *evidence);
/* Where it stands without saying what it is: not read. */
void field_place(Sohoa__Description *description, Sohoa__FieldName name, const struct evidence *evidence);
void field_candidate(Sohoa__Description *description, Sohoa__FieldName name, const char *value,
                     uint32_t confidence_cpct);
/* What speaks against it: no surer than most_cpct from here on. why: plain text, borrowed. */
void field_doubt(Sohoa__Description *description, Sohoa__FieldName name, uint32_t most_cpct, const char *why);

/* Errors of unpack: E_FRAME: it is no description with all fields in order, or one is longer than a slot makes it. */
void description_pack(const Sohoa__Description *description, struct buf *out);
int description_unpack(const void *data, size_t bytes, Sohoa__Description **ret_description, struct err *err);

const char *field_value(const Sohoa__Description *description, Sohoa__FieldName name); /* "": none */
uint32_t field_cpct(const Sohoa__Description *description, Sohoa__FieldName name);

/* Bit 1 << name for each field that a person should look at: doubted, below FIELD_SURE_CPCT, or missing where every document has it. */
uint32_t field_doubts(const Sohoa__Description *description);

#endif
