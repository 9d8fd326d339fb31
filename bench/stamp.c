/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bench/stamp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/ink.h"

enum { VIOLET_PERCENT = 15, BLACK_PERCENT = 8, FRAMELESS_PERCENT = 4, DOUBLED_PERCENT = 75, ROUND_PT = 4 };

static const struct {
    const char *text[2]; /* lines */
    double width_mm, height_mm;
} form[STAMP_KINDS] = {
    [STAMP_MAT] = {{"MẬT", NULL},            20, 8 },
      [STAMP_TOI] = {{"TỐI MẬT", NULL},      30, 8 },
    [STAMP_TUYET] = {{"TUYỆT MẬT", NULL},    40, 8 },
      [STAMP_GIAI] = {{"GIẢI", "MẬT"},        30, 13},
    [STAMP_HOA_TOC] = {{"HỎA TỐC", NULL},      30, 8 },
      [STAMP_THUONG_KHAN] = {{"THƯỢNG KHẨN", NULL}, 40, 8 },
    [STAMP_KHAN] = {{"KHẨN", NULL},           20, 8 },
      [STAMP_OTHER] = {{NULL, NULL},               32, 10},
};

/* What else stamps say. */
static const char *const others[] = {
    "CÔNG VĂN ĐẾN",
    "BẢN SAO",
    "SAO Y BẢN CHÍNH",
    "BẢN CHÍNH",
    "DỰ THẢO",
    "ĐÃ KIỂM TRA",
    "ĐÃ DUYỆT",
    "THU HỒI",
    "ĐẾN",
    "HẾT HIỆU LỰC",
    "LƯU HÀNH NỘI BỘ",
    "ĐÃ THU TIỀN",
    "HẸN GIỜ",
    "GIẤY PHÉP",
    "PHÁT HÀNH",
    "CHUYỂN NHANH",
    "TÀI LIỆU THAM KHẢO",
    "CÔNG CHỨNG",
    "LƯU TRỮ",
    "PHÔNG SỐ",
    "TUYỂN SINH",
    "HỒ SƠ",
    "ĐÃ NỘP THUẾ",
    "GỐC",
    "TỔNG HỢP",
    "TUYÊN GIÁO",
    "ĐẶC BIỆT",
    "QUỐC PHÒNG",
    "ĐÃ CHI TIỀN",
    "VĂN THƯ",
    "BƯU ĐIỆN",
};

static const char *const judged[] = {"Liberation Serif",      "Liberation Serif",       "Liberation Sans",
                                     "DejaVu Sans Condensed", "DejaVu Serif Condensed", "Noto Sans"};
static const char *const taught[] = {
    "Liberation Serif",
    "Liberation Serif",
    "Liberation Serif",
    "Liberation Sans",
    "Liberation Sans",
    "FreeSerif",
    "FreeSans",
    "Roboto",
    "Roboto Condensed",
    "Lato",
    "Inter",
    "Charis SIL",
    "Linux Libertine O",
    "Linux Biolinum O",
    "Gentium",
    "Cantarell",
    "Vollkorn",
    "EB Garamond",
    "Quicksand",
};

static void ink_plan(struct chance *chance, struct stamp *stamp)
{
    double dark = chance_real(chance, 0.5, 1);
    bool violet = chance_percent(chance, VIOLET_PERCENT), black = chance_percent(chance, BLACK_PERCENT);
    stamp->red = (black ? 0.15 : violet ? 0.55 : 0.9) * dark;
    stamp->green = chance_real(chance, 0.02, 0.22) * dark;
    stamp->blue = (violet ? chance_real(chance, 0.4, 0.55) : chance_real(chance, 0.05, 0.35)) * dark;
    if (black)
        stamp->green = stamp->blue = stamp->red;
    stamp->alpha = chance_real(chance, 0.5, 1);
    stamp->blotches = chance_below(chance, 90);
}

void stamp_plan(struct chance *chance, enum stamp_kind kind, enum stamp_faces faces, struct stamp *stamp)
{
    *stamp = (struct stamp){.kind = kind, .line = chance_real(chance, 0.9, 1.7)};
    double size = chance_real(chance, 0.85, 1.15);
    stamp->text[0] = form[kind].text[0];
    stamp->text[1] = form[kind].text[1];
    stamp->width = form[kind].width_mm * PRINT_PT_PER_MM * size * chance_real(chance, 0.95, 1.05);
    stamp->height = form[kind].height_mm * PRINT_PT_PER_MM * size * chance_real(chance, 0.95, 1.05);
    if (kind == STAMP_OTHER) {
        stamp->text[0] = CHANCE_PICK(chance, others);
        stamp->width *= chance_real(chance, 0.6, 1.5);
        stamp->height *= chance_real(chance, 0.7, 1.2);
    }
    bool usual = chance_percent(chance, 70); /* under the number, else anywhere in the upper half */
    stamp->x = PRINT_PT_PER_MM * (usual ? chance_real(chance, 45, 75) : chance_real(chance, 35, 175));
    stamp->y = PRINT_PT_PER_MM * (usual ? chance_real(chance, 42, 70) : chance_real(chance, 12, 140));
    stamp->turn_deg = chance_real(chance, -8, 8);
    stamp->framed = !chance_percent(chance, FRAMELESS_PERCENT);
    stamp->doubled = stamp->framed && chance_percent(chance, DOUBLED_PERCENT);
    stamp->fill = chance_real(chance, 0.75, 1);
    stamp->font = faces == STAMP_JUDGED ? CHANCE_PICK(chance, judged) : CHANCE_PICK(chance, taught);
    ink_plan(chance, stamp);
    stamp->chance = (struct chance){chance_next(chance)};
}

