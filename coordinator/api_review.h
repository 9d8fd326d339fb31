/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The API's handlers for what people say of documents: which wait for them, what is known of one, accepting, correcting, rejecting. */
#ifndef SOHOA_API_REVIEW_H
#define SOHOA_API_REVIEW_H

#include "coordinator/api_order.h"
#include "coordinator/review.h"

enum { REVIEW_REASON_BYTES = 1024 }; /* with the 0 */

/* "fresh", "waiting", "accepted", "corrected", "rejected"; "none": it has no result. */
const char *stand_name(const struct coordinator *c, const struct batch *batch, uint32_t doc);

/* What the body says, or "". Errors: E_USAGE, E_LIMIT. */
int reason_take(const json_t *body, const char **ret_reason, struct err *err);

void get_reviews(struct coordinator *c, struct request *request, const struct route_args *args);
void get_doc_review(struct coordinator *c, struct request *request, const struct route_args *args);
void post_decision(struct coordinator *c, struct request *request, const struct route_args *args);
/* The document's record, with corrections beside the machine's values. */
void get_record(struct coordinator *c, struct request *request, struct doc_ref ref);

#endif
