/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Grades of pages as they are packed: two bits each, a Grade, page 1 first, from the low bits of a byte up. */
#ifndef SOHOA_GRADES_H
#define SOHOA_GRADES_H

#include <stddef.h>
#include <stdint.h>

enum { GRADES_A_BYTE = 4 };

static inline size_t grades_bytes(uint32_t pages)
{
    return (pages + GRADES_A_BYTE - 1u) / GRADES_A_BYTE;
}

/* page_no from 1 on. */
static inline uint8_t grade_get(const uint8_t *packed, uint32_t page_no)
{
    return packed[(page_no - 1) / GRADES_A_BYTE] >> (page_no - 1) % GRADES_A_BYTE * 2 & 3;
}

/* Sets the grade of a page that has none yet. */
static inline void grade_put(uint8_t *packed, uint32_t page_no, uint8_t grade)
{
    packed[(page_no - 1) / GRADES_A_BYTE] |= (uint8_t)((grade & 3) << (page_no - 1) % GRADES_A_BYTE * 2);
}

#endif
