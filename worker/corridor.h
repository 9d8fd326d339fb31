/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A corridor of white between a left and a right box, and on which side of it lines lie. Positions are pixels of an
 * upright picture; distances that decide are in heights of a line, so that the resolution does not matter. */
#ifndef SOHOA_CORRIDOR_H
#define SOHOA_CORRIDOR_H

#include "worker/page.h"

struct corridor {
    int32_t left, right;
};

enum side { SIDE_NONE, SIDE_LEFT, SIDE_RIGHT, SIDE_BOTH };

int32_t line_height(const Sohoa__Line *line); /* of its letters, at least 1 */
int32_t line_right(const Sohoa__Line *line);
int32_t line_bottom(const Sohoa__Line *line);
int32_t line_middle(const Sohoa__Line *line);
/* Whether the two stand in one row: half of the lower one's height is beside the other. */
bool line_beside(const Sohoa__Line *a, const Sohoa__Line *b);

int32_t corridor_width(const struct corridor *corridor);
/* The least width of a corridor that line keeps free. */
int32_t corridor_least(const Sohoa__Line *line);

/* The white after a word of line; specks do not end it. word + 1 < n_words. */
struct corridor line_gap(const Sohoa__Line *line, size_t word);
/* Gaps of line that are wide enough for a corridor. */
size_t line_gaps(const Sohoa__Line *line);

/* Where line lies when it keeps the corridor free, which it then narrows; SIDE_NONE and no change when it does not. */
enum side corridor_pass(struct corridor *corridor, const Sohoa__Line *line);

/* Takes the words of line that begin right of the corridor off into a line of their own, which is block's. line keeps
 * at least one word when corridor_pass gave SIDE_BOTH. */
Sohoa__Line *corridor_split(const struct corridor *corridor, Sohoa__Line *line, Sohoa__Block *block);

#endif
