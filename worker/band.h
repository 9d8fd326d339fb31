/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A band is a row of lines of an upright page, one below the other, that leave one corridor of white free: the boxes
 * side by side at the head of a document (Appendix I of Decree 30/2020/ND-CP, boxes 1 to 4) and at its end (7 and 9b).
 * Between lines that run over the whole page there is none: that would be a table. */
#ifndef SOHOA_BAND_H
#define SOHOA_BAND_H

#include "worker/corridor.h"

struct band {
    struct corridor corridor;
    size_t first, end; /* its lines, by number; end is the number of the one after the last */
    size_t rows;       /* where something stands on both sides; 0: no band */
    size_t left;       /* lines with something to the left */
};

/* The first band from the line number from on and above the body. lines are all of a page, by the height of their
 * middles, with their bounds. */
struct band band_head(Sohoa__Line *const *lines, size_t count, size_t from);
/* The first below the body, from the line number from on: where the head ends. */
struct band band_closing(Sohoa__Line *const *lines, size_t count, size_t from);

/* Where line of the band lies. */
enum side band_side(const struct band *band, const Sohoa__Line *line);

#endif
