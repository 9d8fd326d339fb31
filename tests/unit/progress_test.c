/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Progress against a real redis-server: counted once, fenced, and back after a loss. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/progress.h"
#include "storage/redis.h"
#include "tests/lib/redis.h"

enum { EPOCH = 7 };

static struct redis_server server;
static redisContext *look; /* the test's own eyes */
static struct progress *progress;
static struct err err;

static void look_open(void)
{
    look = redisConnectUnix(server.socket);
    assert_non_null(look);
    assert_int_equal(look->err, 0);
}

static redisReply *ask(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    redisReply *reply = redisvCommand(look, format, ap);
    va_end(ap);
    assert_non_null(reply);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    return reply;
}

static void tell(const char *command)
{
    freeReplyObject(ask(command));
}

static long long field(const char *key, const char *name)
{
    redisReply *reply = ask("HGET %s %s", key, name);
    long long n = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
    freeReplyObject(reply);
    return n;
}

static long long number(const char *format, const char *key)
{
    redisReply *reply = ask(format, key);
    assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    long long n = reply->integer;
    freeReplyObject(reply);
    return n;
}

static int group_start(void **state)
{
    (void)state;
    redis_server_start(&server);
    look_open();
    return 0;
}

static int group_stop(void **state)
{
    (void)state;
    redisFree(look);
    redis_server_stop(&server);
    return 0;
}

