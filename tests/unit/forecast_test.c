/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is served when and what comes of it. The last test compares what serving by turns costs with the least that it can cost, in
 * as many made-up cities as the first argument says. */
#include "coordinator/forecast.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/chance.h"
#include "tests/lib/optimum.h"

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

/* By 1 % of the time until its deadline, and half a minute. */
static void what_is_put_off_is_meant_to_end_early(void **state)
{
    const struct demand far[] = {work(10, 100, 1), work(200, 1, 5)}, soon[] = {work(0.005, 0.02, 1), work(1, 0.001, 5)};
    (void)state;
    assert_false(forecast(NOW, &ten_cores, 1, far, 2, 0, out));
    assert_true(out[1].turn_ms < out[0].turn_ms);
    assert_in_range(out[0].p50_ms, hours(98.5), hours(99));
    assert_false(forecast(NOW, &ten_cores, 1, soon, 2, 0, out));
    assert_true(out[1].turn_ms < out[0].turn_ms);
    assert_in_range(out[0].p50_ms, hours(0.008), hours(0.02) - 30000);
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

/* All that is due in two hours fits until then, but the first priority takes it all: 26 hours of work in 20. */
static void cores_are_needed_for_what_is_due_later(void **state)
{
    const struct demand demand[] = {work(25, 20, 1), work(1, 2, 5)};
    (void)state;
    assert_false(forecast(NOW, &ten_cores, 1, demand, 2, 0, out));
    assert_int_equal(out[1].verdict, VERDICT_LATE);
    assert_float_equal(out[1].cores_needed, 3, 0.001);
    assert_float_equal(out[0].cores_needed, 3, 0.001);
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

/* What fits alone is on time, whatever less important work there is. */
static void importance_is_kept_to_when_there_is_too_much(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct chance chance = chance_branch(seed, 0);
        struct demand demand[20];
        double late[20], first = 0;
        for (int i = 0; i < 20; i++) {
            double due = chance_real(&chance, 1, 16), most = i < 6 ? 0.12 * due : 1.7;
            demand[i] = work(fmin(most, chance_real(&chance, 0.1, 1.7)), due, i < 6 ? 1 : 5);
        }
        serve(demand, 20, late);
        for (int i = 0; i < 6; i++)
            first = fmax(first, late[i]);
        if (first > 0.05)
            fail_msg("seed %" PRIu64 ": the first priority is %.2f hours late", seed, first);
    }
}

static void what_is_important_is_not_at_risk_of_what_gives_way(void **state)
{
    struct demand demand[] = {work(5, 10, 1), work(8, 4, 5)};
    (void)state;
    demand[1].core_ms_sd = 0.2 * demand[1].core_ms;
    assert_false(forecast(NOW, &ten_cores, 1, demand, 2, 0, out));
    assert_true(out[1].turn_ms < out[0].turn_ms);
    assert_int_equal(out[0].verdict, VERDICT_ON_TIME);
    near(out[0].p90_ms, 10);
    demand[0].core_ms_sd = demand[0].core_ms;
    assert_false(forecast(NOW, &ten_cores, 1, demand, 2, 0, out));
    assert_int_equal(out[0].verdict, VERDICT_AT_RISK);
}

static void many_steps_of_supply(void **state)
{
    enum { STEPS = 4096 };
    static struct supply supply[STEPS];
    const struct demand demand[] = {work(1000, 2000, 1), work(1000, 0, 1)};
    (void)state;
    for (int i = 0; i < STEPS; i++) /* the first of them are over */
        supply[i] = (struct supply){hours(i - 20), i % 2 ? 20 : 0};
    assert_true(forecast(NOW, supply, STEPS, demand, 2, 0, out));
    near(out[0].p50_ms, 1000);
    near(out[1].p50_ms, 2000);
}

/* ---- a city ---- */

/* 30 districts that are due at some time of a year, each with work of 5 priorities, due one after the other. Time in steps of two
 * days, work in hundredths of what can be done in one. Until the fullest moment there is 110 % to do. */
enum { DISTRICTS = 30, CITY = 5 * DISTRICTS, STEPS_MAX = 300, STEP_UNITS = 100, STEP_PLANS = 12 };

static const double city_load = 1.1, unit_core_ms = 10.0 * 48 * HOUR / STEP_UNITS;
static uint64_t cities = 1;

struct city {
    uint32_t work[CITY], due[CITY], steps;
    struct demand demand[CITY];
};

static uint64_t step_ms(double step)
{
    return hours(48 * step);
}

static double fullest(const double *weight, const uint32_t *due)
{
    double most = 0;
    for (uint32_t step = 1; step < STEPS_MAX; step++) {
        double sum = 0;
        for (int i = 0; i < CITY; i++)
            sum += due[i] <= step ? weight[i] : 0;
        most = fmax(most, sum / step);
    }
    return most;
}

static void city_make(struct city *city, uint64_t seed)
{
    static const double share[] = {0.1, 0.2, 0.3, 0.25, 0.15};
    struct chance chance = chance_branch(seed, 1);
    double weight[CITY];
    uint32_t units = 0;
    for (int i = 0; i < CITY; i += 5) {
        double size = exp(chance_real(&chance, -0.6, 0.6)), due = chance_real(&chance, 0.15, 0.9);
        for (int p = 0; p < 5; p++) {
            weight[i + p] = size * share[p] * exp(chance_real(&chance, -0.3, 0.3));
            city->due[i + p] = (uint32_t)ceil((due + 0.02 * (p + 1)) * 365 / 2);
        }
    }
    double most = fullest(weight, city->due);
    for (int i = 0; i < CITY; i++) {
        units += city->work[i] = (uint32_t)(weight[i] / most * city_load * STEP_UNITS);
        city->demand[i] = (struct demand){.core_ms = city->work[i] * unit_core_ms,
                                          .deadline_ms = step_ms(city->due[i]),
                                          .priority = (uint32_t)(i % 5 + 1)};
    }
    city->steps = units / STEP_UNITS + 1;
    assert_true(city->steps < STEPS_MAX);
}

/* Of a unit of work that is done in a step. */
static double city_cost(const struct city *city, int i, uint32_t step)
{
    double late = step + 1 > city->due[i] ? step + 1 - city->due[i] : 0;
    return late * pow(10, 4 - i % 5);
}

static double city_optimum(const struct city *city)
{
    static double cost[CITY * STEPS_MAX];
    uint32_t room[STEPS_MAX];
    for (uint32_t step = 0; step < city->steps; step++) {
        room[step] = STEP_UNITS;
        for (int i = 0; i < CITY; i++)
            cost[(uint32_t)i * city->steps + step] = city_cost(city, i, step);
    }
    return optimum(city->work, CITY, room, city->steps, cost);
}

static struct outlook city_out[CITY];

static int turn_order(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    if (city_out[x].turn_ms != city_out[y].turn_ms)
        return city_out[x].turn_ms < city_out[y].turn_ms ? -1 : 1;
    return x - y;
}

/* One plan's time, in the order of its turns. Returns what it cost. */
static double city_serve_plan(struct city *city, uint32_t step)
{
    double room = STEP_UNITS * unit_core_ms / STEP_PLANS, cost = 0;
    int order[CITY];
    for (int i = 0; i < CITY; i++)
        order[i] = i;
    qsort(order, CITY, sizeof order[0], turn_order);
    for (int k = 0; k < CITY; k++) {
        struct demand *demand = &city->demand[order[k]];
        double take = fmin(room, demand->core_ms);
        demand->core_ms -= take;
        room -= take;
        cost += take / unit_core_ms * city_cost(city, order[k], step);
    }
    return cost;
}

static double city_serve(struct city *city)
{
    double cost = 0;
    for (uint32_t plan = 0; plan < city->steps * STEP_PLANS; plan++) {
        forecast(step_ms((double)plan / STEP_PLANS), &ten_cores, 1, city->demand, CITY, 0, city_out);
        cost += city_serve_plan(city, plan / STEP_PLANS);
    }
    for (int i = 0; i < CITY; i++)
        assert_true(city->demand[i].core_ms < unit_core_ms / 1000);
    return cost;
}

static void a_city_that_is_too_much_costs_little_more_than_it_must(void **state)
{
    static struct city city;
    double mean = 0, worst = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= cities; seed++) {
        city_make(&city, seed);
        double least = city_optimum(&city), ratio = city_serve(&city) / least;
        mean += ratio / (double)cities;
        worst = fmax(worst, ratio);
    }
    printf("%" PRIu64 " cities at %.0f %%: %.4f times the optimum, at worst %.4f\n", cities, 100 * city_load, mean,
           worst);
    assert_true(mean >= 1 && mean <= 1.05 && worst <= 1.1); /* of the first eight: 1.036 and 1.096 */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_met_is_served_by_deadline),
        cmocka_unit_test(what_can_not_be_met_costs_the_least_important),
        cmocka_unit_test(what_is_important_leaves_the_time_before_its_deadline_to_others),
        cmocka_unit_test(what_is_put_off_is_meant_to_end_early),
        cmocka_unit_test(what_was_due_is_late_whatever_comes),
        cmocka_unit_test(doubt_makes_a_risk),
        cmocka_unit_test(cores_that_are_needed_are_enough_and_no_more),
        cmocka_unit_test(cores_are_needed_for_what_is_due_later),
        cmocka_unit_test(cores_come_and_go),
        cmocka_unit_test(without_cores_nothing_ends),
        cmocka_unit_test(importance_is_kept_to_when_there_is_too_much),
        cmocka_unit_test(what_is_important_is_not_at_risk_of_what_gives_way),
        cmocka_unit_test(many_steps_of_supply),
        cmocka_unit_test(a_city_that_is_too_much_costs_little_more_than_it_must),
    };
    cities = argc > 1 ? strtoull(argv[1], NULL, 10) : cities;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
