/* SPDX-License-Identifier: AGPL-3.0-or-later
 * bench-rerun [PAGES]: a backlog in memory of which all is stored, and re-runs by predicate over it, as the coordinator does them in
 * one turn of its loop: choosing and two plans of what it does to deadlines (which is a --dry-run), ordering with all that the ledger and the layout are to say, undoing. Prints
 * one line of JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/chance.h"
#include "coordinator/plan.h"
#include "coordinator/rerun_ledger.h"
#include "proto/auto.h"

enum {
    BATCHES = 700,
    UNITS = 90,
    PAGES_MOST = 13, /* of a document: 7 in the mean */
    C_ONE_IN = 100,  /* documents with a page of grade C ... */
    B_ONE_IN = 13,   /* ... and with one of grade B */
    RANGE_PAGES = 4,
    ROUNDS = 3,
    CORES = 160,
};

#define BEGAN_MS UINT64_C(1800000000000) /* some day of 2027 */

struct bench {
    struct backlog *backlog;
    struct sched *sched;
    struct chance chance;
    uint64_t pages;
};

/* What a re-run takes, at most of a few times. */
struct times {
    uint64_t docs, pages;
    double choose_ms, order_ms, undo_ms;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* there may be others on the machine */
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double more(double a, double b)
{
    return a > b ? a : b;
}

/* ---- the backlog ---- */

/* Of most pages A; of some documents one is C or B. */
static void grades_draw(struct bench *b, uint32_t pages, uint8_t *packed)
{
    uint32_t c = chance_below(&b->chance, C_ONE_IN) ? 0 : 1 + chance_below(&b->chance, pages);
    uint32_t worse = chance_below(&b->chance, B_ONE_IN) ? 0 : 1 + chance_below(&b->chance, pages);
    for (uint32_t page_no = 1; page_no <= pages; page_no++)
        grade_put(packed, page_no,
                  page_no == c       ? SOHOA__GRADE__GRADE_C
                  : page_no == worse ? SOHOA__GRADE__GRADE_B
                                     : SOHOA__GRADE__GRADE_A);
}

static void doc_store(struct bench *b, struct batch *batch, uint32_t doc)
{
    struct doc_ref ref = {batch->index, doc};
    struct placement placed = {.first_ordinal = batch->ordinals, .range_pages = RANGE_PAGES};
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    uint8_t grades[PAGES_MOST] = {0};
    placed.pages = 1 + chance_below(&b->chance, PAGES_MOST);
    for (int i = 0; i < SHA256_BYTES / 8; i++) {
        uint64_t part = chance_next(&b->chance);
        memcpy(placed.sha256 + 8 * i, &part, sizeof part);
    }
    grades_draw(b, placed.pages, grades);
    outcome.pages = outcome.pages_stored = placed.pages;
    outcome.state = SOHOA__DOC_STATE__DOC_STORED;
    outcome.confidence_cpct = 6000 + chance_below(&b->chance, 4000);
    outcome.sha256 = (ProtobufCBinaryData){SHA256_BYTES, placed.sha256};
    outcome.grades = (ProtobufCBinaryData){grades_bytes(placed.pages), grades};
    sched_restore_placed(b->sched, ref, &placed);
    sched_restore_outcome(b->sched, ref, &outcome);
    b->pages += placed.pages;
}

static void backlog_fill(struct bench *b, uint64_t pages)
{
    static const uint8_t digest[SHA256_BYTES] = {1};
    uint32_t docs = (uint32_t)(pages * 2 / (PAGES_MOST + 1) / BATCHES), pipeline = backlog_pipeline(b->backlog, digest);
    for (uint32_t i = 0; i < BATCHES; i++) {
        char id[16];
        struct terms terms = {.priority = 1 + i % 5, .deadline_ms = BEGAN_MS + i * UINT64_C(60000)};
        snprintf(id, sizeof id, "b%u", i);
        snprintf(terms.unit, sizeof terms.unit, "district:%03u", 1 + i % UNITS);
        struct batch *batch = batch_add(b->backlog, id, 0, pipeline);
        batch_add_lot(batch, &terms, docs, 0);
        for (uint32_t d = 0; d < docs; d++)
            doc_store(b, batch, d);
        batch->pages_read = 1000; /* it was measured */
        batch->cpu_ms = 700 * batch->pages_read;
    }
}

/* ---- a re-run ---- */

static void counts_take(const struct bench *b, struct buf *counts)
{
    for (uint32_t i = 0; i < BATCHES; i++) {
        buf_append(counts, b->backlog->batch[i]->page_count, sizeof b->backlog->batch[i]->page_count);
        buf_append(counts, b->backlog->batch[i]->doc_count, sizeof b->backlog->batch[i]->doc_count);
    }
}

static void fail(const char *why)
{
    fprintf(stderr, "bench-rerun: %s\n", why);
    exit(EXIT_FAILURE);
}

static void plans_make(const struct bench *b, const struct choice *choice)
{
    AUTO(plan_destroy) struct plan before = {0}, after = {0};
    struct supply supply = {0, CORES};
    struct plan_ifs ifs = {0};
    ifs.again = choice_lots(choice, &ifs.agains);
    plan_make(&before, b->sched, BEGAN_MS, &supply, 1, NULL);
    plan_make(&after, b->sched, BEGAN_MS, &supply, 1, &ifs);
    if (!after.rows)
        fail("there is nothing to do");
}

static double choose_timed(const struct bench *b, const char *text, struct choice *choice)
{
    AUTO(where_destroy) struct where *where = NULL;
    struct err err;
    double began_ms = now_ms();
    if (where_parse(text, &where, &err))
        fail(err.text);
    choose(b->backlog, where, choice);
    plans_make(b, choice);
    return now_ms() - began_ms;
}

static double order_timed(struct bench *b, const char *text, const struct choice *choice, struct group *group)
{
    struct acts acts = {0};
    double began_ms = now_ms();
    rerun_order(b->sched, b->backlog, group, text, choice, 1, &acts);
    group_add(group, b->backlog, &acts);
    double took_ms = now_ms() - began_ms;
    acts_destroy(&acts);
    return took_ms;
}

static double undo_timed(struct bench *b, size_t docs)
{
    struct acts acts = {0};
    struct group *group = group_new(NULL, NULL, NULL);
    double began_ms = now_ms();
    size_t undone = rerun_take_back(b->sched, b->backlog, group, b->backlog->reruns, &acts);
    group_add(group, b->backlog, &acts);
    double took_ms = now_ms() - began_ms;
    if (undone != docs)
        fail("not all was undone");
    group_destroy(&group);
    acts_destroy(&acts);
    return took_ms;
}

static void round_run(struct bench *b, const char *text, struct times *times)
{
    AUTO(choice_destroy) struct choice choice = {0};
    AUTO(buf_destroy) struct buf before = {0};
    AUTO(buf_destroy) struct buf after = {0};
    AUTO(group_destroy) struct group *group = group_new(NULL, NULL, NULL);
    size_t docs;
    counts_take(b, &before);
    times->choose_ms = more(times->choose_ms, choose_timed(b, text, &choice));
    choice_docs(&choice, &docs);
    times->docs = docs;
    times->pages = choice.pages;
    times->order_ms = more(times->order_ms, order_timed(b, text, &choice, group));
    times->undo_ms = more(times->undo_ms, undo_timed(b, docs));
    counts_take(b, &after);
    if (before.size != after.size || memcmp(before.data, after.data, before.size))
        fail("the counts are not what they were before");
}

static void rerun_print(struct bench *b, const char *name, const char *text)
{
    struct times times = {0};
    for (int i = 0; i < ROUNDS; i++)
        round_run(b, text, &times);
    printf("\"%s\": {\"documents\": %" PRIu64 ", \"pages\": %" PRIu64
           ", \"dry_run_ms\": %.1f, \"order_ms\": %.1f, \"undo_ms\": %.1f}",
           name, times.docs, times.pages, times.choose_ms, times.order_ms, times.undo_ms);
    fprintf(stderr, "bench-rerun: %s: %" PRIu64 " documents, %.1f, %.1f, %.1f ms\n", text, times.docs, times.choose_ms,
            times.order_ms, times.undo_ms);
}

int main(int argc, char **argv)
{
    static const struct sched_rules rules = {
        .range_ms = 4000, .range_pages = RANGE_PAGES, .page_attempts = 3, .lease_page_ms = 1000};
    struct bench b = {.backlog = backlog_new(), .chance = chance_branch(1, 1)};
    b.sched = sched_new(b.backlog, &rules, 1);
    backlog_fill(&b, argc > 1 ? strtoull(argv[1], NULL, 10) : 94000000);
    fprintf(stderr, "bench-rerun: %" PRIu64 " pages are stored\n", b.pages);
    printf("{\"pages\": %" PRIu64 ", ", b.pages);
    rerun_print(&b, "grade_c", "grade=C");
    printf(", ");
    rerun_print(&b, "unit", "unit=district:001");
    printf(", ");
    rerun_print(&b, "scattered", "confidence>=60 and confidence<60.43 and pages>0");
    printf(", ");
    rerun_print(&b, "grade_b", "grade=B");
    puts("}");
    sched_destroy(&b.sched);
    backlog_destroy(&b.backlog);
    return 0;
}
