/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/inventory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/backend.h"
#include "storage/crc32c.h"

enum {
    SEAL_BYTES = 4 + SHA256_HEX_CHARS + 1, /* "all <sha256>\n" */
    SHARD_DIGITS = 4,
};

const char *const inventory_kind_name[INVENTORY_KINDS] = {
    [INVENTORY_BUNDLE] = "bundle",   [INVENTORY_SRC] = "src",
    [INVENTORY_OUT] = "out",         [INVENTORY_REC] = "rec",
    [INVENTORY_REMARKS] = "remarks", [INVENTORY_BATCH] = "batch",
    [INVENTORY_STOP] = "stop",       [INVENTORY_LEDGER] = "ledger",
    [INVENTORY_INDEX] = "index",     [INVENTORY_CHECKPOINT] = "checkpoint",
};

/* So many that a shard of 94 million pages' inventory is some megabytes. */
static const uint32_t shards_of[INVENTORY_KINDS] = {
    [INVENTORY_BUNDLE] = 16,   [INVENTORY_SRC] = 256,      [INVENTORY_OUT] = 4096, [INVENTORY_REC] = 1024,
    [INVENTORY_REMARKS] = 256, [INVENTORY_BATCH] = 16,     [INVENTORY_STOP] = 1,   [INVENTORY_LEDGER] = 1,
    [INVENTORY_INDEX] = 1,     [INVENTORY_CHECKPOINT] = 1,
};

/* ---- names ---- */

/* Whether the third component of a batch's blob is that. */
static bool part_is(const char *name, const char *part)
{
    const char *id = strchr(name, '/'), *at = id ? strchr(id + 1, '/') : NULL;
    size_t n = strlen(part);
    return at && !strncmp(at + 1, part, n) && at[1 + n] == '/';
}

enum inventory_kind inventory_kind(const char *name)
{
    switch (store_area(name)) {
    case STORE_SRC: return INVENTORY_SRC;
    case STORE_BUNDLE: return INVENTORY_BUNDLE;
    case STORE_OUT: return INVENTORY_OUT;
    case STORE_REC: return INVENTORY_REC;
    case STORE_BATCH:
        return part_is(name, "index")     ? INVENTORY_INDEX
               : part_is(name, "remarks") ? INVENTORY_REMARKS
                                          : INVENTORY_BATCH;
    case STORE_LEDGER: return strncmp(name, "ledger/checkpoint-", 18) ? INVENTORY_LEDGER : INVENTORY_CHECKPOINT;
    case STORE_STOP: return INVENTORY_STOP;
    case STORE_VIEW:
    case STORE_INVENTORY:
    case STORE_AREAS: break;
    }
    return INVENTORY_KINDS;
}

uint32_t inventory_shards(enum inventory_kind kind)
{
    return shards_of[kind];
}

uint32_t inventory_shard(enum inventory_kind kind, const char *name)
{
    bool by_source = kind == INVENTORY_SRC || kind == INVENTORY_OUT || kind == INVENTORY_BUNDLE;
    const char *key = strchr(name, '/') + 1;
    return crc32c(key, by_source ? strcspn(key, "/") : strlen(key)) % shards_of[kind];
}

const char *inventory_name(struct name *name, enum inventory_kind kind, uint32_t shard)
{
    snprintf(name->text, sizeof name->text, "inventory/%s/%04" PRIx32, inventory_kind_name[kind], shard);
    return name->text;
}

bool inventory_name_read(const char *name, enum inventory_kind *ret_kind, uint32_t *ret_shard)
{
    struct name again;
    for (enum inventory_kind kind = 0; kind < INVENTORY_KINDS; kind++) {
        size_t n = strlen(name);
        if (n < SHARD_DIGITS)
            return false;
        unsigned long shard = strtoul(name + n - SHARD_DIGITS, NULL, 16);
        if (shard >= shards_of[kind] || strcmp(inventory_name(&again, kind, (uint32_t)shard), name))
            continue;
        *ret_kind = kind;
        *ret_shard = (uint32_t)shard;
        return true;
    }
    return false;
}

/* ---- texts ---- */

void inventory_seal(struct buf *text)
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1];
    sha256_of(text->data, text->size, digest);
    sha256_hex(digest, hex);
    buf_printf(text, "all %s\n", hex);
}

bool inventory_sealed(const struct buf *text, size_t *ret_bytes)
{
    AUTO(buf_destroy) struct buf again = {0};
    if (text->size < SEAL_BYTES)
        return false;
    *ret_bytes = text->size - SEAL_BYTES;
    buf_append(&again, text->data, *ret_bytes);
    inventory_seal(&again);
    return !memcmp(again.data, text->data, text->size);
}

/* One line, which is ended by a 0 in the place of its newline. False: it is none. */
static bool row_read(char *line, struct inventory_row *row)
{
    char *end;
    if (strlen(line) < SHA256_HEX_CHARS + 4 || line[SHA256_HEX_CHARS] != ' ')
        return false;
    line[SHA256_HEX_CHARS] = '\0';
    row->hash.bytes = strtoull(line + SHA256_HEX_CHARS + 1, &end, 10);
    row->name = end + 1;
    return *end == ' ' && *row->name && sha256_unhex(line, row->hash.sha256);
}

int inventory_load(struct store *store, enum inventory_kind kind, uint32_t shard, struct buf *text, struct buf *rows,
                   struct err *err)
{
    struct name name;
    size_t bytes = 0, before = rows->size;
    int rc = store_get(store, inventory_name(&name, kind, shard), STORE_PART_BYTES, text, err);
    if (rc)
        return rc == E_ABSENT ? 0 : rc;
    bool good = inventory_sealed(text, &bytes);
    char *line = (char *)text->data, *end = line + bytes;
    while (good && line < end) {
        struct inventory_row row;
        char *newline = memchr(line, '\n', (size_t)(end - line));
        if (newline)
            *newline = '\0';
        good = newline && row_read(line, &row);
        if (good)
            buf_append(rows, &row, sizeof row);
        line = newline + 1;
    }
    if (good)
        return 0;
    rows->size = before;
    return err_set(err, E_CORRUPT, "%s is damaged", name.text);
}

int inventory_save(struct store *store, enum inventory_kind kind, uint32_t shard, const struct inventory_row *rows,
                   size_t count, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct name name;
    inventory_name(&name, kind, shard);
    if (!count)
        return store_guard_remove(store, name.text, err);
    for (size_t i = 0; i < count; i++) {
        char hex[SHA256_HEX_CHARS + 1];
        sha256_hex(rows[i].hash.sha256, hex);
        buf_printf(&text, "%s %" PRIu64 " %s\n", hex, rows[i].hash.bytes, rows[i].name);
    }
    inventory_seal(&text);
    return store_guard_replace(store, name.text, text.data, text.size, err);
}
