/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Pen strokes are smooth curves through a few shaken points; stamps are drawn as a group from which blotches are taken
 * out, since no stamp inks evenly. */
#include "bench/ink.h"

#include <assert.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "proto/auto.h"

enum { PEN_POINTS_MAX = 48, TILT_DEG_MOST = 12 };

static const struct ink_colour seal_red = {0.85, 0.08, 0.12}, stamp_violet = {0.42, 0.16, 0.5};
static const double seal_radius = 17.5 * PRINT_PT_PER_MM;

struct pen_point {
    double x, y;
};

/* A curve through the points (Catmull-Rom, as Bezier pieces). */
static void pen_stroke(cairo_t *cr, const struct pen_point *p, int count)
{
    assert(count > 1);
    cairo_move_to(cr, p[0].x, p[0].y);
    for (int i = 0; i + 1 < count; i++) {
        const struct pen_point *before = &p[i > 0 ? i - 1 : 0], *after = &p[i + 2 < count ? i + 2 : count - 1];
        cairo_curve_to(cr, p[i].x + (p[i + 1].x - before->x) / 6, p[i].y + (p[i + 1].y - before->y) / 6,
                       p[i + 1].x - (after->x - p[i].x) / 6, p[i + 1].y - (after->y - p[i].y) / 6, p[i + 1].x,
                       p[i + 1].y);
    }
    cairo_stroke(cr);
}

static void pen_set(cairo_t *cr, struct ink_colour colour, double width)
{
    cairo_set_operator(cr, CAIRO_OPERATOR_MULTIPLY);
    cairo_set_source_rgb(cr, colour.red, colour.green, colour.blue);
    cairo_set_line_width(cr, width);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
}

/* Digits as points in a box of 10 by 16; a -1 lifts the pen. */
static const signed char digit_points[10][40] = {
    {5,   0, 1, 4,  0,  10, 3,  16, 7,  15, 10, 9,  9,          3,                               5,0, -2},
    { 2,           4,  5, 1,  6,  0,  6,  6, 5, 16,   -2  },
    {1,        4, 3, 0, 8, 0, 9, 4,   6,     10,     1,  16, 4,          15,                                        10,16,-2},
    {                                                                                                                              1,     2, 5, 0, 9,  2,  8,  6,    4,      8,      9,      10,  9,  14,4,16,                                           0,                                                                                                                                    14, -2},
    {5,    0,  2, 7,  0,  11,  5,    11,      10,      10,      -1,       8,      5,             7,                                                  11,6,16,-2},
    {                                                                                                                                                                  9,   0,  5, 0,  3,  0,   2,   4,   1,     7,       5,        6,  9,9,8,14,4,                                                                                                                                                                         16, 0, 14, -2},
    {8,    0, 4, 3,  1,   9,    1,    14,    5,      16,        9,        13,         7,                     9,                                                                          3,                                                                9,                                                                                                          1,12, -2},
    {0, 1,  5,  1,   10,    0,     7,     6,       4,         16,         -1,          3,8,6,8,9,8,-2},
    {                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                    8,    2, 4, 0, 1,  3,   5,    7,     9,      11,       8,       15,          4,                                       16,                                                                                                                                      1,                                                                                                                                                                                                                                                                        13,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         4,                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                           9, 8, 5, 8, 2, -2},
    {9,      3,  6,  0,   2,    1,     1,      5,       4,  8, 8, 6,9,2,9,8,6,16, -2},
};

static void ink_digit(cairo_t *cr, struct chance *chance, int digit, double x, double y, double width, double height)
{
    struct pen_point points[PEN_POINTS_MAX];
    int count = 0;
    for (const signed char *p = digit_points[digit];; p++) {
        if (*p < 0) {
            pen_stroke(cr, points, count);
            count = 0;
            if (*p == -2)
                return;
            continue;
        }
        double px = p[0] / 10.0, py = p[1] / 16.0;
        points[count].x = x + (px + 0.18 * (1 - py)) * width + chance_real(chance, -0.35, 0.35);
        points[count++].y = y + py * height + chance_real(chance, -0.35, 0.35);
        p++;
    }
}

