/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How much is left: pages whose documents are placed are known; of the others the manifest says how many, or documents are as long as
 * those seen so far. What a page costs is told by the lot's own pages as far as it has any, else by its batch's, else by the mean of
 * all batches: not of all pages, since those read last are all of the few batches whose turn it is. */
#include "coordinator/plan.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "coordinator/target.h"
#include "proto/array.h"
#include "proto/auto.h"

enum {
    OWN_PAGES = 100,   /* what is known of others counts as many of a lot's or batch's own */
    KNOWN_PAGES = 100, /* tell what a batch costs */
    KNOWN_BATCHES = 8, /* tell how batches differ */
    SAMPLE_DOCS = 100, /* of a batch, are read before their turn ... */
    SAMPLE_SHARE = 16, /* ... but at most one of so many of a lot */
    PRESET_PAGES = 7,  /* of a document, where nothing is known */
};

static const double batch_spread = 0.25;  /* batches differ in cost by so much, before it is known */
static const double page_spread = 0.5;    /* likewise documents of a batch */
static const double pages_spread = 0.25;  /* likewise in pages a document, where the manifest does not say */
static const double speed_spread = 0.002; /* of the whole cluster against the model */

void plan_destroy(struct plan *plan)
{
    free(plan->row);
    *plan = (struct plan){0};
}

static void plan_add(struct plan *plan, const struct plan_row *row)
{
    plan->row = array_room(plan->row, plan->rows, sizeof *plan->row);
    plan->row[plan->rows++] = *row;
}

/* ---- what is left ---- */

static uint64_t pages_counted(const struct lot *lot)
{
    uint64_t pages = 0;
    for (int s = 0; s < PAGE_STATES; s++)
        pages += lot->page_count[s];
    return pages;
}

/* Of a document that is not placed yet. */
static double pages_expected(const struct lot *lot, uint32_t unplaced)
{
    uint32_t seen = lot->docs - unplaced;
    double counted = (double)pages_counted(lot);
    if (lot->pages_said)
        return fmax(1, unplaced ? ((double)lot->pages_said - counted) / unplaced : 1);
    return (counted + PRESET_PAGES) / (seen + 1.0);
}

/* What batches cost a page. */
struct costs {
    double mean_ms;
    double spread; /* relative standard deviation between batches */
    double doubt;  /* ... of the mean itself */
};

static struct costs costs_of(struct sched *sched)
{
    double sum = 0, squares = 0, n = 0, preset_ms = cost_of(sched->cost, COST_UNKNOWN)->mean_ms;
    for (uint32_t i = 0; i < sched->backlog->batches; i++) {
        const struct batch *batch = sched->backlog->batch[i];
        if (!batch || batch->pages_read < KNOWN_PAGES)
            continue;
        double page_ms = (double)batch->cpu_ms / (double)batch->pages_read;
        sum += page_ms;
        squares += page_ms * page_ms;
        n++;
    }
    struct costs costs = {(sum + preset_ms) / (n + 1), batch_spread, 0};
    if (n >= KNOWN_BATCHES && sum > 0)
        costs.spread = sqrt(fmax(0, squares * n / (sum * sum) - 1));
    costs.doubt = costs.spread / sqrt(n + 1);
    return costs;
}

/* so many pages that cost so much, as far as they tell against what is known of others */
static double shrunk(uint64_t cpu_ms, uint64_t pages, double others_ms)
{
    return ((double)cpu_ms + OWN_PAGES * others_ms) / ((double)pages + OWN_PAGES);
}

static void row_of_lot(const struct sched *sched, const struct costs *costs, const struct lot *lot, double again,
                       struct plan_row *row)
{
    const struct batch *batch = sched->backlog->batch[lot->batch];
    uint32_t unplaced = lot->doc_count[SOHOA__DOC_STATE__DOC_OPEN] - lot->placed;
    double known = (double)(lot->page_count[PAGE_QUEUED] + lot->page_count[PAGE_LEASED]) + again;
    double guessed = unplaced ? unplaced * pages_expected(lot, unplaced) : 0;
    double batch_ms = shrunk(batch->cpu_ms, batch->pages_read, costs->mean_ms);
    double page_ms = shrunk(lot->cpu_ms, lot->pages_read, batch_ms);
    double own = (double)batch->pages_read / OWN_PAGES;
    row->pages = known + guessed;
    double cost_sd = hypot(costs->spread / (1 + own), page_spread / sqrt(1 + row->pages / PRESET_PAGES));
    double pages_sd = lot->pages_said ? 0 : pages_spread * guessed / sqrt(1 + (lot->docs - unplaced) / 10.0);
    row->lot = lot;
    row->unit = lot->terms.unit;
    row->unknown_ms = row->pages * page_ms / (1 + own);
    row->demand = (struct demand){.core_ms = row->pages * page_ms,
                                  .core_ms_sd = hypot(row->pages * page_ms * cost_sd, pages_sd * page_ms),
                                  .deadline_ms = lot->due_ms == DEADLINE_NONE ? 0 : lot->due_ms,
                                  .priority = lot->priority,
                                  .paused = lot->paused};
}

