/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Measures a few pieces of ink: scaled to one size, then edges by place and direction, ink by place, and how large all is
 * beside the rest. */
#include "worker/glyph.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    GLYPH_CELL = 256,       /* a pixel full of ink */
    GLYPH_TENT_HALVES = 13, /* how far a point of the grid looks, half pixels */
    GLYPH_PAD_PX = 1,       /* paper around what is scaled, so that its edges have both sides */
    GLYPH_DIAGONAL = 181,   /* 128 times the root of 2 */
    GLYPH_EDGE_SHIFT = 2,
    GLYPH_FULL = 255,
    GLYPH_EVEN = 96, /* a size as large as the writing's height */
};

struct scaled {
    int32_t cell[GLYPH_SIDE_PX + 2 * GLYPH_PAD_PX][GLYPH_SIDE_PX + 2 * GLYPH_PAD_PX]; /* 0 to GLYPH_CELL */
};

static uint32_t root(uint32_t value)
{
    uint32_t result = 0;
    for (uint32_t bit = 1u << 15; bit; bit >>= 1)
        if ((result + bit) * (result + bit) <= value)
            result += bit;
    return result;
}

static struct part pieces_bounds(const struct strokes *strokes, unsigned first, unsigned count)
{
    struct part all = strokes->piece[first].at;
    for (unsigned i = first + 1; i < first + count; i++) {
        const struct part *at = &strokes->piece[i].at;
        all.left = at->left < all.left ? at->left : all.left;
        all.top = at->top < all.top ? at->top : all.top;
        all.right = at->right > all.right ? at->right : all.right;
        all.bottom = at->bottom > all.bottom ? at->bottom : all.bottom;
        all.ink += at->ink;
    }
    return all;
}

/* The shorter side becomes as long as the root of its share of the longer: thin digits stay thin, but not a line. */
static int32_t side_scaled(int32_t side, int32_t other)
{
    if (side >= other)
        return GLYPH_SIDE_PX;
    uint32_t scaled = root((uint32_t)((int64_t)GLYPH_SIDE_PX * GLYPH_SIDE_PX * side / other));
    return scaled ? (int32_t)scaled : 1;
}

/* Spreads a pixel's ink, which covers [from, to) both ways in 1/16 cells, over the cells that it lies on. */
static void cells_add(struct scaled *scaled, int32_t from_x, int32_t to_x, int32_t from_y, int32_t to_y)
{
    for (int32_t y = from_y / 16; 16 * y < to_y; y++) {
        int32_t high = (to_y < 16 * y + 16 ? to_y : 16 * y + 16) - (from_y > 16 * y ? from_y : 16 * y);
        for (int32_t x = from_x / 16; 16 * x < to_x; x++) {
            int32_t wide = (to_x < 16 * x + 16 ? to_x : 16 * x + 16) - (from_x > 16 * x ? from_x : 16 * x);
            scaled->cell[y + GLYPH_PAD_PX][x + GLYPH_PAD_PX] += high * wide;
        }
    }
}

static void pieces_scale(const struct strokes *strokes, unsigned first, unsigned count, const struct part *bounds,
                         struct scaled *scaled)
{
    int32_t w = bounds->right - bounds->left, h = bounds->bottom - bounds->top;
    int32_t to_w = 16 * side_scaled(w, h), to_h = 16 * side_scaled(h, w);
    int32_t at_x = (16 * GLYPH_SIDE_PX - to_w) / 2, at_y = (16 * GLYPH_SIDE_PX - to_h) / 2;
    memset(scaled, 0, sizeof *scaled);
    for (int32_t y = 0; y < h; y++)
        for (int32_t x = 0; x < w; x++) {
            uint16_t label = strokes->label[(bounds->top + y) * strokes->width + bounds->left + x];
            if (label > first && label <= first + count)
                cells_add(scaled, at_x + x * to_w / w, at_x + (x + 1) * to_w / w, at_y + y * to_h / h,
                          at_y + (y + 1) * to_h / h);
        }
}

/* Splits a gradient into the two of the eight directions that it lies between. */
static void gradient_split(int32_t gx, int32_t gy, unsigned way[2], int32_t part[2])
{
    int32_t ax = abs(gx), ay = abs(gy), large = ax > ay ? ax : ay, small = ax > ay ? ay : ax;
    unsigned straight = ax > ay ? (gx > 0 ? 0 : 4) : (gy > 0 ? 2 : 6);
    unsigned diagonal = gx > 0 ? (gy > 0 ? 1 : 7) : (gy > 0 ? 3 : 5);
    way[0] = straight;
    part[0] = large - small;
    way[1] = diagonal;
    part[1] = small * GLYPH_DIAGONAL / 128;
}

