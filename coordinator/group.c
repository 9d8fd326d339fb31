/* SPDX-License-Identifier: AGPL-3.0-or-later
 * From the scheduler's actions to what is written. Ledger entries are kept packed, each behind its u32 length, so that a
 * group owns all it holds and nothing of the backlog is touched by the committer's thread. */
#include "coordinator/group.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/remarks.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/wire.h"
#include "storage/name.h"

enum {
    SPLIT_PARTS = 8192,
    EVENT_BYTES = 1024,
    DOC_GRADES_BYTES = DOC_MAX_PAGES / GRADES_A_BYTE,
};
_Static_assert(SPLIT_PARTS *(ERR_TEXT_BYTES + 64) <= LEDGER_ENTRY_BYTES, "a split fits in a ledger entry");

struct group *group_new(struct history *history, struct tally *tally, struct twins *twins)
{
    struct group *group = calloc(1, sizeof *group);
    if (!group)
        abort();
    group->history = history;
    group->tally = tally;
    group->twins = twins;
    return group;
}

/* A copy of text that lives as long as the group. */
static const char *text_keep(struct group *group, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    buf_append(&group->texts, &copy, sizeof copy);
    return copy;
}

static void texts_forget(struct group *group)
{
    char **text = (char **)(void *)group->texts.data;
    for (size_t i = 0; i < group->texts.size / sizeof *text; i++)
        free(text[i]);
    buf_destroy(&group->texts);
}

void group_destroy(struct group **group)
{
    if (!*group)
        return;
    texts_forget(*group);
    buf_destroy(&(*group)->changes);
    buf_destroy(&(*group)->entries);
    buf_destroy(&(*group)->ended);
    buf_destroy(&(*group)->outcomes);
    buf_destroy(&(*group)->layouts);
    buf_destroy(&(*group)->remarks);
    buf_destroy(&(*group)->remarks_data);
    buf_destroy(&(*group)->stops);
    buf_destroy(&(*group)->acks);
    buf_destroy(&(*group)->thens);
    buf_destroy(&(*group)->placed);
    buf_destroy(&(*group)->touched);
    buf_destroy(&(*group)->garbage);
    buf_destroy(&(*group)->purge);
    free(*group);
    *group = NULL;
}

bool group_empty(const struct group *group)
{
    return !group->changes.size && !group->entries.size && !group->ended.size && !group->layouts.size &&
           !group->remarks.size && !group->stops.size && !group->acks.size && !group->thens.size &&
           !group->garbage.size && !group->purge.size && !group->touched.size;
}

static void add_entry(struct group *group, const Sohoa__LedgerEntry *entry)
{
    uint32_t bytes = (uint32_t)sohoa__ledger_entry__get_packed_size(entry);
    buf_append(&group->entries, &bytes, sizeof bytes);
    sohoa__ledger_entry__pack(entry, buf_reserve(&group->entries, bytes));
    group->entries.size += bytes;
    if (group->history)
        history_add(group->history, entry, clock_wall_ms());
}

void group_set_actor(struct group *group, const char *actor)
{
    group->actor = actor;
}

void group_add_entry(struct group *group, Sohoa__LedgerEntry *entry)
{
    if (group->actor)
        entry->actor = (char *)(uintptr_t)group->actor;
    add_entry(group, entry);
}

void group_add_remarks(struct group *group, const char *batch, uint32_t doc, const Sohoa__Remarks *remarks,
                       uint8_t sha256[SHA256_BYTES])
{
    struct group_remarks added = {.batch = batch, .doc = doc, .at = group->remarks_data.size};
    remarks_append(&group->remarks_data, remarks, sha256);
    added.bytes = group->remarks_data.size - added.at;
    buf_append(&group->remarks, &added, sizeof added);
}

void group_add_release(struct group *group, const uint8_t sha256[SHA256_BYTES])
{
    struct group_stop stop = {.release = true};
    memcpy(stop.sha256, sha256, SHA256_BYTES);
    buf_append(&group->stops, &stop, sizeof stop);
}

void group_add_then(struct group *group, struct group_then then)
{
    buf_append(&group->thens, &then, sizeof then);
}

