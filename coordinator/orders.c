/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is done to whole documents: by operators (withdraw, re-run, quarantine, release), and by a restart, which puts
 * back what layout, ledger and Redis say. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "proto/wire.h"

static void parts_forget(struct work *work)
{
    free(work->part);
    work->part = NULL;
    work->parts = 0;
}

static bool work_wanted(const struct sched *sched, const struct work *work)
{
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next)
        if (doc_at(sched->backlog, ref)->state == SOHOA__DOC_STATE__DOC_OPEN)
            return true;
    return false;
}

/* Nobody waits for it any more: what runs of it stops, what is stored stays for whoever asks for it later. */
static void work_abandon(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    sched_drop_leases(sched, (struct doc_ref){NONE, 0}, index, acts);
    for (uint32_t i = 0; i < work->parts; i++)
        if (work->part[i].state == PAGE_LEASED)
            part_move(sched->backlog, index, &work->part[i], PAGE_QUEUED);
    work->leased = false;
    if (work->phase != WORK_DONE && work->phase != WORK_STOPPED)
        work->phase = WORK_HELD;
}

static void doc_withdraw(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    uint64_t pages[PAGE_STATES];
    uint32_t index = doc->work;
    if (doc->phase == PHASE_PROBING)
        sched_drop_leases(sched, ref, NONE, acts);
    doc_pages(sched->backlog, ref, pages);
    doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_WITHDRAWN, (uint32_t)pages[PAGE_STORED], (uint32_t)pages[PAGE_DEAD],
               acts);
    if (index == NONE)
        return;
    work_unsubscribe(sched->backlog, ref);
    if (!work_wanted(sched, &sched->backlog->work[index]))
        work_abandon(sched, index, acts);
}

void sched_withdraw(struct sched *sched, struct batch *batch, struct acts *acts)
{
    batch->withdrawn = true;
    for (uint32_t i = 0; i < batch->docs; i++)
        if (batch->doc[i].state == SOHOA__DOC_STATE__DOC_OPEN)
            doc_withdraw(sched, (struct doc_ref){batch->index, i}, acts);
    acts_add(acts, (struct act){
                       .kind = ACT_RECOUNT, .doc = {batch->index, 0}
    });
    sched_reorder(sched);
}

void sched_discard(struct sched *sched, struct batch *batch, struct acts *acts)
{
    for (uint32_t i = 0; i < batch->docs; i++)
        if (batch->doc[i].phase == PHASE_PROBING)
            sched_drop_leases(sched, (struct doc_ref){batch->index, i}, NONE, acts);
    batch_remove(sched->backlog, batch);
    sched_reorder(sched);
}

/* ---- re-run ---- */

static void doc_reopen(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc_count(sched->backlog, ref, -1);
    doc->state = SOHOA__DOC_STATE__DOC_OPEN;
    doc->phase = PHASE_PLACED;
    doc->fault = NONE;
    doc->generation = sched->backlog->work[doc->work].generation;
    doc_count(sched->backlog, ref, 1);
    acts_add(acts, (struct act){.kind = ACT_PLACED, .doc = ref, .work = doc->work});
    acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = ref});
}

static void probe_again(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct batch *batch = sched->backlog->batch[ref.batch];
    struct doc *doc = &batch->doc[ref.doc];
    doc_count(sched->backlog, ref, -1);
    doc->state = SOHOA__DOC_STATE__DOC_OPEN;
    doc->phase = PHASE_UNPROBED;
    doc->attempts = doc->losses = 0;
    doc->not_before_ms = 0;
    doc->fault = NONE;
    doc->generation++;
    doc_count(sched->backlog, ref, 1);
    ring_push(&batch->reprobe, ref.doc);
    acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = ref});
}

/* A new generation of the work. Where pages are dead, only these run again; the others are kept from its words. */
static void work_renew(struct work *work)
{
    bool some_dead = work_parts_in(work, PAGE_DEAD) > 0;
    work->words_generation = work->generation++;
    work->phase = WORK_HELD;
    work->leased = false;
    work->attempts = work->losses = 0;
    work->last_worker = NONE;
    if (!some_dead) {
        parts_forget(work);
        return;
    }
    for (uint32_t i = 0; i < work->parts; i++) {
        struct part *part = &work->part[i];
        bool dead = part->state == PAGE_DEAD;
        *part = (struct part){.first = part->first,
                              .count = part->count,
                              .state = dead ? PAGE_QUEUED : PAGE_STORED,
                              .kept = !dead,
                              .last_worker = NONE,
                              .fault = NONE};
    }
}

