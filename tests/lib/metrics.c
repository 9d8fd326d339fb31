/* SPDX-License-Identifier: AGPL-3.0-or-later
 * metrics-list: what each program tells Prometheus, as PROTOCOL.md has it. */
#include <inttypes.h>
#include <stdio.h>

#include "coordinator/meter.h"
#include "worker/odometer.h"

static void row_print(const struct metric *metric)
{
    printf("| `%s", metric->name);
    for (int i = 0; i < METRIC_LABELS_MAX && metric->label[i]; i++)
        printf("%s%s", i ? ", " : "{", metric->label[i]);
    printf("%s` | %s | %s |\n", metric->label[0] ? "}" : "", metric_type_name(metric->type), metric->help);
}

static void table_print(const char *program, const struct metric *table, size_t count)
{
    printf("`%s`, at most %" PRIu64 " series:\n\n| metric | | |\n|---|---|---|\n", program,
           metric_series_max(table, count));
    for (size_t i = 0; i < count; i++)
        row_print(&table[i]);
}

int main(void)
{
    table_print("sohoa-coordinator", coordinator_metric, COORDINATOR_METRICS);
    printf("\n");
    table_print("sohoa-worker", node_metric, NODE_METRICS);
    return 0;
}
