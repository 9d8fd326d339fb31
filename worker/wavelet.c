/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Large JPEG 2000 images, decoded only as fine as they are needed: MuPDF decodes them whole, when it first meets them,
 * and an A0 sheet takes more memory so than a slot has. MuPDF finds these in its store in the place of its own. What is
 * not plain gray, RGB or sYCC (ISO 15444-1, annex I) is left to MuPDF. */
#include "worker/mupdf.h"

#include <openjpeg-2.5/openjpeg.h>
#include <string.h>

enum {
    WAVELET_DEPTH = 2,                   /* the page's own images, and those of its forms */
    DEGRADED_SAMPLES = 40 * 1000 * 1000, /* of all components: at 4 bytes each in the decoder, 1 as pixels */
    RESOLUTIONS_MAX = 33,
    STREAM_BYTES = 64 << 10,
    CHANNELS_MAX = 3,
    BOXES_BYTES = 4096, /* where a palette would stand */
};

struct wavelet {
    fz_image super;
    fz_buffer *data;
    unsigned reductions; /* halvings that the file can give */
    unsigned least;      /* ... that are always made */
};

struct source {
    const unsigned char *data;
    size_t bytes, at;
};

static OPJ_SIZE_T source_read(void *to, OPJ_SIZE_T bytes, void *user)
{
    struct source *source = user;
    size_t left = source->bytes - source->at;
    if (!left)
        return (OPJ_SIZE_T)-1;
    bytes = bytes < left ? bytes : left;
    memcpy(to, source->data + source->at, bytes);
    source->at += bytes;
    return bytes;
}

static OPJ_OFF_T source_skip(OPJ_OFF_T bytes, void *user)
{
    struct source *source = user;
    OPJ_OFF_T left = (OPJ_OFF_T)(source->bytes - source->at);
    if (bytes < -(OPJ_OFF_T)source->at)
        return -1;
    bytes = bytes < left ? bytes : left;
    source->at = (size_t)((OPJ_OFF_T)source->at + bytes);
    return bytes;
}

static OPJ_BOOL source_seek(OPJ_OFF_T at, void *user)
{
    struct source *source = user;
    if (at < 0 || (uint64_t)at > source->bytes)
        return OPJ_FALSE;
    source->at = (size_t)at;
    return OPJ_TRUE;
}

/* A decoder with its head read. */
struct decoder {
    struct source source;
    opj_codec_t *codec;
    opj_stream_t *stream;
    opj_image_t *image;
};

static void decoder_close(struct decoder *decoder)
{
    opj_image_destroy(decoder->image);
    if (decoder->codec)
        opj_destroy_codec(decoder->codec);
    if (decoder->stream)
        opj_stream_destroy(decoder->stream);
}

/* Throws nothing. The source lies in *decoder, which must not move. */
static bool decoder_open(const fz_buffer *data, unsigned reductions, struct decoder *decoder)
{
    bool bare = data->len >= 2 && data->data[0] == 0xff && data->data[1] == 0x4f;
    *decoder = (struct decoder){
        .source = {data->data, data->len, 0}
    };
    decoder->codec = opj_create_decompress(bare ? OPJ_CODEC_J2K : OPJ_CODEC_JP2);
    decoder->stream = opj_stream_create(STREAM_BYTES, OPJ_STREAM_READ);
    if (!decoder->codec || !decoder->stream)
        return false;
    opj_stream_set_read_function(decoder->stream, source_read);
    opj_stream_set_skip_function(decoder->stream, source_skip);
    opj_stream_set_seek_function(decoder->stream, source_seek);
    opj_stream_set_user_data(decoder->stream, &decoder->source, NULL);
    opj_stream_set_user_data_length(decoder->stream, data->len);
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    parameters.cp_reduce = reductions;
    return opj_setup_decoder(decoder->codec, &parameters) &&
           opj_read_header(decoder->stream, decoder->codec, &decoder->image);
}

static unsigned decoder_reductions(const struct decoder *decoder)
{
    unsigned least = RESOLUTIONS_MAX;
    opj_codestream_info_v2_t *info = opj_get_cstr_info(decoder->codec);
    if (!info)
        return 0;
    for (unsigned i = 0; info->m_default_tile_info.tccp_info && i < info->nbcomps; i++)
        if (info->m_default_tile_info.tccp_info[i].numresolutions < least)
            least = info->m_default_tile_info.tccp_info[i].numresolutions;
    opj_destroy_cstr_info(&info);
    return least && least < RESOLUTIONS_MAX ? least - 1 : 0;
}

