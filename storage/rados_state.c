/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The store in Ceph: the lock and what only its holder writes. Object "lock" carries a RADOS lock that runs out, the
 * epoch, the holder's name and its address. An old holder is kept out three times:
 *   - it takes the lock for lost when it has not renewed it within its time to live, by its own clock;
 *   - each guarded call looks at the lock's epoch first;
 *   - each guarded write compares, in the same operation, the epoch xattr of the object that it changes, which a new
 *     holder raises (never lowers) before its own first write: what is under way for long is refused there.
 * And a new holder has the cluster blocklist the address of one that vanished. */
#include "storage/rados.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum {
    EPOCH_CHARS = 20, /* zero-padded, so that the order of texts is that of numbers */
    GUARD_TRIES = 8,  /* a write meets an epoch to raise, an absent object, another thread that did either */
    ADDRESS_BYTES = 512,
    BLOCKLIST_S = 3600, /* longer than any write may be under way */
};

static const char lock_id[] = "lock", lock_title[] = "writer";
static const char epoch_xattr[] = "epoch", owner_xattr[] = "owner", address_xattr[] = "address";

static struct rados *rados_of(struct store *store)
{
    return (struct rados *)store;
}

static const char *epoch_text(uint64_t epoch, char text[EPOCH_CHARS + 1])
{
    snprintf(text, EPOCH_CHARS + 1, "%0*" PRIu64, EPOCH_CHARS, epoch);
    return text;
}

/* An xattr's text; "" when it or the object is absent. */
static int xattr_get(rados_ioctx_t io, const char *id, const char *key, char *text, size_t bytes, struct err *err)
{
    int n = rados_getxattr(io, id, key, text, bytes - 1);
    if (n == -ENOENT || n == -ENODATA)
        n = 0;
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? rados_failed(err, n, "reading the epoch of", id) : 0;
}

/* The epoch of an object; 0: it has none. */
static int epoch_get(rados_ioctx_t io, const char *id, uint64_t *ret_epoch, struct err *err)
{
    char text[EPOCH_CHARS + 1], *end;
    int rc = xattr_get(io, id, epoch_xattr, text, sizeof text, err);
    if (rc)
        return rc;
    *ret_epoch = strtoull(text, &end, 10);
    return *end ? err_set(err, E_CORRUPT, "%s has an epoch that is no number", id) : 0;
}

static int fenced(struct rados *r, const char *name, const char *why, struct err *err)
{
    atomic_store(&r->store.epoch, 0);
    return err_set(err, E_FENCED, "%s: %s", name, why);
}

/* ---- the lock ---- */

static uint64_t now_ms(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

/* Takes or renews the RADOS lock. From when on it counts as lost is measured from before the question. */
static int lock_ask(struct rados *r, uint8_t flags)
{
    uint64_t asked_ms = now_ms();
    struct timeval ttl = {r->ttl_ms / 1000, (suseconds_t)(r->ttl_ms % 1000) * 1000};
    int rc = rados_lock_exclusive(r->lock_io, lock_id, lock_title, r->cookie, r->owner, &ttl, flags);
    if (!rc)
        atomic_store(&r->deadline_ms, asked_ms + r->ttl_ms);
    return rc;
}

static int lock_busy(struct rados *r, struct err *err)
{
    char owner[NAME_BYTES];
    uint64_t epoch;
    int rc = xattr_get(r->lock_io, lock_id, owner_xattr, owner, sizeof owner, err);
    if (!rc)
        rc = epoch_get(r->lock_io, lock_id, &epoch, err);
    return rc ? rc : store_locked(&r->store, owner, epoch, err);
}

static void address_destroy(char **address)
{
    if (*address)
        rados_buffer_free(*address);
}

/* Raises the epoch and signs the lock, if its epoch is still before. */
static int lock_sign(struct rados *r, uint64_t before, const char *address, struct err *err)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    char old[EPOCH_CHARS + 1], new[EPOCH_CHARS + 1];
    epoch_text(before, old);
    rados_write_op_cmpxattr(op, epoch_xattr, LIBRADOS_CMPXATTR_OP_EQ, old, before ? EPOCH_CHARS : 0);
    rados_write_op_setxattr(op, epoch_xattr, epoch_text(before + 1, new), EPOCH_CHARS);
    rados_write_op_setxattr(op, owner_xattr, r->owner, strlen(r->owner));
    rados_write_op_setxattr(op, address_xattr, address, strlen(address));
    int rc = rados_write_op_operate(op, r->lock_io, lock_id, NULL, 0);
    if (rc == -ECANCELED)
        return lock_busy(r, err);
    return rc < 0 ? rados_failed(err, rc, "writing", lock_id) : 0;
}

