/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Most blobs are short: they are read in one operation, so what may be replaced meanwhile is of one moment. Longer ones pass through a file
 * without a name, so that nothing is written before their hash is known. */
#include "storage/copy.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/spool.h"

enum {
    COPY_SHORT_BYTES = (4 << 20) - 2, /* rados reads so many in one operation */
    COPY_STEP_BYTES = 4 << 20,
    COPY_APPEND_BYTES = 16 << 20,
};

bool blob_same(const struct blob_hash *a, const struct blob_hash *b)
{
    return a->bytes == b->bytes && !memcmp(a->sha256, b->sha256, SHA256_BYTES);
}

static int differs(const char *name, const char *how, struct err *err)
{
    return err_set(err, E_CORRUPT, "%s %s", name, how);
}

/* What the blob must be by its name. */
static int name_check(const char *name, enum inventory_kind kind, const struct blob_hash *hash, struct err *err)
{
    uint8_t named[SHA256_BYTES];
    if (kind != INVENTORY_SRC || !sha256_unhex(name + strlen("src/"), named) ||
        !memcmp(named, hash->sha256, SHA256_BYTES))
        return 0;
    return differs(name, "has not the hash that is its name", err);
}

static void hash_of(const struct buf *data, struct blob_hash *hash)
{
    hash->bytes = data->size;
    sha256_of(data->data, data->size, hash->sha256);
}

/* ---- maps ---- */

/* Pairs of one read. */
struct pairs {
    struct buf bytes; /* keys, each with a 0, and values */
    struct buf place; /* struct pair_place: where each lies there */
    struct buf at;    /* struct store_pair, which borrow bytes */
};

struct pair_place {
    size_t key, value, value_bytes;
};

static void pairs_destroy(struct pairs *pairs)
{
    buf_destroy(&pairs->bytes);
    buf_destroy(&pairs->place);
    buf_destroy(&pairs->at);
}

static const struct store_pair *pairs_at(const struct pairs *pairs, size_t *count)
{
    *count = pairs->at.size / sizeof(struct store_pair);
    return (const struct store_pair *)(const void *)pairs->at.data;
}

static void pair_note(const struct store_pair *pair, void *user)
{
    struct pairs *pairs = user;
    size_t key = pairs->bytes.size;
    buf_append(&pairs->bytes, pair->key, strlen(pair->key) + 1);
    struct pair_place place = {key, pairs->bytes.size, pair->bytes};
    buf_append(&pairs->bytes, pair->value, pair->bytes);
    buf_append(&pairs->place, &place, sizeof place);
}

/* The next pairs behind the key after. */
static int pairs_read(struct store *store, const char *name, const char *after, struct pairs *pairs, bool *ret_more,
                      struct err *err)
{
    buf_clear(&pairs->bytes);
    buf_clear(&pairs->place);
    buf_clear(&pairs->at);
    int rc = store_map_read(store, name, after, STORE_MAP_PAGE, pair_note, pairs, ret_more, err);
    const struct pair_place *place = (const struct pair_place *)(const void *)pairs->place.data;
    for (size_t i = 0; i < pairs->place.size / sizeof *place; i++) {
        struct store_pair pair = {(const char *)pairs->bytes.data + place[i].key, pairs->bytes.data + place[i].value,
                                  place[i].value_bytes};
        buf_append(&pairs->at, &pair, sizeof pair);
    }
    return rc;
}

static void length_hash(struct sha256 *hash, size_t bytes, struct blob_hash *sum)
{
    sha256_update(hash, &(uint32_t){htole32((uint32_t)bytes)}, 4);
    sum->bytes += 4 + bytes;
}

static void pairs_hash(const struct pairs *pairs, struct sha256 *hash, struct blob_hash *sum)
{
    size_t count;
    const struct store_pair *pair = pairs_at(pairs, &count);
    for (size_t i = 0; i < count; i++) {
        length_hash(hash, strlen(pair[i].key), sum);
        sha256_update(hash, pair[i].key, strlen(pair[i].key));
        length_hash(hash, pair[i].bytes, sum);
        sha256_update(hash, pair[i].value, pair[i].bytes);
    }
}

static bool pair_same(const struct store_pair *a, const struct store_pair *b)
{
    return a->bytes == b->bytes && !memcmp(a->value, b->value, a->bytes);
}

/* Pairs of `from` that `to` has not (are new), or has otherwise. Both begin behind the same key, and a key is never taken out of an
 * index: so what is there of these keys is among as many. */
static void pairs_compare(const struct pairs *from, const struct pairs *to, struct buf *added, struct buf *changed)
{
    size_t from_count, to_count, t = 0;
    const struct store_pair *pair = pairs_at(from, &from_count), *there = pairs_at(to, &to_count);
    for (size_t f = 0; f < from_count; f++) {
        while (t < to_count && strcmp(there[t].key, pair[f].key) < 0)
            t++;
        if (t == to_count || strcmp(there[t].key, pair[f].key))
            buf_append(added, &pair[f], sizeof pair[f]);
        else if (!pair_same(&there[t], &pair[f]))
            buf_append(changed, &pair[f], sizeof pair[f]);
    }
}

