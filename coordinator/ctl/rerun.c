/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The choice of pages is the coordinator's; this only says which were asked for, and shows what came of it. */
#include "coordinator/ctl/rerun.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outcome.h"
#include "coordinator/ctl/outlook.h"
#include "proto/auto.h"
#include "proto/limits.h"

enum { NUMBER_MOST = 1000000000 };

struct rerun {
    const char *batch, *where, *undo;
    struct texts documents;
    bool dry, list;
};

static void rerun_destroy(struct rerun *rerun)
{
    texts_destroy(&rerun->documents);
}

static json_int_t number_of(const json_t *answer, const char *key)
{
    return json_integer_value(json_object_get(answer, key));
}

/* ---- ordering ---- */

static int body_make(const struct rerun *rerun, json_t **ret_body, struct err *err)
{
    if (rerun->where) {
        *ret_body = json_pack("{s:s}", "where", rerun->where);
        return *ret_body ? 0 : err_set(err, E_USAGE, "--where is not UTF-8");
    }
    AUTO(json_drop) json_t *numbers = json_array();
    for (size_t i = 0; i < rerun->documents.count; i++) {
        uint32_t number;
        int rc = args_number("--document", rerun->documents.item[i], 0, BATCH_MAX_DOCS - 1, &number, err);
        if (rc)
            return rc;
        json_array_append_new(numbers, json_integer(number));
    }
    *ret_body = json_pack("{s:O}", "documents", numbers);
    return 0;
}

static int rerun_post(struct api *api, const struct rerun *rerun, json_t **ret_answer, struct err *err)
{
    AUTO(json_drop) json_t *body = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    int rc = body_make(rerun, &body, err);
    if (rc)
        return rc;
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    if (rerun->batch)
        batch_path(&path, rerun->batch, "/rerun");
    else
        buf_puts(&path, "reruns");
    buf_puts(&path, rerun->dry ? "?dry_run=1" : "");
    return api_post(api, buf_text(&path), text, strlen(text), ret_answer, err);
}

static void effect_print(const json_t *deadlines)
{
    const json_t *worse = json_object_get(deadlines, "worse");
    char before[DAY_MOMENT_BYTES], then[DAY_MOMENT_BYTES];
    printf("all work would end (P50) %s instead of %s; ", moment_text(json_object_get(deadlines, "ends_then_ms"), then),
           moment_text(json_object_get(deadlines, "ends_ms"), before));
    size_t count = json_array_size(worse);
    if (count)
        printf("%zu unit%s worse:\n", count, count == 1 ? " gets" : "s get");
    else
        puts("no unit's deadline gets worse");
    units_print(worse);
}

static void ordered_print(const json_t *answer, bool dry)
{
    const json_t *hours = json_object_get(answer, "core_hours");
    printf("%" JSON_INTEGER_FORMAT " documents with %" JSON_INTEGER_FORMAT " pages %s", number_of(answer, "documents"),
           number_of(answer, "pages"), dry ? "would be read again" : "are read again");
    if (json_is_real(hours))
        printf(", about %.1f core-hours", json_real_value(hours));
    if (number_of(answer, "number"))
        printf("; re-run %" JSON_INTEGER_FORMAT, number_of(answer, "number"));
    puts("");
    if (dry)
        effect_print(json_object_get(answer, "deadlines"));
}

/* ---- what was ordered ---- */

static int rerun_undo(struct api *api, const struct rerun *rerun, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    uint32_t number;
    int rc = args_number("--undo", rerun->undo, 1, NUMBER_MOST, &number, err);
    buf_printf(&path, "reruns/%u", number);
    return rc ? rc : api_delete(api, buf_text(&path), ret_answer, err);
}

static void undone_print(const json_t *answer)
{
    printf("%" JSON_INTEGER_FORMAT " documents are what they were before; %" JSON_INTEGER_FORMAT " had begun\n",
           number_of(answer, "undone"), number_of(answer, "begun"));
}

static void list_print(const json_t *answer)
{
    size_t i;
    json_t *rerun;
    json_array_foreach(json_object_get(answer, "reruns"), i, rerun)
    {
        time_t s = (time_t)(number_of(rerun, "time_ms") / 1000);
        char when[32] = "";
        struct tm tm;
        if (gmtime_r(&s, &tm))
            strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
        printf("%" JSON_INTEGER_FORMAT " %s documents %" JSON_INTEGER_FORMAT " pages %" JSON_INTEGER_FORMAT
               " finished %" JSON_INTEGER_FORMAT " undone %" JSON_INTEGER_FORMAT " where %s\n",
               number_of(rerun, "number"), when, number_of(rerun, "documents"), number_of(rerun, "pages"),
               number_of(rerun, "finished"), number_of(rerun, "undone"),
               json_string_value(json_object_get(rerun, "where")));
    }
}

/* ---- the command ---- */

static int rerun_run(const struct rerun *rerun, const struct ctl *ctl, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_open(ctl, &api, err);
    if (!rc)
        rc = rerun->undo   ? rerun_undo(api, rerun, &answer, err)
             : rerun->list ? api_get(api, "reruns", &answer, err)
                           : rerun_post(api, rerun, &answer, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(answer);
    } else if (rerun->undo) {
        undone_print(answer);
    } else if (rerun->list) {
        list_print(answer);
    } else {
        ordered_print(answer, rerun->dry);
    }
    return EXIT_SUCCESS;
}

static int operands_take(struct rerun *rerun, const struct texts *operands, struct err *err)
{
    bool orders = rerun->where || rerun->documents.count || rerun->dry;
    if (rerun->undo || rerun->list)
        return !operands->count && !orders && !(rerun->undo && rerun->list)
                   ? 0
                   : err_set(err, E_USAGE, "--undo and --list stand alone");
    if (operands->count ? operands->count > 1 && !rerun->documents.count : !rerun->where)
        return err_set(err, E_USAGE, "one batch, not %zu", operands->count);
    for (size_t i = 1; i < operands->count; i++) /* --document 1 2 3 */
        texts_add(&rerun->documents, operands->item[i]);
    if (!rerun->where == !rerun->documents.count)
        return err_set(err, E_USAGE, "which documents: either --where EXPR or --document N");
    rerun->batch = operands->count ? operands->item[0] : NULL;
    return rerun->batch ? args_batch(rerun->batch, err) : 0;
}

int rerun_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(rerun_destroy) struct rerun rerun = {0};
    const struct flag flags[] = {
        {.name = "where",
         .meta = "EXPR",
         .text = &rerun.where,
         .doc = "which pages, such as 'grade=C and unit=district:001'"                                                                                     },
        {.name = "document",   .meta = "N",                                       .list = &rerun.documents, .doc = "documents by their numbers; N N or N,N"},
        {.name = "dry-run",
         .on = &rerun.dry,
         .doc = "only count, and tell the core-hours and what it does to deadlines"                       },
        {.name = "list",   .on = &rerun.list,      .doc = "what was ordered, and how far it is"                        },
        {.name = "undo", .meta = "N", .text = &rerun.undo,                         .doc = "take back what has not begun of re-run N"                                               },
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    rc = operands_take(&rerun, &operands, err);
    return rc ? rc : rerun_run(&rerun, ctl, err);
}
