/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A line for each document: groups one after another, each with its master first. */
#include "coordinator/ctl/duplicates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/table.h"
#include "proto/auto.h"

static void group(const json_t *row, struct buf *into)
{
    buf_printf(into, "%" JSON_INTEGER_FORMAT, cell_number(row, "group"));
}

static void document(const json_t *row, struct buf *into)
{
    buf_printf(into, "%s/%" JSON_INTEGER_FORMAT, cell_text(row, "batch"), cell_number(row, "document"));
}

static void sameness(const json_t *row, struct buf *into)
{
    const json_t *similarity = json_object_get(row, "similarity");
    if (json_is_true(json_object_get(row, "master")))
        buf_puts(into, "master");
    else if (json_is_number(similarity))
        buf_printf(into, "%s %.0f %%", cell_text(row, "kind"), 100 * json_number_value(similarity));
    else
        buf_puts(into, "another's");
}

static void pages(const json_t *row, struct buf *into)
{
    buf_printf(into, "%" JSON_INTEGER_FORMAT, cell_number(row, "pages"));
}

static void grade(const json_t *row, struct buf *into)
{
    const char *text = cell_text(row, "grade");
    buf_puts(into, *text ? text : "-");
}

static void state(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "state"));
}

static void source(const json_t *row, struct buf *into)
{
    buf_puts(into, cell_text(row, "source"));
}

static const struct column columns[] = {
    {"GROUP",    true,  group   },
    {"DOCUMENT", false, document},
    {"SAME",     false, sameness},
    {"PAGES",    true,  pages   },
    {"GRADE",    false, grade   },
    {"STATE",    false, state   },
    {"SOURCE",   false, source  },
};

static void print(const json_t *answer)
{
    AUTO(json_drop) json_t *rows = json_array();
    AUTO(buf_destroy) struct buf text = {0};
    size_t i, k;
    json_t *one, *member;
    json_array_foreach(json_object_get(answer, "groups"), i, one)
        json_array_foreach(json_object_get(one, "members"), k, member)
    {
        json_object_set(member, "group", json_object_get(one, "group"));
        json_array_append(rows, member);
    }
    table_write(columns, sizeof columns / sizeof columns[0], rows, 0, 0, &text);
    fputs(buf_text(&text), stdout);
    if (cell_number(answer, "waiting"))
        printf("%" JSON_INTEGER_FORMAT " documents are still to be compared\n", cell_number(answer, "waiting"));
    if (cell_number(answer, "left_out"))
        printf("%" JSON_INTEGER_FORMAT " documents were not compared: there are more than duplicates_max\n",
               cell_number(answer, "left_out"));
    if (cell_number(answer, "full_groups"))
        printf("%" JSON_INTEGER_FORMAT " times a group was full, and a document that is the same stayed out of it\n",
               cell_number(answer, "full_groups"));
}

/* All pages of the list. */
static int groups_get(struct api *api, const char *path, json_t **ret_answer, struct err *err)
{
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_get(api, path, &answer, err);
    while (!rc && json_is_string(json_object_get(answer, "next"))) {
        AUTO(json_drop) json_t *more = NULL;
        AUTO(buf_destroy) struct buf next = {0};
        buf_printf(&next, "%s%cafter=%s", path, strchr(path, '?') ? '&' : '?', cell_text(answer, "next"));
        rc = api_get(api, buf_text(&next), &more, err);
        if (rc)
            break;
        json_array_extend(json_object_get(answer, "groups"), json_object_get(more, "groups"));
        json_object_set(answer, "next", json_object_get(more, "next"));
    }
    if (!rc)
        *ret_answer = json_incref(answer);
    return rc;
}

static void path_put(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "%c%s=", strchr(buf_text(path), '?') ? '&' : '?', name);
    api_escape(path, value);
}

int duplicates_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    const char *unit = NULL, *kind = NULL;
    const struct flag flags[] = {
        {.name = "unit", .meta = "UNIT", .text = &unit, .doc = "groups with documents of it"                    },
        {.name = "kind", .meta = "KIND", .text = &kind, .doc = "bytes, scan (pictures agree) or document (text)"},
    };
    int rc = args_parse(command, ctl, flags, 2, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count > 1)
        return err_set(err, E_USAGE, "one batch, not %zu", operands.count);
    buf_puts(&path, "duplicates");
    if (operands.count)
        rc = args_batch(operands.item[0], err);
    path_put(&path, "batch", operands.count ? operands.item[0] : NULL);
    path_put(&path, "unit", unit);
    path_put(&path, "kind", kind);
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (!rc)
        rc = groups_get(api, buf_text(&path), &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(answer);
    else
        print(answer);
    return EXIT_SUCCESS;
}
