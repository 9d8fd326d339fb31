/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reading sources: what a page is taken for, its pixels against an independent rendering, its own text, signatures,
 * and that neither broken nor hostile files do more than give an error. */
#include "tests/unit/sources.h"

#include "worker/pdf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <leptonica/allheaders.h>
#include <math.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { IW = 60, IH = 40, WATCHDOG_S = 3, PRINTED_MAX_BYTES = 2048 };

/* A picture that looks different in each of eight positions: a dark corner, a slope, and a bar. */
static const uint8_t *pattern(void)
{
    static uint8_t pixels[IW * IH];
    for (int y = 0; y < IH; y++)
        for (int x = 0; x < IW; x++) {
            uint8_t shade = (uint8_t)(80 + 2 * x + y);
            if (x < 12 && y < 10)
                shade = 0;
            if (x >= 40 && x < 44 && y > 20)
                shade = 255;
            pixels[y * IW + x] = shade;
        }
    return pixels;
}

static void open_page(double w, double h, const char *page, const char *contents, const char *image, const void *pixels)
{
    struct maker maker;
    maker_page(&maker, w, h, page, contents, IW, IH, image, pixels);
    open_ok(&maker.pdf);
    buf_destroy(&maker.pdf);
}

static void assert_same_picture(const struct raster *own, const struct raster *drawn, int slack)
{
    assert_int_equal(own->width_px, drawn->width_px);
    assert_int_equal(own->height_px, drawn->height_px);
    for (uint32_t y = 0; y < own->height_px; y++)
        for (uint32_t x = 0; x < own->width_px; x++)
            if (abs(shade_at(own, x, y) - shade_at(drawn, x, y)) > slack)
                fail_msg("pixel %u,%u: %d, drawn %d", x, y, shade_at(own, x, y), shade_at(drawn, x, y));
}

/* ---- pictures of pages ---- */

static void own_pixels_are_turned_as_displayed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8 * 4; i++) {
        bool lying = i & 4;
        double w = lying ? IH : IW, h = lying ? IW : IH, sx = i & 1 ? -1 : 1, sy = i & 2 ? -1 : 1;
        char contents[200], rotate[40];
        snprintf(rotate, sizeof rotate, "/Rotate %u", i / 8 * 90);
        if (lying)
            snprintf(contents, sizeof contents, "q 0 %g %g 0 %g %g cm /Im0 Do Q", sy * h, sx * w, sx < 0 ? w : 0,
                     sy < 0 ? h : 0);
        else
            snprintf(contents, sizeof contents, "q %g 0 0 %g %g %g cm /Im0 Do Q", sx * w, sy * h, sx < 0 ? w : 0,
                     sy < 0 ? h : 0);
        open_page(w, h, rotate, contents, GRAY_IMAGE, pattern());
        AUTO(raster_destroy) struct raster *own = NULL;
        AUTO(raster_destroy) struct raster *drawn = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &own);
        AUTO(page_destroy) Sohoa__Page *again = page_ok(1, true, &drawn);
        assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
        assert_int_equal(page->dpi_scan, 72);
        assert_int_equal(page->bits, 8);
        assert_int_equal(own->channels, 1);
        assert_same_picture(own, drawn, 1);
    }
}

static void own_pixels_lie_where_the_page_shows_them(void **state)
{
    (void)state;
    open_page(140, 100, "/CropBox[10 5 140 90]", "q 120 0 0 80 15 5 cm /Im0 Do Q", GRAY_IMAGE, pattern());
    AUTO(raster_destroy) struct raster *own = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &own);
    assert_int_equal(own->width_px, IW);
    assert_int_equal(page->dpi_view, 36);
    assert_int_equal(page->width_px, 65);
    assert_float_equal(own->to_view[4], 2.5, 1e-4);
    assert_float_equal(own->to_view[5], 2.5, 1e-4); /* 90 - 85 pt at 36 dpi */
    assert_float_equal(own->to_view[0], 1, 1e-4);
    assert_float_equal(own->to_view[3], 1, 1e-4);
}

static void two_shades_stay_two_shades(void **state)
{
    (void)state;
    static const char *const images[] = {
        "/ColorSpace/DeviceGray /BitsPerComponent 1", "/ColorSpace/DeviceGray /BitsPerComponent 1 /Decode[1 0]",
        "/ColorSpace[/Indexed/DeviceRGB 1<ffffe0402010>] /BitsPerComponent 1", "/ImageMask true"};
    static const int first_shade[] = {0, 255, 255, 0}; /* of a 0 bit */
    uint8_t bits[8 * IH] = {0};
    for (size_t i = 0; i < sizeof bits; i++)
        bits[i] = (uint8_t)(i * 37);
    for (unsigned i = 0; i < 4; i++) {
        open_page(IW, IH, "", "q 60 0 0 40 0 0 cm /Im0 Do Q", images[i], bits);
        AUTO(raster_destroy) struct raster *own = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &own);
        assert_int_equal(page->bits, 1);
        assert_int_equal(own->channels, 0);
        for (uint32_t y = 0; y < IH; y++)
            for (uint32_t x = 0; x < IW; x++) {
                bool bit = bits[8 * y + x / 8] >> (7 - x % 8) & 1;
                assert_int_equal(shade_at(own, x, y), bit ? 255 - first_shade[i] : first_shade[i]);
            }
    }
}

