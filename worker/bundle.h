/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A pages row (page.h) as it is stored: one zstd frame, level 3, with checksum and content size. */
#ifndef SOHOA_BUNDLE_H
#define SOHOA_BUNDLE_H

#include "proto/buf.h"
#include "proto/err.h"

/* Appends the frame to bundle. Same row, same bytes. Errors: E_NOMEM. */
int bundle_pack(const void *row, size_t bytes, struct buf *bundle, struct err *err);

/* Appends the row to row, which is untouched on failure. Errors: E_CORRUPT: not exactly one such frame; E_LIMIT:
 * the row has more than max_bytes; E_NOMEM. */
int bundle_unpack(const void *bundle, size_t bytes, size_t max_bytes, struct buf *row, struct err *err);

#endif
