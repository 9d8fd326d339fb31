/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reads the contents of pages, forms, patterns, Type 3 glyphs and annotations as a viewer would, paints nothing, and notes
 * what PDF/A asks about: which letters of which fonts are to be seen, what colours, what is not understood. */
#include "worker/mupdf.h"

#include <string.h>

enum {
    DEPTH_MAX = 24, /* forms in forms */
    SAVES_MAX = 64,
    MODE_INVISIBLE = 3,
    FONTS_MAX = 4096,
};

struct text_state {
    int font; /* index, -1: none */
    int mode;
};

struct scanner {
    pdf_processor super;
    struct usage *usage;
    pdf_document *pdf;
    pdf_obj *resources; /* of the stream being read; borrowed */
    bool own_resources;
    fz_cookie *cookie;
    struct text_state state, saved[SAVES_MAX];
    unsigned saves, depth;
    unsigned char *seen; /* objects, by number */
    int objects;
};

static bool scanner_meets(fz_context *ctx, struct scanner *scanner, int num)
{
    if (num <= 0 || num >= scanner->objects)
        return num == 0 && scanner->depth < DEPTH_MAX;
    bool first = !scanner->seen[num];
    scanner->seen[num] = 1;
    (void)ctx;
    return first;
}

static void scan_stream(fz_context *ctx, struct scanner *scanner, pdf_obj *resources, pdf_obj *stream, fz_buffer *glyph)
{
    struct scanner before = *scanner;
    if (scanner->depth >= DEPTH_MAX) {
        scanner->usage->broken = true;
        return;
    }
    scanner->depth++;
    scanner->saves = 0;
    scanner->own_resources = resources != NULL;
    if (resources)
        scanner->resources = resources;
    fz_try(ctx)
    {
        if (glyph)
            pdf_process_glyph(ctx, &scanner->super, scanner->pdf, scanner->resources, glyph);
        else
            pdf_process_contents(ctx, &scanner->super, scanner->pdf, scanner->resources, stream, scanner->cookie);
    }
    fz_always(ctx)
    {
        memcpy(scanner->saved, before.saved, sizeof before.saved);
        scanner->saves = before.saves;
        scanner->state = before.state;
        scanner->resources = before.resources;
        scanner->own_resources = before.own_resources;
        scanner->depth = before.depth;
    }
    fz_catch(ctx)
    {
        if (fz_caught(ctx) == FZ_ERROR_MEMORY)
            fz_rethrow(ctx);
        scanner->usage->broken = true;
    }
}

static void note_named(struct scanner *scanner)
{
    scanner->usage->borrowed = scanner->usage->borrowed || !scanner->own_resources;
}

/* ---- graphics state ---- */

static void on_q(fz_context *ctx, pdf_processor *proc)
{
    struct scanner *scanner = (struct scanner *)proc;
    (void)ctx;
    if (scanner->saves == SAVES_MAX)
        scanner->usage->broken = true;
    else
        scanner->saved[scanner->saves++] = scanner->state;
    if (scanner->saves > scanner->usage->nesting)
        scanner->usage->nesting = scanner->saves;
}

static void on_restore(fz_context *ctx, pdf_processor *proc)
{
    struct scanner *scanner = (struct scanner *)proc;
    (void)ctx;
    if (scanner->saves)
        scanner->state = scanner->saved[--scanner->saves];
}

static void on_intent(fz_context *ctx, pdf_processor *proc, const char *intent)
{
    pdf_obj *name = pdf_new_name(ctx, intent);
    if (!intent_is_known(ctx, name))
        ((struct scanner *)proc)->usage->odd_intent = true;
    pdf_drop_obj(ctx, name);
}

static void on_mask(fz_context *ctx, pdf_processor *proc, pdf_obj *mask, pdf_obj *page_resources, float *backdrop,
                    int luminosity)
{
    struct scanner *scanner = (struct scanner *)proc;
    (void)page_resources, (void)backdrop, (void)luminosity;
    if (mask && scanner_meets(ctx, scanner, pdf_to_num(ctx, mask)))
        scan_stream(ctx, scanner, pdf_dict_get(ctx, mask, PDF_NAME(Resources)), mask, NULL);
}

static void on_cmyk(fz_context *ctx, pdf_processor *proc, float c, float m, float y, float k)
{
    (void)ctx, (void)c, (void)m, (void)y, (void)k;
    ((struct scanner *)proc)->usage->cmyk = true;
}

