/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The flow of writing. A PDF source is opened a second time and that copy changed, so the document that render has open
 * stays as it was. Streams that are not touched keep their bytes. */
#include "worker/pdf.h"

#include <string.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "worker/mupdf.h"

enum { ID_BYTES = 16 };

const char *pdfa_name(enum pdfa level)
{
    static const char *const name[] = {"", "1b", "2b"};
    return name[level];
}

struct assembling {
    struct render *render;
    pdf_document *pdf;
    struct layer *layer;
    fz_buffer *out;
    enum pdfa wanted;
    struct pdf_said said;
};

static bool page_is_read(const Sohoa__Page *page)
{
    if (page->kind != SOHOA__PAGE_KIND__PAGE_SCAN || !page->dpi_view)
        return false;
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++)
            for (size_t w = 0; w < page->blocks[b]->lines[l]->n_words; w++)
                if (!page->blocks[b]->lines[l]->words[w]->own)
                    return true;
    return false;
}

/* An older layer goes. Contents that can't be read in the end stay as they are, which is counted. */
static void layer_renew(struct assembling *work, uint32_t index, pdf_obj *page_obj)
{
    fz_context *ctx = work->render->ctx;
    struct leaf leaf = {0};
    struct look look = {0};
    bool gone = false;
    fz_var(leaf);
    fz_var(look);
    fz_var(gone);
    fz_try(ctx)
    {
        leaf_load(work->render, index + 1, false, &leaf);
        look_at(ctx, &leaf, &look);
        gone = !look.chars_hidden || strip_page(ctx, work->pdf, page_obj, &look);
    }
    fz_always(ctx)
    {
        look_drop(ctx, &look);
        leaf_drop(ctx, &leaf);
    }
    fz_catch(ctx)
    {
        if (fz_caught(ctx) == FZ_ERROR_MEMORY)
            fz_rethrow(ctx);
    }
    work->said.layers_left += !gone;
}

/* What a layer that held says is in the PDF already; one that did not goes, also where nothing was read in its place. */
static bool layer_goes(const Sohoa__Page *page)
{
    return !page_has_note(page, SOHOA__PAGE_NOTE__NOTE_LAYER) &&
           (page_is_read(page) || page_has_note(page, SOHOA__PAGE_NOTE__NOTE_LAYER_REFUSED));
}

static void pages_write(struct assembling *work, Sohoa__Page *const *pages, uint32_t count)
{
    fz_context *ctx = work->render->ctx;
    for (uint32_t i = 0; i < count; i++) {
        if (work->render->picture)
            sheet_add(ctx, work->pdf, work->render->picture, i, pages[i]->kind == SOHOA__PAGE_KIND__PAGE_IMAGE);
        bool goes = work->render->pdf && layer_goes(pages[i]), read = page_is_read(pages[i]);
        if (!goes && !read)
            continue;
        pdf_obj *page_obj = pdf_lookup_page_obj(ctx, work->pdf, (int)i);
        if (goes)
            layer_renew(work, i, page_obj);
        if (read)
            layer_add(ctx, work->layer, page_obj, pages[i]);
    }
    layer_finish(ctx, work->layer);
}

/* The first half names the source, the second what was made of it. */
static void id_write(fz_context *ctx, pdf_document *pdf, const uint8_t sha256[SHA256_BYTES],
                     const uint8_t pipeline[SHA256_BYTES])
{
    uint8_t both[2 * SHA256_BYTES], digest[SHA256_BYTES];
    memcpy(both, sha256, SHA256_BYTES);
    memcpy(both + SHA256_BYTES, pipeline, SHA256_BYTES);
    sha256_of(both, sizeof both, digest);
    pdf_obj *id = pdf_dict_put_array(ctx, pdf_trailer(ctx, pdf), PDF_NAME(ID), 2);
    pdf_array_push_string(ctx, id, (const char *)sha256, ID_BYTES);
    pdf_array_push_string(ctx, id, (const char *)digest, ID_BYTES);
}