/* What is painted over a scan, such as a black bar over a name, must be in what is read. */
static void what_lies_over_a_scan_is_drawn(void **state)
{
    (void)state;
    static const char *const over[] = {"0 g 5 5 20 10 re f", "0 G 10 w 5 10 m 25 10 l S"};
    for (unsigned i = 0; i < 2; i++) {
        char contents[200];
        snprintf(contents, sizeof contents, "q 60 0 0 40 0 0 cm /Im0 Do Q %s", over[i]);
        open_page(IW, IH, "", contents, GRAY_IMAGE, pattern());
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
        assert_int_equal(shade_at(raster, 15, IH - 10), 0);
        assert_int_equal(page->dpi_view, 72);
    }
    open_page(IW, IH, "", "1 g 0 0 60 40 re f q 60 0 0 40 0 0 cm /Im0 Do Q", GRAY_IMAGE, pattern());
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(shade_at(raster, 15, 30), pattern()[30 * IW + 15]); /* a background does not matter */
}

static void a_leaning_or_clipped_image_is_drawn(void **state)
{
    (void)state;
    static const char *const contents[] = {"q 59 3 -3 39 1 0 cm /Im0 Do Q",
                                           "q 3 0 57 40 re W n 60 0 0 40 0 0 cm /Im0 Do Q"};
    for (unsigned i = 0; i < 2; i++) {
        open_page(IW, IH, "", contents[i], GRAY_IMAGE, pattern());
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
        assert_int_equal(shade_at(raster, 0, 0), i ? 255 : shade_at(raster, 0, 0));
        assert_float_equal(raster->to_view[0], 1, 0.02);
        assert_float_equal(raster->to_view[4], 0, 1e-6);
    }
}

static void strips_are_drawn_at_their_resolution(void **state)
{
    (void)state;
    open_page(30, 40, "", "q 30 0 0 20 0 0 cm /Im0 Do Q q 30 0 0 20 0 20 cm /Im0 Do Q", GRAY_IMAGE, pattern());
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(page->dpi_scan, 144);
    assert_int_equal(raster->dpi, 144);
    assert_int_equal(raster->width_px, 60);
    assert_int_equal(raster->height_px, 80);
    assert_int_equal(raster->channels, 1);
    assert_int_equal(shade_at(raster, 5, 5), 0);
    assert_int_equal(shade_at(raster, 5, 45), 0);
}

static void drawings_and_nothing_are_scans_at_300(void **state)
{
    (void)state;
    static const char *const contents[] = {"", "0 0 1 rg 10 10 20 20 re f"};
    for (unsigned i = 0; i < 2; i++) {
        open_page(72, 144, "", contents[i], "", NULL);
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
        assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
        assert_int_equal(page->dpi_view, 300);
        assert_int_equal(page->dpi_scan, 0);
        assert_int_equal(raster->width_px, 300);
        assert_int_equal(raster->height_px, 600);
        assert_int_equal(shade_at(raster, 2, 2), 255);
        assert_true(!i || shade_at(raster, 80, 520) < 60);
    }
}

static void large_pages_get_fewer_dots(void **state)
{
    (void)state;
    open_page(14400, 7200, "", "", "", NULL); /* 200 x 100 in */
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(page->dpi_view, 70);
    assert_true((uint64_t)raster->width_px * raster->height_px <= MAX_PIXELS);
    open_page(5000000, 5000000, "", "", "", NULL);
    struct err err;
    AUTO(raster_destroy) struct raster *none = NULL;
    AUTO(page_destroy) Sohoa__Page *refused = page_new(1);
    assert_int_equal(render_page(the_render(), 1, false, refused, NULL, &none, &err), E_PAGE_SIZE);
    assert_int_equal(err.page_no, 1);
    assert_null(none);
}

static void degraded_is_150_dpi_gray_in_the_same_view(void **state)
{
    (void)state;
    open_page(72, 144, "", "1 0 0 rg 0 0 72 72 re f", "", NULL);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, true, &raster);
    assert_true(page->degraded);
    assert_int_equal(page->dpi_view, 300);
    assert_int_equal(raster->dpi, 150);
    assert_int_equal(raster->channels, 1);
    assert_int_equal(raster->width_px, 150);
    assert_float_equal(raster->to_view[0], 2, 1e-6);
}

/* ---- text ---- */

static const char long_text[] =
    "BT /F1 12 Tf 10 100 Td (The quick brown fox jumps over the lazy) Tj 0 -20 Td (dog and runs away into the wood) Tj ET";

static void text_makes_a_page_born_digital(void **state)
{
    (void)state;
    open_page(300, 144, "", long_text, "", NULL);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_TEXT);
    assert_null(raster);
    AUTO(buf_destroy) struct buf text = {0};
    page_text(page, &text);
    assert_string_equal(buf_text(&text), "The quick brown fox jumps over the lazy\ndog and runs away into the wood\n");
    const Sohoa__Line *line = page->blocks[0]->lines[0];
    assert_in_range(line->x0, 41, 43); /* 10 pt at 300 dpi */
    assert_in_range(line->y0, 182, 184);
    assert_int_equal(line->y0, line->y1);
    assert_true(line->words[0]->own);
    assert_int_equal(line->words[0]->confidence_cpct, 10000);
    assert_in_range(line->words[1]->x, line->words[0]->x + line->words[0]->w,
                    line->words[0]->x + line->words[0]->w + 20);
}

