/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The store in Ceph: blobs above STORE_PART_BYTES. The parts are objects "<blob>~<sha256 of the part>", each claimed in
 * an xattr of "<blob>~claims" before it is written, so that removing the blob finds the parts of killed writers, too.
 * Last comes the head: the list of parts, marked by the xattr "parts" that tells the blob's length. Claims are xattrs
 * and parts written whole, because an erasure-coded pool has neither omap nor partial writes. */
#include "storage/rados.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/sha256.h"

enum {
    PARTS_MAX = 4096, /* so a blob has at most 64 GiB */
    OBJECT_ID_BYTES = STORE_NAME_BYTES + SHA256_HEX_CHARS + 8,
};

static const char claim_prefix[] = "part.", parts_magic[] = "SOHOAPT1";

struct parts {
    uint64_t bytes;
    uint32_t count;
    struct buf body; /* magic, u64 length of the blob, u32 length of a part, u32 parts, digests; little-endian */
};

enum { PARTS_HEAD_BYTES = 8 + 8 + 4 + 4 };

static void parts_destroy(struct parts *parts)
{
    buf_destroy(&parts->body);
}

static uint32_t parts_of(uint64_t bytes)
{
    return (uint32_t)((bytes + RADOS_STRIPE_BYTES - 1) / RADOS_STRIPE_BYTES);
}

static size_t part_bytes(const struct parts *parts, uint32_t part)
{
    uint64_t left = parts->bytes - (uint64_t)part * RADOS_STRIPE_BYTES;
    return left < RADOS_STRIPE_BYTES ? (size_t)left : RADOS_STRIPE_BYTES;
}

static const char *part_id(const struct object *o, const char *hex, char id[OBJECT_ID_BYTES])
{
    snprintf(id, OBJECT_ID_BYTES, "%s%c%s", o->id, STORE_PRIVATE, hex);
    return id;
}

static const char *claims_id(const struct object *o, char id[OBJECT_ID_BYTES])
{
    return part_id(o, "claims", id);
}

static void list_begin(struct parts *parts, uint64_t bytes)
{
    parts->bytes = bytes;
    parts->count = parts_of(bytes);
    buf_append(&parts->body, parts_magic, 8);
    buf_append(&parts->body, &(uint64_t){htole64(bytes)}, 8);
    buf_append(&parts->body, &(uint32_t){htole32(RADOS_STRIPE_BYTES)}, 4);
    buf_append(&parts->body, &(uint32_t){htole32(parts->count)}, 4);
}

bool rados_parts_begin(const void *data, size_t bytes)
{
    return bytes >= PARTS_HEAD_BYTES && !memcmp(data, parts_magic, 8);
}

static int parts_load(const struct object *o, const struct head *head, struct parts *parts, struct err *err)
{
    struct head again;
    uint64_t bytes;
    uint32_t stripe, count;
    if (head->object_bytes > PARTS_HEAD_BYTES + (uint64_t)PARTS_MAX * SHA256_BYTES)
        return err_set(err, E_CORRUPT, "%s has a head of %" PRIu64 " bytes", o->name, head->object_bytes);
    int rc = rados_object_read(o, 0, (size_t)head->object_bytes, &parts->body, &again, err);
    if (rc)
        return rc;
    if (!rados_parts_begin(parts->body.data, parts->body.size))
        return err_set(err, E_CORRUPT, "%s has a head without a list of parts", o->name);
    memcpy(&bytes, parts->body.data + 8, 8);
    memcpy(&stripe, parts->body.data + 16, 4);
    memcpy(&count, parts->body.data + 20, 4);
    parts->bytes = le64toh(bytes);
    parts->count = le32toh(count);
    if (parts->bytes != head->bytes || le32toh(stripe) != RADOS_STRIPE_BYTES ||
        parts->count != parts_of(parts->bytes) ||
        parts->body.size != PARTS_HEAD_BYTES + (size_t)parts->count * SHA256_BYTES)
        return err_set(err, E_CORRUPT, "%s has a head that does not fit its length", o->name);
    return 0;
}

static int part_read(const struct object *o, const struct parts *parts, uint64_t offset, size_t bytes, struct buf *into,
                     struct err *err)
{
    char hex[SHA256_HEX_CHARS + 1], id[OBJECT_ID_BYTES];
    uint32_t part = (uint32_t)(offset / RADOS_STRIPE_BYTES);
    sha256_hex(parts->body.data + PARTS_HEAD_BYTES + (size_t)part * SHA256_BYTES, hex);
    char *to = (char *)buf_reserve(into, bytes);
    int n = rados_read(o->io, part_id(o, hex, id), to, bytes, offset % RADOS_STRIPE_BYTES);
    if (n == -ENOENT || (n >= 0 && (size_t)n != bytes))
        return err_set(err, E_CORRUPT, "%s: its part %s is missing or short", o->name, hex);
    if (n < 0)
        return rados_failed(err, n, "reading a part of", o->name);
    into->size += bytes;
    into->data[into->size] = 0;
    return 0;
}

int rados_parts_read(const struct object *o, const struct head *head, uint64_t offset, size_t bytes, struct buf *into,
                     struct err *err)
{
    if (offset >= head->bytes)
        return 0;
    AUTO(parts_destroy) struct parts parts = {0};
    int rc = parts_load(o, head, &parts, err);
    uint64_t end = head->bytes - offset < bytes ? head->bytes : offset + bytes;
    size_t before = into->size;
    while (!rc && offset < end) {
        uint64_t left = RADOS_STRIPE_BYTES - offset % RADOS_STRIPE_BYTES;
        size_t step = end - offset < left ? (size_t)(end - offset) : (size_t)left;
        rc = part_read(o, &parts, offset, step, into, err);
        offset += step;
    }
    if (rc && into->data) {
        into->size = before;
        into->data[before] = 0;
    }
    return rc;
}

