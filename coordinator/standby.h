/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Waiting for the store's lock, while another coordinator has it. */
#ifndef SOHOA_STANDBY_H
#define SOHOA_STANDBY_H

#include "coordinator/coordinator.h"

/* Until this coordinator has the lock. Meanwhile ADDRESS:PORT of the HTTP API tells that it stands by (/metrics, /healthz), and refuses all else; a
 * unix socket stays as it is: it may be the active one's. Its Redis copies the active one's (replica.h). Errors: E_CONFIG, E_LOCKED (it was told to go, and c->stop says so), as store_lock(). */
int standby_wait(struct coordinator *c, struct err *err);

#endif
