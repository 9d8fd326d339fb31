/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The reader of digits: right on what a pen of another program draws, as sure as it is right, within what may stand
 * there, and the same each time. */
#include "worker/digits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <cairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/chance.h"
#include "bench/ink.h"
#include "worker/strokes.h"

enum { WIDE = 160, HIGH = 80, STRINGS = 300, LINED = 40 };

static const struct digits_want any = {5, 0, 99999, 5}, day = {2, 1, 31, 2};

/* Digits by the pen of bench/scans, about 45 pixels high. */
static cairo_surface_t *digits_draw(const char *text, uint64_t seed)
{
    cairo_surface_t *sheet = cairo_image_surface_create(CAIRO_FORMAT_RGB24, WIDE, HIGH);
    cairo_t *cr = cairo_create(sheet);
    struct chance chance = chance_branch(seed, 1);
    struct print_spot spot = {.x = 4, .y = 5, .width = 9 * (double)strlen(text), .height = 10};
    snprintf(spot.text, sizeof spot.text, "%s", text);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, 4, 4);
    ink_hand(cr, &chance, (struct ink_colour){0.1, 0.1, 0.3}, &spot);
    cairo_destroy(cr);
    cairo_surface_flush(sheet);
    return sheet;
}

static void sheet_gray(cairo_surface_t *sheet, uint8_t gray[HIGH][WIDE])
{
    const unsigned char *data = cairo_image_surface_get_data(sheet);
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++)
            gray[y][x] = data[y * cairo_image_surface_get_stride(sheet) + 4 * x + 1];
}

static void draw(const char *text, uint64_t seed, uint8_t gray[HIGH][WIDE])
{
    cairo_surface_t *sheet = digits_draw(text, seed);
    sheet_gray(sheet, gray);
    cairo_surface_destroy(sheet);
}

static struct digits read_gray(const uint8_t gray[HIGH][WIDE], const struct digits_want *want)
{
    struct digits found;
    memset(&found, 0x55, sizeof found);
    assert_int_equal(digits_read(&(struct gray){gray[0], WIDE, HIGH, WIDE}, want, &found), 0);
    assert_in_range(found.count, 0, DIGITS_GUESSES);
    uint32_t sum = 0;
    for (unsigned i = 0; i < found.count; i++) {
        size_t digits = strlen(found.guess[i].text);
        unsigned long value = strtoul(found.guess[i].text, NULL, 10);
        assert_in_range(digits, 1, want->most_digits);
        assert_in_range(value, want->from, want->to);
        assert_true(!i || found.guess[i].confidence_cpct <= found.guess[i - 1].confidence_cpct);
        for (unsigned other = 0; other < i; other++)
            assert_string_not_equal(found.guess[i].text, found.guess[other].text);
        sum += found.guess[i].confidence_cpct;
    }
    assert_in_range(sum, 0, DIGITS_SURE_CPCT);
    return found;
}

static struct digits read_drawn(const char *text, uint64_t seed, const struct digits_want *want)
{
    uint8_t gray[HIGH][WIDE];
    draw(text, seed, gray);
    return read_gray(gray, want);
}

static void strings_are_read(void **state)
{
    (void)state;
    unsigned right = 0, sure = 0, sure_right = 0;
    for (unsigned seed = 0; seed < STRINGS; seed++) {
        char text[8];
        snprintf(text, sizeof text, "%u", 10 + seed * 7919 % 9990);
        struct digits found = read_drawn(text, seed, &any);
        bool good = found.count && !strcmp(found.guess[0].text, text);
        bool high = found.count && found.guess[0].confidence_cpct >= 9000;
        right += good;
        sure += high;
        sure_right += high && good;
    }
    print_message("%u of %d strings right, %u of %u above 90 %%\n", right, STRINGS, sure_right, sure);
    assert_in_range(right, STRINGS * 9 / 10, STRINGS);
    assert_in_range(sure, STRINGS / 4, STRINGS);
    assert_in_range(100 * sure_right, 98 * sure, 100 * sure);
}

static void what_may_not_stand_there_is_no_guess(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++)
        read_drawn("47", seed, &day); /* asserts that 47 is not among them */
    struct digits found = read_drawn("12", 3, &day);
    assert_string_equal(found.guess[0].text, "12");
    static const struct digits_want one = {1, 0, 9, 1}, above = {2, 20, 29, 2};
    read_drawn("12", 3, &one);
    read_drawn("12", 3, &above);
}

static void zeros_pad_only_so_far(void **state)
{
    (void)state;
    static const struct digits_want padded = {3, 0, 999, 3}, bare = {3, 0, 999, 2};
    struct digits far = read_drawn("052", 5, &padded), near = read_drawn("052", 5, &bare);
    assert_string_equal(far.guess[0].text, "052");
    for (unsigned i = 0; i < near.count; i++)
        if (!strcmp(near.guess[i].text, "052"))
            assert_true(near.guess[i].confidence_cpct < far.guess[0].confidence_cpct);
}

