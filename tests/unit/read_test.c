/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reading with the real models: drawn pages whose text is known, and real scans where they are at hand. */
#include "worker/reading.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <utf8proc.h>
/* cmocka wants the first four of them */
#include <cmocka.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "tests/lib/paper.h"
#include "worker/alto.h"

#define TESSDATA "/usr/share/tesseract-ocr/5/tessdata"

enum { BLACK = 0x101010, RED = 0xd02030, NEAR_PX = 6, EXIT_SKIPPED = 77 };

static struct reader *reader; /* loading it takes a while: one for all tests */
static uint8_t reader_model[SHA256_BYTES];
static Sohoa__Page *upright_page; /* what is read on letter() */
static bool without_scans;        /* then the program as a whole counts as skipped */

static const char *const body = "Thực hiện Nghị quyết của Hội đồng nhân dân thành phố\n"
                                "về nhiệm vụ phát triển kinh tế - xã hội, Ủy ban nhân dân\n"
                                "quận yêu cầu các phòng, ban chuyên môn khẩn trương\n"
                                "triển khai các nội dung sau đây và báo cáo kết quả\n"
                                "trước ngày 15 tháng 6 năm 2019 theo đúng quy định.\n";

static struct raster *letter(void)
{
    struct raster *paper = paper_new(1500, 900, 300);
    paper_write(paper, 150, 160, 14, BLACK, body);
    return paper;
}

/* Takes the picture. */
static Sohoa__Page *page_of(struct raster *raster, bool degraded)
{
    Sohoa__Page *page = page_new(3);
    struct err err = {0};
    page->width_px = raster->width_px;
    page->height_px = raster->height_px;
    page->dpi_view = raster->dpi;
    assert_int_equal(page_read(reader, &raster, degraded, NULL, page, &err), 0);
    raster_destroy(&raster);
    return page;
}

static char *text_of(Sohoa__Page *page)
{
    struct buf text = {0};
    text_write(&page, 1, &text);
    return text.data ? (char *)text.data : calloc(1, 1);
}

/* Edits that make one text of the other, over the letters of truth; white space counts as one space. */
static size_t runes_of(const char *text, int32_t *runes, size_t max)
{
    size_t count = 0;
    for (const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)text; *at && count < max;) {
        int32_t rune;
        at += utf8proc_iterate(at, -1, &rune);
        rune = rune < ' ' ? ' ' : rune;
        if (rune != ' ' || (count && runes[count - 1] != ' '))
            runes[count++] = rune;
    }
    return count && runes[count - 1] == ' ' ? count - 1 : count;
}

static double error_rate(const char *read, const char *truth)
{
    enum { MAX = 4000 };
    static int32_t a[MAX], b[MAX];
    static size_t row[MAX + 1];
    size_t n = runes_of(read, a, MAX), m = runes_of(truth, b, MAX);
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            best = corner + 1 < best ? corner + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return (double)row[m] / (double)m;
}

static void expect_text(Sohoa__Page *page, const char *truth, double most_errors)
{
    AUTO(mem_destroy) char *text = text_of(page);
    double rate = error_rate(text, truth);
    if (rate > most_errors)
        print_message("%.1f %% of the letters are wrong:\n%s", 100 * rate, text);
    assert_true(rate <= most_errors);
}

static const Sohoa__Word *word_find(const Sohoa__Page *page, const char *text)
{
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < page->blocks[b]->lines[l]->n_words; w++)
                if (!strcmp(page->blocks[b]->lines[l]->words[w]->text, text))
                    return page->blocks[b]->lines[l]->words[w];
    return NULL;
}

static void models_are_named(void **state)
{
    (void)state;
    struct reader *none = NULL;
    uint8_t model[SHA256_BYTES] = {7};
    struct err err = {0};
    assert_int_equal(reader_new(TESSDATA, "vie+xyz", model, &none, &err), E_MODEL);
    assert_non_null(strstr(err.text, TESSDATA "/xyz.traineddata"));
    assert_non_null(strstr(err.text, "tesseract-ocr-xyz"));
    assert_int_equal(reader_new("/nowhere", "vie", model, &none, &err), E_MODEL);
    assert_int_equal(reader_new(TESSDATA, "", model, &none, &err), E_MODEL);
    assert_int_equal(reader_new(TESSDATA, "vie+", model, &none, &err), E_MODEL);
    assert_null(none);
    assert_int_equal(model[0], 7);
}

