/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Pages for people: the API's handlers. */
#ifndef SOHOA_API_VIEW_H
#define SOHOA_API_VIEW_H

#include "coordinator/api_order.h"

void get_picture(struct coordinator *c, struct request *request, const struct route_args *args);
void get_words(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
