/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Page results: built, measured, packed and unpacked; hostile bytes are refused. */
#include "worker/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the five above */
#include <cmocka.h>

#include "proto/auto.h"

static Sohoa__Word *add_word(Sohoa__Line *line, const char *text, int32_t x, int32_t y, uint32_t w, uint32_t h,
                             uint32_t confidence_cpct)
{
    Sohoa__Word *word = line_add_word(line, text);
    word->x = x;
    word->y = y;
    word->w = w;
    word->h = h;
    word->confidence_cpct = confidence_cpct;
    return word;
}

static Sohoa__Page *sample_page(void)
{
    Sohoa__Page *page = page_new(7);
    Sohoa__Line *line = block_add_line(page_add_block(page));
    add_word(line, "Quyết", 100, 50, 40, 20, 9000);
    add_word(line, "định", 150, 45, 30, 22, 5000);
    add_word(block_add_line(page->blocks[0]), "số", -5, 90, 20, 10, 10000)->own = true;
    page_fit_bounds(page);
    return page;
}

static void bounds_enclose_words_lines_and_blocks(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = sample_page();
    const Sohoa__Line *line = page->blocks[0]->lines[0];
    assert_int_equal(line->x, 100);
    assert_int_equal(line->y, 45);
    assert_int_equal(line->w, 80);
    assert_int_equal(line->h, 25);
    const Sohoa__Block *block = page->blocks[0];
    assert_int_equal(block->x, -5);
    assert_int_equal(block->y, 45);
    assert_int_equal(block->w, 185);
    assert_int_equal(block->h, 55);
}

static void confidence_is_weighted_by_letters_of_read_words(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = sample_page();
    struct page_figures figures;
    page_measure(page, &figures);
    assert_int_equal(figures.words, 3);
    assert_int_equal(figures.low_words, 1);
    assert_int_equal(figures.confidence_cpct, (5 * 9000 + 4 * 5000 + 4) / 9);
}

static void an_empty_page_measures_zero(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    struct page_figures figures;
    page_measure(page, &figures);
    assert_int_equal(figures.words + figures.confidence_cpct + figures.low_words, 0);
}

static void packing_and_unpacking_keeps_everything(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = sample_page(), *again = NULL;
    AUTO(buf_destroy) struct buf packed = {0}, twice = {0};
    struct err err = {0};
    page_pack(page, &packed);
    assert_int_equal(page_unpack(packed.data, packed.size, &again, &err), 0);
    assert_int_equal(again->page_no, 7);
    assert_string_equal(again->blocks[0]->lines[0]->words[1]->text, "định");
    assert_true(again->blocks[0]->lines[1]->words[0]->own);
    page_pack(again, &twice);
    assert_int_equal(packed.size, twice.size);
    assert_memory_equal(packed.data, twice.data, packed.size);
}

static bool is_own(const Sohoa__Word *word, const void *user)
{
    assert_null(user);
    return word->own;
}

static void pruning_leaves_no_empty_parts(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = sample_page();
    add_word(block_add_line(page_add_block(page)), "gone", 0, 0, 1, 1, 1);
    page_prune(page, is_own, NULL);
    assert_int_equal(page->n_blocks, 1);
    assert_int_equal(page->blocks[0]->n_lines, 1);
    assert_int_equal(page->blocks[0]->lines[0]->n_words, 1);
    assert_string_equal(page->blocks[0]->lines[0]->words[0]->text, "số");
}

/* Unpacked arrays are exactly as long as they must be. */
static void unpacked_pages_can_grow(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1), *again = NULL;
    AUTO(buf_destroy) struct buf packed = {0};
    Sohoa__Line *line = block_add_line(page_add_block(page));
    for (int i = 0; i < 3; i++)
        line_add_word(line, "a");
    page_pack(page, &packed);
    assert_int_equal(page_unpack(packed.data, packed.size, &again, NULL), 0);
    for (int i = 0; i < 300; i++)
        line_add_word(again->blocks[0]->lines[0], "b");
    assert_int_equal(again->blocks[0]->lines[0]->n_words, 303);
    page_take_block(page, again->blocks[0]);
    again->n_blocks = 0;
    assert_string_equal(page->blocks[1]->lines[0]->words[302]->text, "b");
}

