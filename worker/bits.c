/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Two shades without a detour: MuPDF makes a byte of each bit, its filters don't. */
#include "worker/mupdf.h"

/* What bits 0 and 1 of such an image show: MuPDF itself is asked, for a picture of the two. */
static void bits_shades(fz_context *ctx, const fz_image *image, int shade[2])
{
    static const uint8_t zero_one = 0x40;
    fz_image *sample = NULL;
    struct raster *raster = NULL;
    fz_var(sample);
    fz_var(raster);
    fz_compressed_buffer *coded = fz_malloc_struct(ctx, fz_compressed_buffer);
    fz_var(coded);
    fz_try(ctx)
    {
        coded->params.type = FZ_IMAGE_RAW;
        coded->buffer = fz_new_buffer_from_copied_data(ctx, &zero_one, 1);
        fz_compressed_buffer *given = coded;
        coded = NULL;
        sample = fz_new_image_from_compressed_buffer(ctx, 2, 1, 1, image->colorspace, 0, 0, 0, image->imagemask,
                                                     (float *)image->decode, NULL, given, NULL);
        raster = pixels_of(ctx, sample, false);
        for (uint32_t i = 0, n = raster->channels; i < 2; i++)
            shade[i] = n == 1 ? 2 * raster->data[i] : raster->data[n * i] + raster->data[n * i + 1];
    }
    fz_always(ctx)
    {
        raster_destroy(&raster);
        fz_drop_image(ctx, sample);
        fz_drop_compressed_buffer(ctx, coded);
    }
    fz_catch(ctx) fz_rethrow(ctx);
}

/* Whether a 0 bit is ink: the darker of two shades; of a stencil, what is opaque. */
static bool zero_is_ink(fz_context *ctx, const fz_image *image)
{
    int shade[2];
    bits_shades(ctx, image, shade);
    return image->imagemask ? shade[0] > shade[1] : shade[0] < shade[1];
}

static bool bits_streamed(const fz_compressed_buffer *coded)
{
    switch (coded->params.type) {
    case FZ_IMAGE_RAW:
    case FZ_IMAGE_FAX:
    case FZ_IMAGE_FLATE:
    case FZ_IMAGE_LZW:
    case FZ_IMAGE_RLD:
    case FZ_IMAGE_JBIG2: return true;
    default: return false;
    }
}

static void bits_invert(uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)~data[i];
}

struct raster *bits_take(fz_context *ctx, fz_image *image)
{
    fz_compressed_buffer *coded = fz_compressed_image_buffer(ctx, image);
    if (!coded || image->n != 1 || image->bpc != 1 || image->use_colorkey || !bits_streamed(coded))
        return NULL;
    bool invert = zero_is_ink(ctx, image);
    struct raster *raster = NULL;
    fz_var(raster);
    fz_stream *stream = fz_open_image_decomp_stream_from_buffer(ctx, coded, NULL);
    fz_try(ctx)
    {
        raster = raster_new((uint32_t)image->w, (uint32_t)image->h, 0);
        if (!raster)
            fz_throw(ctx, FZ_ERROR_MEMORY, "no memory for %d x %d bits", image->w, image->h);
        size_t bytes = fz_read(ctx, stream, raster->data, raster->height_px * raster->stride_bytes);
        if (bytes < raster->height_px * raster->stride_bytes)
            fz_warn(ctx, "the bits end early");
        if (invert)
            bits_invert(raster->data, bytes);
    }
    fz_always(ctx) fz_drop_stream(ctx, stream);
    fz_catch(ctx)
    {
        raster_destroy(&raster);
        fz_rethrow(ctx);
    }
    return raster;
}
