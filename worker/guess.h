/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Digits that may be several things: what is said of them by who reads handwriting (Page.hands), by the recogniser and by what is
 * likely anyway, weighed together. */
#ifndef SOHOA_GUESS_H
#define SOHOA_GUESS_H

#include "worker/field.h"

enum {
    GUESSES = 48,
    GUESS_BYTES = 12,
    GUESS_ANSWER_CPCT = 6000, /* a likelier one is the field's value; else it is not read, and has candidates */
};

struct guess {
    char text[GUESS_BYTES];
    double weight;
};

/* Zero-initialised: nothing is known. */
struct guesses {
    struct guess at[GUESSES];
    size_t count;
    double other; /* weight of all that is not listed */
};

/* What was read of kind beside the line on its page; NULL: nothing was. */
const Sohoa__Hand *guess_hand(const struct lines *page, const struct line *line, Sohoa__HandKind kind);

/* What hand says; NULL: everything else. */
void guesses_begin(struct guesses *guesses, const Sohoa__Hand *hand);
double guesses_weight(const struct guesses *guesses, const char *text); /* of text; 0: not listed */
/* text is `ratio` times likelier than before; what is not listed becomes so. */
void guesses_support(struct guesses *guesses, const char *text, double ratio);
/* The likeliest first. */
void guesses_sort(struct guesses *guesses);
/* How likely the ith is, from 0 to 10000; 0: there is none. */
uint32_t guesses_cpct(const struct guesses *guesses, size_t i);

/* How much a reading of the recogniser counts for, by its confidence: the ratio for guesses_support(). */
double guess_reading_ratio(uint32_t confidence_cpct);

#endif
