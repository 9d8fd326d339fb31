/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Pictures of pages: the scan's own pixels where they are what is seen, else a rendering. */
#include "worker/mupdf.h"

#include <math.h>
#include <string.h>

enum { HALVINGS_MAX = 6 }; /* MuPDF's own limit: sides of 1/64 */

static const double SQUARE_SLACK = 0.03;   /* a picture's two resolutions may differ by this share */
static const double UPRIGHT_SLACK = 0.003; /* share of a side that an image may lean: 0.17 degrees */
static const double OTHERS_SHARE = 0.01;   /* of the page under other images that own pixels may leave out */

bool view_fit(const struct leaf *leaf, double dpi, uint64_t max_pixels, struct view *view)
{
    double w = leaf->box.x1 - leaf->box.x0, h = leaf->box.y1 - leaf->box.y0;
    double most = fmin(72 * sqrt((double)max_pixels / (w * h)), 72.0 * SIDE_MAX_PX / fmax(w, h));
    if (!(most >= DPI_MIN))
        return false;
    double fit = dpi <= most ? round(dpi) : floor(most);
    if (fit < 1)
        fit = 1;
    *view = (struct view){.width_pt = w, .height_pt = h, .dpi = (uint32_t)fit};
    view->width_px = (uint32_t)fmax(1, round(w * fit / 72));
    view->height_px = (uint32_t)fmax(1, round(h * fit / 72));
    return true;
}

static struct raster *raster_or_throw(fz_context *ctx, uint32_t width_px, uint32_t height_px, uint32_t channels)
{
    struct raster *raster = raster_new(width_px, height_px, channels);
    if (!raster)
        fz_throw(ctx, FZ_ERROR_MEMORY, "no memory for %u x %u pixels", width_px, height_px);
    return raster;
}

/* Samples of a pixmap in the order of the page as displayed. */
struct walk {
    const uint8_t *first; /* the sample shown top left */
    ptrdiff_t right, down;
    uint32_t width, height;
};

/* place: unit square -> page, of right angles only. */
static struct walk walk_of(const fz_pixmap *pixmap, fz_matrix place)
{
    bool lying = fabsf(place.b) > fabsf(place.a);
    bool flip_x = lying ? place.b < 0 : place.a < 0; /* of the stored x and y axes */
    bool flip_y = lying ? place.c < 0 : place.d < 0;
    ptrdiff_t x = pixmap->n, y = pixmap->stride;
    const uint8_t *first = pixmap->samples;
    if (flip_x) {
        first += x * (pixmap->w - 1);
        x = -x;
    }
    if (flip_y) {
        first += y * (pixmap->h - 1);
        y = -y;
    }
    uint32_t w = (uint32_t)pixmap->w, h = (uint32_t)pixmap->h;
    return lying ? (struct walk){first, y, x, h, w} : (struct walk){first, x, y, w, h};
}

static void row_turned(const uint8_t *from, ptrdiff_t right, uint8_t *to, uint32_t width, uint32_t channels)
{
    if (channels == 1) {
        for (uint32_t x = 0; x < width; x++, from += right)
            to[x] = *from;
        return;
    }
    for (uint32_t x = 0; x < width; x++, from += right, to += 3) {
        to[0] = from[0];
        to[1] = from[1];
        to[2] = from[2];
    }
}

static void walk_bytes(const struct walk *walk, struct raster *raster)
{
    uint32_t n = raster->channels;
    for (uint32_t y = 0; y < walk->height; y++) {
        const uint8_t *from = walk->first + (ptrdiff_t)y * walk->down;
        uint8_t *to = raster->data + y * raster->stride_bytes;
        if (walk->right == (ptrdiff_t)n)
            memcpy(to, from, (size_t)walk->width * n);
        else
            row_turned(from, walk->right, to, walk->width, n);
    }
}

/* Two shades: what is on ink's side of threshold is 1. */
static void walk_bits(const struct walk *walk, struct raster *raster, unsigned threshold, bool ink_is_high)
{
    for (uint32_t y = 0; y < walk->height; y++) {
        const uint8_t *from = walk->first + (ptrdiff_t)y * walk->down;
        uint8_t *to = raster->data + y * raster->stride_bytes;
        for (uint32_t x = 0; x < walk->width; x++, from += walk->right)
            if ((*from >= threshold) == ink_is_high)
                to[x >> 3] |= (uint8_t)(0x80 >> (x & 7));
    }
}

/* Between the two shades that a palette may give; 128 where there is only one. */
static unsigned middle_shade(const fz_pixmap *pixmap)
{
    unsigned low = 255, high = 0;
    for (int y = 0; y < pixmap->h; y++) {
        const uint8_t *p = pixmap->samples + (ptrdiff_t)y * pixmap->stride;
        for (int x = 0; x < pixmap->w; x++) {
            low = p[x] < low ? p[x] : low;
            high = p[x] > high ? p[x] : high;
        }
    }
    return low == high ? 128 : (low + high + 1) / 2;
}