static void little_text_over_a_scan_is_its_own_and_not_read_twice(void **state)
{
    (void)state;
    open_page(IW, IH, "", "q 60 0 0 40 0 0 cm /Im0 Do Q BT /F1 12 Tf 2 4 Td (PORTAL) Tj ET", GRAY_IMAGE, pattern());
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
    AUTO(buf_destroy) struct buf text = {0};
    page_text(page, &text);
    assert_string_equal(buf_text(&text), "PORTAL\n");
    for (uint32_t y = 20; y < IH; y++)
        for (uint32_t x = 0; x < 39; x++)
            assert_int_equal(shade_at(raster, x, y), pattern()[y * IW + x]);
}

/* What an older recogniser left is neither shown nor believed. */
static void hidden_text_is_not_the_pages_own(void **state)
{
    (void)state;
    static const char *const contents[] = {
        "q 60 0 0 40 0 0 cm /Im0 Do Q BT 3 Tr /F1 6 Tf 1 4 Td (an old layer of text that nobody can see but readers) Tj ET",
        "BT /F1 6 Tf 1 4 Td (this text is under the picture of the page, so it can not be seen) Tj ET q 60 0 0 40 0 0 cm /Im0 Do Q",
        "BT /F1 6 Tf 1 4 Td (under) Tj ET q 60 0 0 40 0 0 cm /Im0 Do Q BT /F1 12 Tf 2 4 Td (PORTAL) Tj ET"};
    static const char *const own[] = {"", "", "PORTAL\n"};
    for (unsigned i = 0; i < 3; i++) {
        open_page(IW, IH, "", contents[i], GRAY_IMAGE, pattern());
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
        assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
        AUTO(buf_destroy) struct buf text = {0};
        page_text(page, &text);
        assert_string_equal(buf_text(&text), own[i]);
        assert_int_equal(shade_at(raster, 15, 30), pattern()[30 * IW + 15]);
    }
}

/* ... but is told apart, at its place; a page that is no scan has no layer. */
static void hidden_text_is_the_layer(void **state)
{
    (void)state;
    static const struct {
        const char *contents, *layer;
        int32_t x;
    } row[] = {
        {"q 60 0 0 40 0 0 cm /Im0 Do Q BT 3 Tr /F1 6 Tf 12 4 Td (old layer) Tj ET BT 0 Tr /F1 12 Tf 2 20 Td (PORTAL) Tj ET",
         "old layer\n",                                                                                                                          12},
        {"BT /F1 6 Tf 9 4 Td (under) Tj ET q 60 0 0 40 0 0 cm /Im0 Do Q BT /F1 12 Tf 2 4 Td (PORTAL) Tj ET",                          "under\n",
         9                                                                                                                                         },
        {"q 60 0 0 40 0 0 cm /Im0 Do Q BT /F1 12 Tf 2 4 Td (PORTAL) Tj ET",                                                           "",        0 },
        {"BT 3 Tr /F1 6 Tf 1 4 Td (no scan) Tj ET BT 0 Tr /F1 2 Tf 1 20 Td (but a page of text that is long enough to be one) Tj ET",
         "",                                                                                                                                     0 },
    };
    for (unsigned i = 0; i < sizeof row / sizeof *row; i++) {
        open_page(IW, IH, "", row[i].contents, GRAY_IMAGE, pattern());
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_new(1);
        AUTO(page_destroy) Sohoa__Page *layer = page_new(1);
        AUTO(buf_destroy) struct buf text = {0};
        assert_int_equal(render_page(the_render(), 1, false, page, layer, &raster, NULL), 0);
        page_text(layer, &text);
        assert_string_equal(buf_text(&text), row[i].layer);
        if (!*row[i].layer)
            continue;
        const Sohoa__Word *word = layer->blocks[0]->lines[0]->words[0];
        assert_in_range(word->x * 72.0 / page->dpi_view, row[i].x - 1, row[i].x + 1);
        assert_true(word->own);
    }
}

/* .VnTime and the like: the file's idea of its letters is wrong, so they are read from the picture. */
static void text_in_an_old_vietnamese_encoding_is_read_from_the_picture(void **state)
{
    (void)state;
    struct maker maker;
    maker_start(&maker);
    maker_object(&maker, "<</Type/Catalog /Pages 2 0 R>>");
    maker_object(&maker, "<</Type/Pages /Kids[3 0 R] /Count 1>>");
    maker_object(
        &maker, "<</Type/Page /Parent 2 0 R /MediaBox[0 0 300 144] /Contents 4 0 R /Resources<</Font<</F1 5 0 R>>>>>>");
    maker_stream(&maker, "", long_text, strlen(long_text));
    maker_object(&maker, "<</Type/Font /Subtype/TrueType /BaseFont/ABCDEF+.VnTime>>");
    maker_end(&maker);
    open_ok(&maker.pdf);
    buf_destroy(&maker.pdf);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
    assert_int_equal(page->n_blocks, 0);
    long ink = 0;
    for (uint32_t y = 130; y < 190; y++)
        for (uint32_t x = 0; x < raster->width_px; x++)
            ink += shade_at(raster, x, y) < 128;
    assert_true(ink > 1000);
}

