/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Digits in a document's head: found beside the print, cut free of it, read, and put where they stand in the view.
 * Boxes are as good or bad as the recogniser's are; real scans are read with it where they are at hand. */
#include "worker/hand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "tests/lib/paper.h"
#include "worker/reading.h"

#define TESSDATA "/usr/share/tesseract-ocr/5/tessdata"

enum { WIDE = 1650, HIGH = 2300, EXIT_SKIPPED = 77, PRINT_PT = 13 };

static bool without_scans;

struct box {
    int32_t left, top, right, bottom;
};

/* What is dark in a region. */
static struct box ink_of(const struct raster *paper, struct box in)
{
    struct box ink = {in.right, in.bottom, in.left, in.top};
    for (int32_t y = in.top; y < in.bottom; y++)
        for (int32_t x = in.left; x < in.right; x++)
            if (paper->data[(size_t)y * paper->stride_bytes + 3 * (size_t)x] < 128) {
                ink.left = x < ink.left ? x : ink.left;
                ink.top = y < ink.top ? y : ink.top;
                ink.right = x >= ink.right ? x + 1 : ink.right;
                ink.bottom = y + 1;
            }
    return ink;
}

/* Prints text, whose words the page gets with the boxes of their ink when said is not NULL: under said, in which # stands
 * for a box that is not to be known. Returns the ink's box. */
static struct box print(struct raster *paper, Sohoa__Line *line, uint32_t x, uint32_t y, const char *text,
                        const char *said)
{
    paper_write(paper, x, y, PRINT_PT, 0, text);
    struct box ink = ink_of(paper, (struct box){(int32_t)x - 2, (int32_t)y, WIDE, (int32_t)y + 60});
    if (said) {
        Sohoa__Word *word = line_add_word(line, said);
        word->x = ink.left;
        word->y = ink.top;
        word->w = (uint32_t)(ink.right - ink.left);
        word->h = (uint32_t)(ink.bottom - ink.top);
        word->confidence_cpct = 9500;
    }
    return ink;
}

/* A head: its number on the left, its date on the right, with gaps for digits that are printed here as well. */
struct head {
    const char *number, *day, *month; /* "" for none */
    uint32_t y;
};

static void line_set(Sohoa__Line *line, int32_t baseline)
{
    line->x0 = 100;
    line->x1 = WIDE - 100;
    line->y0 = line->y1 = baseline;
}

static void head_print(struct raster *paper, Sohoa__Page *page, const struct head *head)
{
    Sohoa__Line *left = block_add_line(page_add_block(page)), *right = block_add_line(page_add_block(page));
    struct box key = print(paper, left, 200, head->y, "Số:", "Số:");
    print(paper, left, 420, head->y, "/QĐ-UBND", "/QĐ-UBND");
    if (*head->number)
        paper_write(paper, 290, head->y, PRINT_PT + 4, 0, head->number);
    line_set(left, key.bottom);
    /* each is printed where nothing stands yet on its right */
    struct box place = print(paper, right, 850, head->y, "Hà Nội,", "Hà Nội,");
    place = print(paper, right, (uint32_t)place.right + 10, head->y, "ngày", "ngày");
    uint32_t at = (uint32_t)place.right + 15;
    if (*head->day)
        print(paper, NULL, at, head->y, head->day, NULL);
    place = print(paper, right, at + 75, head->y, "tháng", "tháng");
    at = (uint32_t)place.right + 12;
    if (*head->month)
        print(paper, NULL, at, head->y, head->month, NULL);
    place = print(paper, right, at + 65, head->y, "năm", "năm");
    print(paper, right, (uint32_t)place.right + 12, head->y, "2024", "2024");
    line_set(right, key.bottom);
}

static struct raster *gray_of(struct raster *paper)
{
    struct raster *gray = paper_gray(paper);
    raster_destroy(&paper);
    return gray;
}

static Sohoa__Page *page_new_sized(void)
{
    Sohoa__Page *page = page_new(1);
    page->width_px = WIDE;
    page->height_px = HIGH;
    return page;
}

static void expect_hand(const Sohoa__Page *page, Sohoa__HandKind kind, const char *text)
{
    for (size_t i = 0; i < page->n_hands; i++) {
        const Sohoa__Hand *hand = page->hands[i];
        if (hand->kind != kind)
            continue;
        if (hand->empty != !*text || (*text && (!hand->n_guesses || strcmp(hand->guesses[0]->text, text) != 0)))
            fail_msg("hand %d is '%s', not '%s'", kind, hand->n_guesses ? hand->guesses[0]->text : "", text);
        return;
    }
    fail_msg("there is no hand %d", kind);
}

