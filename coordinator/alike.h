/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Whether two documents are the same, by their sketches (proto/sketch.h). Text that agrees is not enough, forms and series of notices have
 * much of it in common: no number, date or name may stand where another stands in the other document. Pure. */
#ifndef SOHOA_ALIKE_H
#define SOHOA_ALIKE_H

#include <stdbool.h>

#include "proto/sketch.h"

enum alike_kind {
    ALIKE_NOT,
    ALIKE_BYTES,    /* the same source */
    ALIKE_SCAN,     /* the pages' pictures agree, and so does what was read */
    ALIKE_DOCUMENT, /* what was read agrees */
};

const char *alike_name(enum alike_kind kind); /* "bytes", "scan", "document"; "" */

struct alike {
    enum alike_kind kind;
    uint32_t similarity_cpct; /* of the text, estimated; of the pictures where there is none */
};

/* The rule, once over all that counts. Figures are named in alike.c:
 *   text     most of it agrees, marks agree, and none contradicts. Texts with hardly a mark agree nearly wholly, and their pictures, too
 *   keys     known and equal: half as much text is enough, and one mark may have been misread. Known and different: the documents are
 *            different, unless text and pictures agree nearly wholly, and no mark contradicts: then a digit was misread
 *   no words in either: the pictures of all the pages agree nearly wholly */
struct alike alike_of(const struct sketch *a, const struct sketch *b);

/* They can't be in the same group, whatever a third document is like: keys differ, or a mark contradicts. */
bool alike_contradict(const struct sketch *a, const struct sketch *b);

#endif
