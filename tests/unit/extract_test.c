/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Pages that are one image, of each filter and colour space that a PDF knows: what is taken out of them against another
 * program's picture of the page. And images above the limit of pixels: read in part size, from every kind of source. */
#include "tests/unit/sources.h"

#include <leptonica/allheaders.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <zlib.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { W = 61, H = 43, SCALE = 10, CODED_MAX = 1 << 20 };

/* ---- samples ---- */

static uint8_t gray_at(int x, int y)
{
    if (x < 14 && y < 9)
        return 0;
    return x >= 40 && x < 46 && y > 20 ? 255 : (uint8_t)(60 + 2 * x + y);
}

static bool ink_at(int x, int y)
{
    return gray_at(x, y) < 128;
}

/* channels bytes a pixel: slopes that differ. */
static void bytes_fill(struct buf *out, int channels)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++) {
                uint8_t v = c == 0   ? gray_at(x, y)
                            : c == 1 ? (uint8_t)(4 * x)
                            : c == 2 ? (uint8_t)(5 * y)
                                     : (uint8_t)(x + y);
                buf_append(out, &v, 1);
            }
}

static void bits_fill(struct buf *out, bool ink_is_1)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x += 8) {
            uint8_t byte = 0;
            for (int i = 0; i < 8; i++)
                if (x + i < W && ink_at(x + i, y) == ink_is_1)
                    byte |= (uint8_t)(0x80 >> i);
            buf_append(out, &byte, 1);
        }
}

static PIX *pix_of(int depth)
{
    PIX *pix = pixCreate(W, H, depth);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            l_uint32 rgb = (l_uint32)gray_at(x, y) << 24 | (l_uint32)(4 * x) << 16 | (l_uint32)(5 * y) << 8;
            pixSetPixel(pix, x, y, depth == 1 ? ink_at(x, y) : depth == 8 ? gray_at(x, y) : rgb);
        }
    return pix;
}

/* ---- filters ---- */

static void deflate_to(struct buf *out, const struct buf *in)
{
    uLongf bytes = CODED_MAX;
    assert_int_equal(compress(buf_reserve(out, CODED_MAX), &bytes, in->data, in->size), Z_OK);
    out->size += bytes;
}

/* Each row behind its predictor's number, as differences to the pixel on the left (1) or above (2). */
static void predict_png(struct buf *out, const struct buf *in, size_t stride, size_t pixel)
{
    for (size_t y = 0; y * stride < in->size; y++) {
        uint8_t kind = 1 + (y & 1);
        buf_append(out, &kind, 1);
        for (size_t i = 0; i < stride; i++) {
            size_t at = y * stride + i;
            uint8_t left = i >= pixel ? in->data[at - pixel] : 0, above = y ? in->data[at - stride] : 0;
            uint8_t byte = (uint8_t)(in->data[at] - (kind == 1 ? left : above));
            buf_append(out, &byte, 1);
        }
    }
}

static void predict_tiff(struct buf *out, const struct buf *in, size_t stride, size_t pixel)
{
    for (size_t at = 0; at < in->size; at++) {
        uint8_t byte = (uint8_t)(in->data[at] - (at % stride >= pixel ? in->data[at - pixel] : 0));
        buf_append(out, &byte, 1);
    }
}

/* Codes of nine bits only: the table is cleared before it needs more. */
static void lzw_to(struct buf *out, const struct buf *in)
{
    enum { CLEAR = 256, END = 257, ROOM = 250 };
    uint32_t bits = 0, held = 0;
    for (size_t i = 0; i <= in->size; i++) {
        uint32_t codes[2] = {CLEAR, i < in->size ? in->data[i] : END};
        for (int c = i % ROOM ? 1 : 0; c < 2; c++) {
            bits = bits << 9 | codes[c];
            for (held += 9; held >= 8; held -= 8) {
                uint8_t byte = (uint8_t)(bits >> (held - 8));
                buf_append(out, &byte, 1);
            }
        }
    }
    uint8_t last = (uint8_t)(bits << (8 - held));
    buf_append(out, &last, 1);
}