static Sohoa__Page *head_read(const struct head *head)
{
    struct raster *paper = paper_new(WIDE, HIGH, 200);
    Sohoa__Page *page = page_new_sized();
    head_print(paper, page, head);
    AUTO(raster_destroy) struct raster *gray = gray_of(paper);
    assert_int_equal(hand_read(gray, page, NULL), 0);
    return page;
}

static const struct head usual = {"51", "17", "01", 300};

static void a_head_is_read(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = head_read(&usual);
    assert_int_equal(page->n_hands, 4);
    expect_hand(page, SOHOA__HAND_KIND__HAND_NUMBER, "51");
    expect_hand(page, SOHOA__HAND_KIND__HAND_DAY, "17");
    expect_hand(page, SOHOA__HAND_KIND__HAND_MONTH, "01");
    expect_hand(page, SOHOA__HAND_KIND__HAND_YEAR, "2024");
    for (size_t i = 1; i < page->n_hands; i++)
        assert_true(page->hands[i - 1]->kind < page->hands[i]->kind);
    assert_in_range(page->hands[0]->x, 285, 300);
    assert_in_range(page->hands[0]->x + (int)page->hands[0]->w, 310, 350);
}

static void blanks_may_be_empty(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = head_read(&(struct head){"", "", "5", 300});
    expect_hand(page, SOHOA__HAND_KIND__HAND_NUMBER, "");
    expect_hand(page, SOHOA__HAND_KIND__HAND_DAY, "");
    expect_hand(page, SOHOA__HAND_KIND__HAND_MONTH, "5");
}

/* The recogniser makes one word of print and digits, or lets a word's box swallow them. */
static void words_may_be_joined(void **state)
{
    (void)state;
    struct raster *paper = paper_new(WIDE, HIGH, 200);
    AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
    head_print(paper, page, &usual);
    Sohoa__Line *left = page->blocks[0]->lines[0], *right = page->blocks[1]->lines[0];
    Sohoa__Word *key = left->words[0], *day = right->words[1], *month = right->words[2];
    free(key->text);
    key->text = strdup("Số:5†");
    key->w = 160;
    free(day->text);
    day->text = strdup("ngày-{†tháng");
    day->w = (uint32_t)(month->x + (int32_t)month->w - day->x);
    memmove(&right->words[2], &right->words[3], 2 * sizeof *right->words);
    right->n_words--;
    sohoa__word__free_unpacked(month, NULL);
    AUTO(raster_destroy) struct raster *gray = gray_of(paper);
    assert_int_equal(hand_read(gray, page, NULL), 0);
    expect_hand(page, SOHOA__HAND_KIND__HAND_NUMBER, "51");
    expect_hand(page, SOHOA__HAND_KIND__HAND_DAY, "17");
    expect_hand(page, SOHOA__HAND_KIND__HAND_MONTH, "01");
}

static void digits_may_hang_on_the_word_before(void **state)
{
    (void)state;
    struct raster *paper = paper_new(WIDE, HIGH, 200);
    AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
    head_print(paper, page, &usual);
    Sohoa__Line *right = page->blocks[1]->lines[0];
    Sohoa__Word *month = right->words[2], *year = right->words[3];
    free(month->text);
    month->text = strdup("thángØ†");
    month->w = (uint32_t)(year->x - 4 - month->x);
    AUTO(raster_destroy) struct raster *gray = gray_of(paper);
    assert_int_equal(hand_read(gray, page, NULL), 0);
    expect_hand(page, SOHOA__HAND_KIND__HAND_DAY, "17");
    expect_hand(page, SOHOA__HAND_KIND__HAND_MONTH, "01");
}

static void bilevel_is_as_good_as_gray(void **state)
{
    (void)state;
    struct raster *paper = paper_new(WIDE, HIGH, 200);
    AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
    head_print(paper, page, &usual);
    AUTO(raster_destroy) struct raster *bilevel = paper_bilevel(paper);
    raster_destroy(&paper);
    assert_int_equal(bilevel->channels, 0);
    assert_int_equal(hand_read(bilevel, page, NULL), 0);
    expect_hand(page, SOHOA__HAND_KIND__HAND_NUMBER, "51");
    expect_hand(page, SOHOA__HAND_KIND__HAND_DAY, "17");
}

