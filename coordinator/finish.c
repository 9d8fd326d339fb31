/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What becomes of leases: results, losses and expiry, the retry ladder, and the documents that end by them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "proto/wire.h"

static struct part *lease_part(struct sched *sched, const struct lease *lease)
{
    return work_isolate(&sched->backlog->work[lease->work], lease->first, lease->count);
}

/* ---- documents that end ---- */

void doc_settle(struct sched *sched, struct doc_ref ref, Sohoa__DocState state, uint32_t stored, uint32_t dead,
                struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc_count(sched->backlog, ref, -1);
    doc->state = state;
    doc->phase = PHASE_FINAL;
    doc->named = false;
    doc->pages_stored = (uint16_t)stored;
    doc->pages_dead = (uint16_t)dead;
    doc_count(sched->backlog, ref, 1);
    acts_add(acts, (struct act){.kind = ACT_OUTCOME, .doc = ref, .work = doc->work});
}

static void doc_refuse(struct sched *sched, struct doc_ref ref, const struct err *err, struct acts *acts)
{
    doc_blame(sched->backlog, ref, backlog_fault(sched->backlog, err));
    if (sched->backlog->batch[ref.batch]->check_only)
        doc_at(sched->backlog, ref)->phase = PHASE_FINAL;
    else
        doc_settle(sched, ref,
                   err->code == E_STOPPED ? SOHOA__DOC_STATE__DOC_QUARANTINED : SOHOA__DOC_STATE__DOC_REFUSED, 0, 0,
                   acts);
}

/* ---- PROBE ---- */

bool cluster_fault(int code)
{
    return code == E_STORE || code == E_NET || code == E_LEASE || code == E_REDIS;
}

/* Whether an error is a loss, which is no attempt. Of a store that takes nothing from anybody no loss is one too many. */
static bool is_loss(const struct sched *sched, int code, uint32_t losses)
{
    return cluster_fault(code) && (losses < LEASE_LOSSES_MAX || (sched->store_fails && code != E_LEASE));
}

/* The losses after one more. */
static uint32_t loss_count(struct sched *sched, int code, uint32_t losses)
{
    sched->store_fails = sched->store_fails || code == E_STORE;
    return losses < LEASE_LOSSES_MAX ? losses + 1 : losses;
}

static uint64_t backoff(uint32_t losses, uint64_t now_ms)
{
    return now_ms + (uint64_t)RETRY_BACKOFF_MS * losses;
}

static void probe_failed(struct sched *sched, struct doc_ref ref, const struct err *err, uint64_t now_ms,
                         struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (is_loss(sched, err->code, doc->losses))
        doc->losses = loss_count(sched, err->code, doc->losses) & 15;
    else
        doc->attempts++;
    if (err_class(err->code) != ERR_RETRY || doc->attempts >= sched->rules.page_attempts) {
        doc_refuse(sched, ref, err, acts);
        return;
    }
    doc->phase = PHASE_UNPROBED;
    uint64_t not_before_ms = err->code == E_LEASE ? 0 : backoff(doc->losses + doc->attempts, now_ms);
    uint64_t second = (not_before_ms + MS_A_SECOND - 1) / MS_A_SECOND; /* not before means after, not within */
    ring_push(&lot_of(sched->backlog->batch[ref.batch], ref.doc)->reprobe, second << 32 | ref.doc);
}

void sched_place(struct sched *sched, struct doc_ref ref, const struct placement *placed)
{
    struct batch *batch = sched->backlog->batch[ref.batch];
    struct doc *doc = doc_at(sched->backlog, ref);
    assert(batch->pipeline != NONE);
    uint32_t index = work_find(sched->backlog, placed->sha256, batch->pipeline);
    if (index == NONE)
        index =
            work_add(sched->backlog, placed->sha256, batch->pipeline, placed->pages, placed->range_pages, placed->cost);
    doc->first_ordinal = (uint32_t)placed->first_ordinal;
    doc_blame(sched->backlog, ref, NONE);
    if (batch->ordinals < placed->first_ordinal + sched->backlog->work[index].pages)
        batch->ordinals = placed->first_ordinal + sched->backlog->work[index].pages;
    doc->duplicate_of = work_subscriber_in(sched->backlog, index, ref.batch);
    doc->phase = PHASE_PLACED;
    work_subscribe(sched->backlog, index, ref);
}

