/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Operators: admit batches piece by piece, withdraw, re-run, quarantine and release, as coordinator/admit.c and
 * api_order.c do it. Each order is answered when its group is durable. */
#ifndef SOHOA_SIM_OPERATOR_H
#define SOHOA_SIM_OPERATOR_H

#include "coordinator/coordinator.h"

void operator_reset(void); /* the first batches are in the ledger */
uint64_t operator_due_ms(void);
void operator_step(void);
bool operator_admits(struct coordinator *c); /* true: something is being written */
bool operator_done(void);                    /* everything is admitted */
bool operator_released(uint32_t source);     /* perhaps: somebody ordered it */

#endif