static int start(void **state)
{
    (void)state;
    tell("FLUSHALL");
    assert_int_equal(progress_open(server.socket, EPOCH, &progress, &err), 0);
    assert_int_equal(progress_assert(progress, &err), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    progress_destroy(&progress);
    assert_null(progress);
    return 0;
}

static struct progress_change bits(enum progress_kind kind, uint64_t first, uint64_t count)
{
    return (struct progress_change){.kind = kind, .batch = "b1", .unit = "old:00004", .first = first, .count = count};
}

static struct progress_change grow(const char *name, int64_t delta)
{
    return (struct progress_change){
        .kind = PROGRESS_ADD, .batch = "b1", .unit = "old:00004", .field = name, .delta = delta};
}

static struct progress_change put(const char *batch, const char *unit, const char *name, const char *value)
{
    return (struct progress_change){.kind = PROGRESS_SET, .batch = batch, .unit = unit, .field = name, .value = value};
}

static void commit(const struct progress_change *changes, size_t count)
{
    int rc = progress_commit(progress, changes, count, &err);
    if (rc)
        print_message("%s: %s\n", err_name(rc), err.text);
    assert_int_equal(rc, 0);
}

static void assert_stored(long long pages)
{
    assert_int_equal(field("sohoa:batch:b1", "pages_stored"), pages);
    assert_int_equal(field("sohoa:unit:old:00004", "pages_stored"), pages);
    assert_int_equal(number("BITCOUNT %s", "sohoa:batch:b1:stored"), pages);
}

static void counting_twice_counts_once(void **state)
{
    (void)state;
    const struct progress_change change[] = {bits(PROGRESS_STORED, 10, 5), bits(PROGRESS_STORED, 12, 100),
                                             grow("pages", 200), grow("docs_stored", 1)};
    commit(change, 4);
    assert_stored(102);
    commit(change, 2);
    assert_stored(102);
    assert_int_equal(field("sohoa:batch:b1", "pages"), 200);
    assert_int_equal(field("sohoa:unit:old:00004", "pages"), 200);
    assert_int_equal(field("sohoa:batch:b1", "docs_stored"), 1);
    assert_int_equal(number("HEXISTS %s docs_stored", "sohoa:unit:old:00004"), 0);
    assert_int_equal(number("SISMEMBER %s b1", "sohoa:batches"), 1);
    assert_int_equal(number("EXISTS %s", "sohoa:mask"), 0);
}

static void unstored_pages_shrink_the_count(void **state)
{
    (void)state;
    const struct progress_change change[] = {bits(PROGRESS_STORED, 0, 1000), bits(PROGRESS_UNSTORE, 100, 50),
                                             bits(PROGRESS_UNSTORE, 120, 60), bits(PROGRESS_UNSTORE, 5, 1)};
    commit(change, 4);
    assert_stored(1000 - 80 - 1);
    commit(change + 1, 3);
    assert_stored(1000 - 80 - 1);
    const struct progress_change again[] = {bits(PROGRESS_UNSTORE, 0, 1), bits(PROGRESS_STORED, 0, 1)};
    commit(again, 2);
    assert_stored(1000 - 80 - 1);
    assert_int_equal(number("GETBIT %s 0", "sohoa:batch:b1:stored"), 1);
}

static void a_dead_page_counts_once(void **state)
{
    (void)state;
    struct progress_change dead = bits(PROGRESS_DEAD, 3, 0);
    dead.code = E_PAGE_BROKEN;
    commit(&dead, 1);
    dead.code = E_PAGE_SIZE;
    commit(&dead, 1);
    assert_int_equal(field("sohoa:batch:b1", "pages_dead"), 1);
    assert_int_equal(field("sohoa:unit:old:00004", "pages_dead"), 1);
    redisReply *reply = ask("HGET sohoa:batch:b1:dead 3");
    assert_string_equal(reply->str, "E_PAGE_SIZE");
    freeReplyObject(reply);
    dead.kind = PROGRESS_UNDEAD;
    commit(&dead, 1);
    commit(&dead, 1);
    assert_int_equal(field("sohoa:batch:b1", "pages_dead"), 0);
    assert_int_equal(field("sohoa:unit:old:00004", "pages_dead"), 0);
    assert_int_equal(number("EXISTS %s", "sohoa:batch:b1:dead"), 0);
}

/* Every way of setting bits, against a plain array. */
static void bits_are_those_of_a_plain_array(void **state)
{
    (void)state;
    enum { ORDINALS = 200000, ROUNDS = 60, CHANGES = 700 };
    AUTO(mem_destroy) uint8_t *want = calloc(ORDINALS / 8, 1);
    AUTO(buf_destroy) struct buf have = {0};
    AUTO(mem_destroy) struct progress_change *change = calloc(CHANGES, sizeof *change);
    assert_true(want && change);
    srand(20251122);
    for (int round = 0; round < ROUNDS; round++) {
        enum progress_kind kind = round % 3 == 2 ? PROGRESS_UNSTORE : PROGRESS_STORED;
        unsigned spread = round % 2 ? ORDINALS : 4096, longest = 1u << rand() % 8;
        size_t n = 1 + (size_t)(rand() % CHANGES);
        for (size_t i = 0; i < n; i++) {
            unsigned first = (unsigned)rand() % spread, count = 1 + (unsigned)rand() % longest;
            count = first + count > ORDINALS ? ORDINALS - first : count;
            change[i] = bits(kind, first, count);
            for (unsigned bit = first; bit < first + count; bit++)
                want[bit / 8] = kind == PROGRESS_STORED ? want[bit / 8] | (uint8_t)(0x80 >> bit % 8)
                                                        : want[bit / 8] & (uint8_t) ~(0x80 >> bit % 8);
        }
        commit(change, n);
        long long set = 0;
        for (int i = 0; i < ORDINALS / 8; i++)
            set += __builtin_popcount(want[i]);
        assert_stored(set);
    }
    assert_int_equal(progress_bits(progress, "b1", &have, &err), 0);
    assert_true(have.size <= ORDINALS / 8);
    assert_memory_equal(have.data, want, have.size);
}

static void a_batch_without_bits_has_none(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf have = {0};
    assert_int_equal(progress_bits(progress, "never", &have, &err), 0);
    assert_int_equal(have.size, 0);
}

static void sets_and_sums_keep_their_order(void **state)
{
    (void)state;
    const struct progress_change change[] = {grow("docs", 5), put("b1", "", "docs", "100"), grow("docs", -3),
                                             put("", "old:00004", "deadline_ms", "1767200400000"),
                                             put("b1", "", "unit", "old:00004")};
    commit(change, 5);
    assert_int_equal(field("sohoa:batch:b1", "docs"), 97);
    assert_int_equal(field("sohoa:unit:old:00004", "deadline_ms"), 1767200400000);
    redisReply *reply = ask("HGET sohoa:batch:b1 unit");
    assert_string_equal(reply->str, "old:00004");
    freeReplyObject(reply);
}

struct rates {
    long long minutes;
    uint64_t last, hour_pages;
};

static void on_rate(uint32_t step_ms, uint64_t step, uint64_t pages, void *user)
{
    struct rates *rates = user;
    rates->minutes += step_ms == 60000;
    rates->last = step_ms == 60000 && step > rates->last ? step : rates->last;
    rates->hour_pages += step_ms == 3600000 ? pages : 0;
}

static void finished_pages_show_in_their_minute(void **state)
{
    (void)state;
    struct progress_change change[] = {bits(PROGRESS_STORED, 0, 40), bits(PROGRESS_DEAD, 40, 0)};
    change[1].code = E_PAGE_BROKEN;
    uint64_t before = clock_wall_ms() / 60000;
    for (uint64_t past = 1; past <= PROGRESS_MINUTES_KEPT + 10; past++)
        freeReplyObject(ask("HSET sohoa:rate %llu 1", (unsigned long long)(before - past)));
    commit(change, 2);
    commit(change, 2);
    uint64_t after = clock_wall_ms() / 60000;
    long long finished = 0;
    for (uint64_t minute = before; minute <= after; minute++) {
        char name[24];
        snprintf(name, sizeof name, "%llu", (unsigned long long)minute);
        finished += field("sohoa:rate", name);
    }
    assert_int_equal(finished, 41);
    assert_in_range(number("HLEN %s", "sohoa:rate"), PROGRESS_MINUTES_KEPT - 1, PROGRESS_MINUTES_KEPT);
    struct rates rates = {0};
    assert_int_equal(progress_clear(progress, &err), 0); /* a rebuild leaves them alone */
    assert_int_equal(progress_rates(progress, on_rate, &rates, &err), 0);
    assert_int_equal(rates.minutes, number("HLEN %s", "sohoa:rate"));
    assert_in_range(rates.last, before, after);
    assert_int_equal(rates.hour_pages, 41);
}

static void events_and_workers_are_kept(void **state)
{
    (void)state;
    struct progress_change change[] = {
        {.kind = PROGRESS_EVENT,  .batch = "b1", .unit = "", .field = "admitted", .value = "3 documents"  },
        {.kind = PROGRESS_WORKER, .batch = "",   .unit = "", .field = "w1",       .value = "{\"slots\":4}"}
    };
    commit(change, 2);
    redisReply *reply = ask("XRANGE sohoa:events - +");
    assert_int_equal(reply->elements, 1);
    const redisReply *pairs = reply->element[0]->element[1];
    const char *want[] = {"type", "admitted", "batch", "b1", "text", "3 documents"};
    assert_int_equal(pairs->elements, 6);
    for (int i = 0; i < 6; i++)
        assert_string_equal(pairs->element[i]->str, want[i]);
    freeReplyObject(reply);
    reply = ask("HGET sohoa:workers w1");
    assert_string_equal(reply->str, "{\"slots\":4}");
    freeReplyObject(reply);
    change[1].value = "";
    commit(change + 1, 1);
    assert_int_equal(number("EXISTS %s", "sohoa:workers"), 0);
}

static void the_stream_of_events_is_capped(void **state)
{
    (void)state;
    enum { EVENTS = 2 * PROGRESS_EVENTS_KEPT };
    AUTO(mem_destroy) struct progress_change *change = calloc(EVENTS, sizeof *change);
    assert_non_null(change);
    for (int i = 0; i < EVENTS; i++)
        change[i] = (struct progress_change){
            .kind = PROGRESS_EVENT, .batch = "b1", .unit = "", .field = "stored", .value = "x"};
    commit(change, EVENTS);
    assert_in_range(number("XLEN %s", "sohoa:events"), PROGRESS_EVENTS_KEPT, PROGRESS_EVENTS_KEPT + 1000);
}

static void an_older_epoch_is_refused(void **state)
{
    (void)state;
    struct progress *older = NULL;
    struct progress_change change = bits(PROGRESS_STORED, 0, 1);
    uint8_t all = 0xff;
    assert_int_equal(progress_open(server.socket, EPOCH - 1, &older, &err), 0);
    assert_int_equal(progress_commit(older, &change, 1, &err), E_FENCED);
    assert_int_equal(err.code, E_FENCED);
    assert_non_null(strstr(err.text, "epoch 7, ours is 6"));
    assert_int_equal(progress_rewrite(older, "b1", &all, 1, NULL, 0, &err), E_FENCED);
    assert_int_equal(progress_clear(older, &err), E_FENCED);
    assert_int_equal(progress_assert(older, &err), E_FENCED);
    progress_destroy(&older);
    assert_int_equal(number("EXISTS %s", "sohoa:batch:b1:stored"), 0);
    commit(&change, 1);
    assert_stored(1);
}

static void a_newer_epoch_must_be_asserted(void **state)
{
    (void)state;
    struct progress *newer = NULL;
    struct progress_change change = bits(PROGRESS_STORED, 0, 1);
    assert_int_equal(progress_open(server.socket, EPOCH + 1, &newer, &err), 0);
    assert_int_equal(progress_commit(newer, &change, 1, &err), E_STATE);
    assert_int_equal(progress_assert(newer, &err), 0);
    assert_int_equal(progress_commit(newer, &change, 1, &err), 0);
    progress_destroy(&newer);
    assert_int_equal(progress_commit(progress, &change, 1, &err), E_FENCED);
    assert_stored(1);
}

static void a_missing_epoch_is_told(void **state)
{
    (void)state;
    struct progress_change change = bits(PROGRESS_STORED, 0, 1);
    tell("FLUSHALL");
    assert_int_equal(progress_commit(progress, &change, 1, &err), E_STATE);
    assert_int_equal(number("EXISTS %s", "sohoa:batch:b1:stored"), 0);
    assert_int_equal(progress_assert(progress, &err), 0);
    commit(&change, 1);
    assert_stored(1);
}

static void limits_are_named_before_anything_is_done(void **state)
{
    (void)state;
    struct progress_change change[] = {bits(PROGRESS_STORED, 0, 1), bits(PROGRESS_STORED, PROGRESS_ORDINALS - 1, 2)};
    assert_int_equal(progress_commit(progress, change, 2, &err), E_LIMIT);
    assert_non_null(strstr(err.text, "PROGRESS_ORDINALS"));
    AUTO(mem_destroy) char *value = calloc(PROGRESS_VALUE_BYTES + 1, 1);
    assert_non_null(value);
    memset(value, 'x', PROGRESS_VALUE_BYTES);
    change[1] = put("b1", "", "note", value);
    assert_int_equal(progress_commit(progress, change, 2, &err), E_LIMIT);
    assert_non_null(strstr(err.text, "PROGRESS_VALUE_BYTES"));
    change[1] = grow("cpu_ms", PROGRESS_DELTA_MOST + 1);
    assert_int_equal(progress_commit(progress, change, 2, &err), E_LIMIT);
    assert_int_equal(number("EXISTS %s", "sohoa:batch:b1"), 0);
}

static void a_forgotten_script_is_loaded_again(void **state)
{
    (void)state;
    enum { CHANGES = 2500 };
    static struct progress_change change[CHANGES];
    for (int i = 0; i < CHANGES; i++)
        change[i] = grow("docs_stored", 1);
    tell("SCRIPT FLUSH");
    commit(change, CHANGES);
    assert_int_equal(field("sohoa:batch:b1", "docs_stored"), CHANGES);
    uint8_t byte = 0x80;
    tell("SCRIPT FLUSH");
    assert_int_equal(progress_rewrite(progress, "b1", &byte, 1, NULL, 0, &err), 0);
    tell("SCRIPT FLUSH");
    assert_int_equal(progress_clear(progress, &err), 0);
}

static void a_rewrite_replaces_the_batch(void **state)
{
    (void)state;
    enum { DEAD = 3000 };
    static struct progress_change change[DEAD + 1];
    struct progress_change before[] = {bits(PROGRESS_STORED, 0, 500), bits(PROGRESS_DEAD, 9000, 0), grow("pages", 700),
                                       put("b1", "", "left", "over"), bits(PROGRESS_STORED, 0, 20)};
    before[1].code = E_PAGE_BROKEN;
    before[4].batch = "b2";
    commit(before, 5);
    const uint8_t now[] = {0xf0, 0x01};
    change[0] = put("b1", "old:00004", "pages", "3020");
    for (int i = 1; i <= DEAD; i++) {
        change[i] = bits(PROGRESS_DEAD, 20 + (uint64_t)i, 0);
        change[i].code = E_PAGE_SIZE;
    }
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(progress_rewrite(progress, "b1", now, sizeof now, change, DEAD + 1, &err), 0);
        assert_int_equal(number("BITCOUNT %s", "sohoa:batch:b1:stored"), 5);
        assert_int_equal(number("GETBIT %s 15", "sohoa:batch:b1:stored"), 1);
        assert_int_equal(number("HLEN %s", "sohoa:batch:b1:dead"), DEAD);
        assert_int_equal(number("HEXISTS %s 9000", "sohoa:batch:b1:dead"), 0);
        assert_int_equal(field("sohoa:batch:b1", "pages_stored"), 5);
        assert_int_equal(field("sohoa:batch:b1", "pages_dead"), DEAD);
        assert_int_equal(field("sohoa:batch:b1", "pages"), 3020);
        assert_int_equal(number("HLEN %s", "sohoa:batch:b1"), 3);
        assert_int_equal(field("sohoa:unit:old:00004", "pages_stored"), 20 + 5);
        assert_int_equal(field("sohoa:unit:old:00004", "pages_dead"), DEAD);
        assert_int_equal(field("sohoa:unit:old:00004", "pages"), 3020);
    }
    struct progress_change next = bits(PROGRESS_STORED, 0, 8);
    commit(&next, 1);
    assert_int_equal(field("sohoa:batch:b1", "pages_stored"), 5 + 4);
}

