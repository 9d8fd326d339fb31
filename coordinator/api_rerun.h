/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for re-runs by predicate. */
#ifndef SOHOA_API_RERUN_H
#define SOHOA_API_RERUN_H

#include "coordinator/api_order.h"

void get_reruns(struct coordinator *c, struct request *request, const struct route_args *args);
void post_rerun(struct coordinator *c, struct request *request, const struct route_args *args); /* {batch}: within it */
void delete_rerun(struct coordinator *c, struct request *request,
                  const struct route_args *args); /* {word}: its number */

#endif