void sched_rerun(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    assert(doc->phase == PHASE_FINAL);
    if (doc->work == NONE) {
        probe_again(sched, ref, acts);
        sched_reorder(sched);
        return;
    }
    uint32_t index = doc->work;
    struct work *work = &sched->backlog->work[index];
    sched_drop_leases(sched, (struct doc_ref){NONE, 0}, index, acts);
    work_count(sched->backlog, index, -1);
    work_renew(work);
    work_count(sched->backlog, index, 1);
    for (struct doc_ref it = work->subscriber; it.batch != NONE; it = doc_at(sched->backlog, it)->next) {
        uint8_t state = doc_at(sched->backlog, it)->state;
        if (state == SOHOA__DOC_STATE__DOC_STORED || state == SOHOA__DOC_STATE__DOC_DEAD)
            doc_reopen(sched, it, acts);
    }
    if (work->parts)
        acts_add(acts, (struct act){.kind = ACT_SPLIT, .work = index});
    sched_reorder(sched);
}

/* ---- quarantine ---- */

static void doc_quarantine(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->state == SOHOA__DOC_STATE__DOC_WITHDRAWN || doc->state == SOHOA__DOC_STATE__DOC_QUARANTINED)
        return;
    if (doc->phase == PHASE_PROBING)
        sched_drop_leases(sched, ref, NONE, acts);
    doc->fault = NONE;
    doc->duplicate_of = NONE;
    doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_QUARANTINED, 0, 0, acts);
    acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = ref});
}

void sched_stop_work(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    if (work->phase == WORK_STOPPED)
        return;
    sched_drop_leases(sched, (struct doc_ref){NONE, 0}, index, acts);
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next)
        doc_quarantine(sched, ref, acts);
    work->phase = WORK_STOPPED;
    work->leased = false;
    parts_forget(work);
    acts_add(acts, (struct act){.kind = ACT_STOPPED, .work = index});
}

static void doc_stop(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->work != NONE)
        sched_stop_work(sched, doc->work, acts);
    else
        doc_quarantine(sched, ref, acts);
}

void sched_quarantine(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    uint64_t key = doc_at(sched->backlog, ref)->file_key;
    doc_stop(sched, ref, acts);
    for (uint32_t b = 0; key && b < sched->backlog->batches; b++) {
        struct batch *batch = sched->backlog->batch[b];
        for (uint32_t d = 0; batch && d < batch->docs; d++)
            if (batch->doc[d].file_key == key)
                doc_stop(sched, (struct doc_ref){b, d}, acts);
    }
    sched_reorder(sched);
}

static void work_release(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    work->generation++;
    work->phase = WORK_HELD;
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next) {
        if (doc_at(sched->backlog, ref)->state != SOHOA__DOC_STATE__DOC_QUARANTINED)
            continue;
        uint32_t master = work_subscriber_in(sched->backlog, index, ref.batch);
        /* The lowest document of the batch is the master again, whatever the order of the list. */
        for (struct doc_ref it = work->subscriber; it.batch != NONE; it = doc_at(sched->backlog, it)->next)
            master = it.batch == ref.batch && it.doc < master ? it.doc : master;
        doc_reopen(sched, ref, acts);
        if (master != ref.doc) {
            doc_at(sched->backlog, ref)->duplicate_of = master;
            doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_DUPLICATE, 0, 0, acts);
        }
    }
}

void sched_release(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    assert(doc->state == SOHOA__DOC_STATE__DOC_QUARANTINED);
    if (doc->work == NONE)
        probe_again(sched, ref, acts);
    else
        work_release(sched, doc->work, acts);
    sched_reorder(sched);
}

/* ---- restart ---- */

void sched_restore_placed(struct sched *sched, struct doc_ref ref, const struct placement *placed)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->work == NONE)
        sched_place(sched, ref, placed);
    struct work *work = &sched->backlog->work[doc->work];
    doc->generation = placed->generation;
    if (placed->generation <= work->generation)
        return;
    work_count(sched->backlog, doc->work, -1);
    work->generation = placed->generation;
    work->phase = WORK_HELD;
    parts_forget(work);
    work_count(sched->backlog, doc->work, 1);
}

static uint8_t work_phase_after(Sohoa__DocState state, uint8_t phase)
{
    if (state == SOHOA__DOC_STATE__DOC_STORED || state == SOHOA__DOC_STATE__DOC_DEAD)
        return WORK_DONE;
    return state == SOHOA__DOC_STATE__DOC_QUARANTINED ? WORK_STOPPED : phase;
}

