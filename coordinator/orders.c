/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is done to whole documents: by operators (withdraw, re-run, quarantine, release), and by a restart, which puts
 * back what layout, ledger and Redis say. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "proto/wire.h"

/* Nobody waits for it any more, or not yet again: what runs of it stops, what is stored stays for who comes later. */
static void work_abandon(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    sched_drop_leases(sched, (struct doc_ref){NONE, 0}, index, acts);
    for (uint32_t i = 0; work->cut && i < work->cut->parts; i++)
        if (work->cut->part[i].state == PAGE_LEASED)
            part_move(sched->backlog, index, &work->cut->part[i], PAGE_QUEUED);
    work->leased = false;
    if (work->phase == WORK_READY)
        work->phase = WORK_HELD;
}

static void doc_withdraw(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    uint64_t pages[PAGE_STATES];
    uint32_t index = doc->work;
    doc_blame(sched->backlog, ref, NONE);
    if (doc->phase == PHASE_PROBING)
        sched_drop_leases(sched, ref, NONE, acts);
    doc_pages(sched->backlog, ref, pages);
    doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_WITHDRAWN, (uint32_t)pages[PAGE_STORED], (uint32_t)pages[PAGE_DEAD],
               acts);
    if (index == NONE)
        return;
    work_unsubscribe(sched->backlog, ref);
    if (work_lead(sched, &sched->backlog->work[index]).batch == NONE)
        work_abandon(sched, index, acts);
}

void sched_withdraw(struct sched *sched, struct batch *batch, struct acts *acts)
{
    batch->withdrawn = true;
    for (uint32_t i = 0; i < batch->docs; i++)
        if (doc_look(batch, i)->state == SOHOA__DOC_STATE__DOC_OPEN)
            doc_withdraw(sched, (struct doc_ref){batch->index, i}, acts);
    acts_add(acts, (struct act){
                       .kind = ACT_RECOUNT, .doc = {batch->index, 0}
    });
    sched->stale = true;
}

void sched_discard(struct sched *sched, struct batch *batch, struct acts *acts)
{
    for (uint32_t i = doc_next(batch, 0); i < batch->docs; i = doc_next(batch, i + 1))
        if (doc_look(batch, i)->phase == PHASE_PROBING)
            sched_drop_leases(sched, (struct doc_ref){batch->index, i}, NONE, acts);
    batch_remove(sched->backlog, batch);
    sched_reorder(sched);
}

/* ---- once more ---- */

/* By a re-run it can be taken back: its fault and counts of before stay until there are others. Unless it was behind, with a
 * result that is not the one that is run again. */
void doc_reopen(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc_count(sched->backlog, ref, -1);
    if (doc->generation + 1 != sched->backlog->work[doc->work].generation)
        doc->pages_stored = doc->pages_dead = 0;
    doc->state = SOHOA__DOC_STATE__DOC_OPEN;
    doc->phase = PHASE_PLACED;
    doc->generation = sched->backlog->work[doc->work].generation;
    doc_count(sched->backlog, ref, 1);
    acts_add(acts, (struct act){.kind = ACT_PLACED, .doc = ref, .work = doc->work});
    acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = ref});
}

/* It waited for the record of a result that is run again: now it waits for the next, and has none to go back to. */
void doc_follow(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc->pages_stored = doc->pages_dead = 0;
    doc->phase = PHASE_PLACED;
    doc->generation = sched->backlog->work[doc->work].generation;
    acts_add(acts, (struct act){.kind = ACT_PLACED, .doc = ref, .work = doc->work});
    acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = ref});
}

void doc_probe_again(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc_count(sched->backlog, ref, -1);
    doc->state = SOHOA__DOC_STATE__DOC_OPEN;
    doc->phase = PHASE_UNPROBED;
    doc->attempts = doc->losses = 0;
    doc->generation++;
    doc_count(sched->backlog, ref, 1);
    ring_push(&lot_of(sched->backlog->batch[ref.batch], ref.doc)->reprobe, ref.doc);
    acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = ref});
}

/* ---- quarantine ---- */

static void doc_quarantine(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->state == SOHOA__DOC_STATE__DOC_WITHDRAWN || doc->state == SOHOA__DOC_STATE__DOC_QUARANTINED)
        return;
    if (doc->phase == PHASE_PROBING)
        sched_drop_leases(sched, ref, NONE, acts);
    doc_blame(sched->backlog, ref, NONE);
    doc->duplicate_of = NONE;
    doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_QUARANTINED, 0, 0, acts);
    acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = ref});
}

