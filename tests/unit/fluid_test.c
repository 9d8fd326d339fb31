/* SPDX-License-Identifier: AGPL-3.0-or-later
 * No order of work costs less than the fluid's: against another method, on as many made-up cases as the first argument says. */
#include "coordinator/fluid.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/chance.h"
#include "proto/auto.h"
#include "tests/lib/optimum.h"

enum { SLOTS = 24, LOTS = 40, MOST_WORK = 60 };

static uint64_t cases = 300;

struct lot {
    uint32_t priority, due;
    uint32_t work;
};

struct instance {
    int64_t slot_ms[SLOTS], room[SLOTS];
    struct lot lot[LOTS];
    uint32_t slots, lots;
};

static struct lot lot_of(struct chance *chance, uint32_t slots)
{
    struct lot lot = {.priority = 1 + chance_below(chance, FLUID_PRIORITIES)};
    lot.due = chance_below(chance, slots);
    lot.work = chance_below(chance, MOST_WORK);
    return lot;
}

/* Every fourth slot has no room. */
static struct instance instance_of(uint64_t seed)
{
    struct chance chance = chance_branch(seed, 0);
    struct instance in = {.slots = 2 + chance_below(&chance, SLOTS - 1)};
    uint32_t work = 0;
    in.lots = 1 + chance_below(&chance, LOTS);
    for (uint32_t i = 0; i < in.lots; i++) {
        in.lot[i] = lot_of(&chance, in.slots);
        work += in.lot[i].work;
    }
    for (uint32_t t = 0; t < in.slots; t++) {
        bool closed = chance_percent(&chance, 25);
        in.slot_ms[t] = chance_between(&chance, 1, 20);
        in.room[t] = closed ? 0 : chance_below(&chance, 3 * work / in.slots + 1);
    }
    in.room[in.slots - 1] = work;
    return in;
}

static double unit_cost(const struct instance *in, const struct lot *lot, uint32_t slot)
{
    double ms = 0;
    for (uint32_t t = lot->due + 1; t <= slot; t++)
        ms += (double)in->slot_ms[t];
    return ms * pow(10, 5.0 - lot->priority);
}

static double least_cost(const struct instance *in)
{
    double cost[LOTS * SLOTS];
    uint32_t work[LOTS], room[SLOTS];
    for (uint32_t i = 0; i < in->lots; i++) {
        work[i] = in->lot[i].work;
        for (uint32_t t = 0; t < in->slots; t++)
            cost[i * in->slots + t] = unit_cost(in, &in->lot[i], t);
    }
    for (uint32_t t = 0; t < in->slots; t++)
        room[t] = (uint32_t)in->room[t];
    return optimum(work, in->lots, room, in->slots, cost);
}

/* What is served of a priority, earliest due first. */
static double served_cost(const struct instance *in, const struct fluid *fluid, uint32_t priority)
{
    double cost = 0;
    int64_t left[LOTS];
    for (uint32_t i = 0; i < in->lots; i++)
        left[i] = in->lot[i].priority == priority ? in->lot[i].work : 0;
    for (uint32_t t = 0; t < in->slots; t++) {
        int64_t served = fluid_served(fluid, priority, t);
        assert_true(served >= 0);
        while (served) {
            uint32_t next = in->lots;
            for (uint32_t i = 0; i < in->lots; i++)
                if (left[i] && (next == in->lots || in->lot[i].due < in->lot[next].due))
                    next = i;
            assert_true(next < in->lots);
            int64_t take = left[next] < served ? left[next] : served;
            left[next] -= take;
            served -= take;
            cost += (double)take * unit_cost(in, &in->lot[next], t);
        }
    }
    for (uint32_t i = 0; i < in->lots; i++)
        assert_int_equal(left[i], 0);
    return cost;
}

static double fluid_cost(const struct instance *in)
{
    AUTO(fluid_destroy) struct fluid *fluid = fluid_new(in->slot_ms, in->room, in->slots);
    double cost = 0;
    for (uint32_t i = 0; i < in->lots; i++)
        fluid_add(fluid, in->lot[i].priority, in->lot[i].due, in->lot[i].work);
    for (uint32_t p = 1; p <= FLUID_PRIORITIES; p++)
        cost += served_cost(in, fluid, p);
    for (uint32_t t = 0; t + 1 < in->slots; t++) {
        int64_t served = 0;
        for (uint32_t p = 1; p <= FLUID_PRIORITIES; p++)
            served += fluid_served(fluid, p, t);
        assert_true(served <= in->room[t]);
    }
    return cost;
}

static void costs_the_least(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= cases; seed++) {
        struct instance in = instance_of(seed);
        double cost = fluid_cost(&in), least = least_cost(&in);
        if (fabs(cost - least) > 0.5)
            fail_msg("seed %" PRIu64 ": %.0f, and not %.0f", seed, cost, least);
    }
}

/* What is on time is so as late as it can be: the room before is for what is not there yet. */
static void on_time_is_late(void **state)
{
    static const int64_t slot_ms[] = {10, 10, 10, 10}, room[] = {5, 5, 5, 5};
    AUTO(fluid_destroy) struct fluid *fluid = fluid_new(slot_ms, room, 4);
    (void)state;
    fluid_add(fluid, 3, 2, 7);
    assert_int_equal(fluid_served(fluid, 3, 0), 0);
    assert_int_equal(fluid_served(fluid, 3, 1), 2);
    assert_int_equal(fluid_served(fluid, 3, 2), 5);
    fluid_add(fluid, 1, 2, 5);
    assert_int_equal(fluid_served(fluid, 1, 1), 3);
    assert_int_equal(fluid_served(fluid, 1, 0), 2);
}

/* A little of the more important is late when that saves much of the less important. */
static void a_little_for_much(void **state)
{
    static const int64_t slot_ms[] = {100, 100, 100, 1, 100}, room[] = {10, 10, 10, 10, 10};
    AUTO(fluid_destroy) struct fluid *fluid = fluid_new(slot_ms, room, 5);
    (void)state;
    fluid_add(fluid, 4, 2, 30);
    fluid_add(fluid, 5, 0, 10);
    assert_int_equal(fluid_served(fluid, 5, 0), 10);
    assert_int_equal(fluid_served(fluid, 4, 3), 10);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_the_least),
        cmocka_unit_test(on_time_is_late),
        cmocka_unit_test(a_little_for_much),
    };
    cases = argc > 1 ? strtoull(argv[1], NULL, 10) : cases;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
