/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/raster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct raster *raster_empty(uint32_t width_px, uint32_t height_px, uint32_t channels)
{
    assert(width_px && height_px && (channels == 0 || channels == 1 || channels == 3));
    struct raster *raster = calloc(1, sizeof *raster);
    if (!raster)
        return NULL;
    *raster = (struct raster){
        .width_px = width_px,
        .height_px = height_px,
        .channels = channels,
        .stride_bytes = channels ? (size_t)width_px * channels : ((size_t)width_px + 7) / 8,
        .to_view = {1, 0, 0, 1, 0, 0}
    };
    return raster;
}

struct raster *raster_new(uint32_t width_px, uint32_t height_px, uint32_t channels)
{
    struct raster *raster = raster_empty(width_px, height_px, channels);
    if (raster)
        raster->data = calloc(height_px, raster->stride_bytes);
    if (raster && !raster->data)
        raster_destroy(&raster);
    return raster;
}

struct raster *raster_rows(const struct raster *raster, uint32_t top_px, uint32_t height_px)
{
    struct raster *rows = raster_new(raster->width_px, height_px, raster->channels);
    for (uint32_t y = 0; rows && y < height_px; y++)
        memcpy(rows->data + y * rows->stride_bytes, raster->data + (top_px + y) * raster->stride_bytes,
               rows->stride_bytes);
    if (rows)
        rows->dpi = raster->dpi;
    return rows;
}

struct raster *raster_cut(const struct raster *raster, uint32_t left_px, uint32_t top_px, uint32_t width_px,
                          uint32_t height_px)
{
    assert(raster->channels || left_px % 8 == 0);
    struct raster *cut = raster_new(width_px, height_px, raster->channels);
    size_t offset = raster->channels ? (size_t)left_px * raster->channels : left_px / 8;
    for (uint32_t y = 0; cut && y < height_px; y++)
        memcpy(cut->data + y * cut->stride_bytes, raster->data + (top_px + y) * raster->stride_bytes + offset,
               cut->stride_bytes);
    if (!cut)
        return NULL;
    const double *m = raster->to_view;
    cut->dpi = raster->dpi;
    memcpy(cut->to_view, m, sizeof cut->to_view);
    cut->to_view[4] += m[0] * left_px + m[2] * top_px;
    cut->to_view[5] += m[1] * left_px + m[3] * top_px;
    return cut;
}

/* The mean of the up to four pixels that become one, at least one of them there. */
static void row_halve(const uint8_t *upper, const uint8_t *lower, uint8_t *to, uint32_t width, uint32_t channels)
{
    for (uint32_t x = 0; x < width; x += 2) {
        uint32_t right = x + 1 < width ? channels : 0;
        for (uint32_t c = 0; c < channels; c++)
            *to++ = (uint8_t)((upper[c] + upper[right + c] + lower[c] + lower[right + c] + 2) / 4);
        upper += channels + right;
        lower += channels + right;
    }
}

void raster_halve(struct raster *raster)
{
    uint32_t channels = raster->channels, width = (raster->width_px + 1) / 2, height = (raster->height_px + 1) / 2;
    assert(channels);
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *upper = raster->data + 2 * (size_t)y * raster->stride_bytes;
        const uint8_t *lower = 2 * y + 1 < raster->height_px ? upper + raster->stride_bytes : upper;
        row_halve(upper, lower, raster->data + (size_t)y * width * channels, raster->width_px, channels);
    }
    raster->width_px = width;
    raster->height_px = height;
    raster->stride_bytes = (size_t)width * channels;
    uint8_t *fit = realloc(raster->data, height * raster->stride_bytes);
    raster->data = fit ? fit : raster->data;
}

void raster_destroy(struct raster **raster)
{
    if (!*raster)
        return;
    free((*raster)->data);
    free(*raster);
    *raster = NULL;
}
