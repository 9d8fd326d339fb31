/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The table shows what is worst first; units that have no deadline come last and are counted. */
#include "coordinator/ctl/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/api.h"
#include "proto/auto.h"

enum { HANOI_OFFSET_S = 7 * 3600, MOMENT_BYTES = 20 };

struct what_if {
    const char *add_cores;
    struct texts drain, deadlines, pause, resume;
};

static void what_if_destroy(struct what_if *what)
{
    texts_destroy(&what->drain);
    texts_destroy(&what->deadlines);
    texts_destroy(&what->pause);
    texts_destroy(&what->resume);
}

static void change_add(json_t *changes, const char *subject, size_t n, const char *key, json_t *value)
{
    json_t *change = json_object();
    json_object_set_new(change, "subject", json_stringn(subject, n));
    json_object_set_new(change, key, value);
    json_array_append_new(changes, change);
}

static int what_if_body(const struct what_if *what, json_t **ret_body, struct err *err)
{
    AUTO(json_drop) json_t *body = json_object();
    json_t *changes = json_array(), *drain = json_array();
    json_object_set_new(body, "changes", changes);
    json_object_set_new(body, "drain", drain);
    if (what->add_cores) {
        char *end;
        double cores = strtod(what->add_cores, &end);
        if (*end || end == what->add_cores)
            return err_set(err, E_USAGE, "--add-cores %.40s: a number, such as 64 or -16", what->add_cores);
        json_object_set_new(body, "add_cores", json_real(cores));
    }
    for (size_t i = 0; i < what->drain.count; i++)
        json_array_append_new(drain, json_string(what->drain.item[i]));
    for (size_t i = 0; i < what->deadlines.count; i++) {
        const char *text = what->deadlines.item[i], *equals = strrchr(text, '=');
        if (!equals)
            return err_set(err, E_USAGE, "--deadline %.60s: BATCH=DAY or UNIT=DAY", text);
        change_add(changes, text, (size_t)(equals - text), "deadline", json_string(equals + 1));
    }
    for (size_t i = 0; i < what->pause.count; i++)
        change_add(changes, what->pause.item[i], strlen(what->pause.item[i]), "paused", json_true());
    for (size_t i = 0; i < what->resume.count; i++)
        change_add(changes, what->resume.item[i], strlen(what->resume.item[i]), "paused", json_false());
    *ret_body = json_incref(body);
    return 0;
}

/* ---- the table ---- */

static const char *moment(const json_t *ms, char text[MOMENT_BYTES])
{
    time_t s = (time_t)(json_integer_value(ms) / 1000) + HANOI_OFFSET_S;
    struct tm tm;
    if (json_is_null(ms) || !gmtime_r(&s, &tm) || !strftime(text, MOMENT_BYTES, "%Y-%m-%d %H:%M", &tm))
        snprintf(text, MOMENT_BYTES, "%s", "never");
    return text;
}

static const char *slack(const json_t *ms, char text[MOMENT_BYTES])
{
    double hours = (double)json_integer_value(ms) / 3.6e6;
    if (json_is_null(ms))
        snprintf(text, MOMENT_BYTES, "%s", "");
    else if (hours > -48 && hours < 48)
        snprintf(text, MOMENT_BYTES, "%+.1f h", hours);
    else
        snprintf(text, MOMENT_BYTES, "%+.1f d", hours / 24);
    return text;
}

static void row_print(const json_t *row)
{
    char p50[MOMENT_BYTES], p90[MOMENT_BYTES], due[MOMENT_BYTES], left[MOMENT_BYTES], cores[MOMENT_BYTES] = "";
    const char *unit = json_string_value(json_object_get(row, "unit"));
    const json_t *needed = json_object_get(row, "cores_needed");
    bool dated = !json_is_null(json_object_get(row, "deadline_ms"));
    if (json_real_value(needed) > 0)
        snprintf(cores, sizeof cores, "+%.1f cores", json_real_value(needed));
    printf("%-16s %10" JSON_INTEGER_FORMAT " %9.1f  %-16s  %-16s  %-16s  %9s  %-11s %s\n", *unit ? unit : "(no unit)",
           json_integer_value(json_object_get(row, "pages")), json_real_value(json_object_get(row, "core_hours")),
           dated ? moment(json_object_get(row, "deadline_ms"), due) : "", moment(json_object_get(row, "p50_ms"), p50),
           moment(json_object_get(row, "p90_ms"), p90), slack(json_object_get(row, "slack_ms"), left),
           json_string_value(json_object_get(row, "verdict")), cores);
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

static void forecast_print(const json_t *forecast)
{
    const json_t *units = json_object_get(forecast, "units");
    size_t count = json_array_size(units), undated = 0;
    AUTO(mem_destroy) const json_t **row = calloc(count + 1, sizeof *row);
    for (size_t i = 0; row && i < count; i++)
        row[i] = json_array_get(units, i);
    if (row)
        qsort(row, count, sizeof *row, row_order);
    printf("%.1f cores; %s\n", json_real_value(json_object_get(forecast, "cores")),
           !count                                                ? "nothing is left to do"
           : json_is_true(json_object_get(forecast, "feasible")) ? "all deadlines can be met"
                                                                 : "not all deadlines can be met");
    if (count)
        printf("%-16s %10s %9s  %-16s  %-16s  %-16s  %9s  %s\n", "unit", "pages", "core-h", "deadline", "done (P50)",
               "done (P90)", "slack", "verdict");
    for (size_t i = 0; row && i < count; i++) {
        row_print(row[i]);
        undated += json_integer_value(json_object_get(row[i], "undated_pages")) > 0;
    }
    if (undated)
        printf("%zu of %zu have pages without a deadline: sohoa deadline UNIT=DAY\n", undated, count);
}

int plan_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(what_if_destroy) struct what_if what = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *body = NULL;
    AUTO(json_drop) json_t *forecast = NULL;
    const struct flag flags[] = {
        {.name = "add-cores", .meta = "N",          .text = &what.add_cores, .doc = "so many cores more, or (-N) fewer"},
        {.name = "drain",     .meta = "WORKER",     .list = &what.drain,     .doc = "without these workers"            },
        {.name = "deadline",
         .meta = "UNIT=DAY",
         .list = &what.deadlines,
         .doc = "with other deadlines; also BATCH=DAY, =none"                                                          },
        {.name = "pause",     .meta = "UNIT|BATCH", .list = &what.pause,     .doc = "if these were paused"             },
        {.name = "resume",    .meta = "UNIT|BATCH", .list = &what.resume,    .doc = "if these went on"                 },
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count)
        return err_set(err, E_USAGE, "'%.40s' is no option", operands.item[0]);
    rc = what_if_body(&what, &body, err);
    if (!rc)
        rc = api_new(ctl->api, &api, err);
    if (rc)
        return rc;
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    rc = api_post(api, "forecast", text, strlen(text), &forecast, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_dumpf(forecast, stdout, JSON_COMPACT);
        puts("");
    } else {
        forecast_print(forecast);
    }
    return EXIT_SUCCESS;
}