static bool place_is_simple(const struct look *look, const fz_image *image)
{
    fz_matrix m = look->cover_place;
    double straight = fmax(fabsf(m.a), fabsf(m.d)), turned = fmax(fabsf(m.b), fabsf(m.c));
    if (fmin(straight, turned) > UPRIGHT_SLACK * fmax(straight, turned))
        return false;
    double xdpi = image->w * 72.0 / hypot(m.a, m.b), ydpi = image->h * 72.0 / hypot(m.c, m.d);
    return fabs(xdpi - ydpi) <= SQUARE_SLACK * fmax(xdpi, ydpi);
}

static bool cover_is_all(const struct look *look)
{
    const fz_image *image = look->cover;
    return look->covers == 1 && !look->odd && !look->painted_over && !look->cover_clipped &&
           look->others < OTHERS_SHARE && !image->mask && !image->use_colorkey && place_is_simple(look, image);
}

/* How often its sides must be halved until it fits. */
static unsigned image_halvings(const fz_image *image, uint64_t max_pixels)
{
    unsigned halvings = 0;
    while (halvings < HALVINGS_MAX &&
           ((uint64_t)(image->w >> halvings) * (uint64_t)(image->h >> halvings) > max_pixels ||
            image->w >> halvings > SIDE_MAX_PX || image->h >> halvings > SIDE_MAX_PX))
        halvings++;
    return halvings;
}

/* Lays premultiplied samples on white. */
static fz_pixmap *pixmap_flatten(fz_context *ctx, const fz_pixmap *pixmap)
{
    int n = pixmap->n - 1;
    fz_pixmap *flat = fz_new_pixmap(ctx, pixmap->colorspace, pixmap->w, pixmap->h, NULL, 0);
    for (int y = 0; y < pixmap->h; y++) {
        const uint8_t *from = pixmap->samples + (ptrdiff_t)y * pixmap->stride;
        uint8_t *to = flat->samples + (ptrdiff_t)y * flat->stride;
        for (int x = 0; x < pixmap->w; x++, from += n + 1)
            for (int c = 0; c < n; c++)
                *to++ = (uint8_t)fz_mini(255, from[c] + 255 - from[n]);
    }
    return flat;
}

/* An image's pixels as gray or RGB without alpha, laid on white; of a stencil, its alpha alone. Asked of the image itself,
 * not of MuPDF's store, so that no second copy stays there. The decoder halves the sides as often as it can: left in
 * *halvings is how often is still to do. */
