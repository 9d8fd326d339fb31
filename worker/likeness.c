/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Ink is what is darker than paper. The box leaves out the outermost thousandths of it, so that a speck or a dark edge moves nothing; it is
 * cut into cells, and of the cells' ink only what changes slowly over the page counts. Integers throughout: the same
 * picture gives the same bits everywhere. */
#include "worker/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

enum {
    CELLS = 32,         /* a side */
    WAVES = 8,          /* a side, without the mean */
    INK_LEAST = 96,     /* of 255: fainter is paper */
    INK_PARTS = 50000,  /* there is ink at all if it fills one part of so many of the picture */
    OUTER_PARTS = 250,  /* of the ink lie outside the box, on each side */
    CELL_ONE = 1 << 12, /* a cell that is all ink */
};

/* cos(pi k / 64) * 2^14, k from 0 to 32. */
static const int32_t cosine[CELLS + 1] = {16384, 16364, 16305, 16207, 16069, 15893, 15679, 15426, 15137, 14811, 14449,
                                          14053, 13623, 13160, 12665, 12140, 11585, 11003, 10394, 9760,  9102,  8423,
                                          7723,  7005,  6270,  5520,  4756,  3981,  3196,  2404,  1606,  804,   0};

static int32_t cosine_at(unsigned k)
{
    k %= 4 * CELLS;
    if (k > 2 * CELLS)
        k = 4 * CELLS - k;
    return k > CELLS ? -cosine[2 * CELLS - k] : cosine[k];
}

static uint32_t ink_at(const struct raster *raster, const uint8_t *row, uint32_t x)
{
    if (!raster->channels)
        return row[x / 8] & 0x80u >> x % 8 ? 255 : 0;
    uint32_t ink = 255u - row[x];
    return ink < INK_LEAST ? 0 : ink;
}

struct span {
    uint32_t from, end;
};

/* Where the ink of a side is, but for its outermost parts. */
static struct span span_of(const uint64_t *ink, uint32_t count, uint64_t all)
{
    struct span span = {0, count};
    uint64_t left = all / OUTER_PARTS, seen = 0;
    while (span.from < count && seen + ink[span.from] <= left)
        seen += ink[span.from++];
    for (seen = 0; span.end > span.from && seen + ink[span.end - 1] <= left; span.end--)
        seen += ink[span.end - 1];
    return span;
}

static uint32_t cell_edge(struct span span, uint32_t cell)
{
    return span.from + (uint32_t)((uint64_t)(span.end - span.from) * cell / CELLS);
}

static int32_t cell_ink(const struct raster *raster, struct span across, struct span down, uint32_t x, uint32_t y)
{
    uint32_t left = cell_edge(across, x), right = cell_edge(across, x + 1);
    uint32_t top = cell_edge(down, y), bottom = cell_edge(down, y + 1);
    uint64_t ink = 0, area = (uint64_t)(right - left) * (bottom - top);
    for (uint32_t v = top; v < bottom; v++)
        for (uint32_t u = left; u < right; u++)
            ink += ink_at(raster, raster->data + v * raster->stride_bytes, u);
    return area ? (int32_t)(ink * CELL_ONE / (255 * area)) : 0;
}

/* The sign of the wave that turns u times half across and v times half down. */
static bool wave_sign(int32_t cell[CELLS][CELLS], uint32_t u, uint32_t v)
{
    int64_t sum = 0;
    for (uint32_t y = 0; y < CELLS; y++) {
        int64_t row = 0;
        for (uint32_t x = 0; x < CELLS; x++)
            row += (int64_t)cell[y][x] * cosine_at((2 * x + 1) * u);
        sum += row / 64 * cosine_at((2 * y + 1) * v);
    }
    return sum > 0;
}

static uint64_t waves_of(const struct raster *raster, struct span across, struct span down)
{
    int32_t cell[CELLS][CELLS];
    uint64_t hash = 0;
    for (uint32_t y = 0; y < CELLS; y++)
        for (uint32_t x = 0; x < CELLS; x++)
            cell[y][x] = cell_ink(raster, across, down, x, y);
    for (uint32_t v = 0; v < WAVES; v++)
        for (uint32_t u = 0; u < WAVES; u++) /* in the place of the mean, which has no sign, one wave more */
            hash |= (uint64_t)wave_sign(cell, u || v ? u : WAVES, v) << (v * WAVES + u);
    return hash;
}

bool likeness_of(const struct raster *raster, uint64_t *hash)
{
    AUTO(mem_destroy) uint64_t *column = calloc((size_t)raster->width_px + 1, sizeof *column);
    AUTO(mem_destroy) uint64_t *row = calloc((size_t)raster->height_px + 1, sizeof *row);
    uint64_t all = 0;
    if (!column || !row)
        abort();
    for (uint32_t y = 0; y < raster->height_px; y++) {
        for (uint32_t x = 0; x < raster->width_px; x++) {
            uint32_t ink = ink_at(raster, raster->data + y * raster->stride_bytes, x);
            column[x] += ink;
            row[y] += ink;
        }
        all += row[y];
    }
    if (all < (uint64_t)raster->width_px * raster->height_px * 255 / INK_PARTS + 1)
        return false;
    *hash = waves_of(raster, span_of(column, raster->width_px, all), span_of(row, raster->height_px, all));
    return true;
}

void likeness_set(const struct raster *raster, Sohoa__Page *page)
{
    uint64_t hash;
    if (page->kind == SOHOA__PAGE_KIND__PAGE_BLANK || !likeness_of(raster, &hash))
        return;
    free(page->picture_hash.data);
    page->picture_hash.data = malloc(LIKENESS_BYTES);
    if (!page->picture_hash.data)
        abort();
    page->picture_hash.len = LIKENESS_BYTES;
    for (unsigned i = 0; i < LIKENESS_BYTES; i++)
        page->picture_hash.data[i] = (uint8_t)(hash >> 8 * i);
}
