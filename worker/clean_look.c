/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The reduced picture, its paper, and the spots on it. At about 100 dpi a letter still is a handful of pixels, and
 * noise and dust have gone into the average. */
#include "worker/clean_look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

enum {
    LOOK_DPI = 100,
    LOOK_UNKNOWN_DPI = 300,
    LOOK_MAX_SIDE_PX = 4800, /* an A0 sheet */
    LOOK_MAX_FACTOR = 128,   /* so that sums of a column of pixels stay in 16 bits */

    SUMS_BLOCK = 16,
    PART_BITS = 40,

    PAPER_PARTS = 4,       /* the level that one part of so many of a tile's pixels are above is its paper's ... */
    PAPER_LEAST_PARTS = 2, /* ... unless that is below one part of so many of the page's: then it is ink */

    HUE_LEAST = 24,   /* of 255: a stronger red, or blue, than the other two by this is ink of that colour, */
                      /* and violet ink has a weaker green by so much */
    VIOLET_PARTS = 2, /* of the stronger of red and blue, above green, the weaker one has a part of so many: violet */
    RED_FULL = 90,    /* from here on it is not pale, ... */
    BLUE_FULL = 48,   /* ... and blue from here on */

    SPOT_LEAST = 26,          /* contrast that stands out, 10 %, ... */
    SPOT_NOISES = 4,          /* ... and so many standard deviations of the noise */
    SPOT_MAX_COUNT = 1 << 16, /* there is no more to learn from more of them */
};

static const double noise_of_mean = 1.128; /* mean distance of two normal draws, in standard deviations */

void look_clear(struct look *look)
{
    free(look->gray);
    free(look->contrast);
    free(look->hue);
    free(look->violet);
    free(look->paper);
    free(look->spots);
    *look = (struct look){0};
}

static uint32_t look_factor(const struct raster *raster)
{
    uint32_t dpi = raster->dpi ? raster->dpi : LOOK_UNKNOWN_DPI;
    uint32_t longest = raster->width_px > raster->height_px ? raster->width_px : raster->height_px;
    uint32_t factor = dpi / LOOK_DPI, least = (longest + LOOK_MAX_SIDE_PX - 1) / LOOK_MAX_SIDE_PX;
    factor = factor > least ? factor : least;
    return factor < 1 ? 1 : factor > LOOK_MAX_FACTOR ? LOOK_MAX_FACTOR : factor;
}

static bool look_new(const struct raster *raster, struct look *look)
{
    look->channels = raster->channels;
    look->factor = look_factor(raster);
    look->width_px = raster->width_px / look->factor;
    look->height_px = raster->height_px / look->factor;
    if (!look->width_px || !look->height_px)
        look->factor = 1, look->width_px = raster->width_px, look->height_px = raster->height_px;
    look->dpi = (raster->dpi ? raster->dpi : LOOK_UNKNOWN_DPI) / look->factor;
    look->tiles_x = (look->width_px + LOOK_TILE_PX - 1) / LOOK_TILE_PX;
    look->tiles_y = (look->height_px + LOOK_TILE_PX - 1) / LOOK_TILE_PX;
    size_t pixels = (size_t)look->width_px * look->height_px;
    look->gray = malloc(pixels);
    look->contrast = malloc(pixels);
    look->paper = malloc((size_t)look->tiles_x * look->tiles_y);
    if (raster->channels == 3) {
        look->hue = malloc(pixels);
        look->violet = malloc(pixels);
    }
    return look->gray && look->contrast && look->paper && (raster->channels < 3 || (look->hue && look->violet));
}

/* Adds a row of bytes, or of bits as 0 and 255, to the sums of its columns. Blocks of a fixed size become vectors. */
static void sums_add(uint16_t *sums, const struct raster *raster, uint32_t y)
{
    const uint8_t *row = raster->data + (size_t)y * raster->stride_bytes;
    size_t count = (size_t)raster->width_px * (raster->channels ? raster->channels : 1), i = 0;
    for (; raster->channels && i + SUMS_BLOCK <= count; i += SUMS_BLOCK)
        for (size_t k = 0; k < SUMS_BLOCK; k++)
            sums[i + k] = (uint16_t)(sums[i + k] + row[i + k]);
    for (; i < count; i++)
        sums[i] = (uint16_t)(sums[i] + (raster->channels ? row[i] : row[i / 8] & (0x80 >> i % 8) ? 0 : 255));
}

