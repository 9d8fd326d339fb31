/* SPDX-License-Identifier: AGPL-3.0-or-later
 * SHA-256 against the examples of FIPS 180, and its hexadecimal form; the pipeline digest that is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/pipeline.h"

static void assert_digest(const uint8_t digest[SHA256_BYTES], const char *want)
{
    char hex[SHA256_HEX_CHARS + 1];
    sha256_hex(digest, hex);
    assert_string_equal(hex, want);
}

static void examples_of_the_standard(void **state)
{
    (void)state;
    uint8_t digest[SHA256_BYTES];
    sha256_of("", 0, digest);
    assert_digest(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of("abc", 3, digest);
    assert_digest(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void parts_hash_as_the_whole(void **state)
{
    (void)state;
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    uint8_t digest[SHA256_BYTES];
    char step[1000];
    memset(step, 'a', sizeof step);
    sha256_update(hash, NULL, 0);
    for (int i = 0; i < 1000; i++)
        sha256_update(hash, step, sizeof step);
    sha256_final(hash, digest);
    assert_digest(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    sha256_destroy(&hash);
    assert_null(hash);
    sha256_destroy(&hash);
}

static void hexadecimal_goes_both_ways(void **state)
{
    (void)state;
    uint8_t digest[SHA256_BYTES], back[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1];
    for (int i = 0; i < SHA256_BYTES; i++)
        digest[i] = (uint8_t)(i * 9);
    sha256_hex(digest, hex);
    assert_true(sha256_unhex(hex, back));
    assert_memory_equal(back, digest, sizeof digest);
}

static void what_is_no_digest_is_refused(void **state)
{
    (void)state;
    static const char good[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    uint8_t digest[SHA256_BYTES] = {1, 2, 3};
    char text[SHA256_HEX_CHARS + 2];
    for (size_t n = 0; n < SHA256_HEX_CHARS; n++) {
        /* on the heap and as long as its text, so that a sanitizer sees a look behind it */
        AUTO(mem_destroy) char *shorter = strndup(good, n);
        assert_false(sha256_unhex(shorter, digest));
    }
    snprintf(text, sizeof text, "%s0", good);
    assert_false(sha256_unhex(text, digest));
    for (size_t i = 0; i < SHA256_HEX_CHARS; i++)
        for (const char *bad = "AFg/: @`\x80"; *bad; bad++) {
            memcpy(text, good, sizeof good);
            text[i] = *bad;
            assert_false(sha256_unhex(text, digest));
        }
    assert_int_equal(digest[0], 1);
    assert_true(sha256_unhex(good, digest));
    assert_int_equal(digest[1], 0x11);
}

static void the_pipeline_digest_depends_on_its_parameters(void **state)
{
    (void)state;
    uint8_t model[SHA256_BYTES] = {7}, one[SHA256_BYTES], two[SHA256_BYTES];
    pipeline_digest("vie", model, "2b", one);
    pipeline_digest("vie", model, "2b", two);
    assert_memory_equal(one, two, sizeof one);
    pipeline_digest("vie+eng", model, "2b", two);
    assert_memory_not_equal(one, two, sizeof one);
    pipeline_digest("vie", model, "1b", two);
    assert_memory_not_equal(one, two, sizeof one);
    model[31] = 1;
    pipeline_digest("vie", model, "2b", two);
    assert_memory_not_equal(one, two, sizeof one);
}

static void a_long_language_list_is_hashed_to_its_end(void **state)
{
    (void)state;
    const uint8_t model[SHA256_BYTES] = {0};
    uint8_t one[SHA256_BYTES], two[SHA256_BYTES];
    char lang[2000];
    memset(lang, 'v', sizeof lang - 1);
    lang[sizeof lang - 1] = '\0';
    pipeline_digest(lang, model, "2b", one);
    lang[sizeof lang - 2] = 'w';
    pipeline_digest(lang, model, "2b", two);
    assert_memory_not_equal(one, two, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard),
        cmocka_unit_test(parts_hash_as_the_whole),
        cmocka_unit_test(hexadecimal_goes_both_ways),
        cmocka_unit_test(what_is_no_digest_is_refused),
        cmocka_unit_test(the_pipeline_digest_depends_on_its_parameters),
        cmocka_unit_test(a_long_language_list_is_hashed_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
