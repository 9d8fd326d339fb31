/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the scheduler learns of time, and does with it: the cost of pages and the pace of workers; how long ranges and leases
 * are; and copies of leases that a worker is slow with. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"

enum {
    PACE_MEMORY = 16,     /* results of a worker that its pace is a mean of */
    COPY_RESULTS = 3,     /* so many results tell a pace */
    COPY_LEAST_MS = 5000, /* that a copy must be expected to gain */
};

enum {
    USE_KNOWN_MS = 60000, /* a slot counts as a core until as much is known of it */
    USE_MEMORY_MS = 1800000,
};

static const double use_least = 0.05;
static const float copy_gain = 1.5F; /* a copy must be expected to end as many times sooner */

static uint32_t pages_within(const struct sched *sched, uint8_t cost)
{
    double pages = sched->rules.range_ms / cost_of(sched->cost, cost)->mean_ms + 0.5;
    return pages < 1 ? 1 : pages > sched->rules.range_pages ? sched->rules.range_pages : (uint32_t)pages;
}

uint32_t range_size(const struct sched *sched, uint8_t cost, uint32_t pages)
{
    uint32_t most = pages_within(sched, cost), ranges = (pages + most - 1) / most;
    return (pages + ranges - 1) / ranges;
}

uint32_t sched_read_most(const struct sched *sched)
{
    return pages_within(sched, COST_UNKNOWN);
}

uint64_t lease_deadline(const struct sched *sched, uint8_t cost, uint32_t pages, uint64_t now_ms)
{
    double learned_ms = LEASE_SPREAD * cost_of(sched->cost, cost)->p90_ms * pages;
    double most_ms = (double)sched->rules.lease_page_ms * pages, ms = learned_ms < most_ms ? learned_ms : most_ms;
    return now_ms + (ms > sched->rules.lease_least_ms ? (uint64_t)ms : sched->rules.lease_least_ms);
}

/* ---- learning ---- */

static uint32_t pages_reported(const struct lease *lease, const Sohoa__Result *result)
{
    uint32_t pages = (uint32_t)result->n_failed;
    for (size_t i = 0; i < result->n_stored; i++)
        pages += result->stored[i]->count;
    if (!pages && result->assembled)
        pages = lease->kind == SOHOA__JOB_KIND__JOB_PROBE && result->probe ? result->probe->pages : lease->count;
    return pages;
}

static void pace_learn(struct sched_worker *worker, const struct lease *lease, double expected_ms, uint64_t now_ms)
{
    if (expected_ms < 1)
        return;
    float pace = (float)((double)(now_ms - lease->granted_ms) / expected_ms);
    worker->results += worker->results < PACE_MEMORY;
    worker->pace += (pace - worker->pace) / (float)worker->results;
}

void cost_result(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, uint64_t now_ms)
{
    uint32_t pages = pages_reported(lease, result);
    sched->cpu_ms += result->cpu_ms;
    if (result->err || result->found || !pages || lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE)
        return;
    uint8_t class = lease->work != NONE ? sched->backlog->work[lease->work].cost : cost_class(result->probe);
    struct batch *batch = sched->backlog->batch[lease->doc.batch];
    struct lot *lot = lot_of(batch, lease->doc.doc);
    pace_learn(&sched->worker[lease->worker].public, lease, cost_of(sched->cost, class)->mean_ms * pages, now_ms);
    cost_learn(sched->cost, class, pages, result->cpu_ms);
    batch->pages_read += pages;
    lot->pages_read += pages;
}

/* ---- how many cores that is ---- */

double sched_use(const struct sched *sched)
{
    double use = (sched->cpu_ms + USE_KNOWN_MS) / (sched->slot_ms + USE_KNOWN_MS);
    return use < use_least ? use_least : use > 1 ? 1 : use;
}

void sched_measure(struct sched *sched, uint64_t now_ms)
{
    double ms = sched->measured_ms ? (double)(now_ms - sched->measured_ms) : 0,
           kept = USE_MEMORY_MS / (USE_MEMORY_MS + ms);
    uint32_t busy = 0;
    for (uint32_t w = 0; w < sched->workers; w++) {
        const struct sched_worker *worker = &sched->worker[w].public;
        busy += worker->leases < worker->slots ? worker->leases : worker->slots;
    }
    sched->cpu_ms *= kept;
    sched->slot_ms = (sched->slot_ms + busy * ms) * kept;
    sched->measured_ms = now_ms;
}

