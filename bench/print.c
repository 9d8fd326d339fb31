/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sets letters with Pango. Lines are laid out without hinting, so they break alike at every resolution. */
#include "bench/print.h"

#include <assert.h>
#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/dossier.h"
#include "proto/auto.h"

static const double margin_left = 30 * PRINT_PT_PER_MM, margin_right = 17 * PRINT_PT_PER_MM;
static const double margin_top = 20 * PRINT_PT_PER_MM, margin_bottom = 20 * PRINT_PT_PER_MM;
static const double number_top = 14 * PRINT_PT_PER_MM, number_foot = 12 * PRINT_PT_PER_MM;
static const double indent = 12.7 * PRINT_PT_PER_MM, address_indent = 35 * PRINT_PT_PER_MM;
/* The two columns of boxes reach a little over the margin, as everybody's templates do. */
static const double pair_left = 22 * PRINT_PT_PER_MM, pair_split = 91 * PRINT_PT_PER_MM;
static const double pair_right = 197 * PRINT_PT_PER_MM;
static const double closing_split = 108 * PRINT_PT_PER_MM, signature_height = 27 * PRINT_PT_PER_MM;
static const double stamp_height = 60;
static const double header_pt = 12.5, receivers_pt = 11, rule_gap = 2, rule_width = 0.7, rule_space = 6,
                    line_factor = 1.12;

struct line {
    PangoLayout *layout;
    int index;
    double x, baseline;
};

enum print_part { PART_HEAD, PART_BODY, PART_CLOSING, PART_NUMBER };

static const char *const print_part_name[] = {
    [PART_HEAD] = "head", [PART_BODY] = "body", [PART_CLOSING] = "closing", [PART_NUMBER] = "number"};

struct rule {
    double x, y, width;
};

struct sheet {
    struct line *lines;
    size_t line_count, line_capacity;
    struct rule *rules;
    size_t rule_count, rule_capacity;
    struct print_spot *spots;
    size_t spot_count, spot_capacity;
    struct buf text, parts;
};

struct print {
    PangoContext *context;
    struct sheet *sheets;
    size_t sheet_count, sheet_capacity;
    bool number_at_foot;
    double size_pt;
    double y;             /* where the next line goes on the last sheet */
    enum print_part part; /* what is being set */
};

/* Room for one more element of that many bytes; returns the array, which may have moved. */
static void *grown(void *array, size_t count, size_t *capacity, size_t bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity ? 2 * *capacity : 16;
    array = realloc(array, *capacity * bytes);
    assert(array);
    return array;
}

static struct sheet *print_last(struct print *print)
{
    return &print->sheets[print->sheet_count - 1];
}

static void sheet_add_rule(struct sheet *sheet, double x, double y, double width)
{
    sheet->rules = grown(sheet->rules, sheet->rule_count, &sheet->rule_capacity, sizeof *sheet->rules);
    sheet->rules[sheet->rule_count++] = (struct rule){x, y, width};
}

static struct print_spot *sheet_add_spot(struct sheet *sheet, enum spot_kind kind, double x, double y, double width,
                                         double height)
{
    sheet->spots = grown(sheet->spots, sheet->spot_count, &sheet->spot_capacity, sizeof *sheet->spots);
    struct print_spot *spot = &sheet->spots[sheet->spot_count++];
    *spot = (struct print_spot){.kind = kind, .x = x, .y = y, .width = width, .height = height};
    return spot;
}

/* Invisible characters of the line are the hand's. */
static void sheet_note_hand(struct sheet *sheet, const struct line *line, const PangoLayoutLine *set)
{
    PangoAttrList *attributes = pango_layout_get_attributes(line->layout);
    GSList *all = attributes ? pango_attr_list_get_attributes(attributes) : NULL;
    for (GSList *at = all; at; at = at->next) {
        const PangoAttribute *a = at->data;
        int first = (int)a->start_index, end = (int)a->end_index;
        if (a->klass->type != PANGO_ATTR_FOREGROUND_ALPHA || first < set->start_index ||
            end > set->start_index + set->length)
            continue;
        int from, to;
        pango_layout_line_index_to_x((PangoLayoutLine *)set, first, FALSE, &from);
        pango_layout_line_index_to_x((PangoLayoutLine *)set, end, FALSE, &to);
        double x = line->x + pango_units_to_double(from), width = pango_units_to_double(to - from);
        struct print_spot *spot = sheet_add_spot(sheet, SPOT_HAND, x, line->baseline - 11, width, 12);
        snprintf(spot->text, sizeof spot->text, "%.*s", end - first, pango_layout_get_text(line->layout) + first);
    }
    g_slist_free_full(all, (GDestroyNotify)pango_attribute_destroy);
}

