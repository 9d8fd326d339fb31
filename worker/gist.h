/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Makes a document's sketch (proto/sketch.h) of its pages. Words are compared without accents, case and punctuation, which readers get wrong
 * first. Marks are words with digits, and two to six capitalised words in a row, that the reader was sure of; one stands for a place in the
 * text that the plain words before it name: so a form that was filled in for somebody else has other values in the same
 * contexts, and what was not read leaves nothing. */
#ifndef SOHOA_GIST_H
#define SOHOA_GIST_H

#include "proto/sketch.h"
#include "worker/page.h"

/* Fills *sketch, all but its key, which is 0. pages: all of the document, in order. */
void gist_of(Sohoa__Page *const *pages, size_t count, struct sketch *sketch);

#endif
