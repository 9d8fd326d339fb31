/* SPDX-License-Identifier: AGPL-3.0-or-later
 * All is told from counts that are kept and from the table of units that is taken every LIVE_UNITS_MS: nothing here looks at documents, so
 * that many batches cost a scrape no more than their number. */
#include "coordinator/api_metrics.h"

#include <math.h>
#include <string.h>

#include "coordinator/auth.h"
#include "coordinator/live.h"
#include "coordinator/shape.h"
#include "coordinator/watch.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/self.h"

enum { BATCH_STATES = 4, VERDICTS = VERDICT_LATE + 2 /* and done */ };

static const struct account everybody; /* of all units */

static void put(struct exposition *to, enum coordinator_metric metric, double value)
{
    metric_put(to, &coordinator_metric[metric], value);
}

static void begin(struct exposition *to, enum coordinator_metric metric)
{
    metric_begin(to, &coordinator_metric[metric]);
}

/* ---- the coordinator itself ---- */

static void space_tell(const struct coordinator *c, struct exposition *to)
{
    uint64_t used_bytes, total_bytes;
    bool known = watch_space(c->watch, &used_bytes, &total_bytes);
    begin(to, CM_STORE_USED);
    if (known)
        metric_add(to, (double)used_bytes, NULL, NULL);
    begin(to, CM_STORE_TOTAL);
    if (known)
        metric_add(to, (double)total_bytes, NULL, NULL);
}

static void self_tell(struct coordinator *c, struct exposition *to)
{
    uint64_t now_ms = clock_mono_ms();
    begin(to, CM_BUILD);
    metric_add(to, 1, "coordinator", SOHOA_BUILD);
    put(to, CM_ACTIVE, 1);
    put(to, CM_EPOCH, (double)store_epoch(c->store));
    put(to, CM_UPTIME, (double)(now_ms - c->started_ms) / 1000);
    put(to, CM_READY, now_ms >= c->granting_ms);
    put(to, CM_REDIS_OK, committer_redis_ok(c->committer));
    space_tell(c, to);
    put(to, CM_MEMORY, (double)self_rss_bytes());
    put(to, CM_CPU, self_cpu_s());
}

static void times_tell(const struct coordinator *c, struct exposition *to)
{
    begin(to, CM_COMMIT);
    metric_add_histogram(to, &c->meter.commit, NULL);
    begin(to, CM_TURN);
    metric_add_histogram(to, &c->meter.turn, NULL);
}

static void http_tell_counts(const struct coordinator *c, struct exposition *to)
{
    struct http_counts counts;
    http_count(c->http, &counts);
    begin(to, CM_HTTP);
    for (unsigned class = 2; class < HTTP_CLASSES; class ++) {
        const char name[] = {(char)('0' + class), 'x', 'x', '\0'};
        metric_add(to, (double)counts.answered[class], name, NULL);
    }
    put(to, CM_FOLLOWERS, counts.followers);
}

/* ---- the backlog ---- */

static void totals_tell(const struct coordinator *c, struct exposition *to)
{
    struct totals totals = {0};
    totals_of(c->backlog, &everybody, &totals);
    begin(to, CM_DOCUMENTS);
    for (int s = 0; s < DOC_STATES; s++)
        metric_add(to, (double)totals.docs[s], doc_state_name(s), NULL);
    begin(to, CM_PAGES);
    for (int s = 0; s < PAGE_STATES; s++)
        metric_add(to, (double)totals.pages[s], page_state_name(s), NULL);
}

static void faults_tell(const struct coordinator *c, struct exposition *to)
{
    struct toll documents = {0};
    for (uint32_t i = 0; i < c->backlog->faults; i++)
        if (c->backlog->fault[i].docs)
            toll_count(&documents, c->backlog->fault[i].code, c->backlog->fault[i].docs);
    toll_put(to, &coordinator_metric[CM_DOCUMENTS_FAILED], &documents);
    toll_put(to, &coordinator_metric[CM_FAILURES], &c->meter.failures);
}

static void batches_tell(const struct coordinator *c, struct exposition *to)
{
    static const char *const state[BATCH_STATES] = {"running", "paused", "finished", "withdrawn"};
    uint32_t count[BATCH_STATES] = {0}, broken = 0;
    uint64_t read = 0;
    for (uint32_t i = 0; i < c->backlog->batches; i++) {
        const struct batch *batch = c->backlog->batch[i];
        if (!batch || batch->check_only)
            continue;
        read += batch->pages_read;
        broken += batch->standing.paused && batch->standing.fault != NONE;
        for (int s = 0; s < BATCH_STATES; s++)
            count[s] += !strcmp(state[s], batch_state(batch));
    }
    put(to, CM_PAGES_READ, (double)read);
    put(to, CM_PAGES_DEAD, (double)c->meter.pages_dead);
    put(to, CM_PAGES_PER_SECOND, series_pages_per_s(live_series(c->live)));
    begin(to, CM_BATCHES);
    for (int s = 0; s < BATCH_STATES; s++)
        metric_add(to, count[s], state[s], NULL);
    put(to, CM_BATCHES_BROKEN, broken);
}

