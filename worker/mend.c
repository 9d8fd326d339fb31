/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Takes out of a PDF, or puts right, what PDF/A does not allow and nobody sees (ISO 19005-2; the clauses stand beside the
 * rules). What people would see a difference of stays, and conform.c says so. Streams keep their bytes, but for LZW. */
#include "worker/mupdf.h"

#include <string.h>

/* ---- keys that go ---- */

/* Keys that say nothing about looks. Resources are named freely: only dictionaries that tell what they are count. */
static const char *const forbidden_key[] = {
    "AA",         /* 6.5.2 */
    "OPI",        /* 6.2.9.2 */
    "Alternates", /* 6.2.8.1 */
    "PresSteps",  /* 6.10 */
    "Metadata",   /* 6.6.2.1: what the catalog's says is written anew; others may be in no known schema */
    "NeedsRendering",
};

/* In the catalog. */
static const char *const forbidden_entry[] = {"OpenAction", "Requirements", "Collection", "AF", "Extensions"};
static const char *const forbidden_names[] = {"JavaScript", "EmbeddedFiles", "AlternatePresentations", "Renditions"};

static bool tells_what_it_is(fz_context *ctx, pdf_obj *dict)
{
    return pdf_dict_get(ctx, dict, PDF_NAME(Type)) || pdf_dict_get(ctx, dict, PDF_NAME(Subtype)) ||
           pdf_dict_get(ctx, dict, PDF_NAME(FT)) || pdf_dict_get(ctx, dict, PDF_NAME(Parent)) ||
           pdf_is_stream(ctx, dict);
}

/* ---- actions (6.5.1) ---- */

static bool is_one_of(const char *name, const char *const *list)
{
    while (*list && strcmp(name, *list))
        list++;
    return *list;
}

bool action_is_allowed(fz_context *ctx, pdf_obj *action, bool first_part)
{
    static const char *const allowed[] = {"GoTo", "GoToR", "Thread", "URI", "Named", "SubmitForm", NULL};
    static const char *const named[] = {"NextPage", "PrevPage", "FirstPage", "LastPage", NULL};
    const char *kind = pdf_dict_get_name(ctx, action, PDF_NAME(S));
    if (!strcmp(kind, "Named"))
        return is_one_of(pdf_dict_get_name(ctx, action, PDF_NAME(N)), named);
    return is_one_of(kind, allowed) || (!first_part && !strcmp(kind, "GoToE"));
}

/* Resources may bear an action's key as a name: what does not tell its kind of action is none. */
static void action_mend(fz_context *ctx, pdf_obj *dict, const char *key)
{
    pdf_obj *action = pdf_dict_gets(ctx, dict, key);
    if (pdf_is_stream(ctx, action) || !pdf_is_name(ctx, pdf_dict_get(ctx, action, PDF_NAME(S))))
        return;
    if (!action_is_allowed(ctx, action, false))
        pdf_dict_dels(ctx, dict, key);
    else if (pdf_is_array(ctx, pdf_dict_get(ctx, action, PDF_NAME(Next))))
        pdf_dict_del(ctx, action, PDF_NAME(Next)); /* a list of them; single ones are met on their own */
}

/* ---- streams ---- */

static bool filter_is(fz_context *ctx, pdf_obj *filter, const char *name)
{
    return !strcmp(pdf_to_name(ctx, filter), name);
}

/* Every filter of the stream gives bytes, not pixels, and one of them is LZW. */
static bool stream_is_lzw(fz_context *ctx, pdf_obj *stream)
{
    static const char *const plain[] = {"ASCIIHexDecode", "ASCII85Decode",   "LZWDecode",
                                        "FlateDecode",    "RunLengthDecode", NULL};
    pdf_obj *filter = pdf_dict_get(ctx, stream, PDF_NAME(Filter));
    bool lzw = filter_is(ctx, filter, "LZWDecode");
    for (int i = 0; i < pdf_array_len(ctx, filter); i++) {
        if (!is_one_of(pdf_to_name(ctx, pdf_array_get(ctx, filter, i)), plain))
            return false;
        lzw = lzw || filter_is(ctx, pdf_array_get(ctx, filter, i), "LZWDecode");
    }
    return lzw;
}

