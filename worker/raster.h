/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A picture on its way from render to clean to read: plain pixels, so that MuPDF, Leptonica and Tesseract stay in one
 * file each. Rows are stride bytes apart; no padding is promised to be zero. */
#ifndef SOHOA_RASTER_H
#define SOHOA_RASTER_H

#include <stddef.h>
#include <stdint.h>

struct raster {
    uint32_t width_px, height_px;
    uint32_t channels; /* 1: gray, 3: RGB; 0: bilevel, eight pixels a byte, top bit first, 1 is black */
    size_t stride_bytes;
    uint8_t *data;     /* height_px * stride_bytes, malloc'd, owned */
    uint32_t dpi;      /* of the picture */
    double to_view[6]; /* raster pixel (x,y) -> view pixel: (a x + c y + e, b x + d y + f), in the order a b c d e f */
};

struct raster *raster_new(uint32_t width_px, uint32_t height_px,
                          uint32_t channels); /* NULL without memory; zeroed, to_view identity */
struct raster *raster_empty(uint32_t width_px, uint32_t height_px, uint32_t channels); /* as above, data NULL */
/* A copy of so many rows from top on, with their dpi; NULL without memory. */
struct raster *raster_rows(const struct raster *raster, uint32_t top_px, uint32_t height_px);
/* A copy of that part, which lies in raster, with its place in the view; of a bilevel raster from a multiple of 8 on. NULL
 * without memory. */
struct raster *raster_cut(const struct raster *raster, uint32_t left_px, uint32_t top_px, uint32_t width_px,
                          uint32_t height_px);
/* To half the width and height, rounded up, each pixel the mean of those it stands for; dpi and to_view are left as
 * they are. Not for bilevel ones. */
void raster_halve(struct raster *raster);
void raster_destroy(struct raster **raster);

#endif
