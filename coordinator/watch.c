/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/watch.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/live.h"
#include "coordinator/others.h"
#include "coordinator/shape.h"
#include "proto/trace.h"

enum {
    LOOK_MS = 1000,
    REDIS_MS = 5000, /* Redis is asked whether it is there this often, if nothing is written */
};

struct watch {
    struct io_task task; /* asks the store; the next five are its own while it runs */
    struct store *store;
    uint64_t free_bytes, total_bytes;
    int rc;
    struct err err;
    bool asking;
    uint64_t asked_ms;             /* 0: never */
    uint64_t used_bytes, of_bytes; /* as the store said last; of 0: it has not said so yet */
    unsigned used_percent;
    uint64_t looked_ms, redis_ms;
    uint64_t moved_ms; /* when something was read last, or could not have been */
    uint64_t progress; /* what it was then */
    struct buf missed; /* workers of before, each ended by a 0 */
};

struct watch *watch_new(void)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (!watch)
        abort();
    return watch;
}

void watch_destroy(struct watch **watch)
{
    if (!*watch)
        return;
    buf_destroy(&(*watch)->missed);
    free(*watch);
    *watch = NULL;
}

void watch_miss(struct watch *watch, const char *worker)
{
    buf_append(&watch->missed, worker, strlen(worker) + 1);
}

/* ---- how full the store is ---- */

static void space_work(struct io_task *task)
{
    struct watch *watch = (struct watch *)task;
    watch->rc = store_space(watch->store, &watch->free_bytes, &watch->total_bytes, &watch->err);
}

static void space_done(struct io_task *task)
{
    struct watch *watch = (struct watch *)task;
    watch->asking = false;
    if (watch->rc)
        trace_err(TRACE_WARN, "space_unknown", &watch->err, "used_percent=%u", watch->used_percent);
    if (watch->rc || !watch->total_bytes)
        return;
    watch->of_bytes = watch->total_bytes;
    watch->used_bytes = watch->total_bytes - watch->free_bytes;
    watch->used_percent = (unsigned)(100.0 * (double)watch->used_bytes / (double)watch->of_bytes);
}

bool watch_space(const struct watch *watch, uint64_t *ret_used_bytes, uint64_t *ret_total_bytes)
{
    *ret_used_bytes = watch->used_bytes;
    *ret_total_bytes = watch->of_bytes;
    return watch->of_bytes != 0;
}

static void space_ask(struct coordinator *c, uint64_t now_ms)
{
    struct watch *watch = c->watch;
    if (watch->asking || (watch->asked_ms && now_ms < watch->asked_ms + WATCH_SPACE_MS))
        return;
    watch->asking = true;
    watch->asked_ms = now_ms;
    watch->store = c->store;
    watch->task = (struct io_task){.work = space_work, .done = space_done};
    io_submit(c->back_io, &watch->task);
}

/* ---- whether Redis is there ---- */

static void redis_look(struct coordinator *c, uint64_t now_ms)
{
    if (now_ms < c->watch->redis_ms + REDIS_MS || !committer_idle(c->committer) || !committer_redis_ok(c->committer) ||
        !group_empty(c->group) || c->admitting)
        return;
    c->watch->redis_ms = now_ms;
    committer_look(c->committer);
}

/* ---- whether anything is read ---- */

static bool batch_waits(const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->lots; i++)
        if (lot_open(batch->lot[i]) && !batch->lot[i]->paused)
            return true;
    return false;
}

/* There is something to read, and somebody who may. */
static bool can_move(const struct coordinator *c, uint64_t now_ms)
{
    bool able = false, waits = false;
    for (uint32_t i = 0; i < sched_workers(c->sched) && !able; i++)
        able = sched_worker(c->sched, i)->connected && !sched_worker(c->sched, i)->drained;
    for (uint32_t i = 0; i < c->backlog->batches && able && !waits; i++)
        waits = c->backlog->batch[i] && !c->backlog->batch[i]->check_only && batch_waits(c->backlog->batch[i]);
    return waits && now_ms >= c->granting_ms;
}

/* Anything that changes when a page or a document is done with. */
static uint64_t progress_of(const struct backlog *backlog)
{
    uint64_t progress = 0;
    for (uint32_t i = 0; i < backlog->batches; i++) {
        const struct batch *batch = backlog->batch[i];
        if (!batch || batch->check_only)
            continue;
        progress += batch->pages_read + batch->page_count[PAGE_STORED] + batch->page_count[PAGE_DEAD] + batch->docs -
                    batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN];
    }
    return progress;
}

void watch_tick(struct coordinator *c, uint64_t now_ms)
{
    struct watch *watch = c->watch;
    space_ask(c, now_ms);
    redis_look(c, now_ms);
    if (now_ms < watch->looked_ms + LOOK_MS)
        return;
    uint64_t progress = progress_of(c->backlog);
    if (progress != watch->progress || !can_move(c, now_ms))
        watch->moved_ms = now_ms;
    watch->progress = progress;
    watch->looked_ms = now_ms;
}

/* ---- what stands ---- */

