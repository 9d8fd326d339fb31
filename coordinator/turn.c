/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a turn of the loop does between the frames it takes and those it sends: actions become a group, groups become durable
 * one after the other, and only then is anything acknowledged, granted or removed. No socket and no thread is made here. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/review.h"
#include "coordinator/stopping.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum {
    PLAN_MS = 5000,     /* who comes next is planned anew this often */
    EXPIRE_MS = 1000,   /* leases are looked through this often */
    REWRITE_MS = 500,   /* Redis is tried again this often */
    GATHER_MS = 4,      /* a group is collected for as long ... */
    GATHER_ACKS = 1000, /* ... or until it has that many results: a commit costs the same for one and for many */
};

/* ---- after each event ---- */

static void drop_lease(struct coordinator *c, uint32_t worker, uint64_t lease)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Drop body = SOHOA__DROP__INIT;
    body.leases = &lease;
    body.n_leases = 1;
    frame.body_case = SOHOA__FRAME__BODY_DROP;
    frame.drop = &body;
    gate_send(c->gate, sched_worker(c->sched, worker)->name, &frame);
}

static const char *doc_page(const struct coordinator *c, const struct doc *doc, uint32_t page_no)
{
    return doc->work == NONE ? "-" : trace_page(c->backlog->work[doc->work].sha256, page_no);
}

static void broken_trace(const struct coordinator *c, const struct batch *batch)
{
    struct err err;
    Sohoa__Err wire;
    fault_wire(c->backlog, batch->standing.fault, &wire);
    err_from_wire(&wire, &err);
    trace_err(TRACE_ERROR, "batch_broken", &err, "batch=%s", batch->id);
}

/* With the workers' lines of the same page=, a page's whole story. */
static void act_trace(const struct coordinator *c, const struct act *act)
{
    if (act->kind == ACT_BROKEN)
        broken_trace(c, c->backlog->batch[act->doc.batch]);
    if (act->kind != ACT_OUTCOME && act->kind != ACT_STORED && act->kind != ACT_DEAD)
        return;
    if (!trace_on(act->kind == ACT_OUTCOME ? TRACE_INFO : act->kind == ACT_STORED ? TRACE_DEBUG : TRACE_WARN))
        return;
    const struct doc *doc = doc_at(c->backlog, act->doc);
    const char *batch = c->backlog->batch[act->doc.batch]->id;
    if (act->kind == ACT_OUTCOME)
        trace(TRACE_INFO, "document", "batch=%s doc=%u state=%s page=%s pages=%u dead=%u generation=%u", batch,
              act->doc.doc, doc_state_name(doc->state), doc_page(c, doc, 0), doc->pages, doc->pages_dead,
              doc->generation);
    else if (act->kind == ACT_STORED)
        trace(TRACE_DEBUG, "pages_stored", "batch=%s doc=%u page=%s count=%u", batch, act->doc.doc,
              doc_page(c, doc, act->first), act->count);
    else if (act->fault != NONE) {
        struct err err;
        Sohoa__Err wire;
        fault_wire(c->backlog, act->fault, &wire);
        err_from_wire(&wire, &err);
        trace_err(TRACE_WARN, "page_dead", &err, "batch=%s doc=%u page=%s count=%u", batch, act->doc.doc,
                  doc_page(c, doc, act->first), act->count);
    }
}

static void outcome_note(struct coordinator *c, const struct act *act)
{
    if (c->recall && act->kind == ACT_OUTCOME)
        buf_append(&c->ended, &act->doc, sizeof act->doc);
    if (act->kind == ACT_OUTCOME && doc_at(c->backlog, act->doc)->state == SOHOA__DOC_STATE__DOC_QUARANTINED)
        review_purge(c->reviews, c->backlog->batch[act->doc.batch], act->doc.doc);
}

void coordinator_apply(struct coordinator *c)
{
    group_add(c->group, c->backlog, &c->acts);
    for (size_t i = 0; i < c->acts.count; i++) {
        act_trace(c, &c->acts.at[i]);
        outcome_note(c, &c->acts.at[i]);
        if (c->acts.at[i].kind == ACT_DEAD)
            c->meter.pages_dead += c->acts.at[i].count;
        if (c->acts.at[i].kind == ACT_DROP)
            drop_lease(c, c->acts.at[i].worker, c->acts.at[i].lease);
        if (c->acts.at[i].kind == ACT_STOPPED)
            views_stop(c->views, c->backlog->work[c->acts.at[i].work].sha256);
    }
    c->acts.count = 0;
}

/* ---- what is removed once it is of no more use ---- */

