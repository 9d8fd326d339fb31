/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Tells the webhook of alerts: shows notify.h what stands, has webhook.h send what it says on a back thread, one request at a time, and
 * keeps in Redis what was told. */
#ifndef SOHOA_HERALD_H
#define SOHOA_HERALD_H

#include "coordinator/http.h"

struct herald;

/* Before the lock is waited for: what is wrong shows at once. Without a notify_url it does nothing. Errors: E_CONFIG. */
int herald_new(struct coordinator *c, struct herald **ret_herald, struct err *err);
void herald_stop(struct herald *herald); /* the process ends: a request under way is given up. herald may be NULL */
void herald_destroy(struct herald **herald);

void herald_restore(struct coordinator *c); /* what was told before, as far as Redis knows */

/* Every turn of the loop. now_ms: since 1970. */
void herald_tick(struct coordinator *c, uint64_t now_ms);

/* Sends a test, and answers the request with what the receiver said. Errors: E_STATE (no notify_url), E_TRIES (a test is under way). */
int herald_test(struct coordinator *c, struct request *request, struct err *err);

#endif