static void expect_refused(const void *data, size_t bytes)
{
    Sohoa__Page *page = NULL;
    struct err err = {0};
    assert_int_equal(page_unpack(data, bytes, &page, &err), E_FRAME);
    assert_null(page);
    assert_int_equal(err.code, E_FRAME);
    assert_true(err.text[0]);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    expect_refused("\xff\xff\xff\xff", 4);
    AUTO(page_destroy) Sohoa__Page *page = sample_page();
    AUTO(buf_destroy) struct buf packed = {0};
    page_pack(page, &packed);
    for (size_t cut = 1; cut < packed.size; cut++) {
        Sohoa__Page *part = NULL;
        if (page_unpack(packed.data, packed.size - cut, &part, NULL) == 0)
            page_destroy(&part);
        assert_null(part);
    }
}

static void words_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = sample_page();
    AUTO(buf_destroy) struct buf packed = {0};
    page->blocks[0]->lines[0]->words[0]->confidence_cpct = 10001;
    page_pack(page, &packed);
    expect_refused(packed.data, packed.size);
    page->blocks[0]->lines[0]->words[0]->confidence_cpct = 10000;
    page->blocks[0]->lines[0]->words[0]->text[0] = (char)0xc3;
    buf_clear(&packed);
    page_pack(page, &packed);
    expect_refused(packed.data, packed.size);
}

static void too_many_words_are_refused(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1), *again = NULL;
    AUTO(buf_destroy) struct buf packed = {0};
    Sohoa__Line *line = block_add_line(page_add_block(page));
    for (int i = 0; i < PAGE_MAX_WORDS; i++)
        line_add_word(line, "a");
    page_pack(page, &packed);
    assert_int_equal(page_unpack(packed.data, packed.size, &again, NULL), 0);
    line_add_word(line, "a");
    buf_clear(&packed);
    page_pack(page, &packed);
    expect_refused(packed.data, packed.size);
}

static void hands_are_kept_and_checked(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = sample_page(), *again = NULL;
    AUTO(buf_destroy) struct buf packed = {0};
    for (int i = 0; i < HANDS_MOST; i++)
        page_add_hand(page)->kind = SOHOA__HAND_KIND__HAND_DAY;
    for (int i = 0; i < HAND_MAX_GUESSES; i++)
        hand_add_guess(page->hands[1], "12345678")->confidence_cpct = 10000;
    page_pack(page, &packed);
    assert_int_equal(page_unpack(packed.data, packed.size, &again, NULL), 0);
    assert_int_equal(again->n_hands, HANDS_MOST);
    assert_int_equal(again->hands[1]->kind, SOHOA__HAND_KIND__HAND_DAY);
    assert_int_equal(again->hands[1]->n_guesses, HAND_MAX_GUESSES);
    assert_string_equal(again->hands[1]->guesses[4]->text, "12345678");
    static const char *const odd[] = {"", "1a", "-1", "123456789"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        free(page->hands[1]->guesses[2]->text);
        page->hands[1]->guesses[2]->text = strdup(odd[i]);
        buf_clear(&packed);
        page_pack(page, &packed);
        expect_refused(packed.data, packed.size);
    }
    strcpy(page->hands[1]->guesses[2]->text, "12");
    page->hands[1]->guesses[2]->confidence_cpct = 10001;
    buf_clear(&packed);
    page_pack(page, &packed);
    expect_refused(packed.data, packed.size);
    page->hands[1]->guesses[2]->confidence_cpct = 1;
    hand_add_guess(page->hands[1], "1");
    buf_clear(&packed);
    page_pack(page, &packed);
    expect_refused(packed.data, packed.size);
    page_add_hand(again);
    buf_clear(&packed);
    page_pack(again, &packed);
    expect_refused(packed.data, packed.size);
}

