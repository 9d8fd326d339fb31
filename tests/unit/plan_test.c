/* SPDX-License-Identifier: AGPL-3.0-or-later
 * From a backlog to a plan: how much is left, what it costs, whose turn it is, and what-ifs that change nothing. */
#include "coordinator/plan.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/target.h"
#include "proto/auto.h"

enum { PAGES = 4 };
#define NOW  UINT64_C(1000000)
#define HOUR UINT64_C(3600000)

static const struct sched_rules rules = {
    .range_ms = 8000, .range_pages = 8, .page_attempts = 3, .lease_page_ms = 1000, .lease_least_ms = 1000};
static const struct supply one_core = {0, 1};

static struct backlog *backlog;
static struct sched *sched;
static struct acts acts;
static uint8_t next_source;

static int set_up(void **state)
{
    static const uint8_t pipeline[SHA256_BYTES] = {1};
    (void)state;
    backlog = backlog_new();
    sched = sched_new(backlog, &rules, 1);
    backlog_pipeline(backlog, pipeline);
    sched_hello(sched, "a", 0, 1);
    sched_credit(sched, 0, 10000);
    next_source = 0;
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

static struct batch *batch(const char *id, const char *unit, uint32_t docs, uint64_t pages_said, uint64_t due_ms)
{
    struct terms terms = {.deadline_ms = due_ms, .priority = 3};
    struct batch *b = batch_add(backlog, id, 0, 0);
    snprintf(terms.unit, sizeof terms.unit, "%s", unit);
    b->reads_on = true;
    batch_add_lot(b, &terms, docs, pages_said);
    sched_reorder(sched);
    return b;
}

/* The next job, a document of PAGES pages, is read at so much a page. Its document. */
static struct doc_ref read_one(uint32_t page_ms)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Probe probe = SOHOA__PROBE__INIT;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    uint8_t sha256[SHA256_BYTES] = {++next_source};
    const struct lease *lease = sched_grant(sched, 0, 1000);
    assert_non_null(lease);
    struct doc_ref doc = lease->doc;
    probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    probe.pages = PAGES;
    result.lease = lease->id;
    result.probe = &probe;
    result.assembled = &assembled;
    result.cpu_ms = PAGES * page_ms;
    assert_true(sched_finish(sched, 0, &result, 1000, &acts));
    return doc;
}

static void make(struct plan *plan, const struct plan_change *changes, size_t count)
{
    struct plan_ifs ifs = {.change = changes, .changes = count};
    plan_make(plan, sched, NOW, &one_core, 1, &ifs);
}

/* Of a unit; without rows: there is nothing of it. */
static struct plan_total unit_total(const struct plan *plan, const char *name)
{
    AUTO(mem_destroy) struct plan_unit *unit = NULL;
    struct plan_total none = {0};
    size_t units = plan_units(plan, &unit);
    for (size_t i = 0; i < units; i++)
        if (!strcmp(unit[i].unit, name))
            return unit[i].total;
    return none;
}

static void near(double got, double want, double share)
{
    if (fabs(got - want) > share * want)
        fail_msg("%g is not %g", got, want);
}

static void what_is_left_is_what_the_manifest_says_less_what_is_done(void **state)
{
    AUTO(plan_destroy) struct plan plan = {0};
    AUTO(plan_destroy) struct plan later = {0};
    (void)state;
    batch("said", "new:00004", 100, 600, 0);
    batch("unsaid", "new:00008", 100, 0, 0);
    make(&plan, NULL, 0);
    assert_int_equal(plan.rows, 2);
    near(plan.row[0].pages, 600, 0.001);
    near(plan.row[1].pages, 700, 0.001); /* documents have seven pages, until some are seen */
    for (int i = 0; i < 10; i++)
        read_one(1000);
    backlog->batch[0]->standing.paused = true;
    sched_reorder(sched);
    for (int i = 0; i < 40; i++)
        read_one(1000);
    make(&later, NULL, 0);
    near(later.row[0].pages, 600 - 10 * PAGES, 0.001);
    near(later.row[1].pages, 60 * PAGES, 0.05);
    assert_int_equal(later.row[0].outlook.verdict, VERDICT_PAUSED);
}

static void what_it_costs_is_told_by_its_batch_then_by_all_batches(void **state)
{
    AUTO(plan_destroy) struct plan plan = {0};
    (void)state;
    batch("dear", "new:00004", 200, 0, 1000 * HOUR);
    batch("cheap", "new:00008", 200, 0, 2000 * HOUR);
    batch("unknown", "new:00012", 100, 0, 3000 * HOUR);
    for (int i = 0; i < 100; i++)
        read_one(4000);
    backlog->batch[0]->standing.paused = true;
    sched_reorder(sched);
    for (int i = 0; i < 100; i++)
        read_one(500);
    make(&plan, NULL, 0);
    near(plan.row[0].demand.core_ms / plan.row[0].pages, 4000, 0.2);
    near(plan.row[1].demand.core_ms / plan.row[1].pages, 500, 0.3);
    /* Of the two batches, and a preset that counts as a third; not of the pages read last. */
    double all = plan.row[2].demand.core_ms / plan.row[2].pages;
    assert_true(all > 1200 && all < 2600);
    assert_true(plan.row[2].demand.core_ms_sd / plan.row[2].demand.core_ms >
                plan.row[1].demand.core_ms_sd / plan.row[1].demand.core_ms);
}

