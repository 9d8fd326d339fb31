/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Indices instead of pointers wherever an array may grow. Memory that can't be had ends the process: a restart loads
 * the same backlog from the store. */
#include "coordinator/backlog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/rerun.h"

static void *grow(void *at, uint32_t *capacity, uint32_t need, size_t item_bytes)
{
    if (need <= *capacity)
        return at;
    uint32_t wider = *capacity ? *capacity : 16;
    while (wider < need)
        wider *= 2;
    at = realloc(at, (size_t)wider * item_bytes);
    if (!at)
        abort();
    *capacity = wider;
    return at;
}

const char *doc_state_name(int state)
{
    static const char *const name[DOC_STATES] = {"open",        "stored",    "dead",   "duplicate",
                                                 "quarantined", "withdrawn", "refused"};
    return state >= 0 && state < DOC_STATES ? name[state] : "?";
}

void ring_push(struct ring *ring, uint64_t value)
{
    if (ring->count == ring->capacity) {
        uint32_t before = ring->capacity;
        ring->at = grow(ring->at, &ring->capacity, ring->count + 1, sizeof *ring->at);
        /* What had wrapped round to the front follows the old end. */
        for (uint32_t i = 0; i < ring->first; i++)
            ring->at[before + i] = ring->at[i];
    }
    ring->at[(ring->first + ring->count++) % ring->capacity] = value;
}

uint64_t ring_pop(struct ring *ring)
{
    assert(ring->count);
    uint64_t value = ring->at[ring->first];
    ring->first = (ring->first + 1) % ring->capacity;
    ring->count--;
    return value;
}

uint64_t ring_peek(const struct ring *ring, uint32_t nth)
{
    assert(nth < ring->count);
    return ring->at[(ring->first + nth) % ring->capacity];
}

struct backlog *backlog_new(void)
{
    struct backlog *backlog = calloc(1, sizeof *backlog);
    if (!backlog)
        abort();
    return backlog;
}

static void lot_destroy(struct lot **lot)
{
    free((*lot)->reprobe.at);
    free((*lot)->ready.at);
    free((*lot)->assemble.at);
    free(*lot);
    *lot = NULL;
}

static void batch_destroy(struct batch **batch)
{
    if (!*batch)
        return;
    for (uint32_t i = 0; (*batch)->check_source && i < (*batch)->docs; i++)
        free((*batch)->check_source[i]);
    free((*batch)->check_source);
    free((*batch)->check_pages);
    for (uint32_t i = 0; i < (*batch)->blocks; i++) {
        free((*batch)->block[i]);
        free((*batch)->doubts[i]);
    }
    free((*batch)->block);
    free((*batch)->doubts);
    free((*batch)->piece);
    grades_clear(&(*batch)->grades);
    for (uint32_t i = 0; i < (*batch)->lots; i++)
        lot_destroy(&(*batch)->lot[i]);
    free((*batch)->lot);
    free(*batch);
    *batch = NULL;
}

void backlog_destroy(struct backlog **backlog)
{
    struct backlog *b = *backlog;
    if (!b)
        return;
    for (uint32_t i = 0; i < b->batches; i++)
        batch_destroy(&b->batch[i]);
    for (uint32_t i = 0; i < b->works; i++)
        work_uncut(&b->work[i]);
    for (uint32_t i = 0; i < b->faults; i++)
        free(b->fault[i].text);
    free(b->batch);
    free(b->work);
    free(b->slot);
    free(b->fault);
    free(b->pipeline);
    reruns_destroy(b);
    free(b->target);
    free(b);
    *backlog = NULL;
}

uint32_t backlog_pipeline(struct backlog *backlog, const uint8_t digest[SHA256_BYTES])
{
    for (uint32_t i = 0; i < backlog->pipelines; i++)
        if (!memcmp(backlog->pipeline[i], digest, SHA256_BYTES))
            return i;
    if (backlog->pipelines == PIPELINES_MAX)
        return NONE;
    backlog->pipeline = realloc(backlog->pipeline, (backlog->pipelines + 1) * sizeof *backlog->pipeline);
    if (!backlog->pipeline)
        abort();
    memcpy(backlog->pipeline[backlog->pipelines], digest, SHA256_BYTES);
    return backlog->pipelines++;
}

uint32_t backlog_fault(struct backlog *backlog, const struct err *err)
{
    backlog->fault = grow(backlog->fault, &backlog->fault_capacity, backlog->faults + 1, sizeof *backlog->fault);
    char *text = strdup(err->text);
    if (!text)
        abort();
    backlog->fault[backlog->faults] = (struct fault){.code = err->code, .page_no = err->page_no, .text = text};
    return backlog->faults++;
}

