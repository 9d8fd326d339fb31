/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The crew as a whole: its start and end, the warm process' words, and who is free. What happens in one slot is in
 * place.c. Nothing here waits, but for crew_new() and crew_destroy(). */
#include "worker/crew.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/pipeline.h"
#include "proto/trace.h"
#include "worker/answer.h"
#include "worker/packet.h"
#include "worker/place.h"

enum {
    WARM_START_MAX_MS = 60000, /* loading the models */
    WARM_STOP_MAX_MS = 5000,   /* ending and reaping all slots */
    CREW_EVENTS = 64,          /* handled in one crew_dispatch() */
};

/* ---- what the warm process says ---- */

static struct slot *slot_find(struct crew *crew, uint64_t serial)
{
    for (unsigned i = 0; i < crew->places; i++)
        if (crew->slot[i].serial == serial)
            return &crew->slot[i];
    return NULL;
}

/* A process that was given up before it was forked. */
static void stray_kill(int pidfd)
{
    pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    close(pidfd);
}

static void warm_lost(struct crew *crew, struct err *err)
{
    siginfo_t info = {0};
    kill(crew->warm_pid, SIGKILL);
    if (waitid(P_PID, (id_t)crew->warm_pid, &info, WEXITED))
        info.si_code = CLD_KILLED;
    crew->warm_pid = 0;
    fd_destroy(&crew->warm_socket);
    err_set(err, E_MODEL, "the warm process died: %s", death_text(info.si_code, info.si_status));
}

static void warm_hear(struct crew *crew)
{
    struct warm_event event;
    int fd[PACKET_MAX_FDS];
    ssize_t n = packet_receive(crew->warm_socket, &event, sizeof event, fd);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != (ssize_t)sizeof event) {
        warm_lost(crew, &crew->failure);
        return;
    }
    struct slot *slot = slot_find(crew, event.serial);
    if (event.kind == WARM_STARTED && !slot)
        stray_kill(fd[0]);
    else if (event.kind == WARM_STARTED)
        place_forked(slot, event.pid, fd[0]);
    else if (event.kind == WARM_FAILED && slot)
        place_not_started(slot, event.err.text);
    else if (event.kind == WARM_EXIT && slot)
        place_exited(slot, event.code, event.status);
}

/* ---- the crew ---- */

int crew_watch(struct crew *crew, int fd, uint64_t serial, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = serial};
    return epoll_ctl(crew->epoll, EPOLL_CTL_ADD, fd, &event) ? err_errno(err, E_SANDBOX, "epoll_ctl") : 0;
}