static void the_model_digest_is_the_files_sha256(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf file = {0};
    uint8_t digest[SHA256_BYTES];
    struct stat stat;
    FILE *in = fopen(TESSDATA "/vie.traineddata", "rb");
    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &stat), 0);
    uint8_t *data = buf_reserve(&file, (size_t)stat.st_size);
    assert_int_equal(fread(data, 1, (size_t)stat.st_size, in), stat.st_size);
    fclose(in);
    sha256_of(data, (size_t)stat.st_size, digest);
    assert_memory_equal(digest, reader_model, sizeof digest);
}

static void languages_add_up_in_their_order(void **state)
{
    (void)state;
    uint8_t both[SHA256_BYTES], turned[SHA256_BYTES];
    AUTO(reader_destroy) struct reader *first = NULL;
    AUTO(reader_destroy) struct reader *second = NULL;
    assert_int_equal(reader_new(TESSDATA, "vie+eng", both, &first, NULL), 0);
    assert_int_equal(reader_new(TESSDATA, "eng+vie", turned, &second, NULL), 0);
    assert_memory_not_equal(both, reader_model, sizeof both);
    assert_memory_not_equal(both, turned, sizeof both);
}

static void printed_text_is_read(void **state)
{
    (void)state;
    Sohoa__Page *page = upright_page;
    expect_text(page, body, 0.02);
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
    assert_int_equal(page->rotation_deg, 0);
    struct page_figures figures;
    page_measure(page, &figures);
    assert_int_equal(figures.words, 58);
    assert_true(figures.confidence_cpct > 9000);
}

static void boxes_and_baselines_fit(void **state)
{
    (void)state;
    const Sohoa__Page *page = upright_page;
    size_t lines = 0;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++, lines++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            assert_true(abs(line->y0 - line->y1) <= NEAR_PX && line->x1 - line->x0 > 500);
            assert_true(abs(line->x0 - 150) <= NEAR_PX);
            /* 14 points at 300 dpi are 58 pixels; letters with marks on them are less than that */
            assert_in_range(line->ascent_px, 25, 55);
            assert_in_range(line->descent_px, 5, 25);
            assert_true(line->y0 - (int32_t)line->ascent_px >= line->y);
            for (size_t w = 0; w < line->n_words; w++) {
                const Sohoa__Word *word = line->words[w];
                assert_true(word->x >= line->x && word->x + word->w <= line->x + line->w);
                assert_true(word->y >= line->y && word->y + word->h <= line->y + line->h);
                assert_true(word->w && word->h);
            }
        }
    assert_int_equal(lines, 5);
}

/* The words of a page that lay turned by deg when it was scanned are where turning the upright page's words brings
 * them. */
static void expect_turned(double deg, uint32_t near_px)
{
    static const char *const probe[] = {"Nghị", "phát", "khẩn", "triển", "2019"};
    AUTO(raster_destroy) struct raster *paper = letter();
    struct raster *scan = paper_turned(paper, deg);
    double c = cos(deg * M_PI / 180), s = sin(deg * M_PI / 180), width = scan->width_px, height = scan->height_px;
    AUTO(page_destroy) Sohoa__Page *page = page_of(scan, false);
    expect_text(page, body, 0.03);
    for (size_t i = 0; i < sizeof probe / sizeof probe[0]; i++) {
        const Sohoa__Word *was = word_find(upright_page, probe[i]), *is = word_find(page, probe[i]);
        assert_true(was && is);
        double x = was->x + was->w / 2.0 - paper->width_px / 2.0, y = was->y + was->h / 2.0 - paper->height_px / 2.0;
        assert_true(fabs(is->x + is->w / 2.0 - (c * x - s * y + width / 2)) <= near_px);
        assert_true(fabs(is->y + is->h / 2.0 - (s * x + c * y + height / 2)) <= near_px);
    }
    const Sohoa__Line *line = page->blocks[0]->lines[0];
    double along = hypot(line->x1 - line->x0, line->y1 - line->y0);
    assert_true(fabs((line->x1 - line->x0) / along - c) < 0.02 && fabs((line->y1 - line->y0) / along - s) < 0.02);
    long quarter = lround(deg / 90);
    assert_int_equal(page->rotation_deg, (4 - quarter) % 4 * 90);
    assert_true(fabs(page->skew_mdeg - 1000 * (deg - 90 * (double)quarter)) < 250);
}

