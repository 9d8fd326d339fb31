/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/map_log.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "proto/array.h"
#include "proto/auto.h"
#include "proto/sha256.h"

enum { CHECK_BYTES = 8, HEAD_BYTES = 4 + CHECK_BYTES, PAIR_HEAD_BYTES = 3 };

struct entry {
    char key[STORE_KEY_BYTES + 1];
    const uint8_t *value; /* in the log */
    size_t bytes;
    size_t order;
};

struct entries {
    struct entry *row;
    size_t count;
};

static void entries_destroy(struct entries *e)
{
    free(e->row);
}

static void body_check(const uint8_t *body, size_t bytes, uint8_t check[CHECK_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    sha256_of(body, bytes, digest);
    memcpy(check, digest, CHECK_BYTES);
}

void map_log_pack(const struct store_pair *pairs, size_t count, struct buf *record)
{
    size_t start = record->size;
    buf_append(record, (uint8_t[HEAD_BYTES]){0}, HEAD_BYTES);
    for (size_t i = 0; i < count; i++) {
        size_t key_bytes = strlen(pairs[i].key);
        assert(key_bytes && key_bytes <= STORE_KEY_BYTES && pairs[i].bytes <= STORE_VALUE_BYTES);
        uint8_t head[PAIR_HEAD_BYTES] = {(uint8_t)key_bytes, pairs[i].bytes & 0xff, (uint8_t)(pairs[i].bytes >> 8)};
        buf_append(record, head, sizeof head);
        buf_append(record, pairs[i].key, key_bytes);
        buf_append(record, pairs[i].value, pairs[i].bytes);
    }
    size_t bytes = record->size - start - HEAD_BYTES;
    assert(bytes <= UINT32_MAX);
    uint8_t *head = record->data + start;
    memcpy(head, &(uint32_t){htole32((uint32_t)bytes)}, 4);
    body_check(head + HEAD_BYTES, bytes, head + 4);
}

static void entry_add(struct entries *e, const char *key, size_t key_bytes, const uint8_t *value, size_t bytes)
{
    e->row = array_room(e->row, e->count, sizeof *e->row);
    struct entry *entry = &e->row[e->count];
    *entry = (struct entry){.value = value, .bytes = bytes, .order = e->count++};
    memcpy(entry->key, key, key_bytes);
}

/* Adds the pairs of one record whose key is behind after; false: they don't fit its bytes. */
static bool body_read(const uint8_t *body, size_t bytes, const char *after, struct entries *e)
{
    while (bytes) {
        if (bytes < PAIR_HEAD_BYTES)
            return false;
        size_t key_bytes = body[0], value_bytes = (size_t)body[1] | (size_t)body[2] << 8;
        if (!key_bytes || key_bytes > STORE_KEY_BYTES || bytes - PAIR_HEAD_BYTES < key_bytes + value_bytes)
            return false;
        const uint8_t *key = body + PAIR_HEAD_BYTES;
        size_t after_bytes = strlen(after);
        int order = memcmp(key, after, key_bytes < after_bytes ? key_bytes : after_bytes);
        if (order > 0 || (order == 0 && key_bytes > after_bytes))
            entry_add(e, (const char *)key, key_bytes, key + key_bytes, value_bytes);
        size_t pair_bytes = PAIR_HEAD_BYTES + key_bytes + value_bytes;
        body += pair_bytes;
        bytes -= pair_bytes;
    }
    return true;
}

static int log_read(const char *name, const uint8_t *log, size_t bytes, const char *after, struct entries *e,
                    struct err *err)
{
    for (size_t at = 0; bytes - at >= HEAD_BYTES;) {
        uint32_t length;
        uint8_t check[CHECK_BYTES];
        memcpy(&length, log + at, sizeof length);
        length = le32toh(length);
        const uint8_t *body = log + at + HEAD_BYTES;
        size_t left = bytes - at - HEAD_BYTES;
        if (length > left)
            return 0;
        body_check(body, length, check);
        if (memcmp(check, log + at + 4, CHECK_BYTES) || !body_read(body, length, after, e)) {
            if (length == left)
                return 0;
            return err_set(err, E_CORRUPT, "%s is damaged at byte %zu", name, at);
        }
        at += HEAD_BYTES + length;
    }
    return 0;
}

/* By key; of one key, the last set first. */
static int entry_order(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : a->order < b->order ? 1 : -1;
}

int map_log_read(const char *name, const uint8_t *log, size_t bytes, const char *after, size_t limit,
                 void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more, struct err *err)
{
    AUTO(entries_destroy) struct entries e = {0};
    int rc = log_read(name, log, bytes, after, &e, err);
    if (rc)
        return rc;
    if (e.count)
        qsort(e.row, e.count, sizeof *e.row, entry_order);
    size_t told = 0;
    *ret_more = false;
    for (size_t i = 0; i < e.count; i++) {
        if (i && !strcmp(e.row[i].key, e.row[i - 1].key))
            continue;
        if (told++ == limit) {
            *ret_more = true;
            break;
        }
        each(&(struct store_pair){e.row[i].key, e.row[i].value, e.row[i].bytes}, user);
    }
    return 0;
}

static void pair_pack(const struct store_pair *pair, void *user)
{
    map_log_pack(pair, 1, user);
}

int map_log_compact(const char *name, const struct buf *log, struct buf *into, struct err *err)
{
    bool more;
    return map_log_read(name, log->data, log->size, "", SIZE_MAX, pair_pack, into, &more, err);
}
