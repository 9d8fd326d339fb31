/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The secrecy pass: stamps of each kind however they lie, what looks like them, what words say, and pictures made to break it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants those above */
#include <cmocka.h>

#include "proto/auto.h"
#include "tests/lib/paper.h"
#include "worker/page.h"
#include "worker/secrecy.h"

enum {
    RED = 0xc81e28,
    VIOLET = 0x7a1c6e,
    BLACK = 0x181818,
    DPI = 150,
    WIDTH_PX = 1240, /* A4, its upper half */
    HEIGHT_PX = 877,
    PX_10MM = 59,
};

/* Where stamps are put: below the number. */
static const uint32_t stamp_x = 240, stamp_y = 300;

static struct raster *letter(void)
{
    struct raster *paper = paper_new(WIDTH_PX, HEIGHT_PX, DPI);
    paper_write(paper, 150, 120, 13, BLACK, "ỦY BAN NHÂN DÂN");
    paper_write(paper, 170, 220, 13, BLACK, "Số: 127/UBND-VP");
    paper_write(paper, 150, 520, 13, BLACK,
                "Thực hiện Nghị quyết của Hội đồng nhân dân thành phố về\n"
                "nhiệm vụ phát triển kinh tế, Ủy ban nhân dân quận yêu cầu\n"
                "các phòng, ban chuyên môn triển khai các nội dung sau đây.");
    return paper;
}

static void frame(struct raster *paper, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t line, uint32_t colour)
{
    paper_fill(paper, x, y, w, line, colour);
    paper_fill(paper, x, y + h - line, w, line, colour);
    paper_fill(paper, x, y, line, h, colour);
    paper_fill(paper, x + w - line, y, line, h, colour);
}

/* A frame of so many millimetres with text in it; doubled: and another within. */
static void stamp(struct raster *paper, uint32_t width_mm, uint32_t height_mm, bool doubled, uint32_t colour,
                  const char *text)
{
    uint32_t w = width_mm * PX_10MM / 10, h = height_mm * PX_10MM / 10;
    frame(paper, stamp_x, stamp_y, w, h, 3, colour);
    if (doubled)
        frame(paper, stamp_x + 5, stamp_y + 5, w - 10, h - 10, 1, colour);
    paper_write(paper, stamp_x + (height_mm > 10 ? 45 : 18), stamp_y + 8, 13, colour, text);
}

static Sohoa__Page *look(const struct raster *raster)
{
    struct err err = {0};
    Sohoa__Page *page = page_new(1);
    page->width_px = raster->width_px;
    page->height_px = raster->height_px;
    page->dpi_view = DPI;
    assert_int_equal(secrecy_look(raster, page, &err), 0);
    assert_true(page->n_stamps <= STAMPS_MOST);
    return page;
}

static void expect_stamp(const struct raster *raster, Sohoa__StampKind kind)
{
    AUTO(page_destroy) Sohoa__Page *page = look(raster);
    assert_int_equal(page->n_stamps, 1);
    assert_int_equal(page->stamps[0]->kind, kind);
    assert_true(page->stamps[0]->picture);
    assert_false(page->stamps[0]->words);
    assert_int_equal(secrecy_suspects(page), kind != SOHOA__STAMP_KIND__STAMP_GIAI_MAT);
}

static void expect_none(const struct raster *raster)
{
    AUTO(page_destroy) Sohoa__Page *page = look(raster);
    assert_int_equal(page->n_stamps, 0);
    assert_false(secrecy_suspects(page));
}

static const struct {
    Sohoa__StampKind kind;
    uint32_t width_mm, height_mm;
    const char *text;
} forms[] = {
    {SOHOA__STAMP_KIND__STAMP_MAT,       20, 8,  "MẬT"        },
    {SOHOA__STAMP_KIND__STAMP_TOI_MAT,   30, 8,  "TỐI MẬT"  },
    {SOHOA__STAMP_KIND__STAMP_TUYET_MAT, 40, 8,  "TUYỆT MẬT"},
    {SOHOA__STAMP_KIND__STAMP_GIAI_MAT,  30, 13, "GIẢI\nMẬT"},
};

enum { FORMS = sizeof forms / sizeof *forms };

