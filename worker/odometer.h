/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The metrics of a worker: the table of them, and what is counted as it happens, on the loop's thread. Pure. */
#ifndef SOHOA_ODOMETER_H
#define SOHOA_ODOMETER_H

#include <stdbool.h>

#include "proto/metric.h"
#include "proto/sohoa.pb-c.h"
#include "proto/toll.h"

enum node_metric {
    NM_BUILD,
    NM_UPTIME,
    NM_JOINED,
    NM_SLOTS,
    NM_SLOTS_BUSY,
    NM_SLOTS_LOST,
    NM_JOBS,
    NM_JOBS_ENDED,
    NM_JOBS_ABANDONED,
    NM_PAGES_READ,
    NM_FAILURES,
    NM_STAGE,
    NM_CPU,
    NM_MEMORY,
    NODE_METRICS
};
extern const struct metric node_metric[NODE_METRICS];

/* What a job's time goes into. */
enum stage { STAGE_NONE, STAGE_FETCH, STAGE_OPEN, STAGE_PAGE, STAGE_ASSEMBLE, STAGE_STORE, STAGES };

enum { ODOMETER_KINDS = 5 }; /* of jobs, by Sohoa__JobKind; the first is none */

struct odometer {
    uint64_t jobs[ODOMETER_KINDS], jobs_abandoned, pages_read, slots_lost, slot_cpu_ms;
    struct toll failures;
    struct histogram stage[STAGES];
};

void odometer_job(struct odometer *odometer, Sohoa__JobKind kind, bool abandoned, int code); /* code 0: it went well */
void odometer_page(struct odometer *odometer, int code);                                     /* likewise */
void odometer_stage(struct odometer *odometer, enum stage stage, uint64_t ms);               /* STAGE_NONE: not told */

struct odometer_now {
    const char *build;
    bool joined;
    unsigned slots, busy_slots, jobs;
    uint64_t uptime_ms;
};
void odometer_tell(const struct odometer *odometer, const struct odometer_now *now, struct buf *text);

#endif