void fault_wire(const struct backlog *backlog, uint32_t fault, Sohoa__Err *wire)
{
    sohoa__err__init(wire);
    wire->code = backlog->fault[fault].code;
    wire->page_no = backlog->fault[fault].page_no;
    wire->text = backlog->fault[fault].text;
}

struct batch *backlog_batch(const struct backlog *backlog, const char *id)
{
    for (uint32_t i = 0; i < backlog->batches; i++)
        if (backlog->batch[i] && !strcmp(backlog->batch[i]->id, id))
            return backlog->batch[i];
    return NULL;
}

static void batch_extend(struct batch *batch, uint32_t docs)
{
    assert(docs <= BATCH_MAX_DOCS - batch->docs);
    uint32_t blocks = (batch->docs + docs + DOC_BLOCK - 1) / DOC_BLOCK;
    if (blocks > batch->blocks) {
        batch->block = realloc(batch->block, blocks * sizeof *batch->block);
        batch->doubts = realloc(batch->doubts, blocks * sizeof *batch->doubts);
        if (!batch->block || !batch->doubts)
            abort();
        memset(batch->block + batch->blocks, 0, (blocks - batch->blocks) * sizeof *batch->block);
        memset(batch->doubts + batch->blocks, 0, (blocks - batch->blocks) * sizeof *batch->doubts);
        batch->blocks = blocks;
    }
    batch->docs += docs;
    batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN] += docs;
}

void batch_add_piece(struct batch *batch, const uint8_t sha256[SHA256_BYTES], uint64_t bytes)
{
    batch->piece = realloc(batch->piece, (batch->pieces + 1) * sizeof *batch->piece);
    if (!batch->piece)
        abort();
    struct piece *piece = &batch->piece[batch->pieces++];
    *piece = (struct piece){.offset = batch->manifest_bytes, .first_doc = batch->docs};
    memcpy(piece->sha256, sha256, SHA256_BYTES);
    batch->manifest_bytes += bytes;
}

uint32_t batch_piece(const struct batch *batch, uint32_t doc)
{
    uint32_t low = 0, high = batch->pieces; /* the last of low..high-1 that begins at doc or before */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (batch->piece[middle].first_doc <= doc)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static struct lot *lot_new(struct batch *batch, const struct terms *terms)
{
    struct lot *lot = calloc(1, sizeof *lot);
    batch->lot = realloc(batch->lot, (batch->lots + 1) * sizeof(struct lot *));
    if (!lot || !batch->lot)
        abort();
    *lot = (struct lot){.terms = *terms, .batch = batch->index, .first_doc = batch->docs, .probe_next = batch->docs};
    lot->priority = terms->priority ? terms->priority : PRIORITY_PRESET;
    lot->due_ms = lot->turn_ms = terms->deadline_ms ? terms->deadline_ms : DEADLINE_NONE;
    batch->lot[batch->lots++] = lot;
    return lot;
}

static bool terms_equal(const struct terms *a, const struct terms *b)
{
    return a->priority == b->priority && a->deadline_ms == b->deadline_ms && a->permanent == b->permanent &&
           !strcmp(a->unit, b->unit) && !strcmp(a->bloc, b->bloc) && !strcmp(a->intake, b->intake);
}

void batch_add_lot(struct batch *batch, const struct terms *terms, uint32_t docs, uint64_t pages_said)
{
    struct lot *lot = batch->lots ? batch->lot[batch->lots - 1] : NULL;
    if (!docs)
        return;
    if (!lot || !terms_equal(&lot->terms, terms))
        lot = lot_new(batch, terms);
    lot->docs += docs;
    lot->doc_count[SOHOA__DOC_STATE__DOC_OPEN] += docs;
    lot->pages_said += pages_said;
    batch_extend(batch, docs);
}

struct lot *lot_of(const struct batch *batch, uint32_t doc)
{
    uint32_t low = 0, high = batch->lots; /* the last of low..high-1 that begins at doc or before */
    assert(doc < batch->docs);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (batch->lot[middle]->first_doc <= doc)
            low = middle;
        else
            high = middle;
    }
    return batch->lot[low];
}

bool batch_has_unit(const struct batch *batch, const char *unit)
{
    for (uint32_t i = 0; i < batch->lots; i++)
        if (!strcmp(batch->lot[i]->terms.unit, unit))
            return true;
    return false;
}

