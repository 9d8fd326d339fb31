/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "proto/auto.h"
#include "proto/curve.h"

/* It becomes a file's name, and a worker's. */
static bool is_name(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t bytes = strlen(name);
    return bytes && bytes < NAME_BYTES && *name != '.' && strspn(name, plain) == bytes;
}

static int key_tell(const char *name, const char *folder, bool json, struct err *err)
{
    AUTO(buf_destroy) struct buf secret = {0};
    AUTO(buf_destroy) struct buf public_key = {0};
    struct curve curve;
    buf_printf(&secret, "%s/%s.key", folder, name);
    buf_printf(&public_key, "%s/%s.pub", folder, name);
    int rc = curve_load(buf_text(&public_key), &curve, err);
    if (rc)
        return rc;
    if (json) {
        AUTO(json_drop)
        json_t *told = json_pack("{s:s, s:s, s:s, s:s}", "name", name, "key", curve.public_key, "secret",
                                 buf_text(&secret), "public", buf_text(&public_key));
        json_print(told);
    } else
        printf("%s: secret, for %s alone (curve_file)\n%s: for who is to know it: %s\n", buf_text(&secret), name,
               buf_text(&public_key), curve.public_key);
    return EXIT_SUCCESS;
}

int key_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    const char *folder = ".";
    const struct flag flags[] = {
        {.name = "out", .meta = "DIR", .text = &folder, .doc = "folder that gets both files [.]"}
    };
    int rc = args_parse(command, ctl, flags, 1, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count != 1 || !is_name(operands.item[0]))
        return err_set(err, E_USAGE,
                       "one name, as the worker or coordinator is called: letters, digits, '-', '_', '.'");
    rc = curve_make(operands.item[0], folder, err);
    return rc ? rc : key_tell(operands.item[0], folder, ctl->json, err);
}
