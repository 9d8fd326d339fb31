/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ROUTER socket that workers connect to: frames in and out, each to a worker by its name. Sends never block: a frame to
 * a peer that is gone or does not read is refused, and its leases end by time like those of any silent worker. */
#ifndef SOHOA_GATE_H
#define SOHOA_GATE_H

#include <stdbool.h>

#include "proto/wire.h"

enum { GATE_SEND_HWM = 1000 };

struct gate;

/* Errors: E_NET, which names the endpoint. */
int gate_new(const char *endpoint, struct gate **ret_gate, struct err *err);
void gate_destroy(struct gate **gate);

int gate_fd(const struct gate *gate); /* edge-triggered as ZMQ_FD is: read until gate_receive() says there is nothing */

/* False: nothing there. A frame that can't be decoded: *ret_frame is NULL, err says why. peer gets the sender's name. */
bool gate_receive(struct gate *gate, char peer[NAME_BYTES], Sohoa__Frame **ret_frame, struct err *err);

/* False: the peer is not there or its queue is full; nothing was sent. */
bool gate_send(struct gate *gate, const char *peer, const Sohoa__Frame *frame);

#endif
