/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is planned for units and ordered for batches, and what it does to the order of grants. */
#include "coordinator/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/sched.h"
#include "proto/auto.h"

enum { BREAKER = 5 };

static const struct sched_rules rules = {.range_ms = 1000,
                                         .range_pages = 8,
                                         .page_attempts = 3,
                                         .lease_page_ms = 1000,
                                         .lease_least_ms = 1000,
                                         .breaker_failures = BREAKER};

static struct backlog *backlog;
static struct sched *sched;
static struct acts acts;

static int set_up(void **state)
{
    (void)state;
    backlog = backlog_new();
    sched = sched_new(backlog, &rules, 1);
    sched_hello(sched, "a", 0, 1);
    sched_credit(sched, 0, 10000);
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

static struct target target(const char *unit, uint32_t priority, uint64_t deadline_ms)
{
    struct target t = {.priority = priority, .deadline_ms = deadline_ms};
    snprintf(t.unit, sizeof t.unit, "%s", unit);
    return t;
}

static void targets_are_found_by_unit_and_priority(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) /* again: in the place of the first */
        for (int i = 0; i < 500; i++) {
            char unit[32];
            snprintf(unit, sizeof unit, "new:%05d", i * 7919 % 500);
            struct target t = target(unit, (uint32_t)(i % 3), (uint64_t)(1 + i + 1000 * round));
            assert_true(target_set(backlog, &t));
        }
    assert_int_equal(backlog->targets, 500);
    for (uint32_t i = 1; i < backlog->targets; i++)
        assert_true(strcmp(backlog->target[i - 1].unit, backlog->target[i].unit) < 0);
    assert_int_equal(target_find(backlog, "new:00000", 0)->deadline_ms, 1001);
    assert_null(target_find(backlog, "new:00000", 1));
    assert_null(target_find(backlog, "new:00500", 0));
}

static void the_target_of_the_priority_counts_then_that_of_the_unit(void **state)
{
    (void)state;
    struct target two = target("district:001", 2, 20), four = target("district:001", 4, 40),
                  unit = target("district:001", 0, 9);
    assert_null(target_of(backlog, "district:001", 2));
    target_set(backlog, &four);
    target_set(backlog, &two);
    assert_int_equal(target_of(backlog, "district:001", 4)->deadline_ms, 40);
    assert_int_equal(target_of(backlog, "district:001", 5)->deadline_ms, 20); /* the most urgent */
    assert_int_equal(target_of(backlog, "district:001", 0)->deadline_ms, 20);
    target_set(backlog, &unit);
    assert_int_equal(target_of(backlog, "district:001", 5)->deadline_ms, 9);
    assert_int_equal(target_of(backlog, "district:001", 4)->deadline_ms, 40);
    assert_null(target_of(backlog, "district:0010", 4));
    assert_null(target_of(backlog, "", 4));
}

static void what_was_said_last_and_nearest_counts(void **state)
{
    (void)state;
    struct batch *batch = batch_add(backlog, "b", 0, NONE);
    batch_add_lot(batch, &(struct terms){.unit = "district:001", .deadline_ms = 500, .priority = 4}, 1, 0);
    struct lot *lot = batch->lot[0];
    struct target t = target("district:001", 2, 300);
    sched_reorder(sched);
    assert_int_equal(lot->due_ms, 500);
    target_set(backlog, &t);
    sched_reorder(sched);
    assert_int_equal(lot->due_ms, 300);
    assert_int_equal(lot->priority, 4); /* the manifest said it */
    batch->standing.deadline_ms = 700;
    batch->standing.priority = 1;
    sched_reorder(sched);
    assert_int_equal(lot->due_ms, 700);
    assert_int_equal(lot->priority, 1);
    batch->standing.deadline_ms = DEADLINE_NONE;
    sched_reorder(sched);
    assert_int_equal(batch_deadline_ms(batch), 0);
}

static uint32_t granted_batch(void)
{
    const struct lease *lease = sched_grant(sched, 0, 1000);
    return lease ? lease->doc.batch : NONE;
}

static void what_is_paused_is_not_granted(void **state)
{
    (void)state;
    struct batch *first = batch_add(backlog, "first", 0, NONE), *second = batch_add(backlog, "second", 0, NONE);
    batch_add_lot(first, &(struct terms){.unit = "new:00004", .priority = 1}, 10, 0);
    batch_add_lot(second, &(struct terms){.unit = "new:00008", .priority = 2}, 10, 0);
    sched_reorder(sched);
    assert_int_equal(granted_batch(), 0);
    first->standing.paused = true;
    sched_reorder(sched);
    assert_int_equal(granted_batch(), 1);
    struct target t = {.unit = "new:00008", .paused = true};
    target_set(backlog, &t);
    sched_reorder(sched);
    assert_int_equal(granted_batch(), NONE);
    first->standing.paused = false;
    sched_reorder(sched);
    assert_int_equal(granted_batch(), 0);
}

static void probe_ends(int code)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    Sohoa__Probe probe = SOHOA__PROBE__INIT;
    static uint8_t sha256[SHA256_BYTES];
    const struct lease *lease = sched_grant(sched, 0, 1000);
    assert_non_null(lease);
    sha256[0]++;
    err.code = code;
    err.text = (char *)(uintptr_t) "why";
    probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    probe.pages = 1;
    result.lease = lease->id;
    result.err = code ? &err : NULL;
    result.probe = code ? NULL : &probe;
    assert_true(sched_finish(sched, 0, &result, 1000, &acts));
}

static uint32_t broken(void)
{
    uint32_t n = 0;
    for (size_t i = 0; i < acts.count; i++)
        n += acts.at[i].kind == ACT_BROKEN;
    return n;
}

static void the_same_failure_over_and_over_pauses_a_batch(void **state)
{
    (void)state;
    static const uint8_t pipeline[SHA256_BYTES] = {1};
    struct batch *batch = batch_add(backlog, "b", 100, backlog_pipeline(backlog, pipeline));
    sched_reorder(sched);
    for (int i = 0; i < BREAKER - 1; i++)
        probe_ends(E_SOURCE_BROKEN);
    probe_ends(0); /* a success: it was not all of them */
    for (int i = 0; i < BREAKER - 1; i++)
        probe_ends(E_SOURCE_BROKEN);
    for (int i = 0; i < BREAKER - 1; i++)
        probe_ends(E_SOURCE_TYPE); /* another kind */
    for (int i = 0; i < 2 * BREAKER; i++)
        probe_ends(E_STORE); /* the cluster's own */
    assert_int_equal(broken(), 0);
    probe_ends(E_SOURCE_TYPE);
    assert_int_equal(broken(), 1);
    assert_true(batch->standing.paused);
    assert_int_equal(backlog->fault[batch->standing.fault].code, E_SOURCE_TYPE);
    assert_null(sched_grant(sched, 0, 1000));
    batch->standing.paused = false; /* a person goes on: counted anew */
    sched_reorder(sched);
    probe_ends(E_SOURCE_TYPE);
    assert_int_equal(broken(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(targets_are_found_by_unit_and_priority, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_target_of_the_priority_counts_then_that_of_the_unit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_said_last_and_nearest_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_paused_is_not_granted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_failure_over_and_over_pauses_a_batch, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
