/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page's picture as 64 bits that stay nearly the same when it is scanned again: at another resolution, brighter, noisier, shifted. */
#ifndef SOHOA_LIKENESS_H
#define SOHOA_LIKENESS_H

#include "worker/page.h"
#include "worker/raster.h"

enum { LIKENESS_BYTES = 8 };

/* Of a cleaned, upright picture, gray or bilevel: the signs of the low frequencies (a discrete cosine transform in integers) of its ink
 * within the box that has most of it. False: there is hardly any ink, *hash is not set. */
bool likeness_of(const struct raster *raster, uint64_t *hash);

/* Sets page's picture_hash, unless it is blank or has hardly any ink. */
void likeness_set(const struct raster *raster, Sohoa__Page *page);

#endif
