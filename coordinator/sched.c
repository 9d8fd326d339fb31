/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The way of a job: grant -> lease -> result, loss or expiry. Every lease is in its worker's list exactly as long as
 * the pages, document or assembly it covers are marked leased. */
#include "coordinator/sched.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "proto/wire.h"

static void *widen(void *at, size_t *capacity, size_t need, size_t item_bytes)
{
    if (need <= *capacity)
        return at;
    *capacity = *capacity ? *capacity * 2 : 16;
    at = realloc(at, *capacity * item_bytes);
    if (!at)
        abort();
    return at;
}

void acts_add(struct acts *acts, struct act act)
{
    acts->at = widen(acts->at, &acts->capacity, acts->count + 1, sizeof *acts->at);
    acts->at[acts->count++] = act;
}

void acts_destroy(struct acts *acts)
{
    free(acts->at);
    *acts = (struct acts){0};
}

struct sched *sched_new(struct backlog *backlog, const struct sched_rules *rules, uint64_t first_lease)
{
    struct sched *sched = calloc(1, sizeof *sched);
    if (!sched)
        abort();
    sched->backlog = backlog;
    sched->rules = *rules;
    sched->next_lease = first_lease;
    return sched;
}

void sched_destroy(struct sched **sched)
{
    if (!*sched)
        return;
    for (uint32_t i = 0; i < (*sched)->workers; i++)
        free((*sched)->worker[i].lease);
    free((*sched)->worker);
    free((*sched)->order);
    free((*sched)->readers);
    free(*sched);
    *sched = NULL;
}

/* ---- batches in order of urgency ---- */

static int urgency(const void *left, const void *right)
{
    const struct batch *a = *(struct batch *const *)left, *b = *(struct batch *const *)right;
    uint64_t due_a = a->deadline_ms ? a->deadline_ms : UINT64_MAX, due_b = b->deadline_ms ? b->deadline_ms : UINT64_MAX;
    if (due_a != due_b)
        return due_a < due_b ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

void sched_reorder(struct sched *sched)
{
    size_t capacity = sched->order_capacity;
    sched->ordered = 0;
    for (uint32_t i = 0; i < sched->backlog->batches; i++) {
        struct batch *batch = sched->backlog->batch[i];
        if (!batch || !batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
            continue;
        sched->order = widen(sched->order, &capacity, sched->ordered + 1, sizeof(struct batch *));
        sched->order[sched->ordered++] = batch;
    }
    sched->order_capacity = capacity;
    if (sched->ordered)
        qsort(sched->order, sched->ordered, sizeof(struct batch *), urgency);
}

/* ---- workers ---- */

static uint32_t worker_find(const struct sched *sched, const char *name)
{
    uint32_t i = 0;
    while (i < sched->workers && strcmp(sched->worker[i].public.name, name))
        i++;
    return i;
}

/* Counts a worker that comes (1) or goes (-1). */
static void worker_count(struct sched *sched, const struct sched_worker *worker, int sign)
{
    while (sched->pipelines <= worker->pipeline) {
        size_t capacity = sched->pipelines;
        sched->readers = widen(sched->readers, &capacity, sched->pipelines + 1, sizeof *sched->readers);
        memset(sched->readers + sched->pipelines, 0, (capacity - sched->pipelines) * sizeof *sched->readers);
        sched->pipelines = capacity;
    }
    sched->readers[worker->pipeline] += (uint32_t)sign;
    sched->connected_slots += sign > 0 ? worker->slots : -worker->slots;
}

uint32_t sched_hello(struct sched *sched, const char *name, uint32_t pipeline, uint32_t slots)
{
    uint32_t at = worker_find(sched, name);
    if (at == sched->workers) {
        assert(at < WORKERS_MAX && strlen(name) < NAME_BYTES);
        sched->worker = widen(sched->worker, &sched->worker_capacity, at + 1, sizeof *sched->worker);
        sched->worker[at] = (struct worker){0};
        memcpy(sched->worker[at].public.name, name, strlen(name) + 1);
        sched->workers++;
    }
    struct sched_worker *worker = &sched->worker[at].public;
    if (worker->connected)
        worker_count(sched, worker, -1);
    worker->connected = true;
    worker->pipeline = pipeline;
    worker->slots = slots;
    worker_count(sched, worker, 1);
    worker->granted = worker->accepted = 0;
    return at;
}

void sched_credit(struct sched *sched, uint32_t worker, uint64_t jobs_total)
{
    struct sched_worker *w = &sched->worker[worker].public;
    if (jobs_total > w->accepted)
        w->accepted = jobs_total;
}

uint32_t sched_workers(const struct sched *sched)
{
    return sched->workers;
}

const struct sched_worker *sched_worker(const struct sched *sched, uint32_t worker)
{
    return &sched->worker[worker].public;
}

uint32_t sched_leases(const struct sched *sched)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < sched->workers; i++)
        n += sched->worker[i].public.leases;
    return n;
}

