/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Days are Hanoi's, a document counts once, and sums are of the units and days asked for. */
#include "coordinator/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/day.h"
#include "proto/auto.h"
#include "proto/grades.h"

static struct tally *tally;
static int64_t monday;

static int start(void **state)
{
    (void)state;
    tally = tally_new();
    assert_true(day_parse("2026-11-23", &monday));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    tally_destroy(&tally);
    return 0;
}

/* At the day's hour, of document doc of batch 0: so many pages, the first of grade B, the others A. */
static void came(const char *unit, uint32_t doc, int64_t day, int hour, Sohoa__DocState as, uint32_t pages,
                 uint32_t dead)
{
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    uint8_t grades[16] = {0};
    for (uint32_t page_no = 1; page_no <= pages; page_no++)
        grade_put(grades, page_no, page_no == 1 ? SOHOA__GRADE__GRADE_B : SOHOA__GRADE__GRADE_A);
    outcome.state = as;
    outcome.pages = pages;
    outcome.pages_stored = pages - dead;
    outcome.pages_dead = dead;
    outcome.a4_pages = 2 * (pages - dead);
    outcome.grades = (ProtobufCBinaryData){grades_bytes(pages), grades};
    tally_add(tally, (struct doc_ref){0, doc}, unit, &outcome, day_start_ms(day) + (uint64_t)hour * 3600000);
}

static struct tally_row sum(const char *unit, int64_t first, int64_t last)
{
    struct tally_row row = {0};
    tally_sum(tally, unit, first, last, &row);
    return row;
}

static void a_day_is_hanois(void **state)
{
    (void)state;
    came("old:00004", 1, monday, 0, SOHOA__DOC_STATE__DOC_STORED, 3, 0);
    came("old:00004", 2, monday, 23, SOHOA__DOC_STATE__DOC_DEAD, 4, 1);
    came("old:00004", 3, monday + 1, 0, SOHOA__DOC_STATE__DOC_STORED, 5, 0);
    struct tally_row day = sum("old:00004", monday, monday), week = sum("old:00004", monday, monday + 6);
    assert_int_equal(day.documents, 2);
    assert_int_equal(day.pages, 6);
    assert_int_equal(day.a4, 12);
    assert_int_equal(day.dead, 1);
    assert_int_equal(day.grade[SOHOA__GRADE__GRADE_B], 2);
    assert_int_equal(day.grade[SOHOA__GRADE__GRADE_A], 5);
    assert_int_equal(week.pages, 11);
    assert_int_equal(sum("old:00004", monday - 7, monday - 1).documents, 0);
}

static void what_is_read_again_is_counted_apart(void **state)
{
    (void)state;
    came("old:00004", 70, monday, 8, SOHOA__DOC_STATE__DOC_REFUSED, 0, 0);
    came("old:00004", 70, monday + 1, 8, SOHOA__DOC_STATE__DOC_STORED, 3, 0); /* the source was mended */
    came("old:00004", 70, monday + 2, 8, SOHOA__DOC_STATE__DOC_STORED, 3, 0);
    came("old:00004", 71, monday + 2, 9, SOHOA__DOC_STATE__DOC_QUARANTINED, 3, 0);
    assert_int_equal(sum(NULL, monday, monday).refused, 1);
    assert_int_equal(sum(NULL, monday, monday + 6).pages, 3);
    assert_int_equal(sum(NULL, monday, monday + 6).again, 1);
    assert_int_equal(sum(NULL, monday, monday + 6).quarantined, 1);
}

static void units_are_apart(void **state)
{
    char unit[16];
    (void)state;
    for (uint32_t i = 0; i < 700; i++) {
        snprintf(unit, sizeof unit, "old:%05u", i);
        came(unit, i, monday + i % 7, 8, SOHOA__DOC_STATE__DOC_STORED, 1 + i % 3, 0);
    }
    assert_int_equal(sum("old:00001", monday, monday + 6).pages, 2);
    assert_int_equal(sum("old:00699", monday, monday + 6).pages, 1);
    assert_int_equal(sum("old:00700", monday, monday + 6).pages, 0);
    assert_int_equal(sum(NULL, monday, monday + 6).documents, 700);
    assert_non_null(tally_unit(tally, 699));
    assert_null(tally_unit(tally, 700));
}

static void old_days_are_forgotten(void **state)
{
    (void)state;
    came("old:00004", 1, monday, 8, SOHOA__DOC_STATE__DOC_STORED, 1, 0);
    came("old:00004", 2, monday + TALLY_DAYS_MOST, 8, SOHOA__DOC_STATE__DOC_STORED, 2, 0);
    came("old:00004", 3, monday, 8, SOHOA__DOC_STATE__DOC_STORED, 4, 0);
    assert_int_equal(sum(NULL, monday, monday + TALLY_DAYS_MOST).pages, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_day_is_hanois, start, stop),
        cmocka_unit_test_setup_teardown(what_is_read_again_is_counted_apart, start, stop),
        cmocka_unit_test_setup_teardown(units_are_apart, start, stop),
        cmocka_unit_test_setup_teardown(old_days_are_forgotten, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
