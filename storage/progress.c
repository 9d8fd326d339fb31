/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Changes become operations of progress.lua. Bits that are set or cleared one after the other are sorted and joined
 * first: a range is one operation, and scattered ranges that lie close together travel as one mask. */
#include "storage/progress.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "progress_lua.h"
#include "storage/redis.h"

enum {
    MASK_GAP_BITS = 1024, /* spans further apart don't share a mask: its bytes would cost more than another operation */
    MASK_LEAST_SPANS = 4, /* fewer are cheaper one by one */
    MASK_MOST_BYTES = 64 << 10,
    MINUTE_MS = 60000,
};

/* Bits first to last. */
struct span {
    uint64_t first, last;
};

struct progress {
    char *socket_path;
    uint64_t epoch;
    struct redis *redis;
    unsigned server;              /* the server (redis_servers) that holds what we wrote */
    struct redis_request request; /* the script call being built */
    unsigned ops;                 /* in it */
    const char *batch, *unit;     /* what its last operations concern; NULL: not said yet */
    struct span *spans;           /* of the run of bits being sent */
    size_t spans_room;
};

/* ---- script calls ---- */

static void call_begin(struct progress *p)
{
    redis_begin_script(p->redis, &p->request);
    redis_add_number(&p->request, (int64_t)p->epoch);
    redis_add_number(&p->request, (int64_t)(clock_wall_ms() / MINUTE_MS));
    redis_add_number(&p->request, PROGRESS_EVENTS_KEPT);
    redis_add_number(&p->request, PROGRESS_MINUTES_KEPT);
    redis_add_number(&p->request, PROGRESS_HOURS_KEPT);
    p->ops = 0;
    p->batch = p->unit = NULL;
}

static int call_end(struct progress *p, struct err *err)
{
    int rc = p->ops ? redis_send(p->redis, &p->request, err) : 0;
    call_begin(p);
    return rc;
}

/* Makes room for ops operations that concern batch and unit. */
static int call_room(struct progress *p, unsigned ops, const char *batch, const char *unit, struct err *err)
{
    int rc = p->ops + ops > PROGRESS_SCRIPT_OPS ? call_end(p, err) : 0;
    if (rc)
        return rc;
    p->ops += ops;
    if (p->batch && !strcmp(p->batch, batch) && !strcmp(p->unit, unit))
        return 0;
    redis_add_text(&p->request, "batch");
    redis_add_text(&p->request, batch);
    redis_add_text(&p->request, unit);
    p->batch = batch;
    p->unit = unit;
    return 0;
}

/* ---- bits ---- */

static int span_order(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void spans_reserve(struct progress *p, size_t count)
{
    if (count <= p->spans_room)
        return;
    free(p->spans);
    p->spans = calloc(count, sizeof *p->spans);
    assert(p->spans);
    p->spans_room = count;
}

/* The bits of count changes as spans in order that neither overlap nor touch; returns how many. */
static size_t spans_join(struct progress *p, const struct progress_change *changes, size_t count)
{
    bool ordered = true;
    size_t n = 0;
    spans_reserve(p, count);
    for (size_t i = 0; i < count; i++)
        if (changes[i].count) {
            p->spans[n] = (struct span){changes[i].first, changes[i].first + changes[i].count - 1};
            ordered = ordered && (!n || p->spans[n - 1].first <= p->spans[n].first);
            n++;
        }
    if (!ordered)
        qsort(p->spans, n, sizeof *p->spans, span_order);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct span *last = kept ? &p->spans[kept - 1] : NULL;
        if (!last || p->spans[i].first > last->last + 1)
            p->spans[kept++] = p->spans[i];
        else if (p->spans[i].last > last->last)
            last->last = p->spans[i].last;
    }
    return kept;
}

/* How many spans from the start of spans on share a mask; 1: the first goes alone. */
static size_t spans_near(const struct span *spans, size_t count)
{
    size_t n = 1;
    while (n < count && n < PROGRESS_SCRIPT_OPS && spans[n].first - spans[n - 1].last <= MASK_GAP_BITS &&
           spans[n].last / 8 - spans[0].first / 8 < MASK_MOST_BYTES)
        n++;
    return n < MASK_LEAST_SPANS ? 1 : n;
}

