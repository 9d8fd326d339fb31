/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/metric.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 32 };

static const double whole_max = 9007199254740992; /* 2^53: integers are exact up to there */

const char *metric_type_name(enum metric_type type)
{
    static const char *const name[] = {"counter", "gauge", "histogram"};
    return name[type];
}

static unsigned bounds_of(const struct metric *metric)
{
    unsigned n = 0;
    while (metric->bound[n] > 0)
        n++;
    assert(n <= METRIC_BOUNDS_MAX);
    return n;
}

void histogram_count(struct histogram *histogram, const struct metric *metric, double value)
{
    unsigned at = 0, bounds = bounds_of(metric);
    while (at < bounds && value > metric->bound[at])
        at++;
    histogram->bucket[at]++;
    histogram->sum += value;
}

/* Fifteen digits where these read back as the same number, else all. */
static void number_text(double value, char text[NUMBER_BYTES])
{
    if (isnan(value))
        snprintf(text, NUMBER_BYTES, "NaN");
    else if (isinf(value))
        snprintf(text, NUMBER_BYTES, value > 0 ? "+Inf" : "-Inf");
    else if (fabs(value) < whole_max && value == trunc(value))
        snprintf(text, NUMBER_BYTES, "%.0f", value);
    else if (snprintf(text, NUMBER_BYTES, "%.15g", value) > 0 && strtod(text, NULL) != value)
        snprintf(text, NUMBER_BYTES, "%.17g", value);
}

static void escaped_puts(struct buf *text, const char *value, const char *special)
{
    for (size_t n; *value; value += n) {
        n = strcspn(value, special);
        buf_append(text, value, n);
        if (!value[n])
            break;
        buf_puts(text, value[n] == '\n' ? "\\n" : value[n] == '"' ? "\\\"" : "\\\\");
        n++;
    }
}

static void label_puts(struct buf *text, char before, const char *name, const char *value)
{
    buf_append(text, &before, 1);
    buf_puts(text, name);
    buf_puts(text, "=\"");
    escaped_puts(text, value, "\\\"\n");
    buf_puts(text, "\"");
}

static void sample_puts(struct exposition *to, const char *suffix, double value, const char *const label[],
                        const char *const said[], size_t labels)
{
    char number[NUMBER_BYTES];
    size_t told = 0;
    buf_puts(to->text, to->metric->name);
    buf_puts(to->text, suffix);
    for (size_t i = 0; i < labels; i++) {
        assert(!label[i] == !said[i]);
        if (label[i])
            label_puts(to->text, told++ ? ',' : '{', label[i], said[i]);
    }
    number_text(value, number);
    buf_puts(to->text, told ? "} " : " ");
    buf_puts(to->text, number);
    buf_puts(to->text, "\n");
}

void metric_begin(struct exposition *to, const struct metric *metric)
{
    to->metric = metric;
    to->samples = 0;
    buf_printf(to->text, "# HELP %s ", metric->name);
    escaped_puts(to->text, metric->help, "\\\n");
    buf_printf(to->text, "\n# TYPE %s %s\n", metric->name, metric_type_name(metric->type));
}

void metric_add(struct exposition *to, double value, const char *first, const char *second)
{
    const char *const said[METRIC_LABELS_MAX] = {first, second};
    assert(to->metric->type != METRIC_HISTOGRAM && to->samples < to->metric->samples_max);
    to->samples++;
    sample_puts(to, "", value, to->metric->label, said, METRIC_LABELS_MAX);
}

void metric_add_histogram(struct exposition *to, const struct histogram *histogram, const char *first)
{
    const struct metric *metric = to->metric;
    const char *const label[] = {metric->label[0], "le"};
    char bound[NUMBER_BYTES];
    uint64_t count = 0;
    assert(metric->type == METRIC_HISTOGRAM && to->samples < metric->samples_max && !metric->label[1]);
    to->samples++;
    for (unsigned i = 0, bounds = bounds_of(metric); i <= bounds; i++) {
        count += histogram->bucket[i];
        number_text(i < bounds ? metric->bound[i] : INFINITY, bound);
        sample_puts(to, "_bucket", (double)count, label, (const char *const[]){first, bound}, 2);
    }
    sample_puts(to, "_sum", histogram->sum, label, &first, 1);
    sample_puts(to, "_count", (double)count, label, &first, 1);
}

void metric_put(struct exposition *to, const struct metric *metric, double value)
{
    metric_begin(to, metric);
    metric_add(to, value, NULL, NULL);
}

uint64_t metric_series_max(const struct metric *table, size_t count)
{
    uint64_t series = 0;
    for (size_t i = 0; i < count; i++)
        series += (uint64_t)table[i].samples_max *
                  (table[i].type == METRIC_HISTOGRAM ? bounds_of(&table[i]) + 3 : 1); /* +Inf, sum and count */
    return series;
}
