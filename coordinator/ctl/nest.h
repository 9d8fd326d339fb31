/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The private Redis, coordinator and worker of `sohoa run`. They live below DIR/.sohoa (store, redis, log, run.lock); their
 * sockets are in a folder of their own, since a socket's path is short. Whatever ends this process, they end, too: keeper.h. */
#ifndef SOHOA_NEST_H
#define SOHOA_NEST_H

#include <stdint.h>
#include <stdio.h>

#include "proto/err.h"

enum {
    NEST_LOG_BYTES = 8 << 20, /* a log larger than this is emptied when a run starts */
    NEST_TAIL_LINES = 12,     /* shown of a log when its process failed */
    NEST_READY_MS =
        120000, /* from the start to a ready coordinator with a worker: models and a store are to be loaded */
    NEST_LEFTOVER_MS = 30000, /* a run that was killed is given this long to end what it started */
};

struct nest;

struct nest_plan {
    const char *out;         /* the folder DIR; it exists */
    const char *lang, *pdfa; /* as the worker's keys have them */
    uint32_t slots;
};

/* Takes DIR/.sohoa/run.lock and starts the processes; they are not ready yet. To be called before this process has threads.
 * Errors: E_LOCKED: another run works on DIR; E_CONFIG: a program is missing or a path too long for a socket; E_IO. */
int nest_open(const struct nest_plan *plan, struct nest **ret_nest, struct err *err);

/* Ends the processes, waits for them and removes their sockets; bounded by keeper.h's times. */
void nest_destroy(struct nest **nest);

/* unix:PATH of the coordinator's API; borrowed. */
const char *nest_api(const struct nest *nest);

/* 0 while all three run. Errors: E_STATE, which names the process and how it ended. */
int nest_check(struct nest *nest, struct err *err);

/* Shows the last lines of the log of the process that ended by itself, or, when all run, of each. */
void nest_explain(const struct nest *nest, FILE *to);

#endif
