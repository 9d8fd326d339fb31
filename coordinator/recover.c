/* SPDX-License-Identifier: AGPL-3.0-or-later
 * From the store to the backlog. The ledger says which batches there are and what was decided; a batch's layout places its
 * documents. Last, where Redis still has the bits of ranges stored before the restart, their pages are not
 * granted again; where it hasn't, a worker finds the bundles and says so within milliseconds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/packages.h"
#include "coordinator/quarantine.h"
#include "coordinator/reorganisation.h"
#include "coordinator/rerun.h"
#include "coordinator/review_ledger.h"
#include "coordinator/target.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "storage/layout.h"

struct loading {
    struct coordinator *c; /* NULL: nothing but counts is wanted */
    struct store *store;
    struct backlog *backlog;
    struct sched *sched;
    struct batch *batch; /* the one whose layout is being read */
};

static void on_layout(const struct layout_entry *entry, void *user)
{
    struct loading *loading = user;
    struct placement placed = {.first_ordinal = entry->first_ordinal,
                               .pages = entry->pages,
                               .range_pages = entry->range_pages,
                               .generation = entry->generation,
                               .cost = entry->cost};
    memcpy(placed.sha256, entry->sha256, SHA256_BYTES);
    if (entry->doc < loading->batch->docs && entry->pages && entry->range_pages)
        sched_restore_placed(loading->sched, (struct doc_ref){loading->batch->index, entry->doc}, &placed);
}

static int load_lots(struct batch *batch, const Sohoa__BatchAdmitted *admitted, struct err *err)
{
    for (size_t i = 0; i < admitted->n_lots; i++) {
        const Sohoa__Lot *lot = admitted->lots[i];
        struct terms terms = {.priority = lot->priority, .deadline_ms = lot->deadline_ms, .permanent = lot->permanent};
        if (lot->docs > admitted->docs - batch->docs)
            break;
        snprintf(terms.unit, sizeof terms.unit, "%s", lot->unit);
        snprintf(terms.bloc, sizeof terms.bloc, "%s", lot->bloc);
        snprintf(terms.intake, sizeof terms.intake, "%s", lot->intake);
        batch_add_lot(batch, &terms, lot->docs, lot->pages);
    }
    return batch->docs == admitted->docs
               ? 0
               : err_set(err, E_CORRUPT, "the ledger's lots of piece %u of batch %s have not its %u documents",
                         admitted->piece, admitted->batch, admitted->docs);
}

/* The next piece of the batch's manifest. */
static int load_piece(struct batch *batch, const Sohoa__BatchAdmitted *admitted, struct err *err)
{
    if (admitted->piece != batch->pieces || admitted->docs < batch->docs || admitted->docs > BATCH_MAX_DOCS ||
        admitted->manifest_bytes < batch->manifest_bytes || admitted->manifest_sha256.len != SHA256_BYTES)
        return err_set(err, E_CORRUPT, "the ledger's piece %u of batch %s does not follow what was admitted before",
                       admitted->piece, admitted->batch);
    batch->more = admitted->more;
    batch->reads_on = batch->reads_on || admitted->pages;
    snprintf(batch->unit, sizeof batch->unit, "%s", admitted->unit);
    batch_add_piece(batch, admitted->manifest_sha256.data, admitted->manifest_bytes - batch->manifest_bytes);
    return load_lots(batch, admitted, err);
}

/* Nothing was placed before there was a pipeline. */
static int load_layouts(struct loading *loading, struct batch *batch, struct err *err)
{
    int rc = 0;
    loading->batch = batch;
    for (uint32_t i = 0; i < batch->pieces && !rc; i++) {
        if (batch->piece[i].loaded)
            continue;
        uint32_t end = i + 1 < batch->pieces ? batch->piece[i + 1].first_doc : batch->docs;
        rc = layout_read(loading->store, batch->id, i, on_layout, loading, err);
        sched_restore_laid(loading->sched, batch, batch->piece[i].first_doc, end);
        batch->piece[i].loaded = true;
    }
    return rc;
}

static int load_admitted(struct loading *loading, const Sohoa__BatchAdmitted *admitted, struct err *err)
{
    struct batch *batch = backlog_batch(loading->backlog, admitted->batch);
    if (!batch)
        batch = batch_add(loading->backlog, admitted->batch, 0, NONE);
    /* A piece that is there already comes again when a worker pins the pipeline, behind later ones, too. */
    int rc = admitted->piece < batch->pieces ? 0 : load_piece(batch, admitted, err);
    if (!rc && admitted->pipeline.len == SHA256_BYTES) {
        batch->pipeline = backlog_pipeline(loading->backlog, admitted->pipeline.data);
        if (batch->pipeline == NONE)
            rc = err_set(err, E_CORRUPT, "the ledger names more than %d pipelines (PIPELINES_MAX)", PIPELINES_MAX);
    }
    return rc || batch->pipeline == NONE ? rc : load_layouts(loading, batch, err);
}

