/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A letter set in type on A4 sheets: where each line stands, and the text of each sheet exactly as it is printed.
 * Measures are points (1/72 inch) from the sheet's top left corner. */
#ifndef SOHOA_BENCH_PRINT_H
#define SOHOA_BENCH_PRINT_H

#include <cairo.h>

#include "bench/letter.h"
#include "proto/err.h"

#define PRINT_PT_PER_MM   (72 / 25.4)
#define PRINT_WIDTH_PT    (210 * PRINT_PT_PER_MM)
#define PRINT_HEIGHT_PT   (297 * PRINT_PT_PER_MM)
#define PRINT_FONT_FAMILY "Liberation Serif" /* same widths as Times New Roman */

enum spot_kind {
    SPOT_HAND,      /* text is to be written here by hand */
    SPOT_SIGNATURE, /* room for a signature; a seal goes with it */
    SPOT_WITNESS,   /* room for a signature without a seal */
    SPOT_STAMP,     /* room under the number */
};

struct print_spot {
    enum spot_kind kind;
    double x, y, width, height;
    char text[16];
};

struct print;

/* Errors: E_CONFIG when the font is missing or has no Vietnamese letters. *ret_print is untouched on failure. */
int print_new(const struct letter *letter, struct print **ret_print, struct err *err);
void print_destroy(struct print **print);

/* A letter of so many paragraphs, of a body of any kind, by chance. Ends the program where print_new() fails. */
struct print *print_drawn(struct chance *chance, int paragraphs_least, int paragraphs_most, struct organ *ret_organ);

size_t print_sheets(const struct print *print);

/* The sheet's text, one printed line a line, in reading order: boxes from left to right, then downwards. Digits that are
 * left for a hand are part of it; seals and stamps are not. Borrowed. */
const char *print_text(const struct print *print, size_t sheet_no);

/* For each line of print_text() the part that it is of: "head", "body" (title and addressee, too), "closing" or "number" (of the page). */
const char *print_parts(const struct print *print, size_t sheet_no);

size_t print_spots(const struct print *print, size_t sheet_no, const struct print_spot **ret_spots);

/* Frees what the font libraries keep, which leak checkers would take for lost. No print may be alive. */
void print_forget_fonts(void);

/* Draws the sheet in black; cr's unit is the point. */
void print_draw(const struct print *print, size_t sheet_no, cairo_t *cr);

#endif
