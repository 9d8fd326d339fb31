/* SPDX-License-Identifier: AGPL-3.0-or-later
 * SIGINT, SIGTERM and SIGHUP ask a command to end in order: it looks here between its steps. */
#ifndef SOHOA_INTERRUPT_H
#define SOHOA_INTERRUPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

void interrupt_watch(void);
bool interrupt_seen(void);

/* Sleeps, at most until a signal asks to end. */
void interrupt_sleep(uint32_t ms);

/* Joins a thread that does the work meanwhile; false: it still runs after so long. */
bool interrupt_join(pthread_t thread, uint32_t ms);

#endif
