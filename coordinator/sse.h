/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A server-sent event as it goes over the wire (HTML Living Standard, 9.2), held by all who are being sent it. */
#ifndef SOHOA_SSE_H
#define SOHOA_SSE_H

#include <stddef.h>

struct sse {
    unsigned holders;
    size_t bytes;
    char text[];
};

struct sse *sse_new(const char *event, const char *data); /* event NULL: a comment. The caller holds it */
struct sse *sse_hold(struct sse *sse);                    /* NULL: is none */
void sse_drop(struct sse **sse);                          /* the last one frees it */

#endif