static int load_ref(const struct loading *loading, const char *id, uint32_t doc, struct doc_ref *ref, struct err *err)
{
    const struct batch *batch = backlog_batch(loading->backlog, id);
    if (!batch || doc >= batch->docs)
        return err_set(err, E_CORRUPT, "the ledger names document %u of batch %s, which was never admitted", doc, id);
    *ref = (struct doc_ref){batch->index, doc};
    return 0;
}

static int load_released(struct loading *loading, const Sohoa__Released *released, struct err *err)
{
    struct doc_ref ref;
    int rc = load_ref(loading, released->batch, released->doc, &ref, err);
    if (!rc)
        sched_restore_reopened(loading->sched, ref);
    if (!rc && released->sha256.len == SHA256_BYTES)
        sched_restore_released(loading->sched, released->sha256.data);
    return rc;
}

/* The next document's ranges; *at goes on behind them. False: they are not all there. */
static bool ranges_next(const Sohoa__Rerun *rerun, size_t *at, struct buf *ranges)
{
    buf_clear(ranges);
    if (!rerun->n_ranges)
        return true;
    if (*at >= rerun->n_ranges)
        return false;
    size_t count = rerun->ranges[(*at)++];
    if (count > (rerun->n_ranges - *at) / 2)
        return false;
    for (size_t i = 0; i < count; i++, *at += 2) {
        struct page_range range = {rerun->ranges[*at], rerun->ranges[*at + 1]};
        buf_append(ranges, &range, sizeof range);
    }
    return true;
}

static int load_rerun(struct loading *loading, const Sohoa__Rerun *rerun, uint64_t time_ms, struct err *err)
{
    AUTO(buf_destroy) struct buf ranges = {0};
    size_t at = 0;
    int rc = 0;
    if (rerun->number == loading->backlog->reruns + 1 && rerun->number <= RERUNS_MAX)
        rerun_add(loading->backlog, rerun->where, rerun->pages, time_ms);
    struct rerun *order = rerun_at(loading->backlog, rerun->number);
    bool whole = !rerun->number || (order && rerun->n_generations == rerun->n_docs);
    for (size_t i = 0; i < rerun->n_docs && whole && !rc; i++) {
        struct doc_ref ref;
        uint32_t generation = rerun->number ? rerun->generations[i] : 0;
        rc = load_ref(loading, rerun->batch, rerun->docs[i], &ref, err);
        whole = ranges_next(rerun, &at, &ranges);
        if (rc || !whole)
            break;
        if (order)
            rerun_add_doc(order, ref, (uint16_t)generation);
        sched_restore_rerun(loading->sched, ref, generation, (const struct page_range *)(void *)ranges.data,
                            ranges.size / sizeof(struct page_range));
    }
    return whole ? rc : err_set(err, E_CORRUPT, "the ledger's re-run %u makes no sense", rerun->number);
}

static int load_undone(struct loading *loading, const Sohoa__Undone *undone, struct err *err)
{
    AUTO(mem_destroy) struct rerun_doc *docs = calloc(undone->n_docs + 1, sizeof *docs);
    struct rerun *order = rerun_at(loading->backlog, undone->number);
    int rc = 0;
    if (!docs)
        abort();
    if (!order || undone->n_generations != undone->n_docs)
        return err_set(err, E_CORRUPT, "the ledger undoes the re-run %u, which makes no sense", undone->number);
    for (size_t i = 0; i < undone->n_docs && !rc; i++) {
        docs[i].generation = (uint16_t)undone->generations[i];
        rc = load_ref(loading, undone->batch, undone->docs[i], &docs[i].ref, err);
        if (!rc)
            sched_restore_undone(loading->sched, docs[i].ref, docs[i].generation);
    }
    if (!rc)
        rerun_forget_docs(order, docs, undone->n_docs);
    return rc;
}

static void load_standing(struct loading *loading, const Sohoa__Standing *standing)
{
    struct batch *batch = backlog_batch(loading->backlog, standing->batch);
    struct err why;
    if (!batch)
        return;
    err_from_wire(standing->why, &why);
    batch->standing = (struct standing){.priority = standing->priority,
                                        .deadline_ms = standing->deadline_ms,
                                        .paused = standing->paused,
                                        .fault = standing->why ? backlog_fault(loading->backlog, &why) : NONE};
}

static int load_targets(struct loading *loading, const Sohoa__Targets *targets, struct err *err)
{
    for (size_t i = 0; i < targets->n_targets; i++) {
        const Sohoa__Target *said = targets->targets[i];
        struct target target = {
            .priority = said->priority, .deadline_ms = said->deadline_ms, .pages = said->pages, .paused = said->paused};
        snprintf(target.unit, sizeof target.unit, "%s", said->unit);
        if (!target_set(loading->backlog, &target))
            return err_set(err, E_CORRUPT, "the ledger names more than %d targets (TARGETS_MAX)", TARGETS_MAX);
    }
    return 0;
}