/* ---- pictures as sources ---- */

static PIX *sample_pix(int depth)
{
    PIX *pix = pixCreate(IW, IH, 8);
    for (int y = 0; y < IH; y++)
        for (int x = 0; x < IW; x++)
            pixSetPixel(pix, x, y, pattern()[y * IW + x]);
    PIX *out = depth == 1 ? pixThresholdToBinary(pix, 128) : depth == 8 ? pixClone(pix) : pixConvertTo32(pix);
    pixDestroy(&pix);
    return out;
}

static void tiffs_of_several_pages(void **state)
{
    (void)state;
    static const struct {
        int depth, format;
        uint32_t bits;
    } part[] = {
        {1,  IFF_TIFF_G4,       1 },
        {8,  IFF_TIFF_LZW,      8 },
        {32, IFF_TIFF_ZIP,      24},
        {1,  IFF_TIFF_PACKBITS, 1 }
    };
    const char *path = dir_path("many.tif");
    for (unsigned i = 0; i < 4; i++) {
        PIX *pix = sample_pix(part[i].depth);
        pixSetResolution(pix, i == 2 ? 0 : 200, i == 2 ? 0 : 200);
        assert_int_equal(pixWriteTiff(path, pix, part[i].format, i ? "a" : "w"), 0);
        pixDestroy(&pix);
    }
    AUTO(buf_destroy) struct buf source = {0};
    file_load(path, &source);
    open_ok(&source);
    for (unsigned i = 0; i < 4; i++) {
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(i + 1, false, &raster);
        assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
        assert_int_equal(page->bits, part[i].bits);
        assert_int_equal(page->dpi_view, i == 2 ? 300 : 200);
        assert_int_equal(page->width_px, IW);
        assert_int_equal(raster->channels, part[i].bits == 24 ? 3 : part[i].bits == 8);
        for (uint32_t y = 0; y < IH; y++)
            for (uint32_t x = 0; x < IW; x++) {
                int shade = pattern()[y * IW + x];
                assert_int_equal(shade_at(raster, x, y), part[i].bits == 1 ? (shade < 128 ? 0 : 255) : shade);
            }
    }
}

/* A JPEG with an EXIF block that says orientation; pixels compared with what Leptonica makes of the turn. */
static void jpegs_are_turned_as_exif_says(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf jpeg = {0};
    AUTO(buf_destroy) struct buf turned = {0};
    PIX *pix = sample_pix(8);
    pixSetResolution(pix, 150, 150);
    assert_int_equal(pixWriteJpeg(dir_path("one.jpg"), pix, 100, 0), 0);
    file_load(dir_path("one.jpg"), &jpeg);
    for (uint8_t orientation = 1; orientation <= 8; orientation++) {
        const uint8_t exif[] = {0xff, 0xe1, 0,    34, 'E', 'x', 'i', 'f', 0, 0, 'I',         'I', 42, 0, 8, 0, 0, 0,
                                1,    0,    0x12, 1,  3,   0,   1,   0,   0, 0, orientation, 0,   0,  0, 0, 0, 0, 0};
        buf_clear(&turned);
        buf_append(&turned, jpeg.data, 2);
        buf_append(&turned, exif, sizeof exif);
        buf_append(&turned, jpeg.data + 2, jpeg.size - 2);
        open_ok(&turned);
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
        assert_int_equal(page->dpi_view, 150);
        PIX *shown = orientation <= 4 ? pixCopy(NULL, pix) : pixRotateOrth(pix, orientation <= 6 ? 1 : 3);
        if (orientation == 2 || orientation == 5 || orientation == 7)
            pixFlipLR(shown, shown);
        if (orientation == 3)
            pixRotate180(shown, shown);
        if (orientation == 4)
            pixFlipTB(shown, shown);
        assert_int_equal(raster->width_px, pixGetWidth(shown));
        for (uint32_t y = 0; y < raster->height_px; y++)
            for (uint32_t x = 0; x < raster->width_px; x++) {
                l_uint32 shade;
                pixGetPixel(shown, (l_int32)x, (l_int32)y, &shade);
                if (abs(shade_at(raster, x, y) - (int)shade) > 12)
                    fail_msg("orientation %d, pixel %u,%u: %d, not %u", orientation, x, y, shade_at(raster, x, y),
                             shade);
            }
        pixDestroy(&shown);
    }
    pixDestroy(&pix);
}

static void pngs_of_each_depth(void **state)
{
    (void)state;
    static const int depth[] = {1, 8, 32};
    static const uint32_t bits[] = {1, 8, 24};
    for (unsigned i = 0; i < 3; i++) {
        PIX *pix = sample_pix(depth[i]);
        pixSetResolution(pix, 400, 400);
        assert_int_equal(pixWritePng(dir_path("one.png"), pix, 0), 0);
        pixDestroy(&pix);
        AUTO(buf_destroy) struct buf source = {0};
        file_load(dir_path("one.png"), &source);
        open_ok(&source);
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
        assert_int_equal(page->bits, bits[i]);
        assert_int_equal(page->dpi_view, 400);
        assert_int_equal(shade_at(raster, 3, 3), 0);
        assert_int_equal(shade_at(raster, 41, 30), 255);
    }
}

