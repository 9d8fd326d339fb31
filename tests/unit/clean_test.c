/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Cleaning: what is blank, what is straightened, what goes and what must stay; and that a cleaned pixel knows its
 * place. */
#include "worker/clean.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above */
#include <cmocka.h>

#include "proto/auto.h"
#include "tests/lib/paper.h"

enum { BLACK = 0x101010, RED = 0xd02030, VIOLET = 0x6b2980, PEN_BLUE = 0x3c2496 };

static const char *const lines = "Thực hiện Nghị quyết của Hội đồng nhân dân thành phố\n"
                                 "về nhiệm vụ phát triển kinh tế - xã hội, Ủy ban nhân dân\n"
                                 "quận yêu cầu các phòng, ban chuyên môn khẩn trương\n"
                                 "triển khai các nội dung sau đây và báo cáo kết quả\n"
                                 "trước ngày 15 tháng 6 năm 2019 theo đúng quy định.";

static struct raster *letter(void)
{
    struct raster *paper = paper_new(1500, 1100, 300);
    paper_write(paper, 150, 200, 14, BLACK, lines);
    paper_write(paper, 150, 620, 14, BLACK, lines);
    return paper;
}

static struct clean_report clean(struct raster **raster, bool degraded)
{
    struct clean_report report;
    struct err err = {0};
    assert_int_equal(clean_page(raster, degraded, &report, &err), 0);
    assert_true(report.blank || (*raster)->channels < 2);
    return report;
}

/* What is left at the pixel of a cleaned picture that shows the view's point. */
static uint8_t gray_at_view(const struct raster *raster, double view_x, double view_y)
{
    const double *m = raster->to_view, det = m[0] * m[3] - m[1] * m[2];
    double x = view_x + 0.5 - m[4], y = view_y + 0.5 - m[5];
    size_t column = (size_t)floor((m[3] * x - m[2] * y) / det), row = (size_t)floor((m[0] * y - m[1] * x) / det);
    assert_true(column < raster->width_px && row < raster->height_px);
    const uint8_t *at = raster->data + row * raster->stride_bytes;
    return raster->channels ? at[column] : at[column / 8] & (0x80 >> column % 8) ? 0 : 255;
}

/* Every dark pixel of the original is dark where the cleaned picture has it now, and light ones are light. */
static void expect_same_ink(const struct raster *paper, const struct raster *cleaned)
{
    size_t dark = 0, dark_kept = 0, light = 0, light_kept = 0;
    for (uint32_t y = 3; y + 3 < paper->height_px; y += 2)
        for (uint32_t x = 3; x + 3 < paper->width_px; x += 2) {
            const uint8_t *at = paper->data + y * paper->stride_bytes + 3 * (size_t)x;
            bool is_dark = at[1] < 40, is_light = at[1] == 255;
            for (int i = -2; i <= 2; i++) {
                is_dark = is_dark && at[3 * i + 1] < 40 && at[i * (int)paper->stride_bytes + 1] < 40;
                is_light = is_light && at[3 * i + 1] == 255 && at[i * (int)paper->stride_bytes + 1] == 255;
            }
            uint8_t now = is_dark || is_light ? gray_at_view(cleaned, x, y) : 0;
            dark += is_dark;
            dark_kept += is_dark && now < 128;
            light += is_light;
            light_kept += is_light && now > 128;
        }
    assert_true(dark > 50);
    assert_true(dark_kept * 100 > dark * 97);
    assert_true(light_kept * 1000 > light * 998);
}

static void upright_text_stays_as_it_is(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter(), *page = letter();
    struct clean_report report = clean(&page, false);
    assert_false(report.blank || report.scant || report.tilted);
    assert_int_equal(report.skew_mdeg, 0);
    assert_int_equal(page->width_px, 1500);
    assert_int_equal(page->dpi, 300);
    expect_same_ink(paper, page);
}

