/* SPDX-License-Identifier: AGPL-3.0-or-later
 * sohoa-coordinator: one loop. It waits for workers' frames, API requests, ends of writes and the clock; turns what they
 * say into the scheduler's events; grants what can run; and hands what must be durable to the committer, a group at a
 * time. Only then is anything acknowledged. It holds the store's lock for all its life: losing it ends the process. */
#include "coordinator/auth.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "coordinator/coordinator.h"
#include "coordinator/herald.h"
#include "coordinator/http.h"
#include "coordinator/live.h"
#include "coordinator/notary.h"
#include "coordinator/others.h"
#include "coordinator/packages.h"
#include "coordinator/quarantine.h"
#include "coordinator/recall.h"
#include "coordinator/reorganisation.h"
#include "coordinator/standby.h"
#include "coordinator/stopping.h"
#include "coordinator/story.h"
#include "coordinator/verification.h"
#include "coordinator/watch.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/self.h"
#include "proto/trace.h"
#include "storage/backup.h"

enum {
    BACK_THREADS = 4,
    TWINS_A_TURN = 200, /* documents compared in a turn of the loop: some milliseconds */
};

int coordinator_row(struct coordinator *c, struct doc_ref ref, struct row *row, char **ret_source, struct err *err)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    uint32_t piece = batch_piece(batch, ref.doc), nth = ref.doc - batch->piece[piece].first_doc;
    return ret_source ? rows_source(c->rows, batch->id, piece, nth, ret_source, row, err)
                      : rows_read(c->rows, batch->id, piece, nth, row, err);
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
    const int fds[] = {gate_fd(c->gate), io_fd(c->commit_io),    io_fd(c->back_io),
                       http_fd(c->http), renewal_fd(c->renewal), *ret_signals};
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
        int wait_ms = more ? 0 : http_wait_ms(c->http, turn_wait_ms(c, clock_mono_ms()));
        if (epoll_wait(epoll, events, 8, wait_ms) < 0 && errno != EINTR)
            return err_errno(err, E_IO, "epoll_wait");
        uint64_t now_ms = clock_mono_ms();
        io_dispatch(c->commit_io);
        io_dispatch(c->back_io);
        more = peers_receive(c, now_ms);
        more = (!c->recall && twins_compare(c->twins, TWINS_A_TURN)) || more; /* in the order they came */
        http_run(c->http);
        turn_time(c, now_ms);
        live_tick(c, clock_wall_ms());
        watch_tick(c, now_ms);
        others_tick(c, now_ms);
        herald_tick(c, clock_wall_ms());
        notary_tick(c, now_ms);
        viewing_grant(c, now_ms);
        stories_expire(c, now_ms);
        peers_grant(c, now_ms);
        turn_commit(c, now_ms);
        if (read(signals, &signal, sizeof signal) == sizeof signal)
            c->stop = true;
        histogram_count(&c->meter.turn, &coordinator_metric[CM_TURN], (double)(clock_mono_ms() - now_ms) / 1000);
    }
    if (!rc && c->rc) {
        *err = c->err;
        rc = c->rc;
    }
    return rc;
}

/* ---- start and end ---- */