static void frame_draw(cairo_t *cr, double width, double height, double line)
{
    cairo_set_line_width(cr, line);
    cairo_rectangle(cr, -width / 2, -height / 2, width, height);
    cairo_stroke(cr);
}

static void text_draw(const struct stamp *stamp, cairo_t *cr)
{
    const char *const *text = stamp->text;
    int lines = text[1] ? 2 : 1;
    double inner = stamp->fill * (stamp->height - (stamp->doubled ? 7 : 3));
    double width = stamp->fill * (stamp->width - (stamp->doubled ? 8 : 5));
    cairo_font_options_t *options = cairo_font_options_create(); /* the same shapes at any scale */
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
    cairo_select_font_face(cr, stamp->font, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    for (int i = 0; i < lines; i++) {
        cairo_text_extents_t e;
        cairo_set_font_size(cr, 100);
        cairo_text_extents(cr, text[i], &e);
        double size = 100 * fmin(0.9 * inner / lines / e.height, 0.94 * width / e.width);
        double top = -inner / 2 + inner / lines * i + (inner / lines - e.height * size / 100) / 2;
        cairo_set_font_size(cr, size);
        cairo_move_to(cr, -e.width * size / 200 - e.x_bearing * size / 100, top - e.y_bearing * size / 100);
        cairo_show_text(cr, text[i]);
    }
}

static void stamp_enter(const struct stamp *stamp, cairo_t *cr)
{
    cairo_translate(cr, stamp->x, stamp->y);
    cairo_rotate(cr, stamp->turn_deg * M_PI / 180);
}

void stamp_letters(const struct stamp *stamp, cairo_t *cr)
{
    cairo_save(cr);
    stamp_enter(stamp, cr);
    text_draw(stamp, cr);
    cairo_restore(cr);
}

void stamp_draw(const struct stamp *stamp, cairo_t *cr)
{
    struct chance chance = stamp->chance;
    cairo_save(cr);
    stamp_enter(stamp, cr);
    cairo_rectangle(cr, -stamp->width / 2 - ROUND_PT, -stamp->height / 2 - ROUND_PT, stamp->width + 2 * ROUND_PT,
                    stamp->height + 2 * ROUND_PT);
    cairo_clip(cr);
    cairo_push_group(cr);
    cairo_set_source_rgb(cr, stamp->red, stamp->green, stamp->blue);
    if (stamp->framed)
        frame_draw(cr, stamp->width, stamp->height, stamp->line);
    if (stamp->doubled)
        frame_draw(cr, stamp->width - 5, stamp->height - 5, 0.6 * stamp->line);
    text_draw(stamp, cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_DEST_OUT);
    for (unsigned i = 0; i < stamp->blotches; i++) {
        cairo_set_source_rgba(cr, 0, 0, 0, chance_real(&chance, 0.2, 0.9));
        double x = chance_real(&chance, -0.5, 0.5) * stamp->width, y = chance_real(&chance, -0.5, 0.5) * stamp->height;
        cairo_new_path(cr);
        cairo_arc(cr, x, y, chance_real(&chance, 0.2, 2.2), 0, 2 * M_PI);
        cairo_fill(cr);
    }
    cairo_pop_group_to_source(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_MULTIPLY);
    cairo_paint_with_alpha(cr, stamp->alpha);
    cairo_restore(cr);
}

static void cover_print(cairo_t *cr, struct chance *chance, double width, double height)
{
    static const char *const words[] = {"về việc triển khai kế hoạch", "Ủy ban nhân dân quận Ba Đình",
                                        "Số: 127/UBND-VP", "ngày 15 tháng 8 năm 1998"};
    cairo_select_font_face(cr, "Liberation Serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, chance_real(chance, 11, 14));
    cairo_set_source_rgb(cr, 0.1, 0.1, 0.1);
    double x = -width * chance_real(chance, 0.4, 0.8), y = height * chance_real(chance, -0.4, 0.5);
    for (int i = 0; i < 2; i++) {
        cairo_move_to(cr, x, y + 16 * i);
        cairo_show_text(cr, CHANCE_PICK(chance, words));
    }
}

static void cover_ring(cairo_t *cr, struct chance *chance, double width, double height)
{
    cairo_set_source_rgba(cr, 0.85, 0.1, 0.15, 0.8);
    double x = chance_real(chance, -0.6, 0.6) * width, y = height * chance_real(chance, -1.6, 1.6);
    for (int i = 0; i < 2; i++) {
        cairo_new_path(cr);
        cairo_set_line_width(cr, i ? 0.8 : 2);
        cairo_arc(cr, x, y, 48 - 14 * i, 0, 2 * M_PI);
        cairo_stroke(cr);
    }
}

void stamp_cover(const struct stamp *stamp, struct chance *chance, double share, cairo_t *cr)
{
    double width = stamp->width, height = stamp->height;
    cairo_save(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_MULTIPLY);
    cairo_translate(cr, stamp->x, stamp->y);
    switch (chance_below(chance, 4)) {
    case 0: {
        struct print_spot spot = {.width = width * 4 * share, .height = height * 2.4};
        spot.x = chance_real(chance, -1, 1) * width / 2 - spot.width / 2;
        spot.y = -spot.height / 2;
        ink_signature(cr, chance, (struct ink_colour){0.1, 0.12, 0.45}, &spot);
        break;
    }
    case 1: cover_print(cr, chance, width, height); break;
    case 2: cover_ring(cr, chance, width, height); break;
    default: { /* a violet frame with its own print, and paper stuck over a corner */
        bool left = chance_percent(chance, 50);
        double over = width * share;
        cairo_set_source_rgb(cr, 0.42, 0.16, 0.5);
        cairo_set_line_width(cr, 1.2);
        cairo_rectangle(cr, left ? over - width / 2 - 120 : width / 2 - over, -height * 0.2, 120, 60);
        cairo_stroke(cr);
    }
    }
    cairo_restore(cr);
}

static void decoy_table(struct chance *chance, cairo_t *cr)
{
    double x = chance_real(chance, 60, 120), y = chance_real(chance, 200, 500), row = chance_real(chance, 16, 30);
    int rows = chance_between(chance, 2, 8), columns = chance_between(chance, 2, 6);
    double column = chance_real(chance, 380, 440) / columns;
    cairo_set_line_width(cr, chance_real(chance, 0.5, 1.4));
    cairo_set_font_size(cr, 12);
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++) {
            char text[16];
            snprintf(text, sizeof text, "%d", chance_between(chance, 1, 9999));
            cairo_rectangle(cr, x + column * k, y + row * i, column, row);
            cairo_stroke(cr);
            cairo_move_to(cr, x + column * k + 6, y + row * i + row * 0.7);
            cairo_show_text(cr, text);
        }
}

static void decoy_border(struct chance *chance, cairo_t *cr)
{
    double margin = chance_real(chance, 18, 40);
    for (int i = 0; i < 3; i++, margin += 4) {
        cairo_set_line_width(cr, i == 1 ? 2.5 : 0.7);
        cairo_rectangle(cr, margin, margin, PRINT_WIDTH_PT - 2 * margin, PRINT_HEIGHT_PT - 2 * margin);
        cairo_stroke(cr);
    }
    for (double x = margin; x < PRINT_WIDTH_PT - margin; x += 12) {
        cairo_arc(cr, x, margin + 6, 4, 0, 2 * M_PI);
        cairo_stroke(cr);
    }
}

static void decoy_signature_block(struct chance *chance, cairo_t *cr)
{
    double x = chance_real(chance, 300, 400), y = chance_real(chance, 20, 700);
    cairo_set_font_size(cr, 8);
    cairo_rectangle(cr, x, y, 150, 40);
    cairo_stroke(cr);
    static const char *const line[] = {"Ký bởi: ỦY BAN NHÂN DÂN QUẬN", "Email: vanthu@hanoi.gov.vn",
                                       "Thời gian ký: 15.08.2019 08:15"};
    for (int i = 0; i < 3; i++) {
        cairo_move_to(cr, x + 5, y + 12 + 11 * i);
        cairo_show_text(cr, line[i]);
    }
}

static void decoy_letterhead(struct chance *chance, cairo_t *cr)
{
    cairo_set_font_size(cr, chance_real(chance, 12, 18));
    cairo_move_to(cr, 70, chance_real(chance, 30, 50));
    cairo_show_text(cr, "CÔNG TY TNHH THƯƠNG MẠI");
    cairo_set_line_width(cr, 1.5);
    cairo_move_to(cr, 70, 56);
    cairo_line_to(cr, 300, 56);
    cairo_stroke(cr);
}

void stamp_decoys(struct chance *chance, cairo_t *cr)
{
    cairo_save(cr);
    cairo_set_operator(cr, CAIRO_OPERATOR_MULTIPLY);
    double green = chance_real(chance, 0.05, 0.25);
    cairo_set_source_rgb(cr, chance_real(chance, 0.7, 0.95), green, green);
    cairo_select_font_face(cr, "Liberation Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    switch (chance_below(chance, 5)) {
    case 0: decoy_table(chance, cr); break;
    case 1: decoy_border(chance, cr); break;
    case 2: decoy_signature_block(chance, cr); break;
    case 3: decoy_letterhead(chance, cr); break;
    default: {
        struct print_spot spot = {.x = 80, .y = chance_real(chance, 80, 500), .width = 200, .height = 50};
        ink_signature(cr, chance, (struct ink_colour){0.8, 0.1, 0.15}, &spot);
    }
    }
    cairo_restore(cr);
}