/* How much point i of the grid sees of pixel x. */
static uint32_t tent(int i, int x)
{
    int centre = (2 * i + 1) * GLYPH_SIDE_PX / GLYPH_GRID, far = abs(2 * x + 1 - centre);
    return far < GLYPH_TENT_HALVES ? (uint32_t)(GLYPH_TENT_HALVES - far) / 2 : 0;
}

static void edges_measure(const struct scaled *scaled, uint8_t *feature)
{
    uint32_t sum[GLYPH_WAYS][GLYPH_GRID][GLYPH_GRID] = {{{0}}};
    uint32_t sees[GLYPH_GRID][GLYPH_SIDE_PX];
    for (int i = 0; i < GLYPH_GRID; i++)
        for (int x = 0; x < GLYPH_SIDE_PX; x++)
            sees[i][x] = tent(i, x);
    for (int y = 0; y < GLYPH_SIDE_PX; y++)
        for (int x = 0; x < GLYPH_SIDE_PX; x++) {
            const int32_t(*c)[GLYPH_SIDE_PX + 2 * GLYPH_PAD_PX] = &scaled->cell[y];
            int32_t gx = c[0][x + 2] + 2 * c[1][x + 2] + c[2][x + 2] - c[0][x] - 2 * c[1][x] - c[2][x];
            int32_t gy = c[2][x] + 2 * c[2][x + 1] + c[2][x + 2] - c[0][x] - 2 * c[0][x + 1] - c[0][x + 2];
            if (!gx && !gy)
                continue;
            unsigned way[2];
            int32_t part[2];
            gradient_split(gx, gy, way, part);
            for (int row = 0; row < GLYPH_GRID; row++)
                for (int col = 0; sees[row][y] && col < GLYPH_GRID; col++)
                    for (int k = 0; sees[col][x] && k < 2; k++)
                        sum[way[k]][row][col] += sees[row][y] * sees[col][x] * (uint32_t)part[k];
        }
    for (int way = 0; way < GLYPH_WAYS; way++)
        for (int at = 0; at < GLYPH_GRID * GLYPH_GRID; at++) {
            uint32_t value = root(sum[way][at / GLYPH_GRID][at % GLYPH_GRID] >> GLYPH_EDGE_SHIFT);
            *feature++ = (uint8_t)(value < GLYPH_FULL ? value : GLYPH_FULL);
        }
}

static void ink_measure(const struct scaled *scaled, uint8_t *feature)
{
    enum { SIDE = GLYPH_SIDE_PX / GLYPH_BLOCKS };
    for (int at = 0; at < GLYPH_BLOCKS * GLYPH_BLOCKS; at++) {
        int32_t sum = 0;
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                sum += scaled->cell[GLYPH_PAD_PX + at / GLYPH_BLOCKS * SIDE + y]
                                   [GLYPH_PAD_PX + at % GLYPH_BLOCKS * SIDE + x];
        sum /= SIDE * SIDE;
        *feature++ = (uint8_t)(sum < GLYPH_FULL ? sum : GLYPH_FULL);
    }
}

static uint8_t size_of(int32_t px, int32_t tall)
{
    int32_t size = tall ? GLYPH_EVEN * px / tall : 0;
    return (uint8_t)(size < 0 ? 0 : size > GLYPH_FULL ? GLYPH_FULL : size);
}

void glyph_measure(const struct strokes *strokes, unsigned first, unsigned count, uint8_t feature[GLYPH_FEATURES])
{
    struct part bounds = pieces_bounds(strokes, first, count);
    struct scaled scaled;
    pieces_scale(strokes, first, count, &bounds, &scaled);
    edges_measure(&scaled, feature);
    feature += GLYPH_WAYS * GLYPH_GRID * GLYPH_GRID;
    ink_measure(&scaled, feature);
    feature += GLYPH_BLOCKS * GLYPH_BLOCKS;
    feature[0] = size_of(bounds.bottom - bounds.top, strokes->tall);
    feature[1] = size_of(bounds.right - bounds.left, strokes->tall);
    feature[2] = size_of(bounds.right - bounds.left, bounds.bottom - bounds.top);
    feature[3] = size_of((int32_t)bounds.ink / (bounds.bottom - bounds.top), strokes->tall);
}
