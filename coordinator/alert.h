/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What may be wrong, by kind, and how it is said. Which alerts stand is found in watch.c alone; the dashboard shows them, and the
 * webhook is told of them (notify.h). Pure. */
#ifndef SOHOA_ALERT_H
#define SOHOA_ALERT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/limits.h"

enum alert_kind { /* the worst first */
                  ALERT_REDIS_LOST,
                  ALERT_STANDBY_LOST,
                  ALERT_NO_WORKERS,
                  ALERT_WORKER_LOST,
                  ALERT_STORE_FULL,
                  ALERT_NO_PROGRESS,
                  ALERT_BATCH_PAUSED,
                  ALERT_QUARANTINED,
                  ALERT_UNIT_LATE,
                  ALERT_UNIT_AT_RISK,
                  ALERT_UNDATED,
                  ALERT_KINDS
};

struct alert {
    enum alert_kind kind;
    char subject[NAME_BYTES]; /* worker, batch or unit; "": the cluster, or documents of no unit */
    uint32_t count;           /* of what the kind counts: documents, units, else 1 */
    int code;                 /* E_*, why; 0: there is none */
};

struct alert_rule {
    const char *name, *vi, *en; /* name: as the API has it */
    const char *page,
        *within; /* where the dashboard shows it: page alone, or with within and a subject behind it; within NULL: always alone */
    bool told;             /* the webhook hears of it ... */
    bool repeats;          /* ... again and again; else only when it counts more */
    enum alert_kind worse; /* it has not ended when this one begins for its subject; ALERT_KINDS: none is */
};

const struct alert_rule *alert_rule(enum alert_kind kind);
enum alert_kind alert_named(const char *name); /* ALERT_KINDS: there is none of that name */

/* By kind, then by subject. */
int alert_order(const struct alert *a, const struct alert *b);

#endif
