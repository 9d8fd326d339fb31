/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How good a page's text is likely to be, told without its truth. */
#ifndef SOHOA_QUALITY_H
#define SOHOA_QUALITY_H

#include "worker/page.h"

/* Sets quality of the page and its lines, error_cpct, grade, and the notes on the scan's resolution and colour. Words
 * that page had of its own don't count: where no other are, quality is absent and the grade none. Can be called again.
 * bench/README.md tells how well the prediction holds. */
void quality_measure(Sohoa__Page *page);

/* "A", "B", "C"; NULL for none. Borrowed for good. */
const char *grade_name(Sohoa__Grade grade);

#endif
