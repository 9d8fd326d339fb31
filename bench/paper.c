/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Paints with Cairo, hands over to Leptonica. */
#include "bench/paper.h"

#include <assert.h>
#include <math.h>

static bool spot_takes(const struct print_spot *spot, const struct damage_ink *ink)
{
    switch (spot->kind) {
    case SPOT_HAND: return ink->hand;
    case SPOT_STAMP: return ink->stamp || ink->urgent;
    default: return ink->seal;
    }
}

struct damage_ink paper_ink(const struct print *print, size_t sheet_no, const struct damage_ink *wanted)
{
    const struct print_spot *spots;
    size_t count = print_spots(print, sheet_no, &spots);
    struct damage_ink ink = {0};
    for (size_t i = 0; i < count; i++) {
        ink.hand |= spots[i].kind == SPOT_HAND && wanted->hand;
        ink.stamp |= spots[i].kind == SPOT_STAMP && wanted->stamp;
        ink.urgent |= spots[i].kind == SPOT_STAMP && wanted->urgent;
        ink.seal |= spots[i].kind == SPOT_SIGNATURE && wanted->seal;
    }
    return ink;
}

static void paper_ink_spot(cairo_t *cr, const struct paper *paper, struct chance *chance, struct ink_colour pen,
                           const struct print_spot *spot)
{
    if (!spot_takes(spot, &paper->ink))
        return;
    switch (spot->kind) {
    case SPOT_HAND: ink_hand(cr, chance, pen, spot); break;
    case SPOT_WITNESS: ink_signature(cr, chance, pen, spot); break;
    case SPOT_SIGNATURE:
        ink_signature(cr, chance, pen, spot);
        ink_seal(cr, chance, paper->organ, spot);
        break;
    case SPOT_STAMP:
        if (paper->ink.stamp)
            ink_incoming(cr, chance, paper->organ, spot);
        else
            ink_urgent(cr, chance, spot);
        break;
    }
}

static void paper_ink_all(cairo_t *cr, const struct paper *paper)
{
    static const struct ink_colour pens[] = {
        {0.08, 0.12, 0.55},
        {0.1,  0.1,  0.4 },
        {0.08, 0.08, 0.1 }
    };
    struct chance chance = chance_branch(paper->ink_seed, paper->sheet_no);
    const struct ink_colour pen = CHANCE_PICK(&chance, pens);
    const struct print_spot *spots;
    size_t count = print_spots(paper->print, paper->sheet_no, &spots);
    for (size_t i = 0; i < count; i++)
        paper_ink_spot(cr, paper, &chance, pen, &spots[i]);
}

/* Cairo's 0x00RRGGBB words as Leptonica's 0xRRGGBB00 words, or as gray bytes. */
static PIX *paper_picture(cairo_surface_t *surface, uint32_t dpi, bool colour)
{
    cairo_surface_flush(surface);
    int width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    PIX *pix = pixCreateNoInit(width, height, colour ? 32 : 8);
    assert(data && pix);
    pixSetResolution(pix, (l_int32)dpi, (l_int32)dpi);
    for (int y = 0; y < height; y++) {
        const uint32_t *from =
            (const uint32_t *)(const void *)(data + (size_t)y * (size_t)cairo_image_surface_get_stride(surface));
        l_uint32 *to = pixGetData(pix) + (size_t)y * (size_t)pixGetWpl(pix);
        for (int x = 0; x < width; x++) {
            if (colour)
                to[x] = from[x] << 8;
            else
                SET_DATA_BYTE(to, x,
                              ((from[x] >> 16 & 255) * 77 + (from[x] >> 8 & 255) * 150 + (from[x] & 255) * 29) >> 8);
        }
    }
    if (!colour)
        pixSetPadBits(pix, 0);
    return pix;
}

PIX *paper_paint(const struct paper *paper, const struct damage *damage, uint32_t dpi, bool colour)
{
    double scale = dpi / 72.0;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lrint(PRINT_WIDTH_PT * scale),
                                                          (int)lrint(PRINT_HEIGHT_PT * scale));
    cairo_t *cr = cairo_create(surface);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    if (paper->print) {
        print_draw(paper->print, paper->sheet_no, cr);
        paper_ink_all(cr, paper);
    }
    cairo_set_operator(cr, CAIRO_OPERATOR_OVER);
    if (damage)
        damage_wear(damage, cr);
    cairo_destroy(cr);
    PIX *pix = paper_picture(surface, dpi, colour);
    cairo_surface_destroy(surface);
    return pix;
}
