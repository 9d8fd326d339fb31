/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a round of a batch must keep within to pass: a table that anyone may edit (a CSV of field,limit_percent). A field's row is the
 * highest share of documents in which it was corrected; the row `document` that of documents with any correction or rejected, `rejected` that of
 * rejected ones. What has no row has no limit. Pure. */
#ifndef SOHOA_REVIEW_LIMIT_H
#define SOHOA_REVIEW_LIMIT_H

#include "coordinator/review.h"

enum { LIMIT_DOCUMENT = REVIEW_FIELDS, LIMIT_REJECTED, REVIEW_LIMITS };

struct review_limits {
    double percent[REVIEW_LIMITS]; /* 100: none */
};

const char *review_limit_name(int row);
uint32_t review_limit_count(const struct round *round, int row); /* documents of the round that count for it */
double review_limit_share(const struct round *round, int row);   /* in percent of those that were decided on */
bool review_limit_met(const struct review_limits *limits, const struct round *round, int row); /* it is over that */

/* path "": those that the program has. Errors: E_MANIFEST and E_CONFIG, which name file and line; E_ABSENT, E_LIMIT. */
int review_limits_load(const char *path, struct review_limits *limits, struct err *err);

#endif
