/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Goes over all objects of a PDF that its catalog leads to, each one once: what else is in the file is not written. */
#include "worker/mupdf.h"

enum { DIRECT_DEPTH_MAX = 100 };

struct walk {
    object_visit *visit;
    void *user;
    int objects;
    unsigned char *seen; /* by number */
    int *todo;
    int waiting;
};

static void walk_value(fz_context *ctx, struct walk *walk, pdf_obj *value, unsigned depth);

static void walk_into(fz_context *ctx, struct walk *walk, pdf_obj *object, unsigned depth)
{
    if (depth > DIRECT_DEPTH_MAX)
        fz_throw(ctx, FZ_ERROR_GENERIC, "objects are nested too deeply");
    walk->visit(ctx, walk->user, object);
    for (int i = 0; pdf_is_dict(ctx, object) && i < pdf_dict_len(ctx, object); i++)
        walk_value(ctx, walk, pdf_dict_get_val(ctx, object, i), depth + 1);
    for (int i = 0; pdf_is_array(ctx, object) && i < pdf_array_len(ctx, object); i++)
        walk_value(ctx, walk, pdf_array_get(ctx, object, i), depth + 1);
}

static void walk_value(fz_context *ctx, struct walk *walk, pdf_obj *value, unsigned depth)
{
    if (!pdf_is_indirect(ctx, value)) {
        walk_into(ctx, walk, value, depth);
        return;
    }
    int num = pdf_to_num(ctx, value);
    if (num <= 0 || num >= walk->objects || walk->seen[num])
        return;
    walk->seen[num] = 1;
    walk->todo[walk->waiting++] = num;
}

static void walk_object(fz_context *ctx, pdf_document *pdf, struct walk *walk, int num)
{
    pdf_obj *ref = pdf_new_indirect(ctx, pdf, num, 0);
    fz_try(ctx)
    {
        pdf_obj *object = pdf_resolve_indirect(ctx, ref);
        if (pdf_is_indirect(ctx, object)) /* a reference as an object of its own */
            walk_value(ctx, walk, object, 0);
        else if (object)
            walk_into(ctx, walk, pdf_is_stream(ctx, ref) ? ref : object, 0);
    }
    fz_always(ctx) pdf_drop_obj(ctx, ref);
    fz_catch(ctx) fz_rethrow(ctx);
}

void objects_visit(fz_context *ctx, pdf_document *pdf, object_visit *visit, void *user)
{
    struct walk walk = {.visit = visit, .user = user, .objects = pdf_xref_len(ctx, pdf)};
    fz_var(walk);
    fz_try(ctx)
    {
        walk.seen = fz_calloc(ctx, (size_t)walk.objects + 1, 1);
        walk.todo = fz_calloc(ctx, (size_t)walk.objects + 1, sizeof *walk.todo);
        walk_value(ctx, &walk, pdf_dict_get(ctx, pdf_trailer(ctx, pdf), PDF_NAME(Root)), 0);
        while (walk.waiting)
            walk_object(ctx, pdf, &walk, walk.todo[--walk.waiting]);
    }
    fz_always(ctx)
    {
        fz_free(ctx, walk.seen);
        fz_free(ctx, walk.todo);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}
