/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the clean*.c files share: the picture at work. Only they know Leptonica, for cleaning. */
#ifndef SOHOA_CLEAN_SHEET_H
#define SOHOA_CLEAN_SHEET_H

#include <leptonica/allheaders.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/clean_look.h"
#include "worker/raster.h"

/* The picture at work, and where its pixels are in the view. */
struct sheet {
    PIX *pix; /* 1 or 8 bits deep */
    uint32_t dpi;
    double to_view[6];
};

void sheet_clear(struct sheet *sheet);
/* pix takes the place of the sheet's picture; its pixel (x,y) was at (a x + c y + e, b x + d y + f) in the old one. */
void sheet_reframe(struct sheet *sheet, PIX *pix, const double old[6]);
/* Scales to what reads well, degraded to at most 150 dpi; *ret_enlarged says whether it grew. False without memory. */
bool sheet_scale(struct sheet *sheet, bool degraded, bool *ret_enlarged);
/* The sheet's picture as a raster, which takes its pixels: the sheet is empty afterwards. NULL without memory. */
struct raster *sheet_give(struct sheet *sheet);

/* A copy of raster's pixels, gray or bilevel, as they are. NULL without memory. */
PIX *raster_pix(const struct raster *raster);

/* How a scan's levels become the reader's: everything paler than white goes, everything darker than black is black. */
struct tone {
    bool even;        /* paper differs from place to place: make it even */
    bool take_red;    /* red ink goes as light as its red channel is */
    bool take_violet; /* violet ink goes */
    int white, black; /* contrasts, of LOOK_CONTRAST_ONE */
};
/* Chooses from what was measured; adds what it means to do to the notes. keep_colour: red or violet ink may be all
 * there is. */
struct tone tone_choose(const struct look *look, const struct look_ink *ink, bool keep_colour, uint32_t *notes);
/* raster in gray under that tone; a bilevel one as it is. NULL without memory. */
PIX *tone_apply(const struct tone *tone, const struct raster *raster, const struct look *look);

/* 1 where the picture is dark. NULL without memory. */
PIX *ink_of(PIX *pix);

/* Whitens what the scanner's lid or a copier left black at the edges. False without memory. */
bool border_whiten(struct sheet *sheet);

/* How lines of text lie in the ink. */
struct tilt {
    bool lying;     /* sideways: a quarter turn either way makes them run from left to right */
    bool doubtful;  /* perhaps not upright */
    float turn_deg; /* clockwise; sets the lines straight; 0 where there are none */
};
int tilt_measure(PIX *ink, uint32_t dpi, struct tilt *ret_tilt); /* Errors: E_MEMORY */
/* Turns the picture clockwise about its middle, on paper large enough to lose nothing. False without memory. */
bool sheet_straighten(struct sheet *sheet, float turn_deg);

#endif
