/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A row of pixels through a line of text crosses many short strokes; through a ruled line, a signature or an edge it
 * crosses few or long ones. Words that were read are painted over first. Photographs cross many, too, but without the white
 * between lines: what is too high for a line is left alone. */
#include "worker/lost.h"

#include <string.h>

#include "proto/auto.h"
#include "worker/token.h"

enum {
    LOST_DARK = 128,
    LOST_STROKES = 10,         /* in a row: a short title's */
    LOST_STROKE_UM = 5000,     /* longer ones are no letters' */
    LOST_LINE_LEAST_UM = 1300, /* of such rows: small letters are as high */
    LOST_LINE_MOST_UM = 14000, /* two lines that a frame holds together */
    LOST_JOIN_UM = 6000,       /* lines so near are one zone */
    LOST_AROUND_UM = 2500,     /* accents and tails */
    LOST_ZONE_PARTS = 4,       /* zones higher than one part of so many of the picture are no lines */
    LOST_SURE_CPCT = 6000,
    LOST_UNKNOWN_DPI = 300,
    UM_AN_INCH = 25400,
};

static uint32_t px_of(const struct raster *raster, uint32_t um)
{
    uint32_t dpi = raster->dpi ? raster->dpi : LOST_UNKNOWN_DPI;
    return (uint32_t)((uint64_t)um * dpi / UM_AN_INCH) + 1;
}

static bool is_dark(const struct raster *raster, const uint8_t *row, uint32_t x)
{
    return raster->channels ? row[x] < LOST_DARK : row[x / 8] >> (7 - x % 8) & 1;
}

/* ---- where ---- */

/* Whitens the part of the word's box that lies in the picture. */
static void word_paint(struct raster *raster, const Sohoa__Word *word)
{
    int64_t right = (int64_t)word->x + word->w, bottom = (int64_t)word->y + word->h;
    int64_t left = word->x < 0 ? 0 : word->x, top = word->y < 0 ? 0 : word->y;
    right = right > raster->width_px ? raster->width_px : right;
    bottom = bottom > raster->height_px ? raster->height_px : bottom;
    for (int64_t y = top; y < bottom && left < right; y++) {
        uint8_t *row = raster->data + (size_t)y * raster->stride_bytes;
        if (raster->channels)
            memset(row + left, 255, (size_t)(right - left));
        else
            for (int64_t x = left; x < right; x++)
                row[x / 8] = (uint8_t)(row[x / 8] & ~(0x80 >> (x & 7)));
    }
}

struct raster *lost_rest(const struct raster *raster, const Sohoa__Page *page)
{
    struct raster *rest = raster_rows(raster, 0, raster->height_px);
    if (!rest)
        return NULL;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < page->blocks[b]->lines[l]->n_words; w++)
                word_paint(rest, page->blocks[b]->lines[l]->words[w]);
    return rest;
}

static uint32_t row_strokes(const struct raster *rest, uint32_t y)
{
    const uint8_t *pixels = rest->data + y * rest->stride_bytes;
    uint32_t strokes = 0, length = 0, most = px_of(rest, LOST_STROKE_UM);
    for (uint32_t x = 0; x < rest->width_px; x++)
        if (is_dark(rest, pixels, x))
            length++;
        else {
            strokes += length && length < most;
            length = 0;
        }
    return strokes;
}

/* Takes the rows from top to bottom to the last zone, or to a new one. */
static size_t zone_add(const struct raster *raster, struct lost zones[LOST_ZONES], size_t count, uint32_t top,
                       uint32_t bottom)
{
    uint32_t height = bottom - top, around = px_of(raster, LOST_AROUND_UM);
    if (height < px_of(raster, LOST_LINE_LEAST_UM) || height > px_of(raster, LOST_LINE_MOST_UM))
        return count;
    struct lost zone = {top > around ? top - around : 0,
                        bottom + around < raster->height_px ? bottom + around : raster->height_px};
    if (count && zone.top_px < zones[count - 1].bottom_px + px_of(raster, LOST_JOIN_UM)) {
        zones[count - 1].bottom_px = zone.bottom_px;
        return count;
    }
    if (count < LOST_ZONES)
        zones[count++] = zone;
    return count;
}

size_t lost_find(const struct raster *rest, struct lost zones[LOST_ZONES])
{
    size_t count = 0, kept = 0;
    uint32_t top = 0, end = 0;
    for (uint32_t y = 0; y < rest->height_px; y++) {
        if (row_strokes(rest, y) >= LOST_STROKES) {
            top = end ? top : y;
            end = y + 1;
        } else if (end && y >= end + 2) {
            count = zone_add(rest, zones, count, top, end);
            end = 0;
        }
    }
    for (size_t i = 0; i < count; i++)
        if ((zones[i].bottom_px - zones[i].top_px) * LOST_ZONE_PARTS < rest->height_px)
            zones[kept++] = zones[i];
    return kept;
}

/* ---- what ---- */

static bool word_is_sure(const Sohoa__Word *word, const void *user)
{
    (void)user;
    return word->confidence_cpct >= LOST_SURE_CPCT && token_look(word->text) < TOKEN_IMPOSSIBLE;
}

static void block_move(Sohoa__Block *block, int32_t down_px)
{
    for (size_t l = 0; l < block->n_lines; l++) {
        Sohoa__Line *line = block->lines[l];
        line->y0 += down_px;
        line->y1 += down_px;
        for (size_t w = 0; w < line->n_words; w++)
            line->words[w]->y += down_px;
    }
}

static bool line_is_below(const Sohoa__Line *line, int64_t middle)
{
    return line->y + (int64_t)line->h / 2 > middle;
}

/* Where in blocks the zone belongs; a block that goes on below it is cut in two. */
static size_t page_place(Sohoa__Page *page, int64_t middle)
{
    for (size_t b = 0; b < page->n_blocks; b++) {
        Sohoa__Block *block = page->blocks[b];
        size_t above = 0;
        while (above < block->n_lines && !line_is_below(block->lines[above], middle))
            above++;
        if (above == block->n_lines)
            continue;
        if (!above)
            return b;
        Sohoa__Block *rest = page_add_block(page);
        for (size_t l = above; l < block->n_lines; l++)
            block_take_line(rest, block->lines[l]);
        block->n_lines = above;
        memmove(&page->blocks[b + 2], &page->blocks[b + 1], (page->n_blocks - b - 2) * sizeof *page->blocks);
        page->blocks[b + 1] = rest;
        return b + 1;
    }
    return page->n_blocks;
}

void lost_insert(Sohoa__Page *page, const struct lost *zone, Sohoa__Page *again)
{
    page_prune(again, word_is_sure, NULL);
    page_fit_bounds(page);
    size_t at = page_place(page, ((int64_t)zone->top_px + zone->bottom_px) / 2);
    for (size_t b = 0; b < again->n_blocks; b++, at++) {
        block_move(again->blocks[b], (int32_t)zone->top_px);
        page_take_block(page, again->blocks[b]);
        memmove(&page->blocks[at + 1], &page->blocks[at], (page->n_blocks - at - 1) * sizeof *page->blocks);
        page->blocks[at] = again->blocks[b];
    }
    again->n_blocks = 0;
    page_fit_bounds(page);
}
