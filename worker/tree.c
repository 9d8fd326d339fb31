/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Opens a PDF and sees to it that no page is lost: MuPDF believes the page tree's counts, and repairs a file only when it
 * meets an error while opening. */
#include "worker/mupdf.h"

enum { TREE_DEPTH_MAX = 64 };

static bool is_tree(fz_context *ctx, pdf_obj *node)
{
    pdf_obj *type = pdf_dict_get(ctx, node, PDF_NAME(Type));
    if (type)
        return pdf_name_eq(ctx, type, PDF_NAME(Pages));
    return pdf_dict_get(ctx, node, PDF_NAME(Kids)) && !pdf_dict_get(ctx, node, PDF_NAME(MediaBox));
}

/* Counts the leaves and puts wrong counts right. */
static int tree_count(fz_context *ctx, pdf_obj *node, unsigned depth)
{
    int count = 0;
    fz_var(count);
    if (depth > TREE_DEPTH_MAX || pdf_mark_obj(ctx, node))
        fz_throw(ctx, FZ_ERROR_GENERIC, "the page tree is too deep or turns on itself");
    fz_try(ctx)
    {
        pdf_obj *kids = pdf_dict_get(ctx, node, PDF_NAME(Kids));
        for (int i = 0; i < pdf_array_len(ctx, kids) && count <= DOC_MAX_PAGES; i++) {
            pdf_obj *kid = pdf_array_get(ctx, kids, i);
            if (!pdf_is_dict(ctx, kid))
                pdf_array_delete(ctx, kids, i--);
            else
                count += is_tree(ctx, kid) ? tree_count(ctx, kid, depth + 1) : 1;
        }
        if (kids && pdf_dict_get_int(ctx, node, PDF_NAME(Count)) != count)
            pdf_dict_put_int(ctx, node, PDF_NAME(Count), count);
    }
    fz_always(ctx) pdf_unmark_obj(ctx, node);
    fz_catch(ctx) fz_rethrow(ctx);
    return count;
}

static int document_count(fz_context *ctx, pdf_document *pdf)
{
    return tree_count(ctx, pdf_dict_getp(ctx, pdf_trailer(ctx, pdf), "Root/Pages"), 0);
}

static bool is_page(fz_context *ctx, pdf_document *pdf, int num)
{
    bool page = false;
    fz_var(page);
    pdf_obj *ref = pdf_new_indirect(ctx, pdf, num, 0);
    fz_try(ctx) page = pdf_name_eq(ctx, pdf_dict_get(ctx, ref, PDF_NAME(Type)), PDF_NAME(Page));
    fz_always(ctx) pdf_drop_obj(ctx, ref);
    fz_catch(ctx) if (fz_caught(ctx) == FZ_ERROR_MEMORY) fz_rethrow(ctx);
    return page;
}

/* The catalog, or a new one where it is lost. */
static pdf_obj *document_root(fz_context *ctx, pdf_document *pdf)
{
    pdf_obj *root = pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root));
    if (pdf_is_dict(ctx, root))
        return root;
    pdf_dict_put_drop(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root), pdf_add_new_dict(ctx, pdf, 2));
    root = pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root));
    pdf_dict_put(ctx, root, PDF_NAME(Type), PDF_NAME(Catalog));
    return root;
}

/* A tree of all objects that say they are pages, in the order of their numbers. */
static void pages_gather(fz_context *ctx, pdf_document *pdf)
{
    int objects = pdf_xref_len(ctx, pdf);
    pdf_obj *pages = pdf_add_new_dict(ctx, pdf, 3);
    fz_try(ctx)
    {
        pdf_dict_put(ctx, pages, PDF_NAME(Type), PDF_NAME(Pages));
        pdf_obj *kids = pdf_dict_put_array(ctx, pages, PDF_NAME(Kids), 1);
        for (int num = 1; num < objects && pdf_array_len(ctx, kids) <= DOC_MAX_PAGES; num++)
            if (is_page(ctx, pdf, num)) {
                pdf_array_push_drop(ctx, kids, pdf_new_indirect(ctx, pdf, num, 0));
                pdf_dict_put(ctx, pdf_array_get(ctx, kids, pdf_array_len(ctx, kids) - 1), PDF_NAME(Parent), pages);
            }
        pdf_dict_put_int(ctx, pages, PDF_NAME(Count), pdf_array_len(ctx, kids));
        pdf_dict_put(ctx, document_root(ctx, pdf), PDF_NAME(Pages), pages);
    }
    fz_always(ctx) pdf_drop_obj(ctx, pages);
    fz_catch(ctx) fz_rethrow(ctx);
}

static void pages_rescue(fz_context *ctx, pdf_document *pdf)
{
    if (!pdf->repair_attempted) {
        pdf_repair_xref(ctx, pdf);
        pdf_repair_trailer(ctx, pdf);
    }
    if (!document_count(ctx, pdf))
        pages_gather(ctx, pdf);
}

pdf_document *tree_open(fz_context *ctx, int fd, uint64_t bytes)
{
    pdf_document *pdf = NULL;
    fz_var(pdf);
    fz_stream *stream = tap_open(ctx, fd, bytes);
    fz_try(ctx)
    {
        pdf = pdf_open_document_with_stream(ctx, stream);
        if (!pdf_needs_password(ctx, pdf) && !document_count(ctx, pdf))
            pages_rescue(ctx, pdf);
    }
    fz_always(ctx) fz_drop_stream(ctx, stream);
    fz_catch(ctx)
    {
        pdf_drop_document(ctx, pdf);
        fz_rethrow(ctx);
    }
    return pdf;
}