/* ---- leases ---- */

static struct lease *lease_add(struct sched *sched, uint32_t worker, struct lease lease)
{
    struct worker *w = &sched->worker[worker];
    w->lease = widen(w->lease, &w->lease_capacity, w->public.leases + 1, sizeof *w->lease);
    lease.worker = worker;
    w->lease[w->public.leases] = lease;
    return &w->lease[w->public.leases++];
}

static struct lease *lease_find(struct sched *sched, uint32_t worker, uint64_t id)
{
    struct worker *w = &sched->worker[worker];
    for (uint32_t i = 0; i < w->public.leases; i++)
        if (w->lease[i].id == id)
            return &w->lease[i];
    return NULL;
}

/* Takes the lease out of its worker's list and returns what it was. */
static struct lease lease_take(struct sched *sched, struct lease *lease)
{
    struct lease was = *lease;
    struct worker *w = &sched->worker[was.worker];
    *lease = w->lease[--w->public.leases];
    return was;
}

static uint64_t lease_deadline(const struct sched *sched, uint32_t pages, uint64_t now_ms)
{
    uint64_t ms = (uint64_t)sched->rules.lease_page_ms * pages;
    return now_ms + (ms > sched->rules.lease_least_ms ? ms : sched->rules.lease_least_ms);
}

static struct part *lease_part(struct sched *sched, const struct lease *lease)
{
    return work_isolate(&sched->backlog->work[lease->work], lease->first, lease->count);
}

/* ---- granting ---- */

/* Not the worker that failed last, as long as there is another that could. */
static bool worker_may(const struct sched *sched, uint32_t last_worker, uint64_t not_before_ms, uint32_t worker,
                       uint64_t now_ms)
{
    return not_before_ms <= now_ms &&
           (last_worker != worker || sched->readers[sched->worker[worker].public.pipeline] < 2);
}

static void name_subscribers(struct sched *sched, const struct work *work)
{
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next) {
        struct doc *doc = doc_at(sched->backlog, ref);
        doc->named = doc->phase == PHASE_WORKING;
    }
}

struct doc_ref work_lead(const struct sched *sched, const struct work *work)
{
    struct doc_ref ref = work->subscriber;
    while (ref.batch != NONE && doc_at(sched->backlog, ref)->phase != PHASE_WORKING)
        ref = doc_at(sched->backlog, ref)->next;
    return ref;
}

static struct lease *grant_part(struct sched *sched, uint32_t worker, uint32_t index, struct part *part,
                                uint64_t now_ms)
{
    struct work *work = &sched->backlog->work[index];
    part_move(sched->backlog, index, part, PAGE_LEASED);
    bool whole = work->parts == 1;
    if (whole)
        name_subscribers(sched, work);
    return lease_add(sched, worker,
                     (struct lease){.id = sched->next_lease++,
                                    .deadline_ms = lease_deadline(sched, part->count, now_ms),
                                    .doc = work_lead(sched, work),
                                    .work = index,
                                    .first = part->first,
                                    .count = part->count,
                                    .generation = work->generation,
                                    .kind = SOHOA__JOB_KIND__JOB_PAGES,
                                    .assemble = whole,
                                    .degraded = part->attempts >= 2,
                                    .attempt = part->attempts + 1u});
}

static struct part *part_pick(const struct sched *sched, struct work *work, uint32_t worker, uint64_t now_ms)
{
    work_cut(work);
    for (uint32_t i = 0; i < work->parts; i++) {
        struct part *part = &work->part[i];
        if (part->state == PAGE_QUEUED && worker_may(sched, part->last_worker, part->not_before_ms, worker, now_ms))
            return part;
    }
    return NULL;
}

static bool work_waits(const struct work *work)
{
    return work->phase == WORK_READY && (!work->parts || work_parts_in(work, PAGE_QUEUED));
}

