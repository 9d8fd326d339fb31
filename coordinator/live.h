/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What people watch: units with their progress and pace, and how fast it went. Taken together every LIVE_UNITS_MS and put in words once,
 * beside the loop, so that many who look cost no more than one. */
#ifndef SOHOA_LIVE_H
#define SOHOA_LIVE_H

#include "coordinator/plan.h"
#include "coordinator/series.h"
#include "proto/buf.h"
#include "proto/limits.h"

struct coordinator;

enum {
    LIVE_UNITS_MS = 5000,  /* as often as there is a plan */
    LIVE_RATE_MS = 60000,  /* what a unit did is measured over as long, at least */
    LIVE_ASKED_MS = 30000, /* after the last question nobody puts it in words any more */
};

struct live_unit {
    char unit[NAME_BYTES];     /* "": documents of none */
    uint32_t batches, docs;    /* admitted */
    uint64_t pages;            /* of them, that are known; of those: */
    uint64_t pages_done, dead; /* stored, duplicates, dead; dead alone */
    uint64_t expected;         /* by its targets; 0: not said */
    double rate;               /* pages that were done a second */
    struct plan_total total;   /* what is left; without rows: nothing */
};

struct live;
struct committer;

struct live *live_new(uint64_t now_ms);
void live_destroy(struct live **live);
void live_restore(struct live *live, struct committer *committer); /* how fast it went before, as far as Redis knows */

/* Every turn of the loop. now_ms: since 1970. */
void live_tick(struct coordinator *c, uint64_t now_ms);

const struct live_unit *live_units(const struct live *live, size_t *ret_count); /* by name */
const struct live_unit *live_unit(const struct live *live, const char *name);   /* NULL: there is none */
uint64_t live_units_ms(const struct live *live);                                /* when they were so */
/* All of them as the API tells them, written by another thread as long as somebody asks; NULL: not yet. */
const struct buf *live_units_text(struct live *live);
const struct series *live_series(const struct live *live);

#endif
