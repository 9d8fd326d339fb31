/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Levels: from the scan's pixels to gray that reads well, in one pass over them. */
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/clean_sheet.h"

enum {
    RED_LEAST = 12,            /* red above the stronger of green and blue: paper and black ink have less */
    RED_ALONE = 64,            /* from here on it is red ink and counts with its red channel alone */
    VIOLET_LEAST = 12,         /* likewise, look_violet() of violet ink */
    VIOLET_GAIN = 2,           /* violet ink lacks about so much of red and blue as it has more of them than of green */
    COLOUR_LEAST_PARTS = 4000, /* one part of so many of the page in that colour is ink, not noise */

    EVEN_PERCENT = 97,   /* the darker paper is at least so light, compared with the page's: even */
    UNEVEN_PERCENT = 88, /* below: worth a note */

    WHITE = 13,             /* contrast that is white, 5 %, where nothing shines through */
    WHITE_PERCENT = 110,    /* white in parts of what shines through ... */
    WHITE_INK_PERCENT = 45, /* ... and at most so much of the ink */
    BLACK = 166,            /* contrast that is black, 65 %, ... */
    BLACK_PERCENT = 75,     /* ... or, on faded pages, in parts of the ink ... */
    BLACK_LEAST = 64,       /* ... but not below 25 % */
    FADED_INK = 170,        /* ink paler than this has faded */
    INK_DARK = 106,         /* below, afterwards: dark ink */

    GAIN_ONE = 256,
    GAIN_ROWS = 4, /* so many rows of the look share their gains */
};

