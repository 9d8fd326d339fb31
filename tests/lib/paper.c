/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/lib/paper.h"

#include <assert.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAPER_MAX_SIDE_PX = 20000 };

const char *__lsan_default_suppressions(void);

/* fontconfig keeps its caches until the process ends. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}

struct raster *paper_new(uint32_t width_px, uint32_t height_px, uint32_t dpi)
{
    struct raster *paper = raster_new(width_px, height_px, 3);
    assert(paper);
    paper->dpi = dpi;
    memset(paper->data, 255, paper->stride_bytes * paper->height_px);
    return paper;
}

static void set_colour(cairo_t *cairo, uint32_t colour)
{
    cairo_set_source_rgb(cairo, (colour >> 16) / 255.0, (colour >> 8 & 255) / 255.0, (colour & 255) / 255.0);
}

static uint8_t *pixel_at(const struct raster *paper, uint32_t x, uint32_t y)
{
    return paper->data + y * paper->stride_bytes + (size_t)x * paper->channels;
}

static void copy_pixels(struct raster *paper, cairo_surface_t *surface, bool to_paper)
{
    cairo_surface_flush(surface);
    for (uint32_t y = 0; y < paper->height_px; y++) {
        uint32_t *row = (uint32_t *)(void *)(cairo_image_surface_get_data(surface) +
                                             (size_t)cairo_image_surface_get_stride(surface) * y);
        for (uint32_t x = 0; x < paper->width_px; x++) {
            uint8_t *rgb = pixel_at(paper, x, y);
            if (to_paper)
                for (int c = 0; c < 3; c++)
                    rgb[c] = (uint8_t)(row[x] >> (16 - 8 * c));
            else
                row[x] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
        }
    }
    cairo_surface_mark_dirty(surface);
}

static cairo_t *pen_new(struct raster *paper)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)paper->width_px, (int)paper->height_px);
    copy_pixels(paper, surface, false);
    cairo_t *pen = cairo_create(surface);
    cairo_surface_destroy(surface);
    return pen;
}

static void pen_end(struct raster *paper, cairo_t *pen)
{
    assert(cairo_status(pen) == CAIRO_STATUS_SUCCESS);
    copy_pixels(paper, cairo_get_target(pen), true);
    cairo_destroy(pen);
}

void paper_write(struct raster *paper, uint32_t x, uint32_t y, double size_pt, uint32_t colour, const char *text)
{
    cairo_t *pen = pen_new(paper);
    PangoLayout *layout = pango_cairo_create_layout(pen);
    PangoFontDescription *font = pango_font_description_from_string("Liberation Serif");
    pango_font_description_set_absolute_size(font, size_pt * paper->dpi / 72 * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    cairo_move_to(pen, x, y);
    set_colour(pen, colour);
    pango_cairo_show_layout(pen, layout);
    pango_font_description_free(font);
    g_object_unref(layout);
    pen_end(paper, pen);
}

void paper_fill(struct raster *paper, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t colour)
{
    for (uint32_t row = y; row < paper->height_px && row < y + h; row++)
        for (uint32_t column = x; column < paper->width_px && column < x + w; column++)
            for (int c = 0; c < 3; c++)
                pixel_at(paper, column, row)[c] = (uint8_t)(colour >> (16 - 8 * c));
}

void paper_seal(struct raster *paper, double x, double y, double radius_px, uint32_t colour)
{
    cairo_t *pen = pen_new(paper);
    set_colour(pen, colour);
    cairo_set_line_width(pen, radius_px / 12);
    for (int ring = 0; ring < 2; ring++) {
        cairo_new_sub_path(pen);
        cairo_arc(pen, x, y, radius_px * (ring ? 0.7 : 1), 0, 2 * M_PI);
    }
    cairo_stroke(pen);
    for (int point = 0; point < 5; point++) {
        double angle = point * 4 * M_PI / 5 - M_PI / 2;
        cairo_line_to(pen, x + radius_px / 2 * cos(angle), y + radius_px / 2 * sin(angle));
    }
    cairo_fill(pen);
    pen_end(paper, pen);
}

/* The value between pixels; white outside. */
static double sample(const struct raster *paper, double x, double y, uint32_t channel)
{
    double value = 0;
    int left = (int)floor(x), top = (int)floor(y);
    for (int i = 0; i < 4; i++) {
        int px = left + (i & 1), py = top + (i >> 1);
        double weight = (1 - fabs(x - px)) * (1 - fabs(y - py));
        bool inside = px >= 0 && py >= 0 && px < (int)paper->width_px && py < (int)paper->height_px;
        value += weight * (inside ? pixel_at(paper, (uint32_t)px, (uint32_t)py)[channel] : 255);
    }
    return value;
}

