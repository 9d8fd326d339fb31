/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Pictures of pages for tests: drawn here, so that what is on them is known, or real scans where they are at hand. */
#ifndef SOHOA_TEST_PAPER_H
#define SOHOA_TEST_PAPER_H

#include "worker/raster.h"

/* White RGB paper. */
struct raster *paper_new(uint32_t width_px, uint32_t height_px, uint32_t dpi);

/* Writes text (several lines are told apart by \n) in a serif face of size_pt, its top left at (x, y), in colour
 * 0xRRGGBB. */
void paper_write(struct raster *paper, uint32_t x, uint32_t y, double size_pt, uint32_t colour, const char *text);

void paper_fill(struct raster *paper, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t colour);

/* A ring with a star of ink, as seals are. */
void paper_seal(struct raster *paper, double x, double y, double radius_px, uint32_t colour);

/* What a scanner sees of it when it lies turned clockwise by deg: width and height change places near 90 and
 * 270. */
struct raster *paper_turned(const struct raster *paper, double deg);
struct raster *paper_mirrored(const struct raster *paper);
struct raster *paper_gray(const struct raster *paper);
struct raster *paper_bilevel(const struct raster *paper);

/* A page of ../shared/data/scans at its own resolution or another, in colour, by pdftoppm; NULL where there are
 * none, which is said on stdout. */
struct raster *paper_scan(const char *name, unsigned page_no, unsigned dpi);

#endif
