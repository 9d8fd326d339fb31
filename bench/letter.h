/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One document as its author has it: the fields that describe it and its content in order, before it is set on pages.
 * "Letter" stands for every kind of document: decisions, plans, reports, minutes. */
#ifndef SOHOA_BENCH_LETTER_H
#define SOHOA_BENCH_LETTER_H

#include <stdbool.h>

#include "bench/organ.h"
#include "proto/buf.h"

enum { LETTER_TEXT_BYTES = 512 };

/* What a person reads in the header and the signature; dates as year, month, day. */
struct letter_fields {
    char number[16];                     /* "05", as printed */
    char notation[2 * ORGAN_TEXT_BYTES]; /* "QĐ-UBND"; Party: "QĐ/QU" */
    int year, month, day;
    const char *type_code, *type_name; /* "QĐ", "Quyết định" */
    char subject[LETTER_TEXT_BYTES];   /* "Về việc ..." as printed, on one line */
    char signer[ORGAN_TEXT_BYTES];
};

enum block_form {
    BLOCK_BODY,    /* text: justified, first line indented */
    BLOCK_CENTRE,  /* text: centred; rule under it */
    BLOCK_ADDRESS, /* text: "Kính gửi: ..." */
    BLOCK_PAIR,    /* text to the left, right to the right, both centred; rules under them */
    BLOCK_CLOSING, /* text: Nơi nhận to the left; right: who signs; room for a signature; names under it */
};

/* Texts are Pango markup, lines ended by \n; NULL where the form has no use for them. */
struct block {
    enum block_form form;
    char *text, *right;
    char *name_left, *name_right; /* under the signatures */
    double rule_left, rule_right; /* length of the rule as a part of its text's width; 0: none */
    double space_mm;              /* above the block */
};

struct letter {
    struct organ organ;
    struct letter_fields fields;
    bool handwritten;    /* number and day are left out in print, to be filled in by hand */
    bool number_at_foot; /* page numbers stand at the foot, to the right */
    double size_pt;      /* of body text */
    struct block *blocks;
    size_t block_count, block_capacity;
};

struct letter_plan {
    int year;
    unsigned paragraphs; /* of body text, about */
    bool handwritten;
};

/* Gives *ret_letter to the caller. Pure function of chance's state, organ and plan. */
void letter_new(struct chance *chance, const struct organ *organ, const struct letter_plan *plan,
                struct letter **ret_letter);
void letter_destroy(struct letter **letter);

/* Adds a block and lends it to be filled in; valid until the next one is added. */
struct block *letter_block(struct letter *letter, enum block_form form, double space_mm);

/* Text of a digit group that a hand writes: invisible in print, with room. */
void letter_by_hand(const struct letter *letter, struct buf *markup, const char *digits);

/* letterhead.c: the boxes above the body, and those below it. */
void letterhead_write(struct letter *letter);
void letterhead_close(struct letter *letter, struct chance *chance);

/* body.c: what stands between them, of about that many paragraphs. */
struct phrase_context;
void body_write(struct letter *letter, struct chance *chance, const struct phrase_context *context,
                unsigned paragraphs);

#endif
