/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The order is told in backup_run(). Bundles come before results: a bundle that is gone when its turn comes was folded into a result that is
 * listed afterwards. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/backup_private.h"
#include "storage/copy.h"
#include "storage/decisions.h"
#include "storage/ledger_record.h"

enum { MISSING_BYTES = 16 << 20 /* of names; a source that lost everything is told without another look */ };

struct backup {
    struct backup_work work;
    const struct backup_order *order;
    struct backup_position before; /* how far the back-up was */
    struct decisions *decisions;
    uint32_t segment; /* the last of the ledger when it was read, */
    uint64_t segment_bytes;
    struct buf removals; /* names that are to go, each ended by a 0; guarded by work.mutex */
    struct buf missing;  /* likewise: that nothing explains so far */
};

static void backup_destroy(struct backup *b)
{
    decisions_destroy(&b->decisions);
    buf_destroy(&b->removals);
    buf_destroy(&b->missing);
}

static void name_note(struct backup *b, struct buf *names, const char *name)
{
    pthread_mutex_lock(&b->work.mutex);
    buf_append(names, name, strlen(name) + 1);
    pthread_mutex_unlock(&b->work.mutex);
}

/* ---- before anything is copied ---- */

static int stop_add(const char *name, void *user)
{
    decisions_add_stop(user, name);
    return 0;
}

/* What the ledger says, and which tombstones there are. */
static int decisions_take(struct backup *b, struct decisions **ret_decisions, struct err *err)
{
    AUTO(decisions_destroy) struct decisions *decisions = NULL;
    int rc = decisions_read(b->order->from, b->before.entries, backup_alive, b, &decisions, err);
    if (!rc)
        rc = store_list(b->order->from, "stop/", stop_add, decisions, err);
    if (rc)
        return rc;
    *ret_decisions = decisions;
    decisions = NULL;
    return 0;
}

/* The ledger of the source must have what was copied of it, as it was. */
static int ledger_take(struct backup *b, struct err *err)
{
    struct segment_name name;
    int rc = decisions_take(b, &b->decisions, err);
    if (rc)
        return rc;
    if (b->before.entries && memcmp(decisions_since(b->decisions), b->before.last, SHA256_BYTES))
        return err_set(err, E_CORRUPT,
                       "the ledger to be backed up is not the one in the back-up: entry %" PRIu64
                       " is %s. Nothing was changed",
                       b->before.entries, decisions_entries(b->decisions) < b->before.entries ? "missing" : "another");
    rc = segments_find(b->order->from, &b->segment, err);
    return rc || !b->segment ? rc : store_stat(b->order->from, segment_name(&name, b->segment), &b->segment_bytes, err);
}

struct foreign {
    struct backup *b;
    struct buf rows; /* struct inventory_row: the segments that were copied */
    int rc;
    struct err *err;
};

static bool row_named(const struct buf *rows, const char *name)
{
    const struct inventory_row *row = (const struct inventory_row *)(const void *)rows->data;
    for (size_t i = 0; i < rows->size / sizeof *row; i++)
        if (!strcmp(row[i].name, name))
            return true;
    return false;
}

/* A segment that the inventory does not know may come from a run that was cut short: then the source has the same. */
static int segment_foreign(const char *name, void *user)
{
    AUTO(buf_destroy) struct buf here = {0}, there = {0};
    struct foreign *foreign = user;
    const struct backup_order *order = foreign->b->order;
    if (inventory_kind(name) != INVENTORY_LEDGER || row_named(&foreign->rows, name))
        return 0;
    foreign->rc = store_get(order->to, name, LEDGER_SEGMENT_BYTES, &there, foreign->err);
    if (!foreign->rc)
        foreign->rc = store_get(order->from, name, LEDGER_SEGMENT_BYTES, &here, foreign->err);
    if (foreign->rc == E_ABSENT ||
        (!foreign->rc && (there.size > here.size || (there.size && memcmp(here.data, there.data, there.size)))))
        foreign->rc =
            err_set(foreign->err, E_STATE,
                    "a coordinator wrote to the back-up (%s): it is a store in use. Take another place", name);
    return foreign->rc != 0;
}

