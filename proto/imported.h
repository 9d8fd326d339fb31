/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What an older system knows of a document: columns of a manifest's row that are called as the fields of a record. They are as long
 * as Circular 02/2019/TT-BNV lets them be; a value is never cut. */
#ifndef SOHOA_IMPORTED_H
#define SOHOA_IMPORTED_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/err.h"

enum { IMPORTED_FIELDS = 29 };

/* "codeNumber"; borrowed for good. */
const char *imported_name(size_t field);

/* Gives what the row's texts say, NFC, old encodings converted (legacy.h), days in ISO 8601; NULL: nothing. raw[i] is the row's
 * text of field i, or NULL. The caller frees each value. Errors: E_MANIFEST, which names the field and what is allowed; no value
 * is given then. */
int imported_read(const char *const raw[IMPORTED_FIELDS], char *value[IMPORTED_FIELDS], struct err *err);
void imported_clear(char *value[IMPORTED_FIELDS]);

#define IMPORTED_DIGITISED "digitised" /* the column that says that the document need not be read again */

/* "yes", "no", and what else people write for that. Errors: E_MANIFEST. */
int imported_digitised(const char *text, bool *ret_digitised, struct err *err);

#endif