/* What was there before goes wholly: it may be of a document that is stopped now. */
static int pairs_write(const struct copy *copy, const struct pairs *from, const struct pairs *to, struct err *err)
{
    AUTO(buf_destroy) struct buf added = {0}, changed = {0};
    pairs_compare(from, to, &added, &changed);
    const struct store_pair *pair = (const struct store_pair *)(const void *)changed.data;
    int rc = store_guard_map_renew(copy->to, copy->name, pair, changed.size / sizeof *pair, err);
    pair = (const struct store_pair *)(const void *)added.data;
    if (!rc)
        rc = store_guard_map_set(copy->to, copy->name, pair, added.size / sizeof *pair, err);
    return rc;
}

static void after_take(const struct pairs *pairs, char after[STORE_KEY_BYTES + 1])
{
    size_t count;
    const struct store_pair *pair = pairs_at(pairs, &count);
    if (count)
        snprintf(after, STORE_KEY_BYTES + 1, "%s", pair[count - 1].key);
}

/* Each pair, hashed; written to `to` if there is one. */
static int map_walk(struct store *store, const struct copy *copy, const char *name, struct blob_hash *sum,
                    struct err *err)
{
    AUTO(pairs_destroy) struct pairs from = {0}, to = {0};
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    char after[STORE_KEY_BYTES + 1] = "";
    bool more = true, there;
    int rc = 0;
    sum->bytes = 0;
    while (more && !rc) {
        rc = pairs_read(store, name, after, &from, &more, err);
        if (!rc && copy)
            rc = pairs_read(copy->to, name, after, &to, &there, err);
        if (!rc && copy)
            rc = pairs_write(copy, &from, &to, err);
        if (!rc)
            pairs_hash(&from, hash, sum);
        after_take(&from, after);
    }
    sha256_final(hash, sum->sha256);
    return rc;
}

static int map_hash(struct store *store, const char *name, struct blob_hash *ret_hash, struct err *err)
{
    int rc = store_stat(store, name, NULL, err);
    return rc ? rc : map_walk(store, NULL, name, ret_hash, err);
}

/* A map that nothing is known of: another than is wanted goes first, as what is torn at its end would hide what is added. */
static int map_clear(const struct copy *copy, const struct blob_hash *wanted, bool *ret_same, struct err *err)
{
    struct blob_hash there;
    int rc = map_hash(copy->to, copy->name, &there, err);
    *ret_same = !rc && blob_same(&there, wanted);
    if (*ret_same || (rc && rc != E_ABSENT && rc != E_CORRUPT))
        return rc;
    rc = rc == E_ABSENT ? 0 : store_guard_remove(copy->to, copy->name, err);
    return rc ? rc : store_guard_append(copy->to, copy->name, "", 0, NULL, err); /* also where it has no pair */
}

static int map_copy(const struct copy *copy, struct blob_hash *ret_hash, bool *ret_written, struct err *err)
{
    bool same = false;
    int rc = map_hash(copy->from, copy->name, ret_hash, err);
    if (!rc && copy->wanted && !blob_same(ret_hash, copy->wanted))
        rc = differs(copy->name, "is not what the inventory says", err);
    if (!rc && copy->there)
        same = blob_same(ret_hash, copy->there);
    else if (!rc)
        rc = map_clear(copy, ret_hash, &same, err);
    if (rc || same)
        return rc;
    *ret_written = true;
    rc = map_walk(copy->from, copy, copy->name, ret_hash, err);
    /* It may have grown meanwhile: what counts is what is there now. */
    return rc ? rc : map_hash(copy->to, copy->name, ret_hash, err);
}

/* ---- bytes ---- */

/* All of it, step by step, also to file if that is not NULL. */
static int long_read(struct store *store, const char *name, FILE *file, struct blob_hash *ret_hash, struct err *err)
{
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    AUTO(buf_destroy) struct buf step = {0};
    int rc = 0;
    ret_hash->bytes = 0;
    do {
        buf_clear(&step);
        rc = store_read(store, name, ret_hash->bytes, COPY_STEP_BYTES, &step, err);
        sha256_update(hash, step.data, step.size);
        ret_hash->bytes += step.size;
        if (!rc && file && step.size && fwrite(step.data, step.size, 1, file) != 1)
            rc = err_errno(err, E_IO, "%s: keeping it for a moment", name);
    } while (!rc && step.size == COPY_STEP_BYTES);
    sha256_final(hash, ret_hash->sha256);
    if (!rc && file && fflush(file))
        rc = err_errno(err, E_IO, "%s: keeping it for a moment", name);
    return rc;
}

int blob_hash(struct store *store, const char *name, enum inventory_kind kind, struct blob_hash *ret_hash,
              struct err *err)
{
    int rc =
        kind == INVENTORY_INDEX ? map_hash(store, name, ret_hash, err) : long_read(store, name, NULL, ret_hash, err);
    return rc ? rc : name_check(name, kind, ret_hash, err);
}

static int hash_check(const struct copy *copy, const struct blob_hash *hash, struct err *err)
{
    if (copy->wanted && !blob_same(hash, copy->wanted))
        return differs(copy->name, "is not what the inventory says", err);
    return name_check(copy->name, copy->kind, hash, err);
}

