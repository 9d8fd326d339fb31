/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The scheduler, one matter at a time. What must hold whatever happens is tests/sim's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/group.h"
#include "coordinator/sched.h"
#include "proto/buf.h"
#include "proto/wire.h"

enum { ATTEMPTS = 3 };

static const struct sched_rules rules = {
    .range_ms = 4000, .range_pages = 4, .page_attempts = ATTEMPTS, .lease_page_ms = 1000, .lease_least_ms = 5000};

/* ---- a world ---- */

struct world {
    uint64_t now_ms;
    struct backlog *backlog;
    struct sched *sched;
    struct acts acts;
    struct group *group; /* what is not durable yet */
};

static uint32_t source_pages(uint32_t source)
{
    return 1 + source * 3 % 11;
}

static void source_sha256(uint32_t source, uint8_t sha256[SHA256_BYTES])
{
    memset(sha256, 0, SHA256_BYTES);
    sha256[0] = (uint8_t)(source + 1);
}

static const uint8_t pipeline_digest_of_test[SHA256_BYTES] = {42};

/* ---- invariants ---- */

static void check_counts(struct world *w)
{
    for (uint32_t b = 0; b < w->backlog->batches; b++) {
        const struct batch *batch = w->backlog->batch[b];
        uint64_t pages[PAGE_STATES] = {0};
        uint32_t docs[DOC_STATES] = {0};
        for (uint32_t d = 0; d < batch->docs; d++) {
            uint64_t of_doc[PAGE_STATES];
            doc_pages(w->backlog, (struct doc_ref){b, d}, of_doc);
            uint64_t sum = 0;
            for (int s = 0; s < PAGE_STATES; s++) {
                pages[s] += of_doc[s];
                sum += of_doc[s];
            }
            const struct doc *doc = doc_look(batch, d);
            docs[doc->state]++;
            if (sum != doc->pages)
                fail_msg("document %u/%u has %u pages, its states %llu", b, d, doc->pages, (unsigned long long)sum);
        }
        for (int s = 0; s < PAGE_STATES; s++)
            if (pages[s] != batch->page_count[s])
                fail_msg("batch %u counts %llu pages %s, there are %llu", b, (unsigned long long)batch->page_count[s],
                         page_state_name(s), (unsigned long long)pages[s]);
        assert_memory_equal(docs, batch->doc_count, sizeof docs);
    }
}

static void world_unload(struct world *w)
{
    sched_destroy(&w->sched);
    backlog_destroy(&w->backlog);
    acts_destroy(&w->acts);
    group_destroy(&w->group);
}

/* ---- matters ---- */

static void one_doc(struct world *w, uint32_t source, uint32_t workers)
{
    *w = (struct world){.now_ms = 1000};
    w->group = group_new(NULL, NULL, NULL);
    w->backlog = backlog_new();
    w->sched = sched_new(w->backlog, &rules, 1);
    struct batch *batch = batch_add(w->backlog, "b0", 2, backlog_pipeline(w->backlog, pipeline_digest_of_test));
    sched_enter(w->sched, batch, &w->acts);
    struct acts none = {0};
    for (uint32_t p = 0; p < workers; p++) {
        char name[16];
        snprintf(name, sizeof name, "w%u", p);
        sched_credit(w->sched, sched_hello(w->sched, name, 0, 1), 1000);
    }
    for (uint32_t d = 0; d < 2; d++) {
        const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Probe probe = SOHOA__PROBE__INIT;
        uint8_t sha256[SHA256_BYTES];
        source_sha256(source + d, sha256);
        probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
        probe.pages = source_pages(source + d);
        result.lease = lease->id;
        result.probe = &probe;
        assert_int_equal(lease->kind, SOHOA__JOB_KIND__JOB_PROBE);
        assert_true(sched_finish(w->sched, 0, &result, w->now_ms, &none));
        sched_placed(w->sched, (struct doc_ref){0, d}, 0);
    }
    acts_destroy(&none);
}

