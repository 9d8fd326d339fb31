/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Text by its bare letters: lower case, without diacritics, one byte a character, so that a place in the bare text is a place
 * in the text. Rules are matched on it, since diacritics are what recognisers lose first. */
#ifndef SOHOA_BARE_H
#define SOHOA_BARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A letter or digit without its marks, in lower case (đ and ð: d); other ASCII as it is; '?' for what is none of these. */
char bare_rune(int32_t rune);

/* text is UTF-8. Writes a byte for each character, and a 0, into bare, and into at[i] (may be NULL) the byte where the ith character
 * begins, and behind the last one where the text ends; both have room for bare_room(text) entries. Returns how many characters. */
size_t bare_room(const char *text);
size_t bare_text(const char *text, char *bare, uint32_t *at);

/* The least number of letters to insert, remove or replace to make b of a; more than most: just more than that. */
unsigned bare_distance(const char *a, size_t a_size, const char *b, size_t b_size, unsigned most);

/* Whether a, up to a_size, is b but for slips: one in each six letters of b. */
bool bare_alike(const char *a, size_t a_size, const char *b);

#endif
