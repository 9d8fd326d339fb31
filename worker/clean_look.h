/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page seen from afar: a reduced picture of it, and what is measured there. Shared by the clean*.c files and secrecy.c; plain C,
 * no Leptonica. */
#ifndef SOHOA_CLEAN_LOOK_H
#define SOHOA_CLEAN_LOOK_H

#include <stdbool.h>

#include "proto/err.h"
#include "worker/clean.h"
#include "worker/raster.h"

enum {
    LOOK_TILE_PX = 24,       /* 6 mm: wider than a stroke, narrower than a shadow */
    LOOK_CONTRAST_ONE = 256, /* contrasts are parts of so many of the paper's level */
};

enum look_kind { LOOK_MARK, LOOK_FAINT, LOOK_SPECK, LOOK_BLOT, LOOK_LINE, LOOK_EDGE };

/* What stands out of the paper and hangs together. Lengths are pixels of the look. */
struct look_spot {
    int left, top, right, bottom;                     /* right and bottom inside */
    int dark_left, dark_top, dark_right, dark_bottom; /* of its dark part: above half of its peak */
    uint32_t area_px, dark_px;
    uint32_t red_px, red_full_px; /* of red ink; of red ink that is not pale */
    uint32_t vivid_px;            /* of ink in red or blue that is not pale */
    enum look_kind kind;          /* look_count() tells */
    int peak;                     /* its darkest pixel's contrast */
};

struct look {
    uint32_t width_px, height_px;
    uint32_t channels;    /* of the raster */
    uint32_t dpi, factor; /* of the look; raster pixels a side of one of its */
    uint8_t *gray;        /* 0 black, 255 white */
    uint8_t *contrast;    /* how much darker than its paper, of LOOK_CONTRAST_ONE, up to 255 */
    int8_t *hue;          /* red ink above 0, blue ink below; NULL without colour */
    uint8_t *violet;      /* look_violet(); NULL without colour */
    uint32_t tiles_x, tiles_y;
    uint8_t *paper;                      /* the paper's level in each tile, at least 1 */
    int paper_level, paper_dark;         /* median, and that of the darkest tenth of the tiles */
    uint64_t red_px, blue_px, violet_px; /* what stands out in that colour */
    int noise;                           /* standard deviation, as contrast */
    struct look_spot *spots;
    size_t spot_count, spot_capacity;
};

static inline bool look_touches_edge(const struct look *look, const struct look_spot *spot)
{
    return spot->left == 0 || spot->top == 0 || spot->right + 1 == (int)look->width_px ||
           spot->bottom + 1 == (int)look->height_px;
}

/* Gray of a colour, each of 255. */
static inline uint8_t look_gray(int red, int green, int blue)
{
    return (uint8_t)((77 * red + 151 * green + 28 * blue) >> 8);
}

/* By how much the weaker of red and blue is above green where it is violet, neither red nor blue; else 0. */
int look_violet(int red, int green, int blue);

/* The reduced picture, its paper and contrasts: all but the spots and verdicts. Errors: E_MEMORY. */
int look_see(const struct raster *raster, struct look *ret_look, struct err *err);
/* Everything but verdicts. Errors: E_MEMORY. */
int look_take(const struct raster *raster, struct look *ret_look, struct err *err);
void look_clear(struct look *look);

/* What the spots amount to. */
struct look_ink {
    int marks;               /* what may be letters, signatures, stamps */
    int dark_marks;          /* of them, neither in red nor pale */
    int red_marks;           /* of them, in red */
    int faint;               /* large enough for letters, but as pale as what shines through */
    int specks;              /* too small for letters */
    int blots, lines, edges; /* holes and dirt; folds and streaks; what hangs on the picture's edge */
    int ink_level;           /* contrast of a typical mark */
    int bleed_level;         /* contrast that hardly any faint spot exceeds; 0: there are few */
    uint64_t red_px, red_full_px, edge_px;
};
void look_count(struct look *look, struct look_ink *ret_ink);

/* How much writing there is: none; less than a few lines, or nothing but red or pale; or more. In doubt there is some. */
enum clean_ink { CLEAN_BLANK, CLEAN_SCANT, CLEAN_WRITTEN };
enum clean_ink look_judge(const struct look_ink *ink);

/* Two pages side by side: marks on both sides of an empty gutter, on a picture that is wider than high. Only for
 * pictures whose lines run from left to right. After look_count(). */
bool look_is_spread(const struct look *look);

#endif
