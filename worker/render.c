/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The flow of reading: open, look, take or draw. MuPDF reports failure by longjmp: it is caught here, in the functions of
 * render.h, and becomes an error. Nothing is read from files after render_new(): MuPDF's fonts are built in. */
#include "worker/render.h"

#include <math.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/mupdf.h"

enum {
    TEXT_MIN_CHARS = 40,          /* visible letters that make a page without scan born digital */
    OVERLAY_MAX_CHARS = 800,      /* ... that may lie over a scan that covers the page */
    OVERLAY_PART_MAX_CHARS = 200, /* ... over one that covers half of it */
    UNREADABLE_MAX_PCT = 20,      /* letters without meaning beyond which own text is not believed */
    TILED_DPI_MIN = 72,           /* what scans in pieces are drawn at */
    TILED_DPI_MAX = 600,
};

static const double SCAN_SHARE = 0.80;      /* of the page under images: a scan */
static const double SCAN_PART_SHARE = 0.50; /* ... when there is little text */
static const double SHRINK_SHARE = 0.49;    /* of an image's dpi at which it is sure to be drawn from half its size */

/* What MuPDF complains about is counted, not printed. */
static void complaint_hear(void *user, const char *message)
{
    struct render *render = user;
    (void)message;
    render->complaints++;
}

static void *alloc_malloc(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void *alloc_realloc(void *user, void *memory, size_t bytes)
{
    (void)user;
    return realloc(memory, bytes);
}

static void alloc_free(void *user, void *memory)
{
    (void)user;
    free(memory);
}

/* Plain malloc, so that MuPDF's memory may be given away. */
static const fz_alloc_context plain_alloc = {NULL, alloc_malloc, alloc_realloc, alloc_free};

/* Messages quote the document's text: only what stands before a quote goes on. */
int render_caught(fz_context *ctx, int code, const char *what, struct err *err)
{
    const char *message = fz_caught_message(ctx);
    if (fz_caught(ctx) == FZ_ERROR_MEMORY)
        code = E_MEMORY;
    return err_set(err, code, "%s: %.*s", what, (int)strcspn(message, "'\"(<"), message);
}

static int font_load(struct render *render, const char *tessdata, struct err *err)
{
    char path[SOURCE_PATH_BYTES];
    snprintf(path, sizeof path, "%s/pdf.ttf", tessdata);
    int rc = 0;
    fz_try(render->ctx) render->font = fz_read_file(render->ctx, path);
    fz_catch(render->ctx) rc = err_set(err, E_MODEL, "%s can't be read", path);
    return rc;
}

int render_new(uint64_t max_pixels, const char *tessdata, struct render **ret_render, struct err *err)
{
    struct render *render = calloc(1, sizeof *render);
    if (!render)
        return err_set(err, E_NOMEM, "no memory for MuPDF");
    *render = (struct render){.max_pixels = max_pixels, .fd = -1};
    render->ctx = fz_new_context(&plain_alloc, NULL, STORE_BYTES);
    if (!render->ctx) {
        free(render);
        return err_set(err, E_NOMEM, "no MuPDF context");
    }
    fz_set_warning_callback(render->ctx, complaint_hear, render);
    fz_set_error_callback(render->ctx, complaint_hear, render);
    OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL); /* reads a file */
    int rc = font_load(render, tessdata, err);
    if (rc)
        render_destroy(&render);
    else
        *ret_render = render;
    return rc;
}

void render_destroy(struct render **render)
{
    if (!*render)
        return;
    render_close(*render);
    fz_drop_buffer((*render)->ctx, (*render)->font);
    fz_drop_context((*render)->ctx);
    free(*render);
    *render = NULL;
}

static void source_load(struct render *render)
{
    fz_context *ctx = render->ctx;
    fz_stream *stream = tap_open(ctx, render->fd, render->bytes);
    fz_try(ctx)
    {
        render->kind = tap_sniff(ctx, stream);
        if (render->kind == SOHOA__SOURCE_KIND__SOURCE_PDF)
            render->pdf = tree_open(ctx, render->fd, render->bytes);
        else if (render->kind != SOHOA__SOURCE_KIND__SOURCE_UNKNOWN)
            render->picture = picture_open(ctx, render->kind, stream, render->bytes);
    }
    fz_always(ctx) fz_drop_stream(ctx, stream);
    fz_catch(ctx) fz_rethrow(ctx);
}

