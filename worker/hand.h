/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What hands wrote into a document's head: number, day, month and year, read by the reader of digits. */
#ifndef SOHOA_HAND_H
#define SOHOA_HAND_H

#include "proto/err.h"
#include "worker/page.h"
#include "worker/raster.h"

/* Adds hands to page, whose words were read from raster, gray or bilevel and upright; at most HANDS_MOST, none where no
 * such line is. Errors: E_MEMORY; then page may have some of them. */
int hand_read(const struct raster *raster, Sohoa__Page *page, struct err *err);

#endif
