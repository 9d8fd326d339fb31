/* SPDX-License-Identifier: AGPL-3.0-or-later
 * TIFF, JPEG and PNG as sources: how many pictures, of what size, and which coded data a PDF can take over as they
 * are. Only MuPDF decodes pixels. */
#include "worker/mupdf.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

enum {
    DPI_BELIEVED_MIN = 50,
    DPI_BELIEVED_MAX = 2400,
    DECODE_MAX_PX = 400000000, /* decoded in one piece: more can't be taken */
    PICTURE_SIDE_PX = 1 << 16,
};

enum {
    TAG_SUBFILE = 254,
    TAG_WIDTH = 256,
    TAG_LENGTH = 257,
    TAG_BITS = 258,
    TAG_COMPRESSION = 259,
    TAG_PHOTOMETRIC = 262,
    TAG_FILL_ORDER = 266,
    TAG_STRIP_OFFSETS = 273,
    TAG_ORIENTATION = 274,
    TAG_SAMPLES = 277,
    TAG_STRIP_BYTES = 279,
    TAG_XRES = 282,
    TAG_YRES = 283,
    TAG_T6_OPTIONS = 293,
    TAG_TILE_WIDTH = 322,
    TAG_EXTRA_SAMPLES = 338,
    TAG_JPEG_TABLES = 347,
    COMPRESSION_G4 = 4,
    COMPRESSION_JPEG = 7,
    PHOTOMETRIC_BLACK_IS_ZERO = 1,
    PHOTOMETRIC_RGB = 2,
    PHOTOMETRIC_PALETTE = 3,
    PHOTOMETRIC_YCBCR = 6,
};

struct picture {
    Sohoa__SourceKind kind;
    fz_buffer *buffer; /* the whole file */
    const uint8_t *data;
    size_t bytes;
    uint32_t pages;
    uint32_t *subimage; /* TIFF: of each page */
};

static bool dpi_believed(double dpi)
{
    return dpi >= DPI_BELIEVED_MIN && dpi <= DPI_BELIEVED_MAX;
}

static void frame_set_dpi(struct frame *frame, double xdpi, double ydpi)
{
    if (!dpi_believed(xdpi) || !dpi_believed(ydpi))
        xdpi = ydpi = RENDER_DPI;
    frame->xdpi = xdpi;
    frame->ydpi = ydpi;
}

/* ---- JPEG ---- */

struct jpeg_head {
    uint32_t width, height, components;
    double xdpi, ydpi;
    uint32_t orientation;
    bool adobe;
};

static void jpeg_app(struct jpeg_head *head, unsigned marker, const uint8_t *p, size_t bytes)
{
    struct tiff exif;
    if (marker == 0xe0 && bytes >= 12 && !memcmp(p, "JFIF", 5) && p[7] && p[7] <= 2 && !head->xdpi) {
        double unit = p[7] == 2 ? 2.54 : 1;
        head->xdpi = big_endian(p + 8, 2) * unit;
        head->ydpi = big_endian(p + 10, 2) * unit;
    } else if (marker == 0xe1 && bytes > 6 && !memcmp(p, "Exif\0", 6) && tiff_open(&exif, p + 6, bytes - 6)) {
        head->orientation = tiff_number(&exif, TAG_ORIENTATION, 0, 1);
        double xdpi = tiff_dpi(&exif, TAG_XRES), ydpi = tiff_dpi(&exif, TAG_YRES);
        if (dpi_believed(xdpi) && dpi_believed(ydpi)) {
            head->xdpi = xdpi;
            head->ydpi = ydpi;
        }
    } else if (marker == 0xee && bytes >= 12 && !memcmp(p, "Adobe", 5)) {
        head->adobe = true;
    }
}