static int source_check(struct render *render, struct err *err)
{
    fz_context *ctx = render->ctx;
    if (render->kind == SOHOA__SOURCE_KIND__SOURCE_UNKNOWN)
        return err_set(err, E_SOURCE_TYPE, "the first bytes are not those of a PDF, TIFF, JPEG or PNG");
    if (render->pdf && pdf_needs_password(ctx, render->pdf))
        return err_set(err, E_SOURCE_ENCRYPTED, "the PDF needs a password");
    int pages = render->pdf ? pdf_count_pages(ctx, render->pdf) : (int)picture_pages(render->picture);
    if (pages < 1)
        return err_set(err, E_SOURCE_PAGES, "no pages");
    if (pages > DOC_MAX_PAGES)
        return err_set(err, E_SOURCE_PAGES, "more than %d pages", DOC_MAX_PAGES);
    render->pages = (uint32_t)pages;
    return 0;
}

static int source_caught(fz_context *ctx, struct err *err)
{
    if (strstr(fz_caught_message(ctx), "encryption"))
        return err_set(err, E_SOURCE_ENCRYPTED, "the PDF is encrypted in a way that is not known");
    return render_caught(ctx, E_SOURCE_BROKEN, "opening", err);
}

int render_open(struct render *render, int fd, uint64_t bytes, struct err *err)
{
    render_close(render);
    if (!bytes)
        return err_set(err, E_SOURCE_EMPTY, "0 bytes");
    render->fd = fd;
    render->bytes = bytes;
    int rc = 0;
    fz_try(render->ctx)
    {
        source_load(render);
        rc = source_check(render, err);
    }
    fz_catch(render->ctx) rc = source_caught(render->ctx, err);
    if (rc)
        render_close(render);
    return rc;
}

void render_close(struct render *render)
{
    fz_context *ctx = render->ctx;
    pdf_drop_document(ctx, render->pdf);
    picture_drop(ctx, render->picture);
    render->pdf = NULL;
    render->picture = NULL;
    render->fd = -1;
    render->bytes = 0;
    render->pages = 0;
    render->kind = SOHOA__SOURCE_KIND__SOURCE_UNKNOWN;
    fz_empty_store(ctx);
    fz_purge_glyph_cache(ctx);
}

/* A form that makes no sense has no signatures, and is no reason to refuse the pages. Errors: E_MEMORY. */
static int probe_signatures(struct render *render, Sohoa__Probe *probe, struct err *err)
{
    int rc = 0;
    fz_try(render->ctx) signatures_note(render->ctx, render->pdf, probe);
    fz_catch(render->ctx)
    {
        if (fz_caught(render->ctx) == FZ_ERROR_MEMORY)
            rc = render_caught(render->ctx, E_MEMORY, "signatures", err);
    }
    return rc;
}

static int probe_glance(struct render *render, Sohoa__Probe *probe, struct err *err)
{
    struct frame frame;
    int rc = 0;
    fz_try(render->ctx)
    {
        if (render->pdf) {
            glance(render->ctx, render->pdf, probe);
        } else {
            picture_frame(render->ctx, render->picture, 0, &frame);
            probe->dpi = (uint32_t)fmin(frame.xdpi, UINT16_MAX);
            probe->bits = frame.bits;
        }
    }
    fz_catch(render->ctx)
    {
        if (fz_caught(render->ctx) == FZ_ERROR_MEMORY)
            rc = render_caught(render->ctx, E_MEMORY, "images", err);
    }
    return rc;
}

int render_probe(struct render *render, Sohoa__Probe **ret_probe, struct err *err)
{
    if (!render->pages)
        return err_set(err, E_STATE, "no document is open");
    Sohoa__Probe *probe = malloc(sizeof *probe);
    if (!probe)
        return err_set(err, E_MEMORY, "no memory for a probe");
    sohoa__probe__init(probe);
    probe->pages = render->pages;
    probe->kind = render->kind;
    int rc = render->pdf ? probe_signatures(render, probe, err) : 0;
    if (!rc)
        rc = probe_glance(render, probe, err);
    if (rc)
        sohoa__probe__free_unpacked(probe, NULL);
    else
        *ret_probe = probe;
    return rc;
}

static void picture_load(struct render *render, uint32_t page_no, struct leaf *leaf)
{
    double w, h;
    picture_frame(render->ctx, render->picture, page_no - 1, &leaf->frame);
    leaf->image = picture_image(render->ctx, render->picture, page_no - 1);
    frame_size(&leaf->frame, &w, &h);
    leaf->box = (fz_rect){0, 0, (float)w, (float)h};
    leaf->place = fz_post_scale(frame_turn(&leaf->frame), (float)w, (float)h);
}

void leaf_load(struct render *render, uint32_t page_no, bool degraded, struct leaf *leaf)
{
    if (!render->pdf) {
        picture_load(render, page_no, leaf);
        return;
    }
    leaf->page = fz_load_page(render->ctx, &render->pdf->super, (int)page_no - 1);
    leaf->box = fz_bound_page(render->ctx, leaf->page);
    wavelets_load(render->ctx, pdf_page_from_fz_page(render->ctx, leaf->page)->obj, degraded, &leaf->wavelets);
}

