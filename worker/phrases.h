/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What official documents say in the same words everywhere. */
#ifndef SOHOA_PHRASES_H
#define SOHOA_PHRASES_H

#include "worker/page.h"

/* Gives the words of fixed phrases their diacritics: of the national heading and the names of the bodies that issue
 * documents wherever they stand, of titles where they make up a line in capitals; and everyday compounds of
 * offices their tones where the recogniser commonly slips. Only where the letters without
 * diacritics are the phrase's, all and in order; capitals, punctuation and either placing of a tone mark stay. The word keeps
 * what the recogniser said as its raw. To be called before letters_correct(). */
void phrases_correct(Sohoa__Page *page);

#endif
