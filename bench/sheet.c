/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bench/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/damage.h"
#include "bench/ink.h"
#include "bench/print.h"
#include "proto/auto.h"

enum {
    TURN_PERCENT = 8, /* of the pages lie */
    PRESSED_PERCENT = 70,
    COVERED_PERCENT = 40,
    SEALED_PERCENT = 50,
    SMUDGED_PERCENT = 15,
    SEALS_MOST = 5, /* of a crowded sheet */
    FOLDED_PARAGRAPHS = 6,
    PLACES_TRIED = 40,
    PLAIN_PERCENT = 25, /* of the crowded sheets have few stamps */
    LETTERS_OFF = 3,    /* pixels of the planes that they may lie beside their place */
};

static uint32_t dpi_of(struct chance *chance)
{
    static const uint32_t dpis[] = {150, 200, 300, 300};
    return CHANCE_PICK(chance, dpis);
}

static enum sheet_scan scan_of(struct chance *chance)
{
    static const unsigned scans[] = {60, 25, 15, 0};
    return (enum sheet_scan)chance_weighed(chance, scans);
}

void sheet_plan(struct chance *chance, enum stamp_kind kind, struct sheet *sheet)
{
    bool secret = kind <= STAMP_GIAI;
    *sheet = (struct sheet){.scan = scan_of(chance), .dpi = dpi_of(chance)};
    sheet->decoys = !secret && chance_percent(chance, 40);
    sheet->seals = chance_percent(chance, SMUDGED_PERCENT) ? 1 : 0;
    sheet->incoming_percent = 25;
    if (secret || chance_percent(chance, 50)) {
        enum stamp_kind harmless = (enum stamp_kind)chance_between(chance, STAMP_HOA_TOC, STAMP_OTHER);
        sheet->stamps = 1;
        stamp_plan(chance, secret ? kind : harmless, STAMP_JUDGED, &sheet->stamp[0]);
        sheet->covered[0] = secret && chance_percent(chance, COVERED_PERCENT);
    }
    sheet->chance = (struct chance){chance_next(chance)};
}

static bool stamps_meet(const struct stamp *a, const struct stamp *b)
{
    return hypot(a->x - b->x, a->y - b->y) < (a->width + b->width) / 2 + 8;
}

static bool stamp_is_free(const struct sheet *sheet, const struct stamp *stamp)
{
    for (unsigned i = 0; i < sheet->stamps; i++)
        if (stamps_meet(&sheet->stamp[i], stamp))
            return false;
    return true;
}

void sheet_crowd(struct chance *chance, struct sheet *sheet)
{
    static const unsigned kinds[] = {16, 16, 16, 16, 6, 6, 6, 30, 0};
    *sheet = (struct sheet){.scan = scan_of(chance), .dpi = dpi_of(chance)};
    sheet->decoys = chance_percent(chance, 60);
    sheet->incoming_percent = 60;
    sheet->seals = (unsigned)chance_below(chance, SEALS_MOST + 1);
    unsigned most = chance_percent(chance, PLAIN_PERCENT) ? 1 : SHEET_STAMPS_MOST;
    for (int tried = 0; tried < PLACES_TRIED && sheet->stamps < most; tried++) {
        struct stamp *stamp = &sheet->stamp[sheet->stamps];
        stamp_plan(chance, (enum stamp_kind)chance_weighed(chance, kinds), STAMP_TAUGHT, stamp);
        if (sheet->stamps) {
            stamp->x = PRINT_PT_PER_MM * chance_real(chance, 20, 190);
            stamp->y = PRINT_PT_PER_MM * chance_real(chance, 10, 285);
        }
        if (!stamp_is_free(sheet, stamp))
            continue;
        sheet->covered[sheet->stamps++] = chance_percent(chance, COVERED_PERCENT);
    }
    sheet->chance = (struct chance){chance_next(chance)};
}

static void sheet_seal(const struct sheet *sheet, const struct print *print, struct chance *chance,
                       const struct organ *organ, cairo_t *cr)
{
    const struct print_spot *spot;
    size_t count = print_spots(print, 0, &spot);
    for (size_t i = 0; i < count; i++)
        if (spot[i].kind == SPOT_SIGNATURE)
            ink_seal(cr, chance, organ, &spot[i]);
        else if (spot[i].kind == SPOT_STAMP && chance_percent(chance, sheet->incoming_percent))
            ink_incoming(cr, chance, organ, &spot[i]);
    struct print_spot anywhere = {
        .x = chance_real(chance, 60, 300), .y = chance_real(chance, 60, 400), .width = 150, .height = 60};
    if (chance_percent(chance, 25))
        ink_seal(cr, chance, organ, &anywhere);
}