void ink_hand(cairo_t *cr, struct chance *chance, struct ink_colour colour, const struct print_spot *spot)
{
    size_t count = strlen(spot->text);
    double step = spot->width / (double)count, height = spot->height * chance_real(chance, 1.0, 1.25);
    double top = spot->y + spot->height - height + chance_real(chance, -1, 1);
    cairo_save(cr);
    pen_set(cr, colour, chance_real(chance, 0.9, 1.4));
    for (size_t i = 0; i < count; i++) {
        double x = spot->x + step * ((double)i + 0.12), width = step * 0.68;
        if (spot->text[i] == '/')
            pen_stroke(cr,
                       (const struct pen_point[]){
                           {x + width * 0.8, top         },
                           {x + width * 0.2, top + height}
            },
                       2);
        else
            ink_digit(cr, chance, spot->text[i] - '0', x, top, width, height);
    }
    cairo_restore(cr);
}

void ink_signature(cairo_t *cr, struct chance *chance, struct ink_colour colour, const struct print_spot *spot)
{
    struct pen_point points[PEN_POINTS_MAX];
    int count = chance_between(chance, 9, 18);
    double width = spot->width * chance_real(chance, 0.35, 0.6), x = spot->x + (spot->width - width) / 2;
    double middle = spot->y + spot->height * 0.5, reach = spot->height * chance_real(chance, 0.2, 0.4);
    for (int i = 0; i < count; i++) {
        double along = (double)i / (count - 1), swing = i % 2 ? 1 : -1;
        points[i].x = x + width * along + chance_real(chance, -14, 8);
        points[i].y = middle + swing * reach * (1.1 - along) * chance_real(chance, 0.3, 1);
    }
    cairo_save(cr);
    pen_set(cr, colour, chance_real(chance, 1.0, 1.8));
    pen_stroke(cr, points, count);
    struct pen_point tail[3] = {
        {x - 6,           middle + reach      },
        {x + width * 0.5, middle + reach * 0.5},
        {x + width * 1.2, middle - reach * 0.6}
    };
    if (chance_percent(chance, 60))
        pen_stroke(cr, tail, 3);
    cairo_restore(cr);
}

static void stamp_font(cairo_t *cr, double size)
{
    cairo_select_font_face(cr, PRINT_FONT_FAMILY, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, size);
}

/* Text around the origin, upright at the top (turn 1) or at the bottom (turn -1), its middle there. */
static void stamp_arc(cairo_t *cr, const char *text, double radius, double size, double stretch, int turn)
{
    stamp_font(cr, size);
    cairo_text_extents_t e;
    double sum = 0;
    char letter[8];
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        snprintf(letter, sizeof letter, "%.*s", (int)(g_utf8_next_char(c) - c), c);
        cairo_text_extents(cr, letter, &e);
        sum += e.x_advance * stretch;
    }
    double angle = -turn * sum / radius / 2;
    for (const char *c = text; *c; c = g_utf8_next_char(c)) {
        snprintf(letter, sizeof letter, "%.*s", (int)(g_utf8_next_char(c) - c), c);
        cairo_text_extents(cr, letter, &e);
        double half = turn * e.x_advance * stretch / radius / 2;
        cairo_save(cr);
        cairo_rotate(cr, angle + half);
        cairo_move_to(cr, -e.x_advance / 2, turn > 0 ? -radius : radius + size * 0.7);
        cairo_show_text(cr, letter);
        cairo_restore(cr);
        angle += 2 * half;
    }
}

static void stamp_star(cairo_t *cr, double x, double y, double radius)
{
    for (int i = 0; i < 10; i++) {
        double r = i % 2 ? radius * 0.4 : radius, a = i * G_PI / 5;
        cairo_line_to(cr, x + r * sin(a), y - r * cos(a));
    }
    cairo_close_path(cr);
    cairo_fill(cr);
}

static void stamp_ring(cairo_t *cr, double radius, double width)
{
    cairo_set_line_width(cr, width);
    cairo_new_path(cr);
    cairo_arc(cr, 0, 0, radius, 0, 2 * G_PI);
    cairo_stroke(cr);
}

