/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The only file that cleans pictures with Leptonica. The recogniser gets gray where there was gray: measured
 * against binarised pages it costs a tenth more and loses neither faint nor noisy text. Bilevel pictures (see
 * ink_of()) only measure: is there ink, do lines run straight, which way are they up. Every change of geometry
 * goes through sheet_reframe(), so a cleaned pixel always knows its place in the view. */
#include "worker/clean.h"

#include <assert.h>
#include <leptonica/allheaders.h>
#include <math.h>
#include <string.h>

#include "proto/auto.h"

enum {
    CLEAN_DPI = 300, /* what large pictures are scaled down to */
    CLEAN_DEGRADED_DPI = 150,
    CLEAN_HIGH_DPI = 400,             /* pictures above are scaled down, if they are large: */
    CLEAN_LARGE_PX = 12 << 20,        /* pixels; a stamp-sized 600 dpi picture reads well as it is */
    CLEAN_LOW_DPI = 170,              /* pictures below are scaled up twice, ... */
    CLEAN_VERY_LOW_DPI = 85,          /* ... or three times ... */
    CLEAN_ENLARGED_MAX_PX = 16 << 20, /* ... unless they get larger than this */
    CLEAN_UNKNOWN_DPI = 300,

    RED_LEAST = 12, /* red above the stronger of green and blue: paper and black ink have less */
    RED_FULL = 64,  /* from here on it is red ink and counts with its red channel alone */

    CLEAN_LEAST_SIDE_PX = 32, /* smaller pictures hold no text, and Leptonica can't reduce them */

    NORM_LEAST_SIDE_PX = 100, /* Leptonica's background map needs tiles */
    NORM_BLACK = 70,          /* on a paper of 200: black from here down, ... */
    NORM_WHITE = 190,         /* ... white from here up */
    INK_DARK = 106,           /* below, afterwards: dark ink */
    INK_PALE = 200,           /* below: any ink */

    LETTER_DPI = 75, /* resolution at which letters are counted: specks of dust are gone there */
    LETTER_LEAST_WIDTH_PX = 2,
    LETTER_LEAST_HEIGHT_PX = 4, /* 1.3 mm */
    LETTER_FRAME_PARTS = 50,    /* one part of so many on each side is not counted: there are shadows and holes */
    SCANT_LETTERS = 20,         /* fewer dark letters than this are scant */

    TILT_LEAST_LETTERS = 15, /* fewer show no direction */

    BORDER_SCALE = 8,  /* blocks of so many pixels a side, black all over: no text is */
    BORDER_PARTS = 12, /* black is taken off within one part of so many from each side */

    SKEW_RANGE_DEG = 15,
};

static const float skew_least_deg = 0.2F; /* below this straightening costs more than it gives */
static const float skew_sure =
    3.0F; /* Leptonica's confidence; pages of text have 4.5 and more, sideways ones below 2.5 */
static const float upright_sure = 4.0F; /* likewise, that letters are up: real pages have 4.4 and more */

/* The picture at work, and where its pixels are in the view. */
struct sheet {
    PIX *pix; /* 1 or 8 bits deep */
    uint32_t dpi;
    double to_view[6];
};

static void sheet_clear(struct sheet *sheet)
{
    pixDestroy(&sheet->pix);
}

/* pix takes the place of the sheet's picture; its pixel (x,y) was at (a x + c y + e, b x + d y + f) in the old
 * one. */
static void sheet_reframe(struct sheet *sheet, PIX *pix, const double old[6])
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

static int no_memory(const struct raster *raster, struct err *err)
{
    return err_set(err, E_MEMORY, "no memory to clean a picture of %u x %u", raster->width_px, raster->height_px);
}

/* Gray of one RGB pixel; red ink goes as light as its red channel is, black print under it stays black. */
static uint8_t gray_without_red(const uint8_t rgb[3])
{
    int red = rgb[0], green = rgb[1], blue = rgb[2];
    int gray = (77 * red + 151 * green + 28 * blue) >> 8;
    int above = red - (green > blue ? green : blue);
    if (above < RED_LEAST)
        return (uint8_t)gray;
    above = above > RED_FULL ? RED_FULL : above;
    return (uint8_t)((gray * (RED_FULL - above) + red * above) / RED_FULL);
}

static uint8_t gray_with_red(const uint8_t rgb[3])
{
    return (uint8_t)((77 * rgb[0] + 151 * rgb[1] + 28 * rgb[2]) >> 8);
}