/* ---- copies ---- */

static bool lease_same(const struct lease *a, const struct lease *b)
{
    return a->id != b->id && a->kind == b->kind && a->work == b->work && a->first == b->first &&
           a->generation == b->generation &&
           (a->work != NONE || (a->doc.batch == b->doc.batch && a->doc.doc == b->doc.doc));
}

struct lease *lease_copy(struct sched *sched, const struct lease *lease)
{
    for (uint32_t w = 0; lease->copied && w < sched->workers; w++)
        for (uint32_t i = 0; i < sched->worker[w].public.leases; i++)
            if (lease_same(&sched->worker[w].lease[i], lease))
                return &sched->worker[w].lease[i];
    return NULL;
}

/* The mean of those that it is known of; 1 where it is of none. */
static float pace_mean(const struct sched *sched)
{
    float sum = 0;
    uint32_t n = 0;
    for (uint32_t w = 0; w < sched->workers; w++)
        if (sched->worker[w].public.connected && sched->worker[w].public.results >= COPY_RESULTS) {
            sum += sched->worker[w].public.pace;
            n++;
        }
    return n ? sum / (float)n : 1;
}

static float pace_of(const struct sched_worker *worker, float mean)
{
    return worker->results >= COPY_RESULTS ? worker->pace : mean;
}

/* How much sooner the worker, which would have been through by now, would end it, as a multiple. What is late already takes as
 * long again. */
static float copy_gain_of(const struct sched *sched, const struct lease *lease, uint32_t worker, float mean,
                          uint64_t now_ms)
{
    const struct sched_worker *holder = &sched->worker[lease->worker].public, *other = &sched->worker[worker].public;
    float age_ms = (float)(now_ms - lease->granted_ms), whole_ms = lease->expected_ms * pace_of(holder, mean);
    float left_ms = whole_ms - age_ms > age_ms ? whole_ms - age_ms : age_ms;
    float copy_ms = lease->expected_ms * pace_of(other, mean);
    return copy_ms > 0 && age_ms > copy_ms && left_ms - copy_ms >= COPY_LEAST_MS ? left_ms / copy_ms : 0;
}

static bool copy_may(const struct sched *sched, const struct lease *lease, uint32_t worker)
{
    const struct batch *batch = sched->backlog->batch[lease->doc.batch];
    return lease->worker != worker && !lease->copied && lease->kind != SOHOA__JOB_KIND__JOB_ASSEMBLE &&
           (lease->kind == SOHOA__JOB_KIND__JOB_PROBE || batch->pipeline == sched->worker[worker].public.pipeline);
}

static struct lease *copy_pick(struct sched *sched, uint32_t worker, uint64_t now_ms)
{
    struct lease *best = NULL;
    float mean = pace_mean(sched), most = copy_gain;
    for (uint32_t w = 0; w < sched->workers; w++)
        for (uint32_t i = 0; i < sched->worker[w].public.leases; i++) {
            struct lease *lease = &sched->worker[w].lease[i];
            float gain = copy_may(sched, lease, worker) ? copy_gain_of(sched, lease, worker, mean, now_ms) : 0;
            if (gain > most) {
                most = gain;
                best = lease;
            }
        }
    return best;
}

struct lease *copy_grant(struct sched *sched, uint32_t worker, uint64_t now_ms)
{
    struct worker *w = &sched->worker[worker];
    if (now_ms < w->copy_ms)
        return NULL;
    struct lease *slow = copy_pick(sched, worker, now_ms);
    if (!slow) {
        w->copy_ms = now_ms + COPY_EVERY_MS;
        return NULL;
    }
    slow->copied = true;
    struct lease copy = *slow;
    uint32_t pages = copy.count ? copy.count : sched->rules.range_pages;
    uint8_t class = copy.work == NONE ? COST_UNKNOWN : sched->backlog->work[copy.work].cost;
    if (copy.work != NONE) /* who stood for it may be withdrawn by now */
        copy.doc = work_lead(sched, &sched->backlog->work[copy.work]);
    copy.id = sched->next_lease++;
    copy.granted_ms = now_ms;
    copy.deadline_ms = lease_deadline(sched, class, pages, now_ms);
    w->public.copies++;
    return lease_add(sched, worker, copy);
}
