/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A packed sketch reads back, fits, and nothing else is taken for one. */
#include "proto/sketch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"

static struct sketch full(void)
{
    struct sketch sketch = {.key = 0x89abcdef,
                            .pages = 300,
                            .shingles = 40000,
                            .error_cpct = 321,
                            .dpi = 600,
                            .bits = 24,
                            .marks = SKETCH_MARKS,
                            .pictures = SKETCH_PICTURES};
    for (unsigned i = 0; i < SKETCH_TEXT; i++)
        sketch.text[i] = (uint8_t)(i * 7);
    for (unsigned i = 0; i < SKETCH_MARKS; i++) {
        sketch.context[i] = (uint16_t)(i * 2400);
        sketch.value[i] = (uint8_t)(255 - i);
    }
    sketch.picture[0] = UINT64_C(0xfedcba9876543210);
    sketch.picture[1] = 1;
    return sketch;
}

static void assert_reads_back(const struct sketch *sketch)
{
    AUTO(buf_destroy) struct buf packed = {0};
    struct sketch back;
    sketch_pack(sketch, &packed);
    assert_true(packed.size <= SKETCH_MAX_BYTES);
    assert_int_equal(sketch_unpack(packed.data, packed.size, &back, NULL), 0);
    assert_memory_equal(&back, sketch, sizeof back);
}

static void it_reads_back(void **state)
{
    (void)state;
    struct sketch sketch = full(), nothing = {0};
    assert_reads_back(&sketch);
    assert_reads_back(&nothing);
    nothing.pictures = 1;
    nothing.picture[0] = 7;
    assert_reads_back(&nothing);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf packed = {0};
    struct sketch sketch = full(), back;
    struct err err;
    sketch_pack(&sketch, &packed);
    for (size_t bytes = 0; bytes < packed.size; bytes++)
        assert_int_equal(sketch_unpack(packed.data, bytes, &back, &err), E_CORRUPT);
    buf_append(&packed, "", 1);
    assert_int_equal(sketch_unpack(packed.data, packed.size, &back, &err), E_CORRUPT);
    packed.data[0] = 2; /* another version */
    assert_int_equal(sketch_unpack(packed.data, packed.size - 1, &back, &err), E_CORRUPT);
    packed.data[0] = 1;
    packed.data[14] = SKETCH_MARKS + 1;
    assert_int_equal(sketch_unpack(packed.data, packed.size - 1, &back, &err), E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_reads_back), cmocka_unit_test(what_is_none_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