static PIX *raster_pix(const struct raster *raster, bool keep_red)
{
    PIX *pix = pixCreate((int)raster->width_px, (int)raster->height_px, raster->channels ? 8 : 1);
    if (!pix)
        return NULL;
    for (uint32_t y = 0; y < raster->height_px; y++) {
        const uint8_t *from = raster->data + y * raster->stride_bytes;
        l_uint32 *to = pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix);
        uint32_t bytes = raster->channels ? raster->width_px : (raster->width_px + 7) / 8;
        for (uint32_t x = 0; x < bytes; x++) {
            uint8_t byte = raster->channels == 3
                               ? keep_red ? gray_with_red(from + 3 * x) : gray_without_red(from + 3 * x)
                               : from[x];
            SET_DATA_BYTE(to, x, byte);
        }
    }
    pixSetPadBits(pix, 0);
    return pix;
}

static struct raster *sheet_raster(const struct sheet *sheet)
{
    uint32_t width = (uint32_t)pixGetWidth(sheet->pix), height = (uint32_t)pixGetHeight(sheet->pix);
    struct raster *raster = raster_new(width, height, pixGetDepth(sheet->pix) == 1 ? 0 : 1);
    if (!raster)
        return NULL;
    for (uint32_t y = 0; y < height; y++) {
        l_uint32 *from = pixGetData(sheet->pix) + (size_t)y * (size_t)pixGetWpl(sheet->pix);
        for (size_t x = 0; x < raster->stride_bytes; x++)
            raster->data[y * raster->stride_bytes + x] = (uint8_t)GET_DATA_BYTE(from, x);
    }
    raster->dpi = sheet->dpi;
    memcpy(raster->to_view, sheet->to_view, sizeof raster->to_view);
    return raster;
}

static double scale_wanted(const struct raster *raster, bool degraded)
{
    double dpi = raster->dpi ? raster->dpi : CLEAN_UNKNOWN_DPI, pixels = (double)raster->width_px * raster->height_px;
    if (degraded)
        return dpi > CLEAN_DEGRADED_DPI ? CLEAN_DEGRADED_DPI / dpi : 1;
    if (dpi > CLEAN_HIGH_DPI && pixels > CLEAN_LARGE_PX)
        return CLEAN_DPI / dpi;
    double larger = dpi < CLEAN_VERY_LOW_DPI ? 3 : dpi < CLEAN_LOW_DPI ? 2 : 1;
    return larger * larger * pixels <= CLEAN_ENLARGED_MAX_PX ? larger : 1;
}

static PIX *pix_scaled(PIX *pix, double scale)
{
    if (pixGetDepth(pix) == 8)
        return pixScale(pix, (float)scale, (float)scale);
    if (scale < 1)
        return pixScaleToGray(pix, (float)scale);
    AUTO(pixDestroy) PIX *gray = pixConvertTo8(pix, 0);
    return gray ? pixScale(gray, (float)scale, (float)scale) : NULL;
}

