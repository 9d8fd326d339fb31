/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Prints what GET status or GET batches/ID says; counts that are 0 are left out. */
#include "coordinator/ctl/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outcome.h"
#include "proto/auto.h"

static json_int_t number(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

static const char *text(const json_t *json, const char *key)
{
    const char *value = json_string_value(json_object_get(json, key));
    return value ? value : "";
}

/* "documents: 12: 10 stored, 2 open": the counts that are not 0 */
static void counts_print(const json_t *json, const char *what)
{
    json_t *counts = json_object_get(json, what), *count;
    const char *key, *between = ":";
    printf("%s: %" JSON_INTEGER_FORMAT, what, number(counts, "total"));
    json_object_foreach(counts, key, count)
    {
        if (key[0] == 't' || !json_integer_value(count))
            continue;
        printf("%s %" JSON_INTEGER_FORMAT " %s", between, json_integer_value(count), key);
        between = ",";
    }
    puts("");
}

static void batch_print(const json_t *batch)
{
    const json_t *why = json_object_get(batch, "paused_by");
    printf("batch %s: %s\n", text(batch, "id"), text(batch, "state"));
    if (json_is_object(why))
        printf("paused after the same failure over and over, %s: %s; sohoa resume %s goes on\n", text(why, "code"),
               text(why, "text"), text(batch, "id"));
    counts_print(batch, "documents");
    counts_print(batch, "pages");
}

static void worker_print(const json_t *worker)
{
    const char *drained = json_is_true(json_object_get(worker, "drained")) ? ", drained" : "";
    if (!json_is_true(json_object_get(worker, "connected"))) {
        printf("worker %s: not connected%s\n", text(worker, "name"), drained);
        return;
    }
    printf("worker %s: connected%s, %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
           " slots busy, %s, %" JSON_INTEGER_FORMAT " MB\n",
           text(worker, "name"), drained, number(worker, "busy"), number(worker, "slots"), text(worker, "lang"),
           number(worker, "rss_bytes") >> 20);
}

static void status_print(const json_t *status)
{
    size_t i;
    json_t *worker;
    printf("coordinator %s: %s, up %" JSON_INTEGER_FORMAT " s, batches: %" JSON_INTEGER_FORMAT "\n",
           text(status, "name"), json_is_true(json_object_get(status, "ready")) ? "ready" : "not ready yet",
           number(status, "uptime_s"), number(status, "batches"));
    counts_print(status, "documents");
    counts_print(status, "pages");
    json_array_foreach(json_object_get(status, "workers"), i, worker)
    {
        worker_print(worker);
    }
}

int status_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    int rc = args_parse(command, ctl, NULL, 0, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count > 1)
        return err_set(err, E_USAGE, "one batch, not %zu", operands.count);
    const char *batch = operands.count ? operands.item[0] : NULL;
    if (batch)
        rc = args_batch(batch, err);
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_get(api, batch ? batch_path(&path, batch, "") : "status", &answer, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(answer);
    } else if (batch) {
        batch_print(answer);
    } else {
        status_print(answer);
    }
    return EXIT_SUCCESS;
}
