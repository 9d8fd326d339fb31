/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Columns: boxes side by side come one after the other, and nothing else is torn apart. Pages are drawn with letters:
 * each stands for a square as wide as half a line's height, so two blanks are a gap. */
#include "worker/columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the first three */
#include <cmocka.h>

#include "proto/auto.h"

enum { LETTER_PX = 20, LINE_PX = 40, SURE_CPCT = 9500 };

/* A line as Tesseract joins its words; y is its top. */
static Sohoa__Line *add_line(Sohoa__Block *block, int32_t y, const char *text)
{
    Sohoa__Line *line = block_add_line(block);
    for (const char *at = text; *(at += strspn(at, " ")); at += strcspn(at, " ")) {
        char copy[100];
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(at, " "), at);
        Sohoa__Word *word = line_add_word(line, copy);
        word->x = 100 + (int32_t)(at - text) * LETTER_PX;
        word->y = y;
        word->w = (uint32_t)strlen(copy) * LETTER_PX;
        word->h = LINE_PX;
        word->confidence_cpct = SURE_CPCT;
    }
    line->x0 = line->words[0]->x;
    line->x1 = 100 + (int32_t)strlen(text) * LETTER_PX;
    line->y0 = line->y1 = y + LINE_PX - 10;
    line->ascent_px = LINE_PX - 10;
    line->descent_px = 10;
    return line;
}

struct drawn {
    int32_t y;
    const char *text; /* NULL: a new block begins */
};

static Sohoa__Page *page_draw(const struct drawn *lines, size_t count)
{
    Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    for (size_t i = 0; i < count; i++)
        if (lines[i].text)
            add_line(block, lines[i].y, lines[i].text);
        else
            block = page_add_block(page);
    return page;
}

/* Words in their order, '/' between lines and '|' between blocks. */
static void order_write(const Sohoa__Page *page, struct buf *out)
{
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            buf_puts(out, l ? "/" : b ? "|" : "");
            for (size_t i = 0; i < line->n_words; i++)
                buf_printf(out, "%s%s", i ? " " : "", line->words[i]->text);
        }
}

static void expect_order(const struct drawn *lines, size_t count, const char *expected)
{
    AUTO(page_destroy) Sohoa__Page *page = page_draw(lines, count);
    AUTO(buf_destroy) struct buf order = {0};
    columns_split(page);
    order_write(page, &order);
    assert_string_equal(buf_text(&order), expected);
}

#define EXPECT(expected, ...)                                                                                          \
    do {                                                                                                               \
        const struct drawn lines[] = {__VA_ARGS__};                                                                    \
        expect_order(lines, sizeof lines / sizeof lines[0], expected);                                                 \
    } while (0)

#define BODY "the people of the district are asked to read this line of the body to its end"

static void a_head_becomes_two_pairs(void **state)
{
    (void)state;
    EXPECT("UBND TINH/HUYEN A|CONG HOA XA HOI VIET NAM/Doc lap - Tu do|Số: 25/CT|A, ngay 5 thang 6|CHI THI|" BODY,
           {100, "   UBND TINH                   CONG HOA XA HOI VIET NAM"},
           {150, "    HUYEN A                         Doc lap - Tu do"},
           {240, "  Số: 25/CT                        A, ngay 5 thang 6"}, {0, NULL},
           {380, "                           CHI THI"}, {0, NULL}, {460, BODY});
}

static void a_head_of_which_one_line_is_joined(void **state)
{
    (void)state;
    EXPECT("UBND TINH/HUYEN A|CONG HOA XA HOI VIET NAM/Doc lap - Tu do|Số: 25/CT|A, ngay 5 thang 6|" BODY,
           {100, "   UBND TINH                   CONG HOA XA HOI VIET NAM"}, {0, NULL},
           {150, "                                    Doc lap - Tu do"},
           {240, "                                   A, ngay 5 thang 6"}, {0, NULL}, {150, "    HUYEN A"},
           {240, "  Số: 25/CT"}, {0, NULL}, {400, BODY});
}

