/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for reports: JSON, and {word} csv or html. */
#ifndef SOHOA_API_REPORT_H
#define SOHOA_API_REPORT_H

#include "coordinator/api_order.h"

void get_report(struct coordinator *c, struct request *request, const struct route_args *args);
void get_report_as(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
