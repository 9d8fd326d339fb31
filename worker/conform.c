/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Whether a PDF, as it is in memory, may call itself PDF/A: the first rule it breaks, by its clause in ISO 19005-2, or in
 * ISO 19005-1 where that is asked. What mend.c takes out by the same rules is looked at again. */
#include "worker/mupdf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_MAX_BYTES = 127,
    STRING_MAX_BYTES = 32767,
    NESTING_MAX = 28,  /* q */
    DICT_MAX_1 = 4095, /* entries; ISO 19005-1, 6.1.12 */
    ARRAY_MAX_1 = 8191,
    REAL_MAX_1 = 32767,
    INKS_MAX = 32,
    INKS_MAX_1 = 8, /* of a DeviceN */
    SIDE_MIN_PT = 3,
    SIDE_MAX_PT = 14400,
    WIDTH_SLACK = 1, /* of 1000 */
};

struct conform {
    pdf_document *pdf;
    const unsigned *warnings;
    bool first_part; /* ISO 19005-1 */
    char *why;       /* PDFA_WHY_BYTES; empty as long as nothing is found */
};

static void found(struct conform *conform, fz_context *ctx, pdf_obj *object, const char *clause, const char *format,
                  ...)
{
    char text[PDFA_WHY_BYTES / 2], place[32] = "";
    if (*conform->why)
        return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
    int num = object ? pdf_obj_parent_num(ctx, object) : 0;
    if (object && pdf_is_indirect(ctx, object))
        num = pdf_to_num(ctx, object);
    if (num > 0)
        snprintf(place, sizeof place, ", object %d", num);
    snprintf(conform->why, PDFA_WHY_BYTES, "%s %s%s: %s", conform->first_part ? "19005-1" : "19005-2", clause, place,
             text);
}

static const char *name_of(fz_context *ctx, pdf_obj *dict, const char *key)
{
    return pdf_to_name(ctx, pdf_dict_gets(ctx, dict, key));
}

static bool is_clear(fz_context *ctx, pdf_obj *dict, pdf_obj *key)
{
    pdf_obj *opacity = pdf_dict_get(ctx, dict, key);
    return pdf_is_number(ctx, opacity) && pdf_to_real(ctx, opacity) < 1;
}

/* ---- streams ---- */

static void check_filter(struct conform *conform, fz_context *ctx, pdf_obj *stream, const char *filter)
{
    static const char *const known[] = {"ASCIIHexDecode", "ASCII85Decode", "FlateDecode", "RunLengthDecode",
                                        "CCITTFaxDecode", "JBIG2Decode",   "DCTDecode",   "JPXDecode"};
    size_t i = 0;
    while (i < sizeof known / sizeof *known && strcmp(filter, known[i]))
        i++;
    if (i == sizeof known / sizeof *known)
        found(conform, ctx, stream, conform->first_part ? "6.1.10" : "6.1.7.2", "filter %.40s", filter);
    else if (!strcmp(filter, "JPXDecode") && conform->first_part)
        found(conform, ctx, stream, "6.1.10", "JPEG 2000");
    else if (!strcmp(filter, "JPXDecode"))
        jpx_check(ctx, stream, conform->why);
}

static void check_icc(struct conform *conform, fz_context *ctx, pdf_obj *array)
{
    pdf_obj *stream = pdf_array_get(ctx, array, 1);
    static const char *const space[] = {[1] = "GRAY", [3] = "RGB ", [4] = "CMYK"};
    int n = pdf_dict_get_int(ctx, stream, PDF_NAME(N));
    unsigned char head[40] = {0};
    fz_stream *in = pdf_open_stream(ctx, stream);
    fz_try(ctx) fz_read(ctx, in, head, sizeof head);
    fz_always(ctx) fz_drop_stream(ctx, in);
    fz_catch(ctx) fz_rethrow(ctx);
    bool known = n == 1 || n == 3 || n == 4;
    bool lab = n == 3 && !memcmp(head + 16, "Lab ", 4);
    if (!known || memcmp(head + 36, "acsp", 4) || (memcmp(head + 16, space[n], 4) && !lab))
        found(conform, ctx, stream, conform->first_part ? "6.2.3.2" : "6.2.4.2", "an ICC profile that is none");
    else if (head[8] > (conform->first_part ? 2 : 4))
        found(conform, ctx, stream, conform->first_part ? "6.2.3.2" : "6.2.4.2", "an ICC profile of version %d",
              head[8]);
}

