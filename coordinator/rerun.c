/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What was ordered, and what the orders do. A document that is open by a re-run has its fault and its counts of the result
 * before still, so taking back needs no more than its work's cut. */
#include "coordinator/rerun.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "proto/array.h"
#include "proto/auto.h"

/* ---- what was ordered ---- */

struct rerun *rerun_add(struct backlog *backlog, const char *where, uint64_t pages, uint64_t time_ms)
{
    assert(backlog->reruns < RERUNS_MAX);
    backlog->rerun = array_room(backlog->rerun, backlog->reruns, sizeof *backlog->rerun);
    struct rerun *rerun = &backlog->rerun[backlog->reruns++];
    *rerun = (struct rerun){.where = text_copy(where), .pages = pages, .time_ms = time_ms};
    return rerun;
}

struct rerun *rerun_at(const struct backlog *backlog, uint32_t number)
{
    return number && number <= backlog->reruns ? &backlog->rerun[number - 1] : NULL;
}

void rerun_add_doc(struct rerun *rerun, struct doc_ref ref, uint16_t generation)
{
    if (rerun->docs == rerun->capacity) {
        rerun->capacity = rerun->capacity ? rerun->capacity * 2 : 4;
        rerun->doc = realloc(rerun->doc, rerun->capacity * sizeof *rerun->doc);
        if (!rerun->doc)
            abort();
    }
    rerun->doc[rerun->docs++] = (struct rerun_doc){ref, generation};
}

void rerun_forget_docs(struct rerun *rerun, const struct rerun_doc *undone, size_t count)
{
    uint32_t stay = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < rerun->docs; i++) {
        struct doc_ref is = rerun->doc[i].ref;
        if (at < count && is.batch == undone[at].ref.batch && is.doc == undone[at].ref.doc)
            at++;
        else
            rerun->doc[stay++] = rerun->doc[i];
    }
    rerun->undone += rerun->docs - stay;
    rerun->docs = stay;
}

uint32_t rerun_finished(const struct backlog *backlog, const struct rerun *rerun)
{
    uint32_t finished = 0;
    for (uint32_t i = 0; i < rerun->docs; i++) {
        const struct doc *doc = doc_at(backlog, rerun->doc[i].ref);
        finished += doc->state != SOHOA__DOC_STATE__DOC_OPEN || doc->generation > rerun->doc[i].generation;
    }
    return finished;
}

void reruns_destroy(struct backlog *backlog)
{
    for (uint32_t i = 0; i < backlog->reruns; i++) {
        free(backlog->rerun[i].doc);
        free(backlog->rerun[i].where);
    }
    free(backlog->rerun);
    backlog->rerun = NULL;
    backlog->reruns = 0;
}

/* ---- ordering ---- */

/* Where the work had no cut, the order itself tells which pages are kept; otherwise the cut is told. */
static void work_rerun(struct sched *sched, uint32_t index, const struct page_range *range, size_t ranges,
                       struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    bool done = work->phase == WORK_DONE, cut = work->cut;
    if (!done)
        sched_drop_leases(sched, (struct doc_ref){NONE, 0}, index, acts);
    if (!done && !work->folded)
        work_tell_bundles(work, index, acts); /* there is no way back to them */
    work_count(sched->backlog, index, -1);
    bool partly = work_renew(work, range, ranges);
    work_count(sched->backlog, index, 1);
    for (struct doc_ref it = work->subscriber; it.batch != NONE; it = doc_at(sched->backlog, it)->next) {
        uint8_t state = doc_at(sched->backlog, it)->state;
        if (state == SOHOA__DOC_STATE__DOC_STORED || state == SOHOA__DOC_STATE__DOC_DEAD)
            doc_reopen(sched, it, acts);
        else if (doc_at(sched->backlog, it)->phase == PHASE_WORKING)
            doc_follow(sched, it, acts);
    }
    if (partly && (cut || !done))
        acts_add(acts, (struct act){.kind = ACT_SPLIT, .work = index});
}

