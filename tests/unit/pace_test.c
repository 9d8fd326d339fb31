/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who gets which pages: ranges by cost, a document's pages together, nodes with tags, and copies of what is slow. */
#include "coordinator/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"

enum { PAGE_MS = 1000, PAGES = 16 };

static const struct sched_rules rules = {
    .range_ms = 4 * PAGE_MS, .range_pages = 32, .page_attempts = 3, .lease_page_ms = 60000, .lease_least_ms = 300000};

static struct backlog *backlog;
static struct sched *sched;
static struct acts acts;
static uint64_t now_ms;

static int set_up(void **state)
{
    static const uint8_t pipeline[SHA256_BYTES] = {7};
    (void)state;
    now_ms = 1000;
    backlog = backlog_new();
    sched = sched_new(backlog, &rules, 1);
    backlog_pipeline(backlog, pipeline);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sched_destroy(&sched);
    backlog_destroy(&backlog);
    acts_destroy(&acts);
    return 0;
}

static uint32_t worker(const char *name, uint32_t jobs)
{
    uint32_t index = sched_hello(sched, name, 0, 1);
    sched_credit(sched, index, jobs);
    return index;
}

/* Documents of PAGES pages each, placed as probes would. */
static struct batch *documents(const char *id, uint32_t docs)
{
    struct batch *batch = batch_add(backlog, id, docs, 0);
    for (uint32_t d = 0; d < docs; d++) {
        struct placement placed = {
            .sha256 = {(uint8_t)(batch->index + 1), (uint8_t)d},
            .pages = PAGES,
            .range_pages = 4,
            .first_ordinal = d * PAGES
        };
        sched_restore_placed(sched, (struct doc_ref){batch->index, d}, &placed);
    }
    sched_enter(sched, batch, &acts);
    return batch;
}

static const struct lease *grant(uint32_t worker)
{
    return sched_grant(sched, worker, now_ms);
}

static void stored(uint32_t worker, const struct lease *lease)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *ranges[] = {&range};
    range.first = lease->first;
    range.count = lease->count;
    result.lease = lease->id;
    result.stored = ranges;
    result.n_stored = 1;
    result.cpu_ms = lease->count * PAGE_MS;
    assert_true(sched_finish(sched, worker, &result, now_ms, &acts));
}

static void failed(uint32_t worker, uint64_t lease, int code)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    err.code = code;
    result.lease = lease;
    result.err = &err;
    assert_true(sched_finish(sched, worker, &result, now_ms, &acts));
}

static void assembled(uint32_t worker, const struct lease *lease)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    result.lease = lease->id;
    result.assembled = &assembled;
    assert_true(sched_finish(sched, worker, &result, now_ms, &acts));
}

/* Reads so many ranges, at so many times their cost, and assembles what is complete. */
static void work_off(uint32_t worker, uint32_t ranges, unsigned times)
{
    while (ranges) {
        const struct lease *got = grant(worker);
        assert_non_null(got);
        struct lease lease = *got;
        if (lease.kind == SOHOA__JOB_KIND__JOB_ASSEMBLE) {
            assembled(worker, &lease);
            continue;
        }
        now_ms += (uint64_t)times * lease.count * PAGE_MS;
        stored(worker, &lease);
        ranges--;
    }
}

static uint32_t drops(uint32_t worker)
{
    uint32_t n = 0;
    for (size_t i = 0; i < acts.count; i++)
        n += acts.at[i].kind == ACT_DROP && acts.at[i].worker == worker;
    return n;
}