static void on_inline(fz_context *ctx, pdf_processor *proc, fz_image *image, const char *space)
{
    struct usage *usage = ((struct scanner *)proc)->usage;
    (void)ctx, (void)space;
    usage->cmyk = usage->cmyk || image->n == 4;
    usage->smooth = usage->smooth || image->interpolate;
}

static void on_compatibility(fz_context *ctx, pdf_processor *proc)
{
    (void)ctx;
    ((struct scanner *)proc)->usage->unknown = true; /* what is in the section is not told */
}

/* ---- what holds contents ---- */

static void on_form(fz_context *ctx, pdf_processor *proc, const char *name, pdf_obj *form, pdf_obj *page_resources)
{
    struct scanner *scanner = (struct scanner *)proc;
    (void)name, (void)page_resources;
    note_named(scanner);
    if (scanner_meets(ctx, scanner, pdf_to_num(ctx, form)))
        scan_stream(ctx, scanner, pdf_dict_get(ctx, form, PDF_NAME(Resources)), form, NULL);
}

static void on_pattern(fz_context *ctx, pdf_processor *proc, const char *name, pdf_pattern *pattern, int n,
                       float *color)
{
    struct scanner *scanner = (struct scanner *)proc;
    (void)name, (void)n, (void)color;
    note_named(scanner);
    if (scanner_meets(ctx, scanner, pdf_to_num(ctx, pattern->contents)))
        scan_stream(ctx, scanner, pattern->resources, pattern->contents, NULL);
}

/* ---- text ---- */

static int font_index(fz_context *ctx, struct usage *usage, pdf_obj *dict)
{
    for (int i = 0; i < usage->fonts; i++)
        if (!pdf_objcmp_resolve(ctx, usage->font[i].dict, dict))
            return i;
    if (usage->fonts == FONTS_MAX)
        return -1;
    usage->font = fz_realloc_array(ctx, usage->font, (size_t)usage->fonts + 1, struct used_font);
    struct used_font *font = &usage->font[usage->fonts];
    *font = (struct used_font){0};
    font->cids = fz_calloc(ctx, CIDS_MAX / 8, 1);
    font->dict = pdf_keep_obj(ctx, dict);
    return usage->fonts++;
}

static void scan_glyphs(fz_context *ctx, struct scanner *scanner, const fz_font *font)
{
    for (int i = 0; i < 256; i++)
        if (font->t3procs[i])
            scan_stream(ctx, scanner, font->t3resources, NULL, font->t3procs[i]);
}

static void on_font(fz_context *ctx, pdf_processor *proc, const char *name, pdf_font_desc *desc, float size)
{
    struct scanner *scanner = (struct scanner *)proc;
    pdf_obj *dict = pdf_dict_gets(ctx, pdf_dict_get(ctx, scanner->resources, PDF_NAME(Font)), name);
    (void)size;
    note_named(scanner);
    if (!dict) {
        scanner->usage->unknown = true; /* a font of a graphics state, or one that is not there */
        scanner->state.font = -1;
        return;
    }
    scanner->state.font = font_index(ctx, scanner->usage, dict);
    struct used_font *font = scanner->state.font < 0 ? NULL : &scanner->usage->font[scanner->state.font];
    if (!font)
        return;
    bool first = !font->desc;
    if (first)
        font->desc = pdf_keep_font(ctx, desc);
    if (first && desc->font->t3procs)
        scan_glyphs(ctx, scanner, desc->font);
}

static void on_mode(fz_context *ctx, pdf_processor *proc, int mode)
{
    (void)ctx;
    ((struct scanner *)proc)->state.mode = mode;
}

static void on_show(fz_context *ctx, pdf_processor *proc, char *text, size_t bytes)
{
    struct scanner *scanner = (struct scanner *)proc;
    (void)ctx;
    if (scanner->state.font < 0 || scanner->state.mode == MODE_INVISIBLE)
        return;
    struct used_font *font = &scanner->usage->font[scanner->state.font];
    unsigned char *at = (unsigned char *)text, *end = at + bytes;
    while (at < end) {
        unsigned code;
        int n = pdf_decode_cmap(font->desc->encoding, at, end, &code);
        int cid = pdf_lookup_cmap(font->desc->encoding, code);
        if (cid >= 0 && cid < CIDS_MAX)
            font->cids[cid / 8] |= (unsigned char)(1 << cid % 8);
        at += n > 0 ? n : 1;
    }
}

