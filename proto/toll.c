/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/toll.h"

void toll_count(struct toll *toll, int code, uint64_t times)
{
    unsigned at = 0;
    while (at < ERR_CODES && err_code_at(at) != code)
        at++;
    toll->count[at] += times;
}

void toll_put(struct exposition *to, const struct metric *metric, const struct toll *toll)
{
    metric_begin(to, metric);
    for (unsigned at = 0; at < TOLL_CODES; at++)
        metric_add(to, (double)toll->count[at], err_name(at < ERR_CODES ? err_code_at(at) : 0), NULL);
}
