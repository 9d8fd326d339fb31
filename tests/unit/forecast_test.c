/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/forecast.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NOW = 100000000, HOUR = 3600000, MOST = 64 };

static const struct supply ten_cores = {0, 10};
static struct outlook out[MOST];

static uint64_t hours(double h)
{
    return NOW + (uint64_t)(h * HOUR);
}

/* So many hours of ten cores. */
static struct demand work(double ten_core_hours, double due_hours, uint32_t priority)
{
    return (struct demand){.core_ms = ten_core_hours * 10 * HOUR,
                           .deadline_ms = due_hours > 0 ? hours(due_hours) : 0,
                           .priority = priority};
}

static void near(uint64_t ms, double h)
{
    if (fabs((double)ms - (double)hours(h)) > 0.02 * HOUR)
        fail_msg("%.3f hours, not %.3f", ((double)ms - NOW) / HOUR, h);
}

static void what_can_be_met_is_served_by_deadline(void **state)
{
    const struct demand demand[] = {work(2, 10, 1), work(3, 5, 5), work(4, 0, 1), work(1, 10, 4)};
    (void)state;
    assert_true(forecast(NOW, &ten_cores, 1, demand, 4, 0, out));
    assert_true(out[1].turn_ms < out[0].turn_ms && out[0].turn_ms == out[3].turn_ms && out[3].turn_ms < out[2].turn_ms);
    near(out[1].p50_ms, 3);
    near(out[0].p50_ms, 5);
    near(out[3].p50_ms, 6);
    near(out[2].p50_ms, 10);
    assert_int_equal(out[0].verdict, VERDICT_ON_TIME);
    assert_int_equal(out[2].verdict, VERDICT_NO_DEADLINE);
    near(NOW + (uint64_t)out[1].slack_ms, 2);
    for (int i = 0; i < 4; i++)
        assert_false(out[i].shed);
}

static void what_can_not_be_met_costs_the_least_important(void **state)
{
    /* 12 hours of work in 10: two of the fifth priority's four are late, and only they. */
    const struct demand demand[] = {work(4, 10, 1), work(4, 10, 2), work(4, 10, 5)};
    (void)state;
    assert_false(forecast(NOW, &ten_cores, 1, demand, 3, 0, out));
    assert_false(out[0].shed || out[1].shed);
    assert_true(out[2].shed);
    assert_int_equal(out[0].verdict, VERDICT_ON_TIME);
    assert_int_equal(out[1].verdict, VERDICT_ON_TIME);
    assert_int_equal(out[2].verdict, VERDICT_LATE);
    near(out[2].p50_ms, 12);
}

static void what_is_important_leaves_the_time_before_its_deadline_to_others(void **state)
{
    /* The first is due in 20 hours, so the fifth, due in 2 and too much for that, goes before it. */
    const struct demand demand[] = {work(5, 20, 1), work(3, 2, 5)};
    (void)state;
    assert_false(forecast(NOW, &ten_cores, 1, demand, 2, 0, out));
    assert_true(out[1].turn_ms < out[0].turn_ms);
    near(out[1].p50_ms, 3);
    assert_int_equal(out[0].verdict, VERDICT_ON_TIME);
}

static void what_was_due_is_late_whatever_comes(void **state)
{
    struct demand demand[] = {work(1, 1, 3), work(1, 8, 1)};
    (void)state;
    demand[0].deadline_ms = NOW - HOUR;
    assert_false(forecast(NOW, &ten_cores, 1, demand, 2, 0, out));
    assert_int_equal(out[0].verdict, VERDICT_LATE);
    assert_true(isinf(out[0].cores_needed));
    near(out[0].p50_ms, 1);
    assert_int_equal(out[1].verdict, VERDICT_ON_TIME);
}

static void doubt_makes_a_risk(void **state)
{
    struct demand demand[] = {work(9, 10, 1)};
    (void)state;
    demand[0].core_ms_sd = 0.05 * demand[0].core_ms;
    forecast(NOW, &ten_cores, 1, demand, 1, 0, out);
    near(out[0].p90_ms, 9 * (1 + 1.2816 * 0.05));
    assert_int_equal(out[0].verdict, VERDICT_ON_TIME);
    forecast(NOW, &ten_cores, 1, demand, 1, 0.1, out); /* and the cluster's own speed */
    near(out[0].p90_ms, 9 * (1 + 1.2816 * hypot(0.05, 0.1)));
    assert_int_equal(out[0].verdict, VERDICT_AT_RISK);
}

