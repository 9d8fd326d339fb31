/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Threshold and connected parts, by the plain methods: the pictures are as large as a few words. */
#include "worker/ink.h"

#include <stdbool.h>
#include <stdlib.h>

#include "proto/auto.h"

enum {
    INK_GRAYS = 256,
    INK_LEAST_CONTRAST = 48, /* between the mean of ink and that of paper */
};

struct histogram {
    uint32_t count[INK_GRAYS];
    uint64_t pixels, sum;
};

static void histogram_take(struct histogram *histogram, const struct gray *gray)
{
    *histogram = (struct histogram){0};
    for (uint32_t y = 0; y < gray->height; y++)
        for (uint32_t x = 0; x < gray->width; x++)
            histogram->count[gray->data[y * gray->stride + x]]++;
    for (uint32_t g = 0; g < INK_GRAYS; g++) {
        histogram->pixels += histogram->count[g];
        histogram->sum += (uint64_t)histogram->count[g] * g;
    }
}

int ink_threshold(const struct gray *gray)
{
    struct histogram histogram;
    histogram_take(&histogram, gray);
    uint64_t dark = 0, dark_sum = 0, best = 0;
    int first = -1, last = -1;
    for (int g = 0; g < INK_GRAYS - 1; g++) {
        dark += histogram.count[g];
        dark_sum += (uint64_t)histogram.count[g] * (uint64_t)g;
        uint64_t light = histogram.pixels - dark;
        if (!dark || !light)
            continue;
        uint64_t dark_mean = 16 * dark_sum / dark, light_mean = 16 * (histogram.sum - dark_sum) / light;
        if (light_mean - dark_mean < 16 * INK_LEAST_CONTRAST)
            continue;
        uint64_t between = dark * light / (histogram.pixels / 4096 + 1) * (light_mean - dark_mean) / 16 *
                           (light_mean - dark_mean) / 16;
        if (between > best) {
            best = between;
            first = g;
        }
        if (between == best)
            last = g;
    }
    return first < 0 ? -1 : (first + last) / 2;
}

/* Walks over the part of which start is a pixel, with the pixels still to be looked at on a stack. */
static struct part part_take(uint16_t *label, int32_t width, int32_t height, int32_t start, uint16_t number, bool *seen,
                             int32_t *stack)
{
    struct part part = {width, height, 0, 0, 0};
    size_t depth = 0;
    stack[depth++] = start;
    seen[start] = true;
    while (depth) {
        int32_t at = stack[--depth], x = at % width, y = at / width;
        label[at] = number;
        part.ink++;
        part.left = x < part.left ? x : part.left;
        part.top = y < part.top ? y : part.top;
        part.right = x >= part.right ? x + 1 : part.right;
        part.bottom = y >= part.bottom ? y + 1 : part.bottom;
        for (int32_t to_y = y ? y - 1 : 0; to_y <= y + 1 && to_y < height; to_y++)
            for (int32_t to_x = x ? x - 1 : 0; to_x <= x + 1 && to_x < width; to_x++)
                if (label[to_y * width + to_x] && !seen[to_y * width + to_x]) {
                    seen[to_y * width + to_x] = true;
                    stack[depth++] = to_y * width + to_x;
                }
    }
    return part;
}

int ink_number(uint16_t *label, int32_t width, int32_t height, struct part *part, unsigned most)
{
    int32_t pixels = width * height;
    AUTO(mem_destroy) bool *seen = calloc((size_t)pixels + 1, sizeof *seen);
    AUTO(mem_destroy) int32_t *stack = malloc(((size_t)pixels + 1) * sizeof *stack);
    unsigned count = 0;
    if (!seen || !stack)
        return -1;
    for (int32_t at = 0; at < pixels; at++) {
        if (!label[at] || seen[at])
            continue;
        bool kept = count < most;
        struct part found = part_take(label, width, height, at, (uint16_t)(kept ? count + 1 : 0), seen, stack);
        if (kept)
            part[count++] = found;
    }
    return (int)count;
}
