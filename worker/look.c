/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Looks at a page without drawing it: a device that MuPDF runs the page's contents over, and which only takes notes. */
#include "worker/mupdf.h"

#include <math.h>
#include <string.h>

/* Shares of the page's area. */
static const double COVER_SHARE = 0.80;   /* an image from here on covers the page */
static const double MATTER_SHARE = 0.01;  /* an image below is a logo at most */
static const double PAINT_SHARE = 0.0005; /* a drawing below is a rule or a dot */
static const double CLIP_SLACK = 0.98;    /* of its area that a clip must leave of a cover */
static const float DARK = 0.25f;          /* lightness up to which a stencil is ink */

struct look_device {
    fz_device super;
    struct look *look;
};

static struct look *look_of(fz_device *dev)
{
    return ((struct look_device *)dev)->look;
}

static double rect_area(fz_rect rect)
{
    return fz_is_empty_rect(rect) ? 0 : (double)(rect.x1 - rect.x0) * (rect.y1 - rect.y0);
}

static double rect_share(const struct look *look, fz_rect rect)
{
    return rect_area(fz_intersect_rect(rect, look->box)) / rect_area(look->box);
}

/* Notes which parts of the page an image covers. */
static void look_mark(struct look *look, fz_rect rect)
{
    float w = (look->box.x1 - look->box.x0) / LOOK_CELLS, h = (look->box.y1 - look->box.y0) / LOOK_CELLS;
    for (unsigned row = 0; row < LOOK_CELLS; row++)
        for (unsigned column = 0; column < LOOK_CELLS; column++) {
            float x = look->box.x0 + ((float)column + 0.5f) * w, y = look->box.y0 + ((float)row + 0.5f) * h;
            if (x >= rect.x0 && x < rect.x1 && y >= rect.y0 && y < rect.y1)
                look->cell[row][column] = 1;
        }
}

double look_covered(const struct look *look)
{
    unsigned covered = 0;
    for (unsigned row = 0; row < LOOK_CELLS; row++)
        for (unsigned column = 0; column < LOOK_CELLS; column++)
            covered += look->cell[row][column];
    return covered / (double)(LOOK_CELLS * LOOK_CELLS);
}

static double place_dpi(const fz_image *image, fz_matrix place)
{
    double w = hypot(place.a, place.b), h = hypot(place.c, place.d);
    if (w <= 0 || h <= 0)
        return 0;
    return fmax(image->w * 72.0 / w, image->h * 72.0 / h);
}

static uint32_t image_bits(fz_context *ctx, const fz_image *image)
{
    if (image->n == 1 && image->bpc == 1)
        return 1;
    return image->colorspace && !fz_colorspace_is_gray(ctx, image->colorspace) ? 24 : 8;
}

/* What was shown so far lies under an opaque image. */
static void look_bury_text(struct look *look)
{
    look->chars_hidden += look->chars;
    look->chars = look->chars_unreadable = 0;
    look->texts_under = look->texts;
}

static void look_cover(fz_context *ctx, struct look *look, fz_image *image, fz_matrix place, bool stencil, bool clipped,
                       bool opaque)
{
    if (look->covers++ == 0) {
        look->cover = fz_keep_image(ctx, image);
        look->cover_place = place;
        look->cover_stencil = stencil;
        look->cover_clipped = clipped;
    }
    if (opaque && !clipped) {
        look_bury_text(look);
        look->painted_over = false;
    }
}

