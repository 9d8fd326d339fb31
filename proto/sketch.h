/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is kept of a document to find others like it, small enough for every document of a city: a sample of its text, a
 * sample of what makes it itself (numbers, dates, names, each with the words before it), and of its first pages' pictures.
 * Workers make it (worker/gist.h), coordinators compare it (coordinator/alike.h). */
#ifndef SOHOA_SKETCH_H
#define SOHOA_SKETCH_H

#include "proto/buf.h"
#include "proto/err.h"

enum {
    SKETCH_TEXT = 39,      /* samples of the text */
    SKETCH_MARKS = 26,     /* at most */
    SKETCH_PICTURES = 2,   /* at most */
    SKETCH_MAX_BYTES = 150 /* packed */
};

struct sketch {
    uint32_t key;              /* of number, notation and date; 0: not known */
    uint16_t pages;            /* that are not blank */
    uint16_t shingles;         /* runs of three words, not one of which is a mark; what is over the most is the most */
    uint16_t error_cpct, dpi;  /* mean predicted share of wrong characters; of the coarsest page, 0: not known */
    uint8_t bits;              /* a pixel, of the page that has the fewest; 0: not known */
    uint8_t marks, pictures;   /* how many of these there are */
    uint8_t text[SKETCH_TEXT]; /* MinHash of the shingles: 8 bits of the least hash by each of so many functions */
    uint8_t value[SKETCH_MARKS];       /* 8 bits of a mark's hash ... */
    uint16_t context[SKETCH_MARKS];    /* ... and 16 of that of the words before it, which is what they ascend by */
    uint64_t picture[SKETCH_PICTURES]; /* likeness.h, of the first pages that have one */
};

/* Appends it, at most SKETCH_MAX_BYTES. */
void sketch_pack(const struct sketch *sketch, struct buf *out);
/* On failure *sketch is not defined. Errors: E_CORRUPT: that is no sketch. */
int sketch_unpack(const void *data, size_t bytes, struct sketch *sketch, struct err *err);

#endif
