/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the tests of render and pdf share: sources made in memory, and outside programs to judge what comes out. */
#ifndef SOHOA_TEST_SOURCES_H
#define SOHOA_TEST_SOURCES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "worker/page.h"
#include "worker/render.h"

#define TESSDATA   "/usr/share/tesseract-ocr/5/tessdata"
#define MAX_PIXELS 100000000u

static char test_dir[] = "/tmp/sohoa-test-XXXXXX";

static inline const char *data_dir(void)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/../shared/data", getenv("SOHOA_SOURCE") ? getenv("SOHOA_SOURCE") : ".");
    return path;
}

static inline int dir_setup(void **state)
{
    (void)state;
    return mkdtemp(test_dir) ? 0 : 1;
}

static inline int dir_teardown(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", test_dir);
    return system(command);
}

static inline void file_load(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_clear(out);
    for (size_t n = 1; n;) {
        n = fread(buf_reserve(out, 1 << 16), 1, 1 << 16, file);
        out->size += n;
    }
    buf_append(out, "", 0);
    fclose(file);
}

/* name in the test's folder; one of four buffers. */
static inline const char *dir_path(const char *name)
{
    static char path[4][256];
    static unsigned turn;
    char *to = path[turn++ % 4];
    snprintf(to, sizeof path[0], "%s/%s", test_dir, name);
    return to;
}

static inline void file_save(const char *name, const struct buf *data)
{
    FILE *file = fopen(dir_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data->data, 1, data->size, file), data->size);
    assert_int_equal(fclose(file), 0);
}

/* Runs a shell command in the test's folder; its exit status, and what it printed. */
static inline int run(struct buf *out, const char *format, ...)
{
    char command[4096];
    int n = snprintf(command, sizeof command, "cd %s && { ", test_dir);
    va_list ap;
    va_start(ap, format);
    n += vsnprintf(command + n, sizeof command - (size_t)n, format, ap);
    va_end(ap);
    snprintf(command + n, sizeof command - (size_t)n, "; } 2>&1");
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    buf_clear(out);
    for (size_t got = 1; got;) {
        got = fread(buf_reserve(out, 1 << 16), 1, 1 << 16, pipe);
        out->size += got;
    }
    buf_append(out, "", 0);
    int status = pclose(pipe);
    return status;
}

struct maker {
    struct buf pdf;
    size_t at[64]; /* of object i */
    unsigned objects;
};

static inline void maker_start(struct maker *maker)
{
    *maker = (struct maker){0};
    buf_puts(&maker->pdf, "%PDF-1.5\n%\xe2\xe3\xcf\xd3\n");
}

/* The next object; numbers count from 1. */
static inline void maker_object(struct maker *maker, const char *format, ...)
{
    char text[8192];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    maker->at[++maker->objects] = maker->pdf.size;
    buf_printf(&maker->pdf, "%u 0 obj\n%s\nendobj\n", maker->objects, text);
}

static inline void maker_stream(struct maker *maker, const char *dict, const void *data, size_t bytes)
{
    maker->at[++maker->objects] = maker->pdf.size;
    buf_printf(&maker->pdf, "%u 0 obj\n<<%s /Length %zu>>\nstream\n", maker->objects, dict, bytes);
    buf_append(&maker->pdf, data, bytes);
    buf_puts(&maker->pdf, "\nendstream\nendobj\n");
}

/* Object 1 is the catalog. */
static inline void maker_end(struct maker *maker)
{
    size_t xref = maker->pdf.size;
    buf_printf(&maker->pdf, "xref\n0 %u\n0000000000 65535 f \n", maker->objects + 1);
    for (unsigned i = 1; i <= maker->objects; i++)
        buf_printf(&maker->pdf, "%010zu 00000 n \n", maker->at[i]);
    buf_printf(&maker->pdf, "trailer\n<</Root 1 0 R /Size %u>>\nstartxref\n%zu\n%%%%EOF\n", maker->objects + 1, xref);
}