struct raster *paper_turned(const struct raster *paper, double deg)
{
    bool lying = lround(deg / 90) & 1;
    struct raster *turned =
        paper_new(lying ? paper->height_px : paper->width_px, lying ? paper->width_px : paper->height_px, paper->dpi);
    double c = cos(deg * M_PI / 180), s = sin(deg * M_PI / 180);
    double cx = (turned->width_px - 1) / 2.0, cy = (turned->height_px - 1) / 2.0;
    for (uint32_t y = 0; y < turned->height_px; y++)
        for (uint32_t x = 0; x < turned->width_px; x++)
            for (uint32_t channel = 0; channel < 3; channel++)
                pixel_at(turned, x, y)[channel] =
                    (uint8_t)lround(sample(paper, (x - cx) * c + (y - cy) * s + (paper->width_px - 1) / 2.0,
                                           (y - cy) * c - (x - cx) * s + (paper->height_px - 1) / 2.0, channel));
    return turned;
}

struct raster *paper_mirrored(const struct raster *paper)
{
    struct raster *mirrored = paper_new(paper->width_px, paper->height_px, paper->dpi);
    for (uint32_t y = 0; y < paper->height_px; y++)
        for (uint32_t x = 0; x < paper->width_px; x++)
            memcpy(pixel_at(mirrored, x, y), pixel_at(paper, paper->width_px - 1 - x, y), 3);
    return mirrored;
}

struct raster *paper_gray(const struct raster *paper)
{
    struct raster *gray = raster_new(paper->width_px, paper->height_px, 1);
    assert(gray);
    gray->dpi = paper->dpi;
    for (uint32_t y = 0; y < paper->height_px; y++)
        for (uint32_t x = 0; x < paper->width_px; x++)
            *pixel_at(gray, x, y) = pixel_at(paper, x, y)[1];
    return gray;
}

struct raster *paper_bilevel(const struct raster *paper)
{
    struct raster *bilevel = raster_new(paper->width_px, paper->height_px, 0);
    assert(bilevel);
    bilevel->dpi = paper->dpi;
    for (uint32_t y = 0; y < paper->height_px; y++)
        for (uint32_t x = 0; x < paper->width_px; x++)
            if (pixel_at(paper, x, y)[1] < 128)
                bilevel->data[y * bilevel->stride_bytes + x / 8] |= (uint8_t)(0x80 >> x % 8);
    return bilevel;
}

struct raster *paper_scan(const char *name, unsigned page_no, unsigned dpi)
{
    const char *source = getenv("SOHOA_SOURCE");
    char path[4096], command[5000];
    snprintf(path, sizeof path, "%s/../shared/data/scans/%s", source ? source : ".", name);
    if (access(path, R_OK)) {
        printf("%s is not there\n", path);
        return NULL;
    }
    snprintf(command, sizeof command, "pdftoppm -r %u -f %u -l %u '%s'", dpi, page_no, page_no, path);
    FILE *pipe = popen(command, "r");
    unsigned width = 0, height = 0;
    assert(pipe);
    int found = fscanf(pipe, "P6 %u %u 255", &width, &height);
    assert(found == 2 && width && height && width < PAPER_MAX_SIDE_PX && height < PAPER_MAX_SIDE_PX);
    fgetc(pipe);
    struct raster *scan = paper_new(width, height, dpi);
    size_t rows = fread(scan->data, scan->stride_bytes, height, pipe);
    assert(rows == height);
    int status = pclose(pipe);
    assert(status == 0);
    return scan;
}
