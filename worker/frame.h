/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Frames that stamps have: upright or lying rectangles, a little askew, of about a stamp's size. */
#ifndef SOHOA_FRAME_H
#define SOHOA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAMES_MOST = 12 }; /* that are looked into on a page */

/* One bit a pixel, rows of whole words, the lowest bit first. */
struct mask {
    uint32_t width_px, height_px;
    size_t stride_words;
    uint64_t *bits;
};

bool mask_new(uint32_t width_px, uint32_t height_px, struct mask *ret_mask); /* empty; false without memory */
void mask_clear(struct mask *mask);

static inline void mask_set(struct mask *mask, uint32_t x, uint32_t y)
{
    mask->bits[y * mask->stride_words + x / 64] |= (uint64_t)1 << x % 64;
}

/* Outside of the mask nothing is set. */
static inline bool mask_has(const struct mask *mask, int32_t x, int32_t y)
{
    return x >= 0 && y >= 0 && x < (int32_t)mask->width_px && y < (int32_t)mask->height_px &&
           mask->bits[(size_t)y * mask->stride_words + (size_t)x / 64] >> x % 64 & 1;
}

/* Lengths are pixels of the mask. */
struct frame {
    double x, y;          /* its middle */
    double ux, uy;        /* along its long side, of length 1; the short one is along (-uy, ux) */
    double width, height; /* long side, short side */
    double covered;       /* share of its four sides that is there, 0 to 1 */
    bool doubled;         /* there is a second one in it, or around it */
};

/* The frames in a mask of so many pixels a millimetre, best first, one for each place. Returns how many; SIZE_MAX without
 * memory. */
size_t frames_find(const struct mask *mask, double px_mm, struct frame frames[FRAMES_MOST]);

#endif