static void check_image(struct conform *conform, fz_context *ctx, pdf_obj *image)
{
    if (pdf_dict_get_bool(ctx, image, PDF_NAME(Interpolate)))
        found(conform, ctx, image, "6.2.8.1", "an image is to be interpolated");
    pdf_obj *mask = pdf_dict_get(ctx, image, PDF_NAME(SMask));
    bool soft = pdf_is_stream(ctx, mask) || pdf_dict_get_int(ctx, image, PDF_NAME(SMaskInData));
    if (conform->first_part && soft)
        found(conform, ctx, image, "6.4", "an image with a soft mask");
}

/* Pictures' own codings are not tried: that would be as much work as showing them. */
static bool filter_is_plain(fz_context *ctx, pdf_obj *filter)
{
    static const char *const plain[] = {"FlateDecode", "ASCII85Decode", "ASCIIHexDecode", "RunLengthDecode"};
    size_t i = 0;
    while (i < sizeof plain / sizeof *plain && strcmp(pdf_to_name(ctx, filter), plain[i]))
        i++;
    return i < sizeof plain / sizeof *plain;
}

static bool stream_is_plain(fz_context *ctx, pdf_obj *stream)
{
    pdf_obj *filter = pdf_dict_get(ctx, stream, PDF_NAME(Filter));
    bool plain = !filter || pdf_is_array(ctx, filter) || filter_is_plain(ctx, filter);
    for (int i = 0; i < pdf_array_len(ctx, filter); i++)
        plain = plain && filter_is_plain(ctx, pdf_array_get(ctx, filter, i));
    return plain;
}

static void check_data(struct conform *conform, fz_context *ctx, pdf_obj *stream)
{
    enum { STEP_BYTES = 1 << 20 };
    unsigned before = *conform->warnings;
    bool broken = false;
    if (!stream_is_plain(ctx, stream))
        return;
    fz_var(broken);
    fz_stream *data = pdf_open_stream(ctx, stream);
    fz_try(ctx) while (fz_skip(ctx, data, STEP_BYTES) == STEP_BYTES);
    fz_always(ctx) fz_drop_stream(ctx, data);
    fz_catch(ctx)
    {
        if (fz_caught(ctx) == FZ_ERROR_MEMORY)
            fz_rethrow(ctx);
        broken = true;
    }
    if (broken || *conform->warnings != before)
        found(conform, ctx, stream, conform->first_part ? "6.1.7" : "6.1.7.1", "a stream that can't be decoded");
}

static void check_stream(struct conform *conform, fz_context *ctx, pdf_obj *stream)
{
    pdf_obj *filter = pdf_dict_get(ctx, stream, PDF_NAME(Filter));
    const char *kind = name_of(ctx, stream, "Subtype");
    if (pdf_dict_get(ctx, stream, PDF_NAME(F)))
        found(conform, ctx, stream, "6.1.7.1", "a stream that lies in another file");
    if (pdf_is_name(ctx, filter))
        check_filter(conform, ctx, stream, pdf_to_name(ctx, filter));
    for (int i = 0; i < pdf_array_len(ctx, filter); i++)
        check_filter(conform, ctx, stream, pdf_to_name(ctx, pdf_array_get(ctx, filter, i)));
    check_data(conform, ctx, stream);
    if (!strcmp(kind, "Image"))
        check_image(conform, ctx, stream);
    if (!strcmp(kind, "PS") || !strcmp(name_of(ctx, stream, "Subtype2"), "PS") || pdf_dict_gets(ctx, stream, "PS"))
        found(conform, ctx, stream, "6.2.9.3", "PostScript");
    if (!strcmp(kind, "Form") && pdf_dict_gets(ctx, stream, "Ref"))
        found(conform, ctx, stream, "6.2.9.1", "a form of another file");
}

/* ---- dictionaries ---- */