static bool colour_is_there(const struct look *look, uint64_t pixels)
{
    return pixels * COLOUR_LEAST_PARTS > (uint64_t)look->width_px * look->height_px;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

struct tone tone_choose(const struct look *look, const struct look_ink *ink, bool keep_colour, uint32_t *notes)
{
    struct tone tone = {.white = WHITE, .black = BLACK};
    bool gray = look->channels > 0;
    tone.even = gray && look->paper_dark * 100 < look->paper_level * EVEN_PERCENT;
    tone.take_red = !keep_colour && look->hue && colour_is_there(look, look->red_px);
    tone.take_violet = !keep_colour && look->hue && colour_is_there(look, look->violet_px);
    if (gray && ink->bleed_level && !keep_colour)
        tone.white =
            larger(WHITE, smaller(ink->bleed_level * WHITE_PERCENT / 100, ink->ink_level * WHITE_INK_PERCENT / 100));
    if (gray && ink->ink_level)
        tone.black = larger(BLACK_LEAST, smaller(BLACK, ink->ink_level * BLACK_PERCENT / 100));
    if (gray && look->paper_dark * 100 < look->paper_level * UNEVEN_PERCENT)
        *notes |= CLEAN_NOTE(UNEVEN);
    if (tone.take_red || tone.take_violet)
        *notes |= CLEAN_NOTE(RED);
    if (look->hue && colour_is_there(look, look->blue_px))
        *notes |= CLEAN_NOTE(BLUE);
    if (tone.white > WHITE)
        *notes |= CLEAN_NOTE(BLEED);
    if (gray && ink->ink_level && ink->ink_level < FADED_INK)
        *notes |= CLEAN_NOTE(FADED);
    return tone;
}

/* Gray of one RGB pixel; red ink goes as light as its red channel is, black print under it stays black. */
static uint8_t gray_without_red(const uint8_t rgb[3])
{
    int red = rgb[0], green = rgb[1], blue = rgb[2];
    int gray = look_gray(red, green, blue);
    int above = red - (green > blue ? green : blue);
    if (above < RED_LEAST)
        return (uint8_t)gray;
    above = above > RED_ALONE ? RED_ALONE : above;
    return (uint8_t)((gray * (RED_ALONE - above) + red * above) / RED_ALONE);
}

/* Gray of one RGB pixel; of violet ink remains the print that is under it: inks take light away in proportion. */
static uint8_t gray_without_violet(const uint8_t rgb[3], uint8_t gray)
{
    int above = look_violet(rgb[0], rgb[1], rgb[2]);
    if (above < VIOLET_LEAST)
        return gray;
    int level = larger(rgb[0], rgb[2]) + VIOLET_GAIN * above;
    return (uint8_t)(level > 255 ? 255 : level > gray ? level : gray);
}

static void row_gray(const struct raster *raster, uint32_t y, const struct tone *tone, uint8_t *gray)
{
    const uint8_t *row = raster->data + (size_t)y * raster->stride_bytes;
    if (raster->channels == 1)
        memcpy(gray, row, raster->width_px);
    else if (tone->take_red)
        for (uint32_t x = 0; x < raster->width_px; x++)
            gray[x] = gray_without_red(row + 3 * (size_t)x);
    else
        for (uint32_t x = 0; x < raster->width_px; x++)
            gray[x] = look_gray(row[3 * (size_t)x], row[3 * (size_t)x + 1], row[3 * (size_t)x + 2]);
    for (uint32_t x = 0; tone->take_violet && x < raster->width_px; x++)
        gray[x] = gray_without_violet(row + 3 * (size_t)x, gray[x]);
}

/* The paper's level around a tile. */
static uint32_t paper_smooth(const struct look *look, uint32_t tile_x, uint32_t tile_y)
{
    uint32_t sum = 0, count = 0;
    for (uint32_t y = tile_y ? tile_y - 1 : 0; y <= tile_y + 1 && y < look->tiles_y; y++)
        for (uint32_t x = tile_x ? tile_x - 1 : 0; x <= tile_x + 1 && x < look->tiles_x; x++, count++)
            sum += look->paper[y * look->tiles_x + x];
    return sum / count;
}

/* Makes of each pixel of the row a level of 255 where it is as light as its paper. */
struct gains {
    const struct look *look;
    uint32_t *papers; /* of the tiles, smoothed; in 1 / GAIN_ONE */
    uint32_t *row;    /* for each pixel, in 1 / GAIN_ONE */
    uint32_t width_px;
};

static void gains_clear(struct gains *gains)
{
    free(gains->papers);
    free(gains->row);
}

static bool gains_init(struct gains *gains, const struct look *look, uint32_t width_px, bool even)
{
    uint32_t tiles = look->tiles_x * look->tiles_y, level = larger(look->paper_level, 1);
    gains->look = look;
    gains->width_px = width_px;
    gains->papers = malloc(tiles * sizeof(uint32_t));
    gains->row = malloc(width_px * sizeof(uint32_t));
    if (!gains->papers || !gains->row)
        return false;
    for (uint32_t i = 0; i < tiles; i++)
        gains->papers[i] = GAIN_ONE * (even ? paper_smooth(look, i % look->tiles_x, i / look->tiles_x) : level);
    return true;
}

/* Between the middles of tile and the next one: how far, in 1 / (2 * span). */
static uint32_t tile_before(uint32_t at_px, uint32_t span, uint32_t tiles, uint32_t *ret_past)
{
    uint32_t half = at_px * 2 < span ? 0 : at_px * 2 - span, tile = half / (2 * span);
    *ret_past = half % (2 * span);
    if (tile + 1 < tiles)
        return tile;
    *ret_past = 0;
    return tiles - 1;
}

/* The gains of the row at y of the raster, between the middles of tiles in proportion. */
static void gains_row(struct gains *gains, uint32_t y)
{
    const struct look *look = gains->look;
    uint32_t span = LOOK_TILE_PX * look->factor, past_y, past_x;
    uint32_t tile_y = tile_before(y, span, look->tiles_y, &past_y);
    const uint32_t *upper = gains->papers + (size_t)tile_y * look->tiles_x;
    const uint32_t *lower = past_y ? upper + look->tiles_x : upper;
    for (uint32_t x = 0; x < gains->width_px; x++) {
        uint32_t tile = tile_before(x, span, look->tiles_x, &past_x), next = past_x ? tile + 1 : tile;
        uint64_t left = (uint64_t)upper[tile] * (2 * span - past_y) + (uint64_t)lower[tile] * past_y;
        uint64_t right = (uint64_t)upper[next] * (2 * span - past_y) + (uint64_t)lower[next] * past_y;
        uint64_t paper = (left * (2 * span - past_x) + right * past_x) / (4 * (uint64_t)span * span);
        gains->row[x] = (uint32_t)(255 * GAIN_ONE * GAIN_ONE / (paper ? paper : 1));
    }
}

static void tone_levels(const struct tone *tone, uint8_t level[256])
{
    for (int v = 0; v < 256; v++) {
        int contrast = (255 - v) * LOOK_CONTRAST_ONE / 255;
        int left = (tone->black - contrast) * 255 / (tone->black - tone->white);
        level[v] = (uint8_t)(left < 0 ? 0 : left > 255 ? 255 : left);
    }
}

static void tone_row(const uint8_t *gray, const uint32_t *gain, const uint8_t level[256], uint32_t width_px,
                     l_uint32 *line)
{
    for (uint32_t x = 0; x < width_px; x++) {
        uint32_t value = gray[x] * gain[x] / GAIN_ONE;
        SET_DATA_BYTE(line, x, level[value > 255 ? 255 : value]);
    }
}

PIX *tone_apply(const struct tone *tone, const struct raster *raster, const struct look *look)
{
    if (!raster->channels)
        return raster_pix(raster);
    uint8_t level[256];
    AUTO(gains_clear) struct gains gains = {0};
    AUTO(mem_destroy) uint8_t *gray = malloc(raster->width_px);
    PIX *pix = pixCreateNoInit((int)raster->width_px, (int)raster->height_px, 8);
    if (!gray || !pix || !gains_init(&gains, look, raster->width_px, tone->even)) {
        pixDestroy(&pix);
        return NULL;
    }
    tone_levels(tone, level);
    for (uint32_t y = 0; y < raster->height_px; y++) {
        if (y == 0 || (tone->even && y % (GAIN_ROWS * look->factor) == 0))
            gains_row(&gains, y);
        row_gray(raster, y, tone, gray);
        tone_row(gray, gains.row, level, raster->width_px, pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix));
    }
    pixSetPadBits(pix, 0);
    return pix;
}

PIX *ink_of(PIX *pix)
{
    return pixGetDepth(pix) == 1 ? pixCopy(NULL, pix) : pixThresholdToBinary(pix, INK_DARK);
}