static void skewed_pages_are_read_in_place(void **state)
{
    (void)state;
    expect_turned(3, NEAR_PX);
    expect_turned(-2, NEAR_PX);
}

static void turned_pages_are_read_in_place(void **state)
{
    (void)state;
    expect_turned(90, NEAR_PX);
    expect_turned(180, NEAR_PX);
    expect_turned(270, NEAR_PX);
    expect_turned(91.5, NEAR_PX);
}

static void coarse_pages_are_read_in_place(void **state)
{
    (void)state;
    struct raster *scan = paper_new(600, 400, 100);
    paper_write(scan, 50, 60, 14, BLACK, body);
    AUTO(page_destroy) Sohoa__Page *page = page_of(scan, false);
    expect_text(page, body, 0.06);
    const Sohoa__Word *word = word_find(page, "Nghị");
    assert_true(word && word->x > 50 && word->x + word->w < 300 && word->y >= 60 && word->y + word->h < 90);
}

static void degraded_reading_works(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *page = page_of(letter(), true);
    assert_true(page->degraded);
    expect_text(page, body, 0.06);
}

static void text_is_nfc(void **state)
{
    (void)state;
    AUTO(mem_destroy) char *text = text_of(upright_page);
    AUTO(mem_destroy) utf8proc_uint8_t *nfc = utf8proc_NFC((const utf8proc_uint8_t *)text);
    assert_string_equal(text, (const char *)nfc);
}

static void the_head_is_read_pair_by_pair(void **state)
{
    (void)state;
    struct raster *scan = paper_new(2200, 1300, 300);
    paper_write(scan, 160, 120, 13, BLACK, "ỦY BAN NHÂN DÂN\nQUẬN BA ĐÌNH");
    paper_write(scan, 160, 290, 13, BLACK, "Số: 25/CT-UBND");
    paper_write(scan, 800, 120, 13, BLACK, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n       Độc lập - Tự do - Hạnh phúc");
    paper_write(scan, 1000, 290, 13, BLACK, "Hà Nội, ngày 15 tháng 6 năm 2019");
    paper_write(scan, 160, 520, 14, BLACK, body);
    AUTO(page_destroy) Sohoa__Page *page = page_of(scan, false);
    AUTO(mem_destroy) char *text = text_of(page);
    const char *order[] = {"NHÂN DÂN", "BA Đ", "CỘNG HÒA", "Độc lập", "25/CT", "tháng 6 năm 2019", "Thực hiện"};
    const char *at = text;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const char *found = strstr(at, order[i]);
        if (!found)
            print_message("%s is not where it belongs:\n%s", order[i], text);
        assert_non_null(found);
        at = found;
    }
}

static void nothing_is_read_on_empty_pages(void **state)
{
    (void)state;
    struct raster *back = paper_new(1200, 1600, 300);
    struct raster *front = letter(), *mirrored = paper_mirrored(front);
    raster_destroy(&front);
    paper_seal(back, 420, 700, 200, 0xe8a0a8);
    for (size_t i = 0; i < mirrored->height_px * mirrored->stride_bytes; i++)
        mirrored->data[i] = (uint8_t)(255 - (255 - mirrored->data[i]) / 3);
    struct raster *sheet[] = {paper_new(1200, 1600, 300), back, mirrored};
    for (size_t i = 0; i < 3; i++) {
        AUTO(page_destroy) Sohoa__Page *page = page_of(sheet[i], false);
        AUTO(mem_destroy) char *text = text_of(page);
        if (*text)
            print_message("on sheet %zu: %s\n", i, text);
        assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_BLANK);
        assert_int_equal(page->n_blocks, 0);
    }
}

