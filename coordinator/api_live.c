/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Nothing here looks at documents one by one but failures of one batch or unit. */
#include "coordinator/api_live.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/api_forecast.h"
#include "coordinator/api_units.h"
#include "coordinator/belonging.h"
#include "coordinator/gazetteer.h"
#include "coordinator/live.h"
#include "coordinator/shape.h"
#include "coordinator/watch.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum {
    VERDICTS = VERDICT_LATE + 1,
    ALERTS_MOST = 50, /* of a kind */
    SPAN_MOST_S = 30 * 86400,
    BATCHES_MOST = 1000,
    GROUP_BATCHES = 10, /* batches that a group of failures names */
    RATE_STEPS = 10,    /* pages a second are told to a tenth: smaller changes are none */
};

/* ---- all at a glance ---- */

static json_t *workers_count(const struct coordinator *c)
{
    struct worker_totals all;
    worker_totals_of(c, &all);
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "connected", (json_int_t)all.connected, "lost", (json_int_t)all.lost,
                     "drained", (json_int_t)all.drained, "slots", (json_int_t)all.slots, "busy_slots",
                     (json_int_t)all.busy_slots);
}

static json_t *batches_count(const struct backlog *backlog, const struct account *account)
{
    json_t *counts = json_pack("{s:i, s:i, s:i, s:i}", "running", 0, "paused", 0, "finished", 0, "withdrawn", 0);
    for (uint32_t i = 0; i < backlog->batches; i++) {
        if (!backlog->batch[i] || backlog->batch[i]->check_only || !account_covers_some(account, backlog->batch[i]))
            continue;
        json_t *count = json_object_get(counts, batch_state(backlog->batch[i]));
        json_integer_set(count, json_integer_value(count) + 1);
    }
    return counts;
}

static void verdicts_count(const struct live_unit *unit, size_t units, json_t *verdicts)
{
    json_int_t count[VERDICTS] = {0};
    for (size_t i = 0; i < units; i++)
        if (unit[i].total.rows)
            count[unit[i].total.verdict]++;
    for (int v = 0; v < VERDICTS; v++)
        json_object_set_new(verdicts, verdict_name(v), json_integer(count[v]));
}

struct alert_list {
    json_t *alerts;
    unsigned count[ALERT_KINDS];
};

static void alert_add(const struct alert *alert, const char *text, void *user)
{
    struct alert_list *list = user;
    if (list->count[alert->kind]++ < ALERTS_MOST)
        json_array_append_new(list->alerts,
                              json_pack("{s:s, s:s, s:I, s:s}", "kind", alert_rule(alert->kind)->name, "subject",
                                        alert->subject, "count", (json_int_t)alert->count, "text", text));
}

static json_t *alerts_json(const struct coordinator *c, const struct account *account)
{
    struct alert_list list = {.alerts = json_array()};
    watch_alerts(c, account, alert_add, &list);
    return list.alerts;
}

/* Those of the account; the caller frees. */
static struct live_unit *units_of(const struct coordinator *c, const struct account *account, size_t *ret_count)
{
    size_t count, kept = 0;
    const struct live_unit *unit = live_units(c->live, &count);
    struct live_unit *own = calloc(count + 1, sizeof *own);
    if (!own)
        abort();
    for (size_t i = 0; i < count; i++)
        if (account_covers(account, unit[i].unit))
            own[kept++] = unit[i];
    *ret_count = kept;
    return own;
}

static void left_add(struct plan_total *left, const struct plan_total *more)
{
    left->rows += more->rows;
    left->pages += more->pages;
    left->p50_ms = more->p50_ms > left->p50_ms ? more->p50_ms : left->p50_ms;
    left->p90_ms = more->p90_ms > left->p90_ms ? more->p90_ms : left->p90_ms;
}

