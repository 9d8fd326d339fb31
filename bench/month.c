/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-month STORE_URL DAYS DOCUMENTS: the ledger of a city that has worked for so many days until yesterday: a batch for each district and
 * old commune, of so many documents in all, of which outcomes come on working days at the pace of the unit. Entries get their time from a
 * clock of our own (--wrap=clock_gettime). Prints as JSON what was written. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/chance.h"
#include "coordinator/day.h"
#include "coordinator/gazetteer.h"
#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/grades.h"
#include "storage/layout.h"
#include "storage/ledger.h"

enum { PAGES_MOST = 24, LOCK_MS = 60000, CHUNK = 2000, DAY_BEGINS_H = 7, DAY_HOURS = 12 };

static uint64_t wall_ms; /* 0: the real one */

int __real_clock_gettime(clockid_t clock, struct timespec *at);
int __wrap_clock_gettime(clockid_t clock, struct timespec *at);

int __wrap_clock_gettime(clockid_t clock, struct timespec *at)
{
    if (clock != CLOCK_REALTIME || !wall_ms)
        return __real_clock_gettime(clock, at);
    *at = (struct timespec){(time_t)(wall_ms / 1000), (long)(wall_ms % 1000) * 1000000};
    return 0;
}

struct city {
    struct ledger *ledger;
    uint64_t documents, pages, a4, refused;
    uint32_t units, queued;
    struct chance chance;
};

static int none(const Sohoa__LedgerEntry *entry, void *user, struct err *err)
{
    (void)entry;
    (void)user;
    return err_set(err, E_EXISTS, "the store has a ledger already");
}

static void die(const struct err *err)
{
    fprintf(stderr, "bench-month: %s\n", err->text);
    exit(EXIT_FAILURE);
}

static void enter(struct city *city, Sohoa__LedgerEntry *entry)
{
    struct err err;
    ledger_add(city->ledger, entry);
    if (++city->queued % CHUNK == 0 && ledger_commit(city->ledger, &err))
        die(&err);
}

static void admit(struct city *city, const char *batch, const char *unit, uint32_t docs, uint64_t deadline_ms)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__BatchAdmitted admitted = SOHOA__BATCH_ADMITTED__INIT;
    Sohoa__Lot lot = SOHOA__LOT__INIT, *lots[] = {&lot};
    uint8_t sha256[SHA256_BYTES] = {1}, pipeline[SHA256_BYTES] = {2};
    lot.docs = admitted.docs = docs;
    lot.unit = admitted.unit = (char *)(uintptr_t)unit;
    lot.priority = 1 + docs % 5;
    lot.deadline_ms = deadline_ms;
    lot.pages = (uint64_t)docs * 7;
    admitted.batch = (char *)(uintptr_t)batch;
    admitted.manifest_sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    admitted.manifest_bytes = 1;
    admitted.pipeline = (ProtobufCBinaryData){SHA256_BYTES, pipeline};
    admitted.lots = lots;
    admitted.n_lots = 1;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ADMITTED;
    entry.admitted = &admitted;
    enter(city, &entry);
}

/* What becomes of a document: the same whenever it is asked for. */
struct fate {
    uint32_t pages, dead, more; /* A4 pages above one each */
    bool refused;
    uint8_t sha256[SHA256_BYTES];
    struct chance chance; /* for its grades */
};

static struct fate fate_of(uint32_t unit, uint32_t doc)
{
    struct chance chance = chance_branch(7, (uint64_t)unit << 32 | doc);
    struct fate fate = {.pages = 1 + chance_below(&chance, PAGES_MOST / 2)};
    fate.dead = chance_below(&chance, 200) == 0;
    fate.refused = chance_below(&chance, 100) == 0;
    fate.more = chance_below(&chance, 30) == 0;
    for (size_t i = 0; i < SHA256_BYTES; i++)
        fate.sha256[i] = (uint8_t)chance_below(&chance, 256);
    fate.chance = chance;
    return fate;
}

/* Of the first documents of the batch: where their pages are. */
static void lay(struct store *store, const char *batch, uint32_t unit, uint32_t docs)
{
    AUTO(buf_destroy) struct buf entries = {0};
    struct err err;
    uint64_t ordinal = 0;
    for (uint32_t doc = 0; doc < docs; doc++) {
        struct fate fate = fate_of(unit, doc);
        struct layout_entry entry = {
            .doc = doc, .pages = fate.pages, .first_ordinal = ordinal, .range_pages = fate.pages};
        memcpy(entry.sha256, fate.sha256, SHA256_BYTES);
        if (fate.refused)
            continue;
        buf_append(&entries, &entry, sizeof entry);
        ordinal += fate.pages;
    }
    if (layout_append(store, batch, 0, (const struct layout_entry *)(const void *)entries.data,
                      entries.size / sizeof(struct layout_entry), &err))
        die(&err);
}

