/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The manifest of a batch never changes once it is admitted, so blocks once read stay true. */
#include "coordinator/rows.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/manifest.h"
#include "proto/auto.h"
#include "storage/name.h"

enum { APPEND_BYTES = 16 << 20, ROWS_BLOCK_BYTES = 64 << 10, MANIFEST_BLOCK_BYTES = 256 << 10 };

void rows_plan_destroy(struct rows_plan *plan)
{
    buf_destroy(&plan->rows);
}

/* FNV-1a, 64 bits; never 0 for a document that has a file code. */
static uint64_t file_key(const struct manifest_row *row)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (!*row->file_code)
        return 0;
    for (const char *c = row->fonds; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    hash = (hash ^ '/') * UINT64_C(0x100000001b3);
    for (const char *c = row->file_code; *c; c++)
        hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

static void entry_add(struct buf *rows, uint64_t offset, uint64_t key)
{
    uint8_t entry[ROW_ENTRY_BYTES];
    for (int i = 0; i < 8; i++) {
        entry[i] = (uint8_t)(offset >> (8 * i));
        entry[8 + i] = (uint8_t)(key >> (8 * i));
    }
    buf_append(rows, entry, sizeof entry);
}

static uint64_t number_at(const uint8_t *at)
{
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--)
        number = number << 8 | at[i];
    return number;
}

static void plan_row(struct rows_plan *plan, const struct manifest_row *row)
{
    if (!plan->docs)
        memcpy(plan->unit, row->unit, sizeof plan->unit);
    else if (strcmp(plan->unit, row->unit))
        plan->unit[0] = '\0';
    if (row->priority && (!plan->priority || row->priority < plan->priority))
        plan->priority = row->priority;
    if (row->deadline_ms && (!plan->deadline_ms || row->deadline_ms < plan->deadline_ms))
        plan->deadline_ms = row->deadline_ms;
    plan->docs++;
}

int rows_check(const char *manifest, size_t bytes, struct rows_plan *plan, struct err *err)
{
    AUTO(mem_destroy) struct manifest_row *row = malloc(sizeof *row);
    if (!row)
        return err_set(err, E_NOMEM, "no memory to read a manifest");
    uint64_t line_no = 0;
    for (size_t at = 0, end; at < bytes; at = end + 1) {
        const char *newline = memchr(manifest + at, '\n', bytes - at);
        end = newline ? (size_t)(newline - manifest) : bytes;
        line_no++;
        if (end == at)
            continue;
        if (plan->docs == BATCH_MAX_DOCS)
            return err_set(err, E_LIMIT, "a batch holds at most %u documents (BATCH_MAX_DOCS)", BATCH_MAX_DOCS);
        int rc = manifest_row_parse(manifest + at, end - at, line_no, row, err);
        if (rc)
            return rc;
        entry_add(&plan->rows, at, file_key(row));
        plan_row(plan, row);
    }
    entry_add(&plan->rows, bytes, 0);
    sha256_of(manifest, bytes, plan->sha256);
    return plan->docs ? 0 : err_set(err, E_MANIFEST, "the manifest names no document");
}

static int blob_write(struct store *store, const char *name, const uint8_t *data, size_t bytes, struct err *err)
{
    size_t first = bytes < APPEND_BYTES ? bytes : APPEND_BYTES;
    int rc = store_guard_replace(store, name, data, first, err);
    for (size_t at = first, n; at < bytes && !rc; at += n) {
        n = bytes - at < APPEND_BYTES ? bytes - at : APPEND_BYTES;
        rc = store_guard_append(store, name, data + at, n, NULL, err);
    }
    return rc;
}

int rows_write(struct store *store, const char *batch, const char *manifest, size_t bytes, const struct rows_plan *plan,
               struct err *err)
{
    struct name name;
    int rc = blob_write(store, name_batch(&name, batch, "manifest"), (const uint8_t *)manifest, bytes, err);
    if (!rc)
        rc = blob_write(store, name_batch(&name, batch, "rows"), plan->rows.data, plan->rows.size, err);
    return rc;
}