const struct group_then *group_thens(const struct group *group, size_t *count)
{
    *count = group->thens.size / sizeof(struct group_then);
    return (const struct group_then *)(const void *)group->thens.data;
}

void group_add_ack(struct group *group, struct group_ack ack)
{
    buf_append(&group->acks, &ack, sizeof ack);
}

const struct group_ack *group_acks(const struct group *group, size_t *count)
{
    *count = group->acks.size / sizeof(struct group_ack);
    return (const struct group_ack *)(const void *)group->acks.data;
}

const struct group_placed *group_placed(const struct group *group, size_t *count)
{
    *count = group->placed.size / sizeof(struct group_placed);
    return (const struct group_placed *)(const void *)group->placed.data;
}

const struct buf *group_garbage(const struct group *group, size_t *count)
{
    *count = group->garbage_count;
    return &group->garbage;
}

const struct buf *group_purge(const struct group *group, size_t *count)
{
    *count = group->purge_count;
    return &group->purge;
}

static void garbage_add(struct group *group, const char *name)
{
    buf_append(&group->garbage, name, strlen(name) + 1);
    group->garbage_count++;
}

void group_add_change(struct group *group, struct progress_change change)
{
    buf_append(&group->changes, &change, sizeof change);
}

void group_add_worker(struct group *group, const char *name, uint32_t slots)
{
    char value[64] = "";
    if (slots)
        snprintf(value, sizeof value, "{\"slots\":%u}", slots);
    group_add_change(group, (struct progress_change){.kind = PROGRESS_WORKER,
                                                     .batch = "",
                                                     .unit = "",
                                                     .field = text_keep(group, name),
                                                     .value = text_keep(group, value)});
}

void group_add_told(struct group *group, const char *field, const char *value)
{
    group_add_change(group, (struct progress_change){.kind = PROGRESS_TOLD,
                                                     .batch = "",
                                                     .unit = "",
                                                     .field = text_keep(group, field),
                                                     .value = text_keep(group, value)});
}

/* ---- counters of a batch ---- */

static void set_text(struct group *group, const struct batch *batch, const char *field, const char *value)
{
    group_add_change(group, (struct progress_change){.kind = PROGRESS_SET,
                                                     .batch = batch->id,
                                                     .unit = batch->unit,
                                                     .field = field,
                                                     .value = text_keep(group, value)});
}

static void set_number(struct group *group, const struct batch *batch, const char *field, uint64_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, number);
    set_text(group, batch, field, text);
}

/* pages_stored and pages_dead are not among them: those are counted by the bits that flip. */
void group_add_counters(struct group *group, const struct batch *batch)
{
    static const char *const doc_field[DOC_STATES] = {"docs_open",      "docs_stored",      "docs_dead",
                                                      "docs_duplicate", "docs_quarantined", "docs_withdrawn",
                                                      "docs_refused"};
    set_number(group, batch, "docs", batch->docs);
    for (int s = 0; s < DOC_STATES; s++)
        set_number(group, batch, doc_field[s], batch->doc_count[s]);
    uint64_t pages = 0;
    for (int s = 0; s < PAGE_STATES; s++)
        pages += batch->page_count[s];
    set_number(group, batch, "pages", pages);
    set_number(group, batch, "pages_duplicate", batch->page_count[PAGE_DUPLICATE]);
    set_number(group, batch, "pages_quarantined", batch->page_count[PAGE_QUARANTINED]);
    set_number(group, batch, "pages_withdrawn", batch->page_count[PAGE_WITHDRAWN]);
    set_number(group, batch, "cpu_ms", batch->cpu_ms);
    set_number(group, batch, "priority", batch_priority(batch));
    set_number(group, batch, "deadline_ms", batch_deadline_ms(batch));
    set_text(group, batch, "unit", batch->unit);
}

void group_add_page_counters(struct group *group, const struct batch *batch)
{
    set_number(group, batch, "pages_stored", batch->page_count[PAGE_STORED]);
    set_number(group, batch, "pages_dead", batch->page_count[PAGE_DEAD]);
}

/* ---- actions ---- */

