/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/check.h"

#include <string.h>

#include "storage/name.h"
#include "tests/sim/loan.h"
#include "tests/sim/operator.h"
#include "tests/sim/redis.h"
#include "tests/sim/seat.h"
#include "tests/sim/store.h"
#include "tests/sim/view.h"
#include "tests/sim/worker.h"
#include "tests/sim/world.h"

enum { ATTEMPTS = 3, DEGRADED_FROM = 3 };

static struct {
    struct sight durable[BATCHES][BATCH_DOCS]; /* as of the last write that ended */
    struct sight writing[BATCHES][BATCH_DOCS]; /* as of the one under way, if any */
    bool under_way;
    uint8_t between[BATCHES][BATCH_DOCS]; /* writes that may have, halfway, what was ordered and undone again */
    size_t held[WORKERS];                 /* as its last Hello said */
} seen;

void check_reset(void)
{
    loans_reset();
    memset(&seen, 0, sizeof seen);
    for (uint32_t i = 0; i < BATCHES * BATCH_DOCS; i++)
        seen.durable[i / BATCH_DOCS][i % BATCH_DOCS].duplicate_of = NONE;
}

/* ---- grants ---- */

static bool result_there(const struct loan *loan, bool assemble)
{
    struct name name;
    uint8_t sha256[SHA256_BYTES];
    const uint8_t *pipeline = pipeline_digest_of[loan->pipeline];
    source_sha256(loan->source, sha256);
    if (assemble)
        return blob_find(name_out(&name, sha256, pipeline, loan->generation, "words"));
    return blob_find(name_bundle(&name, sha256, pipeline, loan->generation, loan->first, loan->count));
}

/* An order that did not become durable left its tombstone: whoever reads meets it, and takes back what it wrote. */
static bool source_has_stop(uint32_t source)
{
    struct name name;
    uint8_t sha256[SHA256_BYTES];
    source_sha256(source, sha256);
    return blob_find(name_stop(&name, sha256));
}

/* Not again where it is stored, not too soon, not on the worker that failed, and not for ever. */
static void check_page_granted(uint32_t worker, const Sohoa__Job *job, const struct loan *loan, uint32_t page_no)
{
    struct page_story *story = story_in(loan->source, loan->pipeline, page_no, loan->generation);
    uint64_t epoch = lease_epoch(loan->lease);
    if (view_copied(seat(), worker, loan->lease)) /* what holds of the first lease was checked then */
        return;
    if (story->settled & 1u << loan->generation && !result_there(loan, job->assemble) && !source_has_stop(loan->source))
        violation("page %u of source %u is stored in generation %u, and granted again", page_no, loan->source,
                  loan->generation);
    story->grants++;
    if (story->grants > LEASE_LOSSES_MAX) /* lost leases count as failures now */
        return;
    if (story->waits_epoch == epoch && world.now_ms < story->not_before_ms)
        violation("page %u of source %u is granted again too soon", page_no, loan->source);
    if (story->failed_epoch == epoch && story->failed_on == worker + 1 && view_readers(seat(), worker) > 1)
        violation("page %u of source %u failed on worker w%u, and goes there again", page_no, loan->source, worker);
}

static void check_granted(uint32_t worker, const Sohoa__Job *job)
{
    struct loan *loan = loan_add(job->lease);
    loan->kind = job->kind;
    loan->worker = worker;
    loan->batch = batch_number(job->batch);
    loan->doc = job->doc;
    loan->generation = job->generation;
    if (!view_lease(seat(), worker, job->lease))
        violation("lease %llu is granted to w%u, whose it is not", (unsigned long long)job->lease, worker);
    if (job->attempt > ATTEMPTS && job->kind != SOHOA__JOB_KIND__JOB_PROBE)
        violation("lease %llu is attempt %u", (unsigned long long)job->lease, job->attempt);
    if (job->degraded != (job->kind == SOHOA__JOB_KIND__JOB_PAGES && job->attempt >= DEGRADED_FROM))
        violation("lease %llu is attempt %u, degraded %d", (unsigned long long)job->lease, job->attempt, job->degraded);
    if (job->kind == SOHOA__JOB_KIND__JOB_PROBE)
        return;
    if (!seen.durable[loan->batch][loan->doc].source_known)
        violation("document %s/%u is worked on before its layout is durable", job->batch, job->doc);
    loan->source = source_named(job->sha256.data);
    loan->pipeline = view_pipeline(seat(), worker);
    if (job->kind != SOHOA__JOB_KIND__JOB_PAGES)
        return;
    loan->first = job->range->first;
    loan->count = job->range->count;
    for (uint32_t page = loan->first; page < loan->first + loan->count; page++)
        check_page_granted(worker, job, loan, page);
}

