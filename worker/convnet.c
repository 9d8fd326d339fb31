/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Layer by layer, each over the whole picture. Units are bytes. Sums are taken in floats, which vector units multiply and add
 * best, but they are sums of whole numbers below 2^24, so they are exact in whatever order. */
#include "worker/convnet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "judge_weights.h"
#include "seek_weights.h"

enum {
    HEAD_BYTES = 7,
    OUTPUT_BYTES = 8, /* bias and factor */
    FACTOR_BITS = 24,
    UNIT_MAX = 255,
    OUTPUTS_MOST = 128,
    SIDE_CELLS = 4, /* that are summed together */
};

#define CLONED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
/* Sanitizers look at each product, which makes a page take seconds; what may be touched is asserted once, before. */
#define ASSERTED __attribute__((no_sanitize("address", "undefined")))

struct layer {
    uint32_t inputs, outputs, side, stride, dilation; /* side: 3 or 1, of the square of cells that each output sees */
    const unsigned char *output, *weight;             /* [outputs]; [side][side][inputs][outputs] */
};

/* Units of one layer; around them are units of 0, pad wide, and some more on the right. */
struct map {
    uint32_t width, height, units, pad;
    size_t row_bytes;
    uint8_t *unit;
};

static void map_clear(struct map *map)
{
    free(map->unit);
    *map = (struct map){0};
}

static bool map_new(uint32_t width, uint32_t height, uint32_t units, const struct layer *next, struct map *map)
{
    *map = (struct map){.width = width, .height = height, .units = units, .pad = next->dilation};
    map->row_bytes = ((size_t)width + 2 * map->pad + (size_t)SIDE_CELLS * next->stride) * units;
    map->unit = calloc((size_t)height + 2 * map->pad + next->stride, map->row_bytes);
    return map->unit != NULL;
}

/* (x, y) may be up to pad outside. */
static uint8_t *map_at(const struct map *map, int64_t x, int64_t y)
{
    return map->unit + (size_t)(y + map->pad) * map->row_bytes + (size_t)(x + map->pad) * map->units;
}

static const unsigned char *layer_take(const unsigned char *at, struct layer *layer)
{
    layer->inputs = at[0] | (uint32_t)at[1] << 8;
    layer->outputs = at[2] | (uint32_t)at[3] << 8;
    layer->side = at[4];
    layer->stride = at[5];
    layer->dilation = at[6];
    layer->output = at + HEAD_BYTES;
    layer->weight = layer->output + (size_t)layer->outputs * OUTPUT_BYTES;
    assert(layer->outputs <= OUTPUTS_MOST);
    return layer->weight + (size_t)layer->side * layer->side * layer->inputs * layer->outputs;
}

