/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for units old and new: which there are and were, what they became, and progress by those of one time. */
#ifndef SOHOA_API_UNITS_H
#define SOHOA_API_UNITS_H

#include "coordinator/api_order.h"

/* Those of the time that ?by= names (its value): district, old or new. */
void get_units_by(struct coordinator *c, struct request *request, const char *by);

void get_places(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