/* Begins a group that is one stamp's ink; stamp_press puts it on the paper, with blotches where it did not take. */
static void stamp_begin(cairo_t *cr, struct chance *chance, double x, double y, struct ink_colour colour)
{
    cairo_save(cr);
    cairo_translate(cr, x, y);
    cairo_rotate(cr, chance_real(chance, -TILT_DEG_MOST, TILT_DEG_MOST) * G_PI / 180);
    cairo_push_group(cr);
    cairo_set_source_rgb(cr, colour.red, colour.green, colour.blue);
}

static void stamp_press(cairo_t *cr, struct chance *chance, double reach)
{
    cairo_set_operator(cr, CAIRO_OPERATOR_DEST_OUT);
    for (int i = chance_between(chance, 30, 120); i > 0; i--) {
        cairo_set_source_rgba(cr, 0, 0, 0, chance_real(chance, 0.15, 0.8));
        cairo_new_path(cr);
        double x = chance_real(chance, -reach, reach), y = chance_real(chance, -reach, reach);
        cairo_arc(cr, x, y, chance_real(chance, 0.2, reach * 0.05), 0, 2 * G_PI);
        cairo_fill(cr);
    }
    cairo_pop_group_to_source(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_MULTIPLY);
    cairo_paint_with_alpha(cr, chance_real(chance, 0.7, 0.95));
    cairo_restore(cr);
}

static void seal_emblem(cairo_t *cr, enum organ_kind kind)
{
    stamp_star(cr, 0, kind == ORGAN_STATE ? -4 : 0, kind == ORGAN_STATE ? 8 : 12);
    if (kind != ORGAN_STATE)
        return;
    cairo_set_line_width(cr, 2.2);
    cairo_new_path(cr);
    cairo_arc(cr, 0, 0, 17, 0.15 * G_PI, 0.85 * G_PI);
    cairo_stroke(cr);
    for (int i = 0; i < 14; i++) { /* the sheaf of the national emblem, from afar */
        double a = (i < 7 ? -0.05 : 0.55) * G_PI + (i % 7) * 0.08 * G_PI;
        cairo_move_to(cr, 13 * cos(a), 13 * sin(a));
        cairo_line_to(cr, 21 * cos(a), 21 * sin(a));
        cairo_stroke(cr);
    }
}

static void seal_face(cairo_t *cr, const struct organ *organ)
{
    AUTO(mem_destroy) char *name = organ_capitals(organ->name);
    AUTO(mem_destroy) char *place = organ_capitals(*organ->parent ? organ->parent : "Thành phố Hà Nội");
    stamp_ring(cr, seal_radius, 2);
    stamp_ring(cr, seal_radius - 3.5, 0.8);
    stamp_ring(cr, seal_radius - 15, 0.8);
    stamp_arc(cr, name, seal_radius - 13, 9, g_utf8_strlen(name, -1) > 26 ? 0.82 : 1.05, 1);
    stamp_arc(cr, place, seal_radius - 12.5, 7, 0.95, -1);
    seal_emblem(cr, organ->kind);
}

void ink_seal(cairo_t *cr, struct chance *chance, const struct organ *organ, const struct print_spot *spot)
{
    double x = spot->x + spot->width * chance_real(chance, 0.27, 0.38);
    double y = spot->y + spot->height * chance_real(chance, 0.35, 0.65);
    stamp_begin(cr, chance, x, y, seal_red);
    seal_face(cr, organ);
    stamp_press(cr, chance, seal_radius);
}

/* Takes the ink away towards one side. */
static void stamp_tip(cairo_t *cr, struct chance *chance, double reach)
{
    double side = chance_real(chance, 0, 2 * G_PI), x = reach * cos(side), y = reach * sin(side);
    cairo_pattern_t *slope = cairo_pattern_create_linear(-x, -y, x, y);
    cairo_pattern_add_color_stop_rgba(slope, 0, 0, 0, 0, chance_real(chance, 0, 0.4));
    cairo_pattern_add_color_stop_rgba(slope, chance_real(chance, 0.4, 1), 0, 0, 0, chance_real(chance, 0.6, 0.95));
    cairo_set_operator(cr, CAIRO_OPERATOR_DEST_OUT);
    cairo_set_source(cr, slope);
    cairo_paint(cr);
    cairo_pattern_destroy(slope);
}

