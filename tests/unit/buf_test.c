/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/buf.h"

static void an_empty_buffer_reads_as_no_text(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf buf = {0};
    assert_string_equal(buf_text(&buf), "");
    buf_clear(&buf);
    memset(buf_reserve(&buf, 0), 0, 0);
    assert_string_equal(buf_text(&buf), "");
    buf_append(&buf, NULL, 0);
    assert_int_equal(buf.size, 0);
}

static void what_is_reserved_is_not_there_yet(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf buf = {0};
    for (size_t bytes = 0; bytes < 5000; bytes += 63) {
        buf_destroy(&buf);
        buf_reserve(&buf, bytes);
        assert_int_equal(buf.size, 0);
        assert_string_equal(buf_text(&buf), "");
        buf_puts(&buf, "ab");
        buf_reserve(&buf, bytes);
        assert_string_equal(buf_text(&buf), "ab");
    }
}

static void bytes_stay_as_the_buffer_grows(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf buf = {0};
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        buf_append(&buf, &byte, 1);
    }
    assert_int_equal(buf.size, 100000);
    assert_int_equal(buf.data[buf.size], 0);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(buf.data[i], (uint8_t)(i * 7));
}

static void text_is_appended_and_formatted(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf buf = {0};
    char wide[300];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    buf_puts(&buf, "số ");
    buf_printf(&buf, "%d/%s", 2112, "QĐ-UBND");
    assert_string_equal(buf_text(&buf), "số 2112/QĐ-UBND");
    buf_printf(&buf, "%s", "");
    buf_printf(&buf, "%s%s", wide, wide);
    assert_int_equal(buf.size, strlen("số 2112/QĐ-UBND") + 2 * (sizeof wide - 1));
    assert_int_equal(strlen(buf_text(&buf)), buf.size);
}

static void clearing_keeps_the_memory(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf buf = {0};
    buf_puts(&buf, "something");
    const uint8_t *data = buf.data;
    buf_clear(&buf);
    assert_string_equal(buf_text(&buf), "");
    buf_puts(&buf, "else");
    assert_ptr_equal(buf.data, data);
    buf_destroy(&buf);
    assert_null(buf.data);
    buf_destroy(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_reads_as_no_text), cmocka_unit_test(what_is_reserved_is_not_there_yet),
        cmocka_unit_test(bytes_stay_as_the_buffer_grows),   cmocka_unit_test(text_is_appended_and_formatted),
        cmocka_unit_test(clearing_keeps_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
