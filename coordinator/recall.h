/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a start takes out of the index, shard by shard on the back threads while the work goes on: the sketches of documents, which the ledger
 * has not. Where the index misses what the ledger says, because the coordinator before us died between the two, it is said again: so that
 * nothing of a document that was quarantined then stays there. */
#ifndef SOHOA_RECALL_H
#define SOHOA_RECALL_H

#include "coordinator/coordinator.h"

/* After the ledger was read again, before anything else happens. c->recall is NULL again when all is read. */
void recall_start(struct coordinator *c);
void recall_destroy(struct recall **recall); /* its task runs no more */

#endif