static void check_state(struct conform *conform, fz_context *ctx, pdf_obj *state)
{
    static const char *const modes[] = {
        "Normal",    "Compatible", "Multiply",   "Screen",    "Overlay",    "Darken",
        "Lighten",   "ColorDodge", "ColorBurn",  "HardLight", "SoftLight",  "Difference",
        "Exclusion", "Hue",        "Saturation", "Color",     "Luminosity", ""};
    pdf_obj *mode = pdf_dict_get(ctx, state, PDF_NAME(BM)), *mask = pdf_dict_get(ctx, state, PDF_NAME(SMask));
    const char *name = pdf_to_name(ctx, pdf_is_array(ctx, mode) ? pdf_array_get(ctx, mode, 0) : mode);
    size_t i = 0;
    while (i < sizeof modes / sizeof *modes && strcmp(name, modes[i]))
        i++;
    if (i == sizeof modes / sizeof *modes)
        found(conform, ctx, state, "6.2.10", "blend mode %.40s", name);
    if (!conform->first_part)
        return;
    bool clear = is_clear(ctx, state, PDF_NAME(ca)) || is_clear(ctx, state, PDF_NAME(CA));
    if (clear || (i > 1 && *name) || (mask && !pdf_name_eq(ctx, mask, PDF_NAME(None))))
        found(conform, ctx, state, "6.4", "transparency");
}

static void check_states(struct conform *conform, fz_context *ctx, pdf_obj *states)
{
    for (int i = 0; i < pdf_dict_len(ctx, states); i++)
        check_state(conform, ctx, pdf_dict_get_val(ctx, states, i));
}

static void check_action(struct conform *conform, fz_context *ctx, pdf_obj *dict, const char *key)
{
    pdf_obj *action = pdf_dict_gets(ctx, dict, key);
    if (pdf_is_dict(ctx, action) && pdf_dict_get(ctx, action, PDF_NAME(S)) &&
        !action_is_allowed(ctx, action, conform->first_part))
        found(conform, ctx, dict, conform->first_part ? "6.6.1" : "6.5.1", "action %.40s", name_of(ctx, action, "S"));
}

static void check_dict(struct conform *conform, fz_context *ctx, pdf_obj *dict)
{
    if (pdf_is_stream(ctx, dict))
        check_stream(conform, ctx, dict);
    check_states(conform, ctx, pdf_dict_get(ctx, dict, PDF_NAME(ExtGState)));
    check_action(conform, ctx, dict, "A");
    check_action(conform, ctx, dict, "Next");
    pdf_obj *group = pdf_dict_get(ctx, dict, PDF_NAME(Group));
    if (conform->first_part && pdf_name_eq(ctx, pdf_dict_get(ctx, group, PDF_NAME(S)), PDF_NAME(Transparency)))
        found(conform, ctx, dict, "6.4", "a transparency group");
    if (conform->first_part && pdf_dict_len(ctx, dict) > DICT_MAX_1)
        found(conform, ctx, dict, "6.1.12", "a dictionary of %d entries", pdf_dict_len(ctx, dict));
    for (int i = 0; i < pdf_dict_len(ctx, dict); i++)
        if (strlen(pdf_to_name(ctx, pdf_dict_get_key(ctx, dict, i))) > NAME_MAX_BYTES)
            found(conform, ctx, dict, conform->first_part ? "6.1.12" : "6.1.13", "a key of more than %d bytes",
                  NAME_MAX_BYTES);
}

static void check_array(struct conform *conform, fz_context *ctx, pdf_obj *array)
{
    pdf_obj *head = pdf_array_get(ctx, array, 0);
    int inks = conform->first_part ? INKS_MAX_1 : INKS_MAX;
    if (conform->first_part && pdf_array_len(ctx, array) > ARRAY_MAX_1)
        found(conform, ctx, array, "6.1.12", "an array of %d entries", pdf_array_len(ctx, array));
    if (pdf_name_eq(ctx, head, PDF_NAME(ICCBased)) && pdf_is_stream(ctx, pdf_array_get(ctx, array, 1)))
        check_icc(conform, ctx, array);
    if (pdf_name_eq(ctx, head, PDF_NAME(DeviceN)) && pdf_array_len(ctx, pdf_array_get(ctx, array, 1)) > inks)
        found(conform, ctx, array, conform->first_part ? "6.1.12" : "6.1.13", "a DeviceN of more than %d inks", inks);
}

