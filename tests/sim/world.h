/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A whole cluster in virtual time: one coordinator after the other, workers, their network, the store and Redis. All that
 * is drawn comes from one seed. There is one world at a time; what stands in for clocks, sockets, stores and threads of
 * the real code (gate.h, store.h, ledger.h, layout.h, progress.h, io.h, clock_gettime) finds it here. */
#ifndef SOHOA_SIM_WORLD_H
#define SOHOA_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NEVER UINT64_MAX

/* Each happens once in so many occasions; 0: never. Drawn anew for each seed, so that a run is not always full of all. */
struct mischief {
    uint32_t lose, delay, twice, swap, full;   /* a frame; full: the ROUTER takes none */
    uint32_t cut, die, stall, slow, unwilling; /* a worker; slow: one of its jobs; unwilling: it says Bye */
    uint32_t fail, page_fail;                  /* a job, a page of one */
    uint32_t crash, torn;                      /* the coordinator: at any moment, in the middle of a commit */
    uint32_t store, redis;                     /* a write fails; Redis loses what it holds */
    uint32_t order;                            /* an operator has something to say */
};

struct world {
    uint64_t seed, random;
    uint64_t now_ms, steps;
    uint64_t hash; /* of all that happened */
    struct mischief one_in;
    bool calm; /* no more mischief: all must come to its end */
};
extern struct world world;

uint32_t chance(uint32_t n); /* 0 to n-1 */
uint64_t between(uint32_t least, uint32_t most);
bool happens(uint32_t one_in); /* never in the calm */

void note(uint64_t what); /* something that a replay must do again */
void note_bytes(const void *data, size_t bytes);

/* An invariant is broken: prints seed, step, time and text, and ends the process. */
void violation(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Runs the seed to its end; returns the hash of all that happened. */
uint64_t world_run(uint64_t seed);

#endif