static int8_t hue_of(const uint32_t rgb[3])
{
    int red = (int)rgb[0], green = (int)rgb[1], blue = (int)rgb[2];
    int redder = red - (green > blue ? green : blue), bluer = blue - (green > red ? green : red);
    int hue = redder > 0 ? redder : bluer > 0 ? -bluer : 0;
    return (int8_t)(hue > 127 ? 127 : hue < -127 ? -127 : hue);
}

int look_violet(int red, int green, int blue)
{
    int weaker = red < blue ? red : blue, stronger = red < blue ? blue : red;
    return weaker > green && VIOLET_PARTS * (weaker - green) >= stronger - green ? weaker - green : 0;
}

/* The mean of a cell's pixels, by channel; part is 1 / (factor * factor), in 1 / 2^PART_BITS. A loop of its own for
 * each number of channels. */
static inline void cell_mean(const uint16_t *sums, uint32_t factor, uint32_t channels, uint64_t part, uint32_t mean[3])
{
    for (uint32_t c = 0; c < channels; c++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < factor; i++)
            sum += sums[i * channels + c];
        mean[c] = (uint32_t)(sum * part >> PART_BITS);
    }
}

static void look_row(struct look *look, const uint16_t *sums, uint32_t channels, uint32_t y)
{
    const uint32_t factor = look->factor;
    const uint64_t part = ((1ull << PART_BITS) - 1) / ((uint64_t)factor * factor) + 1; /* exact: sums are below 2^23 */
    const size_t row = (size_t)y * look->width_px;
    uint32_t mean[3];
    if (channels != 3) {
        for (uint32_t x = 0; x < look->width_px; x++) {
            cell_mean(sums + (size_t)x * factor, factor, 1, part, mean);
            look->gray[row + x] = (uint8_t)mean[0];
        }
        return;
    }
    for (uint32_t x = 0; x < look->width_px; x++) {
        cell_mean(sums + (size_t)x * factor * 3, factor, 3, part, mean);
        look->gray[row + x] = look_gray((int)mean[0], (int)mean[1], (int)mean[2]);
        look->hue[row + x] = hue_of(mean);
        look->violet[row + x] = (uint8_t)look_violet((int)mean[0], (int)mean[1], (int)mean[2]);
    }
}

