/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How far a batch is, on stderr: one line that is drawn again on a terminal, a line now and then elsewhere. */
#ifndef SOHOA_BAR_H
#define SOHOA_BAR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/buf.h"

enum { BAR_LINE_EVERY_MS = 5000, BAR_RATE_MS = 60000, BAR_SAMPLES = 64 };

struct bar_state {
    uint64_t docs, docs_done;
    uint64_t pages, pages_done; /* of the documents that were looked at so far */
    uint64_t failures;          /* pages that are dead, documents that are quarantined */
    uint64_t refused;           /* documents; of other types, most of them, which is no failure */
};

struct bar {
    FILE *to;
    bool terminal;
    unsigned columns;
    uint64_t shown_ms; /* when the last line was written; 0: never */
    struct {
        uint64_t ms, pages_done;
    } sample[BAR_SAMPLES]; /* the newest BAR_RATE_MS, a ring */
    unsigned samples;
    bool drawn; /* the cursor is behind a bar */
};

void bar_init(struct bar *bar, FILE *to);

/* Notes where the batch is and shows it when it is time to. */
void bar_show(struct bar *bar, const struct bar_state *state, uint64_t now_ms);

/* Takes the bar off the terminal, so that other lines can follow. */
void bar_clear(struct bar *bar);

/* The line itself: pages done and in all, pages a second, time left, failures and refused documents; with a bar that fills
 * it up to columns when that is not 0. pages_per_s 0: not known yet. */
void bar_format(struct buf *line, const struct bar_state *state, double pages_per_s, unsigned columns);

#endif
