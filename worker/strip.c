/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Takes an older recogniser's text layer out of a scan's page. The contents are copied byte for byte but for the
 * operators that show hidden text, so that nothing else can change. Where a visible text takes its position from a
 * hidden one, hidden texts stay where they are and are marked as standing for no text (ActualText, ISO 32000-1, 14.9.4), which
 * programs that take text out go by. */
#include "worker/mupdf.h"

#include <string.h>

enum {
    MODE_INVISIBLE = 3,
    SAVES_MAX = 64, /* nested q */
    FORM_DEPTH_MAX = 4,
};

struct strip {
    pdf_document *pdf;
    const struct look *look;
    bool covered; /* what comes now is not under the cover */
    bool muted;   /* hidden text is marked instead of taken out */
    bool moves;   /* a visible text takes its position from a hidden one */
    bool unsafe;  /* leave the page alone */
    unsigned dropped;
};

/* One content stream under work. */
struct content {
    struct strip *strip;
    fz_buffer *in, *out;
    pdf_obj *resources;
    pdf_obj *forms; /* name -> form without hidden text; owned */
    unsigned depth;
    size_t copied; /* bytes of in that are dealt with */
    int mode, saved[SAVES_MAX];
    unsigned saves;
    bool adrift;     /* a dropped text would have moved the position */
    float number[2]; /* the last two numbers */
    char name[128];  /* the last name */
};

static bool is_hidden(const struct content *content)
{
    return content->mode == MODE_INVISIBLE || !content->strip->covered;
}

static void content_drop(fz_context *ctx, struct content *content, size_t from, size_t to, const char *instead)
{
    fz_append_data(ctx, content->out, content->in->data + content->copied, from - content->copied);
    fz_append_string(ctx, content->out, instead);
    content->copied = to;
    content->strip->dropped++;
}

static void content_mute(fz_context *ctx, struct content *content, size_t from, size_t to)
{
    fz_append_data(ctx, content->out, content->in->data + content->copied, from - content->copied);
    fz_append_string(ctx, content->out, "\n/Span<</ActualText()>>BDC\n");
    fz_append_data(ctx, content->out, content->in->data + from, to - from);
    fz_append_string(ctx, content->out, "\nEMC\n");
    content->copied = to;
    content->strip->dropped++;
}

static void content_show(fz_context *ctx, struct content *content, const char *op, size_t from, size_t to)
{
    bool newline = *op == '\'' || *op == '"';
    char instead[80] = "\n";
    if (newline)
        content->adrift = false;
    if (!is_hidden(content)) {
        content->strip->moves = content->strip->moves || content->adrift;
        return;
    }
    if (content->strip->muted) {
        content_mute(ctx, content, from, to);
        return;
    }
    if (*op == '"')
        fz_snprintf(instead, sizeof instead, "\n%g Tw %g Tc T*\n", content->number[0], content->number[1]);
    else if (newline)
        fz_strlcpy(instead, "\nT*\n", sizeof instead);
    content_drop(ctx, content, from, to, instead);
    content->adrift = true;
}

static fz_buffer *content_strip(fz_context *ctx, struct strip *strip, fz_buffer *in, pdf_obj *resources, int mode,
                                unsigned depth, pdf_obj **ret_forms);

/* A copy of dict with the forms of forms among its resources. */
static void forms_put(fz_context *ctx, pdf_document *pdf, pdf_obj *holder, pdf_obj *resources, pdf_obj *forms)
{
    if (!pdf_dict_len(ctx, forms))
        return;
    resources = dict_own(ctx, pdf, holder, PDF_NAME(Resources), resources);
    pdf_obj *xobjects =
        dict_own(ctx, pdf, resources, PDF_NAME(XObject), pdf_dict_get(ctx, resources, PDF_NAME(XObject)));
    for (int i = 0; i < pdf_dict_len(ctx, forms); i++)
        pdf_dict_put(ctx, xobjects, pdf_dict_get_key(ctx, forms, i), pdf_dict_get_val(ctx, forms, i));
}