static void grades_draw(struct fate *fate, uint8_t *grades)
{
    for (uint32_t page_no = 1; page_no <= fate->pages; page_no++) {
        uint32_t drawn = chance_below(&fate->chance, 100);
        grade_put(grades, page_no,
                  drawn < 82   ? SOHOA__GRADE__GRADE_A
                  : drawn < 95 ? SOHOA__GRADE__GRADE_B
                               : SOHOA__GRADE__GRADE_C);
    }
}

static void finish(struct city *city, const char *batch, uint32_t unit, uint32_t doc)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    Sohoa__Err why = SOHOA__ERR__INIT;
    struct fate fate = fate_of(unit, doc);
    uint8_t grades[PAGES_MOST] = {0};
    outcome.batch = (char *)(uintptr_t)batch;
    outcome.doc = doc;
    outcome.state = fate.refused ? SOHOA__DOC_STATE__DOC_REFUSED
                    : fate.dead  ? SOHOA__DOC_STATE__DOC_DEAD
                                 : SOHOA__DOC_STATE__DOC_STORED;
    why.code = E_SOURCE_BROKEN;
    if (outcome.state != SOHOA__DOC_STATE__DOC_STORED)
        outcome.err = &why;
    if (!fate.refused) {
        outcome.pages = fate.pages;
        outcome.pages_dead = fate.dead;
        outcome.pages_stored = fate.pages - fate.dead;
        outcome.a4_pages = outcome.pages_stored ? outcome.pages_stored + fate.more : 0;
        outcome.sha256 = (ProtobufCBinaryData){SHA256_BYTES, fate.sha256};
        grades_draw(&fate, grades);
        outcome.grades = (ProtobufCBinaryData){grades_bytes(fate.pages), grades};
    }
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_OUTCOME;
    entry.outcome = &outcome;
    enter(city, &entry);
    city->documents++;
    city->pages += outcome.pages_stored;
    city->a4 += outcome.a4_pages;
    city->refused += fate.refused;
}

struct work {
    char batch[NAME_BYTES];
    uint32_t docs, done;
    double share; /* of it that is done in all the days */
};

static void day_work(struct city *city, struct work *work, size_t count, int64_t day, unsigned day_no, unsigned days)
{
    uint64_t begin_ms = day_start_ms(day) + DAY_BEGINS_H * UINT64_C(3600000);
    bool weekend = day_weekday(day) >= 5;
    for (size_t i = 0; i < count; i++) {
        uint32_t until = (uint32_t)((double)work[i].docs * work[i].share * (day_no + 1) / days);
        for (; !weekend && work[i].done < until; work[i].done++) {
            wall_ms = begin_ms + chance_below(&city->chance, DAY_HOURS * 3600000);
            finish(city, work[i].batch, (uint32_t)i, work[i].done);
        }
    }
}

int main(int argc, char **argv)
{
    static struct city city;
    struct store *store = NULL;
    struct err err;
    const struct place *place;
    if (argc != 4)
        return fprintf(stderr, "usage: bench-month STORE_URL DAYS DOCUMENTS\n"), EXIT_FAILURE;
    unsigned days = (unsigned)atoi(argv[2]);
    double documents = atof(argv[3]);
    struct work *work = calloc(1024, sizeof *work);
    int64_t today = day_of((uint64_t)time(NULL) * 1000), first = today - days;
    city.chance = chance_branch(7, 0);
    if (store_open(argv[1], &store, &err) || store_lock(store, "month", LOCK_MS, &err) ||
        ledger_open(store, NULL, none, NULL, &city.ledger, &err))
        die(&err);
    wall_ms = day_start_ms(first);
    for (size_t i = 0; (place = place_at(i)); i++) {
        struct work *of = &work[city.units];
        if (!strncmp(place->unit, "new:", 4))
            continue;
        of->docs = 1 + (uint32_t)(documents / 556 * (0.3 + 1.4 * (double)chance_below(&city.chance, 1000) / 1000));
        of->share = 0.35 + 0.65 * (double)chance_below(&city.chance, 1000) / 1000;
        snprintf(of->batch, sizeof of->batch, "month-%.3s-%s", place->unit, strchr(place->unit, ':') + 1);
        lay(store, of->batch, city.units,
            (uint32_t)(of->docs * of->share) + 1 < of->docs ? (uint32_t)(of->docs * of->share) + 1 : of->docs);
        admit(&city, of->batch, place->unit, of->docs,
              day_start_ms(today + 5 + (int64_t)chance_below(&city.chance, 60)));
        city.units++;
    }
    for (unsigned d = 0; d < days; d++)
        day_work(&city, work, city.units, first + d, d, days);
    wall_ms = 0;
    if (ledger_commit(city.ledger, &err))
        die(&err);
    printf("{\"units\": %u, \"documents\": %" PRIu64 ", \"pages\": %" PRIu64 ", \"a4\": %" PRIu64
           ", \"refused\": %" PRIu64 "}\n",
           city.units, city.documents, city.pages, city.a4, city.refused);
    ledger_destroy(&city.ledger);
    store_destroy(&store);
    free(work);
    return EXIT_SUCCESS;
}
