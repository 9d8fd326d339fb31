/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Framed stamps: of secrecy, of urgency, and what else has a red frame; drawn as hands put them on a sheet. */
#ifndef SOHOA_BENCH_STAMP_H
#define SOHOA_BENCH_STAMP_H

#include <cairo.h>

#include "bench/chance.h"

enum stamp_kind {
    STAMP_MAT,
    STAMP_TOI,
    STAMP_TUYET,
    STAMP_GIAI,
    STAMP_HOA_TOC,
    STAMP_THUONG_KHAN,
    STAMP_KHAN,
    STAMP_OTHER, /* what has a frame and is no secret */
    STAMP_KINDS
};

/* Fonts that a classifier is judged by, half of which it was not taught with. */
enum stamp_faces { STAMP_JUDGED, STAMP_TAUGHT };

struct stamp {
    enum stamp_kind kind;
    const char *text[2];  /* lines; NULL: there is no second one */
    double x, y;          /* its middle; points from the sheet's top left corner */
    double width, height; /* points */
    double turn_deg;
    bool framed, doubled;
    double fill; /* of the frame by the text, at most 1 */
    double line; /* of the frame, points */
    const char *font;
    double red, green, blue;
    double alpha;      /* how strong the ink is */
    unsigned blotches; /* where it did not take */
    struct chance chance;
};

/* Size, skew, place, hue, inking and font by chance; about under the number. */
void stamp_plan(struct chance *chance, enum stamp_kind kind, enum stamp_faces faces, struct stamp *stamp);
void stamp_draw(const struct stamp *stamp, cairo_t *cr);

/* Only what it says, whole, in the colour that is set. */
void stamp_letters(const struct stamp *stamp, cairo_t *cr);

/* What covers about that share of the stamp: a signature, print, a seal, or another stamp's frame and lines. */
void stamp_cover(const struct stamp *stamp, struct chance *chance, double share, cairo_t *cr);

/* What has red lines but no secret: a table, an ornamental border, a letterhead, a block of a digital signature, handwriting. */
void stamp_decoys(struct chance *chance, cairo_t *cr);

#endif
