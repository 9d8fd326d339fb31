/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A document's bytes in hand: found and copied from where the scans lie, or fetched from the store; read-only, in a sealed
 * memory file, or above STORE_PART_BYTES in an unlinked spool file of TMPDIR. Nothing here parses more than the first
 * bytes. Reading and fetching block: they run on io threads. Users are counted and the shelf is used on the loop's
 * thread only. */
#ifndef SOHOA_SOURCE_H
#define SOHOA_SOURCE_H

#include "proto/err.h"
#include "proto/limits.h"
#include "storage/store.h"

struct source {
    uint8_t sha256[SHA256_BYTES];
    uint64_t bytes;
    int fd;
    unsigned users;
    struct source *next; /* the shelf's own */
};

/* Finds path beneath root (a relative one starts there; one that leads out of it is denied), looks at its type by its
 * first bytes, copies and hashes it. Errors: E_SOURCE_MISSING, E_SOURCE_DENIED (outside, not a regular file, not
 * readable), E_SOURCE_EMPTY, E_SOURCE_SIZE, E_SOURCE_TYPE, E_SOURCE_CHANGED (while it was read), E_IO. */
int source_read(const char *root, const char *path, uint64_t max_bytes, struct source **ret_source, struct err *err);

/* Reads the file again. Errors: those of source_read(); E_SOURCE_CHANGED: what is there now is not what source holds. */
int source_confirm(const char *root, const char *path, const struct source *source, struct err *err);

/* src/<sha256> from the store, its hash checked. Errors: E_STORE, E_ABSENT, E_SOURCE_SIZE, E_CORRUPT, E_IO. */
int source_fetch(struct store *store, const uint8_t sha256[SHA256_BYTES], uint64_t max_bytes,
                 struct source **ret_source, struct err *err);

/* One more user; the last one to drop it frees it. source_destroy() is drop, NULL-safe. */
struct source *source_keep(struct source *source);
void source_destroy(struct source **source);

/* A sealed memory file (spool file when large) with these bytes, for a slot or for the store. Errors: E_IO. */
int spool_bytes(const void *data, size_t bytes, int *ret_fd, struct err *err);

/* ---- the shelf: sources used lately, so that the jobs of one document share one copy ---- */

struct shelf;

/* Of what no one else uses any more it keeps up to max_bytes and max_count; the least recently used goes first. */
struct shelf *shelf_new(uint64_t max_bytes, unsigned max_count);
void shelf_destroy(struct shelf **shelf);
struct source *shelf_find(struct shelf *shelf, const uint8_t sha256[SHA256_BYTES]); /* kept for the caller, or NULL */
void shelf_add(struct shelf *shelf, struct source *source); /* the shelf becomes a user, unless it is too large */

#endif
