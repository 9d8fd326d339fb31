/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The worker's side of the talk with the coordinator (PROTOCOL.md): a ZeroMQ DEALER whose identity is the worker's name.
 * The link joins (Hello, Welcome), reports and repeats results until they are acknowledged, says how many jobs are
 * welcome, beats, and joins again for ever when the coordinator is lost or silent, the next of its list first:
 *
 *     CLOSED --(back-off over)--> HELLO --Welcome--> JOINED
 *        ^                          |                  |
 *        +-- lost, silent, refused -+------------------+
 *
 * The loop polls link_fd(), then calls link_next() until it gives no more frames, then link_tick(). */
#ifndef SOHOA_LINK_H
#define SOHOA_LINK_H

#include <stdbool.h>

#include "proto/sha256.h"
#include "proto/wire.h"

enum {
    LINK_BACKOFF_LEAST_MS = 100, /* before the first attempt to join again; doubles */
    LINK_BACKOFF_MOST_MS = 3000,
    LINK_REFUSED_MS = 10000,     /* after a Refuse that is not for good */
    LINK_WELCOME_MS = 3000,      /* a Hello without answer is said again on a new connection, ... */
    LINK_WELCOME_LIST_MS = 1000, /* ... sooner where another coordinator may be the active one */
    LINK_ENDPOINTS_MOST = 8,
    LINK_COORDINATORS_MOST = 8, /* keys */
    LINK_LOOK_MS = 1000,
    LINK_TOLD_MS = 60000,    /* why it is refused is told so often */
    LINK_BEAT_LEAST_MS = 50, /* no faster, whatever Welcome says */
    LINK_SILENT_BEATS = 5,   /* heartbeats missed: the coordinator is lost */
    LINK_SILENT_LEAST_MS = 1000,
    LINK_RESULTS_KEPT = 1024, /* unacknowledged results: no more credit is given */
    LINK_LINGER_MS = 500,     /* for Bye, at the end */
};

struct link;

/* What Hello says. Texts are borrowed for the link's life. */
struct link_self {
    const char *name, *build, *simd, *lang, *tags;
    const uint8_t *pipeline;
    unsigned slots;
};

/* Both "": nothing is encrypted, which only what is near allows. Borrowed for the link's life. */
struct link_keys {
    const char *own;          /* file of the worker's certificate */
    const char *coordinators; /* folder of those of coordinators: each is tried at each endpoint in turn */
};

/* endpoints: of the coordinators, joined by commas; only the active one answers, and they are tried in turn until it does.
 * Keys are read again when their files change, within LINK_LOOK_MS, and the connection is made anew.
 * Errors: E_NET: no sockets, or the first endpoint is not understood; E_CONFIG: none, or more than LINK_ENDPOINTS_MOST, or what
 * is wrong with the keys. */
int link_new(const char *endpoints, const struct link_keys *keys, const struct link_self *self, struct link **ret_link,
             struct err *err);
void link_destroy(struct link **link); /* without a Bye; the coordinator sees a lost worker */
void link_bye(struct link *link);      /* an orderly end; only link_destroy() may follow */

bool link_joined(const struct link *link);

int link_fd(const struct link *link); /* readable: call link_next(); the same descriptor for the link's life */

/* The next frame that concerns the worker: Welcome (its dropped leases are forgotten already), Refuse, Grant (its leases
 * are held from now on), View, Drop (forgotten already). false: none for now. */
bool link_next(struct link *link, uint64_t now_ms, Sohoa__Frame **ret_frame);

/* Joins, beats, sends what is due. room: how many more jobs the worker would take; busy_slots and rss for the beat. */
void link_tick(struct link *link, unsigned room, unsigned busy_slots, uint64_t now_ms);

/* How long the loop may sleep before link_tick() is due; 0: frames are waiting. */
uint64_t link_wait_ms(struct link *link, uint64_t now_ms);

/* Takes over result, sends it and keeps it until it is acknowledged. */
void link_report(struct link *link, Sohoa__Result *result);

/* Takes over what became of a VIEW job (NULL: abandoned), and says it once: who waits for it waits no longer than the
 * connection lasts. */
void link_viewed(struct link *link, Sohoa__Result *result);

void link_recalled(struct link *link, uint64_t number, const char *lines); /* answers a Recall */

/* The lease ran out or was taken back: it is not held any more, and nothing of it is said. */
void link_forget(struct link *link, uint64_t lease);

#endif
