/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers that show the ledger, and prove it. All but get_verification and get_ledger_key answer later: they read the store on
 * a back thread, or sign on the committer's. */
#ifndef SOHOA_API_LEDGER_H
#define SOHOA_API_LEDGER_H

#include "coordinator/api_order.h"

void get_ledger(struct coordinator *c, struct request *request, const struct route_args *args);
void get_checkpoints(struct coordinator *c, struct request *request, const struct route_args *args);
void post_checkpoint(struct coordinator *c, struct request *request, const struct route_args *args);
void get_ledger_key(struct coordinator *c, struct request *request, const struct route_args *args);
void get_verification(struct coordinator *c, struct request *request, const struct route_args *args);
void post_verification(struct coordinator *c, struct request *request, const struct route_args *args);
void get_proof(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