void leaf_drop(fz_context *ctx, struct leaf *leaf)
{
    fz_drop_page(ctx, leaf->page);
    fz_drop_image(ctx, leaf->image);
    wavelets_drop(ctx, &leaf->wavelets);
    *leaf = (struct leaf){0};
}

void leaf_paint(fz_context *ctx, const struct leaf *leaf, fz_device *dev, fz_matrix to_px, fz_cookie *cookie)
{
    if (leaf->page)
        fz_run_page_contents(ctx, leaf->page, dev, to_px, cookie);
    else
        fz_fill_image(ctx, dev, leaf->image, fz_concat(leaf->place, to_px), 1, fz_default_color_params);
}

/* What is to be done with a page. */
struct plan {
    bool scan;      /* else born digital */
    bool own_words; /* its own text is to be taken */
    double dpi;     /* of its view */
};

static struct plan page_plan(const struct look *look)
{
    double covered = look_covered(look);
    bool believed = look->chars_unreadable * 100 <= look->chars * UNREADABLE_MAX_PCT;
    bool cover = covered >= SCAN_SHARE && look->chars <= OVERLAY_MAX_CHARS;
    bool part = covered >= SCAN_PART_SHARE && look->chars <= OVERLAY_PART_MAX_CHARS;
    bool text = look->chars >= TEXT_MIN_CHARS || (look->chars && !look->images && !look->paths);
    struct plan plan = {
        .scan = cover || part || !text || !believed, .own_words = look->chars && believed, .dpi = RENDER_DPI};
    if (plan.scan && look->covers == 1 && look->others <= 0)
        plan.dpi = look->dpi;
    else if (plan.scan && covered >= SCAN_PART_SHARE)
        plan.dpi = fmax(TILED_DPI_MIN, fmin(TILED_DPI_MAX, look->dpi));
    return plan;
}

static void page_describe(const struct look *look, const struct plan *plan, const struct view *view, Sohoa__Page *page)
{
    bool imaged = plan->scan && look_covered(look) >= SCAN_PART_SHARE;
    page->kind = plan->scan ? SOHOA__PAGE_KIND__PAGE_SCAN : SOHOA__PAGE_KIND__PAGE_TEXT;
    page->width_px = view->width_px;
    page->height_px = view->height_px;
    page->dpi_view = view->dpi;
    page->dpi_scan = imaged ? (uint32_t)fmax(1, round(look->dpi)) : 0;
    page->bits = imaged ? look->bits : 0;
    if (plan->scan && view->dpi < floor(plan->dpi))
        page_note(page, SOHOA__PAGE_NOTE__NOTE_REDUCED);
}

/* Below half the dpi of a large image MuPDF shrinks it while it is decoded: drawn a little finer it would be whole in
 * memory first. */
static uint32_t degraded_dpi(const struct look *look, const struct view *view)
{
    double dpi = view->dpi < DEGRADED_DPI ? view->dpi : DEGRADED_DPI;
    if (look->cover && (uint64_t)look->cover->w * (uint64_t)look->cover->h > DECODED_WHOLE_PX)
        dpi = fmin(dpi, floor(look->dpi * SHRINK_SHARE));
    return (uint32_t)fmax(1, dpi);
}

static struct raster *page_raster(struct render *render, const struct leaf *leaf, const struct look *look,
                                  const struct plan *plan, const struct view *view, bool degraded)
{
    enum drawn drawn = plan->own_words ? DRAWN_PICTURES : DRAWN_CONTENTS;
    if (degraded)
        return pixels_draw(render->ctx, leaf, view, degraded_dpi(look, view), false, drawn);
    struct raster *raster = pixels_take(render->ctx, look, view, render->max_pixels);
    bool colour = look->colour || look->paths || !look->images;
    return raster ? raster : pixels_draw(render->ctx, leaf, view, view->dpi, colour, drawn);
}

/* One page under work: owned here, so that a throw leaks nothing. */
struct turn {
    struct leaf leaf;
    struct look look;
    struct words words;
    struct raster *raster;
};

static bool word_is_none(const Sohoa__Word *word, const void *user)
{
    (void)word, (void)user;
    return false;
}

