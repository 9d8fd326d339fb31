/* SPDX-License-Identifier: AGPL-3.0-or-later
 * sohoa-coordinator: one loop. It waits for workers' frames, API requests, ends of writes and the clock; turns what they
 * say into the scheduler's events; grants what can run; and hands what must be durable to the committer, a group at a
 * time. Only then is anything acknowledged. It holds the store's lock for all its life: losing it ends the process. */
#include "coordinator/coordinator.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "coordinator/http.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "storage/name.h"

enum {
    TICK_MS = 50,         /* the longest the loop sleeps */
    PLAN_MS = 5000,       /* who comes next is planned anew this often */
    EXPIRE_MS = 1000,     /* leases are looked through this often */
    REWRITE_MS = 500,     /* Redis is tried again this often */
    LOCK_RETRY_MS = 500,  /* a standby asks for the lock this often */
    LEASES_AN_EPOCH = 40, /* bits: lease numbers never repeat over restarts */
    BACK_THREADS = 4,
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

/* With the workers' lines of the same page=, a page's whole story. */
static void broken_trace(const struct coordinator *c, const struct batch *batch)
{
    struct err err;
    Sohoa__Err wire;
    fault_wire(c->backlog, batch->standing.fault, &wire);
    err_from_wire(&wire, &err);
    trace_err(TRACE_ERROR, "batch_broken", &err, "batch=%s", batch->id);
}

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

void coordinator_apply(struct coordinator *c)
{
    group_add(c->group, c->backlog, &c->acts);
    for (size_t i = 0; i < c->acts.count; i++) {
        act_trace(c, &c->acts.at[i]);
        if (c->acts.at[i].kind == ACT_DROP)
            drop_lease(c, c->acts.at[i].worker, c->acts.at[i].lease);
    }
    c->acts.count = 0;
}

int coordinator_row(struct coordinator *c, struct doc_ref ref, struct row *row, char **ret_source, struct err *err)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    uint32_t piece = batch_piece(batch, ref.doc), nth = ref.doc - batch->piece[piece].first_doc;
    return ret_source ? rows_source(c->rows, batch->id, piece, nth, ret_source, row, err)
                      : rows_read(c->rows, batch->id, piece, nth, row, err);
}

/* ---- what is removed once it is of no more use ---- */

struct removal {
    struct io_task task;
    struct store *store;
    struct buf names, prefixes;
    size_t count, prefix_count;
};

static int removal_found(const char *name, void *user)
{
    struct removal *removal = user;
    buf_append(&removal->names, name, strlen(name) + 1);
    removal->count++;
    return 0;
}

static void removal_work(struct io_task *task)
{
    struct removal *removal = (struct removal *)task;
    struct err err;
    const char *prefix = buf_text(&removal->prefixes);
    for (size_t i = 0; i < removal->prefix_count; i++, prefix += strlen(prefix) + 1)
        if (store_list(removal->store, prefix, removal_found, removal, &err))
            trace_err(TRACE_WARN, "removal_failed", &err, "prefix=%s", prefix);
    const char *name = buf_text(&removal->names);
    for (size_t i = 0; i < removal->count; i++, name += strlen(name) + 1)
        if (store_remove(removal->store, name, &err))
            trace_err(TRACE_WARN, "removal_failed", &err, "blob=%s", name);
}

static void removal_done(struct io_task *task)
{
    struct removal *removal = (struct removal *)task;
    buf_destroy(&removal->names);
    buf_destroy(&removal->prefixes);
    free(removal);
}

static void remove_garbage(struct coordinator *c, const struct group *group)
{
    size_t count, prefix_count;
    const struct buf *names = group_garbage(group, &count), *prefixes = group_purge(group, &prefix_count);
    if (!count && !prefix_count)
        return;
    struct removal *removal = calloc(1, sizeof *removal);
    if (!removal)
        abort();
    removal->task = (struct io_task){.work = removal_work, .done = removal_done};
    removal->store = c->store;
    removal->count = count;
    removal->prefix_count = prefix_count;
    buf_append(&removal->names, names->data, names->size);
    buf_append(&removal->prefixes, prefixes->data, prefixes->size);
    io_submit(c->back_io, &removal->task);
}

/* ---- commits ---- */

static void on_committed(struct group *group, int rc, const struct err *err, void *user)
{
    struct coordinator *c = user;
    size_t count;
    const struct group_then *then = group_thens(group, &count);
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
    const struct doc_ref *placed = group_placed(group, &count);
    for (size_t i = 0; i < count; i++)
        sched_placed(c->sched, placed[i]);
    remove_garbage(c, group);
    group_destroy(&group);
}

