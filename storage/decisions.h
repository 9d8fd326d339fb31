/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the ledger says of blobs: which have to go, which had to, and which may have changed since some entry. A document's record and
 * remarks go while it is quarantined, what was made of a source while that is, the source itself once it is purged. */
#ifndef SOHOA_DECISIONS_H
#define SOHOA_DECISIONS_H

#include <stdbool.h>

#include "storage/store.h"

struct decisions;

/* Reads the ledger to its end; chain and all, as ledger_read(). since: the number of an entry, 0: before the first. alive(user, err) is called
 * for each entry; what it returns ends it. Errors: E_STORE, E_CORRUPT. */
int decisions_read(struct store *store, uint64_t since, int (*alive)(void *user, struct err *err), void *user,
                   struct decisions **ret_decisions, struct err *err);
void decisions_destroy(struct decisions **decisions);

/* How many entries there are, and the SHA-256 of the last, and of the entry since (packed; zeros where there is none). */
uint64_t decisions_entries(const struct decisions *decisions);
const uint8_t *decisions_last(const struct decisions *decisions);
const uint8_t *decisions_since(const struct decisions *decisions);

/* The store has the tombstone stop/<sha256>: the source is quarantined, whether or not the ledger says so already. */
void decisions_add_stop(struct decisions *decisions, const char *name);

/* The blob of that name has to be gone everywhere. */
bool decisions_end(const struct decisions *decisions, const char *name);

/* Or it may be gone where the ledger is: it was removed after the entry since, or its tombstone was taken away. */
bool decisions_explain(const struct decisions *decisions, const char *name);

/* A record, index or other blob of a batch may have become another after the entry since. */
bool decisions_touch(const struct decisions *decisions, const char *name);

#endif
