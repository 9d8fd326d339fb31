/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A growing byte buffer, the only one. Zero-initialised is empty. Running out of memory ends the process: what a buffer
 * may hold is bounded by its user's own limits, so that is a bug or a host without memory. */
#ifndef SOHOA_BUF_H
#define SOHOA_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *data; /* NULL, or size bytes followed by a 0 */
    size_t size;
    size_t capacity;
};

void buf_destroy(struct buf *buf); /* frees the bytes; the buffer is empty and usable again */
void buf_clear(struct buf *buf);   /* forgets the bytes, keeps the memory */

/* Room for bytes more, and a 0 behind them; returns where they go, size unchanged. Who fills it sets size and the 0. */
uint8_t *buf_reserve(struct buf *buf, size_t bytes);
void buf_append(struct buf *buf, const void *data, size_t bytes);
void buf_puts(struct buf *buf, const char *text);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *buf_text(const struct buf *buf); /* the bytes as a string; "" when empty; borrowed */

#endif