static void skew_is_taken_out_and_pixels_know_their_place(void **state)
{
    (void)state;
    const double degrees[] = {3, -1.3, 0.5, -6, 11};
    AUTO(raster_destroy) struct raster *paper = letter();
    for (size_t i = 0; i < sizeof degrees / sizeof degrees[0]; i++) {
        AUTO(raster_destroy) struct raster *skewed = paper_turned(paper, degrees[i]);
        AUTO(raster_destroy) struct raster *page = paper_turned(paper, degrees[i]);
        struct clean_report report = clean(&page, false);
        assert_false(report.tilted || report.scant);
        assert_true(fabs(report.skew_mdeg - 1000 * degrees[i]) < 200);
        expect_same_ink(skewed, page);
    }
}

static void bilevel_pages_are_straightened_too(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter();
    AUTO(raster_destroy) struct raster *skewed = paper_turned(paper, 2);
    AUTO(raster_destroy) struct raster *page = paper_bilevel(skewed), *level = paper_bilevel(paper);
    struct clean_report report = clean(&page, false);
    assert_true(fabs(report.skew_mdeg - 2000.0) < 200);
    expect_same_ink(skewed, page);
    report = clean(&level, false);
    assert_int_equal(level->channels, 0);
    assert_false(report.tilted || report.scant);
    expect_same_ink(paper, level);
}

static void turned_pages_raise_doubt_and_turn_back(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter();
    for (uint32_t turned_deg = 90; turned_deg < 360; turned_deg += 90) {
        AUTO(raster_destroy) struct raster *lying = paper_turned(paper, turned_deg);
        AUTO(raster_destroy) struct raster *page = paper_turned(paper, turned_deg);
        assert_true(clean(&page, false).tilted);
        assert_int_equal(clean_turn(&page, 360 - turned_deg, NULL), 0);
        assert_int_equal(page->width_px, paper->width_px);
        assert_int_equal(page->height_px, paper->height_px);
        expect_same_ink(lying, page);
        size_t dark = 0;
        for (size_t y = 0; y < page->height_px; y++)
            for (size_t x = 0; x < page->width_px; x++)
                dark +=
                    page->data[y * page->stride_bytes + x] < 128 && paper->data[y * paper->stride_bytes + 3 * x] < 200;
        assert_true(dark > 10000);
    }
}

static void turned_and_skewed_at_once(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter();
    AUTO(raster_destroy) struct raster *skewed = paper_turned(paper, 2);
    AUTO(raster_destroy) struct raster *lying = paper_turned(skewed, 90), *page = paper_turned(skewed, 90);
    struct clean_report report = clean(&page, false);
    assert_true(report.tilted);
    assert_true(fabs(report.skew_mdeg - 2000.0) < 200);
    assert_int_equal(clean_turn(&page, 270, NULL), 0);
    expect_same_ink(lying, page);
}

static void coarse_pictures_are_enlarged_and_fine_ones_reduced(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *coarse = paper_new(800, 600, 100), *coarse_copy = paper_new(800, 600, 100);
    paper_write(coarse, 80, 90, 14, BLACK, lines);
    paper_write(coarse_copy, 80, 90, 14, BLACK, lines);
    clean(&coarse, false);
    assert_int_equal(coarse->width_px, 1600);
    assert_int_equal(coarse->dpi, 200);
    assert_true(fabs(coarse->to_view[0] - 0.5) < 1e-9 && fabs(coarse->to_view[3] - 0.5) < 1e-9);
    AUTO(raster_destroy) struct raster *fine = paper_new(4962, 7017, 600), *fine_copy = paper_new(4962, 7017, 600);
    paper_write(fine, 500, 300, 14, BLACK, lines);
    paper_write(fine_copy, 500, 300, 14, BLACK, lines);
    clean(&fine, false);
    assert_int_equal(fine->width_px, 1654);
    assert_int_equal(fine->dpi, 200);
    expect_same_ink(fine_copy, fine);
    AUTO(raster_destroy) struct raster *boastful = paper_new(1600, 2300, 600);
    paper_write(boastful, 300, 300, 14, BLACK, lines);
    clean(&boastful, false);
    assert_int_equal(boastful->width_px, 1600);
}

