/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Pictures between plain pixels and Leptonica, and their scale. Every change of geometry goes through
 * sheet_reframe(), so a cleaned pixel always knows its place in the view. */
#include "worker/clean_sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

enum {
    CLEAN_DPI = 200,              /* what pictures are scaled down to: see below */
    CLEAN_LEAST_PX = 1654 * 2339, /* ... but not below what A4 has so: a file may be wrong about its dpi */
    CLEAN_DEGRADED_DPI = 150,
    CLEAN_LOW_DPI = 170,              /* pictures below are scaled up twice, ... */
    CLEAN_VERY_LOW_DPI = 85,          /* ... or three times ... */
    CLEAN_ENLARGED_MAX_PX = 16 << 20, /* ... unless they get larger than this */
};

/* At 300 dpi the recogniser sees noise and edges, too: at 200 it makes less than half of the errors in print of usual
 * size, and layout takes half the time. Below that print of 8 points suffers: 0.3 % of its letters are wrong at 200 dpi,
 * 0.8 % at 175, and 0.1 % at 300. */
static const double scale_least_gain = 0.8; /* scaling down by less than this isn't worth it */

void sheet_clear(struct sheet *sheet)
{
    pixDestroy(&sheet->pix);
}

void sheet_reframe(struct sheet *sheet, PIX *pix, const double old[6])
{
    const double view[6] = {sheet->to_view[0], sheet->to_view[1], sheet->to_view[2],
                            sheet->to_view[3], sheet->to_view[4], sheet->to_view[5]};
    for (int i = 0; i < 6; i += 2) {
        sheet->to_view[i] = view[0] * old[i] + view[2] * old[i + 1] + (i == 4 ? view[4] : 0);
        sheet->to_view[i + 1] = view[1] * old[i] + view[3] * old[i + 1] + (i == 4 ? view[5] : 0);
    }
    pixDestroy(&sheet->pix);
    sheet->pix = pix;
}

PIX *raster_pix(const struct raster *raster)
{
    PIX *pix = pixCreateNoInit((int)raster->width_px, (int)raster->height_px, raster->channels ? 8 : 1);
    if (!pix)
        return NULL;
    size_t bytes = raster->channels ? raster->width_px : (raster->width_px + 7) / 8;
    for (uint32_t y = 0; y < raster->height_px; y++)
        memcpy(pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix), raster->data + y * raster->stride_bytes, bytes);
    pixEndianByteSwap(pix);
    pixSetPadBits(pix, 0);
    return pix;
}

/* Leptonica's rows are words, with the first pixel in the highest byte. */
struct raster *sheet_give(struct sheet *sheet)
{
    struct raster *raster = calloc(1, sizeof *raster);
    if (!raster || pixEndianByteSwap(sheet->pix)) {
        free(raster);
        return NULL;
    }
    raster->width_px = (uint32_t)pixGetWidth(sheet->pix);
    raster->height_px = (uint32_t)pixGetHeight(sheet->pix);
    raster->channels = pixGetDepth(sheet->pix) == 1 ? 0 : 1;
    raster->stride_bytes = 4 * (size_t)pixGetWpl(sheet->pix);
    raster->dpi = sheet->dpi;
    memcpy(raster->to_view, sheet->to_view, sizeof raster->to_view);
    raster->data = (uint8_t *)pixExtractData(sheet->pix);
    sheet_clear(sheet);
    if (!raster->data)
        raster_destroy(&raster);
    return raster;
}

static double scale_wanted(const struct sheet *sheet, bool degraded)
{
    double dpi = sheet->dpi, pixels = (double)pixGetWidth(sheet->pix) * pixGetHeight(sheet->pix);
    if (degraded)
        return dpi > CLEAN_DEGRADED_DPI ? CLEAN_DEGRADED_DPI / dpi : 1;
    double smaller = fmax(CLEAN_DPI / dpi, sqrt(CLEAN_LEAST_PX / pixels));
    if (smaller < scale_least_gain)
        return smaller;
    double larger = dpi < CLEAN_VERY_LOW_DPI ? 3 : dpi < CLEAN_LOW_DPI ? 2 : 1;
    return larger * larger * pixels <= CLEAN_ENLARGED_MAX_PX ? larger : 1;
}

static PIX *pix_scaled(PIX *pix, double scale)
{
    if (pixGetDepth(pix) == 8)
        return scale < 1 ? pixScaleAreaMap(pix, (float)scale, (float)scale) : pixScale(pix, (float)scale, (float)scale);
    if (scale < 1)
        return pixScaleToGray(pix, (float)scale);
    AUTO(pixDestroy) PIX *gray = pixConvertTo8(pix, 0);
    return gray ? pixScale(gray, (float)scale, (float)scale) : NULL;
}

bool sheet_scale(struct sheet *sheet, bool degraded, bool *ret_enlarged)
{
    double width = pixGetWidth(sheet->pix), height = pixGetHeight(sheet->pix), scale = scale_wanted(sheet, degraded);
    *ret_enlarged = scale > 1;
    if (scale == 1)
        return true;
    PIX *scaled = pix_scaled(sheet->pix, scale);
    if (!scaled)
        return false;
    const double old[6] = {width / pixGetWidth(scaled), 0, 0, height / pixGetHeight(scaled), 0, 0};
    sheet_reframe(sheet, scaled, old);
    sheet->dpi = (uint32_t)lround(sheet->dpi * scale);
    return true;
}