static void little_or_faint_text_is_read(void **state)
{
    (void)state;
    struct raster *number = paper_new(1200, 1600, 300), *faint = paper_new(1500, 900, 300);
    paper_write(number, 500, 200, 14, BLACK, "Phụ lục 1");
    paper_fill(faint, 0, 0, 1500, 900, 0xd8d4c8);
    paper_write(faint, 150, 160, 14, 0x96928c, body);
    AUTO(page_destroy) Sohoa__Page *page = page_of(number, false);
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
    expect_text(page, "Phụ lục 1", 0);
    AUTO(page_destroy) Sohoa__Page *pale = page_of(faint, false);
    assert_int_equal(pale->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
    expect_text(pale, body, 0.03);
}

static void own_words_stay_and_are_not_doubled(void **state)
{
    (void)state;
    const Sohoa__Word *there = word_find(upright_page, "phát");
    assert_non_null(there);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    struct raster *scan = letter();
    page->width_px = scan->width_px;
    page->height_px = scan->height_px;
    Sohoa__Word *own = line_add_word(block_add_line(page_add_block(page)), "PHÁT");
    own->x = there->x - 2;
    own->y = there->y + 1;
    own->w = there->w + 3;
    own->h = there->h;
    own->own = true;
    own->confidence_cpct = 10000;
    assert_int_equal(page_read(reader, &scan, false, NULL, page, NULL), 0);
    raster_destroy(&scan);
    struct page_figures before, after;
    page_measure(upright_page, &before);
    page_measure(page, &after);
    assert_int_equal(before.words, after.words);
    assert_null(word_find(page, "phát"));
    assert_ptr_equal(word_find(page, "PHÁT"), own);
}

static void same_picture_same_bytes(void **state)
{
    (void)state;
    AUTO(page_destroy) Sohoa__Page *second = page_of(letter(), false);
    AUTO(buf_destroy) struct buf a = {0}, b = {0};
    page_pack(upright_page, &a);
    page_pack(second, &b);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
}

static size_t resident_kib(void)
{
    size_t pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_int_equal(fscanf(file, "%zu %zu", &pages, &resident), 2);
    fclose(file);
    return resident * 4;
}

static void memory_does_not_grow_with_pages(void **state)
{
    (void)state;
    size_t before = 0;
#ifdef __SANITIZE_ADDRESS__
    print_message("the sanitizer keeps freed memory; it looks for leaks itself\n");
    skip();
#endif
    for (int i = 0; i < 30; i++) {
        struct raster *scan = paper_new(900, 300, 300);
        paper_write(scan, 100, 100, 14, BLACK, i % 2 ? "Ủy ban nhân dân quận" : "Kế hoạch số 15");
        AUTO(page_destroy) Sohoa__Page *page = page_of(scan, false);
        assert_true(page->n_blocks > 0);
        if (i == 5)
            before = resident_kib();
    }
    size_t now = resident_kib();
    if (now > before + 4096)
        print_message("resident memory grew from %zu to %zu KiB over 24 pages\n", before, now);
    assert_true(now <= before + 4096);
}

static void pictures_that_are_too_long_are_refused(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *strip = paper_new(17000, 60, 100);
    AUTO(page_destroy) Sohoa__Page *page = page_new(5);
    struct err err = {0};
    paper_write(strip, 100, 20, 14, BLACK, "Ủy ban nhân dân thành phố Hà Nội");
    int rc = page_read(reader, &strip, false, NULL, page, &err);
    assert_int_equal(rc, E_PAGE_BROKEN);
    assert_int_equal(err.page_no, 5);
    assert_non_null(strstr(err.text, "32767"));
}

static void expect_phrases(struct raster *scan, const char *const *phrase)
{
    AUTO(page_destroy) Sohoa__Page *page = page_of(scan, false);
    AUTO(mem_destroy) char *text = text_of(page);
    for (char *c = text; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    for (; *phrase; phrase++) {
        if (!strstr(text, *phrase))
            print_message("'%s' was not read in:\n%s\n", *phrase, text);
        assert_non_null(strstr(text, *phrase));
    }
}

static void skip_without_scans(void)
{
    without_scans = true;
    skip();
}

static void real_scans_are_read(void **state)
{
    (void)state;
    struct raster *gray = paper_scan("qn-04.pdf", 1, 300), *coarse = paper_scan("qn-02.pdf", 1, 100);
    if (!gray || !coarse)
        skip_without_scans();
    expect_phrases(gray, (const char *const[]){
                             "ỦY BAN NHÂN DÂN TỈNH QUẢNG NGÃI", "/CT-UBND", "CHỈ THỊ",
                             "tăng cường công tác phòng, chống tham nhũng, tiêu cực trong tình hình mới trên địa "
                             "bàn tỉnh Quảng Ngãi",
                             "đã được tập trung lãnh đạo, chỉ đạo quyết liệt", NULL});
    expect_phrases(coarse,
                   (const char *const[]){"ỦY BAN NHÂN DÂN TỈNH QUẢNG NGÃI", "/CT-UBND",
                                         "Về việc triển khai sử dụng hóa đơn điện tử trên địa bàn tỉnh",
                                         "Thực hiện Nghị định số 123/2020/NĐ", "ngày 19/10/2020 của Chính phủ", NULL});
}

static void a_real_scan_upside_down_and_its_blank_back(void **state)
{
    (void)state;
    struct raster *last = paper_scan("qn-20.pdf", 3, 300), *back = paper_scan("qn-18.pdf", 2, 300);
    if (!last || !back)
        skip_without_scans();
    expect_phrases(paper_turned(last, 180),
                   (const char *const[]){"Quyết định này có hiệu lực thi hành", "Nơi nhận:", "TM. ỦY BAN NHÂN DÂN",
                                         "KT. CHỦ TỊCH", "Trần Phước", NULL});
    raster_destroy(&last);
    AUTO(page_destroy) Sohoa__Page *page = page_of(back, false);
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_BLANK);
}

static int load(void **state)
{
    (void)state;
    struct err err = {0};
    int rc = reader_new(TESSDATA, "vie", reader_model, &reader, &err);
    if (rc)
        print_message("%s\n", err.text);
    else
        upright_page = page_of(letter(), false);
    return rc;
}

static int unload(void **state)
{
    (void)state;
    page_destroy(&upright_page);
    reader_destroy(&reader);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_are_named),
        cmocka_unit_test(the_model_digest_is_the_files_sha256),
        cmocka_unit_test(languages_add_up_in_their_order),
        cmocka_unit_test(printed_text_is_read),
        cmocka_unit_test(boxes_and_baselines_fit),
        cmocka_unit_test(skewed_pages_are_read_in_place),
        cmocka_unit_test(turned_pages_are_read_in_place),
        cmocka_unit_test(coarse_pages_are_read_in_place),
        cmocka_unit_test(degraded_reading_works),
        cmocka_unit_test(text_is_nfc),
        cmocka_unit_test(the_head_is_read_pair_by_pair),
        cmocka_unit_test(nothing_is_read_on_empty_pages),
        cmocka_unit_test(little_or_faint_text_is_read),
        cmocka_unit_test(own_words_stay_and_are_not_doubled),
        cmocka_unit_test(same_picture_same_bytes),
        cmocka_unit_test(memory_does_not_grow_with_pages),
        cmocka_unit_test(pictures_that_are_too_long_are_refused),
        cmocka_unit_test(real_scans_are_read),
        cmocka_unit_test(a_real_scan_upside_down_and_its_blank_back),
    };
    int failed = cmocka_run_group_tests_name("read", tests, load, unload);
    return failed ? failed : without_scans ? EXIT_SKIPPED : 0;
}
