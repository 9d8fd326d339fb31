/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A coordinator played for a real sohoa-worker: a ROUTER with the real wire encoding, a store in a folder of its own. One a
 * test program; fails the running test when something does not come. */
#ifndef TESTS_PLAY_H
#define TESTS_PLAY_H

#include <czmq.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/sha256.h"
#include "proto/wire.h"
#include "storage/name.h"
#include "storage/store.h"

enum {
    PLAY_WAIT_MS = 120000, /* for a result, on a busy machine */
    PLAY_BEAT_MS = 1000,
    PLAY_SLOTS = 2,
    PLAY_LEASE_MS = 300000,
    PLAY_RESULTS = 64,
};

extern struct play {
    char home[64], endpoint[64];
    pid_t worker;
    zsock_t *router;
    struct store *store;
    uint8_t pipeline[SHA256_BYTES];
    uint64_t next_lease, beat_ms;
    bool said_bye;
    size_t hello_held; /* jobs that the last Hello named */
    uint64_t credit;
    Sohoa__Result *viewed;               /* the last, not asked for yet */
    Sohoa__Frame *results[PLAY_RESULTS]; /* frames with results not asked for yet */
} play;

/* For cmocka: the folder, the store, the ROUTER and the worker; and back, without a trace. */
int play_set_up(void **state);
int play_tear_down(void **state);

void play_bind(void);            /* a new ROUTER at the same endpoint; end the one before with zsock_destroy() */
int play_stop(void);             /* SIGTERM; the worker's wait status */
bool play_start(unsigned slots); /* another worker, once there is none; false: it asked for no job */

/* Gives the worker job, with a lease of its own, PLAY_LEASE_MS unless it says otherwise; returns the lease. */
uint64_t play_grant(Sohoa__Job *job);
void play_drop(uint64_t lease);
/* Gives the worker a VIEW job; awaits what became of one. */
void play_view(Sohoa__Job *job);
Sohoa__Result *play_await_view(void);

void play_listen_once(void); /* answers Hello, keeps results, sends heartbeats; at most some milliseconds */
void play_listen(uint64_t ms);
Sohoa__Result *play_result(uint64_t lease); /* if it has come; acknowledges it */
Sohoa__Result *play_await(uint64_t lease);  /* or fails */
void result_destroy(Sohoa__Result **result);

void play_blob(const char *name, struct buf *into);
bool play_there(const char *name);
const char *play_out(struct name *name, const Sohoa__Probe *probe, uint32_t generation, const char *part);

#endif