/* Best effort, the epochs alone suffice: the holder's key may lack the right to it. */
static void blocklist(const struct rados *r, char *address)
{
    int rc = rados_blocklist_add(r->cluster, address, BLOCKLIST_S);
    if (!rc)
        rc = rados_wait_for_latest_osdmap(r->cluster);
    trace(rc ? TRACE_WARN : TRACE_INFO, "blocklist", "address=%s result=%s", trace_value(address),
          trace_value(rc ? strerror(-rc) : "done"));
}

static int lock_enter(struct rados *r, uint64_t *ret_epoch, struct err *err)
{
    AUTO(address_destroy) char *ours = NULL;
    char last[ADDRESS_BYTES];
    uint64_t before;
    int rc = rados_getaddrs(r->cluster, &ours);
    if (rc < 0)
        return rados_failed(err, rc, "asking for the address of", "this client");
    rc = epoch_get(r->lock_io, lock_id, &before, err);
    if (!rc)
        rc = xattr_get(r->lock_io, lock_id, address_xattr, last, sizeof last, err);
    if (!rc)
        rc = lock_sign(r, before, ours, err);
    if (rc)
        return rc;
    if (*last && strcmp(last, ours))
        blocklist(r, last);
    *ret_epoch = before + 1;
    return 0;
}

int rados_state_lock(struct store *store, const char *owner, uint32_t ttl_ms, struct err *err)
{
    struct rados *r = rados_of(store);
    uint64_t random, epoch;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_errno(err, E_STORE, "getrandom");
    snprintf(r->cookie, sizeof r->cookie, "%016" PRIx64, random);
    snprintf(r->owner, sizeof r->owner, "%s", owner);
    r->ttl_ms = ttl_ms;
    int rc = lock_ask(r, 0);
    if (rc == -EBUSY)
        return lock_busy(r, err);
    if (rc < 0)
        return rados_failed(err, rc, "taking", "the lock");
    rc = lock_enter(r, &epoch, err);
    if (rc) {
        rados_unlock(r->lock_io, lock_id, lock_title, r->cookie);
        return rc;
    }
    atomic_store(&store->epoch, epoch);
    return 0;
}

int rados_state_renew(struct store *store, struct err *err)
{
    struct rados *r = rados_of(store);
    if (now_ms() >= atomic_load(&r->deadline_ms))
        return fenced(r, "renewing", "the store's lock ran out", err);
    int rc = lock_ask(r, LIBRADOS_LOCK_FLAG_MUST_RENEW);
    if (rc == -ENOENT || rc == -EBUSY || rc == -EEXIST)
        return fenced(r, "renewing", "the store's lock was lost", err);
    rc = rc < 0 ? rados_failed(err, rc, "renewing", "the store's lock") : 0;
    return rc == E_FENCED ? fenced(r, "renewing", "the cluster has blocklisted this client", err) : rc;
}

/* A lock that is given up leaves no address: nobody is to be blocklisted. */
void rados_state_unlock(struct rados *r)
{
    uint64_t epoch = atomic_exchange(&r->store.epoch, 0);
    if (!epoch || now_ms() >= atomic_load(&r->deadline_ms))
        return;
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    char text[EPOCH_CHARS + 1];
    rados_write_op_cmpxattr(op, epoch_xattr, LIBRADOS_CMPXATTR_OP_EQ, epoch_text(epoch, text), EPOCH_CHARS);
    rados_write_op_rmxattr(op, address_xattr);
    if (rados_write_op_operate(op, r->lock_io, lock_id, NULL, 0) >= 0)
        rados_unlock(r->lock_io, lock_id, lock_title, r->cookie);
}

/* ---- guarded writes ---- */

