/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The batch breaker: when a person must look before more of a batch is tried. */
#include "coordinator/sched_private.h"
#include "proto/wire.h"

/* What a result says of its batch: the code that all its failures have, or 0. */
static int result_fault(const Sohoa__Result *result)
{
    int code = result->err ? result->err->code : result->n_failed ? result->failed[0]->err->code : 0;
    for (size_t i = 1; !result->err && i < result->n_failed; i++)
        if (result->failed[i]->err->code != code)
            return 0;
    return result->n_stored || cluster_fault(code) || code == E_STOPPED || code == E_SECRET ? 0 : code;
}

static uint32_t result_fault_keep(struct sched *sched, const Sohoa__Result *result)
{
    struct err err;
    err_from_wire(result->err ? result->err : result->failed[0]->err, &err);
    return backlog_fault(sched->backlog, &err);
}

/* The same failure over and over is one cause that a person must look at, not many bad pages. */
void breaker_feel(struct sched *sched, struct batch *batch, const Sohoa__Result *result, struct acts *acts)
{
    int code = result_fault(result);
    bool failed = result->err || result->n_failed;
    if (!failed || result->n_stored || (code && code != batch->same_code))
        batch->same_count = 0;
    batch->same_code = code ? code : batch->same_code;
    batch->same_count += code != 0;
    if (!sched->rules.breaker_failures || batch->same_count < sched->rules.breaker_failures || batch->check_only ||
        batch->standing.paused)
        return;
    batch->same_count = 0;
    batch->standing.paused = true;
    batch->standing.fault = result_fault_keep(sched, result);
    acts_add(acts, (struct act){
                       .kind = ACT_BROKEN, .doc = {batch->index, 0}
    });
    sched_reorder(sched);
}
