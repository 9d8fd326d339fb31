/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Counters over time: what is in which step, gaps, and what is forgotten. */
#include "coordinator/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/auto.h"

#define BEGAN_MS UINT64_C(1800000000000) /* an hour begins */

static struct series_step step[SERIES_STEPS_MAX];
static uint64_t step_ms, end_ms;

static void pages_are_counted_by_the_step(void **state)
{
    AUTO(series_destroy) struct series *series = series_new(BEGAN_MS);
    (void)state;
    series_add(series, BEGAN_MS, 1000, 0, 0, 0); /* of before: nobody knows when */
    for (uint64_t s = 1; s <= 60; s++)
        series_add(series, BEGAN_MS + s * 1000, 1000 + s * 3, s, 2, 4);
    assert_int_equal(series_take(series, 3600, &step_ms, &end_ms, step), 6);
    assert_int_equal(step_ms, 10000);
    assert_true(end_ms == BEGAN_MS + 60000);
    assert_int_equal(step[0].pages, 27); /* nine of its seconds */
    for (int i = 1; i < 6; i++) {
        assert_int_equal(step[i].pages, 30);
        assert_int_equal(step[i].dead, 10);
        assert_true(step[i].busy > 1.99 && step[i].busy < 2.01 && step[i].slots > 3.99 && step[i].slots < 4.01);
    }
    assert_true(series_pages_per_s(series) > 2.9 && series_pages_per_s(series) < 3);
    assert_int_equal(series_take(series, 86400, &step_ms, &end_ms, step), 1);
    assert_int_equal(step_ms, 60000);
    assert_int_equal(step[0].pages, 59 * 3);
}

static void what_was_before_the_start_is_there(void **state)
{
    const uint64_t minute = BEGAN_MS / 60000, hour = minute / 60;
    AUTO(series_destroy) struct series *series = series_new(BEGAN_MS + 5000);
    (void)state;
    series_restore(series, 60000, minute - 1, 61);
    series_restore(series, 60000, minute - 3, 7);
    series_restore(series, 60000, minute, 9);         /* this minute, before the restart */
    series_restore(series, 60000, minute + 5, 1000);  /* a clock that went ahead */
    series_restore(series, 60000, minute - 1440, 50); /* too old */
    series_restore(series, 3600000, hour - 2, 5000);
    series_restore(series, 3600000, hour - 720, 1);
    series_add(series, BEGAN_MS + 5000, 0, 0, 0, 0);
    series_add(series, BEGAN_MS + 60000, 3, 0, 1, 2);
    assert_int_equal(series_take(series, 86400, &step_ms, &end_ms, step), 4);
    assert_int_equal(step[0].pages, 7);
    assert_int_equal(step[1].pages, 0);
    assert_int_equal(step[2].pages, 61);
    assert_int_equal(step[3].pages, 9);
    assert_int_equal(series_take(series, 3600, &step_ms, &end_ms, step), 4 * 6);
    assert_int_equal(
        step[12].pages + step[13].pages + step[14].pages + step[15].pages + step[16].pages + step[17].pages, 61);
    assert_int_equal(step[12].pages, 10);
    assert_int_equal(step[18].pages, 9); /* of a minute that had just begun */
    series_add(series, BEGAN_MS + 3600000, 3, 0, 1, 2);
    assert_int_equal(series_take(series, 30 * 86400, &step_ms, &end_ms, step), 3);
    assert_int_equal(step[0].pages, 5000);
    assert_int_equal(step[2].pages, 3);
}

static void nothing_is_in_gaps(void **state)
{
    AUTO(series_destroy) struct series *series = series_new(BEGAN_MS);
    (void)state;
    series_add(series, BEGAN_MS, 0, 0, 0, 0);
    series_add(series, BEGAN_MS + 5000, 50, 0, 1, 1);
    series_add(series, BEGAN_MS + 45000, 60, 0, 1, 1);
    assert_int_equal(series_take(series, 60, &step_ms, &end_ms, step), 4);
    assert_int_equal(step[0].pages, 50);
    assert_int_equal(step[1].pages + step[2].pages + step[3].pages, 0);
}

static void counters_may_go_back(void **state)
{
    AUTO(series_destroy) struct series *series = series_new(BEGAN_MS);
    (void)state;
    series_add(series, BEGAN_MS, 100, 9, 0, 0);
    series_add(series, BEGAN_MS + 1000, 90, 5, 0, 0);
    series_add(series, BEGAN_MS + 2000, 95, 6, 0, 0);
    series_add(series, BEGAN_MS + 1500, 300, 6, 0, 0); /* so may the clock */
    series_add(series, BEGAN_MS + 10000, 95, 6, 0, 0);
    assert_int_equal(series_take(series, 1, &step_ms, &end_ms, step), 1);
    assert_int_equal(step[0].pages, 5);
    assert_int_equal(step[0].dead, 1);
}

static void the_oldest_is_forgotten(void **state)
{
    AUTO(series_destroy) struct series *series = series_new(BEGAN_MS);
    (void)state;
    for (uint64_t s = 0; s <= 2 * 3600; s += 5)
        series_add(series, BEGAN_MS + s * 1000, s, 0, 0, 0);
    assert_int_equal(series_take(series, 3600, &step_ms, &end_ms, step), 359);
    assert_int_equal(step[0].pages, 10);
    series_add(series, BEGAN_MS + UINT64_C(90) * 86400 * 1000, 0, 0, 0, 0); /* asleep for months */
    assert_int_equal(series_take(series, 2592000, &step_ms, &end_ms, step), 719);
    for (int i = 0; i < 719; i++)
        assert_int_equal(step[i].pages, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_counted_by_the_step),
        cmocka_unit_test(what_was_before_the_start_is_there),
        cmocka_unit_test(nothing_is_in_gaps),
        cmocka_unit_test(counters_may_go_back),
        cmocka_unit_test(the_oldest_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