static void run_length_to(struct buf *out, const struct buf *in)
{
    for (size_t at = 0; at < in->size; at += 100) {
        size_t n = in->size - at < 100 ? in->size - at : 100;
        uint8_t length = (uint8_t)(n - 1);
        buf_append(out, &length, 1);
        buf_append(out, in->data + at, n);
    }
    buf_append(out, "\x80", 1);
}

/* The coded strip of a fax TIFF, ink as black runs. */
static void fax_to(struct buf *out, int format)
{
    AUTO(buf_destroy) struct buf tiff = {0};
    PIX *pix = pix_of(1);
    assert_int_equal(pixWriteTiff(dir_path("fax.tif"), pix, format, "w"), 0);
    pixDestroy(&pix);
    file_load(dir_path("fax.tif"), &tiff);
    const uint8_t *data = tiff.data;
    size_t ifd = data[4] | (size_t)data[5] << 8 | (size_t)data[6] << 16, offset = 0, bytes = 0;
    for (size_t i = 0; i < data[ifd]; i++) {
        const uint8_t *entry = data + ifd + 2 + 12 * i;
        size_t value = entry[8] | (size_t)entry[9] << 8 | (size_t)entry[10] << 16;
        offset = entry[0] == 0x11 && entry[1] == 1 ? value : offset;
        bytes = entry[0] == 0x17 && entry[1] == 1 ? value : bytes;
    }
    assert_true(offset && bytes && offset + bytes <= tiff.size);
    buf_append(out, data + offset, bytes);
}

static void be32_to(struct buf *out, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
    buf_append(out, bytes, 4);
}

/* ITU-T T.88: segment header; page information; a generic region coded by MMR, which is G4. */
static void jbig2_page(struct buf *out)
{
    buf_append(out, "\0\0\0\0\x30\0\1\0\0\0\x13", 11);
    be32_to(out, W);
    be32_to(out, H);
    buf_append(out, "\0\0\0\0\0\0\0\0\0\0\0", 11);
}

static void jbig2_region(struct buf *out)
{
    AUTO(buf_destroy) struct buf g4 = {0};
    fax_to(&g4, IFF_TIFF_G4);
    buf_append(out, "\0\0\0\1\x26\0\1", 7);
    be32_to(out, (uint32_t)g4.size + 18);
    be32_to(out, W);
    be32_to(out, H);
    buf_append(out, "\0\0\0\0\0\0\0\0\0\1", 10);
    buf_append(out, g4.data, g4.size);
}

static void jpeg_to(struct buf *out, int depth, bool progressive)
{
    PIX *pix = pix_of(depth);
    assert_int_equal(pixWriteJpeg(dir_path("a.jpg"), pix, 95, progressive), 0);
    pixDestroy(&pix);
    file_load(dir_path("a.jpg"), out);
}

static void jpx_to(struct buf *out, int depth)
{
    PIX *pix = pix_of(depth);
    assert_int_equal(pixWriteJp2k(dir_path("a.jp2"), pix, 0, 5, 0, 0), 0);
    pixDestroy(&pix);
    file_load(dir_path("a.jp2"), out);
}

/* ---- cases ---- */

enum coder {
    RAW,
    FLATE,
    FLATE_PNG,
    FLATE_TIFF,
    LZW,
    RUN_LENGTH,
    FAX_G4,
    FAX_G3,
    JBIG2,
    JBIG2_GLOBALS,
    JPEG,
    JPEG_PROGRESSIVE,
    JPX
};

struct sample {
    const char *name;
    enum coder coder;
    int channels; /* 0: bits, 1 is ink in fax and JBIG2, paper elsewhere */
    const char *dict;
    const char *extra; /* dictionary of object 6, 8-bit gray samples */
    int slack;
    bool drawn; /* not its own pixels: nothing but the picture is to agree */
};

