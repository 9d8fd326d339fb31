/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/notify.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "proto/auto.h"

int notify_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    bool test = false;
    const struct flag flags[] = {
        {.name = "test", .on = &test, .doc = "send it a test message now"}
    };
    int rc = args_parse(command, ctl, flags, 1, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count)
        return err_set(err, E_USAGE, "notify takes no operand");
    if (!test)
        return err_set(err, E_USAGE, "what is to be done: --test");
    rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_post(api, "notify/test", NULL, 0, &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(answer);
    else
        printf("the receiver of alerts answered %" JSON_INTEGER_FORMAT " in %" JSON_INTEGER_FORMAT " ms\n",
               json_integer_value(json_object_get(answer, "status")),
               json_integer_value(json_object_get(answer, "ms")));
    return EXIT_SUCCESS;
}