/* A work that waits, but not for this worker or not yet, goes to the end, so that it does not hide those behind it. */
static struct lease *grant_pages(struct sched *sched, struct batch *batch, uint32_t worker, uint64_t now_ms)
{
    for (uint32_t looks = READY_LOOKAHEAD; looks && batch->ready.count;) {
        uint32_t index = ring_peek(&batch->ready, 0);
        struct work *work = &sched->backlog->work[index];
        struct part *part = work_waits(work) ? part_pick(sched, work, worker, now_ms) : NULL;
        if (part)
            return grant_part(sched, worker, index, part, now_ms);
        ring_pop(&batch->ready);
        if (!work_waits(work))
            continue;
        ring_push(&batch->ready, index);
        looks--;
    }
    return NULL;
}

static bool assembly_waits(const struct work *work)
{
    return work->phase == WORK_ASSEMBLING && !work->leased;
}

static struct lease *grant_assembly(struct sched *sched, struct batch *batch, uint32_t worker, uint64_t now_ms)
{
    for (uint32_t looks = READY_LOOKAHEAD; looks && batch->assemble.count;) {
        uint32_t index = ring_pop(&batch->assemble);
        struct work *work = &sched->backlog->work[index];
        if (!assembly_waits(work) || work_lead(sched, work).batch == NONE)
            continue;
        if (!worker_may(sched, work->last_worker, work->not_before_ms, worker, now_ms)) {
            ring_push(&batch->assemble, index);
            looks--;
            continue;
        }
        work->leased = true;
        name_subscribers(sched, work);
        return lease_add(sched, worker,
                         (struct lease){.id = sched->next_lease++,
                                        .deadline_ms = lease_deadline(sched, work->pages, now_ms),
                                        .doc = work_lead(sched, work),
                                        .work = index,
                                        .generation = work->generation,
                                        .kind = SOHOA__JOB_KIND__JOB_ASSEMBLE,
                                        .attempt = work->attempts + 1u});
    }
    return NULL;
}

static uint32_t probe_pick(struct batch *batch, uint64_t now_ms)
{
    for (uint32_t i = batch->reprobe.count; i > 0; i--) {
        uint32_t doc = ring_pop(&batch->reprobe);
        if (batch->doc[doc].phase != PHASE_UNPROBED)
            continue;
        if (batch->doc[doc].not_before_ms <= now_ms)
            return doc;
        ring_push(&batch->reprobe, doc);
    }
    while (batch->probe_next < batch->docs) {
        const struct doc *doc = &batch->doc[batch->probe_next++];
        if (doc->phase == PHASE_UNPROBED && !doc->attempts && !doc->losses)
            return batch->probe_next - 1;
    }
    return NONE;
}

static struct lease *grant_probe(struct sched *sched, struct batch *batch, uint32_t worker, uint64_t now_ms)
{
    uint32_t doc = probe_pick(batch, now_ms);
    if (doc == NONE)
        return NULL;
    batch->doc[doc].phase = PHASE_PROBING;
    return lease_add(sched, worker,
                     (struct lease){
                         .id = sched->next_lease++,
                         .deadline_ms = lease_deadline(sched, 1, now_ms),
                         .doc = {batch->index, doc},
                         .work = NONE,
                         .generation = batch->doc[doc].generation,
                         .kind = SOHOA__JOB_KIND__JOB_PROBE,
                         .attempt = batch->doc[doc].attempts + 1u
    });
}

/* Assemblies end documents; probes run just far enough ahead that slots don't run dry. */
static struct lease *grant_from(struct sched *sched, struct batch *batch, uint32_t worker, uint64_t now_ms)
{
    bool reads = batch->pipeline == sched->worker[worker].public.pipeline;
    struct lease *lease = reads ? grant_assembly(sched, batch, worker, now_ms) : NULL;
    if (!lease && batch->ready.count < PROBE_AHEAD * sched->connected_slots)
        lease = grant_probe(sched, batch, worker, now_ms);
    if (!lease && reads)
        lease = grant_pages(sched, batch, worker, now_ms);
    if (!lease && batch->check_only)
        lease = grant_probe(sched, batch, worker, now_ms);
    return lease;
}

void sched_ungrant(struct sched *sched, uint32_t worker)
{
    struct sched_worker *w = &sched->worker[worker].public;
    assert(w->granted);
    w->granted--;
}

const struct lease *sched_grant(struct sched *sched, uint32_t worker, uint64_t now_ms)
{
    struct sched_worker *w = &sched->worker[worker].public;
    if (!w->connected || w->granted >= w->accepted)
        return NULL;
    struct lease *lease = NULL;
    for (size_t i = 0; i < sched->ordered && !lease; i++)
        lease = grant_from(sched, sched->order[i], worker, now_ms);
    /* The worker's array may have moved. */
    if (lease)
        sched->worker[worker].public.granted++;
    return lease;
}

/* ---- documents that end ---- */

