/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What becomes of a job on its worker: what it writes to the store, and what it says of that. */
#ifndef SOHOA_SIM_JOB_H
#define SOHOA_SIM_JOB_H

#include "proto/wire.h"

uint64_t job_ms(const Sohoa__Job *job); /* how long it takes */
/* Does it at once; the result is the caller's (sohoa__result__free_unpacked). */
Sohoa__Result *job_do(const Sohoa__Job *job, uint32_t worker, uint32_t pipeline);

#endif