static void degraded_pages_are_small(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter(), *page = letter(), *bilevel = paper_bilevel(paper);
    clean(&page, true);
    assert_int_equal(page->width_px, 750);
    assert_int_equal(page->dpi, 150);
    assert_true(fabs(page->to_view[0] - 2) < 1e-9);
    clean(&bilevel, true);
    assert_int_equal(bilevel->width_px, 750);
    assert_int_equal(bilevel->channels, 1);
}

static void empty_pages_are_blank(void **state)
{
    (void)state;
    AUTO(raster_destroy)
    struct raster *white = paper_new(1200, 1600, 300), *gray = paper_new(1200, 1600, 300),
                  *bilevel = paper_bilevel(white);
    for (uint32_t i = 0; i < 200; i++) /* dust */
        paper_fill(gray, i * 997 % 1190, i * 641 % 1590, 2, 2, 0x303030);
    assert_true(clean(&white, false).blank);
    assert_true(clean(&gray, false).blank);
    assert_true(clean(&bilevel, false).blank);
}

static void a_page_number_alone_is_not_blank(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *page = paper_new(1200, 1600, 300);
    paper_write(page, 600, 120, 13, BLACK, "7");
    struct clean_report report = clean(&page, false);
    assert_false(report.blank);
    assert_true(report.scant);
}

static void faint_text_is_kept(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *page = paper_new(1500, 1100, 300);
    paper_fill(page, 0, 0, 1500, 1100, 0xd8d4c8);
    paper_write(page, 150, 200, 14, 0x96928c, lines);
    struct clean_report report = clean(&page, false);
    assert_false(report.blank);
    assert_false(report.tilted);
}

static void a_seal_goes_and_print_under_it_stays(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter(), *page = letter();
    paper_seal(page, 420, 300, 180, RED);
    paper_write(page, 150, 200, 14, BLACK, lines);
    assert_false(clean(&page, false).scant);
    expect_same_ink(paper, page);
}

static void a_violet_stamp_goes_and_a_blue_pen_stays(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter(), *page = letter();
    paper_seal(page, 420, 300, 180, VIOLET);
    paper_write(page, 150, 200, 14, BLACK, lines);
    paper_write(paper, 800, 1000, 20, PEN_BLUE, "Số: 125");
    paper_write(page, 800, 1000, 20, PEN_BLUE, "Số: 125");
    struct clean_report report = clean(&page, false);
    assert_false(report.scant);
    assert_true(report.notes & CLEAN_NOTE(RED));
    expect_same_ink(paper, page);
}

static void a_seal_seen_through_the_paper_is_blank(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *back = paper_new(1200, 1600, 300), *front = paper_new(1200, 1600, 300);
    paper_seal(back, 420, 700, 200, 0xe8a0a8);
    assert_true(clean(&back, false).blank);
    paper_seal(front, 420, 700, 200, RED);
    struct clean_report report = clean(&front, false);
    assert_true(report.scant);
    assert_false(report.blank);
}

/* The fold ties the ink to the scanner's black. */
static void ink_on_a_fold_is_writing(void **state)
{
    (void)state;
    static const uint32_t ink[] = {RED, PEN_BLUE};
    for (size_t i = 0; i < 2; i++) {
        AUTO(raster_destroy) struct raster *page = paper_new(2480, 3508, 300);
        paper_fill(page, 0, 0, 40, 3508, 0x101010);
        paper_fill(page, 0, 1700, 2480, 4, 0x707070);
        struct raster *folded = paper_new(2480, 3508, 300);
        memcpy(folded->data, page->data, page->height_px * page->stride_bytes);
        paper_seal(page, 1200, 1700, 200, ink[i]);
        assert_false(clean(&page, false).blank);
        assert_true(clean(&folded, false).blank);
        raster_destroy(&folded);
    }
}

static void print_on_a_fold_is_writing(void **state)
{
    (void)state;
    static const uint32_t fold[] = {0xb0b0b0, 0x707070};
    for (size_t i = 0; i < 2; i++) {
        AUTO(raster_destroy) struct raster *page = paper_new(2480, 3508, 300);
        paper_fill(page, 0, 1740, 2480, 4, fold[i]);
        paper_write(page, 500, 1700, 12, BLACK, "Trang 24");
        struct clean_report report = clean(&page, false);
        assert_false(report.blank);
        assert_true(report.scant);
    }
}

