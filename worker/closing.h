/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How a document ends: who signed it and as what, who gets it, how many copies.
 * Source: Decree 30/2020/ND-CP, Appendix I, boxes 7a, 7b, 9b, 12. */
#ifndef SOHOA_CLOSING_H
#define SOHOA_CLOSING_H

#include "worker/field.h"

/* Sets signerPrefix, signerTitle, signer, recipients and copies. The first closing counts: what comes behind it is attached. */
void closing_describe(const struct lines *pages, size_t count, Sohoa__Description *description);

#endif
