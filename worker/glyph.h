/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which digit a few pieces of ink are: measured, then judged by a small network (worker/digits/train.py). Whole numbers
 * only, so that the judgement is the same on every machine. */
#ifndef SOHOA_GLYPH_H
#define SOHOA_GLYPH_H

#include "worker/strokes.h"

enum {
    GLYPH_SIDE_PX = 32, /* what is measured is scaled to at most this, */
    GLYPH_GRID = 5,     /* its edges are taken around so many points a side ... */
    GLYPH_WAYS = 8,     /* ... and so many directions, ... */
    GLYPH_BLOCKS = 8,   /* ... its ink in so many blocks a side */
    GLYPH_SIZES = 4,    /* height and width beside the writing's height, width beside height, thickness */
    GLYPH_FEATURES = GLYPH_WAYS * GLYPH_GRID * GLYPH_GRID + GLYPH_BLOCKS * GLYPH_BLOCKS + GLYPH_SIZES,
    GLYPH_DIGITS = 10,
    GLYPH_CLASSES = GLYPH_DIGITS + 1, /* the last: no digit */
    GLYPH_PIECES_MOST = 4,
};

/* Gradients by direction as in Liu et al., "Handwritten digit recognition" (Pattern Recognition 36, 2003), coarse ink
 * and sizes of count pieces from first on, each 0 to 255. */
void glyph_measure(const struct strokes *strokes, unsigned first, unsigned count, uint8_t feature[GLYPH_FEATURES]);

/* How likely each class is: its natural logarithm in 1/256, at most 0. */
void glyph_judge(const uint8_t feature[GLYPH_FEATURES], int32_t likely[GLYPH_CLASSES]);

/* Of what is likely by exp(x / 256), x <= 0, in 1/65536; and back. */
uint32_t glyph_exp(int32_t x);
int32_t glyph_log(uint64_t value); /* log(value / 65536) in 1/256; value 0 counts as 1 */

#endif
