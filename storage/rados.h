/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Shared by the files of the rados backend and no one else: store_rados.c (content), rados_parts.c (big
 * content) and rados_state.c (lock and state). */
#ifndef SOHOA_RADOS_H
#define SOHOA_RADOS_H

#include <pthread.h>
#include <rados/librados.h>

#include "storage/backend.h"

enum {
    RADOS_COOKIE_CHARS = 16,
    RADOS_STRIPE_BYTES = 16 << 20, /* of one part, and the most that is read at once */
};

struct rados {
    struct store store;
    rados_t cluster;
    rados_ioctx_t area[STORE_AREAS]; /* the area's pool and namespace */
    rados_ioctx_t lock_io;
    char cookie[RADOS_COOKIE_CHARS + 1]; /* tells this holder of the lock from all others */
    char owner[NAME_BYTES];
    uint32_t ttl_ms;
    _Atomic uint64_t deadline_ms; /* CLOCK_BOOTTIME: from then on the lock counts as lost */
    pthread_mutex_t guard;        /* one append at a time: its offset is the length before it */
};

/* Where a blob is; borrows name. */
struct object {
    rados_ioctx_t io;
    const char *id;
    const char *name;
};

struct object rados_object(const struct rados *r, const char *name);

/* Turns librados' negative errno into an error: E_ABSENT, E_EXISTS, E_FENCED (this client is blocklisted) or E_STORE.
 */
int rados_failed(struct err *err, int failure, const char *doing, const char *name);

/* What is known of an object. */
struct head {
    uint64_t bytes; /* of the blob */
    uint64_t object_bytes;
    bool parted;
};

extern const char rados_parts_xattr[]; /* a head's: the blob's length */

/* One operation: what the object is, and up to bytes at offset appended to *into (NULL: none), untouched on failure. */
int rados_object_read(const struct object *object, uint64_t offset, size_t bytes, struct buf *into,
                      struct head *ret_head, struct err *err);

/* Tells how an object of content is written and read: once, whole. To be added before its bytes. */
void rados_hint_add(rados_write_op_t op, uint64_t bytes);

/* Reads exactly bytes at offset of fd. Errors: E_IO. */
int rados_stripe_read(int fd, const char *name, uint64_t offset, void *into, size_t bytes, struct err *err);

/* rados_parts.c. stripe: RADOS_STRIPE_BYTES to work in. Errors: E_EXISTS, E_LIMIT, E_IO. */
int rados_parts_create(const struct object *object, int fd, uint64_t bytes, void *stripe, struct err *err);

/* Whether an object that begins with these bytes may be a head: every head does, and hardly any blob. */
bool rados_parts_begin(const void *data, size_t bytes);

/* Appends up to bytes at offset of the parted blob to *into, untouched on failure. Errors: E_CORRUPT. */
int rados_parts_read(const struct object *object, const struct head *head, uint64_t offset, size_t bytes,
                     struct buf *into, struct err *err);

/* Removes the parts that any writer of the blob has claimed. */
int rados_parts_remove(const struct object *object, struct err *err);

/* rados_state.c */
int rados_state_lock(struct store *store, const char *owner, uint32_t ttl_ms, struct err *err);
int rados_state_renew(struct store *store, struct err *err);
void rados_state_unlock(struct rados *r);
int rados_state_put(struct store *store, const char *name, bool replace, const void *data, size_t bytes,
                    struct err *err);
int rados_state_remove(struct store *store, const char *name, struct err *err);
int rados_state_append(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
                       struct err *err);
int rados_state_map_set(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                        struct err *err);
int rados_state_map_read(struct store *store, const char *name, const char *after, size_t limit,
                         void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more,
                         struct err *err);

/* Destructors for librados' handles. */
static inline void write_op_destroy(rados_write_op_t *op)
{
    if (*op)
        rados_release_write_op(*op);
    *op = NULL;
}

static inline void read_op_destroy(rados_read_op_t *op)
{
    if (*op)
        rados_release_read_op(*op);
    *op = NULL;
}

#endif
