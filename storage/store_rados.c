/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The store in Ceph: content. An area is a namespace in one of two pools, a blob one object that one exclusive
 * operation makes whole; rados_parts.c has what is too big for that. */
#include "storage/rados.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/auto.h"

enum {
    GET_FIRST_BYTES = (4 << 20) - 1, /* most blobs are shorter and so read in one operation; buf adds its 0 */
    GET_TRIES = 8,                   /* a blob may change its length while it is read */
    HINT_WRITE_BYTES = 1 << 16,      /* as long as a checksum may be of: small parts of blobs are read, too */
    URL_WORD_BYTES = 128,
};

/* A cluster that is out of reach is an error, not a wait without end. In seconds. */
#define RADOS_OSD_OP_TIMEOUT "30"
#define RADOS_MON_OP_TIMEOUT "15"
#define RADOS_MOUNT_TIMEOUT  "15"

#define RADOS_DEFAULT_USER "client.admin"
#define RADOS_DEFAULT_META "sohoa-meta"
#define RADOS_DEFAULT_DATA "sohoa-data"

const char rados_parts_xattr[] = "parts";

static const bool area_in_data[STORE_AREAS] = {
    [STORE_SRC] = true, [STORE_BUNDLE] = true, [STORE_OUT] = true, [STORE_VIEW] = true};

static struct rados *rados_of(struct store *store)
{
    return (struct rados *)store;
}

struct object rados_object(const struct rados *r, const char *name)
{
    return (struct object){r->area[store_area(name)], strchr(name, '/') + 1, name};
}

int rados_failed(struct err *err, int failure, const char *doing, const char *name)
{
    int number = -failure;
    switch (number) {
    case ENOENT: return err_set(err, E_ABSENT, "%s is not in the store", name);
    case EEXIST: return err_set(err, E_EXISTS, "%s is in the store", name);
    case ESHUTDOWN: return err_set(err, E_FENCED, "%s %s: the cluster has blocklisted this client", doing, name);
    default: return err_set(err, E_STORE, "%s %s: %s", doing, name, strerror(number));
    }
}

/* ---- reading one object ---- */

/* The value of the xattr "parts" decides whether the object is a head. */
static int head_xattrs(rados_xattrs_iter_t xattrs, const char *name, struct head *head, struct err *err)
{
    const char *key, *value;
    size_t bytes;
    while (!rados_getxattrs_next(xattrs, &key, &value, &bytes) && key) {
        if (strcmp(key, rados_parts_xattr) || !bytes)
            continue;
        char text[32], *end;
        snprintf(text, sizeof text, "%.*s", (int)bytes, value);
        head->bytes = strtoull(text, &end, 10);
        head->parted = true;
        if (*end || !head->bytes)
            return err_set(err, E_CORRUPT, "%s has no length in its xattr '%s'", name, rados_parts_xattr);
    }
    return 0;
}

int rados_object_read(const struct object *o, uint64_t offset, size_t bytes, struct buf *into, struct head *ret_head,
                      struct err *err)
{
    AUTO(read_op_destroy) rados_read_op_t op = rados_create_read_op();
    rados_xattrs_iter_t xattrs = NULL;
    struct head head = {0};
    size_t got = 0;
    int stat_rc = 0, xattrs_rc = 0, read_rc = 0;
    char *to = into ? (char *)buf_reserve(into, bytes) : NULL;
    rados_read_op_stat(op, &head.object_bytes, NULL, &stat_rc);
    rados_read_op_getxattrs(op, &xattrs, &xattrs_rc);
    if (into)
        rados_read_op_read(op, offset, bytes, to, &got, &read_rc);
    int rc = rados_read_op_operate(op, o->io, o->id, 0);
    head.bytes = head.object_bytes;
    if (rc < 0)
        rc = rados_failed(err, rc, "reading", o->name);
    else
        rc = head_xattrs(xattrs, o->name, &head, err);
    rados_getxattrs_end(xattrs);
    if (into && rc)
        *to = '\0';
    if (into && !rc)
        into->size += got;
    if (into)
        into->data[into->size] = 0;
    if (!rc)
        *ret_head = head;
    return rc;
}

/* ---- reading ---- */

static int object_stat(const struct object *o, struct head *ret_head, struct err *err)
{
    return rados_object_read(o, 0, 0, NULL, ret_head, err);
}

/* One read alone, which costs the cluster least. What ends before it is whole, and of one moment; *ret_whole is false,
 * and *into untouched, where the object is longer or may be a head. */
