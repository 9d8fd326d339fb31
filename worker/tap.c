/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The source's bytes for MuPDF, and what kind they are. Several taps may be on one descriptor: each seeks before it reads. */
#include "worker/mupdf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    TAP_BYTES = 64 << 10,
    HEADER_BYTES = 1024, /* a PDF's header may be anywhere in there (ISO 32000-1, annex H.3, note 13) */
};

struct tap {
    int fd;
    int64_t at, bytes;
    uint8_t data[TAP_BYTES];
};

static int tap_next(fz_context *ctx, fz_stream *stream, size_t max)
{
    struct tap *tap = stream->state;
    (void)max;
    ssize_t n = 0;
    if (tap->at < tap->bytes) {
        if (lseek(tap->fd, tap->at, SEEK_SET) < 0)
            fz_throw(ctx, FZ_ERROR_GENERIC, "seek: %s", strerror(errno));
        do
            n = read(tap->fd, tap->data, sizeof tap->data);
        while (n < 0 && errno == EINTR);
        if (n < 0)
            fz_throw(ctx, FZ_ERROR_GENERIC, "read: %s", strerror(errno));
        if (n > tap->bytes - tap->at)
            n = tap->bytes - tap->at;
    }
    tap->at += n;
    stream->rp = tap->data;
    stream->wp = tap->data + n;
    stream->pos = tap->at;
    return n ? *stream->rp++ : EOF;
}

static void tap_seek(fz_context *ctx, fz_stream *stream, int64_t offset, int whence)
{
    struct tap *tap = stream->state;
    int64_t from = 0;
    if (whence == SEEK_CUR)
        from = fz_tell(ctx, stream);
    else if (whence == SEEK_END)
        from = tap->bytes;
    tap->at = offset > INT64_MAX - from ? tap->bytes : from + offset;
    if (tap->at < 0)
        tap->at = 0;
    stream->pos = tap->at;
    stream->rp = stream->wp = tap->data;
}

static void tap_drop(fz_context *ctx, void *state)
{
    fz_free(ctx, state);
}

fz_stream *tap_open(fz_context *ctx, int fd, uint64_t bytes)
{
    struct tap *tap = fz_malloc_struct(ctx, struct tap);
    tap->fd = fd;
    tap->bytes = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
    fz_stream *stream = fz_new_stream(ctx, tap, tap_next, tap_drop);
    stream->seek = tap_seek;
    return stream;
}

Sohoa__SourceKind tap_sniff(fz_context *ctx, fz_stream *stream)
{
    uint8_t head[HEADER_BYTES];
    fz_seek(ctx, stream, 0, SEEK_SET);
    size_t n = fz_read(ctx, stream, head, sizeof head);
    fz_seek(ctx, stream, 0, SEEK_SET);
    if (n >= 4 && (!memcmp(head, "II*\0", 4) || !memcmp(head, "MM\0*", 4)))
        return SOHOA__SOURCE_KIND__SOURCE_TIFF;
    if (n >= 3 && !memcmp(head, "\xff\xd8\xff", 3))
        return SOHOA__SOURCE_KIND__SOURCE_JPEG;
    if (n >= 8 && !memcmp(head, "\x89PNG\r\n\x1a\n", 8))
        return SOHOA__SOURCE_KIND__SOURCE_PNG;
    return memmem(head, n, "%PDF-", 5) ? SOHOA__SOURCE_KIND__SOURCE_PDF : SOHOA__SOURCE_KIND__SOURCE_UNKNOWN;
}
