/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/seat.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/review.h"
#include "proto/wire.h"
#include "tests/sim/check.h"
#include "tests/sim/network.h"
#include "tests/sim/operator.h"
#include "tests/sim/redis.h"
#include "tests/sim/source.h"
#include "tests/sim/store.h"
#include "tests/sim/world.h"

enum {
    TASKS_MOST = 256,
    IDLE_MS = 250, /* so often it looks whether a backoff is over */
    COMMIT_MOST_MS = 30,
    STALL_MOST_MS = 1500, /* a store that takes its time */
    REMOVAL_MOST_MS = 2000,
    EMPTY_MOST_MS = 3000,
};

struct io {
    bool commits;
};

struct gate {
    char nothing;
};

struct errand { /* a task of a thread */
    struct io_task *task;
    uint64_t due_ms;
    bool commits, worked;
};

static struct {
    struct config *config;
    struct coordinator c;
    bool taken;
    uint64_t due_ms; /* of a turn; of the next one to sit down */
    struct errand errand[TASKS_MOST];
    uint32_t errands;
    uint64_t commits, committed;
    struct io commit_io, back_io;
    struct gate gate;
} it = {.commit_io.commits = true};

struct coordinator *seat(void)
{
    return it.taken ? &it.c : NULL;
}

uint64_t seat_commits(void)
{
    return it.commits;
}

uint64_t seat_committed(void)
{
    return it.committed;
}

bool seat_idle(void)
{
    return it.taken && !it.errands && group_empty(it.c.group);
}

/* ---- one after the other ---- */

static void settings_load(void)
{
    static const char *const said[] = {"sim",
                                       "--heartbeat_ms=1000",
                                       "--worker_lost_ms=4000",
                                       "--reconnect_grace_ms=3000",
                                       "--lease_page_ms=2000",
                                       "--lease_least_ms=6000",
                                       "--range_pages=4",
                                       "--page_attempts=3"};
    enum { COUNT = sizeof said / sizeof said[0] };
    char *argv[COUNT + 1] = {NULL};
    struct err err;
    for (int i = 0; i < COUNT; i++)
        argv[i] = (char *)(uintptr_t)said[i];
    if (!it.config && config_load(FOR_COORDINATOR, COUNT, argv, &it.config, &err))
        violation("the settings are wrong: %s", err.text);
}

void seat_reset(void)
{
    if (it.taken)
        seat_kill();
    it.due_ms = world.now_ms;
    it.commits = it.committed = 0;
}

void seat_leave(void)
{
    seat_reset();
    config_destroy(&it.config);
}

void seat_take(void)
{
    struct err err;
    settings_load();
    disk_mount();
    struct sched_rules rules = {.range_ms = (uint32_t)config_int(it.config, CFG_RANGE_MS),
                                .range_pages = (uint32_t)config_int(it.config, CFG_RANGE_PAGES),
                                .page_attempts = (uint32_t)config_int(it.config, CFG_PAGE_ATTEMPTS),
                                .lease_page_ms = (uint32_t)config_int(it.config, CFG_LEASE_PAGE_MS),
                                .lease_least_ms = (uint32_t)config_int(it.config, CFG_LEASE_LEAST_MS)};
    it.c = (struct coordinator){.config = it.config,
                                .committed = turn_committed,
                                .started_ms = world.now_ms,
                                .store = disk(),
                                .commit_io = &it.commit_io,
                                .back_io = &it.back_io,
                                .gate = &it.gate,
                                .backlog = backlog_new(),
                                .reviews = reviews_new(),
                                .group = group_new(NULL, NULL, NULL),
                                .views = views_new(1, NULL, NULL)}; /* nobody asks for one */
    it.c.sched = sched_new(it.c.backlog, &rules, (store_epoch(disk()) << LEASES_AN_EPOCH) + 1);
    it.taken = true;
    it.due_ms = world.now_ms;
    if (recover(&it.c, &err))
        violation("a coordinator can't start: %s", err.text);
    coordinator_apply(&it.c);
    note(store_epoch(disk()));
    check_recovered();
}

/* What was to be removed is forgotten: its task is freed by its end. */
static void errands_forget(void)
{
    for (uint32_t i = 0; i < it.errands; i++)
        if (!it.errand[i].commits)
            it.errand[i].task->done(it.errand[i].task);
    it.errands = 0;
}

static void thens_forget(const struct group *group)
{
    size_t count;
    const struct group_then *then = group_thens(group, &count);
    struct err err;
    err_set(&err, E_NET, "the coordinator is gone");
    for (size_t i = 0; i < count; i++)
        then[i].tell(E_NET, &err, then[i].user);
}