static void sheet_ink(const struct sheet *sheet, struct chance *chance, const struct print *print,
                      const struct organ *organ, cairo_t *cr)
{
    if (chance_percent(chance, SEALED_PERCENT))
        sheet_seal(sheet, print, chance, organ, cr);
    if (sheet->decoys)
        stamp_decoys(chance, cr);
    for (unsigned i = 0; i < sheet->seals; i++)
        ink_seal_smudged(cr, chance, organ, chance_real(chance, 0.05, 0.95) * PRINT_WIDTH_PT,
                         chance_real(chance, 0.05, 0.95) * PRINT_HEIGHT_PT);
    for (unsigned i = 0; i < sheet->stamps; i++) {
        stamp_draw(&sheet->stamp[i], cr);
        double share = chance_real(chance, 0.05, 0.35);
        if (sheet->covered[i])
            stamp_cover(&sheet->stamp[i], chance, share, cr);
    }
}

static PIX *surface_pix(cairo_surface_t *surface)
{
    cairo_surface_flush(surface);
    int width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    PIX *pix = pixCreate(width, height, 32);
    for (int y = 0; pix && y < height; y++) {
        const uint32_t *from =
            (const uint32_t *)(const void *)(data + (size_t)y * (size_t)cairo_image_surface_get_stride(surface));
        for (int x = 0; x < width; x++)
            pixGetData(pix)[(size_t)y * (size_t)pixGetWpl(pix) + (size_t)x] = from[x] << 8;
    }
    if (!pix)
        abort();
    return pix;
}

static void pix_replace(PIX **pix, PIX *by)
{
    if (!by)
        abort();
    pixDestroy(pix);
    *pix = by;
}

/* What JPEG makes of it. */
static void pix_press(struct chance *chance, PIX **pix)
{
    l_uint8 *data = NULL;
    size_t bytes = 0;
    if (pixWriteMemJpeg(&data, &bytes, *pix, chance_between(chance, 35, 90), 0))
        abort();
    pix_replace(pix, pixReadMemJpeg(data, bytes, 0, 1, NULL, 0));
    lept_free(data);
}

static PIX *sheet_draw(struct sheet *sheet)
{
    struct chance *chance = &sheet->chance;
    struct organ organ;
    struct print *print = print_drawn(chance, 2, FOLDED_PARAGRAPHS, &organ);
    double scale = sheet->dpi / 72.0;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lrint(PRINT_WIDTH_PT * scale),
                                                          (int)lrint(PRINT_HEIGHT_PT * scale));
    cairo_t *cr = cairo_create(surface);
    struct damage damage;
    double strength = damage_strength(chance, DAMAGE_MIXED);
    damage_draw(chance, strength, &damage);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    print_draw(print, 0, cr);
    sheet_ink(sheet, chance, print, &organ, cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    damage_wear(&damage, cr);
    cairo_destroy(cr);
    PIX *pix = surface_pix(surface);
    cairo_surface_destroy(surface);
    print_destroy(&print);
    if (sheet->scan != SHEET_COLOUR)
        pix_replace(&pix, pixConvertRGBToGray(pix, 0.3F, 0.59F, 0.11F));
    damage_scan(&damage, &pix, NULL);
    sheet->skew_deg = damage.skew_deg;
    return pix;
}

/* What the scanner's file keeps of it. */
static void sheet_press(struct sheet *sheet, PIX **pix)
{
    struct chance *chance = &sheet->chance;
    if (sheet->scan == SHEET_BILEVEL)
        pix_replace(pix, pixThresholdToBinary(*pix, chance_between(chance, 140, 190)));
    else if (chance_percent(chance, PRESSED_PERCENT))
        pix_press(chance, pix);
}

struct raster *sheet_raster(PIX *pix, uint32_t dpi)
{
    uint32_t width = (uint32_t)pixGetWidth(pix), height = (uint32_t)pixGetHeight(pix);
    int depth = pixGetDepth(pix);
    struct raster *raster = raster_new(width, height, depth == 32 ? 3 : depth == 8 ? 1 : 0);
    if (!raster)
        abort();
    raster->dpi = dpi;
    for (uint32_t y = 0; y < height; y++) {
        const l_uint32 *line = pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix);
        uint8_t *row = raster->data + y * raster->stride_bytes;
        for (uint32_t x = 0; x < width; x++)
            if (depth == 32)
                for (int c = 0; c < 3; c++)
                    row[3 * x + (uint32_t)c] = (uint8_t)(line[x] >> (24 - 8 * c));
            else if (depth == 8)
                row[x] = GET_DATA_BYTE(line, x);
            else
                row[x / 8] = (uint8_t)(row[x / 8] | (GET_DATA_BIT(line, x) ? 0x80 >> x % 8 : 0));
    }
    return raster;
}

void sheet_planes(PIX *pix, uint32_t dpi, struct planes *ret_planes)
{
    AUTO(look_clear) struct look look = {0};
    AUTO(raster_destroy) struct raster *raster = sheet_raster(pix, dpi);
    struct err err;
    if (look_see(raster, &look, &err) || !planes_new(&look, planes_look_px_mm(&look), ret_planes))
        abort();
}