/* What is see-through shows white paper. */
static void a_png_with_alpha_lies_on_white(void **state)
{
    (void)state;
    PIX *pix = pixCreate(IW, IH, 32);
    pixSetSpp(pix, 4);
    for (int y = 0; y < IH; y++)
        for (int x = 0; x < IW; x++)
            pixSetPixel(pix, x, y, x < 30 ? 0x000000ff : 0x00000000);
    assert_int_equal(pixWritePng(dir_path("alpha.png"), pix, 0), 0);
    pixDestroy(&pix);
    AUTO(buf_destroy) struct buf source = {0};
    file_load(dir_path("alpha.png"), &source);
    open_ok(&source);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(shade_at(raster, 10, 10), 0);
    assert_int_equal(shade_at(raster, 50, 10), 255);
}

/* What is missing of a PNG would be read as black, and the page come out as blank. */
static void a_png_that_is_not_whole_is_broken(void **state)
{
    (void)state;
    static const int depth[] = {1, 8, 32};
    for (unsigned i = 0; i < 3; i++) {
        PIX *pix = sample_pix(depth[i]);
        assert_int_equal(pixWritePng(dir_path("whole.png"), pix, 0), 0);
        pixDestroy(&pix);
        AUTO(buf_destroy) struct buf source = {0};
        file_load(dir_path("whole.png"), &source);
        AUTO(page_destroy) Sohoa__Page *page = page_new(1);
        struct raster *raster = NULL;
        struct err err = {0};
        size_t bytes = source.size, data_at = (size_t)((uint8_t *)memmem(source.data, bytes, "IDAT", 4) - source.data);
        for (size_t cut = bytes - 1; cut > data_at; cut -= cut > bytes - 16 ? 1 : 11) {
            source.size = cut;
            open_ok(&source);
            assert_int_equal(render_page(the_render(), 1, cut % 2, page, NULL, &raster, &err), E_PAGE_BROKEN);
            assert_non_null(strstr(err.text, "cut off"));
        }
        source.size = bytes;
        source.data[data_at + 6] ^= 1;
        open_ok(&source);
        assert_int_equal(render_page(the_render(), 1, false, page, NULL, &raster, &err), E_PAGE_BROKEN);
    }
}

/* ---- errors ---- */

static void what_is_no_document_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    assert_int_equal(open_bytes(the_render(), "", 0, &err), E_SOURCE_EMPTY);
    assert_int_equal(open_bytes(the_render(), "MZ what is this", 15, &err), E_SOURCE_TYPE);
    assert_int_equal(open_bytes(the_render(), "%PDF-1.4\n", 9, &err), E_SOURCE_BROKEN);
    assert_int_equal(open_bytes(the_render(), "\xff\xd8\xff\xe0", 4, &err), E_SOURCE_BROKEN);
    assert_int_equal(open_bytes(the_render(), "II*\0\x08\0\0\0\0\0\0\0\0\0", 14, &err), E_SOURCE_PAGES);
    static const char no_pages[] =
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 7>>endobj trailer<</Root 1 0 R>>";
    assert_int_equal(open_bytes(the_render(), no_pages, sizeof no_pages - 1, &err), E_SOURCE_PAGES);
    AUTO(page_destroy) Sohoa__Page *page = page_new(1);
    struct raster *raster = NULL;
    assert_int_equal(render_page(the_render(), 1, false, page, NULL, &raster, &err), E_PAGE_BROKEN);
    Sohoa__Probe *probe = NULL;
    assert_int_equal(render_probe(the_render(), &probe, &err), E_STATE);
}

static void a_header_after_rubbish_is_a_header(void **state)
{
    (void)state;
    struct maker maker;
    maker_page(&maker, 72, 72, "", "", IW, IH, "", NULL);
    AUTO(buf_destroy) struct buf source = {0};
    for (int i = 0; i < 100; i++)
        buf_puts(&source, "rubbish\n");
    buf_append(&source, maker.pdf.data, maker.pdf.size);
    buf_destroy(&maker.pdf);
    open_ok(&source);
}

static void wrong_page_counts_lose_no_page(void **state)
{
    (void)state;
    static const char *const trees[] = {"<</Type/Pages /Kids[3 0 R 4 0 R null 5 0 R] /Count 1>>", "<</Type/Page>>"};
    for (unsigned i = 0; i < 2; i++) {
        struct maker maker;
        maker_start(&maker);
        maker_object(&maker, "<</Type/Catalog /Pages 2 0 R>>");
        maker_object(&maker, "%s", i ? "<</Kids 7>>" : trees[0]);
        for (int k = 0; k < 3; k++)
            maker_object(&maker, "<</Type/Page /Parent 2 0 R /MediaBox[0 0 %d 72]>>", 72 * (k + 1));
        maker_end(&maker);
        open_ok(&maker.pdf);
        buf_destroy(&maker.pdf);
        for (uint32_t k = 1; k <= 3; k++) {
            AUTO(raster_destroy) struct raster *raster = NULL;
            AUTO(page_destroy) Sohoa__Page *page = page_ok(k, false, &raster);
            assert_int_equal(page->width_px, 300 * k);
        }
    }
}

