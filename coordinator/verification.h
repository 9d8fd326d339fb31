/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One verification of the ledger at a time, on a back thread; what the last one found is kept. */
#ifndef SOHOA_VERIFICATION_H
#define SOHOA_VERIFICATION_H

#include <jansson.h>

#include "coordinator/coordinator.h"

/* Begins one, of c->verification; kept: a checkpoint that the ledger must fit, too (copied), NULL: none. Errors: E_STATE: one is under
 * way. */
int verification_start(struct coordinator *c, const char *kept, struct err *err);
void verification_stop(struct verification *verification); /* the back threads are about to end; NULL is nothing */
void verification_destroy(struct verification **verification);

/* {state: none, running, done or failed, entries, bytes, bytes_all, ms, ended_ms, error, result}; of NULL, too. */
json_t *verification_json(const struct verification *verification);

#endif