static void a_set_of_pages_moves_the_unit_as_much(void **state)
{
    (void)state;
    const struct progress_change change[] = {
        put("b1", "old:00004", "pages", "100"), put("b2", "old:00004", "pages", "30"),
        put("b1", "old:00004", "pages", "90"), put("b1", "old:00004", "docs", "9")};
    commit(change, 4);
    commit(change + 1, 3);
    assert_int_equal(field("sohoa:batch:b1", "pages"), 90);
    assert_int_equal(field("sohoa:unit:old:00004", "pages"), 120);
    assert_int_equal(number("HEXISTS %s docs", "sohoa:unit:old:00004"), 0);
}

static void told_join(const char *field, const char *value, void *user)
{
    buf_printf(user, "[%s=%s]", field, value);
}

static void expect_told(const char *expected)
{
    AUTO(buf_destroy) struct buf told = {0};
    assert_int_equal(progress_told(progress, told_join, &told, &err), 0);
    assert_string_equal(buf_text(&told), expected);
}

/* Subjects have spaces in them; clearing keeps them, since nothing else knows what was told. */
static void what_was_told_is_kept_until_it_is_taken_back(void **state)
{
    (void)state;
    struct progress_change change[] = {
        {.kind = PROGRESS_TOLD, .batch = "", .unit = "", .field = "lost a b", .value = "1 2"},
        {.kind = PROGRESS_TOLD, .batch = "", .unit = "", .field = "full ",    .value = "3 4"}
    };
    expect_told("");
    commit(change, 2);
    expect_told("[lost a b=1 2][full =3 4]");
    change[0].value = "";
    commit(change, 1);
    assert_int_equal(progress_clear(progress, &err), 0);
    expect_told("[full =3 4]");
    change[0].field = PROGRESS_TOLD_ALL;
    commit(change, 1);
    expect_told("");
}