#define GRAY  "/ColorSpace/DeviceGray /BitsPerComponent 8"
#define RGB   "/ColorSpace/DeviceRGB /BitsPerComponent 8"
#define CMYK  "/ColorSpace/DeviceCMYK /BitsPerComponent 8"
#define BITS  "/ColorSpace/DeviceGray /BitsPerComponent 1"
#define FAX   BITS "/DecodeParms<</K -1 /Columns 61 /Rows 43"
#define EXTRA "/Type/XObject /Subtype/Image /Width 61 /Height 43 "

static const struct sample samples[] = {
    {"flate gray",                FLATE,            1,  GRAY,                                                                                 NULL,                                        1,  false},
    {"flate gray inverted",       FLATE,            1,  GRAY "/Decode[1 0]",                                                                  NULL,                                        1,  false},
    {"flate gray, half range",    FLATE,            1,  GRAY "/Decode[0.5 1]",                                                                NULL,                                        2,  false},
    {"flate RGB",                 FLATE,            3,  RGB,                                                                                  NULL,                                        2,  false},
    {"flate RGB inverted",        FLATE,            3,  RGB "/Decode[1 0 1 0 1 0]",                                                           NULL,                                        2,  false},
    {"flate RGB, PNG predictors", FLATE_PNG,        3,  RGB "/DecodeParms<</Predictor 15 /Colors 3 /Columns 61>>",                            NULL,                                        2,
     false                                                                                                                                                                                          },
    {"flate RGB, TIFF predictor", FLATE_TIFF,       3,  RGB "/DecodeParms<</Predictor 2 /Colors 3 /Columns 61>>",                             NULL,                                        2,
     false                                                                                                                                                                                          },
    {"flate bits",                FLATE,            0,  BITS,                                                                                 NULL,                                        0,  false},
    {"flate bits inverted",       FLATE,            0,  BITS "/Decode[1 0]",                                                                  NULL,                                        0,  false},
    {"raw bits",                  RAW,              0,  BITS,                                                                                 NULL,                                        0,  false},
    {"raw gray",                  RAW,              1,  GRAY,                                                                                 NULL,                                        1,  false},
    {"LZW gray",                  LZW,              1,  GRAY,                                                                                 NULL,                                        1,  false},
    {"LZW bits",                  LZW,              0,  BITS,                                                                                 NULL,                                        0,  false},
    {"RunLength RGB",             RUN_LENGTH,       3,  RGB,                                                                                  NULL,                                        2,  false},
    {"RunLength bits",            RUN_LENGTH,       0,  BITS,                                                                                 NULL,                                        0,  false},
    {"G4",                        FAX_G4,           0,  FAX ">>",                                                                             NULL,                                        0,  false},
    {"G4 BlackIs1",               FAX_G4,           0,  FAX "/BlackIs1 true>>",                                                               NULL,                                        0,  false},
    {"G4 BlackIs1 inverted",      FAX_G4,           0,  FAX "/BlackIs1 true>> /Decode[1 0]",                                                  NULL,                                        0,  false},
    {"G3",                        FAX_G3,           0,  BITS "/DecodeParms<</K 0 /Columns 61 /Rows 43 /EndOfLine true>>",                     NULL,                                        0,  false},
    {"JBIG2",                     JBIG2,            0,  BITS,                                                                                 NULL,                                        0,  false},
    {"JBIG2 with globals",        JBIG2_GLOBALS,    0,  BITS "/DecodeParms<</JBIG2Globals 6 0 R>>",                                           "",                                          0,  false},
    {"JPEG gray",                 JPEG,             8,  GRAY,                                                                                 NULL,                                        3,  false},
    {"JPEG colour",               JPEG,             32, RGB,                                                                                  NULL,                                        6,  false},
    {"JPEG progressive",          JPEG_PROGRESSIVE, 32, RGB,                                                                                  NULL,                                        6,  false},
    {"JPEG inverted",             JPEG,             8,  GRAY "/Decode[1 0]",                                                                  NULL,                                        3,  false},
    {"JPX gray",                  JPX,              8,  "",                                                                                   NULL,                                        2,  false},
    {"JPX colour",                JPX,              32, "",                                                                                   NULL,                                        6,  false},
    {"CMYK",                      FLATE,            4,  CMYK,                                                                                 NULL,                                        70, false}, /* without profiles each program has its own idea of inks */
    {"CMYK inverted",             FLATE,            4,  CMYK "/Decode[1 0 1 0 1 0 1 0]",                                                      NULL,                                        70, false},
    {"palette",                   FLATE,            1,  "/ColorSpace[/Indexed/DeviceRGB 3<ff0000 00ff00 0000ff 808080>] /BitsPerComponent 8", NULL,                                        2,
     false                                                                                                                                                                                          },
    {"palette of two",            FLATE,            0,  "/ColorSpace[/Indexed/DeviceGray 1<20e0>] /BitsPerComponent 1",                       NULL,                                        40, false},
    {"CalGray",                   FLATE,            1,  "/ColorSpace[/CalGray<</WhitePoint[0.95 1 1.09]>>] /BitsPerComponent 8",              NULL,                                        90, false},
    {"CalRGB",                    FLATE,            3,  "/ColorSpace[/CalRGB<</WhitePoint[0.95 1 1.09]>>] /BitsPerComponent 8",               NULL,                                        90, false},
    {"Separation",                FLATE,            1,
     "/ColorSpace[/Separation/Black/DeviceGray<</FunctionType 2 /Domain[0 1] /C0[1] /C1[0] /N 1>>] /BitsPerComponent 8",                      NULL,                                        2,  false},
    {"Separation bits",           FLATE,            0,
     "/ColorSpace[/Separation/Black/DeviceGray<</FunctionType 2 /Domain[0 1] /C0[1] /C1[0] /N 1>>] /BitsPerComponent 1",                      NULL,                                        0,  false},
    {"stencil",                   FLATE,            0,  "/ImageMask true",                                                                    NULL,                                        0,  false},
    {"stencil inverted",          FLATE,            0,  "/ImageMask true /Decode[1 0]",                                                       NULL,                                        0,  false},
    {"soft mask",                 FLATE,            3,  RGB "/SMask 6 0 R",                                                                   EXTRA GRAY,                                  4,  true },
    {"explicit mask",             FLATE,            3,  RGB "/Mask 6 0 R",                                                                    EXTRA "/ImageMask true /BitsPerComponent 1", 2,  true },
    {"colour key",                FLATE,            1,  GRAY "/Mask[0 100]",                                                                  NULL,                                        2,  true },
};

