/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/outlook.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/auto.h"

const char *moment_text(const json_t *ms, char text[DAY_MOMENT_BYTES])
{
    if (!json_is_null(ms))
        return day_moment((uint64_t)json_integer_value(ms), text);
    snprintf(text, DAY_MOMENT_BYTES, "never");
    return text;
}

static const char *slack(const json_t *ms, char text[DAY_MOMENT_BYTES])
{
    double hours = (double)json_integer_value(ms) / 3.6e6;
    if (json_is_null(ms))
        snprintf(text, DAY_MOMENT_BYTES, "%s", "");
    else if (hours > -48 && hours < 48)
        snprintf(text, DAY_MOMENT_BYTES, "%+.1f h", hours);
    else
        snprintf(text, DAY_MOMENT_BYTES, "%+.1f d", hours / 24);
    return text;
}

static void row_print(const json_t *row)
{
    char p50[DAY_MOMENT_BYTES], p90[DAY_MOMENT_BYTES], due[DAY_MOMENT_BYTES], left[DAY_MOMENT_BYTES],
        cores[DAY_MOMENT_BYTES] = "";
    const char *unit = json_string_value(json_object_get(row, "unit"));
    const json_t *needed = json_object_get(row, "cores_needed");
    const json_t *was = json_object_get(row, "before");
    const char *before = json_is_null(was) ? "done" : json_string_value(json_object_get(was, "verdict"));
    bool dated = !json_is_null(json_object_get(row, "deadline_ms"));
    if (json_real_value(needed) > 0)
        snprintf(cores, sizeof cores, "+%.1f cores", json_real_value(needed));
    printf("%-16s %10" JSON_INTEGER_FORMAT " %9.1f  %-16s  %-16s  %-16s  %9s  %-11s %s%s%s\n",
           *unit ? unit : "(no unit)", json_integer_value(json_object_get(row, "pages")),
           json_real_value(json_object_get(row, "core_hours")),
           dated ? moment_text(json_object_get(row, "deadline_ms"), due) : "",
           moment_text(json_object_get(row, "p50_ms"), p50), moment_text(json_object_get(row, "p90_ms"), p90),
           slack(json_object_get(row, "slack_ms"), left), json_string_value(json_object_get(row, "verdict")), cores,
           before ? "  was " : "", before ? before : "");
}

static double urgency(const json_t *row)
{
    const json_t *slack_ms = json_object_get(row, "slack_ms");
    bool dated = !json_is_null(json_object_get(row, "deadline_ms"));
    return !dated ? 1e300 : json_is_null(slack_ms) ? -1e300 : (double)json_integer_value(slack_ms);
}

static int row_order(const void *a, const void *b)
{
    double x = urgency(*(json_t *const *)a), y = urgency(*(json_t *const *)b);
    return x < y ? -1 : x > y;
}

void units_print(const json_t *units)
{
    size_t count = json_array_size(units), undated = 0;
    AUTO(mem_destroy) const json_t **row = calloc(count + 1, sizeof *row);
    if (!row)
        abort();
    for (size_t i = 0; i < count; i++)
        row[i] = json_array_get(units, i);
    qsort(row, count, sizeof *row, row_order);
    if (count)
        printf("%-16s %10s %9s  %-16s  %-16s  %-16s  %9s  %s\n", "unit", "pages", "core-h", "deadline", "done (P50)",
               "done (P90)", "slack", "verdict");
    for (size_t i = 0; i < count; i++) {
        row_print(row[i]);
        undated += json_integer_value(json_object_get(row[i], "undated_pages")) > 0;
    }
    if (undated)
        printf("%zu of %zu have pages without a deadline: sohoa deadline UNIT=DAY\n", undated, count);
}