static void ranges_are_alike_and_cost_what_is_meant(void **state)
{
    (void)state;
    uint32_t a = worker("a", 1000);
    struct batch *batch = batch_add(backlog, "b", 2, 0);
    sched_enter(sched, batch, &acts);
    for (uint32_t d = 0; d < 2; d++) {
        const struct lease *lease = grant(a);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Probe probe = SOHOA__PROBE__INIT;
        uint8_t sha256[SHA256_BYTES] = {(uint8_t)(d + 1)};
        assert_int_equal(lease->kind, SOHOA__JOB_KIND__JOB_PROBE);
        probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
        probe.pages = 9;
        result.lease = lease->id;
        result.probe = &probe;
        /* Before anything is read a page costs 1,000 ms: at most 4 a range. Then pages of 500 ms: 8. */
        for (int i = 0; i < 5000 && d; i++)
            cost_learn(sched_cost(sched), cost_class(&probe), 1, 500);
        assert_true(sched_finish(sched, a, &result, now_ms, &acts));
        sched_placed(sched, (struct doc_ref){batch->index, d}, 0);
        assert_int_equal(backlog->work[d].range_pages, d ? 5 : 3);
    }
    assert_int_equal(sched_read_most(sched), 8);
}

static void what_is_read_with_its_probe_is_not_read_again(void **state)
{
    (void)state;
    uint32_t a = worker("a", 10);
    struct batch *batch = batch_add(backlog, "b", 2, 0);
    sched_enter(sched, batch, &acts);
    for (uint32_t d = 0; d < 2; d++) {
        struct lease lease = *grant(a);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Probe probe = SOHOA__PROBE__INIT;
        Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
        uint8_t sha256[SHA256_BYTES] = {(uint8_t)(d + 1)};
        probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
        probe.pages = 2 * PAGES; /* more than a range would have */
        result.lease = lease.id;
        result.probe = &probe;
        result.assembled = &assembled;
        if (d) /* meanwhile a source was stopped: it may have been this one, and what was read purged */
            sched_quarantine(sched, &(struct doc_ref){0, 0}, 1, &acts);
        assert_true(sched_finish(sched, a, &result, now_ms, &acts));
        assert_int_equal(doc_look(batch, d)->phase, d ? PHASE_PLACED : PHASE_FINAL);
    }
    assert_int_equal(backlog->work[0].range_pages, 2 * PAGES);
}

static void a_document_stays_with_the_worker_that_has_it(void **state)
{
    (void)state;
    documents("b", 2);
    uint32_t a = worker("a", 100), b = worker("b", 100), c = worker("c", 100);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(grant(a)->work, 0);
        assert_int_equal(grant(b)->work, 1);
    }
    uint32_t helped = grant(c)->work; /* nothing else is left */
    assert_int_equal(grant(c)->work, !helped);
    assert_null(grant(c));
}

static void probes_go_where_the_sources_are_seen(void **state)
{
    (void)state;
    struct batch *batch = batch_add(backlog, "b", 0, 0);
    batch_add_lot(batch, &(struct terms){.intake = "shelf-2"}, 2, 0);
    sched_enter(sched, batch, &acts);
    uint32_t a = worker("a", 10), b = worker("b", 10);
    sched_tag(sched, a, "shelf-22,shelf-1");
    sched_tag(sched, b, "ssd,shelf-2");
    assert_null(grant(a));
    assert_int_equal(grant(b)->kind, SOHOA__JOB_KIND__JOB_PROBE);
    sched_hello(sched, "b", 0, 1); /* it comes back without */
    sched_credit(sched, b, 10);
    assert_null(grant(b));
}

static void a_drained_worker_gets_nothing_new(void **state)
{
    (void)state;
    documents("b", 1);
    uint32_t a = worker("a", 10);
    struct lease lease = *grant(a);
    sched_drain(sched, "a", true);
    assert_null(grant(a));
    stored(a, &lease);
    sched_hello(sched, "a", 0, 1); /* nor when it comes back */
    sched_credit(sched, a, 10);
    assert_null(grant(a));
    sched_drain(sched, "a", false);
    assert_non_null(grant(a));
}

/* A fast and a slow worker whose paces are known; the slow one holds the last range. */
static struct lease last_is_slow(uint32_t *ret_fast, uint32_t *ret_slow)
{
    documents("b", 4);
    *ret_fast = worker("fast", 100);
    *ret_slow = worker("slow", 100);
    work_off(*ret_slow, 4, 8);
    work_off(*ret_fast, 11, 1);
    for (const struct lease *rest; (rest = grant(*ret_fast));) {
        struct lease lease = *rest;
        if (lease.kind != SOHOA__JOB_KIND__JOB_ASSEMBLE) {
            sched_ungrant(sched, *ret_fast); /* as if it had been lost on its way */
            failed(*ret_fast, lease.id, E_LEASE);
            break;
        }
        assembled(*ret_fast, &lease);
    }
    struct lease slow = *grant(*ret_slow);
    assert_int_equal(slow.kind, SOHOA__JOB_KIND__JOB_PAGES);
    return slow;
}