static void clearing_leaves_the_epoch_and_the_rates(void **state)
{
    (void)state;
    enum { BATCHES = 5000 };
    static char id[BATCHES][16];
    static struct progress_change change[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        snprintf(id[i], sizeof id[i], "batch%d", i);
        change[i] = bits(PROGRESS_STORED, 0, 1);
        change[i].batch = id[i];
    }
    commit(change, BATCHES);
    tell("SET other:key 1");
    assert_int_equal(number("SCARD %s", "sohoa:batches"), BATCHES);
    assert_int_equal(progress_clear(progress, &err), 0);
    redisReply *reply = ask("KEYS *");
    assert_int_equal(reply->elements, 4);
    freeReplyObject(reply);
    assert_int_equal(number("EXISTS %s other:key sohoa:rate sohoa:rate:hours", "sohoa:epoch"), 4);
    commit(change, 1);
}

static void server_restart(void)
{
    redisFree(look);
    redis_server_kill(&server);
    redis_server_wipe(&server);
    redis_server_again(&server);
    look_open();
}

/* Writes the batch and its unit anew, as a coordinator does from its memory. */
static void rewrite_from_memory(const struct buf *memory)
{
    const struct progress_change batch[] = {put("b1", "old:00004", "pages", "2000")};
    const struct progress_change unit[] = {put("", "old:00004", "deadline_ms", "1767200400000")};
    assert_int_equal(progress_rewrite(progress, "b1", memory->data, memory->size, batch, 1, &err), 0);
    commit(unit, 1);
}

