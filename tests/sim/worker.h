/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Workers, as worker/link.c and worker/job.c behave: they say Hello with what they hold, ask for jobs by credit, run them in
 * slots, keep results until they are acknowledged. They die and lose everything, stall and come back late, come back under
 * the same name, and may be slow. */
#ifndef SOHOA_SIM_WORKER_H
#define SOHOA_SIM_WORKER_H

#include <stdbool.h>

#include "proto/wire.h"

enum { WORKERS = 5 };

void workers_reset(void);
void workers_leave(void); /* what they hold is freed */
uint64_t workers_due_ms(void);
void workers_step(void);
void workers_calm(void); /* all come back to life */

void worker_hear(uint32_t worker, const Sohoa__Frame *frame);
void worker_break(uint32_t worker, uint64_t at_ms); /* its connection will break */
uint64_t worker_received(uint32_t worker);          /* jobs since Hello; of one that is joined */
bool worker_joined(uint32_t worker);
uint32_t worker_holds(uint32_t worker); /* jobs, running or not acknowledged */

#endif
