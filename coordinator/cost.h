/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a page costs: milliseconds of a core, learned from results. Sources that look alike are of one class: file type, colour,
 * resolution, bytes a page. A class that has few pages yet is told by all pages together; before anything was read, by presets.
 * Older pages count less and less, so that a new profile or other nodes are learned in time. Pure. */
#ifndef SOHOA_COST_H
#define SOHOA_COST_H

#include "proto/sohoa.pb-c.h"

enum {
    COST_UNKNOWN = 0,                 /* the class of a source that nothing is known of: told by all pages */
    COST_CLASSES = 1 + 3 * 4 * 4 * 4, /* type, colour, resolution, bytes a page */
};

struct cost_page {
    double mean_ms, p50_ms, p90_ms;
};

struct cost;

struct cost *cost_new(void);
void cost_destroy(struct cost **cost);

uint8_t cost_class(const Sohoa__Probe *probe);

/* A job read so many pages of one source in cpu_ms. */
void cost_learn(struct cost *cost, uint8_t class, uint32_t pages, uint64_t cpu_ms);

/* Borrowed until the next cost_learn(). */
const struct cost_page *cost_of(struct cost *cost, uint8_t class);

#endif
