/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Figures and grade of built pages: to the digit, monotone, and without the source's own words. */
#include "worker/quality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "proto/auto.h"

static Sohoa__Word *add(Sohoa__Line *line, const char *text, uint32_t confidence_cpct)
{
    Sohoa__Word *word = line_add_word(line, text);
    word->confidence_cpct = confidence_cpct;
    return word;
}

enum { WORDS = 400 };

/* A page of WORDS words, 1/10 of them so and the others so sure; the first word is given. */
static Sohoa__Page *page_of(const char *first, uint32_t sure_cpct, uint32_t unsure_cpct)
{
    Sohoa__Page *page = page_new(1);
    Sohoa__Line *line = block_add_line(page_add_block(page));
    for (int i = 0; i < WORDS; i++)
        add(line, i ? "nhân" : first, i % 10 ? sure_cpct : unsure_cpct);
    page->dpi_scan = 300;
    page->bits = 24;
    quality_measure(page);
    return page;
}

static void figures_weigh_words_by_letters(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Line *line = block_add_line(page_add_block(page)), *second = block_add_line(page->blocks[0]);
    add(line, "nghiêng", 9000);
    add(line, "ba", 4000);
    add(second, "đâtt", 7000);
    add(second, "|#¡~§^†", 1000);
    quality_measure(page);
    assert_int_equal(page->quality->confidence_p10_cpct, 1000);
    assert_int_equal(page->quality->confidence_p50_cpct, 7000);
    assert_int_equal(page->quality->impossible_cpct, 2000);
    assert_int_equal(page->quality->garbage_cpct, 3500);
    assert_int_equal(line->quality->confidence_p10_cpct, 4000);
    assert_int_equal(line->quality->confidence_p50_cpct, 9000);
    assert_int_equal(line->quality->impossible_cpct, 0);
    assert_int_equal(second->quality->garbage_cpct, 6364);
    assert_int_equal(page->grade, SOHOA__GRADE__GRADE_C);
}

static void grades_follow_the_prediction(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *good = page_of("nhân", 9600, 9600);
    AUTO(page_destroy) Sohoa__Page *fair = page_of("nhân", 9500, 6500);
    AUTO(page_destroy) Sohoa__Page *bad = page_of("nhân", 9000, 2000);
    assert_int_equal(good->error_cpct, (900 * 16 + 60 * 400) / 1000 + 1200 / 40);
    assert_int_equal(good->grade, SOHOA__GRADE__GRADE_A);
    assert_int_equal(fair->grade, SOHOA__GRADE__GRADE_B);
    assert_int_equal(bad->grade, SOHOA__GRADE__GRADE_C);
    assert_true(good->error_cpct < fair->error_cpct && fair->error_cpct < bad->error_cpct);
}

static void a_worse_figure_never_predicts_less(void **state)
{
    (void)state;
    uint32_t last = 0;
    for (uint32_t cpct = 10000; cpct <= 10000; cpct -= 250) {
        AUTO(page_destroy) Sohoa__Page *page = page_of("nhân", 9500, cpct);
        assert_true(page->error_cpct >= last);
        last = page->error_cpct;
    }
    AUTO(page_destroy) Sohoa__Page *word = page_of("nghiêng", 9500, 9500);
    AUTO(page_destroy) Sohoa__Page *none = page_of("nghiêgn", 9500, 9500);
    assert_true(none->error_cpct > word->error_cpct);
}

static void few_letters_predict_more(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Line *line = block_add_line(page_add_block(page));
    uint32_t last = UINT32_MAX;
    for (int i = 0; i < 200; i++) {
        add(line, "nhân", 10000);
        quality_measure(page);
        assert_true(page->error_cpct <= last);
        last = page->error_cpct;
    }
    assert_int_equal(last, 1200 * 100 / 2828);
}

static void suspect_scans_are_to_be_looked_at(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    quality_measure(page);
    assert_int_equal(page->grade, SOHOA__GRADE__GRADE_C);
    page->kind = SOHOA__PAGE_KIND__PAGE_BLANK;
    quality_measure(page);
    assert_int_equal(page->grade, SOHOA__GRADE__GRADE_NONE);
    page->kind = SOHOA__PAGE_KIND__PAGE_SCAN;
    Sohoa__Line *line = block_add_line(page_add_block(page));
    for (int i = 0; i < 100; i++)
        add(line, "dân", 9900);
    quality_measure(page);
    assert_int_not_equal(page->grade, SOHOA__GRADE__GRADE_C);
    page_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED);
    quality_measure(page);
    assert_int_equal(page->grade, SOHOA__GRADE__GRADE_C);
}

static void own_words_do_not_count(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Line *line = block_add_line(page_add_block(page));
    add(line, "|||", 100)->own = true;
    quality_measure(page);
    assert_null(page->quality);
    assert_null(line->quality);
    assert_int_equal(page->grade, SOHOA__GRADE__GRADE_NONE);
    assert_int_equal(page->error_cpct, 0);
    add(line, "dân", 9900);
    quality_measure(page);
    quality_measure(page);
    assert_int_equal(page->quality->confidence_p10_cpct, 9900);
    assert_int_equal(page->quality->garbage_cpct, 0);
    assert_int_equal(page->grade, SOHOA__GRADE__GRADE_B);
}

static size_t notes_of(uint32_t dpi, uint32_t bits, Sohoa__PageNote *first)
{
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    page->dpi_scan = dpi;
    page->bits = bits;
    quality_measure(page);
    *first = page->n_notes ? page->notes[0] : SOHOA__PAGE_NOTE__NOTE_NONE;
    return page->n_notes;
}

static void scans_below_the_circular_are_noted(void **state)
{
    (void)state;
    Sohoa__PageNote first;
    assert_int_equal(notes_of(300, 24, &first), 0);
    assert_int_equal(notes_of(199, 24, &first), 0);
    assert_int_equal(notes_of(150, 24, &first), 1);
    assert_int_equal(first, SOHOA__PAGE_NOTE__NOTE_LOW_DPI);
    assert_int_equal(notes_of(200, 8, &first), 1);
    assert_int_equal(first, SOHOA__PAGE_NOTE__NOTE_LOW_COLOUR);
    assert_int_equal(notes_of(100, 1, &first), 2);
    assert_int_equal(notes_of(0, 0, &first), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_weigh_words_by_letters),     cmocka_unit_test(grades_follow_the_prediction),
        cmocka_unit_test(a_worse_figure_never_predicts_less), cmocka_unit_test(own_words_do_not_count),
        cmocka_unit_test(suspect_scans_are_to_be_looked_at),  cmocka_unit_test(few_letters_predict_more),
        cmocka_unit_test(scans_below_the_circular_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
