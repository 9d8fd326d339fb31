/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handler that tells what was ordered. */
#ifndef SOHOA_API_HISTORY_H
#define SOHOA_API_HISTORY_H

#include "coordinator/api_order.h"

void get_history(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