struct finder {
    const struct coordinator *c;
    const struct account *account;
    void (*each)(const struct alert *alert, const char *text, void *user);
    void *user;
};

static void found(const struct finder *finder, enum alert_kind kind, const char *subject, uint64_t count, int code,
                  const char *text)
{
    struct alert alert = {.kind = kind, .count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX, .code = code};
    snprintf(alert.subject, sizeof alert.subject, "%s", subject);
    finder->each(&alert, text, finder->user);
}

static void find_workers(const struct finder *finder)
{
    const struct sched *sched = finder->c->sched;
    const struct buf *missed = &finder->c->watch->missed;
    static const char gone[] = "it is not connected any more";
    uint32_t connected = 0;
    for (uint32_t i = 0; i < sched_workers(sched); i++) {
        const struct sched_worker *worker = sched_worker(sched, i);
        connected += worker->connected;
        if (!worker->connected && !worker->drained)
            found(finder, ALERT_WORKER_LOST, worker->name, 1, 0, gone);
    }
    for (size_t at = 0; at < missed->size; at += strlen((const char *)missed->data + at) + 1)
        if (!sched_knows(sched, (const char *)missed->data + at))
            found(finder, ALERT_WORKER_LOST, (const char *)missed->data + at, 1, 0, gone);
    if (!connected)
        found(finder, ALERT_NO_WORKERS, "", 1, 0, "no worker is connected: nothing is read");
}

static void find_cluster(const struct finder *finder)
{
    const struct coordinator *c = finder->c;
    const struct watch *watch = c->watch;
    uint64_t progress_ms = (uint64_t)config_int(c->config, CFG_NOTIFY_PROGRESS_MS);
    char full[64], idle[64];
    const char *other;
    if (!committer_redis_ok(c->committer))
        found(finder, ALERT_REDIS_LOST, "", 1, 0, "Redis does not answer");
    for (size_t i = 0; (other = others_lost(c->others, i)); i++)
        found(finder, ALERT_STANDBY_LOST, other, 1, 0, "it does not answer");
    find_workers(finder);
    snprintf(full, sizeof full, "%u percent of it are used", watch->used_percent);
    snprintf(idle, sizeof idle, "nothing was read for %u s or longer", (unsigned)(progress_ms / 1000));
    if (watch->used_percent >= (unsigned)config_int(c->config, CFG_NOTIFY_FULL_PERCENT))
        found(finder, ALERT_STORE_FULL, "", 1, 0, full);
    if (watch->looked_ms >= watch->moved_ms + progress_ms)
        found(finder, ALERT_NO_PROGRESS, "", 1, 0, idle);
}

/* Documents of it that are quarantined, and of the account's units. */
static uint64_t quarantined(const struct batch *batch, const struct account *account)
{
    uint64_t docs = 0;
    if (!batch->doc_count[SOHOA__DOC_STATE__DOC_QUARANTINED])
        return 0;
    for (uint32_t i = 0; i < batch->lots; i++)
        if (account_covers(account, batch->lot[i]->terms.unit))
            docs += batch->lot[i]->doc_count[SOHOA__DOC_STATE__DOC_QUARANTINED];
    return docs;
}

static void find_batches(const struct finder *finder)
{
    const struct backlog *backlog = finder->c->backlog;
    for (uint32_t i = 0; i < backlog->batches; i++) {
        const struct batch *batch = backlog->batch[i];
        if (!batch || batch->check_only || !account_covers_some(finder->account, batch))
            continue;
        const struct standing *standing = &batch->standing;
        if (standing->fault != NONE && !strcmp(batch_state(batch), "paused"))
            found(finder, ALERT_BATCH_PAUSED, batch->id, 1, backlog->fault[standing->fault].code,
                  backlog->fault[standing->fault].text);
        uint64_t docs = quarantined(batch, finder->account);
        if (docs)
            found(finder, ALERT_QUARANTINED, batch->id, docs, 0, "documents of it are quarantined");
    }
}

static void find_units(const struct finder *finder)
{
    size_t count;
    uint64_t undated = 0;
    const struct live_unit *unit = live_units(finder->c->live, &count);
    for (size_t i = 0; i < count; i++) {
        const struct plan_total *total = &unit[i].total;
        if (!account_covers(finder->account, unit[i].unit))
            continue;
        undated += total->undated_pages >= 1;
        if (total->rows && total->verdict == VERDICT_LATE)
            found(finder, ALERT_UNIT_LATE, unit[i].unit, 1, 0, "it ends after its deadline");
        else if (total->rows && total->verdict == VERDICT_AT_RISK)
            found(finder, ALERT_UNIT_AT_RISK, unit[i].unit, 1, 0, "it may end after its deadline");
    }
    if (undated)
        found(finder, ALERT_UNDATED, "", undated, 0, "units have pages without a deadline");
}

void watch_alerts(const struct coordinator *c, const struct account *account,
                  void (*each)(const struct alert *alert, const char *text, void *user), void *user)
{
    struct finder finder = {c, account, each, user};
    find_cluster(&finder);
    find_batches(&finder);
    find_units(&finder);
}
