/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One order; the counts that it answers were read from the store alone. */
#include "coordinator/ctl/rebuild.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "proto/auto.h"

static void counts_print(const json_t *answer)
{
    static const char *const key[] = {"batches", "documents", "pages", "pages_stored", "pages_dead"};
    printf("Redis is rewritten from the store:");
    for (size_t i = 0; i < sizeof key / sizeof key[0]; i++)
        printf("%s %s=%" JSON_INTEGER_FORMAT, i ? "," : "", key[i],
               json_integer_value(json_object_get(answer, key[i])));
}

int rebuild_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    int rc = args_parse(command, ctl, NULL, 0, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count)
        return err_set(err, E_USAGE, "rebuild takes no operand");
    rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_post(api, "rebuild", NULL, 0, &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_dumpf(answer, stdout, JSON_COMPACT);
    else
        counts_print(answer);
    puts("");
    return EXIT_SUCCESS;
}