static void mask_set(uint8_t *mask, uint64_t first, uint64_t last)
{
    for (uint64_t bit = first; bit <= last; bit++)
        if (bit % 8 == 0 && last - bit >= 7) {
            mask[bit / 8] = 0xff;
            bit += 7;
        } else {
            mask[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
}

static void mask_add(struct progress *p, bool on, const struct span *spans, size_t count)
{
    AUTO(buf_destroy) struct buf mask = {0};
    uint64_t base = spans[0].first / 8 * 8;
    size_t bytes = (size_t)((spans[count - 1].last - base) / 8 + 1);
    uint8_t *data = buf_reserve(&mask, bytes);
    memset(data, 0, bytes);
    for (size_t i = 0; i < count; i++)
        mask_set(data, spans[i].first - base, spans[i].last - base);
    for (size_t i = 0; i < bytes && !on; i++)
        data[i] = (uint8_t)~data[i];
    redis_add_text(&p->request, "mask");
    redis_add_text(&p->request, on ? "OR" : "AND");
    redis_add_number(&p->request, (int64_t)(base / 8));
    redis_add(&p->request, data, bytes);
}

static void span_add(struct progress *p, bool on, const struct span *span)
{
    redis_add_text(&p->request, on ? "set" : "clear");
    redis_add_number(&p->request, (int64_t)span->first);
    redis_add_number(&p->request, (int64_t)(span->last - span->first + 1));
}

/* count changes that set, or clear, bits of the same batch for the same unit. */
static int bits_commit(struct progress *p, const struct progress_change *changes, size_t count, struct err *err)
{
    bool on = changes->kind == PROGRESS_STORED;
    size_t spans = spans_join(p, changes, count);
    int rc = 0;
    for (size_t at = 0, n; at < spans && !rc; at += n) {
        n = spans_near(p->spans + at, spans - at);
        rc = call_room(p, (unsigned)n, changes->batch, changes->unit, err);
        if (!rc && n == 1)
            span_add(p, on, p->spans + at);
        else if (!rc)
            mask_add(p, on, p->spans + at, n);
    }
    return rc;
}

/* ---- changes ---- */

static bool change_is_bits(const struct progress_change *change)
{
    return change->kind == PROGRESS_STORED || change->kind == PROGRESS_UNSTORE;
}

/* How many changes from the first on are of one kind, batch and unit. */
static size_t changes_alike(const struct progress_change *changes, size_t count)
{
    size_t n = 1;
    while (n < count && changes[n].kind == changes->kind && !strcmp(changes[n].batch, changes->batch) &&
           !strcmp(changes[n].unit, changes->unit))
        n++;
    return n;
}

static void op_text(struct progress *p, const char *op, const char *name, const char *value)
{
    redis_add_text(&p->request, op);
    redis_add_text(&p->request, name);
    redis_add_text(&p->request, value);
}

static void op_number(struct progress *p, const char *op, uint64_t ordinal)
{
    redis_add_text(&p->request, op);
    redis_add_number(&p->request, (int64_t)ordinal);
}

static int change_commit(struct progress *p, const struct progress_change *change, struct err *err)
{
    int rc = call_room(p, 1, change->batch, change->unit, err);
    if (rc)
        return rc;
    switch (change->kind) {
    case PROGRESS_DEAD:
        op_number(p, "dead", change->first);
        redis_add_text(&p->request, err_name(change->code));
        break;
    case PROGRESS_UNDEAD: op_number(p, "undead", change->first); break;
    case PROGRESS_ADD:
        redis_add_text(&p->request, "add");
        redis_add_text(&p->request, change->field);
        redis_add_number(&p->request, change->delta);
        break;
    case PROGRESS_SET: op_text(p, "put", change->field, change->value); break;
    case PROGRESS_EVENT: op_text(p, "event", change->field, change->value); break;
    case PROGRESS_WORKER: op_text(p, "worker", change->field, change->value); break;
    case PROGRESS_TOLD: op_text(p, "told", change->field, change->value); break;
    case PROGRESS_STORED:
    case PROGRESS_UNSTORE: assert(!"bits go through bits_commit()"); break;
    }
    return 0;
}

static int value_check(const struct progress_change *change, struct err *err)
{
    assert(change->field && *change->field && change->value);
    size_t bytes = strlen(change->field) + strlen(change->value);
    return bytes <= PROGRESS_VALUE_BYTES ? 0
                                         : err_set(err, E_LIMIT, "%.60s of %zu bytes is over PROGRESS_VALUE_BYTES (%d)",
                                                   change->field, bytes, PROGRESS_VALUE_BYTES);
}

/* The script can't take back what it has done: nothing that Redis would refuse may reach it. */
static int change_check(const struct progress_change *change, struct err *err)
{
    assert(change->batch && change->unit);
    switch (change->kind) {
    case PROGRESS_STORED:
    case PROGRESS_UNSTORE:
    case PROGRESS_DEAD:
    case PROGRESS_UNDEAD:
        assert(*change->batch);
        if (change->first >= PROGRESS_ORDINALS || change->count > PROGRESS_ORDINALS - change->first)
            return err_set(err, E_LIMIT, "batch %s: ordinals %" PRIu64 "+%" PRIu64 " are over PROGRESS_ORDINALS",
                           change->batch, change->first, change->count);
        return 0;
    case PROGRESS_ADD:
        assert((*change->batch || *change->unit) && change->field && *change->field);
        if (change->delta > PROGRESS_DELTA_MOST || change->delta < -PROGRESS_DELTA_MOST)
            return err_set(err, E_LIMIT, "%.60s grows by %" PRId64 ": over PROGRESS_DELTA_MOST", change->field,
                           change->delta);
        return 0;
    case PROGRESS_SET: assert(*change->batch || *change->unit); return value_check(change, err);
    case PROGRESS_EVENT:
    case PROGRESS_WORKER:
    case PROGRESS_TOLD: return value_check(change, err);
    }
    return err_set(err, E_USAGE, "there is no kind %d of progress", (int)change->kind);
}

static int changes_check(const struct progress_change *changes, size_t count, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < count && !rc; i++)
        rc = change_check(&changes[i], err);
    return rc;
}

/* ---- the handle ---- */

int progress_open(const char *socket_path, uint64_t epoch, struct progress **ret_progress, struct err *err)
{
    AUTO(progress_destroy) struct progress *p = calloc(1, sizeof *p);
    assert(p && epoch && epoch <= PROGRESS_DELTA_MOST);
    p->epoch = epoch;
    p->socket_path = strdup(socket_path);
    assert(p->socket_path);
    p->redis = redis_new(p->socket_path, (const char *)progress_lua, sizeof progress_lua);
    int rc = redis_connect(p->redis, err);
    if (rc)
        return rc;
    p->server = redis_servers(p->redis);
    *ret_progress = p;
    p = NULL;
    return 0;
}

void progress_destroy(struct progress **progress)
{
    if (!*progress)
        return;
    redis_destroy(&(*progress)->redis);
    redis_request_destroy(&(*progress)->request);
    free((*progress)->spans);
    free((*progress)->socket_path);
    free(*progress);
    *progress = NULL;
}

/* Connected, and to the server that holds what we wrote. */
static int progress_ready(struct progress *p, struct err *err)
{
    int rc = redis_connect(p->redis, err);
    if (rc)
        return rc;
    return p->server == redis_servers(p->redis)
               ? 0
               : err_set(err, E_STATE, "Redis at %s was restarted: what it holds may be older", p->socket_path);
}

int progress_commit(struct progress *p, const struct progress_change *changes, size_t count, struct err *err)
{
    int rc = changes_check(changes, count, err);
    if (!rc)
        rc = progress_ready(p, err);
    if (rc)
        return rc;
    call_begin(p);
    for (size_t i = 0, n = 1; i < count && !rc; i += n) {
        n = change_is_bits(&changes[i]) ? changes_alike(changes + i, count - i) : 1;
        rc = change_is_bits(&changes[i]) ? bits_commit(p, changes + i, n, err) : change_commit(p, changes + i, err);
    }
    if (!rc)
        rc = call_end(p, err);
    return rc ? rc : redis_settle(p->redis, err);
}

int progress_assert(struct progress *p, struct err *err)
{
    int rc = redis_connect(p->redis, err);
    if (rc)
        return rc;
    call_begin(p);
    redis_add_text(&p->request, "assert");
    rc = redis_send(p->redis, &p->request, err);
    if (!rc)
        rc = redis_settle(p->redis, err);
    if (!rc)
        p->server = redis_servers(p->redis);
    return rc;
}

static int epoch_get(struct progress *p, uint64_t *ret_epoch, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request get = {0};
    AUTO(buf_destroy) struct buf epoch = {0};
    redis_begin(&get, "GET");
    redis_add_text(&get, "sohoa:epoch");
    int rc = redis_ask(p->redis, &get, &epoch, err);
    if (!rc)
        *ret_epoch = strtoull(buf_text(&epoch), NULL, 10);
    return rc;
}

int progress_look(struct progress *p, struct err *err)
{
    uint64_t epoch;
    int rc = progress_ready(p, err);
    if (!rc)
        rc = epoch_get(p, &epoch, err);
    if (rc || epoch == p->epoch)
        return rc;
    return epoch > p->epoch
               ? err_set(err, E_FENCED, "Redis follows epoch %" PRIu64 ", ours is %" PRIu64, epoch, p->epoch)
               : err_set(err, E_STATE, "Redis does not hold our epoch: what it holds may be older");
}

static int rewrite_begin(struct progress *p, const char *batch, const char *unit, const uint8_t *bits,
                         size_t bits_bytes, struct err *err)
{
    struct redis_request multi = {0};
    redis_begin(&multi, "MULTI");
    int rc = redis_send(p->redis, &multi, err);
    redis_request_destroy(&multi);
    /* A script that Redis has forgotten would show at EXEC only. */
    if (!rc)
        rc = redis_send_script(p->redis, err);
    call_begin(p);
    if (!rc)
        rc = call_room(p, 1, batch, unit, err);
    if (rc)
        return rc;
    redis_add_text(&p->request, "replace");
    redis_add(&p->request, bits, bits_bytes);
    return 0;
}

static int rewrite_change(struct progress *p, const struct progress_change *change, struct err *err)
{
    if (change->kind != PROGRESS_DEAD)
        return change_commit(p, change, err);
    int rc = call_room(p, 1, change->batch, change->unit, err);
    if (rc)
        return rc;
    op_number(p, "mark", change->first);
    redis_add_text(&p->request, err_name(change->code));
    return 0;
}

static int rewrite_end(struct progress *p, struct err *err)
{
    struct redis_request exec = {0};
    redis_begin(&exec, "EXEC");
    int rc = call_end(p, err);
    if (!rc)
        rc = redis_send(p->redis, &exec, err);
    redis_request_destroy(&exec);
    return rc ? rc : redis_settle(p->redis, err);
}

int progress_rewrite(struct progress *p, const char *batch, const uint8_t *bits, size_t bits_bytes,
                     const struct progress_change *changes, size_t count, struct err *err)
{
    const char *unit = count ? changes->unit : "";
    for (size_t i = 0; i < count; i++)
        assert((changes[i].kind == PROGRESS_SET || changes[i].kind == PROGRESS_DEAD) &&
               !strcmp(changes[i].batch, batch) && !strcmp(changes[i].unit, unit));
    int rc = changes_check(changes, count, err);
    if (!rc)
        rc = progress_ready(p, err);
    if (!rc)
        rc = rewrite_begin(p, batch, unit, bits, bits_bytes, err);
    for (size_t i = 0; i < count && !rc; i++)
        rc = rewrite_change(p, &changes[i], err);
    return rc ? rc : rewrite_end(p, err);
}

/* One step: *cursor becomes where to go on. */
static int clear_some(struct progress *p, struct buf *cursor, struct err *err)
{
    call_begin(p);
    redis_add_text(&p->request, "drop");
    redis_add(&p->request, cursor->data, cursor->size);
    buf_clear(cursor);
    return redis_ask(p->redis, &p->request, cursor, err);
}

int progress_clear(struct progress *p, struct err *err)
{
    AUTO(buf_destroy) struct buf cursor = {0};
    int rc = progress_ready(p, err);
    if (!rc)
        rc = redis_send_script(p->redis, err);
    if (!rc)
        rc = redis_settle(p->redis, err);
    buf_puts(&cursor, "0");
    do
        rc = rc ? rc : clear_some(p, &cursor, err);
    while (!rc && strcmp(buf_text(&cursor), "0"));
    return rc;
}

int progress_before(struct progress *p, uint64_t *ret_epoch, struct buf *workers, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request eval = {0};
    uint64_t epoch;
    int rc = redis_connect(p->redis, err);
    redis_begin(&eval, "EVAL");
    redis_add_text(&eval, "return table.concat(redis.call('HKEYS', 'sohoa:workers'), ' ')");
    redis_add_text(&eval, "0");
    if (!rc)
        rc = epoch_get(p, &epoch, err);
    if (!rc)
        rc = redis_ask(p->redis, &eval, workers, err);
    if (!rc)
        *ret_epoch = epoch;
    return rc;
}

/* Fields and values of a hash by turns, with between behind each but the last. */
static int hash_text(struct progress *p, const char *key, const char *between, struct buf *text, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request eval = {0};
    redis_begin(&eval, "EVAL");
    redis_add_text(&eval, "return table.concat(redis.call('HGETALL', KEYS[1]), ARGV[1])");
    redis_add_text(&eval, "1");
    redis_add_text(&eval, key);
    redis_add_text(&eval, between);
    return redis_ask(p->redis, &eval, text, err);
}

static int rates_of(struct progress *p, const char *key, uint32_t step_ms, progress_rate *each, void *user,
                    struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    int rc = hash_text(p, key, " ", &text, err);
    const char *at = buf_text(&text);
    while (!rc && *at) {
        char *end;
        uint64_t number = strtoull(at, &end, 10), pages = strtoull(end, &end, 10);
        if (end == at)
            break; /* somebody else wrote there */
        each(step_ms, number, pages, user);
        at = end;
    }
    return rc;
}

int progress_rates(struct progress *p, progress_rate *each, void *user, struct err *err)
{
    int rc = redis_connect(p->redis, err);
    if (!rc)
        rc = rates_of(p, "sohoa:rate", MINUTE_MS, each, user, err);
    return rc ? rc : rates_of(p, "sohoa:rate:hours", 60 * MINUTE_MS, each, user, err);
}

int progress_told(struct progress *p, progress_told_one *each, void *user, struct err *err)
{
    AUTO(buf_destroy) struct buf text = {0};
    int rc = redis_connect(p->redis, err);
    if (!rc)
        rc = hash_text(p, "sohoa:told", "\n", &text, err);
    char *rest = rc || !text.size ? NULL : (char *)text.data, *field, *value;
    while ((field = strsep(&rest, "\n")) && (value = strsep(&rest, "\n")))
        each(field, value, user);
    return rc;
}

int progress_bits(struct progress *p, const char *batch, struct buf *into, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request request = {0};
    AUTO(buf_destroy) struct buf key = {0};
    int rc = redis_connect(p->redis, err);
    if (rc)
        return rc;
    buf_printf(&key, "sohoa:batch:%s:stored", batch);
    redis_begin(&request, "GET");
    redis_add(&request, key.data, key.size);
    return redis_ask(p->redis, &request, into, err);
}