/* The worker went on and read the document in the same lease. */
static bool probe_has_read(const Sohoa__Result *result)
{
    return result->assembled || result->n_stored || result->n_failed;
}

/* What is read already is one range, whatever its pages cost. */
static void probe_done(struct sched *sched, struct doc_ref ref, const Sohoa__Result *result, struct acts *acts)
{
    const Sohoa__Probe *probe = result->probe;
    struct batch *batch = sched->backlog->batch[ref.batch];
    struct doc *doc = doc_at(sched->backlog, ref);
    if (batch->check_only) {
        doc->pages = (uint16_t)probe->pages;
        doc->phase = PHASE_FINAL;
        return;
    }
    if (probe->pages > BATCH_MAX_PAGES - batch->ordinals) {
        struct err err;
        err_set(&err, E_LIMIT, "a batch holds at most %u pages (BATCH_MAX_PAGES): admit the rest as another",
                BATCH_MAX_PAGES);
        doc_refuse(sched, ref, &err, acts);
        return;
    }
    uint8_t cost = cost_class(probe);
    struct placement placed = {.first_ordinal = batch->ordinals,
                               .pages = probe->pages,
                               .range_pages =
                                   probe_has_read(result) ? probe->pages : range_size(sched, cost, probe->pages),
                               .cost = cost};
    memcpy(placed.sha256, probe->sha256.data, SHA256_BYTES);
    sched_place(sched, ref, &placed);
    doc->generation = sched->backlog->work[doc->work].generation;
    acts_add(acts, (struct act){.kind = ACT_PLACED, .doc = ref, .work = doc->work});
    if (sched->backlog->work[doc->work].phase == WORK_STOPPED) {
        doc->duplicate_of = NONE;
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_QUARANTINED, 0, 0, acts);
        /* It may have been read, now or in a lease that was lost, before the tombstone was there. */
        acts_add(acts, (struct act){.kind = ACT_STOPPED, .work = doc->work});
    } else if (sched_source_stopped(sched, placed.sha256)) { /* looked at before the tombstone was there */
        sched_stop_work(sched, doc->work, acts);
    } else if (doc->duplicate_of != NONE) {
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_DUPLICATE, 0, 0, acts);
    }
}

/* The work goes where its open documents are: each batch may grant it. */
void work_offer(struct sched *sched, uint32_t index)
{
    const struct work *work = &sched->backlog->work[index];
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next) {
        struct lot *lot = lot_of(sched->backlog->batch[ref.batch], ref.doc);
        if (doc_at(sched->backlog, ref)->phase != PHASE_WORKING)
            continue;
        ring_push(work->phase == WORK_ASSEMBLING ? &lot->assemble : &lot->ready, index);
    }
}