static struct raster *stamped(size_t form, bool doubled, uint32_t colour)
{
    struct raster *paper = letter();
    stamp(paper, forms[form].width_mm, forms[form].height_mm, doubled, colour, forms[form].text);
    return paper;
}

static void each_kind_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        AUTO(raster_destroy) struct raster *paper = stamped(i, true, RED);
        expect_stamp(paper, forms[i].kind);
    }
    AUTO(raster_destroy) struct raster *older = stamped(1, false, VIOLET);
    expect_stamp(older, SOHOA__STAMP_KIND__STAMP_TOI_MAT);
}

static void a_stamp_has_its_place_in_the_view(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = stamped(0, true, RED);
    const double to_view[] = {2, 0, 0, 2, 0, 0};
    memcpy(paper->to_view, to_view, sizeof to_view);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    page->width_px = 2 * WIDTH_PX;
    page->height_px = 2 * HEIGHT_PX;
    assert_int_equal(secrecy_look(paper, page, NULL), 0);
    assert_int_equal(page->n_stamps, 1);
    const Sohoa__Stamp *seen = page->stamps[0];
    assert_in_range(seen->x, 2 * stamp_x - 15, 2 * stamp_x + 25);
    assert_in_range(seen->y, 2 * stamp_y - 15, 2 * stamp_y + 25);
    assert_in_range(seen->w, 4 * PX_10MM - 40, 4 * PX_10MM + 30);
}

static void stamps_lie_as_pages_do(void **state)
{
    (void)state;
    const double degrees[] = {-7, 4, 90, 180, 270};
    AUTO(raster_destroy) struct raster *paper = stamped(1, true, RED);
    for (size_t i = 0; i < sizeof degrees / sizeof *degrees; i++) {
        AUTO(raster_destroy) struct raster *turned = paper_turned(paper, degrees[i]);
        expect_stamp(turned, SOHOA__STAMP_KIND__STAMP_TOI_MAT);
    }
}

static void without_colour_it_is_black(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = stamped(2, true, RED);
    AUTO(raster_destroy) struct raster *gray = paper_gray(paper), *bilevel = paper_bilevel(paper);
    expect_stamp(gray, SOHOA__STAMP_KIND__STAMP_TUYET_MAT);
    expect_stamp(bilevel, SOHOA__STAMP_KIND__STAMP_TUYET_MAT);
}

static void what_lies_over_it_hides_nothing(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *written = stamped(1, true, RED), *sealed = stamped(1, true, RED);
    paper_write(written, stamp_x + 70, stamp_y + 24, 13, BLACK, "ngày 15 tháng 8 năm 1998");
    paper_seal(sealed, stamp_x + 210, stamp_y + 40, 90, RED);
    AUTO(page_destroy) Sohoa__Page *one = look(written), *other = look(sealed);
    assert_true(secrecy_suspects(one));
    assert_true(secrecy_suspects(other));
}

static void a_stamp_half_worn_off_is_suspect(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = stamped(1, true, RED);
    for (uint32_t i = 0; i < 40; i++)
        paper_fill(paper, stamp_x + 3 + i * 37 % 170, stamp_y + 3 + i * 23 % 40, 5, 4, 0xffffff);
    AUTO(page_destroy) Sohoa__Page *page = look(paper);
    assert_true(secrecy_suspects(page));
}

static void any_resolution_shows_it(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = stamped(2, true, RED);
    paper->dpi = 0; /* unknown: what would make the page as long as a sheet */
    AUTO(page_destroy) Sohoa__Page *unknown = look(paper);
    assert_true(secrecy_suspects(unknown));
    paper->dpi = DPI;
    raster_halve(paper);
    paper->dpi = DPI / 2;
    AUTO(page_destroy) Sohoa__Page *coarse = look(paper);
    assert_true(secrecy_suspects(coarse));
}

static void urgency_is_no_secret(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *soon = letter(), *sooner = letter(), *soonest = letter();
    stamp(soon, 20, 8, true, RED, "KHẨN");
    stamp(sooner, 40, 8, true, RED, "THƯỢNG KHẨN");
    stamp(soonest, 30, 8, true, RED, "HỎA TỐC");
    expect_none(soon);
    expect_none(sooner);
    expect_none(soonest);
}

