/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who gets what: workers and their credit, lots in order of urgency, leases granted, adopted and dropped. finish.c has what
 * becomes of them, orders.c what operators and a restart do. Every lease is in its worker's list exactly as long as the
 * pages, document or assembly it covers are marked leased. */
#include "coordinator/sched.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "coordinator/target.h"
#include "proto/sketch.h"
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
    if (!acts->count)
        buf_clear(&acts->sketches);
    acts->at = widen(acts->at, &acts->capacity, acts->count + 1, sizeof *acts->at);
    acts->at[acts->count++] = act;
}

void acts_add_sketch(struct acts *acts, const ProtobufCBinaryData *sketch)
{
    struct act *last = &acts->at[acts->count - 1];
    struct sketch said;
    struct err err;
    assert(acts->count && last->kind == ACT_OUTCOME);
    if (!sketch->len || sketch_unpack(sketch->data, sketch->len, &said, &err))
        return;
    last->sketch = (uint32_t)acts->sketches.size;
    last->sketch_bytes = (uint32_t)sketch->len;
    buf_append(&acts->sketches, sketch->data, sketch->len);
}

void acts_destroy(struct acts *acts)
{
    free(acts->at);
    buf_destroy(&acts->sketches);
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
    sched->cost = cost_new();
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
    cost_destroy(&(*sched)->cost);
    free((*sched)->readers);
    free(*sched);
    *sched = NULL;
}

/* ---- lots in order of urgency ---- */

static int urgency(const void *left, const void *right)
{
    const struct lot *a = *(struct lot *const *)left, *b = *(struct lot *const *)right;
    if (!a->sample != !b->sample)
        return a->sample ? -1 : 1;
    if (a->turn_ms != b->turn_ms)
        return a->turn_ms < b->turn_ms ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    if (a->due_ms != b->due_ms)
        return a->due_ms < b->due_ms ? -1 : 1;
    if (a->terms.permanent != b->terms.permanent)
        return a->terms.permanent ? -1 : 1;
    if (a->batch != b->batch)
        return a->batch < b->batch ? -1 : 1;
    return a->first_doc < b->first_doc ? -1 : a->first_doc > b->first_doc;
}

static void order_lots(struct sched *sched, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->lots; i++) {
        lot_settle(sched->backlog, batch->lot[i]);
        if (!lot_open(batch->lot[i]) || batch->lot[i]->paused)
            continue;
        sched->order = widen(sched->order, &sched->order_capacity, sched->ordered + 1, sizeof(struct lot *));
        sched->order[sched->ordered++] = batch->lot[i];
    }
}

void sched_reorder(struct sched *sched)
{
    sched->ordered = 0;
    sched->stale = false;
    for (uint32_t i = 0; i < sched->backlog->batches; i++)
        if (sched->backlog->batch[i])
            order_lots(sched, sched->backlog->batch[i]);
    if (sched->ordered)
        qsort(sched->order, sched->ordered, sizeof(struct lot *), urgency);
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

static uint32_t worker_named(struct sched *sched, const char *name)
{
    uint32_t at = worker_find(sched, name);
    if (at < sched->workers)
        return at;
    assert(at < WORKERS_MAX && strlen(name) < NAME_BYTES);
    sched->worker = widen(sched->worker, &sched->worker_capacity, at + 1, sizeof *sched->worker);
    sched->worker[at] = (struct worker){.last_work = NONE};
    memcpy(sched->worker[at].public.name, name, strlen(name) + 1);
    return sched->workers++;
}

uint32_t sched_hello(struct sched *sched, const char *name, uint32_t pipeline, uint32_t slots)
{
    uint32_t at = worker_named(sched, name);
    struct sched_worker *worker = &sched->worker[at].public;
    if (worker->connected)
        worker_count(sched, worker, -1);
    worker->connected = true;
    worker->pipeline = pipeline;
    worker->slots = slots;
    worker_count(sched, worker, 1);
    worker->granted = worker->accepted = 0;
    worker->tags[0] = '\0';
    return at;
}

void sched_tag(struct sched *sched, uint32_t worker, const char *tags)
{
    snprintf(sched->worker[worker].public.tags, sizeof sched->worker[worker].public.tags, "%s", tags);
}

void sched_drain(struct sched *sched, const char *name, bool drained)
{
    uint32_t at = worker_named(sched, name); /* may move them all */
    sched->worker[at].public.drained = drained;
}

/* No tag is had by all. */
bool sched_sees(const struct sched_worker *worker, const char *tag)
{
    size_t n = strlen(tag);
    for (const char *at = worker->tags; n && *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == n && !strncmp(at, tag, n))
            return true;
    return !n;
}

void sched_lost(struct sched *sched, uint32_t worker, struct acts *acts, uint64_t now_ms)
{
    struct sched_worker *w = &sched->worker[worker].public;
    if (w->connected)
        worker_count(sched, w, -1);
    w->connected = false;
    sched_keep_only(sched, worker, NULL, 0, acts, now_ms);
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

bool sched_knows(const struct sched *sched, const char *worker)
{
    uint32_t i = 0;
    while (i < sched->workers && strcmp(sched->worker[i].public.name, worker))
        i++;
    return i < sched->workers;
}

struct cost *sched_cost(struct sched *sched)
{
    return sched->cost;
}

uint32_t sched_leases(const struct sched *sched)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < sched->workers; i++)
        n += sched->worker[i].public.leases;
    return n;
}

