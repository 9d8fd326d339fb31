/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Letters that the recogniser gives where Vietnamese has others. */
#ifndef SOHOA_LETTERS_H
#define SOHOA_LETTERS_H

#include "worker/page.h"

/* Corrects words that were read where there is just one likely way: a word that can't be, where one letter, replaced
 * by one it is taken for, makes the only possible syllable; capitals within a word; Icelandic eth for Đ; l or I for 1
 * behind "Điều" and its like. What is possible as it is stays, also "tố" for "tổ". The word keeps what was said as its
 * raw, and words that have one already stay; text is NFC as before. */
void letters_correct(Sohoa__Page *page);

#endif
