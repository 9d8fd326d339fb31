/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Nothing here waits, and nothing a slot says is believed: replies pass answer.c, whatever else it sends ends it. */
#include "worker/place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "worker/answer.h"
#include "worker/packet.h"
#include "worker/sandbox.h"

enum {
    SLOT_START_MAX_MS = 10000, /* from the order to the slot's first word */
    SLOT_CLOSE_MAX_MS = 5000,  /* forgetting a document */
    SLOT_DEATH_MAX_MS = 5000,  /* from the kill to the warm process telling of it */
    SLOT_START_FAILURES = 5,   /* slots in a row that did not become ready: no more are tried */
    SLOT_GROWN_PERCENT = 50,   /* of its memory limit: a slot that grew by more is replaced when it is released */
};

/* ---- the process behind a slot ---- */

static void process_kill(const struct slot *slot)
{
    /* ESRCH: it is dead already, which is as good. */
    if (slot->pidfd >= 0)
        pidfd_send_signal(slot->pidfd, SIGKILL, NULL, 0);
}

/* One without a pidfd yet is killed when it comes, with WARM_STARTED. */
void place_clear(struct slot *slot)
{
    process_kill(slot);
    fd_destroy(&slot->pidfd);
    fd_destroy(&slot->socket);
    fd_destroy(&slot->peer);
    slot->serial = 0;
    slot->pid = 0;
    slot->ready = slot->closing = slot->silent = slot->worn = false;
    slot->pages = 0;
    slot->deadline_ms = 0;
}

/* Sends the order; when the warm process is too busy to take it, crew_dispatch() comes back to it. */
void place_order(struct slot *slot)
{
    struct warm_order order = {.serial = slot->serial, .memory_bytes = slot->crew->memory_bytes[slot->degraded]};
    const int fd[PACKET_MAX_FDS] = {slot->peer, -1};
    if (packet_send(slot->crew->warm_socket, &order, sizeof order, fd, 1) == (ssize_t)sizeof order)
        fd_destroy(&slot->peer);
}

void place_fill(struct slot *slot)
{
    struct crew *crew = slot->crew;
    int end[2];
    assert(!slot->serial);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end)) {
        err_errno(&crew->failure, E_SANDBOX, "a socket pair for a slot");
        return;
    }
    slot->socket = end[0];
    slot->peer = end[1];
    slot->serial = ++crew->serial;
    slot->ordered_ms = clock_mono_ms();
    slot->deadline_ms = slot->ordered_ms + SLOT_START_MAX_MS;
    fcntl(slot->socket, F_SETFL, O_NONBLOCK);
    crew_watch(crew, slot->socket, slot->serial, &crew->failure);
    place_order(slot);
}

void place_refill(struct slot *slot, bool degraded)
{
    place_clear(slot);
    slot->degraded = degraded;
    if (!slot->crew->failure.code)
        place_fill(slot);
}

/* ---- calls ---- */

/* ended may take, send and release as it likes: the slot is in order before. */
static void call_end(struct slot *slot, struct slot_answer *answer)
{
    struct call call = slot->call;
    slot->call = (struct call){.out = -1};
    call.ended(answer, call.user);
    answer_release(answer);
    fd_destroy(&call.out);
}

static void call_fail(struct slot *slot, const struct err *why, bool lost)
{
    struct slot_answer answer = {.rc = why->code, .err = *why, .lost = lost};
    answer.err.page_no = slot->call.order.request.page_no;
    if (lost)
        slot->document = false;
    call_end(slot, &answer);
}

/* The process is gone or not fit to go on: a fresh one stands in, and who was using it is told, now or at the next
 * use. */
static void slot_lose(struct slot *slot, const struct err *why)
{
    bool told = slot->call.active || slot->document;
    trace_err(told ? TRACE_DEBUG : TRACE_WARN, "slot-lost", why, "slot=%u pid=%d", slot->index, (int)slot->pid);
    place_refill(slot, slot->degraded);
    if (slot->call.active)
        call_fail(slot, why, true);
    else if (slot->document)
        slot->lost = *why;
}

/* A file position of its own, and no way to write. */
static int in_open(int fd, int *ret_in, struct err *err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    *ret_in = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_in < 0 ? err_errno(err, E_IO, "opening the slot's input again") : 0;
}

