/* SPDX-License-Identifier: AGPL-3.0-or-later
 * POSTs JSON to one address (libcurl). No proxy is used, no redirection followed, and what the receiver says beside its status is
 * not read. The address may hold a secret, as the token does: neither is ever in a log, an error or an answer. */
#ifndef SOHOA_WEBHOOK_H
#define SOHOA_WEBHOOK_H

#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"

enum { WEBHOOK_CONNECT_MS = 5000, WEBHOOK_TOTAL_MS = 15000, WEBHOOK_TOKEN_BYTES = 4096 };

struct webhook;

/* token_file: "" none. On the main thread, before any other uses libcurl. Errors: E_CONFIG. */
int webhook_new(const char *url, const char *token_file, struct webhook **ret_webhook, struct err *err);
void webhook_destroy(struct webhook **webhook);

/* Blocks for WEBHOOK_TOTAL_MS at most; one call at a time. *ret_status: 0 where nothing was answered. Errors: E_NET (a status that
 * is not 2xx, too), E_TIME. */
int webhook_post(struct webhook *webhook, const void *body, size_t bytes, unsigned *ret_status, unsigned *ret_ms,
                 struct err *err);

/* From any thread: a call under way ends within a second, further ones at once. webhook may be NULL. */
void webhook_stop(struct webhook *webhook);

#endif
