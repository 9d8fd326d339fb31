/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The blanks in a document's head that hands fill in: "Số: .../QĐ-UBND" (Party: "Số ...-QĐ/TW") and "ngày ... tháng ...
 * năm ...". They are told by the print beside them, of which the recogniser's boxes are often too wide. */
#ifndef SOHOA_BLANKS_H
#define SOHOA_BLANKS_H

#include "proto/limits.h"
#include "worker/page.h"
#include "worker/raster.h"

/* Pixels of the raster. */
struct blank {
    Sohoa__HandKind kind;
    int32_t left, right; /* where the print ends, and begins again */
    int32_t baseline;
    int32_t em; /* the print's size */
};

/* The uppermost blanks of the page's upper half, whose words were read from raster, by kind and then from top to bottom: of
 * a number in the left half only, of a date in the right. Returns how many. */
unsigned blanks_find(const Sohoa__Page *page, const struct raster *raster, struct blank blank[HANDS_MOST]);

#endif
