/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ink of a small picture, cut into pieces from left to right: a digit is one piece or a few that follow each other.
 * Whole numbers only, so that the pieces are the same on every machine. */
#ifndef SOHOA_STROKES_H
#define SOHOA_STROKES_H

#include "worker/ink.h"

enum {
    STROKES_MOST = 24,            /* pieces */
    STROKES_MAX_PIXELS = 1 << 20, /* of a picture */
};

struct piece {
    struct part at;
    int32_t order; /* where its middle stands along the line once the slant is taken out */
};

struct strokes {
    int32_t width, height;
    uint16_t *label; /* height rows of width: 0 is paper, i + 1 is of piece[i]; owned */
    struct piece piece[STROKES_MOST];
    unsigned count;
    int32_t tall;  /* px: the height of what is written; 0 without ink */
    int32_t slant; /* 1/16 px to the right for a px upwards */
};

/* Strokes that are joined are cut where they are thin; lines drawn beneath, dots and specks are left out, and of more
 * than STROKES_MOST pieces those on the right. 0, or -1 without memory or with more than STROKES_MAX_PIXELS: then
 * strokes is empty. */
int strokes_find(const struct gray *gray, struct strokes *strokes);
void strokes_clear(struct strokes *strokes);

#endif
