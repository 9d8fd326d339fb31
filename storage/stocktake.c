/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/stocktake.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/backend.h"
#include "storage/spool.h"
#include "storage/spread.h"

enum { SHARDS_MOST = 4096, ALIVE_EVERY = 1024 };

/* Each has every so manieth shard of its kind. */
static const unsigned buckets_of[INVENTORY_KINDS] = {
    [INVENTORY_BUNDLE] = 1,  [INVENTORY_SRC] = 32,       [INVENTORY_OUT] = 128, [INVENTORY_REC] = 64,
    [INVENTORY_REMARKS] = 8, [INVENTORY_BATCH] = 2,      [INVENTORY_STOP] = 1,  [INVENTORY_LEDGER] = 1,
    [INVENTORY_INDEX] = 1,   [INVENTORY_CHECKPOINT] = 1,
};

struct taking {
    const struct stocktake *take;
    unsigned kinds;
    struct spool spool;
    uint8_t there[INVENTORY_KINDS][SHARDS_MOST / 8]; /* shards of the inventory */
    uint64_t named;
    struct stock_item *item; /* of the bucket under way */
    size_t items;
    int rc;
    struct err *err;
};

static void taking_destroy(struct taking **taking)
{
    if (*taking)
        spool_destroy(&(*taking)->spool);
    free(*taking);
    *taking = NULL;
}

/* ---- what there is ---- */

static unsigned bucket_first(enum inventory_kind kind)
{
    unsigned first = 0;
    for (enum inventory_kind before = 0; before < kind; before++)
        first += buckets_of[before];
    return first;
}

static int alive_now_and_then(struct taking *t)
{
    return ++t->named % ALIVE_EVERY ? 0 : t->take->alive(t->take->user, t->err);
}

static int on_name(const char *name, void *user)
{
    struct taking *t = user;
    enum inventory_kind kind = inventory_kind(name);
    if (kind == INVENTORY_KINDS || !(t->kinds & 1u << kind))
        return 0;
    unsigned bucket = bucket_first(kind) + inventory_shard(kind, name) % buckets_of[kind];
    t->rc = spool_add(&t->spool, bucket, name, t->err);
    if (!t->rc)
        t->rc = alive_now_and_then(t);
    atomic_fetch_add(&t->take->watch->blobs_all, 1);
    return t->rc != 0;
}

static int on_shard(const char *name, void *user)
{
    struct taking *t = user;
    enum inventory_kind kind;
    uint32_t shard;
    if (inventory_name_read(name, &kind, &shard))
        t->there[kind][shard / 8] |= (uint8_t)(1u << shard % 8);
    return 0;
}

static bool area_wanted(enum store_area area, unsigned kinds)
{
    static const unsigned kinds_of[STORE_AREAS] = {
        [STORE_SRC] = 1u << INVENTORY_SRC,
        [STORE_OUT] = 1u << INVENTORY_OUT,
        [STORE_BUNDLE] = 1u << INVENTORY_BUNDLE,
        [STORE_REC] = 1u << INVENTORY_REC,
        [STORE_STOP] = 1u << INVENTORY_STOP,
        [STORE_LEDGER] = 1u << INVENTORY_LEDGER | 1u << INVENTORY_CHECKPOINT,
        [STORE_BATCH] = 1u << INVENTORY_BATCH | 1u << INVENTORY_REMARKS | 1u << INVENTORY_INDEX,
    };
    return kinds & kinds_of[area];
}

static int names_list(struct taking *t, struct err *err)
{
    int rc = store_list(t->take->kept, "inventory/", on_shard, t, err);
    for (enum store_area area = 0; area < STORE_AREAS && t->take->listed && !rc; area++) {
        char prefix[NAME_BYTES];
        snprintf(prefix, sizeof prefix, "%s/", store_area_name[area]);
        if (area_wanted(area, t->kinds))
            rc = store_list(t->take->listed, prefix, on_name, t, err);
    }
    return rc > 0 ? t->rc : rc;
}

/* ---- a bucket ---- */

static void names_add(enum inventory_kind kind, const struct buf *names, struct buf *items)
{
    const char *name = buf_text(names), *end = name + names->size;
    for (; name < end; name += strlen(name) + 1) {
        struct stock_item item = {.name = name, .kind = kind, .shard = inventory_shard(kind, name), .listed = true};
        buf_append(items, &item, sizeof item);
    }
}

/* text: what the items borrow, a shard each. */
static int shard_add(const struct taking *t, enum inventory_kind kind, uint32_t shard, struct buf *text,
                     struct buf *items, struct err *err)
{
    AUTO(buf_destroy) struct buf rows = {0};
    struct name name;
    int rc = inventory_load(t->take->kept, kind, shard, text, &rows, err);
    if (rc == E_CORRUPT)
        return t->take->damaged(inventory_name(&name, kind, shard), t->take->user, err);
    const struct inventory_row *row = (const struct inventory_row *)(const void *)rows.data;
    for (size_t i = 0; i < rows.size / sizeof *row && !rc; i++) {
        struct stock_item item = {.name = row[i].name, .kind = kind, .shard = shard, .kept = true, .hash = row[i].hash};
        buf_append(items, &item, sizeof item);
    }
    return rc;
}

