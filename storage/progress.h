/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Progress in Redis: a view that anyone may read and that can be rebuilt from the store at any time. Keys:
 *
 *   sohoa:epoch                the epoch of the coordinator that may write
 *   sohoa:batches              set of batch ids
 *   sohoa:batch:<id>           hash: docs, docs_<state>, pages, pages_stored, pages_dead, pages_duplicate, ...;
 *                              unit, priority, deadline_ms
 *   sohoa:batch:<id>:stored    bitmap of stored pages, by ordinal
 *   sohoa:batch:<id>:dead      hash: ordinal -> E_* name
 *   sohoa:unit:<unit>          hash: pages, pages_stored, pages_dead, deadline_ms
 *   sohoa:rate                 hash: minute since 1970 -> pages finished (stored or dead) in it, by this host's clock
 *   sohoa:rate:hours           likewise by the hour. Neither can be rebuilt
 *   sohoa:workers              hash: name -> JSON
 *   sohoa:told                 hash: alert that the webhook was told of -> what was told (coordinator/notify.h). It can't be rebuilt
 *   sohoa:events               capped stream: type, batch, text; type documents: "stored 3 7-19", those that ended
 *
 * One Lua script (progress.lua) writes them all. It refuses (E_FENCED) when sohoa:epoch is newer than ours, and
 * (E_STATE) when it is missing or older: Redis was emptied or progress_assert() not called yet, so rewrite everything.
 * A page is counted by the bit that flips, so repeating a commit counts nothing twice. Calls block, for a few
 * REDIS_TIMEOUT_MS (redis.h) at most when Redis hangs; one thread uses a progress at a time. */
#ifndef SOHOA_PROGRESS_H
#define SOHOA_PROGRESS_H

#include "proto/sohoa.pb-c.h"
#include "proto/buf.h"
#include "proto/err.h"

enum {
    PROGRESS_SCRIPT_OPS = 1000, /* operations (ranges of pages, single changes) in one run of the script */
    PROGRESS_EVENTS_KEPT = 10000,
    PROGRESS_MINUTES_KEPT = 1440,
    PROGRESS_HOURS_KEPT = 720,
    PROGRESS_VALUE_BYTES = 64 << 10, /* field and value of one change */
};

#define PROGRESS_ORDINALS   (UINT64_C(1) << 32) /* bits of a bitmap: what Redis allows */
#define PROGRESS_TOLD_ALL   "*"
#define PROGRESS_DELTA_MOST (INT64_C(1) << 53) /* what a Lua number holds exactly; an epoch is below, too */

struct progress;

/* Connects to the unix socket, loads the script. Errors: E_REDIS. */
int progress_open(const char *socket_path, uint64_t epoch, struct progress **ret_progress, struct err *err);
void progress_destroy(struct progress **progress);

enum progress_kind {
    PROGRESS_STORED,  /* set the bits first..first+count-1: pages_stored grows by those that flip */
    PROGRESS_UNSTORE, /* clear the bits: pages_stored shrinks (re-run, quarantine) */
    PROGRESS_DEAD,    /* page at first is dead with code: pages_dead grows if it was not dead */
    PROGRESS_UNDEAD,  /* page at first is not dead any more */
    PROGRESS_ADD,     /* field of sohoa:batch:<id> and, where it is a pages_* or "pages" one, of the unit, += delta */
    PROGRESS_SET,     /* field of sohoa:batch:<id>, or of the unit where batch is "", = value */
    PROGRESS_EVENT,   /* to the stream: type = field, text = value */
    PROGRESS_WORKER,  /* sohoa:workers[field] = value; value "" removes */
    PROGRESS_TOLD,    /* sohoa:told[field] = value; value "" removes, that of PROGRESS_TOLD_ALL all of them */
};

struct progress_change {
    enum progress_kind kind;
    const char *batch; /* "" where none is concerned */
    const char *unit;  /* "" none */
    uint64_t first;    /* ordinal */
    uint64_t count;
    int code; /* E_* for PROGRESS_DEAD */
    int64_t delta;
    const char *field, *value;
};

/* All changes, in scripts of at most PROGRESS_SCRIPT_OPS, pipelined, in order. PROGRESS_SET of a batch's "pages" or
 * pages_* field changes the unit's by as much as it changes the batch's. PROGRESS_ADD is not idempotent: a caller
 * that must repeat a commit that may have arrived rewrites the counters with PROGRESS_SET instead.
 * Errors: E_LIMIT, which names it (nothing was done); E_REDIS (the connection is closed; the next call connects again);
 * E_FENCED; E_STATE: the epoch key is missing or Redis was restarted since the last call (its run_id changed), so that
 * what it holds may be older: call progress_assert() and rewrite. */
int progress_commit(struct progress *progress, const struct progress_change *changes, size_t count, struct err *err);

/* Connects if need be and sets sohoa:epoch to our epoch unless it is newer (E_FENCED). */
int progress_assert(struct progress *progress, struct err *err);

/* Asks whether Redis is there, and is the one that we wrote. Errors: as progress_commit(). */
int progress_look(struct progress *progress, struct err *err);

/* Replaces a batch's hash, bitmap and dead hash by what memory says, in one MULTI guarded by the epoch. bits: bitmap as
 * Redis keeps it (bit 0 is the top bit of byte 0). Counters come as PROGRESS_SET and PROGRESS_DEAD changes of that
 * batch, all with one unit; pages_stored and pages_dead are counted from the bits and the dead pages unless they are
 * set. The unit's figures change by as much as the batch's do. Errors: as progress_commit(); the batch is either
 * rewritten as a whole or left as it was. */
int progress_rewrite(struct progress *progress, const char *batch, const uint8_t *bits, size_t bits_bytes,
                     const struct progress_change *changes, size_t count, struct err *err);

/* Drops every key that starts with sohoa: but sohoa:epoch, the rates and sohoa:told, before a rebuild rewrites them. */
int progress_clear(struct progress *progress, struct err *err);

/* What Redis holds of the time before: the epoch it follows (0: none), and the names of the workers that were connected then,
 * with a space between. */
int progress_before(struct progress *progress, uint64_t *ret_epoch, struct buf *workers, struct err *err);

/* How fast it went: each is called for every minute and every hour that is there, in no order. number: of the step since 1970. */
typedef void progress_rate(uint32_t step_ms, uint64_t number, uint64_t pages, void *user);
int progress_rates(struct progress *progress, progress_rate *each, void *user, struct err *err);

/* sohoa:told, in no order. */
typedef void progress_told_one(const char *field, const char *value, void *user);
int progress_told(struct progress *progress, progress_told_one *each, void *user, struct err *err);

/* The batch's bitmap of stored pages, as Redis keeps it; empty when there is none. */
int progress_bits(struct progress *progress, const char *batch, struct buf *into, struct err *err);

#endif
