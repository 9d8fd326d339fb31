/* SPDX-License-Identifier: AGPL-3.0-or-later
 * CRC-32C against the examples of RFC 3720, appendix B.4, and the CPU's instruction against the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "storage/crc32c.h"

static void examples_of_the_standard(void **state)
{
    (void)state;
    uint8_t data[32];
    memset(data, 0, sizeof data);
    assert_int_equal(crc32c(data, sizeof data), 0x8a9136aa);
    memset(data, 0xff, sizeof data);
    assert_int_equal(crc32c(data, sizeof data), 0x62a8ab43);
    for (uint8_t i = 0; i < sizeof data; i++)
        data[i] = i;
    assert_int_equal(crc32c(data, sizeof data), 0x46dd794e);
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c("", 0), 0);
}

static void cpu_and_table_agree(void **state)
{
    (void)state;
    uint8_t data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * i + 7);
    for (size_t first = 0; first < 9; first++)
        for (size_t bytes = 0; first + bytes <= sizeof data; bytes++)
            assert_int_equal(crc32c(data + first, bytes), crc32c_by_table(data + first, bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard),
        cmocka_unit_test(cpu_and_table_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