/* A disc, soft at its edge as scanners show it. */
static void paper_hole(struct raster *paper, double x, double y, double radius_px)
{
    for (uint32_t row = 0; row < paper->height_px; row++)
        for (uint32_t column = 0; column < paper->width_px; column++) {
            double inside = (radius_px - hypot(column - x, row - y)) / 6 + 0.5;
            if (inside > 0)
                memset(paper->data + row * paper->stride_bytes + 3 * (size_t)column,
                       inside < 1 ? (int)(255 - 225 * inside) : 30, 3);
        }
}

static void punched_holes_are_blank(void **state)
{
    (void)state;
    for (double radius_px = 30; radius_px < 42; radius_px += 1.5) {
        AUTO(raster_destroy) struct raster *page = paper_new(2480, 3508, 300);
        paper_hole(page, 118.3, 1284.7, radius_px);
        paper_hole(page, 115.6, 2229.1, radius_px);
        assert_true(clean(&page, false).blank);
    }
}

static void black_borders_go(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter(), *page = letter();
    paper_fill(page, 0, 0, 1500, 40, 0x080808);
    paper_fill(page, 1440, 0, 60, 1100, 0x080808);
    AUTO(raster_destroy) struct raster *bilevel = paper_bilevel(page);
    clean(&page, false);
    clean(&bilevel, false);
    expect_same_ink(paper, page);
    expect_same_ink(paper, bilevel);
}

static void uneven_light_is_evened(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter(), *page = letter();
    for (size_t y = 0; y < page->height_px; y++)
        for (size_t x = 0; x < page->stride_bytes; x++) {
            uint8_t *at = page->data + y * page->stride_bytes + x;
            *at = (uint8_t)(*at * (0.45 + 0.55 * (double)x / (double)page->stride_bytes));
        }
    assert_false(clean(&page, false).scant);
    expect_same_ink(paper, page);
}

static void odd_pictures_do_no_harm(void **state)
{
    (void)state;
    const struct {
        uint32_t width_px, height_px, channels, dpi;
        uint8_t fill;
    } odd[] = {
        {1,    1,    3, 300,  0  },
        {1,    4000, 1, 300,  0  },
        {4000, 31,   0, 72,   255},
        {33,   33,   1, 50,   0  },
        {40,   3000, 3, 1200, 9  },
        {900,  900,  3, 300,  0  },
        {900,  900,  0, 0,    255},
        {99,   101,  1, 300,  7  },
        {32,   32,   0, 1200, 255},
        {640,  480,  1, 9600, 90 }
    };
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        for (int degraded = 0; degraded < 2; degraded++) {
            AUTO(raster_destroy)
            struct raster *page = raster_new(odd[i].width_px, odd[i].height_px, odd[i].channels);
            struct clean_report report;
            struct err err = {0};
            memset(page->data, odd[i].fill, page->stride_bytes * page->height_px);
            page->dpi = odd[i].dpi;
            assert_int_equal(clean_page(&page, degraded, &report, &err), 0);
            assert_true(page->width_px && page->height_px);
        }
}

/* Bits beyond the width are anything. */
static void padding_is_not_looked_at(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *page = raster_new(1203, 1600, 0), *same = raster_new(1203, 1600, 0);
    page->dpi = same->dpi = 300;
    for (size_t y = 0; y < page->height_px; y++)
        page->data[(y + 1) * page->stride_bytes - 1] |= 0x1f;
    assert_true(clean(&page, false).blank);
    assert_true(clean(&same, false).blank);
}

