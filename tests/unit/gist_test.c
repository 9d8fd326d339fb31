/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sketches of documents as they are read, and whether the rule takes them for the same. */
#include "worker/gist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/alike.h"
#include "proto/auto.h"

enum { SURE_CPCT = 9700, UNSURE_CPCT = 6000 };

static const char form[] = "ỦY BAN NHÂN DÂN CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n"
                           "QUẬN BA ĐÌNH Độc lập - Tự do - Hạnh phúc\n"
                           "Số: %s/GCN-UBND Ba Đình, ngày %s tháng 8 năm 2019\n"
                           "chứng nhận ông bà %s sinh ngày %s đã hoàn thành khóa bồi dưỡng nghiệp vụ\n"
                           "công tác văn thư, lưu trữ dành cho công chức, viên chức các cơ quan, đơn vị\n"
                           "thuộc quận theo kế hoạch được phê duyệt tại quyết định số 1127/QĐ-UBND của\n"
                           "chủ tịch và có giá trị trên toàn thành phố kể từ ngày 05/8/2019 đến hết năm\n";

/* A page with the text: a word that begins with ~ was read without confidence. */
static Sohoa__Page *page_of(const char *text)
{
    Sohoa__Page *page = page_new(1);
    Sohoa__Block *block = page_add_block(page);
    for (const char *at = text; *at;) {
        Sohoa__Line *line = block_add_line(block);
        for (; *at && *at != '\n'; at += *at == ' ') {
            char word[64];
            bool unsure = *at == '~';
            size_t n = strcspn(at + unsure, " \n");
            snprintf(word, sizeof word, "%.*s", (int)n, at + unsure);
            at += n + unsure;
            line_add_word(line, word)->confidence_cpct = unsure ? UNSURE_CPCT : SURE_CPCT;
        }
        at += *at == '\n';
    }
    return page;
}

static struct sketch sketch_of(const char *text)
{
    AUTO(page_destroy) Sohoa__Page *page = page_of(text);
    struct sketch sketch;
    gist_of(&page, 1, &sketch);
    return sketch;
}

static struct sketch filled(const char *number, const char *day, const char *name, const char *born)
{
    char text[sizeof form + 256];
    snprintf(text, sizeof text, form, number, day, name, born);
    return sketch_of(text);
}

static enum alike_kind kind(struct sketch a, struct sketch b)
{
    return alike_of(&a, &b).kind;
}

static void accents_case_and_punctuation_do_not_count(void **state)
{
    (void)state;
    struct sketch one = sketch_of("Về việc: triển khai KẾ hoạch, công tác số 12 năm 2019");
    struct sketch two = sketch_of("ve viec trien khai kê hoach công tác - số 12. nam 2019");
    assert_int_equal(one.shingles, two.shingles);
    assert_memory_equal(one.text, two.text, sizeof one.text);
    assert_int_equal(one.marks, 2);
    assert_memory_equal(one.context, two.context, sizeof one.context);
    assert_memory_equal(one.value, two.value, sizeof one.value);
}

static void a_letterhead_is_passed_over(void **state)
{
    (void)state;
    struct sketch one =
        sketch_of("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\nvề việc triển khai");
    struct sketch two = sketch_of("về việc triển khai");
    assert_int_equal(one.shingles, two.shingles);
    assert_int_equal(one.marks, 0);
    assert_memory_equal(one.text, two.text, sizeof one.text);
}

static void what_was_read_without_confidence_is_no_mark(void **state)
{
    (void)state;
    assert_int_equal(sketch_of("theo quyết định số 12 của Nguyễn Văn An").marks, 4);
    assert_int_equal(sketch_of("theo quyết định số ~12 của Nguyễn Văn An").marks, 3);
    assert_int_equal(sketch_of("theo quyết định số 12 của Nguyễn ~Văn An").marks, 1);
    /* Of two dates behind the same words one is not known: whether the other was replaced isn't, either. */
    assert_int_equal(sketch_of("theo quyết định ngày 12/3/2019 và quyết định ngày 14/3/2019").marks, 2);
    assert_int_equal(sketch_of("theo quyết định ngày 12/3/2019 và quyết định ngày ~14/3/2019").marks, 0);
}

static void numbers_of_pages_and_lists_are_no_marks(void **state)
{
    (void)state;
    assert_int_equal(sketch_of("12\n1. về việc triển khai\na) nội dung\n2) kinh phí").marks, 0);
}

static void another_reading_is_the_same(void **state)
{
    (void)state;
    struct sketch one = filled("15", "12", "Nguyễn Văn An", "03/4/1971");
    assert_int_equal(kind(one, filled("15", "12", "Nguyễn Văn An", "03/4/1971")), ALIKE_DOCUMENT);
    assert_int_equal(kind(one, filled("~16", "12", "Nguyễn Văn An", "03/4/1971")), ALIKE_DOCUMENT);
    assert_int_equal(kind(one, filled("15", "~72", "Nguyễn Văn ~Am", "03/4/1971")), ALIKE_DOCUMENT);
    assert_int_equal(kind(one, filled("15", "12", "Nguyen Văn An", "03.4.1971")), ALIKE_DOCUMENT);
}

