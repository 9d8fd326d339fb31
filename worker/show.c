/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page's picture for people: all that is to be seen of it, stamps and own text included, at the width asked for. */
#include <math.h>

#include "worker/jpeg.h"
#include "worker/mupdf.h"
#include "worker/render.h"

enum { SHOW_MAX_PIXELS = 16 << 20 }; /* pages longer than 10,000 pixels at full width are no use on a screen */

struct ask {
    uint32_t page_no, rotation_deg, width_px;
};

/* One page under work: owned here, so that a throw leaks nothing. */
struct show {
    struct leaf leaf;
    struct look look;
    fz_pixmap *pixmap;
    fz_buffer *png;
};

static void leaf_show(fz_context *ctx, const struct leaf *leaf, fz_device *dev, fz_matrix to_px)
{
    if (leaf->page)
        fz_run_page(ctx, leaf->page, dev, to_px, NULL);
    else
        leaf_paint(ctx, leaf, dev, to_px, NULL);
}

static void show_draw(fz_context *ctx, struct show *show, fz_matrix to_px, fz_irect area)
{
    const struct look *look = &show->look;
    bool colour = look->colour || look->paths || !look->images || show->leaf.page;
    show->pixmap = fz_new_pixmap_with_bbox(ctx, colour ? fz_device_rgb(ctx) : fz_device_gray(ctx), area, NULL, 0);
    fz_clear_pixmap_with_value(ctx, show->pixmap, 255);
    fz_device *dev = fz_new_draw_device(ctx, fz_identity, show->pixmap);
    fz_try(ctx)
    {
        leaf_show(ctx, &show->leaf, dev, to_px);
        fz_close_device(ctx, dev);
    }
    fz_always(ctx) fz_drop_device(ctx, dev);
    fz_catch(ctx) fz_rethrow(ctx);
}

static int show_write(fz_context *ctx, struct show *show, struct buf *picture, struct err *err)
{
    const fz_pixmap *pixmap = show->pixmap;
    if (show->look.images && show->look.bits > 1)
        return jpeg_write(pixmap->samples, (unsigned)pixmap->w, (unsigned)pixmap->h, pixmap->n, (size_t)pixmap->stride,
                          picture, err);
    show->png = fz_new_buffer_from_pixmap_as_png(ctx, show->pixmap, fz_default_color_params);
    buf_append(picture, show->png->data, show->png->len);
    return 0;
}

/* How the page is turned, and brought to width_px. Errors: E_PAGE_SIZE. */
static int show_place(fz_rect box, const struct ask *ask, fz_matrix *ret_to_px, fz_irect *ret_area, struct err *err)
{
    fz_matrix turn = fz_rotate((float)ask->rotation_deg);
    fz_rect turned = fz_transform_rect(box, turn);
    double width = turned.x1 - turned.x0, height = turned.y1 - turned.y0;
    double height_px = fmax(1, round(height / width * ask->width_px));
    if (!(height_px * ask->width_px <= SHOW_MAX_PIXELS))
        return err_set(err, E_PAGE_SIZE, "%.0f x %.0f points are above SHOW_MAX_PIXELS at a width of %u", width, height,
                       ask->width_px);
    *ret_area = (fz_irect){0, 0, (int)ask->width_px, (int)height_px};
    turn = fz_concat(turn, fz_translate(-turned.x0, -turned.y0));
    *ret_to_px = fz_concat(turn, fz_scale((float)(ask->width_px / width), (float)(height_px / height)));
    return 0;
}

static int show_page(struct render *render, const struct ask *ask, struct show *show, struct buf *picture,
                     struct err *err)
{
    fz_matrix to_px;
    fz_irect area;
    leaf_load(render, ask->page_no, false, &show->leaf);
    look_at(render->ctx, &show->leaf, &show->look);
    int rc = show_place(show->leaf.box, ask, &to_px, &area, err);
    if (rc)
        return rc;
    show_draw(render->ctx, show, to_px, area);
    return show_write(render->ctx, show, picture, err);
}

int render_show(struct render *render, uint32_t page_no, uint32_t rotation_deg, uint32_t width_px, struct buf *picture,
                struct err *err)
{
    const struct ask ask = {page_no, rotation_deg, width_px};
    fz_context *ctx = render->ctx;
    struct show show = {0};
    int rc = 0;
    if (!page_no || page_no > render->pages || !width_px || width_px > VIEW_MAX_PX)
        return err_set(err, E_PAGE_BROKEN, "there is no page %u of %u, %u wide", page_no, render->pages, width_px);
    fz_var(show);
    fz_var(rc);
    fz_try(ctx) rc = show_page(render, &ask, &show, picture, err);
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, show.png);
        fz_drop_pixmap(ctx, show.pixmap);
        look_drop(ctx, &show.look);
        leaf_drop(ctx, &show.leaf);
    }
    fz_catch(ctx) rc = render_caught(ctx, E_PAGE_BROKEN, "drawing", err);
    if (rc && err)
        err->page_no = page_no;
    return rc;
}
