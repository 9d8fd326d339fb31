/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The choice of documents is the coordinator's; this only says which were asked for. */
#include "coordinator/ctl/rerun.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outcome.h"
#include "proto/auto.h"
#include "proto/limits.h"

struct rerun {
    const char *batch, *where;
    struct texts documents;
    bool dry;
};

static void rerun_destroy(struct rerun *rerun)
{
    texts_destroy(&rerun->documents);
}

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

static int rerun_post(const struct rerun *rerun, const struct ctl *ctl, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *body = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    int rc = body_make(rerun, &body, err);
    if (!rc)
        rc = api_new(ctl->api, &api, err);
    if (rc)
        return rc;
    AUTO(mem_destroy) char *text = json_dumps(body, JSON_COMPACT);
    if (rerun->batch)
        batch_path(&path, rerun->batch, "/rerun");
    else
        buf_puts(&path, "reruns");
    buf_puts(&path, rerun->dry ? "?dry_run=1" : "");
    rc = api_post(api, buf_text(&path), text, strlen(text), &answer, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_dumpf(answer, stdout, JSON_COMPACT);
    else
        printf("%" JSON_INTEGER_FORMAT " documents with %" JSON_INTEGER_FORMAT " pages %s, about %.1f core-hours",
               json_integer_value(json_object_get(answer, "documents")),
               json_integer_value(json_object_get(answer, "pages")),
               rerun->dry ? "would be read again" : "are read again",
               json_real_value(json_object_get(answer, "core_hours")));
    puts("");
    return EXIT_SUCCESS;
}

int rerun_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(rerun_destroy) struct rerun rerun = {0};
    const struct flag flags[] = {
        {.name = "where",
         .meta = "EXPR",
         .text = &rerun.where,
         .doc = "which, such as 'state=dead and unit=district:001'"},
        {.name = "document",                                   .meta = "N",                  .list = &rerun.documents, .doc = "their numbers; N N or N,N"},
        {.name = "dry-run", .on = &rerun.dry, .doc = "only count"            },
    };
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count ? operands.count > 1 && !rerun.documents.count : !rerun.where)
        return err_set(err, E_USAGE, "one batch, not %zu", operands.count);
    for (size_t i = 1; i < operands.count; i++) /* --document 1 2 3 */
        texts_add(&rerun.documents, operands.item[i]);
    if (!rerun.where == !rerun.documents.count)
        return err_set(err, E_USAGE, "which documents: either --where EXPR or --document N");
    rerun.batch = operands.count ? operands.item[0] : NULL;
    rc = rerun.batch ? args_batch(rerun.batch, err) : 0;
    return rc ? rc : rerun_post(&rerun, ctl, err);
}
