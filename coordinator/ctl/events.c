/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What happens, a line each: what was ordered, which alerts began and ended, how far pages and batches are. It is found by comparing what
 * the coordinator says now with what it said before, once a second. */
#include "coordinator/ctl/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/table.h"
#include "coordinator/day.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum {
    LOOK_MS = 1000,
    PAGES_MS = 5000, /* pages are told no more often */
    ORDERS_SHOWN = 10,
};

struct watch {
    bool json, follow;
    struct api *api;
    json_t *overview;  /* as it was told last; NULL: nothing yet */
    json_t *told;      /* likewise, of pages */
    size_t orders;     /* that were there */
    uint64_t pages_ms; /* when pages were told */
    bool lost;
};

static void watch_destroy(struct watch *watch)
{
    api_destroy(&watch->api);
    json_decref(watch->overview);
    json_decref(watch->told);
}

static void event_tell(const struct watch *watch, uint64_t time_ms, const char *kind, const char *actor,
                       const char *subject, const char *text)
{
    char when[DAY_MOMENT_BYTES];
    if (watch->json) {
        AUTO(json_drop)
        json_t *event = json_pack("{s:I, s:s, s:s, s:s, s:s}", "time_ms", (json_int_t)time_ms, "kind", kind, "actor",
                                  actor, "subject", subject, "text", text);
        json_print(event);
    } else {
        printf("%s  %-12s %s%s%.*s%s%s\n", day_moment(time_ms, when), kind, subject, *subject && *text ? "  " : "",
               (int)strcspn(text, "\n"), text, *actor ? ", by " : "", actor);
    }
    fflush(stdout);
}

/* ---- orders ---- */

static int orders_tell(struct watch *watch, struct err *err)
{
    AUTO(json_drop) json_t *answer = NULL;
    int rc = api_get(watch->api, "history", &answer, err);
    const json_t *events = json_object_get(answer, "events");
    size_t count = json_array_size(events);
    bool first = !watch->overview;
    size_t from = first                   ? (count > ORDERS_SHOWN ? count - ORDERS_SHOWN : 0)
                  : watch->orders < count ? watch->orders
                                          : count;
    for (size_t i = from; i < count; i++) {
        const json_t *event = json_array_get(events, i);
        event_tell(watch, (uint64_t)cell_number(event, "time_ms"), cell_text(event, "kind"), cell_text(event, "actor"),
                   cell_text(event, "subject"), cell_text(event, "text"));
    }
    if (!rc)
        watch->orders = count;
    return rc;
}

/* ---- alerts ---- */

static bool alert_stands(const json_t *alerts, const json_t *wanted)
{
    size_t i;
    json_t *alert;
    json_array_foreach((json_t *)(uintptr_t)alerts, i, alert)
    {
        if (!strcmp(cell_text(alert, "kind"), cell_text(wanted, "kind")) &&
            !strcmp(cell_text(alert, "subject"), cell_text(wanted, "subject")))
            return true;
    }
    return false;
}

/* Those of now that were not there before. */
static void alerts_differ(const struct watch *watch, json_t *now, const json_t *before, const char *how)
{
    size_t i;
    json_t *alert;
    json_array_foreach(now, i, alert)
    {
        char text[512];
        if (alert_stands(before, alert))
            continue;
        snprintf(text, sizeof text, "%s: %s", cell_text(alert, "kind"), cell_text(alert, "text"));
        event_tell(watch, clock_wall_ms(), how, "", cell_text(alert, "subject"), text);
    }
}

/* ---- pages and batches ---- */

static void pages_tell(struct watch *watch, json_t *overview)
{
    const json_t *pages = json_object_get(overview, "pages"), *was = json_object_get(watch->told, "pages");
    json_int_t stored = cell_number(pages, "stored"), dead = cell_number(pages, "dead");
    char text[256];
    if (watch->told && stored == cell_number(was, "stored") && dead == cell_number(was, "dead"))
        return;
    if (watch->told && clock_mono_ms() < watch->pages_ms + PAGES_MS)
        return;
    snprintf(text, sizeof text,
             "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " stored, %" JSON_INTEGER_FORMAT " dead, %.2f pages/s",
             stored, cell_number(pages, "total"), dead, json_number_value(json_object_get(overview, "pages_per_s")));
    event_tell(watch, clock_wall_ms(), "pages", "", "", text);
    json_decref(watch->told);
    watch->told = json_incref(overview);
    watch->pages_ms = clock_mono_ms();
}

static void batches_tell(const struct watch *watch, const json_t *overview)
{
    const json_t *batches = json_object_get(overview, "batches");
    char text[256];
    if (watch->overview && json_equal(batches, json_object_get(watch->overview, "batches")))
        return;
    snprintf(text, sizeof text,
             "%" JSON_INTEGER_FORMAT " running, %" JSON_INTEGER_FORMAT " paused, %" JSON_INTEGER_FORMAT
             " finished, %" JSON_INTEGER_FORMAT " withdrawn",
             cell_number(batches, "running"), cell_number(batches, "paused"), cell_number(batches, "finished"),
             cell_number(batches, "withdrawn"));
    event_tell(watch, clock_wall_ms(), "batches", "", "", text);
}

/* ---- the loop ---- */

static int watch_look(struct watch *watch, struct err *err)
{
    AUTO(json_drop) json_t *overview = NULL;
    int rc = api_get(watch->api, "overview", &overview, err);
    if (rc || (watch->overview && json_equal(overview, watch->overview)))
        return rc;
    rc = orders_tell(watch, err);
    if (rc)
        return rc;
    batches_tell(watch, overview);
    pages_tell(watch, overview);
    alerts_differ(watch, json_object_get(overview, "alerts"), json_object_get(watch->overview, "alerts"), "alert");
    alerts_differ(watch, json_object_get(watch->overview, "alerts"), json_object_get(overview, "alerts"), "over");
    json_decref(watch->overview);
    watch->overview = json_incref(overview);
    return 0;
}

/* A coordinator that is not there for a while comes back: that is told once, and no reason to end. */
static int watch_follow(struct watch *watch, struct err *err)
{
    int rc = 0;
    while (!interrupt_seen()) {
        interrupt_sleep(LOOK_MS);
        rc = interrupt_seen() ? 0 : watch_look(watch, err);
        if (rc && rc != E_NET && rc != E_STATE)
            return rc;
        if (rc && !watch->lost)
            event_tell(watch, clock_wall_ms(), "lost", "", "", err->text);
        else if (!rc && watch->lost)
            event_tell(watch, clock_wall_ms(), "back", "", "", "the coordinator answers again");
        watch->lost = rc;
    }
    return 0;
}

int events_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(watch_destroy) struct watch watch = {0};
    const struct flag flags[] = {
        {.name = "follow", .letter = 'f', .on = &watch.follow, .doc = "go on, until it is interrupted"},
    };
    int rc = args_parse(command, ctl, flags, 1, argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count)
        return err_set(err, E_USAGE, "'%.60s': events takes no operand", operands.item[0]);
    watch.json = ctl->json;
    rc = api_open(ctl, &watch.api, err);
    if (!rc)
        rc = watch_look(&watch, err);
    if (rc)
        return rc;
    interrupt_watch();
    rc = watch.follow ? watch_follow(&watch, err) : 0;
    return rc ? rc : EXIT_SUCCESS;
}