/* again: the next of those that would be read again. */
static void add_lots(struct plan *plan, struct sched *sched, const struct costs *costs, const struct batch *batch,
                     const struct plan_ifs *ifs, size_t *again)
{
    for (uint32_t i = 0; i < batch->lots && !batch->check_only; i++) {
        struct plan_row row = {0};
        const struct lot *lot = batch->lot[i];
        bool more = *again < ifs->agains && ifs->again[*again].lot == lot;
        lot_settle(sched->backlog, batch->lot[i]);
        if (!lot_open(lot) && !more)
            continue;
        row_of_lot(sched, costs, lot, more ? (double)ifs->again[(*again)++].pages : 0, &row);
        plan_add(plan, &row);
    }
}

/* Pages of each target's unit and priority that are admitted, whatever became of them. */
static double *admitted_pages(const struct backlog *backlog)
{
    double *pages = calloc(backlog->targets + 1, sizeof *pages);
    if (!pages)
        abort();
    for (uint32_t b = 0; b < backlog->batches; b++)
        for (uint32_t i = 0; backlog->batch[b] && i < backlog->batch[b]->lots; i++) {
            const struct lot *lot = backlog->batch[b]->lot[i];
            const struct target *target = target_of(backlog, lot->terms.unit, lot->priority);
            uint32_t unplaced = lot->doc_count[SOHOA__DOC_STATE__DOC_OPEN] - lot->placed;
            if (target)
                pages[target - backlog->target] +=
                    (double)pages_counted(lot) + unplaced * pages_expected(lot, unplaced);
        }
    return pages;
}

static void add_targets(struct plan *plan, const struct sched *sched, const struct costs *costs)
{
    const struct backlog *backlog = sched->backlog;
    double *admitted = admitted_pages(backlog), page_ms = costs->mean_ms;
    for (uint32_t i = 0; i < backlog->targets; i++) {
        const struct target *target = &backlog->target[i];
        struct plan_row row = {.unit = target->unit, .pages = (double)target->pages - admitted[i]};
        row.demand = (struct demand){.core_ms = row.pages * page_ms,
                                     .core_ms_sd = row.pages * page_ms * costs->spread,
                                     .deadline_ms = target->deadline_ms == DEADLINE_NONE ? 0 : target->deadline_ms,
                                     .priority = target->priority ? target->priority : PRIORITY_PRESET,
                                     .paused = target->paused};
        row.unknown_ms = row.demand.core_ms;
        if (row.pages >= 1)
            plan_add(plan, &row);
    }
    free(admitted);
}

/* ---- the plan ---- */

static void change_row(const struct sched *sched, const struct plan_change *change, struct plan_row *row)
{
    const char *batch = row->lot ? sched->backlog->batch[row->lot->batch]->id : "";
    if (strcmp(change->subject, row->unit) && strcmp(change->subject, batch))
        return;
    if (change->deadline_ms)
        row->demand.deadline_ms = change->deadline_ms == DEADLINE_NONE ? 0 : change->deadline_ms;
    row->demand.paused = (row->demand.paused || change->pause) && !change->resume;
}

/* What is wrong about the mean of all is wrong alike for all that has not told its own cost. */
static double plan_speed_sd(const struct plan *plan, const struct costs *costs)
{
    double all = 1, unknown = 0;
    for (size_t i = 0; i < plan->rows; i++) {
        all += plan->row[i].demand.core_ms;
        unknown += plan->row[i].unknown_ms;
    }
    return hypot(speed_spread, costs->doubt * unknown / all);
}

static void plan_forecast(struct plan *plan, uint64_t now_ms, const struct supply *supply, size_t supplies,
                          double speed_sd)
{
    struct demand *demand = calloc(plan->rows + 1, sizeof *demand);
    struct outlook *outlook = calloc(plan->rows + 1, sizeof *outlook);
    if (!demand || !outlook)
        abort();
    for (size_t i = 0; i < plan->rows; i++)
        demand[i] = plan->row[i].demand;
    plan->feasible = forecast(now_ms, supply, supplies, demand, plan->rows, speed_sd, outlook);
    for (size_t i = 0; i < plan->rows; i++)
        plan->row[i].outlook = outlook[i];
    free(demand);
    free(outlook);
}

