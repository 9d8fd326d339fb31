/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reading order where Tesseract reads across: the boxes of a document's head, recipients beside signature. */
#ifndef SOHOA_COLUMNS_H
#define SOHOA_COLUMNS_H

#include "worker/page.h"

/* Boxes side by side at the head and at the end of a page (band.h) become a left and a right block, in this order;
 * at the head those of issuer and nation come before those of number and date. Else Tesseract's order stays. page is
 * upright: its lines run from left to right. All words stay. */
void columns_split(Sohoa__Page *page);

#endif