void doc_settle(struct sched *sched, struct doc_ref ref, Sohoa__DocState state, uint32_t stored, uint32_t dead,
                struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc_count(sched->backlog, ref, -1);
    doc->state = (uint8_t)state;
    doc->phase = PHASE_FINAL;
    doc->named = false;
    doc->pages_stored = stored;
    doc->pages_dead = dead;
    doc_count(sched->backlog, ref, 1);
    acts_add(acts, (struct act){.kind = ACT_OUTCOME, .doc = ref, .work = doc->work});
}

static void doc_refuse(struct sched *sched, struct doc_ref ref, const struct err *err, struct acts *acts)
{
    doc_at(sched->backlog, ref)->fault = backlog_fault(sched->backlog, err);
    if (sched->backlog->batch[ref.batch]->check_only)
        doc_at(sched->backlog, ref)->phase = PHASE_FINAL;
    else
        doc_settle(sched, ref,
                   err->code == E_STOPPED ? SOHOA__DOC_STATE__DOC_QUARANTINED : SOHOA__DOC_STATE__DOC_REFUSED, 0, 0,
                   acts);
}

/* ---- PROBE ---- */

static bool cluster_fault(int code)
{
    return code == E_STORE || code == E_NET || code == E_LEASE || code == E_REDIS;
}

static uint64_t backoff(uint32_t losses, uint64_t now_ms)
{
    return now_ms + (uint64_t)RETRY_BACKOFF_MS * losses;
}

static void probe_failed(struct sched *sched, struct doc_ref ref, const struct err *err, uint64_t now_ms,
                         struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (cluster_fault(err->code) && doc->losses < LEASE_LOSSES_MAX)
        doc->losses++;
    else
        doc->attempts++;
    if (err_class(err->code) != ERR_RETRY || doc->attempts >= sched->rules.page_attempts) {
        doc_refuse(sched, ref, err, acts);
        return;
    }
    doc->phase = PHASE_UNPROBED;
    doc->not_before_ms = err->code == E_LEASE ? 0 : backoff(doc->losses + doc->attempts, now_ms);
    ring_push(&sched->backlog->batch[ref.batch]->reprobe, ref.doc);
}

void sched_place(struct sched *sched, struct doc_ref ref, const struct placement *placed)
{
    struct batch *batch = sched->backlog->batch[ref.batch];
    struct doc *doc = &batch->doc[ref.doc];
    assert(batch->pipeline != NONE);
    uint32_t index = work_find(sched->backlog, placed->sha256, batch->pipeline);
    if (index == NONE)
        index = work_add(sched->backlog, placed->sha256, batch->pipeline, placed->pages, placed->range_pages);
    doc->first_ordinal = placed->first_ordinal;
    if (batch->ordinals < placed->first_ordinal + sched->backlog->work[index].pages)
        batch->ordinals = placed->first_ordinal + sched->backlog->work[index].pages;
    doc->duplicate_of = work_subscriber_in(sched->backlog, index, ref.batch);
    doc->phase = PHASE_PLACED;
    work_subscribe(sched->backlog, index, ref);
}

static void probe_done(struct sched *sched, struct doc_ref ref, const Sohoa__Probe *probe, struct acts *acts)
{
    struct batch *batch = sched->backlog->batch[ref.batch];
    struct doc *doc = &batch->doc[ref.doc];
    if (batch->check_only) {
        doc->pages = probe->pages;
        doc->phase = PHASE_FINAL;
        return;
    }
    struct placement placed = {
        .first_ordinal = batch->ordinals, .pages = probe->pages, .range_pages = sched->rules.range_pages};
    memcpy(placed.sha256, probe->sha256.data, SHA256_BYTES);
    sched_place(sched, ref, &placed);
    doc->generation = sched->backlog->work[doc->work].generation;
    acts_add(acts, (struct act){.kind = ACT_PLACED, .doc = ref, .work = doc->work});
    if (sched->backlog->work[doc->work].phase == WORK_STOPPED) {
        doc->duplicate_of = NONE;
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_QUARANTINED, 0, 0, acts);
    } else if (doc->duplicate_of != NONE) {
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_DUPLICATE, 0, 0, acts);
    }
}

static void finish_probe(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, uint64_t now_ms,
                         struct acts *acts)
{
    struct err err;
    err_from_wire(result->err, &err);
    if (!err.code && !result->probe)
        err_set(&err, E_FRAME, "the worker reported a probe without what it found");
    if (err.code)
        probe_failed(sched, lease->doc, &err, now_ms, acts);
    else
        probe_done(sched, lease->doc, result->probe, acts);
}

