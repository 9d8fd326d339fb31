/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_forecast.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/target.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum {
    CHANGES_MAX = 1000,   /* of one what-if */
    CORES_MAX = 10000000, /* that one may add */
};

json_t *moment_json(uint64_t ms)
{
    return ms == FORECAST_NEVER ? json_null() : json_integer((json_int_t)ms);
}

json_t *total_json(const char *key, const char *name, const struct plan_total *total)
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

static json_t *units_json(const struct plan *plan)
{
    json_t *list = json_array();
    AUTO(mem_destroy) struct plan_unit *unit = NULL;
    size_t units = plan_units(plan, &unit);
    for (size_t i = 0; i < units; i++)
        json_array_append_new(list, total_json("unit", unit[i].unit, &unit[i].total));
    return list;
}

static json_t *batches_json(const struct coordinator *c, const struct plan *plan)
{
    json_t *batches = json_array();
    AUTO(mem_destroy) struct plan_total *total = calloc(c->backlog->batches + 1, sizeof *total);
    if (!total)
        abort();
    plan_batches(plan, total, c->backlog->batches);
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        if (total[i].rows)
            json_array_append_new(batches, total_json("batch", c->backlog->batch[i]->id, &total[i]));
    return batches;
}

static json_t *forecast_json(const struct coordinator *c, const struct plan *plan)
{
    struct plan_total total;
    plan_all(plan, &total);
    return json_pack("{s:I, s:f, s:b, s:o, s:o, s:o}", "now_ms", (json_int_t)clock_wall_ms(), "cores", plan->cores,
                     "feasible", plan->feasible, "all", total.rows ? total_json("name", "all", &total) : json_null(),
                     "units", units_json(plan), "batches", batches_json(c, plan));
}

static void list_narrow(const struct coordinator *c, const struct account *account, json_t *list)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *row = json_array_get(list, i), *unit = json_object_get(row, "unit");
        const char *id = json_string_value(json_object_get(row, "batch"));
        if (unit ? !account_covers(account, json_string_value(unit))
                 : !account_covers_batch(account, backlog_batch(c->backlog, id)))
            json_array_remove(list, i);
    }
}

void forecast_narrow(const struct coordinator *c, const struct account *account, json_t *forecast)
{
    if (!account->units)
        return;
    list_narrow(c, account, json_object_get(forecast, "units"));
    list_narrow(c, account, json_object_get(forecast, "batches"));
    list_narrow(c, account, json_object_get(forecast, "worse"));
    if (json_object_get(forecast, "all"))
        json_object_set_new(forecast, "all", json_null());
}

static void forecast_answer(struct coordinator *c, struct request *request, const struct plan *plan)
{
    json_t *forecast = forecast_json(c, plan);
    forecast_narrow(c, request_account(request), forecast);
    request_answer(request, 200, forecast);
}

void get_forecast(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(plan_destroy) struct plan plan = {0};
    static struct supply supply[CALENDAR_STEPS_MAX];
    size_t supplies = coordinator_supply(c, clock_wall_ms(), NULL, 0, supply);
    (void)args;
    plan_make(&plan, c->sched, clock_wall_ms(), supply, supplies, NULL);
    forecast_answer(c, request, &plan);
}

static bool subject_known(const struct coordinator *c, const char *subject)
{
    if (backlog_batch(c->backlog, subject) || target_of(c->backlog, subject, 0))
        return true;
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        if (c->backlog->batch[i] && batch_has_unit(c->backlog->batch[i], subject))
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
        if (!name || !sched_knows(c->sched, name))
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
    struct plan_ifs ifs = {.change = changes, .changes = json_array_size(list)};
    plan_make(&plan, c->sched, clock_wall_ms(), supply, supplies, &ifs);
    forecast_answer(c, request, &plan);
}

/* ---- what a re-run does to deadlines ---- */

/* It was on time or at risk and is that no more, or it is later still. */
static bool gets_worse(const struct plan_total *before, const struct plan_total *after)
{
    return after->verdict > before->verdict || (after->verdict == VERDICT_LATE && after->slack_ms < before->slack_ms);
}

/* Units of before are units of after, too: nothing was taken away. */
static json_t *worse_json(const struct plan *before, const struct plan *after)
{
    json_t *list = json_array();
    AUTO(mem_destroy) struct plan_unit *was = NULL;
    AUTO(mem_destroy) struct plan_unit *is = NULL;
    size_t units = plan_units(after, &is), known = plan_units(before, &was);
    for (size_t i = 0, k = 0; i < units; i++) {
        const struct plan_total *old = k < known && !strcmp(was[k].unit, is[i].unit) ? &was[k++].total : NULL;
        if (old ? !gets_worse(old, &is[i].total) : is[i].total.verdict < VERDICT_AT_RISK)
            continue;
        json_t *row = total_json("unit", is[i].unit, &is[i].total);
        json_object_set_new(row, "before", old ? total_json("unit", is[i].unit, old) : json_null());
        json_array_append_new(list, row);
    }
    return list;
}

json_t *forecast_effect_json(struct coordinator *c, const struct lot_pages *again, size_t count)
{
    AUTO(plan_destroy) struct plan before = {0}, after = {0};
    static struct supply supply[CALENDAR_STEPS_MAX];
    uint64_t now_ms = clock_wall_ms();
    size_t supplies = coordinator_supply(c, now_ms, NULL, 0, supply);
    struct plan_ifs ifs = {.again = again, .agains = count};
    struct plan_total was, is;
    plan_make(&before, c->sched, now_ms, supply, supplies, NULL);
    plan_make(&after, c->sched, now_ms, supply, supplies, &ifs);
    plan_all(&before, &was);
    plan_all(&after, &is);
    return json_pack("{s:o, s:o, s:o}", "ends_ms", moment_json(was.rows ? was.p50_ms : now_ms), "ends_then_ms",
                     moment_json(is.rows ? is.p50_ms : now_ms), "worse", worse_json(&before, &after));
}