json_t *overview_json(struct coordinator *c, const struct account *account, uint64_t now_ms)
{
    struct totals totals = {0};
    struct plan_total left = {0};
    size_t units;
    AUTO(mem_destroy) struct live_unit *unit = units_of(c, account, &units);
    json_t *verdicts = json_object();
    totals_of(c->backlog, account, &totals);
    verdicts_count(unit, units, verdicts);
    for (size_t i = 0; i < units; i++)
        if (unit[i].total.rows)
            left_add(&left, &unit[i].total);
    double rate = (double)(int64_t)(series_pages_per_s(live_series(c->live)) * RATE_STEPS + 0.5) / RATE_STEPS;
    return json_pack("{s:s, s:I, s:b, s:b, s:I, s:o, s:o, s:o, s:o, s:f, s:f, s:b, s:I, s:o, s:o, s:o, s:o}", "name",
                     c->name, "epoch", (json_int_t)store_epoch(c->store), "ready", clock_mono_ms() >= c->granting_ms,
                     "redis", committer_redis_ok(c->committer), "started_ms",
                     (json_int_t)(now_ms - (clock_mono_ms() - c->started_ms)) / 1000 * 1000, "documents",
                     documents_json(totals.docs), "pages", pages_json(totals.pages), "batches",
                     batches_count(c->backlog, account), "workers", workers_count(c), "pages_per_s", rate, "cores",
                     c->plan.cores, "feasible", c->plan.feasible || !left.rows, "pages_left", (json_int_t)left.pages,
                     "ends_p50_ms", left.rows ? moment_json(left.p50_ms) : json_null(), "ends_p90_ms",
                     left.rows ? moment_json(left.p90_ms) : json_null(), "verdicts", verdicts, "alerts",
                     alerts_json(c, account));
}

void get_overview(struct coordinator *c, struct request *request, const struct route_args *args)
{
    (void)args;
    request_answer(request, 200, overview_json(c, request_account(request), clock_wall_ms()));
}

void get_events(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct err err;
    (void)c;
    (void)args;
    if (request_follow(request, !request_account(request)->units, &err))
        request_answer_err(request, &err);
}

void get_workers(struct coordinator *c, struct request *request, const struct route_args *args)
{
    (void)args;
    request_answer(request, 200, json_pack("{s:o}", "workers", workers_json(c)));
}

/* ---- over time ---- */

void get_series(struct coordinator *c, struct request *request, const struct route_args *args)
{
    static struct series_step step[SERIES_STEPS_MAX];
    uint64_t step_ms, end_ms;
    uint32_t span_s = 3600;
    struct err err;
    (void)args;
    if (number_argument(request, "span", SPAN_MOST_S, &span_s, &err)) {
        request_answer_err(request, &err);
        return;
    }
    size_t count = series_take(live_series(c->live), span_s, &step_ms, &end_ms, step);
    json_t *pages = json_array(), *dead = json_array(), *busy = json_array(), *slots = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(pages, json_integer((json_int_t)step[i].pages));
        json_array_append_new(dead, json_integer((json_int_t)step[i].dead));
        json_array_append_new(busy, json_real((double)step[i].busy));
        json_array_append_new(slots, json_real((double)step[i].slots));
    }
    request_answer(request, 200,
                   json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "step_ms", (json_int_t)step_ms, "from_ms",
                             (json_int_t)(end_ms - count * step_ms), "pages", pages, "dead", dead, "busy", busy,
                             "slots", slots));
}

/* ---- units ---- */

/* Letters of all sorts: what a person types is looked for as it is, but for ASCII's upper case. */
static bool text_has(const char *text, const char *part)
{
    return !part || strcasestr(text, part);
}

static bool unit_wanted(const struct request *request, const struct live_unit *unit, const struct place *place)
{
    const char *kind = request_argument(request, "kind"), *verdict = request_argument(request, "verdict"),
               *part = request_argument(request, "q");
    size_t n = kind ? strlen(kind) : 0;
    if (n && (strncmp(unit->unit, kind, n) || unit->unit[n] != ':'))
        return false;
    if (verdict && *verdict && strcmp(verdict, unit->total.rows ? verdict_name(unit->total.verdict) : "done"))
        return false;
    return text_has(unit->unit, part) || (place && text_has(place->name, part));
}

