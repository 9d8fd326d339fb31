/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The PDF of a scanner: each page is one image (ISO 32000-1, 7.5 for the file, 8.9 for images). Leptonica can write PDFs,
 * too, but only through temporary files page by page. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/source.h"
#include "proto/auto.h"
#include "proto/buf.h"

enum { PDF_CATALOG = 1, PDF_PAGES = 2, PDF_FIRST_PAGE = 3, PDF_PAGE_OBJECTS = 3 };

struct pdf {
    struct buf out;
    size_t *offsets; /* of objects; [0] is unused */
    size_t object_count, object_capacity;
    unsigned pages;
};

static void pdf_begin(struct pdf *pdf, size_t object)
{
    while (object >= pdf->object_capacity) {
        pdf->object_capacity = pdf->object_capacity ? 2 * pdf->object_capacity : 64;
        pdf->offsets = realloc(pdf->offsets, pdf->object_capacity * sizeof *pdf->offsets);
        assert(pdf->offsets);
    }
    if (object >= pdf->object_count)
        pdf->object_count = object + 1;
    pdf->offsets[object] = pdf->out.size;
    buf_printf(&pdf->out, "%zu 0 obj\n", object);
}

void pdf_new(struct pdf **ret_pdf)
{
    struct pdf *pdf = calloc(1, sizeof *pdf);
    assert(pdf);
    buf_puts(&pdf->out, "%PDF-1.5\n%\xe2\xe3\xcf\xd3\n");
    *ret_pdf = pdf;
}

void pdf_destroy(struct pdf **slot)
{
    if (!*slot)
        return;
    buf_destroy(&(*slot)->out);
    free((*slot)->offsets);
    free(*slot);
    *slot = NULL;
}

static void pdf_filter(struct buf *out, const L_COMP_DATA *image)
{
    switch (image->type) {
    case L_JPEG_ENCODE: buf_puts(out, "/Filter/DCTDecode"); break;
    case L_G4_ENCODE:
        buf_printf(out, "/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns %d/Rows %d/BlackIs1 %s>>", image->w,
                   image->h, image->minisblack ? "true" : "false");
        break;
    default:
        buf_puts(out, "/Filter/FlateDecode");
        if (image->bps == 1)
            buf_puts(out, "/Decode[1 0]"); /* Leptonica's 1 is black */
        if (image->predictor)
            buf_printf(out, "/DecodeParms<</Predictor 14/Columns %d/Colors %d/BitsPerComponent %d>>", image->w,
                       image->spp, image->bps);
    }
}

static void pdf_add_image(struct pdf *pdf, size_t object, const L_COMP_DATA *image)
{
    pdf_begin(pdf, object);
    buf_printf(&pdf->out, "<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/%s/BitsPerComponent %d",
               image->w, image->h, image->spp == 3 ? "DeviceRGB" : "DeviceGray", image->bps);
    pdf_filter(&pdf->out, image);
    buf_printf(&pdf->out, "/Length %zu>>\nstream\n", image->nbytescomp);
    buf_append(&pdf->out, image->datacomp, image->nbytescomp);
    buf_puts(&pdf->out, "\nendstream\nendobj\n");
}

void pdf_add(struct pdf *pdf, const L_COMP_DATA *image, uint32_t dpi)
{
    size_t page = PDF_FIRST_PAGE + (size_t)pdf->pages++ * PDF_PAGE_OBJECTS;
    double width = image->w * 72.0 / dpi, height = image->h * 72.0 / dpi;
    char content[96];
    snprintf(content, sizeof content, "q %.2f 0 0 %.2f 0 0 cm /Im0 Do Q", width, height);
    pdf_begin(pdf, page);
    buf_printf(&pdf->out,
               "<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.2f %.2f]/Contents %zu 0 R/Resources<</XObject<</Im0 %zu 0 "
               "R>>>>>>\nendobj\n",
               width, height, page + 1, page + 2);
    pdf_begin(pdf, page + 1);
    buf_printf(&pdf->out, "<</Length %zu>>\nstream\n%s\nendstream\nendobj\n", strlen(content), content);
    pdf_add_image(pdf, page + 2, image);
}

static void pdf_finish(struct pdf *pdf)
{
    pdf_begin(pdf, PDF_CATALOG);
    buf_puts(&pdf->out, "<</Type/Catalog/Pages 2 0 R>>\nendobj\n");
    pdf_begin(pdf, PDF_PAGES);
    buf_printf(&pdf->out, "<</Type/Pages/Count %u/Kids[", pdf->pages);
    for (unsigned i = 0; i < pdf->pages; i++)
        buf_printf(&pdf->out, "%u 0 R ", PDF_FIRST_PAGE + i * PDF_PAGE_OBJECTS);
    buf_puts(&pdf->out, "]>>\nendobj\n");
    size_t xref = pdf->out.size;
    buf_printf(&pdf->out, "xref\n0 %zu\n0000000000 65535 f \n", pdf->object_count);
    for (size_t i = 1; i < pdf->object_count; i++)
        buf_printf(&pdf->out, "%010zu 00000 n \n", pdf->offsets[i]);
    buf_printf(&pdf->out, "trailer\n<</Size %zu/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", pdf->object_count, xref);
}

int pdf_write(struct pdf *pdf, const char *path, struct err *err)
{
    pdf_finish(pdf);
    FILE *file = fopen(path, "wb");
    if (!file)
        return err_errno(err, E_IO, "%s", path);
    size_t written = fwrite(pdf->out.data, 1, pdf->out.size, file);
    if (fclose(file) || written < pdf->out.size)
        return err_errno(err, E_IO, "%s", path);
    return 0;
}