static uint32_t word_at(const unsigned char *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static float *weights_new(const struct layer *layer)
{
    size_t count = (size_t)layer->side * layer->side * layer->inputs * layer->outputs;
    float *weight = malloc(count * sizeof *weight);
    for (size_t i = 0; weight && i < count; i++)
        weight[i] = (signed char)layer->weight[i];
    return weight;
}

/* Sums of SIDE_CELLS cells side by side, from (x, y) of out on. */
ASSERTED static inline __attribute__((always_inline)) void cells_sum(const struct layer *layer, const float *weight,
                                                                     const struct map *in, uint32_t x, uint32_t y,
                                                                     const uint32_t outputs,
                                                                     float sum[SIDE_CELLS][OUTPUTS_MOST])
{
    const size_t step = (size_t)layer->stride * in->units;
    const int64_t reach = layer->side / 2;
    float acc[SIDE_CELLS][OUTPUTS_MOST];
    for (uint32_t k = 0; k < SIDE_CELLS; k++)
        for (uint32_t o = 0; o < outputs; o++)
            acc[k][o] = 0;
    for (int64_t down = -reach; down <= reach; down++)
        for (int64_t across = -reach; across <= reach; across++) {
            const uint8_t *unit = map_at(in, (int64_t)x * layer->stride + across * layer->dilation,
                                         (int64_t)y * layer->stride + down * layer->dilation);
            for (uint32_t i = 0; i < layer->inputs; i++, weight += outputs)
                for (uint32_t k = 0; k < SIDE_CELLS; k++)
                    for (uint32_t o = 0; o < outputs; o++)
                        acc[k][o] += (float)unit[k * step + i] * weight[o];
        }
    memcpy(sum, acc, sizeof acc);
}

static int32_t output_of(const struct layer *layer, uint32_t o, float sum)
{
    const unsigned char *at = layer->output + (size_t)o * OUTPUT_BYTES;
    int64_t value = ((int64_t)sum + (int32_t)word_at(at)) * (int64_t)word_at(at + 4);
    return (int32_t)((value + (1 << (FACTOR_BITS - 1))) >> FACTOR_BITS);
}

CLONED ASSERTED static void row_run(const struct layer *layer, const float *weight, const struct map *in, uint32_t y,
                                    struct map *out)
{
    float sum[SIDE_CELLS][OUTPUTS_MOST];
    for (uint32_t x = 0; x < out->width; x += SIDE_CELLS) {
        switch (layer->outputs) {
        case 12: cells_sum(layer, weight, in, x, y, 12, sum); break;
        case 16: cells_sum(layer, weight, in, x, y, 16, sum); break;
        case 24: cells_sum(layer, weight, in, x, y, 24, sum); break;
        case 32: cells_sum(layer, weight, in, x, y, 32, sum); break;
        case 48: cells_sum(layer, weight, in, x, y, 48, sum); break;
        case 64: cells_sum(layer, weight, in, x, y, 64, sum); break;
        case 96: cells_sum(layer, weight, in, x, y, 96, sum); break;
        case 128: cells_sum(layer, weight, in, x, y, 128, sum); break;
        default: assert(!"a layer of that size");
        }
        for (uint32_t k = 0; k < SIDE_CELLS && x + k < out->width; k++) {
            uint8_t *unit = map_at(out, x + k, y);
            for (uint32_t o = 0; o < layer->outputs; o++) {
                int32_t value = output_of(layer, o, sum[k][o]);
                unit[o] = (uint8_t)(value < 0 ? 0 : value > UNIT_MAX ? UNIT_MAX : value);
            }
        }
    }
}

/* All that cells_sum() looks at is in the map: rows of height cells and those around them, cells up to the last of the last four. */
static void reach_check(const struct layer *layer, const struct map *in, const struct map *out)
{
    const size_t reach = (size_t)layer->side / 2 * layer->dilation, last = (size_t)out->width + SIDE_CELLS - 2;
    assert(in->units == layer->inputs && out->units == layer->outputs && reach <= in->pad);
    assert((last * layer->stride + in->pad + reach + 1) * in->units <= in->row_bytes);
    assert((size_t)(out->height - 1) * layer->stride + reach < (size_t)in->height + in->pad + layer->stride);
}

static bool layer_run(const struct layer *layer, const struct layer *next, const struct map *in, struct map *ret_out)
{
    AUTO(map_clear) struct map out = {0};
    AUTO(mem_destroy) float *weight = weights_new(layer);
    uint32_t width = (in->width + layer->stride - 1) / layer->stride;
    uint32_t height = (in->height + layer->stride - 1) / layer->stride;
    if (!weight || !map_new(width, height, layer->outputs, next, &out))
        return false;
    reach_check(layer, in, &out);
    for (uint32_t y = 0; y < height; y++)
        row_run(layer, weight, in, y, &out);
    *ret_out = out;
    out = (struct map){0};
    return true;
}

/* Turns the input into the map of the last layer but one; gives the last one, which sees one cell each. */
static bool layers_run(const unsigned char *weights, size_t bytes, struct map *map, struct layer *ret_last)
{
    const unsigned char *end = weights + bytes;
    struct layer layer, next;
    const unsigned char *at = layer_take(weights, &layer);
    for (; at < end; layer = next) {
        struct map out;
        at = layer_take(at, &next);
        if (!layer_run(&layer, &next, map, &out))
            return false;
        map_clear(map);
        *map = out;
    }
    assert(layer.outputs == CONVNET_CLASSES && layer.side == 1);
    *ret_last = layer;
    return true;
}

static struct layer layer_first(const unsigned char *weights)
{
    struct layer first;
    layer_take(weights, &first);
    return first;
}

static void unit_score(const struct layer *last, const uint8_t *unit, int32_t score[CONVNET_CLASSES])
{
    for (uint32_t o = 0; o < CONVNET_CLASSES; o++) {
        float sum = 0;
        for (uint32_t i = 0; i < last->inputs; i++)
            sum += (float)unit[i] * (signed char)last->weight[i * CONVNET_CLASSES + o];
        score[o] = output_of(last, o, sum);
    }
}

/* The planes' pixel, nothing beyond them. */
static const uint8_t *planes_at(const struct planes *planes, int64_t x, int64_t y)
{
    static const uint8_t nothing[PLANE_NR];
    return x < 0 || y < 0 || x >= planes->width_px || y >= planes->height_px
               ? nothing
               : planes->density + ((size_t)y * planes->width_px + (size_t)x) * PLANE_NR;
}

bool convnet_seek(const struct planes *planes, struct cells *ret_cells)
{
    struct layer last, first = layer_first(seek_weights);
    AUTO(map_clear) struct map map = {0};
    if (!map_new(planes->width_px, planes->height_px, PLANE_NR, &first, &map))
        return false;
    for (uint32_t y = 0; y < map.height; y++)
        memcpy(map_at(&map, 0, y), planes_at(planes, 0, y), (size_t)map.width * PLANE_NR);
    if (!layers_run(seek_weights, sizeof seek_weights, &map, &last))
        return false;
    struct cells cells = {.width = map.width, .height = map.height};
    cells.score = calloc((size_t)cells.width * cells.height, CONVNET_CLASSES * sizeof *cells.score);
    int32_t *score = cells.score;
    for (uint32_t y = 0; score && y < cells.height; y++)
        for (uint32_t x = 0; x < cells.width; x++, score += CONVNET_CLASSES)
            unit_score(&last, map_at(&map, x, y), score);
    if (!cells.score)
        return false;
    *ret_cells = cells;
    return true;
}

void cells_clear(struct cells *cells)
{
    free(cells->score);
    *cells = (struct cells){0};
}

/* The mean of all cells. */
static void map_pool(const struct map *map, uint8_t *unit)
{
    uint32_t count = map->width * map->height;
    for (uint32_t i = 0; i < map->units; i++) {
        uint32_t sum = 0;
        for (uint32_t y = 0; y < map->height; y++)
            for (uint32_t x = 0; x < map->width; x++)
                sum += map_at(map, x, y)[i];
        unit[i] = (uint8_t)((2 * sum + count) / (2 * count));
    }
}

bool convnet_judge(const struct planes *planes, int32_t x, int32_t y, unsigned turned, int32_t score[CONVNET_CLASSES])
{
    static const int across[4][2] = {
        {1,  0 },
        {0,  1 },
        {-1, 0 },
        {0,  -1}
    }; /* a step to the right in the frame, on the page */
    const int *step = across[turned % 4];
    struct layer last, first = layer_first(judge_weights);
    AUTO(map_clear) struct map map = {0};
    uint8_t unit[OUTPUTS_MOST];
    if (!map_new(CONVNET_FRAME_WIDTH_PX, CONVNET_FRAME_HEIGHT_PX, PLANE_NR, &first, &map))
        return false;
    for (int row = 0; row < CONVNET_FRAME_HEIGHT_PX; row++)
        for (int column = 0; column < CONVNET_FRAME_WIDTH_PX; column++) {
            int a = column - CONVNET_FRAME_WIDTH_PX / 2, b = row - CONVNET_FRAME_HEIGHT_PX / 2;
            memcpy(map_at(&map, column, row),
                   planes_at(planes, (int64_t)x + step[0] * a - step[1] * b, (int64_t)y + step[1] * a + step[0] * b),
                   PLANE_NR);
        }
    if (!layers_run(judge_weights, sizeof judge_weights, &map, &last))
        return false;
    map_pool(&map, unit);
    unit_score(&last, unit, score);
    return true;
}