/* Everything that it acknowledges is in a write that has ended. */
static void check_acknowledged(const Sohoa__Acks *acks)
{
    for (size_t i = 0; i < acks->n_leases; i++) {
        const struct loan *loan = loan_find(acks->leases[i]);
        if (!loan || !loan->answered_epoch)
            violation("lease %llu is acknowledged and was never answered", (unsigned long long)acks->leases[i]);
        if (seat_committed() <= loan->answered_commits)
            violation("lease %llu is acknowledged before it is durable", (unsigned long long)acks->leases[i]);
    }
}

void check_said(uint32_t worker, const Sohoa__Frame *frame)
{
    if (frame->body_case == SOHOA__FRAME__BODY_ACKS)
        check_acknowledged(frame->acks);
    if (frame->body_case == SOHOA__FRAME__BODY_WELCOME &&
        view_leases(seat(), worker) != seen.held[worker] - frame->welcome->n_dropped)
        violation("worker w%u has %u leases, it holds %zu jobs and drops %zu", worker, view_leases(seat(), worker),
                  seen.held[worker], frame->welcome->n_dropped);
    for (size_t i = 0; frame->body_case == SOHOA__FRAME__BODY_GRANT && i < frame->grant->n_jobs; i++)
        check_granted(worker, frame->grant->jobs[i]);
}

/* ---- results ---- */

static bool of_the_cluster(int code)
{
    return code == E_STORE || code == E_NET || code == E_LEASE || code == E_REDIS;
}

static void page_failed(const struct loan *loan, uint32_t page_no, int code)
{
    struct page_story *story = story_in(loan->source, loan->pipeline, page_no, loan->generation);
    /* Redis had lost it, and now its bundle will not be found by the name of a smaller range. */
    story->settled &= ~(1u << loan->generation);
    if (of_the_cluster(code)) {
        story->not_before_ms = world.now_ms + RETRY_BACKOFF_MS;
        story->waits_epoch = lease_epoch(loan->lease);
        return;
    }
    story->failures++;
    story->failed_epoch = lease_epoch(loan->lease);
    story->poison = story->poison || err_class(code) == ERR_POISON;
    story->failed_on = loan->worker + 1;
}

/* One whose probe went on to read tells of pages, too. */
static void probe_answered(struct loan *loan, uint32_t worker, const Sohoa__Result *result)
{
    if (!result->probe)
        return;
    loan->source = source_named(result->probe->sha256.data);
    loan->pipeline = view_pipeline(seat(), worker);
    for (size_t i = 0; i < result->n_failed; i++) {
        struct page_story *story = story_in(loan->source, loan->pipeline, result->failed[i]->page_no, 0);
        story->failures++;
        story->poison = story->poison || err_class(result->failed[i]->err->code) == ERR_POISON;
    }
}

static void check_result(uint32_t worker, const Sohoa__Result *result)
{
    struct loan *loan = loan_find(result->lease);
    if (!loan)
        violation("worker w%u answers lease %llu, which never was", worker, (unsigned long long)result->lease);
    if (loan->answered_epoch != store_epoch(disk()))
        loan->answered_commits = seat_commits();
    loan->answered_epoch = store_epoch(disk());
    if (!view_lease(seat(), worker, result->lease))
        return;
    if (loan->kind == SOHOA__JOB_KIND__JOB_PROBE)
        probe_answered(loan, worker, result);
    if (loan->kind != SOHOA__JOB_KIND__JOB_PAGES || (result->err && view_copied(seat(), worker, result->lease)))
        return;
    for (uint32_t p = 0; result->err && result->err->code != E_STOPPED && p < loan->count; p++)
        page_failed(loan, loan->first + p, result->err->code);
    for (size_t i = 0; !result->err && i < result->n_failed; i++)
        page_failed(loan, result->failed[i]->page_no, result->failed[i]->err->code);
}

void check_heard(uint32_t worker, const Sohoa__Frame *frame)
{
    if (frame->body_case == SOHOA__FRAME__BODY_HELLO)
        seen.held[worker] = frame->hello->n_held;
    for (size_t i = 0; frame->body_case == SOHOA__FRAME__BODY_RESULTS && i < frame->results->n_results; i++)
        check_result(worker, frame->results->results[i]);
}

void check_missing(uint32_t worker, uint64_t lease, const char *blob)
{
    if (seat() && view_lease(seat(), worker, lease))
        violation("lease %llu of worker w%u does not find %s", (unsigned long long)lease, worker, blob);
}

/* ---- writes and restarts ---- */

void check_submitted(void)
{
    view_docs(seat(), seen.writing);
    seen.under_way = true;
}