static fz_pixmap *pixels_plain(fz_context *ctx, fz_image *image, bool gray, int *halvings)
{
    fz_pixmap *pixmap = image->get_pixmap(ctx, image, NULL, image->w, image->h, halvings), *opaque = NULL,
              *plain = NULL;
    fz_var(pixmap);
    fz_var(opaque);
    fz_try(ctx)
    {
        opaque = pixmap->colorspace && pixmap->alpha ? pixmap_flatten(ctx, pixmap) : fz_keep_pixmap(ctx, pixmap);
        fz_drop_pixmap(ctx, pixmap);
        pixmap = NULL;
        bool is_gray = !opaque->colorspace || fz_colorspace_is_gray(ctx, opaque->colorspace);
        if (is_gray || (!gray && fz_colorspace_is_rgb(ctx, opaque->colorspace)))
            plain = fz_keep_pixmap(ctx, opaque);
        else
            plain = fz_convert_pixmap(ctx, opaque, gray ? fz_device_gray(ctx) : fz_device_rgb(ctx), NULL, NULL,
                                      fz_default_color_params, 0);
    }
    fz_always(ctx)
    {
        fz_drop_pixmap(ctx, opaque);
        fz_drop_pixmap(ctx, pixmap);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return plain;
}

/* The pixmap's samples become the raster's where nobody else has them and no pixel has to move. */
static bool samples_hand_over(fz_pixmap *pixmap, const struct walk *walk, struct raster *raster)
{
    if (pixmap->storable.refs != 1 || !(pixmap->flags & FZ_PIXMAP_FLAG_FREE_SAMPLES) ||
        walk->first != pixmap->samples || walk->right != pixmap->n || (size_t)walk->down != raster->stride_bytes)
        return false;
    raster->data = pixmap->samples;
    pixmap->samples = NULL;
    pixmap->flags &= ~FZ_PIXMAP_FLAG_FREE_SAMPLES;
    return true;
}

static struct raster *raster_of_samples(fz_context *ctx, fz_pixmap *pixmap, const struct walk *walk)
{
    struct raster *raster = raster_empty(walk->width, walk->height, pixmap->n == 1 ? 1 : 3);
    if (raster && samples_hand_over(pixmap, walk, raster))
        return raster;
    raster_destroy(&raster);
    raster = raster_or_throw(ctx, walk->width, walk->height, pixmap->n == 1 ? 1 : 3);
    walk_bytes(walk, raster);
    return raster;
}

static struct raster *raster_of(fz_context *ctx, fz_pixmap *pixmap, fz_matrix place, bool bilevel)
{
    struct walk walk = walk_of(pixmap, place);
    if (!bilevel)
        return raster_of_samples(ctx, pixmap, &walk);
    struct raster *raster = raster_or_throw(ctx, walk.width, walk.height, 0);
    if (!pixmap->colorspace)
        walk_bits(&walk, raster, 128, true);
    else
        walk_bits(&walk, raster, middle_shade(pixmap), false);
    return raster;
}

/* A stencil's alpha is ink: as gray it is to be dark. */
static void samples_invert(fz_pixmap *pixmap)
{
    size_t bytes = (size_t)pixmap->h * (size_t)pixmap->stride;
    for (size_t i = 0; i < bytes; i++)
        pixmap->samples[i] = (uint8_t)~pixmap->samples[i];
}

static struct raster *image_raster(fz_context *ctx, fz_image *image, fz_matrix place, bool bilevel, unsigned halvings)
{
    struct raster *raster = NULL;
    int left = (int)halvings;
    fz_pixmap *pixmap = pixels_plain(ctx, image, bilevel, &left);
    fz_var(raster);
    fz_try(ctx)
    {
        if (halvings && !pixmap->colorspace)
            samples_invert(pixmap);
        raster = raster_of(ctx, pixmap, place, bilevel && !halvings);
    }
    fz_always(ctx) fz_drop_pixmap(ctx, pixmap);
    fz_catch(ctx) fz_rethrow(ctx);
    for (; left > 0; left--)
        raster_halve(raster);
    return raster;
}

struct raster *pixels_of(fz_context *ctx, fz_image *image, bool bilevel)
{
    struct raster *raster = bilevel ? bits_take(ctx, image) : NULL;
    return raster ? raster : image_raster(ctx, image, fz_identity, bilevel, 0);
}

/* Where rect of the page lies in the view. */
static void raster_place(struct raster *raster, fz_rect rect, const struct view *view)
{
    double scale = view->dpi / 72.0;
    raster->to_view[0] = (rect.x1 - rect.x0) * scale / raster->width_px;
    raster->to_view[3] = (rect.y1 - rect.y0) * scale / raster->height_px;
    raster->to_view[4] = rect.x0 * scale;
    raster->to_view[5] = rect.y0 * scale;
}

static bool place_is_upright(fz_matrix place)
{
    return fabsf(place.b) <= fabsf(place.a) && place.a > 0 && place.d > 0;
}

struct raster *pixels_take(fz_context *ctx, const struct look *look, const struct view *view, uint64_t max_pixels)
{
    if (!cover_is_all(look) || (look->cover_stencil && look->bits != 1))
        return NULL;
    struct raster *raster = NULL;
    unsigned halvings = image_halvings(look->cover, max_pixels);
    if (look->bits == 1 && !halvings && place_is_upright(look->cover_place))
        raster = bits_take(ctx, look->cover);
    if (!raster)
        raster = image_raster(ctx, look->cover, look->cover_place, look->bits == 1, halvings);
    raster->dpi = (uint32_t)fmax(1, round(look->dpi / (1 << halvings)));
    raster_place(raster, fz_transform_rect(fz_unit_rect, look->cover_place), view);
    return raster;
}

static void page_draw(fz_context *ctx, const struct leaf *leaf, fz_pixmap *pixmap, float scale, enum drawn drawn)
{
    fz_clear_pixmap_with_value(ctx, pixmap, 255);
    fz_device *dev = fz_new_draw_device(ctx, fz_identity, pixmap);
    fz_try(ctx)
    {
        if (drawn == DRAWN_PICTURES)
            dev->fill_text = NULL, dev->stroke_text = NULL;
        if (drawn == DRAWN_ALL && leaf->page)
            fz_run_page(ctx, leaf->page, dev, fz_scale(scale, scale), NULL);
        else
            leaf_paint(ctx, leaf, dev, fz_scale(scale, scale), NULL);
        fz_close_device(ctx, dev);
    }
    fz_always(ctx) fz_drop_device(ctx, dev);
    fz_catch(ctx) fz_rethrow(ctx);
}

struct raster *pixels_draw(fz_context *ctx, const struct leaf *leaf, const struct view *view, uint32_t dpi, bool colour,
                           enum drawn drawn)
{
    float scale = (float)dpi / 72;
    fz_irect box = {0, 0, (int)fmax(1, round(view->width_pt * scale)), (int)fmax(1, round(view->height_pt * scale))};
    fz_colorspace *space = colour ? fz_device_rgb(ctx) : fz_device_gray(ctx);
    struct raster *raster = NULL;
    fz_var(raster);
    fz_pixmap *pixmap = fz_new_pixmap_with_bbox(ctx, space, box, NULL, 0);
    fz_try(ctx)
    {
        page_draw(ctx, leaf, pixmap, scale, drawn);
        raster = raster_of(ctx, pixmap, fz_identity, false);
    }
    fz_always(ctx) fz_drop_pixmap(ctx, pixmap);
    fz_catch(ctx) fz_rethrow(ctx);
    raster->dpi = dpi;
    raster_place(raster, leaf->box, view);
    return raster;
}