/* Reads the markers up to the frame header (ITU-T T.81, annex B). */
static bool jpeg_scan(const uint8_t *data, size_t bytes, struct jpeg_head *head)
{
    *head = (struct jpeg_head){.orientation = 1};
    size_t at = 2;
    while (at + 4 <= bytes && data[at] == 0xff) {
        unsigned marker = data[at + 1];
        if (marker == 0xff || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
            at += marker == 0xff ? 1 : 2;
            continue;
        }
        size_t length = big_endian(data + at + 2, 2);
        if (length < 2 || at + 2 + length > bytes)
            return false;
        const uint8_t *body = data + at + 4;
        if (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) {
            if (length < 8 || body[0] != 8)
                return false;
            head->height = big_endian(body + 1, 2);
            head->width = big_endian(body + 3, 2);
            head->components = body[5];
            return head->width && head->height;
        }
        if (marker == 0xda || marker == 0xd9)
            return false;
        jpeg_app(head, marker, body, length - 2);
        at += 2 + length;
    }
    return false;
}

static bool jpeg_components(uint32_t components)
{
    return components == 1 || components == 3 || components == 4;
}

static void jpeg_frame(fz_context *ctx, const struct picture *picture, struct frame *frame)
{
    struct jpeg_head head;
    if (!jpeg_scan(picture->data, picture->bytes, &head))
        fz_throw(ctx, FZ_ERROR_GENERIC, "no JPEG frame header");
    if (!jpeg_components(head.components))
        fz_throw(ctx, FZ_ERROR_GENERIC, "a JPEG of %u components", head.components);
    *frame = (struct frame){.width_px = head.width,
                            .height_px = head.height,
                            .bits = head.components == 1 ? 8 : 24,
                            .orientation = head.orientation,
                            .how = FRAME_JPEG,
                            .data = picture->data,
                            .bytes = picture->bytes,
                            .components = head.components,
                            .component_bits = 8,
                            .inverted = head.components == 4 && head.adobe};
    frame_set_dpi(frame, head.xdpi, head.ydpi);
}

/* ---- PNG ---- */

/* The next chunk at *at: its type, data and length; false at the end or when cut off. */
static bool png_chunk(const struct picture *picture, size_t *at, const uint8_t **ret_type, uint32_t *ret_bytes)
{
    if (*at > picture->bytes || picture->bytes - *at < 12)
        return false;
    uint32_t bytes = big_endian(picture->data + *at, 4);
    if (bytes > picture->bytes - *at - 12)
        return false;
    *ret_type = picture->data + *at + 4;
    *ret_bytes = bytes;
    *at += 12 + (size_t)bytes;
    return memcmp(*ret_type, "IEND", 4) != 0;
}

enum {
    PNG_GRAY = 0,
    PNG_RGB = 2,
    PNG_PALETTE = 3,
    PNG_HEAD_BYTES = 13,
    PNG_SIGNATURE_BYTES = 8,
    PNG_PALETTE_MAX_BYTES = 768
};

static void png_head(fz_context *ctx, const uint8_t *ihdr, struct frame *frame)
{
    unsigned depth = ihdr[8], colour = ihdr[9], interlaced = ihdr[12];
    *frame = (struct frame){.width_px = big_endian(ihdr, 4), .height_px = big_endian(ihdr + 4, 4), .orientation = 1};
    if (!frame->width_px || !frame->height_px)
        fz_throw(ctx, FZ_ERROR_GENERIC, "an empty PNG");
    frame->components = colour == PNG_RGB ? 3 : 1;
    frame->component_bits = depth;
    frame->bits = colour != PNG_GRAY && colour != 4 ? 24 : depth == 1 ? 1 : 8;
    if (colour == PNG_PALETTE && depth == 1)
        frame->bits = 1;
    if (!interlaced && (colour == PNG_GRAY || colour == PNG_RGB || colour == PNG_PALETTE))
        frame->how = FRAME_PNG;
}