static void on_dquote(fz_context *ctx, pdf_processor *proc, float aw, float ac, char *text, size_t bytes)
{
    (void)aw, (void)ac;
    on_show(ctx, proc, text, bytes);
}

static void on_show_array(fz_context *ctx, pdf_processor *proc, pdf_obj *array)
{
    for (int i = 0; i < pdf_array_len(ctx, array); i++) {
        pdf_obj *item = pdf_array_get(ctx, array, i);
        if (pdf_is_string(ctx, item))
            on_show(ctx, proc, pdf_to_str_buf(ctx, item), pdf_to_str_len(ctx, item));
    }
}

/* ---- the document ---- */

static void scanner_listen(struct scanner *scanner)
{
    pdf_processor *proc = &scanner->super;
    proc->usage = "View";
    proc->op_q = on_q;
    proc->op_Q = on_restore;
    proc->op_ri = on_intent;
    proc->op_gs_SMask = on_mask;
    proc->op_K = proc->op_k = on_cmyk;
    proc->op_BI = on_inline;
    proc->op_BX = on_compatibility;
    proc->op_Do_form = on_form;
    proc->op_SC_pattern = proc->op_sc_pattern = on_pattern;
    proc->op_Tf = on_font;
    proc->op_Tr = on_mode;
    proc->op_Tj = proc->op_squote = on_show;
    proc->op_dquote = on_dquote;
    proc->op_TJ = on_show_array;
}

static void scan_look(fz_context *ctx, struct scanner *scanner, pdf_obj *look)
{
    if (pdf_is_stream(ctx, look) && scanner_meets(ctx, scanner, pdf_to_num(ctx, look)))
        scan_stream(ctx, scanner, pdf_dict_get(ctx, look, PDF_NAME(Resources)), look, NULL);
}

static void scan_page(fz_context *ctx, struct scanner *scanner, pdf_obj *page_obj)
{
    pdf_obj *annots = pdf_dict_get(ctx, page_obj, PDF_NAME(Annots));
    scanner->state = (struct text_state){.font = -1};
    scanner->resources = NULL;
    scan_stream(ctx, scanner, pdf_dict_get(ctx, page_obj, PDF_NAME(Resources)),
                pdf_dict_get(ctx, page_obj, PDF_NAME(Contents)), NULL);
    for (int i = 0; i < pdf_array_len(ctx, annots); i++) {
        pdf_obj *look = pdf_dict_getp(ctx, pdf_array_get(ctx, annots, i), "AP/N");
        scanner->state = (struct text_state){.font = -1};
        scan_look(ctx, scanner, look);
        for (int k = 0; !pdf_is_stream(ctx, look) && k < pdf_dict_len(ctx, look); k++)
            scan_look(ctx, scanner, pdf_dict_get_val(ctx, look, k));
    }
}

void usage_scan(fz_context *ctx, pdf_document *pdf, struct usage *usage)
{
    fz_cookie cookie = {0};
    int pages = pdf_count_pages(ctx, pdf);
    struct scanner *scanner = pdf_new_processor(ctx, sizeof *scanner);
    fz_try(ctx)
    {
        scanner->usage = usage;
        scanner->pdf = pdf;
        scanner->cookie = &cookie;
        scanner->objects = pdf_xref_len(ctx, pdf);
        scanner->seen = fz_calloc(ctx, (size_t)scanner->objects + 1, 1);
        scanner_listen(scanner);
        for (int i = 0; i < pages; i++)
            scan_page(ctx, scanner, pdf_lookup_page_obj(ctx, pdf, i));
        usage->broken = usage->broken || cookie.errors;
    }
    fz_always(ctx)
    {
        fz_free(ctx, scanner->seen);
        pdf_close_processor(ctx, &scanner->super);
        pdf_drop_processor(ctx, &scanner->super);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}

void usage_drop(fz_context *ctx, struct usage *usage)
{
    for (int i = 0; i < usage->fonts; i++) {
        pdf_drop_obj(ctx, usage->font[i].dict);
        pdf_drop_font(ctx, usage->font[i].desc);
        fz_free(ctx, usage->font[i].cids);
    }
    fz_free(ctx, usage->font);
    *usage = (struct usage){0};
}
