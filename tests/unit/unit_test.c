/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The forms of unit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/unit.h"

static void forms_that_are_units(void **state)
{
    (void)state;
    static const char *const good[] = {"",          "district:001", "old:00004",
                                       "new:00004", "district:999", "new:00004@2027-07-01"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(unit_check(good[i], NULL), 0);
}

static void forms_that_are_not(void **state)
{
    (void)state;
    static const char *const bad[] = {"00004",
                                      "old:",
                                      "old:4",
                                      "old:000004",
                                      "old:0000x",
                                      "OLD:00004",
                                      " old:00004",
                                      "old:00004 ",
                                      "district:01",
                                      "district:00001",
                                      "new:004",
                                      "city:01",
                                      "old:-0004",
                                      "new:00004\n",
                                      "old:0000\xd9\xa4",
                                      "district",
                                      ":00004",
                                      "old:new:00004",
                                      "old::0004",
                                      "old:00004@2027-07-01",
                                      "new:00004@",
                                      "new:00004@2027-7-1",
                                      "new:00004@2027-07-011",
                                      "district:001@2027-07-01",
                                      "new:00004@2027/07/01",
                                      "new:0004@2027-07-01"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        assert_int_equal(unit_check(bad[i], &err), E_MANIFEST);
        assert_int_equal(err.code, E_MANIFEST);
        assert_non_null(strstr(err.text, "district:001, old:00004 or new:00004"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_that_are_units),
        cmocka_unit_test(forms_that_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
