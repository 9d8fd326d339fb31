/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Rather one cut too many than one too few: what belongs together is put together again by who reads the pieces. */
#include "worker/strokes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

enum {
    STROKES_PARTS = 256,      /* connected parts that are looked at */
    STROKES_SLANT_LEAST = -4, /* 1/16 px a px */
    STROKES_SLANT_MOST = 12,
    STROKES_SLANT_STEP = 2,
    STROKES_SPECK_PARTS = 5, /* of the height: what is smaller both ways is a speck or dot */
    STROKES_FLAT_PARTS = 5,  /* of the height: what is lower and at least ... */
    STROKES_LONG_TIMES = 2,  /* ... so many times as long is a line */
    STROKES_THIN_PARTS = 8,  /* of the height: a line is no thicker than this part of it */
    STROKES_CUT_LEAST = 9,   /* 1/16 of the height: narrower parts are not cut, ... */
    STROKES_CUT_MARGIN = 2,  /* ... nor nearer to their ends or an earlier cut than this, ... */
    STROKES_CUT_INK = 10,    /* ... nor where there is more ink in the column */
    STROKES_CUTS = 6,        /* of one part */
};

struct sketch {
    struct part part[STROKES_PARTS];
    unsigned count;
};

static bool sketch_mark(const struct gray *gray, struct strokes *strokes)
{
    int threshold = ink_threshold(gray);
    for (uint32_t y = 0; y < gray->height && threshold >= 0; y++)
        for (uint32_t x = 0; x < gray->width; x++)
            strokes->label[(size_t)y * gray->width + x] = gray->data[y * gray->stride + x] <= threshold;
    return threshold >= 0;
}

static int number_order(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return (one > other) - (one < other);
}

/* The height that half of the ink reaches or is above. */
static int32_t sketch_tall(const struct sketch *sketch)
{
    uint32_t key[STROKES_PARTS];
    uint64_t ink = 0, below = 0;
    for (unsigned i = 0; i < sketch->count; i++) {
        const struct part *part = &sketch->part[i];
        key[i] = (uint32_t)(part->bottom - part->top) << 8 | i;
        ink += part->ink;
    }
    qsort(key, sketch->count, sizeof *key, number_order);
    for (unsigned i = 0; i < sketch->count; i++) {
        below += sketch->part[key[i] & 255].ink;
        if (2 * below >= ink)
            return (int32_t)(key[i] >> 8);
    }
    return 0;
}

static bool part_is_writing(const struct part *part, int32_t tall)
{
    int32_t w = part->right - part->left, h = part->bottom - part->top;
    if (STROKES_SPECK_PARTS * w < tall && STROKES_SPECK_PARTS * h < tall)
        return false;
    return STROKES_FLAT_PARTS * h >= tall || w < STROKES_LONG_TIMES * tall;
}

static int32_t part_middle(const struct part *part, int32_t slant, int32_t height)
{
    return 8 * (part->left + part->right) + slant * ((part->top + part->bottom) / 2 - height);
}

/* The column, along the slant, of a pixel; at most twice the height right of it. */
static int32_t column_of(int32_t x, int32_t y, int32_t slant, int32_t height)
{
    return x + slant * (y - height) / 16 + height;
}

/* How much ink of a part (0: of all) each column has. */
static void columns_count(const struct strokes *strokes, unsigned number, int32_t slant, uint32_t *column)
{
    memset(column, 0, (size_t)(strokes->width + 2 * strokes->height) * sizeof *column);
    for (int32_t y = 0; y < strokes->height; y++)
        for (int32_t x = 0; x < strokes->width; x++) {
            uint16_t label = strokes->label[y * strokes->width + x];
            if (number ? label == number : label)
                column[column_of(x, y, slant, strokes->height)]++;
        }
}

/* The slant along which ink and gaps are told apart best. */
static int32_t slant_find(const struct strokes *strokes, uint32_t *column)
{
    uint64_t best = 0;
    int32_t found = 0;
    for (int32_t slant = STROKES_SLANT_LEAST; slant <= STROKES_SLANT_MOST; slant += STROKES_SLANT_STEP) {
        uint64_t sum = 0;
        columns_count(strokes, 0, slant, column);
        for (int32_t x = 0; x < strokes->width + 2 * strokes->height; x++)
            sum += (uint64_t)column[x] * column[x];
        if (sum > best) {
            best = sum;
            found = slant;
        }
    }
    return found;
}