void sched_restore_outcome(struct sched *sched, struct doc_ref ref, const Sohoa__DocOutcome *outcome)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    struct acts none = {0};
    if (outcome->generation < doc->generation || (int)outcome->state >= (int)DOC_STATES)
        return;
    doc->generation = outcome->generation;
    if (outcome->err) {
        struct err err;
        err_from_wire(outcome->err, &err);
        doc->fault = backlog_fault(sched->backlog, &err);
    }
    doc->duplicate_of = outcome->state == SOHOA__DOC_STATE__DOC_DUPLICATE ? outcome->duplicate_of : NONE;
    doc_settle(sched, ref, outcome->state, outcome->pages_stored, outcome->pages_dead, &none);
    acts_destroy(&none);
    if (doc->work == NONE)
        return;
    struct work *work = &sched->backlog->work[doc->work];
    work_count(sched->backlog, doc->work, -1);
    if (work->generation == outcome->generation)
        work->phase = work_phase_after(outcome->state, work->phase);
    work_count(sched->backlog, doc->work, 1);
    if (outcome->state == SOHOA__DOC_STATE__DOC_WITHDRAWN)
        work_unsubscribe(sched->backlog, ref);
}

/* Cuts and sets pages without the table: this is not a move, it is what had been reached before. */
static void pages_restore(struct sched *sched, uint32_t index, uint32_t first, uint32_t count, struct part as)
{
    struct work *work = &sched->backlog->work[index];
    if (!work_part(work, first, count))
        return;
    struct part *part = work_isolate(work, first, count);
    as.first = first;
    as.count = count;
    as.last_worker = NONE;
    *part = as;
}

void sched_restore_split(struct sched *sched, struct doc_ref ref, const Sohoa__PagesSplit *split)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->work == NONE || sched->backlog->work[doc->work].generation != split->generation)
        return;
    uint32_t index = doc->work;
    struct work *work = &sched->backlog->work[index];
    work_count(sched->backlog, index, -1);
    work->words_generation = split->words_generation;
    for (size_t i = 0; i < split->n_kept; i++)
        pages_restore(sched, index, split->kept[i]->first, split->kept[i]->count,
                      (struct part){.state = PAGE_STORED, .kept = true, .fault = NONE});
    for (size_t i = 0; i < split->n_stored; i++)
        pages_restore(sched, index, split->stored[i]->first, split->stored[i]->count,
                      (struct part){.state = PAGE_STORED, .fault = NONE});
    for (size_t i = 0; i < split->n_failed + split->n_dead; i++) {
        bool dead = i >= split->n_failed;
        const Sohoa__PageFailure *failure = dead ? split->dead[i - split->n_failed] : split->failed[i];
        struct err err;
        err_from_wire(failure->err, &err);
        pages_restore(sched, index, failure->page_no, 1,
                      (struct part){.state = dead ? PAGE_DEAD : PAGE_QUEUED,
                                    .attempts = (uint8_t)failure->attempts,
                                    .fault = backlog_fault(sched->backlog, &err)});
    }
    work_count(sched->backlog, index, 1);
}

void sched_restore_stored(struct sched *sched, struct doc_ref ref, uint32_t first, uint32_t count)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->work == NONE || doc->state != SOHOA__DOC_STATE__DOC_OPEN)
        return;
    uint32_t index = doc->work;
    struct work *work = &sched->backlog->work[index];
    work_cut(work);
    for (uint32_t i = 0; i < work->parts; i++) {
        struct part *part = &work->part[i];
        bool within = part->first >= first && part->first + part->count <= first + count;
        /* One part alone is assembled in its lease and has no bundle: bits of it mean nothing. */
        if (!within || part->state != PAGE_QUEUED || work->parts == 1)
            continue;
        work_count(sched->backlog, index, -1);
        part->state = PAGE_STORED;
        work_count(sched->backlog, index, 1);
    }
}

static void doc_enter(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->state != SOHOA__DOC_STATE__DOC_OPEN || doc->work == NONE)
        return;
    struct work *work = &sched->backlog->work[doc->work];
    if (doc->duplicate_of != NONE) {
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_DUPLICATE, 0, 0, acts);
    } else if (work->phase == WORK_STOPPED) {
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_QUARANTINED, 0, 0, acts);
    } else {
        doc->phase = PHASE_PLACED;
        sched_placed(sched, ref);
        if (work->parts && work->phase == WORK_READY)
            work_advance(sched, doc->work);
    }
}

void sched_enter(struct sched *sched, struct batch *batch, struct acts *acts)
{
    for (uint32_t i = 0; i < batch->docs; i++)
        doc_enter(sched, (struct doc_ref){batch->index, i}, acts);
    sched_reorder(sched);
}