struct removal {
    struct io_task task;
    struct store *store;
    struct buf names, purge;
    size_t count, purge_count;
};

static void remove_blob(struct store *store, const char *name)
{
    struct err err;
    if (store_remove(store, name, &err))
        trace_err(TRACE_WARN, "removal_failed", &err, "blob=%s", name);
}

static int name_found(const char *name, void *user)
{
    buf_append(user, name, strlen(name) + 1);
    return 0;
}

void blobs_remove(struct store *store, const char *prefix)
{
    AUTO(buf_destroy) struct buf found = {0};
    struct err err;
    if (store_list(store, prefix, name_found, &found, &err))
        trace_err(TRACE_WARN, "removal_failed", &err, "prefix=%s", prefix);
    const char *name = buf_text(&found), *end = name + found.size;
    for (; name < end; name += strlen(name) + 1)
        remove_blob(store, name);
}

static void remove_stopped(struct store *store, const struct buf *purge, size_t count)
{
    const char *stop = NULL, *name = buf_text(purge);
    struct err err;
    for (size_t i = 0; i < count; i++, name += strlen(name) + 1) {
        if (!strncmp(name, "stop/", 5))
            stop = name;
        else if (store_stat(store, stop, NULL, &err) == E_ABSENT)
            continue;
        else if (name[strlen(name) - 1] == '/')
            blobs_remove(store, name);
        else
            remove_blob(store, name);
    }
}

static void removal_work(struct io_task *task)
{
    struct removal *removal = (struct removal *)task;
    const char *name = buf_text(&removal->names);
    for (size_t i = 0; i < removal->count; i++, name += strlen(name) + 1)
        remove_blob(removal->store, name);
    remove_stopped(removal->store, &removal->purge, removal->purge_count);
}

static void removal_done(struct io_task *task)
{
    struct removal *removal = (struct removal *)task;
    buf_destroy(&removal->names);
    buf_destroy(&removal->purge);
    free(removal);
}

static struct removal *removal_new(struct coordinator *c)
{
    struct removal *removal = calloc(1, sizeof *removal);
    if (!removal)
        abort();
    removal->task = (struct io_task){.work = removal_work, .done = removal_done};
    removal->store = c->store;
    return removal;
}

void coordinator_remove(struct coordinator *c, const char *name)
{
    struct removal *removal = removal_new(c);
    removal->count = 1;
    buf_append(&removal->names, name, strlen(name) + 1);
    io_submit(c->back_io, &removal->task);
}

static void remove_garbage(struct coordinator *c, const struct group *group)
{
    size_t count, purge_count;
    const struct buf *names = group_garbage(group, &count), *purge = group_purge(group, &purge_count);
    if (!count && !purge_count)
        return;
    struct removal *removal = removal_new(c);
    removal->count = count;
    removal->purge_count = purge_count;
    buf_append(&removal->names, names->data, names->size);
    buf_append(&removal->purge, purge->data, purge->size);
    io_submit(c->back_io, &removal->task);
}

/* ---- commits ---- */

void turn_committed(struct group *group, int rc, const struct err *err, void *user)
{
    struct coordinator *c = user;
    size_t count = 0;
    if (c->meter.commit_ms && !rc)
        histogram_count(&c->meter.commit, &coordinator_metric[CM_COMMIT],
                        (double)(clock_mono_ms() - c->meter.commit_ms) / 1000);
    const struct group_then *then = group ? group_thens(group, &count) : NULL;
    for (size_t i = 0; i < count; i++)
        then[i].tell(rc, err, then[i].user);
    if (rc) {
        c->rc = rc;
        c->err = *err;
        c->stop = true;
        group_destroy(&group);
        return;
    }
    peers_acknowledge(c, group);
    const struct group_placed *placed = group_placed(group, &count);
    for (size_t i = 0; i < count; i++)
        sched_placed(c->sched, placed[i].ref, placed[i].generation);
    remove_garbage(c, group);
    group_destroy(&group);
}

/* How long the group may still grow; TURN_MOST_MS: there is none. */
static int gather_wait_ms(struct coordinator *c, uint64_t now_ms)
{
    size_t acks, thens;
    if (group_empty(c->group))
        return TURN_MOST_MS;
    if (!c->group_ms)
        c->group_ms = now_ms;
    group_acks(c->group, &acks);
    group_thens(c->group, &thens);
    bool due = now_ms - c->group_ms >= GATHER_MS || acks >= GATHER_ACKS || thens;
    return due ? 0 : (int)(c->group_ms + GATHER_MS - now_ms);
}