bool lot_open(const struct lot *lot)
{
    return lot->doc_count[SOHOA__DOC_STATE__DOC_OPEN];
}

uint32_t batch_priority(const struct batch *batch)
{
    uint32_t first = batch->lots ? batch->lot[0]->priority : PRIORITY_PRESET;
    for (uint32_t i = 1; i < batch->lots; i++)
        if (batch->lot[i]->priority < first)
            first = batch->lot[i]->priority;
    return first;
}

uint64_t batch_deadline_ms(const struct batch *batch)
{
    uint64_t first = DEADLINE_NONE;
    for (uint32_t i = 0; i < batch->lots; i++)
        if (batch->lot[i]->due_ms < first)
            first = batch->lot[i]->due_ms;
    return first == DEADLINE_NONE ? 0 : first;
}

struct batch *batch_add(struct backlog *backlog, const char *id, uint32_t docs, uint32_t pipeline)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        abort();
    assert(strlen(id) < sizeof batch->id);
    memcpy(batch->id, id, strlen(id) + 1);
    batch->pipeline = pipeline;
    batch->standing.fault = NONE;
    backlog->batch = grow(backlog->batch, &backlog->batch_capacity, backlog->batches + 1, sizeof(struct batch *));
    batch->index = backlog->batches;
    backlog->batch[backlog->batches++] = batch;
    if (docs)
        batch_add_lot(batch, &(struct terms){0}, docs, 0);
    return batch;
}

void batch_remove(struct backlog *backlog, struct batch *batch)
{
    assert(batch->check_only);
    batch_destroy(&backlog->batch[batch->index]);
}

static const struct doc untouched = {
    .next = {NONE, 0},
      .work = NONE, .duplicate_of = NONE, .fault = NONE, .phase = PHASE_UNPROBED
};

static struct doc *block_new(void)
{
    struct doc *block = malloc(DOC_BLOCK * sizeof *block);
    if (!block)
        abort();
    for (int i = 0; i < DOC_BLOCK; i++)
        block[i] = untouched;
    return block;
}

struct doc *doc_at(const struct backlog *backlog, struct doc_ref ref)
{
    assert(ref.batch < backlog->batches && ref.doc < backlog->batch[ref.batch]->docs);
    struct doc **block = &backlog->batch[ref.batch]->block[ref.doc / DOC_BLOCK];
    if (!*block)
        *block = block_new();
    return &(*block)[ref.doc % DOC_BLOCK];
}

const struct doc *doc_look(const struct batch *batch, uint32_t doc)
{
    assert(doc < batch->docs);
    const struct doc *block = batch->block[doc / DOC_BLOCK];
    return block ? &block[doc % DOC_BLOCK] : &untouched;
}

uint32_t doc_next(const struct batch *batch, uint32_t doc)
{
    while (doc < batch->docs && !batch->block[doc / DOC_BLOCK])
        doc = (doc / DOC_BLOCK + 1) * DOC_BLOCK;
    return doc < batch->docs ? doc : batch->docs;
}

void doc_grade(struct batch *batch, uint32_t doc, uint32_t confidence_cpct, const uint8_t *packed, size_t bytes)
{
    struct doc *at = &batch->block[doc / DOC_BLOCK][doc % DOC_BLOCK];
    at->confidence_cpct = (uint16_t)confidence_cpct;
    grades_set(&batch->grades, at->first_ordinal, bytes == grades_bytes(at->pages) ? packed : NULL, at->pages);
}

void doc_set_doubts(struct batch *batch, uint32_t doc, uint32_t doubts)
{
    uint32_t **block = &batch->doubts[doc / DOC_BLOCK];
    if (!*block && !doubts)
        return;
    if (!*block && !(*block = calloc(DOC_BLOCK, sizeof **block)))
        abort();
    (*block)[doc % DOC_BLOCK] = doubts;
}

uint32_t doc_doubts(const struct batch *batch, uint32_t doc)
{
    const uint32_t *block = batch->doubts[doc / DOC_BLOCK];
    return block ? block[doc % DOC_BLOCK] : 0;
}

static void work_pages(const struct work *work, uint64_t pages[PAGE_STATES])
{
    const struct cut *cut = cut_of(work);
    if (!work->cut) {
        bool stored = work->phase == WORK_DONE || work->phase == WORK_ASSEMBLING;
        pages[stored ? PAGE_STORED : PAGE_QUEUED] += work->pages;
    }
    for (uint32_t i = 0; i < cut->parts; i++)
        pages[cut->part[i].state] += cut->part[i].count;
}

