/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/show.h"
#include "coordinator/ctl/table.h"
#include "proto/auto.h"
#include "proto/unit.h"

/* "UNIT", "BATCH" or "BATCH/N". */
static int path_put(const char *subject, struct buf *path, struct err *err)
{
    const char *slash = strchr(subject, '/');
    AUTO(mem_destroy) char *batch = strndup(subject, slash ? (size_t)(slash - subject) : strlen(subject));
    uint32_t document = 0;
    bool is_unit = strchr(subject, ':');
    int rc = is_unit ? unit_check(subject, err) : args_batch(batch, err);
    if (rc && is_unit)
        rc = err->code = E_USAGE;
    if (!rc && slash)
        rc = args_number("document", slash + 1, 0, UINT32_MAX - 1, &document, err);
    buf_puts(path, is_unit ? "units/" : "batches/");
    api_escape(path, is_unit ? subject : batch);
    if (!is_unit && slash)
        buf_printf(path, "/documents/%u", document);
    buf_puts(path, "/why");
    return rc;
}

static void reasons_print(const json_t *answer)
{
    size_t i;
    json_t *reason;
    json_array_foreach(json_object_get(answer, "reasons"), i, reason)
    {
        const char *hint = cell_text(reason, "hint");
        json_int_t times = cell_number(reason, "times");
        printf("%-11s %s", cell_text(reason, "kind"), cell_text(reason, "text"));
        if (times > 1)
            printf(" (and %" JSON_INTEGER_FORMAT " like it)", times - 1);
        printf("%s%s\n", *hint ? "\n            -> " : "", hint);
    }
}

int why_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    static const struct show show = {"one batch, unit or document", path_put, reasons_print};
    return show_main(&show, command, ctl, argc, argv, err);
}
