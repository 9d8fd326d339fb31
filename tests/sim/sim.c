/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Runs the seeds of past failures (the file named as argument), then SOHOA_SEEDS more, or SOHOA_SEED alone. Each of the
 * first REPLAYED ones, and a single one, is run twice: both must be the same to the last byte. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/trace.h"
#include "tests/sim/network.h"
#include "tests/sim/seat.h"
#include "tests/sim/store.h"
#include "tests/sim/worker.h"
#include "tests/sim/world.h"

enum { SEEDS = 2000, REPLAYED = 20 };

/* What the real code asserts is as good as what is checked here. */
static void on_abort(int signal_number)
{
    (void)signal_number;
    violation("an assertion failed");
}

static void run_twice(uint64_t seed)
{
    uint64_t first = world_run(seed), second = world_run(seed);
    if (first != second)
        violation("two runs of this seed differ: %016" PRIx64 " and %016" PRIx64, first, second);
}

/* A seed a line; what follows a # is for people. */
static uint64_t run_file(const char *path)
{
    char line[512];
    uint64_t count = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(2);
    }
    while (fgets(line, sizeof line, file)) {
        char *end;
        uint64_t seed = strtoull(line, &end, 10);
        if (end == line)
            continue;
        world_run(seed);
        count++;
    }
    fclose(file);
    return count;
}

int main(int argc, char **argv)
{
    const char *one = getenv("SOHOA_SEED"), *many = getenv("SOHOA_SEEDS"), *log = getenv("SOHOA_LOG");
    uint64_t seeds = many ? strtoull(many, NULL, 10) : SEEDS, past = 0;
    trace_init("sim", log ? trace_level_named(log) : (enum trace_level)(TRACE_ERROR + 1));
    signal(SIGABRT, on_abort);
    if (one) {
        run_twice(strtoull(one, NULL, 10));
        seeds = 0;
    } else if (argc > 1) {
        past = run_file(argv[1]);
    }
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        if (seed <= REPLAYED)
            run_twice(seed);
        else
            world_run(seed);
    }
    printf("sim: %" PRIu64 " seeds, %" PRIu64 " of past failures\n", one ? 1 : seeds, past);
    seat_leave();
    workers_leave();
    network_reset();
    disk_reset();
    return 0;
}
