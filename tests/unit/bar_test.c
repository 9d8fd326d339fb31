/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The progress bar says what is done, how fast and how long still, and never more than fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/ctl/bar.h"
#include "proto/auto.h"

static const struct bar_state half = {.docs = 12, .docs_done = 5, .pages = 7400, .pages_done = 3700};

static void line_is(const struct bar_state *state, double pages_per_s, unsigned columns, const char *expected)
{
    AUTO(buf_destroy) struct buf line = {0};
    bar_format(&line, state, pages_per_s, columns);
    assert_string_equal(buf_text(&line), expected);
    assert_true(columns == 0 || line.size < columns);
}

static void plain(void **state)
{
    (void)state;
    line_is(&half, 1, 0, "3700/7400 pages, 5/12 documents, 1.0 pages/s, ETA 1:01:40");
    line_is(&half, 0, 0, "3700/7400 pages, 5/12 documents");
    line_is(&half, 50, 0, "3700/7400 pages, 5/12 documents, 50.0 pages/s, ETA 1:14");
    line_is(&(struct bar_state){.docs = 12}, 0, 0, "0/0 pages, 0/12 documents");
    line_is(&(struct bar_state){.docs = 1, .docs_done = 1, .pages = 9, .pages_done = 9, .failures = 2}, 3, 0,
            "9/9 pages, 1/1 documents, 3.0 pages/s, 2 failed");
    line_is(&(struct bar_state){.docs = 4, .docs_done = 3, .pages = 9, .pages_done = 9, .failures = 2, .refused = 1}, 0,
            0, "9/9 pages, 3/4 documents, 2 failed, 1 refused");
}

static void filled(void **state)
{
    (void)state;
    line_is(&half, 0, 60, "[############.............] 3700/7400 pages, 5/12 documents");
    line_is(&half, 0, 40, "3700/7400 pages, 5/12 documents");
    line_is(&half, 0, 20, "3700/7400 pages, 5/");
}

static void shown(char *text, size_t bytes, uint64_t step_ms, unsigned steps)
{
    FILE *to = tmpfile();
    assert_non_null(to);
    struct bar bar;
    bar_init(&bar, to);
    struct bar_state state = {.docs = 1, .pages = 1000};
    for (unsigned i = 0; i < steps; i++, state.pages_done++)
        bar_show(&bar, &state, 1000 + i * step_ms);
    bar_clear(&bar);
    rewind(to);
    text[fread(text, 1, bytes - 1, to)] = 0;
    fclose(to);
}

static void lines_now_and_then(void **state)
{
    (void)state;
    char text[1024];
    shown(text, sizeof text, 500, 21); /* 10 s, 2 pages/s */
    assert_string_equal(text, "sohoa: 0/1000 pages, 0/1 documents\n"
                              "sohoa: 10/1000 pages, 0/1 documents, 2.0 pages/s, ETA 8:15\n"
                              "sohoa: 20/1000 pages, 0/1 documents, 2.0 pages/s, ETA 8:10\n");
}

static void rate_forgets(void **state)
{
    (void)state;
    FILE *to = tmpfile();
    assert_non_null(to);
    struct bar bar;
    bar_init(&bar, to);
    struct bar_state now = {.docs = 1, .pages = 100000, .pages_done = 50000}; /* found done at once */
    bar_show(&bar, &(struct bar_state){.docs = 1, .pages = 100000}, 1000);
    for (uint64_t ms = 1500; ms <= 2 * BAR_RATE_MS; ms += 500, now.pages_done++)
        bar_show(&bar, &now, ms);
    char text[8192], *last = text;
    rewind(to);
    text[fread(text, 1, sizeof text - 1, to)] = 0;
    fclose(to);
    for (char *newline = text; (newline = strchr(newline, '\n')) && newline[1]; newline++)
        last = newline + 1;
    assert_non_null(strstr(last, " 2.0 pages/s"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(filled),
                                       cmocka_unit_test(lines_now_and_then), cmocka_unit_test(rate_forgets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
