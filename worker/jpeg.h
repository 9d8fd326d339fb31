/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The only file that knows libjpeg: a picture for people, in a slot. */
#ifndef SOHOA_JPEG_H
#define SOHOA_JPEG_H

#include <stddef.h>

#include "proto/buf.h"
#include "proto/err.h"

enum { JPEG_QUALITY = 80, JPEG_MAX_PX = 65500 };

/* Appends the picture: rows of stride_bytes, channels (1: gray, 3: RGB) bytes a pixel. Errors: E_MEMORY, E_PAGE_SIZE:
 * a side is over JPEG_MAX_PX. */
int jpeg_write(const unsigned char *samples, unsigned width_px, unsigned height_px, unsigned channels,
               size_t stride_bytes, struct buf *picture, struct err *err);

#endif