static void look_image(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix place, bool stencil, bool opaque)
{
    struct look *look = look_of(dev);
    fz_rect whole = fz_transform_rect(fz_unit_rect, place);
    fz_rect seen = fz_intersect_rect(whole, fz_device_current_scissor(ctx, dev));
    double share = rect_share(look, seen);
    if (share <= 0)
        return;
    look->images++;
    if (share < MATTER_SHARE)
        return;
    look_mark(look, seen);
    look->dpi = fmax(look->dpi, place_dpi(image, place));
    uint32_t bits = image_bits(ctx, image);
    look->bits = bits > look->bits ? bits : look->bits;
    look->colour = look->colour || bits == 24;
    if (share >= COVER_SHARE)
        look_cover(ctx, look, image, place, stencil,
                   rect_area(seen) < CLIP_SLACK * rect_area(fz_intersect_rect(whole, look->box)), opaque);
    if (share < COVER_SHARE || look->covers > 1)
        look->others += share;
}

static void look_fill_image(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix place, float alpha,
                            fz_color_params params)
{
    (void)params;
    struct look *look = look_of(dev);
    look->odd = look->odd || alpha < 1;
    look_image(ctx, dev, image, place, false, alpha >= 1 && !image->mask && !image->use_colorkey);
}

static void look_fill_image_mask(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix place,
                                 fz_colorspace *space, const float *color, float alpha, fz_color_params params)
{
    struct look *look = look_of(dev);
    float gray = 0;
    if (space)
        fz_convert_color(ctx, space, color, fz_device_gray(ctx), &gray, NULL, params);
    look->odd = look->odd || alpha < 1 || gray > DARK;
    look_image(ctx, dev, image, place, true, false);
}

static void look_clip_image_mask(fz_context *ctx, fz_device *dev, fz_image *image, fz_matrix place, fz_rect scissor)
{
    (void)ctx, (void)image, (void)place, (void)scissor;
    look_of(dev)->odd = true;
}

/* rect: what a drawing paints. */
static void look_paint(fz_context *ctx, fz_device *dev, fz_rect rect)
{
    struct look *look = look_of(dev);
    double share = rect_share(look, fz_intersect_rect(rect, fz_device_current_scissor(ctx, dev)));
    if (share <= 0)
        return;
    look->paths = true;
    if (look->covers && share >= PAINT_SHARE)
        look->painted_over = true;
}

static void look_fill_path(fz_context *ctx, fz_device *dev, const fz_path *path, int even_odd, fz_matrix ctm,
                           fz_colorspace *space, const float *color, float alpha, fz_color_params params)
{
    (void)even_odd, (void)space, (void)color, (void)alpha, (void)params;
    look_paint(ctx, dev, fz_bound_path(ctx, path, NULL, ctm));
}

/* A stroke paints little of its bounds: only a thick one hides anything. */
static void look_stroke_path(fz_context *ctx, fz_device *dev, const fz_path *path, const fz_stroke_state *stroke,
                             fz_matrix ctm, fz_colorspace *space, const float *color, float alpha,
                             fz_color_params params)
{
    (void)space, (void)color, (void)alpha, (void)params;
    enum { THICK_PT = 4 };
    struct look *look = look_of(dev);
    look->paths = true;
    if (stroke->linewidth * fz_matrix_expansion(ctm) >= THICK_PT)
        look_paint(ctx, dev, fz_bound_path(ctx, path, stroke, ctm));
}

static void look_fill_shade(fz_context *ctx, fz_device *dev, fz_shade *shade, fz_matrix ctm, float alpha,
                            fz_color_params params)
{
    (void)alpha, (void)params;
    look_of(dev)->colour = true;
    look_paint(ctx, dev, fz_bound_shade(ctx, shade, ctm));
}

static void look_begin_mask(fz_context *ctx, fz_device *dev, fz_rect area, int luminosity, fz_colorspace *space,
                            const float *color, fz_color_params params)
{
    (void)ctx, (void)area, (void)luminosity, (void)space, (void)color, (void)params;
    look_of(dev)->odd = true;
}

static void look_begin_group(fz_context *ctx, fz_device *dev, fz_rect area, fz_colorspace *space, int isolated,
                             int knockout, int blendmode, float alpha)
{
    (void)ctx, (void)area, (void)space, (void)isolated, (void)knockout;
    if (alpha < 1 || blendmode != FZ_BLEND_NORMAL)
        look_of(dev)->odd = true;
}

