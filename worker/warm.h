/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The warm process: loads the models once, then forks a slot for every order and tells how each ended. It speaks to
 * the supervisor alone, over a SOCK_SEQPACKET pair, one fixed struct a packet, and never sees a document. When the
 * supervisor goes, it goes, and its slots with it. */
#ifndef SOHOA_WARM_H
#define SOHOA_WARM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/config.h"
#include "proto/limits.h"

/* To the warm process, with the slot's end of its socket pair beside it. */
struct warm_order {
    uint64_t serial;       /* names the slot's process in events; never used twice */
    uint64_t memory_bytes; /* what it may have beyond what the warm process has */
};

enum warm_kind {
    WARM_READY = 1, /* the first event: the models are loaded, or err says why not (and no other event follows) */
    WARM_STARTED,   /* the order's slot was forked: pid, and its pidfd beside the event */
    WARM_FAILED,    /* it could not be forked: err */
    WARM_EXIT,      /* it has ended and was reaped: code and status as in siginfo_t (CLD_EXITED, CLD_KILLED, ...) */
};

struct warm_event {
    uint32_t kind;
    uint64_t serial;
    pid_t pid;
    int32_t code, status;
    struct err err;              /* code 0: none */
    uint8_t model[SHA256_BYTES]; /* WARM_READY: digest of the traineddata files */
    bool isolated;               /* WARM_READY: slots have an empty network namespace */
};

/* Forks the warm process; its end of the socket pair is *ret_socket (close-on-exec, non-blocking). The caller must be
 * single-threaded and must be the main thread: the warm process dies with the thread that made it. Errors: E_SANDBOX.
 */
int warm_start(const struct config *config, pid_t *ret_pid, int *ret_socket, struct err *err);

#endif
