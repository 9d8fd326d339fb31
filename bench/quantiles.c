/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "bench/quantiles.h"

#include <stdlib.h>

void quantiles_destroy(struct quantiles *quantiles)
{
    free(quantiles->at);
    *quantiles = (struct quantiles){0};
}

void quantiles_add(struct quantiles *quantiles, double value)
{
    if (quantiles->count == quantiles->capacity) {
        quantiles->capacity = quantiles->capacity ? 2 * quantiles->capacity : 4096;
        quantiles->at = realloc(quantiles->at, quantiles->capacity * sizeof *quantiles->at);
        if (!quantiles->at)
            abort();
    }
    quantiles->at[quantiles->count++] = value;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double quantiles_share(struct quantiles *quantiles, double share)
{
    if (!quantiles->count)
        return 0;
    qsort(quantiles->at, quantiles->count, sizeof *quantiles->at, ascending);
    size_t nth = (size_t)(share * (double)quantiles->count);
    return quantiles->at[nth < quantiles->count ? nth : quantiles->count - 1];
}