struct change {
    void (*add)(rados_write_op_t op, const struct change *change);
    bool removes;
    const void *data;
    size_t bytes;
    size_t pairs;
    const char **keys, **values;
    size_t *key_bytes, *value_bytes;
};

static void change_replace(rados_write_op_t op, const struct change *c)
{
    rados_write_op_write_full(op, c->data, c->bytes);
}

static void change_append(rados_write_op_t op, const struct change *c)
{
    rados_write_op_append(op, c->data, c->bytes);
}

static void change_remove(rados_write_op_t op, const struct change *c)
{
    (void)c;
    rados_write_op_remove(op);
}

static void change_map(rados_write_op_t op, const struct change *c)
{
    rados_write_op_omap_set2(op, c->keys, c->values, c->key_bytes, c->value_bytes, c->pairs);
}

/* Before anything else of a guarded call: is this still the holder? */
static int held_check(struct rados *r, const char *name, uint64_t *ret_epoch, struct err *err)
{
    uint64_t ours = atomic_load(&r->store.epoch), there;
    if (!ours || now_ms() >= atomic_load(&r->deadline_ms))
        return fenced(r, name, "the store's lock ran out", err);
    int rc = epoch_get(r->lock_io, lock_id, &there, err);
    if (rc == E_FENCED)
        return fenced(r, name, "the cluster has blocklisted this client", err);
    if (!rc && there != ours)
        return fenced(r, name, "another took the store's lock", err);
    *ret_epoch = ours;
    return rc;
}

/* Changes an object that has our epoch. -ECANCELED: it has another. */
static int change_ours(const struct object *o, const char *epoch, const struct change *c)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    rados_write_op_assert_exists(op);
    rados_write_op_cmpxattr(op, epoch_xattr, LIBRADOS_CMPXATTR_OP_EQ, epoch, EPOCH_CHARS);
    c->add(op, c);
    return rados_write_op_operate(op, o->io, o->id, NULL, 0);
}

/* Makes the object with our epoch and the change in it. -EEXIST: it is there. */
static int change_new(const struct object *o, const char *epoch, const struct change *c)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    rados_write_op_create(op, LIBRADOS_CREATE_EXCLUSIVE, NULL);
    rados_write_op_setxattr(op, epoch_xattr, epoch, EPOCH_CHARS);
    c->add(op, c);
    return rados_write_op_operate(op, o->io, o->id, NULL, 0);
}

/* Raises the object's epoch to ours. -ECANCELED: it has ours, or a newer one. */
static int epoch_raise(const struct object *o, const char *epoch)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    rados_write_op_assert_exists(op);
    rados_write_op_cmpxattr(op, epoch_xattr, LIBRADOS_CMPXATTR_OP_GT, epoch, EPOCH_CHARS);
    rados_write_op_setxattr(op, epoch_xattr, epoch, EPOCH_CHARS);
    return rados_write_op_operate(op, o->io, o->id, NULL, 0);
}

/* After a change of an object with another epoch: 0 to try again. */
static int epoch_settle(struct rados *r, const struct object *o, uint64_t ours, const char *epoch, struct err *err)
{
    uint64_t there;
    int rc = epoch_raise(o, epoch);
    if (rc != -ECANCELED)
        return rc < 0 && rc != -ENOENT ? rados_failed(err, rc, "raising the epoch of", o->name) : 0;
    rc = epoch_get(o->io, o->id, &there, err);
    return !rc && there > ours ? fenced(r, o->name, "it carries a newer epoch", err) : rc;
}

static int change_run(struct rados *r, const char *name, const struct change *c, struct err *err)
{
    struct object o = rados_object(r, name);
    char epoch[EPOCH_CHARS + 1];
    uint64_t ours;
    int rc = held_check(r, name, &ours, err);
    if (rc)
        return rc;
    epoch_text(ours, epoch);
    for (int tries = 0; tries < GUARD_TRIES; tries++) {
        rc = change_ours(&o, epoch, c);
        if (rc == -ENOENT && c->removes)
            return 0;
        if (rc == -ENOENT)
            rc = change_new(&o, epoch, c);
        if (rc != -ECANCELED && rc != -EEXIST)
            break;
        rc = rc == -ECANCELED ? epoch_settle(r, &o, ours, epoch, err) : 0;
        if (rc)
            return rc;
    }
    return rc < 0 ? rados_failed(err, rc, "writing", name) : 0;
}

