/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a PDF/A says of itself: metadata (XMP; ISO 16684-1, ISO 19005-2, 6.6) and the output intent (6.2.3). Title, author
 * and dates are the source's; the Info dictionary goes, so that nothing can contradict the XMP. */
#include "worker/mupdf.h"

#include <string.h>

enum { PROPERTY_MAX_BYTES = 1024 };

/* Letters that XML can't hold fall away. */
static void append_escaped(fz_context *ctx, fz_buffer *xmp, const char *text)
{
    for (const char *end = text + strnlen(text, PROPERTY_MAX_BYTES); *text && text < end;) {
        int rune;
        text += fz_chartorune(&rune, text);
        if (rune == '&' || rune == '<' || rune == '>' || rune == '"')
            fz_append_printf(ctx, xmp, "&#%d;", rune);
        else if ((rune >= ' ' || rune == '\t') && rune != 0xfffe && rune != 0xffff && (rune < 0xd800 || rune > 0xdfff))
            fz_append_rune(ctx, xmp, rune);
    }
}

/* "D:20210105081524+07'00'" (ISO 32000-1, 7.9.4) as "2021-01-05T08:15:24+07:00"; "" when it is not one. */
static void append_date(fz_context *ctx, fz_buffer *xmp, const char *name, const char *date)
{
    char *iso = signature_time(date);
    if (!iso)
        fz_throw(ctx, FZ_ERROR_MEMORY, "no memory for a date");
    fz_try(ctx) if (*iso) fz_append_printf(ctx, xmp, "<xmp:%s>%s</xmp:%s>", name, iso, name);
    fz_always(ctx) free(iso);
    fz_catch(ctx) fz_rethrow(ctx);
}

/* before and after stand around the value. */
static void append_property(fz_context *ctx, fz_buffer *xmp, pdf_obj *info, const char *key, const char *before,
                            const char *after)
{
    const char *text = pdf_to_text_string(ctx, pdf_dict_gets(ctx, info, key));
    if (!*text)
        return;
    fz_append_string(ctx, xmp, before);
    append_escaped(ctx, xmp, text);
    fz_append_string(ctx, xmp, after);
}

static void append_xmp(fz_context *ctx, fz_buffer *xmp, pdf_obj *info, enum pdfa level)
{
    fz_append_string(ctx, xmp,
                     "<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n"
                     "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
                     "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
                     "<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\""
                     " xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\""
                     " xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\n");
    if (level)
        fz_append_printf(ctx, xmp, "<pdfaid:part>%d</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n",
                         level == PDFA_1B ? 1 : 2);
    append_property(ctx, xmp, info, "Title", "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">",
                    "</rdf:li></rdf:Alt></dc:title>\n");
    append_property(ctx, xmp, info, "Author", "<dc:creator><rdf:Seq><rdf:li>", "</rdf:li></rdf:Seq></dc:creator>\n");
    append_property(ctx, xmp, info, "Subject", "<dc:description><rdf:Alt><rdf:li xml:lang=\"x-default\">",
                    "</rdf:li></rdf:Alt></dc:description>\n");
    append_property(ctx, xmp, info, "Keywords", "<pdf:Keywords>", "</pdf:Keywords>\n");
    append_property(ctx, xmp, info, "Creator", "<xmp:CreatorTool>", "</xmp:CreatorTool>\n");
    append_date(ctx, xmp, "CreateDate", pdf_dict_get_text_string(ctx, info, PDF_NAME(CreationDate)));
    append_date(ctx, xmp, "ModifyDate", pdf_dict_get_text_string(ctx, info, PDF_NAME(ModDate)));
    fz_append_string(ctx, xmp,
                     "<pdf:Producer>Sohoa</pdf:Producer></rdf:Description></rdf:RDF></x:xmpmeta>\n"
                     "<?xpacket end=\"r\"?>");
}

static void metadata_put(fz_context *ctx, pdf_document *pdf, pdf_obj *root, enum pdfa level)
{
    pdf_obj *dict = NULL;
    fz_var(dict);
    fz_buffer *xmp = fz_new_buffer(ctx, 2048);
    fz_try(ctx)
    {
        append_xmp(ctx, xmp, pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Info)), level);
        dict = pdf_new_dict(ctx, pdf, 2);
        pdf_dict_put(ctx, dict, PDF_NAME(Type), PDF_NAME(Metadata));
        pdf_dict_put(ctx, dict, PDF_NAME(Subtype), PDF_NAME(XML));
        pdf_dict_put_drop(ctx, root, PDF_NAME(Metadata), pdf_add_stream(ctx, pdf, xmp, dict, 0));
        pdf_dict_del(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Info));
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, xmp);
        pdf_drop_obj(ctx, dict);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}

/* The source's only one may stay where it covers gray and RGB: its colours are meant by it. */
static bool intent_is_good(fz_context *ctx, pdf_obj *intents)
{
    pdf_obj *intent = pdf_array_get(ctx, intents, 0), *profile = pdf_dict_gets(ctx, intent, "DestOutputProfile");
    return pdf_array_len(ctx, intents) == 1 && !strcmp(pdf_dict_get_name(ctx, intent, PDF_NAME(S)), "GTS_PDFA1") &&
           pdf_dict_gets(ctx, intent, "OutputConditionIdentifier") &&
           !pdf_dict_gets(ctx, intent, "DestOutputProfileRef") && pdf_is_stream(ctx, profile) &&
           profile_is_rgb(ctx, profile);
}

static void intent_put(fz_context *ctx, pdf_document *pdf, pdf_obj *root)
{
    static const char name[] = "sRGB";
    if (intent_is_good(ctx, pdf_dict_get(ctx, root, PDF_NAME(OutputIntents))))
        return;
    pdf_obj *intents = pdf_dict_put_array(ctx, root, PDF_NAME(OutputIntents), 1);
    pdf_obj *intent = pdf_array_push_dict(ctx, intents, 5);
    pdf_dict_put(ctx, intent, PDF_NAME(Type), PDF_NAME(OutputIntent));
    pdf_dict_put_name(ctx, intent, PDF_NAME(S), "GTS_PDFA1");
    pdf_dict_put_string(ctx, intent, PDF_NAME(OutputConditionIdentifier), name, sizeof name - 1);
    pdf_dict_put_string(ctx, intent, PDF_NAME(Info), name, sizeof name - 1);
    pdf_dict_put_drop(ctx, intent, PDF_NAME(DestOutputProfile), profile_add(ctx, pdf, 3));
}

static void version_put(fz_context *ctx, pdf_document *pdf, pdf_obj *root, enum pdfa level)
{
    enum { OLDEST = 14, NEWEST = 17 }; /* 1.4: what the text layer needs; 1.7: PDF/A-2 */
    int version = pdf_version(ctx, pdf);
    dict_forget(ctx, root, "Version");
    pdf->version = level == PDFA_1B || version < OLDEST ? OLDEST : version > NEWEST ? NEWEST : version;
}

void claim_write(fz_context *ctx, pdf_document *pdf, enum pdfa level)
{
    pdf_obj *root = pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root));
    version_put(ctx, pdf, root, level);
    metadata_put(ctx, pdf, root, level);
    intent_put(ctx, pdf, root);
}