static void sample_data(const struct sample *sample, struct buf *out)
{
    AUTO(buf_destroy) struct buf plain = {0};
    AUTO(buf_destroy) struct buf coded = {0};
    size_t pixel = (size_t)sample->channels;
    if (!sample->channels)
        bits_fill(&plain, false);
    else if (sample->channels <= 4)
        bytes_fill(&plain, sample->channels);
    switch (sample->coder) {
    case RAW: buf_append(out, plain.data, plain.size); break;
    case FLATE: deflate_to(out, &plain); break;
    case FLATE_PNG:
        predict_png(&coded, &plain, W * pixel, pixel);
        deflate_to(out, &coded);
        break;
    case FLATE_TIFF:
        predict_tiff(&coded, &plain, W * pixel, pixel);
        deflate_to(out, &coded);
        break;
    case LZW: lzw_to(out, &plain); break;
    case RUN_LENGTH: run_length_to(out, &plain); break;
    case FAX_G4: fax_to(out, IFF_TIFF_G4); break;
    case FAX_G3: fax_to(out, IFF_TIFF_G3); break;
    case JBIG2:
    case JBIG2_GLOBALS:
        jbig2_page(out);
        jbig2_region(out);
        break;
    case JPEG: jpeg_to(out, sample->channels, false); break;
    case JPEG_PROGRESSIVE: jpeg_to(out, sample->channels, true); break;
    case JPX: jpx_to(out, sample->channels); break;
    }
}

