/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The metrics of a coordinator: the table of them, and what is counted for them as it happens. What else they tell is read from the
 * backlog, the plan and the workers when somebody asks (api_metrics.c). Pure. */
#ifndef SOHOA_METER_H
#define SOHOA_METER_H

#include "proto/metric.h"
#include "proto/toll.h"

enum {
    METRIC_UNITS_MAX = 1024,   /* told one by one; all are in the sums */
    METRIC_WORKERS_MAX = 1024, /* likewise */
    METER_KINDS = 4,           /* of jobs, by Sohoa__JobKind; the first is none */
};

enum coordinator_metric {
    CM_BUILD,
    CM_ACTIVE,
    CM_EPOCH,
    CM_UPTIME,
    CM_READY,
    CM_REDIS_OK,
    CM_STORE_USED,
    CM_STORE_TOTAL,
    CM_MEMORY,
    CM_CPU,
    CM_DOCUMENTS,
    CM_DOCUMENTS_FAILED,
    CM_PAGES,
    CM_PAGES_READ,
    CM_PAGES_DEAD,
    CM_PAGES_PER_SECOND,
    CM_BATCHES,
    CM_BATCHES_BROKEN,
    CM_LEASES,
    CM_GRANTS,
    CM_FAILURES,
    CM_COMMIT,
    CM_TURN,
    CM_WORKERS_CONNECTED,
    CM_WORKERS_LOST,
    CM_WORKERS_DRAINED,
    CM_SLOTS,
    CM_SLOTS_BUSY,
    CM_CORES,
    CM_WORKER_CONNECTED,
    CM_WORKER_DRAINED,
    CM_WORKER_SLOTS,
    CM_WORKER_SLOTS_BUSY,
    CM_WORKER_LEASES,
    CM_WORKER_MEMORY,
    CM_WORKER_PACE,
    CM_FEASIBLE,
    CM_UNITS,
    CM_UNIT_DONE,
    CM_UNIT_DEAD,
    CM_UNIT_LEFT,
    CM_UNIT_EXPECTED,
    CM_UNIT_RATE,
    CM_UNIT_DEADLINE,
    CM_UNIT_FINISH,
    CM_UNIT_SLACK,
    CM_UNIT_CORES,
    CM_UNIT_VERDICT,
    CM_OMITTED,
    CM_HTTP,
    CM_FOLLOWERS,
    COORDINATOR_METRICS
};
extern const struct metric coordinator_metric[COORDINATOR_METRICS];

struct meter {
    uint64_t grants[METER_KINDS];
    uint64_t pages_dead; /* as often as one was given up */
    struct toll failures;
    struct histogram commit, turn;
    uint64_t commit_ms; /* when the group under way was handed over; 0: there is none */
};

#endif