/* ---- the real scans ---- */

static bool load_scan(const char *name, struct buf *source)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/scans/%s", data_dir(), name);
    if (access(path, R_OK)) {
        print_message("skipped: %s is not there\n", path);
        return false;
    }
    file_load(path, source);
    return true;
}

static void scans_give_their_own_pixels(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t page_no, width_px, height_px, channels, dpi;
    } scan[] = {
        {"qn-04.pdf", 1,  2464, 3508, 3, 300},
        {"qn-02.pdf", 2,  832,  1170, 3, 100},
        {"qn-10.pdf", 1,  2489, 3534, 0, 300},
        {"qn-10.pdf", 10, 2482, 3527, 3, 300},
        {"qn-12.pdf", 1,  2413, 3423, 0, 302}
    };
    for (size_t i = 0; i < sizeof scan / sizeof *scan; i++) {
        AUTO(buf_destroy) struct buf source = {0};
        if (!load_scan(scan[i].name, &source))
            skip();
        open_ok(&source);
        AUTO(raster_destroy) struct raster *raster = NULL;
        AUTO(page_destroy) Sohoa__Page *page = page_ok(scan[i].page_no, false, &raster);
        assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_SCAN);
        assert_int_equal(raster->width_px, scan[i].width_px);
        assert_int_equal(raster->height_px, scan[i].height_px);
        assert_int_equal(raster->channels, scan[i].channels);
        assert_int_equal(page->dpi_view, scan[i].dpi);
        assert_true(abs((int)page->width_px - (int)raster->width_px) <= (int)raster->width_px / 100);
    }
}

/* Another program's idea of the same fax image. */
static void a_fax_page_equals_what_pdfimages_says(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf out = {0};
    if (!load_scan("qn-10.pdf", &source))
        skip();
    file_save("fax.pdf", &source);
    assert_int_equal(run(&out, "pdfimages -f 2 -l 2 fax.pdf fax"), 0);
    file_load(dir_path("fax-000.pbm"), &out);
    open_ok(&source);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(2, false, &raster);
    size_t bytes = raster->stride_bytes * raster->height_px;
    assert_true(out.size > bytes);
    const uint8_t *right = out.data + out.size - bytes;
    uint8_t last = (uint8_t)(0xff << (raster->stride_bytes * 8 - raster->width_px));
    for (uint32_t y = 0; y < raster->height_px; y++) {
        size_t at = y * raster->stride_bytes, end = raster->stride_bytes - 1;
        assert_memory_equal(raster->data + at, right + at, end);
        assert_int_equal(raster->data[at + end] & last, right[at + end] & last);
    }
}

static void a_born_digital_page_with_stamps_gives_one_text(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    AUTO(buf_destroy) struct buf text = {0};
    if (!load_scan("qn-28.pdf", &source))
        skip();
    open_ok(&source);
    AUTO(raster_destroy) struct raster *raster = NULL;
    AUTO(page_destroy) Sohoa__Page *page = page_ok(1, false, &raster);
    assert_int_equal(page->kind, SOHOA__PAGE_KIND__PAGE_TEXT);
    page_text(page, &text);
    /* number and day are stamps of their own, in gaps of these lines */
    assert_non_null(strstr(buf_text(&text), "Số: 542 /TB-UBND\n"));
    assert_non_null(strstr(buf_text(&text), "Quảng Ngãi, ngày 06 tháng 11 năm 2024\n"));
    assert_non_null(strstr(buf_text(&text), "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n"));
}

static void signatures_are_noted(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf source = {0};
    if (!load_scan("qn-28.pdf", &source))
        skip();
    open_ok(&source);
    struct err err;
    Sohoa__Probe *probe = NULL;
    assert_int_equal(render_probe(the_render(), &probe, &err), 0);
    assert_int_equal(probe->pages, 2);
    assert_int_equal(probe->kind, SOHOA__SOURCE_KIND__SOURCE_PDF);
    assert_int_equal(probe->n_signatures, 5);
    assert_string_equal(probe->signatures[0]->signer, "Phùng Tô Long");
    assert_string_equal(probe->signatures[0]->time, "2024-11-06T08:49:06+07:00");
    assert_string_equal(probe->signatures[0]->field, "Signature1");
    assert_string_equal(probe->signatures[4]->signer, "TRUNG TÂM CÔNG BÁO VÀ TIN HỌC");
    sohoa__probe__free_unpacked(probe, NULL);
}

