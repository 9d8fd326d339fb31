/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Time passes from one thing that is due to the next; after each the invariants are checked. First there is mischief for
 * a while; then none, and everything must end. */
#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/network.h"
#include "tests/sim/operator.h"
#include "tests/sim/redis.h"
#include "tests/sim/seat.h"
#include "tests/sim/store.h"
#include "tests/sim/worker.h"

enum {
    BEGIN_MS = 1000000,
    MISCHIEF_LEAST_MS = 20000,
    MISCHIEF_MOST_MS = 90000,
    PROGRESS_MS = 300000, /* in the calm everything ends within this */
    SETTLE_MS = 15000,    /* then workers are back, acknowledgements and removals have arrived */
    STEPS_MOST = 200000,  /* more are a loop without end */
};

struct world world;

uint32_t chance(uint32_t n)
{
    world.random ^= world.random << 13;
    world.random ^= world.random >> 7;
    world.random ^= world.random << 17;
    return (uint32_t)((world.random >> 16) % n);
}

uint64_t between(uint32_t least, uint32_t most)
{
    return least + chance(most - least + 1);
}

bool happens(uint32_t one_in)
{
    return one_in && !world.calm && !chance(one_in);
}

void note(uint64_t what)
{
    world.hash = (world.hash ^ what ^ world.now_ms << 20) * UINT64_C(0x100000001b3);
    world.hash ^= world.hash >> 29;
}

void note_bytes(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    for (uint64_t word = 0; bytes; at += sizeof word) {
        size_t n = bytes < sizeof word ? bytes : sizeof word;
        word = 0;
        memcpy(&word, at, n);
        note(word);
        bytes -= n;
    }
}

void violation(const char *format, ...)
{
    va_list ap;
    printf("seed %llu, step %llu, %llu ms: ", (unsigned long long)world.seed, (unsigned long long)world.steps,
           (unsigned long long)(world.now_ms - BEGIN_MS));
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    printf("\n  SOHOA_SEED=%llu replays it; SOHOA_LOG=debug tells the coordinator's story\n",
           (unsigned long long)world.seed);
    fflush(stdout);
    _Exit(1);
}

/* Not all of it in every run: a rare fault must also be seen alone. */
static uint32_t drawn(uint32_t often)
{
    static const uint32_t less[] = {0, 1, 1, 3};
    uint32_t times = less[chance(4)];
    return times * often;
}

static void mischief_draw(struct mischief *m)
{
    *m = (struct mischief){.lose = drawn(120),
                           .delay = drawn(20),
                           .twice = drawn(20),
                           .swap = drawn(4),
                           .full = drawn(200),
                           .cut = drawn(400),
                           .die = drawn(250),
                           .stall = drawn(400),
                           .slow = drawn(15),
                           .unwilling = drawn(500),
                           .fail = drawn(8),
                           .page_fail = drawn(10),
                           .crash = drawn(900),
                           .torn = drawn(40),
                           .store = drawn(40),
                           .redis = drawn(60),
                           .order = drawn(1)};
}

static void world_begin(uint64_t seed)
{
    seat_reset(); /* the last of the world before */
    world = (struct world){.seed = seed, .random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15), .now_ms = BEGIN_MS};
    for (int i = 0; i < 8; i++)
        chance(2);
    mischief_draw(&world.one_in);
    seat_reset();
    network_reset();
    disk_reset();
    redis_reset();
    check_reset();
    operator_reset();
    workers_reset();
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void step(void)
{
    uint64_t seat_ms = seat_due_ms(), network_ms = network_due_ms(), workers_ms = workers_due_ms(),
             operator_ms = operator_due_ms();
    uint64_t due_ms = least(least(seat_ms, network_ms), least(workers_ms, operator_ms));
    if (due_ms > world.now_ms)
        world.now_ms = due_ms;
    if (++world.steps > STEPS_MOST)
        violation("there is no end to it");
    if (network_ms == due_ms)
        network_step();
    else if (seat_ms == due_ms)
        seat_step();
    else if (workers_ms == due_ms)
        workers_step();
    else
        operator_step();
    check_step();
}

static bool all_final(void)
{
    if (!seat() || !operator_done())
        return false;
    for (uint32_t b = 0; b < seat()->backlog->batches; b++)
        if (seat()->backlog->batch[b]->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
            return false;
    return true;
}

static void calm(void)
{
    world.calm = true;
    workers_calm();
    uint64_t end_ms = world.now_ms + PROGRESS_MS;
    while (!all_final() && world.now_ms < end_ms)
        step();
    end_ms = world.now_ms + SETTLE_MS;
    while (world.now_ms < end_ms || !seat_idle())
        step();
    check_end();
}

uint64_t world_run(uint64_t seed)
{
    world_begin(seed);
    uint64_t end_ms = world.now_ms + between(MISCHIEF_LEAST_MS, MISCHIEF_MOST_MS);
    while (world.now_ms < end_ms)
        step();
    calm();
    /* And a restart finds it as it was. */
    seat_kill();
    seat_take();
    calm();
    note(world.random);
    return world.hash;
}
