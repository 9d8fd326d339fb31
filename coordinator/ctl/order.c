/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Each operand is an order of its own, sent when all have been understood. */
#include "coordinator/ctl/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outcome.h"
#include "proto/auto.h"
#include "proto/limits.h"
#include "proto/unit.h"

struct order {
    char subject[NAME_BYTES]; /* a batch, a unit or a worker */
    uint32_t priority;        /* of a unit's documents; 0: all */
    json_t *said;
};

struct orders {
    struct order *item;
    size_t count;
};

static void orders_destroy(struct orders *orders)
{
    for (size_t i = 0; i < orders->count; i++)
        json_decref(orders->item[i].said);
    free(orders->item);
    *orders = (struct orders){0};
}

static bool is_unit(const char *subject)
{
    return strchr(subject, ':');
}

/* "BATCH", "UNIT" or "UNIT/N" of n bytes. */
static int subject_take(const char *text, size_t n, struct order *order, struct err *err)
{
    if (!n || n >= sizeof order->subject)
        return err_set(err, E_USAGE, "'%.60s' is no batch, unit or worker", text);
    snprintf(order->subject, sizeof order->subject, "%.*s", (int)n, text);
    char *slash = is_unit(order->subject) ? strchr(order->subject, '/') : NULL;
    if (slash) {
        *slash = '\0';
        if (slash[1] < '1' || slash[1] > '5' || slash[2])
            return err_set(err, E_USAGE, "'%.60s': behind the slash is a priority, 1 to 5", text);
        order->priority = (uint32_t)(slash[1] - '0');
    }
    return is_unit(order->subject) ? unit_check(order->subject, err) : args_batch(order->subject, err);
}

static int value_take(const char *key, const char *value, json_t **ret_said, struct err *err)
{
    if (!strcmp(key, "priority")) {
        if (strlen(value) != 1 || *value < '1' || *value > '5')
            return err_set(err, E_USAGE, "priority '%.20s': 1 (first) to 5", value);
        *ret_said = json_pack("{s:i}", key, *value - '0');
    } else {
        *ret_said = json_pack("{s:s}", key, value);
    }
    return *ret_said ? 0 : err_set(err, E_USAGE, "'%.40s' is not UTF-8", value);
}

/* key: what SUBJECT=VALUE says; NULL: operands have no value, and said is said of each. */
static int orders_take(const struct texts *operands, const char *key, const json_t *said, struct orders *orders,
                       struct err *err)
{
    orders->item = calloc(operands->count + 1, sizeof *orders->item);
    if (!orders->item)
        return err_set(err, E_NOMEM, "no memory for orders");
    if (!operands->count)
        return err_set(err, E_USAGE, "of what?");
    for (size_t i = 0; i < operands->count; i++) {
        const char *text = operands->item[i], *equals = key ? strrchr(text, '=') : NULL;
        struct order *order = &orders->item[orders->count++];
        if (key && !equals)
            return err_set(err, E_USAGE, "'%.60s' says no %s: %s=...", text, key, text);
        int rc = subject_take(text, equals ? (size_t)(equals - text) : strlen(text), order, err);
        if (!rc && !key)
            order->said = json_deep_copy(said);
        else if (!rc)
            rc = value_take(key, equals + 1, &order->said, err);
        if (!rc && key && !strcmp(key, "priority") && is_unit(order->subject))
            rc = err_set(err, E_USAGE, "%s: a unit's priorities are its manifests'; change a batch's", order->subject);
        if (rc)
            return rc;
    }
    return 0;
}

static int order_post(struct api *api, const struct order *order, bool worker, struct err *err)
{
    AUTO(json_drop) json_t *body = json_incref(order->said);
    AUTO(buf_destroy) struct buf path = {0};
    if (worker) {
        buf_puts(&path, "workers/");
        api_escape(&path, order->subject);
    } else if (is_unit(order->subject)) {
        json_object_set_new(body, "unit", json_string(order->subject));
        if (order->priority)
            json_object_set_new(body, "priority", json_integer(order->priority));
        buf_puts(&path, "targets");
        json_t *list = json_array();
        json_array_append_new(list, body);
        body = list;
    } else {
        batch_path(&path, order->subject, "/standing");
    }
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    return api_post(api, buf_text(&path), text, strlen(text), NULL, err);
}

static int orders_run(const struct command *command, struct ctl *ctl, int argc, char **argv, const char *key,
                      const json_t *said, bool workers, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(orders_destroy) struct orders orders = {0};
    AUTO(api_destroy) struct api *api = NULL;
    int rc = args_parse(command, ctl, NULL, 0, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    rc = orders_take(&operands, key, said, &orders, err);
    if (!rc)
        rc = api_open(ctl, &api, err);
    for (size_t i = 0; i < orders.count && !rc; i++)
        rc = order_post(api, &orders.item[i], workers, err);
    if (rc)
        return rc;
    if (ctl->json)
        printf("{\"orders\":%zu}\n", orders.count);
    else
        for (size_t i = 0; i < operands.count; i++)
            printf("%s %s: done\n", command->name, operands.item[i]);
    return EXIT_SUCCESS;
}

int pause_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(json_drop) json_t *said = json_pack("{s:b}", "paused", 1);
    return orders_run(command, ctl, argc, argv, NULL, said, false, err);
}

int resume_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(json_drop) json_t *said = json_pack("{s:b}", "paused", 0);
    return orders_run(command, ctl, argc, argv, NULL, said, false, err);
}

int priority_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    return orders_run(command, ctl, argc, argv, "priority", NULL, false, err);
}

int deadline_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    return orders_run(command, ctl, argc, argv, "deadline", NULL, false, err);
}

int drain_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(json_drop) json_t *said = json_pack("{s:b}", "drained", 1);
    return orders_run(command, ctl, argc, argv, NULL, said, true, err);
}

int undrain_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(json_drop) json_t *said = json_pack("{s:b}", "drained", 0);
    return orders_run(command, ctl, argc, argv, NULL, said, true, err);
}
