/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A ring a span. What is added goes to the step that is open in each; steps that nobody added to are empty. */
#include "coordinator/series.h"

#include <stdbool.h>
#include <stdlib.h>

static const struct {
    uint32_t step_ms, steps;
} span_rule[SERIES_SPANS] = {
    {10 * 1000,   360 },
    {60 * 1000,   1440},
    {3600 * 1000, 720 },
};

struct span {
    struct series_step step[SERIES_STEPS_MAX];
    uint64_t first, open; /* numbers of steps since 1970: the oldest that is known, and the one that is added to */
    double added_ms;      /* to that, of busy and slots */
};

struct series {
    struct span span[SERIES_SPANS];
    uint64_t last_ms, pages, dead; /* when it was added to, and the counters then */
    bool counted;
};

struct series *series_new(uint64_t now_ms)
{
    struct series *series = calloc(1, sizeof *series);
    if (!series)
        abort();
    series->last_ms = now_ms;
    for (int i = 0; i < SERIES_SPANS; i++)
        series->span[i].first = series->span[i].open = now_ms / span_rule[i].step_ms;
    return series;
}

void series_destroy(struct series **series)
{
    free(*series);
    *series = NULL;
}

static struct series_step *step_at(struct span *span, int which, uint64_t number)
{
    return &span->step[number % span_rule[which].steps];
}

/* Steps until now are there, those between empty. */
static void span_open(struct span *span, int which, uint64_t now_ms)
{
    uint64_t now = now_ms / span_rule[which].step_ms;
    if (now > span->open + span_rule[which].steps)
        span->open = now - span_rule[which].steps;
    while (span->open < now) {
        span->open++;
        *step_at(span, which, span->open) = (struct series_step){0};
        span->added_ms = 0;
    }
    if (span->open - span->first >= span_rule[which].steps)
        span->first = span->open - span_rule[which].steps + 1;
}

static void step_restore(struct span *span, int which, uint64_t number, uint64_t pages)
{
    if (number > span->open || number + span_rule[which].steps <= span->open)
        return;
    if (number < span->first)
        span->first = number;
    step_at(span, which, number)->pages += pages;
}

/* Where steps are finer, each gets its part. */
void series_restore(struct series *series, uint32_t step_ms, uint64_t number, uint64_t pages)
{
    for (int i = 0; i < SERIES_SPANS && span_rule[i].step_ms <= step_ms; i++) {
        uint32_t parts = step_ms / span_rule[i].step_ms;
        if (parts > 1 && step_ms > 60 * 1000)
            continue; /* an hour's minutes are told themselves */
        for (uint32_t part = 0; part < parts; part++) {
            uint64_t at = number * parts + part, open = series->span[i].open;
            bool is_now = number * parts <= open && at > open; /* of a minute that is not over */
            step_restore(&series->span[i], i, is_now ? open : at, pages * (part + 1) / parts - pages * part / parts);
        }
    }
}

static float mixed(float mean, double ms, double value, double more_ms)
{
    return (float)((mean * ms + value * more_ms) / (ms + more_ms));
}

static void span_add(struct span *span, int which, uint64_t now_ms, const struct series_step *more, double ms)
{
    span_open(span, which, now_ms);
    struct series_step *step = step_at(span, which, span->open);
    step->pages += more->pages;
    step->dead += more->dead;
    if (ms <= 0)
        return;
    step->busy = mixed(step->busy, span->added_ms, more->busy, ms);
    step->slots = mixed(step->slots, span->added_ms, more->slots, ms);
    span->added_ms += ms;
}

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

void series_add(struct series *series, uint64_t now_ms, uint64_t pages, uint64_t dead, double busy, double slots)
{
    if (now_ms < series->last_ms)
        return; /* the clock was set back */
    struct series_step more = {.busy = (float)busy, .slots = (float)slots};
    if (series->counted) {
        more.pages = grown(pages, series->pages);
        more.dead = grown(dead, series->dead);
    }
    for (int i = 0; i < SERIES_SPANS; i++)
        span_add(&series->span[i], i, now_ms, &more, (double)(now_ms - series->last_ms));
    series->counted = true;
    series->last_ms = now_ms;
    series->pages = pages;
    series->dead = dead;
}

size_t series_take(const struct series *series, uint64_t span_s, uint64_t *ret_step_ms, uint64_t *ret_end_ms,
                   struct series_step *step)
{
    int which = 0;
    while (which + 1 < SERIES_SPANS && (uint64_t)span_rule[which].step_ms * span_rule[which].steps < span_s * 1000)
        which++;
    const struct span *span = &series->span[which];
    size_t count = 0;
    for (uint64_t number = span->first; number < span->open; number++)
        step[count++] = span->step[number % span_rule[which].steps];
    *ret_step_ms = span_rule[which].step_ms;
    *ret_end_ms = span->open * span_rule[which].step_ms;
    return count;
}

double series_pages_per_s(const struct series *series)
{
    enum { STEPS = 6 };
    const struct span *span = &series->span[0];
    uint64_t known = span->open - span->first, steps = known < STEPS ? known : STEPS, pages = 0;
    for (uint64_t number = span->open - steps; number < span->open; number++)
        pages += span->step[number % span_rule[0].steps].pages;
    return steps ? (double)pages * 1000 / ((double)steps * span_rule[0].step_ms) : 0;
}
