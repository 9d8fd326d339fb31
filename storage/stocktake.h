/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Goes through what a store has beside what an inventory says, blob by blob, on some threads; memory is for a part of them at a time. */
#ifndef SOHOA_STOCKTAKE_H
#define SOHOA_STOCKTAKE_H

#include <stdatomic.h>

#include "storage/inventory.h"

struct stock_item {
    const char *name; /* borrowed during the call */
    enum inventory_kind kind;
    uint32_t shard;
    bool listed; /* the store has it */
    bool kept;   /* the inventory has it, and says: */
    struct blob_hash hash;
    bool changed; /* each() changed what the inventory is to say */
};

/* How far it is, for other threads; stop ends it (E_STATE). */
struct stock_watch {
    _Atomic uint64_t blobs, blobs_all, bytes;
    _Atomic bool stop;
};

struct stocktake {
    struct store *listed; /* NULL: what the inventory says is all */
    struct store *kept;   /* where the inventory is; locked, if items change */
    struct stock_watch *watch;
    unsigned threads;
    void *user;

    /* On one of the threads. */
    int (*each)(struct stock_item *item, void *user, struct err *err);

    /* On the caller's thread, now and then. */
    int (*alive)(void *user, struct err *err);

    /* A shard of the inventory is damaged: its rows count as not there. A return that is not 0 ends it. */
    int (*damaged)(const char *shard, void *user, struct err *err);
};

/* All blobs of these kinds (1u << INVENTORY_...), kind after kind. Shards whose items changed are written when what is done with their items is
 * done. Errors: E_STORE, E_FENCED, E_IO, what the calls return. */
int stocktake_run(const struct stocktake *take, unsigned kinds, struct err *err);

#endif
