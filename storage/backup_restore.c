/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Looks whether a back-up is what it was, and brings it back. A store that is being restored has inventory/restoring until all is there. */
#include <string.h>

#include "proto/auto.h"
#include "storage/backup_private.h"
#include "storage/copy.h"

static const char restoring_name[] = "inventory/restoring";

/* ---- looking ---- */

struct checking {
    struct backup_work work;
    struct store *store;
};

static void count_same(struct backup_work *work, const struct blob_hash *hash)
{
    pthread_mutex_lock(&work->mutex);
    work->report->same++;
    pthread_mutex_unlock(&work->mutex);
    atomic_fetch_add(&work->watch->bytes, hash->bytes);
}

static int blob_check(struct stock_item *item, void *user, struct err *err)
{
    struct checking *checking = user;
    struct blob_hash hash;
    if (!item->kept) {
        backup_find(&checking->work, BACKUP_EXTRA, item->name, "the inventory does not know it");
        return 0;
    }
    int rc = blob_hash(checking->store, item->name, item->kind, &hash, err);
    if (rc == E_ABSENT)
        backup_find(&checking->work, BACKUP_MISSING, item->name, "the inventory has it, the back-up has not");
    else if (rc == E_CORRUPT)
        backup_find(&checking->work, BACKUP_DAMAGED, item->name, err->text);
    else if (!rc && !blob_same(&hash, &item->hash))
        backup_find(&checking->work, BACKUP_DAMAGED, item->name, "it is not what was written");
    else if (!rc)
        count_same(&checking->work, &hash);
    return rc == E_ABSENT || rc == E_CORRUPT ? 0 : rc;
}

static int shard_damaged(const char *shard, void *user, struct err *err)
{
    (void)err;
    backup_find(user, BACKUP_DAMAGED, shard, "a part of the inventory; what it has is not known");
    return 0;
}

static int position_look(struct backup_work *work, struct store *store, struct backup_position *position,
                         struct err *err)
{
    int rc = backup_position_load(store, position, err);
    if (rc == E_ABSENT)
        return err_set(err, E_STATE, "this store is no back-up: it has no inventory");
    if (rc == E_CORRUPT)
        backup_find(work, BACKUP_DAMAGED, "inventory/position", err->text);
    return rc == E_CORRUPT ? 0 : rc;
}

int backup_check(struct store *store, unsigned threads, struct stock_watch *watch, struct backup_report *report,
                 struct err *err)
{
    struct checking checking = {.store = store};
    struct backup_position position = {0};
    struct stocktake take = {.listed = store,
                             .kept = store,
                             .watch = watch,
                             .threads = threads,
                             .user = &checking,
                             .each = blob_check,
                             .alive = backup_alive,
                             .damaged = shard_damaged};
    int rc = backup_work_begin(&checking.work, store, watch, report, err);
    if (!rc)
        rc = position_look(&checking.work, store, &position, err);
    if (!rc)
        rc = stocktake_run(&take, BACKUP_ALL, err);
    report->entries = position.entries;
    backup_work_end(&checking.work);
    return rc;
}

/* ---- the way back ---- */

struct restoring {
    struct backup_work work;
    const struct backup_order *order;
};

static int blob_restore(struct stock_item *item, void *user, struct err *err)
{
    struct restoring *restoring = user;
    struct copy copy = {.from = restoring->order->from,
                        .to = restoring->order->to,
                        .name = item->name,
                        .kind = item->kind,
                        .wanted = &item->hash,
                        .read_back = restoring->order->read_back};
    struct blob_hash hash;
    bool written = false;
    int rc = blob_copy(&copy, &hash, &written, err);
    if (rc == E_ABSENT || rc == E_CORRUPT) {
        backup_find(&restoring->work, rc == E_ABSENT ? BACKUP_MISSING : BACKUP_DAMAGED, item->name, err->text);
        return 0;
    }
    if (rc)
        return rc;
    pthread_mutex_lock(&restoring->work.mutex);
    restoring->work.report->copied += written;
    restoring->work.report->copied_bytes += written ? hash.bytes : 0;
    restoring->work.report->same += !written;
    pthread_mutex_unlock(&restoring->work.mutex);
    atomic_fetch_add(&restoring->work.watch->bytes, hash.bytes);
    return 0;
}

int backup_whole(struct store *store, struct err *err)
{
    int rc = store_stat(store, restoring_name, NULL, err);
    if (!rc)
        return err_set(err, E_STATE,
                       "the store was not restored to the end: sohoa restore with the same stores goes on");
    return rc == E_ABSENT ? 0 : rc;
}

/* Nothing may be there but what an earlier try of the same brought. */
static int place_take(struct store *to, struct err *err)
{
    bool any;
    int rc = store_stat(to, restoring_name, NULL, err);
    if (rc != E_ABSENT)
        return rc;
    rc = backup_any(to, &any, err);
    if (!rc && any)
        rc = err_set(err, E_STATE,
                     "the store to restore to is not empty: what is in it would be mixed with the back-up");
    return rc ? rc : store_guard_create(to, restoring_name, "", 0, err);
}

int backup_restore(const struct backup_order *order, struct backup_report *report, struct err *err)
{
    struct restoring restoring = {.order = order};
    struct backup_position position = {0};
    struct stocktake take = {.kept = order->from,
                             .watch = order->watch,
                             .threads = order->threads,
                             .user = &restoring,
                             .each = blob_restore,
                             .alive = backup_alive,
                             .damaged = shard_damaged};
    int rc = backup_work_begin(&restoring.work, order->to, order->watch, report, err);
    if (!rc)
        rc = position_look(&restoring.work, order->from, &position, err);
    if (!rc)
        rc = place_take(order->to, err);
    if (!rc)
        rc = stocktake_run(&take, BACKUP_ALL, err);
    if (!rc)
        rc = store_guard_remove(order->to, restoring_name, err);
    report->entries = position.entries;
    backup_work_end(&restoring.work);
    return rc;
}