void sched_placed(struct sched *sched, struct doc_ref ref, uint32_t generation)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->phase != PHASE_PLACED || doc->generation != generation)
        return;
    struct work *work = &sched->backlog->work[doc->work];
    doc->phase = PHASE_WORKING;
    if (work->phase == WORK_HELD)
        work->phase = WORK_READY;
    if (work->phase == WORK_DONE) /* only this document's record is missing */
        work->phase = WORK_ASSEMBLING;
    struct lot *lot = lot_of(sched->backlog->batch[ref.batch], ref.doc);
    if (work->phase == WORK_ASSEMBLING)
        ring_push(&lot->assemble, doc->work);
    else if (work->cut && work->phase == WORK_READY)
        work_advance(sched, doc->work);
    else
        ring_push(&lot->ready, doc->work);
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
    bool lost = is_loss(sched, err->code, part->losses);
    part->fault = backlog_fault(sched->backlog, err);
    if (lost) {
        part->losses = (uint8_t)loss_count(sched, err->code, part->losses);
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
    if (is_loss(sched, err->code, lease_part(sched, lease)->losses)) {
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

static void tell_bundles(uint32_t index, const struct cut *cut, uint32_t generation, struct acts *acts)
{
    for (uint32_t i = 0; i < cut->parts; i++)
        if (cut->part[i].state == PAGE_STORED && !cut->part[i].kept)
            acts_add(acts, (struct act){.kind = ACT_BUNDLE,
                                        .work = index,
                                        .first = cut->part[i].first,
                                        .count = cut->part[i].count,
                                        .generation = generation});
}

void work_tell_bundles(const struct work *work, uint32_t index, struct acts *acts)
{
    tell_bundles(index, cut_of(work), work->generation, acts);
}

/* There is no way back to the result before any more. */
static void before_end(struct work *work, uint32_t index, struct acts *acts)
{
    const struct cut *before = cut_of(work)->before;
    if (before && !before->folded)
        tell_bundles(index, before, work->generation - 1u, acts);
    work_forget_before(work);
}

static void doc_finish(struct sched *sched, struct doc_ref ref, uint32_t index, const Sohoa__Assembled *assembled,
                       struct acts *acts)
{
    const struct work *work = &sched->backlog->work[index];
    struct doc *doc = doc_at(sched->backlog, ref);
    const struct cut *cut = cut_of(work);
    uint32_t dead = 0;
    doc_blame(sched->backlog, ref, NONE);
    for (uint32_t i = 0; i < cut->parts; i++) {
        const struct part *part = &cut->part[i];
        acts_add(acts, (struct act){.kind = part->state == PAGE_DEAD ? ACT_DEAD : ACT_STORED,
                                    .doc = ref,
                                    .first = part->first,
                                    .count = part->count,
                                    .fault = part->fault});
        if (part->state == PAGE_DEAD) {
            dead += part->count;
            if (doc->fault == NONE)
                doc_blame(sched->backlog, ref, part->fault);
        }
    }
    if (!work->cut)
        acts_add(acts, (struct act){.kind = ACT_STORED, .doc = ref, .first = 1, .count = work->pages});
    doc->generation = work->generation;
    doc_grade(sched->backlog->batch[ref.batch], ref.doc, assembled->confidence_cpct, assembled->grades.data,
              assembled->grades.len);
    doc_set_doubts(sched->backlog->batch[ref.batch], ref.doc, assembled->doubts);
    doc_settle(sched, ref, dead ? SOHOA__DOC_STATE__DOC_DEAD : SOHOA__DOC_STATE__DOC_STORED, work->pages - dead, dead,
               acts);
    acts_add_sketch(acts, &assembled->sketch);
}

/* Ends every document that the lease wrote a record for; those that came later get theirs in a lease of their own. */
static void work_finish(struct sched *sched, uint32_t index, const Sohoa__Assembled *assembled, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    bool later = false;
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next) {
        struct doc *doc = doc_at(sched->backlog, ref);
        if (doc->named)
            doc_finish(sched, ref, index, assembled, acts);
        else
            later = later || doc->phase == PHASE_WORKING;
    }
    before_end(work, index, acts);
    work->phase = WORK_DONE;
    work->folded = true;
    work_weigh(work, assembled->a4_pages, assembled->pages_stored);
    if (!work_parts_in(work, PAGE_DEAD))
        work_uncut(work);
    else
        work->cut->attempts = work->cut->losses = 0;
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

/* ended: the document was found as it was assembled before, so its dead pages are dead and not tried again. */
static void pages_reported(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, bool ended,
                           uint64_t now_ms, struct acts *acts)
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
        if (ended) {
            part->fault = backlog_fault(sched->backlog, &err);
            part_die(sched, lease->work, part, acts);
        } else {
            part_failed(sched, lease->work, part, lease->worker, &err, now_ms, acts);
        }
    }
    if (result->n_failed || result->n_stored != 1)
        acts_add(acts, (struct act){.kind = ACT_SPLIT, .work = lease->work});
}