static int short_get(const struct object *o, size_t want, struct buf *into, bool *ret_whole, struct err *err)
{
    char *to = (char *)buf_reserve(into, want);
    int n = rados_read(o->io, o->id, to, want, 0);
    *ret_whole = n >= 0 && (size_t)n < want && !rados_parts_begin(to, (size_t)n);
    if (*ret_whole)
        into->size += (size_t)n;
    into->data[into->size] = 0;
    return n < 0 ? rados_failed(err, n, "reading", o->name) : 0;
}

/* The whole object in one operation, once its length is known. */
static int long_get(const struct object *o, size_t max_bytes, struct buf *into, struct err *err)
{
    size_t before = into->size;
    struct head head;
    int rc = object_stat(o, &head, err);
    for (int tries = 0; tries < GET_TRIES && !rc; tries++) {
        if (head.bytes > max_bytes)
            return err_set(err, E_LIMIT, "%s has %" PRIu64 " bytes; at most %zu", o->name, head.bytes, max_bytes);
        if (head.parted)
            return rados_parts_read(o, &head, 0, (size_t)head.bytes, into, err);
        rc = rados_object_read(o, 0, (size_t)head.bytes + 1, into, &head, err); /* no bytes would mean all */
        if (!rc && !head.parted && head.bytes == into->size - before)
            return 0;
        into->size = before;
        into->data[before] = 0;
    }
    return rc ? rc : err_set(err, E_STORE, "%s changes faster than it can be read", o->name);
}

static int rados_store_get(struct store *store, const char *name, size_t max_bytes, struct buf *into, struct err *err)
{
    struct object o = rados_object(rados_of(store), name);
    bool whole;
    int rc = short_get(&o, max_bytes < GET_FIRST_BYTES ? max_bytes + 1 : GET_FIRST_BYTES, into, &whole, err);
    return rc || whole ? rc : long_get(&o, max_bytes, into, err);
}

static int rados_store_read(struct store *store, const char *name, uint64_t offset, size_t bytes, struct buf *into,
                            struct err *err)
{
    struct object o = rados_object(rados_of(store), name);
    size_t before = into->size, got = 0;
    struct head head;
    int rc;
    do {
        size_t step = bytes - got < RADOS_STRIPE_BYTES ? bytes - got : RADOS_STRIPE_BYTES;
        rc = rados_object_read(&o, offset + got, step, into, &head, err);
        got = into->size - before;
        if (!rc && head.parted) {
            into->size = before;
            into->data[before] = 0;
            return rados_parts_read(&o, &head, offset, bytes, into, err);
        }
    } while (!rc && got < bytes && offset + got < head.bytes);
    if (rc) {
        into->size = before;
        into->data[before] = 0;
    }
    return rc;
}

static int rados_store_stat(struct store *store, const char *name, uint64_t *ret_bytes, struct err *err)
{
    struct object o = rados_object(rados_of(store), name);
    struct head head;
    int rc = object_stat(&o, &head, err);
    if (!rc)
        *ret_bytes = head.bytes;
    return rc;
}

/* ---- writing ---- */

/* Content is written once and mostly read whole: its OSD may keep longer pieces, with fewer checksums. */
void rados_hint_add(rados_write_op_t op, uint64_t bytes)
{
    rados_write_op_set_alloc_hint2(op, bytes, HINT_WRITE_BYTES,
                                   LIBRADOS_ALLOC_HINT_FLAG_SEQUENTIAL_WRITE |
                                       LIBRADOS_ALLOC_HINT_FLAG_SEQUENTIAL_READ | LIBRADOS_ALLOC_HINT_FLAG_IMMUTABLE);
}

static int rados_store_put(struct store *store, const char *name, enum store_put how, const void *data, size_t bytes,
                           struct err *err)
{
    if (how == PUT_GUARD_CREATE || how == PUT_GUARD_REPLACE)
        return rados_state_put(store, name, how == PUT_GUARD_REPLACE, data, bytes, err);
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    struct object o = rados_object(rados_of(store), name);
    rados_write_op_create(op, how == PUT_CREATE ? LIBRADOS_CREATE_EXCLUSIVE : LIBRADOS_CREATE_IDEMPOTENT, NULL);
    rados_hint_add(op, bytes);
    rados_write_op_write_full(op, data ? data : "", bytes);
    if (how == PUT_REPLACE)
        rados_write_op_setxattr(op, rados_parts_xattr, "", 0); /* it may have been a head */
    int rc = rados_write_op_operate(op, o.io, o.id, NULL, 0);
    return rc < 0 ? rados_failed(err, rc, "writing", name) : 0;
}