static bool sheet_scale(struct sheet *sheet, double scale)
{
    double width = pixGetWidth(sheet->pix), height = pixGetHeight(sheet->pix);
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

/* Makes paper white and print black, however uneven the light. */
static bool sheet_normalise(struct sheet *sheet)
{
    PIX *pix = sheet->pix;
    if (pixGetDepth(pix) == 1 || pixGetWidth(pix) < NORM_LEAST_SIDE_PX || pixGetHeight(pix) < NORM_LEAST_SIDE_PX)
        return true;
    PIX *even = pixBackgroundNormSimple(pix, NULL, NULL);
    if (!even)
        return false;
    pixDestroy(&sheet->pix);
    sheet->pix = even;
    return pixGammaTRC(even, even, 1.0F, NORM_BLACK, NORM_WHITE) != NULL;
}

/* 1 where the picture is darker than limit. */
static PIX *ink_of(PIX *pix, int limit)
{
    return pixGetDepth(pix) == 1 ? pixCopy(NULL, pix) : pixThresholdToBinary(pix, limit);
}

/* What the scanner's lid or a copier left black at the edges. */
static PIX *border_mask(PIX *ink)
{
    AUTO(pixDestroy) PIX *solid = pixReduceRankBinaryCascade(ink, 4, 4, 4, 0);
    AUTO(pixDestroy) PIX *border = solid ? pixExtractBorderConnComps(solid, 8) : NULL;
    if (!border)
        return NULL;
    int width = pixGetWidth(border), height = pixGetHeight(border);
    AUTO(boxDestroy)
    BOX *inside = boxCreate(width / BORDER_PARTS, height / BORDER_PARTS, width - 2 * (width / BORDER_PARTS),
                            height - 2 * (height / BORDER_PARTS));
    if (!inside || pixClearInRect(border, inside))
        return NULL;
    AUTO(pixDestroy) PIX *fringed = pixDilateBrick(NULL, border, 3, 3);
    return fringed ? pixScaleToSize(fringed, pixGetWidth(ink), pixGetHeight(ink)) : NULL;
}

static bool sheet_whiten_borders(struct sheet *sheet)
{
    if (pixGetWidth(sheet->pix) < BORDER_PARTS * BORDER_SCALE || pixGetHeight(sheet->pix) < BORDER_PARTS * BORDER_SCALE)
        return true;
    AUTO(pixDestroy) PIX *ink = ink_of(sheet->pix, INK_DARK);
    AUTO(pixDestroy) PIX *mask = ink ? border_mask(ink) : NULL;
    return mask && !pixSetMasked(sheet->pix, mask, pixGetDepth(sheet->pix) == 1 ? 0 : 255);
}

static int sheet_prepare(struct sheet *sheet, const struct raster *raster, bool degraded, bool keep_red,
                         struct err *err)
{
    sheet_clear(sheet);
    sheet->dpi = raster->dpi ? raster->dpi : CLEAN_UNKNOWN_DPI;
    memcpy(sheet->to_view, raster->to_view, sizeof sheet->to_view);
    sheet->pix = raster_pix(raster, keep_red);
    if (!sheet->pix || !sheet_scale(sheet, scale_wanted(raster, degraded)) || !sheet_normalise(sheet) ||
        !sheet_whiten_borders(sheet))
        return no_memory(raster, err);
    return 0;
}

/* ink at about LETTER_DPI, its outermost frame cut off; black only where most of the pixels were. */
static PIX *ink_reduced(PIX *ink, uint32_t dpi)
{
    int level[4] = {0};
    for (int i = 0; i < 4 && dpi >= 2 * LETTER_DPI; i++, dpi /= 2)
        level[i] = 2;
    AUTO(pixDestroy) PIX *small = pixReduceRankBinaryCascade(ink, level[0], level[1], level[2], level[3]);
    if (!small)
        return NULL;
    int x = pixGetWidth(small) / LETTER_FRAME_PARTS, y = pixGetHeight(small) / LETTER_FRAME_PARTS;
    AUTO(boxDestroy) BOX *inside = boxCreate(x, y, pixGetWidth(small) - 2 * x, pixGetHeight(small) - 2 * y);
    return inside ? pixClipRectangle(small, inside, NULL) : NULL;
}

/* Counts what is as large as a letter; false without memory. */
static bool letters_count(PIX *ink, uint32_t dpi, int *ret_letters)
{
    AUTO(pixDestroy) PIX *small = ink ? ink_reduced(ink, dpi) : NULL;
    AUTO(boxaDestroy) BOXA *boxes = small ? pixConnCompBB(small, 8) : NULL;
    if (!boxes)
        return false;
    *ret_letters = 0;
    for (int i = 0; i < boxaGetCount(boxes); i++) {
        int width = 0, height = 0;
        boxaGetBoxGeometry(boxes, i, NULL, NULL, &width, &height);
        *ret_letters += width >= LETTER_LEAST_WIDTH_PX && height >= LETTER_LEAST_HEIGHT_PX;
    }
    return true;
}

/* The clockwise turn in degrees that sets lines of text straight, with Leptonica's confidence: 0 where there are
 * none. */
static void lines_measure(PIX *ink, float *ret_turn_deg, float *ret_sure)
{
    *ret_turn_deg = *ret_sure = 0;
    if (pixFindSkewSweepAndSearch(ink, ret_turn_deg, ret_sure, 4, 2, SKEW_RANGE_DEG, 1.0F, 0.01F))
        *ret_turn_deg = *ret_sure = 0;
}

/* Whether the ink's lines run upright and which way it leans. */
static int tilt_measure(PIX *ink, bool *ret_tilted, float *ret_turn_deg)
{
    AUTO(pixDestroy) PIX *small = pixReduceRankBinary2(ink, 1, NULL);
    AUTO(pixDestroy) PIX *sideways = small ? pixRotateOrth(small, 1) : NULL;
    if (!sideways)
        return E_MEMORY;
    float turn_deg, sure, sideways_turn_deg, sideways_sure, up = 0;
    lines_measure(small, &turn_deg, &sure);
    lines_measure(sideways, &sideways_turn_deg, &sideways_sure);
    bool lying = sideways_sure > sure;
    if (!lying)
        pixUpDownDetect(ink, &up, 0, 0, 0);
    *ret_tilted = lying || up < upright_sure;
    *ret_turn_deg = lying ? sideways_turn_deg : turn_deg;
    if ((lying ? sideways_sure : sure) < skew_sure || fabsf(*ret_turn_deg) < skew_least_deg)
        *ret_turn_deg = 0;
    return 0;
}

/* Turns the picture clockwise about its middle, on paper large enough to lose nothing. */
static bool sheet_straighten(struct sheet *sheet, float turn_deg)
{
    double radians = turn_deg * M_PI / 180;
    int longest =
        pixGetWidth(sheet->pix) > pixGetHeight(sheet->pix) ? pixGetWidth(sheet->pix) : pixGetHeight(sheet->pix);
    int margin = (int)ceil(fabs(sin(radians)) * longest / 2);
    AUTO(pixDestroy) PIX *gray = pixConvertTo8(sheet->pix, 0);
    AUTO(pixDestroy) PIX *wide = gray ? pixAddBorder(gray, margin, 255) : NULL;
    PIX *straight = wide ? pixRotateAMGray(wide, (float)radians, 255) : NULL;
    if (!straight)
        return false;
    double x = pixGetWidth(wide) / 2 + 0.5, y = pixGetHeight(wide) / 2 + 0.5, c = cos(radians), s = sin(radians);
    const double old[6] = {c, -s, s, c, x - c * x - s * y - margin, y + s * x - c * y - margin};
    sheet_reframe(sheet, straight, old);
    return true;
}

/* The sheet's ink, and how many letters are in it. */
static int ink_measure(struct sheet *sheet, const struct raster *raster, int limit, PIX **ret_ink, int *ret_letters,
                       struct err *err)
{
    pixDestroy(ret_ink);
    *ret_ink = ink_of(sheet->pix, limit);
    return letters_count(*ret_ink, sheet->dpi, ret_letters) ? 0 : no_memory(raster, err);
}

/* Prepares the sheet and judges its ink; a scant one is prepared again with its red ink. */
static int sheet_judge(struct sheet *sheet, const struct raster *raster, bool degraded, struct clean_report *report,
                       PIX **ret_ink, int *ret_letters, struct err *err)
{
    int rc = sheet_prepare(sheet, raster, degraded, false, err);
    if (!rc)
        rc = ink_measure(sheet, raster, INK_DARK, ret_ink, ret_letters, err);
    report->scant = !rc && *ret_letters < SCANT_LETTERS;
    if (!report->scant)
        return rc;
    rc = sheet_prepare(sheet, raster, degraded, true, err);
    if (!rc)
        rc = ink_measure(sheet, raster, INK_PALE, ret_ink, ret_letters, err);
    report->blank = !rc && *ret_letters == 0;
    return rc;
}

static int sheet_clean(struct sheet *sheet, const struct raster *raster, bool degraded, struct clean_report *report,
                       struct err *err)
{
    AUTO(pixDestroy) PIX *ink = NULL;
    int letters = 0;
    float turn_deg = 0;
    int rc = sheet_judge(sheet, raster, degraded, report, &ink, &letters, err);
    if (rc || letters < TILT_LEAST_LETTERS)
        return rc;
    if (tilt_measure(ink, &report->tilted, &turn_deg))
        return no_memory(raster, err);
    if (turn_deg != 0 && !sheet_straighten(sheet, turn_deg))
        return no_memory(raster, err);
    report->skew_mdeg = (int32_t)lroundf(-1000 * turn_deg);
    return 0;
}

static int sheet_give(const struct sheet *sheet, struct raster **raster, struct err *err)
{
    struct raster *cleaned = sheet_raster(sheet);
    if (!cleaned)
        return no_memory(*raster, err);
    raster_destroy(raster);
    *raster = cleaned;
    return 0;
}

int clean_page(struct raster **raster, bool degraded, struct clean_report *report, struct err *err)
{
    setMsgSeverity(L_SEVERITY_NONE);
    *report = (struct clean_report){0};
    if ((*raster)->width_px < CLEAN_LEAST_SIDE_PX || (*raster)->height_px < CLEAN_LEAST_SIDE_PX) {
        report->blank = report->scant = true;
        return 0;
    }
    AUTO(sheet_clear) struct sheet sheet = {0};
    int rc = sheet_clean(&sheet, *raster, degraded, report, err);
    if (!rc)
        rc = sheet_give(&sheet, raster, err);
    return rc;
}

int clean_turn(struct raster **raster, uint32_t turn_deg, struct err *err)
{
    assert(turn_deg < 360 && turn_deg % 90 == 0 && (*raster)->channels < 3);
    if (!turn_deg)
        return 0;
    AUTO(sheet_clear) struct sheet sheet = {.pix = raster_pix(*raster, false), .dpi = (*raster)->dpi};
    PIX *turned = sheet.pix ? pixRotateOrth(sheet.pix, (int)turn_deg / 90) : NULL;
    if (!turned)
        return no_memory(*raster, err);
    double width = (*raster)->width_px, height = (*raster)->height_px;
    const double old[3][6] = {
        {0,  -1, 1,  0,  0,     height},
        {-1, 0,  0,  -1, width, height},
        {0,  1,  -1, 0,  width, 0     }
    };
    memcpy(sheet.to_view, (*raster)->to_view, sizeof sheet.to_view);
    sheet_reframe(&sheet, turned, old[turn_deg / 90 - 1]);
    return sheet_give(&sheet, raster, err);
}
