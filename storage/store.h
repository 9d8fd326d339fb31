/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The object store: small contract, two backends. Names are paths ("src/<sha256>", "batch/<id>/manifest"); their
 * letters are [A-Za-z0-9._/-], at most STORE_NAME_BYTES with the 0, no empty, "." or ".." component, the first one of
 * src, bundle, out, rec, batch, ledger, stop, view, inventory, and at least two. Any other name is E_USAGE in every call.
 *
 *   dir:PATH                                       write, fsync, rename, fsync of the folder; flock for the lock
 *   rados:CONF?user=client.NAME&meta=POOL&data=POOL   a namespace per first component; batch, rec, ledger, stop,
 *                                                  inventory and lock live in meta, src, bundle, out and view in data
 *
 * Calls block; io.h runs them on threads. A store may be used by many threads at once, except store_lock and
 * store_renew, which belong to one thread (renewal.h). Every call may fail with E_STORE (retry), besides what is said below; err
 * names the blob. After E_STORE a write may have been done or not (rados: a time-out). In rados every call of a holder
 * that was blocklisted is E_FENCED.
 *
 * Two kinds of writes. Content (src, bundle, out, rec, view) is written by anyone, create-if-absent: the first wins. State
 * (batch, ledger, stop and whatever the coordinator owns; inventory by who writes a back-up) is written by the "guarded" calls, only by the holder of the
 * lock: each is refused with E_FENCED once another holder has taken a newer epoch, however late it arrives. In rados a
 * holder that was not renewed within its ttl refuses by itself, each guarded call looks at the lock's epoch, and each
 * guarded write carries the epoch (cmpxattr on the object's epoch xattr, which a new holder bumps before its first
 * write to that object): a write that was under way during the takeover is refused from that bump on; an append of 0
 * bytes is one. In dir the flock itself outlives every write of its holder. */
#ifndef SOHOA_STORE_H
#define SOHOA_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/err.h"
#include "proto/limits.h"

enum {
    STORE_COMPONENT_CHARS = 255, /* one component of a name */
    STORE_KEY_BYTES = 64,        /* a map's key */
    STORE_VALUE_BYTES = 4096,    /* a map's value */
    STORE_MAP_PAGE = 1024,       /* pairs of one store_map_read */
    STORE_LOCK_MIN_MS = 500,     /* the shortest time to live of a lock */
};

struct store;

/* Errors: E_CONFIG for a URL that is not understood, a ceph.conf or a pool that is not there, E_STORE when it can't be
 * reached. dir creates PATH. */
int store_open(const char *url, struct store **ret_store, struct err *err);
void store_destroy(struct store **store); /* gives the lock up, if held */

/* ---- content ---- */

/* Whole blob, appended to *into; untouched on failure. Errors: E_ABSENT; E_LIMIT: larger than max_bytes. */
int store_get(struct store *store, const char *name, size_t max_bytes, struct buf *into, struct err *err);

/* Up to bytes at offset, appended to *into: fewer at the end of the blob, none beyond. Errors: E_ABSENT. */
int store_read(struct store *store, const char *name, uint64_t offset, size_t bytes, struct buf *into, struct err *err);

/* Errors: E_ABSENT. ret_bytes may be NULL: only whether it is there. */
int store_stat(struct store *store, const char *name, uint64_t *ret_bytes, struct err *err);

/* Durable when it returns 0. E_EXISTS: the name was taken, nothing was written. At most STORE_PART_BYTES. */
int store_create(struct store *store, const char *name, const void *data, size_t bytes, struct err *err);

/* The same for a big blob, from fd's start, bytes long, in bounded memory. In rados above STORE_PART_BYTES it is kept
 * in parts (each named by its own SHA-256, so that a killed or mistaken writer can't spoil another's), the head object
 * last: without a head it is absent. store_get, read, stat and remove see one blob. Errors: E_EXISTS, E_IO (fd),
 * E_LIMIT (rados: above 64 GiB). */
int store_create_from(struct store *store, const char *name, int fd, uint64_t bytes, struct err *err);

/* Writes the blob whether or not it is there, atomically. For rec/ of a new generation only. */
int store_replace(struct store *store, const char *name, const void *data, size_t bytes, struct err *err);

/* Absent is success. Head first, then parts, those of killed writers included. Not to be called while the same name is
 * being created: a part may be removed that the new head names. */
int store_remove(struct store *store, const char *name, struct err *err);

/* Calls each(name, user) for every blob whose name starts with prefix ("" for all), in no order, parts not named; stops
 * when each returns non-zero and returns that. In rados this walks the whole namespace: for tools, never on the way of
 * a page. */
int store_list(struct store *store, const char *prefix, int (*each)(const char *name, void *user), void *user,
               struct err *err);

/* Free and total bytes of what lies under the store. */
int store_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes, struct err *err);

/* ---- the lock and its epoch ---- */

/* Takes the exclusive lock without waiting; the epoch grows by one. owner names this holder for people.
 * Errors: E_LOCKED, which names the holder. */
int store_lock(struct store *store, const char *owner, uint32_t ttl_ms, struct err *err);
uint64_t store_epoch(const struct store *store); /* 0: not held */

/* Who held it when store_lock() failed with E_LOCKED last; "" before. */
const char *store_holder(const struct store *store);

/* To be called at least every ttl_ms / 3. Errors: E_FENCED: lost; no guarded call succeeds from then on. */
int store_renew(struct store *store, struct err *err);

/* ---- state: guarded writes; all fail with E_FENCED when the epoch is not ours any more ---- */

int store_guard_create(struct store *store, const char *name, const void *data, size_t bytes,
                       struct err *err); /* E_EXISTS */
int store_guard_replace(struct store *store, const char *name, const void *data, size_t bytes, struct err *err);
int store_guard_remove(struct store *store, const char *name, struct err *err);

/* Durable append; creates the blob when absent. *ret_offset (may be NULL): where data begins. */
int store_guard_append(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
                       struct err *err);

/* A blob that maps keys (text, at most 64 bytes) to values (at most 4 KiB); omap in rados. Pairs are set all or none.
 */
struct store_pair {
    const char *key;
    const void *value;
    size_t bytes;
};
int store_guard_map_set(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                        struct err *err);

/* Likewise, and what the keys had before is in the blob no more: a dir store otherwise keeps it. There it costs as much as the whole map. */
int store_guard_map_renew(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                          struct err *err);

/* Pairs in key order with key > after ("" from the start), at most limit (1 to 1024). each may not call the store.
 * *ret_more: some are left. An absent map has no pairs. */
int store_map_read(struct store *store, const char *name, const char *after, size_t limit,
                   void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more,
                   struct err *err);

#endif
