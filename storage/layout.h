/* SPDX-License-Identifier: AGPL-3.0-or-later
 * batch/<id>/layout/<piece>: for each piece of its manifest an append-only array of fixed little-endian entries, what a restart loads instead of asking for
 * each document. The last entry of a document is in force. An entry is written when PROBE is committed, before the
 * first lease of its pages. layout.c draws the entry. And batch/<id>/index/<shard>: document -> outcome, at most
 * LAYOUT_SHARD_DOCS keys a shard. */
#ifndef SOHOA_LAYOUT_H
#define SOHOA_LAYOUT_H

#include "proto/limits.h"
#include "proto/sohoa.pb-c.h"
#include "storage/store.h"

enum { LAYOUT_ENTRY_BYTES = 64, LAYOUT_SHARD_DOCS = 100000 };

struct layout_entry {
    uint32_t doc;
    uint32_t pages;         /* 0: not known yet */
    uint64_t first_ordinal; /* bit of page 1 in the batch's bitmaps */
    uint32_t range_pages;   /* the document is cut into ranges of this many pages */
    uint32_t generation;
    uint8_t cost; /* class of what its pages cost, coordinator/cost.h */
    uint8_t sha256[SHA256_BYTES];
};

/* Appends entries (guarded). After a failure some may be there; repeating the call does no harm. */
int layout_append(struct store *store, const char *batch, uint32_t piece, const struct layout_entry *entries,
                  size_t count, struct err *err);

/* Calls each for every entry of the piece in order. A piece without a layout has none. A torn last entry is ignored.
 * Errors: E_CORRUPT: an entry is damaged; which one. */
int layout_read(struct store *store, const char *batch, uint32_t piece,
                void (*each)(const struct layout_entry *entry, void *user), void *user, struct err *err);

/* A packed DocOutcome, borrowed. */
struct index_entry {
    uint32_t doc;
    uint32_t bytes;
    const void *outcome;
    bool quarantined; /* nothing stays of what was there before */
};

/* Sets outcomes in the batch's index (guarded); outcomes of one call may fall in several shards and come in any order;
 * of several for one document the last counts. After a failure some may be set; repeating the call does no harm. */
int index_put(struct store *store, const char *batch, const struct index_entry *entries, size_t count, struct err *err);

/* Calls each for every outcome of the shard, in order of document.
 * Errors: E_CORRUPT, which names the key. */
int index_read(struct store *store, const char *batch, uint32_t shard,
               void (*each)(const Sohoa__DocOutcome *outcome, void *user), void *user, struct err *err);

#endif