/* Whether nothing near x is thinner, and no earlier cut is near. */
static bool cut_fits(const uint32_t *column, int32_t x, int32_t margin, const int32_t *cut, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (abs(cut[i] - x) <= margin)
            return false;
    for (int32_t by = 1; by <= margin / 2; by++)
        if (column[x - by] < column[x] || column[x + by] < column[x])
            return false;
    return true;
}

/* Columns where the part that column has the ink of can be cut, the thinnest first. */
static unsigned cuts_find(const struct strokes *strokes, const uint32_t *column, int32_t *cut)
{
    int32_t first = 0, last = strokes->width + 2 * strokes->height, tall = strokes->tall;
    int32_t margin = 1 + STROKES_CUT_MARGIN * tall / 16;
    unsigned count = 0;
    while (first < last && !column[first])
        first++;
    while (last > first && !column[last - 1])
        last--;
    if (16 * (last - first) < STROKES_CUT_LEAST * tall)
        return 0;
    for (int32_t best = 0; count < STROKES_CUTS && best >= 0;) {
        uint32_t least = (uint32_t)(STROKES_CUT_INK * tall / 16) + 1;
        best = -1;
        for (int32_t x = first + margin; x < last - margin; x++)
            if (column[x] < least && cut_fits(column, x, margin, cut, count)) {
                least = column[x];
                best = x;
            }
        if (best >= 0)
            cut[count++] = best;
    }
    return count;
}

static int cut_order(const void *a, const void *b)
{
    int32_t one = *(const int32_t *)a, other = *(const int32_t *)b;
    return (one > other) - (one < other);
}

static void part_add(struct part *part, int32_t x, int32_t y)
{
    part->left = x < part->left ? x : part->left;
    part->top = y < part->top ? y : part->top;
    part->right = x >= part->right ? x + 1 : part->right;
    part->bottom = y >= part->bottom ? y + 1 : part->bottom;
    part->ink++;
}

/* Cuts part i of the sketch; what is on the right of each cut becomes a new part. */
static void part_cut(struct strokes *strokes, struct sketch *sketch, unsigned i, uint32_t *column)
{
    int32_t cut[STROKES_CUTS];
    const struct part none = {strokes->width, strokes->height, 0, 0, 0}, whole = sketch->part[i];
    columns_count(strokes, i + 1, strokes->slant, column);
    unsigned cuts = cuts_find(strokes, column, cut), first = sketch->count;
    if (!cuts || first + cuts > STROKES_PARTS)
        return;
    qsort(cut, cuts, sizeof *cut, cut_order);
    sketch->part[i] = none;
    for (unsigned c = 0; c < cuts; c++)
        sketch->part[sketch->count++] = none;
    for (int32_t y = whole.top; y < whole.bottom; y++)
        for (int32_t x = whole.left; x < whole.right; x++) {
            uint16_t *label = &strokes->label[y * strokes->width + x];
            if (*label != i + 1)
                continue;
            unsigned right = 0;
            while (right < cuts && column_of(x, y, strokes->slant, strokes->height) > cut[right])
                right++;
            unsigned at = right ? first + right - 1 : i;
            part_add(&sketch->part[at], x, y);
            *label = (uint16_t)(at + 1);
        }
}

static int piece_order(const void *a, const void *b)
{
    const struct piece *one = a, *other = b;
    if (one->order != other->order)
        return one->order < other->order ? -1 : 1;
    return (one->at.left > other->at.left) - (one->at.left < other->at.left);
}

/* Parts that are writing become pieces in their order; all other ink becomes paper. */
static void pieces_take(struct strokes *strokes, const struct sketch *sketch)
{
    struct piece piece[STROKES_PARTS];
    uint16_t becomes[STROKES_PARTS + 1] = {0};
    unsigned count = 0;
    for (unsigned i = 0; i < sketch->count; i++)
        if (sketch->part[i].ink && part_is_writing(&sketch->part[i], strokes->tall)) {
            piece[count] =
                (struct piece){sketch->part[i], part_middle(&sketch->part[i], strokes->slant, strokes->height)};
            piece[count++].at.ink = i + 1;
        }
    qsort(piece, count, sizeof *piece, piece_order);
    strokes->count = count < STROKES_MOST ? count : STROKES_MOST;
    for (unsigned i = 0; i < strokes->count; i++) {
        unsigned part = piece[i].at.ink;
        strokes->piece[i] = piece[i];
        strokes->piece[i].at.ink = sketch->part[part - 1].ink;
        becomes[part] = (uint16_t)(i + 1);
    }
    for (int32_t at = 0; at < strokes->width * strokes->height; at++)
        strokes->label[at] = becomes[strokes->label[at]];
}