/* How long the group may still grow; TICK_MS and more: there is none. */
static int gather_wait_ms(struct coordinator *c, uint64_t now_ms)
{
    size_t acks, thens;
    if (group_empty(c->group))
        return TICK_MS;
    if (!c->group_ms)
        c->group_ms = now_ms;
    group_acks(c->group, &acks);
    group_thens(c->group, &thens);
    bool due = now_ms - c->group_ms >= GATHER_MS || acks >= GATHER_ACKS || thens;
    return due ? 0 : (int)(c->group_ms + GATHER_MS - now_ms);
}

static void commit_start(struct coordinator *c, uint64_t now_ms)
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
        committer_submit(c->committer, c->group);
        c->group = group_new();
        c->group_ms = 0;
    } else if (group_empty(c->group) && !committer_redis_ok(c->committer) && now_ms >= c->rewrite_ms) {
        c->rewrite_ms = now_ms + REWRITE_MS;
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

void coordinator_plan(struct coordinator *c, uint64_t now_ms)
{
    struct plan plan = {0};
    c->plan_ms = now_ms + PLAN_MS;
    sched_measure(c->sched, now_ms);
    struct supply supply = {0, sched_cores(c->sched, NULL)};
    plan_make(&plan, c->sched, clock_wall_ms(), &supply, 1, NULL, 0);
    if (plan.cores > 0) { /* without workers nothing can be said, and nothing is granted */
        plan_apply(&plan, c->sched);
        plan_trace(&c->plan, &plan);
    }
    plan_destroy(&c->plan);
    c->plan = plan;
}

/* ---- time ---- */

static void on_time(struct coordinator *c, uint64_t now_ms)
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
    if (now_ms >= c->plan_ms)
        coordinator_plan(c, now_ms);
    if (now_ms >= c->renew_ms && !c->stop) { /* the reason to stop is not to be overwritten */
        c->renew_ms = now_ms + (uint64_t)config_int(c->config, CFG_LOCK_TTL_MS) / 3;
        c->rc = store_renew(c->store, &c->err);
        if (c->rc && err_class(c->rc) == ERR_RETRY) {
            trace_err(TRACE_WARN, "renewal_failed", &c->err, "epoch=%" PRIu64, store_epoch(c->store));
            c->rc = 0;
        }
        c->stop = c->stop || c->rc;
    }
}

static int watch(int epoll, int fd, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? err_errno(err, E_IO, "epoll_ctl") : 0;
}

static int loop_prepare(struct coordinator *c, int *ret_epoll, int *ret_signals, struct err *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    *ret_epoll = epoll_create1(EPOLL_CLOEXEC);
    *ret_signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (*ret_epoll < 0 || *ret_signals < 0)
        return err_errno(err, E_IO, "epoll or signalfd");
    const int fds[] = {gate_fd(c->gate), io_fd(c->commit_io), io_fd(c->back_io), http_fd(c->http), *ret_signals};
    int rc = 0;
    for (size_t i = 0; i < sizeof fds / sizeof fds[0] && !rc; i++)
        rc = watch(*ret_epoll, fds[i], err);
    return rc;
}

/* Every step is short; what may block is on the io threads. */
static int loop(struct coordinator *c, struct err *err)
{
    AUTO(fd_destroy) int epoll = -1;
    AUTO(fd_destroy) int signals = -1;
    bool more = false;
    int rc = loop_prepare(c, &epoll, &signals, err);
    while (!rc && !c->stop) {
        struct epoll_event events[8];
        struct signalfd_siginfo signal;
        int gather_ms = committer_idle(c->committer) ? gather_wait_ms(c, clock_mono_ms()) : TICK_MS;
        int wait_ms = more ? 0 : http_wait_ms(c->http, gather_ms);
        if (epoll_wait(epoll, events, 8, wait_ms) < 0 && errno != EINTR)
            return err_errno(err, E_IO, "epoll_wait");
        uint64_t now_ms = clock_mono_ms();
        io_dispatch(c->commit_io);
        io_dispatch(c->back_io);
        more = peers_receive(c, now_ms);
        http_run(c->http);
        on_time(c, now_ms);
        peers_grant(c, now_ms);
        commit_start(c, now_ms);
        if (read(signals, &signal, sizeof signal) == sizeof signal)
            c->stop = true;
    }
    if (!rc && c->rc) {
        *err = c->err;
        rc = c->rc;
    }
    return rc;
}