static pdf_obj *form_copy(fz_context *ctx, pdf_document *pdf, pdf_obj *form, fz_buffer *contents, pdf_obj *resources,
                          pdf_obj *forms)
{
    pdf_obj *ref = NULL, *dict = dict_copy(ctx, pdf, form);
    fz_var(ref);
    fz_try(ctx)
    {
        pdf_dict_del(ctx, dict, PDF_NAME(Filter));
        pdf_dict_del(ctx, dict, PDF_NAME(DecodeParms));
        forms_put(ctx, pdf, dict, resources, forms);
        ref = pdf_add_stream(ctx, pdf, contents, dict, 0);
    }
    fz_always(ctx) pdf_drop_obj(ctx, dict);
    fz_catch(ctx) fz_rethrow(ctx);
    return ref;
}

static void content_form(fz_context *ctx, struct content *content, pdf_obj *form)
{
    if (content->depth >= FORM_DEPTH_MAX || pdf_dict_gets(ctx, content->forms, content->name))
        return;
    pdf_obj *resources = pdf_dict_get(ctx, form, PDF_NAME(Resources)), *forms = NULL;
    fz_buffer *stripped = NULL, *in = pdf_load_stream(ctx, form);
    fz_var(stripped);
    fz_var(forms);
    unsigned dropped = content->strip->dropped;
    fz_try(ctx)
    {
        if (!resources)
            resources = content->resources;
        stripped = content_strip(ctx, content->strip, in, resources, content->mode, content->depth + 1, &forms);
        if (content->strip->dropped > dropped)
            pdf_dict_puts_drop(ctx, content->forms, content->name,
                               form_copy(ctx, content->strip->pdf, form, stripped, resources, forms));
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, in);
        fz_drop_buffer(ctx, stripped);
        pdf_drop_obj(ctx, forms);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}

static void content_do(fz_context *ctx, struct content *content)
{
    pdf_obj *xobject = pdf_dict_gets(ctx, pdf_dict_get(ctx, content->resources, PDF_NAME(XObject)), content->name);
    pdf_obj *subtype = pdf_dict_get(ctx, xobject, PDF_NAME(Subtype));
    const fz_image *cover = content->strip->look->cover;
    if (pdf_name_eq(ctx, subtype, PDF_NAME(Form)))
        content_form(ctx, content, xobject);
    else if (cover && pdf_dict_get_int(ctx, xobject, PDF_NAME(Width)) == cover->w &&
             pdf_dict_get_int(ctx, xobject, PDF_NAME(Height)) == cover->h)
        content->strip->covered = true;
}

static bool is_space(int c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0;
}

/* Past the data of an inline image, which is not to be read as operators. */
static void content_skip_image(fz_context *ctx, struct content *content, fz_stream *stream)
{
    size_t at = (size_t)fz_tell(ctx, stream);
    const unsigned char *data = content->in->data;
    size_t bytes = content->in->len;
    for (; at + 3 <= bytes; at++)
        if (is_space(data[at]) && data[at + 1] == 'E' && data[at + 2] == 'I' &&
            (at + 3 == bytes || is_space(data[at + 3])))
            break;
    fz_seek(ctx, stream, at + 3 <= bytes ? (int64_t)at + 3 : (int64_t)bytes, SEEK_SET);
}

static void content_save(struct content *content)
{
    if (content->saves < SAVES_MAX)
        content->saved[content->saves++] = content->mode;
    else
        content->strip->unsafe = true;
}

/* from, to: where the operator and its operands lie. */
static void content_operator(fz_context *ctx, struct content *content, fz_stream *stream, const char *op, size_t from,
                             size_t to)
{
    static const char *const moves[] = {"BT", "Td", "TD", "Tm", "T*"};
    if (!strcmp(op, "Tj") || !strcmp(op, "TJ") || !strcmp(op, "'") || !strcmp(op, "\""))
        content_show(ctx, content, op, from, to);
    else if (!strcmp(op, "Tr"))
        content->mode = (int)content->number[1];
    else if (!strcmp(op, "q"))
        content_save(content);
    else if (!strcmp(op, "Q") && content->saves)
        content->mode = content->saved[--content->saves];
    else if (!strcmp(op, "Do"))
        content_do(ctx, content);
    else if (!strcmp(op, "ID"))
        content_skip_image(ctx, content, stream);
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++)
        if (!strcmp(op, moves[i]))
            content->adrift = false;
}

static void content_number(struct content *content, float number)
{
    content->number[0] = content->number[1];
    content->number[1] = number;
}

