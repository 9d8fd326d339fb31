/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a document's scans look like, told by dictionaries alone: nothing is decoded or run, so that a probe fails on nothing
 * that opening did not fail on. A guess, from which the cost of pages is told. */
#include <math.h>

#include "worker/mupdf.h"

enum { GLANCE_OBJECTS = 64 }; /* of the first page, looked at */

static uint32_t image_bits(fz_context *ctx, pdf_obj *image)
{
    pdf_obj *space = pdf_dict_get(ctx, image, PDF_NAME(ColorSpace));
    pdf_obj *family = pdf_is_array(ctx, space) ? pdf_array_get(ctx, space, 0) : space;
    bool profile = pdf_name_eq(ctx, family, PDF_NAME(ICCBased));
    if (pdf_dict_get_bool(ctx, image, PDF_NAME(ImageMask)) ||
        pdf_dict_get_int(ctx, image, PDF_NAME(BitsPerComponent)) == 1)
        return 1;
    bool gray = pdf_name_eq(ctx, family, PDF_NAME(DeviceGray)) || pdf_name_eq(ctx, family, PDF_NAME(CalGray)) ||
                (profile && pdf_dict_get_int(ctx, pdf_array_get(ctx, space, 1), PDF_NAME(N)) == 1);
    return gray ? 8 : 24;
}

void glance(fz_context *ctx, pdf_document *pdf, Sohoa__Probe *probe)
{
    pdf_obj *page = pdf_lookup_page_obj(ctx, pdf, 0);
    pdf_obj *resources = pdf_dict_get_inheritable(ctx, page, PDF_NAME(Resources));
    pdf_obj *objects = pdf_dict_get(ctx, resources, PDF_NAME(XObject));
    fz_rect box = pdf_to_rect(ctx, pdf_dict_get_inheritable(ctx, page, PDF_NAME(MediaBox)));
    double inches = sqrt(fmax(0, box.x1 - box.x0) * fmax(0, box.y1 - box.y0)) / 72, most = 0;
    int count = pdf_dict_len(ctx, objects);
    for (int i = 0; i < count && i < GLANCE_OBJECTS && inches > 0; i++) {
        pdf_obj *image = pdf_dict_get_val(ctx, objects, i);
        double pixels =
            (double)pdf_dict_get_int(ctx, image, PDF_NAME(Width)) * pdf_dict_get_int(ctx, image, PDF_NAME(Height));
        if (!pdf_name_eq(ctx, pdf_dict_get(ctx, image, PDF_NAME(Subtype)), PDF_NAME(Image)) || pixels <= most)
            continue;
        most = pixels;
        probe->dpi = (uint32_t)fmin(sqrt(pixels) / inches, UINT16_MAX);
        probe->bits = image_bits(ctx, image);
    }
}