static void subscribers_quarantine(struct sched *sched, const struct work *work, struct acts *acts)
{
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(sched->backlog, ref)->next)
        doc_quarantine(sched, ref, acts);
}

static void work_stop(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    if (work->phase == WORK_STOPPED)
        return;
    sched_drop_leases(sched, (struct doc_ref){NONE, 0}, index, acts);
    subscribers_quarantine(sched, work, acts);
    work->phase = WORK_STOPPED;
    work->leased = work->folded = work->cleared = false;
    work_uncut(work);
    sched->stops++;
    acts_add(acts, (struct act){.kind = ACT_STOPPED, .work = index});
}

/* The tombstone is the source's, whatever the pipeline. */
static void source_each(struct sched *sched, uint32_t index, struct acts *acts,
                        void (*each)(struct sched *sched, uint32_t work, struct acts *acts))
{
    const uint8_t *sha256 = sched->backlog->work[index].sha256;
    for (uint32_t pipeline = 0; pipeline < sched->backlog->pipelines; pipeline++) {
        uint32_t work = work_find(sched->backlog, sha256, pipeline);
        if (work != NONE)
            each(sched, work, acts);
    }
}

void sched_stop_work(struct sched *sched, uint32_t index, struct acts *acts)
{
    source_each(sched, index, acts, work_stop);
}

bool sched_source_stopped(const struct sched *sched, const uint8_t sha256[SHA256_BYTES])
{
    for (uint32_t pipeline = 0; pipeline < sched->backlog->pipelines; pipeline++) {
        uint32_t work = work_find(sched->backlog, sha256, pipeline);
        if (work != NONE && sched->backlog->work[work].phase == WORK_STOPPED)
            return true;
    }
    return false;
}

bool sched_cleared(const struct sched *sched, const uint8_t sha256[SHA256_BYTES])
{
    for (uint32_t pipeline = 0; pipeline < sched->backlog->pipelines; pipeline++) {
        uint32_t work = work_find(sched->backlog, sha256, pipeline);
        if (work != NONE && sched->backlog->work[work].cleared)
            return true;
    }
    return false;
}

void sched_purge(struct sched *sched, struct acts *acts)
{
    for (uint32_t i = 0; i < sched->backlog->works; i++) {
        if (sched->backlog->work[i].phase != WORK_STOPPED)
            continue;
        subscribers_quarantine(sched, &sched->backlog->work[i], acts);
        acts_add(acts, (struct act){.kind = ACT_STOPPED, .work = i});
        sched_stop_work(sched, i, acts); /* those that nobody subscribes to are in no outcome */
    }
}

static void doc_stop(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->work != NONE)
        sched_stop_work(sched, doc->work, acts);
    else
        doc_quarantine(sched, ref, acts);
}

void sched_quarantine(struct sched *sched, const struct doc_ref *doc, size_t count, struct acts *acts)
{
    for (size_t i = 0; i < count; i++)
        doc_stop(sched, doc[i], acts);
    sched->stale = true;
}

static void work_release(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    if (work->phase != WORK_STOPPED)
        return;
    work_reach(work, (uint16_t)(work->generation + 1));
    work->phase = WORK_HELD;
    work->cleared = true;
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
        doc_probe_again(sched, ref, acts);
    else
        source_each(sched, doc->work, acts, work_release);
    sched->stale = true;
}

/* ---- restart ---- */

/* Decided before its source was known, in a batch that was not pinned then: its layout is read behind that. Placed, it was
 * opened again since. */
static void doc_unsettle(struct sched *sched, struct doc_ref ref)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc_count(sched->backlog, ref, -1);
    doc->state = SOHOA__DOC_STATE__DOC_OPEN;
    doc_blame(sched->backlog, ref, NONE);
    doc_count(sched->backlog, ref, 1);
}

void sched_restore_placed(struct sched *sched, struct doc_ref ref, const struct placement *placed)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->state != SOHOA__DOC_STATE__DOC_OPEN && doc->work == NONE)
        doc_unsettle(sched, ref);
    if (doc->work == NONE)
        sched_place(sched, ref, placed);
    struct work *work = &sched->backlog->work[doc->work];
    doc->generation = (uint16_t)placed->generation;
    if (work->reached < doc->generation)
        work->reached = doc->generation;
}