/* The source stops, and its document says why. */
static void work_suspected(struct sched *sched, uint32_t index, struct doc_ref ref, const struct err *err,
                           struct acts *acts)
{
    sched_stop_work(sched, index, acts);
    if (doc_at(sched->backlog, ref)->state == SOHOA__DOC_STATE__DOC_QUARANTINED)
        doc_blame(sched->backlog, ref, backlog_fault(sched->backlog, err));
    acts_add(acts, (struct act){.kind = ACT_SECRET, .doc = ref, .work = index});
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
    if (err.code == E_SECRET) {
        work_suspected(sched, lease->work, sched->backlog->work[lease->work].subscriber, &err, acts);
        return;
    }
    bool assembled = lease->assemble && result->assembled && !result->n_failed;
    bool ended = lease->assemble && result->assembled && result->found;
    if (!err.code && !assembled && !result_covers(lease, result))
        err_set(&err, E_FRAME, "the worker's result does not cover the pages of its lease");
    if (err.code) {
        range_failed(sched, lease, &err, now_ms, acts);
    } else if (assembled) {
        part_move(sched->backlog, lease->work, lease_part(sched, lease), PAGE_STORED);
        work_finish(sched, lease->work, result->assembled, acts);
        return;
    } else {
        pages_reported(sched, lease, result, ended, now_ms, acts);
    }
    if (ended && !err.code)
        work_finish(sched, lease->work, result->assembled, acts);
    else
        work_advance(sched, lease->work);
}

/* The whole document was read in the lease of its PROBE. What others are at work on goes its own way: there it will be
 * found in the store. */
static void probe_read(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, uint64_t now_ms,
                       struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, lease->doc);
    struct work *work = doc->work == NONE ? NULL : &sched->backlog->work[doc->work];
    if (lease->stops != sched->stops) /* it may have been this source, released by now: what was read may be purged */
        return;
    if (doc->phase != PHASE_PLACED || work->phase != WORK_HELD || work->cut || work->generation ||
        work->pages > work->range_pages || work->subscriber.batch != lease->doc.batch ||
        work->subscriber.doc != lease->doc.doc || doc->next.batch != NONE)
        return;
    struct lease pages = *lease;
    pages.work = doc->work;
    pages.first = 1;
    pages.count = work->pages;
    pages.assemble = true;
    pages.kind = SOHOA__JOB_KIND__JOB_PAGES;
    work->phase = WORK_READY;
    doc->named = 1;
    part_move(sched->backlog, doc->work, work_part(work, 1, work->pages), PAGE_LEASED);
    finish_pages(sched, &pages, result, now_ms, acts);
}

/* Read in the lease of its PROBE. Released under another name it is probed, and no more: its pages go on in leases that say so. */
static void probe_suspected(struct sched *sched, struct doc_ref ref, const Sohoa__Result *result, const struct err *err,
                            struct acts *acts)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    bool cleared = sched_cleared(sched, result->probe->sha256.data);
    probe_done(sched, ref, result, acts);
    if (doc->work != NONE && !cleared)
        work_suspected(sched, doc->work, ref, err, acts);
}

static void finish_probe(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, uint64_t now_ms,
                         struct acts *acts)
{
    const struct batch *batch = sched->backlog->batch[lease->doc.batch];
    struct err err;
    err_from_wire(result->err, &err);
    if (!err.code && !result->probe)
        err_set(&err, E_FRAME, "the worker reported a probe without what it found");
    /* The worker names a source that it finds stopped: the document shares its fate, and its release. */
    bool stopped = err.code == E_STOPPED && result->probe && !batch->check_only &&
                   sched_source_stopped(sched, result->probe->sha256.data);
    if (err.code == E_SECRET && result->probe && !batch->check_only) {
        probe_suspected(sched, lease->doc, result, &err, acts);
        return;
    }
    if (err.code && !stopped) {
        probe_failed(sched, lease->doc, &err, now_ms, acts);
        return;
    }
    probe_done(sched, lease->doc, result, acts);
    if (probe_has_read(result))
        probe_read(sched, lease, result, now_ms, acts);
}

