/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A picture as a page of a PDF, of its true size. Coded data goes over as it is; what a PDF can't hold is coded anew
 * without loss. */
#include "worker/mupdf.h"

#include <string.h>

static void dict_space(fz_context *ctx, pdf_obj *dict, unsigned components, unsigned bits)
{
    pdf_obj *const space[] = {[1] = PDF_NAME(DeviceGray), [3] = PDF_NAME(DeviceRGB), [4] = PDF_NAME(DeviceCMYK)};
    pdf_dict_put(ctx, dict, PDF_NAME(ColorSpace), space[components]);
    pdf_dict_put_int(ctx, dict, PDF_NAME(BitsPerComponent), bits);
}

static void dict_g4(fz_context *ctx, pdf_obj *dict, const struct frame *frame, bool black_is_1)
{
    dict_space(ctx, dict, 1, 1);
    pdf_dict_put(ctx, dict, PDF_NAME(Filter), PDF_NAME(CCITTFaxDecode));
    pdf_obj *parms = pdf_dict_put_dict(ctx, dict, PDF_NAME(DecodeParms), 4);
    pdf_dict_put_int(ctx, parms, PDF_NAME(K), -1);
    pdf_dict_put_int(ctx, parms, PDF_NAME(Columns), frame->width_px);
    pdf_dict_put_int(ctx, parms, PDF_NAME(Rows), frame->height_px);
    if (black_is_1)
        pdf_dict_put_bool(ctx, parms, PDF_NAME(BlackIs1), 1);
}

static void dict_jpeg(fz_context *ctx, pdf_obj *dict, const struct frame *frame)
{
    dict_space(ctx, dict, frame->components, 8);
    pdf_dict_put(ctx, dict, PDF_NAME(Filter), PDF_NAME(DCTDecode));
    if (frame->plain_rgb)
        pdf_dict_put_int(ctx, pdf_dict_put_dict(ctx, dict, PDF_NAME(DecodeParms), 1), PDF_NAME(ColorTransform), 0);
    if (!frame->inverted)
        return;
    pdf_obj *decode = pdf_dict_put_array(ctx, dict, PDF_NAME(Decode), 8);
    for (unsigned i = 0; i < 8; i++)
        pdf_array_push_int(ctx, decode, !(i & 1));
}

static void dict_png(fz_context *ctx, pdf_obj *dict, const struct frame *frame)
{
    dict_space(ctx, dict, frame->components, frame->component_bits);
    pdf_dict_put(ctx, dict, PDF_NAME(Filter), PDF_NAME(FlateDecode));
    pdf_obj *parms = pdf_dict_put_dict(ctx, dict, PDF_NAME(DecodeParms), 4);
    pdf_dict_put_int(ctx, parms, PDF_NAME(Predictor), 15);
    pdf_dict_put_int(ctx, parms, PDF_NAME(Colors), frame->components);
    pdf_dict_put_int(ctx, parms, PDF_NAME(BitsPerComponent), frame->component_bits);
    pdf_dict_put_int(ctx, parms, PDF_NAME(Columns), frame->width_px);
    if (!frame->palette)
        return;
    pdf_obj *space = pdf_dict_put_array(ctx, dict, PDF_NAME(ColorSpace), 4);
    pdf_array_push(ctx, space, PDF_NAME(Indexed));
    pdf_array_push(ctx, space, PDF_NAME(DeviceRGB));
    pdf_array_push_int(ctx, space, (int)(frame->palette_bytes / 3) - 1);
    pdf_array_push_string(ctx, space, (const char *)frame->palette, frame->palette_bytes);
}

/* Two shades as G4. */
static fz_buffer *raster_g4(fz_context *ctx, struct raster *raster)
{
    for (size_t i = 0; i < raster->height_px * raster->stride_bytes; i++)
        raster->data[i] = (uint8_t)~raster->data[i]; /* 0 is black, as in DeviceGray */
    return fz_compress_ccitt_fax_g4(ctx, raster->data, (int)raster->width_px, (int)raster->height_px);
}

static fz_buffer *raster_flate(fz_context *ctx, const struct raster *raster)
{
    size_t bytes = raster->height_px * raster->stride_bytes, deflated = 0;
    unsigned char *data = fz_new_deflated_data(ctx, &deflated, raster->data, bytes, FZ_DEFLATE_DEFAULT);
    return fz_new_buffer_from_data(ctx, data, deflated);
}

