/* SPDX-License-Identifier: AGPL-3.0-or-later
 * All rows of the file are one order, so either the whole plan is in force or nothing of it. */
#include "coordinator/ctl/targets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "coordinator/day.h"
#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/rows.h"
#include "proto/auto.h"
#include "proto/unit.h"

/* A number of the row that is there, as one. */
static int number_take(json_t *row, const char *key, uint64_t line_no, json_t *to, struct err *err)
{
    const char *text = json_string_value(json_object_get(row, key));
    size_t digits = text ? strspn(text, "0123456789") : 0;
    if (!text)
        return 0;
    if (text[digits] || digits > 12)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s '%.40s' is not a number", line_no, key, text);
    json_object_set_new(to, key, json_integer((json_int_t)strtoull(text, NULL, 10)));
    return 0;
}

static int on_row(json_t *row, uint64_t line_no, void *user, struct err *err)
{
    static const char *const known[] = {"unit", "priority", "deadline", "pages"};
    const char *key, *unit = json_string_value(json_object_get(row, "unit"));
    json_t *value, *target = json_object();
    struct err why;
    json_array_append_new(user, target);
    json_object_foreach(row, key, value)
    {
        size_t i = 0;
        while (i < 4 && strcmp(known[i], key))
            i++;
        if (i == 4)
            return err_set(err, E_MANIFEST, "column '%.40s': a plan has unit, priority, deadline and pages", key);
    }
    if (!unit || unit_check(unit, &why))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s", line_no, unit ? why.text : "unit is missing");
    json_object_set(target, "unit", json_object_get(row, "unit"));
    json_object_set_new(target, "priority", json_null()); /* without one: of the whole unit */
    if (json_object_get(row, "deadline"))
        json_object_set(target, "deadline", json_object_get(row, "deadline"));
    int rc = number_take(row, "priority", line_no, target, err);
    return rc ? rc : number_take(row, "pages", line_no, target, err);
}

static int targets_send(struct api *api, const char *path, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf file = {0};
    AUTO(json_drop) json_t *targets = json_array();
    int rc = file_load(path, &file, err);
    if (!rc)
        rc = csv_read(buf_text(&file), file.size, "unit", on_row, targets, err);
    if (!rc && !json_array_size(targets))
        rc = err_set(err, E_MANIFEST, "%s has no rows", path);
    if (rc)
        return rc;
    AUTO(mem_destroy) char *text = json_dumps(targets, JSON_COMPACT);
    return api_post(api, "targets", text, strlen(text), ret_answer, err);
}

static void target_print(const json_t *target)
{
    uint64_t deadline_ms = (uint64_t)json_integer_value(json_object_get(target, "deadline_ms"));
    json_int_t priority = json_integer_value(json_object_get(target, "priority"));
    char day[DAY_CHARS + 1], which[32] = "all";
    if (priority)
        snprintf(which, sizeof which, "priority %" JSON_INTEGER_FORMAT, priority);
    printf("%-16s %-10s %-12s %10" JSON_INTEGER_FORMAT "%s\n", json_string_value(json_object_get(target, "unit")),
           which, deadline_ms ? day_date(deadline_ms, day) : "no deadline",
           json_integer_value(json_object_get(target, "pages")),
           json_is_true(json_object_get(target, "paused")) ? " paused" : "");
}

static void targets_print(const json_t *answer, bool sent)
{
    size_t i;
    json_t *target;
    if (sent) {
        printf("%" JSON_INTEGER_FORMAT " targets are in force\n",
               json_integer_value(json_object_get(answer, "targets")));
        return;
    }
    json_array_foreach(json_object_get(answer, "targets"), i, target)
    {
        target_print(target);
    }
}

int targets_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = args_parse(command, ctl, NULL, 0, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count > 1)
        return err_set(err, E_USAGE, "one file, not %zu", operands.count);
    rc = api_open(ctl, &api, err);
    if (!rc)
        rc = operands.count ? targets_send(api, operands.item[0], &answer, err) : api_get(api, "targets", &answer, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(answer);
    } else {
        targets_print(answer, operands.count);
    }
    return EXIT_SUCCESS;
}