/* Drops of it, and all that is too wet. */
static void stamp_drops(cairo_t *cr, struct chance *chance, double reach)
{
    double x = chance_real(chance, -0.5, 0.5) * reach, y = chance_real(chance, -0.5, 0.5) * reach;
    cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    for (int i = chance_between(chance, 0, 40); i > 0; i--) {
        cairo_set_source_rgba(cr, 0.9, 0.05, 0.1, chance_real(chance, 0.3, 1));
        cairo_new_path(cr);
        cairo_arc(cr, x + chance_real(chance, -0.6, 0.6) * reach, y + chance_real(chance, -0.6, 0.6) * reach,
                  chance_real(chance, 0.2, chance_percent(chance, 20) ? 2.6 : 1), 0, 2 * G_PI);
        cairo_fill(cr);
    }
}

void ink_seal_smudged(cairo_t *cr, struct chance *chance, const struct organ *organ, double x, double y)
{
    stamp_begin(cr, chance, x, y, seal_red);
    cairo_rotate(cr, chance_real(chance, 0, 2 * G_PI));
    seal_face(cr, organ);
    stamp_tip(cr, chance, seal_radius);
    stamp_drops(cr, chance, seal_radius);
    stamp_press(cr, chance, seal_radius);
}

static void stamp_frame(cairo_t *cr, double width, double height, double line)
{
    cairo_set_line_width(cr, line);
    cairo_rectangle(cr, -width / 2, -height / 2, width, height);
    cairo_stroke(cr);
}

static void stamp_text(cairo_t *cr, const char *text, double x, double y, double size)
{
    stamp_font(cr, size);
    cairo_move_to(cr, x, y);
    cairo_show_text(cr, text);
}

void ink_incoming(cairo_t *cr, struct chance *chance, const struct organ *organ, const struct print_spot *spot)
{
    const double width = 45 * PRINT_PT_PER_MM, height = 24 * PRINT_PT_PER_MM;
    AUTO(mem_destroy) char *receiver = organ_capitals(organ->above);
    struct ink_colour colour = chance_percent(chance, 60) ? seal_red : stamp_violet;
    double x = spot->x + width / 2 + chance_real(chance, -8, 10), y = spot->y + height / 2 + chance_real(chance, 2, 14);
    stamp_begin(cr, chance, x, y, colour);
    stamp_frame(cr, width, height, 1.2);
    stamp_text(cr, receiver, -width / 2 + 5, -height / 2 + 11, width / (double)g_utf8_strlen(receiver, -1) * 1.25);
    stamp_text(cr, "ĐẾN", -width / 2 + 6, 6, 17);
    stamp_text(cr, "Số:...............", -8, -4, 9);
    stamp_text(cr, "Ngày:...........", -8, 11, 9);
    stamp_text(cr, "Chuyển:.............................", -width / 2 + 6, height / 2 - 7, 9);
    struct print_spot number = {.x = 10, .y = -18, .width = 26, .height = 12};
    struct print_spot day = {.x = 18, .y = -2, .width = 34, .height = 11};
    snprintf(number.text, sizeof number.text, "%d", chance_between(chance, 10, 4999));
    int day_no = chance_between(chance, 1, 28), month = chance_between(chance, 1, 12);
    snprintf(day.text, sizeof day.text, "%02d/%d", day_no, month);
    ink_hand(cr, chance, (struct ink_colour){0.1, 0.15, 0.5}, &number);
    ink_hand(cr, chance, (struct ink_colour){0.1, 0.15, 0.5}, &day);
    stamp_press(cr, chance, width / 2);
}

void ink_urgent(cairo_t *cr, struct chance *chance, const struct print_spot *spot)
{
    static const char *const word[] = {"KHẨN", "THƯỢNG KHẨN", "HỎA TỐC"};
    const char *text = CHANCE_PICK(chance, word);
    double width = 12 + 11.5 * (double)g_utf8_strlen(text, -1), height = 24;
    stamp_begin(cr, chance, spot->x + spot->width * 0.35, spot->y + 22, seal_red);
    stamp_frame(cr, width, height, 1.2);
    stamp_frame(cr, width - 5, height - 5, 0.8);
    cairo_text_extents_t e;
    stamp_font(cr, 14);
    cairo_text_extents(cr, text, &e);
    stamp_text(cr, text, -e.x_advance / 2, 5, 14);
    stamp_press(cr, chance, width / 2);
}