/* Where the pages of a final document stand that are neither stored nor dead. */
static const uint8_t doc_rest[DOC_STATES] = {
    [SOHOA__DOC_STATE__DOC_STORED] = PAGE_STORED,       [SOHOA__DOC_STATE__DOC_DEAD] = PAGE_DEAD,
    [SOHOA__DOC_STATE__DOC_DUPLICATE] = PAGE_DUPLICATE, [SOHOA__DOC_STATE__DOC_QUARANTINED] = PAGE_QUARANTINED,
    [SOHOA__DOC_STATE__DOC_WITHDRAWN] = PAGE_WITHDRAWN, [SOHOA__DOC_STATE__DOC_REFUSED] = PAGE_WITHDRAWN,
};

void doc_pages(const struct backlog *backlog, struct doc_ref ref, uint64_t pages[PAGE_STATES])
{
    const struct doc *doc = doc_look(backlog->batch[ref.batch], ref.doc);
    memset(pages, 0, PAGE_STATES * sizeof *pages);
    if (doc->state != SOHOA__DOC_STATE__DOC_OPEN) {
        pages[PAGE_STORED] = doc->pages_stored;
        pages[PAGE_DEAD] = doc->pages_dead;
        pages[doc_rest[doc->state]] += doc->pages - doc->pages_stored - doc->pages_dead;
    } else if (doc->work != NONE) {
        work_pages(&backlog->work[doc->work], pages);
    }
}

bool doc_failed(const struct doc *doc)
{
    static const uint32_t failed =
        1 << SOHOA__DOC_STATE__DOC_DEAD | 1 << SOHOA__DOC_STATE__DOC_REFUSED | 1 << SOHOA__DOC_STATE__DOC_QUARANTINED;
    return doc->fault != NONE && failed >> doc->state & 1;
}

static void fault_count(struct backlog *backlog, const struct doc *doc, int sign)
{
    if (doc_failed(doc))
        backlog->fault[doc->fault].docs += (uint32_t)sign;
}

void doc_blame(struct backlog *backlog, struct doc_ref ref, uint32_t fault)
{
    struct doc *doc = doc_at(backlog, ref);
    fault_count(backlog, doc, -1);
    doc->fault = fault;
    fault_count(backlog, doc, 1);
}

void doc_count(struct backlog *backlog, struct doc_ref ref, int sign)
{
    struct batch *batch = backlog->batch[ref.batch];
    uint64_t pages[PAGE_STATES];
    doc_pages(backlog, ref, pages);
    struct lot *lot = lot_of(batch, ref.doc);
    const struct doc *doc = doc_look(batch, ref.doc);
    for (int s = 0; s < PAGE_STATES; s++) {
        batch->page_count[s] += sign > 0 ? pages[s] : -pages[s];
        lot->page_count[s] += sign > 0 ? pages[s] : -pages[s];
    }
    fault_count(backlog, doc, sign);
    batch->doc_count[doc->state] += (uint32_t)sign;
    lot->doc_count[doc->state] += (uint32_t)sign;
    if (doc->state == SOHOA__DOC_STATE__DOC_OPEN && doc->work != NONE)
        lot->placed += (uint32_t)sign;
}

static uint32_t work_hash(const uint8_t sha256[SHA256_BYTES], uint32_t pipeline)
{
    uint32_t hash;
    memcpy(&hash, sha256, sizeof hash);
    return hash + pipeline * UINT32_C(0x9e3779b9);
}

/* The first empty slot for the hash. */
static void slot_fill(struct backlog *backlog, struct slot slot)
{
    uint32_t at = slot.hash & (backlog->slots - 1);
    while (backlog->slot[at].work != NONE)
        at = (at + 1) & (backlog->slots - 1);
    backlog->slot[at] = slot;
}

/* Up to seven of eight are filled. */
static void slots_widen(struct backlog *backlog)
{
    struct slot *was = backlog->slot;
    uint32_t slots = backlog->slots;
    if ((uint64_t)backlog->works * 8 < (uint64_t)slots * 7)
        return;
    backlog->slots = slots ? slots * 2 : 1024;
    backlog->slot = malloc(backlog->slots * sizeof *backlog->slot);
    if (!backlog->slot)
        abort();
    memset(backlog->slot, 0xff, backlog->slots * sizeof *backlog->slot);
    for (uint32_t i = 0; i < slots; i++)
        if (was[i].work != NONE)
            slot_fill(backlog, was[i]);
    free(was);
}