/* Of a component at a pixel of the first one's raster, as 0 to 255. */
static int component_shade(const opj_image_comp_t *comp, const opj_image_comp_t *first, uint32_t x, uint32_t y)
{
    size_t at_x = comp->w == first->w ? x : (uint64_t)x * comp->w / first->w;
    size_t at_y = comp->h == first->h ? y : (uint64_t)y * comp->h / first->h;
    int64_t value = comp->data[at_y * comp->w + at_x];
    value += comp->sgnd ? (int64_t)1 << (comp->prec - 1) : 0;
    int64_t shade = comp->prec >= 8 ? value >> (comp->prec - 8) : value * 255 / ((1 << comp->prec) - 1);
    return shade < 0 ? 0 : shade > 255 ? 255 : (int)shade;
}

/* ITU-R BT.601 of full range, as sYCC has it. */
static void shades_from_ycc(int shade[CHANNELS_MAX])
{
    enum { ONE = 1 << 16, R_CR = 91881, G_CB = 22554, G_CR = 46802, B_CB = 116130 };
    int y = shade[0], cb = shade[1] - 128, cr = shade[2] - 128;
    shade[0] = fz_clampi(y + (R_CR * cr + ONE / 2) / ONE, 0, 255);
    shade[1] = fz_clampi(y - (G_CB * cb + G_CR * cr + ONE / 2) / ONE, 0, 255);
    shade[2] = fz_clampi(y + (B_CB * cb + ONE / 2) / ONE, 0, 255);
}

static void pixmap_fill(fz_pixmap *pixmap, const opj_image_t *image)
{
    const opj_image_comp_t *comp = image->comps;
    int shade[CHANNELS_MAX];
    bool ycc = pixmap->n == 3 && (image->color_space == OPJ_CLRSPC_SYCC || comp[1].dx > comp[0].dx);
    for (int y = 0; y < pixmap->h; y++) {
        uint8_t *to = pixmap->samples + (ptrdiff_t)y * pixmap->stride;
        for (int x = 0; x < pixmap->w; x++, to += pixmap->n) {
            for (int i = 0; i < pixmap->n; i++)
                shade[i] = component_shade(&comp[i], comp, (uint32_t)x, (uint32_t)y);
            if (ycc)
                shades_from_ycc(shade);
            for (int i = 0; i < pixmap->n; i++)
                to[i] = (uint8_t)shade[i];
        }
    }
}

static bool components_decoded(const opj_image_t *image, unsigned count)
{
    if (image->numcomps < count)
        return false;
    for (unsigned i = 0; i < count; i++) {
        const opj_image_comp_t *comp = &image->comps[i];
        if (!comp->data || !comp->w || !comp->h || comp->w > INT32_MAX || comp->h > INT32_MAX || !comp->prec ||
            comp->prec > 31)
            return false;
    }
    return true;
}

static fz_pixmap *wavelet_decode(fz_context *ctx, const struct wavelet *wavelet, unsigned reductions)
{
    fz_pixmap *pixmap = NULL;
    struct decoder decoder = {0};
    fz_var(pixmap);
    fz_var(decoder);
    fz_try(ctx)
    {
        if (!decoder_open(wavelet->data, reductions, &decoder) ||
            !opj_decode(decoder.codec, decoder.stream, decoder.image) ||
            !components_decoded(decoder.image, wavelet->super.n))
            fz_throw(ctx, FZ_ERROR_GENERIC, "a JPEG 2000 image that can't be decoded");
        pixmap = fz_new_pixmap(ctx, wavelet->super.colorspace, (int)decoder.image->comps[0].w,
                               (int)decoder.image->comps[0].h, NULL, 0);
        pixmap_fill(pixmap, decoder.image);
    }
    fz_always(ctx) decoder_close(&decoder);
    fz_catch(ctx)
    {
        fz_drop_pixmap(ctx, pixmap);
        fz_rethrow(ctx);
    }
    return pixmap;
}