void sched_rerun(struct sched *sched, struct doc_ref ref, const struct page_range *range, size_t ranges,
                 struct acts *acts)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    assert(doc->phase == PHASE_FINAL && doc->generation < GENERATION_MAX);
    if (doc->work == NONE)
        doc_probe_again(sched, ref, acts);
    else
        work_rerun(sched, doc->work, range, ranges, acts);
    sched->stale = true;
}

/* The pages of a document that have one of the grades. */
static void ranges_of(const struct batch *batch, const struct doc *doc, uint8_t set, struct buf *ranges)
{
    uint8_t packed[DOC_MAX_PAGES / GRADES_A_BYTE];
    struct page_range run = {0};
    grades_pack(&batch->grades, doc->first_ordinal, doc->pages, packed);
    for (uint32_t page_no = 1; page_no <= doc->pages + 1u; page_no++) {
        bool chosen = page_no <= doc->pages && set & 1u << grade_get(packed, page_no);
        if (!chosen && run.count)
            buf_append(ranges, &run, sizeof run);
        run = !chosen ? (struct page_range){0} : (struct page_range){run.count ? run.first : page_no, run.count + 1};
    }
}

static const struct page_range *range_at(const struct buf *ranges, size_t from, size_t *ret_count)
{
    *ret_count = (ranges->size - from) / sizeof(struct page_range);
    return *ret_count ? (const struct page_range *)(const void *)(ranges->data + from) : NULL;
}

uint32_t rerun_pages(const struct backlog *backlog, const struct chosen *chosen)
{
    const struct batch *batch = backlog->batch[chosen->ref.batch];
    const struct doc *doc = doc_look(batch, chosen->ref.doc);
    AUTO(buf_destroy) struct buf ranges = {0};
    size_t count;
    if (chosen->grades != WHERE_ALL)
        ranges_of(batch, doc, chosen->grades, &ranges);
    const struct page_range *range = range_at(&ranges, 0, &count);
    return work_renew_pages(&backlog->work[doc->work], range, count);
}

uint16_t rerun_chosen(struct sched *sched, const struct chosen *chosen, struct buf *ranges, struct acts *acts)
{
    const struct batch *batch = sched->backlog->batch[chosen->ref.batch];
    const struct doc *doc = doc_look(batch, chosen->ref.doc);
    size_t from = ranges->size, count;
    if (doc->phase != PHASE_FINAL)
        return doc->generation;
    if (chosen->grades != WHERE_ALL)
        ranges_of(batch, doc, chosen->grades, ranges);
    const struct page_range *range = range_at(ranges, from, &count);
    sched_rerun(sched, chosen->ref, range, count, acts);
    return doc->generation;
}

/* ---- taking back ---- */

/* Whoever has its generation has it by the re-run, and not because it came later: then it waits for what is in work, or shares
 * it. */
static bool work_may_revert(const struct sched *sched, const struct work *work)
{
    for (struct doc_ref it = work->subscriber; it.batch != NONE; it = doc_at(sched->backlog, it)->next) {
        const struct doc *doc = doc_at(sched->backlog, it);
        bool had_result = doc->pages_stored + doc->pages_dead == doc->pages;
        bool open = doc->state == SOHOA__DOC_STATE__DOC_OPEN, of_it = doc->generation == work->generation;
        if ((open || of_it) && !(open && of_it && had_result))
            return false;
    }
    return work_untouched(work);
}

static void doc_revert(struct sched *sched, struct doc_ref ref, Sohoa__DocState state)
{
    struct doc *doc = doc_at(sched->backlog, ref);
    doc->state = state;
    doc->phase = PHASE_FINAL;
    doc->named = false;
    doc->generation--;
    doc_count(sched->backlog, ref, 1);
}

