/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the coordinator's files share: one struct, one loop (coordinator.c), one thread. */
#ifndef SOHOA_COORDINATOR_H
#define SOHOA_COORDINATOR_H

#include "coordinator/commit.h"
#include "coordinator/gate.h"
#include "coordinator/rows.h"
#include "coordinator/sched.h"
#include "proto/config.h"
#include "storage/io.h"

struct http;

struct peer { /* by the scheduler's worker index */
    uint64_t heard_ms;
    uint64_t rss_bytes;
    uint32_t busy_slots;
    char build[NAME_BYTES], lang[NAME_BYTES];
};

struct admission; /* a batch on its way in */

struct coordinator {
    const struct config *config;
    char name[NAME_BYTES];
    struct store *store;
    struct ledger *ledger;
    struct backlog *backlog;
    struct sched *sched;
    struct committer *committer;
    struct gate *gate;
    struct rows *rows;
    struct http *http;
    struct io *commit_io; /* one thread: everything that writes state, in order */
    struct io *back_io;   /* removal of blobs, reads for the API */
    struct group *group;  /* being collected */
    struct acts acts;
    struct peer *peer;
    uint32_t peers;
    struct admission *admissions;     /* checked, waiting for the commit thread's turn */
    uint64_t started_ms, granting_ms; /* nothing is granted before granting_ms */
    uint64_t beat_ms, renew_ms, expire_ms, rewrite_ms;
    uint32_t checks; /* made so far */
    void (*committed)(struct group *group, int rc, const struct err *err, void *user);
    bool stop;
    int rc;
    struct err err;
};

/* Turns the collected actions into the next group and tells workers what to drop. After every event. */
void coordinator_apply(struct coordinator *c);

/* ---- recover.c ---- */

/* Loads ledger, layouts and Redis bits into the backlog, and opens the ledger for writing. */
int recover(struct coordinator *c, struct err *err);

/* The same reading into a fresh backlog of its own, for a rebuild that trusts nothing in memory. */
int recover_count(struct coordinator *c, struct backlog **ret_backlog, struct err *err);

/* ---- peers.c ---- */

void peers_receive(struct coordinator *c, uint64_t now_ms);
void peers_grant(struct coordinator *c, uint64_t now_ms);
void peers_tick(struct coordinator *c, uint64_t now_ms);
void peers_acknowledge(struct coordinator *c, const struct group *group);
/* Batches admitted before any worker was known take this pipeline. */
void peers_pin(struct coordinator *c, uint32_t pipeline);

/* ---- admit.c ---- */

struct admission {
    struct io_task task;
    struct coordinator *c;
    struct admission *next;
    char id[NAME_BYTES];
    struct buf manifest;
    struct rows_plan plan;
    uint32_t pipeline;            /* index; NONE: no worker is known yet */
    uint8_t digest[SHA256_BYTES]; /* of pipeline */
    uint32_t priority;
    uint64_t deadline_ms;
    bool created; /* not: it was there already, with the same manifest */
    int rc;
    struct err err;
    void (*done)(struct admission *admission, void *user); /* then the admission is freed */
    void *user;
};

/* Takes the manifest over; id NULL: named after it. done is called when the batch is durable and entered, when it is there
 * already with the same manifest, or with rc: E_MANIFEST, E_EXISTS, E_LIMIT. Errors at once, and no done: E_MANIFEST (the
 * id), E_NOMEM. */
int admit(struct coordinator *c, const char *id, struct buf *manifest, uint32_t priority, uint64_t deadline_ms,
          void (*done)(struct admission *admission, void *user), void *user, struct err *err);
void admissions_start(struct coordinator *c); /* when the committer is idle */

/* A batch of probes only, kept in memory alone. *ret_id lies in *batch. */
int admit_check(struct coordinator *c, const struct buf *manifest, struct batch **ret_batch, struct err *err);

#endif