static void lines_drop(struct strokes *strokes, struct sketch *sketch)
{
    for (int32_t at = 0; at < strokes->width * strokes->height; at++) {
        uint16_t label = strokes->label[at];
        if (label && !part_is_writing(&sketch->part[label - 1], strokes->tall))
            strokes->label[at] = 0;
    }
    for (unsigned i = 0; i < sketch->count; i++)
        if (!part_is_writing(&sketch->part[i], strokes->tall))
            sketch->part[i] = (struct part){0};
}

static int32_t ink_above(const struct strokes *strokes, int32_t x, int32_t y)
{
    int32_t ink = 0;
    while (y - ink > 0 && strokes->label[(y - ink - 1) * strokes->width + x])
        ink++;
    return ink;
}

static int32_t ink_below(const struct strokes *strokes, int32_t x, int32_t y)
{
    int32_t ink = 0;
    while (y + ink + 1 < strokes->height && strokes->label[(y + ink + 1) * strokes->width + x])
        ink++;
    return ink;
}

/* Marks with line[x] what of a row's run [from, to) is as thin as a drawn line, and not a stroke that crosses it. */
static void run_mark(const struct strokes *strokes, int32_t y, int32_t from, int32_t to, uint8_t *line)
{
    int32_t thin = strokes->tall / STROKES_THIN_PARTS;
    for (int32_t x = from; x < to; x++)
        line[x] = 1 + ink_above(strokes, x, y) + ink_below(strokes, x, y) <= (thin < 2 ? 2 : thin);
}

/* Takes out lines that the writing stands on or that strike it through. True where there was one. */
static bool lines_erase(struct strokes *strokes, uint8_t *line)
{
    size_t pixels = (size_t)strokes->width * (size_t)strokes->height;
    bool erased = false;
    memset(line, 0, pixels);
    for (int32_t y = 0; y < strokes->height; y++)
        for (int32_t x = 0, from = 0; x <= strokes->width; x++) {
            if (x < strokes->width && strokes->label[y * strokes->width + x])
                continue;
            if (x - from >= STROKES_LONG_TIMES * strokes->tall) {
                run_mark(strokes, y, from, x, line + (size_t)y * (size_t)strokes->width);
                erased = true;
            }
            from = x + 1;
        }
    for (size_t at = 0; at < pixels && erased; at++)
        if (line[at])
            strokes->label[at] = 0;
    return erased;
}

static int sketch_number(struct strokes *strokes, struct sketch *sketch)
{
    int count = ink_number(strokes->label, strokes->width, strokes->height, sketch->part, STROKES_PARTS);
    sketch->count = count < 0 ? 0 : (unsigned)count;
    strokes->tall = sketch_tall(sketch);
    return count < 0 ? -1 : 0;
}

static int strokes_part(const struct gray *gray, struct strokes *strokes)
{
    struct sketch sketch = {.count = 0};
    AUTO(mem_destroy) uint32_t *column = calloc(gray->width + 2 * (size_t)gray->height, sizeof *column);
    AUTO(mem_destroy) uint8_t *line = malloc((size_t)gray->width * gray->height);
    if (!strokes->label || !column || !line)
        return -1;
    if (!sketch_mark(gray, strokes))
        return 0;
    if (sketch_number(strokes, &sketch) || (lines_erase(strokes, line) && sketch_number(strokes, &sketch)))
        return -1;
    lines_drop(strokes, &sketch);
    strokes->slant = slant_find(strokes, column);
    for (unsigned i = 0, count = sketch.count; i < count; i++)
        if (sketch.part[i].ink)
            part_cut(strokes, &sketch, i, column);
    pieces_take(strokes, &sketch);
    return 0;
}

int strokes_find(const struct gray *gray, struct strokes *strokes)
{
    *strokes = (struct strokes){0};
    if (!gray->width || !gray->height || (uint64_t)gray->width * gray->height > STROKES_MAX_PIXELS)
        return -1;
    strokes->width = (int32_t)gray->width;
    strokes->height = (int32_t)gray->height;
    strokes->label = calloc((size_t)gray->width * gray->height, sizeof *strokes->label);
    int rc = strokes_part(gray, strokes);
    if (rc)
        strokes_clear(strokes);
    return rc;
}

void strokes_clear(struct strokes *strokes)
{
    free(strokes->label);
    *strokes = (struct strokes){0};
}