static void check_object(fz_context *ctx, void *user, pdf_obj *object)
{
    struct conform *conform = user;
    const char *limits = conform->first_part ? "6.1.12" : "6.1.13";
    if (*conform->why)
        return;
    if (pdf_is_dict(ctx, object))
        check_dict(conform, ctx, object);
    else if (pdf_is_array(ctx, object))
        check_array(conform, ctx, object);
    else if (conform->first_part && pdf_is_real(ctx, object) && fabsf(pdf_to_real(ctx, object)) > REAL_MAX_1)
        found(conform, ctx, object, limits, "a number beyond %d", REAL_MAX_1);
    else if (pdf_is_name(ctx, object) && strlen(pdf_to_name(ctx, object)) > NAME_MAX_BYTES)
        found(conform, ctx, object, limits, "a name of more than %d bytes", NAME_MAX_BYTES);
    else if (pdf_is_string(ctx, object) && pdf_to_str_len(ctx, object) > STRING_MAX_BYTES)
        found(conform, ctx, object, limits, "a string of more than %d bytes", STRING_MAX_BYTES);
}

/* ---- pages and annotations ---- */

static void check_annotation(struct conform *conform, fz_context *ctx, pdf_obj *annot)
{
    static const char *const known[] = {"Text",    "Link",      "FreeText",  "Line",      "Square",   "Circle",
                                        "Polygon", "PolyLine",  "Highlight", "Underline", "Squiggly", "StrikeOut",
                                        "Stamp",   "Caret",     "Ink",       "Popup",     "Widget",   "PrinterMark",
                                        "TrapNet", "Watermark", "Redact"};
    enum { KNOWN_1 = 19 }; /* without those that came after PDF 1.4 */
    const char *kind = name_of(ctx, annot, "Subtype"), *clause = conform->first_part ? "6.5.3" : "6.3.3";
    bool later = !strcmp(kind, "Polygon") || !strcmp(kind, "PolyLine") || !strcmp(kind, "Caret");
    size_t i = 0, count = conform->first_part ? KNOWN_1 : sizeof known / sizeof *known;
    while (i < count && strcmp(kind, known[i]))
        i++;
    if (i == count || (conform->first_part && later))
        found(conform, ctx, annot, conform->first_part ? "6.5.2" : "6.3.1", "annotation %.40s", kind);
    if (conform->first_part && is_clear(ctx, annot, PDF_NAME(CA)))
        found(conform, ctx, annot, clause, "a transparent annotation");
    if (!strcmp(kind, "Popup") || !strcmp(kind, "Link"))
        return;
    fz_rect rect = pdf_dict_get_rect(ctx, annot, PDF_NAME(Rect));
    pdf_obj *look = pdf_dict_getp(ctx, annot, "AP/N");
    bool button = pdf_name_eq(ctx, pdf_dict_get_inheritable(ctx, annot, PDF_NAME(FT)), PDF_NAME(Btn));
    bool nothing = rect.x0 == rect.x1 && rect.y0 == rect.y1;
    if (!nothing && !pdf_is_dict(ctx, look))
        found(conform, ctx, annot, clause, "annotation %.40s has no appearance", kind);
    else if (look && !pdf_is_stream(ctx, look) && !button)
        found(conform, ctx, annot, clause, "annotation %.40s has several appearances", kind);
    else if (look && button && pdf_is_stream(ctx, look) &&
             pdf_name_eq(ctx, pdf_dict_get(ctx, annot, PDF_NAME(Subtype)), PDF_NAME(Widget)))
        found(conform, ctx, annot, clause, "a button has one appearance for all states");
}