static void stream_recode(fz_context *ctx, pdf_document *pdf, pdf_obj *stream)
{
    unsigned char *deflated = NULL;
    size_t bytes = 0;
    fz_var(deflated);
    fz_buffer *data = pdf_load_stream(ctx, stream), *out = NULL;
    fz_var(out);
    fz_try(ctx)
    {
        deflated = fz_new_deflated_data(ctx, &bytes, data->data, data->len, FZ_DEFLATE_DEFAULT);
        out = fz_new_buffer_from_data(ctx, deflated, bytes);
        pdf_dict_del(ctx, stream, PDF_NAME(DecodeParms));
        pdf_dict_put(ctx, stream, PDF_NAME(Filter), PDF_NAME(FlateDecode));
        pdf_update_stream(ctx, pdf, stream, out, 1);
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, data);
        fz_drop_buffer(ctx, out);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}

static void stream_mend(fz_context *ctx, pdf_document *pdf, pdf_obj *stream)
{
    static const char *const external[] = {"F", "FFilter", "FDecodeParms"}; /* 6.1.7.1 */
    for (size_t i = 0; i < sizeof external / sizeof *external; i++)
        pdf_dict_dels(ctx, stream, external[i]);
    if (stream_is_lzw(ctx, stream))
        stream_recode(ctx, pdf, stream);
    if (pdf_dict_get_bool(ctx, stream, PDF_NAME(Interpolate)))
        pdf_dict_del(ctx, stream, PDF_NAME(Interpolate)); /* 6.2.8.1 */
    if (!intent_is_known(ctx, pdf_dict_get(ctx, stream, PDF_NAME(Intent))))
        pdf_dict_del(ctx, stream, PDF_NAME(Intent));
}

/* ---- graphics state ---- */

bool intent_is_known(fz_context *ctx, pdf_obj *name)
{
    static const char *const known[] = {"RelativeColorimetric", "AbsoluteColorimetric", "Perceptual", "Saturation",
                                        NULL};
    return !name || is_one_of(pdf_to_name(ctx, name), known);
}

/* Transfer functions, halftones and intents are for presses: MuPDF and viewers do without (6.2.5, 6.2.6). */
static void state_mend(fz_context *ctx, pdf_obj *state)
{
    static const char *const pressing[] = {"TR", "TR2", "HT", "HTP", "BG2", "UCR2"};
    for (size_t i = 0; i < sizeof pressing / sizeof *pressing; i++)
        dict_forget(ctx, state, pressing[i]);
    if (!intent_is_known(ctx, pdf_dict_gets(ctx, state, "RI")))
        dict_forget(ctx, state, "RI");
}

static void states_mend(fz_context *ctx, pdf_obj *states)
{
    for (int i = 0; i < pdf_dict_len(ctx, states); i++)
        state_mend(ctx, pdf_dict_get_val(ctx, states, i));
}

/* A CID font's glyphs are numbered as its codes unless it says otherwise: it has to say so (6.2.11.3.2). */
static void font_mend(fz_context *ctx, pdf_obj *font)
{
    if (pdf_name_eq(ctx, pdf_dict_get(ctx, font, PDF_NAME(Subtype)), PDF_NAME(CIDFontType2)) &&
        pdf_dict_getp(ctx, font, "FontDescriptor/FontFile2") && !pdf_dict_get(ctx, font, PDF_NAME(CIDToGIDMap)))
        pdf_dict_put(ctx, font, PDF_NAME(CIDToGIDMap), PDF_NAME(Identity));
}

/* ---- every object ---- */

static void dict_mend(fz_context *ctx, pdf_document *pdf, pdf_obj *dict)
{
    if (pdf_is_stream(ctx, dict))
        stream_mend(ctx, pdf, dict);
    action_mend(ctx, dict, "A");
    action_mend(ctx, dict, "PA");
    action_mend(ctx, dict, "Next");
    states_mend(ctx, pdf_dict_get(ctx, dict, PDF_NAME(ExtGState)));
    font_mend(ctx, dict);
    if (pdf_dict_get(ctx, dict, PDF_NAME(EF)) &&
        (pdf_dict_get(ctx, dict, PDF_NAME(F)) || pdf_dict_gets(ctx, dict, "UF")))
        pdf_dict_del(ctx, dict, PDF_NAME(EF)); /* 6.8: only PDF/A may be inside; the source has the rest */
    for (size_t i = 0; i < sizeof forbidden_key / sizeof *forbidden_key && tells_what_it_is(ctx, dict); i++)
        pdf_dict_dels(ctx, dict, forbidden_key[i]);
}