/* The work goes where its open documents are: each batch may grant it. */
void work_offer(struct sched *sched, uint32_t index)
{
    const struct work *work = &sched->backlog->work[index];
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next) {
        struct batch *batch = sched->backlog->batch[ref.batch];
        if (doc_at(sched->backlog, ref)->phase != PHASE_WORKING)
            continue;
        ring_push(work->phase == WORK_ASSEMBLING ? &batch->assemble : &batch->ready, index);
    }
}

void sched_placed(struct sched *sched, struct doc_ref ref)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->phase != PHASE_PLACED)
        return;
    struct work *work = &sched->backlog->work[doc->work];
    doc->phase = PHASE_WORKING;
    if (work->phase == WORK_HELD)
        work->phase = WORK_READY;
    if (work->phase == WORK_DONE) /* only this document's record is missing */
        work->phase = WORK_ASSEMBLING;
    struct batch *batch = sched->backlog->batch[ref.batch];
    ring_push(work->phase == WORK_ASSEMBLING ? &batch->assemble : &batch->ready, doc->work);
}

/* ---- PAGES and ASSEMBLE ---- */

static void tell_stored(struct sched *sched, uint32_t index, const struct part *part, struct acts *acts)
{
    struct doc_ref ref = sched->backlog->work[index].subscriber;
    for (; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next)
        if (doc_at(sched->backlog, ref)->phase == PHASE_WORKING)
            acts_add(acts, (struct act){.kind = part->state == PAGE_DEAD ? ACT_DEAD : ACT_STORED,
                                        .doc = ref,
                                        .first = part->first,
                                        .count = part->count,
                                        .fault = part->fault});
}

static void part_die(struct sched *sched, uint32_t index, struct part *part, struct acts *acts)
{
    part_move(sched->backlog, index, part, PAGE_DEAD);
    tell_stored(sched, index, part, acts);
}

/* One page, or a range lost for the cluster's reasons. */
static void part_failed(struct sched *sched, uint32_t index, struct part *part, uint32_t worker, const struct err *err,
                        uint64_t now_ms, struct acts *acts)
{
    bool lost = cluster_fault(err->code) && part->losses < LEASE_LOSSES_MAX;
    part->fault = backlog_fault(sched->backlog, err);
    if (lost) {
        part->losses++;
        part->not_before_ms = err->code == E_LEASE ? 0 : backoff(part->losses, now_ms);
    } else {
        part->attempts++;
        part->last_worker = worker;
    }
    if (!lost && (err_class(err->code) == ERR_POISON || part->attempts >= sched->rules.page_attempts))
        part_die(sched, index, part, acts);
    else
        part_move(sched->backlog, index, part, PAGE_QUEUED);
}

/* A whole job failed: its pages go on one by one, so that one bad page does not take the others with it. */
static void range_failed(struct sched *sched, const struct lease *lease, const struct err *err, uint64_t now_ms,
                         struct acts *acts)
{
    struct work *work = &sched->backlog->work[lease->work];
    if (cluster_fault(err->code) && lease_part(sched, lease)->losses < LEASE_LOSSES_MAX) {
        part_failed(sched, lease->work, lease_part(sched, lease), lease->worker, err, now_ms, acts);
        return;
    }
    for (uint32_t i = 0; i < lease->count; i++) {
        struct part *part = work_isolate(work, lease->first + i, 1);
        part_failed(sched, lease->work, part, lease->worker, err, now_ms, acts);
    }
    acts_add(acts, (struct act){.kind = ACT_SPLIT, .work = lease->work});
}

static void retry_assembly(struct sched *sched, uint32_t index)
{
    sched->backlog->work[index].phase = WORK_ASSEMBLING;
    work_offer(sched, index);
}

/* After parts changed: on with queued ones, or on to ASSEMBLE. */
void work_advance(struct sched *sched, uint32_t index)
{
    struct work *work = &sched->backlog->work[index];
    if (work_parts_in(work, PAGE_QUEUED))
        work_offer(sched, index);
    else if (!work_parts_in(work, PAGE_LEASED))
        retry_assembly(sched, index);
}

void work_tell_bundles(const struct work *work, uint32_t index, struct acts *acts)
{
    for (uint32_t i = 0; i < work->parts; i++)
        if (work->part[i].state == PAGE_STORED && !work->part[i].kept)
            acts_add(acts, (struct act){.kind = ACT_BUNDLE,
                                        .work = index,
                                        .first = work->part[i].first,
                                        .count = work->part[i].count,
                                        .generation = work->generation});
}