static void settle_page(const struct page_sight *page)
{
    struct page_story *story = story_of(page->source, page->pipeline, page->page_no);
    if (page->state == PAGE_STORED)
        story->settled |= 1u << page->generation;
}

void check_committed(void)
{
    memcpy(seen.durable, seen.writing, sizeof seen.durable);
    seen.under_way = false;
    for (uint32_t i = 0; i < BATCHES * BATCH_DOCS; i++)
        seen.between[i / BATCH_DOCS][i % BATCH_DOCS] -= seen.between[i / BATCH_DOCS][i % BATCH_DOCS] > 0;
}

static bool made(const struct sight *sight)
{
    return sight->state == SOHOA__DOC_STATE__DOC_STORED || sight->state == SOHOA__DOC_STATE__DOC_DEAD;
}

static bool same_sight(const struct sight *a, const struct sight *b)
{
    bool final = a->state != SOHOA__DOC_STATE__DOC_OPEN;
    if (a->state != b->state || a->pages != b->pages)
        return false;
    return !final || (a->pages_stored == b->pages_stored && a->pages_dead == b->pages_dead &&
                      a->generation == b->generation && a->duplicate_of == b->duplicate_of && a->fault == b->fault &&
                      a->grades == b->grades && (!made(a) || a->confidence_cpct == b->confidence_cpct));
}

void check_undone(uint32_t batch, uint32_t doc, const struct sight *was, const struct sight *is)
{
    if (!same_sight(was, is))
        violation("document b%u/%u was %s (%u pages, %u stored, %u dead, generation %u, fault %d) before a re-run, and "
                  "is not when that is undone: %s (%u, %u, %u, %u, %d)",
                  batch, doc, doc_state_name(was->state), was->pages, was->pages_stored, was->pages_dead,
                  was->generation, was->fault, doc_state_name(is->state), is->pages, is->pages_stored, is->pages_dead,
                  is->generation, is->fault);
    for (uint32_t b = 0; b < BATCHES; b++) /* those of its source, too */
        for (uint32_t d = 0; d < batch_docs(b); d++)
            if (doc_source(b, d) == doc_source(batch, doc))
                seen.between[b][d] = 2;
    /* Another re-run has the same generation. */
    for (uint32_t page = 1; is->source_known && page <= is->pages; page++) {
        struct page_story *story = story_of(doc_source(batch, doc), is->pipeline, page);
        story->settled &= ~(1u << (is->generation + 1));
        if (story->generation > is->generation) /* it may have been granted by a coordinator that is forgotten */
            *story = (struct page_story){.settled = story->settled, .generation = GENERATIONS};
    }
}

static void check_doc_recovered(uint32_t batch, uint32_t doc, const struct sight *is)
{
    const struct sight *was = &seen.durable[batch][doc], *half = &seen.writing[batch][doc];
    bool settled = !seen.under_way ||
                   (same_sight(was, half) && was->state != SOHOA__DOC_STATE__DOC_OPEN && !seen.between[batch][doc]);
    if (!settled || same_sight(is, was))
        return;
    violation(
        "document b%u/%u was %s (%u pages, %u stored, %u dead, generation %u, duplicate of %d, fault %d), after a "
        "restart %s (%u, %u, %u, %u, %d, %d)",
        batch, doc, doc_state_name(was->state), was->pages, was->pages_stored, was->pages_dead, was->generation,
        (int)was->duplicate_of, was->fault, doc_state_name(is->state), is->pages, is->pages_stored, is->pages_dead,
        is->generation, (int)is->duplicate_of, is->fault);
}

void check_recovered(void)
{
    struct sight sight[BATCHES][BATCH_DOCS];
    view_docs(seat(), sight);
    for (uint32_t b = 0; b < BATCHES; b++)
        for (uint32_t d = 0; d < batch_docs(b); d++)
            check_doc_recovered(b, d, &sight[b][d]);
    memcpy(seen.durable, sight, sizeof seen.durable);
    memset(seen.between, 0, sizeof seen.between);
    seen.under_way = false;
}

/* ---- at any time, and in the end ---- */

/* The tombstone is there and what was derived is removed: nothing may come after it. */
static void check_stopped(void)
{
    struct name name;
    struct sight sight[BATCHES][BATCH_DOCS];
    uint8_t sha256[SHA256_BYTES];
    view_docs(seat(), sight);
    for (uint32_t i = 0; i < BATCHES * BATCH_DOCS; i++) {
        char id[8] = {'b', (char)('0' + i / BATCH_DOCS)};
        const struct sight *it = &sight[i / BATCH_DOCS][i % BATCH_DOCS];
        if (it->state == SOHOA__DOC_STATE__DOC_QUARANTINED && it->source_known &&
            blob_find(name_rec(&name, id, i % BATCH_DOCS)))
            violation("%s is left of a quarantined document", name.text);
    }
    for (uint32_t source = 0; source < SOURCES; source++) {
        source_sha256(source, sha256);
        if (!view_stopped(seat(), source))
            continue;
        for (uint32_t i = 0; i < PIPELINES * (SOURCE_PAGES + 1); i++) /* purged: whoever comes later reads it again */
            story_of(source, i % PIPELINES, i / PIPELINES)->settled = 0;
        if (!blob_find(name_stop(&name, sha256)))
            violation("source %u is quarantined without a tombstone", source);
        if (blob_of_source(source))
            violation("%s is left of a quarantined source", blob_of_source(source));
    }
}

