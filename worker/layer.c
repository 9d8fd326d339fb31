/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The invisible text layer. Its font is Tesseract's pdf.ttf: one empty glyph, half an em wide, for every code, as
 * Tesseract's own PDF renderer uses it. A code is the letter's own number in Unicode; letters beyond the first plane,
 * or without a meaning of their own, get codes of the private use area.
 *
 * The layer stands before the page's own contents, where the coordinate system is sure to be the page's: nothing of
 * an unbalanced old content can move it, and being invisible it hides nothing. */
#include "worker/mupdf.h"

#include <math.h>
#include <string.h>

enum {
    PRIVATE_FIRST = 0xe000,
    PRIVATE_LAST = 0xf8ff,
    EXTRA_MAX = PRIVATE_LAST - PRIVATE_FIRST + 1,
    CODES = 0x10000,
    ASCENT = 750, /* of 1000: how the letters' height is split by the baseline */
    ADVANCE = 500,
    FLAT_PT = 2,          /* a baseline that rises by less is flat */
    RANGES_A_BLOCK = 100, /* ISO 32000-1, 9.7.5.4 */
};

static const char font_name[] = "SohoaText"; /* among the page's resources */

struct layer {
    pdf_document *pdf;
    pdf_obj *font;
    unsigned extras;
    int extra[EXTRA_MAX]; /* letters of the codes from PRIVATE_FIRST on */
};

/* ---- the font ---- */

static pdf_obj *descriptor_new(fz_context *ctx, pdf_document *pdf, fz_buffer *font)
{
    pdf_obj *descriptor = pdf_add_new_dict(ctx, pdf, 12), *file = NULL, *length = NULL;
    fz_var(file);
    fz_var(length);
    fz_try(ctx)
    {
        pdf_dict_put(ctx, descriptor, PDF_NAME(Type), PDF_NAME(FontDescriptor));
        pdf_dict_put_name(ctx, descriptor, PDF_NAME(FontName), "GlyphLessFont");
        pdf_dict_put_int(ctx, descriptor, PDF_NAME(Flags), 5); /* fixed pitch, symbolic */
        pdf_dict_put_rect(ctx, descriptor, PDF_NAME(FontBBox), fz_make_rect(0, ASCENT - 1000, ADVANCE, ASCENT));
        pdf_dict_put_int(ctx, descriptor, PDF_NAME(ItalicAngle), 0);
        pdf_dict_put_int(ctx, descriptor, PDF_NAME(Ascent), ASCENT);
        pdf_dict_put_int(ctx, descriptor, PDF_NAME(Descent), ASCENT - 1000);
        pdf_dict_put_int(ctx, descriptor, PDF_NAME(CapHeight), ASCENT);
        pdf_dict_put_int(ctx, descriptor, PDF_NAME(StemV), 80);
        length = pdf_new_dict(ctx, pdf, 1);
        pdf_dict_put_int(ctx, length, PDF_NAME(Length1), (int64_t)font->len);
        file = pdf_add_stream(ctx, pdf, font, length, 0);
        pdf_dict_put(ctx, descriptor, PDF_NAME(FontFile2), file);
    }
    fz_always(ctx)
    {
        pdf_drop_obj(ctx, file);
        pdf_drop_obj(ctx, length);
    }
    fz_catch(ctx)
    {
        pdf_drop_obj(ctx, descriptor);
        fz_rethrow(ctx);
    }
    return descriptor;
}

/* Every code shows glyph 1. */
static pdf_obj *glyph_map_new(fz_context *ctx, pdf_document *pdf)
{
    pdf_obj *map = NULL;
    fz_var(map);
    fz_buffer *buffer = fz_new_buffer(ctx, CODES * sizeof(uint16_t));
    fz_try(ctx)
    {
        for (int i = 0; i < CODES; i++)
            fz_append_int16_be(ctx, buffer, 1);
        map = pdf_add_stream(ctx, pdf, buffer, NULL, 0);
    }
    fz_always(ctx) fz_drop_buffer(ctx, buffer);
    fz_catch(ctx) fz_rethrow(ctx);
    return map;
}

