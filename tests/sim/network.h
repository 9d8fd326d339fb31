/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Frames on their way, each as the bytes that cross the wire. A connection is what ZeroMQ makes of it: a frame that gets lost
 * takes its connection with it, but only a while later, and what an old connection still brings is not read any more once
 * a newer one of the same worker was heard. Otherwise frames come late, twice and in any order; only Hello and Welcome open
 * a connection and stay in front. The coordinator's side of it is gate.h. */
#ifndef SOHOA_SIM_NETWORK_H
#define SOHOA_SIM_NETWORK_H

#include <stdbool.h>

#include "proto/wire.h"

void network_reset(void);

void network_connect(uint32_t worker); /* a new connection, instead of any there is */
void network_close(uint32_t worker);
void network_send(uint32_t worker, const Sohoa__Frame *frame); /* from the worker */

void network_cut(uint32_t worker, uint64_t until_ms); /* nothing passes */
void network_heal(void);                              /* no more cuts */
void network_forsake(void);                           /* the coordinator is gone, and all connections with it */

uint64_t network_due_ms(void);
void network_step(void);       /* the frame that is due arrives */
bool network_heard(void);      /* there is something for the coordinator */
uint32_t network_frames(void); /* on their way */

#endif