static int call_post(struct slot *slot, int fd, struct err *err)
{
    struct call *call = &slot->call;
    AUTO(fd_destroy) int in = -1;
    if (call->order.request.op != SLOT_CLOSE) {
        int rc = out_new(call->order.out_max_bytes, &call->out, err);
        if (!rc && fd >= 0)
            rc = in_open(fd, &in, err);
        if (rc)
            return rc;
    }
    const int files[PACKET_MAX_FDS] = {call->out, in};
    unsigned count = (call->out >= 0) + (in >= 0);
    ssize_t n = packet_send(slot->socket, &call->order, sizeof call->order, files, count);
    /* EPIPE, ECONNRESET: it has died; how is on its way. */
    if (n < 0 && errno != EPIPE && errno != ECONNRESET)
        return err_errno(err, E_SLOT, "sending a request to a slot");
    return 0;
}

void slot_send(struct slot *slot, const struct slot_request *request, int fd, uint64_t out_max_bytes, uint32_t limit_ms,
               void (*ended)(const struct slot_answer *answer, void *user), void *user)
{
    struct call *call = &slot->call;
    assert(slot->taken && !call->active);
    *call = (struct call){.active = true, .limit_ms = limit_ms, .out = -1, .ended = ended, .user = user};
    call->order = (struct slot_order){*request, out_max_bytes};
    bool needs_document = request->op == SLOT_PAGE || request->op == SLOT_ASSEMBLE || request->op == SLOT_VIEW ||
                          request->op == SLOT_LOOK;
    if (slot->lost.code && needs_document)
        call->fault = slot->lost;
    else
        call_post(slot, fd, &call->fault);
    if (!call->fault.code && slot->ready && !slot->closing && !slot->silent)
        slot->deadline_ms = clock_mono_ms() + limit_ms;
    if (!needs_document) {
        slot->document = request->op == SLOT_OPEN;
        slot->lost.code = 0;
    }
    crew_arm(slot->crew);
}

/* The slot turns to what was sent to it meanwhile, which has its time from now. */
static void slot_turn(struct slot *slot)
{
    uint32_t limit_ms = slot->closing ? SLOT_CLOSE_MAX_MS : slot->call.limit_ms;
    slot->deadline_ms = slot->closing || slot->call.active ? clock_mono_ms() + limit_ms : 0;
}

/* ---- what slots say ---- */

void place_not_started(struct slot *slot, const char *why)
{
    struct crew *crew = slot->crew;
    struct err err = {0};
    if (++crew->start_failures >= SLOT_START_FAILURES)
        err_set(&crew->failure, E_SANDBOX, "%d slots in a row did not start: %s", SLOT_START_FAILURES, why);
    err_set(&err, E_SLOT, "the slot did not start: %s", why);
    slot_lose(slot, &err);
}

static void hear_hello(struct slot *slot, struct slot_reply *reply)
{
    reply->err.text[ERR_TEXT_BYTES - 1] = '\0';
    if (reply->code) {
        place_not_started(slot, reply->err.text);
        return;
    }
    slot->ready = true;
    slot->born_bytes = reply->rss_bytes;
    slot->crew->start_failures = 0;
    slot_turn(slot);
    trace(TRACE_DEBUG, "slot-ready", "slot=%u pid=%d degraded=%d ms=%" PRIu64, slot->index, (int)slot->pid,
          slot->degraded, clock_mono_ms() - slot->ordered_ms);
}

static const char *memory_key(const struct slot *slot)
{
    return config_key_name(slot->degraded ? CFG_SLOT_DEGRADED_BYTES : CFG_SLOT_MAX_BYTES);
}

static void memory_err(const struct slot *slot, const char *what, struct err *err)
{
    err_set(err, E_MEMORY, "memory limit %" PRIu64 " bytes (%s)%s%s", slot->crew->memory_bytes[slot->degraded],
            memory_key(slot), *what ? ": " : "", what);
}

static bool grown(uint64_t now_bytes, uint64_t then_bytes, uint64_t most_bytes)
{
    return now_bytes > then_bytes && now_bytes - then_bytes > most_bytes;
}

/* How worn the slot is, by its own account: it can only wear itself out. */
static void slot_age(struct slot *slot, const struct slot_answer *answer)
{
    const struct crew *crew = slot->crew;
    slot->pages += slot->call.order.request.op == SLOT_PAGE;
    if (slot->pages == 1 && slot->call.order.request.op == SLOT_PAGE)
        slot->settled_bytes = answer->rss_bytes;
    if (slot->pages >= crew->max_pages || answer->rc == E_MEMORY ||
        grown(answer->rss_bytes, slot->born_bytes, crew->memory_bytes[slot->degraded] / 100 * SLOT_GROWN_PERCENT) ||
        (slot->pages && grown(answer->rss_bytes, slot->settled_bytes, crew->growth_bytes)))
        slot->worn = true;
}

