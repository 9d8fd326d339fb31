/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Ranges of pages end in groups, each of which one commit takes to Redis. Ranges of a batch end in an order of chance:
 * near, among as many as are leased at a time, or scattered over the whole batch. */
#include "bench/commits.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/progress.h"

enum {
    RANGE_PAGES = 7,
    GROUP_RANGES = 256,
    LEASED_RANGES = 512,  /* that end in any order */
    BATCH_PAGES = 134286, /* 94 million pages in 700 batches */
    DEAD_ONE_IN = 1000,
    UNITS = 126,
    WORKERS = 100,
    EPOCH = 1,
};

struct range {
    uint64_t first;
    uint32_t pages;
};

/* The ranges of a batch in the order in which they end. */
struct batch {
    char id[128], unit[32];
    struct range *range;
    size_t ranges;
    uint64_t pages;
};

__attribute__((noreturn)) static void fail(const char *what)
{
    fprintf(stderr, "bench-store: %s\n", what);
    exit(EXIT_FAILURE);
}

static void batch_destroy(struct batch *batch)
{
    free(batch->range);
    batch->range = NULL;
}

/* Fisher and Yates. */
static void shuffle(struct range *range, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)random() % i;
        struct range kept = range[i - 1];
        range[i - 1] = range[other];
        range[other] = kept;
    }
}

static void batch_make(struct batch *batch, uint64_t pages, size_t window)
{
    batch->pages = pages;
    batch->ranges = (size_t)((pages + RANGE_PAGES - 1) / RANGE_PAGES);
    batch->range = calloc(batch->ranges, sizeof *batch->range);
    if (!batch->range)
        fail("no memory");
    for (size_t i = 0; i < batch->ranges; i++) {
        uint64_t first = i * RANGE_PAGES, left = pages - first;
        batch->range[i] = (struct range){first, left < RANGE_PAGES ? (uint32_t)left : RANGE_PAGES};
    }
    for (size_t i = 0; i < batch->ranges; i += window)
        shuffle(batch->range + i, batch->ranges - i < window ? batch->ranges - i : window);
}

static size_t group_ranges(const struct batch *batch, size_t at)
{
    return batch->ranges - at < GROUP_RANGES ? batch->ranges - at : GROUP_RANGES;
}

/* ---- commits ---- */

struct target {
    void (*commit)(struct target *to, const struct batch *batch, size_t at, size_t count);
    struct progress *progress;
    redisContext *link;
};

static struct progress *progress_start(const char *socket)
{
    struct progress *progress = NULL;
    struct err err;
    if (progress_open(socket, EPOCH, &progress, &err) || progress_assert(progress, &err))
        fail(err.text);
    return progress;
}

static redisContext *link_start(const char *socket)
{
    redisContext *link = redisConnectUnix(socket);
    if (!link || link->err)
        fail("no connection to Redis");
    return link;
}

static void by_script(struct target *to, const struct batch *batch, size_t at, size_t count)
{
    struct progress_change change[GROUP_RANGES];
    struct err err;
    for (size_t i = 0; i < count; i++)
        change[i] = (struct progress_change){.kind = PROGRESS_STORED,
                                             .batch = batch->id,
                                             .unit = batch->unit,
                                             .first = batch->range[at + i].first,
                                             .count = batch->range[at + i].pages};
    if (progress_commit(to->progress, change, count, &err))
        fail(err.text);
}

static void answers_take(redisContext *link, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        redisReply *reply = NULL;
        if (redisGetReply(link, (void **)&reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR)
            fail("Redis refused a command");
        freeReplyObject(reply);
    }
}

static void by_setbit(struct target *to, const struct batch *batch, size_t at, size_t count)
{
    size_t sent = 0;
    for (const struct range *r = batch->range + at; r < batch->range + at + count; r++)
        for (uint32_t page = 0; page < r->pages; page++, sent++)
            redisAppendCommand(to->link, "SETBIT plain:%s %llu 1", batch->id, (unsigned long long)(r->first + page));
    answers_take(to->link, sent);
}

static void by_bitfield(struct target *to, const struct batch *batch, size_t at, size_t count)
{
    for (const struct range *r = batch->range + at; r < batch->range + at + count; r++)
        redisAppendCommand(to->link, "BITFIELD plain:%s SET u%u %llu %u", batch->id, r->pages,
                           (unsigned long long)r->first, (1U << r->pages) - 1);
    answers_take(to->link, count);
}

int commits_run(int argc, char **argv)
{
    (void)argc;
    struct target to = {.link = link_start(argv[2]), .progress = progress_start(argv[2])};
    AUTO(batch_destroy) struct batch batch = {.unit = "unit"};
    to.commit = !strcmp(argv[3], "script") ? by_script : !strcmp(argv[3], "setbit") ? by_setbit : by_bitfield;
    batch_make(&batch, BATCH_PAGES, strcmp(argv[4], "near") ? BATCH_PAGES : LEASED_RANGES);
    uint64_t began_ms = clock_mono_ms(), last_ms = began_ms + strtoull(argv[5], NULL, 10) * 1000, pages = 0, ranges = 0;
    for (unsigned number = 0; clock_mono_ms() < last_ms; number++) {
        snprintf(batch.id, sizeof batch.id, "batch-%u", number);
        for (size_t at = 0; at < batch.ranges; at += GROUP_RANGES)
            to.commit(&to, &batch, at, group_ranges(&batch, at));
        pages += batch.pages;
        ranges += batch.ranges;
    }
    printf("{\"done\":%" PRIu64 ",\"ranges\":%" PRIu64 ",\"seconds\":%.3f}\n", pages, ranges,
           (double)(clock_mono_ms() - began_ms) / 1000);
    progress_destroy(&to.progress);
    redisFree(to.link);
    return 0;
}

