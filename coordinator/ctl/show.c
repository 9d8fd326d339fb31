/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/show.h"

#include <stdlib.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "proto/auto.h"

int show_main(const struct show *show, const struct command *command, struct ctl *ctl, int argc, char **argv,
              struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    int rc = args_parse(command, ctl, NULL, 0, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 1)
        return err_set(err, E_USAGE, "%s, not %zu", show->what, operands.count);
    rc = show->path(operands.item[0], &path, err);
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_get(api, buf_text(&path), &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(answer);
    else
        show->print(answer);
    return EXIT_SUCCESS;
}