static void hear_answer(struct slot *slot, const struct slot_reply *reply)
{
    struct slot_answer answer;
    struct err err = {0};
    if (answer_fill(&answer, reply, slot->call.out, slot->call.order.out_max_bytes, &err)) {
        slot_lose(slot, &err);
        return;
    }
    slot->deadline_ms = 0;
    slot_age(slot, &answer);
    if (answer.rc == E_MEMORY) {
        struct err said = answer.err;
        memory_err(slot, said.text, &answer.err);
    }
    if (answer.rc)
        answer.err.page_no = slot->call.order.request.page_no;
    call_end(slot, &answer);
}

static void hear_end(struct slot *slot)
{
    slot->silent = true;
    slot->deadline_ms = clock_mono_ms() + SLOT_DEATH_MAX_MS;
    epoll_ctl(slot->crew->epoll, EPOLL_CTL_DEL, slot->socket, NULL);
    process_kill(slot);
}

void place_hear(struct slot *slot)
{
    struct slot_reply reply;
    ssize_t n = recv(slot->socket, &reply, sizeof reply, MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        hear_end(slot);
    } else if (n != (ssize_t)sizeof reply || (slot->ready && !slot->closing && !slot->call.active)) {
        struct err err;
        err_set(&err, E_FRAME, "the slot sent %zd bytes that are no answer", n);
        slot_lose(slot, &err);
    } else if (!slot->ready) {
        hear_hello(slot, &reply);
    } else if (slot->closing) {
        slot->closing = false;
        slot_turn(slot);
    } else {
        hear_answer(slot, &reply);
    }
}

/* ---- what the warm process says of it ---- */

void place_forked(struct slot *slot, pid_t pid, int pidfd)
{
    slot->pid = pid;
    slot->pidfd = pidfd;
    if (slot->silent)
        process_kill(slot);
}

void place_exited(struct slot *slot, int code, int status)
{
    struct err err;
    if (!slot->ready) {
        place_not_started(slot, death_text(code, status));
        return;
    }
    if (code == CLD_EXITED && status == SANDBOX_EXIT_MEMORY)
        memory_err(slot, "", &err);
    else
        err_set(&err, E_SLOT, "the slot died: %s", death_text(code, status));
    slot_lose(slot, &err);
}

/* ---- the watchdog ---- */

static enum config_key limit_key(uint32_t op)
{
    switch (op) {
    case SLOT_OPEN: return CFG_OPEN_MAX_MS;
    case SLOT_ASSEMBLE: return CFG_ASSEMBLE_MAX_MS;
    default: return CFG_PAGE_MAX_MS;
    }
}

static void slot_overdue(struct slot *slot)
{
    const struct call *call = &slot->call;
    struct err err;
    if (!slot->ready) {
        place_not_started(slot, "it met its time limit");
        return;
    }
    if (slot->silent)
        err_set(&err, E_SLOT, "the slot closed its socket and did not end within %d ms", SLOT_DEATH_MAX_MS);
    else if (slot->closing)
        err_set(&err, E_SLOT, "the slot did not close a document within %d ms", SLOT_CLOSE_MAX_MS);
    else
        err_set(&err, E_TIME, "time limit %u ms (%s)", call->limit_ms,
                config_key_name(limit_key(call->order.request.op)));
    slot_lose(slot, &err);
}

void place_expire(struct slot *slot, uint64_t now_ms)
{
    struct err fault = slot->call.fault;
    if (fault.code) {
        bool lost = slot->lost.code;
        slot->lost.code = 0;
        call_fail(slot, &fault, lost);
    } else if (slot->deadline_ms && slot->deadline_ms <= now_ms) {
        slot_overdue(slot);
    }
}

/* ---- giving it back ---- */

static void document_close(struct slot *slot)
{
    struct slot_order order = {.request = {.op = SLOT_CLOSE}};
    const int none[PACKET_MAX_FDS] = {-1, -1};
    slot->closing = true;
    slot->deadline_ms = clock_mono_ms() + SLOT_CLOSE_MAX_MS;
    if (packet_send(slot->socket, &order, sizeof order, none, 0) < 0)
        place_refill(slot, slot->degraded);
}

void slot_release(struct slot **ret_slot)
{
    struct slot *slot = *ret_slot;
    *ret_slot = NULL;
    if (!slot)
        return;
    assert(slot->taken);
    if (slot->call.active || slot->worn)
        place_refill(slot, slot->degraded);
    else if (slot->document && !slot->lost.code)
        document_close(slot);
    fd_destroy(&slot->call.out);
    slot->call = (struct call){.out = -1};
    slot->lost.code = 0;
    slot->taken = slot->document = false;
    crew_arm(slot->crew);
}
