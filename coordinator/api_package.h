/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for packages: who made one tells the ledger of it, and they are listed. */
#ifndef SOHOA_API_PACKAGE_H
#define SOHOA_API_PACKAGE_H

#include "coordinator/api_order.h"

void post_package(struct coordinator *c, struct request *request, const struct route_args *args);
void get_packages(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
