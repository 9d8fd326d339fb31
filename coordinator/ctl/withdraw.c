/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One order; then the batch as it is afterwards. */
#include "coordinator/ctl/withdraw.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outcome.h"
#include "proto/auto.h"

int withdraw_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *batch = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    int rc = args_parse(command, ctl, NULL, 0, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 1)
        return err_set(err, E_USAGE, "one batch, not %zu", operands.count);
    rc = args_batch(operands.item[0], err);
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_post(api, batch_path(&path, operands.item[0], "/withdraw"), NULL, 0, NULL, err);
    if (!rc)
        rc = api_get(api, batch_path(&path, operands.item[0], ""), &batch, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_dumpf(batch, stdout, JSON_COMPACT);
    else
        printf("batch %s is withdrawn: of %" PRIu64 " documents %" PRIu64 " were not done", operands.item[0],
               batch_count(batch, "documents", "total"), batch_count(batch, "documents", "withdrawn"));
    puts("");
    return EXIT_SUCCESS;
}
