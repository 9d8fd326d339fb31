/* SPDX-License-Identifier: AGPL-3.0-or-later
 * All of a change is one request: where there is no account yet, the first one ends that nobody needs one. */
#include "coordinator/ctl/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/day.h"
#include "proto/auto.h"

struct wanted {
    const char *role, *password_file;
    struct texts units, confirm, decline;
    bool all_units, no_password, token, no_token, disable, enable;
};

static void wanted_destroy(struct wanted *wanted)
{
    texts_destroy(&wanted->units);
    texts_destroy(&wanted->confirm);
    texts_destroy(&wanted->decline);
}

static int password_read(const char *path, json_t **ret_password, struct err *err)
{
    AUTO(buf_destroy) struct buf line = {0};
    int rc = args_line(path, &line, err);
    if (rc)
        return rc;
    *ret_password = json_string(buf_text(&line));
    return *ret_password ? 0 : err_set(err, E_USAGE, "%s: the password is not UTF-8", path);
}

static json_t *units_json(const struct texts *units)
{
    json_t *list = json_array();
    for (size_t i = 0; i < units->count; i++)
        json_array_append_new(list, json_string(units->item[i]));
    return list;
}

static int wanted_check(const struct wanted *wanted, struct err *err)
{
    if ((wanted->units.count && wanted->all_units) || (wanted->password_file && wanted->no_password) ||
        (wanted->token && wanted->no_token) || (wanted->disable && wanted->enable))
        return err_set(err, E_USAGE, "these options say the opposite of each other");
    return 0;
}

/* *ret_body: what is to be different. */
static int wanted_body(const struct wanted *wanted, json_t **ret_body, struct err *err)
{
    AUTO(json_drop) json_t *body = json_object();
    json_t *password = wanted->no_password ? json_null() : NULL;
    int rc = wanted_check(wanted, err);
    if (!rc && wanted->password_file)
        rc = password_read(wanted->password_file, &password, err);
    if (password)
        json_object_set_new(body, "password", password);
    if (wanted->role)
        json_object_set_new(body, "role", json_string(wanted->role));
    if (wanted->units.count || wanted->all_units)
        json_object_set_new(body, "units", units_json(&wanted->units));
    if (wanted->confirm.count)
        json_object_set_new(body, "confirm", units_json(&wanted->confirm));
    if (wanted->decline.count)
        json_object_set_new(body, "decline", units_json(&wanted->decline));
    if (wanted->token || wanted->no_token)
        json_object_set_new(body, "token", json_boolean(wanted->token));
    if (wanted->disable || wanted->enable)
        json_object_set_new(body, "disabled", json_boolean(wanted->disable));
    if (!rc)
        *ret_body = json_incref(body);
    return rc;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* "  confirmed new:00004 Phường Ba Đình, took over from old:00004 Phường Trúc Bạch on 2025-07-01, decided 2026-11-27" */
static void successions_print(const json_t *successions)
{
    size_t i;
    json_t *one;
    json_array_foreach(successions, i, one)
    {
        const json_t *decided_ms = json_object_get(one, "decided_ms");
        char decided[DAY_CHARS + 1];
        printf("  %-9s %s %s, took over from %s %s on %s", text_of(one, "state"), text_of(one, "unit"),
               text_of(one, "name"), text_of(one, "of"), text_of(one, "of_name"), text_of(one, "since"));
        if (!json_is_null(decided_ms))
            printf(", decided %s", day_date((uint64_t)json_integer_value(decided_ms), decided));
        putchar('\n');
    }
}

static void account_print(const json_t *account)
{
    const json_t *units = json_object_get(account, "units");
    size_t i;
    json_t *unit;
    printf("%-20s %-13s", json_string_value(json_object_get(account, "name")),
           json_string_value(json_object_get(account, "role")));
    json_array_foreach(units, i, unit)
    {
        printf(" %s", json_string_value(unit));
    }
    printf("%s%s%s%s\n", i ? "" : " all units", json_is_true(json_object_get(account, "password")) ? ", password" : "",
           json_is_string(json_object_get(account, "token_id")) ? ", token" : "",
           json_is_true(json_object_get(account, "disabled")) ? ", disabled" : "");
    successions_print(json_object_get(account, "successions"));
}

static int accounts_list(const struct ctl *ctl, struct api *api, struct err *err)
{
    AUTO(json_drop) json_t *answer = NULL;
    size_t i;
    json_t *account;
    int rc = api_get(api, "accounts", &answer, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(answer);
        return EXIT_SUCCESS;
    }
    json_array_foreach(json_object_get(answer, "accounts"), i, account)
    {
        account_print(account);
    }
    if (!i)
        puts("there is no account yet");
    return EXIT_SUCCESS;
}

static int account_change(const struct ctl *ctl, struct api *api, const char *name, const json_t *body, struct err *err)
{
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    buf_puts(&path, "accounts/");
    api_escape(&path, name);
    int rc = api_post(api, buf_text(&path), text, strlen(text), &answer, err);
    if (rc)
        return rc;
    const char *token = json_string_value(json_object_get(answer, "token"));
    if (ctl->json) {
        json_print(answer);
    } else if (token) {
        puts(token); /* alone, for > FILE; it is not shown again */
    } else {
        account_print(answer);
    }
    return EXIT_SUCCESS;
}

int account_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(wanted_destroy) struct wanted wanted = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *body = NULL;
    const struct flag flags[] = {
        {.name = "role",
         .meta = "ROLE",
         .text = &wanted.role,
         .doc = "viewer, operator, archivist, auditor or administrator"},
        {.name = "unit",                                              .meta = "UNIT",                                                .list = &wanted.units,                                         .doc = "bound to these, such as district:001"},
        {.name = "all-units", .on = &wanted.all_units,                .doc = "bound to none: as a new account is"         },
        {.name = "confirm",
         .meta = "UNIT",
         .list = &wanted.confirm,
         .doc = "took over from its units, and its rights go with it"},
        {.name = "decline",                        .meta = "UNIT",    .list = &wanted.decline,                                                        .doc = "took over from its units, and they don't"},
        {.name = "password-file",
         .meta = "FILE",
         .text = &wanted.password_file,
         .doc = "its first line is the password"},
        {.name = "no-password",                        .on = &wanted.no_password,                                                  .doc = "no login by password"                                                                                        },
        {.name = "token",                                              .on = &wanted.token,                                         .doc = "a new token, in the place of the one before; printed once"                                            },
        {.name = "no-token",                                              .on = &wanted.no_token,                                               .doc = "its token is none any more"},
        {.name = "disable",                                              .on = &wanted.disable,                                            .doc = "nobody comes in by it"},
        {.name = "enable",                                              .on = &wanted.enable,                                             .doc = "the opposite"                                                                                    },
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count > 1)
        return err_set(err, E_USAGE, "one account, not %zu", operands.count);
    rc = wanted_body(&wanted, &body, err);
    if (!rc && operands.count && !json_object_size(body))
        rc = err_set(err, E_USAGE, "what is to be different of '%.60s'?", operands.item[0]);
    if (!rc && !operands.count && json_object_size(body))
        rc = err_set(err, E_USAGE, "of which account?");
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (rc)
        return rc;
    return operands.count ? account_change(ctl, api, operands.item[0], body, err) : accounts_list(ctl, api, err);
}