static void grants_tell(const struct coordinator *c, struct exposition *to)
{
    static const char *const kind[METER_KINDS] = {"", "probe", "pages", "assemble"};
    put(to, CM_LEASES, sched_leases(c->sched));
    begin(to, CM_GRANTS);
    for (int k = 1; k < METER_KINDS; k++)
        metric_add(to, (double)c->meter.grants[k], kind[k], NULL);
}

/* ---- workers ---- */

static double connected_of(const struct sched_worker *worker, const struct peer *peer)
{
    (void)peer;
    return worker->connected;
}

static double drained_of(const struct sched_worker *worker, const struct peer *peer)
{
    (void)peer;
    return worker->drained;
}

static double slots_of(const struct sched_worker *worker, const struct peer *peer)
{
    (void)peer;
    return worker->slots;
}

/* What a worker that is gone said last is not so any more. */
static double busy_of(const struct sched_worker *worker, const struct peer *peer)
{
    return worker->connected ? peer->busy_slots : 0;
}

static double leases_of(const struct sched_worker *worker, const struct peer *peer)
{
    (void)peer;
    return worker->leases;
}

static double memory_of(const struct sched_worker *worker, const struct peer *peer)
{
    return worker->connected ? (double)peer->rss_bytes : 0;
}

static double pace_of(const struct sched_worker *worker, const struct peer *peer)
{
    (void)peer;
    return (double)worker->pace;
}

static const struct {
    enum coordinator_metric metric;
    double (*of)(const struct sched_worker *worker, const struct peer *peer);
} worker_rule[] = {
    {CM_WORKER_CONNECTED,  connected_of},
    {CM_WORKER_DRAINED,    drained_of  },
    {CM_WORKER_SLOTS,      slots_of    },
    {CM_WORKER_SLOTS_BUSY, busy_of     },
    {CM_WORKER_LEASES,     leases_of   },
    {CM_WORKER_MEMORY,     memory_of   },
    {CM_WORKER_PACE,       pace_of     },
};

/* Returns how many are not told one by one. */
static uint32_t workers_tell(const struct coordinator *c, struct exposition *to)
{
    static const struct peer unheard; /* of which only an order is known */
    uint32_t workers = sched_workers(c->sched), told = workers < METRIC_WORKERS_MAX ? workers : METRIC_WORKERS_MAX;
    struct worker_totals all;
    worker_totals_of(c, &all);
    put(to, CM_WORKERS_CONNECTED, all.connected);
    put(to, CM_WORKERS_LOST, all.lost);
    put(to, CM_WORKERS_DRAINED, all.drained);
    put(to, CM_SLOTS, all.slots);
    put(to, CM_SLOTS_BUSY, all.busy_slots);
    put(to, CM_CORES, c->plan.cores);
    for (size_t r = 0; r < sizeof worker_rule / sizeof worker_rule[0]; r++) {
        begin(to, worker_rule[r].metric);
        for (uint32_t i = 0; i < told; i++) {
            const struct sched_worker *worker = sched_worker(c->sched, i);
            metric_add(to, worker_rule[r].of(worker, i < c->peers ? &c->peer[i] : &unheard), worker->name, NULL);
        }
    }
    return workers - told;
}

/* ---- units: NAN where there is nothing to tell ---- */

static double seconds(uint64_t ms)
{
    return ms == FORECAST_NEVER ? INFINITY : (double)ms / 1000;
}

static double done_of(const struct live_unit *unit)
{
    return (double)unit->pages_done;
}

static double dead_of(const struct live_unit *unit)
{
    return (double)unit->dead;
}

static double left_of(const struct live_unit *unit)
{
    return trunc(unit->total.pages);
}

static double expected_of(const struct live_unit *unit)
{
    return unit->expected ? (double)unit->expected : NAN;
}

static double rate_of(const struct live_unit *unit)
{
    return unit->rate;
}

static double deadline_of(const struct live_unit *unit)
{
    return unit->total.deadline_ms ? seconds(unit->total.deadline_ms) : NAN;
}

static double slack_of(const struct live_unit *unit)
{
    const struct plan_total *total = &unit->total;
    if (!total->rows || !total->deadline_ms)
        return NAN;
    return total->p50_ms == FORECAST_NEVER ? -INFINITY : (double)total->slack_ms / 1000;
}

static double cores_of(const struct live_unit *unit)
{
    return unit->total.rows ? unit->total.cores_needed : 0;
}

static const struct {
    enum coordinator_metric metric;
    double (*of)(const struct live_unit *unit);
} unit_rule[] = {
    {CM_UNIT_DONE,     done_of    },
    {CM_UNIT_DEAD,     dead_of    },
    {CM_UNIT_LEFT,     left_of    },
    {CM_UNIT_EXPECTED, expected_of},
    {CM_UNIT_RATE,     rate_of    },
    {CM_UNIT_DEADLINE, deadline_of},
    {CM_UNIT_SLACK,    slack_of   },
    {CM_UNIT_CORES,    cores_of   },
};