static void boxes_of_other_heights(void **state)
{
    (void)state;
    EXPECT("DOAN TINH/BAN CHAP HANH/HUYEN A|CONG HOA XA HOI VIET NAM/Doc lap - Tu do|Số: 25/CT|A, ngay 5|" BODY,
           {100, "   DOAN TINH                   CONG HOA XA HOI VIET NAM"}, {0, NULL}, {145, "  BAN CHAP HANH"},
           {190, "    HUYEN A"}, {0, NULL}, {160, "                                    Doc lap - Tu do"}, {0, NULL},
           {270, "  Số: 25/CT                           A, ngay 5"}, {0, NULL}, {400, BODY});
}

static void a_skewed_head(void **state)
{
    (void)state;
    EXPECT("UBND TINH/HUYEN A|CONG HOA XA HOI VIET NAM/Doc lap - Tu do|Số: 25/CT|A, ngay 5|" BODY,
           {112, "                               CONG HOA XA HOI VIET NAM"},
           {162, "                                    Doc lap - Tu do"},
           {252, "                                       A, ngay 5"}, {0, NULL}, {100, "   UBND TINH"},
           {150, "    HUYEN A"}, {240, "  Số: 25/CT"}, {0, NULL}, {400, BODY});
}

static void a_head_of_the_party(void **state)
{
    (void)state;
    EXPECT("HUYEN UY A/DANG UY B/*|DANG CONG SAN VIET NAM|Số 25-NQ/DU|A, ngay 5|" BODY,
           {100, "HUYEN UY A                     DANG CONG SAN VIET NAM"}, {150, "DANG UY B"}, {0, NULL},
           {200, "    *"}, {0, NULL}, {290, "Số 25-NQ/DU                           A, ngay 5"}, {0, NULL}, {400, BODY});
}

static void a_subject_stays_below_its_number(void **state)
{
    (void)state;
    EXPECT(
        "UBND TINH/HUYEN A|CONG HOA XA HOI VIET NAM/Doc lap - Tu do|Số: 25/UBND/V/v tham gia y kien/du thao|A, ngay 5|Kinh gui: So B|" BODY,
        {100, "   UBND TINH                   CONG HOA XA HOI VIET NAM"},
        {150, "    HUYEN A                         Doc lap - Tu do"},
        {240, "  Số: 25/UBND                         A, ngay 5"}, {290, "V/v tham gia y kien"}, {340, "   du thao"},
        {0, NULL}, {480, "              Kinh gui: So B"}, {0, NULL}, {560, BODY});
}

static void a_number_that_was_not_read(void **state)
{
    (void)state;
    EXPECT("UBND TINH/HUYEN A|CONG HOA XA HOI VIET NAM/Doc lap - Tu do|" BODY,
           {100, "   UBND TINH                   CONG HOA XA HOI VIET NAM"},
           {150, "    HUYEN A                         Doc lap - Tu do"}, {0, NULL}, {400, BODY});
}

static void signatures_above_a_head(void **state)
{
    (void)state;
    EXPECT(
        "TRUNG TAM/BAO VA TIN|KY BOI: UBND/Co quan: tinh|UBND TINH/HUYEN A|CONG HOA XA HOI VIET NAM/Doc lap - Tu do|Số: 25/CT|A, ngay 5|" BODY,
        {0, "                         TRUNG TAM         KY BOI: UBND"},
        {45, "                         BAO VA TIN        Co quan: tinh"}, {0, NULL},
        {140, "   UBND TINH                   CONG HOA XA HOI VIET NAM"},
        {190, "    HUYEN A                         Doc lap - Tu do"},
        {280, "  Số: 25/CT                           A, ngay 5"}, {0, NULL}, {450, BODY});
}

