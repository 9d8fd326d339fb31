/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is decided in a review, done at once and said to the ledger. Each has been checked: it makes sense (asserted). Entries go to the group,
 * whose actor is the one that is named. */
#ifndef SOHOA_REVIEW_LEDGER_H
#define SOHOA_REVIEW_LEDGER_H

#include "coordinator/commit.h"
#include "coordinator/review.h"

/* The next round, of what review_draw() gave. */
void review_order_round(struct reviews *reviews, const struct batch *batch, struct group *group, uint32_t percent,
                        uint64_t seed, const struct buf *docs, const char *actor, uint64_t time_ms);

/* remarks, each field once at most, are written before the entry, which names fields and their hash; said's batch, fields and hash are filled in. */
void review_order_decision(struct reviews *reviews, const struct batch *batch, struct group *group,
                           Sohoa__Reviewed *said, const Sohoa__Remarks *remarks, const char *actor);

/* Of the last round. */
void review_order_close(struct reviews *reviews, const struct batch *batch, struct group *group,
                        Sohoa__RoundVerdict verdict, const char *reason, const char *actor, uint64_t time_ms);

/* What one of these entries said, whatever the entry: others are passed over. Errors: E_CORRUPT. */
int review_restore(struct reviews *reviews, const struct backlog *backlog, const Sohoa__LedgerEntry *entry,
                   struct err *err);

#endif