static const char *coder_filter(enum coder coder)
{
    switch (coder) {
    case FLATE:
    case FLATE_PNG:
    case FLATE_TIFF: return "/Filter/FlateDecode";
    case LZW: return "/Filter/LZWDecode";
    case RUN_LENGTH: return "/Filter/RunLengthDecode";
    case FAX_G4:
    case FAX_G3: return "/Filter/CCITTFaxDecode";
    case JBIG2:
    case JBIG2_GLOBALS: return "/Filter/JBIG2Decode";
    case JPEG:
    case JPEG_PROGRESSIVE: return "/Filter/DCTDecode";
    case JPX: return "/Filter/JPXDecode";
    default: return "";
    }
}

static void extra_object(const struct sample *sample, struct maker *maker)
{
    AUTO(buf_destroy) struct buf data = {0};
    if (sample->coder == JBIG2_GLOBALS) /* a comment */
        buf_append(&data, "\0\0\0\2\x3e\0\0\0\0\0\6\x20\0\0\0\0\0", 17);
    else if (sample->extra && strstr(sample->extra, "ImageMask"))
        bits_fill(&data, false);
    else
        bytes_fill(&data, 1);
    maker_stream(maker, sample->extra ? sample->extra : "", data.data, data.size);
}

static void sample_pdf(const struct sample *sample, unsigned rotate, struct maker *maker)
{
    AUTO(buf_destroy) struct buf data = {0};
    char dict[1024];
    static const char contents[] = "q 61 0 0 43 0 0 cm /Im0 Do Q";
    sample_data(sample, &data);
    maker_start(maker);
    maker_object(maker, "<</Type/Catalog /Pages 2 0 R>>");
    maker_object(maker, "<</Type/Pages /Kids[3 0 R] /Count 1>>");
    maker_object(maker,
                 "<</Type/Page /Parent 2 0 R /MediaBox[0 0 61 43] /Rotate %u /Contents 4 0 R "
                 "/Resources<</XObject<</Im0 5 0 R>>>>>>",
                 rotate);
    maker_stream(maker, "", contents, sizeof contents - 1);
    snprintf(dict, sizeof dict, "/Type/XObject /Subtype/Image /Width 61 /Height 43 %s %s", sample->dict,
             coder_filter(sample->coder));
    maker_stream(maker, dict, data.data, data.size);
    extra_object(sample, maker);
    maker_end(maker);
}

/* pdftoppm's picture of the page, in RGB, SCALE times as large: then it does not mix pixels. */
static struct raster *poppler_picture(const struct buf *pdf)
{
    AUTO(buf_destroy) struct buf out = {0};
    unsigned width = 0, height = 0;
    int head = 0;
    file_save("page.pdf", pdf);
    assert_int_equal(run(&out, "pdftoppm -r 720 -singlefile page.pdf page 2>/dev/null"), 0);
    file_load(dir_path("page.ppm"), &out);
    assert_int_equal(sscanf((const char *)out.data, "P6 %u %u 255%n", &width, &height, &head), 2);
    struct raster *raster = raster_new(width, height, 3);
    assert_int_equal(out.size - (size_t)head - 1, raster->stride_bytes * height);
    memcpy(raster->data, out.data + head + 1, raster->stride_bytes * height);
    return raster;
}

