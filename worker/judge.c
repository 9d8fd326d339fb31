/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The network of glyph.h over the weights that train.py wrote, whose net_pack() tells their order. Sums are exact, so
 * whatever way a compiler adds them up gives the same. */
#include "worker/glyph.h"

#include <assert.h>
#include <string.h>

#include "digits_weights.h"

enum {
    JUDGE_UNITS_MOST = 512,
    JUDGE_UNIT_MOST = 255,
    JUDGE_HEAD_BYTES = 5,
    JUDGE_BIAS_BYTES = 4,
    LOG_ONE = 65536,
    LOG_OF_2 = 177,  /* in 1/256 */
    LOG_FAR = -4096, /* what is less likely counts as that */
};

struct layer {
    uint32_t inputs, outputs;
    unsigned shift;
    const unsigned char *rows;
};

static const unsigned char *layer_take(const unsigned char *at, struct layer *layer)
{
    layer->inputs = at[0] | (uint32_t)at[1] << 8;
    layer->outputs = at[2] | (uint32_t)at[3] << 8;
    layer->shift = at[4];
    layer->rows = at + JUDGE_HEAD_BYTES;
    assert(layer->inputs <= JUDGE_UNITS_MOST && layer->outputs <= JUDGE_UNITS_MOST);
    return layer->rows + (size_t)layer->outputs * (layer->inputs + JUDGE_BIAS_BYTES);
}

static void layer_run(const struct layer *layer, const uint8_t *in, int32_t *out)
{
    for (uint32_t o = 0; o < layer->outputs; o++) {
        const unsigned char *row = layer->rows + (size_t)o * (layer->inputs + JUDGE_BIAS_BYTES);
        const signed char *weight = (const signed char *)row + JUDGE_BIAS_BYTES;
        int32_t sum = (int32_t)(row[0] | (uint32_t)row[1] << 8 | (uint32_t)row[2] << 16 | (uint32_t)row[3] << 24);
        for (uint32_t i = 0; i < layer->inputs; i++)
            sum += weight[i] * in[i];
        out[o] = sum >= 0 ? sum >> layer->shift : -(-sum >> layer->shift);
    }
}

uint32_t glyph_exp(int32_t x)
{
    uint32_t halvings = (uint32_t)-x * 369u >> 16, rest = ((uint32_t)-x * 369u >> 8) & 255; /* 369 / 256: 1 / log 2 */
    /* 2^-f = 1 - 0.6931 f + 0.2402 f^2 - 0.0471 f^3 */
    uint64_t f = rest, value = LOG_ONE + (15742 * f * f >> 16) - 45424 * f / 256 - (3087 * f * f * f >> 24);
    return halvings < 32 ? (uint32_t)(value >> halvings) : 0;
}

int32_t glyph_log(uint64_t value)
{
    int32_t doublings = 0;
    value = value ? value : 1;
    while (value >= 2 * LOG_ONE) {
        value >>= 1;
        doublings++;
    }
    while (value < LOG_ONE) {
        value <<= 1;
        doublings--;
    }
    /* log2(1 + f) = 1.3465 f - 0.3465 f^2 */
    int64_t f = (int64_t)value - LOG_ONE, log2 = (88244 * f - (22708 * f >> 16) * f) >> 16;
    return doublings * LOG_OF_2 + (int32_t)(log2 * LOG_OF_2 >> 16);
}

void glyph_judge(const uint8_t feature[GLYPH_FEATURES], int32_t likely[GLYPH_CLASSES])
{
    uint8_t unit[JUDGE_UNITS_MOST];
    int32_t sum[JUDGE_UNITS_MOST];
    const unsigned char *at = digits_weights, *end = digits_weights + sizeof digits_weights;
    memcpy(unit, feature, GLYPH_FEATURES);
    struct layer layer = {.outputs = GLYPH_FEATURES};
    while (at < end) {
        uint32_t inputs = layer.outputs;
        at = layer_take(at, &layer);
        assert(layer.inputs == inputs);
        layer_run(&layer, unit, sum);
        for (uint32_t i = 0; i < layer.outputs; i++)
            unit[i] = (uint8_t)(sum[i] < 0 ? 0 : sum[i] > JUDGE_UNIT_MOST ? JUDGE_UNIT_MOST : sum[i]);
    }
    assert(at == end && layer.outputs == GLYPH_CLASSES);
    int32_t most = sum[0];
    uint64_t all = 0;
    for (int i = 1; i < GLYPH_CLASSES; i++)
        most = sum[i] > most ? sum[i] : most;
    for (int i = 0; i < GLYPH_CLASSES; i++)
        all += glyph_exp(sum[i] - most < LOG_FAR ? LOG_FAR : sum[i] - most);
    for (int i = 0; i < GLYPH_CLASSES; i++) {
        int32_t log = sum[i] - most - glyph_log(all);
        likely[i] = log < LOG_FAR ? LOG_FAR : log > 0 ? 0 : log;
    }
}
