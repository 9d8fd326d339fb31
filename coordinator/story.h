/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page's story: what the coordinator's log and those of all connected workers say of it, gathered over the wire, put in order of time.
 * It reaches as far back as they remember (TRACE_KEPT_BYTES each). */
#ifndef SOHOA_STORY_H
#define SOHOA_STORY_H

#include "coordinator/coordinator.h"
#include "coordinator/http.h"

enum {
    STORIES_MOST = 16,    /* asked for at once */
    STORY_WAIT_MS = 3000, /* who has not answered by then is told of as silent */
};

struct stories;

struct stories *stories_new(void);
void stories_destroy(struct stories **stories); /* answers nobody */

/* Answers the request, once all workers have or at the end of the time. subject is borrowed for the call. Errors: E_LIMIT. */
struct trace_subject;
int story_ask(struct coordinator *c, struct request *request, const struct trace_subject *subject, struct err *err);
void stories_expire(struct coordinator *c, uint64_t now_ms);

#endif