static void seals_tables_and_letters_are_no_stamps(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *plain = letter(), *sealed = letter(), *table = letter();
    paper_seal(sealed, 700, 350, 105, RED);
    for (uint32_t row = 0; row < 3; row++)
        for (uint32_t column = 0; column < 4; column++) {
            frame(table, 150 + 200 * column, 280 + 50 * row, 202, 52, 2, RED);
            paper_write(table, 170 + 200 * column, 290 + 50 * row, 11, BLACK, "Mật độ 12");
        }
    expect_none(plain);
    expect_none(sealed);
    expect_none(table);
}

/* ---- words ---- */

static void add_line(Sohoa__Page *page, int32_t y, const char *text)
{
    char words[120];
    Sohoa__Line *line = block_add_line(page_add_block(page));
    snprintf(words, sizeof words, "%s", text);
    int32_t x = 200;
    for (char *rest = words, *word; (word = strtok_r(rest, " ", &rest)); x += 100) {
        Sohoa__Word *added = line_add_word(line, word);
        added->x = x;
        added->y = y;
        added->w = 80;
        added->h = 40;
        added->confidence_cpct = 9000;
    }
    page_fit_bounds(page);
}

/* The kind that a page with that line alone is noted with; -1: none. */
static int kind_of_line(const char *text, int32_t y, uint32_t rotation_deg)
{
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    page->width_px = 2480;
    page->height_px = 3508;
    page->rotation_deg = rotation_deg;
    add_line(page, y, text);
    secrecy_words(page);
    assert_true(page->n_stamps < 2);
    assert_true(!page->n_stamps || (page->stamps[0]->words && !page->stamps[0]->picture));
    return page->n_stamps ? (int)page->stamps[0]->kind : -1;
}

static void lines_of_their_own_say_it(void **state)
{
    (void)state;
    assert_int_equal(kind_of_line("MẬT", 700, 0), SOHOA__STAMP_KIND__STAMP_MAT);
    assert_int_equal(kind_of_line("MÁT", 700, 0), SOHOA__STAMP_KIND__STAMP_MAT);
    assert_int_equal(kind_of_line("M Ậ T", 700, 0), SOHOA__STAMP_KIND__STAMP_MAT);
    assert_int_equal(kind_of_line("TỐI MẬT", 700, 0), SOHOA__STAMP_KIND__STAMP_TOI_MAT);
    assert_int_equal(kind_of_line("TÓI MẬT", 700, 0), SOHOA__STAMP_KIND__STAMP_TOI_MAT);
    assert_int_equal(kind_of_line("TUYET MAT", 700, 0), SOHOA__STAMP_KIND__STAMP_TUYET_MAT);
    assert_int_equal(kind_of_line("GIẢI MẬT", 700, 0), SOHOA__STAMP_KIND__STAMP_GIAI_MAT);
    assert_int_equal(kind_of_line("(Mật)", 700, 0), SOHOA__STAMP_KIND__STAMP_MAT);
    assert_int_equal(kind_of_line("Độ mật: Tối mật", 700, 0), SOHOA__STAMP_KIND__STAMP_TOI_MAT);
    assert_int_equal(kind_of_line("MẬT", 3000, 180), SOHOA__STAMP_KIND__STAMP_MAT);
}

