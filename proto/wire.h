/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Frames to bytes and back, with every limit checked. Does no I/O. The messages are those of sohoa.proto (protobuf-c). */
#ifndef SOHOA_WIRE_H
#define SOHOA_WIRE_H

#include "proto/buf.h"
#include "proto/err.h"
#include "proto/limits.h"
#include "proto/sohoa.pb-c.h"

enum { PROTOCOL_VERSION = 1 };

/* Appends frame to out. Asserts that it is within FRAME_MAX_BYTES: senders bound what they put in. */
void wire_encode(const Sohoa__Frame *frame, struct buf *out);

/* Checks size, form, list lengths, text lengths and digest sizes. *ret_frame is freed with frame_destroy().
 * Errors: E_FRAME, which names the field and the limit. */
int wire_decode(const void *data, size_t bytes, Sohoa__Frame **ret_frame, struct err *err);
void frame_destroy(Sohoa__Frame **frame);

/* Between struct err and its wire form. wire_err borrows err's text. */
void wire_err(const struct err *err, Sohoa__Err *wire);
void err_from_wire(const Sohoa__Err *wire, struct err *err); /* wire NULL: code 0 */

#endif
