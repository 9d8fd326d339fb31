/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The coordinator reads the table; this brings it there, and tells what that changes. */
#include "coordinator/ctl/reorganise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/rows.h"
#include "coordinator/ctl/table.h"
#include "coordinator/day.h"
#include "proto/auto.h"

enum { NUMBER_MOST = 1000000 };

struct asked {
    const char *path, *day, *undo;
    bool preview, list;
};

/* ---- what it changes ---- */

static void others_print(const char *before, const json_t *list)
{
    size_t i;
    json_t *other;
    json_array_foreach(list, i, other)
    {
        printf("%s %s %s (%s)", i ? "," : before, cell_text(other, "unit"), cell_text(other, "name"),
               cell_text(other, "coverage"));
    }
}

static void filed_print(const json_t *filed)
{
    printf("documents %" JSON_INTEGER_FORMAT ", pages %" JSON_INTEGER_FORMAT ", batches %" JSON_INTEGER_FORMAT
           ", targets %" JSON_INTEGER_FORMAT ", accounts %" JSON_INTEGER_FORMAT "\n",
           cell_number(filed, "documents"), cell_number(filed, "pages"), cell_number(filed, "batches"),
           cell_number(filed, "targets"), cell_number(filed, "accounts"));
}

static void end_print(const json_t *end)
{
    printf("%s %s %s", json_is_true(json_object_get(end, "split")) ? "split  " : "ends   ", cell_text(end, "unit"),
           cell_text(end, "name"));
    others_print(" ->", json_object_get(end, "became"));
    fputs("; ", stdout);
    filed_print(end);
}

static void begin_print(const json_t *begin)
{
    printf("begins  %s %s", cell_text(begin, "unit"), cell_text(begin, "name"));
    others_print(" <-", json_object_get(begin, "came_from"));
    puts("");
}

static void renamed_print(const json_t *renamed)
{
    const json_t *was = json_object_get(renamed, "was"), *is = json_object_get(renamed, "is");
    printf("code    %s was %s (%s), is %s (%s)\n", cell_text(renamed, "code"), cell_text(was, "name"),
           cell_text(was, "unit"), cell_text(is, "name"), cell_text(is, "unit"));
}

static void error_print(const json_t *error)
{
    if (json_is_integer(json_object_get(error, "line")))
        printf("line %" JSON_INTEGER_FORMAT ": ", cell_number(error, "line"));
    puts(cell_text(error, "text"));
}

static void each_print(const json_t *answer, const char *key, void (*print)(const json_t *one))
{
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(answer, key), i, one)
    {
        print(one);
    }
}

static void changes_print(const json_t *answer)
{
    each_print(answer, "errors", error_print);
    each_print(answer, "ends", end_print);
    each_print(answer, "begins", begin_print);
    each_print(answer, "renamed", renamed_print);
    if (json_array_size(json_object_get(answer, "errors")))
        return;
    fputs("filed under units that end: ", stdout);
    filed_print(json_object_get(answer, "filed"));
    if (json_is_integer(json_object_get(answer, "number")))
        printf("re-organisation %" JSON_INTEGER_FORMAT " takes effect on %s\n", cell_number(answer, "number"),
               cell_text(answer, "day"));
    else
        puts("nothing is changed yet: it is ordered without --preview");
}

/* ---- what was ordered ---- */

static void one_print(const json_t *one)
{
    AUTO(buf_destroy) struct buf when = {0};
    cell_moment(one, "time_ms", &when);
    printf("%" JSON_INTEGER_FORMAT " from %s: communes that end %" JSON_INTEGER_FORMAT
           ", that begin %" JSON_INTEGER_FORMAT "; ordered %s",
           cell_number(one, "number"), cell_text(one, "day"), cell_number(one, "ends"), cell_number(one, "begins"),
           buf_text(&when));
    buf_clear(&when);
    cell_moment(one, "undone_ms", &when);
    if (json_is_integer(json_object_get(one, "undone_ms")))
        printf(", taken back %s", buf_text(&when));
    puts("");
}

static void list_print(const json_t *answer)
{
    if (!json_array_size(json_object_get(answer, "reorganisations")))
        puts("there was no re-organisation since 2025");
    each_print(answer, "reorganisations", one_print);
}

static void undone_print(const json_t *answer)
{
    const json_t *filed = json_object_get(answer, "filed");
    printf("re-organisation %" JSON_INTEGER_FORMAT " is taken back\n", cell_number(answer, "number"));
    if (!cell_number(filed, "documents") && !cell_number(filed, "targets") && !cell_number(filed, "accounts"))
        return;
    fputs("still filed under units that are known no more: ", stdout);
    filed_print(filed);
}

/* ---- the command ---- */

static int order_send(struct api *api, const struct asked *asked, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf csv = {0};
    AUTO(buf_destroy) struct buf path = {0};
    int rc = file_load(asked->path, &csv, err);
    buf_puts(&path, "reorganisations?day=");
    api_escape(&path, asked->day);
    buf_puts(&path, asked->preview ? "&dry_run=1" : "");
    return rc ? rc : api_post_lines(api, buf_text(&path), csv.data, csv.size, ret_answer, err);
}

static int undo_send(struct api *api, const struct asked *asked, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    uint32_t number = 0;
    int rc = args_number("--undo", asked->undo, 1, NUMBER_MOST, &number, err);
    buf_printf(&path, "reorganisations/%u", number);
    return rc ? rc : api_delete(api, buf_text(&path), ret_answer, err);
}

static int reorganise_run(const struct asked *asked, const struct ctl *ctl, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_open(ctl, &api, err);
    if (!rc)
        rc = asked->undo   ? undo_send(api, asked, &answer, err)
             : asked->list ? api_get(api, "reorganisations", &answer, err)
                           : order_send(api, asked, &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(answer);
    else if (asked->undo)
        undone_print(answer);
    else if (asked->list)
        list_print(answer);
    else
        changes_print(answer);
    return json_array_size(json_object_get(answer, "errors")) ? EXIT_FINDINGS : EXIT_SUCCESS;
}

static int asked_check(struct asked *asked, const struct texts *operands, struct err *err)
{
    int64_t day;
    bool orders = operands->count || asked->day || asked->preview;
    if (asked->undo || asked->list)
        return !orders && !(asked->undo && asked->list) ? 0 : err_set(err, E_USAGE, "--undo and --list stand alone");
    if (operands->count != 1)
        return err_set(err, E_USAGE, "one table, not %zu", operands->count);
    if (!asked->day)
        return err_set(err, E_USAGE, "--day is missing: the first of the communes that begin");
    if (strlen(asked->day) != DAY_CHARS || !day_parse(asked->day, &day))
        return err_set(err, E_USAGE, "--day '%.40s' is not a day (YYYY-MM-DD)", asked->day);
    asked->path = operands->item[0];
    return 0;
}

int reorganise_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    struct asked asked = {0};
    const struct flag flags[] = {
        {.name = "day",       .meta = "DAY",                            .text = &asked.day,                                    .doc = "the first of the communes that begin: YYYY-MM-DD"},
        {.name = "preview",   .on = &asked.preview,                     .doc = "only tell what it changes, and what is wrong"},
        {.name = "list",  .on = &asked.list,                .doc = "what was ordered"                                                     },
        {.name = "undo",
         .meta = "N",
         .text = &asked.undo,
         .doc = "take back re-organisation N, as if it had never been"                                                         },
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    rc = asked_check(&asked, &operands, err);
    return rc ? rc : reorganise_run(&asked, ctl, err);
}
