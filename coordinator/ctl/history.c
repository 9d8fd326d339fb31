/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/history.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/outlook.h"
#include "proto/auto.h"

/* A calendar's CSV is many lines: they follow, indented. */
static void event_print(const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "kind")),
               *actor = json_string_value(json_object_get(event, "actor"));
    const char *subject = json_string_value(json_object_get(event, "subject")),
               *text = json_string_value(json_object_get(event, "text"));
    char when[DAY_MOMENT_BYTES];
    printf("%s  %-10s %-11s %s", moment_text(json_object_get(event, "time_ms"), when), *actor ? actor : "-", kind,
           subject);
    bool lines = strchr(text, '\n');
    const char *before = lines ? "\n    " : *subject && *text ? "  " : "";
    for (const char *at = text; *at; before = "\n    ") {
        int n = (int)strcspn(at, "\n");
        printf("%s%.*s", before, n, at);
        at += n + (at[n] != '\0');
    }
    puts(!strcmp(kind, "calendar") && !*text ? "none" : "");
}

int history_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    const char *kind = NULL;
    const struct flag flags[] = {
        {.name = "kind", .meta = "KIND", .text = &kind, .doc = "only these: standing, target, calendar, rerun, ..."}
    };
    size_t i;
    json_t *event;
    int rc = args_parse(command, ctl, flags, 1, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count > 1)
        return err_set(err, E_USAGE, "one batch, unit or worker, not %zu", operands.count);
    buf_puts(&path, "history");
    if (operands.count) {
        buf_puts(&path, "?subject=");
        api_escape(&path, operands.item[0]);
    }
    if (kind) {
        buf_puts(&path, operands.count ? "&kind=" : "?kind=");
        api_escape(&path, kind);
    }
    rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_get(api, buf_text(&path), &answer, err);
    if (rc)
        return rc;
    if (ctl->json) {
        json_print(answer);
        return EXIT_SUCCESS;
    }
    json_array_foreach(json_object_get(answer, "events"), i, event)
    {
        event_print(event);
    }
    if (!i)
        puts("nothing was ordered yet");
    return EXIT_SUCCESS;
}