/* It must be empty, or a back-up that nobody else wrote to. */
static int place_check(struct backup *b, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    struct foreign foreign = {.b = b, .err = err};
    bool any = false;
    int rc = backup_position_load(b->order->to, &b->before, err);
    if (rc == E_CORRUPT && b->order->repair) /* all of it is looked at again */
        rc = 0;
    else if (rc == E_CORRUPT)
        rc = err_set(err, E_CORRUPT, "inventory/position of the back-up is damaged; --repair looks at all of it again");
    if (rc == E_ABSENT) {
        rc = backup_any(b->order->to, &any, err);
        if (!rc && any)
            rc = err_set(err, E_STATE, "the place for the back-up is not empty, and no back-up");
        b->before.records = b->order->records;
        return rc ? rc : backup_position_save(b->order->to, &b->before, err);
    }
    if (rc)
        return rc;
    rc = inventory_load(b->order->to, INVENTORY_LEDGER, 0, &text, &foreign.rows, err);
    if (!rc || rc == E_CORRUPT) /* of that shard nothing is known */
        rc = store_list(b->order->to, "ledger/", segment_foreign, &foreign, err);
    buf_destroy(&foreign.rows);
    return rc > 0 ? foreign.rc : rc;
}

/* ---- a blob ---- */

static int length_differs(const struct backup *b, const struct stock_item *item, bool *ret_differs, struct err *err)
{
    uint64_t bytes = 0;
    int rc = store_stat(b->order->from, item->name, &bytes, err);
    *ret_differs = !rc && bytes != item->hash.bytes;
    return rc;
}

/* Whether a blob that is in the back-up has to be looked at again. */
static int may_differ(const struct backup *b, const struct stock_item *item, bool *ret_may, struct err *err)
{
    bool grows = item->kind == INVENTORY_BATCH || item->kind == INVENTORY_REMARKS;
    bool changes = grows || item->kind == INVENTORY_REC || item->kind == INVENTORY_INDEX;
    *ret_may = changes && (!b->before.entries || decisions_touch(b->decisions, item->name));
    return *ret_may || !grows ? 0 : length_differs(b, item, ret_may, err);
}

/* Of a segment or checkpoint. */
static uint64_t number_of(const char *name)
{
    return strtoull(name + strcspn(name, "0123456789"), NULL, 10);
}

/* What is whole of its first bytes. */
static void segment_trim(struct buf *data, uint64_t bytes)
{
    size_t at = 0;
    struct record record;
    data->size = data->size < bytes ? data->size : (size_t)bytes;
    while (at < data->size && record_look(data->data + at, data->size - at, &record) == RECORD_WHOLE)
        at += HEADER_BYTES + record.bytes;
    data->size = at;
}

static int segment_copy(const struct backup *b, const struct copy *copy, struct blob_hash *ret_hash, bool *ret_written,
                        struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0};
    bool last = number_of(copy->name) == b->segment;
    int rc = store_get(copy->from, copy->name, LEDGER_SEGMENT_BYTES, &data, err);
    if (rc)
        return rc;
    segment_trim(&data, last ? b->segment_bytes : UINT64_MAX);
    return blob_put(copy, &data, ret_hash, ret_written, err);
}

/* Behind the end of the ledger that this run copies. */
static bool ahead(const struct backup *b, const struct stock_item *item)
{
    return (item->kind == INVENTORY_LEDGER && number_of(item->name) > b->segment) ||
           (item->kind == INVENTORY_CHECKPOINT && number_of(item->name) > decisions_entries(b->decisions));
}

static void item_keep(struct backup *b, struct stock_item *item, const struct blob_hash *hash, bool written)
{
    item->changed = !item->kept || !blob_same(&item->hash, hash);
    item->kept = true;
    item->hash = *hash;
    pthread_mutex_lock(&b->work.mutex);
    b->work.report->copied += written;
    b->work.report->copied_bytes += written ? hash->bytes : 0;
    b->work.report->same += !written;
    pthread_mutex_unlock(&b->work.mutex);
    atomic_fetch_add(&b->work.watch->bytes, hash->bytes);
}

static void missing_find(struct backup *b, const char *name)
{
    backup_find(&b->work, BACKUP_MISSING, name,
                "the source has it no more and the ledger does not say why; the back-up keeps it");
}

/* The source does not have it. */
static void item_absent(struct backup *b, const struct stock_item *item)
{
    if (!item->kept)
        return;
    if (decisions_explain(b->decisions, item->name))
        name_note(b, &b->removals, item->name);
    else if (b->missing.size < MISSING_BYTES)
        name_note(b, &b->missing, item->name);
    else
        missing_find(b, item->name);
}

