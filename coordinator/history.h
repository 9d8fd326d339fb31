/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What people ordered, and what was paused by itself, in the words of the ledger's entries: the last HISTORY_MOST of them are in memory.
 * The ledger has them all, for ever. */
#ifndef SOHOA_HISTORY_H
#define SOHOA_HISTORY_H

#include <stddef.h>

#include "proto/sohoa.pb-c.h"

enum { HISTORY_MOST = 4096 };

struct event {
    uint64_t time_ms; /* since 1970 */
    const char *
        kind; /* "admitted", "withdrawn", "rerun", "undone", "quarantined", "released", "purged", "standing", "target", "drained", "calendar", "account", "reorganised", "reorganisation_undone" */
    const char *actor;   /* "": nobody said */
    const char *subject; /* a batch, a unit, a worker, an account; "" */
    const char *text;    /* what stands afterwards; of a calendar its CSV */
};

struct history;

struct history *history_new(void);
void history_destroy(struct history **history);

/* Entries that tell what became of documents are passed over. */
void history_add(struct history *history, const Sohoa__LedgerEntry *entry, uint64_t time_ms);

/* From the oldest that is there on; NULL: there are not so many. Borrowed until the next history_add(). */
const struct event *history_at(const struct history *history, size_t index);

#endif