static int turn_page(struct render *render, uint32_t page_no, bool degraded, struct turn *turn, Sohoa__Page *page,
                     Sohoa__Page *layer, struct err *err)
{
    fz_context *ctx = render->ctx;
    leaf_load(render, page_no, degraded, &turn->leaf);
    look_at(ctx, &turn->leaf, &turn->look);
    const struct look *look = &turn->look;
    if (look->errors && !look->images && !look->paths && !look->chars)
        return err_set(err, E_PAGE_BROKEN, "the page's contents make no sense");
    struct plan plan = page_plan(look);
    struct view view;
    if (!view_fit(&turn->leaf, plan.dpi, render->max_pixels, &view))
        return err_set(err, E_PAGE_SIZE, "%.0f x %.0f points are above max_pixels even at %d dpi", turn->leaf.box.x1,
                       turn->leaf.box.y1, DPI_MIN);
    words_load(ctx, &turn->leaf, look->texts_under, plan.own_words, &turn->words);
    if (layer && plan.scan && look->chars_hidden)
        words_load_hidden(ctx, &turn->leaf, look->texts_under, &turn->words);
    fz_flush_warnings(ctx); /* else the same one again would not be heard */
    unsigned complaints = render->complaints;
    if (plan.scan)
        turn->raster = page_raster(render, &turn->leaf, look, &plan, &view, degraded);
    if (render->complaints > complaints)
        page_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED);
    page_describe(look, &plan, &view, page);
    page->degraded = degraded;
    int rc = words_add(&turn->words, &view, page, err);
    if (!rc && layer && words_add_hidden(&turn->words, &view, layer, NULL))
        page_prune(layer, word_is_none, NULL); /* so large a layer is none, and no reason to refuse the page */
    return rc;
}

static int page_there(const struct render *render, uint32_t page_no, struct err *err)
{
    return page_no && page_no <= render->pages
               ? 0
               : err_set(err, E_PAGE_BROKEN, "there is no page %u of %u", page_no, render->pages);
}

static void turn_drop(fz_context *ctx, struct turn *turn)
{
    words_drop(ctx, &turn->words);
    look_drop(ctx, &turn->look);
    leaf_drop(ctx, &turn->leaf);
}

/* Gives the picture, or says of which page the error is. */
static int turn_end(struct turn *turn, int rc, uint32_t page_no, struct raster **ret_raster, struct err *err)
{
    if (rc)
        raster_destroy(&turn->raster);
    else
        *ret_raster = turn->raster;
    if (rc && err)
        err->page_no = page_no;
    return rc;
}

int render_page(struct render *render, uint32_t page_no, bool degraded, Sohoa__Page *page, Sohoa__Page *layer,
                struct raster **ret_raster, struct err *err)
{
    struct turn turn = {0};
    int rc = page_there(render, page_no, err);
    if (rc)
        return rc;
    fz_var(turn);
    fz_var(rc);
    fz_try(render->ctx) rc = turn_page(render, page_no, degraded, &turn, page, layer, err);
    fz_always(render->ctx) turn_drop(render->ctx, &turn);
    fz_catch(render->ctx) rc = render_caught(render->ctx, E_PAGE_BROKEN, "rendering", err);
    return turn_end(&turn, rc, page_no, ret_raster, err);
}

/* ---- a page as it is seen ---- */

static bool leaf_is_noted(fz_context *ctx, const struct leaf *leaf)
{
    pdf_page *page = leaf->page ? pdf_page_from_fz_page(ctx, leaf->page) : NULL;
    return page && (pdf_first_annot(ctx, page) || pdf_first_widget(ctx, page));
}

static int seen_page(struct render *render, uint32_t page_no, bool only_noted, struct turn *turn, Sohoa__Page *page,
                     struct err *err)
{
    fz_context *ctx = render->ctx;
    struct view view;
    leaf_load(render, page_no, true, &turn->leaf);
    if (only_noted && !leaf_is_noted(ctx, &turn->leaf))
        return 0;
    look_at(ctx, &turn->leaf, &turn->look);
    struct plan plan = page_plan(&turn->look);
    if (!view_fit(&turn->leaf, plan.dpi, render->max_pixels, &view))
        return err_set(err, E_PAGE_SIZE, "%.0f x %.0f points are above max_pixels even at %d dpi", turn->leaf.box.x1,
                       turn->leaf.box.y1, DPI_MIN);
    if (!page->width_px)
        page_describe(&turn->look, &plan, &view, page);
    uint32_t dpi = view.dpi < SEEN_DPI ? view.dpi : SEEN_DPI;
    turn->raster = pixels_draw(ctx, &turn->leaf, &view, dpi, true, DRAWN_ALL);
    return 0;
}

int render_seen(struct render *render, uint32_t page_no, bool only_noted, Sohoa__Page *page, struct raster **ret_raster,
                struct err *err)
{
    struct turn turn = {0};
    int rc = page_there(render, page_no, err);
    if (rc)
        return rc;
    fz_var(turn);
    fz_var(rc);
    fz_try(render->ctx) rc = seen_page(render, page_no, only_noted, &turn, page, err);
    fz_always(render->ctx) turn_drop(render->ctx, &turn);
    fz_catch(render->ctx) rc = render_caught(render->ctx, E_PAGE_BROKEN, "drawing", err);
    return turn_end(&turn, rc, page_no, ret_raster, err);
}
