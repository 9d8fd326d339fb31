/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The HTTP API, /api/v1: what PROTOCOL.md lists. */
#ifndef SOHOA_API_H
#define SOHOA_API_H

#include "coordinator/http.h"

/* Answers the request, now or later. */
void api_handle(struct coordinator *c, struct request *request);

/* Is there a result of the document, and of which generation: while a re-run is under way the one before is still
 * its. */
bool document_in_force(const struct doc *doc, uint32_t *ret_generation);

#endif