static void what_is_slow_is_copied_when_nothing_else_is_left(void **state)
{
    uint32_t fast, slow;
    (void)state;
    struct lease last = last_is_slow(&fast, &slow);
    now_ms += 4 * PAGE_MS; /* a normal worker would be just through */
    assert_null(grant(fast));
    now_ms += 6 * PAGE_MS;
    assert_null(grant(slow)); /* not its own */
    struct lease copy = *grant(fast);
    assert_int_not_equal(copy.id, last.id);
    assert_int_equal(copy.first, last.first);
    assert_int_equal(copy.work, last.work);
    now_ms += 2 * PAGE_MS;
    assert_null(grant(fast)); /* not twice */
    acts.count = 0;
    stored(fast, &copy);
    assert_int_equal(drops(slow), 1);
    assert_int_equal(sched_worker(sched, slow)->leases, 0);
    Sohoa__Result late = SOHOA__RESULT__INIT;
    late.lease = last.id;
    assert_false(sched_finish(sched, slow, &late, now_ms, &acts));
    assert_int_equal(backlog->batch[0]->page_count[PAGE_STORED], 4 * PAGES);
    assert_int_equal(sched_worker(sched, fast)->copies, 1);
}

static void of_two_the_one_that_fails_costs_no_attempt(void **state)
{
    uint32_t fast, slow;
    (void)state;
    struct lease last = last_is_slow(&fast, &slow);
    now_ms += 10 * PAGE_MS;
    struct lease copy = *grant(fast);
    failed(fast, copy.id, E_TIME);
    assert_int_equal(work_part(&backlog->work[last.work], last.first, last.count)->attempts, 0);
    assert_int_equal(backlog->batch[0]->page_count[PAGE_LEASED], last.count);
    sched_lost(sched, slow, &acts, now_ms); /* now it is alone */
    assert_int_equal(backlog->batch[0]->page_count[PAGE_QUEUED], last.count);
    assert_int_equal(grant(fast)->first, last.first);
}

static void of_two_the_one_that_is_lost_leaves_the_other(void **state)
{
    uint32_t fast, slow;
    (void)state;
    struct lease last = last_is_slow(&fast, &slow);
    now_ms += 10 * PAGE_MS;
    struct lease copy = *grant(fast);
    sched_lost(sched, slow, &acts, now_ms);
    assert_int_equal(backlog->batch[0]->page_count[PAGE_LEASED], last.count);
    stored(fast, &copy);
    assert_int_equal(backlog->batch[0]->page_count[PAGE_STORED], 4 * PAGES);
}

/* As a ledger tells of it, before any worker is there. */
static void a_worker_may_be_drained_before_it_comes(void **state)
{
    AUTO(backlog_destroy) struct backlog *own = backlog_new();
    AUTO(sched_destroy) struct sched *fresh = sched_new(own, &rules, 1);
    char name[16];
    (void)state;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "w%d", i);
        sched_drain(fresh, name, true);
        assert_true(sched_worker(fresh, (uint32_t)i)->drained);
        assert_string_equal(sched_worker(fresh, (uint32_t)i)->name, name);
    }
    assert_int_equal(sched_hello(fresh, "w0", 0, 1), 0);
    assert_true(sched_worker(fresh, 0)->drained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_may_be_drained_before_it_comes),
        cmocka_unit_test_setup_teardown(ranges_are_alike_and_cost_what_is_meant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_read_with_its_probe_is_not_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_document_stays_with_the_worker_that_has_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(probes_go_where_the_sources_are_seen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_drained_worker_gets_nothing_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_slow_is_copied_when_nothing_else_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_the_one_that_fails_costs_no_attempt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_two_the_one_that_is_lost_leaves_the_other, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