/* Through its pixels; fills in dict, too. */
static fz_buffer *recode(fz_context *ctx, const struct picture *picture, uint32_t index, const struct frame *frame,
                         pdf_obj *dict)
{
    struct raster *raster = NULL;
    fz_buffer *data = NULL;
    fz_var(raster);
    fz_var(data);
    fz_image *image = picture_image(ctx, picture, index);
    fz_try(ctx)
    {
        raster = pixels_of(ctx, image, frame->bits == 1);
        if (raster->channels) {
            dict_space(ctx, dict, raster->channels, 8);
            pdf_dict_put(ctx, dict, PDF_NAME(Filter), PDF_NAME(FlateDecode));
            data = raster_flate(ctx, raster);
        } else {
            dict_g4(ctx, dict, frame, false);
            data = raster_g4(ctx, raster);
        }
    }
    fz_always(ctx)
    {
        fz_drop_image(ctx, image);
        raster_destroy(&raster);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return data;
}

static fz_buffer *transfer(fz_context *ctx, const struct picture *picture, const struct frame *frame, pdf_obj *dict)
{
    if (frame->how == FRAME_PNG)
        dict_png(ctx, dict, frame);
    else if (frame->how == FRAME_JPEG)
        dict_jpeg(ctx, dict, frame);
    else
        dict_g4(ctx, dict, frame, frame->inverted);
    return picture_coded(ctx, picture, frame);
}

static pdf_obj *image_add(fz_context *ctx, pdf_document *pdf, const struct picture *picture, uint32_t index,
                          const struct frame *frame)
{
    pdf_obj *image = NULL, *dict = pdf_new_dict(ctx, pdf, 10);
    fz_buffer *data = NULL;
    fz_var(image);
    fz_var(data);
    fz_try(ctx)
    {
        pdf_dict_put(ctx, dict, PDF_NAME(Type), PDF_NAME(XObject));
        pdf_dict_put(ctx, dict, PDF_NAME(Subtype), PDF_NAME(Image));
        pdf_dict_put_int(ctx, dict, PDF_NAME(Width), frame->width_px);
        pdf_dict_put_int(ctx, dict, PDF_NAME(Height), frame->height_px);
        data = frame->how == FRAME_DECODED ? recode(ctx, picture, index, frame, dict)
                                           : transfer(ctx, picture, frame, dict);
        image = pdf_add_stream(ctx, pdf, data, dict, 1);
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, data);
        pdf_drop_obj(ctx, dict);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return image;
}

/* image: NULL for an empty page. */
static void page_add(fz_context *ctx, pdf_document *pdf, fz_rect box, fz_matrix place, pdf_obj *image)
{
    pdf_obj *resources = NULL, *page = NULL;
    fz_var(resources);
    fz_var(page);
    fz_buffer *contents = fz_new_buffer(ctx, 128);
    fz_try(ctx)
    {
        resources = pdf_new_dict(ctx, pdf, 1);
        if (image) {
            pdf_dict_puts(ctx, pdf_dict_put_dict(ctx, resources, PDF_NAME(XObject), 1), "Im0", image);
            fz_append_printf(ctx, contents, "q %g %g %g %g %g %g cm /Im0 Do Q\n", place.a, place.b, place.c, place.d,
                             place.e, place.f);
        }
        page = pdf_add_page(ctx, pdf, box, 0, resources, contents);
        pdf_insert_page(ctx, pdf, -1, page);
    }
    fz_always(ctx)
    {
        fz_drop_buffer(ctx, contents);
        pdf_drop_obj(ctx, resources);
        pdf_drop_obj(ctx, page);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}

static void sheet_fill(fz_context *ctx, pdf_document *pdf, const struct picture *picture, uint32_t index)
{
    struct frame frame;
    double w, h;
    picture_frame(ctx, picture, index, &frame);
    frame_size(&frame, &w, &h);
    const fz_matrix from_pdf = {1, 0, 0, -1, 0, 1}, to_page = {(float)w, 0, 0, (float)-h, 0, (float)h};
    fz_matrix place = fz_concat(fz_concat(from_pdf, frame_turn(&frame)), to_page);
    pdf_obj *image = image_add(ctx, pdf, picture, index, &frame);
    fz_try(ctx) page_add(ctx, pdf, fz_make_rect(0, 0, (float)w, (float)h), place, image);
    fz_always(ctx) pdf_drop_obj(ctx, image);
    fz_catch(ctx) fz_rethrow(ctx);
}

void sheet_add(fz_context *ctx, pdf_document *pdf, const struct picture *picture, uint32_t index, bool blank)
{
    static const fz_rect a4 = {0, 0, 595.28f, 841.89f};
    bool failed = false;
    fz_var(failed);
    fz_try(ctx) sheet_fill(ctx, pdf, picture, index);
    fz_catch(ctx)
    {
        if (!blank || fz_caught(ctx) == FZ_ERROR_MEMORY)
            fz_rethrow(ctx);
        failed = true;
    }
    if (failed)
        page_add(ctx, pdf, a4, fz_identity, NULL);
}
