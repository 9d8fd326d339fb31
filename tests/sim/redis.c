/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/redis.h"

#include <stdlib.h>
#include <string.h>

#include "storage/progress.h"
#include "tests/sim/source.h"
#include "tests/sim/store.h"
#include "tests/sim/worker.h"
#include "tests/sim/world.h"

enum { ORDINALS = BATCH_DOCS * SOURCE_PAGES + 8, AWAY_MOST_MS = 10000 };

struct image {
    uint64_t epoch;
    uint8_t bits[BATCHES][ORDINALS / 8 + 1];
    bool known[WORKERS];
};

struct progress {
    uint64_t epoch;
};

static struct {
    struct image now, before;
    bool restarted;   /* since the epoch was asserted */
    uint64_t away_ms; /* it does not answer before */
    struct progress connection;
} redis;

void redis_reset(void)
{
    memset(&redis, 0, sizeof redis);
}

void redis_fail(void)
{
    static const struct image empty;
    uint32_t how = chance(3);
    if (how == 0)
        redis.away_ms = world.now_ms + chance(AWAY_MOST_MS);
    else
        redis.now = how == 1 ? redis.before : empty;
    redis.before = redis.now;
    redis.restarted = redis.restarted || how;
}

static int away(struct err *err)
{
    return world.now_ms < redis.away_ms ? err_set(err, E_REDIS, "Redis is away") : 0;
}

bool redis_stored(uint32_t batch, uint64_t ordinal)
{
    return redis.now.bits[batch][ordinal / 8] & 0x80 >> (ordinal % 8);
}

/* A coordinator that is dead writes nothing, and never learns that. */
static int refused(struct err *err)
{
    if (away(err) || happens(world.one_in.redis))
        return err_set(err, E_REDIS, "Redis is away");
    if (redis.restarted || redis.now.epoch != redis.connection.epoch)
        return err_set(err, E_STATE, "Redis does not hold our epoch");
    return 0;
}

/* ---- progress.h ---- */

int progress_open(const char *socket_path, uint64_t epoch, struct progress **ret_progress, struct err *err)
{
    (void)socket_path;
    redis.connection.epoch = epoch;
    if (away(err))
        return E_REDIS;
    *ret_progress = &redis.connection;
    return 0;
}

void progress_destroy(struct progress **progress)
{
    *progress = NULL;
}

static void apply(const struct progress_change *change)
{
    uint64_t ordinal = change->first;
    if (change->kind == PROGRESS_WORKER)
        redis.now.known[strtoul(change->field + 1, NULL, 10)] = *change->value;
    for (; change->kind == PROGRESS_STORED && ordinal < change->first + change->count; ordinal++) {
        if (ordinal >= ORDINALS)
            violation("batch %s counts a page at ordinal %llu", change->batch, (unsigned long long)ordinal);
        redis.now.bits[batch_number(change->batch)][ordinal / 8] |= (uint8_t)(0x80 >> (ordinal % 8));
    }
}

int progress_commit(struct progress *progress, const struct progress_change *changes, size_t count, struct err *err)
{
    (void)progress;
    if (disk_doomed())
        return 0;
    int rc = refused(err);
    if (!chance(8))
        redis.before = redis.now;
    for (size_t i = 0; i < count && !rc; i++)
        apply(&changes[i]);
    return rc;
}

int progress_assert(struct progress *progress, struct err *err)
{
    if (disk_doomed())
        return 0;
    if (away(err))
        return E_REDIS;
    redis.now.epoch = progress->epoch;
    redis.restarted = false;
    return 0;
}

int progress_rewrite(struct progress *progress, const char *batch, const uint8_t *bits, size_t bits_bytes,
                     const struct progress_change *changes, size_t count, struct err *err)
{
    uint8_t *mine = redis.now.bits[batch_number(batch)];
    (void)progress;
    (void)changes;
    (void)count;
    if (disk_doomed())
        return 0;
    int rc = refused(err);
    if (rc)
        return rc;
    if (bits_bytes > sizeof redis.now.bits[0])
        violation("batch %s has a bitmap of %zu bytes", batch, bits_bytes);
    memset(mine, 0, sizeof redis.now.bits[0]);
    if (bits_bytes)
        memcpy(mine, bits, bits_bytes);
    return 0;
}

int progress_clear(struct progress *progress, struct err *err)
{
    (void)progress;
    if (disk_doomed())
        return 0;
    int rc = refused(err);
    if (rc)
        return rc;
    uint64_t epoch = redis.now.epoch;
    memset(&redis.now, 0, sizeof redis.now);
    redis.now.epoch = epoch;
    return 0;
}

int progress_before(struct progress *progress, uint64_t *ret_epoch, struct buf *workers, struct err *err)
{
    (void)progress;
    (void)err;
    *ret_epoch = redis.now.epoch;
    for (uint32_t i = 0; i < WORKERS; i++)
        if (redis.now.known[i])
            buf_printf(workers, "%sw%u", workers->size ? " " : "", i);
    return 0;
}

int progress_rates(struct progress *progress, progress_rate *each, void *user, struct err *err)
{
    (void)progress;
    (void)each;
    (void)user;
    (void)err;
    return 0;
}

int progress_look(struct progress *progress, struct err *err)
{
    (void)progress;
    return refused(err);
}

int progress_told(struct progress *progress, progress_told_one *each, void *user, struct err *err)
{
    (void)progress;
    (void)each;
    (void)user;
    (void)err;
    return 0;
}

int progress_bits(struct progress *progress, const char *batch, struct buf *into, struct err *err)
{
    (void)progress;
    (void)err;
    buf_append(into, redis.now.bits[batch_number(batch)], sizeof redis.now.bits[0]);
    return 0;
}
