/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A small generative grammar. A pattern is text with slots:
 *     {topic}    what the context says, or else one pattern drawn from the phrase book's list of that name, filled likewise
 *     {^topic}   the same with a capital first letter
 *     {3-40}     a whole number from that range
 *     {day}      a date of the context's year such as 15/3/2019
 *     {person}   an invented name
 * Text from here holds no <, > or &: it is safe inside Pango markup. */
#ifndef SOHOA_BENCH_PHRASE_H
#define SOHOA_BENCH_PHRASE_H

#include "bench/chance.h"
#include "proto/buf.h"

enum { PHRASE_WORDS_MAX = 12 };

struct phrase_context {
    struct {
        const char *name, *text;
    } words[PHRASE_WORDS_MAX];
    size_t word_count;
    int year;
};

/* Both borrow name and text for the context's life. */
void phrase_define(struct phrase_context *context, const char *name, const char *text);

/* Appends pattern with its slots filled. An unknown slot is a bug in the phrase book: it asserts. */
void phrase_write(struct buf *out, struct chance *chance, const struct phrase_context *context, const char *pattern);

/* The patterns of the book's list of that name. */
const char *const *phrase_items(const char *list, uint32_t *ret_count);

struct phrase_list {
    const char *name;
    const char *const *items;
    size_t count;
};

/* The phrase book; ends with a list without a name. */
extern const struct phrase_list phrase_book[];

/* What a document may be about. */
struct theme {
    const char *topic; /* "công tác phòng cháy, chữa cháy" */
    const char *lead;  /* who is in charge of it: "Công an quận" without the place */
    const char *desk;  /* code of the desk that drafts, for official letters: "CAQ" */
    const char *law;   /* what it rests on */
};

/* kind is one of enum organ_kind. */
const struct theme *theme_draw(struct chance *chance, int kind);

#endif