static void check_page(struct conform *conform, fz_context *ctx, pdf_obj *page_obj)
{
    pdf_obj *annots = pdf_dict_get(ctx, page_obj, PDF_NAME(Annots));
    static pdf_obj *const box[] = {PDF_NAME(MediaBox), PDF_NAME(CropBox)};
    for (int i = 0; i < 2; i++) {
        pdf_obj *array = pdf_dict_get_inheritable(ctx, page_obj, box[i]);
        if (!array)
            continue;
        fz_rect rect = pdf_to_rect(ctx, array);
        float w = rect.x1 - rect.x0, h = rect.y1 - rect.y0;
        if (!conform->first_part && !(w >= SIDE_MIN_PT && w <= SIDE_MAX_PT && h >= SIDE_MIN_PT && h <= SIDE_MAX_PT))
            found(conform, ctx, page_obj, "6.1.13", "a page of %g x %g points", (double)w, (double)h);
    }
    for (int i = 0; i < pdf_array_len(ctx, annots); i++)
        check_annotation(conform, ctx, pdf_array_get(ctx, annots, i));
}

/* ---- fonts in use ---- */

static const char *font_name(fz_context *ctx, const struct used_font *font)
{
    return name_of(ctx, font->dict, "BaseFont");
}

static pdf_obj *font_descriptor(fz_context *ctx, const struct used_font *font)
{
    pdf_obj *descendant = pdf_array_get(ctx, pdf_dict_get(ctx, font->dict, PDF_NAME(DescendantFonts)), 0);
    return pdf_dict_get(ctx, descendant ? descendant : font->dict, PDF_NAME(FontDescriptor));
}

static bool descriptor_has_program(fz_context *ctx, pdf_obj *descriptor)
{
    return pdf_is_stream(ctx, pdf_dict_get(ctx, descriptor, PDF_NAME(FontFile))) ||
           pdf_is_stream(ctx, pdf_dict_get(ctx, descriptor, PDF_NAME(FontFile2))) ||
           pdf_is_stream(ctx, pdf_dict_get(ctx, descriptor, PDF_NAME(FontFile3)));
}

bool font_is_embedded(fz_context *ctx, const struct used_font *font)
{
    return font->desc->font->t3procs || descriptor_has_program(ctx, font_descriptor(ctx, font));
}

static void check_glyph(struct conform *conform, fz_context *ctx, const struct used_font *font, pdf_font_desc *desc,
                        int cid)
{
    int gid = pdf_font_cid_to_gid(ctx, desc, cid);
    if (gid <= 0) {
        found(conform, ctx, font->dict, conform->first_part ? "6.3.5" : "6.2.11.8", "font %.40s lacks letter %d in use",
              font_name(ctx, font), cid);
        return;
    }
    double width = 1000.0 * (double)fz_advance_glyph(ctx, desc->font, gid, 0);
    int said = pdf_lookup_hmtx(ctx, desc, cid).w;
    if (fabs(width - said) > WIDTH_SLACK + 0.5) /* MuPDF has whole numbers */
        found(conform, ctx, font->dict, conform->first_part ? "6.3.6" : "6.2.11.5",
              "font %.40s: letter %d is %d wide, its program says %.1f", font_name(ctx, font), cid, said, width);
}

/* Glyphs of a symbolic TrueType font are found by its own table alone (6.2.11.6). */
static void check_truetype(struct conform *conform, fz_context *ctx, const struct used_font *font)
{
    pdf_obj *encoding = pdf_dict_get(ctx, font->dict, PDF_NAME(Encoding));
    if (strcmp(name_of(ctx, font->dict, "Subtype"), "TrueType"))
        return;
    const char *base = pdf_is_name(ctx, encoding) ? pdf_to_name(ctx, encoding) : name_of(ctx, encoding, "BaseEncoding");
    bool symbolic = pdf_dict_get_int(ctx, font_descriptor(ctx, font), PDF_NAME(Flags)) & PDF_FD_SYMBOLIC;
    bool plain = !strcmp(base, "WinAnsiEncoding") || !strcmp(base, "MacRomanEncoding");
    if (symbolic ? encoding != NULL : !plain)
        found(conform, ctx, font->dict, conform->first_part ? "6.3.7" : "6.2.11.6", "TrueType font %.40s is %s",
              font_name(ctx, font), symbolic ? "symbolic and has an encoding" : "not symbolic and has no encoding");
}

