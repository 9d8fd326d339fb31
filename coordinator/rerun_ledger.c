/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Documents go to the ledger by batch, each with its new generation and, where pages were chosen, with these: a restart finds them
 * kept or queued as they are. */
#include "coordinator/rerun_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

enum {
    ENTRY_DOCS = 1 << 17,   /* documents in one ledger entry ... */
    ENTRY_RANGES = 1 << 18, /* ... and numbers that tell ranges: a document's are begun before that */
    NUMBER_BYTES = 5,       /* of a document; others are at most DOC_MAX_PAGES */
    SMALL_BYTES = 3,
};
_Static_assert(ENTRY_DOCS *(NUMBER_BYTES + SMALL_BYTES) + (ENTRY_RANGES + DOC_MAX_PAGES + 2) * SMALL_BYTES +
                       WHERE_BYTES + NAME_BYTES + 64 <=
                   LEDGER_ENTRY_BYTES,
               "documents of a re-run fit in an entry");

/* Documents of an order on their way into an entry. */
struct entry {
    const struct backlog *backlog;
    struct group *group;
    uint32_t number;
    const char *where; /* said once */
    uint64_t pages;    /* likewise */
    const struct batch *batch;
    struct buf docs, generations, ranges;
    bool chosen; /* of any of them there are ranges */
};

static void entry_clear(struct entry *e)
{
    buf_clear(&e->docs);
    buf_clear(&e->generations);
    buf_clear(&e->ranges);
    e->chosen = false;
}

static void entry_destroy(struct entry *e)
{
    buf_destroy(&e->docs);
    buf_destroy(&e->generations);
    buf_destroy(&e->ranges);
}

static uint32_t *numbers(const struct buf *buf, size_t *ret_count)
{
    *ret_count = buf->size / sizeof(uint32_t);
    return (uint32_t *)(void *)buf->data;
}

static void rerun_say(struct entry *e)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Rerun rerun = SOHOA__RERUN__INIT;
    if (!e->docs.size)
        return;
    rerun.batch = (char *)(uintptr_t)e->batch->id;
    rerun.number = e->number;
    rerun.where = (char *)(uintptr_t)e->where;
    rerun.pages = e->pages;
    rerun.docs = numbers(&e->docs, &rerun.n_docs);
    rerun.generations = numbers(&e->generations, &rerun.n_generations);
    if (e->chosen)
        rerun.ranges = numbers(&e->ranges, &rerun.n_ranges);
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RERUN;
    entry.rerun = &rerun;
    group_add_entry(e->group, &entry);
    e->where = "";
    e->pages = 0;
    entry_clear(e);
}

static void undone_say(struct entry *e)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Undone undone = SOHOA__UNDONE__INIT;
    if (!e->docs.size)
        return;
    undone.batch = (char *)(uintptr_t)e->batch->id;
    undone.number = e->number;
    undone.docs = numbers(&e->docs, &undone.n_docs);
    undone.generations = numbers(&e->generations, &undone.n_generations);
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_UNDONE;
    entry.undone = &undone;
    group_add_entry(e->group, &entry);
    entry_clear(e);
}

/* Says those before it, where the next one has no place any more. */
static void entry_add(struct entry *e, struct doc_ref ref, uint32_t generation, void (*say)(struct entry *e))
{
    const struct batch *batch = e->backlog->batch[ref.batch];
    if (e->batch != batch || e->docs.size == ENTRY_DOCS * sizeof(uint32_t) ||
        e->ranges.size >= ENTRY_RANGES * sizeof(uint32_t))
        say(e);
    e->batch = batch;
    buf_append(&e->docs, &ref.doc, sizeof ref.doc);
    buf_append(&e->generations, &generation, sizeof generation);
}

static void entry_add_ranges(struct entry *e, const struct buf *ranges)
{
    uint32_t count = (uint32_t)(ranges->size / sizeof(struct page_range));
    buf_append(&e->ranges, &count, sizeof count);
    buf_append(&e->ranges, ranges->data, ranges->size);
    e->chosen = e->chosen || count;
}

uint32_t rerun_order(struct sched *sched, struct backlog *backlog, struct group *group, const char *where,
                     const struct choice *choice, uint64_t time_ms, struct acts *acts)
{
    AUTO(entry_destroy)
    struct entry entry = {.backlog = backlog, .group = group, .where = where, .pages = choice->pages};
    AUTO(buf_destroy) struct buf ranges = {0};
    size_t count;
    const struct chosen *chosen = choice_docs(choice, &count);
    struct rerun *rerun = rerun_add(backlog, where, choice->pages, time_ms);
    entry.number = backlog->reruns;
    for (size_t i = 0; i < count; i++) {
        buf_clear(&ranges);
        uint16_t generation = rerun_chosen(sched, &chosen[i], &ranges, acts);
        rerun_add_doc(rerun, chosen[i].ref, generation);
        entry_add(&entry, chosen[i].ref, generation, rerun_say);
        entry_add_ranges(&entry, &ranges);
    }
    rerun_say(&entry);
    return entry.number;
}

size_t rerun_take_back(struct sched *sched, struct backlog *backlog, struct group *group, uint32_t number,
                       struct acts *acts)
{
    AUTO(entry_destroy) struct entry entry = {.backlog = backlog, .group = group, .number = number};
    AUTO(buf_destroy) struct buf undone = {0};
    rerun_undo(sched, rerun_at(backlog, number), &undone, acts);
    const struct rerun_doc *of = (const struct rerun_doc *)(const void *)undone.data;
    size_t count = undone.size / sizeof *of;
    for (size_t i = 0; i < count; i++)
        entry_add(&entry, of[i].ref, of[i].generation, undone_say);
    undone_say(&entry);
    return count;
}
