/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Grades of a batch's pages, by page ordinal: two bits each, in blocks that get their memory when the first page of them has
 * a grade. 94 million pages take 24 MB. A *set* of grades has the bit 1 << Grade of each. */
#ifndef SOHOA_COORDINATOR_GRADES_H
#define SOHOA_COORDINATOR_GRADES_H

#include "proto/grades.h"

enum { GRADES_BLOCK = 1 << 16 }; /* pages that get their memory at once */

struct grades {
    uint8_t **block;
    uint32_t blocks;
};

void grades_clear(struct grades *grades);

/* Of count pages from an ordinal on: as packed in proto/grades.h; NULL: none has one. */
void grades_set(struct grades *grades, uint64_t first, const uint8_t *packed, uint32_t count);
/* packed: grades_bytes(count) bytes. */
void grades_pack(const struct grades *grades, uint64_t first, uint32_t count, uint8_t *packed);

uint8_t grades_seen(const struct grades *grades, uint64_t first, uint32_t count); /* a set */
uint32_t grades_count(const struct grades *grades, uint64_t first, uint32_t count,
                      uint8_t set); /* pages with one of set */

#endif
