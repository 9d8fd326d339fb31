/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What ages paper and what a scanner does to it. A damage is drawn for each page, then applied to its picture; the same
 * damage and picture give the same result. */
#ifndef SOHOA_BENCH_DAMAGE_H
#define SOHOA_BENCH_DAMAGE_H

#include <cairo.h>
#include <leptonica/allheaders.h>

#include "bench/chance.h"
#include "proto/buf.h"

enum damage_level { DAMAGE_NONE, DAMAGE_LIGHT, DAMAGE_MIXED, DAMAGE_HEAVY, DAMAGE_LEVEL_NR };

struct damage {
    uint32_t rotation_deg; /* clockwise turn of the picture: 0, 90, 180, 270 */
    double skew_deg;       /* clockwise */
    unsigned blur_px;      /* radius of the blur */
    double noise;          /* standard deviation in steps of 255 */
    double light;          /* how much darker the dark side is, 0 to 1 */
    double light_angle;    /* where the dark side is, in radians */
    double bleed;          /* how much the other side of the sheet shines through, 0 to 1 */
    double fade;           /* how much of the print's black is lost, 0 to 1 */
    double tint[3];        /* what the paper keeps of red, green and blue light */
    unsigned specks, streaks;
    bool holes, fold;
    bool dark_edges;      /* the scanner's bed is black: it shows where the sheet is askew */
    struct chance chance; /* for noise and places */
};

/* Ink on the sheet, drawn before the damage but listed with it. */
struct damage_ink {
    bool hand, seal, stamp, urgent;
};

const char *damage_level_name(enum damage_level level);

/* How badly one document has fared, 0 (not at all) to 1; "mixed" draws it. */
double damage_strength(struct chance *chance, enum damage_level level);

/* Draws the damage of one page, as bad as strength says; no turn. */
void damage_draw(struct chance *chance, double strength, struct damage *damage);

/* Appends the names of what it has, separated by commas, or "none". ink may be NULL. */
void damage_list(const struct damage *damage, const struct damage_ink *ink, struct buf *names);

/* Marks the paper: specks, holes, a fold. cr's unit is the point. */
void damage_wear(const struct damage *damage, cairo_t *cr);

/* Replaces *page, 8-bit gray or 32-bit colour, by what a scanner makes of it. back is the other side of the sheet at any
 * size, in 8-bit gray or, for a page in colour, also in 32-bit colour, or NULL. */
void damage_scan(const struct damage *damage, PIX **page, PIX *back);

void pix_destroy(PIX **pix); /* for AUTO */

#endif
