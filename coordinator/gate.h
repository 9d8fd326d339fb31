/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ROUTER socket that workers connect to: frames in and out, each to a worker by its name. Sends never block: a frame to
 * a peer that is gone or does not read is refused, and its leases end by time like those of any silent worker.
 *
 * With keys it is encrypted (CURVE), and who connects must have an allowed key (ZAP, RFC 27). What a ROUTER calls an identity is
 * what a peer says of itself, so each frame's key is looked up again: it must be the named worker's, and allowed still. Keys
 * are changed while it runs: files that changed are read again within GATE_LOOK_MS; after a change of its own key workers must
 * connect again, which those do that know the new one. */
#ifndef SOHOA_GATE_H
#define SOHOA_GATE_H

#include <stdbool.h>

#include "proto/wire.h"

enum {
    GATE_SEND_HWM = 1000,
    GATE_LOOK_MS = 1000,
    GATE_REFUSALS_TOLD = 60, /* in a minute */
};

struct gate;

struct gate_keys {
    const char *own;     /* file of this coordinator's certificate; "": none, which only what is near allows */
    const char *workers; /* folder of the certificates that may connect */
};

/* Errors: E_NET, which names the endpoint; E_CONFIG: what is wrong with the keys. */
int gate_new(const char *endpoint, const struct gate_keys *keys, struct gate **ret_gate, struct err *err);
void gate_destroy(struct gate **gate);

int gate_fd(
    const struct gate *gate); /* readable: call gate_tend(), then gate_receive() until it says there is nothing */

/* Answers who wants to connect, tells of those who were refused, and looks after the keys. */
void gate_tend(struct gate *gate, uint64_t now_ms);

/* False: nothing there. A frame that can't be decoded, or whose key is not the sender's (E_KEY): *ret_frame is NULL, err says
 * why. peer gets the sender's name. */
bool gate_receive(struct gate *gate, char peer[NAME_BYTES], Sohoa__Frame **ret_frame, struct err *err);

/* False: the peer is not there or its queue is full; nothing was sent. */
bool gate_send(struct gate *gate, const char *peer, const Sohoa__Frame *frame);

#endif
