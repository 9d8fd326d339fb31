/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a backend of the object store gives. Internal to storage: everyone else uses store.h.
 * store.c checks names, sizes and that the lock was taken before it calls; a backend sees only what is allowed. */
#ifndef SOHOA_BACKEND_H
#define SOHOA_BACKEND_H

#include <stdatomic.h>

#include "storage/store.h"

/* The first component of a name. */
enum store_area {
    STORE_SRC,
    STORE_BUNDLE,
    STORE_OUT,
    STORE_REC,
    STORE_BATCH,
    STORE_LEDGER,
    STORE_STOP,
    STORE_VIEW,
    STORE_INVENTORY,
    STORE_AREAS
};

extern const char *const store_area_name[STORE_AREAS];

enum store_area store_area(const char *name); /* of a name that was checked */

/* Whether blobs of this area may have names that start with prefix. */
bool store_area_listed(enum store_area area, const char *prefix);

/* Not a letter of names: what a backend keeps for itself has it in its name. */
#define STORE_PRIVATE '~'

enum store_put { PUT_CREATE, PUT_REPLACE, PUT_GUARD_CREATE, PUT_GUARD_REPLACE };

struct store {
    const struct store_ops *ops;
    _Atomic uint64_t epoch;  /* 0: the lock is not held, or was lost */
    char holder[NAME_BYTES]; /* of the lock, when it was refused to us last */
};

struct store_ops {
    void (*destroy)(struct store *store); /* gives the lock up */
    int (*get)(struct store *store, const char *name, size_t max_bytes, struct buf *into, struct err *err);
    int (*read)(struct store *store, const char *name, uint64_t offset, size_t bytes, struct buf *into,
                struct err *err);
    int (*stat)(struct store *store, const char *name, uint64_t *ret_bytes, struct err *err);
    int (*put)(struct store *store, const char *name, enum store_put how, const void *data, size_t bytes,
               struct err *err);
    int (*create_from)(struct store *store, const char *name, int fd, uint64_t bytes, struct err *err);
    int (*remove)(struct store *store, const char *name, bool guarded, struct err *err);
    int (*list)(struct store *store, const char *prefix, int (*each)(const char *name, void *user), void *user,
                struct err *err);
    int (*space)(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes, struct err *err);
    int (*lock)(struct store *store, const char *owner, uint32_t ttl_ms, struct err *err);
    int (*renew)(struct store *store, struct err *err);
    int (*append)(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
                  struct err *err);
    int (*map_set)(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                   struct err *err);
    int (*map_renew)(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                     struct err *err);
    int (*map_read)(struct store *store, const char *name, const char *after, size_t limit,
                    void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more,
                    struct err *err);
};

/* The lock was refused for holder's sake: E_LOCKED. */
int store_locked(struct store *store, const char *holder, uint64_t epoch, struct err *err);

/* rest: the URL after "dir:" or "rados:". */
int store_dir_open(const char *rest, struct store **ret_store, struct err *err);
int store_rados_open(const char *rest, struct store **ret_store, struct err *err);

#endif
