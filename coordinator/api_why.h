/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for why something waits, is late or failed, and what happened to it. */
#ifndef SOHOA_API_WHY_H
#define SOHOA_API_WHY_H

#include "coordinator/api_order.h"

void get_batch_why(struct coordinator *c, struct request *request, const struct route_args *args);
void get_document_why(struct coordinator *c, struct request *request, const struct route_args *args);
void get_document_trace(struct coordinator *c, struct request *request, const struct route_args *args);
void get_unit_why(struct coordinator *c, struct request *request, const struct route_args *args); /* {word} */

#endif
