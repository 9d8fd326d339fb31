/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A document's number and notation: "Số: 05/QĐ-UBND", "Số 36-HD/VPTW", "Số: 85/2025/QĐ-UBND", and the older "Số 45 QĐ/UB". */
#ifndef SOHOA_NUMBER_H
#define SOHOA_NUMBER_H

#include "worker/field.h"

/* How much the line looks like the one that has the document's number; 0: not at all. */
struct header;
int number_score(const struct header *header, const struct line *line);

/* Sets codeNumber and codeNotation. hand: what was read there of handwriting (NULL: nothing was). */
void number_describe(const struct header *header, Sohoa__Description *description);

#endif