static void object_mend(fz_context *ctx, void *user, pdf_obj *object)
{
    if (!pdf_is_dict(ctx, object))
        return;
    fz_try(ctx) dict_mend(ctx, user, object);
    fz_catch(ctx) if (fz_caught(ctx) == FZ_ERROR_MEMORY) fz_rethrow(ctx);
}

/* ---- annotations (6.3) ---- */

static bool annotation_is_hidden(fz_context *ctx, pdf_obj *annot)
{
    int flags = pdf_dict_get_int(ctx, annot, PDF_NAME(F));
    return flags & (PDF_ANNOT_IS_HIDDEN | PDF_ANNOT_IS_NO_VIEW);
}

/* What a kind that is not allowed looks like stays as a stamp. */
static bool annotation_mend_kind(fz_context *ctx, pdf_obj *annot)
{
    static const char *const forbidden[] = {"3D", "Sound", "Screen", "Movie", "RichMedia", "FileAttachment", NULL};
    static const char *const own[] = {
        "FS", "Sound", "Movie", "A", "MK", "3DD", "3DV", "3DA", "RichMediaContent", "RichMediaSettings"};
    if (!is_one_of(pdf_dict_get_name(ctx, annot, PDF_NAME(Subtype)), forbidden))
        return true;
    if (!pdf_is_stream(ctx, pdf_dict_getp(ctx, annot, "AP/N")))
        return false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        pdf_dict_dels(ctx, annot, own[i]);
    pdf_dict_put(ctx, annot, PDF_NAME(Subtype), PDF_NAME(Stamp));
    return true;
}

/* Only the normal look, and where it is one of several, for all but buttons, the one that is shown. */
static void annotation_mend_look(fz_context *ctx, pdf_obj *annot)
{
    pdf_obj *looks = pdf_dict_get(ctx, annot, PDF_NAME(AP)), *normal = pdf_dict_get(ctx, looks, PDF_NAME(N));
    dict_forget(ctx, looks, "D");
    dict_forget(ctx, looks, "R");
    bool button = pdf_name_eq(ctx, pdf_dict_get_inheritable(ctx, annot, PDF_NAME(FT)), PDF_NAME(Btn));
    pdf_obj *shown = pdf_dict_get(ctx, normal, pdf_dict_get(ctx, annot, PDF_NAME(AS)));
    if (!button && pdf_is_dict(ctx, normal) && !pdf_is_stream(ctx, normal) && pdf_is_stream(ctx, shown))
        pdf_dict_put(ctx, looks, PDF_NAME(N), shown);
}

/* false: it goes. */
static bool annotation_mend(fz_context *ctx, pdf_obj *annot)
{
    if (!pdf_is_dict(ctx, annot) || annotation_is_hidden(ctx, annot) || !annotation_mend_kind(ctx, annot))
        return false;
    annotation_mend_look(ctx, annot);
    int flags = pdf_dict_get_int(ctx, annot, PDF_NAME(F));
    flags &= ~(PDF_ANNOT_IS_INVISIBLE | PDF_ANNOT_IS_TOGGLE_NO_VIEW);
    pdf_dict_put_int(ctx, annot, PDF_NAME(F), flags | PDF_ANNOT_IS_PRINT);
    return true;
}