/* ---- start and end ---- */

static int lock_wait(struct coordinator *c, struct err *err)
{
    bool told = false;
    for (;;) {
        int rc = store_lock(c->store, c->name, (uint32_t)config_int(c->config, CFG_LOCK_TTL_MS), err);
        if (rc != E_LOCKED)
            return rc;
        if (!told)
            trace_err(TRACE_INFO, "standby", err, "store=%s", trace_value(config_text(c->config, CFG_STORE)));
        told = true;
        sigset_t set;
        struct timespec pause = {0, LOCK_RETRY_MS * 1000000L};
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        if (sigtimedwait(&set, NULL, &pause) > 0)
            return E_LOCKED;
    }
}

static int coordinator_start(struct coordinator *c, struct err *err)
{
    struct sched_rules rules = {.range_ms = (uint32_t)config_int(c->config, CFG_RANGE_MS),
                                .range_pages = (uint32_t)config_int(c->config, CFG_RANGE_PAGES),
                                .page_attempts = (uint32_t)config_int(c->config, CFG_PAGE_ATTEMPTS),
                                .lease_page_ms = (uint32_t)config_int(c->config, CFG_LEASE_PAGE_MS),
                                .lease_least_ms = (uint32_t)config_int(c->config, CFG_LEASE_LEAST_MS),
                                .breaker_failures = (uint32_t)config_int(c->config, CFG_BREAKER_FAILURES)};
    int rc = store_open(config_text(c->config, CFG_STORE), &c->store, err);
    if (!rc)
        rc = lock_wait(c, err);
    if (!rc)
        rc = io_new(1, &c->commit_io, err);
    if (!rc)
        rc = io_new(BACK_THREADS, &c->back_io, err);
    if (rc)
        return rc;
    c->backlog = backlog_new();
    c->sched = sched_new(c->backlog, &rules, (store_epoch(c->store) << LEASES_AN_EPOCH) + 1);
    c->group = group_new();
    c->rows = rows_new(c->store);
    rc = recover(c, err);
    if (!rc)
        rc = gate_new(config_text(c->config, CFG_BIND), &c->gate, err);
    if (!rc)
        rc = http_new(c, config_text(c->config, CFG_HTTP), &c->http, err);
    if (!rc)
        coordinator_apply(c);
    return rc;
}

static void coordinator_end(struct coordinator *c)
{
    committer_stop(c->committer);
    io_destroy(&c->commit_io);
    io_destroy(&c->back_io); /* before the requests whose blobs it reads */
    http_destroy(&c->http);
    gate_destroy(&c->gate);
    committer_destroy(&c->committer);
    ledger_destroy(&c->ledger);
    group_destroy(&c->group);
    buf_destroy(&c->awaited);
    acts_destroy(&c->acts);
    rows_destroy(&c->rows);
    sched_destroy(&c->sched);
    backlog_destroy(&c->backlog);
    store_destroy(&c->store);
    free(c->peer);
    plan_destroy(&c->plan);
}

static int run(const struct config *config, struct err *err)
{
    struct coordinator c = {.config = config, .committed = on_committed, .started_ms = clock_mono_ms()};
    const char *name = config_text(config, CFG_NAME);
    if (*name)
        snprintf(c.name, sizeof c.name, "%s", name);
    else
        gethostname(c.name, sizeof c.name - 1);
    int rc = coordinator_start(&c, err);
    if (!rc) {
        trace(TRACE_INFO, "ready", "epoch=%" PRIu64 " bind=%s http=%s", store_epoch(c.store),
              trace_value(config_text(config, CFG_BIND)), trace_value(config_text(config, CFG_HTTP)));
        rc = loop(&c, err);
    }
    coordinator_end(&c);
    return rc;
}

static void signals_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    /* Before any thread exists, so that all inherit it and only the loop sees them. */
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    AUTO(config_destroy) struct config *config = NULL;
    struct err err = {0};
    trace_init("coordinator", TRACE_INFO);
    int rc = config_load(FOR_COORDINATOR, argc, argv, &config, &err);
    if (rc) {
        fprintf(stderr, "sohoa-coordinator: %s\n", err.text);
        return 2;
    }
    trace_init("coordinator", trace_level_named(config_text(config, CFG_LOG)));
    signals_block();
    rc = run(config, &err);
    if (rc)
        trace_err(TRACE_ERROR, "stopped", &err, "name=%s", trace_value(config_text(config, CFG_NAME)));
    else
        trace(TRACE_INFO, "stopped", "why=signal");
    return rc ? 1 : 0;
}
