/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Words that are none: what Tesseract reads into specks, strokes of a signature and the edge of a seal. */
#ifndef SOHOA_SPECKS_H
#define SOHOA_SPECKS_H

#include "worker/page.h"

/* Removes words that are far lower than the page's words usually are, and not read with confidence. Words with a digit
 * stay, however bad: they may be the number or the day in a document's head; so do the page's own words. page is
 * upright: its lines run from left to right. Errors: E_MEMORY. */
int specks_drop(Sohoa__Page *page, struct err *err);

#endif
