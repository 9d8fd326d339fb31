/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Bundles: what went in comes out, and damaged, padded or too large ones do not. */
#include "worker/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "proto/auto.h"

static void sample(struct buf *row)
{
    for (int i = 0; i < 3000; i++)
        buf_printf(row, "page %d of a row that repeats itself; ", i);
}

static void rows_come_back(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf row = {0}, bundle = {0}, again = {0}, twice = {0};
    sample(&row);
    assert_int_equal(bundle_pack(row.data, row.size, &bundle, NULL), 0);
    assert_true(bundle.size < row.size / 5);
    buf_puts(&again, "before");
    assert_int_equal(bundle_unpack(bundle.data, bundle.size, row.size, &again, NULL), 0);
    assert_int_equal(again.size, row.size + 6);
    assert_memory_equal(again.data + 6, row.data, row.size);
    assert_int_equal(bundle_pack(row.data, row.size, &twice, NULL), 0);
    assert_int_equal(twice.size, bundle.size);
    assert_memory_equal(twice.data, bundle.data, bundle.size);
}

static void an_empty_row_is_a_bundle_too(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf bundle = {0}, again = {0};
    assert_int_equal(bundle_pack("", 0, &bundle, NULL), 0);
    assert_true(bundle.size > 0);
    assert_int_equal(bundle_unpack(bundle.data, bundle.size, 0, &again, NULL), 0);
    assert_int_equal(again.size, 0);
}

static void expect_refused(const void *bundle, size_t bytes, size_t max_bytes, int code)
{
    AUTO(buf_destroy) struct buf row = {0};
    struct err err = {0};
    assert_int_equal(bundle_unpack(bundle, bytes, max_bytes, &row, &err), code);
    assert_int_equal(err.code, code);
    assert_int_equal(row.size, 0);
}

static void too_large_rows_are_refused(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf row = {0}, bundle = {0};
    sample(&row);
    assert_int_equal(bundle_pack(row.data, row.size, &bundle, NULL), 0);
    expect_refused(bundle.data, bundle.size, row.size - 1, E_LIMIT);
}

static void damage_is_seen(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf row = {0}, bundle = {0};
    sample(&row);
    assert_int_equal(bundle_pack(row.data, row.size, &bundle, NULL), 0);
    for (size_t cut = 1; cut < bundle.size; cut += 97)
        expect_refused(bundle.data, bundle.size - cut, row.size, E_CORRUPT);
    for (size_t at = 20; at < bundle.size; at += 53) {
        bundle.data[at] ^= 1;
        expect_refused(bundle.data, bundle.size, row.size, E_CORRUPT);
        bundle.data[at] ^= 1;
    }
    buf_puts(&bundle, "x");
    expect_refused(bundle.data, bundle.size, row.size, E_CORRUPT);
    expect_refused("no bundle at all", 16, 1000, E_CORRUPT);
    expect_refused("", 0, 1000, E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(an_empty_row_is_a_bundle_too),
        cmocka_unit_test(too_large_rows_are_refused),
        cmocka_unit_test(damage_is_seen),
    };
    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}
