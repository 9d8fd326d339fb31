/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is different is the request's body; what comes of it is the coordinator's. With --size nobody is asked (size.c). */
#include "coordinator/ctl/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/api.h"
#include "coordinator/ctl/outlook.h"
#include "coordinator/ctl/size.h"
#include "proto/auto.h"

enum { WHAT_IF_FLAGS = 5 };

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

static bool what_if_given(const struct what_if *what)
{
    return what->add_cores || what->drain.count || what->deadlines.count || what->pause.count || what->resume.count;
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

static void forecast_print(const json_t *forecast)
{
    const json_t *units = json_object_get(forecast, "units");
    printf("%.1f cores; %s\n", json_real_value(json_object_get(forecast, "cores")),
           !json_array_size(units)                               ? "nothing is left to do"
           : json_is_true(json_object_get(forecast, "feasible")) ? "all deadlines can be met"
                                                                 : "not all deadlines can be met");
    units_print(units);
}

/* Which of both is asked for; their options don't mix. */
static int ask_check(const struct what_if *what, const struct size_ask *size, const struct texts *operands,
                     struct err *err)
{
    if (operands->count)
        return err_set(err, E_USAGE, "'%.40s' is no option", operands->item[0]);
    if (size->on && what_if_given(what))
        return err_set(err, E_USAGE,
                       "--size asks no coordinator: --add-cores, --drain, --deadline, --pause and --resume "
                       "are not for it");
    if (!size->on && size_given(size))
        return err_set(err, E_USAGE, "--%s is for --size", size_given(size));
    return 0;
}

static int forecast_ask(struct ctl *ctl, const struct what_if *what, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *body = NULL;
    AUTO(json_drop) json_t *forecast = NULL;
    int rc = what_if_body(what, &body, err);
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (rc)
        return rc;
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    rc = api_post(api, "forecast", text, strlen(text), &forecast, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(forecast);
    } else {
        forecast_print(forecast);
    }
    return 0;
}

int plan_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(what_if_destroy) struct what_if what = {0};
    AUTO(size_ask_destroy) struct size_ask size = {0};
    struct flag flags[WHAT_IF_FLAGS + SIZE_FLAGS_MAX] = {
        {.name = "add-cores", .meta = "N",          .text = &what.add_cores, .doc = "so many cores more, or (-N) fewer"},
        {.name = "drain",     .meta = "WORKER",     .list = &what.drain,     .doc = "without these workers"            },
        {.name = "deadline",
         .meta = "UNIT=DAY",
         .list = &what.deadlines,
         .doc = "with other deadlines; also BATCH=DAY, =none"                                                          },
        {.name = "pause",     .meta = "UNIT|BATCH", .list = &what.pause,     .doc = "if these were paused"             },
        {.name = "resume",    .meta = "UNIT|BATCH", .list = &what.resume,    .doc = "if these went on"                 },
    };
    size_t count = WHAT_IF_FLAGS + size_flags(&size, flags + WHAT_IF_FLAGS);
    int rc = args_parse(command, ctl, flags, count, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    rc = ask_check(&what, &size, &operands, err);
    if (!rc)
        rc = size.on ? size_print(ctl, &size, err) : forecast_ask(ctl, &what, err);
    return rc ? rc : EXIT_SUCCESS;
}