static void a_probe_tells_how_the_scan_looks(void **state)
{
    static const struct {
        const char *color_space;
        uint32_t bits;
    } variant[] = {
        {"/DeviceGray",       8 },
        {"[/ICCBased 9 0 R]", 24}
    };
    (void)state;
    for (size_t i = 0; i < sizeof variant / sizeof variant[0]; i++) {
        struct err err;
        char pdf[1024];
        int n = snprintf(
            pdf, sizeof pdf,
            "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj "
            "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 595 842]/Resources<</XObject<</a 4 0 R/b 5 0 R"
            ">>>>>>endobj 3 0 obj<</Type/Page/Parent 2 0 R>>endobj "
            "4 0 obj<</Subtype/Image/Width 2480/Height 3508/BitsPerComponent 8/ColorSpace %s/Length 0>>stream\n"
            "endstream endobj 5 0 obj<</Subtype/Image/Width 9/Height 9/ImageMask true/Length 0>>stream\n"
            "endstream endobj trailer<</Root 1 0 R>>",
            variant[i].color_space);
        assert_int_equal(open_bytes(the_render(), pdf, (size_t)n, &err), 0);
        Sohoa__Probe *probe = NULL;
        assert_int_equal(render_probe(the_render(), &probe, &err), 0);
        assert_in_range(probe->dpi, 299, 301);
        assert_int_equal(probe->bits, variant[i].bits);
        sohoa__probe__free_unpacked(probe, NULL);
        render_close(the_render());
    }
}

/* ---- in the sandbox and under fire ---- */

/* Everything of source; in a child, whose only judge is that it ends. */
static void read_all(const struct buf *source)
{
    struct err err;
    if (open_bytes(the_render(), source->data, source->size, &err))
        return;
    Sohoa__Probe *probe = NULL;
    if (!render_probe(the_render(), &probe, &err)) {
        for (uint32_t i = 1; i <= probe->pages && i <= 20; i++) {
            struct raster *raster = NULL;
            Sohoa__Page *page = page_new(i);
            render_page(the_render(), i, i % 2 == 0, page, NULL, &raster, &err);
            raster_destroy(&raster);
            page_destroy(&page);
        }
        sohoa__probe__free_unpacked(probe, NULL);
    }
    render_close(the_render());
}

static void assert_child_survives(const struct buf *source, const char *name, void (*work)(const struct buf *))
{
    the_render();
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        int quiet = open(dir_path("stderr"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
        dup2(quiet, 2);
        alarm(WATCHDOG_S);
        work(source);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    bool slow = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM; /* the slot's watchdog would end it, too */
    if (!slow && (!WIFEXITED(status) || WEXITSTATUS(status)))
        fail_msg("%s: status %x", name, status);
    struct stat printed;
    assert_int_equal(stat(dir_path("stderr"), &printed), 0);
    if (printed.st_size > PRINTED_MAX_BYTES) /* libjpeg, inside MuPDF, has its own mind */
        fail_msg("%s: printed %ld bytes", name, (long)printed.st_size);
}

static unsigned each_file(const char *folder, void (*work)(const struct buf *))
{
    char path[4400];
    snprintf(path, sizeof path, "%s/%s", data_dir(), folder);
    DIR *dir = opendir(path);
    unsigned files = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", data_dir(), folder, entry->d_name);
        AUTO(buf_destroy) struct buf source = {0};
        file_load(path, &source);
        assert_child_survives(&source, entry->d_name, work);
        files++;
    }
    if (dir)
        closedir(dir);
    return files;
}

static void hostile_files_give_errors(void **state)
{
    (void)state;
    unsigned files = each_file("hostile/qpdf", read_all) + each_file("hostile/horrors", read_all);
    if (!files) {
        print_message("skipped: %s/hostile is not there\n", data_dir());
        skip();
    }
}

static void encryption_is_told_from_damage(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int rc;
    } file[] = {
        {"encryption_openpassword.pdf", E_SOURCE_ENCRYPTED},
        {"encryption_nocopy.pdf",       0                 },
        {"encryption_notextaccess.pdf", 0                 }
    };
    for (unsigned i = 0; i < 3; i++) {
        char path[4400];
        snprintf(path, sizeof path, "%s/hostile/horrors/%s", data_dir(), file[i].name);
        if (access(path, R_OK)) {
            print_message("skipped: %s is not there\n", path);
            skip();
        }
        AUTO(buf_destroy) struct buf source = {0};
        struct err err;
        file_load(path, &source);
        assert_int_equal(open_bytes(the_render(), source.data, source.size, &err), file[i].rc);
    }
}

/* Bytes of small good files changed at random places; the seed is fixed. */
static void damaged_files_give_errors(void **state)
{
    (void)state;
    struct maker maker;
    maker_page(&maker, IW, IH, "", long_text, IW, IH, GRAY_IMAGE, pattern());
    file_save("0", &maker.pdf);
    buf_destroy(&maker.pdf);
    PIX *one = sample_pix(1), *gray = sample_pix(8);
    pixWriteTiff(dir_path("1"), one, IFF_TIFF_G4, "w");
    pixWriteTiff(dir_path("1"), gray, IFF_TIFF_LZW, "a");
    pixWriteJpeg(dir_path("2"), gray, 80, 0);
    pixWritePng(dir_path("3"), gray, 0);
    pixDestroy(&one);
    pixDestroy(&gray);
    uint32_t seed = 12345;
    for (unsigned i = 0; i < 80; i++) {
        AUTO(buf_destroy) struct buf source = {0};
        char name[2] = {(char)('0' + i % 4), 0};
        file_load(dir_path(name), &source);
        for (unsigned k = 0; k < 1 + i / 20; k++) {
            seed = seed * 1664525 + 1013904223;
            source.data[(seed >> 8) % source.size] = (uint8_t)(seed >> 3);
        }
        if (i % 7 == 0)
            source.size = source.size * (1 + i % 5) / 6;
        assert_child_survives(&source, name, read_all);
    }
}

