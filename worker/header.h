/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Where a document's head is: the national heading or the Party's, the bodies beside it, the line of the number and that of the date.
 * Sources: Decree 30/2020/ND-CP, Appendix I; Regulation 66-QD/TW. Older forms come without colons, or with other signs. */
#ifndef SOHOA_HEADER_H
#define SOHOA_HEADER_H

#include "worker/field.h"

enum header_kind { HEADER_OTHER, HEADER_STATE, HEADER_PARTY, HEADER_YOUTH };

struct header {
    const struct lines *page;
    enum header_kind kind;
    const struct line *anchor; /* the heading at the right; NULL: none */
    const struct line *number; /* NULL: none; likewise date */
    const struct line *date;
    int32_t top, bottom; /* of all of them, upright; from bottom on come title and text */
};

/* The first page that has one; else the first page with what there is. False: there is no line at all. */
bool header_find(const struct lines *pages, size_t count, struct header *header);

/* Sets header, organName, parentOrganName and urgency. */
void header_describe(const struct header *header, Sohoa__Description *description);

#endif