static void a_failed_page_goes_to_another_worker_then_degraded_then_dies(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 2); /* document 0 has one page */
    uint32_t workers_seen[ATTEMPTS] = {0};
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        const struct lease *lease = NULL;
        uint32_t worker = i ? workers_seen[i - 1] : 1; /* ask the one that just failed first: it must not get it */
        lease = sched_grant(w.sched, worker, w.now_ms);
        if (i && lease)
            assert_int_not_equal(lease->work, 0);
        while (!lease || lease->work != 0) {
            worker = 1 - worker;
            lease = sched_grant(w.sched, worker, w.now_ms);
            assert_non_null(lease);
        }
        workers_seen[i] = worker;
        assert_int_equal(lease->degraded, i == 2);
        assert_int_equal(lease->attempt, i + 1);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__PageFailure failure = SOHOA__PAGE_FAILURE__INIT, *failed = &failure;
        Sohoa__Err err = SOHOA__ERR__INIT;
        err.code = E_SLOT;
        failure.page_no = 1;
        failure.err = &err;
        result.lease = lease->id;
        result.failed = &failed;
        result.n_failed = 1;
        assert_true(sched_finish(w.sched, worker, &result, w.now_ms, &w.acts));
        check_counts(&w);
        if (i)
            assert_int_not_equal(workers_seen[i], workers_seen[i - 1]);
    }
    assert_int_equal(w.backlog->work[0].cut->part[0].state, PAGE_DEAD);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_DEAD], 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    assert_int_equal(lease->kind, SOHOA__JOB_KIND__JOB_ASSEMBLE);
    world_unload(&w);
}

static void finish_document(struct world *w, uint32_t work)
{
    for (;;) {
        const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
        Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
        if (!lease)
            return;
        result.lease = lease->id;
        if (lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE || lease->assemble)
            result.assembled = &assembled;
        if (lease->kind == SOHOA__JOB_KIND__JOB_PAGES) {
            range.first = lease->first;
            range.count = lease->count;
            result.stored = &stored;
            result.n_stored = 1;
        }
        sched_finish(w->sched, 0, &result, w->now_ms, &w->acts);
        for (size_t i = 0; i < w->acts.count; i++)
            if (w->acts.at[i].kind == ACT_PLACED)
                sched_placed(w->sched, w->acts.at[i].doc, doc_at(w->backlog, w->acts.at[i].doc)->generation);
        w->acts.count = 0;
        check_counts(w);
        (void)work;
    }
}

static void quarantine_takes_stored_pages_and_release_queues_them(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1); /* 10 and 2 pages */
    finish_document(&w, 0);
    const struct batch *batch = w.backlog->batch[0];
    assert_int_equal(batch->page_count[PAGE_STORED], 12);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    check_counts(&w);
    assert_int_equal(batch->page_count[PAGE_QUARANTINED], 10);
    assert_int_equal(batch->page_count[PAGE_STORED], 2);
    bool stopped = false;
    for (size_t i = 0; i < w.acts.count; i++)
        stopped = stopped || w.acts.at[i].kind == ACT_STOPPED;
    assert_true(stopped);
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    w.acts.count = 0;
    sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
    check_counts(&w);
    assert_int_equal(batch->page_count[PAGE_QUEUED], 10);
    sched_placed(w.sched, (struct doc_ref){0, 0}, 0); /* of before, late */
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    sched_placed(w.sched, (struct doc_ref){0, 0}, 1);
    w.acts.count = 0;
    finish_document(&w, 0);
    assert_int_equal(batch->page_count[PAGE_STORED], 12);
    assert_int_equal(doc_look(batch, 0)->generation, 1);
    world_unload(&w);
}

static void withdrawal_keeps_what_is_stored_and_drops_leases(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
    result.lease = lease->id;
    range.first = lease->first;
    range.count = lease->count;
    result.stored = &stored;
    result.n_stored = 1;
    assert_int_equal(lease->count, 4);
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    lease = sched_grant(w.sched, 0, w.now_ms);
    assert_non_null(lease);
    w.acts.count = 0;
    sched_withdraw(w.sched, w.backlog->batch[0], &w.acts);
    check_counts(&w);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_STORED], 4);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_WITHDRAWN], 8);
    bool dropped = false;
    for (size_t i = 0; i < w.acts.count; i++)
        dropped = dropped || w.acts.at[i].kind == ACT_DROP;
    assert_true(dropped);
    assert_int_equal(sched_leases(w.sched), 0);
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void rerun_of_a_dead_page_keeps_the_others(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
    Sohoa__PageFailure failure = SOHOA__PAGE_FAILURE__INIT, *failed = &failure;
    Sohoa__Err err = SOHOA__ERR__INIT;
    err.code = E_PAGE_BROKEN;
    failure.page_no = 1;
    failure.err = &err;
    range.first = 2;
    range.count = 3;
    result.lease = lease->id;
    result.stored = &stored;
    result.n_stored = 1;
    result.failed = &failed;
    result.n_failed = 1;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    w.acts.count = 0;
    finish_document(&w, 0);
    const struct batch *batch = w.backlog->batch[0];
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_DEAD);
    assert_int_equal(batch->page_count[PAGE_DEAD], 1);
    sched_rerun(w.sched, (struct doc_ref){0, 0}, NULL, 0, &w.acts);
    check_counts(&w);
    assert_int_equal(batch->page_count[PAGE_QUEUED], 1);
    sched_placed(w.sched, (struct doc_ref){0, 0}, 1);
    w.acts.count = 0;
    lease = sched_grant(w.sched, 0, w.now_ms);
    assert_int_equal(lease->first, 1);
    assert_int_equal(lease->count, 1);
    assert_int_equal(lease->generation, 1);
    assert_false(lease->assemble);
    world_unload(&w);
}