static int item_copy(struct backup *b, struct stock_item *item, struct err *err)
{
    struct copy copy = {.from = b->order->from,
                        .to = b->order->to,
                        .name = item->name,
                        .kind = item->kind,
                        .there = item->kept && !b->order->repair ? &item->hash : NULL,
                        .look = b->order->repair,
                        .read_back = b->order->read_back};
    struct blob_hash hash;
    bool written = false;
    int rc = item->kind == INVENTORY_LEDGER ? segment_copy(b, &copy, &hash, &written, err)
                                            : blob_copy(&copy, &hash, &written, err);
    if (!rc)
        item_keep(b, item, &hash, written);
    else if (rc == E_ABSENT)
        item_absent(b, item);
    else if (rc == E_CORRUPT)
        backup_find(&b->work, BACKUP_DAMAGED, item->name, err->text);
    return rc == E_ABSENT || rc == E_CORRUPT ? 0 : rc;
}

static int blob_back_up(struct stock_item *item, void *user, struct err *err)
{
    struct backup *b = user;
    bool look = !item->kept || item->kind == INVENTORY_LEDGER || b->order->repair;
    int rc = 0;
    if (decisions_end(b->decisions, item->name)) {
        if (item->kept)
            name_note(b, &b->removals, item->name);
        return 0;
    }
    if (!item->listed) /* a listing may pass over what is replaced meanwhile */
        rc = store_stat(b->order->from, item->name, NULL, err);
    if (!rc && !look)
        rc = may_differ(b, item, &look, err);
    if (rc == E_ABSENT) {
        item_absent(b, item);
        return 0;
    }
    if (rc || ahead(b, item))
        return rc;
    if (look)
        return item_copy(b, item, err);
    const struct blob_hash same = item->hash;
    item_keep(b, item, &same, false);
    return 0;
}

/* ---- what goes ---- */

static const char running_name[] = "inventory/running";

/* It is told when it is made anew. */
static int shard_unknown(const char *shard, void *user, struct err *err)
{
    (void)shard;
    (void)user;
    (void)err;
    return 0;
}

static int blob_remove(struct store *store, const char *name, enum inventory_kind kind, struct err *err)
{
    bool guarded = !(BACKUP_CONTENT >> kind & 1) && kind != INVENTORY_REC;
    return guarded ? store_guard_remove(store, name, err) : store_remove(store, name, err);
}

/* What a run left that was cut short before it told the inventory. What the source has is taken over when its turn comes; nobody would look at
 * the rest again. */
static int orphan_look(struct stock_item *item, void *user, struct err *err)
{
    struct backup *b = user;
    if (item->kept)
        return 0;
    int rc = store_stat(b->order->from, item->name, NULL, err);
    if (rc && rc != E_ABSENT)
        return rc;
    bool goes = decisions_end(b->decisions, item->name) || (rc && decisions_explain(b->decisions, item->name));
    return goes ? blob_remove(b->order->to, item->name, item->kind, err) : 0;
}

/* From here on until the end of the run the place says that it may have such. */
static int run_begin(struct backup *b, struct err *err)
{
    struct stock_watch watch = {0};
    struct stocktake take = {.listed = b->order->to,
                             .kept = b->order->to,
                             .watch = &watch,
                             .threads = b->order->threads,
                             .user = b,
                             .each = orphan_look,
                             .alive = backup_alive,
                             .damaged = shard_unknown};
    int rc = store_guard_create(b->order->to, running_name, "", 0, err);
    return rc == E_EXISTS ? stocktake_run(&take, BACKUP_ALL, err) : rc;
}

struct removal {
    enum inventory_kind kind;
    uint32_t shard;
    const char *name;
};

/* By shard and name, as rows are. */
static int removal_order(const void *a, const void *b)
{
    const struct removal *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->shard != y->shard ? x->shard < y->shard ? -1 : 1 : strcmp(x->name, y->name);
}

/* Takes the names out of a shard of the inventory. */
static int rows_remove(struct backup *b, const struct removal *removal, size_t count, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0}, rows = {0};
    size_t kept = 0, r = 0;
    int rc = inventory_load(b->order->to, removal->kind, removal->shard, &text, &rows, err);
    if (rc)
        return rc;
    struct inventory_row *row = (struct inventory_row *)(void *)rows.data;
    for (size_t i = 0; i < rows.size / sizeof *row; i++) {
        while (r < count && strcmp(removal[r].name, row[i].name) < 0)
            r++;
        if (r == count || strcmp(removal[r].name, row[i].name))
            row[kept++] = row[i];
    }
    return inventory_save(b->order->to, removal->kind, removal->shard, row, kept, err);
}

