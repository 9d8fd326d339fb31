/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What Prometheus reads (text exposition format 0.0.4). Each program has one table of its metrics: a name with its unit last, how many
 * samples there may be (labels stay bounded), and what it says. A metric is begun, then its samples are added, before the next one
 * is begun. Pure. */
#ifndef SOHOA_METRIC_H
#define SOHOA_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"

#define METRIC_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

enum { METRIC_LABELS_MAX = 2, METRIC_BOUNDS_MAX = 11 };

struct metric {
    const char *name;
    enum metric_type type;
    uint32_t samples_max; /* asserted; a histogram is one */
    const char *help;
    const char *label[METRIC_LABELS_MAX]; /* names; none: NULL */
    const double *bound;                  /* of a histogram's buckets: ascending, a 0 behind the last */
};

struct histogram { /* all zero: nothing was counted */
    uint64_t bucket[METRIC_BOUNDS_MAX + 1];
    double sum;
};

void histogram_count(struct histogram *histogram, const struct metric *metric, double value);

struct exposition {
    struct buf *text; /* is appended to */
    const struct metric *metric;
    uint32_t samples; /* of it, so far */
};

/* Without samples only HELP and TYPE are told. */
void metric_begin(struct exposition *to, const struct metric *metric);
/* A value of each label that the metric has, and NULL for others. They may hold anything that is UTF-8. */
void metric_add(struct exposition *to, double value, const char *first, const char *second);
void metric_add_histogram(struct exposition *to, const struct histogram *histogram, const char *first);
/* Begins one without labels, and adds its sample. */
void metric_put(struct exposition *to, const struct metric *metric, double value);

const char *metric_type_name(enum metric_type type);
/* Time series of that table at most: each bucket, sum and count of a histogram is one. */
uint64_t metric_series_max(const struct metric *table, size_t count);

#endif