static void doc_finish(struct sched *sched, struct doc_ref ref, uint32_t index, struct acts *acts)
{
    const struct work *work = &sched->backlog->work[index];
    struct doc *doc = doc_at(sched->backlog, ref);
    uint32_t dead = 0;
    doc->fault = NONE;
    for (uint32_t i = 0; i < work->parts; i++) {
        const struct part *part = &work->part[i];
        acts_add(acts, (struct act){.kind = part->state == PAGE_DEAD ? ACT_DEAD : ACT_STORED,
                                    .doc = ref,
                                    .first = part->first,
                                    .count = part->count,
                                    .fault = part->fault});
        if (part->state == PAGE_DEAD) {
            dead += part->count;
            doc->fault = doc->fault == NONE ? part->fault : doc->fault;
        }
    }
    if (!work->parts)
        acts_add(acts, (struct act){.kind = ACT_STORED, .doc = ref, .first = 1, .count = work->pages});
    doc->generation = work->generation;
    doc_settle(sched, ref, dead ? SOHOA__DOC_STATE__DOC_DEAD : SOHOA__DOC_STATE__DOC_STORED, work->pages - dead, dead,
               acts);
}

/* Ends every document that the lease wrote a record for; those that came later get theirs in a lease of their own. */
static void work_finish(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    bool later = false;
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next) {
        struct doc *doc = doc_at(sched->backlog, ref);
        if (doc->named)
            doc_finish(sched, ref, index, acts);
        else
            later = later || doc->phase == PHASE_WORKING;
    }
    work->phase = WORK_DONE;
    work->folded = true;
    work->attempts = work->losses = 0;
    if (work->parts && !work_parts_in(work, PAGE_DEAD)) {
        free(work->part);
        work->part = NULL;
        work->parts = 0;
    }
    if (later)
        retry_assembly(sched, index);
}

static bool result_covers(const struct lease *lease, const Sohoa__Result *result)
{
    uint64_t pages = result->n_failed;
    for (size_t i = 0; i < result->n_failed; i++)
        if (result->failed[i]->page_no < lease->first || result->failed[i]->page_no >= lease->first + lease->count)
            return false;
    for (size_t i = 0; i < result->n_stored; i++) {
        const Sohoa__Range *range = result->stored[i];
        if (range->first < lease->first || range->first + range->count > lease->first + lease->count)
            return false;
        pages += range->count;
        for (size_t k = 0; k < result->n_failed; k++)
            if (result->failed[k]->page_no >= range->first && result->failed[k]->page_no < range->first + range->count)
                return false;
        for (size_t k = 0; k < i; k++)
            if (result->stored[k]->first < range->first + range->count &&
                range->first < result->stored[k]->first + result->stored[k]->count)
                return false;
    }
    for (size_t i = 0; i < result->n_failed; i++)
        for (size_t k = 0; k < i; k++)
            if (result->failed[i]->page_no == result->failed[k]->page_no)
                return false;
    return pages == lease->count;
}

static void pages_reported(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, uint64_t now_ms,
                           struct acts *acts)
{
    struct work *work = &sched->backlog->work[lease->work];
    for (size_t i = 0; i < result->n_stored; i++) {
        struct part *part = work_isolate(work, result->stored[i]->first, result->stored[i]->count);
        part_move(sched->backlog, lease->work, part, PAGE_STORED);
        tell_stored(sched, lease->work, part, acts);
    }
    for (size_t i = 0; i < result->n_failed; i++) {
        struct err err;
        err_from_wire(result->failed[i]->err, &err);
        struct part *part = work_isolate(work, result->failed[i]->page_no, 1);
        part_failed(sched, lease->work, part, lease->worker, &err, now_ms, acts);
    }
    if (result->n_failed || result->n_stored != 1)
        acts_add(acts, (struct act){.kind = ACT_SPLIT, .work = lease->work});
}

static void finish_pages(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, uint64_t now_ms,
                         struct acts *acts)
{
    struct err err;
    err_from_wire(result->err, &err);
    if (err.code == E_STOPPED) {
        sched_stop_work(sched, lease->work, acts);
        return;
    }
    bool assembled = lease->assemble && result->assembled && !result->n_failed;
    if (!err.code && !assembled && !result_covers(lease, result))
        err_set(&err, E_FRAME, "the worker's result does not cover the pages of its lease");
    if (err.code) {
        range_failed(sched, lease, &err, now_ms, acts);
    } else if (assembled) {
        part_move(sched->backlog, lease->work, lease_part(sched, lease), PAGE_STORED);
        work_finish(sched, lease->work, acts);
        return;
    } else {
        pages_reported(sched, lease, result, now_ms, acts);
    }
    work_advance(sched, lease->work);
}

