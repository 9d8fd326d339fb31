/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How often something went wrong, by the code of its error, as metrics tell it. */
#ifndef SOHOA_TOLL_H
#define SOHOA_TOLL_H

#include "proto/err.h"
#include "proto/metric.h"

enum { TOLL_CODES = ERR_CODES + 1 }; /* one for all that are not in the table */

struct toll { /* all zero: it never did */
    uint64_t count[TOLL_CODES];
};

void toll_count(struct toll *toll, int code, uint64_t times);
/* Begins the metric, which has the label `code`, and adds a sample for each code, also where it is 0: so its first failure is an increase. */
void toll_put(struct exposition *to, const struct metric *metric, const struct toll *toll);

#endif