static int load_calendar(struct loading *loading, const char *csv, struct err *err)
{
    struct calendar *calendar = NULL;
    int rc = *csv ? calendar_parse(csv, strlen(csv), &calendar, err) : 0;
    if (rc || !loading->c) {
        calendar_destroy(&calendar);
        return rc ? err_set(err, E_CORRUPT, "the ledger's calendar can't be read") : 0;
    }
    coordinator_calendar(loading->c, calendar, csv);
    return 0;
}

/* What was read well once is read well again: the same was in force then. */
static int load_reorganised(const struct loading *loading, const Sohoa__Reorganised *said, uint64_t time_ms,
                            struct err *err)
{
    AUTO(draft_clear) struct draft draft = {0};
    struct err why;
    uint32_t number = 0;
    int64_t day = 0;
    if (!loading->c || !loading->c->reorganisations)
        return 0;
    int rc = day_parse(said->day, &day) ? 0 : err_set(&why, E_MANIFEST, "'%.20s' is no day", said->day);
    if (!rc) {
        reorganisation_read(loading->c->reorganisations, (const char *)said->csv.data, said->csv.len, day, &draft);
        rc = draft_check(&draft, &why);
    }
    if (!rc)
        rc = reorganisations_add(loading->c->reorganisations, &draft, time_ms, &number, &why);
    if (!rc && number != said->number)
        rc = err_set(&why, E_MANIFEST, "it would be number %u", number);
    return rc ? err_set(err, E_CORRUPT, "the ledger's re-organisation %u makes no sense: %s", said->number, why.text)
              : 0;
}

static int load_reorganisation_undone(const struct loading *loading, const Sohoa__ReorganisationUndone *said,
                                      uint64_t time_ms, struct err *err)
{
    struct err why;
    if (!loading->c || !loading->c->reorganisations ||
        !reorganisations_undo(loading->c->reorganisations, said->number, time_ms, &why))
        return 0;
    return err_set(err, E_CORRUPT, "the ledger takes back a re-organisation and can't: %s", why.text);
}

static int on_entry(const Sohoa__LedgerEntry *entry, void *user, struct err *err)
{
    struct loading *loading = user;
    struct doc_ref ref;
    int rc = 0;
    if (loading->c && loading->c->quarantines)
        quarantines_add(loading->c->quarantines, loading->backlog, entry, entry->time_ms);
    if (loading->c && loading->c->packages)
        packages_add(loading->c->packages, loading->backlog, entry, entry->time_ms);
    if (loading->c && loading->c->history)
        history_add(loading->c->history, entry, entry->time_ms);
    switch (entry->body_case) {
    case SOHOA__LEDGER_ENTRY__BODY_ADMITTED: return load_admitted(loading, entry->admitted, err);
    case SOHOA__LEDGER_ENTRY__BODY_OUTCOME:
        rc = load_ref(loading, entry->outcome->batch, entry->outcome->doc, &ref, err);
        if (rc)
            return rc;
        sched_restore_outcome(loading->sched, ref, entry->outcome);
        if (loading->c && entry->outcome->state == SOHOA__DOC_STATE__DOC_QUARANTINED)
            review_purge(loading->c->reviews, loading->backlog->batch[ref.batch], ref.doc);
        if (loading->c && loading->c->tally)
            tally_add(loading->c->tally, ref, lot_of(loading->backlog->batch[ref.batch], ref.doc)->terms.unit,
                      entry->outcome, entry->time_ms);
        if (loading->c && loading->c->twins)
            twins_add(loading->c->twins, ref, entry->outcome);
        return 0;
    case SOHOA__LEDGER_ENTRY__BODY_SPLIT:
        rc = load_ref(loading, entry->split->batch, entry->split->doc, &ref, err);
        if (!rc)
            sched_restore_split(loading->sched, ref, entry->split);
        return rc;
    case SOHOA__LEDGER_ENTRY__BODY_RERUN: return load_rerun(loading, entry->rerun, entry->time_ms, err);
    case SOHOA__LEDGER_ENTRY__BODY_UNDONE: return load_undone(loading, entry->undone, err);
    case SOHOA__LEDGER_ENTRY__BODY_RELEASED: return load_released(loading, entry->released, err);
    case SOHOA__LEDGER_ENTRY__BODY_STANDING: load_standing(loading, entry->standing); return 0;
    case SOHOA__LEDGER_ENTRY__BODY_TARGETS: return load_targets(loading, entry->targets, err);
    case SOHOA__LEDGER_ENTRY__BODY_CALENDAR: return load_calendar(loading, entry->calendar->csv, err);
    case SOHOA__LEDGER_ENTRY__BODY_DRAINED:
        sched_drain(loading->sched, entry->drained->worker, entry->drained->drained);
        return 0;
    case SOHOA__LEDGER_ENTRY__BODY_ACCOUNT:
        return loading->c ? accounts_restore(loading->c->accounts, entry->account, err) : 0;
    case SOHOA__LEDGER_ENTRY__BODY_REVIEW_ROUND:
    case SOHOA__LEDGER_ENTRY__BODY_REVIEWED:
    case SOHOA__LEDGER_ENTRY__BODY_REVIEW_CLOSED:
        return loading->c ? review_restore(loading->c->reviews, loading->backlog, entry, err) : 0;
    case SOHOA__LEDGER_ENTRY__BODY_REORGANISED:
        return load_reorganised(loading, entry->reorganised, entry->time_ms, err);
    case SOHOA__LEDGER_ENTRY__BODY_REORGANISATION_UNDONE:
        return load_reorganisation_undone(loading, entry->reorganisation_undone, entry->time_ms, err);
    case SOHOA__LEDGER_ENTRY__BODY_WITHDRAWN: {
        struct batch *batch = backlog_batch(loading->backlog, entry->withdrawn->batch);
        if (batch)
            batch->withdrawn = true;
        return 0;
    }
    default: return 0; /* operators' words: their effects are outcomes */
    }
}