/* The pages are there, the document can't be made of them. */
static void assembly_dead(struct sched *sched, uint32_t index, const struct err *err, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    struct err why;
    err_set(&why, E_ASSEMBLE, "%s: %s", err_name(err->code), err->text);
    uint32_t fault = backlog_fault(sched->backlog, err->code == E_ASSEMBLE ? err : &why), dead = 0;
    for (uint32_t i = 0; i < work->parts; i++)
        dead += work->part[i].state == PAGE_DEAD ? work->part[i].count : 0;
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next)
        if (doc_at(sched->backlog, ref)->phase == PHASE_WORKING) {
            doc_at(sched->backlog, ref)->fault = fault;
            doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_DEAD, work->pages - dead, dead, acts);
        }
    work->phase = WORK_DONE;
}

static void assembly_failed(struct sched *sched, const struct lease *lease, const struct err *err, uint64_t now_ms,
                            struct acts *acts)
{
    struct work *work = &sched->backlog->work[lease->work];
    if (cluster_fault(err->code) && work->losses < LEASE_LOSSES_MAX) {
        work->losses++;
        work->not_before_ms = err->code == E_LEASE ? 0 : backoff(work->losses, now_ms);
    } else {
        work->attempts++;
        work->last_worker = lease->worker;
    }
    if (err_class(err->code) == ERR_POISON || work->attempts >= sched->rules.page_attempts)
        assembly_dead(sched, lease->work, err, acts);
    else
        retry_assembly(sched, lease->work);
}

static void finish_assembly(struct sched *sched, const struct lease *lease, const Sohoa__Result *result,
                            uint64_t now_ms, struct acts *acts)
{
    struct work *work = &sched->backlog->work[lease->work];
    struct err err;
    err_from_wire(result->err, &err);
    work->leased = false;
    if (!err.code && !result->assembled)
        err_set(&err, E_FRAME, "the worker reported an assembly without what came out");
    if (err.code == E_STOPPED) {
        sched_stop_work(sched, lease->work, acts);
    } else if (err.code) {
        assembly_failed(sched, lease, &err, now_ms, acts);
    } else {
        work_tell_bundles(work, lease->work, acts);
        work_finish(sched, lease->work, acts);
    }
}

static void result_account(struct batch *batch, const struct lease *lease, const Sohoa__Result *result)
{
    batch->cpu_ms += result->cpu_ms;
    if (lease->kind != SOHOA__JOB_KIND__JOB_PAGES || result->found)
        return;
    if (result->assembled && !result->n_stored)
        batch->pages_read += lease->count;
    for (size_t i = 0; i < result->n_stored; i++)
        batch->pages_read += result->stored[i]->count;
}

bool sched_finish(struct sched *sched, uint32_t worker, const Sohoa__Result *result, uint64_t now_ms, struct acts *acts)
{
    struct lease *found = lease_find(sched, worker, result->lease);
    if (!found)
        return false;
    struct lease lease = lease_take(sched, found);
    result_account(sched->backlog->batch[lease.doc.batch], &lease, result);
    switch (lease.kind) {
    case SOHOA__JOB_KIND__JOB_PROBE: finish_probe(sched, &lease, result, now_ms, acts); break;
    case SOHOA__JOB_KIND__JOB_PAGES: finish_pages(sched, &lease, result, now_ms, acts); break;
    case SOHOA__JOB_KIND__JOB_ASSEMBLE: finish_assembly(sched, &lease, result, now_ms, acts); break;
    default: assert(!"a lease has a kind");
    }
    return true;
}

/* ---- leases that end without a result ---- */

static void lease_lost(struct sched *sched, struct lease *found, const struct err *err, uint64_t now_ms,
                       struct acts *acts)
{
    struct lease lease = lease_take(sched, found);
    if (lease.kind == SOHOA__JOB_KIND__JOB_PROBE) {
        probe_failed(sched, lease.doc, err, now_ms, acts);
    } else if (lease.kind == SOHOA__JOB_KIND__JOB_PAGES) {
        range_failed(sched, &lease, err, now_ms, acts);
        work_advance(sched, lease.work);
    } else {
        sched->backlog->work[lease.work].leased = false;
        assembly_failed(sched, &lease, err, now_ms, acts);
    }
}

static bool is_held(uint64_t id, const uint64_t *held, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (held[i] == id)
            return true;
    return false;
}

