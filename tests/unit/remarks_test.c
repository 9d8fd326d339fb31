/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What was said of a document is found again by its hash, whatever a crash has left between. */
#include "coordinator/remarks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"

static void append(struct buf *blob, const char *reason, const char *value, uint8_t salt, uint8_t sha256[SHA256_BYTES])
{
    Sohoa__Remarks remarks = SOHOA__REMARKS__INIT;
    Sohoa__Correction correction = SOHOA__CORRECTION__INIT, *corrections = &correction;
    uint8_t salts[REMARKS_SALT_BYTES];
    memset(salts, salt, sizeof salts);
    correction.field = SOHOA__FIELD_NAME__FIELD_SIGNER;
    correction.value = (char *)(uintptr_t)value;
    remarks.salt = (ProtobufCBinaryData){sizeof salts, salts};
    remarks.reason = (char *)(uintptr_t)reason;
    remarks.corrections = &corrections;
    remarks.n_corrections = 1;
    remarks_append(blob, &remarks, sha256);
}

static void assert_says(const struct remarks_book *book, const uint8_t sha256[SHA256_BYTES], const char *value)
{
    const Sohoa__Remarks *said = remarks_find(book, sha256);
    assert_non_null(said);
    assert_string_equal(remarks_correction(said, SOHOA__FIELD_NAME__FIELD_SIGNER)->value, value);
    assert_null(remarks_correction(said, SOHOA__FIELD_NAME__FIELD_PLACE));
}

static void records_are_found_by_their_hash(void **state)
{
    AUTO(buf_destroy) struct buf blob = {0};
    AUTO(remarks_clear) struct remarks_book book = {0};
    uint8_t an[SHA256_BYTES], anh[SHA256_BYTES], salted[SHA256_BYTES];
    (void)state;
    append(&blob, "", "An", 1, an);
    append(&blob, "seen", "Anh", 1, anh);
    append(&blob, "", "An", 2, salted);
    assert_memory_not_equal(an, salted, SHA256_BYTES); /* the same name is not known by its hash */
    remarks_read(&blob, &book);
    assert_int_equal(book.records, 3);
    assert_int_equal(book.bytes, blob.size);
    assert_says(&book, an, "An");
    assert_says(&book, anh, "Anh");
    assert_string_equal(remarks_find(&book, anh)->reason, "seen");
    an[0] ^= 1;
    assert_null(remarks_find(&book, an));
}

/* Cut at each byte; the append that is repeated follows, and so does a later one. */
static void what_was_cut_short_is_passed_over(void **state)
{
    AUTO(buf_destroy) struct buf whole = {0};
    uint8_t an[SHA256_BYTES], anh[SHA256_BYTES];
    (void)state;
    append(&whole, "RMK1", "An", 1, an);
    for (size_t cut = 0; cut <= whole.size; cut++) {
        AUTO(buf_destroy) struct buf blob = {0};
        AUTO(remarks_clear) struct remarks_book book = {0};
        buf_append(&blob, whole.data, cut);
        append(&blob, "RMK1", "An", 1, an);
        append(&blob, "", "Anh", 1, anh);
        remarks_read(&blob, &book);
        assert_int_equal(book.records, 2 + (cut == whole.size));
        assert_says(&book, an, "An");
        assert_says(&book, anh, "Anh");
    }
}

static void what_was_changed_is_not_found(void **state)
{
    AUTO(buf_destroy) struct buf blob = {0};
    uint8_t an[SHA256_BYTES];
    (void)state;
    append(&blob, "", "An", 1, an);
    for (size_t at = 0; at < blob.size; at++) {
        AUTO(remarks_clear) struct remarks_book book = {0};
        blob.data[at] ^= 0x10;
        remarks_read(&blob, &book);
        assert_null(remarks_find(&book, an));
        blob.data[at] ^= 0x10;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_found_by_their_hash),
        cmocka_unit_test(what_was_cut_short_is_passed_over),
        cmocka_unit_test(what_was_changed_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