static void a_restarted_redis_is_noticed_and_rewritten(void **state)
{
    (void)state;
    AUTO(buf_destroy) struct buf memory = {0}, after = {0};
    const struct progress_change change[] = {bits(PROGRESS_STORED, 100, 1500), grow("pages", 2000)};
    commit(change, 2);
    assert_int_equal(progress_bits(progress, "b1", &memory, &err), 0);
    server_restart();
    assert_int_equal(progress_commit(progress, change, 1, &err), E_REDIS);
    assert_int_equal(progress_commit(progress, change, 1, &err), E_STATE);
    assert_int_equal(progress_commit(progress, change, 1, &err), E_STATE);
    assert_int_equal(progress_rewrite(progress, "b1", memory.data, memory.size, NULL, 0, &err), E_STATE);
    assert_int_equal(progress_assert(progress, &err), 0);
    rewrite_from_memory(&memory);
    assert_stored(1500);
    assert_int_equal(field("sohoa:batch:b1", "pages"), 2000);
    assert_int_equal(field("sohoa:unit:old:00004", "pages"), 2000);
    commit(change, 1);
    assert_stored(1500);
    assert_int_equal(progress_bits(progress, "b1", &after, &err), 0);
    assert_int_equal(after.size, memory.size);
    assert_memory_equal(after.data, memory.data, after.size);
}