/* ---- leases ---- */

const struct lease *sched_lease(const struct sched *sched, uint32_t worker, uint32_t nth)
{
    return nth < sched->worker[worker].public.leases ? &sched->worker[worker].lease[nth] : NULL;
}

struct lease *lease_add(struct sched *sched, uint32_t worker, struct lease lease)
{
    struct worker *w = &sched->worker[worker];
    w->lease = widen(w->lease, &w->lease_capacity, w->public.leases + 1, sizeof *w->lease);
    lease.worker = worker;
    lease.stops = sched->stops;
    w->lease[w->public.leases] = lease;
    return &w->lease[w->public.leases++];
}

struct lease *lease_find(struct sched *sched, uint32_t worker, uint64_t id)
{
    struct worker *w = &sched->worker[worker];
    for (uint32_t i = 0; i < w->public.leases; i++)
        if (w->lease[i].id == id)
            return &w->lease[i];
    return NULL;
}

struct lease lease_take(struct sched *sched, struct lease *lease)
{
    struct lease was = *lease;
    struct worker *w = &sched->worker[was.worker];
    *lease = w->lease[--w->public.leases];
    return was;
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
    bool whole = work->cut->parts == 1;
    if (whole)
        name_subscribers(sched, work);
    sched->worker[worker].last_work = index;
    return lease_add(
        sched, worker,
        (struct lease){.id = sched->next_lease++,
                       .granted_ms = now_ms,
                       .expected_ms = (float)cost_of(sched->cost, work->cost)->mean_ms * (float)part->count,
                       .deadline_ms = lease_deadline(sched, work->cost, part->count, now_ms),
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
    struct cut *cut = work_cut(work);
    for (uint32_t i = 0; i < cut->parts; i++) {
        struct part *part = &cut->part[i];
        if (part->state == PAGE_QUEUED && worker_may(sched, part->last_worker, part->not_before_ms, worker, now_ms))
            return part;
    }
    return NULL;
}

static bool work_waits(const struct work *work)
{
    return work->phase == WORK_READY && (!work->cut || work_parts_in(work, PAGE_QUEUED));
}

/* More of the source that the worker has already. */
static struct lease *grant_more(struct sched *sched, const struct lot *lot, uint32_t worker, uint64_t now_ms)
{
    uint32_t index = sched->worker[worker].last_work;
    struct work *work = index == NONE ? NULL : &sched->backlog->work[index];
    if (!work || !work->cut || !work_waits(work))
        return NULL;
    struct doc_ref lead = work_lead(sched, work);
    if (lead.batch != lot->batch || lead.doc < lot->first_doc || lead.doc - lot->first_doc >= lot->docs)
        return NULL;
    struct part *part = part_pick(sched, work, worker, now_ms);
    return part ? grant_part(sched, worker, index, part, now_ms) : NULL;
}

/* Works that another worker reads are left to it while there are others: each source is fetched by few. A work that waits, but
 * not for this worker or not yet, goes to the end, so that it does not hide those behind it. */
static struct lease *grant_pages(struct sched *sched, struct lot *lot, uint32_t worker, uint64_t now_ms)
{
    struct lease *more = grant_more(sched, lot, worker, now_ms);
    uint32_t shared = NONE;
    if (more)
        return more;
    for (uint32_t looks = READY_LOOKAHEAD; looks && lot->ready.count;) {
        uint32_t index = (uint32_t)ring_peek(&lot->ready, 0);
        struct work *work = &sched->backlog->work[index];
        struct part *part = work_waits(work) ? part_pick(sched, work, worker, now_ms) : NULL;
        bool read_by_others = part && work_parts_in(work, PAGE_LEASED);
        if (part && !read_by_others)
            return grant_part(sched, worker, index, part, now_ms);
        if (read_by_others && index == shared)
            break; /* all the way round */
        ring_pop(&lot->ready);
        if (!work_waits(work))
            continue;
        if (read_by_others && shared == NONE)
            shared = index;
        ring_push(&lot->ready, index);
        looks--;
    }
    struct part *part = shared == NONE ? NULL : part_pick(sched, &sched->backlog->work[shared], worker, now_ms);
    return part ? grant_part(sched, worker, shared, part, now_ms) : NULL;
}

static bool assembly_waits(const struct work *work)
{
    return work->phase == WORK_ASSEMBLING && !work->leased;
}

static struct lease *grant_assembly(struct sched *sched, struct lot *lot, uint32_t worker, uint64_t now_ms)
{
    for (uint32_t looks = READY_LOOKAHEAD; looks && lot->assemble.count;) {
        uint32_t index = (uint32_t)ring_pop(&lot->assemble);
        struct work *work = &sched->backlog->work[index];
        if (!assembly_waits(work) || work_lead(sched, work).batch == NONE)
            continue;
        if (!worker_may(sched, cut_of(work)->last_worker, cut_of(work)->not_before_ms, worker, now_ms)) {
            ring_push(&lot->assemble, index);
            looks--;
            continue;
        }
        work->leased = true;
        name_subscribers(sched, work);
        return lease_add(sched, worker,
                         (struct lease){.id = sched->next_lease++,
                                        .granted_ms = now_ms,
                                        .deadline_ms = lease_deadline(sched, work->cost, work->pages, now_ms),
                                        .doc = work_lead(sched, work),
                                        .work = index,
                                        .generation = work->generation,
                                        .kind = SOHOA__JOB_KIND__JOB_ASSEMBLE,
                                        .attempt = cut_of(work)->attempts + 1u});
    }
    return NULL;
}

static uint32_t probe_pick(const struct batch *batch, struct lot *lot, uint64_t now_ms)
{
    for (uint32_t i = lot->reprobe.count; i > 0; i--) {
        uint64_t waiting = ring_pop(&lot->reprobe);
        if (doc_look(batch, (uint32_t)waiting)->phase != PHASE_UNPROBED)
            continue;
        if ((waiting >> 32) * MS_A_SECOND <= now_ms)
            return (uint32_t)waiting;
        ring_push(&lot->reprobe, waiting);
    }
    while (lot->probe_next < lot->first_doc + lot->docs) {
        const struct doc *doc = doc_look(batch, lot->probe_next++);
        if (doc->phase == PHASE_UNPROBED && !doc->attempts && !doc->losses)
            return lot->probe_next - 1;
    }
    return NONE;
}

/* Pages of a document, as the manifest says; 0: it does not. */
static float lot_page_share(const struct lot *lot)
{
    return (float)lot->pages_said / (float)lot->docs;
}

static struct lease *grant_probe(struct sched *sched, struct lot *lot, uint32_t worker, uint64_t now_ms)
{
    const struct batch *batch = sched->backlog->batch[lot->batch];
    if (!sched_sees(&sched->worker[worker].public, lot->terms.intake))
        return NULL;
    uint32_t index = probe_pick(batch, lot, now_ms), pages = batch->reads_on ? sched_read_most(sched) : 1;
    if (index == NONE)
        return NULL;
    struct doc *doc = doc_at(sched->backlog, (struct doc_ref){batch->index, index});
    doc->phase = PHASE_PROBING;
    if (lot->sample && !--lot->sample)
        sched->stale = true;
    return lease_add(sched, worker,
                     (struct lease){
                         .id = sched->next_lease++,
                         .granted_ms = now_ms,
                         .expected_ms = lot_page_share(lot) * (float)cost_of(sched->cost, COST_UNKNOWN)->mean_ms,
                         .deadline_ms = lease_deadline(sched, COST_UNKNOWN, pages, now_ms),
                         .doc = {batch->index, index},
                         .work = NONE,
                         .generation = doc->generation,
                         .kind = SOHOA__JOB_KIND__JOB_PROBE,
                         .attempt = doc->attempts + 1u
    });
}

/* Assemblies end documents; probes run just far enough ahead that slots don't run dry. */
static struct lease *grant_from(struct sched *sched, struct lot *lot, uint32_t worker, uint64_t now_ms)
{
    const struct batch *batch = sched->backlog->batch[lot->batch];
    bool reads = batch->pipeline == sched->worker[worker].public.pipeline;
    struct lease *lease = reads ? grant_assembly(sched, lot, worker, now_ms) : NULL;
    if (!lease && lot->ready.count < PROBE_AHEAD * sched->connected_slots)
        lease = grant_probe(sched, lot, worker, now_ms);
    if (!lease && reads)
        lease = grant_pages(sched, lot, worker, now_ms);
    if (!lease && batch->check_only)
        lease = grant_probe(sched, lot, worker, now_ms);
    return lease;
}

void sched_ungrant(struct sched *sched, uint32_t worker)
{
    struct sched_worker *w = &sched->worker[worker].public;
    assert(w->granted);
    w->granted--;
}

/* A lot that is through; a re-run puts it back. */
static void order_drop(struct sched *sched, size_t at)
{
    memmove(sched->order + at, sched->order + at + 1, (--sched->ordered - at) * sizeof sched->order[0]);
}

const struct lease *sched_grant(struct sched *sched, uint32_t worker, uint64_t now_ms)
{
    struct sched_worker *w = &sched->worker[worker].public;
    if (!w->connected || w->drained || w->granted >= w->accepted)
        return NULL;
    struct lease *lease = NULL;
    if (sched->stale)
        sched_reorder(sched);
    for (size_t i = 0; i < sched->ordered && !lease;) {
        if (!lot_open(sched->order[i])) {
            order_drop(sched, i);
            continue;
        }
        lease = grant_from(sched, sched->order[i++], worker, now_ms);
    }
    if (!lease)
        lease = copy_grant(sched, worker, now_ms);
    /* The worker's array may have moved. */
    if (lease)
        sched->worker[worker].public.granted++;
    return lease;
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
            part->count != job->range->count || (job->assemble && work->cut->parts > 1))
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
        .granted_ms = now_ms,
        .deadline_ms = lease_deadline(sched, COST_UNKNOWN, job->doc_pages, now_ms),
        .doc = {batch->index, job->doc},
        .work = NONE,
        .generation = job->generation,
        .kind = job->kind,
        .assemble = job->assemble,
        .degraded = job->degraded,
        .attempt = job->attempt
    };
    if (job->kind == SOHOA__JOB_KIND__JOB_PROBE) {
        struct doc *doc = doc_at(sched->backlog, lease.doc);
        if (doc->phase != PHASE_UNPROBED)
            return false;
        doc->phase = PHASE_PROBING;
    } else if (!adopt_work(sched, &lease, job)) {
        return false;
    }
    lease_add(sched, worker, lease);
    return true;
}