int rados_parts_remove(const struct object *o, struct err *err)
{
    char claims[OBJECT_ID_BYTES], id[OBJECT_ID_BYTES];
    rados_xattrs_iter_t xattrs;
    const char *key, *value;
    size_t bytes, prefix = strlen(claim_prefix);
    int rc = rados_getxattrs(o->io, claims_id(o, claims), &xattrs);
    if (rc == -ENOENT)
        return 0;
    if (rc < 0)
        return rados_failed(err, rc, "looking for parts of", o->name);
    while (rc >= 0 && !(rc = rados_getxattrs_next(xattrs, &key, &value, &bytes)) && key) {
        if (!strncmp(key, claim_prefix, prefix))
            rc = rados_remove(o->io, part_id(o, key + prefix, id));
        if (rc == -ENOENT)
            rc = 0;
    }
    rados_getxattrs_end(xattrs);
    if (rc >= 0)
        rc = rados_remove(o->io, claims);
    return rc < 0 && rc != -ENOENT ? rados_failed(err, rc, "removing parts of", o->name) : 0;
}

int rados_stripe_read(int fd, const char *name, uint64_t offset, void *into, size_t bytes, struct err *err)
{
    for (size_t have = 0; have < bytes;) {
        ssize_t n = pread(fd, (uint8_t *)into + have, bytes - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, E_IO, "reading what is to be %s", name);
        if (n == 0)
            return err_set(err, E_IO, "what is to be %s ends after %" PRIu64 " bytes", name, offset + have);
        have += (size_t)n;
    }
    return 0;
}

static int part_claim(const struct object *o, const char *hex, struct err *err)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    char claims[OBJECT_ID_BYTES], key[sizeof claim_prefix + SHA256_HEX_CHARS];
    snprintf(key, sizeof key, "%s%s", claim_prefix, hex);
    rados_write_op_create(op, LIBRADOS_CREATE_IDEMPOTENT, NULL);
    rados_write_op_setxattr(op, key, "", 0);
    int rc = rados_write_op_operate(op, o->io, claims_id(o, claims), NULL, 0);
    return rc < 0 ? rados_failed(err, rc, "claiming a part of", o->name) : 0;
}

/* A part that is there already was made whole by someone else, or by an earlier try. */
static int part_create(const struct object *o, const char *hex, const void *data, size_t bytes, struct err *err)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    char id[OBJECT_ID_BYTES];
    uint64_t there = bytes;
    rados_write_op_create(op, LIBRADOS_CREATE_EXCLUSIVE, NULL);
    rados_hint_add(op, bytes);
    rados_write_op_write_full(op, data, bytes);
    int rc = rados_write_op_operate(op, o->io, part_id(o, hex, id), NULL, 0);
    if (rc == -EEXIST)
        rc = rados_stat(o->io, id, &there, NULL);
    if (rc < 0)
        return rados_failed(err, rc, "writing a part of", o->name);
    if (there != bytes)
        return err_set(err, E_CORRUPT, "%s: its part %s has %" PRIu64 " bytes, not %zu", o->name, hex, there, bytes);
    return 0;
}

static int head_create(const struct object *o, const struct parts *parts, struct err *err)
{
    AUTO(write_op_destroy) rados_write_op_t op = rados_create_write_op();
    char length[24];
    int n = snprintf(length, sizeof length, "%" PRIu64, parts->bytes);
    rados_write_op_create(op, LIBRADOS_CREATE_EXCLUSIVE, NULL);
    rados_write_op_write_full(op, (const char *)parts->body.data, parts->body.size);
    rados_write_op_setxattr(op, rados_parts_xattr, length, (size_t)n);
    int rc = rados_write_op_operate(op, o->io, o->id, NULL, 0);
    return rc < 0 ? rados_failed(err, rc, "writing", o->name) : 0;
}

int rados_parts_create(const struct object *o, int fd, uint64_t bytes, void *stripe, struct err *err)
{
    AUTO(parts_destroy) struct parts parts = {0};
    int rc = 0;
    if (bytes > (uint64_t)PARTS_MAX * RADOS_STRIPE_BYTES)
        return err_set(err, E_LIMIT, "%s has %" PRIu64 " bytes; at most %" PRIu64, o->name, bytes,
                       (uint64_t)PARTS_MAX * RADOS_STRIPE_BYTES);
    list_begin(&parts, bytes);
    for (uint32_t part = 0; !rc && part < parts.count; part++) {
        uint8_t digest[SHA256_BYTES];
        char hex[SHA256_HEX_CHARS + 1];
        rc = rados_stripe_read(fd, o->name, (uint64_t)part * RADOS_STRIPE_BYTES, stripe, part_bytes(&parts, part), err);
        if (rc)
            break;
        sha256_of(stripe, part_bytes(&parts, part), digest);
        sha256_hex(digest, hex);
        buf_append(&parts.body, digest, sizeof digest);
        rc = part_claim(o, hex, err);
        if (!rc)
            rc = part_create(o, hex, stripe, part_bytes(&parts, part), err);
    }
    return rc ? rc : head_create(o, &parts, err);
}
