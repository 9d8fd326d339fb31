/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The contract of store.h that both backends share: which names, sizes and states a call may have. */
#include "storage/backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PAIR_BYTES = 16 }; /* what a backend may need for a pair, besides key and value */

const char *const store_area_name[STORE_AREAS] = {
    [STORE_SRC] = "src",   [STORE_BUNDLE] = "bundle", [STORE_OUT] = "out",
    [STORE_REC] = "rec",   [STORE_BATCH] = "batch",   [STORE_LEDGER] = "ledger",
    [STORE_STOP] = "stop", [STORE_VIEW] = "view",     [STORE_INVENTORY] = "inventory",
};

/* The length of the area's name in name, which must go on with '/'; 0: name is of another area. */
static size_t area_match(enum store_area area, const char *name)
{
    size_t n = strlen(store_area_name[area]);
    return !strncmp(name, store_area_name[area], n) && name[n] == '/' ? n : 0;
}

enum store_area store_area(const char *name)
{
    enum store_area area = 0;
    while (area < STORE_AREAS && !area_match(area, name))
        area++;
    return area;
}

bool store_area_listed(enum store_area area, const char *prefix)
{
    size_t n = strlen(prefix);
    return area_match(area, prefix) || !strncmp(store_area_name[area], prefix, n);
}

static bool letter_ok(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

static bool component_ok(const char *component, size_t n)
{
    if (n == 0 || n > STORE_COMPONENT_CHARS || !strncmp(component, "..", n))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!letter_ok(component[i]))
            return false;
    return true;
}

static int name_check(const char *name, struct err *err)
{
    if (strlen(name) >= STORE_NAME_BYTES)
        return err_set(err, E_USAGE, "a blob's name of %zu bytes; at most %d", strlen(name), STORE_NAME_BYTES - 1);
    for (const char *at = name;; at++) {
        size_t n = strcspn(at, "/");
        if (!component_ok(at, n))
            return err_set(err, E_USAGE, "%s can't be a blob's name", name);
        at += n;
        if (!*at)
            break;
    }
    if (store_area(name) == STORE_AREAS)
        return err_set(err, E_USAGE, "%s: the first component of a blob's name is none of the store's", name);
    return 0;
}

static int put_check(const char *name, size_t bytes, struct err *err)
{
    int rc = name_check(name, err);
    if (!rc && bytes > STORE_PART_BYTES)
        rc = err_set(err, E_LIMIT, "%s: %zu bytes in one write; at most %d", name, bytes, STORE_PART_BYTES);
    return rc;
}

static int held_check(struct store *store, const char *name, struct err *err)
{
    return store_epoch(store) ? 0 : err_set(err, E_FENCED, "%s: the store's lock is not held", name);
}

int store_open(const char *url, struct store **ret_store, struct err *err)
{
    static const struct {
        const char *scheme;
        int (*open)(const char *rest, struct store **ret_store, struct err *err);
    } backend[] = {
        {"dir:",   store_dir_open  },
        {"rados:", store_rados_open},
    };

    for (size_t i = 0; i < sizeof backend / sizeof backend[0]; i++) {
        size_t n = strlen(backend[i].scheme);
        if (!strncmp(url, backend[i].scheme, n))
            return backend[i].open(url + n, ret_store, err);
    }
    return err_set(err, E_CONFIG, "a store is dir:PATH or rados:CONF, not '%s'", url);
}

void store_destroy(struct store **store)
{
    if (*store)
        (*store)->ops->destroy(*store);
    *store = NULL;
}

int store_get(struct store *store, const char *name, size_t max_bytes, struct buf *into, struct err *err)
{
    int rc = name_check(name, err);
    return rc ? rc : store->ops->get(store, name, max_bytes, into, err);
}

int store_read(struct store *store, const char *name, uint64_t offset, size_t bytes, struct buf *into, struct err *err)
{
    int rc = name_check(name, err);
    return rc ? rc : store->ops->read(store, name, offset, bytes, into, err);
}

int store_stat(struct store *store, const char *name, uint64_t *ret_bytes, struct err *err)
{
    int rc = name_check(name, err);
    uint64_t bytes = 0;
    if (!rc)
        rc = store->ops->stat(store, name, &bytes, err);
    if (!rc && ret_bytes)
        *ret_bytes = bytes;
    return rc;
}

int store_create(struct store *store, const char *name, const void *data, size_t bytes, struct err *err)
{
    int rc = put_check(name, bytes, err);
    return rc ? rc : store->ops->put(store, name, PUT_CREATE, data, bytes, err);
}

int store_create_from(struct store *store, const char *name, int fd, uint64_t bytes, struct err *err)
{
    int rc = name_check(name, err);
    return rc ? rc : store->ops->create_from(store, name, fd, bytes, err);
}

int store_replace(struct store *store, const char *name, const void *data, size_t bytes, struct err *err)
{
    int rc = put_check(name, bytes, err);
    return rc ? rc : store->ops->put(store, name, PUT_REPLACE, data, bytes, err);
}

int store_remove(struct store *store, const char *name, struct err *err)
{
    int rc = name_check(name, err);
    return rc ? rc : store->ops->remove(store, name, false, err);
}