static void paper_is_empty(void **state)
{
    (void)state;
    uint8_t gray[HIGH][WIDE];
    memset(gray, 255, sizeof gray);
    struct digits found = read_gray(gray, &any);
    assert_true(found.empty && !found.count);
    memset(gray, 0, sizeof gray);
    assert_true(read_gray(gray, &any).empty);
    for (int y = 0; y < HIGH; y++) /* paper that is a little uneven */
        for (int x = 0; x < WIDE; x++)
            gray[y][x] = (uint8_t)(230 + (x * 7 + y * 3) % 20);
    assert_true(read_gray(gray, &any).empty);
}

static void line_draw(uint8_t gray[HIGH][WIDE], int y)
{
    for (int x = 0; x < WIDE; x++)
        gray[y][x] = gray[y + 1][x] = 20;
}

static void lines_to_write_on_are_not_read(void **state)
{
    (void)state;
    uint8_t gray[HIGH][WIDE];
    draw("36", 8, gray);
    line_draw(gray, 72);
    for (int x = 0; x < WIDE; x += 8)
        for (int y = 66; y < 69; y++)
            memset(&gray[y][x], 20, 3);
    assert_string_equal(read_gray(gray, &any).guess[0].text, "36");
    unsigned right = 0;
    for (uint64_t seed = 0; seed < LINED; seed++) {
        char text[8];
        snprintf(text, sizeof text, "%u", (unsigned)(100 + seed * 37 % 900));
        draw(text, seed, gray);
        line_draw(gray, 54); /* through the digits' feet */
        struct digits found = read_gray(gray, &any);
        right += found.count && !strcmp(found.guess[0].text, text);
    }
    print_message("%u of %d strings on a line right\n", right, LINED);
    assert_in_range(right, LINED * 4 / 5, LINED);
    memset(gray, 255, sizeof gray);
    line_draw(gray, 56);
    struct digits line = read_gray(gray, &any);
    assert_true(!line.count || line.guess[0].confidence_cpct < 5000);
}

static void noise_is_no_digit_for_sure(void **state)
{
    (void)state;
    uint8_t gray[HIGH][WIDE];
    struct chance chance = chance_branch(4, 4);
    for (int i = 0; i < 20; i++) {
        memset(gray, 255, sizeof gray);
        for (int stroke = 0; stroke < 6; stroke++) {
            int x = chance_between(&chance, 5, WIDE - 30), y = chance_between(&chance, 5, HIGH - 30);
            int w = chance_between(&chance, 2, 25), h = chance_between(&chance, 2, 25);
            for (int row = y; row < y + h; row++)
                memset(&gray[row][x], 0, (size_t)w);
        }
        struct digits found = read_gray(gray, &any);
        assert_true(!found.count || found.guess[0].confidence_cpct < 9000);
    }
    for (int y = 0; y < HIGH; y++)
        for (int x = 0; x < WIDE; x++)
            gray[y][x] = (uint8_t)chance_next(&chance);
    read_gray(gray, &any);
}

static void same_picture_same_guesses(void **state)
{
    (void)state;
    uint8_t gray[HIGH][WIDE], loose[HIGH][WIDE + 37];
    draw("2785", 11, gray);
    struct digits first = read_gray(gray, &any), second = read_gray(gray, &any), third;
    memset(loose, 0, sizeof loose);
    for (int y = 0; y < HIGH; y++)
        memcpy(loose[y], gray[y], WIDE);
    assert_int_equal(digits_read(&(struct gray){loose[0], WIDE, HIGH, sizeof loose[0]}, &any, &third), 0);
    for (unsigned i = 0; i < first.count; i++) {
        assert_string_equal(first.guess[i].text, second.guess[i].text);
        assert_int_equal(first.guess[i].confidence_cpct, second.guess[i].confidence_cpct);
        assert_string_equal(first.guess[i].text, third.guess[i].text);
        assert_int_equal(first.guess[i].confidence_cpct, third.guess[i].confidence_cpct);
    }
}

static void sizes_have_limits(void **state)
{
    (void)state;
    uint8_t dot = 0;
    struct digits found = {.count = 3};
    assert_int_equal(digits_read(&(struct gray){&dot, 0, 1, 1}, &any, &found), -1);
    assert_int_equal(digits_read(&(struct gray){&dot, 1, 0, 1}, &any, &found), -1);
    assert_int_equal(digits_read(&(struct gray){&dot, STROKES_MAX_PIXELS, 2, 0}, &any, &found), -1);
    assert_int_equal(found.count, 3);
    assert_int_equal(digits_read(&(struct gray){&dot, 1, 1, 1}, &any, &found), 0);
    assert_true(found.empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_read),
        cmocka_unit_test(what_may_not_stand_there_is_no_guess),
        cmocka_unit_test(zeros_pad_only_so_far),
        cmocka_unit_test(paper_is_empty),
        cmocka_unit_test(lines_to_write_on_are_not_read),
        cmocka_unit_test(noise_is_no_digit_for_sure),
        cmocka_unit_test(same_picture_same_guesses),
        cmocka_unit_test(sizes_have_limits),
    };
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