/* The view is twice as large, and turned by a little. */
static void boxes_are_the_views(void **state)
{
    (void)state;
    struct raster *paper = paper_new(WIDE, HIGH, 200);
    AUTO(page_destroy) Sohoa__Page *page = page_new_sized(), *turned = page_new_sized();
    head_print(paper, page, &usual);
    struct raster *again = paper_new(WIDE, HIGH, 200);
    head_print(again, turned, &usual);
    raster_destroy(&again);
    AUTO(raster_destroy) struct raster *gray = gray_of(paper);
    assert_int_equal(hand_read(gray, page, NULL), 0);
    const double to_view[6] = {2, 0.02, -0.02, 2, 30, -10};
    memcpy(gray->to_view, to_view, sizeof to_view);
    turned->width_px *= 3;
    turned->height_px *= 3;
    for (size_t b = 0; b < turned->n_blocks; b++) {
        Sohoa__Line *line = turned->blocks[b]->lines[0];
        line->y0 = (int32_t)(2 * line->y0 + 0.02 * line->x0 - 10);
        line->y1 = (int32_t)(2 * line->y1 + 0.02 * line->x1 - 10);
        line->x0 = 2 * line->x0 + 25;
        line->x1 = 2 * line->x1 + 25;
        for (size_t i = 0; i < line->n_words; i++) {
            Sohoa__Word *word = line->words[i];
            int32_t x = word->x, y = word->y;
            word->x = (int32_t)(2 * x - 0.02 * (y + (int)word->h) + 30);
            word->y = (int32_t)(2 * y + 0.02 * x - 10);
            uint32_t w = word->w;
            word->w = (uint32_t)(2 * word->w + 0.02 * word->h);
            word->h = (uint32_t)(2 * word->h + 0.02 * w);
        }
    }
    assert_int_equal(hand_read(gray, turned, NULL), 0);
    assert_int_equal(turned->n_hands, 4);
    for (size_t i = 0; i < 3; i++) {
        const Sohoa__Hand *one = page->hands[i], *other = turned->hands[i];
        assert_string_equal(other->guesses[0]->text, one->guesses[0]->text);
        assert_true(abs(other->x - (int)(2 * one->x - 0.02 * one->y + 30)) <= 4);
        assert_true(abs(other->y - (int)(2 * one->y + 0.02 * one->x - 10)) <= 4);
        assert_true(abs((int)other->w - 2 * (int)one->w) <= 4);
    }
    memset(gray->to_view, 0, sizeof gray->to_view); /* no picture of the view at all */
    AUTO(page_destroy) Sohoa__Page *lost = page_new_sized();
    line_add_word(block_add_line(page_add_block(lost)), "Số:")->w = 20;
    assert_int_equal(hand_read(gray, lost, NULL), 0);
    assert_int_equal(lost->n_hands, 0);
}

/* What is printed at (x, y), a word right behind it when third is not NULL, and one far off on the line. */
static size_t numbers_found(uint32_t x, uint32_t y, const char *first, const char *second, const char *third)
{
    struct raster *paper = paper_new(WIDE, HIGH, 200);
    AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
    Sohoa__Line *line = block_add_line(page_add_block(page));
    struct box key = print(paper, line, x, y, first, first);
    struct box notation = print(paper, line, (uint32_t)key.right + 80, y, second, second);
    if (third)
        print(paper, line, (uint32_t)notation.right + 12, y, third, third);
    print(paper, line, (uint32_t)notation.right + 250, y, "Quyết", "Quyết");
    line_set(line, key.bottom);
    AUTO(raster_destroy) struct raster *gray = gray_of(paper);
    assert_int_equal(hand_read(gray, page, NULL), 0);
    return page->n_hands;
}

static void other_numbers_are_not_the_documents(void **state)
{
    (void)state;
    assert_int_equal(numbers_found(200, 300, "Số:", "/QĐ-UBND", NULL), 1);
    assert_int_equal(numbers_found(200, 300, "Số", "-QĐ/TW", NULL), 1);
    assert_int_equal(numbers_found(900, 300, "Số:", "/QĐ-UBND", NULL), 0);       /* not under the issuing body */
    assert_int_equal(numbers_found(200, 1900, "Số:", "/QĐ-UBND", NULL), 0);      /* in the lower half */
    assert_int_equal(numbers_found(200, 300, "Số:", "1243", NULL), 0);           /* a stamp's: no notation */
    assert_int_equal(numbers_found(200, 300, "số", "12/2020/NĐ-CP", "ngày"), 0); /* within a sentence */
    assert_int_equal(numbers_found(200, 300, "Sống", "/QĐ-UBND", NULL), 0);
}

