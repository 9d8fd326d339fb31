/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Why something waits, is late or failed: what stands in its way, the most general first, and what to do about it. Pure; only looks. */
#ifndef SOHOA_WHY_H
#define SOHOA_WHY_H

#include "coordinator/plan.h"
#include "proto/buf.h"

enum why {
    WHY_STARTING, /* the coordinator waits for workers of before */
    WHY_NO_WORKERS,
    WHY_DRAINED,
    WHY_PAUSED, /* by a person ... */
    WHY_BROKEN, /* ... by the breaker */
    WHY_UNIT_PAUSED,
    WHY_NO_READER, /* no worker has the pipeline */
    WHY_NO_INTAKE, /* no worker sees the sources */
    WHY_RUNNING,
    WHY_TURN, /* others come first */
    WHY_NEXT, /* nothing stands in the way */
    WHY_RETRY,
    WHY_PROBE,
    WHY_ASSEMBLY,
    WHY_LATE,
    WHY_AT_RISK,
    WHY_FAILED,
    WHY_QUARANTINED,
    WHY_DUPLICATE,
    WHY_WITHDRAWN,
    WHY_DONE,
    WHY_KINDS
};
const char *why_name(enum why kind); /* "starting", "no workers", ... */

enum { WHY_REASONS_MOST = 16 };

struct reason {
    enum why kind;
    uint32_t times;  /* of a unit: of so many lots */
    struct buf text; /* a sentence */
    struct buf hint; /* what to do; empty: nothing, or to wait */
};

struct reasons {
    struct reason reason[WHY_REASONS_MOST];
    size_t count;
};
void reasons_destroy(struct reasons *reasons);

/* What is known. */
struct why_scene {
    const struct backlog *backlog;
    const struct sched *sched;
    const struct plan *plan; /* in force */
    uint64_t now_ms;
    uint64_t granting_ms; /* nothing is granted before */
};

/* Into an empty list. Each ends with the forecast, where there is one. */
void why_batch(const struct why_scene *scene, const struct batch *batch, struct reasons *reasons);
void why_unit(const struct why_scene *scene, const char *unit, struct reasons *reasons);
void why_document(const struct why_scene *scene, struct doc_ref ref, struct reasons *reasons);

#endif
