/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers that tell what will be on time, as it is and if something were different. */
#ifndef SOHOA_API_FORECAST_H
#define SOHOA_API_FORECAST_H

#include "coordinator/api_order.h"

void get_forecast(struct coordinator *c, struct request *request, const struct route_args *args);
void post_forecast(struct coordinator *c, struct request *request, const struct route_args *args); /* what if */

/* What is taken together, as a forecast tells it: { key: name, ... }. */
json_t *total_json(const char *key, const char *name, const struct plan_total *total);
json_t *moment_json(uint64_t ms); /* FORECAST_NEVER: null */

/* What it would do to deadlines if pages of these lots, in the backlog's order, were read again: when all ends (P50), and the units
 * that it makes worse, with what they were before; null: nothing of them was open. */
json_t *forecast_effect_json(struct coordinator *c, const struct lot_pages *again, size_t count);

/* Takes out of either what is not of the account's units. */
void forecast_narrow(const struct coordinator *c, const struct account *account, json_t *forecast);

#endif
