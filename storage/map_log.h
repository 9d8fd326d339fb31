/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A map kept as a log: what the dir backend has for omap. One record for each call that sets pairs, so that its pairs
 * count all or none: u32 length of the body, u64 first bytes of the body's SHA-256, body: for each pair u8 length of the
 * key, u16 length of the value, key, value; all little-endian. The last value of a key is in force. */
#ifndef SOHOA_MAP_LOG_H
#define SOHOA_MAP_LOG_H

#include "storage/store.h"

/* Appends the record of the pairs to *record. */
void map_log_pack(const struct store_pair *pairs, size_t count, struct buf *record);

/* As store_map_read, from the log's bytes. A torn record at the end is ignored. Errors: E_CORRUPT: another is
 * damaged. */
int map_log_read(const char *name, const uint8_t *log, size_t bytes, const char *after, size_t limit,
                 void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more, struct err *err);

/* Appends to *into a log of the pairs in force alone. Errors: as map_log_read's. */
int map_log_compact(const char *name, const struct buf *log, struct buf *into, struct err *err);

#endif