static bool look_reduce(const struct raster *raster, struct look *look)
{
    uint32_t channels = raster->channels ? raster->channels : 1;
    size_t bytes = (size_t)raster->width_px * channels * sizeof(uint16_t);
    AUTO(mem_destroy) uint16_t *sums = malloc(bytes);
    for (uint32_t y = 0; sums && y < look->height_px; y++) {
        memset(sums, 0, bytes);
        for (uint32_t i = 0; i < look->factor; i++)
            sums_add(sums, raster, y * look->factor + i);
        look_row(look, sums, channels, y);
    }
    return sums != NULL;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The level that count pixels of the histogram are at or above. */
static int level_above(const uint32_t histogram[256], uint32_t count)
{
    uint32_t seen = 0;
    int level = 255;
    for (; level > 0; level--)
        if ((seen += histogram[level]) >= count)
            break;
    return level;
}

static int tile_paper(const struct look *look, uint32_t tile_x, uint32_t tile_y)
{
    uint32_t histogram[256] = {0}, count = 0;
    uint32_t right = least((tile_x + 1) * LOOK_TILE_PX, look->width_px);
    uint32_t bottom = least((tile_y + 1) * LOOK_TILE_PX, look->height_px);
    for (uint32_t y = tile_y * LOOK_TILE_PX; y < bottom; y++)
        for (uint32_t x = tile_x * LOOK_TILE_PX; x < right; x++, count++)
            histogram[look->gray[(size_t)y * look->width_px + x]]++;
    int level = level_above(histogram, (count + PAPER_PARTS - 1) / PAPER_PARTS);
    return level ? level : 1;
}

static void look_paper(struct look *look)
{
    uint32_t histogram[256] = {0}, tiles = look->tiles_x * look->tiles_y;
    for (uint32_t y = 0; y < look->tiles_y; y++)
        for (uint32_t x = 0; x < look->tiles_x; x++)
            histogram[look->paper[y * look->tiles_x + x] = (uint8_t)tile_paper(look, x, y)]++;
    look->paper_level = level_above(histogram, (tiles + 1) / 2);
    int floor_level = look->paper_level / PAPER_LEAST_PARTS;
    uint32_t papers = tiles;
    for (int level = 0; level < floor_level; level++)
        papers -= histogram[level];
    look->paper_dark = level_above(histogram, papers - papers / 10);
    for (uint32_t i = 0; i < tiles; i++)
        if (look->paper[i] < floor_level)
            look->paper[i] = (uint8_t)look->paper_level;
}

static void look_contrast(struct look *look)
{
    uint64_t distance = 0, pairs = 0;
    for (uint32_t y = 0; y < look->height_px; y++) {
        const uint8_t *paper = look->paper + (size_t)(y / LOOK_TILE_PX) * look->tiles_x;
        const uint8_t *gray = look->gray + (size_t)y * look->width_px;
        uint8_t *contrast = look->contrast + (size_t)y * look->width_px;
        for (uint32_t from = 0; from < look->width_px; from += LOOK_TILE_PX, paper++) {
            uint32_t to = least(from + LOOK_TILE_PX, look->width_px);
            int scale = LOOK_CONTRAST_ONE * 256 / *paper;
            for (uint32_t x = from; x < to; x++) {
                int value = (*paper - gray[x]) * scale >> 8;
                contrast[x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
        }
        for (uint32_t x = 1; x < look->width_px; x++) {
            int step = abs(gray[x] - gray[x - 1]);
            distance += step < SPOT_LEAST ? (uint64_t)step : 0;
            pairs += step < SPOT_LEAST;
        }
    }
    double mean = pairs ? (double)distance / (double)pairs : 0;
    look->noise = (int)lround(mean / noise_of_mean * LOOK_CONTRAST_ONE / (look->paper_level ? look->paper_level : 1));
}

/* What touches the picture's edge is flooded again, only where it is darker, since a fold that is paler than the writing
 * on it ties both to the edge. First all that stands out; then what is above 40 and 63 %. */
enum { FLOOD_FIRST = 1, FLOOD_LAST = 3 };
static const uint8_t flood_least[] = {[2] = 102, [3] = 160};

/* Where a flood is: pixels that are still to be visited. */
struct flood {
    uint32_t *todo, count;
    uint8_t *stage; /* of each pixel: the one in which it is to be visited; 0: none, or it was */
    uint8_t now;
};

static void flood_clear(struct flood *flood)
{
    free(flood->todo);
    free(flood->stage);
}

static void flood_visit(struct flood *flood, uint32_t at)
{
    if (flood->stage[at] != flood->now)
        return;
    flood->stage[at] = 0;
    flood->todo[flood->count++] = at;
}

static void flood_round(struct flood *flood, const struct look *look, uint32_t at)
{
    uint32_t x = at % look->width_px, y = at / look->width_px, w = look->width_px;
    uint32_t left = x ? x - 1 : 0, right = x + 1 < w ? x + 1 : x;
    for (uint32_t row = y ? y - 1 : 0; row <= y + 1 && row < look->height_px; row++)
        for (uint32_t column = left; column <= right; column++)
            flood_visit(flood, row * w + column);
}

static void spot_add(struct look_spot *spot, const struct look *look, uint32_t at)
{
    int x = (int)(at % look->width_px), y = (int)(at / look->width_px);
    spot->left = x < spot->left ? x : spot->left;
    spot->right = x > spot->right ? x : spot->right;
    spot->top = y < spot->top ? y : spot->top;
    spot->bottom = y > spot->bottom ? y : spot->bottom;
    spot->area_px++;
    if (look->contrast[at] > spot->peak)
        spot->peak = look->contrast[at];
    if (look->hue && look->hue[at] >= HUE_LEAST) {
        spot->red_px++;
        spot->red_full_px += look->hue[at] >= RED_FULL;
    }
    if (look->hue)
        spot->vivid_px += look->hue[at] >= RED_FULL || look->hue[at] <= -BLUE_FULL;
}

static void spot_add_dark(struct look_spot *spot, const struct look *look, uint32_t at)
{
    int x = (int)(at % look->width_px), y = (int)(at / look->width_px);
    if (look->contrast[at] * 2 <= spot->peak)
        return;
    spot->dark_left = x < spot->dark_left ? x : spot->dark_left;
    spot->dark_right = x > spot->dark_right ? x : spot->dark_right;
    spot->dark_top = y < spot->dark_top ? y : spot->dark_top;
    spot->dark_bottom = y > spot->dark_bottom ? y : spot->dark_bottom;
    spot->dark_px++;
}

/* Everything that hangs together with the pixel at; todo keeps it all, so that the dark part can be measured. */
static struct look_spot flood_spot(struct flood *flood, const struct look *look, uint32_t at)
{
    struct look_spot spot = {.left = INT32_MAX, .top = INT32_MAX, .dark_left = INT32_MAX, .dark_top = INT32_MAX};
    flood->count = 0;
    flood_visit(flood, at);
    for (uint32_t i = 0; i < flood->count; i++) {
        spot_add(&spot, look, flood->todo[i]);
        flood_round(flood, look, flood->todo[i]);
    }
    for (uint32_t i = 0; i < flood->count; i++)
        spot_add_dark(&spot, look, flood->todo[i]);
    return spot;
}

static bool look_keep(struct look *look, const struct look_spot *spot)
{
    if (look->spot_count == look->spot_capacity) {
        size_t capacity = look->spot_capacity ? 2 * look->spot_capacity : 1024;
        struct look_spot *spots = realloc(look->spots, capacity * sizeof *spots);
        if (!spots)
            return false;
        look->spots = spots;
        look->spot_capacity = capacity;
    }
    look->spots[look->spot_count++] = *spot;
    return true;
}

/* Where to flood first; counts what is coloured. */
static void flood_prepare(struct flood *flood, struct look *look, uint32_t pixels)
{
    int limit = SPOT_NOISES * look->noise > SPOT_LEAST ? SPOT_NOISES * look->noise : SPOT_LEAST;
    for (uint32_t i = 0; i < pixels; i++) {
        flood->stage[i] = look->contrast[i] >= limit ? FLOOD_FIRST : 0;
        if (!look->hue || !flood->stage[i])
            continue;
        look->red_px += look->hue[i] >= HUE_LEAST;
        look->blue_px += look->hue[i] <= -HUE_LEAST;
        look->violet_px += look->violet[i] >= HUE_LEAST;
    }
}

/* The darker pixels of the spot just flooded are visited again in the next stage. */
static void flood_loosen(struct flood *flood, const struct look *look)
{
    for (uint32_t i = 0; i < flood->count && flood->now < FLOOD_LAST; i++)
        if (look->contrast[flood->todo[i]] >= flood_least[flood->now + 1])
            flood->stage[flood->todo[i]] = (uint8_t)(flood->now + 1);
}

static bool flood_run(struct flood *flood, struct look *look, uint32_t pixels)
{
    for (uint32_t i = 0; i < pixels && look->spot_count < SPOT_MAX_COUNT; i++) {
        if (flood->stage[i] != flood->now)
            continue;
        struct look_spot spot = flood_spot(flood, look, i);
        bool at_edge = look_touches_edge(look, &spot);
        if (at_edge)
            flood_loosen(flood, look);
        if ((flood->now == FLOOD_FIRST || !at_edge) && !look_keep(look, &spot))
            return false;
    }
    return true;
}

static bool look_find_spots(struct look *look)
{
    uint32_t pixels = look->width_px * look->height_px;
    AUTO(flood_clear) struct flood flood = {.todo = malloc(pixels * sizeof(uint32_t)), .stage = malloc(pixels)};
    if (!flood.todo || !flood.stage)
        return false;
    flood_prepare(&flood, look, pixels);
    for (flood.now = FLOOD_FIRST; flood.now <= FLOOD_LAST; flood.now++)
        if (!flood_run(&flood, look, pixels))
            return false;
    return true;
}

int look_see(const struct raster *raster, struct look *ret_look, struct err *err)
{
    AUTO(look_clear) struct look look = {0};
    if (!look_new(raster, &look) || !look_reduce(raster, &look))
        return err_set(err, E_MEMORY, "no memory to look at a picture of %u x %u", raster->width_px, raster->height_px);
    look_paper(&look);
    look_contrast(&look);
    *ret_look = look;
    look = (struct look){0};
    return 0;
}

int look_take(const struct raster *raster, struct look *ret_look, struct err *err)
{
    AUTO(look_clear) struct look look = {0};
    int rc = look_see(raster, &look, err);
    if (rc)
        return rc;
    if (!look_find_spots(&look))
        return err_set(err, E_MEMORY, "no memory for the spots of a picture of %u x %u", raster->width_px,
                       raster->height_px);
    *ret_look = look;
    look = (struct look){0};
    return 0;
}