static void other_lines_say_nothing(void **state)
{
    (void)state;
    const char *const lines[] = {
        "BÍ MẬT NHÀ NƯỚC", "BẢO MẬT",  "bảo vệ bí mật",       "MẬT ĐỘ", "Mật",     "LUẬT BẢO VỆ BÍ MẬT", "TỐI", "",
        "Độ mật: Không",   "MẶT TRẬN", "QUY ĐỊNH VỀ BẢO MẬT", "MẬT MÃ", "HỎA TỐC", "Số: 12/UBND"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(kind_of_line(lines[i], 700, 0), -1);
    assert_int_equal(kind_of_line("MẬT", 3000, 0), -1); /* low on the page */
    assert_int_equal(kind_of_line("MẬT", 500, 180), -1);
}

static void words_over_a_picture_confirm_it(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    page->width_px = 2480;
    page->height_px = 3508;
    Sohoa__Stamp *seen = page_add_stamp(page);
    seen->x = 180;
    seen->y = 680;
    seen->w = 240;
    seen->h = 95;
    seen->picture = true;
    add_line(page, 700, "TỐI MẬT");
    secrecy_words(page);
    assert_int_equal(page->n_stamps, 1);
    assert_int_equal(seen->kind, SOHOA__STAMP_KIND__STAMP_TOI_MAT);
    assert_true(seen->picture && seen->words);
}

static void declassified_pages_are_not_suspect(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    assert_false(secrecy_suspects(page));
    page_add_stamp(page)->kind = SOHOA__STAMP_KIND__STAMP_UNSEEN;
    assert_true(secrecy_suspects(page));
    page_add_stamp(page)->kind = SOHOA__STAMP_KIND__STAMP_GIAI_MAT;
    assert_false(secrecy_suspects(page));
}

static void no_page_has_more_stamps_than_fit(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1), *unpacked = NULL;
    AUTO(buf_destroy) struct buf packed = {0};
    for (int i = 0; i < STAMPS_MOST; i++)
        assert_non_null(page_add_stamp(page));
    assert_null(page_add_stamp(page));
    page->stamps[3]->confidence_cpct = 10001;
    page_pack(page, &packed);
    assert_int_equal(page_unpack(packed.data, packed.size, &unpacked, NULL), E_FRAME);
    page->stamps[3]->confidence_cpct = 10000;
    buf_clear(&packed);
    page_pack(page, &packed);
    assert_int_equal(page_unpack(packed.data, packed.size, &unpacked, NULL), 0);
}

/* ---- hostile pictures ---- */

static void any_size_and_resolution_is_looked_at(void **state)
{
    (void)state;
    const struct {
        uint32_t width_px, height_px, channels, dpi;
    } shapes[] = {
        {1,     1,     3, 300  },
        {1,     9000,  1, 1    },
        {30000, 41,    0, 300  },
        {41,    30000, 3, 65535},
        {64,    64,    0, 0    },
        {300,   300,   1, 72   },
        {3000,  3000,  0, 10   },
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        AUTO(raster_destroy)
        struct raster *raster = raster_new(shapes[i].width_px, shapes[i].height_px, shapes[i].channels);
        assert_non_null(raster);
        raster->dpi = shapes[i].dpi;
        for (size_t at = 0; at < raster->stride_bytes * raster->height_px; at++)
            raster->data[at] = (uint8_t)(at * 2654435761u >> 13);
        AUTO(page_destroy) Sohoa__Page *page = look(raster);
        for (size_t s = 0; s < page->n_stamps; s++)
            assert_true(page->stamps[s]->x >= 0 && page->stamps[s]->x + page->stamps[s]->w <= raster->width_px);
    }
}

static void many_frames_are_not_too_many(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = paper_new(WIDTH_PX, HEIGHT_PX, DPI);
    for (uint32_t y = 10; y + 60 < HEIGHT_PX; y += 60)
        for (uint32_t x = 10; x + 150 < WIDTH_PX; x += 150) {
            frame(paper, x, y, 130, 47, 2, RED);
            paper_fill(paper, x + 40, y + 12, 40, 20, RED);
        }
    AUTO(page_destroy) Sohoa__Page *page = look(paper);
    assert_true(page->n_stamps <= STAMPS_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_told),
        cmocka_unit_test(a_stamp_has_its_place_in_the_view),
        cmocka_unit_test(stamps_lie_as_pages_do),
        cmocka_unit_test(without_colour_it_is_black),
        cmocka_unit_test(what_lies_over_it_hides_nothing),
        cmocka_unit_test(a_stamp_half_worn_off_is_suspect),
        cmocka_unit_test(any_resolution_shows_it),
        cmocka_unit_test(urgency_is_no_secret),
        cmocka_unit_test(seals_tables_and_letters_are_no_stamps),
        cmocka_unit_test(lines_of_their_own_say_it),
        cmocka_unit_test(other_lines_say_nothing),
        cmocka_unit_test(words_over_a_picture_confirm_it),
        cmocka_unit_test(declassified_pages_are_not_suspect),
        cmocka_unit_test(no_page_has_more_stamps_than_fit),
        cmocka_unit_test(any_size_and_resolution_is_looked_at),
        cmocka_unit_test(many_frames_are_not_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
