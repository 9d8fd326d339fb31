/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/raster.h"

#include <assert.h>
#include <stdlib.h>

struct raster *raster_new(uint32_t width_px, uint32_t height_px, uint32_t channels)
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
    raster->data = calloc(height_px, raster->stride_bytes);
    if (!raster->data)
        raster_destroy(&raster);
    return raster;
}

void raster_destroy(struct raster **raster)
{
    if (!*raster)
        return;
    free((*raster)->data);
    free(*raster);
    *raster = NULL;
}