static void add_placed(struct group *group, const struct backlog *backlog, struct doc_ref ref)
{
    const struct doc *doc = doc_at(backlog, ref);
    const struct work *work = &backlog->work[doc->work];
    const struct batch *batch = backlog->batch[ref.batch];
    struct group_layout layout = {
        .batch = batch->id,
        .piece = batch_piece(batch, ref.doc),
        .entry = {.doc = ref.doc,
                  .pages = work->pages,
                  .first_ordinal = doc->first_ordinal,
                  .range_pages = work->range_pages,
                  .generation = doc->generation,
                  .cost = work->cost}
    };
    memcpy(layout.entry.sha256, work->sha256, SHA256_BYTES);
    buf_append(&group->layouts, &layout, sizeof layout);
    struct group_placed placed = {ref, doc->generation};
    buf_append(&group->placed, &placed, sizeof placed);
}

/* What came out, of those that something came out of. packed: room for the grades of a document. */
static void outcome_grade(Sohoa__DocOutcome *outcome, const struct batch *batch, const struct doc *doc,
                          const struct work *work, uint8_t packed[DOC_GRADES_BYTES])
{
    if (doc->state != SOHOA__DOC_STATE__DOC_STORED && doc->state != SOHOA__DOC_STATE__DOC_DEAD)
        return;
    outcome->a4_pages = (uint32_t)doc->pages_stored + (work ? work->a4_more : 0);
    outcome->confidence_cpct = doc->confidence_cpct;
    outcome->doubts = doc_doubts(batch, outcome->doc);
    if (grades_seen(&batch->grades, doc->first_ordinal, doc->pages) == 1u << SOHOA__GRADE__GRADE_NONE)
        return;
    grades_pack(&batch->grades, doc->first_ordinal, doc->pages, packed);
    outcome->grades = (ProtobufCBinaryData){grades_bytes(doc->pages), packed};
}

/* err and packed: room for what the outcome points to. */
static Sohoa__DocOutcome outcome_of(const struct backlog *backlog, struct doc_ref ref, Sohoa__Err *wire,
                                    uint8_t packed[DOC_GRADES_BYTES])
{
    const struct doc *doc = doc_at(backlog, ref);
    struct batch *batch = backlog->batch[ref.batch];
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    outcome.batch = batch->id;
    outcome.doc = ref.doc;
    outcome.generation = doc->generation;
    outcome.state = doc->state;
    outcome.pages = doc->pages;
    outcome.pages_stored = doc->pages_stored;
    outcome.pages_dead = doc->pages_dead;
    outcome.duplicate_of = doc->duplicate_of == NONE ? 0 : doc->duplicate_of;
    outcome_grade(&outcome, batch, doc, doc->work == NONE ? NULL : &backlog->work[doc->work], packed);
    if (doc->fault != NONE) {
        fault_wire(backlog, doc->fault, wire);
        outcome.err = wire;
    }
    if (doc->work != NONE)
        outcome.sha256 = (ProtobufCBinaryData){SHA256_BYTES, backlog->work[doc->work].sha256};
    return outcome;
}

static void add_indexed(struct group *group, const struct batch *batch, const Sohoa__DocOutcome *outcome, bool again)
{
    size_t bytes = sohoa__doc_outcome__get_packed_size(outcome);
    struct group_outcome ended = {batch->id, outcome->doc, outcome->state, again, group->outcomes.size, bytes};
    sohoa__doc_outcome__pack(outcome, buf_reserve(&group->outcomes, bytes));
    group->outcomes.size += bytes;
    buf_append(&group->ended, &ended, sizeof ended);
}

void group_add_indexed(struct group *group, const struct backlog *backlog, struct doc_ref ref)
{
    uint8_t packed[DOC_GRADES_BYTES];
    Sohoa__Err wire;
    Sohoa__DocOutcome outcome = outcome_of(backlog, ref, &wire, packed);
    add_indexed(group, backlog->batch[ref.batch], &outcome, true);
}

