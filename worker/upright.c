/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The recogniser's own guess comes first, but it is believed only when some lines read well that way: it needs many
 * letters, and seals and skew lead it astray. */
#include "worker/upright.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/clean.h"

enum {
    UPRIGHT_SURE_CPCT = 7500,  /* what reads so well is upright */
    UPRIGHT_LEAST_CPCT = 4000, /* what reads worse in every direction stays as it is */
    UPRIGHT_MARGIN_CPCT = 800, /* a turned picture must read better by so much */
    UPRIGHT_FEW_BYTES = 3,     /* added to the text read: a single letter, however sure, says little */
    UPRIGHT_BAND_PARTS = 8,    /* the part that is read: one of so many, from top to bottom */
    UPRIGHT_BAND_LEAST_PX = 400,
    UPRIGHT_DARK = 128,
    UPRIGHT_WAYS = 4,
};

static uint32_t row_dark(const struct raster *raster, uint32_t y)
{
    const uint8_t *row = raster->data + y * raster->stride_bytes;
    uint32_t dark = 0;
    for (uint32_t x = 0; x < raster->width_px; x++)
        dark += raster->channels ? row[x] < UPRIGHT_DARK : row[x / 8] >> (7 - x % 8) & 1;
    return dark;
}

/* The top of the darkest band of that height. */
static uint32_t band_top(const struct raster *raster, uint32_t height_px)
{
    uint32_t step = height_px / 4 + 1, best = 0;
    uint64_t most = 0;
    for (uint32_t top = 0; top + height_px <= raster->height_px; top += step) {
        uint64_t dark = 0;
        for (uint32_t y = top; y < top + height_px; y += 2)
            dark += row_dark(raster, y);
        if (dark > most) {
            most = dark;
            best = top;
        }
    }
    return best;
}

/* The recogniser also reads lines that run upwards or downwards, but those say that the picture lies. */
static bool line_is_level(const Sohoa__Line *line)
{
    return abs(line->x1 - line->x0) > abs(line->y1 - line->y0);
}

/* How surely the picture's level lines read, 0 to 10000. */
static uint32_t page_score(const Sohoa__Page *page)
{
    uint64_t bytes = 0, sum = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            for (size_t w = 0; w < line->n_words; w++) {
                size_t size = strlen(line->words[w]->text);
                bytes += size;
                sum += line_is_level(line) ? size * line->words[w]->confidence_cpct : 0;
            }
        }
    return (uint32_t)(sum / (bytes + UPRIGHT_FEW_BYTES));
}

static int band_read(struct reader *reader, const struct raster *band, uint32_t *ret_score, struct err *err)
{
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    page->width_px = band->width_px;
    page->height_px = band->height_px;
    int rc = read_page(reader, band, page, err);
    if (!rc)
        *ret_score = page_score(page);
    return rc;
}

static int way_try(struct reader *reader, const struct raster *raster, uint32_t turn_deg, uint32_t *ret_score,
                   struct err *err)
{
    AUTO(raster_destroy) struct raster *turned = raster_rows(raster, 0, raster->height_px);
    if (!turned)
        return err_set(err, E_MEMORY, "no memory to turn a picture of %u x %u", raster->width_px, raster->height_px);
    int rc = clean_turn(&turned, turn_deg, err);
    if (rc)
        return rc;
    uint32_t height_px = turned->height_px / UPRIGHT_BAND_PARTS;
    height_px = height_px > UPRIGHT_BAND_LEAST_PX ? height_px : UPRIGHT_BAND_LEAST_PX;
    height_px = height_px < turned->height_px ? height_px : turned->height_px;
    AUTO(raster_destroy) struct raster *band = raster_rows(turned, band_top(turned, height_px), height_px);
    if (!band)
        return err_set(err, E_MEMORY, "no memory for a part of a picture of %u x %u", raster->width_px,
                       raster->height_px);
    return band_read(reader, band, ret_score, err);
}

int upright_find(struct reader *reader, const struct raster *raster, bool lying, uint32_t *ret_turn_deg,
                 struct err *err)
{
    uint32_t first = 0, best = 0, best_deg = 0;
    int rc = read_orientation(reader, raster, &first, err);
    if (!first && lying)
        first = 90;
    const uint32_t way[UPRIGHT_WAYS] = {first, (first + 180) % 360, (first + 90) % 360, (first + 270) % 360};
    for (int i = 0; !rc && i < UPRIGHT_WAYS && best < UPRIGHT_SURE_CPCT; i++) {
        uint32_t score = 0;
        rc = way_try(reader, raster, way[i], &score, err);
        if (way[i] == 0)
            score += score ? UPRIGHT_MARGIN_CPCT : 0;
        if (score > best) {
            best = score;
            best_deg = way[i];
        }
    }
    if (!rc)
        *ret_turn_deg = best < UPRIGHT_LEAST_CPCT ? 0 : best_deg;
    return rc;
}