static int coordinator_start(struct coordinator *c, struct err *err)
{
    struct sched_rules rules = {.range_ms = (uint32_t)config_int(c->config, CFG_RANGE_MS),
                                .range_pages = (uint32_t)config_int(c->config, CFG_RANGE_PAGES),
                                .page_attempts = (uint32_t)config_int(c->config, CFG_PAGE_ATTEMPTS),
                                .lease_page_ms = (uint32_t)config_int(c->config, CFG_LEASE_PAGE_MS),
                                .lease_least_ms = (uint32_t)config_int(c->config, CFG_LEASE_LEAST_MS),
                                .breaker_failures = (uint32_t)config_int(c->config, CFG_BREAKER_FAILURES)};
    int rc = herald_new(c, &c->herald, err);
    if (!rc)
        rc = others_new(config_text(c->config, CFG_OTHERS), config_text(c->config, CFG_HTTP_CA_FILE), &c->others, err);
    if (!rc)
        rc = certificate_load(c->config, c->name, &c->certificate, err);
    if (!rc)
        rc = store_open(config_text(c->config, CFG_STORE), &c->store, err);
    if (!rc)
        rc = standby_wait(c, err);
    if (!rc)
        rc = renewal_start(c->store, (uint32_t)config_int(c->config, CFG_LOCK_TTL_MS), &c->renewal, err);
    if (!rc)
        rc = backup_whole(c->store, err);
    if (!rc)
        rc = io_new(1, &c->commit_io, err);
    if (!rc)
        rc = io_new(BACK_THREADS, &c->back_io, err);
    if (rc)
        return rc;
    c->backlog = backlog_new();
    c->sched = sched_new(c->backlog, &rules, (store_epoch(c->store) << LEASES_AN_EPOCH) + 1);
    c->history = history_new();
    c->tally = tally_new();
    c->twins = twins_new((uint32_t)config_int(c->config, CFG_DUPLICATES_MAX));
    c->live = live_new(clock_wall_ms());
    c->watch = watch_new();
    c->accounts = accounts_new();
    c->reviews = reviews_new();
    c->reorganisations = reorganisations_new();
    c->quarantines = quarantines_new();
    c->stopping = stopping_new(c);
    c->packages = packages_new();
    c->stories = stories_new();
    c->group = group_new(c->history, c->tally, c->twins);
    c->rows = rows_new(c->store);
    viewing_start(c);
    rc = notary_new(c, &c->notary, err);
    if (!rc)
        rc = recover(c, err);
    if (!rc)
        rc = stopping_recover(c, err);
    if (!rc)
        recall_start(c);
    if (!rc)
        live_restore(c->live, c->committer);
    if (!rc)
        herald_restore(c);
    struct gate_keys keys = {config_text(c->config, CFG_CURVE_FILE), config_text(c->config, CFG_CURVE_WORKERS)};
    if (!rc)
        rc = gate_new(config_text(c->config, CFG_BIND), &keys, &c->gate, err);
    if (!rc)
        rc = auth_new(c, &c->auth, err);
    if (!rc)
        rc = http_new(c, config_text(c->config, CFG_HTTP), &c->http, err);
    if (!rc)
        coordinator_apply(c);
    return rc;
}

static void coordinator_end(struct coordinator *c)
{
    committer_stop(c->committer);
    herald_stop(c->herald);
    atomic_store(&c->ending, true);
    verification_stop(c->verification);
    io_destroy(&c->commit_io);
    notary_end(c);
    io_destroy(&c->back_io); /* before the requests whose blobs it reads */
    recall_destroy(&c->recall);
    buf_destroy(&c->ended);
    http_destroy(&c->http);
    auth_destroy(&c->auth);
    gate_destroy(&c->gate);
    certificate_forget(&c->certificate);
    committer_destroy(&c->committer);
    ledger_destroy(&c->ledger);
    notary_destroy(&c->notary);
    verification_destroy(&c->verification);
    checkpoints_destroy(&c->checkpoints);
    group_destroy(&c->group);
    views_destroy(&c->views);
    history_destroy(&c->history);
    tally_destroy(&c->tally);
    twins_destroy(&c->twins);
    live_destroy(&c->live);
    quarantines_destroy(&c->quarantines);
    stopping_destroy(&c->stopping);
    packages_destroy(&c->packages);
    stories_destroy(&c->stories);
    others_destroy(&c->others);
    watch_destroy(&c->watch);
    herald_destroy(&c->herald);
    accounts_destroy(&c->accounts);
    reviews_destroy(&c->reviews);
    reorganisations_destroy(&c->reorganisations);
    buf_destroy(&c->awaited);
    acts_destroy(&c->acts);
    rows_destroy(&c->rows);
    sched_destroy(&c->sched);
    backlog_destroy(&c->backlog);
    renewal_stop(&c->renewal);
    store_destroy(&c->store);
    free(c->peer);
    plan_destroy(&c->plan);
    calendar_destroy(&c->calendar);
    buf_destroy(&c->calendar_csv);
}

static int run(const struct config *config, struct err *err)
{
    struct coordinator c = {.config = config, .committed = turn_committed, .started_ms = clock_mono_ms()};
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
    } else if (c.stop) {
        rc = 0; /* an orderly end, of one that stood by */
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
    self_keep_in();
    int rc = config_load(FOR_COORDINATOR, argc, argv, &config, &err);
    if (rc) {
        fprintf(stderr, "sohoa-coordinator: %s\n", err.text);
        return 2;
    }
    trace_init("coordinator", trace_level_named(config_text(config, CFG_LOG)));
    trace_keep();
    signals_block();
    rc = run(config, &err);
    if (rc)
        trace_err(TRACE_ERROR, "stopped", &err, "name=%s", trace_value(config_text(config, CFG_NAME)));
    else
        trace(TRACE_INFO, "stopped", "why=signal");
    return rc ? 1 : 0;
}