static void what_a_target_expects_and_is_not_there_counts(void **state)
{
    AUTO(plan_destroy) struct plan plan = {0};
    struct target target = {.unit = "new:00004", .pages = 1000, .deadline_ms = 500 * HOUR};
    struct plan_total total;
    (void)state;
    batch("b", "new:00004", 100, 600, 0);
    target_set(backlog, &target);
    make(&plan, NULL, 0);
    assert_int_equal(plan.rows, 2);
    near(plan.row[1].pages, 400, 0.001);
    total = unit_total(&plan, "new:00004");
    assert_int_equal(total.rows, 2);
    near(total.pages, 1000, 0.001);
    assert_int_equal(total.deadline_ms, 500 * HOUR);
    assert_int_equal(total.verdict, VERDICT_ON_TIME);
    assert_int_equal(unit_total(&plan, "new:00008").rows, 0);
}

static void pages_read_again_are_left_again(void **state)
{
    AUTO(plan_destroy) struct plan before = {0};
    AUTO(plan_destroy) struct plan after = {0};
    (void)state;
    batch("done", "new:00004", 1, PAGES, 10 * HOUR);
    batch("open", "new:00008", 100, 600, 20 * HOUR);
    read_one(1000);
    struct lot_pages again[] = {
        {backlog->batch[0]->lot[0], PAGES},
        {backlog->batch[1]->lot[0], 300  }
    };
    struct plan_ifs ifs = {.again = again, .agains = 2};
    make(&before, NULL, 0);
    plan_make(&after, sched, NOW, &one_core, 1, &ifs);
    assert_int_equal(before.rows, 1); /* nothing is left of the other */
    assert_int_equal(after.rows, 2);
    near(after.row[0].pages, PAGES, 0.001);
    near(after.row[1].pages, before.row[0].pages + 300, 0.001);
    near(after.row[1].demand.core_ms, before.row[0].demand.core_ms * 1.5, 0.01);
    assert_true(after.row[1].outlook.p50_ms > before.row[0].outlook.p50_ms);
}

static void a_what_if_changes_nothing(void **state)
{
    AUTO(plan_destroy) struct plan plan = {0};
    AUTO(plan_destroy) struct plan other = {0};
    const struct plan_change changes[] = {
        {.subject = "new:00004", .deadline_ms = NOW + 1},
        {.subject = "second",    .pause = true         },
    };
    struct plan_total total, of_batch[2];
    (void)state;
    batch("first", "new:00004", 10, 100, NOW + 1000 * HOUR);
    batch("second", "new:00008", 10, 100, NOW + 1000 * HOUR);
    make(&plan, changes, 2);
    assert_false(plan.feasible);
    plan_batches(&plan, of_batch, 2);
    assert_int_equal(of_batch[0].rows, 1);
    assert_int_equal(of_batch[0].verdict, VERDICT_LATE);
    assert_int_equal(unit_total(&plan, "new:00008").verdict, VERDICT_PAUSED);
    make(&other, NULL, 0);
    assert_true(other.feasible);
    plan_all(&other, &total);
    assert_int_equal(total.verdict, VERDICT_ON_TIME);
    near(total.pages, 200, 0.001);
}

static void a_new_batch_is_sampled_before_others_turns(void **state)
{
    AUTO(plan_destroy) struct plan plan = {0};
    (void)state;
    batch("soon", "new:00004", 400, 1600, NOW + 100 * HOUR);
    batch("late", "new:00008", 400, 1600, NOW + 900 * HOUR);
    make(&plan, NULL, 0);
    plan_apply(&plan, sched);
    uint32_t of[2] = {0}, sampled = backlog->batch[1]->lot[0]->sample;
    assert_true(sampled > 0 && sampled < 100);
    for (uint32_t i = 0; i < 2 * sampled; i++)
        of[read_one(1000).batch]++;
    assert_int_equal(of[0], sampled);
    assert_int_equal(of[1], sampled);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(read_one(1000).batch, 0);
    plan_apply(&plan, sched); /* once only */
    assert_int_equal(read_one(1000).batch, 0);
}

static void turns_are_those_of_the_plan(void **state)
{
    AUTO(plan_destroy) struct plan plan = {0};
    (void)state;
    /* The first is more important and due later; the second can't be on time any more. */
    struct batch *first = batch("first", "new:00004", 100, 7000, NOW + 40 * HOUR);
    struct batch *second = batch("second", "new:00008", 100, 7000, NOW + HOUR);
    first->standing.priority = 1;
    second->standing.priority = 5;
    first->sampled = second->sampled = true;
    make(&plan, NULL, 0);
    assert_false(plan.feasible);
    plan_apply(&plan, sched);
    assert_int_equal(read_one(1000).batch, 1); /* there is time for it */
    first->standing.deadline_ms = NOW + 3 * HOUR / 2;
    plan_destroy(&plan);
    make(&plan, NULL, 0);
    plan_apply(&plan, sched);
    assert_int_equal(read_one(1000).batch, 0); /* now there is none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_left_is_what_the_manifest_says_less_what_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_it_costs_is_told_by_its_batch_then_by_all_batches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_target_expects_and_is_not_there_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pages_read_again_are_left_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_what_if_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_batch_is_sampled_before_others_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(turns_are_those_of_the_plan, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
