/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for rounds of a batch's review: how it stands, beginning one, closing it, sending the batch back to work. */
#ifndef SOHOA_API_ROUND_H
#define SOHOA_API_ROUND_H

#include "coordinator/api_order.h"

void get_batch_review(struct coordinator *c, struct request *request, const struct route_args *args);
void post_round(struct coordinator *c, struct request *request, const struct route_args *args);
void post_close(struct coordinator *c, struct request *request, const struct route_args *args);
void post_reject(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