static void png_frame(fz_context *ctx, const struct picture *picture, struct frame *frame)
{
    size_t at = PNG_SIGNATURE_BYTES;
    const uint8_t *type;
    uint32_t bytes;
    if (!png_chunk(picture, &at, &type, &bytes) || memcmp(type, "IHDR", 4) != 0 || bytes != PNG_HEAD_BYTES)
        fz_throw(ctx, FZ_ERROR_GENERIC, "no PNG header");
    png_head(ctx, type + 4, frame);
    bool indexed = type[4 + 9] == PNG_PALETTE;
    double xdpi = 0, ydpi = 0;
    while (png_chunk(picture, &at, &type, &bytes)) {
        if (!memcmp(type, "tRNS", 4)) {
            frame->how = FRAME_DECODED;
        } else if (!memcmp(type, "PLTE", 4) && indexed) {
            frame->palette = type + 4;
            frame->palette_bytes = bytes;
        } else if (!memcmp(type, "pHYs", 4) && bytes == 9 && type[4 + 8] == 1) {
            xdpi = big_endian(type + 4, 4) * 0.0254;
            ydpi = big_endian(type + 8, 4) * 0.0254;
        }
    }
    if (indexed && (!frame->palette_bytes || frame->palette_bytes % 3 || frame->palette_bytes > PNG_PALETTE_MAX_BYTES))
        frame->how = FRAME_DECODED;
    frame_set_dpi(frame, xdpi, ydpi);
}

/* Whether it goes on to its end and no chunk that matters was damaged: what a decoder misses it makes black, and black
 * all over is a border, so that the page would count as blank. */
static bool png_is_whole(const struct picture *picture)
{
    enum { NOT_CRITICAL = 0x20, TYPE_BYTES = 4 };
    size_t at = PNG_SIGNATURE_BYTES, before = at;
    const uint8_t *type;
    uint32_t bytes;
    for (; png_chunk(picture, &at, &type, &bytes); before = at)
        if (!(*type & NOT_CRITICAL) && crc32(0, type, TYPE_BYTES + bytes) != big_endian(type + TYPE_BYTES + bytes, 4))
            return false;
    return at > before; /* over the last chunk, too */
}

static fz_buffer *picture_idat(fz_context *ctx, const struct picture *picture)
{
    size_t at = PNG_SIGNATURE_BYTES;
    const uint8_t *type;
    uint32_t bytes;
    fz_var(at);
    fz_buffer *buffer = fz_new_buffer(ctx, picture->bytes);
    fz_try(ctx)
    {
        while (png_chunk(picture, &at, &type, &bytes))
            if (!memcmp(type, "IDAT", 4))
                fz_append_data(ctx, buffer, type + 4, bytes);
    }
    fz_catch(ctx)
    {
        fz_drop_buffer(ctx, buffer);
        fz_rethrow(ctx);
    }
    return buffer;
}

/* ---- TIFF ---- */

/* A reduced copy or a mask is no page. */
static bool tiff_is_page(const struct tiff *tiff)
{
    return !(tiff_number(tiff, TAG_SUBFILE, 0, 0) & 5);
}

static void tiff_list(fz_context *ctx, struct picture *picture)
{
    struct tiff tiff;
    bool more = tiff_open(&tiff, picture->data, picture->bytes);
    picture->subimage = fz_malloc_array(ctx, DOC_MAX_PAGES + 1, uint32_t);
    for (uint32_t i = 0; more && picture->pages <= DOC_MAX_PAGES && i <= 2 * DOC_MAX_PAGES; i++) {
        if (tiff_is_page(&tiff))
            picture->subimage[picture->pages++] = i;
        more = tiff_next(&tiff);
    }
}