static void a_form_for_somebody_else_is_another(void **state)
{
    (void)state;
    struct sketch one = filled("15", "12", "Nguyễn Văn An", "03/4/1971");
    assert_int_equal(kind(one, filled("16", "12", "Nguyễn Văn An", "03/4/1971")), ALIKE_NOT);
    assert_int_equal(kind(one, filled("15", "13", "Nguyễn Văn An", "03/4/1971")), ALIKE_NOT);
    assert_int_equal(kind(one, filled("15", "12", "Nguyễn Văn Bình", "03/4/1971")), ALIKE_NOT);
    assert_int_equal(kind(one, filled("15", "12", "Nguyễn Văn An", "04/4/1971")), ALIKE_NOT);
    assert_int_equal(kind(one, sketch_of("về việc triển khai kế hoạch công tác văn thư lưu trữ năm 2019 của các cơ "
                                         "quan thuộc quận đã được phê duyệt")),
                     ALIKE_NOT);
}

/* A blank form, or one filled in by hand, has hardly a mark: text alone says nothing. */
static void a_form_without_marks_is_nobodys(void **state)
{
    (void)state;
    static const char blank[] =
        "đơn xin nghỉ phép kính gửi thủ trưởng cơ quan tên tôi là ... sinh ngày ... hiện công tác tại "
        "phòng ... làm đơn này xin được nghỉ phép từ ngày ... đến ngày ... lý do";
    struct sketch one = sketch_of(blank), two = one;
    assert_int_equal(one.marks, 0);
    assert_int_equal(kind(one, two), ALIKE_NOT);
    one.pictures = two.pictures = 1;
    one.picture[0] = 0xff00ff00;
    two.picture[0] = 0xff00ff01;
    assert_int_equal(kind(one, two), ALIKE_SCAN);
    two.picture[0] = 0x12345678;
    assert_int_equal(kind(one, two), ALIKE_NOT);
}

static void figures_are_of_the_pages(void **state)
{
    (void)state;
    Sohoa__Page *pages[3] = {page_of("về việc triển khai"), page_new(2), page_of("nội dung 12")};
    struct sketch sketch;
    pages[0]->dpi_scan = 300;
    pages[0]->bits = 24;
    pages[1]->kind = SOHOA__PAGE_KIND__PAGE_BLANK;
    pages[2]->dpi_scan = 200;
    pages[2]->bits = 8;
    gist_of(pages, 3, &sketch);
    assert_int_equal(sketch.pages, 2);
    assert_int_equal(sketch.dpi, 200);
    assert_int_equal(sketch.bits, 8);
    assert_int_equal(sketch.pictures, 0);
    assert_int_equal(sketch.key, 0);
    for (int i = 0; i < 3; i++)
        page_destroy(&pages[i]);
}

/* More numbers than fit: names go first, and of a context all values are there or none. */
static void a_sample_is_made_of_whole_contexts(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf text = {0};
    for (int i = 0; i < 40; i++)
        buf_printf(&text, "việc thứ w%c%c là %d%d ", 'a' + i % 26, 'a' + i / 26, 1 + i, 7);
    buf_puts(&text, "của ông Nguyễn Văn An");
    struct sketch sketch = sketch_of(buf_text(&text)), again = sketch_of(buf_text(&text));
    assert_in_range(sketch.marks, SKETCH_MARKS / 2, SKETCH_MARKS);
    assert_memory_equal(&sketch, &again, sizeof sketch);
    for (unsigned i = 1; i < sketch.marks; i++)
        assert_true(sketch.context[i - 1] <= sketch.context[i]);
    buf_clear(&text);
    for (int i = 0; i < 15; i++)
        buf_printf(&text, "việc thứ w%c của Nguyễn%c Văn%c An%c ", 'a' + i, 'a' + i, 'a' + i, 'a' + i);
    sketch = sketch_of(buf_text(&text));
    assert_int_equal(sketch.marks, SKETCH_MARKS / 3 * 3);
    for (unsigned i = 0; i < sketch.marks; i += 3)
        assert_int_equal(sketch.context[i], sketch.context[i + 2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accents_case_and_punctuation_do_not_count),
        cmocka_unit_test(a_letterhead_is_passed_over),
        cmocka_unit_test(what_was_read_without_confidence_is_no_mark),
        cmocka_unit_test(numbers_of_pages_and_lists_are_no_marks),
        cmocka_unit_test(another_reading_is_the_same),
        cmocka_unit_test(a_form_for_somebody_else_is_another),
        cmocka_unit_test(a_form_without_marks_is_nobodys),
        cmocka_unit_test(figures_are_of_the_pages),
        cmocka_unit_test(a_sample_is_made_of_whole_contexts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
