/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What machines watch, beside the API: GET /metrics for Prometheus, /healthz and /readyz for who restarts and balances. */
#ifndef SOHOA_API_METRICS_H
#define SOHOA_API_METRICS_H

#include "coordinator/http.h"

/* Answers, if it is one of these. */
bool metrics_handle(struct coordinator *c, struct request *request);

#endif
