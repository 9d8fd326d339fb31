/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Most scans are seen at about the right scale already; others are averaged over areas. */
#include "worker/planes.h"

#include <math.h>
#include <stdlib.h>

#include "proto/auto.h"

enum { SPAN_ONE = 256, DENSITY_MAX = 255, RED_PARTS = 2 };

static const double page_least_mm = 120, page_most_mm = 1300; /* long side that a resolution may mean */
static const double page_usual_mm = 297;
static const double scale_differs = 0.08; /* that is left as it is */

/* Which pixels of the look one of ours lies on, and how much of the first and the last. */
struct span {
    uint32_t from, to; /* to is outside */
    uint32_t first, last;
};

double planes_look_px_mm(const struct look *look)
{
    uint32_t longest = look->width_px > look->height_px ? look->width_px : look->height_px;
    double px_mm = look->dpi / 25.4, long_mm = px_mm > 0 ? longest / px_mm : 0;
    return long_mm < page_least_mm || long_mm > page_most_mm ? longest / page_usual_mm : px_mm;
}

static uint8_t pixel_red(const struct look *look, size_t at)
{
    if (!look->hue)
        return 0;
    int red = look->hue[at] > look->violet[at] ? look->hue[at] : look->violet[at];
    red *= RED_PARTS;
    return (uint8_t)(red < 0 ? 0 : red > DENSITY_MAX ? DENSITY_MAX : red);
}

static struct span *spans_new(uint32_t count, uint32_t limit)
{
    struct span *span = calloc(count, sizeof *span);
    for (uint32_t i = 0; span && i < count; i++) {
        uint64_t from = (uint64_t)i * limit * SPAN_ONE / count, to = ((uint64_t)i + 1) * limit * SPAN_ONE / count;
        span[i].from = (uint32_t)(from / SPAN_ONE);
        span[i].to = (uint32_t)((to + SPAN_ONE - 1) / SPAN_ONE);
        span[i].first = SPAN_ONE - (uint32_t)(from % SPAN_ONE);
        span[i].last = to % SPAN_ONE ? (uint32_t)(to % SPAN_ONE) : SPAN_ONE;
        if (span[i].to == span[i].from + 1)
            span[i].first = span[i].last = (uint32_t)(to - from);
    }
    return span;
}

static uint32_t span_part(const struct span *span, uint32_t at)
{
    return at == span->from ? span->first : at + 1 == span->to ? span->last : SPAN_ONE;
}

static void pixel_average(const struct look *look, const struct span *across, const struct span *down, uint8_t *density)
{
    uint64_t ink = 0, red = 0, area = 0;
    for (uint32_t y = down->from; y < down->to; y++)
        for (uint32_t x = across->from; x < across->to; x++) {
            size_t at = (size_t)y * look->width_px + x;
            uint64_t part = (uint64_t)span_part(across, x) * span_part(down, y);
            ink += part * look->contrast[at];
            red += part * pixel_red(look, at);
            area += part;
        }
    density[PLANE_INK] = (uint8_t)(ink / area);
    density[PLANE_RED] = (uint8_t)(red / area);
}

static bool planes_average(const struct look *look, struct planes *planes)
{
    AUTO(mem_destroy) struct span *across = spans_new(planes->width_px, look->width_px);
    AUTO(mem_destroy) struct span *down = spans_new(planes->height_px, look->height_px);
    if (!across || !down)
        return false;
    for (uint32_t y = 0; y < planes->height_px; y++)
        for (uint32_t x = 0; x < planes->width_px; x++)
            pixel_average(look, &across[x], &down[y], planes->density + ((size_t)y * planes->width_px + x) * PLANE_NR);
    return true;
}

static void planes_copy(const struct look *look, struct planes *planes)
{
    for (size_t at = 0; at < (size_t)look->width_px * look->height_px; at++) {
        planes->density[at * PLANE_NR + PLANE_INK] = look->contrast[at];
        planes->density[at * PLANE_NR + PLANE_RED] = pixel_red(look, at);
    }
}

bool planes_new(const struct look *look, double look_px_mm, struct planes *ret_planes)
{
    AUTO(planes_clear) struct planes planes = {.width_px = look->width_px, .height_px = look->height_px, .px_look = 1};
    double scale = PLANES_PX_10MM / 10.0 / look_px_mm;
    bool near = fabs(scale - 1) <= scale_differs;
    if (!near) {
        planes.px_look = scale;
        planes.width_px = (uint32_t)fmax(1, lround(look->width_px * scale));
        planes.height_px = (uint32_t)fmax(1, lround(look->height_px * scale));
    }
    planes.density = malloc((size_t)planes.width_px * planes.height_px * PLANE_NR);
    if (!planes.density)
        return false;
    if (near)
        planes_copy(look, &planes);
    else if (!planes_average(look, &planes))
        return false;
    *ret_planes = planes;
    planes = (struct planes){0};
    return true;
}

void planes_clear(struct planes *planes)
{
    free(planes->density);
    *planes = (struct planes){0};
}