static void sample_compare(const struct sample *sample, unsigned rotate)
{
    struct maker maker;
    sample_pdf(sample, rotate, &maker);
    AUTO(raster_destroy) struct raster *right = poppler_picture(&maker.pdf);
    open_ok(&maker.pdf);
    buf_destroy(&maker.pdf);
    AUTO(raster_destroy) struct raster *own = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &own);
    assert_false(page_has_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED));
    assert_int_equal(own->width_px, rotate % 180 ? H : W);
    assert_int_equal(own->height_px, rotate % 180 ? W : H);
    if (!sample->drawn && !sample->channels)
        assert_int_equal(own->channels, 0);
    bool two = own->channels == 0; /* which shades the two had is not kept */
    for (uint32_t y = 0; y < own->height_px; y++)
        for (uint32_t x = 0; x < own->width_px; x++) {
            int shade = shade_at(right, SCALE * x + SCALE / 2, SCALE * y + SCALE / 2);
            if (abs(shade_at(own, x, y) - (two ? shade < 128 ? 0 : 255 : shade)) > sample->slack)
                fail_msg("%s, turned %u: pixel %u,%u is %d, not %d", sample->name, rotate, x, y, shade_at(own, x, y),
                         shade);
        }
}

static void every_coding_gives_what_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        for (unsigned rotate = 0; rotate < 360; rotate += i % 8 == 7 ? 90 : 360)
            sample_compare(&samples[i], rotate);
}

/* What is missing at the end of cut data is paper, not ink. */
static void cut_bits_end_in_paper(void **state)
{
    (void)state;
    static const struct sample cut = {"cut", RAW, 0, BITS, NULL, 0, false};
    struct maker maker;
    sample_pdf(&cut, 0, &maker);
    memcpy(memmem(maker.pdf.data, maker.pdf.size, "/Height 43", 10), "/Height 44", 10);
    open_ok(&maker.pdf);
    buf_destroy(&maker.pdf);
    AUTO(raster_destroy) struct raster *own = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &own);
    assert_true(page_has_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED));
    assert_int_equal(own->height_px, H + 1);
    for (uint32_t x = 0; x < W; x++)
        assert_int_equal(shade_at(own, x, H), 255);
}

static void damaged_data_are_noted(void **state)
{
    (void)state;
    static const enum coder coder[] = {FLATE, LZW, RUN_LENGTH, FAX_G4, FAX_G3, JPEG};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        for (size_t c = 0; c < sizeof coder / sizeof *coder; c++) {
            bool zeros_are_codes = coder[c] == FLATE && samples[i].channels == 3; /* ... of this very picture */
            if (samples[i].coder != coder[c] || samples[i].drawn || zeros_are_codes)
                continue;
            struct maker maker;
            AUTO(buf_destroy) struct buf data = {0};
            sample_data(&samples[i], &data);
            sample_pdf(&samples[i], 0, &maker);
            uint8_t *at = memmem(maker.pdf.data, maker.pdf.size, data.data, data.size);
            memset(at + data.size / 2, 0, data.size - data.size / 2);
            open_ok(&maker.pdf);
            buf_destroy(&maker.pdf);
            for (int again = 0; again < 2; again++) {
                AUTO(raster_destroy) struct raster *own = NULL;
                AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &own);
                if (!page_has_note(page, SOHOA__PAGE_NOTE__NOTE_DAMAGED))
                    fail_msg("%s: nothing is said of its damage", samples[i].name);
            }
        }
}

/* ---- above the limit of pixels ---- */

enum { FEW_PIXELS = W * H / 2 };

static struct render *small_render(void)
{
    static struct render *render;
    struct err err;
    if (!render)
        assert_int_equal(render_new(FEW_PIXELS, TESSDATA, &render, &err), 0);
    return render;
}

static int mean_at(const struct raster *whole, uint32_t x, uint32_t y)
{
    int sum = 0, count = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t px = 2 * x + (i & 1), py = 2 * y + (i >> 1);
        if (px >= whole->width_px || py >= whole->height_px)
            continue;
        sum += shade_at(whole, px, py);
        count++;
    }
    return sum / count;
}