void plan_make(struct plan *plan, struct sched *sched, uint64_t now_ms, const struct supply *supply, size_t supplies,
               const struct plan_ifs *ifs)
{
    static const struct plan_ifs none = {0};
    struct costs costs = costs_of(sched);
    size_t again = 0;
    ifs = ifs ? ifs : &none;
    for (uint32_t i = 0; i < sched->backlog->batches; i++)
        if (sched->backlog->batch[i])
            add_lots(plan, sched, &costs, sched->backlog->batch[i], ifs, &again);
    assert(again == ifs->agains);
    add_targets(plan, sched, &costs);
    for (size_t i = 0; i < ifs->changes; i++)
        for (size_t k = 0; k < plan->rows; k++)
            change_row(sched, &ifs->change[i], &plan->row[k]);
    plan->cores = supplies ? supply[0].cores : 0;
    plan_forecast(plan, now_ms, supply, supplies, plan_speed_sd(plan, &costs));
}

/* Once for each batch: a plan that puts work off to the last moment must know what it costs. */
static void lot_sample(struct batch *batch, struct lot *lot)
{
    if (batch->sampled || lot->paused)
        return;
    batch->sampled = true;
    if (batch->pages_read < KNOWN_PAGES)
        lot->sample = lot->docs / SAMPLE_SHARE < SAMPLE_DOCS ? lot->docs / SAMPLE_SHARE : SAMPLE_DOCS;
}

void plan_apply(const struct plan *plan, struct sched *sched)
{
    for (size_t i = 0; i < plan->rows; i++) {
        if (!plan->row[i].lot)
            continue;
        struct batch *batch = sched->backlog->batch[plan->row[i].lot->batch];
        struct lot *lot = lot_of(batch, plan->row[i].lot->first_doc);
        lot->turn_ms = plan->row[i].outlook.turn_ms;
        lot_sample(batch, lot);
    }
    sched_reorder(sched);
}

static const struct plan_total no_total = {.slack_ms = INT64_MAX};

static void total_add(struct plan_total *total, const struct plan_row *row)
{
    const struct outlook *o = &row->outlook;
    bool dated = row->demand.deadline_ms, worse = dated && o->slack_ms < total->slack_ms;
    total->rows++;
    total->pages += row->pages;
    total->core_ms += row->demand.core_ms;
    total->undated_pages += dated ? 0 : row->pages;
    total->p50_ms = o->p50_ms > total->p50_ms ? o->p50_ms : total->p50_ms;
    total->p90_ms = o->p90_ms > total->p90_ms ? o->p90_ms : total->p90_ms;
    if (worse) {
        total->slack_ms = o->slack_ms;
        total->deadline_ms = row->demand.deadline_ms;
    }
    total->cores_needed = fmax(total->cores_needed, o->cores_needed);
    total->verdict = o->verdict > total->verdict ? o->verdict : total->verdict;
    total->shed = total->shed || o->shed;
}

void plan_all(const struct plan *plan, struct plan_total *total)
{
    *total = no_total;
    for (size_t i = 0; i < plan->rows; i++)
        total_add(total, &plan->row[i]);
}

static int unit_order(const void *a, const void *b)
{
    return strcmp((*(const struct plan_row *const *)a)->unit, (*(const struct plan_row *const *)b)->unit);
}

size_t plan_units(const struct plan *plan, struct plan_unit **ret_units)
{
    AUTO(mem_destroy) const struct plan_row **row = calloc(plan->rows + 1, sizeof *row);
    struct plan_unit *unit = calloc(plan->rows + 1, sizeof *unit);
    size_t units = 0;
    if (!row || !unit)
        abort();
    for (size_t i = 0; i < plan->rows; i++)
        row[i] = &plan->row[i];
    qsort(row, plan->rows, sizeof *row, unit_order);
    for (size_t i = 0; i < plan->rows; i++) {
        if (!units || strcmp(unit[units - 1].unit, row[i]->unit))
            unit[units++] = (struct plan_unit){row[i]->unit, no_total};
        total_add(&unit[units - 1].total, row[i]);
    }
    *ret_units = unit;
    return units;
}

void plan_batches(const struct plan *plan, struct plan_total *total, size_t batches)
{
    for (size_t i = 0; i < batches; i++)
        total[i] = no_total;
    for (size_t i = 0; i < plan->rows; i++)
        if (plan->row[i].lot && plan->row[i].lot->batch < batches)
            total_add(&total[plan->row[i].lot->batch], &plan->row[i]);
}
