/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/cost.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/auto.h"

enum { GRAY = 40, COLOUR = 41 }; /* some classes */

static void near(double got, double want, double share)
{
    if (fabs(got - want) > share * want)
        fail_msg("%g is not %g", got, want);
}

static void nothing_known_is_told_by_presets(void **state)
{
    AUTO(cost_destroy) struct cost *cost = cost_new();
    (void)state;
    near(cost_of(cost, COST_UNKNOWN)->mean_ms, 1000, 0.001);
    near(cost_of(cost, GRAY)->p50_ms, 1000, 0.1);
    near(cost_of(cost, GRAY)->p90_ms, 1000, 0.1);
}

static void a_class_is_learned_from_its_pages(void **state)
{
    AUTO(cost_destroy) struct cost *cost = cost_new();
    (void)state;
    for (int i = 0; i < 400; i++) {
        cost_learn(cost, GRAY, 5, i % 10 < 8 ? 5 * 300 : 5 * 2000);
        cost_learn(cost, COLOUR, 5, 5 * 900);
    }
    near(cost_of(cost, GRAY)->mean_ms, 0.8 * 300 + 0.2 * 2000, 0.03);
    near(cost_of(cost, GRAY)->p50_ms, 300, 0.1);
    near(cost_of(cost, GRAY)->p90_ms, 2000, 0.1);
    near(cost_of(cost, COLOUR)->p90_ms, 900, 0.1);
    near(cost_of(cost, COST_UNKNOWN)->mean_ms, (640 + 900) / 2.0, 0.03);
}

static void few_pages_are_told_by_all(void **state)
{
    AUTO(cost_destroy) struct cost *cost = cost_new();
    (void)state;
    for (int i = 0; i < 1000; i++)
        cost_learn(cost, GRAY, 1, 500);
    cost_learn(cost, COLOUR, 1, 50000); /* one that is odd */
    near(cost_of(cost, COLOUR)->p50_ms, 500, 0.1);
    near(cost_of(cost, 7)->mean_ms, 550, 0.02);
    for (int i = 0; i < 500; i++)
        cost_learn(cost, COLOUR, 1, 4000);
    near(cost_of(cost, COLOUR)->p50_ms, 4000, 0.1);
}

static void what_was_is_forgotten(void **state)
{
    AUTO(cost_destroy) struct cost *cost = cost_new();
    (void)state;
    for (int i = 0; i < 100000; i++)
        cost_learn(cost, GRAY, 1, 500);
    for (int i = 0; i < 20000; i++)
        cost_learn(cost, GRAY, 1, 1500);
    near(cost_of(cost, GRAY)->mean_ms, 1500, 0.05);
    near(cost_of(cost, GRAY)->p50_ms, 1500, 0.1);
}

static void sources_that_differ_are_of_different_classes(void **state)
{
    static const struct {
        Sohoa__SourceKind kind;
        uint32_t bits, dpi;
        uint64_t bytes;
    } source[] = {
        {SOHOA__SOURCE_KIND__SOURCE_PDF,  0,  0,   1000   },
        {SOHOA__SOURCE_KIND__SOURCE_PDF,  1,  300, 20000  },
        {SOHOA__SOURCE_KIND__SOURCE_PDF,  24, 300, 20000  },
        {SOHOA__SOURCE_KIND__SOURCE_PDF,  24, 200, 20000  },
        {SOHOA__SOURCE_KIND__SOURCE_PDF,  24, 600, 9000000},
        {SOHOA__SOURCE_KIND__SOURCE_TIFF, 1,  300, 20000  },
        {SOHOA__SOURCE_KIND__SOURCE_JPEG, 24, 600, 9000000},
    };
    enum { SOURCES = sizeof source / sizeof source[0] };
    uint8_t class[SOURCES];
    (void)state;
    for (int i = 0; i < SOURCES; i++) {
        Sohoa__Probe probe = SOHOA__PROBE__INIT;
        probe.kind = source[i].kind;
        probe.bits = source[i].bits;
        probe.dpi = source[i].dpi;
        probe.bytes = source[i].bytes * 3;
        probe.pages = 3;
        class[i] = cost_class(&probe);
        assert_in_range(class[i], 1, COST_CLASSES - 1);
        for (int k = 0; k < i; k++)
            assert_int_not_equal(class[i], class[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_known_is_told_by_presets),
        cmocka_unit_test(a_class_is_learned_from_its_pages),
        cmocka_unit_test(few_pages_are_told_by_all),
        cmocka_unit_test(what_was_is_forgotten),
        cmocka_unit_test(sources_that_differ_are_of_different_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
