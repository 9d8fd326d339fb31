/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers of sessions and accounts. */
#ifndef SOHOA_API_AUTH_H
#define SOHOA_API_AUTH_H

#include "coordinator/api_order.h"

void get_session(struct coordinator *c, struct request *request, const struct route_args *args);
void post_session(struct coordinator *c, struct request *request, const struct route_args *args);
void delete_session(struct coordinator *c, struct request *request, const struct route_args *args);
void post_password(struct coordinator *c, struct request *request, const struct route_args *args);
void get_accounts(struct coordinator *c, struct request *request, const struct route_args *args);
void post_account(struct coordinator *c, struct request *request, const struct route_args *args);
void post_token(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