static void work_take_back(struct sched *sched, uint32_t index, struct acts *acts)
{
    struct work *work = &sched->backlog->work[index];
    work_count(sched->backlog, index, -1);
    work_revert(work);
    for (struct doc_ref it = work->subscriber; it.batch != NONE; it = doc_at(sched->backlog, it)->next) {
        const struct doc *doc = doc_at(sched->backlog, it);
        if (doc->state != SOHOA__DOC_STATE__DOC_OPEN)
            continue;
        doc_revert(sched, it, doc->fault == NONE ? SOHOA__DOC_STATE__DOC_STORED : SOHOA__DOC_STATE__DOC_DEAD);
        acts_add(acts, (struct act){.kind = ACT_PLACED, .doc = it, .work = index});
    }
}

static void probe_take_back(struct sched *sched, struct doc_ref ref)
{
    doc_count(sched->backlog, ref, -1);
    doc_revert(sched, ref, SOHOA__DOC_STATE__DOC_REFUSED);
}

static bool doc_may_go_back(const struct sched *sched, const struct rerun_doc *of)
{
    const struct doc *doc = doc_at(sched->backlog, of->ref);
    if (doc->state != SOHOA__DOC_STATE__DOC_OPEN || doc->generation != of->generation)
        return false;
    if (doc->work == NONE) /* its source could not be read */
        return doc->phase == PHASE_UNPROBED && !doc->attempts && !doc->losses;
    return work_may_revert(sched, &sched->backlog->work[doc->work]);
}

static void doc_take_back(struct sched *sched, struct doc_ref ref, struct acts *acts)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    if (doc->state != SOHOA__DOC_STATE__DOC_OPEN) /* another of its source took it along */
        return;
    if (doc->work != NONE)
        work_take_back(sched, doc->work, acts);
    else
        probe_take_back(sched, ref);
}

void rerun_undo(struct sched *sched, struct rerun *rerun, struct buf *undone, struct acts *acts)
{
    for (uint32_t i = 0; i < rerun->docs; i++)
        if (doc_may_go_back(sched, &rerun->doc[i]))
            buf_append(undone, &rerun->doc[i], sizeof rerun->doc[i]);
    const struct rerun_doc *of = (const struct rerun_doc *)(const void *)undone->data;
    size_t count = undone->size / sizeof *of;
    for (size_t i = 0; i < count; i++)
        doc_take_back(sched, of[i].ref, acts);
    if (count)
        acts_add(acts, (struct act){.kind = ACT_RECOUNT, .doc = of->ref});
    rerun_forget_docs(rerun, of, count);
    sched->stale = true;
}

/* ---- after a restart ---- */

static bool ranges_fit(const struct work *work, const struct page_range *range, size_t ranges)
{
    for (size_t i = 0; i < ranges; i++)
        if (!range[i].first || range[i].first > work->pages || range[i].count > work->pages - range[i].first + 1)
            return false;
    return ranges;
}

void sched_restore_rerun(struct sched *sched, struct doc_ref ref, uint32_t generation, const struct page_range *range,
                         size_t ranges)
{
    uint32_t index = doc_at(sched->backlog, ref)->work;
    if (index == NONE) {
        sched_restore_reopened(sched, ref);
        return;
    }
    struct work *work = &sched->backlog->work[index];
    if (work->generation != generation || work->phase != WORK_HELD || cut_of(work)->before ||
        !ranges_fit(work, range, ranges))
        return;
    work_count(sched->backlog, index, -1);
    work_choose(work, range, ranges);
    work_count(sched->backlog, index, 1);
}

void sched_restore_undone(struct sched *sched, struct doc_ref ref, uint32_t generation)
{
    const struct doc *doc = doc_at(sched->backlog, ref);
    uint32_t index = doc->work;
    if (index == NONE) {
        if (doc->phase == PHASE_UNPROBED && doc->generation == generation && generation)
            probe_take_back(sched, ref);
        return;
    }
    /* It is run again since: of the pages that were chosen then nothing holds. */
    struct work *work = &sched->backlog->work[index];
    struct cut *before = cut_of(work)->before;
    if (work->generation != generation || work->phase != WORK_HELD)
        return;
    work_count(sched->backlog, index, -1);
    if (before)
        work->cut->before = NULL;
    work_uncut(work);
    if (before)
        work_cut(work)->before = before;
    work_count(sched->backlog, index, 1);
}