/* ---- the whole backlog ---- */

/* A group with its stored pages first, so that they are one run of bits. */
struct group {
    struct progress_change change[2 * GROUP_RANGES];
    size_t count;
};

static void group_add(struct group *group, struct progress_change change)
{
    group->change[group->count++] = change;
}

/* Whether a page of the range, its last, is dead. */
static bool range_dead(const struct range *range)
{
    return range->first / DEAD_ONE_IN != (range->first + range->pages) / DEAD_ONE_IN;
}

static void group_fill(struct group *group, const struct batch *batch, size_t at, size_t count)
{
    struct progress_change change = {.batch = batch->id, .unit = batch->unit};
    group->count = 0;
    for (const struct range *r = batch->range + at; r < batch->range + at + count; r++) {
        change.kind = PROGRESS_STORED;
        change.first = r->first;
        change.count = r->pages - range_dead(r);
        group_add(group, change);
    }
    for (const struct range *r = batch->range + at; r < batch->range + at + count; r++) {
        change.kind = PROGRESS_DEAD;
        change.first = r->first + r->pages - 1;
        change.count = 1;
        change.code = E_TIME;
        if (range_dead(r))
            group_add(group, change);
    }
}

static void commit(struct progress *progress, const struct progress_change *change, size_t count)
{
    struct err err;
    if (progress_commit(progress, change, count, &err))
        fail(err.text);
}

static void event_commit(struct progress *progress, const struct batch *batch, size_t doc)
{
    char text[192];
    snprintf(text, sizeof text, "%s %zu 1", batch->id, doc);
    commit(progress,
           &(struct progress_change){
               .kind = PROGRESS_EVENT, .batch = batch->id, .unit = "", .field = "document", .value = text},
           1);
}

/* What coordinator/group.c sets of a batch; one document a range. */
static void counters_commit(struct progress *progress, const struct batch *batch)
{
    static const char *const zero[] = {"docs_open",       "docs_dead",    "docs_duplicate",  "docs_quarantined",
                                       "docs_withdrawn",  "docs_refused", "pages_duplicate", "pages_quarantined",
                                       "pages_withdrawn", "priority"};
    struct progress_change change = {.kind = PROGRESS_SET, .batch = batch->id, .unit = batch->unit};
    char pages[32], docs[32];
    snprintf(pages, sizeof pages, "%" PRIu64, batch->pages);
    snprintf(docs, sizeof docs, "%zu", batch->ranges);
    const char *const given[][2] = {
        {"docs",        docs           },
        {"docs_stored", docs           },
        {"pages",       pages          },
        {"cpu_ms",      "67143000"     },
        {"deadline_ms", "1798736400000"},
        {"unit",        batch->unit    }
    };
    for (size_t i = 0; i < sizeof zero / sizeof *zero; i++) {
        change.field = zero[i];
        change.value = "0";
        commit(progress, &change, 1);
    }
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        change.field = given[i][0];
        change.value = given[i][1];
        commit(progress, &change, 1);
    }
}

static uint64_t batch_fill(struct progress *progress, const struct batch *batch)
{
    struct group group;
    uint64_t dead = 0;
    for (size_t at = 0; at < batch->ranges; at += GROUP_RANGES) {
        group_fill(&group, batch, at, group_ranges(batch, at));
        commit(progress, group.change, group.count);
        event_commit(progress, batch, at);
        dead += group.count - group_ranges(batch, at);
    }
    counters_commit(progress, batch);
    return dead;
}

static void workers_fill(struct progress *progress)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "worker-%03u", i);
        struct progress_change change = {
            .kind = PROGRESS_WORKER, .batch = "", .unit = "", .field = name, .value = "{\"slots\":32}"};
        commit(progress, &change, 1);
    }
}

/* Minutes come from the clock: a day of them can't come through progress.h. */
static void rate_fill(redisContext *link)
{
    unsigned long long minute = clock_wall_ms() / 60000;
    for (unsigned i = 1; i < PROGRESS_MINUTES_KEPT; i++)
        redisAppendCommand(link, "HSETNX sohoa:rate %llu 6500", minute - i);
    answers_take(link, PROGRESS_MINUTES_KEPT - 1);
}

int fill_run(int argc, char **argv)
{
    (void)argc;
    uint64_t pages = strtoull(argv[3], NULL, 10), dead = 0;
    unsigned batches = (unsigned)strtoul(argv[4], NULL, 10);
    struct progress *progress = progress_start(argv[2]);
    redisContext *link = link_start(argv[2]);
    for (unsigned i = 0; i < batches; i++) {
        AUTO(batch_destroy) struct batch batch = {0};
        snprintf(batch.unit, sizeof batch.unit, "unit-%03u", i % UNITS);
        snprintf(batch.id, sizeof batch.id, "%s-batch-%02u", batch.unit, i / UNITS);
        batch_make(&batch, pages * (i + 1) / batches - pages * i / batches, LEASED_RANGES);
        dead += batch_fill(progress, &batch);
    }
    workers_fill(progress);
    rate_fill(link);
    printf("{\"pages\":%" PRIu64 ",\"dead\":%" PRIu64 "}\n", pages, dead);
    progress_destroy(&progress);
    redisFree(link);
    return 0;
}
