/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Names come from the sources alone: relative ones as they are, absolute ones from the folder on that they share. */
#include "coordinator/ctl/get.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/export.h"
#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/names.h"
#include "coordinator/ctl/rows.h"
#include "proto/auto.h"
#include "proto/limits.h"

struct get {
    const struct ctl *ctl;
    const char *batch, *out, *document;
    uint32_t only; /* when document is said */
    struct api *api;
    struct export *export;
    struct outcomes outcomes;
};

static void get_destroy(struct get *get)
{
    export_destroy(&get->export);
    api_destroy(&get->api);
    outcomes_destroy(&get->outcomes);
}

static int outcomes_load(struct get *get, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(json_drop) json_t *batch = NULL;
    size_t next;
    int rc = api_get(get->api, batch_path(&path, get->batch, ""), &batch, err);
    if (rc)
        return rc;
    outcomes_init(&get->outcomes, batch_count(batch, "documents", "total"));
    if (get->document && get->only >= get->outcomes.count)
        return err_set(err, E_ABSENT, "batch %s has no document %" PRIu32 ": they are 0 to %zu", get->batch, get->only,
                       get->outcomes.count - 1);
    return outcomes_read(get->api, get->batch, 0, UINT32_MAX, &get->outcomes, &next, err);
}

static int outcomes_name(struct get *get, struct err *err)
{
    AUTO(rows_destroy) struct rows rows = {0};
    AUTO(inputs_destroy) struct inputs inputs = {0};
    for (size_t i = 0; i < get->outcomes.count; i++)
        rows_add(&rows, json_pack("{s:s}", "source", get->outcomes.item[i].source ? get->outcomes.item[i].source : ""));
    int rc = rows_place(&rows, "", err);
    if (rc)
        return rc;
    inputs_take(&inputs, &rows, 0);
    const char *root = "/";
    names_give(&inputs, &(struct texts){.item = &root, .count = 1});
    for (size_t i = 0; i < inputs.count; i++) {
        get->outcomes.item[i].name = inputs.item[i].name;
        inputs.item[i].name = NULL;
    }
    return 0;
}

static int all_export(struct get *get, struct err *err)
{
    interrupt_watch();
    int rc = export_new(get->api, get->batch, get->out, &get->export, err);
    for (size_t doc = 0; doc < get->outcomes.count && !rc; doc++) {
        if (get->document && doc != get->only)
            continue;
        rc = export_document(get->export, &get->outcomes, (uint32_t)doc, err);
        if (!rc && interrupt_seen())
            rc = err_set(err, E_STATE, "interrupted; run the same command again to go on");
    }
    return rc;
}

static void end_print(const struct get *get)
{
    size_t there = 0, open = 0;
    for (size_t i = 0; i < get->outcomes.count; i++) {
        there += get->outcomes.item[i].there;
        open += get->outcomes.item[i].state == DOC_IS_OPEN;
    }
    if (get->ctl->json)
        printf("{\"documents\":%zu,\"with_results\":%zu,\"open\":%zu}\n", get->outcomes.count, there, open);
    else
        printf("results of %zu documents are in %s (batch %s: %zu documents, %zu not done yet)\n", there, get->out,
               get->batch, get->outcomes.count, open);
}

static int get_all(struct get *get, struct err *err)
{
    int rc = api_open(get->ctl, &get->api, err);
    if (!rc)
        rc = outcomes_load(get, err);
    if (!rc)
        rc = outcomes_name(get, err);
    if (!rc)
        rc = all_export(get, err);
    if (rc)
        return rc;
    end_print(get);
    return EXIT_SUCCESS;
}

int get_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(get_destroy) struct get get = {.ctl = ctl};
    const struct flag flags[] = {
        {.name = "out",      .meta = "DIR", .text = &get.out,      .doc = "folder for the results"      },
        {.name = "document", .meta = "N",   .text = &get.document, .doc = "only this one, by its number"},
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 1)
        return err_set(err, E_USAGE, "one batch, not %zu", operands.count);
    if (!get.out)
        return err_set(err, E_USAGE, "--out DIR is missing: where are the results to go?");
    get.batch = operands.item[0];
    rc = args_batch(get.batch, err);
    if (!rc && get.document)
        rc = args_number("--document", get.document, 0, BATCH_MAX_DOCS - 1, &get.only, err);
    return rc ? rc : get_all(&get, err);
}
