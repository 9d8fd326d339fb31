/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-plan: the real scheduler over a made-up Hanoi, in virtual time. Workers read pages for as long as these cost; what the
 * coordinator's loop does between events (placing, replanning, expiring) is done here alike, without store, wire or clock.
 *
 *   bench-plan city PAGES SEED LOAD POLICY   documents of the whole city, due so that the fullest moment has this load
 *   bench-plan slow PAGES SEED SHARE TIMES   without deadlines, on nodes of which a share (in percent) is so many times slower
 *   bench-plan lots PAGES SEED LOAD          what `city` has to do: priority, due, core_ms of each lot
 *
 * POLICY: ours; deadline, fifo, priority: the same scheduler without a plan, told terms from which that order follows. Prints one
 * line of JSON. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/chance.h"
#include "bench/city.h"
#include "coordinator/plan.h"
#include "coordinator/sched.h"
#include "proto/auto.h"

enum {
    NODES = 40,
    SLOTS = 4, /* a node */
    PREFETCH = 2,
    QUEUE = SLOTS + PREFETCH,
    EVENTS = 4096,
    PLANS = 4000,  /* in a campaign */
    SNAPSHOTS = 8, /* of forecasts, likewise */
    POLL_MS = 1000,
    ASSEMBLE_PAGE_MS = 5,
    PROBE_MS = 50,
};

#define BEGAN_MS 1.8e12 /* some day of 2027 */

struct job {
    struct lease lease; /* id 0: none */
    double ms;
    bool read; /* pages, not only looked at */
};

struct node {
    double slow; /* times */
    struct job run[SLOTS];
    double began_ms[SLOTS];
    struct job wait[QUEUE];
    unsigned waiting;
    uint64_t taken;
    bool hungry; /* it would take more */
};

struct event { /* a slot is through */
    double at_ms;
    uint32_t node, slot;
    uint64_t lease;
};

struct world {
    const struct city *city;
    struct backlog *backlog;
    struct sched *sched;
    struct acts acts;
    double now_ms, horizon_ms;
    bool plans; /* and serves by them */
    struct node node[NODES];
    struct event heap[EVENTS];
    uint32_t events;
    double needed_ms, wasted_ms; /* of results that counted, and of jobs that were dropped */
    double late_pages, tardiness;
    uint64_t pages;
    double ended_ms, commune_ms[CITY_COMMUNES];
    uint32_t made, snapshots;
    uint64_t p90_ms[SNAPSHOTS][CITY_COMMUNES];
    double plan_most_ms;
};

/* ---- time ---- */

static void heap_sift(struct world *w, uint32_t at)
{
    for (uint32_t child; (child = 2 * at + 1) < w->events; at = child) {
        if (child + 1 < w->events && w->heap[child + 1].at_ms < w->heap[child].at_ms)
            child++;
        if (w->heap[at].at_ms <= w->heap[child].at_ms)
            break;
        struct event swap = w->heap[at];
        w->heap[at] = w->heap[child];
        w->heap[child] = swap;
    }
}