static void tiff_coded(const struct tiff *tiff, struct frame *frame)
{
    uint32_t compression = tiff_number(tiff, TAG_COMPRESSION, 0, 1);
    uint32_t photometric = tiff_number(tiff, TAG_PHOTOMETRIC, 0, 0);
    uint32_t offset = tiff_number(tiff, TAG_STRIP_OFFSETS, 0, 0), bytes = tiff_number(tiff, TAG_STRIP_BYTES, 0, 0);
    if (tiff_count(tiff, TAG_STRIP_OFFSETS) != 1 || tiff_count(tiff, TAG_TILE_WIDTH) || offset > tiff->bytes ||
        bytes < 2 || bytes > tiff->bytes - offset)
        return;
    frame->data = tiff->data + offset;
    frame->bytes = bytes;
    struct jpeg_head head;
    if (compression == COMPRESSION_G4 && frame->bits == 1 && photometric <= PHOTOMETRIC_BLACK_IS_ZERO &&
        !tiff_number(tiff, TAG_T6_OPTIONS, 0, 0)) {
        frame->how = FRAME_G4;
        frame->inverted = photometric == PHOTOMETRIC_BLACK_IS_ZERO;
        frame->bits_reversed = tiff_number(tiff, TAG_FILL_ORDER, 0, 1) == 2;
    } else if (compression == COMPRESSION_JPEG && jpeg_scan(frame->data, bytes, &head) &&
               head.width == frame->width_px && head.height == frame->height_px &&
               ((head.components == 1 && photometric == PHOTOMETRIC_BLACK_IS_ZERO) ||
                (head.components == 3 && (photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_YCBCR)))) {
        frame->how = FRAME_JPEG;
        frame->components = head.components;
        frame->plain_rgb = photometric == PHOTOMETRIC_RGB;
        frame->tables = tiff_bytes(tiff, TAG_JPEG_TABLES, &frame->tables_bytes);
        if (frame->tables_bytes < 4)
            frame->tables = NULL;
    }
}

static void tiff_frame(fz_context *ctx, const struct picture *picture, uint32_t subimage, struct frame *frame)
{
    struct tiff tiff;
    bool there = tiff_open(&tiff, picture->data, picture->bytes);
    for (uint32_t i = 0; there && i < subimage; i++)
        there = tiff_next(&tiff);
    if (!there)
        fz_throw(ctx, FZ_ERROR_GENERIC, "no such TIFF directory");
    uint32_t samples = tiff_number(&tiff, TAG_SAMPLES, 0, 1), depth = tiff_number(&tiff, TAG_BITS, 0, 1);
    *frame = (struct frame){.width_px = tiff_number(&tiff, TAG_WIDTH, 0, 0),
                            .height_px = tiff_number(&tiff, TAG_LENGTH, 0, 0),
                            .bits = samples - tiff_count(&tiff, TAG_EXTRA_SAMPLES) != 1 ? 24
                                    : depth == 1                                        ? 1
                                                                                        : 8,
                            .orientation = tiff_number(&tiff, TAG_ORIENTATION, 0, 1),
                            .subimage = subimage,
                            .components = samples,
                            .component_bits = depth};
    if (!frame->width_px || !frame->height_px)
        fz_throw(ctx, FZ_ERROR_GENERIC, "a TIFF picture without size");
    if (frame->bits != 24 && tiff_number(&tiff, TAG_PHOTOMETRIC, 0, 0) == PHOTOMETRIC_PALETTE)
        frame->bits = 24;
    tiff_coded(&tiff, frame);
    frame_set_dpi(frame, tiff_dpi(&tiff, TAG_XRES), tiff_dpi(&tiff, TAG_YRES));
}

/* ---- all three ---- */

static void picture_read(fz_context *ctx, struct picture *picture, fz_stream *stream, uint64_t bytes)
{
    picture->buffer = fz_new_buffer(ctx, bytes);
    picture->bytes = fz_read(ctx, stream, picture->buffer->data, bytes);
    picture->buffer->len = picture->bytes;
    picture->data = picture->buffer->data;
}

struct picture *picture_open(fz_context *ctx, Sohoa__SourceKind kind, fz_stream *stream, uint64_t bytes)
{
    struct picture *picture = fz_malloc_struct(ctx, struct picture);
    fz_try(ctx)
    {
        picture->kind = kind;
        picture_read(ctx, picture, stream, bytes);
        struct frame frame;
        if (kind == SOHOA__SOURCE_KIND__SOURCE_TIFF) {
            tiff_list(ctx, picture);
        } else {
            picture->pages = 1;
            picture_frame(ctx, picture, 0, &frame);
        }
    }
    fz_catch(ctx)
    {
        picture_drop(ctx, picture);
        fz_rethrow(ctx);
    }
    return picture;
}

