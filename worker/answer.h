/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the supervisor makes of a slot's word or of its death. A slot may have been taken over by the document it
 * reads: no size, code or text of its is used before it was checked here. */
#ifndef SOHOA_ANSWER_H
#define SOHOA_ANSWER_H

#include "worker/crew.h"
#include "worker/warm.h"

/* A memory file of bytes bytes that can't grow or shrink. Errors: E_IO. */
int out_new(uint64_t bytes, int *ret_out, struct err *err);

/* Fills answer from a reply to a request with this out file (-1: none) of out_max_bytes, which gets sealed; the
 * sections are mapped until answer_release(). The slot's own error is the answer's rc. Errors: E_FRAME: the reply is
 * nonsense and the slot is not to be trusted any more; E_IO. */
int answer_fill(struct slot_answer *answer, const struct slot_reply *reply, int out, uint64_t out_max_bytes,
                struct err *err);
void answer_release(struct slot_answer *answer);

/* How a process ended, from WARM_EXIT's code and status, as "SIGSEGV" or "exit 1". At most 80 bytes; borrowed for
 * good or until the next call. */
const char *death_text(int code, int status);

#endif