static void document_write(struct assembling *work)
{
    fz_context *ctx = work->render->ctx;
    pdf_write_options options = pdf_default_write_options;
    options.do_compress = 1;
    options.do_compress_fonts = 1;
    options.do_garbage = 2;
    options.do_encrypt = PDF_ENCRYPT_NONE;
    options.dont_regenerate_id = 1;
    work->out = fz_new_buffer(ctx, work->render->bytes + 65536);
    fz_output *output = fz_new_output_with_buffer(ctx, work->out);
    fz_try(ctx)
    {
        pdf_write_document(ctx, work->pdf, output, &options);
        fz_close_output(ctx, output);
    }
    fz_always(ctx) fz_drop_output(ctx, output);
    fz_catch(ctx) fz_rethrow(ctx);
    fz_terminate_buffer(ctx, work->out);
}

/* A source so broken that what is written of it can't be opened again gives no document. */
static void document_check(struct assembling *work, uint32_t count)
{
    fz_context *ctx = work->render->ctx;
    pdf_document *written = NULL;
    fz_var(written);
    fz_stream *stream = fz_open_buffer(ctx, work->out);
    fz_try(ctx)
    {
        written = pdf_open_document_with_stream(ctx, stream);
        if (written->repair_attempted || pdf_count_pages(ctx, written) != (int)count)
            fz_throw(ctx, FZ_ERROR_GENERIC, "what was written does not open again");
    }
    fz_always(ctx)
    {
        pdf_drop_document(ctx, written);
        fz_drop_stream(ctx, stream);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}

static void document_assemble(struct assembling *work, Sohoa__Page *const *pages, uint32_t count,
                              const uint8_t sha256[SHA256_BYTES], const uint8_t pipeline[SHA256_BYTES])
{
    struct render *render = work->render;
    fz_context *ctx = render->ctx;
    work->pdf = render->pdf ? tree_open(ctx, render->fd, render->bytes) : pdf_create_document(ctx);
    if (render->pdf) {
        signatures_strip(ctx, work->pdf);
        mend_document(ctx, work->pdf);
    }
    work->layer = layer_new(ctx, work->pdf, render->font);
    pages_write(work, pages, count);
    archive_make(ctx, work->pdf, work->wanted, &work->said);
    id_write(ctx, work->pdf, sha256, pipeline);
    document_write(work);
    document_check(work, count);
}

/* MuPDF's memory is malloc's (render.c): it is handed on as it is. */
static void buffer_give(fz_context *ctx, fz_buffer *buffer, struct buf *out)
{
    buf_destroy(out);
    out->capacity = buffer->cap;
    out->size = fz_buffer_extract(ctx, buffer, &out->data);
}

int pdf_assemble(struct render *render, Sohoa__Page *const *pages, uint32_t count, const uint8_t sha256[SHA256_BYTES],
                 const uint8_t pipeline[SHA256_BYTES], enum pdfa wanted, struct buf *out, struct pdf_said *said,
                 struct err *err)
{
    if (!render->pages || count != render->pages)
        return err_set(err, E_ASSEMBLE, "%u page results for %u pages", count, render->pages);
    struct assembling work = {.render = render, .wanted = wanted};
    fz_context *ctx = render->ctx;
    int rc = 0;
    fz_var(work);
    fz_try(ctx) document_assemble(&work, pages, count, sha256, pipeline);
    fz_always(ctx)
    {
        layer_drop(ctx, work.layer);
        pdf_drop_document(ctx, work.pdf);
        fz_empty_store(ctx);
    }
    fz_catch(ctx) rc = render_caught(ctx, E_ASSEMBLE, "assembling", err);
    if (!rc) {
        *said = work.said;
        buffer_give(ctx, work.out, out);
    }
    fz_drop_buffer(ctx, work.out);
    return rc;
}