static void sheet_add_text(struct sheet *sheet, enum print_part part, const char *text, int bytes)
{
    while (bytes > 0 && text[bytes - 1] == ' ')
        bytes--;
    if (bytes <= 0)
        return;
    buf_append(&sheet->text, text, (size_t)bytes);
    buf_puts(&sheet->text, "\n");
    buf_puts(&sheet->parts, print_part_name[part]);
    buf_puts(&sheet->parts, "\n");
}

static void sheet_add_line(struct sheet *sheet, enum print_part part, PangoLayout *layout, int index, double x,
                           double baseline)
{
    sheet->lines = grown(sheet->lines, sheet->line_count, &sheet->line_capacity, sizeof *sheet->lines);
    struct line *line = &sheet->lines[sheet->line_count++];
    *line = (struct line){g_object_ref(layout), index, x, baseline};
    const PangoLayoutLine *set = pango_layout_get_line_readonly(layout, index);
    sheet_add_text(sheet, part, pango_layout_get_text(layout) + set->start_index, set->length);
    sheet_note_hand(sheet, line, set);
}

static PangoLayout *print_layout(const struct print *print, const char *markup, double size_pt, double width,
                                 PangoAlignment align)
{
    PangoLayout *layout = pango_layout_new(print->context);
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family_static(font, PRINT_FONT_FAMILY);
    pango_font_description_set_size(font, pango_units_from_double(size_pt));
    pango_layout_set_font_description(layout, font);
    pango_font_description_free(font);
    pango_layout_set_width(layout, width < 0 ? -1 : pango_units_from_double(width));
    pango_layout_set_alignment(layout, align);
    pango_layout_set_markup(layout, markup, -1);
    return layout;
}

static void layout_destroy(PangoLayout **layout)
{
    g_clear_object(layout);
}

/* As print_flow sets it. */
static double layout_height(PangoLayout *layout)
{
    int width, height;
    pango_layout_get_size(layout, &width, &height);
    return pango_units_to_double(height) * line_factor;
}

static void print_number(struct print *print, size_t sheet_no, double x, double baseline)
{
    char number[24];
    snprintf(number, sizeof number, "%zu", sheet_no + 1);
    AUTO(layout_destroy) PangoLayout *layout = print_layout(print, number, print->size_pt, -1, PANGO_ALIGN_LEFT);
    sheet_add_line(&print->sheets[sheet_no], PART_NUMBER, layout, 0, x, baseline);
}

static void print_add_sheet(struct print *print)
{
    print->sheets = grown(print->sheets, print->sheet_count, &print->sheet_capacity, sizeof *print->sheets);
    print->sheets[print->sheet_count++] = (struct sheet){0};
    print->y = margin_top;
    if (print->sheet_count > 1 && !print->number_at_foot)
        print_number(print, print->sheet_count - 1, PRINT_WIDTH_PT / 2, number_top);
}

/* Page numbers at the foot come last in reading order. */
static void print_number_feet(struct print *print)
{
    for (size_t i = 1; print->number_at_foot && i < print->sheet_count; i++)
        print_number(print, i, PRINT_WIDTH_PT - margin_right - 12, PRINT_HEIGHT_PT - number_foot);
}

static bool print_fits(const struct print *print, double height)
{
    return print->y + height <= PRINT_HEIGHT_PT - margin_bottom;
}

/* Places all lines of layout at x from print->y on, over as many sheets as it takes. */
static void print_flow(struct print *print, PangoLayout *layout, double x)
{
    PangoLayoutIter *iter = pango_layout_get_iter(layout);
    int index = 0;
    do {
        PangoRectangle logical;
        pango_layout_iter_get_line_extents(iter, NULL, &logical);
        double height = pango_units_to_double(logical.height) * line_factor;
        if (!print_fits(print, height))
            print_add_sheet(print);
        double ascent = pango_units_to_double(pango_layout_iter_get_baseline(iter) - logical.y);
        sheet_add_line(print_last(print), print->part, layout, index++, x + pango_units_to_double(logical.x),
                       print->y + ascent);
        print->y += height;
    } while (pango_layout_iter_next_line(iter));
    pango_layout_iter_free(iter);
}