static json_t *rate_needed(const struct plan_total *total, uint64_t now_ms)
{
    if (!total->rows || !total->deadline_ms || total->deadline_ms <= now_ms)
        return json_null();
    return json_real(total->pages * 1000 / (double)(total->deadline_ms - now_ms));
}

static json_t *unit_json(const struct live_unit *unit, const struct place *place, uint64_t now_ms)
{
    json_t *json = total_json("unit", unit->unit, &unit->total), *successors = json_array();
    for (size_t i = 0; place && i < place->successors; i++)
        json_array_append_new(successors, json_string(place->successor[i].place->unit));
    json_object_set_new(json, "name", json_string(place ? place->name : ""));
    json_object_set_new(json, "parent", json_string(place && place->parent ? place->parent->unit : ""));
    json_object_set_new(json, "successors", successors);
    json_object_set_new(json, "from", day_json(place ? place->from_day : 0));
    json_object_set_new(json, "until", day_json(place ? place->until_day : 0));
    json_object_set_new(json, "old", json_boolean(place && place_ended(place, day_of(now_ms))));
    json_object_set_new(json, "batches", json_integer(unit->batches));
    json_object_set_new(json, "documents", json_integer(unit->docs));
    json_object_set_new(json, "pages_left", json_integer((json_int_t)unit->total.pages));
    json_object_set_new(json, "pages", json_integer((json_int_t)unit->pages));
    json_object_set_new(json, "pages_done", json_integer((json_int_t)unit->pages_done));
    json_object_set_new(json, "pages_dead", json_integer((json_int_t)unit->dead));
    json_object_set_new(json, "expected", json_integer((json_int_t)unit->expected));
    json_object_set_new(json, "rate_now", json_real(unit->rate));
    json_object_set_new(json, "rate_needed", rate_needed(&unit->total, now_ms));
    if (!unit->total.rows) {
        json_object_set_new(json, "verdict", json_string("done"));
        json_object_set_new(json, "p50_ms", json_null());
        json_object_set_new(json, "p90_ms", json_null());
    }
    return json;
}

void units_write(const struct gazetteer *gazetteer, const struct live_unit *unit, size_t count, uint64_t taken_ms,
                 struct buf *text)
{
    buf_puts(text, "{\"units\":[");
    for (size_t i = 0; i < count; i++) {
        AUTO(json_drop) json_t *json = unit_json(&unit[i], gazetteer_find(gazetteer, unit[i].unit), taken_ms);
        AUTO(mem_destroy) char *row = json_dumps(json, JSON_COMPACT);
        buf_printf(text, "%s%s", i ? "," : "", row);
    }
    buf_puts(text, "]}\n");
}

/* It asks for all that there are, and may see them. */
static bool asks_for_all(struct request *request)
{
    static const char *const filter[] = {"q", "kind", "verdict"};
    bool all = !request_account(request)->units;
    for (size_t i = 0; i < sizeof filter / sizeof filter[0]; i++) {
        const char *value = request_argument(request, filter[i]);
        all = all && (!value || !*value);
    }
    return all;
}

void get_units(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *by = request_argument(request, "by");
    const struct buf *text = !by && asks_for_all(request) ? live_units_text(c->live) : NULL;
    if (by) {
        get_units_by(c, request, by);
        return;
    }
    if (text) {
        request_answer_text(request, 200, "application/json", text);
        return;
    }
    size_t count;
    const struct live_unit *unit = live_units(c->live, &count);
    json_t *units = json_array();
    (void)args;
    for (size_t i = 0; i < count; i++) {
        const struct place *place = place_find(unit[i].unit);
        if (account_covers(request_account(request), unit[i].unit) && unit_wanted(request, &unit[i], place))
            json_array_append_new(units, unit_json(&unit[i], place, live_units_ms(c->live)));
    }
    request_answer(request, 200, json_pack("{s:o}", "units", units));
}

