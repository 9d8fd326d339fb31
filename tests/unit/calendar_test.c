/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Calendars: what a row may say, and which cores that makes at which moment. */
#include "coordinator/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/buf.h"

/* 2026-02-13, a Friday, begins in Hanoi. */
#define FRIDAY_MS UINT64_C(1770915600000)
#define HEAD      "workers,cores,days,from,to\n"

enum { HOUR = 3600000, DAY = 24 * HOUR };

static struct supply supply[CALENDAR_STEPS_MAX];
static size_t steps;

static struct calendar *parsed(const char *csv)
{
    struct calendar *calendar = NULL;
    struct err err = {0};
    int rc = calendar_parse(csv, strlen(csv), &calendar, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    return calendar;
}

static void parse_fails(const char *csv, int code, const char *text)
{
    struct calendar *calendar = NULL;
    struct err err = {0};
    assert_int_equal(calendar_parse(csv, strlen(csv), &calendar, &err), code);
    assert_string_equal(err.text, text);
    assert_null(calendar);
}

/* Of the calendar alone, from Friday on. */
static void supply_make(const char *csv)
{
    AUTO(calendar_destroy) struct calendar *calendar = parsed(csv);
    steps = calendar_supply(calendar, FRIDAY_MS, 0, 1, supply);
    assert_true(steps >= 1 && steps <= CALENDAR_STEPS_MAX);
    assert_true(supply[0].from_ms == FRIDAY_MS);
    for (size_t i = 1; i < steps; i++)
        assert_true(supply[i].from_ms > supply[i - 1].from_ms);
}

/* At so many hours after Friday's beginning. */
static int cores(double hours)
{
    size_t i = steps - 1;
    while (i > 0 && supply[i].from_ms > FRIDAY_MS + (uint64_t)(hours * HOUR))
        i--;
    return (int)supply[i].cores;
}

static double core_days(int days)
{
    double sum = 0;
    for (size_t i = 0; i < steps; i++) {
        uint64_t end = FRIDAY_MS + (uint64_t)days * DAY, to = i + 1 < steps ? supply[i + 1].from_ms : end;
        sum += supply[i].from_ms < end ? supply[i].cores * (double)((to < end ? to : end) - supply[i].from_ms) : 0;
    }
    return sum / DAY;
}

static void windows(void **state)
{
    (void)state;
    supply_make(HEAD "a,10,all,08:00,17:30\n");
    assert_int_equal(cores(7.99), 0);
    assert_int_equal(cores(8), 10);
    assert_int_equal(cores(17.49), 10);
    assert_int_equal(cores(17.5), 0);
    assert_int_equal(cores(24 + 8), 10);
    assert_int_equal(steps, 1 + CALENDAR_DAYS_MAX * 2 + 1);
}

static void windows_over_midnight_belong_to_the_day_they_begin_on(void **state)
{
    (void)state;
    supply_make(HEAD "night-*,10,mon-fri,18:00,06:00\n");
    assert_int_equal(cores(5.99), 10); /* Thursday's */
    assert_int_equal(cores(6), 0);
    assert_int_equal(cores(18), 10);
    assert_int_equal(cores(24 + 5.99), 10);
    assert_int_equal(cores(24 + 6), 0);
    assert_int_equal(cores(24 + 18), 0); /* Saturday */
    assert_int_equal(cores(3 * 24 + 3), 0);
    assert_int_equal(cores(3 * 24 + 18), 10);
}

static void weekdays(void **state)
{
    (void)state;
    supply_make(HEAD "a,1,sat tue,,\na,2,wed-thu,,\nb,4,sun-mon,00:00,24:00\n");
    for (int day = 0; day < 7; day++) {
        static const int expected[] = {0, 1, 4, 4, 1, 2, 2}; /* from Friday */
        assert_int_equal(cores(24 * day), expected[day]);
        assert_int_equal(cores(24 * day + 23.9), expected[day]);
    }
}

static void windows_of_a_pattern_count_once_and_patterns_add_up(void **state)
{
    (void)state;
    supply_make(HEAD "a,10,fri,18:00,06:00\na,30,sat,00:00,12:00\na,20,sat,00:00,01:00\nb*,5,sat,03:00,04:00\n");
    assert_int_equal(cores(23), 10);
    assert_int_equal(cores(24), 30);
    assert_int_equal(cores(24 + 3), 35);
    assert_int_equal(cores(24 + 4), 30);
    assert_int_equal(cores(24 + 12), 0);
}

static void dates_go_before_weekdays(void **state)
{
    (void)state;
    supply_make(HEAD "a,3,2026-02-14..2026-02-16,,\n"
                     "a,7,2026-02-15,08:00,09:00\n"
                     "a,8,2026-02-15,10:00,11:00\n"
                     "a,0,2026-02-17,,\n"
                     "a,10,all,,\n"
                     "b,1,all,,\n");
    assert_int_equal(cores(23), 11);
    assert_int_equal(cores(24), 4);
    assert_int_equal(cores(48 + 7), 1);
    assert_int_equal(cores(48 + 8), 8);
    assert_int_equal(cores(48 + 9), 1);
    assert_int_equal(cores(48 + 10), 9);
    assert_int_equal(cores(72 + 12), 4);
    assert_int_equal(cores(96), 1);
    assert_int_equal(cores(120), 11);
}

static void workers_that_match_no_row_are_always_there(void **state)
{
    AUTO(calendar_destroy) struct calendar *calendar = parsed(HEAD "night-*,640,all,18:00,24:00\n");
    (void)state;
    assert_true(calendar_names(calendar, "night-1"));
    assert_false(calendar_names(calendar, "day-1"));
    assert_false(calendar_names(NULL, "night-1"));
    steps = calendar_supply(calendar, FRIDAY_MS + HOUR, 48, 0.5, supply);
    assert_true(supply[0].from_ms == FRIDAY_MS + HOUR);
    assert_int_equal(cores(1), 48);
    assert_int_equal(cores(18), 48 + 320);
    assert_int_equal(cores(24), 48);
    assert_int_equal(calendar_supply(NULL, FRIDAY_MS, 112, 0.5, supply), 1);
    assert_int_equal(supply[0].cores, 112);
}

static void now_may_be_within_a_window(void **state)
{
    AUTO(calendar_destroy) struct calendar *calendar = parsed(HEAD "a,10,all,08:00,12:00\n");
    (void)state;
    steps = calendar_supply(calendar, FRIDAY_MS + 9 * HOUR, 0, 1, supply);
    assert_true(supply[0].from_ms == FRIDAY_MS + 9 * HOUR);
    assert_int_equal(supply[0].cores, 10);
    assert_true(supply[1].from_ms == FRIDAY_MS + 12 * HOUR);
    assert_int_equal(supply[1].cores, 0);
}

static void behind_the_horizon_is_the_mean_of_a_week(void **state)
{
    (void)state;
    supply_make(HEAD "a,70,sat sun,,\n");
    assert_true(supply[steps - 1].from_ms == FRIDAY_MS + (uint64_t)CALENDAR_DAYS_MAX * DAY);
    assert_int_equal(supply[steps - 1].cores, 20);
}

/* 23 windows a day are more steps than there may be: the next months stay exact, no core time is lost. */
static void many_steps_become_means(void **state)
{
    enum { DAYS = 730 };
    AUTO(buf_destroy) struct buf csv = {0};
    (void)state;
    buf_puts(&csv, HEAD);
    for (int hour = 0; hour < 23; hour++)
        buf_printf(&csv, "a,%d,all,%02d:10,%02d:50\n", 10 + hour, hour, hour);
    supply_make(buf_text(&csv));
    double a_day = (10 + 32) / 2.0 * 23 * 40 / 1440;
    assert_true(core_days(DAYS) > 0.9999 * a_day * DAYS && core_days(DAYS) < 1.0001 * a_day * DAYS);
    assert_int_equal(cores(60 * 24 + 5.5), 15);
    assert_int_equal(cores(60 * 24 + 5.9), 0);
    assert_int_equal(cores(700 * 24 + 5.9), (int)a_day);
}

static void broken_rows(void **state)
{
    (void)state;
    parse_fails("workers,cores,day\na,1,all\n", E_MANIFEST,
                "line 2: column 'day' is not workers, cores, days, from or to");
    parse_fails("cores\n1\n", E_MANIFEST,
                "line 1: there is no column 'workers'; the first line names the columns, with commas between them");
    parse_fails(HEAD ",1,all,,\n", E_MANIFEST, "line 2: workers is not a name or pattern of 1 to 127 bytes");
    parse_fails(HEAD "a,,all,,\n", E_MANIFEST, "line 2: cores '' is not a number from 0 to 1000000");
    parse_fails(HEAD "a,1000001,all,,\n", E_MANIFEST, "line 2: cores '1000001' is not a number from 0 to 1000000");
    parse_fails(HEAD "a,-1,all,,\n", E_MANIFEST, "line 2: cores '-1' is not a number from 0 to 1000000");
    parse_fails(HEAD "a,1,all,8:00,12:00\n", E_MANIFEST, "line 2: from '8:00' is not a time from 00:00 to 23:59");
    parse_fails(HEAD "a,1,all,08:00,24:01\n", E_MANIFEST, "line 2: to '24:01' is not a time from 00:00 to 24:00");
    parse_fails(HEAD "a,1,all,08:00,\n", E_MANIFEST, "line 2: to '' is not a time from 00:00 to 24:00");
    parse_fails(HEAD "a,1,all,08:60,09:00\n", E_MANIFEST, "line 2: from '08:60' is not a time from 00:00 to 23:59");
    parse_fails(HEAD "a,1,all,,\n\na,1,all,08:00,08:00\n", E_MANIFEST,
                "line 4: from and to are both 08:00; leave them empty for the whole day");
    parse_fails(HEAD "a,1,sat,sun,,\n", E_MANIFEST, "line 2: 6 columns, but the first line names 5");
}

static void broken_days(void **state)
{
    static const char *const days[] = {"",
                                       "All",
                                       "mon-",
                                       "mon,tue",
                                       "mon-xyz",
                                       "monday",
                                       "2026-02-29",
                                       "2026-02-14..2026-02-13",
                                       "2026-02-14.",
                                       "2026-02-14..",
                                       "1969-12-31",
                                       "2026-02-14 "};
    (void)state;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        AUTO(buf_destroy) struct buf csv = {0}, text = {0};
        buf_printf(&csv, HEAD "a,1,\"%s\",,\n", days[i]);
        buf_printf(&text,
                   "line 2: days '%s' is not all, nor like mon-fri or sat sun or 2026-09-02 or 2026-02-14..2026-02-22",
                   days[i]);
        parse_fails(buf_text(&csv), E_MANIFEST, buf_text(&text));
    }
}