/* The sketch is derived from the text: it is not for the ledger, which is never purged. */
static void add_outcome(struct group *group, const struct backlog *backlog, const struct acts *acts,
                        const struct act *act)
{
    struct doc_ref ref = act->doc;
    const struct batch *batch = backlog->batch[ref.batch];
    uint8_t packed[DOC_GRADES_BYTES];
    Sohoa__Err wire;
    Sohoa__DocOutcome outcome = outcome_of(backlog, ref, &wire, packed);
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_OUTCOME;
    entry.outcome = &outcome;
    add_entry(group, &entry);
    if (act->sketch_bytes)
        outcome.sketch = (ProtobufCBinaryData){act->sketch_bytes, acts->sketches.data + act->sketch};
    if (group->tally)
        tally_add(group->tally, ref, lot_of(batch, ref.doc)->terms.unit, &outcome, clock_wall_ms());
    if (group->twins)
        twins_add(group->twins, ref, &outcome);
    add_indexed(group, batch, &outcome, false);
}

/* A split as it is being packed, and what its lists point to. */
struct split_lists {
    Sohoa__PagesSplit message;
    Sohoa__Range *range;
    Sohoa__PageFailure *failure;
    Sohoa__Err *err;
    Sohoa__Range **stored, **kept;
    Sohoa__PageFailure **failed, **dead;
};

static void *zeroed(size_t count, size_t bytes)
{
    void *at = calloc(count ? count : 1, bytes);
    if (!at)
        abort();
    return at;
}

static void split_part(struct split_lists *lists, const struct backlog *backlog, const struct part *part, uint32_t i)
{
    Sohoa__PagesSplit *split = &lists->message;
    sohoa__range__init(&lists->range[i]);
    lists->range[i].first = part->first;
    lists->range[i].count = part->count;
    if (part->state == PAGE_STORED && part->kept)
        lists->kept[split->n_kept++] = &lists->range[i];
    else if (part->state == PAGE_STORED)
        lists->stored[split->n_stored++] = &lists->range[i];
    else if (part->fault != NONE && part->count == 1) {
        sohoa__page_failure__init(&lists->failure[i]);
        fault_wire(backlog, part->fault, &lists->err[i]);
        lists->failure[i].page_no = part->first;
        lists->failure[i].attempts = part->attempts;
        lists->failure[i].err = &lists->err[i];
        if (part->state == PAGE_DEAD)
            lists->dead[split->n_dead++] = &lists->failure[i];
        else
            lists->failed[split->n_failed++] = &lists->failure[i];
    }
}

/* One entry of count parts from first on. */
static void add_split_parts(struct group *group, const struct backlog *backlog, const struct work *work, uint32_t first,
                            uint32_t count)
{
    struct doc_ref lead = work->subscriber;
    struct split_lists lists = {.message = SOHOA__PAGES_SPLIT__INIT,
                                .range = zeroed(count, sizeof(Sohoa__Range)),
                                .failure = zeroed(count, sizeof(Sohoa__PageFailure)),
                                .err = zeroed(count, sizeof(Sohoa__Err)),
                                .stored = zeroed(count, sizeof(Sohoa__Range *)),
                                .kept = zeroed(count, sizeof(Sohoa__Range *)),
                                .failed = zeroed(count, sizeof(Sohoa__PageFailure *)),
                                .dead = zeroed(count, sizeof(Sohoa__PageFailure *))};
    for (uint32_t i = 0; i < count; i++)
        split_part(&lists, backlog, &cut_of(work)->part[first + i], i);
    Sohoa__PagesSplit *split = &lists.message;
    split->batch = backlog->batch[lead.batch]->id;
    split->doc = lead.doc;
    split->generation = work->generation;
    split->words_generation = cut_of(work)->words_generation;
    split->stored = lists.stored;
    split->kept = lists.kept;
    split->failed = lists.failed;
    split->dead = lists.dead;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_SPLIT;
    entry.split = split;
    add_entry(group, &entry);
    free(lists.range);
    free(lists.failure);
    free(lists.err);
    free(lists.stored);
    free(lists.kept);
    free(lists.failed);
    free(lists.dead);
}

/* In entries of so many parts that each is within LEDGER_ENTRY_BYTES, whatever the texts of their errors. */
static void add_split(struct group *group, const struct backlog *backlog, uint32_t index)
{
    const struct work *work = &backlog->work[index];
    if (work->subscriber.batch == NONE)
        return;
    for (uint32_t first = 0; first < cut_of(work)->parts; first += SPLIT_PARTS) {
        uint32_t left = cut_of(work)->parts - first;
        add_split_parts(group, backlog, work, first, left < SPLIT_PARTS ? left : SPLIT_PARTS);
    }
}