/* One that is known by name stays where it is, also when it was merged into others, and if there is nothing of it. */
void get_unit(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const struct live_unit *unit = live_unit(c->live, args->word);
    const struct place *place = place_find(args->word);
    struct live_unit nothing = {0};
    struct err err;
    int rc = unit || place ? account_may_unit(request_account(request), args->word, &err)
                           : err_set(&err, E_ABSENT, "there is no unit '%.60s'", args->word);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    snprintf(nothing.unit, sizeof nothing.unit, "%s", args->word);
    request_answer(request, 200, unit_json(unit ? unit : &nothing, place, live_units_ms(c->live)));
}

/* ---- batches ---- */

/* Of the batch's documents, those whose unit belongs to the other most surely. */
static enum relation batch_relation(const struct batch *batch, const char *unit)
{
    const struct place *wanted = place_find(unit);
    enum relation best = RELATION_NONE;
    const char *last = NULL;
    if (!wanted)
        return batch_has_unit(batch, unit) ? RELATION_SURE : RELATION_NONE;
    for (uint32_t i = 0; i < batch->lots && best != RELATION_SURE; i++) {
        const char *name = batch->lot[i]->terms.unit;
        const struct place *place = last && !strcmp(last, name) ? NULL : place_find(name);
        enum relation relation = place ? belonging_to(place, wanted) : RELATION_NONE;
        best = relation > best ? relation : best;
        last = name;
    }
    return best;
}

static bool batch_wanted(struct request *request, const struct batch *batch, enum relation *ret_relation)
{
    const char *state = request_argument(request, "state"), *unit = request_argument(request, "unit");
    if (batch->check_only || !account_covers_some(request_account(request), batch) ||
        !text_has(batch->id, request_argument(request, "q")))
        return false;
    *ret_relation = unit && *unit ? batch_relation(batch, unit) : RELATION_SURE;
    return (!state || !*state || !strcmp(state, batch_state(batch))) && *ret_relation != RELATION_NONE;
}

/* One of a list; who asked for a unit is told whether it is of that. */
static json_t *batch_listed(const struct coordinator *c, struct request *request, const struct batch *batch,
                            enum relation relation)
{
    const char *unit = request_argument(request, "unit");
    json_t *json = batch_json(c, request_account(request), batch);
    if (unit && *unit)
        json_object_set_new(json, "belongs", json_string(relation == RELATION_SURE ? "sure" : "perhaps"));
    return json;
}

/* ?after=ID&limit=N: the next ones, the last admitted first. */
void get_batches(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *after = request_argument(request, "after");
    uint32_t limit = BATCHES_MOST, total = 0;
    bool begun = !after || !*after;
    struct err err;
    json_t *batches = json_array(), *next = json_null();
    (void)args;
    if (number_argument(request, "limit", BATCHES_MOST, &limit, &err)) {
        json_decref(batches);
        request_answer_err(request, &err);
        return;
    }
    for (uint32_t i = c->backlog->batches; i-- > 0;) {
        const struct batch *batch = c->backlog->batch[i];
        enum relation relation;
        if (!batch || !batch_wanted(request, batch, &relation))
            continue;
        total++;
        if (begun && json_array_size(batches) < limit) {
            json_array_append_new(batches, batch_listed(c, request, batch, relation));
        } else if (begun && json_is_null(next)) {
            next = json_incref(json_object_get(json_array_get(batches, json_array_size(batches) - 1), "id"));
        }
        begun = begun || !strcmp(batch->id, after);
    }
    request_answer(request, 200,
                   json_pack("{s:o, s:o, s:I}", "batches", batches, "next", next, "total", (json_int_t)total));
}

/* ---- failures ---- */

struct failures { /* of one code */
    int code;
    uint32_t docs, most; /* most: documents of the fault whose words are shown */
    const char *text;
    const struct batch *batch[GROUP_BATCHES];
    uint32_t batches;
};

