/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Manifests: what a batch consists of. People write CSV (first row names the columns, RFC 4180, UTF-8, BOM allowed) or JSON lines; the API and
 * the store have JSON lines, one document a line, keys as the columns:
 *     source (required), unit, bloc, fonds, file_code, ordinal, retention, priority (1-5), deadline (YYYY-MM-DD), pages,
 *     intake (tag of the nodes that see the source)
 * and what an older system knows of the document: the fields that imported.h has, and digitised (yes: it need not be read again).
 * Unknown columns are kept as they are: they travel into the record. */
#ifndef SOHOA_MANIFEST_H
#define SOHOA_MANIFEST_H

#include <stdbool.h>

#include "proto/buf.h"
#include "proto/err.h"
#include "proto/limits.h"

struct manifest_row {
    char source[SOURCE_PATH_BYTES];
    char unit[NAME_BYTES], bloc[NAME_BYTES], intake[NAME_BYTES], fonds[NAME_BYTES], file_code[NAME_BYTES];
    uint32_t priority;    /* 0: not said */
    uint64_t deadline_ms; /* 0: not said; the end of that day, Hanoi time (UTC+7) */
    uint32_t pages;       /* 0: not said */
    bool permanent;       /* retention says that it is kept for ever */
};

/* "YYYY-MM-DD" -> the last millisecond of that day, Hanoi time. Errors: E_MANIFEST, which says what is allowed. */
int manifest_deadline(const char *day, uint64_t *ret_deadline_ms, struct err *err);

/* Parses one JSON line (without its newline). Numbers may also be written as text. Keys that are null count as not said.
 * Errors: E_MANIFEST, which names line_no, the key and what is allowed; *row is then undefined. */
int manifest_row_parse(const char *json, size_t bytes, uint64_t line_no, struct manifest_row *row, struct err *err);

/* Turns CSV into JSON lines, appended to *json_lines, each checked as above. Cells stay text; empty ones are left out, and
 * so are empty lines. Errors: E_MANIFEST (line and column named; what was appended so far stays). */
int manifest_from_csv(const char *csv_text, size_t bytes, struct buf *json_lines, struct err *err);

#endif