static void a_document_found_with_a_dead_page_ends_at_once(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 1, 1); /* document 0 has four pages */
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
    Sohoa__PageFailure failure = SOHOA__PAGE_FAILURE__INIT, *failed = &failure;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    assert_true(lease->assemble && lease->count == 4);
    err.code = E_TIME; /* RETRY: but it was tried out when the document was made */
    failure.page_no = 1;
    failure.err = &err;
    range.first = 2;
    range.count = 3;
    result.lease = lease->id;
    result.found = true;
    result.assembled = &assembled;
    result.stored = &stored;
    result.n_stored = 1;
    result.failed = &failed;
    result.n_failed = 1;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    check_counts(&w);
    assert_int_equal(doc_look(w.backlog->batch[0], 0)->state, SOHOA__DOC_STATE__DOC_DEAD);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_DEAD], 1);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_STORED], 3);
    world_unload(&w);
}

static void a_result_that_does_not_cover_its_lease_is_a_failed_attempt(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored[2] = {&range, &range};
    range.first = lease->first;
    range.count = 2; /* twice the same half */
    result.lease = lease->id;
    result.stored = stored;
    result.n_stored = 2;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    check_counts(&w);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_STORED], 0);
    world_unload(&w);
}

/* The next job fails for the page's or the process's sake. */
static uint32_t fail_next(struct world *w, uint32_t worker, int code)
{
    const struct lease *lease = sched_grant(w->sched, worker, w->now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    assert_non_null(lease);
    uint32_t work = lease->work;
    err.code = code;
    result.lease = lease->id;
    result.err = &err;
    assert_true(sched_finish(w->sched, worker, &result, w->now_ms, &w->acts));
    return work;
}

static void a_failed_page_does_not_wait_for_a_worker_of_another_pipeline(void **state)
{
    static const uint8_t other[SHA256_BYTES] = {43};
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    uint32_t stranger = sched_hello(w.sched, "stranger", backlog_pipeline(w.backlog, other), 1);
    sched_credit(w.sched, stranger, 1000);
    uint32_t work = fail_next(&w, 0, E_SLOT);
    assert_null(sched_grant(w.sched, stranger, w.now_ms));
    assert_int_equal(fail_next(&w, 0, E_SLOT), work);
    uint32_t second = sched_hello(w.sched, "second", 0, 1);
    sched_credit(w.sched, second, 1000);
    assert_int_not_equal(sched_grant(w.sched, 0, w.now_ms)->work, work); /* now there is another */
    assert_int_equal(sched_grant(w.sched, second, w.now_ms)->work, work);
    world_unload(&w);
}

static void works_in_their_backoff_do_not_hide_others(void **state)
{
    enum { MANY = 100 };
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    finish_document(&w, 0);
    struct batch *batch = batch_add(w.backlog, "many", MANY, 0);
    for (uint32_t d = 0; d < MANY; d++) {
        struct placement placed = {.first_ordinal = d, .pages = 1, .range_pages = 1};
        source_sha256(100 + d, placed.sha256);
        sched_restore_placed(w.sched, (struct doc_ref){batch->index, d}, &placed);
    }
    sched_enter(w.sched, batch, &w.acts);
    fail_next(&w, 0, E_STORE); /* waits a little */
    for (uint32_t d = 1; d < MANY; d++)
        assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    w.now_ms += 2 * RETRY_BACKOFF_MS;
    assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void fail_all(struct world *w, int code, int times)
{
    for (int i = 0; i < times && w->backlog->batch[0]->page_count[PAGE_QUEUED]; i++) {
        fail_next(w, 0, code);
        w->now_ms += (LEASE_LOSSES_MAX + 1) * RETRY_BACKOFF_MS;
    }
}

static void a_store_that_takes_nothing_kills_no_page(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    const struct batch *batch = w.backlog->batch[0];
    fail_all(&w, E_STORE, 20 * LEASE_LOSSES_MAX);
    assert_int_equal(batch->page_count[PAGE_DEAD], 0);
    finish_document(&w, 0); /* it takes them again */
    assert_int_equal(batch->page_count[PAGE_QUEUED], 0);
    assert_int_equal(batch->page_count[PAGE_DEAD], 0);
    world_unload(&w);
}

static void a_page_that_is_lost_over_and_over_dies(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    fail_all(&w, E_NET, 20 * LEASE_LOSSES_MAX);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_STORED], 0);
    assert_int_not_equal(w.backlog->batch[0]->page_count[PAGE_DEAD], 0);
    world_unload(&w);
}

