/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for what runs when: standing orders on batches, targets of units, the calendar, drained workers. */
#ifndef SOHOA_API_PLAN_H
#define SOHOA_API_PLAN_H

#include "coordinator/api_order.h"

void post_standing(struct coordinator *c, struct request *request, const struct route_args *args);
void get_targets(struct coordinator *c, struct request *request, const struct route_args *args);
void post_targets(struct coordinator *c, struct request *request, const struct route_args *args);
void get_calendar(struct coordinator *c, struct request *request, const struct route_args *args);
void post_calendar(struct coordinator *c, struct request *request, const struct route_args *args);
void post_drain(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