static int guard_create(struct rados *r, const char *name, const struct change *c, struct err *err)
{
    struct object o = rados_object(r, name);
    char epoch[EPOCH_CHARS + 1];
    uint64_t ours;
    int rc = held_check(r, name, &ours, err);
    if (rc)
        return rc;
    rc = change_new(&o, epoch_text(ours, epoch), c);
    return rc < 0 ? rados_failed(err, rc, "writing", name) : 0;
}

int rados_state_put(struct store *store, const char *name, bool replace, const void *data, size_t bytes,
                    struct err *err)
{
    struct change c = {.add = change_replace, .data = data ? data : "", .bytes = bytes};
    return replace ? change_run(rados_of(store), name, &c, err) : guard_create(rados_of(store), name, &c, err);
}

int rados_state_remove(struct store *store, const char *name, struct err *err)
{
    struct change c = {.add = change_remove, .removes = true};
    return change_run(rados_of(store), name, &c, err);
}

int rados_state_append(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
                       struct err *err)
{
    struct rados *r = rados_of(store);
    struct change c = {.add = change_append, .data = data ? data : "", .bytes = bytes};
    pthread_mutex_lock(&r->guard);
    int rc = store->ops->stat(store, name, ret_offset, err);
    if (rc == E_ABSENT) {
        *ret_offset = 0;
        rc = 0;
    }
    if (!rc)
        rc = change_run(r, name, &c, err);
    pthread_mutex_unlock(&r->guard);
    return rc;
}

/* ---- maps ---- */

static void change_destroy(struct change *c)
{
    free(c->keys);
    free(c->values);
    free(c->key_bytes);
    free(c->value_bytes);
}

int rados_state_map_set(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                        struct err *err)
{
    AUTO(change_destroy) struct change c = {.add = change_map, .pairs = count};
    c.keys = calloc(count, sizeof *c.keys);
    c.values = calloc(count, sizeof *c.values);
    c.key_bytes = calloc(count, sizeof *c.key_bytes);
    c.value_bytes = calloc(count, sizeof *c.value_bytes);
    if (!c.keys || !c.values || !c.key_bytes || !c.value_bytes)
        return err_set(err, E_NOMEM, "%s: no memory for %zu pairs", name, count);
    for (size_t i = 0; i < count; i++) {
        c.keys[i] = pairs[i].key;
        c.key_bytes[i] = strlen(pairs[i].key);
        c.values[i] = pairs[i].bytes ? pairs[i].value : "";
        c.value_bytes[i] = pairs[i].bytes;
    }
    return change_run(rados_of(store), name, &c, err);
}

static void pairs_tell(rados_omap_iter_t iter, void (*each)(const struct store_pair *pair, void *user), void *user)
{
    char *key, *value;
    size_t key_bytes, value_bytes;
    while (!rados_omap_get_next2(iter, &key, &value, &key_bytes, &value_bytes) && key) {
        char text[STORE_KEY_BYTES + 1];
        snprintf(text, sizeof text, "%.*s", (int)key_bytes, key);
        each(&(struct store_pair){text, value_bytes ? value : "", value_bytes}, user);
    }
}

int rados_state_map_read(struct store *store, const char *name, const char *after, size_t limit,
                         void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more,
                         struct err *err)
{
    AUTO(read_op_destroy) rados_read_op_t op = rados_create_read_op();
    struct object o = rados_object(rados_of(store), name);
    rados_omap_iter_t iter = NULL;
    unsigned char more = 0;
    int omap_rc = 0;
    rados_read_op_omap_get_vals2(op, after, "", limit, &iter, &more, &omap_rc);
    int rc = rados_read_op_operate(op, o.io, o.id, 0);
    if (rc >= 0)
        pairs_tell(iter, each, user);
    rados_omap_get_end(iter);
    if (rc < 0 && rc != -ENOENT)
        return rados_failed(err, rc, "reading", name);
    *ret_more = rc >= 0 && more;
    return 0;
}