void sched_keep_only(struct sched *sched, uint32_t worker, const uint64_t *held, size_t count, struct acts *acts,
                     uint64_t now_ms)
{
    struct err err;
    err_set(&err, E_LEASE, "worker %s came back without it", sched->worker[worker].public.name);
    for (uint32_t i = 0; i < sched->worker[worker].public.leases;) {
        struct lease *lease = &sched->worker[worker].lease[i];
        if (is_held(lease->id, held, count))
            i++;
        else
            lease_lost(sched, lease, &err, now_ms, acts);
    }
}

void sched_lost(struct sched *sched, uint32_t worker, struct acts *acts, uint64_t now_ms)
{
    struct sched_worker *w = &sched->worker[worker].public;
    if (w->connected)
        worker_count(sched, w, -1);
    w->connected = false;
    sched_keep_only(sched, worker, NULL, 0, acts, now_ms);
}

void sched_expire(struct sched *sched, uint64_t now_ms, struct acts *acts)
{
    struct err err;
    for (uint32_t w = 0; w < sched->workers; w++)
        for (uint32_t i = 0; i < sched->worker[w].public.leases;) {
            struct lease *lease = &sched->worker[w].lease[i];
            if (lease->deadline_ms > now_ms) {
                i++;
                continue;
            }
            err_set(&err, E_LEASE, "worker %s did not report in time", sched->worker[w].public.name);
            acts_add(acts, (struct act){.kind = ACT_DROP, .worker = w, .lease = lease->id});
            lease_lost(sched, lease, &err, now_ms, acts);
        }
}

void sched_drop_leases(struct sched *sched, struct doc_ref doc, uint32_t work, struct acts *acts)
{
    for (uint32_t w = 0; w < sched->workers; w++)
        for (uint32_t i = 0; i < sched->worker[w].public.leases;) {
            struct lease *lease = &sched->worker[w].lease[i];
            bool its = work != NONE ? lease->work == work
                                    : lease->work == NONE && lease->doc.batch == doc.batch && lease->doc.doc == doc.doc;
            if (!its) {
                i++;
                continue;
            }
            acts_add(acts, (struct act){.kind = ACT_DROP, .worker = w, .lease = lease->id});
            lease_take(sched, lease);
        }
}

/* ---- a worker that comes back to a coordinator that forgot ---- */

static bool adopt_work(struct sched *sched, struct lease *lease, const Sohoa__Job *job)
{
    struct doc *doc = doc_at(sched->backlog, lease->doc);
    if (doc->phase != PHASE_WORKING || doc->work == NONE)
        return false;
    struct work *work = &sched->backlog->work[doc->work];
    if (job->sha256.len != SHA256_BYTES || memcmp(work->sha256, job->sha256.data, SHA256_BYTES) ||
        work->generation != job->generation)
        return false;
    lease->work = doc->work;
    if (job->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE) {
        if (!assembly_waits(work))
            return false;
        work->leased = true;
    } else {
        struct part *part =
            job->range && work->phase == WORK_READY ? work_part(work, job->range->first, job->range->count) : NULL;
        /* A part of its own as the ledger knows it, or its bundle would not be found after the next restart. */
        if (!part || part->state != PAGE_QUEUED || part->first != job->range->first ||
            part->count != job->range->count || (job->assemble && work->parts > 1))
            return false;
        lease->first = part->first;
        lease->count = part->count;
        part_move(sched->backlog, doc->work, part, PAGE_LEASED);
    }
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next)
        doc_at(sched->backlog, ref)->named = false;
    doc->named = true; /* for sure; the others get their records in a lease of their own */
    return true;
}

bool sched_adopt(struct sched *sched, uint32_t worker, const Sohoa__Job *job, uint64_t now_ms)
{
    if (lease_find(sched, worker, job->lease))
        return true;
    struct batch *batch = backlog_batch(sched->backlog, job->batch);
    if (!batch || job->doc >= batch->docs)
        return false;
    struct lease lease = {
        .id = job->lease,
        .deadline_ms = lease_deadline(sched, job->doc_pages, now_ms),
        .doc = {batch->index, job->doc},
        .work = NONE,
        .generation = job->generation,
        .kind = job->kind,
        .assemble = job->assemble,
        .degraded = job->degraded,
        .attempt = job->attempt
    };
    if (job->kind == SOHOA__JOB_KIND__JOB_PROBE) {
        if (batch->doc[job->doc].phase != PHASE_UNPROBED)
            return false;
        batch->doc[job->doc].phase = PHASE_PROBING;
    } else if (!adopt_work(sched, &lease, job)) {
        return false;
    }
    lease_add(sched, worker, lease);
    return true;
}
