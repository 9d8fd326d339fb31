/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the log looks like, read back from a pipe in stderr's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/trace.h"

enum { LOG_BYTES = 1 << 20, THREADS = 8, LINES = 200 };

static char written[LOG_BYTES];
static int kept_stderr;
static FILE *log_file;

static void log_begin(void)
{
    log_file = tmpfile();
    assert_non_null(log_file);
    kept_stderr = dup(STDERR_FILENO);
    dup2(fileno(log_file), STDERR_FILENO);
}

static const char *log_end(void)
{
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    rewind(log_file);
    written[fread(written, 1, sizeof written - 1, log_file)] = '\0';
    fclose(log_file);
    return written;
}

static void assert_like(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, text, 0, NULL, 0))
        fail_msg("%s is not like %s", text, pattern);
    regfree(&regex);
}

#define TIME "time=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z"

static void a_line_has_time_level_part_and_event(void **state)
{
    (void)state;
    trace_init("worker", TRACE_INFO);
    log_begin();
    trace(TRACE_INFO, "grant", "lease=%d page=%s", 12, "ab/3");
    assert_like(log_end(), "^" TIME " level=info part=worker event=grant lease=12 page=ab/3\n$");
    log_begin();
    trace(TRACE_WARN, "idle", "%s", "");
    assert_like(log_end(), "^" TIME " level=warn part=worker event=idle *\n$");
}

static void an_error_adds_code_class_and_text(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, E_PAGE_BROKEN, "page 3 of \"a b.pdf\"");
    err.page_no = 3;
    trace_init("worker", TRACE_INFO);
    log_begin();
    trace_err(TRACE_ERROR, "page", &err, "lease=%d", 1);
    assert_like(log_end(),
                "^" TIME " level=error part=worker event=page lease=1 err=E_PAGE_BROKEN class=poison page_no=3"
                " text=\"page 3 of \\\\\"a b.pdf\\\\\"\"\n$");
}

static void lines_below_the_least_level_are_not_written(void **state)
{
    (void)state;
    struct err err;
    err_set(&err, E_IO, "x");
    trace_init("worker", TRACE_ERROR);
    log_begin();
    trace(TRACE_WARN, "a", "b=%d", 1);
    trace_err(TRACE_INFO, "a", &err, "b=%d", 1);
    assert_string_equal(log_end(), "");
    assert_int_equal(trace_level_named("debug"), TRACE_DEBUG);
    assert_int_equal(trace_level_named("error"), TRACE_ERROR);
    assert_int_equal(trace_level_named("loud"), TRACE_INFO);
}

static void values_are_quoted_where_needed(void **state)
{
    (void)state;
    assert_string_equal(trace_value("plain-1.pdf"), "plain-1.pdf");
    assert_string_equal(trace_value("quyết"), "quyết");
    assert_string_equal(trace_value(""), "\"\"");
    assert_string_equal(trace_value("a b"), "\"a b\"");
    assert_string_equal(trace_value("a=b"), "\"a=b\"");
    assert_string_equal(trace_value("a\"b\\c"), "\"a\\\"b\\\\c\"");
    assert_string_equal(trace_value("a\nlevel=error"), "\"a level=error\"");
    const char *one = trace_value("1"), *two = trace_value("2"), *three = trace_value("3"), *four = trace_value("4");
    assert_string_equal(one, "1");
    assert_string_equal(two, "2");
    assert_string_equal(three, "3");
    assert_string_equal(four, "4");
}

static void long_values_are_cut_between_letters(void **state)
{
    (void)state;
    char text[2000];
    for (size_t before = 0; before < 6; before++) {
        memset(text, before % 2 ? 'a' : ' ', before);
        for (size_t at = before; at + 4 < sizeof text; at += 3)
            memcpy(text + at, "ộ", 4);
        const char *value = trace_value(text);
        size_t n = strlen(value) - (*value == '"' ? 2 : 0);
        assert_in_range(n, 298, 303);
        assert_int_equal((n - before) % 3, 0);
    }
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_in_range(strlen(trace_value(text)), 300, 304);
    memset(text, 0x80, sizeof text - 1);
    assert_in_range(strlen(trace_value(text)), 300, 304);
}

