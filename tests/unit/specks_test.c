/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Specks: what no reader would take for a word goes, and what might be one stays. */
#include "worker/specks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the first three */
#include <cmocka.h>

#include "proto/auto.h"

enum { USUAL_PX = 30 };

struct given {
    const char *text;
    uint32_t h, cpct;
    bool own;
};

/* Whether the word stays on a page of words of USUAL_PX. */
static bool word_stays(struct given given)
{
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Line *line = block_add_line(page_add_block(page));
    for (int i = 0; i < 3; i++) {
        line_add_word(line, "nhân")->h = USUAL_PX;
        line->words[i]->confidence_cpct = 9500;
    }
    Sohoa__Word *word = line_add_word(line, given.text);
    word->h = given.h;
    word->confidence_cpct = given.cpct;
    word->own = given.own;
    assert_int_equal(specks_drop(page, NULL), 0);
    assert_in_range(page->blocks[0]->lines[0]->n_words, 3, 4);
    return page->blocks[0]->lines[0]->n_words == 4;
}

static void specks_go(void **state)
{
    (void)state;
    assert_false(word_stays((struct given){"Su", 4, 2100, false}));
    assert_false(word_stays((struct given){"ệ", 2, 0, false}));
    assert_false(word_stays((struct given){"`", 3, 7900, false}));
    assert_false(word_stays((struct given){"-", 3, 2900, false}));
    assert_false(word_stays((struct given){"ki", 14, 1900, false}));
}

static void words_stay(void **state)
{
    (void)state;
    assert_true(word_stays((struct given){"-", 4, 3000, false}));
    assert_true(word_stays((struct given){"–", 4, 9000, false}));
    assert_true(word_stays((struct given){"~", 4, 4000, false}));
    assert_true(word_stays((struct given){"*", 9, 4500, false}));
    assert_true(word_stays((struct given){":", 8, 8000, false}));
    assert_true(word_stays((struct given){"xem", 14, 500, false}));
    assert_true(word_stays((struct given){"ê", 20, 0, false}));
}

static void numbers_by_hand_stay(void **state)
{
    (void)state;
    assert_true(word_stays((struct given){"7.", 7, 100, false}));
    assert_true(word_stays((struct given){"½", 9, 0, false}));
    assert_true(word_stays((struct given){"Ï", 60, 100, false}));
    assert_true(word_stays((struct given){"]", 61, 1800, false}));
}

static void own_words_stay(void **state)
{
    (void)state;
    assert_true(word_stays((struct given){"Su", 4, 100, true}));
}

static void a_line_of_specks_goes(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    line_add_word(block_add_line(page_add_block(page)), "nhân")->h = USUAL_PX;
    line_add_word(block_add_line(page_add_block(page)), "ì")->h = 3;
    page->blocks[0]->lines[0]->words[0]->confidence_cpct = 9000;
    assert_int_equal(specks_drop(page, NULL), 0);
    assert_int_equal(page->n_blocks, 1);
}

static void an_empty_page_has_none(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    assert_int_equal(specks_drop(page, NULL), 0);
    assert_int_equal(page->n_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specks_go),
        cmocka_unit_test(words_stay),
        cmocka_unit_test(numbers_by_hand_stay),
        cmocka_unit_test(own_words_stay),
        cmocka_unit_test(a_line_of_specks_goes),
        cmocka_unit_test(an_empty_page_has_none),
    };
    return cmocka_run_group_tests_name("specks", tests, NULL, NULL);
}
