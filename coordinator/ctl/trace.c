/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page's story, as the logs tell it: logfmt lines, so that what reads logs reads this, too. */
#include "coordinator/ctl/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/show.h"
#include "proto/auto.h"
#include "proto/limits.h"

/* "BATCH/N" or "BATCH/N/PAGE". */
static int path_put(const char *subject, struct buf *path, struct err *err)
{
    AUTO(mem_destroy) char *copy = strdup(subject);
    char *rest = copy;
    const char *batch = strsep(&rest, "/"), *document = strsep(&rest, "/"), *page = rest;
    uint32_t number = 0, page_no = 0;
    int rc = args_batch(batch, err);
    if (!rc && !document)
        rc = err_set(err, E_USAGE, "'%.60s' names no document: BATCH/N or BATCH/N/PAGE", subject);
    if (!rc)
        rc = args_number("document", document, 0, UINT32_MAX - 1, &number, err);
    if (!rc && page)
        rc = args_number("page", page, 1, DOC_MAX_PAGES, &page_no, err);
    buf_printf(path, "batches/%s/documents/%u/trace", batch, number);
    if (page_no)
        buf_printf(path, "?page=%u", page_no);
    return rc;
}

static void story_print(const json_t *answer)
{
    size_t i;
    json_t *text;
    json_array_foreach(json_object_get(answer, "lines"), i, text)
    {
        puts(json_string_value(text));
    }
    json_array_foreach(json_object_get(answer, "silent"), i, text)
    {
        fprintf(stderr, "worker %s did not answer\n", json_string_value(text));
    }
}

int trace_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    static const struct show show = {"one document or page", path_put, story_print};
    return show_main(&show, command, ctl, argc, argv, err);
}
