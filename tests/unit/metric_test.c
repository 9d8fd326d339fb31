/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The text that Prometheus reads, byte for byte. */
#include "proto/metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/toll.h"

static const double wait_s[] = {0.01, 0.1, 1, 0};
static const struct metric plain = {"sohoa_test_bytes", METRIC_GAUGE, 1, "How much\nof a \\.", {NULL}, NULL};
static const struct metric named = {
    "sohoa_test_total", METRIC_COUNTER, 3, "By name.", {"name", "kind"},
        NULL
};
static const struct metric waits = {"sohoa_test_seconds", METRIC_HISTOGRAM, 2, "Waits.", {"stage"}, wait_s};
static const struct metric alone = {"sohoa_alone_seconds", METRIC_HISTOGRAM, 1, "Alone.", {NULL}, wait_s};

static void a_sample_is_a_line(void **state)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct exposition to = {.text = &text};
    (void)state;
    metric_put(&to, &plain, 1234567890123);
    assert_string_equal(buf_text(&text), "# HELP sohoa_test_bytes How much\\nof a \\\\.\n"
                                         "# TYPE sohoa_test_bytes gauge\n"
                                         "sohoa_test_bytes 1234567890123\n");
}

static void labels_are_escaped(void **state)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct exposition to = {.text = &text};
    (void)state;
    metric_begin(&to, &named);
    metric_add(&to, 1, "quote \" slash \\ line\nend", "Quận Ba Đình");
    metric_add(&to, 2, "", "\\");
    assert_string_equal(buf_text(&text),
                        "# HELP sohoa_test_total By name.\n# TYPE sohoa_test_total counter\n"
                        "sohoa_test_total{name=\"quote \\\" slash \\\\ line\\nend\",kind=\"Quận Ba Đình\"} 1\n"
                        "sohoa_test_total{name=\"\",kind=\"\\\\\"} 2\n");
}

/* What a number is written as, without the name before it. */
static void number_is(double value, const char *wanted)
{
    AUTO(buf_destroy) struct buf text = {0};
    AUTO(buf_destroy) struct buf line = {0};
    struct exposition to = {.text = &text, .metric = &plain};
    metric_add(&to, value, NULL, NULL);
    buf_printf(&line, "sohoa_test_bytes %s\n", wanted);
    assert_string_equal(buf_text(&text), buf_text(&line));
}

static void numbers_read_back_as_they_were(void **state)
{
    (void)state;
    number_is(0, "0");
    number_is(-3, "-3");
    number_is(0.1, "0.1");
    number_is(1.0 / 3, "0.33333333333333331");
    number_is(9007199254740991, "9007199254740991");
    number_is(1e300, "1e+300");
    number_is(INFINITY, "+Inf");
    number_is(-INFINITY, "-Inf");
    number_is(NAN, "NaN");
}

static void buckets_add_up(void **state)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct exposition to = {.text = &text};
    struct histogram page = {0}, none = {0};
    (void)state;
    const double value[] = {0.01, 0.02, 0.5, 7}; /* a bound is in its bucket */
    for (size_t i = 0; i < sizeof value / sizeof value[0]; i++)
        histogram_count(&page, &waits, value[i]);
    metric_begin(&to, &waits);
    metric_add_histogram(&to, &page, "page");
    assert_string_equal(buf_text(&text), "# HELP sohoa_test_seconds Waits.\n# TYPE sohoa_test_seconds histogram\n"
                                         "sohoa_test_seconds_bucket{stage=\"page\",le=\"0.01\"} 1\n"
                                         "sohoa_test_seconds_bucket{stage=\"page\",le=\"0.1\"} 2\n"
                                         "sohoa_test_seconds_bucket{stage=\"page\",le=\"1\"} 3\n"
                                         "sohoa_test_seconds_bucket{stage=\"page\",le=\"+Inf\"} 4\n"
                                         "sohoa_test_seconds_sum{stage=\"page\"} 7.53\n"
                                         "sohoa_test_seconds_count{stage=\"page\"} 4\n");
    buf_clear(&text);
    metric_begin(&to, &alone);
    metric_add_histogram(&to, &none, NULL);
    assert_string_equal(buf_text(&text), "# HELP sohoa_alone_seconds Alone.\n# TYPE sohoa_alone_seconds histogram\n"
                                         "sohoa_alone_seconds_bucket{le=\"0.01\"} 0\n"
                                         "sohoa_alone_seconds_bucket{le=\"0.1\"} 0\n"
                                         "sohoa_alone_seconds_bucket{le=\"1\"} 0\n"
                                         "sohoa_alone_seconds_bucket{le=\"+Inf\"} 0\n"
                                         "sohoa_alone_seconds_sum 0\n"
                                         "sohoa_alone_seconds_count 0\n");
}

static void series_are_counted(void **state)
{
    const struct metric table[] = {plain, named, waits, alone};
    (void)state;
    assert_int_equal(metric_series_max(table, 4), 1 + 3 + 2 * 6 + 6);
}

static void each_code_of_the_table_is_told(void **state)
{
    static const struct metric failures = {"sohoa_test_total", METRIC_COUNTER, TOLL_CODES, "By code.", {"code"}, NULL};
    AUTO(buf_destroy) struct buf text = {0};
    struct exposition to = {.text = &text};
    struct toll toll = {0};
    (void)state;
    toll_count(&toll, E_IO, 1);
    toll_count(&toll, E_TRIES, 2);
    toll_count(&toll, -9999, 3);
    toll_put(&to, &failures, &toll);
    assert_int_equal(to.samples, TOLL_CODES);
    assert_non_null(strstr(buf_text(&text), "sohoa_test_total{code=\"E_IO\"} 1\n"));
    assert_non_null(strstr(buf_text(&text), "sohoa_test_total{code=\"E_STORE\"} 0\n"));
    assert_non_null(strstr(buf_text(&text), "sohoa_test_total{code=\"E_TRIES\"} 2\n"));
    assert_non_null(strstr(buf_text(&text), "sohoa_test_total{code=\"E_?\"} 3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_a_line),
        cmocka_unit_test(labels_are_escaped),
        cmocka_unit_test(numbers_read_back_as_they_were),
        cmocka_unit_test(buckets_add_up),
        cmocka_unit_test(series_are_counted),
        cmocka_unit_test(each_code_of_the_table_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