/* Marks of the sort that no writing is: none of them may hide a page, all together are blank. */
static void worn_backs_are_blank(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *front = paper_new(2480, 3508, 300), *worn = paper_new(2480, 3508, 300);
    for (uint32_t y = 300; y < 3000; y += 500)
        paper_write(front, 300, y, 14, 0xc8c6c4, lines);
    for (uint32_t y = 300; y < 3000; y += 60) /* specks on what shines through */
        for (uint32_t x = 310; x < 1500; x += 90)
            paper_fill(front, x, y, 5, 5, 0x202020);
    AUTO(raster_destroy) struct raster *back = paper_mirrored(front);
    assert_true(clean(&back, false).blank);
    for (uint32_t i = 0; i < 150; i++)
        paper_fill(worn, 60 + i * 997 % 2350, 60 + i * 641 % 3380, 5, 5, 0x202020);
    paper_fill(worn, 120, 1300, 66, 66, 0x202020);     /* a hole */
    paper_fill(worn, 0, 1700, 2480, 3, 0x808080);      /* a fold */
    paper_fill(worn, 900, 0, 2, 3508, 0x606060);       /* a streak */
    paper_fill(worn, 0, 0, 70, 3508, 0x080808);        /* the scanner's lid */
    paper_fill(worn, 1300, 100, 1100, 3300, 0xdadada); /* a shadow */
    AUTO(raster_destroy) struct raster *gray = paper_gray(worn);
    assert_true(clean(&worn, false).blank);
    assert_true(clean(&gray, false).blank);
}

/* However little is written: it is there. */
static void nearly_empty_pages_are_not_blank(void **state)
{
    (void)state;
    const struct {
        const char *text;
        double size_pt;
        uint32_t colour, dpi;
    } little[] = {
        {"2",               13, BLACK,    300},
        {"1",               9,  BLACK,    200},
        {"- 15 -",          11, 0x909090, 300},
        {"Mật",           14, RED,      200},
        {"PHỤ LỤC",     14, 0x808080, 150},
        {"đã xem, 15/06", 16, 0x2030a0, 300},
        {"Hết.",          10, 0x707070, 100},
        {"7",               14, 0x606060, 600},
    };
    for (size_t i = 0; i < sizeof little / sizeof little[0]; i++) {
        uint32_t dpi = little[i].dpi;
        AUTO(raster_destroy)
        struct raster *page = paper_new(dpi * 8, dpi * 6, dpi), *copy = paper_new(dpi * 8, dpi * 6, dpi);
        paper_write(page, dpi * 3, dpi, little[i].size_pt, little[i].colour, little[i].text);
        paper_write(copy, dpi * 3, dpi, little[i].size_pt, little[i].colour, little[i].text);
        AUTO(raster_destroy) struct raster *gray = paper_gray(copy);
        struct clean_report report = clean(&page, false);
        assert_false(report.blank);
        assert_true(report.scant);
        assert_true(report.notes & CLEAN_NOTE(SCANT));
        if (little[i].colour != RED)
            assert_false(clean(&gray, false).blank);
    }
}

/* Backs of real scans: white ones, with a seal shining through. */
static void real_backs_are_blank(void **state)
{
    (void)state;
    const struct {
        const char *name;
        unsigned page_no;
    } backs[] = {
        {"qn-08.pdf", 4},
        {"qn-24.pdf", 4}
    };
    for (size_t i = 0; i < sizeof backs / sizeof backs[0]; i++) {
        AUTO(raster_destroy) struct raster *back = paper_scan(backs[i].name, backs[i].page_no, 300);
        if (!back)
            skip();
        assert_true(clean(&back, false).blank);
    }
}

static uint32_t notes_of(struct raster *page)
{
    struct clean_report report = clean(&page, false);
    raster_destroy(&page);
    return report.notes;
}

static struct raster *letter_in(uint32_t paper, uint32_t ink)
{
    struct raster *page = paper_new(1500, 1100, 300);
    paper_fill(page, 0, 0, 1500, 1100, paper);
    paper_write(page, 150, 200, 14, ink, lines);
    paper_write(page, 150, 620, 14, ink, lines);
    return page;
}