int rows_file_keys(struct store *store, const char *batch, uint32_t docs,
                   void (*each)(uint32_t doc, uint64_t file_key, void *user), void *user, struct err *err)
{
    AUTO(buf_destroy) struct buf block = {0};
    struct name name;
    name_batch(&name, batch, "rows");
    for (uint32_t doc = 0; doc < docs;) {
        buf_clear(&block);
        int rc = store_read(store, name.text, (uint64_t)doc * ROW_ENTRY_BYTES, APPEND_BYTES, &block, err);
        if (rc)
            return rc;
        uint32_t n = (uint32_t)(block.size / ROW_ENTRY_BYTES);
        if (!n)
            return err_set(err, E_CORRUPT, "%s ends at document %u of %u", name.text, doc, docs);
        for (uint32_t i = 0; i < n && doc < docs; i++)
            each(doc++, number_at(block.data + (size_t)i * ROW_ENTRY_BYTES + 8), user);
    }
    return 0;
}

/* ---- the reader ---- */

struct block {
    char name[STORE_NAME_BYTES];
    uint64_t offset;
    struct buf bytes;
};

struct rows {
    struct store *store;
    struct block rows, manifest;
    struct buf line;
};

struct rows *rows_new(struct store *store)
{
    struct rows *rows = calloc(1, sizeof *rows);
    if (!rows)
        abort();
    rows->store = store;
    return rows;
}

void rows_destroy(struct rows **rows)
{
    if (!*rows)
        return;
    buf_destroy(&(*rows)->rows.bytes);
    buf_destroy(&(*rows)->manifest.bytes);
    buf_destroy(&(*rows)->line);
    free(*rows);
    *rows = NULL;
}

static bool block_has(const struct block *block, const char *name, uint64_t offset, size_t bytes)
{
    return !strcmp(block->name, name) && offset >= block->offset && offset + bytes <= block->offset + block->bytes.size;
}

/* The bytes at offset, all of them, borrowed until the next call on block. */
static int block_read(struct store *store, struct block *block, const char *name, uint64_t offset, size_t bytes,
                      size_t ahead_bytes, const uint8_t **ret_at, struct err *err)
{
    if (!block_has(block, name, offset, bytes)) {
        buf_clear(&block->bytes);
        block->name[0] = '\0';
        int rc = store_read(store, name, offset, bytes > ahead_bytes ? bytes : ahead_bytes, &block->bytes, err);
        if (rc)
            return rc;
        block->offset = offset;
        memcpy(block->name, name, strlen(name) + 1);
        if (!block_has(block, name, offset, bytes))
            return err_set(err, E_CORRUPT, "%s ends before %" PRIu64, name, offset + bytes);
    }
    *ret_at = block->bytes.data + (offset - block->offset);
    return 0;
}

int rows_read(struct rows *rows, const char *batch, uint32_t doc, const char **ret_line, struct err *err)
{
    struct name name;
    const uint8_t *at;
    int rc = block_read(rows->store, &rows->rows, name_batch(&name, batch, "rows"), (uint64_t)doc * ROW_ENTRY_BYTES,
                        2 * ROW_ENTRY_BYTES, ROWS_BLOCK_BYTES, &at, err);
    if (rc)
        return rc;
    uint64_t begin = number_at(at), end = number_at(at + ROW_ENTRY_BYTES);
    if (end < begin || end - begin > MANIFEST_ROW_BYTES * 2)
        return err_set(err, E_CORRUPT, "%s: document %u has no sensible place", name.text, doc);
    rc = block_read(rows->store, &rows->manifest, name_batch(&name, batch, "manifest"), begin, (size_t)(end - begin),
                    MANIFEST_BLOCK_BYTES, &at, err);
    if (rc)
        return rc;
    const uint8_t *newline = memchr(at, '\n', (size_t)(end - begin));
    buf_clear(&rows->line);
    buf_append(&rows->line, at, newline ? (size_t)(newline - at) : (size_t)(end - begin));
    *ret_line = buf_text(&rows->line);
    return 0;
}
