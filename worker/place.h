/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A slot as the supervisor has it, shared by crew.c and place.c only: a place, with the process that holds it now and
 * the request that it works on. The process comes and goes:
 *
 *     order -> forked (pidfd) -> ready -> idle <-> working
 *                                           |        |
 *         age, death, watchdog, nonsense: killed, and a new order
 *
 * Each process has a serial number, so that what is said of one that was given up is not taken for its successor.
 * Requests may be sent before the process exists: its socket keeps them. Where a process died in a request, the warm
 * process is heard first, which knows of what. */
#ifndef SOHOA_PLACE_H
#define SOHOA_PLACE_H

#include <sys/types.h>

#include "worker/crew.h"
#include "worker/warm.h"

/* A request of the user's, until it is answered. */
struct call {
    bool active;
    struct slot_order order;
    uint32_t limit_ms;
    int out;          /* the out file, -1: none */
    struct err fault; /* code not 0: it was never sent, and ends so at the next dispatch */
    void (*ended)(const struct slot_answer *answer, void *user);
    void *user;
};

struct slot {
    struct crew *crew;
    unsigned index;
    bool taken;
    bool document;   /* the user has one open here */
    struct err lost; /* code not 0: why it is not open any more, which the user has not been told */
    struct call call;

    /* the process */
    bool degraded; /* under the tighter memory limit */
    uint64_t serial;
    pid_t pid;  /* 0: not forked yet */
    int socket; /* to it */
    int peer;   /* its own end, until the warm process has the order */
    int pidfd;
    bool ready;   /* it has said so */
    bool closing; /* the next reply is to a SLOT_CLOSE of our own */
    bool silent;  /* it has closed the socket: dead, as a rule */
    bool worn;    /* to be replaced when released */
    uint32_t pages;
    uint64_t born_bytes;              /* heap, when it was ready */
    uint64_t settled_bytes;           /* ... after its first page */
    uint64_t ordered_ms, deadline_ms; /* deadline 0: nothing is due */
};

struct crew {
    uint64_t memory_bytes[2]; /* limit of a slot, by degraded */
    uint32_t max_pages;
    uint64_t growth_bytes; /* of a slot's heap since its first page: then it is worn */
    int epoll, timer, warm_socket;
    pid_t warm_pid;
    uint64_t serial; /* the last one given */
    unsigned start_failures;
    struct err failure;     /* code not 0: no slots can be started any more */
    unsigned slots, places; /* that read pages; with the one for views, which comes last */
    struct slot slot[];
};

/* What epoll hands back: the serial of a slot's process, or one of these. */
enum { EVENT_TIMER = 0, EVENT_WARM = 1, SERIAL_FIRST = 2 };

int crew_watch(struct crew *crew, int fd, uint64_t serial, struct err *err);
void crew_arm(struct crew *crew); /* sets the timer to what is due first */

/* A process for the slot: orders one; gives it up (killed, everything closed); both. Trouble goes to crew->failure. */
void place_fill(struct slot *slot);
void place_order(struct slot *slot); /* again, while slot->peer waits for a busy warm process */
void place_clear(struct slot *slot);
void place_refill(struct slot *slot, bool degraded);

/* What happened to it. Each may call the user's ended(). */
void place_hear(struct slot *slot); /* its socket is readable */
void place_forked(struct slot *slot, pid_t pid, int pidfd);
void place_exited(struct slot *slot, int code, int status);
void place_not_started(struct slot *slot, const char *why);
void place_expire(struct slot *slot, uint64_t now_ms);

#endif
