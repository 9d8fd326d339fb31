/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reads a string of digits, written by hand or printed, in a small picture. No foreign library, whole numbers only: the
 * same picture gives the same guesses on every machine. */
#ifndef SOHOA_DIGITS_H
#define SOHOA_DIGITS_H

#include <stdbool.h>

#include "worker/ink.h"

enum {
    DIGITS_MOST = 8, /* of a string */
    DIGITS_GUESSES = 5,
    DIGITS_SURE_CPCT = 10000,
};

/* What may stand there: strings of at most so many digits, of a value from ... to ..., which small values are padded with
 * zeros to. */
struct digits_want {
    unsigned most_digits; /* 1 to DIGITS_MOST */
    uint32_t from, to;
    unsigned padded_digits; /* longer strings hardly begin with a zero */
};

struct digits_guess {
    char text[DIGITS_MOST + 1];
    uint32_t confidence_cpct; /* of 100 guesses with 90 % at least 90 are right */
};

struct digits {
    struct digits_guess guess[DIGITS_GUESSES]; /* best first; different ones */
    unsigned count;                            /* 0: no digits, or none that may stand there */
    bool empty;                                /* there is no ink that could be writing */
};

/* gray: dark on light, the digits' line with some room around it; what stands beside them may be in it in part. 0, or -1
 * without memory, with no pixel or with more than STROKES_MAX_PIXELS; then found is left as it is. */
int digits_read(const struct gray *gray, const struct digits_want *want, struct digits *found);

#endif