void check_step(void)
{
    if (!seat())
        return;
    view_check(seat());
    if (!seat_idle())
        return;
    view_pages(seat(), settle_page);
    check_stopped();
}

static void check_result_there(uint32_t batch, uint32_t doc, const struct sight *sight)
{
    struct name name;
    uint8_t sha256[SHA256_BYTES];
    char id[8] = {'b', (char)('0' + batch)};
    source_sha256(doc_source(batch, doc), sha256);
    if (!blob_find(name_out(&name, sha256, pipeline_digest_of[sight->pipeline], sight->generation, "words")))
        violation("document %s/%u is %s without a result", id, doc, doc_state_name(sight->state));
    if (!blob_find(name_rec(&name, id, doc)))
        violation("document %s/%u is %s without a record", id, doc, doc_state_name(sight->state));
    uint32_t bits = 0;
    for (uint32_t p = 0; p < sight->pages; p++)
        bits += redis_stored(batch, sight->first_ordinal + p);
    if (bits != sight->pages_stored && !sight->behind)
        violation("document %s/%u has %u pages stored, Redis says %u", id, doc, sight->pages_stored, bits);
}

static void check_doc_end(uint32_t batch, uint32_t doc, const struct sight sight[BATCHES][BATCH_DOCS])
{
    const struct sight *it = &sight[batch][doc];
    if (!it->admitted) /* its batch was withdrawn before */
        return;
    if (it->state == SOHOA__DOC_STATE__DOC_OPEN)
        violation("document b%u/%u is left open", batch, doc);
    if (it->state == SOHOA__DOC_STATE__DOC_DEAD && !it->fault)
        violation("document b%u/%u is dead without evidence", batch, doc);
    if (made(it) && it->fault != E_ASSEMBLE && source_secret(doc_source(batch, doc)) &&
        !operator_released(doc_source(batch, doc)))
        violation("document b%u/%u is secret, and is %s", batch, doc, doc_state_name(it->state));
    if (made(it) && it->fault != E_ASSEMBLE)
        check_result_there(batch, doc, it);
    if (it->state != SOHOA__DOC_STATE__DOC_DUPLICATE)
        return;
    if (it->duplicate_of >= batch_docs(batch) || it->duplicate_of == doc ||
        doc_source(batch, it->duplicate_of) != doc_source(batch, doc))
        violation("document b%u/%u is a duplicate of %d", batch, doc, (int)it->duplicate_of);
    uint8_t master = sight[batch][it->duplicate_of].state;
    if (master != SOHOA__DOC_STATE__DOC_STORED && master != SOHOA__DOC_STATE__DOC_DEAD &&
        master != SOHOA__DOC_STATE__DOC_WITHDRAWN)
        violation("document b%u/%u is a duplicate of %u, which is %s", batch, doc, it->duplicate_of,
                  doc_state_name(master));
}

static void check_page_end(const struct page_sight *page)
{
    const struct page_story *story = story_of(page->source, page->pipeline, page->page_no);
    if (page->state != PAGE_DEAD)
        return;
    if (!page->faulted)
        violation("page %u of source %u is dead without evidence", page->page_no, page->source);
    if (story->generation == page->generation && !story->poison && story->failures < ATTEMPTS &&
        story->grants <= LEASE_LOSSES_MAX)
        violation("page %u of source %u is dead after %u failures", page->page_no, page->source, story->failures);
}

void check_end(void)
{
    struct sight sight[BATCHES][BATCH_DOCS];
    view_docs(seat(), sight);
    for (uint32_t b = 0; b < BATCHES; b++)
        for (uint32_t d = 0; d < batch_docs(b); d++)
            check_doc_end(b, d, (const struct sight(*)[BATCH_DOCS])sight);
    view_pages(seat(), check_page_end);
    if (sched_leases(seat()->sched))
        violation("%u leases are left", sched_leases(seat()->sched));
    view_credit(seat());
    for (uint32_t worker = 0; worker < WORKERS; worker++)
        if (worker_holds(worker))
            violation("worker w%u still holds %u jobs", worker, worker_holds(worker));
}
