/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A letter's first page with stamps on it, as a scanner sees it. */
#ifndef SOHOA_BENCH_SHEET_H
#define SOHOA_BENCH_SHEET_H

#include <leptonica/allheaders.h>

#include "bench/stamp.h"
#include "worker/planes.h"
#include "worker/raster.h"

enum { SHEET_STAMPS_MOST = 8 };

enum sheet_scan { SHEET_COLOUR, SHEET_GRAY, SHEET_BILEVEL };

struct sheet {
    enum sheet_scan scan;
    uint32_t dpi;
    bool decoys;          /* stamp_decoys() */
    unsigned seals;       /* smudged, anywhere */
    int incoming_percent; /* how likely a sealed one has a stamp ĐẾN */
    double skew_deg;      /* clockwise: sheet_scan() tells */
    struct stamp stamp[SHEET_STAMPS_MOST];
    bool covered[SHEET_STAMPS_MOST];
    double shown[SHEET_STAMPS_MOST]; /* how well its letters can be made out, 0 to 1: sheet_scan() tells */
    unsigned stamps;
    struct chance chance;
};

/* One stamp of that kind, in about its place; STAMP_KINDS: what is no secret, if anything. */
void sheet_plan(struct chance *chance, enum stamp_kind kind, struct sheet *sheet);

/* Many stamps of all kinds, or one at most, in the fonts to teach, apart from each other, anywhere. */
void sheet_crowd(struct chance *chance, struct sheet *sheet);

/* Prints, stamps, wears and scans it, upright. What shows of a stamp is the correlation of its letters, as they were drawn,
 * with what is seen there, be it faded or full of other print. */
PIX *sheet_scan(struct sheet *sheet);

/* Lays some down. */
void sheet_turn(struct sheet *sheet, PIX **pix);

/* What the secrecy pass sees of an upright one, and where a stamp's middle is then, pixels. */
void sheet_planes(PIX *pix, uint32_t dpi, struct planes *ret_planes);
void sheet_place(const struct sheet *sheet, const struct stamp *stamp, const struct planes *planes, double *ret_x,
                 double *ret_y);

/* As render_page() would give it. */
struct raster *sheet_raster(PIX *pix, uint32_t dpi);

#endif