static fz_pixmap *wavelet_pixmap(fz_context *ctx, fz_image *image, fz_irect *subarea, int w, int h, int *l2factor)
{
    (void)w, (void)h;
    const struct wavelet *wavelet = (const struct wavelet *)image;
    unsigned wanted = l2factor && *l2factor > 0 ? (unsigned)*l2factor : 0;
    unsigned reductions = wanted > wavelet->least ? wanted : wavelet->least;
    if (reductions > wavelet->reductions)
        reductions = wavelet->reductions;
    fz_pixmap *pixmap = wavelet_decode(ctx, wavelet, reductions);
    if (subarea)
        *subarea = (fz_irect){0, 0, image->w, image->h};
    if (l2factor)
        *l2factor = reductions < wanted ? (int)(wanted - reductions) : 0;
    return pixmap;
}

static size_t wavelet_size(fz_context *ctx, fz_image *image)
{
    (void)ctx;
    return sizeof(struct wavelet) + ((const struct wavelet *)image)->data->len;
}

static void wavelet_drop(fz_context *ctx, fz_image *image)
{
    fz_drop_buffer(ctx, ((struct wavelet *)image)->data); /* MuPDF drops the rest */
}

/* The components of its colours, 1 or 3; 0: not plain. An alpha channel is left out, as MuPDF does. */
static unsigned image_channels(const opj_image_t *image)
{
    unsigned count = image->numcomps;
    if (count && image->comps[count - 1].alpha)
        count--;
    bool plain = image->color_space == OPJ_CLRSPC_UNSPECIFIED || image->color_space == OPJ_CLRSPC_UNKNOWN ||
                 image->color_space == OPJ_CLRSPC_SRGB || image->color_space == OPJ_CLRSPC_GRAY ||
                 image->color_space == OPJ_CLRSPC_SYCC;
    return plain && (count == 1 || count == 3) ? count : 0;
}

static bool has_palette(const fz_buffer *data)
{
    return memmem(data->data, data->len < BOXES_BYTES ? data->len : BOXES_BYTES, "pclr", 4) != NULL;
}

/* What the PDF says, else what the number of components does; NULL: not plain. */
static fz_colorspace *wavelet_space(fz_context *ctx, pdf_obj *stream, unsigned channels)
{
    pdf_obj *named = pdf_dict_get(ctx, stream, PDF_NAME(ColorSpace));
    if (!channels)
        return NULL;
    if (!named)
        return fz_keep_colorspace(ctx, channels == 1 ? fz_device_gray(ctx) : fz_device_rgb(ctx));
    fz_colorspace *space = pdf_load_colorspace(ctx, named);
    if (channels == 1 ? fz_colorspace_is_gray(ctx, space) : fz_colorspace_is_rgb(ctx, space))
        return space;
    fz_drop_colorspace(ctx, space);
    return NULL;
}

static unsigned least_reductions(const opj_image_t *image, unsigned channels)
{
    unsigned least = 0;
    uint64_t samples = (uint64_t)image->comps[0].w * image->comps[0].h * channels;
    while (samples >> (2 * least) > DEGRADED_SAMPLES)
        least++;
    return least;
}

static struct wavelet *wavelet_of(fz_context *ctx, const opj_image_t *image, fz_colorspace *space)
{
    return fz_new_derived_image(ctx, (int)image->comps[0].w, (int)image->comps[0].h, 8, space, 0, 0, 0, 0, NULL, NULL,
                                NULL, struct wavelet, wavelet_pixmap, wavelet_size, wavelet_drop);
}

/* NULL: none of ours. */
static fz_image *wavelet_new(fz_context *ctx, fz_buffer *data, const struct decoder *decoder, fz_colorspace *space,
                             bool degraded)
{
    const opj_image_t *image = decoder->image;
    unsigned channels = image_channels(image);
    if (!space || image->comps[0].w > INT32_MAX || image->comps[0].h > INT32_MAX)
        return NULL;
    struct wavelet *wavelet = wavelet_of(ctx, image, space);
    wavelet->data = fz_keep_buffer(ctx, data);
    wavelet->reductions = decoder_reductions(decoder);
    wavelet->least = degraded ? least_reductions(image, channels) : 0;
    return &wavelet->super;
}

