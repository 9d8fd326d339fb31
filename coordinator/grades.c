/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Most documents have few pages, so up to GRADES_WORD of them are looked at at once, in the bits of one word. */
#include "coordinator/grades.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
    GRADES_WORD = 28, /* pages that a word holds wherever they begin in its first byte */
    BLOCK_BYTES = GRADES_BLOCK / GRADES_A_BYTE,
};
#define LOW_BITS UINT64_C(0x5555555555555555)

void grades_clear(struct grades *grades)
{
    for (uint32_t i = 0; i < grades->blocks; i++)
        free(grades->block[i]);
    free(grades->block);
    *grades = (struct grades){0};
}

static void block_need(struct grades *grades, uint32_t block)
{
    if (block >= grades->blocks) {
        uint32_t blocks = block + 1 + grades->blocks / 2; /* batches grow from the front to the back */
        grades->block = realloc(grades->block, blocks * sizeof *grades->block);
        if (!grades->block)
            abort();
        memset(grades->block + grades->blocks, 0, (blocks - grades->blocks) * sizeof *grades->block);
        grades->blocks = blocks;
    }
    if (grades->block[block])
        return;
    grades->block[block] = calloc(1, BLOCK_BYTES + sizeof(uint64_t)); /* a word is read wherever a page is */
    if (!grades->block[block])
        abort();
}

static void grade_set(struct grades *grades, uint64_t ordinal, uint8_t grade)
{
    uint32_t block = (uint32_t)(ordinal / GRADES_BLOCK), page_no = (uint32_t)(ordinal % GRADES_BLOCK) + 1;
    if (!grade && (block >= grades->blocks || !grades->block[block]))
        return;
    block_need(grades, block);
    uint8_t *byte = &grades->block[block][(page_no - 1) / GRADES_A_BYTE];
    *byte &= (uint8_t) ~(3u << (page_no - 1) % GRADES_A_BYTE * 2);
    grade_put(grades->block[block], page_no, grade);
}

void grades_set(struct grades *grades, uint64_t first, const uint8_t *packed, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        grade_set(grades, first + i, packed ? grade_get(packed, i + 1) : 0);
}

/* Grades from an ordinal on, the first in the lowest bits: of *count pages, which may get less, to the end of a word or block. */
static uint64_t word_at(const struct grades *grades, uint64_t first, uint32_t *count)
{
    uint32_t block = (uint32_t)(first / GRADES_BLOCK), at = (uint32_t)(first % GRADES_BLOCK);
    uint64_t word = 0;
    *count = *count < GRADES_WORD ? *count : GRADES_WORD;
    *count = *count < GRADES_BLOCK - at ? *count : GRADES_BLOCK - at;
    if (block < grades->blocks && grades->block[block])
        memcpy(&word, grades->block[block] + at / GRADES_A_BYTE, sizeof word);
    word = le64toh(word) >> at % GRADES_A_BYTE * 2;
    return word & ((UINT64_C(1) << *count * 2) - 1);
}

/* By grade the low bits of the pages that have it, of so many from the lowest on. */
static void word_sort(uint64_t word, uint32_t count, uint64_t with[4])
{
    uint64_t all = LOW_BITS & ((UINT64_C(1) << count * 2) - 1), low = word & all, high = word >> 1 & all;
    with[0] = all & ~(low | high);
    with[1] = low & ~high;
    with[2] = high & ~low;
    with[3] = low & high;
}

uint8_t grades_seen(const struct grades *grades, uint64_t first, uint32_t count)
{
    unsigned seen = 0;
    for (uint32_t n; count; first += n, count -= n) {
        uint64_t with[4];
        n = count;
        uint64_t word = word_at(grades, first, &n);
        word_sort(word, n, with);
        seen |= (with[0] != 0) | (with[1] != 0) << 1 | (with[2] != 0) << 2 | (with[3] != 0) << 3;
    }
    return (uint8_t)seen;
}

uint32_t grades_count(const struct grades *grades, uint64_t first, uint32_t count, uint8_t set)
{
    uint32_t pages = 0;
    for (uint32_t n; count; first += n, count -= n) {
        uint64_t with[4];
        n = count;
        uint64_t word = word_at(grades, first, &n);
        word_sort(word, n, with);
        for (unsigned grade = 0; grade < 4; grade++)
            pages += set >> grade & 1 ? (uint32_t)__builtin_popcountll(with[grade]) : 0;
    }
    return pages;
}

void grades_pack(const struct grades *grades, uint64_t first, uint32_t count, uint8_t *packed)
{
    memset(packed, 0, grades_bytes(count));
    for (uint32_t i = 0; i < count;) {
        uint32_t n = count - i;
        uint64_t word = word_at(grades, first + i, &n);
        for (uint32_t end = i + n; i < end; word >>= 2)
            grade_put(packed, ++i, (uint8_t)(word & 3));
    }
}
