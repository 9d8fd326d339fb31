/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is ink in a small gray picture, and which of it hangs together. Whole numbers only. */
#ifndef SOHOA_WORKER_INK_H
#define SOHOA_WORKER_INK_H

#include <stddef.h>
#include <stdint.h>

/* Dark on light: height rows of width bytes, each stride bytes behind the one before; borrowed. */
struct gray {
    const uint8_t *data;
    uint32_t width, height;
    size_t stride;
};

/* The gray up to which a pixel is ink: between the two that tell ink and paper apart best (Otsu 1979); -1 where there
 * is no such difference. */
int ink_threshold(const struct gray *gray);

struct part {
    int32_t left, top, right, bottom; /* px; right and bottom are the first outside */
    uint32_t ink;                     /* px */
};

/* Numbers the ink's connected parts, corners touching, from 1 on in the order of their first pixels by rows: label has
 * height rows of width, not 0 where there is ink, and gets the number of each pixel's part. part gets the first most
 * of them; the pixels of further ones become paper. Returns how many, or -1 without memory. */
int ink_number(uint16_t *label, int32_t width, int32_t height, struct part *part, unsigned most);

#endif
