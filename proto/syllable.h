/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a Vietnamese syllable can be, by its letters alone. The check is phonotactic, it knows no dictionary: it says
 * which onset, rime and tone go together and how they are spelled.
 * Sources: Đoàn Thiện Thuật, Ngữ âm tiếng Việt (onsets, medial, nuclei, codas; stop codas bear sắc or nặng only);
 * Thompson, A Vietnamese Reference Grammar, ch. 2 and 3; spelling of c/k/q, g/gh, ng/ngh, i/y and both placings of the
 * tone mark as in Quyết định 240/QĐ (1984) of the Ministry of Education and in common use before it. */
#ifndef SOHOA_SYLLABLE_H
#define SOHOA_SYLLABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tone { TONE_LEVEL, TONE_ACUTE, TONE_GRAVE, TONE_HOOK, TONE_TILDE, TONE_DOT };

/* A letter without its tone; base is lower case, with ă â ê ô ơ ư đ letters of their own. */
struct letter {
    int32_t base;
    enum tone tone;
    bool upper;
};

/* Whether rune is a letter of Vietnamese (or f j w z), and then which. */
bool letter_of(int32_t rune, struct letter *letter);

/* Whether the bytes are one Vietnamese syllable: lower case, capitals, or a capital first. text is UTF-8, NFC. */
bool syllable_possible(const char *text, size_t bytes);

/* Whether it would be one with another tone, or none: "TICH". */
bool syllable_toneless(const char *text, size_t bytes);

#endif