/* What viewers put up with, said aloud; resources are the page's own, not those of a node above it (6.2.2). */
static void page_complete(fz_context *ctx, pdf_document *pdf, pdf_obj *page_obj)
{
    static const fz_rect usual = {0, 0, 612, 792}; /* MuPDF's own */
    if (!pdf_dict_get(ctx, page_obj, PDF_NAME(Resources)))
        dict_own(ctx, pdf, page_obj, PDF_NAME(Resources), pdf_dict_get_inheritable(ctx, page_obj, PDF_NAME(Resources)));
    if (!pdf_is_array(ctx, pdf_dict_get_inheritable(ctx, page_obj, PDF_NAME(MediaBox))))
        pdf_dict_put_rect(ctx, page_obj, PDF_NAME(MediaBox), usual);
    pdf_obj *contents = pdf_dict_get(ctx, page_obj, PDF_NAME(Contents));
    for (int i = pdf_array_len(ctx, contents) - 1; i >= 0; i--)
        if (!pdf_is_stream(ctx, pdf_array_get(ctx, contents, i)))
            pdf_array_delete(ctx, contents, i);
    if (contents && !pdf_is_stream(ctx, contents) && !pdf_array_len(ctx, contents))
        pdf_dict_del(ctx, page_obj, PDF_NAME(Contents));
}

static void page_mend(fz_context *ctx, pdf_document *pdf, pdf_obj *page_obj)
{
    page_complete(ctx, pdf, page_obj);
    pdf_obj *annots = pdf_dict_get(ctx, page_obj, PDF_NAME(Annots));
    for (int i = pdf_array_len(ctx, annots) - 1; i >= 0; i--)
        if (!annotation_mend(ctx, pdf_array_get(ctx, annots, i)))
            pdf_array_delete(ctx, annots, i);
}

/* ---- the catalog ---- */

/* 6.9: a configuration has a name, and an order only if it names every group; that is for a viewer's panel alone. */
static void layers_mend(fz_context *ctx, pdf_obj *config, int number)
{
    char name[32];
    dict_forget(ctx, config, "AS");
    dict_forget(ctx, config, "Order");
    if (!pdf_is_dict(ctx, config))
        return;
    fz_snprintf(name, sizeof name, "%d", number);
    pdf_dict_put_text_string(ctx, config, PDF_NAME(Name), name);
}

static void catalog_mend(fz_context *ctx, pdf_obj *root)
{
    pdf_obj *names = pdf_dict_get(ctx, root, PDF_NAME(Names)), *form = pdf_dict_get(ctx, root, PDF_NAME(AcroForm));
    for (size_t i = 0; i < sizeof forbidden_entry / sizeof *forbidden_entry; i++)
        dict_forget(ctx, root, forbidden_entry[i]);
    for (size_t i = 0; i < sizeof forbidden_names / sizeof *forbidden_names; i++)
        dict_forget(ctx, names, forbidden_names[i]);
    dict_forget(ctx, form, "XFA");             /* 6.4.2 */
    dict_forget(ctx, form, "NeedAppearances"); /* 6.4.1 */
    pdf_obj *layers = pdf_dict_get(ctx, root, PDF_NAME(OCProperties));
    pdf_obj *configs = pdf_dict_gets(ctx, layers, "Configs");
    layers_mend(ctx, pdf_dict_get(ctx, layers, PDF_NAME(D)), 0);
    for (int i = 0; i < pdf_array_len(ctx, configs); i++)
        layers_mend(ctx, pdf_array_get(ctx, configs, i), i + 1);
}

/* Lists of glyphs need not be there, and if so must be whole (6.2.11.4.2). */
static void glyph_lists_drop(fz_context *ctx, void *user, pdf_obj *object)
{
    (void)user;
    if (!pdf_name_eq(ctx, pdf_dict_get(ctx, object, PDF_NAME(Type)), PDF_NAME(FontDescriptor)))
        return;
    pdf_dict_dels(ctx, object, "CIDSet");
    pdf_dict_dels(ctx, object, "CharSet");
}

void mend_document(fz_context *ctx, pdf_document *pdf)
{
    int pages = pdf_count_pages(ctx, pdf);
    catalog_mend(ctx, pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root)));
    for (int i = 0; i < pages; i++)
        page_mend(ctx, pdf, pdf_lookup_page_obj(ctx, pdf, i));
    objects_visit(ctx, pdf, object_mend, pdf);
}

void mend_for_2b(fz_context *ctx, pdf_document *pdf)
{
    objects_visit(ctx, pdf, glyph_lists_drop, NULL);
}
