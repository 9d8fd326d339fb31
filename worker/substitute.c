/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A program for fonts that a PDF names but does not hold: for Times New Roman, Arial, Courier New and the standard 14 the
 * fonts of the same widths that MuPDF has built in and shows them with. Only the letters in use keep their outlines. */
#include "worker/mupdf.h"

#include <math.h>
#include <string.h>

enum {
    WIDTH_SLACK = 1, /* of 1000: ISO 19005-2, 6.2.11.5 */
    OP_CHARSTRINGS = 17,
    OP_ESCAPE = 12,
    OP_REAL = 30,
    ENDCHAR = 14,
};

/* ---- the program (Adobe Technical Note 5176, CFF) ---- */

/* Our own data, so what it says is believed. An INDEX: count, size of offsets, offsets, data. */
static size_t index_end(const unsigned char *cff, size_t at)
{
    uint32_t count = big_endian(cff + at, 2), size = cff[at + 2];
    if (!count)
        return at + 2;
    size_t base = at + 3 + (size_t)(count + 1) * size - 1;
    return base + big_endian(cff + at + 3 + (size_t)count * size, size);
}

static size_t item_at(const unsigned char *cff, size_t at, uint32_t i)
{
    uint32_t count = big_endian(cff + at, 2), size = cff[at + 2];
    return at + 3 + (size_t)(count + 1) * size - 1 + big_endian(cff + at + 3 + (size_t)i * size, size);
}

/* The last number before operator CharStrings in the top DICT. */
static size_t charstrings_at(const unsigned char *cff)
{
    size_t top = index_end(cff, cff[2]), at = item_at(cff, top, 0), end = item_at(cff, top, 1);
    uint32_t number = 0;
    while (at < end) {
        unsigned b = cff[at++];
        if (b == OP_CHARSTRINGS)
            return number;
        if (b == 28 || b == 29) {
            unsigned bytes = b == 28 ? 2 : 4;
            number = big_endian(cff + at, bytes);
            at += bytes;
        } else if (b == OP_REAL) {
            while ((cff[at] & 15) != 15 && cff[at] >> 4 != 15)
                at++;
            at++;
        } else if (b >= 32 && b <= 246) {
            number = b - 139;
        } else if (b >= 247 && b <= 254) {
            number = b <= 250 ? (b - 247) * 256 + cff[at] + 108 : 0;
            at++;
        } else if (b == OP_ESCAPE) {
            at++;
        }
    }
    return 0;
}

/* Outlines of unused glyphs become nothing: the program's layout stays, and it packs to a fraction. */
static void program_thin(unsigned char *cff, const bool *glyph_used, uint32_t glyphs)
{
    size_t index = charstrings_at(cff);
    uint32_t count = index ? big_endian(cff + index, 2) : 0;
    for (uint32_t gid = 1; gid < count; gid++) {
        size_t from = item_at(cff, index, gid), to = item_at(cff, index, gid + 1);
        if ((gid < glyphs && glyph_used[gid]) || from == to)
            continue;
        memset(cff + from, 0, to - from);
        cff[from] = ENDCHAR;
    }
}

/* ---- the font ---- */

struct loan {
    pdf_document *pdf;
    const struct used_font *used;
    const char *name; /* of the standard 14 */
    fz_font *font;
    const unsigned char *data;
    int bytes;
    const char *letter[256]; /* glyph names by code */
    bool *glyph_used;        /* CIDS_MAX */
};

static bool is_simple(fz_context *ctx, pdf_obj *dict)
{
    pdf_obj *kind = pdf_dict_get(ctx, dict, PDF_NAME(Subtype));
    return pdf_name_eq(ctx, kind, PDF_NAME(Type1)) || pdf_name_eq(ctx, kind, PDF_NAME(TrueType));
}

static void loan_encode(fz_context *ctx, struct loan *loan)
{
    pdf_obj *encoding = pdf_dict_get(ctx, loan->used->dict, PDF_NAME(Encoding));
    const char *base = pdf_is_name(ctx, encoding) ? pdf_to_name(ctx, encoding)
                                                  : pdf_dict_get_name(ctx, encoding, PDF_NAME(BaseEncoding));
    pdf_load_encoding(loan->letter, *base ? base : "StandardEncoding");
    pdf_obj *differences = pdf_dict_get(ctx, encoding, PDF_NAME(Differences));
    for (int i = 0, code = 0; i < pdf_array_len(ctx, differences); i++) {
        pdf_obj *item = pdf_array_get(ctx, differences, i);
        if (pdf_is_int(ctx, item))
            code = pdf_to_int(ctx, item);
        else if (code >= 0 && code < 256)
            loan->letter[code++] = pdf_to_name(ctx, item);
    }
}

static bool code_used(const struct loan *loan, int code)
{
    return loan->used->cids[code / 8] >> code % 8 & 1;
}

/* Whether each letter in use is in the font and as wide as the PDF says it is. */
static bool loan_fits(fz_context *ctx, struct loan *loan)
{
    for (int code = 0; code < 256; code++) {
        if (!code_used(loan, code))
            continue;
        int gid = loan->letter[code] ? fz_encode_character_by_glyph_name(ctx, loan->font, loan->letter[code]) : 0;
        if (gid <= 0 || gid >= CIDS_MAX)
            return false;
        double width = 1000.0 * (double)fz_advance_glyph(ctx, loan->font, gid, 0);
        if (fabs(width - pdf_lookup_hmtx(ctx, loan->used->desc, code).w) > WIDTH_SLACK)
            return false;
        loan->glyph_used[gid] = true;
    }
    return true;
}

