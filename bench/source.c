/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One writer for the four formats. TIFFs grow page by page on disk; the others are written at the end or at once. */
#include "bench/source.h"

#include <assert.h>
#include <stdlib.h>

#include "proto/auto.h"

struct source {
    const char *path;
    struct source_form form;
    struct pdf *pdf;
    unsigned pages;
};

enum { PNG_COMPRESSION = 1 };

const char *source_format_name(enum source_format format)
{
    static const char *const name[SOURCE_FORMAT_NR] = {"pdf", "tiff", "jpeg", "png"};
    return name[format];
}

const char *source_colour_name(enum source_colour colour)
{
    static const char *const name[] = {"colour", "gray", "bilevel"};
    return name[colour];
}

uint32_t source_dpi(enum source_dpi dpi)
{
    static const uint32_t value[SOURCE_DPI_NR] = {200, 300};
    return value[dpi];
}

const char *source_dpi_name(enum source_dpi dpi)
{
    static const char *const name[SOURCE_DPI_NR] = {"200", "300"};
    return name[dpi];
}

bool source_holds_pages(enum source_format format)
{
    return format == SOURCE_PDF || format == SOURCE_TIFF;
}

void source_new(const char *path, const struct source_form *form, struct source **ret_source)
{
    struct source *source = calloc(1, sizeof *source);
    assert(source);
    source->path = path;
    source->form = *form;
    if (form->format == SOURCE_PDF)
        pdf_new(&source->pdf);
    *ret_source = source;
}

void source_destroy(struct source **slot)
{
    if (!*slot)
        return;
    pdf_destroy(&(*slot)->pdf);
    free(*slot);
    *slot = NULL;
}

static bool source_add_pdf(struct source *source, PIX *page)
{
    static const l_int32 type[] = {
        [CODING_JPEG] = L_JPEG_ENCODE, [CODING_G4] = L_G4_ENCODE, [CODING_FLATE] = L_FLATE_ENCODE};
    L_COMP_DATA *image = NULL;
    if (pixGenerateCIData(page, type[source->form.coding], source->form.quality, 0, &image))
        return false;
    pdf_add(source->pdf, image, source->form.dpi);
    l_CIDataDestroy(&image);
    return true;
}

static bool source_add_tiff(struct source *source, PIX *page)
{
    static const l_int32 type[] = {
        [CODING_JPEG] = IFF_TIFF_JPEG, [CODING_G4] = IFF_TIFF_G4, [CODING_LZW] = IFF_TIFF_LZW};
    return !pixWriteTiff(source->path, page, type[source->form.coding], source->pages ? "a" : "w");
}

static bool source_add_png(const struct source *source, PIX *page)
{
    pixSetZlibCompression(page, PNG_COMPRESSION);
    return !pixWrite(source->path, page, IFF_PNG);
}

int source_add(struct source *source, PIX *page, struct err *err)
{
    assert(source_holds_pages(source->form.format) || source->pages == 0);
    bool good;
    switch (source->form.format) {
    case SOURCE_PDF: good = source_add_pdf(source, page); break;
    case SOURCE_TIFF: good = source_add_tiff(source, page); break;
    case SOURCE_JPEG: good = !pixWriteJpeg(source->path, page, source->form.quality, 0); break;
    default: good = source_add_png(source, page);
    }
    source->pages++;
    return good ? 0 : err_set(err, E_IO, "%s: page %u could not be written", source->path, source->pages);
}

int source_close(struct source *source, struct err *err)
{
    return source->pdf ? pdf_write(source->pdf, source->path, err) : 0;
}