static void their_number_has_a_limit(void **state)
{
    (void)state;
    struct raster *paper = paper_new(WIDE, HIGH, 200);
    AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
    for (uint32_t i = 0; i < 8; i++)
        head_print(paper, page, &(struct head){"51", "17", "01", 100 + 100 * i});
    AUTO(raster_destroy) struct raster *gray = gray_of(paper);
    assert_int_equal(hand_read(gray, page, NULL), 0);
    assert_int_equal(page->n_hands, HANDS_MOST);
}

/* Print of any size, boxes in any place: at worst nothing is found. */
static void odd_sizes_do_no_harm(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *gray = gray_of(paper_new(WIDE, HIGH, 200));
    for (uint32_t scale = 1; scale < 40; scale++) {
        AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
        Sohoa__Line *line = block_add_line(page_add_block(page));
        static const char *const texts[] = {"Số:", "/QĐ-UBND", "ngày", "tháng", "năm"};
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            Sohoa__Word *word = line_add_word(line, texts[i]);
            word->x = (int32_t)(i * (scale % 3 ? 320 : 2)); /* some lie over each other */
            word->y = 300;
            word->w = 12 * scale;
            word->h = 10 * scale;
            word->confidence_cpct = 9500;
        }
        line_set(line, 300 + 10 * (int32_t)scale);
        assert_int_equal(hand_read(gray, page, NULL), 0);
        for (size_t i = 0; i < page->n_hands; i++)
            assert_true(page->hands[i]->empty);
    }
}

static void garbage_finds_nothing(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *gray = gray_of(paper_new(WIDE, HIGH, 200));
    AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
    Sohoa__Line *line = block_add_line(page_add_block(page));
    static const char *const texts[] = {"", "S", "Số", "/", "ngày", "-", "\xc3", "tháng", "năm", "/Q"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Sohoa__Word *word = line_add_word(line, texts[i]);
        word->x = i % 2 ? INT32_MAX : INT32_MIN;
        word->w = word->h = i % 3 ? UINT32_MAX : 0;
        word->confidence_cpct = 10000;
    }
    line->x0 = INT32_MIN;
    line->y1 = INT32_MAX;
    assert_int_equal(hand_read(gray, page, NULL), 0);
    assert_int_equal(page->n_hands, 0);
}

static void real_scans_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *name, *number, *day, *month, *year;
    } scans[] = {
        {"qn-20.pdf", "51",  "17", "01", "2025"},
        {"qn-22.pdf", "575", "04", "02", "2025"},
    };
    struct reader *reader = NULL;
    uint8_t model[SHA256_BYTES];
    assert_int_equal(reader_new(TESSDATA, "vie", model, &reader, NULL), 0);
    for (size_t i = 0; i < sizeof scans / sizeof *scans && !without_scans; i++) {
        AUTO(raster_destroy) struct raster *scan = paper_scan(scans[i].name, 1, 200);
        AUTO(page_destroy) Sohoa__Page *page = page_new_sized();
        without_scans = !scan;
        if (!scan)
            continue;
        assert_int_equal(page_read(reader, &scan, false, NULL, page, NULL), 0);
        expect_hand(page, SOHOA__HAND_KIND__HAND_NUMBER, scans[i].number);
        expect_hand(page, SOHOA__HAND_KIND__HAND_DAY, scans[i].day);
        expect_hand(page, SOHOA__HAND_KIND__HAND_MONTH, scans[i].month);
        expect_hand(page, SOHOA__HAND_KIND__HAND_YEAR, scans[i].year);
    }
    reader_destroy(&reader);
    if (without_scans)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_read),
        cmocka_unit_test(blanks_may_be_empty),
        cmocka_unit_test(words_may_be_joined),
        cmocka_unit_test(digits_may_hang_on_the_word_before),
        cmocka_unit_test(bilevel_is_as_good_as_gray),
        cmocka_unit_test(boxes_are_the_views),
        cmocka_unit_test(other_numbers_are_not_the_documents),
        cmocka_unit_test(their_number_has_a_limit),
        cmocka_unit_test(odd_sizes_do_no_harm),
        cmocka_unit_test(garbage_finds_nothing),
        cmocka_unit_test(real_scans_are_read),
    };
    int failed = cmocka_run_group_tests_name("hand", tests, NULL, NULL);
    return failed ? failed : without_scans ? EXIT_SKIPPED : 0;
}
