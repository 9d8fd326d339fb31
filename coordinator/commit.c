/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The committer's thread works on one task at a time: a group, or a rewrite of Redis. Between submit and done everything
 * in the task is the thread's; redis_ok belongs to the loop. */
#include "coordinator/commit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coordinator/group.h"
#include "proto/auto.h"
#include "proto/trace.h"
#include "storage/name.h"

enum { STORE_BACKOFF_FIRST_MS = 100, STORE_BACKOFF_LAST_MS = 3000 };

struct rewrite_batch {
    char id[NAME_BYTES];
    struct buf bits;
    struct group *counters; /* only its changes are used */
};

struct committer {
    struct io_task task;
    struct store *store;
    struct ledger *ledger;
    struct progress *progress; /* NULL until Redis was reached once */
    struct io *io;
    char *redis_socket;
    void (*done)(struct group *group, int rc, const struct err *err, void *user);
    void *user;
    struct group *group; /* under way */
    struct rewrite_batch *rewrite;
    size_t rewrites;
    struct group *workers;                                        /* of the rewrite: only its changes are used */
    void (*rewritten)(int rc, const struct err *err, void *user); /* NULL: nobody waits */
    void *rewritten_user;
    bool busy, redis_ok, redis_skip;
    atomic_bool stopping; /* the store is not waited for any more */
    int rc, redis_rc;
    struct err err, redis_err;
};

int committer_new(struct store *store, struct ledger *ledger, const char *redis_socket, struct io *io,
                  void (*done)(struct group *group, int rc, const struct err *err, void *user), void *user,
                  struct committer **ret_committer, struct err *err)
{
    struct committer *committer = calloc(1, sizeof *committer);
    if (!committer || !(committer->redis_socket = strdup(redis_socket))) {
        free(committer);
        return err_set(err, E_NOMEM, "no memory for the committer");
    }
    committer->store = store;
    committer->ledger = ledger;
    committer->io = io;
    committer->done = done;
    committer->user = user;
    *ret_committer = committer;
    return 0;
}

static void rewrite_forget(struct committer *committer)
{
    for (size_t i = 0; i < committer->rewrites; i++) {
        buf_destroy(&committer->rewrite[i].bits);
        group_destroy(&committer->rewrite[i].counters);
    }
    group_destroy(&committer->workers);
    free(committer->rewrite);
    committer->rewrite = NULL;
    committer->rewrites = 0;
}

void committer_destroy(struct committer **committer)
{
    if (!*committer)
        return;
    rewrite_forget(*committer);
    group_destroy(&(*committer)->group);
    progress_destroy(&(*committer)->progress);
    free((*committer)->redis_socket);
    free(*committer);
    *committer = NULL;
}

void committer_stop(struct committer *committer)
{
    if (committer)
        atomic_store(&committer->stopping, true);
}

bool committer_idle(const struct committer *committer)
{
    return !committer->busy;
}

bool committer_redis_ok(const struct committer *committer)
{
    return committer->redis_ok && !committer->rewrite; /* it is not there before that has ended */
}

static void tell_rewritten(struct committer *committer, int rc, const struct err *err)
{
    void (*tell)(int rc, const struct err *err, void *user) = committer->rewritten;
    committer->rewritten = NULL;
    if (tell)
        tell(rc, err, committer->rewritten_user);
}

void committer_rewrite_then(struct committer *committer, void (*done)(int rc, const struct err *err, void *user),
                            void *user)
{
    struct err err;
    err_set(&err, E_STATE, "another rebuild was asked for meanwhile");
    tell_rewritten(committer, E_STATE, &err);
    committer->rewritten = done;
    committer->rewritten_user = user;
    committer->redis_ok = false;
}

/* ---- on the thread ---- */

static int write_layouts(struct committer *committer, struct err *err)
{
    struct buf *layouts = &committer->group->layouts;
    const struct group_layout *at = (const struct group_layout *)(const void *)layouts->data;
    size_t count = layouts->size / sizeof *at;
    int rc = 0;
    for (size_t first = 0, n; first < count && !rc; first += n) {
        AUTO(buf_destroy) struct buf entries = {0};
        for (n = 0;
             first + n < count && at[first].piece == at[first + n].piece && at[first].batch == at[first + n].batch; n++)
            buf_append(&entries, &at[first + n].entry, sizeof at->entry);
        rc = layout_append(committer->store, at[first].batch, at[first].piece,
                           (const struct layout_entry *)(const void *)entries.data, n, err);
    }
    if (!rc)
        buf_clear(layouts);
    return rc;
}

