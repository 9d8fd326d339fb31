/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A batch's manifest in the store, in pieces as it was sent: batch/<id>/manifest/<piece> has the JSON lines of some documents;
 * batch/<id>/rows/<piece> says where each begins and what a grant needs of it, ROW_ENTRY_BYTES a document (rows.c draws the
 * entry). So neither lines nor offsets need to be in memory: they are read in blocks when a document is granted or shown. */
#ifndef SOHOA_ROWS_H
#define SOHOA_ROWS_H

#include "coordinator/terms.h"
#include "proto/sha256.h"
#include "storage/store.h"

enum {
    ROW_ENTRY_BYTES = 24,
    PIECE_MAX_BYTES = STORE_PART_BYTES, /* of a manifest, in one request */
    PIECE_MAX_DOCS = 1 << 18,           /* so that its layout stays well below what one object may hold */
    PIECE_MAX_LOTS = 4096,
};

struct plan_lot { /* rows one after another that have the same terms */
    struct terms terms;
    uint32_t docs;
    uint64_t pages; /* of the rows that say how many they have */
};

/* A piece looked through before it is admitted. */
struct rows_plan {
    struct buf rows; /* what goes to batch/<id>/rows/<piece> */
    struct buf lots; /* struct plan_lot, PIECE_MAX_LOTS at most */
    uint32_t docs;
    uint64_t pages; /* of the rows that say how many they have */
    uint8_t sha256[SHA256_BYTES];
};
void rows_plan_destroy(struct rows_plan *plan);
struct plan_lot *rows_plan_lots(const struct rows_plan *plan, size_t *ret_count);

/* Checks every row. What is asked for (0: nothing) is said of every row, whatever it says itself.
 * Errors: E_MANIFEST (the line of the piece, the key), E_LIMIT (which limit). */
int rows_check(const char *lines, size_t bytes, uint32_t priority, uint64_t deadline_ms, struct rows_plan *plan,
               struct err *err);

/* Writes both blobs of the piece (guarded). An unfinished earlier attempt is overwritten. */
int rows_write(struct store *store, const char *batch, uint32_t piece, const char *lines, size_t bytes,
               const struct rows_plan *plan, struct err *err);

/* Calls each for every document of the piece whose file (fonds and file code) has one of the keys; the piece's first one is doc. */
int rows_of_files(struct store *store, const char *batch, uint32_t piece, uint32_t doc, const uint64_t *keys,
                  size_t count, void (*each)(uint32_t doc, uint64_t file_key, void *user), void *user, struct err *err);

/* A document's row, borrowed until the next call. */
struct row {
    const char *line, *source; /* source: NULL when it can't be taken from the line as it stands */
    size_t line_bytes, source_bytes;
    uint32_t pages;    /* 0: the manifest does not say */
    uint64_t file_key; /* 0: it belongs to no file */
};

/* A reader with a block of each blob in memory. */
struct rows;
struct rows *rows_new(struct store *store);
void rows_destroy(struct rows **rows);

/* The nth document of a piece. Errors: E_STORE, E_CORRUPT. */
int rows_read(struct rows *rows, const char *batch, uint32_t piece, uint32_t nth, struct row *row, struct err *err);

/* The document's source, which the caller owns. Errors: as rows_read. */
int rows_source(struct rows *rows, const char *batch, uint32_t piece, uint32_t nth, char **ret_source, struct row *row,
                struct err *err);

#endif