/* With fsync behind Redis may put off what it writes to its file for a while. */
static void file_await(void)
{
    for (uint64_t end_ms = clock_mono_ms() + 10000; clock_mono_ms() < end_ms; usleep(10000)) {
        redisReply *reply = ask("INFO persistence");
        bool written = strstr(reply->str, "aof_buffer_length:0") && strstr(reply->str, "aof_pending_bio_fsync:0");
        freeReplyObject(reply);
        if (written)
            return;
    }
    fail_msg("Redis does not write its file");
}

/* Redis came back with its files: the epoch is there, but the last second may not be. */
static void a_restart_with_the_epoch_kept_is_noticed(void **state)
{
    (void)state;
    const struct progress_change change = bits(PROGRESS_STORED, 0, 10);
    commit(&change, 1);
    file_await();
    redisFree(look);
    redis_server_kill(&server);
    redis_server_again(&server);
    look_open();
    assert_int_equal(number("EXISTS %s", "sohoa:epoch"), 1);
    assert_int_equal(progress_commit(progress, &change, 1, &err), E_REDIS);
    assert_int_equal(progress_commit(progress, &change, 1, &err), E_STATE);
    assert_int_equal(progress_assert(progress, &err), 0);
    commit(&change, 1);
    assert_stored(10);
}