/* A later generation was laid out. What is known of the one before came behind an earlier admission than this layout: it stays
 * known, as what it may go back to. */
static void work_restore_generation(struct work *work, uint16_t generation)
{
    struct cut *before = generation == work->generation + 1 ? work->cut : NULL;
    if (before) {
        work_forget_before(work);
        before->folded = work->folded;
        work->cut = NULL;
    }
    work->generation = generation;
    work->phase = WORK_HELD;
    work->folded = false;
    work_uncut(work);
    if (before)
        work_cut(work)->before = before;
}

void sched_restore_laid(struct sched *sched, struct batch *batch, uint32_t first, uint32_t end)
{
    for (uint32_t d = doc_next(batch, first); d < end; d = doc_next(batch, d + 1)) {
        const struct doc *doc = doc_look(batch, d);
        struct work *work = doc->work == NONE ? NULL : &sched->backlog->work[doc->work];
        if (!work || doc->generation <= work->generation)
            continue;
        work_count(sched->backlog, doc->work, -1);
        work_restore_generation(work, doc->generation);
        work_count(sched->backlog, doc->work, 1);
    }
}

/* What is not dead of a work that came to its end is stored, whatever the last split says of it. */
static void work_restore_end(struct work *work, const Sohoa__DocOutcome *outcome)
{
    bool folded = !outcome->err || outcome->err->code != E_ASSEMBLE;
    work->phase = WORK_DONE;
    work_weigh(work, outcome->a4_pages, outcome->pages_stored);
    work->folded = work->folded || folded;
    work_forget_before(work);
    if (outcome->state == SOHOA__DOC_STATE__DOC_STORED)
        work_uncut(work);
    if (!work->folded)
        work_cut(work); /* its bundles are there */
    for (uint32_t i = 0; work->cut && i < work->cut->parts; i++)
        if (work->cut->part[i].state == PAGE_QUEUED)
            work->cut->part[i].state = PAGE_STORED;
}

static void work_restore(struct sched *sched, uint32_t index, const Sohoa__DocOutcome *outcome)
{
    struct work *work = &sched->backlog->work[index];
    if (work->generation != outcome->generation)
        return;
    work_count(sched->backlog, index, -1);
    if (outcome->state == SOHOA__DOC_STATE__DOC_STORED || outcome->state == SOHOA__DOC_STATE__DOC_DEAD) {
        work_restore_end(work, outcome);
    } else if (outcome->state == SOHOA__DOC_STATE__DOC_QUARANTINED) {
        work->phase = WORK_STOPPED;
        work->folded = work->cleared = false;
        work_uncut(work);
    }
    work_count(sched->backlog, index, 1);
}

static bool made_something(const Sohoa__DocOutcome *outcome)
{
    return outcome->state == SOHOA__DOC_STATE__DOC_STORED || outcome->state == SOHOA__DOC_STATE__DOC_DEAD;
}

static void doc_restore(struct sched *sched, struct doc_ref ref, const Sohoa__DocOutcome *outcome)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    struct acts none = {0};
    struct err err;
    err_from_wire(outcome->err, &err);
    doc->generation = (uint16_t)outcome->generation;
    doc_blame(sched->backlog, ref, outcome->err ? backlog_fault(sched->backlog, &err) : NONE);
    doc->duplicate_of = NONE;
    if (outcome->state == SOHOA__DOC_STATE__DOC_DUPLICATE) {
        struct doc *master = doc_at(sched->backlog, (struct doc_ref){ref.batch, outcome->duplicate_of});
        doc->duplicate_of = outcome->duplicate_of;
        if (master->state == SOHOA__DOC_STATE__DOC_OPEN)
            master->duplicate_of = NONE;
    }
    if (made_something(outcome)) {
        doc_grade(sched->backlog->batch[ref.batch], ref.doc, outcome->confidence_cpct, outcome->grades.data,
                  outcome->grades.len);
        doc_set_doubts(sched->backlog->batch[ref.batch], ref.doc, outcome->doubts);
    }
    doc_settle(sched, ref, outcome->state, outcome->pages_stored, outcome->pages_dead, &none);
    acts_destroy(&none);
}

