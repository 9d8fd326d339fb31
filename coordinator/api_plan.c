/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Each order says all that stands afterwards, so the ledger's last entry is in force, and is answered when that is durable. */
#include "coordinator/api_plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/target.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "proto/unit.h"

enum { TARGETS_AN_ENTRY = 4096 };
_Static_assert(TARGETS_AN_ENTRY *(NAME_BYTES + 64) <= LEDGER_ENTRY_BYTES, "targets fit in a ledger entry");

/* ---- batches ---- */

static int standing_take(json_t *body, struct standing *standing, struct err *err)
{
    static const char *const known[] = {"priority", "deadline", "paused", NULL};
    int rc = keys_check(body, known, "what stands of a batch", err);
    if (!rc)
        rc = priority_take(json_object_get(body, "priority"), &standing->priority, err);
    if (!rc)
        rc = deadline_take(json_object_get(body, "deadline"), &standing->deadline_ms, err);
    if (!rc)
        rc = paused_take(json_object_get(body, "paused"), &standing->paused, err);
    if (!rc && json_object_get(body, "paused"))
        standing->fault = NONE;
    return rc;
}

void post_standing(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    struct standing standing = args->batch->standing;
    struct err err;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = standing_take(body, &standing, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    args->batch->standing = standing;
    group_add_standing(c->group, c->backlog, args->batch->index);
    sched_reorder(c->sched);
    trace(TRACE_INFO, "standing", "batch=%s priority=%u deadline_ms=%" PRIu64 " paused=%d", args->batch->id,
          standing.priority, standing.deadline_ms, standing.paused);
    answer_then(c, request, json_pack("{s:s}", "id", args->batch->id));
}

/* ---- units ---- */

static json_t *target_json(const struct target *target)
{
    return json_pack("{s:s, s:i, s:I, s:I, s:b}", "unit", target->unit, "priority", (int)target->priority,
                     "deadline_ms", (json_int_t)(target->deadline_ms == DEADLINE_NONE ? 0 : target->deadline_ms),
                     "pages", (json_int_t)target->pages, "paused", target->paused);
}

void get_targets(struct coordinator *c, struct request *request, const struct route_args *args)
{
    json_t *targets = json_array();
    (void)args;
    for (uint32_t i = 0; i < c->backlog->targets; i++)
        if (account_covers(request_account(request), c->backlog->target[i].unit))
            json_array_append_new(targets, target_json(&c->backlog->target[i]));
    request_answer(request, 200, json_pack("{s:o}", "targets", targets));
}

/* What one of the body says, taken over what there is. */
static int target_take(json_t *said, struct target *target, struct err *err)
{
    const json_t *pages = json_object_get(said, "pages");
    if (pages && !json_is_null(pages) && (!json_is_integer(pages) || json_integer_value(pages) < 0))
        return err_set(err, E_USAGE, "%s: pages is a number, or null", target->unit);
    target->pages = pages ? (uint64_t)json_integer_value(pages) : target->pages;
    int rc = deadline_take(json_object_get(said, "deadline"), &target->deadline_ms, err);
    return rc ? rc : paused_take(json_object_get(said, "paused"), &target->paused, err);
}

static int unit_take(json_t *said, const struct account *by, const char **ret_unit, struct err *err)
{
    static const char *const known[] = {"unit", "priority", "deadline", "pages", "paused", NULL};
    int rc = keys_check(said, known, "a target", err);
    const char *unit = rc ? NULL : json_string_value(json_object_get(said, "unit"));
    if (!rc && (!unit || !*unit || strlen(unit) >= NAME_BYTES))
        rc = err_set(err, E_USAGE, "a target needs a unit");
    *ret_unit = unit;
    if (!rc)
        rc = unit_check(unit, err);
    return rc ? rc : account_may_unit(by, unit, err);
}

static int target_add(const struct target *there, json_t *said, struct buf *targets, struct err *err)
{
    struct target target = *there;
    int rc = target_take(said, &target, err);
    if (!rc)
        buf_append(targets, &target, sizeof target);
    return rc;
}

/* Without a priority: all targets that the unit has, or one for all of it. */
static int targets_add(const struct coordinator *c, const struct account *by, json_t *said, struct buf *targets,
                       struct err *err)
{
    struct target fresh = {0};
    const char *unit;
    bool any = false;
    int rc = unit_take(said, by, &unit, err);
    if (!rc)
        rc = priority_take(json_object_get(said, "priority"), &fresh.priority, err);
    if (rc)
        return rc;
    snprintf(fresh.unit, sizeof fresh.unit, "%s", unit);
    for (uint32_t priority = 0; priority <= 5 && !rc; priority++) {
        const struct target *there = target_find(c->backlog, unit, priority);
        bool meant = fresh.priority ? priority == fresh.priority : !json_object_get(said, "priority");
        if (there && meant) {
            rc = target_add(there, said, targets, err);
            any = true;
        }
    }
    return rc || any ? rc : target_add(&fresh, said, targets, err);
}

static int targets_take(const struct coordinator *c, const struct account *by, json_t *body, struct buf *targets,
                        struct err *err)
{
    size_t i;
    json_t *said;
    if (!json_is_array(body) || !json_array_size(body))
        return err_set(err, E_USAGE, "the body is an array of targets: [{\"unit\": \"district:001\", ...}]");
    if (json_array_size(body) > TARGETS_MAX - c->backlog->targets)
        return err_set(err, E_LIMIT, "%zu targets come to the %u that there are: at most %d (TARGETS_MAX)",
                       json_array_size(body), c->backlog->targets, TARGETS_MAX);
    json_array_foreach(body, i, said)
    {
        int rc = targets_add(c, by, said, targets, err);
        if (rc)
            return rc;
    }
    return 0;
}

static void targets_say(struct coordinator *c, const struct target *target, size_t count)
{
    AUTO(mem_destroy) Sohoa__Target *said = calloc(count, sizeof *said);
    AUTO(mem_destroy) Sohoa__Target **list = calloc(count, sizeof *list);
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Targets targets = SOHOA__TARGETS__INIT;
    if (!said || !list)
        abort();
    for (size_t i = 0; i < count; i++) {
        sohoa__target__init(&said[i]);
        said[i].unit = (char *)(uintptr_t)target[i].unit;
        said[i].priority = target[i].priority;
        said[i].deadline_ms = target[i].deadline_ms;
        said[i].pages = target[i].pages;
        said[i].paused = target[i].paused;
        list[i] = &said[i];
    }
    targets.targets = list;
    targets.n_targets = count;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_TARGETS;
    entry.targets = &targets;
    group_add_entry(c->group, &entry);
}

void post_targets(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    AUTO(buf_destroy) struct buf targets = {0};
    struct err err;
    (void)args;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = targets_take(c, request_account(request), body, &targets, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    const struct target *at = (const struct target *)(const void *)targets.data;
    size_t count = targets.size / sizeof *at;
    for (size_t i = 0; i < count; i++)
        target_set(c->backlog, &at[i]);
    for (size_t first = 0; first < count; first += TARGETS_AN_ENTRY)
        targets_say(c, at + first, count - first < TARGETS_AN_ENTRY ? count - first : TARGETS_AN_ENTRY);
    sched_reorder(c->sched);
    trace(TRACE_INFO, "targets", "count=%zu", count);
    answer_then(c, request, json_pack("{s:I}", "targets", (json_int_t)count));
}

/* ---- workers ---- */

void post_drain(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    static const char *const known[] = {"drained", NULL};
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Drained drained = SOHOA__DRAINED__INIT;
    struct err err;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = keys_check(body, known, "an order for a worker", &err);
    if (!rc && !json_is_boolean(json_object_get(body, "drained")))
        rc = err_set(&err, E_USAGE, "drained is true or false");
    if (!rc && !sched_knows(c->sched, args->word))
        rc = err_set(&err, E_ABSENT, "there is no worker '%.60s'", args->word);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    drained.worker = (char *)(uintptr_t)args->word;
    drained.drained = json_is_true(json_object_get(body, "drained"));
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_DRAINED;
    entry.drained = &drained;
    group_add_entry(c->group, &entry);
    sched_drain(c->sched, args->word, drained.drained);
    trace(TRACE_INFO, "drained", "worker=%s drained=%d", trace_value(args->word), drained.drained);
    answer_then(c, request, json_pack("{s:s, s:b}", "name", args->word, "drained", drained.drained));
}

/* ---- the calendar ---- */

void get_calendar(struct coordinator *c, struct request *request, const struct route_args *args)
{
    (void)args;
    request_answer(request, 200, json_pack("{s:s}", "csv", buf_text(&c->calendar_csv)));
}

/* The CSV as it is; an empty one: none. */
void post_calendar(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const struct buf *csv = request_body(request);
    struct calendar *calendar = NULL;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Calendar said = SOHOA__CALENDAR__INIT;
    struct err err;
    (void)args;
    if (csv->size && calendar_parse(buf_text(csv), csv->size, &calendar, &err)) {
        request_answer_err(request, &err);
        return;
    }
    coordinator_calendar(c, calendar, buf_text(csv));
    said.csv = (char *)(uintptr_t)buf_text(csv);
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_CALENDAR;
    entry.calendar = &said;
    group_add_entry(c->group, &entry);
    trace(TRACE_INFO, "calendar", "bytes=%zu", csv->size);
    answer_then(c, request, json_pack("{s:b}", "calendar", calendar != NULL));
}