/* By shard and name; of the same name what the inventory says first. */
static int item_order(const void *a, const void *b)
{
    const struct stock_item *x = a, *y = b;
    if (x->shard != y->shard)
        return x->shard < y->shard ? -1 : 1;
    int order = strcmp(x->name, y->name);
    return order ? order : (int)y->kept - (int)x->kept;
}

/* Of the same name one stays, which is what all of them are. */
static size_t items_merge(struct stock_item *item, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept && item[kept - 1].shard == item[i].shard && !strcmp(item[kept - 1].name, item[i].name))
            item[kept - 1].listed = item[kept - 1].listed || item[i].listed;
        else
            item[kept++] = item[i];
    return kept;
}

static int shard_save(const struct taking *t, size_t first, size_t end, struct err *err)
{
    AUTO(buf_destroy) struct buf rows = {0};
    bool changed = false;
    for (size_t i = first; i < end; i++) {
        const struct stock_item *item = &t->item[i];
        struct inventory_row row = {item->name, item->hash};
        changed = changed || item->changed;
        if (item->kept)
            buf_append(&rows, &row, sizeof row);
    }
    const struct inventory_row *row = (const struct inventory_row *)(const void *)rows.data;
    return changed ? inventory_save(t->take->kept, t->item[first].kind, t->item[first].shard, row,
                                    rows.size / sizeof *row, err)
                   : 0;
}

static int shards_save(const struct taking *t, struct err *err)
{
    int rc = 0;
    for (size_t first = 0, end; first < t->items && !rc; first = end) {
        for (end = first; end < t->items && t->item[end].shard == t->item[first].shard;)
            end++;
        rc = shard_save(t, first, end, err);
        if (!rc)
            rc = t->take->alive(t->take->user, err);
    }
    return rc;
}

static int item_work(size_t nth, void *user, struct err *err)
{
    const struct taking *t = user;
    int rc = t->take->each(&t->item[nth], t->take->user, err);
    atomic_fetch_add(&t->take->watch->blobs, 1);
    return rc;
}

static int item_watch(void *user, struct err *err)
{
    const struct taking *t = user;
    return t->take->alive(t->take->user, err);
}

static int items_run(struct taking *t, struct buf *items, struct err *err)
{
    t->item = (struct stock_item *)(void *)items->data;
    t->items = items->size / sizeof *t->item;
    if (!t->items)
        return 0;
    qsort(t->item, t->items, sizeof *t->item, item_order);
    t->items = items_merge(t->item, t->items);
    uint64_t all = 0;
    for (size_t i = 0; i < t->items; i++)
        all += !t->item[i].listed;
    atomic_fetch_add(&t->take->watch->blobs_all, all);
    int rc = spread(t->items, t->take->threads, item_work, item_watch, t, err);
    struct err later;
    /* What was done before an error counts. */
    int saved = shards_save(t, rc ? &later : err);
    return rc ? rc : saved;
}

static int bucket_run(struct taking *t, enum inventory_kind kind, unsigned bucket, struct err *err)
{
    AUTO(buf_destroy) struct buf names = {0}, items = {0};
    uint32_t shards = inventory_shards(kind), step = buckets_of[kind];
    AUTO(mem_destroy) struct buf *text = calloc(shards / step + 1, sizeof *text);
    if (!text)
        abort();
    int rc = spool_take(&t->spool, bucket_first(kind) + bucket, &names, err);
    names_add(kind, &names, &items);
    for (uint32_t shard = bucket; shard < shards && !rc; shard += step)
        if (t->there[kind][shard / 8] >> shard % 8 & 1)
            rc = shard_add(t, kind, shard, &text[shard / step], &items, err);
    if (!rc)
        rc = items_run(t, &items, err);
    for (uint32_t i = 0; i < shards / step + 1; i++)
        buf_destroy(&text[i]);
    return rc;
}

int stocktake_run(const struct stocktake *take, unsigned kinds, struct err *err)
{
    AUTO(taking_destroy) struct taking *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(err, E_NOMEM, "no memory for names of blobs");
    t->take = take;
    t->kinds = kinds;
    t->err = err;
    int rc = names_list(t, err);
    for (enum inventory_kind kind = 0; kind < INVENTORY_KINDS && !rc; kind++)
        for (unsigned bucket = 0; bucket < buckets_of[kind] && kinds & 1u << kind && !rc; bucket++)
            rc = bucket_run(t, kind, bucket, err);
    return rc;
}