static void a_probe_waits_out_its_backoff(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    finish_document(&w, 0);
    struct batch *batch = batch_add(w.backlog, "late", 1, 0);
    sched_enter(w.sched, batch, &w.acts);
    w.now_ms = 10999; /* nearly a whole second */
    fail_next(&w, 0, E_STORE);
    w.now_ms += RETRY_BACKOFF_MS - 1;
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    w.now_ms += RETRY_BACKOFF_MS;
    assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void the_most_urgent_lot_is_granted_first(void **state)
{
    /* In the order of the manifest; a batch of its own comes behind. */
    static const struct terms terms[] = {
        {.priority = 1          },
        {                       .priority = 2, .deadline_ms = 9000000},
        {                       .unit = "district:001",          .priority = 2, .deadline_ms = 9000000, .permanent = true},
        { .priority = 5,                       .deadline_ms = 8000000},
    };
    static const uint32_t turn[] = {3, 2, 1, 4, 0}; /* earliest deadline, permanent, without a deadline the priority */
    struct world w = {.now_ms = 1000};
    (void)state;
    w.group = group_new(NULL, NULL, NULL);
    w.backlog = backlog_new();
    w.sched = sched_new(w.backlog, &rules, 1);
    struct batch *batch = batch_add(w.backlog, "b0", 0, 0);
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        batch_add_lot(batch, &terms[i], 1, 0);
    batch_add_lot(batch_add(w.backlog, "b1", 0, 0), &terms[1], 1, 0);
    assert_int_equal(batch->lots, 4);
    assert_int_equal(batch_priority(batch), 1);
    assert_int_equal(batch_deadline_ms(batch), 8000000);
    sched_reorder(w.sched);
    sched_hello(w.sched, "w0", 0, 1);
    sched_credit(w.sched, 0, 100);
    for (size_t i = 0; i < sizeof turn / sizeof turn[0]; i++) {
        const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
        assert_non_null(lease);
        assert_int_equal(lease->doc.batch * 4 + lease->doc.doc, turn[i]);
    }
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void a_job_that_never_left_costs_no_credit(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    sched_hello(w.sched, "w0", 0, 1);
    sched_credit(w.sched, 0, 1);
    fail_next(&w, 0, E_STORE);
    w.now_ms += 2 * RETRY_BACKOFF_MS;
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    sched_ungrant(w.sched, 0);
    assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void quarantine_stops_a_source_under_every_pipeline(void **state)
{
    static const uint8_t other[SHA256_BYTES] = {43};
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    struct batch *batch = batch_add(w.backlog, "again", 1, backlog_pipeline(w.backlog, other));
    struct placement placed = {.pages = 1, .range_pages = 4};
    source_sha256(0, placed.sha256);
    sched_restore_placed(w.sched, (struct doc_ref){batch->index, 0}, &placed);
    sched_enter(w.sched, batch, &w.acts);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_OPEN);
    world_unload(&w);
}

static void the_last_word_on_a_source_wins_within_a_group(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    group_add(w.group, w.backlog, &w.acts);
    w.acts.count = 0;
    group_add_release(w.group, w.backlog->work[0].sha256);
    sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    group_add(w.group, w.backlog, &w.acts);
    const struct group_stop *stop = (const struct group_stop *)(const void *)w.group->stops.data;
    size_t count = w.group->stops.size / sizeof *stop;
    assert_int_equal(count, 3);
    assert_true(stop[1].release);
    assert_false(stop[count - 1].release);
    world_unload(&w);
}

static void a_split_of_very_many_pages_fits_in_the_ledger(void **state)
{
    struct world w;
    struct err err;
    char text[ERR_TEXT_BYTES];
    (void)state;
    one_doc(&w, 0, 1);
    uint8_t sha256[SHA256_BYTES] = {200};
    uint32_t work = work_add(w.backlog, sha256, 0, DOC_MAX_PAGES, 1, 0);
    work_cut(&w.backlog->work[work]);
    work_subscribe(w.backlog, work, (struct doc_ref){batch_add(w.backlog, "large", 1, 0)->index, 0});
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, E_PAGE_BROKEN, "%s", text);
    for (uint32_t i = 0; i < DOC_MAX_PAGES; i++) {
        w.backlog->work[work].cut->part[i].state = PAGE_DEAD;
        w.backlog->work[work].cut->part[i].fault = backlog_fault(w.backlog, &err);
    }
    struct act act = {.kind = ACT_SPLIT, .work = work};
    group_add(w.group, w.backlog, &(struct acts){.at = &act, .count = 1});
    size_t dead = 0;
    for (size_t at = 0; at < w.group->entries.size;) {
        uint32_t bytes;
        memcpy(&bytes, w.group->entries.data + at, sizeof bytes);
        assert_true(bytes <= LEDGER_ENTRY_BYTES);
        Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, bytes, w.group->entries.data + at + sizeof bytes);
        dead += entry->split->n_dead;
        sohoa__ledger_entry__free_unpacked(entry, NULL);
        at += sizeof bytes + bytes;
    }
    assert_int_equal(dead, DOC_MAX_PAGES);
    world_unload(&w);
}

