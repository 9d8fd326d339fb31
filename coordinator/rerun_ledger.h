/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Orders of re-runs, and their undoing, with what the ledger is to say of them. */
#ifndef SOHOA_RERUN_LEDGER_H
#define SOHOA_RERUN_LEDGER_H

#include "coordinator/commit.h"
#include "coordinator/rerun.h"

/* Orders what was chosen, and returns the order's number; there are fewer than RERUNS_MAX. Entries go to the group, which must
 * get the acts, too. */
uint32_t rerun_order(struct sched *sched, struct backlog *backlog, struct group *group, const char *where,
                     const struct choice *choice, uint64_t time_ms, struct acts *acts);

/* Takes back what has not begun of the order, which is there: how many documents. */
size_t rerun_take_back(struct sched *sched, struct backlog *backlog, struct group *group, uint32_t number,
                       struct acts *acts);

#endif