static void steps_follow_what_is_seen(void **state)
{
    (void)state;
    assert_int_equal(notes_of(letter_in(0xffffff, BLACK)), 0);
    assert_int_equal(notes_of(letter_in(0xf0ece0, 0x202020)), 0);
    assert_int_equal(notes_of(letter_in(0xffffff, 0x787878)), CLEAN_NOTE(FADED));
    struct raster *page = letter_in(0xffffff, BLACK);
    paper_seal(page, 420, 300, 180, RED);
    assert_int_equal(notes_of(page), CLEAN_NOTE(RED));
    page = letter_in(0xffffff, BLACK);
    paper_write(page, 900, 1000, 16, 0x2030a0, "15/6");
    assert_int_equal(notes_of(page), CLEAN_NOTE(BLUE));
    page = letter_in(0xffffff, BLACK);
    paper_fill(page, 0, 0, 40, 1100, BLACK);
    assert_int_equal(notes_of(page), CLEAN_NOTE(BORDER));
    page = paper_new(800, 600, 100);
    paper_write(page, 80, 90, 14, BLACK, lines);
    assert_true(notes_of(page) & CLEAN_NOTE(ENLARGED));
}

/* What shines through between the lines goes, the print stays. */
static void bleed_through_goes(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = letter(), *page = letter();
    paper_write(page, 150, 545, 14, 0xb8b8b8, "nɒub nɒdʜ nâʜn gnồб iộʜ ɒủɔ tếyuq ịʜgN nệiʜ ɔựʜT");
    paper_write(page, 150, 980, 14, 0xb8b8b8, "nɒub nɒdʜ nâʜn gnồб iộʜ ɒủɔ tếyuq ịʜgN nệiʜ ɔựʜT");
    struct clean_report report = clean(&page, false);
    assert_true(report.notes & CLEAN_NOTE(BLEED));
    expect_same_ink(paper, page);
}

/* Two upright pages on one picture; a single page is none, whichever way it lies. */
static void spreads_are_noted(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *spread = paper_new(2800, 1900, 200), *page = paper_new(1700, 2400, 200);
    for (uint32_t y = 200; y < 1500; y += 300) {
        paper_write(spread, 150, y, 14, BLACK, lines);
        paper_write(spread, 1600, y, 14, BLACK, lines);
        paper_write(page, 150, y, 14, BLACK, lines);
    }
    AUTO(raster_destroy) struct raster *page_lying = paper_turned(page, 90);
    assert_true(clean(&spread, false).notes & CLEAN_NOTE(SPREAD));
    assert_false(clean(&page, false).notes & CLEAN_NOTE(SPREAD));
    assert_false(clean(&page_lying, false).notes & CLEAN_NOTE(SPREAD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upright_text_stays_as_it_is),
        cmocka_unit_test(skew_is_taken_out_and_pixels_know_their_place),
        cmocka_unit_test(bilevel_pages_are_straightened_too),
        cmocka_unit_test(turned_pages_raise_doubt_and_turn_back),
        cmocka_unit_test(turned_and_skewed_at_once),
        cmocka_unit_test(coarse_pictures_are_enlarged_and_fine_ones_reduced),
        cmocka_unit_test(degraded_pages_are_small),
        cmocka_unit_test(empty_pages_are_blank),
        cmocka_unit_test(a_page_number_alone_is_not_blank),
        cmocka_unit_test(faint_text_is_kept),
        cmocka_unit_test(a_seal_goes_and_print_under_it_stays),
        cmocka_unit_test(a_violet_stamp_goes_and_a_blue_pen_stays),
        cmocka_unit_test(a_seal_seen_through_the_paper_is_blank),
        cmocka_unit_test(ink_on_a_fold_is_writing),
        cmocka_unit_test(print_on_a_fold_is_writing),
        cmocka_unit_test(punched_holes_are_blank),
        cmocka_unit_test(black_borders_go),
        cmocka_unit_test(uneven_light_is_evened),
        cmocka_unit_test(odd_pictures_do_no_harm),
        cmocka_unit_test(padding_is_not_looked_at),
        cmocka_unit_test(worn_backs_are_blank),
        cmocka_unit_test(nearly_empty_pages_are_not_blank),
        cmocka_unit_test(real_backs_are_blank),
        cmocka_unit_test(steps_follow_what_is_seen),
        cmocka_unit_test(bleed_through_goes),
        cmocka_unit_test(spreads_are_noted),
    };
    return cmocka_run_group_tests_name("clean", tests, NULL, NULL);
}