/* A rule under the column of width that starts at x, as long as that part of the layout's last line. */
static void print_rule_under(struct print *print, PangoLayout *layout, double x, double y, double part)
{
    if (part <= 0)
        return;
    PangoRectangle logical;
    PangoLayoutLine *last = pango_layout_get_line_readonly(layout, pango_layout_get_line_count(layout) - 1);
    pango_layout_line_get_extents(last, NULL, &logical);
    double width = pango_units_to_double(logical.width) * part;
    double column = pango_units_to_double(pango_layout_get_width(layout));
    sheet_add_rule(print_last(print), x + (column - width) / 2, y + rule_gap, width);
}

/* Places layout with its top at y, without moving print->y. Returns the y of its bottom. */
static double print_place(struct print *print, PangoLayout *layout, double x, double y)
{
    double before = print->y;
    print->y = y;
    print_flow(print, layout, x);
    double bottom = print->y;
    print->y = before;
    return bottom;
}

static PangoLayout *print_body_layout(const struct print *print, const struct block *block)
{
    double width = PRINT_WIDTH_PT - margin_left - margin_right;
    PangoLayout *layout = print_layout(print, block->text, print->size_pt, width, PANGO_ALIGN_LEFT);
    pango_layout_set_justify(layout, TRUE);
    pango_layout_set_indent(layout, pango_units_from_double(indent));
    return layout;
}

static void print_body(struct print *print, const struct block *block)
{
    AUTO(layout_destroy) PangoLayout *layout = print_body_layout(print, block);
    print_flow(print, layout, margin_left);
}

static void print_centre(struct print *print, const struct block *block)
{
    double x = margin_left + 8, width = PRINT_WIDTH_PT - margin_left - margin_right - 16;
    AUTO(layout_destroy)
    PangoLayout *layout = print_layout(print, block->text, print->size_pt, width, PANGO_ALIGN_CENTER);
    print_flow(print, layout, x);
    print_rule_under(print, layout, x, print->y, block->rule_right);
    if (block->rule_right > 0)
        print->y += rule_space;
}

static void print_address(struct print *print, const struct block *block)
{
    double width = PRINT_WIDTH_PT - margin_left - margin_right - address_indent;
    AUTO(layout_destroy)
    PangoLayout *layout = print_layout(print, block->text, print->size_pt, width, PANGO_ALIGN_LEFT);
    print_flow(print, layout, margin_left + address_indent);
    print->y += rule_space;
}

static void print_pair(struct print *print, const struct block *block)
{
    AUTO(layout_destroy) PangoLayout *left = NULL, *right = NULL;
    left = print_layout(print, block->text, header_pt, pair_split - pair_left, PANGO_ALIGN_CENTER);
    right = print_layout(print, block->right, header_pt, pair_right - pair_split, PANGO_ALIGN_CENTER);
    double left_bottom = print_place(print, left, pair_left, print->y);
    print_rule_under(print, left, pair_left, left_bottom, block->rule_left);
    double right_bottom = print_place(print, right, pair_split, print->y);
    print_rule_under(print, right, pair_split, right_bottom, block->rule_right);
    print->y = (left_bottom > right_bottom ? left_bottom : right_bottom) + rule_gap;
}

/* The header leaves room under it, to the left. */
static void print_note_stamp(struct print *print)
{
    sheet_add_spot(print_last(print), SPOT_STAMP, pair_left, print->y, pair_split - pair_left, stamp_height);
}

/* The boxes below the body, set: receivers (or who kept the minutes) to the left, who signs to the right. */
struct closing {
    PangoLayout *left, *right;
    double left_width, right_width;
    double name_top; /* of the names, from the top of the boxes */
    double height;
};

static void closing_clear(struct closing *closing)
{
    layout_destroy(&closing->left);
    layout_destroy(&closing->right);
}

