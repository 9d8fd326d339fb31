/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a document is and what it is about: the title in capitals and the lines under it, or "V/v ..." under the number of an official
 * letter; and whom it is for ("Kính gửi").
 * Source: Decree 30/2020/ND-CP, Appendix I, boxes 5a, 5b, 9a. */
#ifndef SOHOA_TITLE_H
#define SOHOA_TITLE_H

#include "worker/header.h"

/* Sets typeName, typeCode, subject and addressee. codeNotation must be set already: the type is checked against it. */
void title_describe(const struct header *header, Sohoa__Description *description);

#endif
