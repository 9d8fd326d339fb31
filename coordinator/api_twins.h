/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers that tell which documents are the same (twins.h). */
#ifndef SOHOA_API_TWINS_H
#define SOHOA_API_TWINS_H

#include "coordinator/api_order.h"

void get_duplicates(struct coordinator *c, struct request *request, const struct route_args *args);
/* Those of {doc}. */
void get_document_twins(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