static void descendant_fill(fz_context *ctx, pdf_document *pdf, pdf_obj *descendant, fz_buffer *font)
{
    pdf_dict_put(ctx, descendant, PDF_NAME(Type), PDF_NAME(Font));
    pdf_dict_put(ctx, descendant, PDF_NAME(Subtype), PDF_NAME(CIDFontType2));
    pdf_dict_put_name(ctx, descendant, PDF_NAME(BaseFont), "GlyphLessFont");
    pdf_obj *system = pdf_dict_put_dict(ctx, descendant, PDF_NAME(CIDSystemInfo), 3);
    pdf_dict_put_string(ctx, system, PDF_NAME(Registry), "Adobe", 5);
    pdf_dict_put_string(ctx, system, PDF_NAME(Ordering), "Identity", 8);
    pdf_dict_put_int(ctx, system, PDF_NAME(Supplement), 0);
    pdf_dict_put_int(ctx, descendant, PDF_NAME(DW), ADVANCE);
    pdf_dict_put_drop(ctx, descendant, PDF_NAME(FontDescriptor), descriptor_new(ctx, pdf, font));
    pdf_dict_put_drop(ctx, descendant, PDF_NAME(CIDToGIDMap), glyph_map_new(ctx, pdf));
}

static void font_fill(fz_context *ctx, pdf_document *pdf, pdf_obj *dict, fz_buffer *font)
{
    pdf_dict_put(ctx, dict, PDF_NAME(Type), PDF_NAME(Font));
    pdf_dict_put(ctx, dict, PDF_NAME(Subtype), PDF_NAME(Type0));
    pdf_dict_put_name(ctx, dict, PDF_NAME(BaseFont), "GlyphLessFont");
    pdf_dict_put(ctx, dict, PDF_NAME(Encoding), PDF_NAME(Identity_H));
    pdf_obj *list = pdf_dict_put_array(ctx, dict, PDF_NAME(DescendantFonts), 1);
    pdf_obj *descendant = pdf_add_new_dict(ctx, pdf, 8);
    pdf_array_push_drop(ctx, list, descendant);
    descendant_fill(ctx, pdf, pdf_array_get(ctx, list, 0), font);
}

struct layer *layer_new(fz_context *ctx, pdf_document *pdf, fz_buffer *font)
{
    struct layer *layer = fz_malloc_struct(ctx, struct layer);
    fz_try(ctx)
    {
        layer->pdf = pdf;
        layer->font = pdf_add_new_dict(ctx, pdf, 6);
        font_fill(ctx, pdf, layer->font, font);
    }
    fz_catch(ctx)
    {
        layer_drop(ctx, layer);
        fz_rethrow(ctx);
    }
    return layer;
}

void layer_drop(fz_context *ctx, struct layer *layer)
{
    if (!layer)
        return;
    pdf_drop_obj(ctx, layer->font);
    fz_free(ctx, layer);
}

/* ---- codes ---- */

static bool rune_is_code(int rune)
{
    return rune < 0xd800 || (rune > PRIVATE_LAST && rune < 0xfffe && rune != 0xfeff);
}

static unsigned layer_code(struct layer *layer, int rune)
{
    if (rune_is_code(rune))
        return (unsigned)rune;
    for (unsigned i = 0; i < layer->extras; i++)
        if (layer->extra[i] == rune)
            return PRIVATE_FIRST + i;
    if (layer->extras == EXTRA_MAX)
        return FZ_REPLACEMENT_CHARACTER;
    layer->extra[layer->extras] = rune;
    return PRIVATE_FIRST + layer->extras++;
}

static void map_append_extra(fz_context *ctx, fz_buffer *map, const struct layer *layer)
{
    for (unsigned i = 0; i < layer->extras; i++) {
        if (i % RANGES_A_BLOCK == 0)
            fz_append_printf(ctx, map, "%d beginbfchar\n", fz_mini((int)(layer->extras - i), RANGES_A_BLOCK));
        unsigned rune = (unsigned)layer->extra[i];
        if (rune < 0x10000)
            fz_append_printf(ctx, map, "<%04x> <%04x>\n", PRIVATE_FIRST + i, rune);
        else
            fz_append_printf(ctx, map, "<%04x> <%04x%04x>\n", PRIVATE_FIRST + i, 0xd7c0 + (rune >> 10),
                             0xdc00 + (rune & 0x3ff));
        if (i % RANGES_A_BLOCK == RANGES_A_BLOCK - 1 || i == layer->extras - 1)
            fz_append_string(ctx, map, "endbfchar\n");
    }
}

