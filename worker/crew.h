/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The supervisor's side of the slots. crew_new() starts the warm process, which loads the models once and forks
 * slots: it must be called by the main thread, before librados or ZeroMQ exist in this process (a fork after
 * rados_connect hangs). A slot runs one request at a time under a watchdog; one that crashes, hangs, balloons or
 * answers nonsense is killed (SIGKILL through its pidfd), costs that one request, and is replaced by a fresh fork. */
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

/* Kills and reaps all slots and the warm process; ended is not called for requests that still run. */
void crew_destroy(struct crew **crew);

/* A free slot for the caller's exclusive use, or NULL; give it back with slot_release(), which closes its document.
 * degraded: one under the tighter memory limit. slot_release() while a request runs kills it, and its ended is not
 * called. A slot that was released may be taken again at once. */
struct slot *crew_take(struct crew *crew, bool degraded);
struct slot *
crew_take_view(struct crew *crew); /* likewise the one that is kept for views, beside the slots that read pages */
void slot_release(struct slot **slot);

/* Starts a request; one at a time. fd (for OPEN and ASSEMBLE, else -1) is borrowed for the call, and opened anew
 * read-only: the slot can't write to it, nor does it share its position. out_max_bytes: room for all sections
 * together. limit_ms: then the slot is killed. ended is called once, from crew_dispatch(), and may send, release and
 * take: rc 0 with the reply's sections (which no one can change any more; owned by the crew, valid during the call),
 * or an error: E_SLOT (died: err tells the signal), E_TIME, E_MEMORY (these name the limit), E_FRAME (it answered
 * nonsense), or whatever the slot itself said. Where the process is gone (lost) no document is open: the caller opens
 * it again. */
struct slot_answer {
    int rc;
    struct err err;
    bool lost; /* the slot's process is gone: a fresh one stands in, without a document */
    uint32_t cpu_ms;
    uint64_t rss_bytes; /* what its heap holds, the models included */
    struct {
        const uint8_t *data;
        size_t bytes;
    } section[SLOT_SECTIONS], out; /* out: what the sections lie in */
};
void slot_send(struct slot *slot, const struct slot_request *request, int fd, uint64_t out_max_bytes, uint32_t limit_ms,
               void (*ended)(const struct slot_answer *answer, void *user), void *user);

/* For the event loop: one epoll fd over all slots, the warm process and the timers. */
int crew_fd(const struct crew *crew);

/* Handles what is ready; never blocks. Errors: E_SANDBOX (slots don't start), E_MODEL (the warm process died): no
 * slot can be started any more; the worker ends. */
int crew_dispatch(struct crew *crew, struct err *err);

unsigned crew_busy(const struct crew *crew); /* of those that read pages */

#endif
