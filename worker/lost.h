/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Lines of text that the layout took for something else: a stamp's frame that touches letters makes one picture of frame
 * and lines, and nothing in there is read. Positions are the raster's. */
#ifndef SOHOA_LOST_H
#define SOHOA_LOST_H

#include "worker/page.h"
#include "worker/raster.h"

enum { LOST_ZONES = 4 }; /* at most, on a page */

/* A row of lines over the whole width of the raster. */
struct lost {
    uint32_t top_px, bottom_px; /* bottom outside */
};

/* A copy of raster with page's words painted over; NULL without memory. */
struct raster *lost_rest(const struct raster *raster, const Sohoa__Page *page);

/* Where in the rest ink runs as in lines of text; returns how many zones, from top to bottom. */
size_t lost_find(const struct raster *rest, struct lost zones[LOST_ZONES]);

/* Moves what was read in the zone, where it is sure and may be words, to its place among page's lines. */
void lost_insert(Sohoa__Page *page, const struct lost *zone, Sohoa__Page *again);

#endif
