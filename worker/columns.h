/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reading order where Tesseract reads across: the two boxes of a document's head, recipients beside signature. */
#ifndef SOHOA_COLUMNS_H
#define SOHOA_COLUMNS_H

#include "worker/page.h"

/* Where at least two lines in a row leave the same gap free, they become a left and a right block, in this order.
 * page is upright: its lines run from left to right. All words stay. */
void columns_split(Sohoa__Page *page);

#endif
