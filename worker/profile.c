/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Two small ICC profiles (ICC.1:2001-04, version 2), made from numbers: sRGB (IEC 61966-2-1) as a display with matrix
 * and curve, and a CMYK that mixes in sRGB, as programs without colour management show it. */
#include "worker/mupdf.h"

#include <math.h>
#include <string.h>

enum {
    HEADER_BYTES = 128,
    TAG_BYTES = 12,
    CURVE_POINTS = 64,
    GRID = 3, /* points a side of the CMYK table */
    INKS = 4,
};

struct icc {
    fz_buffer *out;
    unsigned tags, tag; /* how many, and how many of them are written */
};

static void put32(fz_context *ctx, fz_buffer *out, uint32_t value)
{
    fz_append_int32_be(ctx, out, (int)value);
}

static void put_at(fz_buffer *out, size_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out->data[at + (size_t)i] = (unsigned char)(value >> (24 - 8 * i));
}

static void icc_start(fz_context *ctx, struct icc *icc, const char *class, const char *space, const char *pcs)
{
    fz_buffer *out = icc->out;
    static const uint32_t d50[] = {0xf6d6, 0x10000, 0xd32d};
    put32(ctx, out, 0); /* size, at the end */
    put32(ctx, out, 0);
    put32(ctx, out, 0x02100000);
    fz_append_string(ctx, out, class);
    fz_append_string(ctx, out, space);
    fz_append_string(ctx, out, pcs);
    for (int i = 0; i < 3; i++) /* when: the standard's own date, since one must be there */
        put32(ctx, out, (const uint32_t[]){2001u << 16 | 4, 1u << 16, 0}[i]);
    fz_append_string(ctx, out, "acsp");
    while (out->len < 68)
        put32(ctx, out, 0);
    for (int i = 0; i < 3; i++)
        put32(ctx, out, d50[i]);
    while (out->len < HEADER_BYTES)
        put32(ctx, out, 0);
    put32(ctx, out, icc->tags);
    for (unsigned i = 0; i < icc->tags * TAG_BYTES; i++)
        fz_append_byte(ctx, out, 0);
}

static void tag_name(struct icc *icc, const char *name, size_t from, size_t to)
{
    size_t at = HEADER_BYTES + 4 + (size_t)icc->tag++ * TAG_BYTES;
    memcpy(icc->out->data + at, name, 4);
    put_at(icc->out, at + 4, (uint32_t)from);
    put_at(icc->out, at + 8, (uint32_t)(to - from));
}

/* Closes the tag that began at from; those after it begin at a multiple of 4. */
static void tag_end(fz_context *ctx, struct icc *icc, const char *name, size_t from)
{
    tag_name(icc, name, from, icc->out->len);
    while (icc->out->len % 4)
        fz_append_byte(ctx, icc->out, 0);
}

static size_t tag_start(fz_context *ctx, struct icc *icc, const char *type)
{
    size_t from = icc->out->len;
    fz_append_string(ctx, icc->out, type);
    put32(ctx, icc->out, 0);
    return from;
}

static void icc_texts(fz_context *ctx, struct icc *icc, const char *name)
{
    enum { UNICODE_AND_MAC_BYTES = 4 + 4 + 2 + 1 + 67 };
    size_t from = tag_start(ctx, icc, "desc");
    put32(ctx, icc->out, (uint32_t)strlen(name) + 1);
    fz_append_data(ctx, icc->out, name, strlen(name) + 1);
    for (int i = 0; i < UNICODE_AND_MAC_BYTES; i++)
        fz_append_byte(ctx, icc->out, 0);
    tag_end(ctx, icc, "desc", from);
    from = tag_start(ctx, icc, "text");
    fz_append_data(ctx, icc->out, "None", 5);
    tag_end(ctx, icc, "cprt", from);
}

static void icc_xyz(fz_context *ctx, struct icc *icc, const char *name, const uint32_t xyz[3])
{
    size_t from = tag_start(ctx, icc, "XYZ ");
    for (int i = 0; i < 3; i++)
        put32(ctx, icc->out, xyz[i]);
    tag_end(ctx, icc, name, from);
}

