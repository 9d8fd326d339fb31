/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The spot check of a layer: its comparison, its choice of lines, and what it says of a drawn page under layers good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "tests/lib/paper.h"
#include "worker/clean.h"
#include "worker/reading.h"
#include "worker/spot.h"

#define TESSDATA "/usr/share/tesseract-ocr/5/tessdata"

enum { WIDTH_PX = 1800, LINE_PX = 90, LINES = 12, DPI = 300 };

static const char body[] = "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19 tháng 6\n"
                           "năm 2015 và theo đề nghị của Giám đốc Sở Nội vụ thành phố,\n"
                           "Ủy ban nhân dân thành phố yêu cầu các quận, huyện, thị xã\n"
                           "khẩn trương rà soát toàn bộ hồ sơ lưu trữ đang bảo quản tại\n"
                           "kho, lập danh mục tài liệu cần số hóa, gửi về Chi cục Văn thư\n"
                           "trước ngày 30 tháng 9 để tổng hợp, báo cáo theo quy định.\n"
                           "Các đơn vị chịu trách nhiệm về tính chính xác của số liệu,\n"
                           "bảo đảm an toàn tài liệu trong quá trình vận chuyển và giao\n"
                           "nhận giữa các bên liên quan theo biên bản đã được ký kết.\n"
                           "Trong quá trình thực hiện nếu có khó khăn, vướng mắc thì kịp\n"
                           "thời phản ánh về Sở Nội vụ để được hướng dẫn và giải quyết\n"
                           "theo thẩm quyền, không để chậm trễ kéo dài nhiều ngày.\n";

static struct reader *reader;
static struct raster *sheet; /* the body, clean */
static Sohoa__Page *truth;   /* ... as it is read */

static struct raster *sheet_new(double turned_deg)
{
    struct raster *paper = paper_new(WIDTH_PX, LINES * LINE_PX + 400, DPI);
    char line[200];
    const char *at = body;
    for (uint32_t i = 0; i < LINES; i++, at += strcspn(at, "\n") + 1) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        paper_write(paper, 150, 200 + i * LINE_PX, 13, 0, line);
    }
    if (turned_deg == 0)
        return paper;
    struct raster *turned = paper_turned(paper, turned_deg);
    raster_destroy(&paper);
    return turned;
}

static Sohoa__Page *page_for(const struct raster *raster)
{
    Sohoa__Page *page = page_new(1);
    page->width_px = raster->width_px;
    page->height_px = raster->height_px;
    page->dpi_view = DPI;
    return page;
}

static int setup(void **state)
{
    (void)state;
    uint8_t model[SHA256_BYTES];
    struct err err = {0};
    struct clean_report report;
    if (reader_new(TESSDATA, "vie", model, &reader, &err))
        fail_msg("%s", err.text);
    sheet = sheet_new(0);
    truth = page_for(sheet);
    AUTO(raster_destroy) struct raster *read = sheet_new(0);
    assert_int_equal(clean_page(&sheet, false, &report, &err), 0);
    assert_int_equal(page_read(reader, &read, false, NULL, truth, &err), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    page_destroy(&truth);
    raster_destroy(&sheet);
    reader_destroy(&reader);
    return 0;
}

/* ---- its parts ---- */

static void likeness_counts_letters(void **state)
{
    (void)state;
    assert_int_equal(spot_like_cpct("Hà Nội", "Hà Nội"), 10000);
    assert_int_equal(spot_like_cpct("", ""), 10000);
    assert_int_equal(spot_like_cpct("", "x"), 0);
    assert_int_equal(spot_like_cpct("Hà Nội", "Hà Nôi"), 8333); /* one of six changed */
    assert_int_equal(spot_like_cpct("abcde", "abde"), 8000);    /* left out */
    assert_int_equal(spot_like_cpct("abde", "abxde"), 8000);    /* put in */
    assert_int_equal(spot_like_cpct("abcd", "bcda"), 5000);     /* one end cut, one come in */
    assert_int_equal(spot_like_cpct(" a   b\u00a0c ", "a b c"), 10000);
    assert_int_equal(spot_like_cpct("“a” – b", "\"a\" - b"), 10000);
    char more[2][900];
    memset(more, 'a', sizeof more);
    more[0][899] = more[1][899] = '\0';
    more[1][0] = 'b';
    assert_true(spot_like_cpct(more[0], more[1]) > 9900); /* longer than it compares */
}

static void line_put(Sohoa__Page *page, int32_t y, const char *text)
{
    Sohoa__Line *line = block_add_line(page_add_block(page));
    char copy[200];
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        Sohoa__Word *added = line_add_word(line, word);
        added->y = y;
        added->w = added->h = 10;
    }
}