/* The cut of a result that has been run again since. */
static void before_restore(struct work *work, const Sohoa__DocOutcome *outcome)
{
    if (outcome->state != SOHOA__DOC_STATE__DOC_DEAD) {
        work_uncut(work);
        return;
    }
    struct cut *before = work_before(work);
    before->folded = before->folded || !outcome->err || outcome->err->code != E_ASSEMBLE;
    for (uint32_t i = 0; i < before->parts; i++)
        if (before->part[i].state == PAGE_QUEUED)
            before->part[i].state = PAGE_STORED;
}

/* The result that was in force when it was opened again: what it goes back to, if that is undone. */
static void doc_restore_before(struct sched *sched, struct doc_ref ref, const Sohoa__DocOutcome *outcome)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    struct err err;
    if (outcome->generation + 1 != doc->generation || !made_something(outcome))
        return;
    err_from_wire(outcome->err, &err);
    doc_blame(sched->backlog, ref, outcome->err ? backlog_fault(sched->backlog, &err) : NONE);
    doc->pages_stored = (uint16_t)outcome->pages_stored;
    doc->pages_dead = (uint16_t)outcome->pages_dead;
    doc_grade(sched->backlog->batch[ref.batch], ref.doc, outcome->confidence_cpct, outcome->grades.data,
              outcome->grades.len);
    doc_set_doubts(sched->backlog->batch[ref.batch], ref.doc, outcome->doubts);
    if (doc->work == NONE || sched->backlog->work[doc->work].phase != WORK_HELD ||
        sched->backlog->work[doc->work].generation != doc->generation)
        return;
    work_count(sched->backlog, doc->work, -1);
    before_restore(&sched->backlog->work[doc->work], outcome);
    work_count(sched->backlog, doc->work, 1);
}

void sched_restore_outcome(struct sched *sched, struct doc_ref ref, const Sohoa__DocOutcome *outcome)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    bool withdrawn = outcome->state == SOHOA__DOC_STATE__DOC_WITHDRAWN;
    if (outcome->state <= SOHOA__DOC_STATE__DOC_OPEN || (int)outcome->state >= (int)DOC_STATES ||
        outcome->duplicate_of >= sched->backlog->batch[ref.batch]->docs)
        return;
    /* Decided before its source was known; it was opened again since, or it would not have been placed. */
    if (doc->work != NONE && !outcome->sha256.len && !withdrawn)
        return;
    if (outcome->generation < doc->generation) {
        doc_restore_before(sched, ref, outcome);
        return;
    }
    doc_restore(sched, ref, outcome);
    if (doc->work == NONE)
        return;
    work_restore(sched, doc->work, outcome);
    if (withdrawn)
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

static void split_restore(struct sched *sched, uint32_t index, const Sohoa__PagesSplit *split)
{
    work_cut(&sched->backlog->work[index])->words_generation = split->words_generation;
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
}

/* Of the generation before: the cut before is the work's for as long. */
static void split_restore_before(struct sched *sched, uint32_t index, const Sohoa__PagesSplit *split)
{
    struct work *work = &sched->backlog->work[index];
    struct cut *before = work_before(work), *cut = work->cut;
    work->cut = before;
    split_restore(sched, index, split);
    cut->before = work->cut;
    work->cut = cut;
}

void sched_restore_split(struct sched *sched, struct doc_ref ref, const Sohoa__PagesSplit *split)
{
    uint32_t index = doc_at(sched->backlog, ref)->work;
    const struct work *work = index == NONE ? NULL : &sched->backlog->work[index];
    bool now = work && work->generation == split->generation;
    bool before = work && work->generation == split->generation + 1 && work->phase == WORK_HELD;
    if (!now && !before)
        return;
    work_count(sched->backlog, index, -1);
    if (now)
        split_restore(sched, index, split);
    else
        split_restore_before(sched, index, split);
    work_count(sched->backlog, index, 1);
}

/* As the layout cuts it. */
static bool part_whole(const struct work *work, const struct part *part)
{
    uint32_t left = work->pages - part->first + 1;
    return (part->first - 1) % work->range_pages == 0 &&
           part->count == (left < work->range_pages ? left : work->range_pages);
}