static void closing_set(struct closing *c, const struct print *print, const struct block *block)
{
    bool minutes = block->name_left != NULL;
    c->left_width = closing_split - margin_left;
    c->right_width = pair_right - closing_split;
    c->left = print_layout(print, block->text, minutes ? print->size_pt : receivers_pt, c->left_width,
                           minutes ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT);
    c->right = print_layout(print, block->right, print->size_pt, c->right_width, PANGO_ALIGN_CENTER);
    c->name_top = layout_height(c->right) + signature_height;
    double signing = c->name_top + 2 * print->size_pt, receivers = layout_height(c->left);
    c->height = signing > receivers ? signing : receivers;
}

/* No sheet has nothing but signatures: the last paragraph goes with them. */
static void print_keep(struct print *print, const struct block *last, const struct block *closing_block)
{
    AUTO(closing_clear) struct closing closing = {0};
    closing_set(&closing, print, closing_block);
    AUTO(layout_destroy) PangoLayout *layout = print_body_layout(print, last);
    double spaces = (last->space_mm + closing_block->space_mm) * PRINT_PT_PER_MM;
    if (!print_fits(print, layout_height(layout) + spaces + closing.height))
        print_add_sheet(print);
}

static void print_name(struct print *print, const char *markup, double x, double width, double y)
{
    AUTO(layout_destroy) PangoLayout *name = print_layout(print, markup, print->size_pt, width, PANGO_ALIGN_CENTER);
    print_place(print, name, x, y);
}

/* Kept together on one sheet. */
static void print_closing(struct print *print, const struct block *block)
{
    AUTO(closing_clear) struct closing closing = {0};
    closing_set(&closing, print, block);
    if (!print_fits(print, closing.height))
        print_add_sheet(print);
    double top = print->y, name_top = top + closing.name_top;
    print_place(print, closing.left, margin_left, top);
    double sign_top = print_place(print, closing.right, closing_split, top);
    struct sheet *sheet = print_last(print);
    if (block->name_left) {
        sheet_add_spot(sheet, SPOT_WITNESS, margin_left, sign_top, closing.left_width, name_top - sign_top);
        print_name(print, block->name_left, margin_left, closing.left_width, name_top);
    }
    sheet_add_spot(sheet, SPOT_SIGNATURE, closing_split, sign_top, closing.right_width, name_top - sign_top);
    print_name(print, block->name_right, closing_split, closing.right_width, name_top);
    print->y = top + closing.height;
}

static void print_block(struct print *print, const struct block *block)
{
    static const enum print_part part_of[] = {[BLOCK_BODY] = PART_BODY,
                                              [BLOCK_CENTRE] = PART_BODY,
                                              [BLOCK_ADDRESS] = PART_BODY,
                                              [BLOCK_PAIR] = PART_HEAD,
                                              [BLOCK_CLOSING] = PART_CLOSING};
    print->part = part_of[block->form];
    print->y += block->space_mm * PRINT_PT_PER_MM;
    switch (block->form) {
    case BLOCK_BODY: print_body(print, block); break;
    case BLOCK_CENTRE: print_centre(print, block); break;
    case BLOCK_ADDRESS: print_address(print, block); break;
    case BLOCK_PAIR: print_pair(print, block); break;
    case BLOCK_CLOSING: print_closing(print, block); break;
    }
}

static void print_blocks(struct print *print, const struct block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && blocks[i].form == BLOCK_BODY && blocks[i + 1].form == BLOCK_CLOSING)
            print_keep(print, &blocks[i], &blocks[i + 1]);
        print_block(print, &blocks[i]);
        if (blocks[i].form == BLOCK_PAIR && i > 0)
            print_note_stamp(print);
    }
}

static PangoContext *print_context(void)
{
    PangoContext *context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    pango_cairo_context_set_resolution(context, 72); /* so that a unit is a point */
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_context_set_language(context, pango_language_from_string("vi"));
    cairo_font_options_destroy(options);
    return context;
}