static void lines_are_chosen_over_the_page(void **state)
{
    (void)state;
    static const char *const other[] = {"a line that has quite enough letters", "ngắn quá",
                                        "one-word-with-letters-enough-to-be-long-enough"};
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    const Sohoa__Line *lines[SPOT_LINES];
    for (int i = 0; i < 27; i++) /* in no order: 7 and 27 have no common factor */
        line_put(page, 100 + 7 * i % 27 * 50, other[7 * i % 27 % 3]);
    page_fit_bounds(page);
    assert_int_equal(spot_choose(page, lines), SPOT_LINES);
    assert_int_equal(lines[0]->y, 100 + 3 * 50); /* of nine that will do, the middles of three thirds */
    assert_int_equal(lines[1]->y, 100 + 12 * 50);
    assert_int_equal(lines[2]->y, 100 + 21 * 50);
    AUTO(page_destroy) Sohoa__Page *few = page_new(1);
    line_put(few, 10, other[0]);
    line_put(few, 60, other[1]);
    page_fit_bounds(few);
    assert_int_equal(spot_choose(few, lines), 1);
    AUTO(page_destroy) Sohoa__Page *none = page_new(1);
    assert_int_equal(spot_choose(none, lines), 0);
}

/* ---- layers ---- */

static Sohoa__Page *layer_of(const Sohoa__Page *from)
{
    AUTO(buf_destroy) struct buf packed = {0};
    Sohoa__Page *layer = NULL;
    page_pack(from, &packed);
    assert_int_equal(page_unpack(packed.data, packed.size, &layer, NULL), 0);
    return layer;
}

static void each_word(Sohoa__Page *page, void (*change)(Sohoa__Word *word, size_t number))
{
    size_t number = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < page->blocks[b]->lines[l]->n_words; w++)
                change(page->blocks[b]->lines[l]->words[w], number++);
    page_fit_bounds(page);
}

static void word_say(Sohoa__Word *word, const char *text)
{
    free(word->text);
    word->text = strdup(text);
}

static void say_garbage(Sohoa__Word *word, size_t number)
{
    (void)number;
    word_say(word, "C\u00d0ng#ho\u00b5");
}

/* A recogniser that knows no Vietnamese: every third word is another one, which is possible. */
static void say_another(Sohoa__Word *word, size_t number)
{
    if (number % 3 == 0)
        word_say(word, "nhanh");
}

static void move_down(Sohoa__Word *word, size_t number)
{
    (void)number;
    word->y += LINE_PX;
}

static void move_right(Sohoa__Word *word, size_t number)
{
    (void)number;
    word->x += 60;
}

static void check(void (*change)(Sohoa__Word *word, size_t number), enum spot_verdict wanted)
{
    AUTO(page_destroy) Sohoa__Page *layer = layer_of(truth);
    struct spot spot;
    if (change)
        each_word(layer, change);
    assert_int_equal(spot_check(reader, sheet, layer, &spot, NULL), 0);
    assert_int_equal(spot.verdict, wanted);
}

static void a_good_layer_holds(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *layer = layer_of(truth);
    struct spot spot, again;
    assert_int_equal(spot_check(reader, sheet, layer, &spot, NULL), 0);
    assert_int_equal(spot.verdict, SPOT_HOLDS);
    assert_int_equal(spot.lines, SPOT_LINES);
    assert_true(spot.like_cpct[0] > 9000 && spot.odd_cpct < 500 && spot.bare_cpct < 500);
    assert_int_equal(spot_check(reader, sheet, layer, &again, NULL), 0);
    assert_memory_equal(&spot, &again, sizeof spot);
}

static void bad_layers_are_refused(void **state)
{
    (void)state;
    check(say_garbage, SPOT_ODD);
    check(say_another, SPOT_DIFFERS);
    check(move_right, SPOT_MISPLACED);
    AUTO(page_destroy) Sohoa__Page *layer = layer_of(truth);
    struct spot spot;
    each_word(layer, move_down);
    assert_int_equal(spot_check(reader, sheet, layer, &spot, NULL), 0);
    assert_true(spot.verdict == SPOT_PARTIAL || spot.verdict == SPOT_DIFFERS);
    AUTO(page_destroy) Sohoa__Page *empty = page_new(1);
    assert_int_equal(spot_check(reader, sheet, empty, &spot, NULL), 0);
    assert_int_equal(spot.verdict, SPOT_SHORT);
}