/* Nothing is written, and yet it is seen that Redis went, came back empty, or follows another. */
static void a_look_sees_whose_redis_it_is(void **state)
{
    (void)state;
    assert_int_equal(progress_look(progress, &err), 0);
    tell("SET sohoa:epoch 999");
    assert_int_equal(progress_look(progress, &err), E_FENCED);
    tell("FLUSHALL");
    assert_int_equal(progress_look(progress, &err), E_STATE);
    assert_int_equal(progress_assert(progress, &err), 0);
    assert_int_equal(progress_look(progress, &err), 0);
    server_restart();
    assert_int_equal(progress_look(progress, &err), E_REDIS);
    assert_int_equal(progress_look(progress, &err), E_STATE);
}

static void a_cut_connection_to_the_same_redis_goes_on(void **state)
{
    (void)state;
    const struct progress_change change[] = {bits(PROGRESS_STORED, 0, 10), bits(PROGRESS_STORED, 5, 10)};
    commit(change, 1);
    tell("CLIENT KILL TYPE normal SKIPME yes");
    assert_int_equal(progress_commit(progress, change, 2, &err), E_REDIS);
    commit(change, 2);
    assert_stored(15);
}

static void a_replica_is_one_no_more(void **state)
{
    (void)state;
    const struct progress_change change = bits(PROGRESS_STORED, 0, 10), more = bits(PROGRESS_STORED, 10, 5);
    commit(&change, 1);
    assert_int_equal(redis_follow(server.socket, "127.0.0.1", "1", &err), 0);
    assert_int_equal(progress_commit(progress, &more, 1, &err), E_REDIS); /* and the next one connects anew */
    assert_non_null(strstr(err.text, "read only"));
    commit(&more, 1);
    assert_stored(15);
    assert_int_equal(redis_follow("/nowhere/redis.sock", "127.0.0.1", "1", &err), E_REDIS);
}

static void without_redis_the_error_names_the_socket(void **state)
{
    (void)state;
    struct progress *none = NULL;
    assert_int_equal(progress_open("/nowhere/redis.sock", 1, &none, &err), E_REDIS);
    assert_null(none);
    assert_non_null(strstr(err.text, "/nowhere/redis.sock"));
}

static void a_hung_redis_costs_a_timeout(void **state)
{
    (void)state;
    const struct progress_change change = bits(PROGRESS_STORED, 0, 10);
    kill(server.pid, SIGSTOP);
    uint64_t begin = clock_mono_ms();
    int rc = progress_commit(progress, &change, 1, &err);
    uint64_t took = clock_mono_ms() - begin;
    kill(server.pid, SIGCONT);
    assert_int_equal(rc, E_REDIS);
    assert_non_null(strstr(err.text, "no answer within"));
    assert_in_range(took, REDIS_TIMEOUT_MS - 100, 2 * REDIS_TIMEOUT_MS);
    commit(&change, 1);
    assert_stored(10);
}

