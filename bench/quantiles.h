/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Many measurements, and what share of them lies below a value. Zero-initialised is empty. */
#ifndef BENCH_QUANTILES_H
#define BENCH_QUANTILES_H

#include <stddef.h>

struct quantiles {
    double *at;
    size_t count, capacity;
};
void quantiles_destroy(struct quantiles *quantiles);
void quantiles_add(struct quantiles *quantiles, double value);

/* The value that share (0 to 1) of them lie at or below; 0 when there are none. Sorts them. */
double quantiles_share(struct quantiles *quantiles, double share);

#endif