/* 16 MiB of empty blocks would be more than half a gigabyte in memory. */
static void small_bytes_that_grow_large_are_refused(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf bomb = {0};
    uint8_t *at = buf_reserve(&bomb, PAGE_MAX_BYTES);
    for (size_t i = 0; i < PAGE_MAX_BYTES; i += 2) {
        at[i] = 10 << 3 | 2;
        at[i + 1] = 0;
    }
    expect_refused(at, PAGE_MAX_BYTES);
    expect_refused(at, (size_t)PAGE_MAX_BYTES + 1);
}

static int count_page(const void *packed, size_t bytes, void *user, struct err *err)
{
    AUTO(page_destroy) Sohoa__Page *page = NULL;
    int rc = page_unpack(packed, bytes, &page, err);
    if (!rc && page->page_no == 13)
        rc = err_set(err, E_ASSEMBLE, "13");
    if (!rc)
        *(uint32_t *)user += page->page_no;
    return rc;
}

static void row_add(struct buf *row, uint32_t page_no)
{
    AUTO(page_destroy) Sohoa__Page *page = page_new(page_no);
    AUTO(buf_destroy) struct buf packed = {0};
    page_pack(page, &packed);
    pages_append(row, packed.data, packed.size);
}

static void a_row_gives_its_pages_in_order_until_an_error(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf row = {0};
    uint32_t sum = 0;
    assert_int_equal(pages_each(row.data, 0, count_page, &sum, NULL), 0);
    row_add(&row, 1);
    row_add(&row, 300);
    assert_int_equal(pages_each(row.data, row.size, count_page, &sum, NULL), 0);
    assert_int_equal(sum, 301);
    row_add(&row, 13);
    row_add(&row, 1000);
    sum = 0;
    assert_int_equal(pages_each(row.data, row.size, count_page, &sum, NULL), E_ASSEMBLE);
    assert_int_equal(sum, 301);
}

static void a_cut_row_is_refused(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf row = {0};
    row_add(&row, 1);
    size_t first = row.size;
    row_add(&row, 2);
    for (size_t size = 1; size < row.size; size++) {
        uint32_t sum = 0;
        assert_int_equal(pages_each(row.data, size, count_page, &sum, NULL), size == first ? 0 : E_FRAME);
    }
}

static void formats_count_as_so_many_a4_pages(void **state)
{
    static const struct {
        double width_mm, height_mm;
        uint32_t dpi, a4;
    } row[] = {
        {210,  297,  300, 1 },
        {148,  210,  300, 1 }, /* A5 */
        {216,  356,  200, 1 }, /* a long sheet */
        {297,  420,  300, 2 },
        {420,  297,  72,  2 },
        {420,  594,  200, 4 },
        {594,  841,  100, 8 },
        {841,  1189, 60,  16},
        {2000, 3000, 60,  16},
        {210,  297,  0,   1 }, /* nobody knows */
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        AUTO(page_destroy) Sohoa__Page *page = page_new(1);
        page->width_px = (uint32_t)(row[i].width_mm / 25.4 * (row[i].dpi ? row[i].dpi : 300));
        page->height_px = (uint32_t)(row[i].height_mm / 25.4 * (row[i].dpi ? row[i].dpi : 300));
        page->dpi_view = row[i].dpi;
        assert_int_equal(page_a4(page), row[i].a4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_count_as_so_many_a4_pages),
        cmocka_unit_test(bounds_enclose_words_lines_and_blocks),
        cmocka_unit_test(confidence_is_weighted_by_letters_of_read_words),
        cmocka_unit_test(an_empty_page_measures_zero),
        cmocka_unit_test(packing_and_unpacking_keeps_everything),
        cmocka_unit_test(pruning_leaves_no_empty_parts),
        cmocka_unit_test(unpacked_pages_can_grow),
        cmocka_unit_test(garbage_is_refused),
        cmocka_unit_test(words_that_make_no_sense_are_refused),
        cmocka_unit_test(too_many_words_are_refused),
        cmocka_unit_test(hands_are_kept_and_checked),
        cmocka_unit_test(small_bytes_that_grow_large_are_refused),
        cmocka_unit_test(a_row_gives_its_pages_in_order_until_an_error),
        cmocka_unit_test(a_cut_row_is_refused),
    };
    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
