/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The coordinator reads the CSV; this only brings it there and back. */
#include "coordinator/ctl/calendar.h"

#include <stdio.h>
#include <stdlib.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/rows.h"
#include "proto/auto.h"

static int calendar_send(struct api *api, const char *path, json_t **ret_answer, struct err *err)
{
    AUTO(buf_destroy) struct buf csv = {0};
    int rc = file_load(path, &csv, err);
    return rc ? rc : api_post_lines(api, "calendar", csv.data, csv.size, ret_answer, err);
}

int calendar_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = args_parse(command, ctl, NULL, 0, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count > 1)
        return err_set(err, E_USAGE, "one file, not %zu", operands.count);
    rc = api_open(ctl, &api, err);
    if (!rc)
        rc = operands.count ? calendar_send(api, operands.item[0], &answer, err)
                            : api_get(api, "calendar", &answer, err);
    if (rc)
        return rc;
    const char *csv = json_string_value(json_object_get(answer, "csv"));
    if (ctl->json) {
        json_print(answer);
    } else if (operands.count) {
        puts(json_is_true(json_object_get(answer, "calendar")) ? "the calendar is in force"
                                                               : "there is no calendar any more");
    } else {
        fputs(csv && *csv ? csv : "there is no calendar: workers count as they are connected\n", stdout);
    }
    return EXIT_SUCCESS;
}