uint32_t work_find(const struct backlog *backlog, const uint8_t sha256[SHA256_BYTES], uint32_t pipeline)
{
    uint32_t hash = work_hash(sha256, pipeline);
    if (!backlog->slots)
        return NONE;
    for (uint32_t at = hash & (backlog->slots - 1); backlog->slot[at].work != NONE;
         at = (at + 1) & (backlog->slots - 1)) {
        if (backlog->slot[at].hash != hash)
            continue;
        const struct work *work = &backlog->work[backlog->slot[at].work];
        if (work->pipeline == pipeline && !memcmp(work->sha256, sha256, SHA256_BYTES))
            return backlog->slot[at].work;
    }
    return NONE;
}

uint32_t work_add(struct backlog *backlog, const uint8_t sha256[SHA256_BYTES], uint32_t pipeline, uint32_t pages,
                  uint32_t range_pages, uint8_t cost)
{
    assert(pages && pages <= DOC_MAX_PAGES && range_pages);
    slots_widen(backlog);
    backlog->work = grow(backlog->work, &backlog->work_capacity, backlog->works + 1, sizeof *backlog->work);
    struct work *work = &backlog->work[backlog->works];
    *work = (struct work){
        .subscriber = {NONE, 0},
        .pipeline = (uint16_t)pipeline,
        .pages = (uint16_t)pages,
        .range_pages = (uint16_t)(range_pages < DOC_MAX_PAGES ? range_pages : DOC_MAX_PAGES),
        .phase = WORK_HELD,
        .cost = cost
    };
    memcpy(work->sha256, sha256, SHA256_BYTES);
    slot_fill(backlog, (struct slot){backlog->works, work_hash(sha256, pipeline)});
    return backlog->works++;
}

void work_subscribe(struct backlog *backlog, uint32_t work, struct doc_ref ref)
{
    struct doc *doc = doc_at(backlog, ref);
    assert(doc->work == NONE);
    doc_count(backlog, ref, -1);
    doc->work = work;
    doc->pages = backlog->work[work].pages;
    /* Behind the first, so that of many copies of one source the one that is no duplicate is found at once. */
    struct doc_ref *link = &backlog->work[work].subscriber;
    if (link->batch != NONE)
        link = &doc_at(backlog, *link)->next;
    doc->next = *link;
    *link = ref;
    doc_count(backlog, ref, 1);
}

void work_unsubscribe(struct backlog *backlog, struct doc_ref ref)
{
    struct doc *doc = doc_at(backlog, ref);
    if (doc->work == NONE)
        return;
    struct doc_ref *link = &backlog->work[doc->work].subscriber;
    while (link->batch != ref.batch || link->doc != ref.doc) {
        assert(link->batch != NONE);
        link = &doc_at(backlog, *link)->next;
    }
    *link = doc->next;
    doc->next = (struct doc_ref){NONE, 0};
    doc->work = NONE;
}

uint32_t work_subscriber_in(const struct backlog *backlog, uint32_t work, uint32_t batch)
{
    struct doc_ref ref = backlog->work[work].subscriber;
    for (; ref.batch != NONE; ref = doc_at(backlog, ref)->next)
        if (ref.batch == batch && doc_at(backlog, ref)->duplicate_of == NONE)
            return ref.doc;
    return NONE;
}

void work_count(struct backlog *backlog, uint32_t work, int sign)
{
    struct doc_ref ref = backlog->work[work].subscriber;
    for (; ref.batch != NONE; ref = doc_at(backlog, ref)->next)
        if (doc_at(backlog, ref)->state == SOHOA__DOC_STATE__DOC_OPEN)
            doc_count(backlog, ref, sign);
}

void part_move(struct backlog *backlog, uint32_t work, struct part *part, enum page_state to)
{
    enum page_state from = part->state;
    page_move(&part->state, to);
    struct doc_ref ref = backlog->work[work].subscriber;
    for (; ref.batch != NONE; ref = doc_at(backlog, ref)->next) {
        if (doc_at(backlog, ref)->state != SOHOA__DOC_STATE__DOC_OPEN)
            continue;
        struct batch *batch = backlog->batch[ref.batch];
        struct lot *lot = lot_of(batch, ref.doc);
        batch->page_count[from] -= part->count;
        batch->page_count[to] += part->count;
        lot->page_count[from] -= part->count;
        lot->page_count[to] += part->count;
    }
}