/* A subset has to list its glyphs (ISO 19005-1, 6.3.5). */
static void check_subset(struct conform *conform, fz_context *ctx, const struct used_font *font)
{
    const char *name = font_name(ctx, font), *kind = name_of(ctx, font->dict, "Subtype");
    pdf_obj *descriptor = font_descriptor(ctx, font);
    bool composite = !strcmp(kind, "Type0");
    if (!conform->first_part || strlen(name) < 7 || name[6] != '+' || !strcmp(kind, "TrueType"))
        return;
    if (!pdf_dict_gets(ctx, descriptor, composite ? "CIDSet" : "CharSet"))
        found(conform, ctx, font->dict, "6.3.5", "font %.40s does not list its glyphs", name);
}

static bool font_is_seen(const struct used_font *font)
{
    int i = 0;
    while (i < CIDS_MAX / 8 && !font->cids[i])
        i++;
    return i < CIDS_MAX / 8;
}

static void check_letters(struct conform *conform, fz_context *ctx, const struct used_font *font)
{
    pdf_font_desc *desc = pdf_load_font(ctx, conform->pdf, NULL, font->dict);
    fz_try(ctx)
    {
        for (int cid = 0; cid < CIDS_MAX && !*conform->why; cid++)
            if (font->cids[cid / 8] >> cid % 8 & 1)
                check_glyph(conform, ctx, font, desc, cid);
    }
    fz_always(ctx) pdf_drop_font(ctx, desc);
    fz_catch(ctx) fz_rethrow(ctx);
}

static void check_font(struct conform *conform, fz_context *ctx, const struct used_font *font)
{
    if (*conform->why || !font->desc || font->desc->font->t3procs || !font_is_seen(font))
        return;
    if (!font_is_embedded(ctx, font)) {
        found(conform, ctx, font->dict, conform->first_part ? "6.3.4" : "6.2.11.4.1", "font %.60s is not embedded",
              font_name(ctx, font));
        return;
    }
    check_truetype(conform, ctx, font);
    check_subset(conform, ctx, font);
    check_letters(conform, ctx, font);
}

static void check_usage(struct conform *conform, fz_context *ctx, const struct usage *usage)
{
    if (usage->broken || usage->unknown)
        found(conform, ctx, NULL, conform->first_part ? "6.2.10" : "6.2.2", "contents that are not understood");
    if (usage->borrowed)
        found(conform, ctx, NULL, conform->first_part ? "6.2.10" : "6.2.2", "contents without resources of their own");
    if (usage->smooth)
        found(conform, ctx, NULL, conform->first_part ? "6.2.4" : "6.2.8.1", "an inline image is to be interpolated");
    if (usage->odd_intent)
        found(conform, ctx, NULL, conform->first_part ? "6.2.9" : "6.2.6", "an unknown rendering intent");
    if (usage->nesting > NESTING_MAX)
        found(conform, ctx, NULL, conform->first_part ? "6.1.12" : "6.1.13", "graphics states are nested %u deep",
              usage->nesting);
    for (int i = 0; i < usage->fonts; i++)
        check_font(conform, ctx, &usage->font[i]);
}

void conform_check(fz_context *ctx, pdf_document *pdf, const struct usage *usage, const unsigned *warnings,
                   bool first_part, char why[PDFA_WHY_BYTES])
{
    struct conform conform = {.pdf = pdf, .warnings = warnings, .first_part = first_part, .why = why};
    pdf_obj *root = pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root));
    *why = '\0';
    if (first_part && pdf_dict_get(ctx, root, PDF_NAME(OCProperties)))
        found(&conform, ctx, root, "6.1.13", "optional content");
    int pages = pdf_count_pages(ctx, pdf);
    fz_try(ctx)
    {
        objects_visit(ctx, pdf, check_object, &conform);
        for (int i = 0; i < pages && !*why; i++)
            check_page(&conform, ctx, pdf_lookup_page_obj(ctx, pdf, i));
        check_usage(&conform, ctx, usage);
    }
    fz_catch(ctx)
    {
        if (fz_caught(ctx) == FZ_ERROR_MEMORY)
            fz_rethrow(ctx);
        found(&conform, ctx, NULL, "6.1.1", "%s", fz_caught_message(ctx));
    }
}
