/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The spot check of a text layer that a scan brought along: a few of its lines are read, and where the picture says what the
 * layer says, the page need not be read. A layer is refused when in doubt, which costs the time of a reading only. */
#ifndef SOHOA_SPOT_H
#define SOHOA_SPOT_H

#include <stdbool.h>

#include "worker/page.h"
#include "worker/raster.h"
#include "worker/read.h"

enum { SPOT_LINES = 3 };

enum spot_verdict {
    SPOT_HOLDS,
    SPOT_SHORT,    /* it has too few lines that are long enough */
    SPOT_ODD,      /* too many of its words are none of Vietnamese or any language */
    SPOT_PARTIAL,  /* there is print where it has no words */
    SPOT_DIFFERS,  /* the picture says something else */
    SPOT_MISPLACED /* ... or says it elsewhere */
};

/* What the check found; what was not looked at is 0. */
struct spot {
    enum spot_verdict verdict;
    uint32_t letters, odd_cpct; /* of the layer's words: letters in all, and the share of them in impossible ones */
    uint32_t bare_cpct;         /* share of the ink that lies where the layer has no words */
    uint32_t turn_deg;          /* clockwise, what makes its lines upright: 0, 90, 180, 270 */
    uint32_t lines;             /* that were read */
    uint32_t like_cpct[SPOT_LINES], mean_like_cpct;
    uint32_t shift_percent; /* of a line's height: how far the words stand from where the layer has them, at most */
};

/* The lines to be read, spread over the page from top to bottom, always the same; borrowed from layer. Returns how many. */
size_t spot_choose(const Sohoa__Page *layer, const Sohoa__Line *lines[SPOT_LINES]);

/* How much two texts are alike, by the fewest letters to be changed, put in or left out: 10000 when they say the same. Blanks
 * count as one, and dashes and quotation marks are the same as plain ones; both are UTF-8, NFC. */
uint32_t spot_like_cpct(const char *a, const char *b);

/* layer: as render_page() gives it. raster: the cleaned picture, not turned. Both stay as they are. Errors: as read_page(). */
int spot_check(struct reader *reader, const struct raster *raster, const Sohoa__Page *layer, struct spot *spot,
               struct err *err);

#endif
