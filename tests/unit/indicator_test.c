/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Formulas are what arithmetic says, mistakes are at their letter, and the program's own definitions are sound. */
#include "coordinator/indicator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct err err;

static double value(const char *formula)
{
    double figure[FIGURES], result = -1;
    for (int i = 0; i < FIGURES; i++)
        figure[i] = 0;
    figure[FIGURE_PAGES] = 120;
    figure[FIGURE_DAYS] = 7;
    figure[FIGURE_GRADE_A] = 90;
    figure[FIGURE_GRADE_C] = 10;
    assert_int_equal(formula_value(formula, figure, &result, &err), 0);
    return result;
}

static void formulas_are_arithmetic(void **state)
{
    (void)state;
    assert_float_equal(value("pages"), 120, 0);
    assert_float_equal(value("1 + 2 * 3"), 7, 0);
    assert_float_equal(value("(1+2)*3 - -4"), 13, 0);
    assert_float_equal(value("12 / 3 / 2"), 2, 0);
    assert_float_equal(value("10 - 3 - 2"), 5, 0);
    assert_float_equal(value("100 * grade_a / (grade_a + grade_b + grade_c)"), 90, 1e-9);
    assert_float_equal(value(" 1.5*2 "), 3, 0);
    assert_true(isnan(value("pages / dead")));
    assert_true(isnan(value("1 + pages / dead")));
}

static void mistakes_are_at_their_letter(void **state)
{
    static const struct {
        const char *formula, *says;
    } row[] = {
        {"",                                              "letter 1: a figure"},
        {"pagess",                                        "letter 1: a figure"},
        {"1 +",                                           "letter 4: a figure"},
        {"(1",                                            "letter 3: ')'"     },
        {"1 2",                                           "letter 3: +, -"    },
        {"1 % 2",                                         "letter 3: +, -"    },
        {"((((((((((((((((((((((1))))))))))))))))))))))", "FORMULA_NEST"      },
    };
    double figure[FIGURES] = {0}, result = 5;
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(formula_value(row[i].formula, figure, &result, &err), E_CONFIG);
        assert_non_null(strstr(err.text, row[i].says));
        assert_float_equal(result, 5, 0);
    }
}

static int load(const char *text, struct indicators *indicators)
{
    char path[] = "/tmp/sohoa-indicators-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int rc = indicators_load(path, indicators, &err);
    unlink(path);
    return rc;
}

static void definitions_are_a_table_that_people_edit(void **state)
{
    static struct indicators indicators;
    (void)state;
    assert_int_equal(indicators_load("", &indicators, &err), 0);
    assert_in_range(indicators.count, 8, INDICATORS_MOST);
    assert_int_equal(load("code,name_vi,name_en,formula,digits\nx,Số trang,Pages,pages * 2,1\n", &indicators), 0);
    assert_int_equal(indicators.count, 1);
    assert_string_equal(indicators.indicator[0].name_vi, "Số trang");
    assert_int_equal(indicators.indicator[0].digits, 1);
    assert_int_not_equal(load("code,name_vi,name_en,formula\nx,a,b,\n", &indicators), 0);
    assert_int_not_equal(load("code,name_vi,name_en,formula,digits\ny,a,b,pages,0\nx,a,b,pages +,0\n", &indicators), 0);
    assert_non_null(strstr(err.text, "line 3"));
    assert_non_null(strstr(err.text, "letter 8"));
    assert_int_not_equal(load("code,name_vi,name_en,formula,digits\ny,a,b,pages,9\n", &indicators), 0);
    assert_int_equal(indicators_load("/nowhere", &indicators, &err), E_ABSENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_are_arithmetic),
        cmocka_unit_test(mistakes_are_at_their_letter),
        cmocka_unit_test(definitions_are_a_table_that_people_edit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