static void content_run(fz_context *ctx, struct content *content, fz_stream *stream, pdf_lexbuf *token)
{
    size_t from = 0;
    for (;;) {
        pdf_token kind = pdf_lex(ctx, stream, token);
        size_t to = (size_t)fz_tell(ctx, stream);
        if (kind == PDF_TOK_EOF)
            return;
        if (kind == PDF_TOK_INT)
            content_number(content, (float)token->i);
        else if (kind == PDF_TOK_REAL)
            content_number(content, token->f);
        else if (kind == PDF_TOK_NAME)
            fz_strlcpy(content->name, token->scratch, sizeof content->name);
        else if (kind == PDF_TOK_KEYWORD) {
            content_operator(ctx, content, stream, token->scratch, from, to);
            from = (size_t)fz_tell(ctx, stream);
        }
    }
}

/* in without hidden text; *ret_forms: the forms it is to use, both the caller's. */
static fz_buffer *content_strip(fz_context *ctx, struct strip *strip, fz_buffer *in, pdf_obj *resources, int mode,
                                unsigned depth, pdf_obj **ret_forms)
{
    struct content content = {.strip = strip, .in = in, .resources = resources, .mode = mode, .depth = depth};
    fz_var(content);
    pdf_lexbuf token;
    pdf_lexbuf_init(ctx, &token, PDF_LEXBUF_SMALL);
    fz_stream *stream = NULL;
    fz_var(stream);
    fz_try(ctx)
    {
        content.out = fz_new_buffer(ctx, in->len + 1);
        content.forms = pdf_new_dict(ctx, strip->pdf, 1);
        stream = fz_open_buffer(ctx, in);
        content_run(ctx, &content, stream, &token);
        fz_append_data(ctx, content.out, in->data + content.copied, in->len - content.copied);
    }
    fz_always(ctx)
    {
        fz_drop_stream(ctx, stream);
        pdf_lexbuf_fin(ctx, &token);
    }
    fz_catch(ctx)
    {
        fz_drop_buffer(ctx, content.out);
        pdf_drop_obj(ctx, content.forms);
        fz_rethrow(ctx);
    }
    *ret_forms = content.forms;
    return content.out;
}

static fz_buffer *page_contents(fz_context *ctx, pdf_document *pdf, pdf_obj *page_obj)
{
    fz_buffer *buffer = NULL;
    fz_var(buffer);
    fz_stream *stream = pdf_open_contents_stream(ctx, pdf, pdf_dict_get(ctx, page_obj, PDF_NAME(Contents)));
    fz_try(ctx) buffer = fz_read_all(ctx, stream, 0);
    fz_always(ctx) fz_drop_stream(ctx, stream);
    fz_catch(ctx) fz_rethrow(ctx);
    return buffer;
}

/* Gives the page the contents without hidden text. false: it stays as it is, since not all is understood or visible text would
 * move. */
static bool page_strip(fz_context *ctx, pdf_obj *page_obj, struct strip *strip)
{
    pdf_document *pdf = strip->pdf;
    pdf_obj *resources = pdf_dict_get_inheritable(ctx, page_obj, PDF_NAME(Resources)), *forms = NULL;
    fz_buffer *out = NULL, *in = page_contents(ctx, pdf, page_obj);
    bool gone = false;
    fz_var(out);
    fz_var(forms);
    fz_var(gone);
    fz_try(ctx)
    {
        out = content_strip(ctx, strip, in, resources, 0, 0, &forms);
        gone = strip->dropped && strip->covered && !strip->unsafe && !strip->moves;
        if (gone) {
            forms_put(ctx, pdf, page_obj, resources, forms);
            pdf_dict_put_drop(ctx, page_obj, PDF_NAME(Contents), pdf_add_stream(ctx, pdf, out, NULL, 0));
        }
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, in);
        fz_drop_buffer(ctx, out);
        pdf_drop_obj(ctx, forms);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return gone;
}

bool strip_page(fz_context *ctx, pdf_document *pdf, pdf_obj *page_obj, const struct look *look)
{
    struct strip strip = {.pdf = pdf, .look = look, .covered = !look->texts_under}, muting = strip;
    muting.muted = true;
    return page_strip(ctx, page_obj, &strip) || (strip.moves && page_strip(ctx, page_obj, &muting));
}