/* A range may not run over its codes' first byte. */
static void map_append_identity(fz_context *ctx, fz_buffer *map)
{
    enum { BELOW_SURROGATES = 0xd8, ABOVE_PRIVATE = 0xf9, ROWS = 0x100 };
    unsigned rows = BELOW_SURROGATES + ROWS - ABOVE_PRIVATE, done = 0;
    for (unsigned row = 0; row < ROWS; row++) {
        if (row >= BELOW_SURROGATES && row < ABOVE_PRIVATE)
            continue;
        if (done % RANGES_A_BLOCK == 0)
            fz_append_printf(ctx, map, "%d beginbfrange\n", fz_mini((int)(rows - done), RANGES_A_BLOCK));
        unsigned first = row ? row << 8 : 1, last = row == 0xfe ? 0xfefe : row == 0xff ? 0xfffd : (row << 8) + 0xff;
        fz_append_printf(ctx, map, "<%04x> <%04x> <%04x>\n", first, last, first);
        if (++done % RANGES_A_BLOCK == 0 || done == rows)
            fz_append_string(ctx, map, "endbfrange\n");
    }
}

void layer_finish(fz_context *ctx, struct layer *layer)
{
    fz_buffer *map = fz_new_buffer(ctx, 8192);
    fz_try(ctx)
    {
        fz_append_string(ctx, map,
                         "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                         "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
                         "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
                         "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n");
        map_append_identity(ctx, map);
        map_append_extra(ctx, map, layer);
        fz_append_string(ctx, map, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
        pdf_dict_put_drop(ctx, layer->font, PDF_NAME(ToUnicode), pdf_add_stream(ctx, layer->pdf, map, NULL, 0));
    }
    fz_always(ctx) fz_drop_buffer(ctx, map);
    fz_catch(ctx) fz_rethrow(ctx);
}

/* ---- words ---- */

/* How a line lies in the view. */
struct slope {
    double x, y;             /* a point of the baseline */
    double line_x, line_y;   /* unit vector along the baseline */
    double along_x, along_y; /* ... along the letters of a word */
    double height;
};

/* Programs that take text out of a PDF tear words that lean a little: each word of such a line stands straight, a
 * little higher or lower than the one before. */
static void slope_straighten(struct slope *slope)
{
    static const double lean_max = 0.17; /* 10 degrees */
    if (fabs(slope->line_y) <= lean_max) {
        slope->along_x = slope->line_x < 0 ? -1 : 1;
        slope->along_y = 0;
    } else if (fabs(slope->line_x) <= lean_max) {
        slope->along_x = 0;
        slope->along_y = slope->line_y < 0 ? -1 : 1;
    }
}

/* A line whose words rise by more than half their height is taken for several: it is laid flatter where that moves no
 * word by much. */
static void slope_flatten(struct slope *slope, double length)
{
    static const double rise_seen = 0.45, shift_max = 0.3; /* of the height */
    double cross = slope->line_x * slope->along_y - slope->line_y * slope->along_x, rise = fabs(cross) * length;
    double allowed = rise_seen * slope->height;
    if (rise <= allowed || rise - allowed > 2 * shift_max * slope->height)
        return;
    double tilt = -cross * allowed / rise;
    slope->line_x = slope->along_x - tilt * slope->along_y;
    slope->line_y = slope->along_y + tilt * slope->along_x;
}

static struct slope slope_of(const Sohoa__Line *line)
{
    double dx = (double)line->x1 - line->x0, dy = (double)line->y1 - line->y0, length = hypot(dx, dy);
    struct slope slope = {.x = line->x0 + dx / 2, .y = line->y0 + dy / 2};
    slope.line_x = length > 0 ? dx / length : 1;
    slope.line_y = length > 0 ? dy / length : 0;
    slope.along_x = slope.line_x;
    slope.along_y = slope.line_y;
    slope.height = (double)line->ascent_px + line->descent_px;
    if (slope.height <= 0)
        slope.height = line->h ? line->h : 1;
    if (length <= 0)
        slope.y = line->y + line->h - slope.height * (1000 - ASCENT) / 1000;
    slope_straighten(&slope);
    slope_flatten(&slope, length);
    return slope;
}

/* Where a word with this upright box starts on the baseline, and how long it is. */
static fz_point word_start(const Sohoa__Word *word, const struct slope *slope, double *ret_length)
{
    double c = fabs(slope->along_x), s = fabs(slope->along_y);
    double length = c >= s ? (word->w - slope->height * s) / c : (word->h - slope->height * c) / s;
    double least = 0.5 * (c >= s ? word->w : word->h);
    *ret_length = fmax(fmax(length, least), 1);
    double x = word->x + word->w / 2.0 - slope->x, y = word->y + word->h / 2.0 - slope->y;
    double middle = x * slope->line_x + y * slope->line_y, half = *ret_length / 2;
    return fz_make_point((float)(slope->x + middle * slope->line_x - half * slope->along_x),
                         (float)(slope->y + middle * slope->line_y - half * slope->along_y));
}

/* Boxes of neighbours may overlap; without a gap between them programs that take text out make one word of two. */
static double word_length_before(fz_point start, double length, const Sohoa__Word *next, const struct slope *slope)
{
    static const double gap_least = 0.2, shortest = 0.1; /* of the height, of the length */
    double ignored;
    fz_point end = word_start(next, slope, &ignored);
    double room = (end.x - start.x) * slope->along_x + (end.y - start.y) * slope->along_y - gap_least * slope->height;
    return fmin(length, fmax(room, shortest * length));
}

static unsigned append_codes(fz_context *ctx, fz_buffer *out, struct layer *layer, const char *text)
{
    unsigned codes = 0;
    while (*text) {
        int rune;
        text += fz_chartorune(&rune, text);
        if (rune < ' ')
            continue;
        fz_append_printf(ctx, out, "%04x", layer_code(layer, rune));
        codes++;
    }
    return codes;
}

static unsigned count_codes(const char *text)
{
    unsigned codes = 0;
    while (*text) {
        int rune;
        text += fz_chartorune(&rune, text);
        codes += rune >= ' ';
    }
    return codes;
}

/* Numbers of a content stream with so many places as matter. */
static double to_places(double value, double unit)
{
    return round(value / unit) * unit;
}

/* to_user: view pixels -> the page's user space. next: the word that follows in the line, or NULL. */
static void append_word(fz_context *ctx, fz_buffer *out, struct layer *layer, const Sohoa__Word *word,
                        const Sohoa__Word *next, const struct slope *slope, fz_matrix to_user)
{
    unsigned codes = count_codes(word->text);
    if (!codes)
        return;
    double length, scale = fz_matrix_expansion(to_user);
    fz_point start = word_start(word, slope, &length), at = fz_transform_point(start, to_user);
    if (next)
        length = word_length_before(start, length, next, slope);
    double size = slope->height * scale, stretch = 100 * length * scale * 1000 / (codes * ADVANCE * size);
    fz_point along = fz_transform_vector(fz_make_point((float)slope->along_x, (float)slope->along_y), to_user);
    fz_point up = fz_transform_vector(fz_make_point((float)slope->along_y, (float)-slope->along_x), to_user);
    fz_append_printf(ctx, out, "%g Tz %g %g %g %g %g %g Tm <", to_places(stretch, 0.01),
                     to_places(along.x / scale, 1e-5), to_places(along.y / scale, 1e-5), to_places(up.x / scale, 1e-5),
                     to_places(up.y / scale, 1e-5), to_places(at.x, 0.01), to_places(at.y, 0.01));
    append_codes(ctx, out, layer, word->text);
    fz_append_string(ctx, out, next ? "0020> Tj\n" : "> Tj\n");
}

/* The first word from i on that was read, or NULL. */
static const Sohoa__Word *line_read_word(const Sohoa__Line *line, size_t *i)
{
    while (*i < line->n_words && line->words[*i]->own)
        ++*i;
    return *i < line->n_words ? line->words[*i] : NULL;
}

static void append_line(fz_context *ctx, fz_buffer *out, struct layer *layer, const Sohoa__Line *line,
                        fz_matrix to_user)
{
    size_t i = 0;
    const Sohoa__Word *word = line_read_word(line, &i), *next;
    if (!word)
        return;
    struct slope slope = slope_of(line);
    fz_append_printf(ctx, out, "/%s %g Tf\n", font_name, to_places(slope.height * fz_matrix_expansion(to_user), 0.01));
    for (; word; word = next) {
        i++;
        next = line_read_word(line, &i);
        append_word(ctx, out, layer, word, next, &slope, to_user);
    }
}

static void append_page(fz_context *ctx, fz_buffer *out, struct layer *layer, const Sohoa__Page *page,
                        fz_matrix to_user)
{
    fz_append_string(ctx, out, "q\nBT\n3 Tr\n");
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t i = 0; i < page->blocks[b]->n_lines; i++)
            append_line(ctx, out, layer, page->blocks[b]->lines[i], to_user);
    fz_append_string(ctx, out, "ET\nQ\n");
}

