/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/packages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct backlog *backlog;
static struct packages *packages;

static int start(void **state)
{
    (void)state;
    backlog = backlog_new();
    batch_add(backlog, "a", 5, NONE);
    batch_add(backlog, "b", 5, NONE);
    packages = packages_new();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    packages_destroy(&packages);
    assert_null(packages);
    backlog_destroy(&backlog);
    return 0;
}

static void packaged(const char *batch, const char *file, size_t digest_bytes, uint64_t time_ms)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Packaged said = SOHOA__PACKAGED__INIT;
    uint8_t sha256[SHA256_BYTES] = {7};
    said.batch = (char *)(uintptr_t)batch;
    said.file = (char *)(uintptr_t)file;
    said.profile = (char *)"aip-05-2025";
    said.package = (char *)"urn:F01:uuid-1";
    said.sha256 = (ProtobufCBinaryData){digest_bytes, sha256};
    said.bytes = 4096;
    said.documents = 3;
    said.pages = 12;
    entry.actor = (char *)"lan";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_PACKAGED;
    entry.packaged = &said;
    packages_add(packages, backlog, &entry, time_ms);
}

static void what_was_packed_is_told(void **state)
{
    (void)state;
    packaged("b", "H26.01", SHA256_BYTES, 99);
    const struct packaged *it = packages_nth(packages, 0);
    assert_non_null(it);
    assert_int_equal(it->batch, 1);
    assert_string_equal(it->file, "H26.01");
    assert_string_equal(it->profile, "aip-05-2025");
    assert_string_equal(it->package, "urn:F01:uuid-1");
    assert_string_equal(it->actor, "lan");
    assert_int_equal(it->sha256[0], 7);
    assert_int_equal(it->bytes, 4096);
    assert_int_equal(it->documents, 3);
    assert_int_equal(it->pages, 12);
    assert_int_equal(it->time_ms, 99);
    assert_null(packages_nth(packages, 1));
}

static void the_oldest_come_first(void **state)
{
    char file[16];
    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(file, sizeof file, "H26.%02d", i);
        packaged(i % 2 ? "a" : "b", file, SHA256_BYTES, (uint64_t)i);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(file, sizeof file, "H26.%02d", i);
        assert_string_equal(packages_nth(packages, (size_t)i)->file, file);
        assert_int_equal(packages_nth(packages, (size_t)i)->batch, !(i % 2));
    }
    assert_null(packages_nth(packages, 100));
}

static void others_are_passed_over(void **state)
{
    (void)state;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Released said = SOHOA__RELEASED__INIT;
    said.batch = (char *)"a";
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RELEASED;
    entry.released = &said;
    packages_add(packages, backlog, &entry, 1);
    packaged("unknown", "H26.01", SHA256_BYTES, 2);
    assert_null(packages_nth(packages, 0));
}

static void what_is_known_is_told(void **state)
{
    (void)state;
    uint8_t sha256[SHA256_BYTES] = {7}, other[SHA256_BYTES] = {8};
    packaged("b", "H26.01", SHA256_BYTES, 99);
    assert_true(packages_has(packages, 1, "urn:F01:uuid-1", sha256));
    assert_false(packages_has(packages, 0, "urn:F01:uuid-1", sha256));
    assert_false(packages_has(packages, 1, "urn:F01:uuid-2", sha256));
    assert_false(packages_has(packages, 1, "urn:F01:uuid-1", other));
}

static void a_hash_of_another_length_counts_as_none(void **state)
{
    (void)state;
    packaged("a", "H26.01", 3, 1);
    assert_int_equal(packages_nth(packages, 0)->sha256[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_packed_is_told, start, stop),
        cmocka_unit_test_setup_teardown(the_oldest_come_first, start, stop),
        cmocka_unit_test_setup_teardown(others_are_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(what_is_known_is_told, start, stop),
        cmocka_unit_test_setup_teardown(a_hash_of_another_length_counts_as_none, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
