/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handler that lists what is quarantined: numbers and places of stamps, never a name, text or picture. */
#ifndef SOHOA_API_QUARANTINE_H
#define SOHOA_API_QUARANTINE_H

#include "coordinator/api_order.h"

void get_quarantine(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