/* Those of one shard. The blobs first: rows without them are removed again by the next run, blobs without a row by nobody. */
static int shard_remove(struct backup *b, const struct removal *removal, size_t count, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++) {
        rc = blob_remove(b->order->to, removal[i].name, removal[i].kind, err);
        if (!rc)
            rc = backup_alive(b, err);
    }
    if (!rc)
        rc = rows_remove(b, removal, count, err);
    b->work.report->removed += rc ? 0 : count;
    return rc;
}

static int removals_run(struct backup *b, struct err *err)
{
    AUTO(buf_destroy) struct buf removals = {0};
    const char *name = buf_text(&b->removals), *end = name + b->removals.size;
    for (; name < end; name += strlen(name) + 1) {
        enum inventory_kind kind = inventory_kind(name);
        struct removal removal = {kind, inventory_shard(kind, name), name};
        buf_append(&removals, &removal, sizeof removal);
    }
    struct removal *at = (struct removal *)(void *)removals.data;
    size_t count = removals.size / sizeof *at;
    int rc = 0;
    if (count)
        qsort(at, count, sizeof *at, removal_order);
    for (size_t first = 0, last; first < count && !rc; first = last) {
        for (last = first; last < count && at[last].kind == at[first].kind && at[last].shard == at[first].shard;)
            last++;
        rc = shard_remove(b, at + first, last - first, err);
    }
    return rc;
}

/* What was missing may have been stopped while the run was under way: then the next run removes it. */
static int missing_tell(struct backup *b, struct err *err)
{
    AUTO(decisions_destroy) struct decisions *now = NULL;
    const char *name = buf_text(&b->missing), *end = name + b->missing.size;
    int rc = b->missing.size ? decisions_take(b, &now, err) : 0;
    for (; name < end && !rc; name += strlen(name) + 1)
        if (!decisions_explain(now, name) && !decisions_end(now, name))
            missing_find(b, name);
    return rc;
}

/* ---- the flow ---- */

static int shard_damaged(const char *shard, void *user, struct err *err)
{
    (void)err;
    backup_find(user, BACKUP_DAMAGED, shard, "a part of the inventory; it was made anew from the source");
    return 0;
}

static int kinds_copy(struct backup *b, unsigned kinds, struct err *err)
{
    struct stocktake take = {.listed = b->order->from,
                             .kept = b->order->to,
                             .watch = b->order->watch,
                             .threads = b->order->threads,
                             .user = b,
                             .each = blob_back_up,
                             .alive = backup_alive,
                             .damaged = shard_damaged};
    return stocktake_run(&take, kinds, err);
}

/* A run of records only leaves the position of one that had all: what it did not look at counts from there on. */
static int position_move(struct backup *b, struct err *err)
{
    struct backup_position now = {.records = b->order->records, .entries = decisions_entries(b->decisions)};
    memcpy(now.last, decisions_last(b->decisions), SHA256_BYTES);
    b->work.report->entries = now.entries;
    return now.records && !b->before.records ? 0 : backup_position_save(b->order->to, &now, err);
}

int backup_run(const struct backup_order *order, struct backup_report *report, struct err *err)
{
    AUTO(backup_destroy) struct backup b = {.order = order};
    const unsigned first = 1u << INVENTORY_BUNDLE, left = BACKUP_ALL & ~first;
    int rc = backup_work_begin(&b.work, order->to, order->watch, report, err);
    if (!rc)
        rc = place_check(&b, err);
    if (!rc)
        rc = ledger_take(&b, err);
    if (!rc)
        rc = run_begin(&b, err);
    if (!rc && !order->records)
        rc = kinds_copy(&b, first, err);
    if (!rc)
        rc = kinds_copy(&b, order->records ? left & ~(unsigned)BACKUP_CONTENT : left, err);
    if (!rc)
        rc = removals_run(&b, err);
    if (!rc)
        rc = missing_tell(&b, err);
    if (!rc)
        rc = position_move(&b, err);
    if (!rc)
        rc = store_guard_remove(order->to, running_name, err);
    backup_work_end(&b.work);
    return rc;
}
