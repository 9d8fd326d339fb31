/* SPDX-License-Identifier: AGPL-3.0-or-later
 * CSV as people's spreadsheets write it: RFC 4180, UTF-8, byte order mark allowed; the first row names the columns. */
#ifndef SOHOA_CSV_H
#define SOHOA_CSV_H

#include <jansson.h>

#include "proto/buf.h"
#include "proto/err.h"

/* Calls each with every row as an object of texts (borrowed), empty cells left out, empty lines passed over. The column needed must
 * be there. Each returns 0 or an error, which ends the reading. Errors: E_MANIFEST, which names line and column. */
int csv_read(const char *text, size_t bytes, const char *needed,
             int (*each)(json_t *row, uint64_t line_no, void *user, struct err *err), void *user, struct err *err);

/* The bytes of the file at path, less than most_bytes of them, in the place of what into had. Errors: E_ABSENT; E_LIMIT. */
int csv_file(const char *path, size_t most_bytes, struct buf *into, struct err *err);

#endif