static void add_pages(struct group *group, const struct backlog *backlog, const struct act *act)
{
    const struct doc *doc = doc_at(backlog, act->doc);
    const struct batch *batch = backlog->batch[act->doc.batch];
    struct progress_change change = {
        .batch = batch->id, .unit = batch->unit, .first = doc->first_ordinal + act->first - 1, .count = act->count};
    if (act->kind == ACT_STORED) {
        change.kind = PROGRESS_STORED;
        group_add_change(group, change);
        return;
    }
    change.kind = PROGRESS_DEAD;
    change.count = 1;
    change.code = act->fault == NONE ? 0 : backlog->fault[act->fault].code;
    for (uint32_t i = 0; i < act->count; i++, change.first++)
        group_add_change(group, change);
}

static void purge_add(struct group *group, const char *name)
{
    buf_append(&group->purge, name, strlen(name) + 1);
    group->purge_count++;
}

void group_add_purge(struct group *group, const uint8_t sha256[SHA256_BYTES])
{
    struct name name;
    purge_add(group, name_stop(&name, sha256));
    purge_add(group, name_src(&name, sha256));
}

/* What workers made of the source in this generation. Of bundles all: of the ranges of the layout, of those they were cut
 * into, of leases that were lost. */
static void purge_made(struct group *group, const uint8_t *sha256, const uint8_t *pipeline, uint32_t generation)
{
    static const char *const part[] = {"done", "pdf", "alto", "text", "words"};
    struct name name;
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        purge_add(group, name_out(&name, sha256, pipeline, generation, part[i]));
    name_bundle(&name, sha256, pipeline, generation, 1, 1);
    strrchr(name.text, '/')[1] = '\0';
    purge_add(group, name.text);
}

/* Everything derived from the source, in every generation so far; under a pipeline that has no work of it, too: what was
 * read in the lease of a PROBE, if its worker or we died before it was told. The source itself stays until an operator
 * purges it. */
static void add_stop(struct group *group, const struct backlog *backlog, uint32_t index)
{
    const struct work *work = &backlog->work[index];
    struct group_stop stop = {.release = false};
    struct name name;
    memcpy(stop.sha256, work->sha256, SHA256_BYTES);
    buf_append(&group->stops, &stop, sizeof stop);
    purge_add(group, name_stop(&name, work->sha256));
    name_view(&name, work->sha256, 0);
    strrchr(name.text, '/')[1] = '\0';
    purge_add(group, name.text);
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(backlog, ref)->next) {
        purge_add(group, name_rec(&name, backlog->batch[ref.batch]->id, ref.doc));
        purge_add(group, name_batch(&name, backlog->batch[ref.batch]->id, "remarks", ref.doc));
    }
    for (uint32_t generation = 0; generation <= work->reached; generation++)
        purge_made(group, work->sha256, backlog->pipeline[work->pipeline], generation);
    for (uint32_t pipeline = 0; pipeline < backlog->pipelines; pipeline++)
        if (work_find(backlog, work->sha256, pipeline) == NONE)
            purge_made(group, work->sha256, backlog->pipeline[pipeline], 0);
}

void group_add_standing(struct group *group, const struct backlog *backlog, uint32_t index)
{
    const struct batch *batch = backlog->batch[index];
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Standing standing = SOHOA__STANDING__INIT;
    Sohoa__Err why;
    standing.batch = (char *)(uintptr_t)batch->id;
    standing.priority = batch->standing.priority;
    standing.deadline_ms = batch->standing.deadline_ms;
    standing.paused = batch->standing.paused;
    if (batch->standing.fault != NONE) {
        fault_wire(backlog, batch->standing.fault, &why);
        standing.why = &why;
    }
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_STANDING;
    entry.standing = &standing;
    group_add_entry(group, &entry);
    group_touch(group, index);
    group_add_change(group, (struct progress_change){.kind = PROGRESS_EVENT,
                                                     .batch = batch->id,
                                                     .unit = "",
                                                     .field = "standing",
                                                     .value = batch->standing.fault != NONE ? "broken"
                                                              : batch->standing.paused      ? "paused"
                                                                                            : "running"});
}