static bool content(enum inventory_kind kind)
{
    return kind == INVENTORY_SRC || kind == INVENTORY_OUT || kind == INVENTORY_BUNDLE;
}

static int short_write(const struct copy *copy, const struct buf *data, struct err *err)
{
    if (content(copy->kind))
        return store_create(copy->to, copy->name, data->data, data->size, err);
    return copy->kind == INVENTORY_REC ? store_replace(copy->to, copy->name, data->data, data->size, err)
                                       : store_guard_replace(copy->to, copy->name, data->data, data->size, err);
}

/* State longer than one write: what is there is replaced by the first, and grows. */
static int state_write(const struct copy *copy, FILE *file, struct err *err)
{
    AUTO(buf_destroy) struct buf step = {0};
    size_t got = COPY_APPEND_BYTES;
    int rc = fseek(file, 0, SEEK_SET) ? err_errno(err, E_IO, "%s", copy->name) : 0;
    for (bool first = true; !rc && got == COPY_APPEND_BYTES; first = false) {
        buf_clear(&step);
        got = fread(buf_reserve(&step, COPY_APPEND_BYTES), 1, COPY_APPEND_BYTES, file);
        if (ferror(file))
            rc = err_errno(err, E_IO, "%s", copy->name);
        else if (first)
            rc = store_guard_replace(copy->to, copy->name, step.data, got, err);
        else if (got)
            rc = store_guard_append(copy->to, copy->name, step.data, got, NULL, err);
    }
    return rc;
}

static int long_write(const struct copy *copy, FILE *file, uint64_t bytes, struct err *err)
{
    if (!content(copy->kind) && copy->kind != INVENTORY_REC)
        return state_write(copy, file, err);
    int rc = copy->kind == INVENTORY_REC ? store_remove(copy->to, copy->name, err) : 0;
    return rc ? rc : store_create_from(copy->to, copy->name, fileno(file), bytes, err);
}

static int either_write(const struct copy *copy, const struct buf *data, FILE *file, uint64_t bytes, struct err *err)
{
    return file ? long_write(copy, file, bytes, err) : short_write(copy, data, err);
}

/* data, or what is in file. Content that is there already came from a run that was cut short, if it is the same; else it is nobody's. */
static int bytes_write(const struct copy *copy, const struct buf *data, FILE *file, const struct blob_hash *hash,
                       bool *ret_written, struct err *err)
{
    struct blob_hash there;
    int rc = either_write(copy, data, file, hash->bytes, err);
    *ret_written = !rc;
    if (rc == E_EXISTS) {
        rc = blob_hash(copy->to, copy->name, INVENTORY_KINDS, &there, err);
        if (rc == E_CORRUPT || (!rc && !blob_same(&there, hash))) {
            rc = store_remove(copy->to, copy->name, err);
            if (!rc)
                rc = either_write(copy, data, file, hash->bytes, err);
            *ret_written = !rc;
        }
    }
    if (!rc && copy->read_back)
        rc = blob_hash(copy->to, copy->name, copy->kind, &there, err);
    if (!rc && copy->read_back && !blob_same(&there, hash))
        rc = differs(copy->name, "was written, and is not what was written", err);
    return rc;
}

/* Whether `to` has that already. */
static bool there_is(const struct copy *copy, const struct blob_hash *hash)
{
    struct blob_hash there;
    struct err err;
    if (copy->there)
        return blob_same(copy->there, hash);
    return copy->look && !blob_hash(copy->to, copy->name, INVENTORY_KINDS, &there, &err) && blob_same(&there, hash);
}

int blob_put(const struct copy *copy, const struct buf *data, struct blob_hash *ret_hash, bool *ret_written,
             struct err *err)
{
    hash_of(data, ret_hash);
    int rc = hash_check(copy, ret_hash, err);
    if (rc || there_is(copy, ret_hash))
        return rc;
    return bytes_write(copy, data, NULL, ret_hash, ret_written, err);
}

static int long_copy(const struct copy *copy, struct blob_hash *ret_hash, bool *ret_written, struct err *err)
{
    AUTO(file_destroy) FILE *file = NULL;
    int rc = spool_file(&file, err);
    if (!rc)
        rc = long_read(copy->from, copy->name, file, ret_hash, err);
    if (!rc)
        rc = hash_check(copy, ret_hash, err);
    if (rc || there_is(copy, ret_hash))
        return rc;
    return bytes_write(copy, NULL, file, ret_hash, ret_written, err);
}

int blob_copy(const struct copy *copy, struct blob_hash *ret_hash, bool *ret_written, struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0};
    *ret_written = false;
    if (copy->kind == INVENTORY_INDEX)
        return map_copy(copy, ret_hash, ret_written, err);
    int rc = store_get(copy->from, copy->name, COPY_SHORT_BYTES, &data, err);
    if (rc == E_LIMIT)
        return long_copy(copy, ret_hash, ret_written, err);
    return rc ? rc : blob_put(copy, &data, ret_hash, ret_written, err);
}
