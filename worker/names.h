/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Names of bodies and places as they are spelled, and as sentences write them: letterheads stand in capitals, on which the recogniser
 * loses marks. Tables: rules.h (bodies), and the units of Hanoi before and since 2025.
 * Source of the spelling in sentences: Decree 30/2020/ND-CP, Appendix II. */
#ifndef SOHOA_NAMES_H
#define SOHOA_NAMES_H

#include <stdbool.h>

#include "proto/buf.h"

/* Whether bare text (bare.h) begins with the name of a body, but for a slip; then how many characters that has. */
size_t names_begin(const char *bare);

/* Appends text, words parted by blanks: bodies and places that are known by their bare letters with their own marks, the others as
 * they are. Returns how many words are known. */
size_t names_mend(const char *text, struct buf *out);

/* Appends the office that is known by the same bare letters, as a sentence has it; else text as names_lower(). Whether it is known. */
bool names_office(const char *text, struct buf *out);

/* Appends text as a sentence has it: "ỦY BAN NHÂN DÂN QUẬN BA ĐÌNH" is "Ủy ban nhân dân quận Ba Đình". */
void names_lower(const char *text, struct buf *out);

#endif
