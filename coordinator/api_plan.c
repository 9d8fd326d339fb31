/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Each order says all that stands afterwards, so the ledger's last entry is in force, and is answered when that is durable. */
#include "coordinator/api_plan.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/manifest.h"
#include "coordinator/target.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "proto/unit.h"

enum {
    TARGETS_AN_ENTRY = 4096,
    CHANGES_MAX = 1000,   /* of one what-if */
    CORES_MAX = 10000000, /* that one may add */
};
_Static_assert(TARGETS_AN_ENTRY *(NAME_BYTES + 64) <= LEDGER_ENTRY_BYTES, "targets fit in a ledger entry");

/* ---- what a person says ---- */

/* A priority or null. */
static int priority_take(const json_t *value, uint32_t *ret_priority, struct err *err)
{
    json_int_t number = json_integer_value(value);
    if (!value || json_is_null(value)) {
        *ret_priority = value ? 0 : *ret_priority;
        return 0;
    }
    if (!json_is_integer(value) || number < 1 || number > 5)
        return err_set(err, E_USAGE, "priority is 1 (first) to 5, or null");
    *ret_priority = (uint32_t)number;
    return 0;
}

/* A day, "none" or null. */
static int deadline_take(const json_t *value, uint64_t *ret_deadline_ms, struct err *err)
{
    const char *day = json_string_value(value);
    if (!value || json_is_null(value)) {
        *ret_deadline_ms = value ? 0 : *ret_deadline_ms;
        return 0;
    }
    if (!day)
        return err_set(err, E_USAGE, "deadline is a day (YYYY-MM-DD), \"none\" or null");
    if (!strcmp(day, "none")) {
        *ret_deadline_ms = DEADLINE_NONE;
        return 0;
    }
    return manifest_deadline(day, ret_deadline_ms, err);
}

static int paused_take(const json_t *value, bool *ret_paused, struct err *err)
{
    if (value && !json_is_boolean(value))
        return err_set(err, E_USAGE, "paused is true or false");
    *ret_paused = value ? json_is_true(value) : *ret_paused;
    return 0;
}

static int body_take(struct request *request, json_t **ret_body, struct err *err)
{
    json_error_t why;
    json_t *body = json_loads(buf_text(request_body(request)), JSON_REJECT_DUPLICATES, &why);
    if (!body)
        return err_set(err, E_USAGE, "the body is not JSON: %s", why.text);
    *ret_body = body;
    return 0;
}

static int keys_check(json_t *object, const char *const known[], const char *what, struct err *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return err_set(err, E_USAGE, "%s is a JSON object", what);
    json_object_foreach(object, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key))
            i++;
        if (!known[i])
            return err_set(err, E_USAGE, "%s has no '%.40s'", what, key);
    }
    return 0;
}

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

