/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The jobs that this node has leases for, each going its way over store, source and slots (job.c draws it). A job ends
 * with a result, or is abandoned without one when its lease ran out or was taken back. All on the loop's thread. */
#ifndef SOHOA_JOB_H
#define SOHOA_JOB_H

#include "proto/config.h"
#include "proto/sohoa.pb-c.h"
#include "storage/io.h"
#include "storage/store.h"
#include "worker/crew.h"
#include "worker/odometer.h"

enum {
    JOB_STORE_TRIES = 5,         /* a step that the store failed is tried this often in all ... */
    JOB_STORE_WAIT_MS = 200,     /* ... after this, which doubles */
    JOB_SHELF_BYTES = 512 << 20, /* sources kept for the next jobs of the same document: this much, ... */
    JOB_SHELF_COUNT = 64,        /* ... and this many */
    JOB_AHEAD_LEAST = 2,         /* jobs fetched ahead of however few slots */
    JOB_STORING_MAX = 16,        /* jobs beyond those that have or want a slot: they hold their results in memory */
};

/* What the jobs work with; borrowed for their life. */
struct node {
    struct store *store;
    struct io *io;
    struct crew *crew;
    const struct config *config;
    const char *name, *build, *simd, *lang;
    uint8_t pipeline[SHA256_BYTES];
    struct odometer *odometer;
};

struct jobs;

/* ended is called when a lease's job is over: result is owned by it; NULL: abandoned, nothing is to be said. */
struct jobs *jobs_new(const struct node *node, void (*ended)(uint64_t lease, Sohoa__Result *result, void *user),
                      void *user);

/* After io_destroy() and crew_destroy(): frees what is left and calls nothing. */
void jobs_destroy(struct jobs **jobs);

/* Takes over order (protobuf-c memory) and starts it. A lease that is here already is not started twice. */
void jobs_start(struct jobs *jobs, Sohoa__Job *order, uint64_t now_ms);

/* Abandons it, once its io threads are done with it. Unknown leases are fine. */
void jobs_drop(struct jobs *jobs, uint64_t lease);

/* Abandons leases that ran out, repeats what the store failed, gives free slots to the jobs that wait for one. */
void jobs_tick(struct jobs *jobs, uint64_t now_ms);
uint64_t jobs_wait_ms(const struct jobs *jobs, uint64_t now_ms); /* until jobs_tick() is due; UINT64_MAX: not at all */

unsigned jobs_count(const struct jobs *jobs);

/* Jobs to be fetched ahead of so many slots: as many as end in the half of a page's time in which a source comes, is hashed and is
 * stored. With fewer, slots that read documents of one page would wait for it. */
static inline unsigned jobs_ahead(unsigned slots)
{
    return slots > 2 * JOB_AHEAD_LEAST ? slots / 2 : JOB_AHEAD_LEAST;
}

/* How many more may come, so that ahead jobs have a slot or wait for one. VIEW jobs don't count, and those that only
 * store their results don't, up to JOB_STORING_MAX: a slow store must not keep slots waiting. */
unsigned jobs_room(const struct jobs *jobs, unsigned ahead);

#endif
