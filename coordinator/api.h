/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The HTTP API, /api/v1: what PROTOCOL.md lists. */
#ifndef SOHOA_API_H
#define SOHOA_API_H

#include "coordinator/http.h"

/* Answers the request, now or later. */
void api_handle(struct coordinator *c, struct request *request);

#endif
