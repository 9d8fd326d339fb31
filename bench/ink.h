/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What hands and stamps put on a printed sheet: numbers written in, signatures, red seals, stamps. Units are points. All
 * of it is drawn as ink that mixes with what is under it. */
#ifndef SOHOA_BENCH_INK_H
#define SOHOA_BENCH_INK_H

#include <cairo.h>

#include "bench/organ.h"
#include "bench/print.h"

struct ink_colour {
    double red, green, blue;
};

/* Writes the spot's digits over the gap that was left for them. */
void ink_hand(cairo_t *cr, struct chance *chance, struct ink_colour colour, const struct print_spot *spot);

/* A scribble within the spot. */
void ink_signature(cairo_t *cr, struct chance *chance, struct ink_colour colour, const struct print_spot *spot);

/* The body's round seal over the left third of the signature, as Decree 30/2020/ND-CP, article 33 wants it. */
void ink_seal(cairo_t *cr, struct chance *chance, const struct organ *organ, const struct print_spot *spot);

/* It around a middle, turned anyhow, as it is found when hands were hasty: pressed on one side, with drops of ink. */
void ink_seal_smudged(cairo_t *cr, struct chance *chance, const struct organ *organ, double x, double y);

/* The receiving body's stamp ĐẾN with number and day by hand, and a stamp of urgency. */
void ink_incoming(cairo_t *cr, struct chance *chance, const struct organ *organ, const struct print_spot *spot);
void ink_urgent(cairo_t *cr, struct chance *chance, const struct print_spot *spot);

#endif