/* The pages are there, the document can't be made of them. */
static void assembly_dead(struct sched *sched, uint32_t index, const struct err *err, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    struct err why;
    err_set(&why, E_ASSEMBLE, "%s: %s", err_name(err->code), err->text);
    uint32_t fault = backlog_fault(sched->backlog, err->code == E_ASSEMBLE ? err : &why), dead = 0;
    const struct cut *cut = cut_of(work);
    for (uint32_t i = 0; i < cut->parts; i++)
        dead += cut->part[i].state == PAGE_DEAD ? cut->part[i].count : 0;
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next)
        if (doc_at(sched->backlog, ref)->phase == PHASE_WORKING) {
            doc_blame(sched->backlog, ref, fault);
            doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_DEAD, work->pages - dead, dead, acts);
        }
    before_end(work, index, acts);
    work->phase = WORK_DONE;
    work->cut->attempts = work->cut->losses = 0; /* who subscribes later has the whole ladder */
}

static void assembly_failed(struct sched *sched, const struct lease *lease, const struct err *err, uint64_t now_ms,
                            struct acts *acts)
{
    struct work *work = &sched->backlog->work[lease->work];
    struct cut *cut = work_cut(work);
    if (is_loss(sched, err->code, cut->losses)) {
        cut->losses = (uint8_t)loss_count(sched, err->code, cut->losses);
        cut->not_before_ms = err->code == E_LEASE ? 0 : backoff(cut->losses, now_ms);
    } else {
        cut->attempts++;
        cut->last_worker = lease->worker;
    }
    if (err_class(err->code) == ERR_POISON || cut->attempts >= sched->rules.page_attempts)
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
    } else if (err.code == E_SECRET) {
        work_suspected(sched, lease->work, work->subscriber, &err, acts);
    } else if (err.code) {
        assembly_failed(sched, lease, &err, now_ms, acts);
    } else {
        work_tell_bundles(work, lease->work, acts);
        work_finish(sched, lease->work, result->assembled, acts);
    }
}

/* Of two that do the same, one has ended. True: nothing came of it, and the other goes on alone. */
static bool copy_ends(struct sched *sched, const struct lease *lease, bool failed, struct acts *acts)
{
    struct lease *other = lease_copy(sched, lease);
    if (!other)
        return false;
    other->copied = false;
    if (failed)
        return true;
    acts_add(acts, (struct act){.kind = ACT_DROP, .worker = other->worker, .lease = other->id});
    lease_take(sched, other);
    return false;
}

bool sched_finish(struct sched *sched, uint32_t worker, const Sohoa__Result *result, uint64_t now_ms, struct acts *acts)
{
    struct lease *found = lease_find(sched, worker, result->lease);
    if (!found)
        return false;
    struct lease lease = lease_take(sched, found);
    struct batch *batch = sched->backlog->batch[lease.doc.batch];
    batch->cpu_ms += result->cpu_ms;
    lot_of(batch, lease.doc.doc)->cpu_ms += result->cpu_ms;
    cost_result(sched, &lease, result, now_ms);
    breaker_feel(sched, batch, result, acts);
    if (result->n_stored || result->assembled)
        sched->store_fails = false;
    bool stops = result->err && (result->err->code == E_STOPPED || result->err->code == E_SECRET);
    if (copy_ends(sched, &lease, result->err && !stops, acts))
        return true;
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
    if (copy_ends(sched, &lease, true, acts))
        return;
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
