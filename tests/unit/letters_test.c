/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which words are corrected and how; which stay; what is kept of them. */
#include "worker/letters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <utf8proc.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "proto/auto.h"

/* words: "before word"; the last one is told. */
static void corrected(const char *text, const char *expected)
{
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Line *line = block_add_line(page_add_block(page));
    const char *blank = strchr(text, ' '), *last = blank ? blank + 1 : text;
    char before[32] = "";
    if (blank) {
        memcpy(before, text, (size_t)(blank - text));
        line_add_word(line, before);
    }
    Sohoa__Word *word = line_add_word(line, last);
    letters_correct(page);
    assert_string_equal(word->text, expected);
    assert_string_equal(word->raw, strcmp(last, expected) ? last : "");
    AUTO(mem_destroy) char *nfc = (char *)utf8proc_NFC((const utf8proc_uint8_t *)word->text);
    assert_string_equal(word->text, nfc);
}

static void stays(const char *text)
{
    const char *blank = strchr(text, ' ');
    corrected(text, blank ? blank + 1 : text);
}

static void a_single_likely_letter_is_put_right(void **state)
{
    (void)state;
    corrected("đât", "đất");
    corrected("(câp,", "(cấp,");
    corrected("quyêt", "quyết");
    corrected("QUYÉT", "QUYẾT");
    corrected("cáơ", "cáo");
    corrected("qưyết", "quyết");
    corrected("giaỏ.", "giao.");
    corrected("frường", "trường");
    corrected("nghïêm", "nghïêm");
    corrected("kiñh", "kinh");
    corrected("th0ại", "thoại");
    corrected("p1ương", "p1ương");
    corrected("rniền", "miền");
}

static void ambiguous_and_possible_words_stay(void **state)
{
    (void)state;
    stays("rö");   /* rõ, rô, rố */
    stays("trât"); /* trất, but trật is the word */
    stays("tố");   /* tổ may be meant */
    stays("1uấn"); /* luấn can be, Tuấn was */
    stays("UBND");
    stays("Internet");
    stays("xzkq");
    stays("lảI");
    stays("nghèẻo");
}

static void capitals_within_a_word_become_small(void **state)
{
    (void)state;
    corrected("nghiỆp;", "nghiệp;");
    corrected("QUYếT", "QUYếT");
    stays("UyBan");
}

static void eth_is_no_letter_of_vietnamese(void **state)
{
    (void)state;
    corrected("12/QĐÐ-UBND", "12/QĐ-UBND");
    corrected("33/QÐ-TTg", "33/QĐ-TTg");
    corrected("ÐĐU", "ĐU");
    corrected("39-QĐÐ/ĐÐU", "39-QĐ/ĐU");
    corrected("-QĐÐ/ĐÐĐU", "-QĐ/ĐU");
    stays("ĐĐBH");
}

static void articles_are_numbered(void **state)
{
    (void)state;
    corrected("Điều L.", "1.");
    corrected("Điều l0.", "10.");
    corrected("Điều l.Lập", "1.Lập");
    corrected("Khoản I,", "1,");
    corrected("ĐIỀU lO", "10");
    stays("Điều 12.");
    stays("Điều Lệ");
    stays("Chương I.");
    stays("mục L.");
    stays("Điều O");
    stays("L.");
}

static void the_sources_own_words_stay(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Word *word = line_add_word(block_add_line(page_add_block(page)), "đât");
    word->own = true;
    letters_correct(page);
    assert_string_equal(word->text, "đât");
    assert_string_equal(word->raw, "");
}

static void words_that_were_corrected_before_keep_their_raw(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Word *word = line_add_word(block_add_line(page_add_block(page)), "đât");
    word->raw = strdup("dât");
    letters_correct(page);
    assert_string_equal(word->text, "đât");
    assert_string_equal(word->raw, "dât");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_single_likely_letter_is_put_right),
        cmocka_unit_test(ambiguous_and_possible_words_stay),
        cmocka_unit_test(capitals_within_a_word_become_small),
        cmocka_unit_test(eth_is_no_letter_of_vietnamese),
        cmocka_unit_test(articles_are_numbered),
        cmocka_unit_test(the_sources_own_words_stay),
        cmocka_unit_test(words_that_were_corrected_before_keep_their_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