void sheet_place(const struct sheet *sheet, const struct stamp *stamp, const struct planes *planes, double *ret_x,
                 double *ret_y)
{
    double px_pt = planes->width_px / PRINT_WIDTH_PT, turn = sheet->skew_deg * M_PI / 180;
    double x = stamp->x * px_pt - planes->width_px / 2.0, y = stamp->y * px_pt - planes->height_px / 2.0;
    *ret_x = x * cos(turn) - y * sin(turn) + planes->width_px / 2.0;
    *ret_y = x * sin(turn) + y * cos(turn) + planes->height_px / 2.0;
}

/* Where a stamp's letters lie in the planes, as cover: 0 to 255. */
static cairo_surface_t *letters_new(const struct sheet *sheet, const struct stamp *stamp, const struct planes *planes)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_A8, (int)planes->width_px, (int)planes->height_px);
    cairo_t *cr = cairo_create(surface);
    double px_pt = planes->width_px / PRINT_WIDTH_PT, x, y;
    struct stamp placed = *stamp;
    sheet_place(sheet, stamp, planes, &x, &y);
    placed.x = x / px_pt;
    placed.y = y / px_pt;
    placed.turn_deg += sheet->skew_deg;
    cairo_scale(cr, px_pt, px_pt);
    stamp_letters(&placed, cr);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    return surface;
}

struct box {
    uint32_t left, top, right, bottom; /* right and bottom outside */
};

static struct box letters_box(cairo_surface_t *letters)
{
    uint32_t width = (uint32_t)cairo_image_surface_get_width(letters);
    uint32_t height = (uint32_t)cairo_image_surface_get_height(letters);
    const unsigned char *cover = cairo_image_surface_get_data(letters);
    size_t stride = (size_t)cairo_image_surface_get_stride(letters);
    struct box box = {width, height, 0, 0};
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++)
            if (cover[y * stride + x]) {
                box.left = x < box.left ? x : box.left;
                box.right = x >= box.right ? x + 1 : box.right;
                box.top = y < box.top ? y : box.top;
                box.bottom = y + 1;
            }
    return box;
}

/* How alike the letters are to what is seen where they should be, moved by so much: a correlation. */
static double letters_alike(cairo_surface_t *letters, const struct box *box, const struct planes *planes, int plane,
                            int by_x, int by_y)
{
    const unsigned char *cover = cairo_image_surface_get_data(letters);
    size_t stride = (size_t)cairo_image_surface_get_stride(letters);
    double n = 0, sum_a = 0, sum_b = 0, sum_aa = 0, sum_bb = 0, sum_ab = 0;
    for (uint32_t y = box->top; y < box->bottom; y++)
        for (uint32_t x = box->left; x < box->right; x++) {
            int64_t seen_x = (int64_t)x + by_x, seen_y = (int64_t)y + by_y;
            if (seen_x < 0 || seen_y < 0 || seen_x >= planes->width_px || seen_y >= planes->height_px)
                continue;
            double a = cover[y * stride + x];
            double b = planes->density[PLANE_NR * ((size_t)seen_y * planes->width_px + (size_t)seen_x) + (size_t)plane];
            n++;
            sum_a += a;
            sum_b += b;
            sum_aa += a * a;
            sum_bb += b * b;
            sum_ab += a * b;
        }
    double spread = (n * sum_aa - sum_a * sum_a) * (n * sum_bb - sum_b * sum_b);
    return spread > 0 ? (n * sum_ab - sum_a * sum_b) / sqrt(spread) : 0;
}

static double stamp_shown(const struct sheet *sheet, const struct stamp *stamp, const struct planes *planes)
{
    cairo_surface_t *letters = letters_new(sheet, stamp, planes);
    struct box box = letters_box(letters);
    double most = 0;
    for (int plane = 0; plane < PLANE_NR; plane++)
        for (int y = -LETTERS_OFF; y <= LETTERS_OFF; y++)
            for (int x = -LETTERS_OFF; x <= LETTERS_OFF; x++)
                most = fmax(most, letters_alike(letters, &box, planes, plane, x, y));
    cairo_surface_destroy(letters);
    return most;
}

PIX *sheet_scan(struct sheet *sheet)
{
    AUTO(planes_clear) struct planes planes = {0};
    PIX *pix = sheet_draw(sheet);
    sheet_press(sheet, &pix);
    if (!sheet->stamps)
        return pix;
    sheet_planes(pix, sheet->dpi, &planes);
    for (unsigned i = 0; i < sheet->stamps; i++)
        sheet->shown[i] = stamp_shown(sheet, &sheet->stamp[i], &planes);
    return pix;
}

void sheet_turn(struct sheet *sheet, PIX **pix)
{
    if (chance_percent(&sheet->chance, TURN_PERCENT))
        pix_replace(pix, pixRotateOrth(*pix, chance_between(&sheet->chance, 1, 3)));
}
