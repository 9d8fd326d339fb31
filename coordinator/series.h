/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How fast it went: pages and slots over the last hour, day and month, in steps that get coarser. Pure. */
#ifndef SOHOA_SERIES_H
#define SOHOA_SERIES_H

#include <stddef.h>
#include <stdint.h>

enum { SERIES_SPANS = 3, SERIES_STEPS_MAX = 1440 };

struct series_step {
    uint64_t pages, dead; /* read, and given up, in the step */
    float busy, slots;    /* in the mean */
};

struct series;

struct series *series_new(uint64_t now_ms);
void series_destroy(struct series **series);

/* Pages of a step of before the start, finished or dead, a minute or an hour long: its number since 1970. Nobody knows of slots then. What
 * is older than the span is passed over. */
void series_restore(struct series *series, uint32_t step_ms, uint64_t number, uint64_t pages);

/* What the counters are now, since the start: a counter that went back counts from there. busy and slots as they have been since the
 * time before. */
void series_add(struct series *series, uint64_t now_ms, uint64_t pages, uint64_t dead, double busy, double slots);

/* The span that has at least so many seconds, else the longest: its steps' length, and from the oldest on all that are complete, of
 * which the last ends at *ret_end_ms. Returns how many there are. step has room for SERIES_STEPS_MAX. */
size_t series_take(const struct series *series, uint64_t span_s, uint64_t *ret_step_ms, uint64_t *ret_end_ms,
                   struct series_step *step);

/* Over the last minute, or as long as is known. */
double series_pages_per_s(const struct series *series);

#endif