int turn_wait_ms(struct coordinator *c, uint64_t now_ms)
{
    bool writing = !committer_idle(c->committer) || c->admitting; /* its end wakes the loop */
    return writing ? TURN_MOST_MS : gather_wait_ms(c, now_ms);
}

void turn_commit(struct coordinator *c, uint64_t now_ms)
{
    if (!committer_idle(c->committer) || c->admitting)
        return;
    /* By turns: neither waits for a pause of the other. */
    bool due = gather_wait_ms(c, now_ms) == 0;
    if ((!due || !c->admitted_last) && admissions_start(c)) {
        c->admitted_last = true;
        return;
    }
    c->admitted_last = false;
    if (due) {
        group_seal(c->group, c->backlog);
        c->meter.commit_ms = now_ms;
        committer_submit(c->committer, c->group);
        c->group = group_new(c->history, c->tally, c->twins);
        c->group_ms = 0;
    } else if (group_empty(c->group) && !committer_redis_ok(c->committer) && now_ms >= c->rewrite_ms) {
        c->rewrite_ms = now_ms + REWRITE_MS;
        c->rewrites++;
        committer_rewrite(c->committer, c->backlog, c->sched, &c->awaited);
    }
}

/* ---- the plan ---- */

/* What can't be on time any more is said once, when it is found. */
static void plan_trace(const struct plan *before, const struct plan *plan)
{
    if (before->rows && before->feasible == plan->feasible)
        return;
    uint32_t late = 0;
    for (size_t i = 0; i < plan->rows; i++)
        late += plan->row[i].outlook.verdict == VERDICT_LATE;
    if (!plan->feasible)
        trace(TRACE_WARN, "deadlines_missed", "lots=%u late=%u cores=%.1f", (unsigned)plan->rows, late, plan->cores);
    else if (before->rows)
        trace(TRACE_INFO, "deadlines_met", "lots=%u cores=%.1f", (unsigned)plan->rows, plan->cores);
}

void coordinator_calendar(struct coordinator *c, struct calendar *calendar, const char *csv)
{
    calendar_destroy(&c->calendar);
    c->calendar = calendar;
    buf_clear(&c->calendar_csv);
    buf_puts(&c->calendar_csv, csv);
}

static bool is_without(const struct buf *without, const char *name)
{
    const char *const *at = without ? (const char *const *)(const void *)without->data : NULL;
    for (size_t i = 0; without && i < without->size / sizeof *at; i++)
        if (!strcmp(at[i], name))
            return true;
    return false;
}

size_t coordinator_supply(const struct coordinator *c, uint64_t now_ms, const struct buf *without, double add,
                          struct supply *supply)
{
    double slots = 0, use = sched_use(c->sched);
    for (uint32_t i = 0; i < sched_workers(c->sched); i++) {
        const struct sched_worker *worker = sched_worker(c->sched, i);
        if (worker->connected && !worker->drained && !is_without(without, worker->name) &&
            !calendar_names(c->calendar, worker->name))
            slots += worker->slots;
    }
    double cores = slots * use + add;
    return calendar_supply(c->calendar, now_ms, cores > 0 ? cores : 0, use, supply);
}

static void turn_plan(struct coordinator *c, uint64_t now_ms)
{
    static struct supply supply[CALENDAR_STEPS_MAX];
    struct plan plan = {0};
    c->plan_ms = now_ms + PLAN_MS;
    sched_measure(c->sched, now_ms);
    size_t supplies = coordinator_supply(c, clock_wall_ms(), NULL, 0, supply);
    plan_make(&plan, c->sched, clock_wall_ms(), supply, supplies, NULL);
    if (plan.cores > 0 || supplies > 1) { /* without workers nothing can be said, and nothing is granted */
        plan_apply(&plan, c->sched);
        plan_trace(&c->plan, &plan);
    }
    plan_destroy(&c->plan);
    c->plan = plan;
}

/* ---- time ---- */

void turn_time(struct coordinator *c, uint64_t now_ms)
{
    if (now_ms >= c->beat_ms) {
        c->beat_ms = now_ms + (uint64_t)config_int(c->config, CFG_HEARTBEAT_MS);
        peers_tick(c, now_ms);
    }
    if (now_ms >= c->expire_ms) {
        c->expire_ms = now_ms + EXPIRE_MS;
        sched_expire(c->sched, now_ms, &c->acts);
        coordinator_apply(c);
        checks_expire(c, now_ms);
    }
    stopping_tick(c, now_ms);
    if (now_ms >= c->plan_ms)
        turn_plan(c, now_ms);
    if (!c->stop) { /* the reason to stop is not to be overwritten */
        c->rc = renewal_look(c->renewal, &c->err);
        c->stop = c->rc;
    }
}
