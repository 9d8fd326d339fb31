/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What stands between a batch and its hand-over. */
#ifndef SOHOA_API_HANDOVER_H
#define SOHOA_API_HANDOVER_H

#include "coordinator/api_order.h"

void get_handover(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