static void cores_that_are_needed_are_enough_and_no_more(void **state)
{
    const struct demand demand[] = {work(4, 3, 1), work(6, 8, 3), work(9, 12, 5), work(2, 0, 5)};
    struct outlook with[4];
    (void)state;
    assert_false(forecast(NOW, &ten_cores, 1, demand, 4, 0.05, out));
    for (int i = 0; i < 3; i++) {
        struct supply more = {0, 10 + out[i].cores_needed + 0.001}, less = {0, 10 + 0.98 * out[i].cores_needed};
        assert_true(out[i].cores_needed > 0);
        forecast(NOW, &more, 1, demand, 4, 0.05, with);
        double most = fmax(fmax(out[0].cores_needed, out[1].cores_needed), out[2].cores_needed);
        if (out[i].cores_needed == most) /* the others are on time, too */
            assert_int_equal(with[i].verdict, VERDICT_ON_TIME);
        forecast(NOW, &less, 1, demand, 4, 0.05, with);
        assert_int_not_equal(with[i].verdict, VERDICT_ON_TIME);
    }
}

static void cores_come_and_go(void **state)
{
    const struct supply nights[] = {
        {0,               0 },
        {NOW + 2 * HOUR,  10},
        {NOW + 4 * HOUR,  0 },
        {NOW + 26 * HOUR, 10},
        {NOW + 28 * HOUR, 0 }
    };
    const struct demand demand[] = {work(1, 5, 1), work(2, 30, 1), work(2, 40, 1)};
    (void)state;
    assert_false(forecast(NOW, nights, 5, demand, 3, 0, out));
    near(out[0].p50_ms, 3);
    near(out[1].p50_ms, 27);
    assert_int_equal(out[2].p50_ms, FORECAST_NEVER);
    assert_int_equal(out[2].verdict, VERDICT_LATE);
}

static void without_cores_nothing_ends(void **state)
{
    const struct supply none = {0, 0};
    struct demand demand[] = {work(1, 5, 1), work(1, 0, 1), work(1, 5, 1)};
    (void)state;
    demand[2].paused = true;
    assert_false(forecast(NOW, &none, 1, demand, 3, 0, out));
    assert_int_equal(out[0].p50_ms, FORECAST_NEVER);
    assert_int_equal(out[0].verdict, VERDICT_LATE);
    assert_int_equal(out[1].p50_ms, FORECAST_NEVER);
    assert_int_equal(out[2].verdict, VERDICT_PAUSED);
    assert_true(forecast(NOW, &ten_cores, 1, NULL, 0, 0, out));
}

static double chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (double)(*state % 1000003) / 1000003;
}

static bool sooner(const struct outlook *turn, const struct demand *demand, int a, int b)
{
    if (turn[a].turn_ms != turn[b].turn_ms)
        return turn[a].turn_ms < turn[b].turn_ms;
    if (demand[a].priority != demand[b].priority)
        return demand[a].priority < demand[b].priority;
    return demand[a].deadline_ms < demand[b].deadline_ms;
}

/* Serves in the order of turns, planning anew all the time; work left of each, and by how much each ended late. */
static void serve(struct demand *demand, int n, double late_hours[])
{
    struct outlook turn[MOST];
    double step = 0.02;
    uint64_t now = NOW;
    for (int left = n; left;) {
        double room = step * 10 * HOUR;
        forecast(now, &ten_cores, 1, demand, (size_t)n, 0, turn);
        left = 0;
        while (room > 0) {
            int next = -1;
            for (int i = 0; i < n; i++)
                if (demand[i].core_ms > 0 && (next < 0 || sooner(turn, demand, i, next)))
                    next = i;
            if (next < 0)
                break;
            double take = fmin(room, demand[next].core_ms);
            demand[next].core_ms -= take;
            room -= take;
            late_hours[next] = ((double)now - (double)demand[next].deadline_ms) / HOUR + step;
        }
        now += (uint64_t)(step * HOUR);
        for (int i = 0; i < n; i++)
            left += demand[i].core_ms > 0;
    }
}

/* What fits alone is on time, whatever less important work there is; seeds are the argument. */
static void importance_is_kept_to_when_there_is_too_much(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        uint64_t random = seed * 7919;
        struct demand demand[20];
        double late[20], due[20], first = 0;
        for (int i = 0; i < 20; i++) {
            due[i] = 1 + 15 * chance(&random);
            demand[i] = work(0.1 + 1.6 * chance(&random), due[i], i < 6 ? 1 : 5);
            demand[i].core_ms = i < 6 ? fmin(demand[i].core_ms, 0.12 * due[i] * 10 * HOUR) : demand[i].core_ms;
        }
        serve(demand, 20, late);
        for (int i = 0; i < 6; i++)
            first = fmax(first, late[i]);
        if (first > 0.05)
            fail_msg("seed %llu: the first priority is %.2f hours late", (unsigned long long)seed, first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_met_is_served_by_deadline),
        cmocka_unit_test(what_can_not_be_met_costs_the_least_important),
        cmocka_unit_test(what_is_important_leaves_the_time_before_its_deadline_to_others),
        cmocka_unit_test(what_was_due_is_late_whatever_comes),
        cmocka_unit_test(doubt_makes_a_risk),
        cmocka_unit_test(cores_that_are_needed_are_enough_and_no_more),
        cmocka_unit_test(cores_come_and_go),
        cmocka_unit_test(without_cores_nothing_ends),
        cmocka_unit_test(importance_is_kept_to_when_there_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