static void recipients_come_before_who_signs(void **state)
{
    (void)state;
    EXPECT(BODY "|Noi nhan:/- Nhu tren;/- Van phong;/- Luu: VT.|KT. CHU TICH/PHO CHU TICH/Nguyen Van A|7", {100, BODY},
           {0, NULL}, {200, "Noi nhan:                            KT. CHU TICH"},
           {250, "- Nhu tren;                          PHO CHU TICH"}, {300, "- Van phong;"}, {350, "- Luu: VT."},
           {0, NULL}, {560, "                                     Nguyen Van A"}, {0, NULL},
           {2000, "                                    7"});
}

static void one_title_beside_a_list(void **state)
{
    (void)state;
    EXPECT(BODY "|Noi nhan:/- Nhu tren;/- Luu: VT.|CHU TICH/Nguyen Van A", {100, BODY}, {0, NULL},
           {200, "Noi nhan:                            CHU TICH"}, {250, "- Nhu tren;"}, {300, "- Luu: VT."}, {0, NULL},
           {500, "                                   Nguyen Van A"});
}

static void minutes_have_two_who_sign(void **state)
{
    (void)state;
    EXPECT(BODY "|THU KY/(Ky)/Tran B|CHU TRI/(Ky)/Nguyen Van A", {100, BODY}, {0, NULL},
           {200, "   THU KY                              CHU TRI"},
           {250, "    (Ky)                                (Ky)"},
           {370, "   Tran B                            Nguyen Van A"});
}

static void a_line_above_the_closing_hides_nothing(void **state)
{
    (void)state;
    EXPECT(BODY "/(Instead of an invitation)./.|Noi nhan:/- Nhu tren;/- Luu: VT.|TL. CHU TICH/KT. CHANH VAN PHONG",
           {100, BODY}, {170, "  (Instead of an invitation)./."}, {0, NULL}, {230, "Noi nhan:"},
           {228, "                                     TL. CHU TICH"}, {0, NULL}, {280, "- Nhu tren;"},
           {330, "- Luu: VT."}, {0, NULL}, {284, "                              KT. CHANH VAN PHONG"});
}

static void word_shrink(Sohoa__Word *word)
{
    word->y += LINE_PX / 2;
    word->h = 6;
    word->confidence_cpct = 6300;
}

/* Strokes of the signature were read as words. */
static void specks_are_no_columns(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    add_line(block, 100, BODY);
    word_shrink(add_line(block, 200, "Noi nhan:      .                     KT. CHU TICH")->words[2]);
    word_shrink(add_line(block, 250, "- Nhu tren;                  3       PHO CHU TICH")->words[3]);
    add_line(block, 300, "- Luu: VT.");
    columns_split(page);
    assert_int_equal(page->n_blocks, 3);
    assert_int_equal(page->blocks[1]->n_lines, 3);
    assert_string_equal(page->blocks[2]->lines[0]->words[0]->text, "KT.");
    assert_int_equal(page->blocks[2]->n_lines, 2);
}

static void a_table_in_the_body_stays(void **state)
{
    (void)state;
    EXPECT(BODY "|TT TEN DON VI SO NGUOI/1 Ward one 25/2 Ward two 31|" BODY, {100, BODY}, {0, NULL},
           {200, "TT    TEN DON VI         SO NGUOI"}, {250, "1     Ward one           25"},
           {300, "2     Ward two           31"}, {0, NULL}, {400, BODY});
}

static void a_table_at_the_end_stays(void **state)
{
    (void)state;
    EXPECT(BODY "|Ward one twenty five/Ward two thirty/Ward three four", {100, BODY}, {0, NULL},
           {200, "Ward one                 twenty five"}, {250, "Ward two                 thirty"},
           {300, "Ward three               four"});
}

static void a_table_of_three_columns_at_the_end_stays(void **state)
{
    (void)state;
    EXPECT(BODY "|TT TEN DON VI SO NGUOI/1 Ward one 25/2 Ward two 31", {100, BODY}, {0, NULL},
           {200, "TT    TEN DON VI         SO NGUOI"}, {250, "1     Ward one           25"},
           {300, "2     Ward two           31"});
}