/* Ranges whose bits are all set. */
static void restore_bits(struct coordinator *c, struct batch *batch)
{
    AUTO(buf_destroy) struct buf bits = {0};
    if (!batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
        return;
    committer_bits(c->committer, batch->id, &bits);
    for (uint32_t i = doc_next(batch, 0); i < batch->docs; i = doc_next(batch, i + 1)) {
        const struct doc *doc = doc_look(batch, i);
        uint32_t run = 0;
        if (doc->state != SOHOA__DOC_STATE__DOC_OPEN || doc->work == NONE)
            continue;
        for (uint32_t p = 0; p <= doc->pages; p++) {
            uint64_t bit = (uint64_t)doc->first_ordinal + p;
            bool set = p < doc->pages && bit / 8 < bits.size && (bits.data[bit / 8] & 0x80 >> (bit % 8));
            if (!set && run)
                sched_restore_stored(c->sched, (struct doc_ref){batch->index, i}, p - run + 1, run);
            run = set ? run + 1 : 0;
        }
    }
}

static bool backlog_open(const struct backlog *backlog)
{
    for (uint32_t i = 0; i < backlog->batches; i++)
        if (backlog->batch[i]->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
            return true;
    return false;
}

/* Redis knows who they are if it is the one that the coordinator before us wrote. */
static void await_workers(struct coordinator *c)
{
    AUTO(buf_destroy) struct buf workers = {0};
    uint64_t epoch;
    c->granting_ms = clock_mono_ms() + (uint64_t)config_int(c->config, CFG_RECONNECT_GRACE_MS);
    committer_before(c->committer, &epoch, &workers);
    if (epoch && epoch == store_epoch(c->store) - 1)
        peers_await(c, buf_text(&workers));
}

int recover(struct coordinator *c, struct err *err)
{
    struct loading loading = {.c = c, .store = c->store, .backlog = c->backlog, .sched = c->sched};
    uint64_t began_ms = clock_mono_ms();
    int rc = ledger_open(c->store, &c->checkpoints, on_entry, &loading, &c->ledger, err);
    if (rc)
        return rc;
    rc = committer_new(c->store, c->ledger, config_text(c->config, CFG_REDIS), c->commit_io, c->committed, c,
                       &c->committer, err);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        restore_bits(c, c->backlog->batch[i]);
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        sched_enter(c->sched, c->backlog->batch[i], &c->acts);
    sched_purge(c->sched, &c->acts);
    if (backlog_open(c->backlog))
        await_workers(c);
    trace(TRACE_INFO, "recovered", "batches=%u works=%u ledger=%" PRIu64 " ms=%" PRIu64, c->backlog->batches,
          c->backlog->works, ledger_next(c->ledger) - 1, clock_mono_ms() - began_ms);
    return 0;
}

int recover_count(struct coordinator *c, struct backlog **ret_backlog, struct err *err)
{
    AUTO(backlog_destroy) struct backlog *backlog = backlog_new();
    struct sched_rules rules = {.range_pages = 1, .page_attempts = 1};
    AUTO(sched_destroy) struct sched *sched = sched_new(backlog, &rules, 1);
    struct loading loading = {.store = c->store, .backlog = backlog, .sched = sched};
    int rc = ledger_read(c->store, on_entry, &loading, err);
    if (rc)
        return rc;
    *ret_backlog = backlog;
    backlog = NULL;
    return 0;
}
