/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Pages that people want to see: who waits for which, which worker makes it, and which are there. Pure: no clock, no I/O,
 * and no page, lease or cost knows of it.
 *
 *     (asked for) --> QUEUED --> RUNNING --> KEPT --> (the longest unused goes when there are too many)
 *                        ^----------+   its worker is lost, or another may do better
 *
 * A worker makes views in a slot that is kept for them, one at a time (VIEW_WORKER_MAX): nobody waits for pages that are
 * being read. Each has a number of its own, never used again, which names its
 * blob: what is removed late is never what was made anew. */
#ifndef SOHOA_VIEW_H
#define SOHOA_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"

enum {
    VIEW_KEPT_MAX = 4096,  /* views that are there: so many, ... */
    VIEW_RUNNING_MAX = 64, /* made at once, by all workers ... */
    VIEW_WORKER_MAX = 1,   /* ... and by one */
    VIEW_WAITERS_MAX = 64, /* requests that wait: others need the connections, too */
    VIEW_WAIT_MS = 30000,  /* the longest that a request waits */
    VIEW_LEASE_MS = 60000, /* the longest that a worker makes one: what comes late serves the next who asks */
    VIEW_TRIES_MAX = 3,    /* workers that are asked for one */
};
#define VIEW_KEPT_BYTES (1ull << 30) /* ... and so much */

struct view_key {
    uint8_t sha256[SHA256_BYTES];
    uint32_t page_no, width_px; /* 0: its words ... */
    uint32_t pipeline;          /* ... as this one read them: it also says how the page is turned ... */
    uint32_t generation;        /* ... in this generation */
    uint32_t doc_pages;
};

enum view_state { VIEW_QUEUED, VIEW_RUNNING, VIEW_KEPT };

struct view {
    uint64_t id; /* with VIEW_LEASE */
    struct view_key key;
    enum view_state state;
    uint32_t worker; /* RUNNING */
    unsigned tries;
    uint64_t lease_end_ms; /* RUNNING */
    uint64_t used;         /* KEPT: the longest unused is least */
    uint64_t bytes;        /* KEPT */
    bool jpeg;             /* KEPT: a picture that is no PNG */
};

struct views;

/* dropped: a view is forgotten whose blob may be there: remove it. */
struct views *views_new(uint64_t first_id, void (*dropped)(const struct view *view, void *user), void *user);
void views_destroy(struct views **views); /* tells nobody */

/* tell is called once, at once when the view is there, else when it is, or with NULL and why not: what the worker says,
 * E_TIME after VIEW_WAIT_MS, E_STOPPED. Errors, and no tell: E_TIME: VIEW_WAITERS_MAX. */
typedef void view_tell(const struct view *view, const struct err *why, void *user);
int views_ask(struct views *views, const struct view_key *key, uint64_t now_ms, view_tell *tell, void *user,
              struct err *err);

/* What worker is to make next: it is RUNNING from now on; NULL: nothing. */
const struct view *views_next(struct views *views, uint32_t worker, uint64_t now_ms);

/* worker made it, or why->code tells why not. False: it is no view of worker's any more: its blob is of no use. */
bool views_made(struct views *views, uint32_t worker, uint64_t id, uint64_t bytes, bool jpeg, const struct err *why);

void views_lost(struct views *views, uint32_t worker);                    /* what it made, others are asked for */
void views_expire(struct views *views, uint64_t now_ms);                  /* often */
void views_stop(struct views *views, const uint8_t sha256[SHA256_BYTES]); /* the source is quarantined */

#endif