static int write_remarks(struct committer *committer, struct err *err)
{
    struct group *group = committer->group;
    const struct group_remarks *at = (const struct group_remarks *)(const void *)group->remarks.data;
    struct name name;
    int rc = 0;
    for (size_t i = 0; i < group->remarks.size / sizeof *at && !rc; i++)
        rc = store_guard_append(committer->store, name_batch(&name, at[i].batch, "remarks", at[i].doc),
                                group->remarks_data.data + at[i].at, at[i].bytes, NULL, err);
    return rc;
}

static int write_stops(struct committer *committer, struct err *err)
{
    const struct group_stop *stop = (const struct group_stop *)(const void *)committer->group->stops.data;
    struct name name;
    int rc = 0;
    for (size_t i = 0; i < committer->group->stops.size / sizeof *stop && !rc; i++) {
        name_stop(&name, stop[i].sha256);
        rc = stop[i].release ? store_guard_remove(committer->store, name.text, err)
                             : store_guard_create(committer->store, name.text, "", 0, err);
        if (rc == E_EXISTS)
            rc = 0;
    }
    return rc;
}

static void entries_to_ledger(struct committer *committer)
{
    const struct buf *entries = &committer->group->entries;
    for (size_t at = 0; at < entries->size;) {
        uint32_t bytes;
        memcpy(&bytes, entries->data + at, sizeof bytes);
        ledger_add_packed(committer->ledger, entries->data + at + sizeof bytes, bytes);
        at += sizeof bytes + bytes;
    }
}

/* The outcomes of the group, one call for each run of the same batch. */
static int write_index(struct committer *committer, struct err *err)
{
    const struct group *group = committer->group;
    const struct group_outcome *ended = (const struct group_outcome *)(const void *)group->ended.data;
    size_t count = group->ended.size / sizeof *ended;
    int rc = 0;
    for (size_t first = 0, n; first < count && !rc; first += n) {
        AUTO(buf_destroy) struct buf run = {0};
        for (n = 0; first + n < count && ended[first + n].batch == ended[first].batch; n++) {
            const struct group_outcome *it = &ended[first + n];
            struct index_entry entry = {it->doc, (uint32_t)it->bytes, group->outcomes.data + it->at,
                                        it->state == SOHOA__DOC_STATE__DOC_QUARANTINED};
            buf_append(&run, &entry, sizeof entry);
        }
        rc =
            index_put(committer->store, ended[first].batch, (const struct index_entry *)(const void *)run.data, n, err);
    }
    return rc;
}