/* Fonts of Vietnamese encodings from before Unicode (TCVN3, VNI): their files give Latin letters as meaning. */
static bool font_misleads(fz_context *ctx, fz_font *font)
{
    static const char *const prefix[] = {".Vn", "VNI-", "VNI ", "VNI"};
    const char *name = fz_font_name(ctx, font);
    const char *plus = strchr(name, '+');
    if (plus && plus - name == 6)
        name = plus + 1;
    for (size_t i = 0; i < sizeof prefix / sizeof *prefix; i++)
        if (!strncmp(name, prefix[i], strlen(prefix[i])))
            return true;
    return false;
}

static bool meaning_unknown(int c)
{
    return c == FZ_REPLACEMENT_CHARACTER || c < ' ' || (c >= 0xe000 && c <= 0xf8ff);
}

static void look_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm, bool visible)
{
    struct look *look = look_of(dev);
    look->texts += visible;
    for (const fz_text_span *span = text->head; span; span = span->next) {
        bool misleads = font_misleads(ctx, span->font);
        for (int i = 0; i < span->len; i++) {
            const fz_text_item *item = &span->items[i];
            fz_point at = fz_transform_point_xy(item->x, item->y, ctm);
            if (item->gid < 0 || item->ucs == ' ' || !fz_is_point_inside_rect(at, look->box))
                continue;
            look->chars += visible;
            look->chars_hidden += !visible;
            look->chars_unreadable += visible && (misleads || meaning_unknown(item->ucs));
        }
    }
}

static void look_fill_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm, fz_colorspace *space,
                           const float *color, float alpha, fz_color_params params)
{
    (void)space, (void)color, (void)alpha, (void)params;
    look_text(ctx, dev, text, ctm, true);
}

static void look_stroke_text(fz_context *ctx, fz_device *dev, const fz_text *text, const fz_stroke_state *stroke,
                             fz_matrix ctm, fz_colorspace *space, const float *color, float alpha,
                             fz_color_params params)
{
    (void)stroke, (void)space, (void)color, (void)alpha, (void)params;
    look_text(ctx, dev, text, ctm, true);
}

static void look_ignore_text(fz_context *ctx, fz_device *dev, const fz_text *text, fz_matrix ctm)
{
    look_text(ctx, dev, text, ctm, false);
}

static fz_device *look_device_new(fz_context *ctx, struct look *look)
{
    struct look_device *dev = fz_new_derived_device(ctx, struct look_device);
    dev->look = look;
    dev->super.fill_path = look_fill_path;
    dev->super.stroke_path = look_stroke_path;
    dev->super.fill_shade = look_fill_shade;
    dev->super.fill_image = look_fill_image;
    dev->super.fill_image_mask = look_fill_image_mask;
    dev->super.clip_image_mask = look_clip_image_mask;
    dev->super.fill_text = look_fill_text;
    dev->super.stroke_text = look_stroke_text;
    dev->super.ignore_text = look_ignore_text;
    dev->super.begin_mask = look_begin_mask;
    dev->super.begin_group = look_begin_group;
    return &dev->super;
}

void look_at(fz_context *ctx, const struct leaf *leaf, struct look *look)
{
    *look = (struct look){.box = leaf->box};
    fz_cookie cookie = {0};
    fz_device *dev = look_device_new(ctx, look);
    fz_try(ctx)
    {
        leaf_paint(ctx, leaf, dev, fz_identity, &cookie);
        fz_close_device(ctx, dev);
        look->errors = cookie.errors;
    }
    fz_always(ctx) fz_drop_device(ctx, dev);
    fz_catch(ctx) fz_rethrow(ctx);
    if (leaf->image)
        look->bits = leaf->frame.bits;
}

void look_drop(fz_context *ctx, struct look *look)
{
    fz_drop_image(ctx, look->cover);
    look->cover = NULL;
}
