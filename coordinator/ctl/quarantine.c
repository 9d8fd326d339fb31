/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is quarantined, and what a person decides of it. */
#include "coordinator/ctl/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outcome.h"
#include "coordinator/ctl/table.h"
#include "proto/auto.h"
#include "proto/limits.h"

struct order {
    const char *reason;
    bool file, yes;
};

/* ---- the list ---- */

static void document(const json_t *row, struct buf *into)
{
    buf_printf(into, "%s/%" JSON_INTEGER_FORMAT, cell_text(row, "batch"), cell_number(row, "document"));
}

static void pages(const json_t *row, struct buf *into)
{
    buf_printf(into, "%" JSON_INTEGER_FORMAT, cell_number(row, "pages"));
}

static void state(const json_t *row, struct buf *into)
{
    buf_puts(into, json_is_true(json_object_get(row, "purged")) ? "purged" : "stopped");
}

static void who(const json_t *row, struct buf *into)
{
    const json_t *raised = json_object_get(row, "raised");
    const char *actor = cell_text(raised, "actor");
    buf_puts(into, json_is_null(raised) ? "its file" : *actor ? actor : "secrecy pass");
}

/* "3 mat, 4 unseen": pages and stamps, or what a person said. */
static void why(const json_t *row, struct buf *into)
{
    const json_t *raised = json_object_get(row, "raised"), *suspicion;
    size_t i;
    json_array_foreach(json_object_get(raised, "suspicions"), i, suspicion)
    {
        buf_printf(into, "%spage %" JSON_INTEGER_FORMAT " %s", i ? ", " : "", cell_number(suspicion, "page"),
                   cell_text(suspicion, "kind"));
    }
    buf_puts(into, cell_text(raised, "reason"));
}

static void list_print(const json_t *answer)
{
    static const struct column columns[] = {
        {"DOCUMENT", false, document},
        {"PAGES",    true,  pages   },
        {"STATE",    false, state   },
        {"BY",       false, who     },
        {"WHY",      false, why     },
    };
    AUTO(buf_destroy) struct buf text = {0};
    table_write(columns, sizeof columns / sizeof columns[0], json_object_get(answer, "quarantined"), 0, 0, &text);
    fputs(buf_text(&text), stdout);
}

static int list_get(struct api *api, const char *batch, json_t **ret_answer, struct err *err)
{
    AUTO(json_drop) json_t *all = json_pack("{s:[], s:n}", "quarantined", "next");
    AUTO(mem_destroy) char *after = NULL;
    int rc = 0;
    do {
        AUTO(buf_destroy) struct buf path = {0};
        AUTO(json_drop) json_t *answer = NULL;
        buf_puts(&path, "quarantine?limit=1000");
        if (batch) {
            buf_puts(&path, "&batch=");
            api_escape(&path, batch);
        }
        if (after) {
            buf_puts(&path, "&after=");
            api_escape(&path, after);
        }
        rc = api_get(api, buf_text(&path), &answer, err);
        mem_destroy(&after);
        if (rc)
            return rc;
        json_array_extend(json_object_get(all, "quarantined"), json_object_get(answer, "quarantined"));
        const char *next = json_string_value(json_object_get(answer, "next"));
        after = next ? strdup(next) : NULL;
    } while (after);
    *ret_answer = json_incref(all);
    return 0;
}

static int list_run(struct ctl *ctl, const char *batch, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_open(ctl, &api, err);
    if (!rc)
        rc = list_get(api, batch, &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(answer);
    else
        list_print(answer);
    return EXIT_SUCCESS;
}

/* ---- decisions ---- */

static const struct {
    const char *verb, *action, *done;
    bool files; /* it may be of the whole file */
    bool for_good;
} decision_row[] = {
    {"stop",    "quarantine", "is stopped, and its file with it",                                          false, false},
    {"release", "release",    "is released: it is read, and stamps on it stop it no more",                 true,  false},
    {"purge",   "purge",
     "is gone for good here, and from back-ups with the next; the scan where it came from is not touched", true,  true },
};

enum { DECISIONS = sizeof decision_row / sizeof decision_row[0] };

/* "BATCH/N" */
static int subject_take(const char *subject, char batch[NAME_BYTES], const char **ret_number, struct err *err)
{
    const char *slash = strrchr(subject, '/');
    size_t digits = slash ? strspn(slash + 1, "0123456789") : 0;
    if (!digits || slash[1 + digits] || (size_t)(slash - subject) >= NAME_BYTES)
        return err_set(err, E_USAGE, "'%.60s' is no document: BATCH/N", subject);
    snprintf(batch, NAME_BYTES, "%.*s", (int)(slash - subject), subject);
    *ret_number = slash + 1;
    return args_batch(batch, err);
}

static int decide(struct api *api, int row, const char *subject, const struct order *order, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(buf_destroy) struct buf rest = {0};
    AUTO(json_drop) json_t *body = json_pack("{s:s, s:b}", "reason", order->reason, "file", order->file);
    char batch[NAME_BYTES];
    const char *number = "";
    int rc = subject_take(subject, batch, &number, err);
    if (!rc && !body)
        rc = err_set(err, E_USAGE, "--reason is not UTF-8");
    if (rc)
        return rc;
    buf_printf(&rest, "/documents/%s/%s", number, decision_row[row].action);
    batch_path(&path, batch, buf_text(&rest));
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    return api_post(api, buf_text(&path), text, strlen(text), NULL, err);
}

static int decisions_run(struct ctl *ctl, int row, const struct texts *operands, const struct order *order,
                         struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    if (operands->count < 2)
        return err_set(err, E_USAGE, "%s which document? BATCH/N", decision_row[row].verb);
    if (!order->reason || !*order->reason)
        return err_set(err, E_USAGE, "--reason TEXT is missing: the ledger keeps why");
    if (order->file && !decision_row[row].files)
        return err_set(err, E_USAGE, "--file: a stop is always of the whole file");
    if (decision_row[row].for_good && !order->yes)
        return err_set(err, E_USAGE, "a purge can't be undone: say --yes, too");
    int rc = api_open(ctl, &api, err);
    for (size_t i = 1; i < operands->count && !rc; i++) {
        rc = decide(api, row, operands->item[i], order, err);
        if (!rc && !ctl->json)
            printf("%s %s\n", operands->item[i], decision_row[row].done);
    }
    if (!rc && ctl->json)
        printf("{\"documents\":%zu}\n", operands->count - 1);
    return rc ? rc : EXIT_SUCCESS;
}

int quarantine_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    struct order order = {0};
    const struct flag flags[] = {
        {.name = "reason",
         .meta = "TEXT",
         .text = &order.reason,
         .doc = "why: kept in the ledger, so without words of the document"},
        {.name = "file",                .on = &order.file, .doc = "all of its file that is quarantined, not this document alone"},
        {.name = "yes",                .on = &order.yes,  .doc = "purge: it can't be undone"  },
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err), row = 0;
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    const char *verb = operands.count ? operands.item[0] : "";
    if (!strcmp(verb, "list"))
        return list_run(ctl, operands.count > 1 ? operands.item[1] : NULL, err);
    while (row < DECISIONS && strcmp(decision_row[row].verb, verb))
        row++;
    return row < DECISIONS ? decisions_run(ctl, row, &operands, &order, err)
                           : err_set(err, E_USAGE, "'%.40s': list, stop, release or purge", verb);
}