void crew_arm(struct crew *crew)
{
    uint64_t due = 0;
    for (unsigned i = 0; i < crew->places; i++) {
        const struct slot *slot = &crew->slot[i];
        uint64_t at = slot->call.fault.code ? 1 : slot->deadline_ms;
        if (at && (!due || at < due))
            due = at;
    }
    struct itimerspec when = {
        .it_value = {(time_t)(due / 1000), (long)(due % 1000) * 1000000}
    };
    timerfd_settime(crew->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

struct slot *crew_take(struct crew *crew, bool degraded)
{
    struct slot *free_slot = NULL;
    for (unsigned i = 0; i < crew->slots; i++) {
        struct slot *slot = &crew->slot[i];
        bool better = !free_slot || (free_slot->degraded != degraded && slot->degraded == degraded);
        if (!slot->taken && better)
            free_slot = slot;
    }
    if (!free_slot || crew->failure.code)
        return NULL;
    if (free_slot->degraded != degraded || free_slot->silent)
        place_refill(free_slot, degraded);
    free_slot->taken = true;
    crew_arm(crew);
    return free_slot;
}

/* Its first process comes when it is first needed: many workers never show a page. */
struct slot *crew_take_view(struct crew *crew)
{
    struct slot *slot = &crew->slot[crew->slots];
    if (slot->taken || crew->failure.code)
        return NULL;
    if (!slot->serial || slot->silent)
        place_refill(slot, false);
    slot->taken = true;
    crew_arm(crew);
    return slot;
}

int crew_fd(const struct crew *crew)
{
    return crew->epoll;
}

unsigned crew_busy(const struct crew *crew)
{
    unsigned busy = 0;
    for (unsigned i = 0; i < crew->slots; i++)
        busy += crew->slot[i].taken;
    return busy;
}

static void event_handle(struct crew *crew, uint64_t serial)
{
    uint64_t expirations;
    struct slot *slot = serial >= SERIAL_FIRST ? slot_find(crew, serial) : NULL;
    if (slot)
        place_hear(slot);
    else if (serial == EVENT_WARM && crew->warm_socket >= 0)
        warm_hear(crew);
    else if (serial == EVENT_TIMER && read(crew->timer, &expirations, sizeof expirations) < 0)
        return; /* it was set anew meanwhile */
}

int crew_dispatch(struct crew *crew, struct err *err)
{
    struct epoll_event event[CREW_EVENTS];
    int events = epoll_wait(crew->epoll, event, CREW_EVENTS, 0);
    for (int i = 0; i < events; i++)
        event_handle(crew, event[i].data.u64);
    uint64_t now_ms = clock_mono_ms();
    for (unsigned i = 0; i < crew->places; i++)
        place_expire(&crew->slot[i], now_ms);
    for (unsigned i = 0; i < crew->places && crew->warm_socket >= 0; i++)
        if (crew->slot[i].peer >= 0)
            place_order(&crew->slot[i]);
    crew_arm(crew);
    if (crew->failure.code && err)
        *err = crew->failure;
    return crew->failure.code;
}

static bool wait_readable(int fd, uint64_t until_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int n;
    do {
        uint64_t now_ms = clock_mono_ms();
        n = poll(&ready, 1, now_ms < until_ms ? (int)(until_ms - now_ms) : 0);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

static int warm_await(struct crew *crew, const struct config *config, uint8_t pipeline[SHA256_BYTES], struct err *err)
{
    struct warm_event event;
    int none[PACKET_MAX_FDS];
    uint64_t until_ms = clock_mono_ms() + WARM_START_MAX_MS;
    if (!wait_readable(crew->warm_socket, until_ms))
        return err_set(err, E_MODEL, "the models were not loaded within %d ms", WARM_START_MAX_MS);
    if (packet_receive(crew->warm_socket, &event, sizeof event, none) != (ssize_t)sizeof event) {
        warm_lost(crew, err);
        return err->code;
    }
    if (event.err.code) {
        *err = event.err;
        return err->code;
    }
    if (!event.isolated)
        trace(TRACE_WARN, "slots-share-network", "text=%s",
              trace_value("no network namespace; seccomp still bars sockets"));
    pipeline_digest(config_text(config, CFG_LANG), event.model, config_text(config, CFG_PDFA), pipeline);
    return 0;
}

static bool slots_ready(const struct crew *crew)
{
    unsigned i = 0;
    while (i < crew->slots && crew->slot[i].ready)
        i++;
    return i == crew->slots;
}

/* Ends: each slot has its time limit to become ready, and failures are counted. */
static int slots_start(struct crew *crew, struct err *err)
{
    for (unsigned i = 0; i < crew->slots; i++)
        place_fill(&crew->slot[i]);
    crew_arm(crew);
    int rc = 0;
    while (!rc && !slots_ready(crew)) {
        wait_readable(crew->epoll, clock_mono_ms() + WARM_START_MAX_MS);
        rc = crew_dispatch(crew, err);
    }
    return rc;
}

static int crew_open(struct crew *crew, struct err *err)
{
    crew->epoll = epoll_create1(EPOLL_CLOEXEC);
    crew->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (crew->epoll < 0 || crew->timer < 0)
        return err_errno(err, E_SANDBOX, "epoll or timerfd");
    int rc = crew_watch(crew, crew->timer, EVENT_TIMER, err);
    return rc ? rc : crew_watch(crew, crew->warm_socket, EVENT_WARM, err);
}

static struct crew *crew_alloc(const struct config *config, unsigned slots)
{
    unsigned places = slots + 1; /* the last is for views */
    struct crew *crew = calloc(1, sizeof *crew + places * sizeof crew->slot[0]);
    if (!crew)
        return NULL;
    crew->memory_bytes[false] = (uint64_t)config_int(config, CFG_SLOT_MAX_BYTES);
    crew->memory_bytes[true] = (uint64_t)config_int(config, CFG_SLOT_DEGRADED_BYTES);
    crew->max_pages = (uint32_t)config_int(config, CFG_SLOT_MAX_PAGES);
    crew->growth_bytes = (uint64_t)config_int(config, CFG_SLOT_GROWTH_BYTES);
    crew->epoll = crew->timer = crew->warm_socket = -1;
    crew->serial = SERIAL_FIRST;
    crew->slots = slots;
    crew->places = places;
    for (unsigned i = 0; i < crew->places; i++) {
        struct slot *slot = &crew->slot[i];
        slot->crew = crew;
        slot->index = i;
        slot->socket = slot->peer = slot->pidfd = slot->call.out = -1;
    }
    return crew;
}

int crew_new(const struct config *config, unsigned slots, struct crew **ret_crew, uint8_t pipeline[SHA256_BYTES],
             struct err *err)
{
    uint64_t begun_ms = clock_mono_ms();
    AUTO(crew_destroy) struct crew *crew = crew_alloc(config, slots);
    if (!crew)
        return err_set(err, E_NOMEM, "no memory for %u slots", slots);
    int rc = warm_start(config, &crew->warm_pid, &crew->warm_socket, err);
    if (!rc)
        rc = warm_await(crew, config, pipeline, err);
    if (!rc)
        rc = crew_open(crew, err);
    if (!rc)
        rc = slots_start(crew, err);
    if (rc)
        return rc;
    trace(TRACE_INFO, "crew-ready", "slots=%u warm_pid=%d ms=%" PRIu64, slots, (int)crew->warm_pid,
          clock_mono_ms() - begun_ms);
    *ret_crew = crew;
    crew = NULL;
    return 0;
}

/* It reaps all slots, then closes its end; what it says until then is of no more use. */
static void warm_stop(struct crew *crew)
{
    struct warm_event event;
    int fd[PACKET_MAX_FDS] = {-1, -1};
    uint64_t until_ms = clock_mono_ms() + WARM_STOP_MAX_MS;
    shutdown(crew->warm_socket, SHUT_WR);
    while (wait_readable(crew->warm_socket, until_ms) &&
           packet_receive(crew->warm_socket, &event, sizeof event, fd) > 0)
        fd_destroy(&fd[0]);
    kill(crew->warm_pid, SIGKILL);
    waitid(P_PID, (id_t)crew->warm_pid, &(siginfo_t){0}, WEXITED);
    fd_destroy(&crew->warm_socket);
}

void crew_destroy(struct crew **ret_crew)
{
    struct crew *crew = *ret_crew;
    *ret_crew = NULL;
    if (!crew)
        return;
    for (unsigned i = 0; i < crew->places; i++) {
        place_clear(&crew->slot[i]);
        fd_destroy(&crew->slot[i].call.out);
    }
    if (crew->warm_pid > 0)
        warm_stop(crew);
    fd_destroy(&crew->timer);
    fd_destroy(&crew->epoll);
    free(crew);
}
