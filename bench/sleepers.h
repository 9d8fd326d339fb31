/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Slots that sleep for as long as reading would take them, of many workers in one thread. A job goes the way that it has in a worker
 * (worker/job.c): its source is fetched, it waits for a slot of its worker, first come first served, and has that until its pages are
 * through. How long that takes is drawn from the seed, the document and its page alone. The caller tells the time; all is
 * bounded by what the workers ask for: slots + ahead jobs each. */
#ifndef BENCH_SLEEPERS_H
#define BENCH_SLEEPERS_H

#include <stdint.h>

#include "proto/sohoa.pb-c.h"

struct sleepers_rules {
    unsigned workers, slots; /* slots of each worker */
    unsigned ahead;          /* jobs fetched ahead of the slots, a worker's prefetch_jobs; 0: as many as it would */
    double page_ms;          /* in the mean; half of it is the same for all pages, half exponentially distributed */
    double fetch_ms;         /* from a job's grant until its source is there */
    double steady_s;         /* how long is looked at, once all slots sleep for the first time */
    uint64_t seed;
};

struct sleepers;

struct sleepers *sleepers_new(const struct sleepers_rules *rules);
void sleepers_destroy(struct sleepers **sleepers);

/* Takes over job (protobuf-c memory), which reads so many pages; 0: it only looks, or assembles. */
void sleepers_take(struct sleepers *sleepers, unsigned worker, Sohoa__Job *job, uint32_t pages, uint64_t now_us);

/* The coordinator wants it no more: its slot is free at once. Unknown leases are fine. */
void sleepers_drop(struct sleepers *sleepers, unsigned worker, uint64_t lease, uint64_t now_us);

/* The next job that is through by now, for the caller to free, and how long its slot slept; NULL: there is none. */
Sohoa__Job *sleepers_wake(struct sleepers *sleepers, uint64_t now_us, unsigned *ret_worker, uint32_t *ret_cpu_ms);

/* When sleepers_wake() has something to do; UINT64_MAX: not as long as nothing comes. */
uint64_t sleepers_due_us(const struct sleepers *sleepers);

/* How many more jobs the worker may have, as jobs_room() of a real one has it. */
unsigned sleepers_room(const struct sleepers *sleepers, unsigned worker);

/* Busy slots' time of all slots' in the steady state, from 0 to 1; 0 as long as that is not over. */
double sleepers_efficiency(const struct sleepers *sleepers, uint64_t now_us);

/* One line of JSON without its braces: what was seen until now. */
void sleepers_tell(struct sleepers *sleepers, uint64_t now_us);

#endif
