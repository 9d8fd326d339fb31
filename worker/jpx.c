/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What ISO 19005-2, 6.2.8.3 asks of a JPEG 2000 image, from the boxes of its JP2 wrapping (ISO 15444-1, annex I) or, when
 * it has none, from the codestream's own head. */
#include "worker/mupdf.h"

#include <stdio.h>
#include <string.h>

enum {
    BOXES_MAX = 64,
    SIZ_COMPONENTS_AT = 40, /* from the start of a codestream: SOC, SIZ marker, length ... */
    DEPTH_MAX_BITS = 38,
};

struct jpx {
    const unsigned char *data;
    size_t bytes;
    unsigned colours, colours_good; /* colr boxes; those that PDF/A may use */
    unsigned channels, depth;
    const char *odd;
};

/* METH 1: an enumerated space (not CIEJab); 2 and 3: an ICC profile. */
static void jpx_colour(struct jpx *jpx, const unsigned char *box, size_t bytes)
{
    enum { CIE_JAB = 19 };
    if (bytes < 3)
        return;
    jpx->colours++;
    if (box[0] < 1 || box[0] > 3)
        jpx->odd = "a colour method other than 1 to 3";
    else if (box[0] == 1 && bytes >= 7 && big_endian(box + 3, 4) == CIE_JAB)
        jpx->odd = "CIEJab colours";
    jpx->colours_good += box[2] == 1; /* APPROX: exact */
}

static void jpx_codestream(struct jpx *jpx, const unsigned char *data, size_t bytes)
{
    if (bytes < SIZ_COMPONENTS_AT + 2 || data[0] != 0xff || data[1] != 0x4f)
        return;
    unsigned count = big_endian(data + SIZ_COMPONENTS_AT, 2);
    jpx->channels = count;
    for (unsigned i = 0; i < count && SIZ_COMPONENTS_AT + 2 + 3 * (size_t)i < bytes; i++) {
        unsigned depth = data[SIZ_COMPONENTS_AT + 2 + 3 * i];
        if (i && depth != jpx->depth)
            jpx->odd = "channels of different depths";
        jpx->depth = depth;
    }
    if ((jpx->depth & 0x7f) + 1 > DEPTH_MAX_BITS)
        jpx->odd = "more than 38 bits a channel";
}

static void jpx_boxes(struct jpx *jpx, const unsigned char *data, size_t bytes, unsigned depth)
{
    for (unsigned i = 0; i < BOXES_MAX && bytes >= 8; i++) {
        uint64_t size = big_endian(data, 4);
        size_t head = 8;
        if (size == 1 && bytes >= 16) {
            size = (uint64_t)big_endian(data + 8, 4) << 32 | big_endian(data + 12, 4);
            head = 16;
        }
        if (size == 0 || size > bytes)
            size = bytes;
        if (size < head)
            return;
        if (!memcmp(data + 4, "jp2h", 4) && !depth)
            jpx_boxes(jpx, data + head, size - head, depth + 1);
        else if (!memcmp(data + 4, "colr", 4))
            jpx_colour(jpx, data + head, size - head);
        else if (!memcmp(data + 4, "jp2c", 4))
            jpx_codestream(jpx, data + head, size - head);
        data += size;
        bytes -= size;
    }
}

static void jpx_read(struct jpx *jpx, bool has_space)
{
    if (jpx->bytes >= 2 && jpx->data[0] == 0xff && jpx->data[1] == 0x4f)
        jpx_codestream(jpx, jpx->data, jpx->bytes);
    else
        jpx_boxes(jpx, jpx->data, jpx->bytes, 0);
    if (!jpx->odd && jpx->channels != 1 && jpx->channels != 3 && jpx->channels != 4)
        jpx->odd = "a number of channels other than 1, 3 and 4";
    if (!jpx->odd && !has_space && jpx->colours > 1 && jpx->colours_good != 1)
        jpx->odd = "several colour spaces, of which not one is exact";
}

void jpx_check(fz_context *ctx, pdf_obj *stream, char why[PDFA_WHY_BYTES])
{
    fz_buffer *data = pdf_load_raw_stream(ctx, stream);
    struct jpx jpx = {.data = data->data, .bytes = data->len};
    jpx_read(&jpx, pdf_dict_get(ctx, stream, PDF_NAME(ColorSpace)) != NULL);
    fz_drop_buffer(ctx, data);
    if (jpx.odd && !*why)
        snprintf(why, PDFA_WHY_BYTES, "19005-2 6.2.8.3, object %d: JPEG 2000 with %s", pdf_to_num(ctx, stream),
                 jpx.odd);
}
