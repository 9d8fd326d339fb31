/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/ctl/unit.h"

#include <stdio.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/show.h"
#include "coordinator/ctl/table.h"

static int path_put(const char *subject, struct buf *path, struct err *err)
{
    (void)err;
    buf_puts(path, "places?q=");
    api_escape(path, subject);
    return 0;
}

/* A line for each, the first behind what they are to it. */
static void others_print(const char *what, const json_t *list)
{
    size_t i;
    json_t *other;
    json_array_foreach(list, i, other)
    {
        const char *coverage = cell_text(other, "coverage");
        printf("  %-10s %s %s", i ? "" : what, cell_text(other, "unit"), cell_text(other, "name"));
        if (*coverage)
            printf(" (%s)", coverage);
        puts("");
    }
}

static void place_print(const json_t *place)
{
    const char *from = cell_text(place, "from"), *until = cell_text(place, "until");
    const json_t *district = json_object_get(place, "district"), *now = json_object_get(place, "now");
    printf("%s %s", cell_text(place, "unit"), cell_text(place, "name"));
    if (*from)
        printf(", from %s", from);
    if (*until)
        printf(", until %s", until);
    puts(json_is_true(json_object_get(place, "old")) ? " (old)" : "");
    if (json_is_object(district))
        printf("  %-10s %s %s\n", "district", cell_text(district, "unit"), cell_text(district, "name"));
    others_print("became", json_object_get(place, "became"));
    if (json_is_true(json_object_get(place, "old")))
        others_print(json_is_true(json_object_get(place, "sure")) ? "is now" : "may be now", now);
    others_print("came from", json_object_get(place, "came_from"));
}

static void places_print(const json_t *answer)
{
    size_t i;
    json_t *place;
    json_array_foreach(json_object_get(answer, "places"), i, place)
    {
        place_print(place);
    }
}

int unit_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    static const struct show show = {"one unit, code or name", path_put, places_print};
    return show_main(&show, command, ctl, argc, argv, err);
}