/* ---- pages ---- */

void dict_forget(fz_context *ctx, pdf_obj *dict, const char *key)
{
    if (pdf_is_dict(ctx, dict))
        pdf_dict_dels(ctx, dict, key);
}

/* Deep: MuPDF numbers a dictionary that two objects share twice when it writes. */
pdf_obj *dict_copy(fz_context *ctx, pdf_document *pdf, pdf_obj *from)
{
    from = pdf_resolve_indirect_chain(ctx, from);
    return pdf_is_dict(ctx, from) ? pdf_deep_copy_obj(ctx, from) : pdf_new_dict(ctx, pdf, 4);
}

pdf_obj *dict_own(fz_context *ctx, pdf_document *pdf, pdf_obj *holder, pdf_obj *key, pdf_obj *from)
{
    pdf_dict_put_drop(ctx, holder, key, dict_copy(ctx, pdf, from));
    return pdf_dict_get(ctx, holder, key);
}

/* Puts contents before those that the page has. */
static void contents_put(fz_context *ctx, pdf_document *pdf, pdf_obj *page_obj, fz_buffer *contents)
{
    pdf_obj *old = pdf_dict_get(ctx, page_obj, PDF_NAME(Contents));
    pdf_obj *list = pdf_is_array(ctx, old) ? pdf_copy_array(ctx, old) : pdf_new_array(ctx, pdf, 2);
    fz_try(ctx)
    {
        if (pdf_is_stream(ctx, old))
            pdf_array_push(ctx, list, old);
        pdf_array_insert_drop(ctx, list, pdf_add_stream(ctx, pdf, contents, NULL, 0), 0);
        pdf_dict_put(ctx, page_obj, PDF_NAME(Contents), list);
    }
    fz_always(ctx) pdf_drop_obj(ctx, list);
    fz_catch(ctx) fz_rethrow(ctx);
}

