/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page's result in memory is the message Page itself (sohoa.proto tells the units); this builds and measures it.
 * Everything is malloc'd, so page_destroy() frees built and unpacked pages alike. */
#ifndef SOHOA_PAGE_H
#define SOHOA_PAGE_H

#include <stdbool.h>

#include "proto/buf.h"
#include "proto/err.h"
#include "proto/limits.h"
#include "proto/sohoa.pb-c.h"

Sohoa__Page *page_new(uint32_t page_no);
void page_destroy(Sohoa__Page **page);

/* Append; the returned part is owned by its parent. Text is copied. */
Sohoa__Block *page_add_block(Sohoa__Page *page);
Sohoa__Line *block_add_line(Sohoa__Block *block);
Sohoa__Word *line_add_word(Sohoa__Line *line, const char *text);

/* As above, with a part that becomes its new parent's; its old one must let go of it. */
void page_take_block(Sohoa__Page *page, Sohoa__Block *block);
void block_take_line(Sohoa__Block *block, Sohoa__Line *line);
void line_take_word(Sohoa__Line *line, Sohoa__Word *word);

/* Gives lines and blocks the bounds of what is in them. */
void page_fit_bounds(Sohoa__Page *page);

/* Removes the words that keep refuses, and the lines and blocks that have none left. */
void page_prune(Sohoa__Page *page, bool (*keep)(const Sohoa__Word *word, const void *user), const void *user);

/* Adds note unless it is there. */
void page_note(Sohoa__Page *page, Sohoa__PageNote note);
bool page_has_note(const Sohoa__Page *page, Sohoa__PageNote note);
/* "low_dpi", as records say it; borrowed for good. */
const char *page_note_name(Sohoa__PageNote note);

/* Append as above. text has at most HAND_MAX_DIGITS digits. */
Sohoa__Hand *page_add_hand(Sohoa__Page *page);
Sohoa__HandGuess *hand_add_guess(Sohoa__Hand *hand, const char *text);
/* Appends as above; NULL when the page has STAMPS_MOST already. */
Sohoa__Stamp *page_add_stamp(Sohoa__Page *page);

void page_pack(const Sohoa__Page *page, struct buf *out);
/* Errors: E_FRAME: not a Page, or over PAGE_MAX_BYTES, PAGE_MAX_WORDS or the limits of hands and stamps. */
int page_unpack(const void *data, size_t bytes, Sohoa__Page **ret_page, struct err *err);

/* As how many A4 pages it counts: A3 2, A2 4, A1 8, A0 16, by its area; what has no size counts 1. */
uint32_t page_a4(const Sohoa__Page *page);

struct page_figures {
    uint32_t words;           /* own words included */
    uint32_t confidence_cpct; /* mean over read words, weighted by letters; 0 when there are none */
    uint32_t low_words;       /* read words below 60 % */
};
void page_measure(const Sohoa__Page *page, struct page_figures *figures);

/* Characters of a word, which is UTF-8: what it weighs in figures. */
uint32_t letters_of(const char *text);

/* A row of packed pages, each behind its u32 little-endian length: what a slot gets for ASSEMBLE and, zstd-compressed
 * with checksum, what bundles and words are. */
void pages_append(struct buf *pages, const void *packed, size_t bytes);
/* Calls each for every page; each returns 0 or an error, which ends it. Errors: E_FRAME. */
int pages_each(const void *data, size_t bytes,
               int (*each)(const void *packed, size_t bytes, void *user, struct err *err), void *user, struct err *err);

#endif
