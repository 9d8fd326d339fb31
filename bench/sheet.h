/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A letter's first page with stamps on it, as a scanner sees it. */
#ifndef SOHOA_BENCH_SHEET_H
#define SOHOA_BENCH_SHEET_H

#include <leptonica/allheaders.h>

#include "bench/stamp.h"
#include "worker/raster.h"

enum { SHEET_STAMPS_MOST = 8 };

enum sheet_scan { SHEET_COLOUR, SHEET_GRAY, SHEET_BILEVEL };

struct sheet {
    enum sheet_scan scan;
    uint32_t dpi;
    bool decoys;     /* stamp_decoys() */
    double skew_deg; /* clockwise: sheet_draw() tells */
    struct stamp stamp[SHEET_STAMPS_MOST];
    bool covered[SHEET_STAMPS_MOST];
    unsigned stamps;
    struct chance chance;
};

/* One stamp of that kind, in about its place; STAMP_KINDS: what is no secret, if anything. */
void sheet_plan(struct chance *chance, enum stamp_kind kind, struct sheet *sheet);

/* Many stamps of all kinds, in the fonts to teach, apart from each other, anywhere. */
void sheet_crowd(struct chance *chance, struct sheet *sheet);

/* Prints, stamps, wears and scans it, upright. Of a bilevel scan the picture is still gray. */
PIX *sheet_draw(struct sheet *sheet);

/* Lays some down, makes bilevel ones so, and presses most others. */
void sheet_finish(struct sheet *sheet, bool turned, PIX **pix);

/* As render_page() would give it. */
struct raster *sheet_raster(PIX *pix, uint32_t dpi);

#endif