/* One object, filled stripe by stripe in one operation. */
static int whole_create(const struct object *o, int fd, uint64_t bytes, void *stripe, struct err *err)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    rados_write_op_create(op, LIBRADOS_CREATE_EXCLUSIVE, NULL);
    rados_hint_add(op, bytes);
    for (uint64_t offset = 0; offset < bytes; offset += RADOS_STRIPE_BYTES) {
        size_t step = bytes - offset < RADOS_STRIPE_BYTES ? (size_t)(bytes - offset) : RADOS_STRIPE_BYTES;
        int rc = rados_stripe_read(fd, o->name, offset, stripe, step, err);
        if (rc)
            return rc;
        rados_write_op_append(op, stripe, step);
    }
    int rc = rados_write_op_operate(op, o->io, o->id, NULL, 0);
    return rc < 0 ? rados_failed(err, rc, "writing", o->name) : 0;
}

static int rados_store_create_from(struct store *store, const char *name, int fd, uint64_t bytes, struct err *err)
{
    struct object o = rados_object(rados_of(store), name);
    struct head head;
    int rc = object_stat(&o, &head, err);
    if (!rc)
        return err_set(err, E_EXISTS, "%s is in the store", name);
    if (rc != E_ABSENT)
        return rc;
    AUTO(mem_destroy) void *stripe = malloc(bytes < RADOS_STRIPE_BYTES ? (size_t)bytes + 1 : RADOS_STRIPE_BYTES);
    if (!stripe)
        return err_set(err, E_NOMEM, "%s: no memory to copy with", name);
    return bytes > STORE_PART_BYTES ? rados_parts_create(&o, fd, bytes, stripe, err)
                                    : whole_create(&o, fd, bytes, stripe, err);
}

static int rados_store_remove(struct store *store, const char *name, bool guarded, struct err *err)
{
    struct object o = rados_object(rados_of(store), name);
    int rc;
    if (guarded) {
        rc = rados_state_remove(store, name, err);
    } else {
        rc = rados_remove(o.io, o.id);
        rc = rc < 0 && rc != -ENOENT ? rados_failed(err, rc, "removing", name) : 0;
    }
    return rc ? rc : rados_parts_remove(&o, err);
}

/* ---- listing ---- */

static int area_list(const struct rados *r, enum store_area area, const char *prefix,
                     int (*each)(const char *name, void *user), void *user, struct err *err)
{
    rados_list_ctx_t list;
    const char *id;
    int rc = rados_nobjects_list_open(r->area[area], &list);
    if (rc < 0)
        return rados_failed(err, rc, "listing", store_area_name[area]);
    int told = 0;
    while (!told && !(rc = rados_nobjects_list_next(list, &id, NULL, NULL))) {
        char name[STORE_NAME_BYTES];
        int n = snprintf(name, sizeof name, "%s/%s", store_area_name[area], id);
        if ((size_t)n < sizeof name && !strchr(id, STORE_PRIVATE) && !strncmp(name, prefix, strlen(prefix)))
            told = each(name, user);
    }
    rados_nobjects_list_close(list);
    return told || rc == -ENOENT ? told : rados_failed(err, rc, "listing", store_area_name[area]);
}

static int rados_store_list(struct store *store, const char *prefix, int (*each)(const char *name, void *user),
                            void *user, struct err *err)
{
    int rc = 0;
    for (enum store_area area = 0; !rc && area < STORE_AREAS; area++)
        if (store_area_listed(area, prefix))
            rc = area_list(rados_of(store), area, prefix, each, user, err);
    return rc;
}

static int rados_store_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes, struct err *err)
{
    struct rados_cluster_stat_t st;
    int rc = rados_cluster_stat(rados_of(store)->cluster, &st);
    if (rc < 0)
        return rados_failed(err, rc, "asking for free space of", "the cluster");
    *ret_free_bytes = st.kb_avail * 1024;
    *ret_total_bytes = st.kb * 1024;
    return 0;
}

/* ---- opening ---- */

static void rados_store_destroy(struct store *store)
{
    struct rados *r = rados_of(store);
    if (r->lock_io)
        rados_state_unlock(r);
    for (enum store_area area = 0; area < STORE_AREAS; area++)
        if (r->area[area])
            rados_ioctx_destroy(r->area[area]);
    if (r->lock_io)
        rados_ioctx_destroy(r->lock_io);
    if (r->cluster)
        rados_shutdown(r->cluster);
    pthread_mutex_destroy(&r->guard);
    free(r);
}

static const struct store_ops rados_ops = {
    .destroy = rados_store_destroy,
    .get = rados_store_get,
    .read = rados_store_read,
    .stat = rados_store_stat,
    .put = rados_store_put,
    .create_from = rados_store_create_from,
    .remove = rados_store_remove,
    .list = rados_store_list,
    .space = rados_store_space,
    .lock = rados_state_lock,
    .renew = rados_state_renew,
    .append = rados_state_append,
    .map_set = rados_state_map_set,
    .map_renew = rados_state_map_set,
    .map_read = rados_state_map_read,
};