static void heap_push(struct world *w, struct event event)
{
    assert(w->events < EVENTS);
    uint32_t at = w->events++;
    for (; at && w->heap[(at - 1) / 2].at_ms > event.at_ms; at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = event;
}

static struct event heap_pop(struct world *w)
{
    struct event first = w->heap[0];
    w->heap[0] = w->heap[--w->events];
    heap_sift(w, 0);
    return first;
}

/* ---- nodes ---- */

static void slot_start(struct world *w, uint32_t n, uint32_t slot)
{
    struct node *node = &w->node[n];
    node->run[slot] = node->wait[0];
    memmove(node->wait, node->wait + 1, --node->waiting * sizeof node->wait[0]);
    heap_push(w, (struct event){w->now_ms + node->run[slot].ms, n, slot, node->run[slot].lease.id});
    node->began_ms[slot] = w->now_ms;
}

static void slots_start(struct world *w, uint32_t n)
{
    for (uint32_t slot = 0; slot < SLOTS && w->node[n].waiting; slot++)
        if (!w->node[n].run[slot].lease.id)
            slot_start(w, n, slot);
}

static const struct city_lot *lot_in(const struct world *w, struct doc_ref ref, uint32_t *ret_lot, uint32_t *ret_doc)
{
    const struct batch *batch = w->backlog->batch[ref.batch];
    const struct lot *lot = lot_of(batch, ref.doc);
    uint32_t which = 0;
    while (batch->lot[which] != lot)
        which++;
    *ret_lot = ref.batch * CITY_PRIORITIES + which;
    *ret_doc = ref.doc - lot->first_doc;
    return &w->city->lot[*ret_lot];
}

static struct job job_of(const struct world *w, const struct lease *lease, double slow)
{
    uint32_t lot, doc;
    lot_in(w, lease->doc, &lot, &doc);
    uint32_t pages = city_doc_pages(w->city, lot, doc);
    bool assembles = lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE;
    bool looks = lease->kind == SOHOA__JOB_KIND__JOB_PROBE && pages > sched_read_most(w->sched);
    double ms = assembles ? pages * ASSEMBLE_PAGE_MS
                : looks   ? PROBE_MS
                          : (lease->count ? lease->count : pages) * city_doc_ms(w->city, lot, doc);
    return (struct job){*lease, ms * slow, !assembles && !looks};
}

static void node_fill(struct world *w, uint32_t n)
{
    struct node *node = &w->node[n];
    const struct lease *lease;
    uint32_t held = node->waiting;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        held += node->run[slot].lease.id != 0;
    sched_credit(w->sched, n, node->taken + QUEUE - held);
    while (held < QUEUE && (lease = sched_grant(w->sched, n, (uint64_t)w->now_ms))) {
        node->wait[node->waiting++] = job_of(w, lease, node->slow);
        node->taken++;
        held++;
        slots_start(w, n);
    }
    node->hungry = held < QUEUE;
}

/* The lease was dropped: another worker was faster. */
static void node_drop(struct world *w, uint32_t n, uint64_t lease)
{
    struct node *node = &w->node[n];
    for (uint32_t i = 0; i < node->waiting; i++)
        if (node->wait[i].lease.id == lease) {
            memmove(node->wait + i, node->wait + i + 1, (--node->waiting - i) * sizeof node->wait[0]);
            return;
        }
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        if (node->run[slot].lease.id == lease) {
            w->wasted_ms += w->now_ms - node->began_ms[slot];
            node->run[slot].lease.id = 0; /* its event finds that */
            slots_start(w, n);
        }
}

/* ---- what the coordinator's loop does ---- */

static void doc_ended(struct world *w, struct doc_ref ref)
{
    uint32_t lot, doc;
    const struct city_lot *city_lot = lot_in(w, ref, &lot, &doc);
    double due_ms = BEGAN_MS + w->horizon_ms * city_lot->due, late_ms = w->now_ms - due_ms;
    uint32_t pages = city_doc_pages(w->city, lot, doc);
    w->pages += pages;
    w->ended_ms = w->now_ms;
    w->commune_ms[city_lot->commune] = w->now_ms;
    if (late_ms <= 0)
        return;
    w->late_pages += pages;
    w->tardiness += pow(10, 5 - (double)city_lot->priority) * pages * city_doc_ms(w->city, lot, doc) * late_ms;
}

static void acts_do(struct world *w)
{
    for (size_t i = 0; i < w->acts.count; i++) {
        const struct act act = w->acts.at[i];
        if (act.kind == ACT_PLACED)
            sched_placed(w->sched, act.doc, 0);
        else if (act.kind == ACT_OUTCOME)
            doc_ended(w, act.doc);
        else if (act.kind == ACT_DROP)
            node_drop(w, act.worker, act.lease);
    }
    w->acts.count = 0;
}

/* What a worker would say of the lease. */
static void job_report(struct world *w, uint32_t n, const struct job *job)
{
    const struct lease *lease = &job->lease;
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Probe probe = SOHOA__PROBE__INIT;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *ranges[] = {&range};
    uint8_t sha256[SHA256_BYTES] = {0};
    uint32_t lot, doc;
    lot_in(w, lease->doc, &lot, &doc);
    probe.pages = city_doc_pages(w->city, lot, doc);
    struct chance chance = chance_branch(lot, doc);
    for (int i = 0; i < SHA256_BYTES / 8; i++) {
        uint64_t part = chance_next(&chance);
        memcpy(sha256 + 8 * i, &part, sizeof part);
    }
    probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    probe.kind = SOHOA__SOURCE_KIND__SOURCE_PDF;
    probe.bytes = probe.pages * UINT64_C(100000);
    bool is_probe = lease->kind == SOHOA__JOB_KIND__JOB_PROBE, assembles = lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE;
    range.first = lease->count ? lease->first : 1;
    range.count = lease->count ? lease->count : probe.pages;
    result.lease = lease->id;
    result.probe = is_probe ? &probe : NULL;
    result.cpu_ms = (uint32_t)job->ms;
    if (job->read) {
        result.stored = ranges;
        result.n_stored = 1;
    }
    if (assembles || (job->read && (is_probe || lease->assemble)))
        result.assembled = &assembled;
    sched_finish(w->sched, n, &result, (uint64_t)w->now_ms, &w->acts);
}

static void slot_through(struct world *w, const struct event *event)
{
    struct node *node = &w->node[event->node];
    struct job job = node->run[event->slot];
    if (job.lease.id != event->lease)
        return; /* dropped */
    node->run[event->slot].lease.id = 0;
    job_report(w, event->node, &job);
    w->needed_ms += job.ms;
    acts_do(w);
    slots_start(w, event->node);
    node_fill(w, event->node);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void replan(struct world *w)
{
    AUTO(plan_destroy) struct plan plan = {0};
    struct supply supply = {0, NODES * SLOTS};
    uint64_t began_us = now_us();
    plan_make(&plan, w->sched, (uint64_t)w->now_ms, &supply, 1, NULL);
    plan_apply(&plan, w->sched);
    w->plan_most_ms = fmax(w->plan_most_ms, (double)(now_us() - began_us) / 1000);
    w->made++;
    if (w->made % (PLANS / SNAPSHOTS) != 1 || w->snapshots == SNAPSHOTS)
        return;
    struct plan_total total[CITY_COMMUNES];
    plan_batches(&plan, total, CITY_COMMUNES);
    for (uint32_t i = 0; i < CITY_COMMUNES; i++)
        w->p90_ms[w->snapshots][i] = total[i].p90_ms;
    w->snapshots++;
}

static bool backlog_open(const struct world *w)
{
    for (uint32_t i = 0; i < w->backlog->batches; i++)
        if (w->backlog->batch[i]->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
            return true;
    return false;
}

static void nodes_fill(struct world *w)
{
    for (uint32_t n = 0; n < NODES; n++)
        if (w->node[n].hungry)
            node_fill(w, n);
}

static void world_run(struct world *w)
{
    double plan_ms = w->now_ms, poll_ms = w->now_ms;
    for (uint32_t n = 0; n < NODES; n++)
        node_fill(w, n);
    for (uint64_t turns = 0; w->events || backlog_open(w); turns++) {
        if (w->plans && w->now_ms >= plan_ms) {
            plan_ms += w->horizon_ms / PLANS;
            replan(w);
        }
        if (w->now_ms >= poll_ms) {
            poll_ms = w->now_ms + POLL_MS;
            nodes_fill(w);
        }
        double next_ms = w->plans ? fmin(plan_ms, poll_ms) : poll_ms;
        if (w->events && w->heap[0].at_ms <= next_ms) {
            struct event event = heap_pop(w);
            w->now_ms = event.at_ms;
            slot_through(w, &event);
        } else {
            w->now_ms = next_ms;
        }
        if (turns % 1000000 == 0)
            fprintf(stderr, "plan: %.1f million pages, %.1f %% of the campaign\n", (double)w->pages / 1e6,
                    (w->now_ms - BEGAN_MS) / w->horizon_ms * 100);
    }
}

/* ---- runs ---- */

static const struct sched_rules rules = {
    .range_ms = 8000, .range_pages = 32, .page_attempts = 3, .lease_page_ms = 150000, .lease_least_ms = 300000};

/* Of the policy: which of its terms a lot tells the scheduler. */
static struct terms terms_of(const struct world *w, const struct city_lot *lot, const char *policy)
{
    struct terms terms = {.priority = lot->priority, .deadline_ms = (uint64_t)(BEGAN_MS + w->horizon_ms * lot->due)};
    bool fifo = !strcmp(policy, "fifo");
    if (fifo || !strcmp(policy, "priority"))
        terms.deadline_ms = 0;
    if (fifo)
        terms.priority = 3;
    snprintf(terms.unit, sizeof terms.unit, "new:%05u", lot->commune);
    snprintf(terms.bloc, sizeof terms.bloc, "%u", lot->priority); /* a lot of its own, whatever the policy */
    return terms;
}

static void world_admit(struct world *w, const char *policy)
{
    for (uint32_t commune = 0; commune < CITY_COMMUNES; commune++) {
        char id[16];
        snprintf(id, sizeof id, "c%03u", commune);
        struct batch *batch = batch_add(w->backlog, id, 0, 0);
        batch->reads_on = true;
        for (uint32_t p = 0; p < CITY_PRIORITIES; p++) {
            const struct city_lot *lot = &w->city->lot[commune * CITY_PRIORITIES + p];
            struct terms terms = terms_of(w, lot, policy);
            batch_add_lot(batch, &terms, lot->docs, lot->pages);
        }
    }
    sched_reorder(w->sched);
}

static void world_make(struct world *w, const struct city *city, double horizon_ms, const char *policy)
{
    static const uint8_t pipeline[SHA256_BYTES] = {1};
    *w = (struct world){.city = city, .now_ms = BEGAN_MS, .horizon_ms = horizon_ms, .plans = !strcmp(policy, "ours")};
    w->backlog = backlog_new();
    w->sched = sched_new(w->backlog, &rules, 1);
    backlog_pipeline(w->backlog, pipeline);
    world_admit(w, policy);
    for (uint32_t n = 0; n < NODES; n++) {
        char name[16];
        snprintf(name, sizeof name, "n%u", n);
        sched_hello(w->sched, name, 0, SLOTS);
        w->node[n].slow = 1;
    }
}

static void world_end(struct world *w)
{
    sched_destroy(&w->sched);
    backlog_destroy(&w->backlog);
    acts_destroy(&w->acts);
}

/* Of forecasts of units that were not through yet: the share that ended within the P90. */
static double coverage(const struct world *w)
{
    double within = 0, all = 0;
    for (uint32_t s = 0; s < w->snapshots; s++)
        for (uint32_t i = 0; i < CITY_COMMUNES; i++)
            if (w->p90_ms[s][i]) {
                within += w->commune_ms[i] <= (double)w->p90_ms[s][i];
                all++;
            }
    return all > 0 ? within / all : 0;
}

static int run_city(const struct city *city, double load, const char *policy)
{
    static struct world w;
    double horizon_ms = city_load(city, 1, NODES * SLOTS) / load;
    world_make(&w, city, horizon_ms, policy);
    world_run(&w);
    printf(
        "{\"pages\": %" PRIu64
        ", \"days\": %.2f, \"overhead\": %.4f, \"busy\": %.4f, \"late_share\": %.6f, \"tardiness\": %.6g, \"p90_coverage\": %.3f, "
        "\"replan_ms\": %.2f, \"plans\": %u}\n",
        w.pages, (w.ended_ms - BEGAN_MS) / 86.4e6, w.needed_ms / city->core_ms - 1,
        w.needed_ms / (NODES * SLOTS * (w.ended_ms - BEGAN_MS)), w.late_pages / (double)w.pages, w.tardiness,
        coverage(&w), w.plan_most_ms, w.made);
    world_end(&w);
    return 0;
}

static int run_slow(const struct city *city, double share, double times)
{
    static struct world w;
    double cores = 0;
    world_make(&w, city, 1, "fifo");
    for (uint32_t n = 0; n < NODES; n++) {
        w.node[n].slow = n < NODES * share / 100 ? times : 1;
        cores += SLOTS / w.node[n].slow;
    }
    world_run(&w);
    printf("{\"pages\": %" PRIu64 ", \"makespan_ratio\": %.4f, \"extra_cpu\": %.5f}\n", w.pages,
           (w.ended_ms - BEGAN_MS) / (city->core_ms / cores), w.wasted_ms / w.needed_ms);
    world_end(&w);
    return 0;
}

/* All that any scheduler has to do: also to look at documents that are read in several ranges, and to assemble them. */
static double lot_work_ms(const struct city *city, uint32_t lot)
{
    double ms = city->lot[lot].core_ms;
    for (uint32_t doc = 0; doc < city->lot[lot].docs; doc++) {
        uint32_t pages = city_doc_pages(city, lot, doc);
        if (pages * city_doc_ms(city, lot, doc) > rules.range_ms)
            ms += PROBE_MS + pages * ASSEMBLE_PAGE_MS;
    }
    return ms;
}

static int run_lots(const struct city *city, double load)
{
    double horizon_ms = city_load(city, 1, NODES * SLOTS) / load, work_ms = 0;
    printf("{\"cores\": %d, \"lots\": [", NODES * SLOTS);
    for (uint32_t i = 0; i < CITY_LOTS; i++) {
        double ms = lot_work_ms(city, i);
        printf("%s[%u, %.0f, %.0f]", i ? ", " : "", city->lot[i].priority, city->lot[i].due * horizon_ms, ms);
        work_ms += ms;
    }
    fprintf(stderr, "plan: looking at documents and assembling them is %.4f of reading\n", work_ms / city->core_ms - 1);
    puts("]}");
    return 0;
}

int main(int argc, char **argv)
{
    static struct city city;
    if (argc < 5) {
        fprintf(stderr, "bench-plan: not to be run by hand: bench/plan knows its arguments\n");
        return 2;
    }
    city_make(&city, strtoull(argv[3], NULL, 10), strtoull(argv[2], NULL, 10));
    double number = strtod(argv[4], NULL);
    if (!strcmp(argv[1], "city") && argc == 6)
        return run_city(&city, number, argv[5]);
    if (!strcmp(argv[1], "slow") && argc == 6)
        return run_slow(&city, number, strtod(argv[5], NULL));
    return !strcmp(argv[1], "lots") ? run_lots(&city, number) : 2;
}
