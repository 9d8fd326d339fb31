/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"

static void numbers_are_used_once_and_names_match(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *name;
        enum err_class class;
    } row[] = {
#define ROW(name, number, class, text) {name, #name, ERR_##class},
        ERR_TABLE(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_true(row[i].code < 0);
        assert_string_equal(err_name(row[i].code), row[i].name);
        assert_int_equal(err_class(row[i].code), row[i].class);
        assert_true(strlen(err_meaning(row[i].code)) > 5);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(row[i].code, row[k].code);
    }
}

static void unknown_codes_are_worth_another_try(void **state)
{
    (void)state;
    const int unknown[] = {0, 1, -19, -59, -1000000, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_string_equal(err_name(unknown[i]), "E_?");
        assert_int_equal(err_class(unknown[i]), ERR_RETRY);
        assert_string_equal(err_class_name(unknown[i]), "retry");
        assert_string_equal(err_meaning(unknown[i]), "an unknown error");
    }
    assert_string_equal(err_class_name(E_PAGE_BROKEN), "poison");
    assert_string_equal(err_class_name(E_FENCED), "fatal");
    assert_string_equal(err_class_name(E_USAGE), "refused");
}

static void an_error_is_filled_in_and_its_code_returned(void **state)
{
    (void)state;
    struct err err = {.page_no = 9};
    assert_int_equal(err_set(&err, E_LIMIT, "%d pages; %s", 20001, "at most 20000"), E_LIMIT);
    assert_int_equal(err.code, E_LIMIT);
    assert_int_equal(err.page_no, 0);
    assert_string_equal(err.text, "20001 pages; at most 20000");
    assert_int_equal(err_set(NULL, E_IO, "nobody asks"), E_IO);
    errno = ENOENT;
    assert_int_equal(err_errno(NULL, E_IO, "nobody asks"), E_IO);
    errno = ENOENT;
    assert_int_equal(err_errno(&err, E_IO, "%s", "a/b.pdf"), E_IO);
    assert_string_equal(err.text, "a/b.pdf: No such file or directory");
}

static void the_meaning_of_errno_survives_a_long_text(void **state)
{
    (void)state;
    struct err err;
    char path[1000];
    memset(path, 'p', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    errno = EACCES;
    err_errno(&err, E_IO, "%s", path);
    assert_non_null(strstr(err.text, "ppp: Permission denied"));
}

/* "ộ" is three bytes: it fits whole or not at all, wherever the limit falls. */
static void a_long_text_is_cut_between_letters(void **state)
{
    (void)state;
    for (size_t before = 0; before < 5; before++) {
        struct err err;
        char text[400] = "";
        memset(text, 'a', before);
        for (size_t at = before; at + 3 < sizeof text; at += 3)
            memcpy(text + at, "ộ", 3);
        err_set(&err, E_IO, "%s", text);
        size_t letters = (ERR_TEXT_BYTES - 1 - before) / 3;
        assert_int_equal(strlen(err.text), before + 3 * letters);
        assert_memory_equal(err.text, text, before + 3 * letters);
    }
}

static void a_text_that_just_fits_is_whole(void **state)
{
    (void)state;
    struct err err;
    char text[ERR_TEXT_BYTES];
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 4, "ộ", 4);
    err_set(&err, E_IO, "%s", text);
    assert_string_equal(err.text, text);
}

static void the_text_is_one_line_of_utf8(void **state)
{
    (void)state;
    static const char *const pair[][2] = {
        {"a\nb\tc\x7f\x1b[0m",                                       "a b c  [0m"                      },
        {"Hồ sơ số 1 \xf0\x9f\x93\x84",                         "Hồ sơ số 1 \xf0\x9f\x93\x84"},
        {"quy\xd5t.pdf",                                             "quy?t.pdf"                       },
        {"\xc0\xaf \xe0\x80\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xff", "?? ??? ??? ???? ?"               },
        {"cut \xe1\xbb",                                             "cut ??"                          },
    };
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        struct err err;
        err_set(&err, E_IO, "%s", pair[i][0]);
        assert_string_equal(err.text, pair[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_used_once_and_names_match),
        cmocka_unit_test(unknown_codes_are_worth_another_try),
        cmocka_unit_test(an_error_is_filled_in_and_its_code_returned),
        cmocka_unit_test(the_meaning_of_errno_survives_a_long_text),
        cmocka_unit_test(a_long_text_is_cut_between_letters),
        cmocka_unit_test(a_text_that_just_fits_is_whole),
        cmocka_unit_test(the_text_is_one_line_of_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
