/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for what runs when: standing orders on batches, targets of units, drained workers, and
 * the forecast of what comes of it. */
#ifndef SOHOA_API_PLAN_H
#define SOHOA_API_PLAN_H

#include "coordinator/api_order.h"

void post_standing(struct coordinator *c, struct request *request, const struct route_args *args);
void get_targets(struct coordinator *c, struct request *request, const struct route_args *args);
void post_targets(struct coordinator *c, struct request *request, const struct route_args *args);
void get_forecast(struct coordinator *c, struct request *request, const struct route_args *args);
void post_forecast(struct coordinator *c, struct request *request, const struct route_args *args); /* what if */
void get_calendar(struct coordinator *c, struct request *request, const struct route_args *args);
void post_calendar(struct coordinator *c, struct request *request, const struct route_args *args);
void post_drain(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