void layer_add(fz_context *ctx, struct layer *layer, pdf_obj *page_obj, const Sohoa__Page *page)
{
    pdf_obj *resources = pdf_dict_get_inheritable(ctx, page_obj, PDF_NAME(Resources));
    if (pdf_dict_gets(ctx, pdf_dict_get(ctx, resources, PDF_NAME(Font)), font_name))
        return; /* the page stands in the tree twice */
    fz_rect box;
    fz_matrix to_pt;
    pdf_page_obj_transform(ctx, page_obj, &box, &to_pt);
    float scale = 72.0f / (float)page->dpi_view;
    fz_matrix to_user = fz_concat(fz_scale(scale, scale), fz_invert_matrix(to_pt));
    fz_buffer *contents = fz_new_buffer(ctx, 4096);
    fz_try(ctx)
    {
        append_page(ctx, contents, layer, page, to_user);
        resources = dict_own(ctx, layer->pdf, page_obj, PDF_NAME(Resources), resources);
        pdf_obj *fonts =
            dict_own(ctx, layer->pdf, resources, PDF_NAME(Font), pdf_dict_get(ctx, resources, PDF_NAME(Font)));
        pdf_dict_puts(ctx, fonts, font_name, layer->font);
        contents_put(ctx, layer->pdf, page_obj, contents);
    }
    fz_always(ctx) fz_drop_buffer(ctx, contents);
    fz_catch(ctx) fz_rethrow(ctx);
}