static pdf_obj *program_new(fz_context *ctx, const struct loan *loan)
{
    pdf_obj *dict = NULL, *stream = NULL;
    fz_var(dict);
    fz_var(stream);
    fz_buffer *data = fz_new_buffer_from_copied_data(ctx, loan->data, (size_t)loan->bytes);
    fz_try(ctx)
    {
        program_thin(data->data, loan->glyph_used, CIDS_MAX);
        dict = pdf_new_dict(ctx, loan->pdf, 2);
        pdf_dict_put(ctx, dict, PDF_NAME(Subtype), PDF_NAME(Type1C));
        stream = pdf_add_stream(ctx, loan->pdf, data, dict, 0);
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, data);
        pdf_drop_obj(ctx, dict);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return stream;
}

static void widths_put(fz_context *ctx, const struct loan *loan, pdf_obj *dict)
{
    if (pdf_dict_get(ctx, dict, PDF_NAME(Widths)))
        return;
    pdf_obj *widths = pdf_dict_put_array(ctx, dict, PDF_NAME(Widths), 256);
    pdf_dict_put_int(ctx, dict, PDF_NAME(FirstChar), 0);
    pdf_dict_put_int(ctx, dict, PDF_NAME(LastChar), 255);
    for (int code = 0; code < 256; code++)
        pdf_array_push_int(ctx, widths, code_used(loan, code) ? pdf_lookup_hmtx(ctx, loan->used->desc, code).w : 0);
}

static void put_if_absent(fz_context *ctx, pdf_obj *dict, pdf_obj *key, int value)
{
    if (!pdf_dict_get(ctx, dict, key))
        pdf_dict_put_int(ctx, dict, key, value);
}

/* What the old one says stays: programs that take text out go by it. */
static void descriptor_put(fz_context *ctx, const struct loan *loan, pdf_obj *dict)
{
    fz_rect box = fz_font_bbox(ctx, loan->font);
    bool symbolic = !strcmp(loan->name, "Symbol") || !strcmp(loan->name, "ZapfDingbats");
    pdf_obj *descriptor =
        dict_own(ctx, loan->pdf, dict, PDF_NAME(FontDescriptor), pdf_dict_get(ctx, dict, PDF_NAME(FontDescriptor)));
    pdf_dict_put(ctx, descriptor, PDF_NAME(Type), PDF_NAME(FontDescriptor));
    pdf_dict_put_name(ctx, descriptor, PDF_NAME(FontName), loan->name);
    put_if_absent(ctx, descriptor, PDF_NAME(Flags), symbolic ? PDF_FD_SYMBOLIC : PDF_FD_NONSYMBOLIC);
    if (!pdf_dict_get(ctx, descriptor, PDF_NAME(FontBBox)))
        pdf_dict_put_rect(
            ctx, descriptor, PDF_NAME(FontBBox),
            fz_make_rect(floorf(1000 * box.x0), floorf(1000 * box.y0), ceilf(1000 * box.x1), ceilf(1000 * box.y1)));
    put_if_absent(ctx, descriptor, PDF_NAME(ItalicAngle), fz_font_is_italic(ctx, loan->font) ? -12 : 0);
    put_if_absent(ctx, descriptor, PDF_NAME(Ascent), (int)(1000 * box.y1));
    put_if_absent(ctx, descriptor, PDF_NAME(Descent), (int)(1000 * box.y0));
    put_if_absent(ctx, descriptor, PDF_NAME(CapHeight), 700);
    put_if_absent(ctx, descriptor, PDF_NAME(StemV), 80);
    pdf_dict_put_drop(ctx, descriptor, PDF_NAME(FontFile3), program_new(ctx, loan));
}

static void loan_give(fz_context *ctx, struct loan *loan)
{
    pdf_obj *dict = loan->used->dict;
    loan->font = fz_new_font_from_memory(ctx, loan->name, loan->data, loan->bytes, 0, 0);
    loan->glyph_used = fz_calloc(ctx, CIDS_MAX, sizeof *loan->glyph_used);
    loan_encode(ctx, loan);
    if (!loan_fits(ctx, loan))
        return;
    widths_put(ctx, loan, dict);
    descriptor_put(ctx, loan, dict);
    pdf_dict_put(ctx, dict, PDF_NAME(Subtype), PDF_NAME(Type1));
    pdf_dict_put_name(ctx, dict, PDF_NAME(BaseFont), loan->name);
}

void substitute_font(fz_context *ctx, pdf_document *pdf, const struct used_font *used)
{
    struct loan loan = {.pdf = pdf, .used = used};
    fz_var(loan);
    if (!is_simple(ctx, used->dict))
        return;
    loan.name = pdf_clean_font_name(pdf_dict_get_name(ctx, used->dict, PDF_NAME(BaseFont)));
    loan.data = fz_lookup_base14_font(ctx, loan.name, &loan.bytes);
    if (!loan.data)
        return;
    fz_try(ctx) loan_give(ctx, &loan);
    fz_always(ctx)
    {
        fz_drop_font(ctx, loan.font);
        fz_free(ctx, loan.glyph_used);
    }
    fz_catch(ctx) if (fz_caught(ctx) == FZ_ERROR_MEMORY) fz_rethrow(ctx);
}
