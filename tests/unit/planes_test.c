/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a network sees of a page, and that it says the same of it wherever it stands. */
#include "worker/planes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those above */
#include <cmocka.h>

#include "proto/auto.h"
#include "worker/convnet.h"

enum { WIDTH_PX = 300, HEIGHT_PX = 200 };

static const double near_px_mm = 3.94, twice_px_mm = 8, half_px_mm = 2;

/* A look in colour: contrast that differs from pixel to pixel, red on its left half. */
static void look_make(uint32_t width_px, uint32_t height_px, struct look *look)
{
    *look = (struct look){.width_px = width_px, .height_px = height_px, .channels = 3};
    size_t pixels = (size_t)width_px * height_px;
    look->contrast = malloc(pixels);
    look->hue = malloc(pixels);
    look->violet = calloc(pixels, 1);
    assert_true(look->contrast && look->hue && look->violet);
    for (size_t i = 0; i < pixels; i++) {
        look->contrast[i] = (uint8_t)(i * 2654435761u >> 11);
        look->hue[i] = i % width_px < width_px / 2 ? 100 : -100;
    }
}

static uint8_t density(const struct planes *planes, uint32_t x, uint32_t y, int plane)
{
    return planes->density[((size_t)y * planes->width_px + x) * PLANE_NR + (size_t)plane];
}

static uint64_t sum_of(const struct planes *planes, int plane)
{
    uint64_t sum = 0;
    for (uint32_t y = 0; y < planes->height_px; y++)
        for (uint32_t x = 0; x < planes->width_px; x++)
            sum += density(planes, x, y, plane);
    return sum / ((uint64_t)planes->width_px * planes->height_px);
}

static void about_the_right_scale_is_left_as_it_is(void **state)
{
    (void)state;
    AUTO(look_clear) struct look look;
    AUTO(planes_clear) struct planes planes;
    look_make(WIDTH_PX, HEIGHT_PX, &look);
    assert_true(planes_new(&look, near_px_mm, &planes));
    assert_int_equal(planes.width_px, WIDTH_PX);
    assert_int_equal(planes.height_px, HEIGHT_PX);
    assert_int_equal(density(&planes, 17, 5, PLANE_INK), look.contrast[5 * WIDTH_PX + 17]);
    assert_int_equal(density(&planes, 17, 5, PLANE_RED), 200);
    assert_int_equal(density(&planes, WIDTH_PX - 1, 5, PLANE_RED), 0);
}

static void other_scales_are_averaged(void **state)
{
    (void)state;
    AUTO(look_clear) struct look look;
    AUTO(planes_clear) struct planes fine, coarse, same;
    look_make(WIDTH_PX, HEIGHT_PX, &look);
    assert_true(planes_new(&look, near_px_mm, &same));
    assert_true(planes_new(&look, twice_px_mm, &fine));
    assert_true(planes_new(&look, half_px_mm, &coarse));
    assert_int_equal(fine.width_px, WIDTH_PX / 2);
    assert_int_equal(coarse.height_px, HEIGHT_PX * 2);
    assert_in_range(sum_of(&fine, PLANE_INK), sum_of(&same, PLANE_INK) - 1, sum_of(&same, PLANE_INK) + 1);
    assert_in_range(sum_of(&coarse, PLANE_INK), sum_of(&same, PLANE_INK) - 1, sum_of(&same, PLANE_INK) + 1);
    const uint8_t *c = look.contrast;
    assert_int_equal(density(&fine, 0, 0, PLANE_INK), (c[0] + c[1] + c[WIDTH_PX] + c[WIDTH_PX + 1]) / 4);
    assert_int_equal(density(&coarse, 1, 1, PLANE_INK), c[0]);
    assert_int_equal(density(&coarse, 2, 1, PLANE_INK), c[1]);
}

static void a_resolution_that_makes_no_sheet_is_not_believed(void **state)
{
    (void)state;
    struct look look = {.width_px = 2100, .height_px = 2970, .dpi = 254};
    assert_true(planes_look_px_mm(&look) == 10);
    look.dpi = 10;
    assert_true(planes_look_px_mm(&look) == 10);
    look.dpi = 65535;
    assert_true(planes_look_px_mm(&look) == 10);
    look.dpi = 0;
    assert_true(planes_look_px_mm(&look) == 10);
}

static void planes_with_ink(struct planes *planes, uint32_t left_px, uint32_t top_px)
{
    *planes = (struct planes){.width_px = WIDTH_PX, .height_px = HEIGHT_PX, .px_look = 1};
    planes->density = calloc((size_t)WIDTH_PX * HEIGHT_PX, PLANE_NR);
    assert_non_null(planes->density);
    for (uint32_t y = 0; y < 24; y++)
        for (uint32_t x = 0; x < 24; x++) {
            uint8_t *at = planes->density + ((size_t)(top_px + y) * WIDTH_PX + left_px + x) * PLANE_NR;
            at[PLANE_INK] = (uint8_t)(x * y);
            at[PLANE_RED] = (uint8_t)(x * 7);
        }
}

static const int32_t *scores(const struct cells *cells, uint32_t x, uint32_t y)
{
    return cells->score + ((size_t)y * cells->width + x) * CONVNET_CLASSES;
}