/* The first page of source read whole and in half size: the same picture, and the half says so. */
static void assert_halved(const char *name, const struct buf *source, int slack)
{
    struct err err = {0};
    AUTO(raster_destroy) struct raster *whole = NULL;
    AUTO(raster_destroy) struct raster *half = NULL;
    AUTO(page_destroy) Sohoa__Page *small = page_new(1);
    open_ok(source);
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &whole);
    assert_false(page_has_note(page, SOHOA__PAGE_NOTE__NOTE_REDUCED));
    int rc = open_bytes(small_render(), source->data, source->size, &err);
    if (!rc)
        rc = render_page(small_render(), 1, false, small, NULL, &half, &err);
    if (rc)
        fail_msg("%s: %s", name, err.text);
    assert_true(page_has_note(small, SOHOA__PAGE_NOTE__NOTE_REDUCED));
    assert_int_equal(small->dpi_scan, page->dpi_scan);
    assert_int_equal(half->dpi, (page->dpi_scan + 1) / 2);
    assert_int_equal(half->width_px, (W + 1) / 2);
    assert_int_equal(half->height_px, (H + 1) / 2);
    assert_float_equal(half->to_view[0] * half->width_px, small->width_px, 1);
    for (uint32_t y = 0; y < half->height_px; y++)
        for (uint32_t x = 0; x < half->width_px; x++)
            if (abs(shade_at(half, x, y) - mean_at(whole, x, y)) > slack)
                fail_msg("%s: pixel %u,%u is %d, not %d", name, x, y, shade_at(half, x, y), mean_at(whole, x, y));
}

static void large_images_in_pdfs_are_halved(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        bool toned =
            strstr(samples[i].dict, "Indexed") && !samples[i].channels; /* its two shades are not black and white */
        if (samples[i].drawn || toned)
            continue;
        struct maker maker;
        sample_pdf(&samples[i], 0, &maker);
        assert_halved(samples[i].name, &maker.pdf, 8);
        buf_destroy(&maker.pdf);
    }
}

static void large_pictures_are_halved(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int depth, format;
    } picture[] = {
        {"G4 TIFF",       1,  IFF_TIFF_G4      },
        {"packbits TIFF", 1,  IFF_TIFF_PACKBITS},
        {"LZW TIFF",      32, IFF_TIFF_LZW     },
        {"gray ZIP TIFF", 8,  IFF_TIFF_ZIP     },
        {"JPEG TIFF",     32, IFF_TIFF_JPEG    },
        {"bits PNG",      1,  IFF_PNG          },
        {"gray PNG",      8,  IFF_PNG          },
        {"colour PNG",    32, IFF_PNG          },
        {"gray JPEG",     8,  IFF_JFIF_JPEG    },
        {"colour JPEG",   32, IFF_JFIF_JPEG    },
    };
    for (size_t i = 0; i < sizeof picture / sizeof *picture; i++) {
        AUTO(buf_destroy) struct buf source = {0};
        PIX *pix = pix_of(picture[i].depth);
        pixSetResolution(pix, 100, 100);
        assert_int_equal(pixWrite(dir_path("picture"), pix, picture[i].format), 0);
        pixDestroy(&pix);
        file_load(dir_path("picture"), &source);
        assert_halved(picture[i].name, &source, 12);
    }
}

/* ---- JPEG 2000 that does not fit into memory whole ---- */

enum { LARGE_W = 5200, LARGE_H = 4000, SPOT = 400, LARGE_MAX_PIXELS = 6000000, ROOM_BYTES = 160 << 20 };

