/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bench/sheet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/damage.h"
#include "bench/dossier.h"
#include "bench/ink.h"
#include "bench/print.h"

enum {
    TURN_PERCENT = 8, /* of the pages lie */
    PRESSED_PERCENT = 70,
    COVERED_PERCENT = 40,
    SEALED_PERCENT = 50,
    FOLDED_PARAGRAPHS = 6,
    PLACES_TRIED = 40,
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
    sheet->decoys = chance_percent(chance, 30);
    for (int tried = 0; tried < PLACES_TRIED && sheet->stamps < SHEET_STAMPS_MOST; tried++) {
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

static struct print *letter_print(struct chance *chance, struct organ *organ)
{
    struct print *print = NULL;
    struct letter *letter = NULL;
    struct err err;
    struct dossier dossier;
    dossier_open(&dossier, chance, (1u << ORGAN_KIND_NR) - 1, 1);
    *organ = dossier.organ;
    struct letter_plan plan = {.year = dossier.year,
                               .paragraphs = (unsigned)chance_between(chance, 2, FOLDED_PARAGRAPHS)};
    letter_new(chance, organ, &plan, &letter);
    if (print_new(letter, &print, &err)) {
        fprintf(stderr, "sheet: %s\n", err.text);
        exit(EXIT_FAILURE);
    }
    letter_destroy(&letter);
    return print;
}

static void sheet_seal(const struct print *print, struct chance *chance, const struct organ *organ, cairo_t *cr)
{
    const struct print_spot *spot;
    size_t count = print_spots(print, 0, &spot);
    for (size_t i = 0; i < count; i++)
        if (spot[i].kind == SPOT_SIGNATURE)
            ink_seal(cr, chance, organ, &spot[i]);
        else if (spot[i].kind == SPOT_STAMP && chance_percent(chance, 25))
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
        sheet_seal(print, chance, organ, cr);
    if (sheet->decoys)
        stamp_decoys(chance, cr);
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

PIX *sheet_draw(struct sheet *sheet)
{
    struct chance *chance = &sheet->chance;
    struct organ organ;
    struct print *print = letter_print(chance, &organ);
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

void sheet_finish(struct sheet *sheet, bool turned, PIX **pix)
{
    struct chance *chance = &sheet->chance;
    if (turned && chance_percent(chance, TURN_PERCENT))
        pix_replace(pix, pixRotateOrth(*pix, chance_between(chance, 1, 3)));
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
