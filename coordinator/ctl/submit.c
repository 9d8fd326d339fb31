/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the flags say is the preset of every row that does not say it itself. Relative sources are left as they are: they
 * start at the workers' source_root; only for --check are they looked for beside the manifest, too. */
#include "coordinator/ctl/submit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/check.h"
#include "coordinator/ctl/inputs.h"
#include "coordinator/manifest.h"
#include "proto/auto.h"
#include "proto/unit.h"

enum { ROW_KEYS = 5, PRIORITY_MOST = 5 };

static const char *const row_key[ROW_KEYS] = {"unit", "bloc", "fonds", "file_code", "retention"};

struct submit {
    const char *id, *priority, *deadline;
    const char *preset[ROW_KEYS];
    bool check;
    struct rows rows;
    struct buf lines;
    bool is_folder;
};

static void submit_destroy(struct submit *submit)
{
    rows_destroy(&submit->rows);
    buf_destroy(&submit->lines);
}

static int flags_check(const struct submit *submit, struct err *err)
{
    uint32_t priority;
    uint64_t deadline_ms;
    struct err why = {0};
    int rc = 0;
    if (submit->id)
        rc = args_batch(submit->id, err);
    if (!rc && submit->priority)
        rc = args_number("--priority", submit->priority, 1, PRIORITY_MOST, &priority, err);
    if (!rc && submit->deadline && manifest_deadline(submit->deadline, &deadline_ms, &why))
        rc = err_set(err, E_USAGE, "--%s", why.text);
    if (!rc && submit->preset[0] && unit_check(submit->preset[0], &why))
        rc = err_set(err, E_USAGE, "--%s", why.text);
    for (int i = 1; i < ROW_KEYS && !rc; i++)
        if (submit->preset[i] && strlen(submit->preset[i]) >= NAME_BYTES)
            rc = err_set(err, E_USAGE, "--%s is longer than %d bytes", row_key[i], NAME_BYTES - 1);
    return rc;
}

static int folder_rows(const char *path, struct rows *rows, struct err *err)
{
    AUTO(inputs_destroy) struct inputs inputs = {0};
    int rc = inputs_find(&(struct texts){.item = &path, .count = 1}, "", &inputs, err);
    if (rc)
        return rc;
    rows->item = calloc(inputs.count, sizeof *rows->item);
    assert(rows->item);
    for (size_t i = 0; i < inputs.count; i++) {
        if (inputs.item[i].refused.code)
            return err_set(err, E_MANIFEST, "%s: %s", inputs.item[i].name, inputs.item[i].refused.text);
        struct row *row = &rows->item[rows->count++];
        *row = (struct row){.json = json_pack("{s:s}", "source", inputs.item[i].path)};
        row->path = strdup(inputs.item[i].path);
        row->name = strdup(inputs.item[i].name);
        assert(row->path && row->name);
    }
    return 0;
}

static void lines_print(struct submit *submit)
{
    for (size_t i = 0; i < submit->rows.count; i++) {
        json_t *row = submit->rows.item[i].json;
        for (int k = 0; k < ROW_KEYS; k++)
            if (submit->preset[k] && !json_string_length(json_object_get(row, row_key[k])))
                json_object_set_new(row, row_key[k], json_string(submit->preset[k]));
        rows_print(row, &submit->lines);
    }
}

static int rows_find(struct submit *submit, const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st))
        return err_errno(err, E_ABSENT, "%s", path);
    submit->is_folder = S_ISDIR(st.st_mode);
    if (!submit->is_folder && !rows_named(path))
        return err_set(err, E_USAGE, "%s: a manifest's name ends in .csv or .jsonl", path);
    int rc = submit->is_folder ? folder_rows(path, &submit->rows, err) : rows_load(path, &submit->rows, err);
    if (!rc)
        lines_print(submit);
    return rc;
}

static void query_add(struct buf *query, const char *key, const char *value)
{
    if (!value)
        return;
    buf_printf(query, "%s%s=", query->size ? "&" : "", key);
    api_escape(query, value);
}

static int admit(const struct submit *submit, const struct ctl *ctl, struct api *api, struct err *err)
{
    AUTO(buf_destroy) struct buf query = {0};
    AUTO(json_drop) json_t *batch = NULL;
    query_add(&query, "priority", submit->priority);
    query_add(&query, "deadline", submit->deadline);
    int rc = api_admit(api, submit->id, buf_text(&query), &submit->lines, &batch, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(batch);
        return EXIT_SUCCESS;
    }
    const char *id = json_string_value(json_object_get(batch, "id"));
    printf("batch %s: %" JSON_INTEGER_FORMAT " documents%s\n", id ? id : "?",
           json_integer_value(json_object_get(batch, "documents")),
           json_is_false(json_object_get(batch, "created")) ? ", admitted before with the same manifest" : "");
    return EXIT_SUCCESS;
}

static int submit_all(struct submit *submit, const struct ctl *ctl, const char *path, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    int rc = flags_check(submit, err);
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (!rc)
        rc = rows_find(submit, path, err);
    if (rc)
        return rc;
    if (!submit->check)
        return admit(submit, ctl, api, err);
    struct check check = {.api = api,
                          .rows = &submit->rows,
                          .lines = &submit->lines,
                          .manifest = submit->is_folder ? NULL : path,
                          .json = ctl->json};
    return check_run(&check, err);
}

int submit_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(submit_destroy) struct submit submit = {0};
    const struct flag flags[] = {
        {.name = "id",         .meta = "ID",              .text = &submit.id,                            .doc = "the batch's id [the coordinator makes one]"},
        {.name = "check",
         .on = &submit.check,
         .doc = "only look at the sources and tell what is wrong; admits nothing"                      },
        {.name = "priority",       .meta = "1-5",  .text = &submit.priority,                        .doc = "1 comes first"                                                   },
        {.name = "deadline",
         .meta = "YYYY-MM-DD",
         .text = &submit.deadline,
         .doc = "to be done by the end of that day"},
        {.name = "unit",         .meta = "U", .text = &submit.preset[0], .doc = "district:001, old:00004 or new:00004"                                                                                                       },
        {.name = "bloc",         .meta = "B", .text = &submit.preset[1],                  .doc = "bloc of the records"},
        {.name = "fonds",         .meta = "F", .text = &submit.preset[2],                 .doc = "fonds of the records"                                                                                                       },
        {.name = "file-code",         .meta = "C", .text = &submit.preset[3],      .doc = "code of the file they belong to"},
        {.name = "retention",         .meta = "R", .text = &submit.preset[4],               .doc = "how long they are kept"                                                                                                       },
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 1)
        return err_set(err, E_USAGE, "one manifest or one folder, not %zu", operands.count);
    return submit_all(&submit, ctl, operands.item[0], err);
}