static void wait_ms(unsigned ms)
{
    struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

/* Runs step until it succeeds or fails for good. */
static int persist(struct committer *committer, int (*step)(struct committer *committer, struct err *err))
{
    unsigned pause_ms = STORE_BACKOFF_FIRST_MS;
    for (;;) {
        int rc = step(committer, &committer->err);
        if (!rc || err_class(rc) != ERR_RETRY || atomic_load(&committer->stopping))
            return rc;
        trace_err(TRACE_WARN, "store_waits", &committer->err, "retry_ms=%u", pause_ms);
        wait_ms(pause_ms);
        pause_ms = pause_ms * 2 < STORE_BACKOFF_LAST_MS ? pause_ms * 2 : STORE_BACKOFF_LAST_MS;
    }
}

static int commit_ledger(struct committer *committer, struct err *err)
{
    return ledger_commit(committer->ledger, err);
}

int committer_write_entry(struct committer *committer, Sohoa__LedgerEntry *entry, struct err *err)
{
    ledger_add(committer->ledger, entry);
    int rc = persist(committer, commit_ledger);
    if (rc)
        *err = committer->err;
    return rc;
}

static int redis_open(struct committer *committer, struct err *err)
{
    if (committer->progress)
        return 0;
    return progress_open(committer->redis_socket, store_epoch(committer->store), &committer->progress, err);
}

static int write_changes(struct committer *committer, const struct group *group, struct err *err)
{
    const struct progress_change *change = (const struct progress_change *)(const void *)group->changes.data;
    size_t count = group->changes.size / sizeof *change;
    return count ? progress_commit(committer->progress, change, count, err) : 0;
}

static int write_redis(struct committer *committer, struct err *err)
{
    int rc = redis_open(committer, err);
    return rc ? rc : write_changes(committer, committer->group, err);
}

static void group_work(struct io_task *task)
{
    struct committer *committer = (struct committer *)task;
    committer->rc = persist(committer, write_layouts);
    if (!committer->rc)
        committer->rc = persist(committer, write_remarks);
    if (!committer->rc)
        committer->rc = persist(committer, write_stops);
    entries_to_ledger(committer);
    if (!committer->rc)
        committer->rc = persist(committer, commit_ledger);
    if (!committer->rc)
        committer->rc = persist(committer, write_index);
    if (!committer->rc && !committer->redis_skip)
        committer->redis_rc = write_redis(committer, &committer->redis_err);
}

static int write_rewrite(struct committer *committer, struct err *err)
{
    int rc = redis_open(committer, err);
    if (!rc)
        rc = progress_assert(committer->progress, err);
    if (!rc)
        rc = progress_clear(committer->progress, err);
    for (size_t i = 0; i < committer->rewrites && !rc; i++) {
        struct rewrite_batch *batch = &committer->rewrite[i];
        const struct buf *changes = &batch->counters->changes;
        const struct progress_change *change = (const struct progress_change *)(const void *)changes->data;
        rc = progress_rewrite(committer->progress, batch->id, batch->bits.data, batch->bits.size, change,
                              changes->size / sizeof *change, err);
    }
    return rc ? rc : write_changes(committer, committer->workers, err);
}

static void rewrite_work(struct io_task *task)
{
    struct committer *committer = (struct committer *)task;
    committer->redis_rc = write_rewrite(committer, &committer->redis_err);
}

static void look_work(struct io_task *task)
{
    struct committer *committer = (struct committer *)task;
    committer->redis_rc = redis_open(committer, &committer->redis_err);
    if (!committer->redis_rc)
        committer->redis_rc = progress_look(committer->progress, &committer->redis_err);
}

/* ---- back on the loop ---- */

static void redis_done(struct committer *committer)
{
    if (!committer->redis_rc)
        return;
    /* An epoch newer than ours in Redis means what it means in the store. */
    if (committer->redis_rc == E_FENCED) {
        committer->rc = E_FENCED;
        committer->err = committer->redis_err;
    }
    if (committer->redis_ok)
        trace_err(TRACE_WARN, "redis_stale", &committer->redis_err, "socket=%s", trace_value(committer->redis_socket));
    committer->redis_ok = false;
}

static void group_done(struct io_task *task)
{
    struct committer *committer = (struct committer *)task;
    struct group *group = committer->group;
    committer->group = NULL;
    committer->busy = false;
    redis_done(committer);
    if (group->recount)
        committer->redis_ok = false;
    committer->done(group, committer->rc, &committer->err, committer->user);
}

static void rewrite_done(struct io_task *task)
{
    struct committer *committer = (struct committer *)task;
    committer->busy = false;
    redis_done(committer);
    rewrite_forget(committer);
    if (!committer->redis_rc)
        trace(TRACE_INFO, "redis_rewritten", "epoch=%" PRIu64, store_epoch(committer->store));
    tell_rewritten(committer, committer->redis_rc, &committer->redis_err);
    if (committer->rc)
        committer->done(NULL, committer->rc, &committer->err, committer->user);
}

static void look_done(struct io_task *task)
{
    struct committer *committer = (struct committer *)task;
    committer->busy = false;
    redis_done(committer);
    if (committer->rc)
        committer->done(NULL, committer->rc, &committer->err, committer->user);
}

static void submit(struct committer *committer, void (*work)(struct io_task *), void (*done)(struct io_task *))
{
    assert(!committer->busy);
    committer->busy = true;
    committer->rc = committer->redis_rc = 0;
    committer->task = (struct io_task){.work = work, .done = done};
    io_submit(committer->io, &committer->task);
}

void committer_submit(struct committer *committer, struct group *group)
{
    committer->group = group;
    /* What Redis misses meanwhile comes with the rewrite that must follow. */
    committer->redis_skip = !committer->redis_ok;
    submit(committer, group_work, group_done);
}

void committer_look(struct committer *committer)
{
    submit(committer, look_work, look_done);
}

static void bits_set(struct buf *bits, uint64_t first, uint64_t count)
{
    uint64_t end = first + count;
    for (; first < end && (first % 8 || end - first < 8); first++)
        bits->data[first / 8] |= (uint8_t)(0x80 >> (first % 8));
    memset(bits->data + first / 8, 0xff, (end - first) / 8);
    for (first += (end - first) / 8 * 8; first < end; first++)
        bits->data[first / 8] |= (uint8_t)(0x80 >> (first % 8));
}

static void doc_snapshot(struct rewrite_batch *rewrite, const struct backlog *backlog, struct doc_ref ref)
{
    const struct doc *doc = doc_at(backlog, ref);
    const struct work *work = doc->work == NONE ? NULL : &backlog->work[doc->work];
    struct batch *batch = backlog->batch[ref.batch];
    if (!work || doc->state == SOHOA__DOC_STATE__DOC_DUPLICATE || doc->state == SOHOA__DOC_STATE__DOC_QUARANTINED)
        return;
    const struct cut *cut = cut_of(work);
    if (!work->cut &&
        (doc->state == SOHOA__DOC_STATE__DOC_STORED || work->phase == WORK_DONE || work->phase == WORK_ASSEMBLING))
        bits_set(&rewrite->bits, doc->first_ordinal, doc->pages);
    for (uint32_t i = 0; i < cut->parts; i++) {
        const struct part *part = &cut->part[i];
        if (part->state == PAGE_STORED)
            bits_set(&rewrite->bits, doc->first_ordinal + part->first - 1, part->count);
        for (uint32_t p = 0; p < part->count && part->state == PAGE_DEAD; p++)
            group_add_change(
                rewrite->counters,
                (struct progress_change){.kind = PROGRESS_DEAD,
                                         .batch = batch->id,
                                         .unit = batch->unit,
                                         .first = doc->first_ordinal + part->first - 1 + p,
                                         .count = 1,
                                         .code = part->fault == NONE ? 0 : backlog->fault[part->fault].code});
    }
}

static void batch_snapshot(struct rewrite_batch *rewrite, const struct backlog *backlog, struct batch *batch)
{
    memcpy(rewrite->id, batch->id, sizeof rewrite->id);
    rewrite->counters = group_new(NULL, NULL, NULL);
    size_t bytes = (size_t)((batch->ordinals + 7) / 8);
    memset(buf_reserve(&rewrite->bits, bytes), 0, bytes);
    rewrite->bits.size = bytes;
    group_add_counters(rewrite->counters, batch);
    group_add_page_counters(rewrite->counters, batch);
    for (uint32_t i = doc_next(batch, 0); i < batch->docs; i = doc_next(batch, i + 1))
        doc_snapshot(rewrite, backlog, (struct doc_ref){batch->index, i});
}

void committer_rewrite(struct committer *committer, const struct backlog *backlog, const struct sched *sched,
                       const struct buf *awaited)
{
    committer->rewrite = calloc(backlog->batches + 1, sizeof *committer->rewrite);
    if (!committer->rewrite)
        abort();
    for (uint32_t i = 0; i < backlog->batches; i++)
        if (backlog->batch[i] && !backlog->batch[i]->check_only)
            batch_snapshot(&committer->rewrite[committer->rewrites++], backlog, backlog->batch[i]);
    committer->workers = group_new(NULL, NULL, NULL);
    for (uint32_t i = 0; i < sched_workers(sched); i++)
        if (sched_worker(sched, i)->connected)
            group_add_worker(committer->workers, sched_worker(sched, i)->name, sched_worker(sched, i)->slots);
    for (size_t at = 0; at < awaited->size; at += strlen((const char *)awaited->data + at) + 1)
        group_add_worker(committer->workers, (const char *)awaited->data + at, 1);
    /* Groups that follow bring what changes after this picture. */
    committer->redis_ok = true;
    submit(committer, rewrite_work, rewrite_done);
}

void committer_before(struct committer *committer, uint64_t *ret_epoch, struct buf *workers)
{
    struct err err;
    *ret_epoch = 0;
    int rc = redis_open(committer, &err);
    if (!rc)
        rc = progress_before(committer->progress, ret_epoch, workers, &err);
    if (rc)
        trace_err(TRACE_WARN, "redis_unread", &err, "key=sohoa:workers");
}

void committer_rates(struct committer *committer, progress_rate *each, void *user)
{
    struct err err;
    int rc = redis_open(committer, &err);
    if (!rc)
        rc = progress_rates(committer->progress, each, user, &err);
    if (rc)
        trace_err(TRACE_WARN, "redis_unread", &err, "key=sohoa:rate");
}

void committer_told(struct committer *committer, progress_told_one *each, void *user)
{
    struct err err;
    int rc = redis_open(committer, &err);
    if (!rc)
        rc = progress_told(committer->progress, each, user, &err);
    if (rc)
        trace_err(TRACE_WARN, "redis_unread", &err, "key=sohoa:told");
}

void committer_bits(struct committer *committer, const char *batch, struct buf *into)
{
    struct err err;
    int rc = redis_open(committer, &err);
    if (!rc)
        rc = progress_bits(committer->progress, batch, into, &err);
    if (rc)
        trace_err(TRACE_WARN, "redis_unread", &err, "batch=%s", batch);
}