/* White with a black spot at the top left, one of middle gray below, and a red one to the right. */
static void large_jpx_pdf(struct maker *maker)
{
    AUTO(buf_destroy) struct buf data = {0};
    char dict[256];
    static const char contents[] = "q 5200 0 0 4000 0 0 cm /Im0 Do Q";
    PIX *pix = pixCreate(LARGE_W, LARGE_H, 32);
    assert_int_equal(pixSetAll(pix), 0);
    BOX *spot = boxCreate(0, 0, SPOT, SPOT);
    pixSetInRectArbitrary(pix, spot, 0);
    boxSetGeometry(spot, 0, LARGE_H / 2, SPOT, SPOT);
    pixSetInRectArbitrary(pix, spot, 0x80808000);
    boxSetGeometry(spot, LARGE_W / 2, 0, SPOT, SPOT);
    pixSetInRectArbitrary(pix, spot, 0xc0202000);
    boxDestroy(&spot);
    assert_int_equal(pixWriteJp2k(dir_path("large.jp2"), pix, 0, 4, 0, 0), 0);
    pixDestroy(&pix);
    file_load(dir_path("large.jp2"), &data);
    maker_start(maker);
    maker_object(maker, "<</Type/Catalog /Pages 2 0 R>>");
    maker_object(maker, "<</Type/Pages /Kids[3 0 R] /Count 1>>");
    maker_object(maker, "<</Type/Page /Parent 2 0 R /MediaBox[0 0 5200 4000] /Contents 4 0 R "
                        "/Resources<</XObject<</Im0 5 0 R>>>>>>");
    maker_stream(maker, "", contents, sizeof contents - 1);
    snprintf(dict, sizeof dict, "/Type/XObject /Subtype/Image /Width %d /Height %d /Filter/JPXDecode", LARGE_W,
             LARGE_H);
    maker_stream(maker, dict, data.data, data.size);
    maker_end(maker);
}

static void room_limit(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pages), 1);
    fclose(file);
    rlim_t bytes = (rlim_t)(pages * sysconf(_SC_PAGESIZE)) + ROOM_BYTES;
    struct rlimit limit = {bytes, bytes};
    assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static int large_shade(const struct raster *raster, uint32_t x, uint32_t y)
{
    return shade_at(raster, x * raster->width_px / LARGE_W, y * raster->height_px / LARGE_H);
}

static void assert_spots(const struct raster *raster)
{
    assert_in_range(raster->width_px, LARGE_W * 0.48, LARGE_W * 0.5);
    assert_in_range(large_shade(raster, SPOT / 2, SPOT / 2), 0, 4);
    assert_in_range(large_shade(raster, SPOT / 2, (LARGE_H + SPOT) / 2), 124, 132);
    assert_in_range(large_shade(raster, (LARGE_W + SPOT) / 2, SPOT / 2), 66, 90);
    assert_in_range(large_shade(raster, LARGE_W / 2, LARGE_H / 2), 250, 255);
}

static void large_read(bool degraded)
{
    struct maker maker;
    struct err err = {0};
    struct render *render = NULL;
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    large_jpx_pdf(&maker);
    assert_int_equal(render_new(LARGE_MAX_PIXELS, TESSDATA, &render, &err), 0);
    assert_int_equal(open_bytes(render, maker.pdf.data, maker.pdf.size, &err), 0);
    buf_destroy(&maker.pdf);
    if (!SANITIZED)
        room_limit();
    if (render_page(render, 1, degraded, page, NULL, &raster, &err))
        fail_msg("%s", err.text);
    assert_spots(raster);
    assert_int_equal(raster->channels, degraded ? 1 : 3);
    raster_destroy(&raster);
    render_destroy(&render); /* what lies in MuPDF's store is freed once */
}

/* Whole it takes 250 MB. In a process of its own, since memory is limited for good. */
static void large_jpx_is_decoded_reduced(void **state)
{
    (void)state;
    for (int degraded = 0; degraded < 2; degraded++) {
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child) {
            large_read(degraded);
            _exit(0);
        }
        int status = 1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static int tear_down(void **state)
{
    struct render *small = small_render(), *whole = the_render();
    render_destroy(&small);
    render_destroy(&whole);
    return dir_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_coding_gives_what_is_seen), cmocka_unit_test(cut_bits_end_in_paper),
        cmocka_unit_test(damaged_data_are_noted),          cmocka_unit_test(large_images_in_pdfs_are_halved),
        cmocka_unit_test(large_pictures_are_halved),       cmocka_unit_test(large_jpx_is_decoded_reduced),
    };
    return cmocka_run_group_tests(tests, dir_setup, tear_down);
}
