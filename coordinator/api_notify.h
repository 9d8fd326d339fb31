/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handler that tries the webhook. */
#ifndef SOHOA_API_NOTIFY_H
#define SOHOA_API_NOTIFY_H

#include "coordinator/api_order.h"

void post_notify(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