static bool word_is_above(const Sohoa__Word *word, const void *user)
{
    return word->y < *(const int32_t *)user;
}

/* What a layer left out would be lost: half of the page, or a few lines. */
static void a_layer_that_leaves_print_out_is_refused(void **state)
{
    (void)state;
    static const int32_t kept[] = {6, 10};
    for (size_t i = 0; i < 2; i++) {
        AUTO(page_destroy) Sohoa__Page *layer = layer_of(truth);
        int32_t bottom = 200 + kept[i] * LINE_PX - 10;
        struct spot spot;
        page_prune(layer, word_is_above, &bottom);
        page_fit_bounds(layer);
        assert_int_equal(spot_check(reader, sheet, layer, &spot, NULL), 0);
        assert_int_equal(spot.verdict, SPOT_PARTIAL);
    }
}

/* ---- the way of a page ---- */

/* The scan lies askew and its layer with it: the layer's words become the page's, at their places, and a word that it lacks is
 * not read. */
static void a_page_whose_layer_holds_is_not_read(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *scan = sheet_new(1.2);
    AUTO(raster_destroy) struct raster *same = sheet_new(1.2);
    AUTO(page_destroy) Sohoa__Page *read = page_for(scan);
    AUTO(page_destroy) Sohoa__Page *page = page_for(same);
    assert_int_equal(page_read(reader, &scan, false, NULL, read, NULL), 0);
    assert_false(page_has_note(read, SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED));
    AUTO(page_destroy) Sohoa__Page *layer = layer_of(read);
    for (size_t b = 0; b < layer->n_blocks; b++)
        for (size_t l = 0; l < layer->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < layer->blocks[b]->lines[l]->n_words; w++)
                layer->blocks[b]->lines[l]->words[w]->own = true;
    Sohoa__Line *last = layer->blocks[layer->n_blocks - 1]->lines[layer->blocks[layer->n_blocks - 1]->n_lines - 1];
    sohoa__word__free_unpacked(last->words[--last->n_words], NULL);
    assert_int_equal(page_read(reader, &same, false, layer, page, NULL), 0);
    assert_true(page_has_note(page, SOHOA__PAGE_NOTE__NOTE_LAYER));
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
    assert_int_equal(page->grade, SOHOA__GRADE__GRADE_NONE);
    assert_int_equal(page->skew_mdeg, read->skew_mdeg);
    struct page_figures had, has;
    page_measure(read, &had);
    page_measure(page, &has);
    assert_int_equal(has.words, had.words - 1);
    assert_true(page->blocks[0]->lines[0]->words[0]->own);
    assert_in_range(page->blocks[0]->lines[0]->words[0]->confidence_cpct, 9300, 10000);
    assert_string_equal(page->blocks[0]->lines[0]->words[0]->text, read->blocks[0]->lines[0]->words[0]->text);
    assert_int_equal(page->blocks[0]->lines[0]->words[0]->x, read->blocks[0]->lines[0]->words[0]->x);
}

static void a_page_whose_layer_is_refused_is_read(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *scan = sheet_new(0);
    AUTO(page_destroy) Sohoa__Page *page = page_for(scan);
    AUTO(page_destroy) Sohoa__Page *layer = layer_of(truth);
    each_word(layer, say_another);
    assert_int_equal(page_read(reader, &scan, false, layer, page, NULL), 0);
    assert_true(page_has_note(page, SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED));
    struct page_figures had, has;
    page_measure(truth, &had);
    page_measure(page, &has);
    assert_int_equal(has.words, had.words);
    assert_string_equal(page->blocks[0]->lines[0]->words[0]->text, truth->blocks[0]->lines[0]->words[0]->text);
    assert_int_not_equal(page->grade, SOHOA__GRADE__GRADE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(likeness_counts_letters),
        cmocka_unit_test(lines_are_chosen_over_the_page),
        cmocka_unit_test(a_good_layer_holds),
        cmocka_unit_test(bad_layers_are_refused),
        cmocka_unit_test(a_layer_that_leaves_print_out_is_refused),
        cmocka_unit_test(a_page_whose_layer_holds_is_not_read),
        cmocka_unit_test(a_page_whose_layer_is_refused_is_read),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