static void a_page_of_two_columns_stays(void **state)
{
    (void)state;
    EXPECT(
        "LEFT one of/left two of/left three/left four/left five/left six/left seven/left eight/left nine/left ten|"
        "RIGHT one of/right two of/right three/right four/right five/right six/right seven/right eight/RIGHT NINE/RIGHT TEN",
        {100, "LEFT one of"}, {150, "left two of"}, {250, "left three"}, {300, "left four"}, {350, "left five"},
        {400, "left six"}, {450, "left seven"}, {500, "left eight"}, {550, "left nine"}, {600, "left ten"}, {0, NULL},
        {100, "                RIGHT one of"}, {150, "                right two of"},
        {250, "                right three"}, {300, "                right four"}, {350, "                right five"},
        {400, "                right six"}, {450, "                right seven"}, {500, "                right eight"},
        {550, "                RIGHT NINE"}, {600, "                RIGHT TEN"});
}

static void body_text_with_gaps_stays(void **state)
{
    (void)state;
    EXPECT(BODY "/this line has a gap here/and this one has another gap/" BODY, {100, BODY},
           {150, "this line   has a gap here"}, {200, "and this    one has another gap"}, {250, BODY});
}

static void lines_far_apart_are_no_column(void **state)
{
    (void)state;
    EXPECT("AAAAA BBBBB/CCCCC DDDDD/" BODY, {100, "AAAAA         BBBBB"}, {600, "CCCCC         DDDDD"}, {900, BODY});
}

static void split_lines_keep_bounds_and_baseline(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    add_line(block, 100, "AAAAA    BBBBB")->y1 += 10;
    add_line(block, 150, "CCCCC    DDDDD");
    columns_split(page);
    assert_int_equal(page->n_blocks, 2);
    const Sohoa__Line *left = page->blocks[0]->lines[0], *right = page->blocks[1]->lines[0];
    assert_int_equal(left->x, 100);
    assert_int_equal(left->w, 100);
    assert_true(right->x > left->x1 && right->x >= right->x0);
    assert_int_equal(left->y0, 130);
    assert_int_equal(right->y1, 140);
    assert_in_range(left->y1, 131, right->y0);
    assert_int_equal(right->ascent_px, LINE_PX - 10);
    assert_int_equal(page->blocks[1]->x, right->x);
}

static void an_empty_page_stays_empty(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    columns_split(page);
    assert_int_equal(page->n_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_becomes_two_pairs),
        cmocka_unit_test(a_head_of_which_one_line_is_joined),
        cmocka_unit_test(boxes_of_other_heights),
        cmocka_unit_test(a_skewed_head),
        cmocka_unit_test(a_head_of_the_party),
        cmocka_unit_test(a_subject_stays_below_its_number),
        cmocka_unit_test(a_number_that_was_not_read),
        cmocka_unit_test(signatures_above_a_head),
        cmocka_unit_test(recipients_come_before_who_signs),
        cmocka_unit_test(one_title_beside_a_list),
        cmocka_unit_test(minutes_have_two_who_sign),
        cmocka_unit_test(a_line_above_the_closing_hides_nothing),
        cmocka_unit_test(specks_are_no_columns),
        cmocka_unit_test(a_table_in_the_body_stays),
        cmocka_unit_test(a_table_at_the_end_stays),
        cmocka_unit_test(a_table_of_three_columns_at_the_end_stays),
        cmocka_unit_test(a_page_of_two_columns_stays),
        cmocka_unit_test(body_text_with_gaps_stays),
        cmocka_unit_test(lines_far_apart_are_no_column),
        cmocka_unit_test(split_lines_keep_bounds_and_baseline),
        cmocka_unit_test(an_empty_page_stays_empty),
    };
    return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
