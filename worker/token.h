/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a printed word is, by its letters alone. */
#ifndef SOHOA_TOKEN_H
#define SOHOA_TOKEN_H

#include <stddef.h>

enum token {
    TOKEN_VIETNAMESE,   /* a Vietnamese syllable, or several joined by hyphens or slashes */
    TOKEN_NUMBER,       /* number, date, code (12/QĐ-UBND), Roman number, list mark (a), b.) */
    TOKEN_ABBREVIATION, /* UBND, TTr, V/v, km */
    TOKEN_MARK,         /* punctuation alone, as print has it: a dash, a bullet, a row of dots */
    TOKEN_FOREIGN,      /* a plausible word in Latin letters without tone marks */
    TOKEN_IMPOSSIBLE,   /* letters, but no syllable and no likely foreign word */
    TOKEN_GARBAGE,      /* no word of any language: letters, digits and symbols mixed, stray symbols */
    TOKEN_KINDS,
};

/* word is UTF-8, NFC; punctuation around it is left aside. */
enum token token_look(const char *word);

/* Where word begins and how many bytes it has, punctuation around it left aside. */
void token_core(const char *word, size_t *ret_start, size_t *ret_bytes);

#endif