static double srgb_linear(double v)
{
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

/* One curve, which three tags name. */
static void icc_curve(fz_context *ctx, struct icc *icc)
{
    size_t from = tag_start(ctx, icc, "curv");
    put32(ctx, icc->out, CURVE_POINTS);
    for (int i = 0; i < CURVE_POINTS; i++)
        fz_append_int16_be(ctx, icc->out, (int)lround(65535 * srgb_linear(i / (CURVE_POINTS - 1.0))));
    size_t to = icc->out->len;
    tag_name(icc, "rTRC", from, to);
    tag_name(icc, "gTRC", from, to);
    tag_name(icc, "bTRC", from, to);
}

/* D50 and, adapted to it, the primaries. */
static const uint32_t white[] = {0xf6d6, 0x10000, 0xd32d};
static const uint32_t red[] = {0x6fa2, 0x38f5, 0x0390}, green[] = {0x6299, 0xb785, 0x18da},
                      blue[] = {0x24a0, 0x0f84, 0xb6cf};

static void srgb_fill(fz_context *ctx, fz_buffer *out)
{
    struct icc icc = {.out = out, .tags = 9};
    icc_start(ctx, &icc, "mntr", "RGB ", "XYZ ");
    icc_texts(ctx, &icc, "sRGB");
    icc_xyz(ctx, &icc, "wtpt", white);
    icc_xyz(ctx, &icc, "rXYZ", red);
    icc_xyz(ctx, &icc, "gXYZ", green);
    icc_xyz(ctx, &icc, "bXYZ", blue);
    icc_curve(ctx, &icc);
    put_at(out, 0, (uint32_t)out->len);
}

static double lab_root(double t)
{
    return t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

/* An sRGB colour as Lab in 16 bits (ICC.1:2001-04, 6.5.9). */
static void append_lab(fz_context *ctx, fz_buffer *out, const double rgb[3])
{
    double root[3];
    for (int i = 0; i < 3; i++) {
        double sum = srgb_linear(rgb[0]) * red[i] + srgb_linear(rgb[1]) * green[i] + srgb_linear(rgb[2]) * blue[i];
        root[i] = lab_root(sum / white[i]);
    }
    double lab[] = {(116 * root[1] - 16) * 652.8, (500 * (root[0] - root[1]) + 128) * 256,
                    (200 * (root[1] - root[2]) + 128) * 256};
    for (int i = 0; i < 3; i++)
        fz_append_int16_be(ctx, out, (int)lround(fmin(fmax(lab[i], 0), 65535)));
}

static void append_line(fz_context *ctx, fz_buffer *out, int curves)
{
    for (int i = 0; i < curves; i++) {
        fz_append_int16_be(ctx, out, 0);
        fz_append_int16_be(ctx, out, 65535);
    }
}

static void cmyk_table(fz_context *ctx, struct icc *icc)
{
    fz_buffer *out = icc->out;
    size_t from = tag_start(ctx, icc, "mft2");
    put32(ctx, out, INKS << 24 | 3 << 16 | GRID << 8);
    for (int i = 0; i < 9; i++)
        put32(ctx, out, i % 4 ? 0 : 0x10000);
    fz_append_int16_be(ctx, out, 2);
    fz_append_int16_be(ctx, out, 2);
    append_line(ctx, out, INKS);
    for (int i = 0; i < GRID * GRID * GRID * GRID; i++) {
        double left = 1 - i % GRID / (GRID - 1.0), rgb[3];
        for (int c = 0, at = i / GRID; c < 3; c++, at /= GRID)
            rgb[2 - c] = (1 - at % GRID / (GRID - 1.0)) * left;
        append_lab(ctx, out, rgb);
    }
    append_line(ctx, out, 3);
    tag_end(ctx, icc, "A2B0", from);
}

static void cmyk_fill(fz_context *ctx, fz_buffer *out)
{
    struct icc icc = {.out = out, .tags = 4};
    icc_start(ctx, &icc, "scnr", "CMYK", "Lab ");
    icc_texts(ctx, &icc, "CMYK");
    icc_xyz(ctx, &icc, "wtpt", white);
    cmyk_table(ctx, &icc);
    put_at(out, 0, (uint32_t)out->len);
}

/* Every tag that ICC.1:2001-04, 6.3.3 asks for. */
static bool tags_are_there(const unsigned char *data, size_t bytes)
{
    static const char tag[][5] = {"desc", "cprt", "wtpt", "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC"};
    unsigned found = 0;
    size_t tags = (size_t)data[HEADER_BYTES + 2] << 8 | data[HEADER_BYTES + 3];
    for (size_t t = 0; t < tags && HEADER_BYTES + 4 + (t + 1) * TAG_BYTES <= bytes; t++)
        for (size_t i = 0; i < sizeof tag / sizeof *tag; i++)
            if (!memcmp(data + HEADER_BYTES + 4 + t * TAG_BYTES, tag[i], 4))
                found |= 1u << i;
    return found == (1u << sizeof tag / sizeof *tag) - 1;
}

static bool data_is_rgb(const unsigned char *head, size_t bytes)
{
    enum { OLD = 2 };
    if (bytes <= HEADER_BYTES + 4 || head[8] != OLD || memcmp(head + 16, "RGB ", 4) || memcmp(head + 36, "acsp", 4))
        return false;
    size_t said = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    bool output = !memcmp(head + 12, "mntr", 4) || !memcmp(head + 12, "prtr", 4);
    return said == bytes && output && tags_are_there(head, bytes);
}

bool profile_is_rgb(fz_context *ctx, pdf_obj *stream)
{
    bool good = false;
    fz_buffer *data = NULL;
    fz_var(good);
    fz_var(data);
    fz_try(ctx)
    {
        data = pdf_load_stream(ctx, stream);
        good = pdf_dict_get_int(ctx, stream, PDF_NAME(N)) == 3 && data_is_rgb(data->data, data->len);
    }
    fz_always(ctx) fz_drop_buffer(ctx, data);
    fz_catch(ctx) if (fz_caught(ctx) == FZ_ERROR_MEMORY) fz_rethrow(ctx);
    return good;
}

pdf_obj *profile_add(fz_context *ctx, pdf_document *pdf, unsigned components)
{
    pdf_obj *dict = NULL, *stream = NULL;
    fz_var(dict);
    fz_var(stream);
    fz_buffer *data = fz_new_buffer(ctx, 1024);
    fz_try(ctx)
    {
        (components == INKS ? cmyk_fill : srgb_fill)(ctx, data);
        dict = pdf_new_dict(ctx, pdf, 2);
        pdf_dict_put_int(ctx, dict, PDF_NAME(N), components);
        stream = pdf_add_stream(ctx, pdf, data, dict, 0);
    }
    fz_always(ctx)
    {
        pdf_drop_obj(ctx, dict);
        fz_drop_buffer(ctx, data);
    }
    fz_catch(ctx) fz_rethrow(ctx);
    return stream;
}
