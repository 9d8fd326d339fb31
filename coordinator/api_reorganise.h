/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for re-organisations of communes: looked through, ordered, listed, taken back. */
#ifndef SOHOA_API_REORGANISE_H
#define SOHOA_API_REORGANISE_H

#include "coordinator/api_order.h"

void get_reorganised(struct coordinator *c, struct request *request, const struct route_args *args);
void post_reorganised(struct coordinator *c, struct request *request, const struct route_args *args);
void delete_reorganised(struct coordinator *c, struct request *request, const struct route_args *args); /* {word} */

#endif