void sched_restore_stored(struct sched *sched, struct doc_ref ref, uint32_t first, uint32_t count)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->work == NONE || doc->state != SOHOA__DOC_STATE__DOC_OPEN)
        return;
    uint32_t index = doc->work;
    struct work *work = &sched->backlog->work[index];
    /* Redis may not have been told yet that a re-run began: its bits are those of the generation before. */
    if (work->generation || work->phase != WORK_HELD)
        return;
    struct cut *cut = work_cut(work);
    for (uint32_t i = 0; i < cut->parts; i++) {
        struct part *part = &cut->part[i];
        bool within = part->first >= first && part->first + part->count <= first + count;
        /* One part alone is assembled in its lease and has no bundle: bits of it mean nothing. Nor do those of a part
         * that was cut: they may be older than the cut, and what is stored has the name of the whole range. */
        if (!within || part->state != PAGE_QUEUED || cut->parts == 1 || !part_whole(work, part))
            continue;
        work_count(sched->backlog, index, -1);
        part->state = PAGE_STORED;
        work_count(sched->backlog, index, 1);
    }
}

void sched_restore_released(struct sched *sched, const uint8_t sha256[SHA256_BYTES])
{
    for (uint32_t pipeline = 0; pipeline < sched->backlog->pipelines; pipeline++) {
        uint32_t index = work_find(sched->backlog, sha256, pipeline);
        struct work *work = index == NONE ? NULL : &sched->backlog->work[index];
        if (work)
            work->cleared = true;
        if (!work || work->subscriber.batch != NONE || work->phase == WORK_STOPPED)
            continue;
        work_reach(work, (uint16_t)(work->generation + 1));
        work->phase = WORK_HELD;
        work->folded = false;
        work_uncut(work);
    }
}

void sched_restore_reopened(struct sched *sched, struct doc_ref ref)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    struct acts none = {0};
    /* What was placed has its new generation from the layout; withdrawn, it was opened before. */
    if (doc->work == NONE && doc->phase == PHASE_FINAL && doc->state != SOHOA__DOC_STATE__DOC_WITHDRAWN)
        doc_probe_again(sched, ref, &none);
    acts_destroy(&none);
}

/* Others of its batch can share its result, now or once it has one. */
static bool doc_shares(const struct doc *doc)
{
    return doc->state == SOHOA__DOC_STATE__DOC_OPEN || doc->state == SOHOA__DOC_STATE__DOC_STORED ||
           doc->state == SOHOA__DOC_STATE__DOC_DEAD;
}

/* The document of its batch whose result this open one shares; NONE: its own. */
static uint32_t doc_master(const struct sched *sched, struct doc_ref ref)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->duplicate_of != NONE) { /* by the layout's order, and no outcome says otherwise */
        const struct doc *master = doc_at(sched->backlog, (struct doc_ref){ref.batch, doc->duplicate_of});
        if (master->work == doc->work && doc_shares(master))
            return doc->duplicate_of;
    }
    struct doc_ref it = sched->backlog->work[doc->work].subscriber;
    for (; it.batch != NONE; it = doc_at(sched->backlog, it)->next) {
        const struct doc *other = doc_at(sched->backlog, it);
        bool stands = other->phase == PHASE_WORKING || other->phase == PHASE_FINAL;
        if (it.batch == ref.batch && it.doc != ref.doc && stands && doc_shares(other))
            return it.doc;
    }
    return NONE;
}

static void doc_enter(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->work == NONE)
        return;
    struct work *work = &sched->backlog->work[doc->work];
    if (doc->state == SOHOA__DOC_STATE__DOC_QUARANTINED && work->phase != WORK_STOPPED)
        sched_stop_work(sched, doc->work, acts); /* a release that a crash cut short did not happen */
    if (doc->state != SOHOA__DOC_STATE__DOC_OPEN)
        return;
    doc->duplicate_of = work->phase == WORK_STOPPED ? NONE : doc_master(sched, ref);
    if (work->phase == WORK_STOPPED || doc->duplicate_of != NONE)
        doc_blame(sched->backlog, ref, NONE); /* of the result before */
    if (work->phase == WORK_STOPPED) {
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_QUARANTINED, 0, 0, acts);
    } else if (doc->duplicate_of != NONE) {
        doc_settle(sched, ref, SOHOA__DOC_STATE__DOC_DUPLICATE, 0, 0, acts);
    } else {
        doc->phase = PHASE_PLACED;
        sched_placed(sched, ref, doc->generation);
    }
}

void sched_enter(struct sched *sched, struct batch *batch, struct acts *acts)
{
    for (uint32_t i = doc_next(batch, 0); i < batch->docs; i = doc_next(batch, i + 1))
        doc_enter(sched, (struct doc_ref){batch->index, i}, acts);
    sched_reorder(sched);
}