static fz_image *wavelet_load(fz_context *ctx, pdf_obj *stream, bool degraded)
{
    fz_image *image = NULL;
    fz_colorspace *space = NULL;
    struct decoder decoder = {0};
    fz_var(image);
    fz_var(space);
    fz_var(decoder);
    fz_buffer *data = pdf_load_stream(ctx, stream); /* by the other filters alone: to MuPDF JPXDecode is none */
    fz_try(ctx)
    {
        if (!has_palette(data) && decoder_open(data, 0, &decoder)) {
            space = wavelet_space(ctx, stream, image_channels(decoder.image));
            image = wavelet_new(ctx, data, &decoder, space, degraded);
        }
    }
    fz_always(ctx)
    {
        decoder_close(&decoder);
        fz_drop_colorspace(ctx, space);
        fz_drop_buffer(ctx, data);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return image;
}

static bool filter_is_jpx(fz_context *ctx, pdf_obj *stream)
{
    pdf_obj *filter = pdf_dict_get(ctx, stream, PDF_NAME(Filter));
    int count = pdf_array_len(ctx, filter);
    pdf_obj *last = pdf_is_array(ctx, filter) && count ? pdf_array_get(ctx, filter, count - 1) : filter;
    return pdf_name_eq(ctx, last, PDF_NAME(JPXDecode));
}

static bool image_is_ours(fz_context *ctx, pdf_obj *stream)
{
    int64_t width = pdf_dict_get_int(ctx, stream, PDF_NAME(Width)),
            height = pdf_dict_get_int(ctx, stream, PDF_NAME(Height));
    return pdf_is_stream(ctx, stream) && width > 0 && height > 0 && width * height > DECODED_WHOLE_PX &&
           filter_is_jpx(ctx, stream) && !pdf_dict_get(ctx, stream, PDF_NAME(SMask)) &&
           !pdf_dict_get(ctx, stream, PDF_NAME(Mask)) && !pdf_dict_get(ctx, stream, PDF_NAME(Decode)) &&
           !pdf_dict_get_int(ctx, stream, PDF_NAME(SMaskInData));
}

/* The wavelets hold on to it, so that it stays in the store as long as they do. */
static void wavelets_store(fz_context *ctx, pdf_obj *stream, bool degraded, struct wavelets *wavelets)
{
    fz_image *image = pdf_find_item(ctx, fz_drop_image_imp, stream);
    if (!image) {
        image = wavelet_load(ctx, stream, degraded);
        if (!image)
            return;
        wavelets->image[wavelets->count++] = image;
        pdf_store_item(ctx, stream, image, sizeof(struct wavelet));
    } else {
        wavelets->image[wavelets->count++] = image;
    }
}

static void wavelets_find(fz_context *ctx, pdf_obj *resources, unsigned depth, bool degraded, struct wavelets *wavelets)
{
    pdf_obj *objects = pdf_dict_get(ctx, resources, PDF_NAME(XObject));
    for (int i = 0; i < pdf_dict_len(ctx, objects) && wavelets->count < WAVELETS_MAX; i++) {
        pdf_obj *object = pdf_dict_get_val(ctx, objects, i);
        if (image_is_ours(ctx, object))
            wavelets_store(ctx, object, degraded, wavelets);
        else if (depth && pdf_name_eq(ctx, pdf_dict_get(ctx, object, PDF_NAME(Subtype)), PDF_NAME(Form)))
            wavelets_find(ctx, pdf_dict_get(ctx, object, PDF_NAME(Resources)), depth - 1, degraded, wavelets);
    }
}

/* What fails here is left to MuPDF, which does without an image that it can't load. */
void wavelets_load(fz_context *ctx, pdf_obj *page, bool degraded, struct wavelets *wavelets)
{
    fz_try(ctx) wavelets_find(ctx, pdf_dict_get_inheritable(ctx, page, PDF_NAME(Resources)), WAVELET_DEPTH - 1,
                              degraded, wavelets);
    fz_catch(ctx)
    {
        if (fz_caught(ctx) == FZ_ERROR_MEMORY)
            fz_rethrow(ctx);
    }
}

void wavelets_drop(fz_context *ctx, struct wavelets *wavelets)
{
    while (wavelets->count)
        fz_drop_image(ctx, wavelets->image[--wavelets->count]);
}