static void pages_are_named_by_digest_and_number(void **state)
{
    (void)state;
    const uint8_t sha256[32] = {0xab, 0x01, 2, 3, 4, 5, 6, 0xff, 8};
    assert_string_equal(trace_page(sha256, 3), "ab010203040506ff/3");
    assert_string_equal(trace_page(sha256, 0), "ab010203040506ff");
}

static void *write_lines(void *user)
{
    for (int i = 0; i < LINES; i++)
        trace(TRACE_INFO, "x", "thread=%d line=%d pad=%s end=1", *(int *)user, i, trace_value("some words in quotes"));
    return NULL;
}

static void lines_of_many_threads_stay_whole(void **state)
{
    (void)state;
    pthread_t thread[THREADS];
    int number[THREADS];
    trace_init("worker", TRACE_INFO);
    log_begin();
    for (int i = 0; i < THREADS; i++) {
        number[i] = i;
        assert_int_equal(pthread_create(&thread[i], NULL, write_lines, &number[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    char *rest = (char *)log_end(), *line;
    int lines = 0;
    for (; (line = strsep(&rest, "\n")) && *line; lines++) {
        assert_int_equal(strncmp(line, "time=", 5), 0);
        assert_string_equal(line + strlen(line) - 6, " end=1");
    }
    assert_int_equal(lines, THREADS * LINES);
}

static void what_was_written_is_recalled_by_its_page(void **state)
{
    const struct trace_subject page = {.page = "ab", .page_no = 3, .source = "", .document = "batch=b doc=7"};
    const struct trace_subject whole = {.page = "ab", .source = "/a b.pdf", .document = ""};
    AUTO(buf_destroy) struct buf lines = {0};
    (void)state;
    log_begin();
    trace_init("worker", TRACE_INFO);
    trace_keep();
    trace(TRACE_INFO, "e1", "page=ab/3 count=1");
    trace(TRACE_INFO, "e2", "page=ab/1 count=2 x=1");
    trace(TRACE_INFO, "e3", "page=ab/2 count=2");
    trace(TRACE_INFO, "e4", "page=abc/3");
    trace(TRACE_INFO, "e5", "page=ab");
    trace(TRACE_INFO, "e6", "batch=b doc=7 state=x");
    trace(TRACE_INFO, "e7", "batch=b doc=77");
    trace(TRACE_INFO, "e8", "source=%s", trace_value("/a b.pdf"));
    trace(TRACE_DEBUG, "e9", "page=ab/3");
    trace_recall(&page, &lines);
    for (const char *const *has = (const char *const[]){"e1", "e3", "e5", "e6", NULL}; *has; has++)
        assert_non_null(strstr(buf_text(&lines), *has));
    for (const char *const *lacks = (const char *const[]){"e2", "e4", "e7", "e8", "e9", NULL}; *lacks; lacks++)
        assert_null(strstr(buf_text(&lines), *lacks));
    buf_clear(&lines);
    trace_recall(&whole, &lines);
    assert_non_null(strstr(buf_text(&lines), "e2"));
    assert_non_null(strstr(buf_text(&lines), "e8"));
    assert_null(strstr(buf_text(&lines), "e6"));
    for (int i = 0; i < TRACE_KEPT_BYTES / 60; i++) /* all the way round, and over what is told at once */
        trace(TRACE_INFO, "r", "page=ab/3 n=%d", i);
    log_end();
    buf_clear(&lines);
    trace_recall(&page, &lines);
    assert_in_range(lines.size, RECALL_BYTES_MOST - 200, RECALL_BYTES_MOST);
    assert_null(strstr(buf_text(&lines), "e1"));
    assert_memory_equal(buf_text(&lines), "time=", 5);
    char last[40];
    snprintf(last, sizeof last, "n=%d\n", TRACE_KEPT_BYTES / 60 - 1);
    assert_string_equal(buf_text(&lines) + lines.size - strlen(last), last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_recalled_by_its_page),
        cmocka_unit_test(a_line_has_time_level_part_and_event),
        cmocka_unit_test(an_error_adds_code_class_and_text),
        cmocka_unit_test(lines_below_the_least_level_are_not_written),
        cmocka_unit_test(values_are_quoted_where_needed),
        cmocka_unit_test(long_values_are_cut_between_letters),
        cmocka_unit_test(pages_are_named_by_digest_and_number),
        cmocka_unit_test(lines_of_many_threads_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
