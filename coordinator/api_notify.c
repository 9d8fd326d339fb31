/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_notify.h"

#include "coordinator/herald.h"

void post_notify(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct err err;
    (void)args;
    if (herald_test(c, request, &err))
        request_answer_err(request, &err);
}