struct place {
    char conf[SOURCE_PATH_BYTES];
    char user[URL_WORD_BYTES], meta[URL_WORD_BYTES], data[URL_WORD_BYTES];
};

/* One "key=value" of the URL; n bytes. */
static bool place_set(struct place *place, const char *word, size_t n)
{
    const struct {
        const char *key;
        char *value;
    } row[] = {
        {"user=", place->user},
        {"meta=", place->meta},
        {"data=", place->data}
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        size_t key = strlen(row[i].key);
        if (n <= key || n - key >= URL_WORD_BYTES || strncmp(word, row[i].key, key))
            continue;
        snprintf(row[i].value, URL_WORD_BYTES, "%.*s", (int)(n - key), word + key);
        return true;
    }
    return false;
}

/* "CONF[?user=..&meta=..&data=..]" */
static int place_parse(const char *rest, struct place *place, struct err *err)
{
    *place = (struct place){.user = RADOS_DEFAULT_USER, .meta = RADOS_DEFAULT_META, .data = RADOS_DEFAULT_DATA};
    size_t n = strcspn(rest, "?");
    if (!n || n >= sizeof place->conf)
        return err_set(err, E_CONFIG, "rados: needs the path of a ceph.conf");
    snprintf(place->conf, sizeof place->conf, "%.*s", (int)n, rest);
    for (const char *word = rest + n; *word; word += n) {
        n = strcspn(++word, "&");
        if (!place_set(place, word, n))
            return err_set(err, E_CONFIG, "rados:%s: not user=, meta= or data=: '%.*s'", place->conf, (int)n, word);
    }
    return 0;
}

static int cluster_connect(struct rados *r, const struct place *place, struct err *err)
{
    int rc = rados_create2(&r->cluster, "ceph", place->user, 0);
    if (rc < 0) {
        r->cluster = NULL;
        return err_set(err, E_CONFIG, "rados: user %s: %s", place->user, strerror(-rc));
    }
    rc = rados_conf_read_file(r->cluster, place->conf);
    if (rc < 0)
        return err_set(err, E_CONFIG, "reading %s: %s", place->conf, strerror(-rc));
    rc = rados_conf_set(r->cluster, "rados_osd_op_timeout", RADOS_OSD_OP_TIMEOUT);
    if (!rc)
        rc = rados_conf_set(r->cluster, "rados_mon_op_timeout", RADOS_MON_OP_TIMEOUT);
    if (!rc)
        rc = rados_conf_set(r->cluster, "client_mount_timeout", RADOS_MOUNT_TIMEOUT);
    assert(!rc);
    rc = rados_connect(r->cluster);
    if (rc < 0)
        return err_set(err, E_STORE, "connecting to the cluster of %s as %s: %s", place->conf, place->user,
                       strerror(-rc));
    return 0;
}

static int ioctx_open(const struct rados *r, const char *pool, const char *namespace, rados_ioctx_t *ret_io,
                      struct err *err)
{
    int rc = rados_ioctx_create(r->cluster, pool, ret_io);
    if (rc < 0) {
        *ret_io = NULL;
        return err_set(err, rc == -ENOENT ? E_CONFIG : E_STORE, "opening pool %s: %s", pool, strerror(-rc));
    }
    rados_ioctx_set_namespace(*ret_io, namespace);
    /* A full cluster is an error at once, and what frees space is let through. */
    rados_set_pool_full_try(*ret_io);
    return 0;
}

static int ioctxs_open(struct rados *r, const struct place *place, struct err *err)
{
    int rc = ioctx_open(r, place->meta, "lock", &r->lock_io, err);
    for (enum store_area area = 0; !rc && area < STORE_AREAS; area++)
        rc = ioctx_open(r, area_in_data[area] ? place->data : place->meta, store_area_name[area], &r->area[area], err);
    return rc;
}

int store_rados_open(const char *rest, struct store **ret_store, struct err *err)
{
    struct place place;
    int rc = place_parse(rest, &place, err);
    if (rc)
        return rc;
    AUTO(store_destroy) struct store *store = NULL;
    struct rados *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(err, E_NOMEM, "no memory to open a store");
    r->store.ops = &rados_ops;
    pthread_mutex_init(&r->guard, NULL);
    store = &r->store;
    rc = cluster_connect(r, &place, err);
    if (!rc)
        rc = ioctxs_open(r, &place, err);
    if (rc)
        return rc;
    *ret_store = store;
    store = NULL;
    return 0;
}