void picture_drop(fz_context *ctx, struct picture *picture)
{
    if (!picture)
        return;
    fz_drop_buffer(ctx, picture->buffer);
    fz_free(ctx, picture->subimage);
    fz_free(ctx, picture);
}

uint32_t picture_pages(const struct picture *picture)
{
    return picture->pages;
}

void picture_frame(fz_context *ctx, const struct picture *picture, uint32_t index, struct frame *frame)
{
    if (picture->kind == SOHOA__SOURCE_KIND__SOURCE_TIFF)
        tiff_frame(ctx, picture, picture->subimage[index], frame);
    else if (picture->kind == SOHOA__SOURCE_KIND__SOURCE_JPEG)
        jpeg_frame(ctx, picture, frame);
    else
        png_frame(ctx, picture, frame);
    if (!frame->orientation || frame->orientation > 8)
        frame->orientation = 1;
    if (frame->width_px > PICTURE_SIDE_PX || frame->height_px > PICTURE_SIDE_PX)
        fz_throw(ctx, FZ_ERROR_GENERIC, "%u x %u pixels", frame->width_px, frame->height_px);
}

static void append_jpeg(fz_context *ctx, fz_buffer *out, const struct frame *frame)
{
    enum { MARKER_BYTES = 2 }; /* SOI at the start and EOI at the end of the tables fall away */
    if (frame->tables) {
        fz_append_data(ctx, out, frame->data, MARKER_BYTES);
        fz_append_data(ctx, out, frame->tables + MARKER_BYTES, frame->tables_bytes - MARKER_BYTES - MARKER_BYTES);
        fz_append_data(ctx, out, frame->data + MARKER_BYTES, frame->bytes - MARKER_BYTES);
    } else {
        fz_append_data(ctx, out, frame->data, frame->bytes);
    }
}

static void append_g4(fz_context *ctx, fz_buffer *out, const struct frame *frame)
{
    fz_append_data(ctx, out, frame->data, frame->bytes);
    for (size_t i = 0; frame->bits_reversed && i < out->len; i++) {
        unsigned b = out->data[i];
        b = (b & 0xf0) >> 4 | (b & 0x0f) << 4;
        b = (b & 0xcc) >> 2 | (b & 0x33) << 2;
        out->data[i] = (unsigned char)((b & 0xaa) >> 1 | (b & 0x55) << 1);
    }
}

fz_buffer *picture_coded(fz_context *ctx, const struct picture *picture, const struct frame *frame)
{
    if (frame->how == FRAME_PNG)
        return picture_idat(ctx, picture);
    fz_buffer *data = fz_new_buffer(ctx, frame->bytes + frame->tables_bytes);
    fz_try(ctx)
    {
        if (frame->how == FRAME_JPEG)
            append_jpeg(ctx, data, frame);
        else
            append_g4(ctx, data, frame);
    }
    fz_catch(ctx)
    {
        fz_drop_buffer(ctx, data);
        fz_rethrow(ctx);
    }
    return data;
}

static void coded_params(const struct frame *frame, fz_compression_params *params)
{
    if (frame->how == FRAME_JPEG) {
        params->type = FZ_IMAGE_JPEG;
        params->u.jpeg.color_transform = frame->plain_rgb ? 0 : -1;
    } else if (frame->how == FRAME_G4) {
        params->type = FZ_IMAGE_FAX;
        params->u.fax.k = -1;
        params->u.fax.columns = (int)frame->width_px;
        params->u.fax.rows = (int)frame->height_px;
        params->u.fax.black_is_1 = frame->inverted;
    } else {
        params->type = FZ_IMAGE_FLATE;
        params->u.flate.predictor = 15;
        params->u.flate.colors = (int)frame->components;
        params->u.flate.bpc = (int)frame->component_bits;
        params->u.flate.columns = (int)frame->width_px;
    }
}