/* Stores what is granted until there is something to assemble. */
static uint64_t store_pages(struct world *w)
{
    for (;;) {
        const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
        Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
        assert_non_null(lease);
        if (lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE)
            return lease->id;
        result.lease = lease->id;
        range.first = lease->first;
        range.count = lease->count;
        result.stored = &stored;
        result.n_stored = 1;
        result.assembled = lease->assemble ? &assembled : NULL;
        sched_finish(w->sched, 0, &result, w->now_ms, &w->acts);
    }
}

static void who_comes_after_a_failed_assembly_has_the_whole_ladder(void **state)
{
    struct world w;
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    struct placement placed = {.pages = 10, .range_pages = 4};
    (void)state;
    one_doc(&w, 3, 1); /* 10 and 2 pages */
    result.lease = store_pages(&w);
    result.err = &err;
    err.code = E_ASSEMBLE;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    assert_int_equal(doc_look(w.backlog->batch[0], 0)->state, SOHOA__DOC_STATE__DOC_DEAD);
    finish_document(&w, 0);
    struct batch *batch = batch_add(w.backlog, "later", 1, 0);
    source_sha256(3, placed.sha256);
    sched_restore_placed(w.sched, (struct doc_ref){batch->index, 0}, &placed);
    sched_enter(w.sched, batch, &w.acts);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    assert_int_equal(lease->kind, SOHOA__JOB_KIND__JOB_ASSEMBLE);
    assert_int_equal(lease->attempt, 1);
    world_unload(&w);
}

/* A probe of the only document of a batch under another pipeline finds source 0. */
static void probe_elsewhere(struct world *w, struct batch *batch, Sohoa__Err *err)
{
    static uint8_t sha256[SHA256_BYTES];
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Probe probe = SOHOA__PROBE__INIT;
    source_sha256(0, sha256);
    probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    probe.pages = 1;
    const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
    assert_int_equal(lease->doc.batch, batch->index);
    result.lease = lease->id;
    result.probe = &probe;
    result.err = err;
    sched_finish(w->sched, 0, &result, w->now_ms, &w->acts);
}

static void a_probe_of_a_stopped_source_shares_its_quarantine(void **state)
{
    static const uint8_t other[SHA256_BYTES] = {43};
    for (int told = 0; told < 2; told++) { /* whether the worker saw the tombstone */
        struct world w;
        Sohoa__Err err = SOHOA__ERR__INIT;
        (void)state;
        one_doc(&w, 0, 1);
        finish_document(&w, 0);
        struct batch *batch = batch_add(w.backlog, "again", 1, backlog_pipeline(w.backlog, other));
        sched_enter(w.sched, batch, &w.acts);
        sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
        err.code = E_STOPPED;
        probe_elsewhere(&w, batch, told ? &err : NULL);
        check_counts(&w);
        assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
        sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
        assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_OPEN);
        world_unload(&w);
    }
}

/* Two documents of one source are placed, the second as of generation; the ledger says that the first is quarantined, and
 * before that, perhaps, that the second shared its result. */
