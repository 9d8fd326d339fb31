/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Lines that no word covers are found, and what is read of them comes where they stand. */
#include "worker/lost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "tests/lib/paper.h"

enum { LINES = 5, LEFT = 150, TOP = 200, STEP = 90, HEIGHT = 60 };

static const char line_text[] = "Ủy ban nhân dân quận thực hiện kế hoạch này";

static struct raster *sheet(void)
{
    AUTO(raster_destroy) struct raster *paper = paper_new(1654, 2339, 200);
    for (int i = 0; i < LINES; i++)
        paper_write(paper, LEFT, TOP + i * STEP, 14, 0x101010, line_text);
    return paper_gray(paper);
}

static void word_put(Sohoa__Line *line, const char *text, int32_t y, uint32_t cpct)
{
    Sohoa__Word *word = line_add_word(line, text);
    word->x = 0;
    word->w = 1654;
    word->y = y;
    word->h = HEIGHT;
    word->confidence_cpct = cpct;
}

/* One block with a word over each line but the one named. */
static Sohoa__Page *page_without(int lost)
{
    static const char *const text[LINES] = {"một", "hai", "ba", "bốn", "năm"};
    Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    for (int i = 0; i < LINES; i++)
        if (i != lost)
            word_put(block_add_line(block), text[i], TOP + i * STEP - 8, 9000);
    return page;
}

static void a_line_without_words_is_found(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *raster = sheet();
    for (int lost = 0; lost < LINES; lost++) {
        AUTO(page_destroy) Sohoa__Page *page = page_without(lost);
        AUTO(raster_destroy) struct raster *rest = lost_rest(raster, page);
        struct lost zones[LOST_ZONES];
        assert_int_equal(lost_find(rest, zones), 1);
        assert_true(zones[0].top_px <= (uint32_t)(TOP + lost * STEP + 5));
        assert_true(zones[0].bottom_px >= (uint32_t)(TOP + lost * STEP + 35));
    }
}

static void what_is_read_or_is_no_text_is_left_alone(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *raster = sheet();
    AUTO(page_destroy) Sohoa__Page *page = page_without(-1);
    struct lost zones[LOST_ZONES];
    AUTO(raster_destroy) struct raster *rest = lost_rest(raster, page);
    assert_int_equal(lost_find(rest, zones), 0);
    for (uint32_t y = 1000; y < 1600; y++) /* a photograph's raster */
        for (uint32_t x = 200; x < 1400; x++)
            rest->data[y * rest->stride_bytes + x] = x / 4 % 2 ? 0 : 255;
    for (uint32_t y = 1800; y < 1830; y++) /* long strokes */
        memset(rest->data + y * rest->stride_bytes + 100, 0, 1400);
    assert_int_equal(lost_find(rest, zones), 0);
}

static void the_cut_has_no_words_that_were_read(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *raster = sheet();
    AUTO(page_destroy) Sohoa__Page *page = page_without(2);
    AUTO(raster_destroy) struct raster *rest = lost_rest(raster, page);
    struct lost zones[LOST_ZONES];
    assert_int_equal(lost_find(rest, zones), 1);
    AUTO(raster_destroy) struct raster *cut = raster_rows(rest, zones[0].top_px, zones[0].bottom_px - zones[0].top_px);
    assert_int_equal(cut->height_px, zones[0].bottom_px - zones[0].top_px);
    size_t dark = 0;
    for (uint32_t y = 0; y < cut->height_px; y++)
        for (uint32_t x = 0; x < cut->width_px; x++) {
            bool is_dark = cut->data[y * cut->stride_bytes + x] < 128;
            int32_t at = (int32_t)(zones[0].top_px + y);
            dark += is_dark;
            if (is_dark)
                assert_true(at >= TOP + STEP - 8 + HEIGHT && at < TOP + 3 * STEP - 8);
        }
    assert_true(dark > 500);
}

static void what_is_sure_comes_between_the_lines(void **state)
{
    (void)state;
    static const char *const wanted[] = {"một", "hai", "ba", "bốn", "năm"};
    AUTO(page_destroy) Sohoa__Page *page = page_without(2);
    AUTO(page_destroy) Sohoa__Page *again = page_new(1);
    const struct lost zone = {TOP + 2 * STEP - 20, TOP + 2 * STEP + 60};
    Sohoa__Line *line = block_add_line(page_add_block(again));
    word_put(line, "ba", 12, 9000);
    word_put(line, "mờ", 12, 3000);
    word_put(line, "}{|~q9", 12, 9000);
    lost_insert(page, &zone, again);
    assert_int_equal(again->n_blocks, 0);
    assert_int_equal(page->n_blocks, 3);
    size_t next = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            assert_int_equal(page->blocks[b]->lines[l]->n_words, 1);
            assert_string_equal(page->blocks[b]->lines[l]->words[0]->text, wanted[next++]);
        }
    assert_int_equal(next, LINES);
    assert_int_equal(page->blocks[1]->lines[0]->words[0]->y, (int)zone.top_px + 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_without_words_is_found),
        cmocka_unit_test(what_is_read_or_is_no_text_is_left_alone),
        cmocka_unit_test(the_cut_has_no_words_that_were_read),
        cmocka_unit_test(what_is_sure_comes_between_the_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
