/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The hash of a page's picture stays near when the page is scanned otherwise, and is far from that of another page. */
#include "worker/likeness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "tests/lib/paper.h"

enum { WIDTH_PX = 1240, HEIGHT_PX = 1754, DPI = 150, NEAR_BITS = 8, FAR_BITS = 12 };

/* A letter: a head of two boxes, so many lines of body, a signature. shift: of all of it; scale: of dpi, in percent. */
static struct raster *letter_paper(uint32_t lines, uint32_t shift_px, uint32_t scale)
{
    struct raster *page = paper_new(WIDTH_PX * scale / 100, HEIGHT_PX * scale / 100, DPI * scale / 100);
    double size_pt = 13;
    uint32_t left = (170 + shift_px) * scale / 100;
    paper_write(page, left, (120 + shift_px) * scale / 100, size_pt, 0, "ỦY BAN NHÂN DÂN\nQUẬN BA ĐÌNH");
    paper_write(page, (620 + shift_px) * scale / 100, (120 + shift_px) * scale / 100, size_pt, 0,
                "CỘNG HÒA XÃ HỘI CHỦ NGHĨA\nĐộc lập - Tự do - Hạnh phúc");
    for (uint32_t i = 0; i < lines; i++)
        paper_write(page, left, (300 + 34 * i + shift_px) * scale / 100, size_pt, 0,
                    i % 5 == 4 ? "theo quy định." : "Về việc triển khai thực hiện kế hoạch công tác văn thư, lưu trữ");
    paper_write(page, (700 + shift_px) * scale / 100, (340 + 34 * lines + shift_px) * scale / 100, size_pt, 0,
                "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH");
    return page;
}

static struct raster *letter(uint32_t lines, uint32_t shift_px, uint32_t scale)
{
    AUTO(raster_destroy) struct raster *page = letter_paper(lines, shift_px, scale);
    return paper_gray(page);
}

static uint64_t hash_of(struct raster *page)
{
    uint64_t hash = 0;
    assert_true(likeness_of(page, &hash));
    raster_destroy(&page);
    return hash;
}

static int apart(uint64_t a, uint64_t b)
{
    return __builtin_popcountll(a ^ b);
}

/* Every pixel moves by up to so much, by a rule of thumb that repeats. */
static struct raster *noised(struct raster *page, int most)
{
    uint32_t state = 12345;
    for (size_t i = 0; i < (size_t)page->height_px * page->stride_bytes; i++) {
        state = state * 1664525 + 1013904223;
        int value = page->data[i] + (int)(state >> 16) % (2 * most + 1) - most;
        page->data[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    return page;
}

static struct raster *darkened(struct raster *page)
{
    for (size_t i = 0; i < (size_t)page->height_px * page->stride_bytes; i++)
        page->data[i] = (uint8_t)(page->data[i] * 9 / 10);
    return page;
}

static struct raster *punched(uint32_t lines)
{
    AUTO(raster_destroy) struct raster *page = letter_paper(lines, 0, 100);
    paper_fill(page, 40, 600, 34, 34, 0);
    paper_fill(page, 40, 1100, 34, 34, 0);
    paper_fill(page, 0, 0, WIDTH_PX, 6, 0);
    return paper_gray(page);
}

static void another_scan_is_near(void **state)
{
    (void)state;
    uint64_t first = hash_of(letter(30, 0, 100));
    assert_int_equal(apart(first, hash_of(letter(30, 0, 100))), 0);
    assert_in_range(apart(first, hash_of(letter(30, 25, 100))), 0, NEAR_BITS);
    assert_in_range(apart(first, hash_of(letter(30, 90, 100))), 0, NEAR_BITS);
    assert_in_range(apart(first, hash_of(letter(30, 0, 200))), 0, NEAR_BITS);
    assert_in_range(apart(first, hash_of(letter(30, 0, 133))), 0, NEAR_BITS);
    assert_in_range(apart(first, hash_of(noised(letter(30, 0, 100), 40))), 0, NEAR_BITS);
    assert_in_range(apart(first, hash_of(darkened(letter(30, 0, 100)))), 0, NEAR_BITS);
    AUTO(raster_destroy) struct raster *flat = letter_paper(30, 0, 100), *askew = paper_turned(flat, 0.4);
    assert_in_range(apart(first, hash_of(paper_gray(askew))), 0, NEAR_BITS);
    raster_destroy(&askew);
    assert_in_range(apart(first, hash_of(paper_bilevel(flat))), 0, NEAR_BITS);
}

static void holes_move_little(void **state)
{
    (void)state;
    uint64_t first = hash_of(letter(30, 0, 100));
    assert_in_range(apart(first, hash_of(punched(30))), 0, NEAR_BITS + 4);
}

static void another_page_is_far(void **state)
{
    (void)state;
    uint64_t first = hash_of(letter(30, 0, 100));
    assert_true(apart(first, hash_of(letter(4, 0, 100))) > FAR_BITS);
    assert_true(apart(first, hash_of(letter(14, 0, 100))) > FAR_BITS);
}

static void without_ink_there_is_none(void **state)
{
    (void)state;
    AUTO(raster_destroy) struct raster *paper = paper_new(WIDTH_PX, HEIGHT_PX, DPI), *gray = paper_gray(paper);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    uint64_t hash;
    assert_false(likeness_of(gray, &hash));
    likeness_set(gray, page);
    assert_int_equal(page->picture_hash.len, 0);
    AUTO(raster_destroy) struct raster *written = letter(30, 0, 100);
    likeness_set(written, page);
    assert_int_equal(page->picture_hash.len, LIKENESS_BYTES);
    assert_true(likeness_of(written, &hash));
    assert_int_equal(page->picture_hash.data[0], hash & 0xff);
    raster_destroy(&gray);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_scan_is_near),
        cmocka_unit_test(holes_move_little),
        cmocka_unit_test(another_page_is_far),
        cmocka_unit_test(without_ink_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