static void two_restored(struct world *w, uint32_t generation, bool shared)
{
    struct placement placed = {.pages = 1, .range_pages = 4};
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    one_doc(w, 3, 1);
    finish_document(w, 0);
    struct batch *batch = batch_add(w->backlog, "two", 2, 0);
    source_sha256(0, placed.sha256);
    sched_restore_placed(w->sched, (struct doc_ref){batch->index, 0}, &placed);
    placed.generation = generation;
    sched_restore_placed(w->sched, (struct doc_ref){batch->index, 1}, &placed);
    sched_restore_laid(w->sched, batch, 0, 2);
    outcome.batch = batch->id;
    outcome.sha256 = (ProtobufCBinaryData){SHA256_BYTES, placed.sha256};
    outcome.doc = 1;
    outcome.state = SOHOA__DOC_STATE__DOC_DUPLICATE;
    if (shared)
        sched_restore_outcome(w->sched, (struct doc_ref){batch->index, 1}, &outcome);
    outcome.doc = 0;
    outcome.state = SOHOA__DOC_STATE__DOC_QUARANTINED;
    sched_restore_outcome(w->sched, (struct doc_ref){batch->index, 0}, &outcome);
    sched_enter(w->sched, batch, &w->acts);
    sched_purge(w->sched, &w->acts);
    check_counts(w);
}

static void a_quarantine_cut_short_is_whole_after_a_restart(void **state)
{
    struct world w;
    (void)state;
    two_restored(&w, 0, true);
    assert_int_equal(doc_look(w.backlog->batch[1], 1)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    world_unload(&w);
}

static void a_release_cut_short_did_not_happen(void **state)
{
    struct world w;
    (void)state;
    two_restored(&w, 1, false);
    assert_int_equal(doc_look(w.backlog->batch[1], 0)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    assert_int_equal(doc_look(w.backlog->batch[1], 1)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    world_unload(&w);
}

static void a_document_placed_after_its_outcome_is_open(void **state)
{
    struct world w;
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    struct placement placed = {.pages = 1, .range_pages = 4};
    (void)state;
    one_doc(&w, 0, 1);
    struct batch *batch = batch_add(w.backlog, "late", 1, 0); /* its pipeline was not known then */
    outcome.batch = batch->id;
    outcome.state = SOHOA__DOC_STATE__DOC_QUARANTINED;
    sched_restore_outcome(w.sched, (struct doc_ref){batch->index, 0}, &outcome);
    source_sha256(5, placed.sha256);
    sched_restore_placed(w.sched, (struct doc_ref){batch->index, 0}, &placed);
    sched_enter(w.sched, batch, &w.acts);
    check_counts(&w);
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_OPEN);
    world_unload(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_urgent_lot_is_granted_first),
        cmocka_unit_test(a_failed_page_goes_to_another_worker_then_degraded_then_dies),
        cmocka_unit_test(quarantine_takes_stored_pages_and_release_queues_them),
        cmocka_unit_test(withdrawal_keeps_what_is_stored_and_drops_leases),
        cmocka_unit_test(rerun_of_a_dead_page_keeps_the_others),
        cmocka_unit_test(a_document_found_with_a_dead_page_ends_at_once),
        cmocka_unit_test(a_result_that_does_not_cover_its_lease_is_a_failed_attempt),
        cmocka_unit_test(a_failed_page_does_not_wait_for_a_worker_of_another_pipeline),
        cmocka_unit_test(works_in_their_backoff_do_not_hide_others),
        cmocka_unit_test(a_store_that_takes_nothing_kills_no_page),
        cmocka_unit_test(a_page_that_is_lost_over_and_over_dies),
        cmocka_unit_test(a_probe_waits_out_its_backoff),
        cmocka_unit_test(a_job_that_never_left_costs_no_credit),
        cmocka_unit_test(quarantine_stops_a_source_under_every_pipeline),
        cmocka_unit_test(the_last_word_on_a_source_wins_within_a_group),
        cmocka_unit_test(a_split_of_very_many_pages_fits_in_the_ledger),
        cmocka_unit_test(who_comes_after_a_failed_assembly_has_the_whole_ladder),
        cmocka_unit_test(a_probe_of_a_stopped_source_shares_its_quarantine),
        cmocka_unit_test(a_quarantine_cut_short_is_whole_after_a_restart),
        cmocka_unit_test(a_release_cut_short_did_not_happen),
        cmocka_unit_test(a_document_placed_after_its_outcome_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
