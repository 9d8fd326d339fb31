/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What outlives every process: blobs, and the coordinator's ledger and layouts. Workers write blobs by this header; the
 * coordinator comes through store.h, ledger.h and layout.h of storage/. A coordinator may die in the middle of its writes:
 * then none of the later ones is done, and of a ledger append only the first entries. */
#ifndef SOHOA_SIM_STORE_H
#define SOHOA_SIM_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/store.h"

struct blob {
    uint64_t hash; /* of its name */
    char *name;
    uint32_t dead; /* words: bit p - 1: page p is dead */
};

void disk_reset(void);
void disk_mount(void); /* a new coordinator takes the lock */

/* The coordinator dies after so many more writes. */
void disk_doom(uint32_t writes);
bool disk_doomed(void); /* it did */

const struct blob *blob_find(const char *name);
void blob_create(const char *name, uint32_t dead); /* the first wins */
void blob_remove(const char *name);
/* The first blob of that source in bundle/ or out/; NULL: there is none. */
const char *blob_of_source(uint32_t source);

struct store *disk(void);
uint64_t ledger_orders(void); /* entries of operators */

/* Before there is any coordinator: the ledger has this entry. */
void ledger_begin(const void *entry, size_t bytes);

#endif
