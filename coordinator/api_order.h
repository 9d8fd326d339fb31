/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers that change something. Each answers its request, at once or when the change is durable. */
#ifndef SOHOA_API_ORDER_H
#define SOHOA_API_ORDER_H

#include "coordinator/http.h"

struct route_args {
    struct batch *batch; /* {batch} or {check} */
    uint32_t doc;        /* {doc} */
    const char *word;    /* {word} */
};

/* Answers 200 with answer, which it takes over, once what is ordered is durable. */
void answer_then(struct coordinator *c, struct request *request, json_t *answer);

void post_batch(struct coordinator *c, struct request *request, const struct route_args *args);
void post_withdraw(struct coordinator *c, struct request *request, const struct route_args *args);
void post_quarantine(struct coordinator *c, struct request *request, const struct route_args *args);
void post_purge(struct coordinator *c, struct request *request, const struct route_args *args);
void post_release(struct coordinator *c, struct request *request, const struct route_args *args);
void post_check(struct coordinator *c, struct request *request, const struct route_args *args);
void get_check(struct coordinator *c, struct request *request, const struct route_args *args);
void delete_check(struct coordinator *c, struct request *request, const struct route_args *args);
void post_rebuild(struct coordinator *c, struct request *request, const struct route_args *args);

#endif
