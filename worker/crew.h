/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The supervisor's side of the slots. crew_new() starts the warm process, which loads the models once and forks slots: it
 * must be called before librados or ZeroMQ exist in this process (a fork after rados_connect hangs). A slot runs one request at
 * a time under a watchdog; one that crashes, hangs, balloons or answers nonsense is killed (SIGKILL through its pidfd),
 * costs that one request, and is replaced by a fresh fork. */
#ifndef SOHOA_CREW_H
#define SOHOA_CREW_H

#include "proto/buf.h"
#include "proto/config.h"
#include "worker/slot.h"

struct crew;
struct slot;

/* Errors: E_MODEL, E_SANDBOX, E_NOMEM. pipeline: the digest that this worker's results have. */
int crew_new(const struct config *config, unsigned slots, struct crew **ret_crew, uint8_t pipeline[SHA256_BYTES],
             struct err *err);
void crew_destroy(struct crew **crew); /* kills and reaps all slots and the warm process */

/* A free slot for the caller's exclusive use, or NULL; give it back with slot_release(), which closes its document. degraded: one under the
 * tighter memory limit. */
struct slot *crew_take(struct crew *crew, bool degraded);
void slot_release(struct slot **slot);

/* Starts a request. fd (or -1) is borrowed for the call. limit_ms: then the slot is killed. ended is called once, from
 * crew_dispatch(): rc 0 with the reply's sections copied out (owned by the crew, valid during the call), or an error: E_SLOT (died: err tells
 * the signal), E_TIME, E_MEMORY, E_FRAME, or whatever the slot itself said. After an error of the slot's process the slot
 * has no document open: the caller opens it again. */
struct slot_answer {
    int rc;
    struct err err;
    bool lost; /* the slot's process is gone: a fresh one stands in, without a document */
    uint32_t cpu_ms;
    uint64_t rss_bytes;
    struct {
        const uint8_t *data;
        size_t bytes;
    } section[SLOT_SECTIONS];
};
void slot_send(struct slot *slot, const struct slot_request *request, int fd, uint64_t out_max_bytes, uint32_t limit_ms,
               void (*ended)(const struct slot_answer *answer, void *user), void *user);

/* For the event loop: one epoll fd over all slots, the warm process and the timers. */
int crew_fd(const struct crew *crew);

/* Handles what is ready; never blocks. Errors: E_SANDBOX, E_MODEL: slots can't be started any more; the worker ends. */
int crew_dispatch(struct crew *crew, struct err *err);

unsigned crew_busy(const struct crew *crew);

#endif