/* One page of w x h points with entries page, these contents, font /F1, and image /Im0 of iw x ih gray pixels (or none). */
static inline void maker_page(struct maker *maker, double w, double h, const char *page, const char *contents, int iw,
                              int ih, const char *image, const void *pixels)
{
    maker_start(maker);
    maker_object(maker, "<</Type/Catalog /Pages 2 0 R>>");
    maker_object(maker,
                 "<</Type/Pages /Kids[3 0 R] /Count 1 /Resources<</Font<</F1 5 0 R>> /XObject<</Im0 6 0 R>>>>>>");
    maker_object(maker, "<</Type/Page /Parent 2 0 R /MediaBox[0 0 %.2f %.2f] /Contents 4 0 R %s>>", w, h, page);
    maker_stream(maker, "", contents, strlen(contents));
    maker_object(maker, "<</Type/Font /Subtype/Type1 /BaseFont/Helvetica>>");
    if (pixels) {
        char dict[512];
        snprintf(dict, sizeof dict, "/Type/XObject /Subtype/Image /Width %d /Height %d %s", iw, ih, image);
        bool bits = strstr(image, "BitsPerComponent 1") || strstr(image, "ImageMask");
        maker_stream(maker, dict, pixels, (size_t)ih * (size_t)(bits ? (iw + 7) / 8 : iw));
    } else {
        maker_object(maker, "null");
    }
    maker_end(maker);
}

#define GRAY_IMAGE "/ColorSpace/DeviceGray /BitsPerComponent 8"

static inline int open_bytes(struct render *render, const void *data, size_t bytes, struct err *err)
{
    static int fd = -1; /* borrowed by render until the next source */
    render_close(render);
    if (fd >= 0)
        close(fd);
    fd = memfd_create("source", 0);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), (ssize_t)bytes);
    return render_open(render, fd, bytes, err);
}

static inline struct render *the_render(void)
{
    static struct render *render;
    struct err err;
    if (!render)
        assert_int_equal(render_new(MAX_PIXELS, TESSDATA, &render, &err), 0);
    return render;
}

static inline void open_ok(const struct buf *source)
{
    struct err err = {0};
    int rc = open_bytes(the_render(), source->data, source->size, &err);
    if (rc)
        fail_msg("%s: %s", err_name(rc), err.text);
}

static inline Sohoa__Page *page_ok(uint32_t page_no, bool degraded, struct raster **ret_raster)
{
    struct err err = {0};
    Sohoa__Page *page = page_new(page_no);
    int rc = render_page(the_render(), page_no, degraded, page, NULL, ret_raster, &err);
    if (rc)
        fail_msg("page %u: %s: %s", page_no, err_name(rc), err.text);
    return page;
}

/* 0 black to 255 white, whatever the raster is made of. */
static inline int shade_at(const struct raster *raster, uint32_t x, uint32_t y)
{
    const uint8_t *row = raster->data + y * raster->stride_bytes;
    if (!raster->channels)
        return row[x >> 3] >> (7 - (x & 7)) & 1 ? 0 : 255;
    return raster->channels == 1 ? row[x] : (row[3 * x] * 77 + row[3 * x + 1] * 151 + row[3 * x + 2] * 28) >> 8;
}

/* All lines, words separated by spaces, lines by newlines. */
static inline void page_text(const Sohoa__Page *page, struct buf *out)
{
    buf_clear(out);
    for (size_t b = 0; b < page->n_blocks; b++)
        for (size_t l = 0; l < page->blocks[b]->n_lines; l++) {
            const Sohoa__Line *line = page->blocks[b]->lines[l];
            for (size_t w = 0; w < line->n_words; w++)
                buf_printf(out, "%s%s", w ? " " : "", line->words[w]->text);
            buf_puts(out, "\n");
        }
}

#endif
