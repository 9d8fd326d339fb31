/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What may be said of a document beyond its fields, for a person to decide: whose bloc it is of, what it is about, how long it is to be
 * kept and by which rule, whether personal data is in it, and whether the paper is damaged. */
#ifndef SOHOA_PROPOSE_H
#define SOHOA_PROPOSE_H

#include "worker/field.h"

#define DOUBT_DAMAGED (1U << FIELDS) /* "format" in lists of doubts */

enum { PROPOSALS = SOHOA__PROPOSAL_NAME__PROPOSAL_RISK + 1, PROPOSAL_BYTES = 1024 };

const char *proposal_name(Sohoa__ProposalName name); /* "area": as records say it; borrowed for good */

/* Adds all of them to the description, whose fields are set. pages: as lines has them. */
void propose(Sohoa__Page *const *pages, const struct lines *lines, size_t count, Sohoa__Description *description);

/* The paper is one to be set apart: it is damaged. */
bool proposal_damaged(const Sohoa__Description *description);

/* Bit 1 << name for each field that a person should look at (field_doubts()), and DOUBT_DAMAGED. */
uint32_t description_doubts(const Sohoa__Description *description);

#endif