int store_list(struct store *store, const char *prefix, int (*each)(const char *name, void *user), void *user,
               struct err *err)
{
    if (strlen(prefix) >= STORE_NAME_BYTES)
        return err_set(err, E_USAGE, "a prefix of %zu bytes; at most %d", strlen(prefix), STORE_NAME_BYTES - 1);
    return store->ops->list(store, prefix, each, user, err);
}

int store_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes, struct err *err)
{
    return store->ops->space(store, ret_free_bytes, ret_total_bytes, err);
}

int store_lock(struct store *store, const char *owner, uint32_t ttl_ms, struct err *err)
{
    if (store_epoch(store))
        return err_set(err, E_STATE, "the store's lock is held by this process already");
    if (!*owner || strlen(owner) >= NAME_BYTES || strcspn(owner, "\r\n") != strlen(owner))
        return err_set(err, E_USAGE, "the lock's owner must be one line of 1 to %d bytes", NAME_BYTES - 1);
    if (ttl_ms < STORE_LOCK_MIN_MS)
        return err_set(err, E_USAGE, "a lock of %u ms; at least %d", ttl_ms, STORE_LOCK_MIN_MS);
    return store->ops->lock(store, owner, ttl_ms, err);
}

int store_locked(struct store *store, const char *holder, uint64_t epoch, struct err *err)
{
    snprintf(store->holder, sizeof store->holder, "%.*s", NAME_BYTES - 1, holder);
    return err_set(err, E_LOCKED, "the store is locked by %s (epoch %" PRIu64 ")", holder, epoch);
}

const char *store_holder(const struct store *store)
{
    return store->holder;
}

uint64_t store_epoch(const struct store *store)
{
    return atomic_load(&store->epoch);
}

int store_renew(struct store *store, struct err *err)
{
    int rc = held_check(store, "renewing", err);
    return rc ? rc : store->ops->renew(store, err);
}

int store_guard_create(struct store *store, const char *name, const void *data, size_t bytes, struct err *err)
{
    int rc = put_check(name, bytes, err);
    if (!rc)
        rc = held_check(store, name, err);
    return rc ? rc : store->ops->put(store, name, PUT_GUARD_CREATE, data, bytes, err);
}

int store_guard_replace(struct store *store, const char *name, const void *data, size_t bytes, struct err *err)
{
    int rc = put_check(name, bytes, err);
    if (!rc)
        rc = held_check(store, name, err);
    return rc ? rc : store->ops->put(store, name, PUT_GUARD_REPLACE, data, bytes, err);
}

int store_guard_remove(struct store *store, const char *name, struct err *err)
{
    int rc = name_check(name, err);
    if (!rc)
        rc = held_check(store, name, err);
    return rc ? rc : store->ops->remove(store, name, true, err);
}

int store_guard_append(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
                       struct err *err)
{
    int rc = put_check(name, bytes, err);
    if (!rc)
        rc = held_check(store, name, err);
    uint64_t offset = 0;
    if (!rc)
        rc = store->ops->append(store, name, data, bytes, &offset, err);
    if (!rc && ret_offset)
        *ret_offset = offset;
    return rc;
}

static int pairs_check(const char *name, const struct store_pair *pairs, size_t count, struct err *err)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t key_bytes = strlen(pairs[i].key);
        if (!key_bytes || key_bytes > STORE_KEY_BYTES)
            return err_set(err, E_LIMIT, "%s: a key of %zu bytes; 1 to %d", name, key_bytes, STORE_KEY_BYTES);
        if (pairs[i].bytes > STORE_VALUE_BYTES)
            return err_set(err, E_LIMIT, "%s: %s has a value of %zu bytes; at most %d", name, pairs[i].key,
                           pairs[i].bytes, STORE_VALUE_BYTES);
        total += PAIR_BYTES + key_bytes + pairs[i].bytes;
    }
    if (total > STORE_PART_BYTES)
        return err_set(err, E_LIMIT, "%s: %zu bytes of pairs in one call; at most %d", name, total, STORE_PART_BYTES);
    return 0;
}

static int map_check(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                     struct err *err)
{
    int rc = name_check(name, err);
    if (!rc)
        rc = pairs_check(name, pairs, count, err);
    return rc ? rc : held_check(store, name, err);
}

int store_guard_map_set(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                        struct err *err)
{
    int rc = map_check(store, name, pairs, count, err);
    return rc || !count ? rc : store->ops->map_set(store, name, pairs, count, err);
}

int store_guard_map_renew(struct store *store, const char *name, const struct store_pair *pairs, size_t count,
                          struct err *err)
{
    int rc = map_check(store, name, pairs, count, err);
    return rc || !count ? rc : store->ops->map_renew(store, name, pairs, count, err);
}

int store_map_read(struct store *store, const char *name, const char *after, size_t limit,
                   void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more, struct err *err)
{
    int rc = name_check(name, err);
    if (!rc && (limit < 1 || limit > STORE_MAP_PAGE))
        rc = err_set(err, E_USAGE, "%s: %zu pairs at once; 1 to %d", name, limit, STORE_MAP_PAGE);
    return rc ? rc : store->ops->map_read(store, name, after, limit, each, user, ret_more, err);
}