/* An empty label would be none. */
static const char *unit_label(const struct live_unit *unit)
{
    return *unit->unit ? unit->unit : "none";
}

static const char *verdict_label(const struct live_unit *unit)
{
    return unit->total.rows ? verdict_name(unit->total.verdict) : "done";
}

static void forecasts_tell(const struct live_unit *unit, size_t told, struct exposition *to)
{
    begin(to, CM_UNIT_FINISH);
    for (size_t i = 0; i < told; i++) {
        if (!unit[i].total.rows)
            continue;
        metric_add(to, seconds(unit[i].total.p50_ms), unit_label(&unit[i]), "0.5");
        metric_add(to, seconds(unit[i].total.p90_ms), unit_label(&unit[i]), "0.9");
    }
}

static void verdicts_tell(const struct live_unit *unit, size_t units, size_t told, struct exposition *to)
{
    uint32_t count[VERDICTS] = {0};
    begin(to, CM_UNIT_VERDICT);
    for (size_t i = 0; i < told; i++)
        metric_add(to, 1, unit_label(&unit[i]), verdict_label(&unit[i]));
    for (size_t i = 0; i < units; i++)
        count[unit[i].total.rows ? unit[i].total.verdict : VERDICT_LATE + 1]++;
    begin(to, CM_UNITS);
    for (int v = 0; v < VERDICTS; v++)
        metric_add(to, count[v], v > VERDICT_LATE ? "done" : verdict_name((enum verdict)v), NULL);
}

/* Returns how many are not told one by one. */
static size_t units_tell(const struct coordinator *c, struct exposition *to)
{
    size_t units;
    const struct live_unit *unit = live_units(c->live, &units);
    size_t told = units < METRIC_UNITS_MAX ? units : METRIC_UNITS_MAX;
    put(to, CM_FEASIBLE, c->plan.feasible || !c->plan.rows);
    for (size_t r = 0; r < sizeof unit_rule / sizeof unit_rule[0]; r++) {
        begin(to, unit_rule[r].metric);
        for (size_t i = 0; i < told; i++) {
            double value = unit_rule[r].of(&unit[i]);
            if (!isnan(value))
                metric_add(to, value, unit_label(&unit[i]), NULL);
        }
    }
    forecasts_tell(unit, told, to);
    verdicts_tell(unit, units, told, to);
    return units - told;
}

/* ---- what is asked for ---- */

static void get_metrics(struct coordinator *c, struct request *request)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct exposition to = {.text = &text};
    self_tell(c, &to);
    totals_tell(c, &to);
    batches_tell(c, &to);
    faults_tell(c, &to);
    grants_tell(c, &to);
    times_tell(c, &to);
    uint32_t workers = workers_tell(c, &to);
    size_t units = units_tell(c, &to);
    begin(&to, CM_OMITTED);
    metric_add(&to, (double)units, "unit", NULL);
    metric_add(&to, workers, "worker", NULL);
    http_tell_counts(c, &to);
    request_answer_text(request, 200, METRIC_CONTENT_TYPE, &text);
}

static void answer_word(struct request *request, unsigned status, const char *word)
{
    AUTO(buf_destroy) struct buf text = {0};
    buf_printf(&text, "%s\n", word);
    request_answer_text(request, status, "text/plain; charset=utf-8", &text);
}

static void get_healthz(struct coordinator *c, struct request *request)
{
    (void)c;
    answer_word(request, 200, "ok");
}

static void get_readyz(struct coordinator *c, struct request *request)
{
    if (clock_mono_ms() < c->granting_ms)
        answer_word(request, 503, "known workers are waited for");
    else if (!committer_redis_ok(c->committer))
        answer_word(request, 503, "Redis does not hold what memory holds");
    else
        answer_word(request, 200, "ok");
}

static const struct {
    const char *path;
    void (*handle)(struct coordinator *c, struct request *request);
    enum right right;
} watch_rule[] = {
    {"/metrics", get_metrics, RIGHT_READ},
    {"/healthz", get_healthz, RIGHT_NONE},
    {"/readyz",  get_readyz,  RIGHT_NONE},
};

bool metrics_handle(struct coordinator *c, struct request *request)
{
    struct err err;
    size_t i = 0, rules = sizeof watch_rule / sizeof watch_rule[0];
    while (i < rules && strcmp(watch_rule[i].path, request_path(request)))
        i++;
    if (i == rules || (strcmp(request_method(request), "GET") && strcmp(request_method(request), "HEAD")))
        return false;
    request_add_header(request, "Cache-Control", "no-store");
    if (auth_check(c, request, watch_rule[i].right, REACH_ALL, &err))
        request_answer_err(request, &err);
    else
        watch_rule[i].handle(c, request);
    return true;
}