static struct failures *failures_of(struct buf *groups, int code)
{
    struct failures *at = (struct failures *)(void *)groups->data, fresh = {.code = code};
    for (size_t i = 0; i < groups->size / sizeof *at; i++)
        if (at[i].code == code)
            return &at[i];
    buf_append(groups, &fresh, sizeof fresh);
    return (struct failures *)(void *)groups->data + groups->size / sizeof fresh - 1;
}

static void failure_add(struct buf *groups, const struct fault *fault, uint32_t docs)
{
    struct failures *group = failures_of(groups, fault->code);
    group->docs += docs;
    if (docs > group->most) {
        group->most = docs;
        group->text = fault->text;
    }
}

static void batch_add_failures(const struct coordinator *c, const struct account *account, const struct batch *batch,
                               const char *unit, struct buf *groups)
{
    for (uint32_t i = 0; i < batch->lots; i++) {
        const struct lot *lot = batch->lot[i];
        if ((*unit && strcmp(unit, lot->terms.unit)) || !account_covers(account, lot->terms.unit))
            continue;
        if (!lot->doc_count[SOHOA__DOC_STATE__DOC_DEAD] && !lot->doc_count[SOHOA__DOC_STATE__DOC_REFUSED] &&
            !lot->doc_count[SOHOA__DOC_STATE__DOC_QUARANTINED])
            continue;
        for (uint32_t d = doc_next(batch, lot->first_doc); d < lot->first_doc + lot->docs; d = doc_next(batch, d + 1)) {
            const struct doc *doc = doc_look(batch, d);
            if (!doc_failed(doc))
                continue;
            struct failures *group = failures_of(groups, c->backlog->fault[doc->fault].code);
            failure_add(groups, &c->backlog->fault[doc->fault], 1);
            if (group->batches < GROUP_BATCHES && (!group->batches || group->batch[group->batches - 1] != batch))
                group->batch[group->batches++] = batch;
        }
    }
}

static int failures_order(const void *a, const void *b)
{
    const struct failures *x = a, *y = b;
    return x->docs < y->docs ? 1 : -(x->docs > y->docs);
}

static json_t *failures_json(const struct failures *group)
{
    json_t *batches = json_array();
    AUTO(buf_destroy) struct buf where = {0};
    for (uint32_t i = 0; i < group->batches; i++)
        json_array_append_new(batches, json_string(group->batch[i]->id));
    buf_printf(&where, "error=%s", err_name(group->code));
    return json_pack("{s:s, s:s, s:s, s:I, s:o, s:s}", "code", err_name(group->code), "meaning",
                     err_meaning(group->code), "text", group->text, "documents", (json_int_t)group->docs, "batches",
                     batches, "where", buf_text(&where));
}

/* Of all, by the counts that are kept; of a batch, a unit or an account's units their documents are looked at. */
void get_failures(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *unit = request_argument(request, "unit"), *id = request_argument(request, "batch");
    AUTO(buf_destroy) struct buf groups = {0};
    const struct account *account = request_account(request);
    bool some = (unit && *unit) || (id && *id) || account->units;
    (void)args;
    for (uint32_t i = 0; !some && i < c->backlog->faults; i++)
        if (c->backlog->fault[i].docs)
            failure_add(&groups, &c->backlog->fault[i], c->backlog->fault[i].docs);
    for (uint32_t i = 0; some && i < c->backlog->batches; i++)
        if (c->backlog->batch[i] && !c->backlog->batch[i]->check_only &&
            (!id || !*id || !strcmp(id, c->backlog->batch[i]->id)))
            batch_add_failures(c, account, c->backlog->batch[i], unit ? unit : "", &groups);
    struct failures *group = (struct failures *)(void *)groups.data;
    size_t count = groups.size / sizeof *group;
    json_t *list = json_array();
    if (count)
        qsort(group, count, sizeof *group, failures_order);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, failures_json(&group[i]));
    request_answer(request, 200, json_pack("{s:o}", "groups", list));
}
