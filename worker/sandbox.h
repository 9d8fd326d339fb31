/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The walls around a slot. What needs time is done once, in the warm process: sandbox_new() compiles the seccomp
 * filter and sandbox_isolate() enters empty namespaces and drops capabilities; slots inherit both. sandbox_enter()
 * then costs a slot well under a millisecond. Which system calls a slot may make, and why, is the table in sandbox.c.
 *
 * Builds with a sanitizer (SOHOA_SANITIZED) keep the filter, with the calls that the sanitizers need on top, but no
 * address space limit: AddressSanitizer reserves terabytes. */
#ifndef SOHOA_SANDBOX_H
#define SOHOA_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/err.h"

/* Exit status of a slot that gave up because it could get no memory. */
enum { SANDBOX_EXIT_MEMORY = 71 };

struct sandbox;

/* Errors: E_SANDBOX. */
int sandbox_new(struct sandbox **ret_sandbox, struct err *err);
void sandbox_destroy(struct sandbox **sandbox);

/* Best effort, for the calling process and its children to come: own user, network and IPC namespaces, no capabilities.
 * Says whether the network namespace is a new, empty one. The process must have a single thread. */
bool sandbox_isolate(void);

/* For good and for the calling process: no core dumps, no new privileges, few descriptors, at most memory_bytes of
 * address space beyond what it has now, and the filter. From then on open, stat and ioctl fail with an errno, and any
 * other call outside the table ends the process (SIGSYS). A crash right after memory was refused ends it with
 * SANDBOX_EXIT_MEMORY. Errors: E_SANDBOX; the process must not go on then. */
int sandbox_enter(const struct sandbox *sandbox, uint64_t memory_bytes, struct err *err);

#endif