static void the_net_says_the_same_wherever_it_stands(void **state)
{
    (void)state;
    AUTO(planes_clear) struct planes here, there;
    AUTO(cells_clear) struct cells one, other;
    planes_with_ink(&here, 120, 80);
    planes_with_ink(&there, 120 + 3 * CONVNET_CELL_PX, 80 + CONVNET_CELL_PX);
    assert_true(convnet_seek(&here, &one));
    assert_true(convnet_seek(&there, &other));
    assert_int_equal(one.width, (WIDTH_PX + CONVNET_CELL_PX - 1) / CONVNET_CELL_PX);
    assert_int_equal(one.height, (HEIGHT_PX + CONVNET_CELL_PX - 1) / CONVNET_CELL_PX);
    for (uint32_t y = 10; y < 14; y++)
        for (uint32_t x = 15; x < 19; x++)
            assert_memory_equal(scores(&one, x, y), scores(&other, x + 3, y + 1), CONVNET_CLASSES * sizeof(int32_t));
    assert_memory_not_equal(scores(&one, 16, 11), scores(&other, 16, 11), CONVNET_CLASSES * sizeof(int32_t));
}

static void a_frame_is_judged_by_what_is_in_it(void **state)
{
    (void)state;
    AUTO(planes_clear) struct planes here, there, edge;
    int32_t one[CONVNET_CLASSES], other[CONVNET_CLASSES], beyond[CONVNET_CLASSES], nowhere[CONVNET_CLASSES];
    planes_with_ink(&here, 120, 80);
    planes_with_ink(&there, 151, 97); /* whatever the cells are */
    planes_with_ink(&edge, 0, 176);
    for (unsigned turned = 0; turned < 4; turned++) {
        assert_true(convnet_judge(&here, 132, 92, turned, one) && convnet_judge(&there, 163, 109, turned, other));
        assert_memory_equal(one, other, sizeof one);
        assert_true(convnet_judge(&edge, 12, 188, turned, beyond)); /* beyond the sheet there is nothing */
        assert_memory_equal(one, beyond, sizeof one);
        assert_true(convnet_judge(&here, -5000, 90000, turned, nowhere));
        assert_memory_not_equal(one, nowhere, sizeof one);
    }
}

/* The same picture turned clockwise is judged the same when that is said. */
static void turns_are_undone(void **state)
{
    (void)state;
    int32_t upright[CONVNET_CLASSES], turned[CONVNET_CLASSES], as_it_is[CONVNET_CLASSES];
    AUTO(planes_clear) struct planes planes, quarter = {.width_px = HEIGHT_PX, .height_px = WIDTH_PX};
    planes_with_ink(&planes, 120, 80);
    quarter.density = calloc((size_t)WIDTH_PX * HEIGHT_PX, PLANE_NR);
    assert_non_null(quarter.density);
    for (uint32_t y = 0; y < HEIGHT_PX; y++)
        for (uint32_t x = 0; x < WIDTH_PX; x++)
            memcpy(quarter.density + ((size_t)x * HEIGHT_PX + HEIGHT_PX - 1 - y) * PLANE_NR,
                   planes.density + ((size_t)y * WIDTH_PX + x) * PLANE_NR, PLANE_NR);
    assert_true(convnet_judge(&planes, 132, 92, 0, upright));
    assert_true(convnet_judge(&quarter, HEIGHT_PX - 1 - 92, 132, 1, turned));
    assert_true(convnet_judge(&quarter, HEIGHT_PX - 1 - 92, 132, 0, as_it_is));
    assert_memory_equal(upright, turned, sizeof upright);
    assert_memory_not_equal(upright, as_it_is, sizeof upright);
}

static void nothing_is_none(void **state)
{
    (void)state;
    AUTO(planes_clear) struct planes planes = {.width_px = WIDTH_PX, .height_px = HEIGHT_PX};
    AUTO(cells_clear) struct cells cells;
    planes.density = calloc((size_t)WIDTH_PX * HEIGHT_PX, PLANE_NR);
    assert_true(convnet_seek(&planes, &cells));
    for (uint32_t y = 0; y < cells.height; y++)
        for (uint32_t x = 0; x < cells.width; x++)
            for (int class = CONVNET_NONE + 1; class < CONVNET_CLASSES; class ++)
                assert_true(scores(&cells, x, y)[class] < scores(&cells, x, y)[CONVNET_NONE]);
}

static void any_size_will_do(void **state)
{
    (void)state;
    const uint32_t sides[][2] = {
        {1,   1  },
        {1,   400},
        {400, 1  },
        {7,   9  },
        {33,  8  },
        {8,   33 }
    };
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        AUTO(planes_clear) struct planes planes = {.width_px = sides[i][0], .height_px = sides[i][1]};
        AUTO(cells_clear) struct cells cells;
        size_t bytes = (size_t)planes.width_px * planes.height_px * PLANE_NR;
        planes.density = malloc(bytes);
        assert_non_null(planes.density);
        memset(planes.density, 255, bytes);
        assert_true(convnet_seek(&planes, &cells));
        assert_int_equal(cells.width, (planes.width_px + CONVNET_CELL_PX - 1) / CONVNET_CELL_PX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(about_the_right_scale_is_left_as_it_is),
        cmocka_unit_test(other_scales_are_averaged),
        cmocka_unit_test(a_resolution_that_makes_no_sheet_is_not_believed),
        cmocka_unit_test(the_net_says_the_same_wherever_it_stands),
        cmocka_unit_test(a_frame_is_judged_by_what_is_in_it),
        cmocka_unit_test(turns_are_undone),
        cmocka_unit_test(nothing_is_none),
        cmocka_unit_test(any_size_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