void seat_kill(void)
{
    errands_forget();
    thens_forget(it.c.group);
    committer_destroy(&it.c.committer);
    ledger_destroy(&it.c.ledger);
    group_destroy(&it.c.group);
    views_destroy(&it.c.views);
    buf_destroy(&it.c.awaited);
    acts_destroy(&it.c.acts);
    plan_destroy(&it.c.plan);
    sched_destroy(&it.c.sched);
    backlog_destroy(&it.c.backlog);
    reviews_destroy(&it.c.reviews);
    free(it.c.peer);
    it.taken = false;
    it.due_ms = world.now_ms + chance(EMPTY_MOST_MS);
    if (happens(3))
        redis_fail();
    network_forsake();
}

/* ---- threads: io.h ---- */

void io_submit(struct io *io, struct io_task *task)
{
    if (it.errands == TASKS_MOST)
        violation("more than %d tasks wait for a thread", TASKS_MOST);
    uint32_t most_ms = !io->commits ? REMOVAL_MOST_MS : happens(20) ? STALL_MOST_MS : COMMIT_MOST_MS;
    it.errand[it.errands++] = (struct errand){task, world.now_ms + chance(most_ms), io->commits, false};
    if (!io->commits)
        return;
    it.commits++;
    check_submitted();
}

static uint32_t errand_first(void)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < it.errands; i++)
        if (it.errand[i].due_ms < it.errand[first].due_ms)
            first = i;
    return first;
}

static void errand_end(uint32_t at)
{
    struct errand errand = it.errand[at];
    it.errand[at] = it.errand[--it.errands];
    if (errand.commits) {
        it.committed = it.commits;
        check_committed();
    }
    errand.task->done(errand.task);
}

static void errand_step(uint32_t at)
{
    struct errand *errand = &it.errand[at];
    if (errand->worked) {
        errand_end(at);
        return;
    }
    bool torn = errand->commits && happens(world.one_in.torn);
    if (torn)
        disk_doom(1 + chance(6));
    errand->task->work(errand->task);
    errand->worked = true;
    errand->due_ms = world.now_ms + chance(errand->commits ? 10 : 1);
    if (torn)
        seat_kill();
}

/* ---- turns ---- */

static uint64_t turn_due_ms(void)
{
    uint64_t wait_ms = (uint64_t)turn_wait_ms(&it.c, world.now_ms);
    uint64_t due_ms = it.due_ms;
    if (network_heard())
        return world.now_ms;
    if (wait_ms < TURN_MOST_MS && world.now_ms + wait_ms < due_ms)
        due_ms = world.now_ms + wait_ms;
    return due_ms < it.c.beat_ms ? due_ms : it.c.beat_ms;
}

uint64_t seat_due_ms(void)
{
    if (!it.taken)
        return it.due_ms;
    uint64_t turn_ms = turn_due_ms(), errand_ms = it.errands ? it.errand[errand_first()].due_ms : NEVER;
    return turn_ms < errand_ms ? turn_ms : errand_ms;
}

static void turn(void)
{
    it.due_ms = world.now_ms + IDLE_MS;
    peers_receive(&it.c, world.now_ms);
    turn_time(&it.c, world.now_ms);
    peers_grant(&it.c, world.now_ms);
    turn_commit(&it.c, world.now_ms);
}

void seat_step(void)
{
    if (!it.taken) {
        seat_take();
    } else if (happens(world.one_in.crash)) {
        note(world.now_ms);
        seat_kill();
    } else if (it.errands && it.errand[errand_first()].due_ms <= world.now_ms) {
        errand_step(errand_first());
    } else {
        turn();
    }
}

/* ---- the rest of the coordinator's outside ---- */

int coordinator_row(struct coordinator *c, struct doc_ref ref, struct row *row, char **ret_source, struct err *err)
{
    uint32_t batch = batch_number(c->backlog->batch[ref.batch]->id);
    if (happens(world.one_in.store))
        return err_set(err, E_STORE, "the manifest can't be read");
    *row = (struct row){.line = "{}", .line_bytes = 2, .pages = source_pages(doc_source(batch, ref.doc))};
    if (!c->backlog->batch[ref.batch]->reads_on)
        row->pages = 0;
    if (ret_source && !(*ret_source = strdup("scan.pdf")))
        abort();
    return 0;
}

bool admissions_start(struct coordinator *c)
{
    return operator_admits(c);
}

void checks_expire(struct coordinator *c, uint64_t now_ms)
{
    (void)c;
    (void)now_ms;
}

/* The linker puts these in the place of the clock and of waiting. */
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    (void)id;
    *now = (struct timespec){(time_t)(world.now_ms / 1000), (long)(world.now_ms % 1000) * 1000000};
    return 0;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
    (void)pause;
    (void)left;
    return 0;
}