/* The slot's list of calls, without files. */
static void read_all_confined(const struct buf *source)
{
    static const int allowed[] = {SCMP_SYS(read),        SCMP_SYS(write), SCMP_SYS(mmap),          SCMP_SYS(munmap),
                                  SCMP_SYS(mremap),      SCMP_SYS(brk),   SCMP_SYS(madvise),       SCMP_SYS(futex),
                                  SCMP_SYS(lseek),       SCMP_SYS(close), SCMP_SYS(clock_gettime), SCMP_SYS(exit_group),
                                  SCMP_SYS(rt_sigreturn)};
    static const int denied[] = {SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(ioctl)};
    struct err err;
    int fd = memfd_create("source", 0);
    if (write(fd, source->data, source->size) != (ssize_t)source->size)
        _exit(3);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), denied[i], 0);
    if (seccomp_load(filter))
        _exit(4);
    if (render_open(the_render(), fd, source->size, &err))
        _exit(5);
    Sohoa__Probe *probe = NULL;
    Sohoa__Page *pages[8] = {0};
    if (render_probe(the_render(), &probe, &err) || probe->pages > 8)
        _exit(6);
    for (uint32_t i = 1; i <= probe->pages; i++) {
        struct raster *raster = NULL;
        Sohoa__Page *page = page_new(i);
        if (render_page(the_render(), i, false, page, NULL, &raster, &err))
            _exit(7);
        raster_destroy(&raster);
        pages[i - 1] = page;
    }
    const uint8_t sha256[SHA256_BYTES] = {1}, pipeline[SHA256_BYTES] = {2};
    struct pdf_said said;
    struct buf pdf = {0};
    if (pdf_assemble(the_render(), pages, probe->pages, sha256, pipeline, PDFA_2B, &pdf, &said, &err))
        _exit(8);
    render_close(the_render());
}

static void nothing_but_the_slots_calls_is_needed(void **state)
{
    (void)state;
    if (SANITIZED) {
        print_message("skipped: the sanitizer makes calls of its own\n");
        skip();
    }
    struct maker maker;
    maker_page(&maker, 300, 144, "", long_text, IW, IH, "", NULL); /* a font that is not embedded */
    assert_child_survives(&maker.pdf, "text", read_all_confined);
    buf_destroy(&maker.pdf);
    PIX *pix = sample_pix(8);
    pixWriteJpeg(dir_path("c.jpg"), pix, 80, 0);
    pixDestroy(&pix);
    AUTO(buf_destroy) struct buf source = {0};
    file_load(dir_path("c.jpg"), &source);
    assert_child_survives(&source, "jpeg", read_all_confined);
    static const char *const scan[] = {"qn-28.pdf", "qn-12.pdf", "qn-22.pdf"};
    for (unsigned i = 0; i < 3; i++)
        if (load_scan(scan[i], &source))
            assert_child_survives(&source, scan[i], read_all_confined);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_tells_how_the_scan_looks),
        cmocka_unit_test(own_pixels_are_turned_as_displayed),
        cmocka_unit_test(own_pixels_lie_where_the_page_shows_them),
        cmocka_unit_test(two_shades_stay_two_shades),
        cmocka_unit_test(what_lies_over_a_scan_is_drawn),
        cmocka_unit_test(a_leaning_or_clipped_image_is_drawn),
        cmocka_unit_test(strips_are_drawn_at_their_resolution),
        cmocka_unit_test(drawings_and_nothing_are_scans_at_300),
        cmocka_unit_test(large_pages_get_fewer_dots),
        cmocka_unit_test(degraded_is_150_dpi_gray_in_the_same_view),
        cmocka_unit_test(text_makes_a_page_born_digital),
        cmocka_unit_test(little_text_over_a_scan_is_its_own_and_not_read_twice),
        cmocka_unit_test(hidden_text_is_not_the_pages_own),
        cmocka_unit_test(hidden_text_is_the_layer),
        cmocka_unit_test(text_in_an_old_vietnamese_encoding_is_read_from_the_picture),
        cmocka_unit_test(tiffs_of_several_pages),
        cmocka_unit_test(jpegs_are_turned_as_exif_says),
        cmocka_unit_test(pngs_of_each_depth),
        cmocka_unit_test(a_png_with_alpha_lies_on_white),
        cmocka_unit_test(a_png_that_is_not_whole_is_broken),
        cmocka_unit_test(what_is_no_document_is_refused),
        cmocka_unit_test(a_header_after_rubbish_is_a_header),
        cmocka_unit_test(wrong_page_counts_lose_no_page),
        cmocka_unit_test(scans_give_their_own_pixels),
        cmocka_unit_test(a_fax_page_equals_what_pdfimages_says),
        cmocka_unit_test(a_born_digital_page_with_stamps_gives_one_text),
        cmocka_unit_test(signatures_are_noted),
        cmocka_unit_test(hostile_files_give_errors),
        cmocka_unit_test(encryption_is_told_from_damage),
        cmocka_unit_test(damaged_files_give_errors),
        cmocka_unit_test(nothing_but_the_slots_calls_is_needed),
    };
    return cmocka_run_group_tests(tests, dir_setup, dir_teardown);
}
