/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/calendar.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/manifest.h"
#include "proto/auto.h"

static const char nights[] = "workers,cores,days,from,to\n"
                             "night-*,64,mon-fri,20:00,06:00\n"
                             "night-*,64,sat sun,,\n"
                             "lab,8,all,08:00,17:30\n"
                             "night-*,0,2027-02-06..2027-02-10,,\n"
                             "night-*,16,2027-02-08,12:00,14:00\n";

/* A moment of Hanoi: minutes behind midnight of the day. */
static uint64_t moment(const char *day, int minutes)
{
    uint64_t end_ms;
    struct err err;
    assert_int_equal(manifest_deadline(day, &end_ms, &err), 0);
    return end_ms + 1 - 24 * 3600 * 1000 + (uint64_t)minutes * 60000;
}

static struct calendar *calendar(const char *text)
{
    struct calendar *made = NULL;
    struct err err;
    if (calendar_parse(text, strlen(text), &made, &err))
        fail_msg("%s", err.text);
    return made;
}

static void cores_are_those_of_the_moment(void **state)
{
    static const struct {
        const char *day;
        int hour, minute;
        double cores;
    } want[] = {
        {"2027-01-18", 19, 59, 0 }, /* a Monday */
        {"2027-01-18", 20, 0,  64},
        {"2027-01-19", 5,  59, 64},
        {"2027-01-19", 6,  0,  0 },
        {"2027-01-19", 8,  0,  8 },
        {"2027-01-19", 17, 29, 8 },
        {"2027-01-19", 17, 30, 0 },
        {"2027-01-23", 7,  0,  64}, /* Saturday */
        {"2027-01-25", 3,  0,  0 }, /* Sunday's night has no row */
        {"2027-02-05", 23, 0,  64},
        {"2027-02-06", 3,  0,  0 }, /* a holiday: Saturday, and what is left of Friday's night */
        {"2027-02-06", 12, 0,  8 },
        {"2027-02-08", 12, 30, 24},
        {"2027-02-08", 21, 0,  0 },
        {"2027-02-11", 3,  0,  0 },
        {"2027-02-11", 20, 30, 64},
    };
    (void)state;
    AUTO(calendar_destroy) struct calendar *c = calendar(nights);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        double cores = calendar_cores(c, moment(want[i].day, want[i].hour * 60 + want[i].minute));
        if (fabs(cores - want[i].cores) > 1e-9)
            fail_msg("%s %02d:%02d: %g cores, not %g", want[i].day, want[i].hour, want[i].minute, cores, want[i].cores);
    }
}

static void rows_name_workers(void **state)
{
    (void)state;
    AUTO(calendar_destroy) struct calendar *c = calendar(nights);
    assert_true(calendar_names(c, "night-7"));
    assert_true(calendar_names(c, "lab"));
    assert_false(calendar_names(c, "lab2"));
    assert_false(calendar_names(NULL, "lab"));
}

static void supply_follows_the_rows(void **state)
{
    static struct supply supply[CALENDAR_SUPPLIES];
    (void)state;
    AUTO(calendar_destroy) struct calendar *c = calendar("workers,cores,days,from,to\nnight-*,64,all,20:00,06:00\n");
    uint64_t now = moment("2027-01-18", 10 * 60 + 7);
    size_t n = calendar_supply(c, now, 10, 0.5, supply);
    assert_true(n > 100 && n <= CALENDAR_SUPPLIES);
    assert_true(supply[0].cores == 10 && supply[1].cores == 42 && supply[2].cores == 10);
    assert_true(supply[1].from_ms == moment("2027-01-18", 20 * 60));
    assert_true(supply[2].from_ms == moment("2027-01-19", 6 * 60));
    assert_true(fabs(supply[n - 1].cores - (10 + 32 * 10 / 24.0)) < 0.1); /* then the mean of a week */
    for (size_t i = 1; i < n; i++)
        assert_true(supply[i].from_ms > supply[i - 1].from_ms);
    assert_int_equal(calendar_supply(NULL, now, 10, 1, supply), 1);
    assert_true(supply[0].cores == 10);
}

static void refused(const char *text, const char *why)
{
    struct calendar *made = NULL;
    struct err err;
    assert_true(calendar_parse(text, strlen(text), &made, &err) < 0);
    assert_null(made);
    if (!strstr(err.text, why))
        fail_msg("%s", err.text);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    refused("cores,days\n1,all\n", "no column 'workers'");
    refused("workers,cores,days\na,many,all\n", "line 2: cores");
    refused("workers,cores,days\na,-1,all\n", "line 2: cores");
    refused("workers,cores,days\na,1,soon\n", "line 2: days");
    refused("workers,cores,days\na,1,fri-mon\n", "line 2: days");
    refused("workers,cores,days\na,1,2027-02-10..2027-02-06\n", "line 2: days");
    refused("workers,cores,days,from\na,1,all,8:00\n", "line 2: from and to");
    refused("workers,cores,days,from\na,1,all,24:30\n", "line 2: from and to");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cores_are_those_of_the_moment),
        cmocka_unit_test(rows_name_workers),
        cmocka_unit_test(supply_follows_the_rows),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
