/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Grades of a batch's pages against an array of them. */
#include "coordinator/grades.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGES = 3 * GRADES_BLOCK, LONGEST = 300, ROUNDS = 20000 };

static uint8_t expected[PAGES], packed[LONGEST / GRADES_A_BYTE + 1];
static struct grades grades;
static uint32_t drawn = 1;

static uint32_t draw(uint32_t below)
{
    drawn = drawn * 1103515245u + 12345u;
    return (drawn >> 8) % below;
}

static void set_some(uint32_t first, uint32_t count)
{
    memset(packed, 0, sizeof packed);
    for (uint32_t i = 0; i < count; i++) {
        expected[first + i] = draw(3) ? 0 : (uint8_t)draw(4);
        grade_put(packed, i + 1, expected[first + i]);
    }
    grades_set(&grades, first, packed, count);
}

static void check_some(uint32_t first, uint32_t count)
{
    uint32_t of[4] = {0};
    uint8_t seen = 0;
    for (uint32_t i = 0; i < count; i++) {
        of[expected[first + i]]++;
        seen |= (uint8_t)(1u << expected[first + i]);
    }
    assert_int_equal(grades_seen(&grades, first, count), seen);
    for (uint8_t set = 0; set < 16; set++) {
        uint32_t pages = 0;
        for (unsigned grade = 0; grade < 4; grade++)
            pages += set & 1u << grade ? of[grade] : 0;
        assert_int_equal(grades_count(&grades, first, count, set), pages);
    }
    grades_pack(&grades, first, count, packed);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(grade_get(packed, i + 1), expected[first + i]);
}

static void they_are_what_was_set(void **state)
{
    (void)state;
    check_some(PAGES - LONGEST, LONGEST); /* nothing was ever set */
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t block = draw(3) * GRADES_BLOCK, count = 1 + draw(round % 2 ? LONGEST : 9);
        /* Near where blocks meet, too. */
        uint32_t first = draw(2) ? draw(PAGES - LONGEST) : block > LONGEST ? block - draw(LONGEST) : draw(LONGEST);
        set_some(first, count);
        check_some(first, count);
        check_some(draw(PAGES - LONGEST), 1 + draw(LONGEST));
    }
    grades_set(&grades, 0, NULL, PAGES);
    assert_int_equal(grades_seen(&grades, 0, PAGES), 1);
    grades_clear(&grades);
    assert_int_equal(grades_count(&grades, 0, PAGES, 1), PAGES);
}

static void pages_without_a_grade_take_no_memory(void **state)
{
    (void)state;
    memset(packed, 0, sizeof packed);
    grades_set(&grades, 5, packed, LONGEST);
    assert_int_equal(grades.blocks, 0);
    packed[0] = 3;
    grades_set(&grades, UINT32_MAX, packed, 1); /* the last page that a batch may have */
    uint32_t with_memory = 0;
    for (uint32_t i = 0; i < grades.blocks; i++)
        with_memory += grades.block[i] != NULL;
    assert_int_equal(with_memory, 1);
    assert_int_equal(grades_seen(&grades, UINT32_MAX, 1), 8);
    grades_clear(&grades);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_what_was_set),
        cmocka_unit_test(pages_without_a_grade_take_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