/* Pango would silently take letters that the family lacks from another font, and the scans would look like nothing real. */
static int print_check_font(const struct print *print, struct err *err)
{
    PangoFontDescription *wanted = pango_font_description_from_string(PRINT_FONT_FAMILY " 14");
    PangoFont *font = pango_context_load_font(print->context, wanted);
    PangoFontDescription *got = font ? pango_font_describe(font) : NULL;
    bool good = got && !strcmp(pango_font_description_get_family(got), PRINT_FONT_FAMILY) &&
                pango_font_has_char(font, 0x1ebf /* ế */);
    pango_font_description_free(got);
    g_clear_object(&font);
    pango_font_description_free(wanted);
    return good ? 0
                : err_set(err, E_CONFIG, "no font '%s' with Vietnamese letters: install Debian's fonts-liberation2",
                          PRINT_FONT_FAMILY);
}

int print_new(const struct letter *letter, struct print **ret_print, struct err *err)
{
    AUTO(print_destroy) struct print *print = calloc(1, sizeof *print);
    assert(print);
    print->context = print_context();
    print->number_at_foot = letter->number_at_foot;
    print->size_pt = letter->size_pt;
    int rc = print_check_font(print, err);
    if (rc)
        return rc;
    print_add_sheet(print);
    print_blocks(print, letter->blocks, letter->block_count);
    print_number_feet(print);
    *ret_print = print;
    print = NULL;
    return 0;
}

struct print *print_drawn(struct chance *chance, int paragraphs_least, int paragraphs_most, struct organ *ret_organ)
{
    struct print *print = NULL;
    struct letter *letter = NULL;
    struct err err;
    struct dossier dossier;
    dossier_open(&dossier, chance, (1u << ORGAN_KIND_NR) - 1, 1);
    *ret_organ = dossier.organ;
    struct letter_plan plan = {.year = dossier.year,
                               .paragraphs = (unsigned)chance_between(chance, paragraphs_least, paragraphs_most)};
    letter_new(chance, ret_organ, &plan, &letter);
    if (print_new(letter, &print, &err)) {
        fprintf(stderr, "print: %s\n", err.text);
        exit(EXIT_FAILURE);
    }
    letter_destroy(&letter);
    return print;
}

static void sheet_clear(struct sheet *sheet)
{
    for (size_t i = 0; i < sheet->line_count; i++)
        g_object_unref(sheet->lines[i].layout);
    free(sheet->lines);
    free(sheet->rules);
    free(sheet->spots);
    buf_destroy(&sheet->text);
    buf_destroy(&sheet->parts);
}

void print_destroy(struct print **slot)
{
    struct print *print = *slot;
    if (!print)
        return;
    for (size_t i = 0; i < print->sheet_count; i++)
        sheet_clear(&print->sheets[i]);
    free(print->sheets);
    g_clear_object(&print->context);
    free(print);
    *slot = NULL;
}

size_t print_sheets(const struct print *print)
{
    return print->sheet_count;
}

const char *print_text(const struct print *print, size_t sheet_no)
{
    assert(sheet_no < print->sheet_count);
    return buf_text(&print->sheets[sheet_no].text);
}

const char *print_parts(const struct print *print, size_t sheet_no)
{
    assert(sheet_no < print->sheet_count);
    return buf_text(&print->sheets[sheet_no].parts);
}

size_t print_spots(const struct print *print, size_t sheet_no, const struct print_spot **ret_spots)
{
    assert(sheet_no < print->sheet_count);
    *ret_spots = print->sheets[sheet_no].spots;
    return print->sheets[sheet_no].spot_count;
}

void print_draw(const struct print *print, size_t sheet_no, cairo_t *cr)
{
    assert(sheet_no < print->sheet_count);
    const struct sheet *sheet = &print->sheets[sheet_no];
    cairo_set_source_rgb(cr, 0, 0, 0);
    for (size_t i = 0; i < sheet->line_count; i++) {
        const struct line *line = &sheet->lines[i];
        cairo_move_to(cr, line->x, line->baseline);
        pango_cairo_show_layout_line(cr, pango_layout_get_line_readonly(line->layout, line->index));
    }
    cairo_set_line_width(cr, rule_width);
    for (size_t i = 0; i < sheet->rule_count; i++) {
        cairo_move_to(cr, sheet->rules[i].x, sheet->rules[i].y);
        cairo_rel_line_to(cr, sheet->rules[i].width, 0);
        cairo_stroke(cr);
    }
}

void print_forget_fonts(void)
{
    pango_cairo_font_map_set_default(NULL);
    cairo_debug_reset_static_data();
    FcFini();
}