static void add_act(struct group *group, const struct backlog *backlog, const struct acts *acts, const struct act *act)
{
    struct name name;
    switch (act->kind) {
    case ACT_PLACED: add_placed(group, backlog, act->doc); break;
    case ACT_SPLIT: add_split(group, backlog, act->work); break;
    case ACT_OUTCOME: add_outcome(group, backlog, acts, act); break;
    case ACT_STORED:
    case ACT_DEAD: add_pages(group, backlog, act); break;
    case ACT_RECOUNT: group->recount = true; break;
    case ACT_BUNDLE:
        garbage_add(group, name_bundle(&name, backlog->work[act->work].sha256,
                                       backlog->pipeline[backlog->work[act->work].pipeline], act->generation,
                                       act->first, act->count));
        break;
    case ACT_STOPPED: add_stop(group, backlog, act->work); break;
    case ACT_SECRET: break; /* the coordinator enters it, with what the worker says */
    case ACT_BROKEN: group_add_standing(group, backlog, act->doc.batch); break;
    case ACT_DROP: break;
    }
}

void group_add(struct group *group, const struct backlog *backlog, const struct acts *acts)
{
    for (size_t i = 0; i < acts->count; i++)
        add_act(group, backlog, acts, &acts->at[i]);
    for (size_t i = 0; i < acts->count; i++)
        if (acts->at[i].kind == ACT_OUTCOME || acts->at[i].kind == ACT_PLACED)
            group_touch(group, acts->at[i].doc.batch);
}

/* Acts of one group name few batches, mostly the same one after another. */
void group_touch(struct group *group, uint32_t batch)
{
    const uint32_t *at = (const uint32_t *)(const void *)group->touched.data;
    for (size_t i = group->touched.size / sizeof *at; i > 0; i--)
        if (at[i - 1] == batch)
            return;
    buf_append(&group->touched, &batch, sizeof batch);
}

static int ended_order(const void *a, const void *b)
{
    const struct group_outcome *x = a, *y = b;
    int order = x->batch == y->batch ? 0 : strcmp(x->batch, y->batch);
    if (order)
        return order;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return x->doc < y->doc ? -1 : x->doc > y->doc;
}

/* One event: "stored 3 7-19 25" for documents of one batch; returns how many it tells of. */
static size_t add_event(struct group *group, const struct group_outcome *ended, size_t count)
{
    AUTO(buf_destroy) struct buf text = {0};
    size_t n = 0;
    buf_puts(&text, doc_state_name((int)ended->state));
    while (n < count && ended[n].batch == ended->batch && ended[n].state == ended->state && text.size < EVENT_BYTES) {
        uint32_t first = ended[n].doc, last = first;
        for (n++;
             n < count && ended[n].batch == ended->batch && ended[n].state == ended->state && ended[n].doc <= last + 1;
             n++)
            last = ended[n].doc;
        buf_printf(&text, last > first ? " %u-%u" : " %u", first, last);
    }
    group_add_change(group, (struct progress_change){.kind = PROGRESS_EVENT,
                                                     .batch = ended->batch,
                                                     .unit = "",
                                                     .field = "documents",
                                                     .value = text_keep(group, buf_text(&text))});
    return n;
}

static void add_events(struct group *group)
{
    const struct group_outcome *ended = (const struct group_outcome *)(const void *)group->ended.data;
    size_t count = 0;
    AUTO(mem_destroy) struct group_outcome *sorted = malloc(group->ended.size + 1);
    if (!sorted)
        abort();
    for (size_t i = 0; i < group->ended.size / sizeof *ended; i++)
        if (!ended[i].again)
            sorted[count++] = ended[i];
    qsort(sorted, count, sizeof *sorted, ended_order);
    for (size_t i = 0; i < count;)
        i += add_event(group, sorted + i, count - i);
}

void group_seal(struct group *group, const struct backlog *backlog)
{
    add_events(group);
    const uint32_t *at = (const uint32_t *)(const void *)group->touched.data;
    for (size_t i = 0; i < group->touched.size / sizeof *at; i++)
        group_add_counters(group, backlog->batch[at[i]]);
    buf_clear(&group->touched);
}
