/* SPDX-License-Identifier: AGPL-3.0-or-later
 * ALTO 4.4 (Library of Congress, ALTO Editorial Board) and plain text from page results. */
#ifndef SOHOA_ALTO_H
#define SOHOA_ALTO_H

#include "worker/page.h"

/* One ALTO document over all pages; positions in view pixels. Depends on its arguments alone. Errors: E_ASSEMBLE. */
int alto_write(Sohoa__Page *const *pages, uint32_t count, const uint8_t sha256[SHA256_BYTES],
               const uint8_t pipeline[SHA256_BYTES], struct buf *out, struct err *err);

/* UTF-8, NFC; a line a line, an empty line between blocks, a form feed between pages. */
void text_write(Sohoa__Page *const *pages, uint32_t count, struct buf *out);

/* Appends text; what neither a line nor XML may hold (control characters, U+FFFE, bytes that are not UTF-8) becomes
 * U+FFFD, white space a space. */
void text_append(const char *text, struct buf *out);

#endif
