/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The coordinator's seat: who sits in it is the real thing but for its sockets and threads, which are played here. It may be
 * killed at any moment; the next one starts from what the store and Redis have. */
#ifndef SOHOA_SIM_SEAT_H
#define SOHOA_SIM_SEAT_H

#include "coordinator/coordinator.h"

void seat_reset(void);
void seat_leave(void); /* what is left of the last one is freed */

struct coordinator *seat(void); /* NULL: it is empty */
void seat_take(void);
void seat_kill(void);

uint64_t seat_due_ms(void);
void seat_step(void);

bool seat_idle(void);          /* nothing is being written or removed, and nothing waits for it */
uint64_t seat_commits(void);   /* writes begun by this coordinator ... */
uint64_t seat_committed(void); /* ... and the last one that was told to have ended */

#endif