static void show_cost(const char *what, const struct progress_change *change, size_t count)
{
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    commit(change, count);
    clock_gettime(CLOCK_MONOTONIC, &end);
    print_message("%zu changes, %s: %.2f ms\n", count, what,
                  (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
}

/* The limit is loose: it only shows a commit that went one by one. */
static void many_single_pages_are_cheap(void **state)
{
    (void)state;
    enum { PAGES = 10000 };
    static struct progress_change change[2 * PAGES];
    for (int i = 0; i < PAGES; i++)
        change[i] = bits(PROGRESS_STORED, (uint64_t)i, 1);
    show_cost("one after the other", change, PAGES);
    for (int i = 0; i < PAGES; i++)
        change[i] = bits(PROGRESS_STORED, 100000 + 2 * (uint64_t)(i * 7919 % PAGES), 1);
    show_cost("every second page, in no order", change, PAGES);
    for (int i = 0; i < PAGES; i++)
        change[i] = bits(PROGRESS_STORED, 1000000 + 100 * (uint64_t)(i * 7919 % PAGES), 1);
    show_cost("every hundredth page, in no order", change, PAGES);
    for (int i = 0; i < PAGES; i++)
        change[i] = bits(PROGRESS_STORED, 10000000 + 5000 * (uint64_t)(i * 7919 % PAGES), 1);
    uint64_t begin = clock_mono_ms();
    show_cost("every five-thousandth page, in no order", change, PAGES);
    for (int i = 0; i < PAGES; i++) {
        change[2 * i] = bits(PROGRESS_STORED, 80000000 + (uint64_t)i, 1);
        change[2 * i + 1] = grow("docs_stored", 1);
    }
    show_cost("page and document by turns", change, 2 * PAGES);
    assert_stored(5 * PAGES);
    assert_true(clock_mono_ms() - begin < 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counting_twice_counts_once, start, stop),
        cmocka_unit_test_setup_teardown(unstored_pages_shrink_the_count, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_page_counts_once, start, stop),
        cmocka_unit_test_setup_teardown(bits_are_those_of_a_plain_array, start, stop),
        cmocka_unit_test_setup_teardown(a_batch_without_bits_has_none, start, stop),
        cmocka_unit_test_setup_teardown(sets_and_sums_keep_their_order, start, stop),
        cmocka_unit_test_setup_teardown(finished_pages_show_in_their_minute, start, stop),
        cmocka_unit_test_setup_teardown(events_and_workers_are_kept, start, stop),
        cmocka_unit_test_setup_teardown(the_stream_of_events_is_capped, start, stop),
        cmocka_unit_test_setup_teardown(an_older_epoch_is_refused, start, stop),
        cmocka_unit_test_setup_teardown(a_newer_epoch_must_be_asserted, start, stop),
        cmocka_unit_test_setup_teardown(a_missing_epoch_is_told, start, stop),
        cmocka_unit_test_setup_teardown(limits_are_named_before_anything_is_done, start, stop),
        cmocka_unit_test_setup_teardown(a_forgotten_script_is_loaded_again, start, stop),
        cmocka_unit_test_setup_teardown(a_rewrite_replaces_the_batch, start, stop),
        cmocka_unit_test_setup_teardown(a_set_of_pages_moves_the_unit_as_much, start, stop),
        cmocka_unit_test_setup_teardown(what_was_told_is_kept_until_it_is_taken_back, start, stop),
        cmocka_unit_test_setup_teardown(clearing_leaves_the_epoch_and_the_rates, start, stop),
        cmocka_unit_test_setup_teardown(a_restarted_redis_is_noticed_and_rewritten, start, stop),
        cmocka_unit_test_setup_teardown(a_restart_with_the_epoch_kept_is_noticed, start, stop),
        cmocka_unit_test_setup_teardown(a_look_sees_whose_redis_it_is, start, stop),
        cmocka_unit_test_setup_teardown(a_cut_connection_to_the_same_redis_goes_on, start, stop),
        cmocka_unit_test_setup_teardown(a_replica_is_one_no_more, start, stop),
        cmocka_unit_test(without_redis_the_error_names_the_socket),
        cmocka_unit_test_setup_teardown(a_hung_redis_costs_a_timeout, start, stop),
        cmocka_unit_test_setup_teardown(many_single_pages_are_cheap, start, stop),
    };
    return cmocka_run_group_tests(tests, group_start, group_stop);
}
