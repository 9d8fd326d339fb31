/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_destroy(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    if (buf->data)
        buf->data[0] = 0;
}

uint8_t *buf_reserve(struct buf *buf, size_t bytes)
{
    assert(bytes < SIZE_MAX / 4 && buf->size < SIZE_MAX / 4);
    size_t need = buf->size + bytes + 1;
    if (need > buf->capacity) {
        size_t capacity = buf->capacity ? buf->capacity : 64;
        while (capacity < need)
            capacity *= 2;
        buf->data = realloc(buf->data, capacity);
        if (!buf->data)
            abort();
        buf->data[buf->size] = 0;
        buf->capacity = capacity;
    }
    return buf->data + buf->size;
}

void buf_append(struct buf *buf, const void *data, size_t bytes)
{
    uint8_t *to = buf_reserve(buf, bytes);
    if (bytes)
        memcpy(to, data, bytes);
    buf->size += bytes;
    buf->data[buf->size] = 0;
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    assert(n >= 0);
    vsnprintf((char *)buf_reserve(buf, (size_t)n), (size_t)n + 1, format, again);
    va_end(again);
    buf->size += (size_t)n;
}

const char *buf_text(const struct buf *buf)
{
    return buf->data ? (const char *)buf->data : "";
}
