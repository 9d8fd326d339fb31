/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Leptonica: makes a picture readable. What it turns or scales it also writes into the raster's to_view and dpi. */
#ifndef SOHOA_CLEAN_H
#define SOHOA_CLEAN_H

#include <stdbool.h>

#include "proto/err.h"
#include "proto/sohoa.pb-c.h"
#include "worker/raster.h"

#define CLEAN_NOTE(name) (1u << SOHOA__PAGE_NOTE__NOTE_##name)

struct clean_report {
    bool blank;  /* no writing: no need to call the reader */
    bool scant;  /* only pale, red or very little ink, such as a seal bled through: what is read counts if it is sure */
    bool tilted; /* perhaps not upright: ask upright_find(), then clean_turn() */
    bool lying;  /* lines run from top to bottom, it seems */
    int32_t skew_mdeg; /* clockwise skew taken out */
    uint32_t notes;    /* CLEAN_NOTE() of what was seen and done */
};

/* Replaces *raster by the cleaned picture (gray or bilevel): of a size that reads well, paper white, red seals,
 * violet stamps and black borders gone, lines of text straight. degraded: at most 150 dpi. A blank page's picture
 * stays as it is. On failure *raster is untouched. Errors: E_MEMORY. */
int clean_page(struct raster **raster, bool degraded, struct clean_report *report, struct err *err);

/* Replaces *raster, gray or bilevel, by itself turned clockwise by 0, 90, 180 or 270 degrees. On failure it is
 * untouched. Errors: E_MEMORY. */
int clean_turn(struct raster **raster, uint32_t turn_deg, struct err *err);

#endif