static int unit_take(json_t *said, const char **ret_unit, struct err *err)
{
    static const char *const known[] = {"unit", "priority", "deadline", "pages", "paused", NULL};
    int rc = keys_check(said, known, "a target", err);
    const char *unit = rc ? NULL : json_string_value(json_object_get(said, "unit"));
    if (!rc && (!unit || !*unit || strlen(unit) >= NAME_BYTES))
        rc = err_set(err, E_USAGE, "a target needs a unit");
    *ret_unit = unit;
    return rc ? rc : unit_check(unit, err);
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
static int targets_add(const struct coordinator *c, json_t *said, struct buf *targets, struct err *err)
{
    struct target fresh = {0};
    const char *unit;
    bool any = false;
    int rc = unit_take(said, &unit, err);
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

static int targets_take(const struct coordinator *c, json_t *body, struct buf *targets, struct err *err)
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
        int rc = targets_add(c, said, targets, err);
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
        rc = targets_take(c, body, &targets, &err);
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

static bool worker_known(const struct coordinator *c, const char *name)
{
    for (uint32_t i = 0; i < sched_workers(c->sched); i++)
        if (!strcmp(sched_worker(c->sched, i)->name, name))
            return true;
    return false;
}

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
    if (!rc && !worker_known(c, args->word))
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

/* ---- the forecast ---- */

/* A moment, or null: never. */
static json_t *moment_json(uint64_t ms)
{
    return ms == FORECAST_NEVER ? json_null() : json_integer((json_int_t)ms);
}

static json_t *total_json(const char *key, const char *name, const struct plan_total *total)
{
    bool dated = total->deadline_ms, never = total->p50_ms == FORECAST_NEVER;
    return json_pack("{s:s, s:I, s:I, s:f, s:o, s:o, s:o, s:o, s:s, s:o, s:b}", key, name, "pages",
                     (json_int_t)total->pages, "undated_pages", (json_int_t)total->undated_pages, "core_hours",
                     total->core_ms / 3.6e6, "p50_ms", moment_json(total->p50_ms), "p90_ms", moment_json(total->p90_ms),
                     "deadline_ms", dated ? json_integer((json_int_t)total->deadline_ms) : json_null(), "slack_ms",
                     dated && !never ? json_integer((json_int_t)total->slack_ms) : json_null(), "verdict",
                     verdict_name(total->verdict), "cores_needed",
                     isfinite(total->cores_needed) ? json_real(total->cores_needed) : json_null(), "shed", total->shed);
}

static int unit_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each unit of the plan once; what has none is of the unit "". */
static json_t *units_json(const struct plan *plan)
{
    json_t *units = json_array();
    AUTO(mem_destroy) const char **unit = calloc(plan->rows + 1, sizeof *unit);
    if (!unit)
        abort();
    for (size_t i = 0; i < plan->rows; i++)
        unit[i] = plan->row[i].unit;
    qsort(unit, plan->rows, sizeof *unit, unit_order);
    for (size_t i = 0; i < plan->rows; i++) {
        struct plan_total total;
        if ((!i || strcmp(unit[i], unit[i - 1])) && plan_total(plan, unit[i], NULL, &total))
            json_array_append_new(units, total_json("unit", unit[i], &total));
    }
    return units;
}

static json_t *batches_json(const struct coordinator *c, const struct plan *plan)
{
    json_t *batches = json_array();
    for (uint32_t i = 0; i < c->backlog->batches; i++) {
        struct plan_total total;
        if (c->backlog->batch[i] && plan_total(plan, NULL, c->backlog->batch[i], &total))
            json_array_append_new(batches, total_json("batch", c->backlog->batch[i]->id, &total));
    }
    return batches;
}

static json_t *forecast_json(const struct coordinator *c, const struct plan *plan)
{
    struct plan_total total = {0};
    bool any = plan_total(plan, NULL, NULL, &total);
    return json_pack("{s:I, s:f, s:b, s:o, s:o, s:o}", "now_ms", (json_int_t)clock_wall_ms(), "cores", plan->cores,
                     "feasible", plan->feasible, "all", any ? total_json("name", "all", &total) : json_null(), "units",
                     units_json(plan), "batches", batches_json(c, plan));
}

void get_forecast(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(plan_destroy) struct plan plan = {0};
    static struct supply supply[CALENDAR_STEPS_MAX];
    size_t supplies = coordinator_supply(c, clock_wall_ms(), NULL, 0, supply);
    (void)args;
    plan_make(&plan, c->sched, clock_wall_ms(), supply, supplies, NULL, 0);
    request_answer(request, 200, forecast_json(c, &plan));
}

static bool subject_known(const struct coordinator *c, const char *subject)
{
    if (backlog_batch(c->backlog, subject) || target_of(c->backlog, subject, 0))
        return true;
    for (size_t i = 0; i < c->plan.rows; i++)
        if (!strcmp(c->plan.row[i].unit, subject))
            return true;
    return false;
}

static int change_take(const struct coordinator *c, json_t *said, struct plan_change *change, struct err *err)
{
    static const char *const known[] = {"subject", "deadline", "paused", NULL};
    const json_t *paused = json_object_get(said, "paused");
    int rc = keys_check(said, known, "a change", err);
    if (rc)
        return rc;
    *change = (struct plan_change){.subject = json_string_value(json_object_get(said, "subject"))};
    if (!change->subject || !*change->subject)
        return err_set(err, E_USAGE, "a change has a subject: a unit or a batch");
    if (!subject_known(c, change->subject))
        return err_set(err, E_ABSENT, "there is no unit or batch '%.60s'", change->subject);
    rc = deadline_take(json_object_get(said, "deadline"), &change->deadline_ms, err);
    if (!rc && paused && !json_is_boolean(paused))
        rc = err_set(err, E_USAGE, "paused is true or false");
    change->pause = json_is_true(paused);
    change->resume = json_is_false(paused);
    return rc;
}

/* Cores that come, and names (borrowed) of workers that go. */
static int cores_take(const struct coordinator *c, json_t *body, double *ret_add, struct buf *without, struct err *err)
{
    const json_t *add = json_object_get(body, "add_cores"), *drain = json_object_get(body, "drain");
    size_t i;
    json_t *said;
    if (add && (!json_is_number(add) || fabs(json_number_value(add)) > CORES_MAX))
        return err_set(err, E_USAGE, "add_cores is a number of cores, at most %d", CORES_MAX);
    if (drain && !json_is_array(drain))
        return err_set(err, E_USAGE, "drain is a list of workers");
    json_array_foreach(drain, i, said)
    {
        const char *name = json_string_value(said);
        if (!name || !worker_known(c, name))
            return err_set(err, E_ABSENT, "there is no worker '%.60s'", name ? name : "?");
        buf_append(without, &name, sizeof name);
    }
    *ret_add = json_number_value(add);
    return 0;
}

static int changes_take(const struct coordinator *c, const json_t *list, struct plan_change *changes, struct err *err)
{
    size_t i;
    json_t *said;
    json_array_foreach(list, i, said)
    {
        int rc = change_take(c, said, &changes[i], err);
        if (rc)
            return rc;
    }
    return 0;
}

void post_forecast(struct coordinator *c, struct request *request, const struct route_args *args)
{
    static const char *const known[] = {"add_cores", "drain", "changes", NULL};
    AUTO(json_drop) json_t *body = NULL;
    AUTO(plan_destroy) struct plan plan = {0};
    AUTO(mem_destroy) struct plan_change *changes = calloc(CHANGES_MAX, sizeof *changes);
    AUTO(buf_destroy) struct buf without = {0};
    static struct supply supply[CALENDAR_STEPS_MAX];
    double add = 0;
    struct err err;
    (void)args;
    if (!changes)
        abort();
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = keys_check(body, known, "a what-if", &err);
    const json_t *list = rc ? NULL : json_object_get(body, "changes");
    if (!rc && list && (!json_is_array(list) || json_array_size(list) > CHANGES_MAX))
        rc = err_set(&err, E_USAGE, "changes is a list of at most %d (CHANGES_MAX)", CHANGES_MAX);
    if (!rc)
        rc = cores_take(c, body, &add, &without, &err);
    if (!rc)
        rc = changes_take(c, list, changes, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    size_t supplies = coordinator_supply(c, clock_wall_ms(), &without, add, supply);
    plan_make(&plan, c->sched, clock_wall_ms(), supply, supplies, changes, json_array_size(list));
    request_answer(request, 200, forecast_json(c, &plan));
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
