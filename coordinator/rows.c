/* SPDX-License-Identifier: AGPL-3.0-or-later
 * An entry, little-endian:
 *
 *      0  u32  offset of the line in the piece
 *      4  u32  bytes of the line
 *      8  u64  key of its file; 0: none
 *     16  u32  pages; 0: not said
 *     20  u16  offset of the source's text in the line
 *     22  u16  its bytes; 0: it is escaped, or far back, and the line must be parsed
 *
 * A piece never changes once it is admitted, so blocks once read stay true. */
#include "coordinator/rows.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/manifest.h"
#include "proto/auto.h"
#include "storage/name.h"

enum { ROWS_BLOCK_BYTES = 192 << 10, LINES_BLOCK_BYTES = 1 << 20 };

/* What the offsets above say. */
struct disk_row {
    uint32_t line_at, line_bytes;
    uint64_t file_key;
    uint32_t pages;
    uint16_t source_at, source_bytes;
};
_Static_assert(sizeof(struct disk_row) == ROW_ENTRY_BYTES, "an entry has no holes");

void rows_plan_destroy(struct rows_plan *plan)
{
    buf_destroy(&plan->rows);
    buf_destroy(&plan->lots);
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

/* Where the source's text lies in the line, if it lies there as it is. */
static void source_find(const char *line, size_t bytes, const char *source, struct disk_row *disk)
{
    static const char key[] = "\"source\"";
    const char *at = memmem(line, bytes, key, sizeof key - 1);
    size_t n = strlen(source);
    if (!at)
        return;
    const char *end = line + bytes;
    at += sizeof key - 1;
    while (at < end && (*at == ' ' || *at == ':' || *at == '\t'))
        at++;
    if (at == end || *at++ != '"' || (size_t)(end - at) <= n || memcmp(at, source, n) || at[n] != '"')
        return;
    if (at - line > UINT16_MAX || n > UINT16_MAX)
        return;
    disk->source_at = htole16((uint16_t)(at - line));
    disk->source_bytes = htole16((uint16_t)n);
}

static void row_add(struct rows_plan *plan, const char *lines, size_t at, size_t bytes, const struct manifest_row *row)
{
    struct disk_row disk = {.line_at = htole32((uint32_t)at),
                            .line_bytes = htole32((uint32_t)bytes),
                            .file_key = htole64(file_key(row)),
                            .pages = htole32(row->pages)};
    source_find(lines + at, bytes, row->source, &disk);
    buf_append(&plan->rows, &disk, sizeof disk);
}

struct plan_lot *rows_plan_lots(const struct rows_plan *plan, size_t *ret_count)
{
    *ret_count = plan->lots.size / sizeof(struct plan_lot);
    return (struct plan_lot *)(void *)plan->lots.data;
}

static bool row_follows(const struct plan_lot *lot, const struct manifest_row *row)
{
    return lot->terms.priority == row->priority && lot->terms.deadline_ms == row->deadline_ms &&
           lot->terms.permanent == row->permanent && !strcmp(lot->terms.unit, row->unit) &&
           !strcmp(lot->terms.bloc, row->bloc) && !strcmp(lot->terms.intake, row->intake);
}

static int plan_row(struct rows_plan *plan, const struct manifest_row *row, struct err *err)
{
    size_t lots;
    struct plan_lot *lot = rows_plan_lots(plan, &lots);
    if (!lots || !row_follows(&lot[lots - 1], row)) {
        struct plan_lot next = {
            .terms = {.priority = row->priority, .deadline_ms = row->deadline_ms, .permanent = row->permanent}
        };
        if (lots == PIECE_MAX_LOTS)
            return err_set(err, E_LIMIT,
                           "unit, bloc, priority, deadline or retention change more than %d times in a piece of the "
                           "manifest (PIECE_MAX_LOTS): sort its rows by them",
                           PIECE_MAX_LOTS);
        memcpy(next.terms.unit, row->unit, sizeof row->unit);
        memcpy(next.terms.bloc, row->bloc, sizeof row->bloc);
        memcpy(next.terms.intake, row->intake, sizeof row->intake);
        buf_append(&plan->lots, &next, sizeof next);
        lot = rows_plan_lots(plan, &lots);
    }
    lot[lots - 1].docs++;
    lot[lots - 1].pages += row->pages;
    plan->pages += row->pages;
    plan->docs++;
    return 0;
}

int rows_check(const char *lines, size_t bytes, uint32_t priority, uint64_t deadline_ms, struct rows_plan *plan,
               struct err *err)
{
    AUTO(mem_destroy) struct manifest_row *row = malloc(sizeof *row);
    if (!row)
        return err_set(err, E_NOMEM, "no memory to read a manifest");
    if (bytes > PIECE_MAX_BYTES)
        return err_set(err, E_LIMIT, "%zu bytes of a manifest in one piece: at most %d (PIECE_MAX_BYTES)", bytes,
                       PIECE_MAX_BYTES);
    uint64_t line_no = 0;
    for (size_t at = 0, end; at < bytes; at = end + 1) {
        const char *newline = memchr(lines + at, '\n', bytes - at);
        end = newline ? (size_t)(newline - lines) : bytes;
        line_no++;
        if (end == at)
            continue;
        if (plan->docs == PIECE_MAX_DOCS)
            return err_set(err, E_LIMIT, "a piece of a manifest holds at most %d documents (PIECE_MAX_DOCS)",
                           PIECE_MAX_DOCS);
        int rc = manifest_row_parse(lines + at, end - at, line_no, row, err);
        if (rc)
            return rc;
        row->priority = priority ? priority : row->priority;
        row->deadline_ms = deadline_ms ? deadline_ms : row->deadline_ms;
        row_add(plan, lines, at, end - at, row);
        rc = plan_row(plan, row, err);
        if (rc)
            return rc;
    }
    sha256_of(lines, bytes, plan->sha256);
    return 0;
}

int rows_write(struct store *store, const char *batch, uint32_t piece, const char *lines, size_t bytes,
               const struct rows_plan *plan, struct err *err)
{
    struct name name;
    int rc = store_guard_replace(store, name_batch(&name, batch, "manifest", piece), lines, bytes, err);
    if (!rc)
        rc = store_guard_replace(store, name_batch(&name, batch, "rows", piece), plan->rows.data, plan->rows.size, err);
    return rc;
}

static bool has_key(const uint64_t *keys, size_t count, uint64_t key)
{
    while (count && keys[count - 1] != key)
        count--;
    return count;
}

int rows_of_files(struct store *store, const char *batch, uint32_t piece, uint32_t doc, const uint64_t *keys,
                  size_t count, void (*each)(uint32_t doc, uint64_t file_key, void *user), void *user, struct err *err)
{
    AUTO(buf_destroy) struct buf rows = {0};
    struct name name;
    int rc = store_get(store, name_batch(&name, batch, "rows", piece), PIECE_MAX_BYTES, &rows, err);
    const struct disk_row *disk = (const struct disk_row *)(const void *)rows.data;
    for (size_t i = 0; i < rows.size / sizeof *disk && !rc; i++)
        if (has_key(keys, count, le64toh(disk[i].file_key)))
            each(doc + (uint32_t)i, le64toh(disk[i].file_key), user);
    return rc;
}

/* ---- the reader ---- */

struct block {
    char name[STORE_NAME_BYTES];
    uint64_t offset;
    struct buf bytes;
};

struct rows {
    struct store *store;
    struct block rows, lines;
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
    buf_destroy(&(*rows)->lines.bytes);
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

int rows_read(struct rows *rows, const char *batch, uint32_t piece, uint32_t nth, struct row *row, struct err *err)
{
    struct name name;
    struct disk_row disk;
    const uint8_t *at;
    int rc = block_read(rows->store, &rows->rows, name_batch(&name, batch, "rows", piece),
                        (uint64_t)nth * ROW_ENTRY_BYTES, ROW_ENTRY_BYTES, ROWS_BLOCK_BYTES, &at, err);
    if (rc)
        return rc;
    memcpy(&disk, at, sizeof disk);
    uint32_t line_bytes = le32toh(disk.line_bytes);
    uint16_t source_at = le16toh(disk.source_at), source_bytes = le16toh(disk.source_bytes);
    if (line_bytes > MANIFEST_ROW_BYTES || source_at + source_bytes > line_bytes)
        return err_set(err, E_CORRUPT, "%s: row %" PRIu32 " makes no sense", name.text, nth);
    rc = block_read(rows->store, &rows->lines, name_batch(&name, batch, "manifest", piece), le32toh(disk.line_at),
                    line_bytes, LINES_BLOCK_BYTES, &at, err);
    if (rc)
        return rc;
    *row = (struct row){.line = (const char *)at,
                        .line_bytes = line_bytes,
                        .source = source_bytes ? (const char *)at + source_at : NULL,
                        .source_bytes = source_bytes,
                        .pages = le32toh(disk.pages),
                        .file_key = le64toh(disk.file_key)};
    return 0;
}

int rows_source(struct rows *rows, const char *batch, uint32_t piece, uint32_t nth, char **ret_source, struct row *row,
                struct err *err)
{
    int rc = rows_read(rows, batch, piece, nth, row, err);
    if (rc)
        return rc;
    AUTO(mem_destroy) struct manifest_row *parsed = row->source ? NULL : calloc(1, sizeof *parsed);
    if (parsed)
        rc = manifest_row_parse(row->line, row->line_bytes, nth + 1, parsed, err);
    if (rc)
        return rc;
    *ret_source = parsed ? strdup(parsed->source) : row->source ? strndup(row->source, row->source_bytes) : NULL;
    return *ret_source ? 0 : err_set(err, E_NOMEM, "no memory for a row");
}
