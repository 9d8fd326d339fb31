/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A batch's manifest in the store: batch/<id>/manifest is its JSON lines; batch/<id>/rows says where each begins: 16 bytes a document,
 * little-endian: u64 offset in the manifest, u64 file key; and one more entry, whose offset is the manifest's end. So
 * neither rows nor offsets need to be in memory: they are read in blocks when a document is granted or shown. */
#ifndef SOHOA_ROWS_H
#define SOHOA_ROWS_H

#include "proto/sha256.h"
#include "storage/store.h"

enum { ROW_ENTRY_BYTES = 16 };

/* A manifest looked through before it is admitted. */
struct rows_plan {
    struct buf rows; /* what goes to batch/<id>/rows */
    uint32_t docs;
    char unit[NAME_BYTES]; /* of all rows; "" when they differ */
    uint32_t priority;     /* the most urgent of the rows; 0: none says one */
    uint64_t deadline_ms;  /* the earliest of the rows; 0: none says one */
    uint8_t sha256[SHA256_BYTES];
};
void rows_plan_destroy(struct rows_plan *plan);

/* Checks every row. Errors: E_MANIFEST (the line, the key), E_LIMIT (BATCH_MAX_DOCS). */
int rows_check(const char *manifest, size_t bytes, struct rows_plan *plan, struct err *err);

/* Writes both blobs (guarded), the rows last. An unfinished earlier attempt is overwritten. */
int rows_write(struct store *store, const char *batch, const char *manifest, size_t bytes, const struct rows_plan *plan,
               struct err *err);

/* Calls each with the file key of every document, in order. */
int rows_file_keys(struct store *store, const char *batch, uint32_t docs,
                   void (*each)(uint32_t doc, uint64_t file_key, void *user), void *user, struct err *err);

/* A reader with one block of each blob in memory. */
struct rows;
struct rows *rows_new(struct store *store);
void rows_destroy(struct rows **rows);

/* The document's JSON line, borrowed until the next call. Errors: E_STORE, E_CORRUPT. */
int rows_read(struct rows *rows, const char *batch, uint32_t doc, const char **ret_line, struct err *err);

#endif
