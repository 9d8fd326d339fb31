/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Ink is what is darker than paper, and no place has more of it than dense print: a punched hole or a dark edge moves little. The box follows
 * from where the middle of the ink lies, not from its ends; it is cut into cells, and of the cells' ink only what changes slowly over the
 * page counts. Integers throughout: the same picture gives the same bits everywhere. */
#include "worker/likeness.h"

#include <stdlib.h>

enum {
    GRID = 128,           /* places a side of the picture */
    PLACE_MOST = 60 * 16, /* ink of a place, of 255 * 16 */
    CELLS = 32,           /* a side of the box */
    WAVES = 8,            /* a side, without the mean */
    INK_LEAST = 96,       /* of 255: fainter is paper */
    INK_PARTS = 50000,    /* there is ink at all if it fills one part of so many of the picture */
    OUTER_PERCENT = 6,    /* of the ink lie beyond each end of the middle ... */
    MARGIN_PERCENT = 7,   /* ... to which so much of its length is added on both sides */
    ONE = 256,            /* a place's side */
    WAVE_SHIFT = 6,       /* of the sums of rows: what comes of them fits */
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

struct grid {
    int32_t ink[GRID][GRID]; /* by row */
    int64_t all;
};

static int32_t place_ink(const struct raster *raster, uint32_t x, uint32_t y)
{
    uint64_t width = raster->width_px, height = raster->height_px, ink = 0;
    uint32_t left = (uint32_t)(width * x / GRID), right = (uint32_t)(width * (x + 1) / GRID);
    uint32_t top = (uint32_t)(height * y / GRID), bottom = (uint32_t)(height * (y + 1) / GRID);
    uint64_t area = (uint64_t)(right - left) * (bottom - top);
    for (uint32_t v = top; v < bottom; v++)
        for (uint32_t u = left; u < right; u++)
            ink += ink_at(raster, raster->data + v * raster->stride_bytes, u);
    ink = area ? ink * 16 / area : 0;
    return ink < PLACE_MOST ? (int32_t)ink : PLACE_MOST;
}

static void grid_fill(const struct raster *raster, struct grid *grid)
{
    grid->all = 0;
    for (uint32_t y = 0; y < GRID; y++)
        for (uint32_t x = 0; x < GRID; x++)
            grid->all += grid->ink[y][x] = place_ink(raster, x, y);
}

struct span {
    int32_t from, end; /* in parts of ONE; it may reach beyond the picture */
};

/* Where so much of a side's ink has been passed. */
static int32_t span_end(const int64_t ink[GRID], int64_t part, bool backwards)
{
    int64_t seen = 0;
    int32_t i = 0;
    for (; i < GRID - 1 && seen + ink[backwards ? GRID - 1 - i : i] < part; i++)
        seen += ink[backwards ? GRID - 1 - i : i];
    int64_t here = ink[backwards ? GRID - 1 - i : i];
    int32_t at = i * ONE + (int32_t)(here ? (part - seen) * ONE / here : 0);
    return backwards ? GRID * ONE - at : at;
}

static struct span span_of(const int64_t ink[GRID], int64_t all)
{
    int64_t part = all * OUTER_PERCENT / 100;
    struct span span = {span_end(ink, part, false), span_end(ink, part, true)};
    if (span.end <= span.from) /* all of it lies in one place */
        span.end = span.from + 1;
    int32_t margin = (span.end - span.from) * MARGIN_PERCENT / 100;
    return (struct span){span.from - margin, span.end + margin};
}

static int32_t cell_edge(struct span span, int32_t cell)
{
    return span.from + (span.end - span.from) * cell / CELLS;
}

/* How much of the place lies between, in parts of ONE. */
static int32_t part_of(int32_t place, int32_t from, int32_t end)
{
    int32_t low = place * ONE > from ? place * ONE : from, high = (place + 1) * ONE < end ? (place + 1) * ONE : end;
    return high > low ? high - low : 0;
}

static int32_t place_first(int32_t from)
{
    return from > 0 ? from / ONE : 0;
}

static int32_t cell_ink(const struct grid *grid, struct span across, struct span down, int32_t x, int32_t y)
{
    int32_t left = cell_edge(across, x), right = cell_edge(across, x + 1);
    int32_t top = cell_edge(down, y), bottom = cell_edge(down, y + 1);
    int64_t ink = 0, area = (int64_t)(right - left) * (bottom - top);
    for (int32_t v = place_first(top); v < GRID && v * ONE < bottom; v++)
        for (int32_t u = place_first(left); u < GRID && u * ONE < right; u++)
            ink += (int64_t)grid->ink[v][u] * part_of(u, left, right) * part_of(v, top, bottom);
    return area ? (int32_t)(ink / area) : 0;
}

/* The sign of the wave that turns u times half across and v times half down. */
static bool wave_sign(int32_t cell[CELLS][CELLS], uint32_t u, uint32_t v)
{
    int64_t sum = 0;
    for (uint32_t y = 0; y < CELLS; y++) {
        int64_t row = 0;
        for (uint32_t x = 0; x < CELLS; x++)
            row += (int64_t)cell[y][x] * cosine_at((2 * x + 1) * u);
        sum += (row >> WAVE_SHIFT) * cosine_at((2 * y + 1) * v);
    }
    return sum > 0;
}

static uint64_t waves_of(const struct grid *grid, struct span across, struct span down)
{
    int32_t cell[CELLS][CELLS];
    uint64_t hash = 0;
    for (int32_t y = 0; y < CELLS; y++)
        for (int32_t x = 0; x < CELLS; x++)
            cell[y][x] = cell_ink(grid, across, down, x, y);
    for (uint32_t v = 0; v < WAVES; v++)
        for (uint32_t u = 0; u < WAVES; u++) /* in the place of the mean, which has no sign, one wave more */
            hash |= (uint64_t)wave_sign(cell, u || v ? u : WAVES, v) << (v * WAVES + u);
    return hash;
}

bool likeness_of(const struct raster *raster, uint64_t *hash)
{
    struct grid grid;
    int64_t column[GRID] = {0}, row[GRID] = {0};
    grid_fill(raster, &grid);
    if (grid.all * INK_PARTS < (int64_t)GRID * GRID * 255 * 16)
        return false;
    for (uint32_t y = 0; y < GRID; y++)
        for (uint32_t x = 0; x < GRID; x++) {
            column[x] += grid.ink[y][x];
            row[y] += grid.ink[y][x];
        }
    *hash = waves_of(&grid, span_of(column, grid.all), span_of(row, grid.all));
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