static fz_colorspace *coded_space(fz_context *ctx, const struct frame *frame)
{
    if (!frame->palette)
        return fz_keep_colorspace(ctx, frame->components == 1 ? fz_device_gray(ctx) : fz_device_rgb(ctx));
    unsigned char *lookup = fz_malloc(ctx, PNG_PALETTE_MAX_BYTES);
    memset(lookup, 0, PNG_PALETTE_MAX_BYTES);
    memcpy(lookup, frame->palette, frame->palette_bytes);
    fz_colorspace *space = NULL;
    fz_try(ctx) space = fz_new_indexed_colorspace(ctx, fz_device_rgb(ctx), (int)(frame->palette_bytes / 3) - 1, lookup);
    fz_catch(ctx)
    {
        fz_free(ctx, lookup);
        fz_rethrow(ctx);
    }
    return space;
}

/* An image over the coded data, so that it need not be decoded whole. */
static fz_image *coded_image(fz_context *ctx, const struct picture *picture, const struct frame *frame)
{
    fz_image *image = NULL;
    fz_compressed_buffer *coded = NULL;
    fz_var(coded);
    fz_var(image);
    fz_colorspace *space = coded_space(ctx, frame);
    fz_try(ctx)
    {
        coded = fz_malloc_struct(ctx, fz_compressed_buffer);
        coded_params(frame, &coded->params);
        coded->buffer = picture_coded(ctx, picture, frame);
        fz_compressed_buffer *given = coded;
        coded = NULL;
        image = fz_new_image_from_compressed_buffer(ctx, (int)frame->width_px, (int)frame->height_px,
                                                    frame->how == FRAME_JPEG ? 8 : (int)frame->component_bits, space, 0,
                                                    0, 0, 0, NULL, NULL, given, NULL);
    }
    fz_always(ctx)
    {
        fz_drop_compressed_buffer(ctx, coded);
        fz_drop_colorspace(ctx, space);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return image;
}

fz_image *picture_image(fz_context *ctx, const struct picture *picture, uint32_t index)
{
    struct frame frame;
    picture_frame(ctx, picture, index, &frame);
    if (picture->kind == SOHOA__SOURCE_KIND__SOURCE_PNG && !png_is_whole(picture))
        fz_throw(ctx, FZ_ERROR_GENERIC, "a PNG that is cut off or damaged");
    if (frame.how != FRAME_DECODED && frame.components != 4)
        return coded_image(ctx, picture, &frame);
    if ((uint64_t)frame.width_px * frame.height_px > DECODE_MAX_PX)
        fz_throw(ctx, FZ_ERROR_GENERIC, "%u x %u pixels are too many to decode", frame.width_px, frame.height_px);
    if (picture->kind != SOHOA__SOURCE_KIND__SOURCE_TIFF)
        return fz_new_image_from_buffer(ctx, picture->buffer);
    fz_image *image = NULL;
    fz_pixmap *pixmap = fz_load_tiff_subimage(ctx, picture->data, picture->bytes, (int)frame.subimage);
    fz_try(ctx) image = fz_new_image_from_pixmap(ctx, pixmap, NULL);
    fz_always(ctx) fz_drop_pixmap(ctx, pixmap);
    fz_catch(ctx) fz_rethrow(ctx);
    return image;
}

void frame_size(const struct frame *frame, double *ret_width_pt, double *ret_height_pt)
{
    double w = frame->width_px * 72.0 / frame->xdpi, h = frame->height_px * 72.0 / frame->ydpi;
    bool lying = frame->orientation >= 5;
    *ret_width_pt = lying ? h : w;
    *ret_height_pt = lying ? w : h;
}

fz_matrix frame_turn(const struct frame *frame)
{
    static const fz_matrix turn[] = {
        {1,  0,  0,  1,  0, 0},
        {1,  0,  0,  1,  0, 0},
        {-1, 0,  0,  1,  1, 0},
        {-1, 0,  0,  -1, 1, 1},
        {1,  0,  0,  -1, 0, 1},
        {0,  1,  1,  0,  0, 0},
        {0,  1,  -1, 0,  1, 0},
        {0,  -1, -1, 0,  1, 1},
        {0,  -1, 1,  0,  0, 1},
    };
    return turn[frame->orientation];
}