static void rows_are_limited(void **state)
{
    AUTO(buf_destroy) struct buf csv = {0};
    (void)state;
    buf_puts(&csv, HEAD);
    for (int i = 0; i < CALENDAR_ROWS_MAX; i++)
        buf_printf(&csv, "a%d,1,all,%02d:%02d,%02d:%02d\n", i, i / 60, i % 60, 12 + i / 60, i % 60);
    supply_make(buf_text(&csv));
    buf_puts(&csv, "a,1,all,,\n");
    parse_fails(buf_text(&csv), E_LIMIT, "line 258: a calendar has at most 256 rows (CALENDAR_ROWS_MAX)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),
        cmocka_unit_test(windows_over_midnight_belong_to_the_day_they_begin_on),
        cmocka_unit_test(weekdays),
        cmocka_unit_test(windows_of_a_pattern_count_once_and_patterns_add_up),
        cmocka_unit_test(dates_go_before_weekdays),
        cmocka_unit_test(workers_that_match_no_row_are_always_there),
        cmocka_unit_test(now_may_be_within_a_window),
        cmocka_unit_test(behind_the_horizon_is_the_mean_of_a_week),
        cmocka_unit_test(many_steps_become_means),
        cmocka_unit_test(broken_rows),
        cmocka_unit_test(broken_days),
        cmocka_unit_test(rows_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
