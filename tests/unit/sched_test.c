/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The scheduler under a virtual clock. Random runs play workers that fail, vanish, come back and repeat themselves,
 * operators that re-run, quarantine, release and withdraw, and a coordinator that restarts from what its groups made
 * durable, with or without the last one and with or without Redis. After every step the counters must add up; an
 * assembly must find what it is told to fold; a restart must bring back what was decided; and at the end every page is
 * in exactly one final state. A failing run prints its seed; SOHOA_SEED replays it, SOHOA_SEEDS says how many to run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/group.h"
#include "coordinator/sched.h"
#include "proto/buf.h"
#include "proto/wire.h"
#include "storage/name.h"

enum { WORKERS = 4, SOURCES = 12, DOCS = 24, BATCHES = 3, STEPS = 4000, ATTEMPTS = 3, SEEDS = 1000 };

static const struct sched_rules rules = {
    .range_pages = 4, .page_attempts = ATTEMPTS, .lease_page_ms = 1000, .lease_least_ms = 5000};

/* ---- a world ---- */

struct held { /* a lease as its worker knows it */
    struct lease lease;
    uint8_t sha256[SHA256_BYTES];
    bool reported; /* and not acknowledged */
    struct part part[16];
    uint32_t parts, words_generation;
};

struct player {
    uint32_t index;
    bool up;
    uint64_t jobs_total, received;
    struct held held[64];
    size_t count;
};

/* What a restart finds. */
struct durable {
    struct buf entries; /* packed ledger entries, each behind its u32 length */
    struct buf layouts; /* struct group_layout */
    struct buf blobs;   /* char *: names in the store */
};

struct world {
    uint64_t seed, random, now_ms, epoch;
    struct backlog *backlog;
    struct sched *sched;
    struct acts acts;
    struct group *group; /* what is not durable yet */
    struct player player[WORKERS];
    struct durable durable;
    bool bit[BATCHES][DOCS * 16]; /* Redis: page is stored, by ordinal */
    bool ended[BATCHES][DOCS];
    bool operators; /* are at work */
    bool calm;      /* no more mischief: let it end */
};

static uint32_t chance(struct world *w, uint32_t n)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)(w->random % n);
}

static uint32_t source_pages(uint32_t source)
{
    return 1 + source * 3 % 11;
}

static void source_sha256(uint32_t source, uint8_t sha256[SHA256_BYTES])
{
    memset(sha256, 0, SHA256_BYTES);
    sha256[0] = (uint8_t)(source + 1);
}

/* Batches hold the same sources more than once, and share them. */
static uint32_t doc_source(uint32_t batch, uint32_t doc)
{
    return (doc * 5 + batch * 7) % (SOURCES + batch);
}

static const uint8_t pipeline_digest_of_test[SHA256_BYTES] = {42};

/* ---- invariants ---- */

static void check_counts(struct world *w)
{
    for (uint32_t b = 0; b < w->backlog->batches; b++) {
        const struct batch *batch = w->backlog->batch[b];
        uint64_t pages[PAGE_STATES] = {0};
        uint32_t docs[DOC_STATES] = {0};
        for (uint32_t d = 0; d < batch->docs; d++) {
            uint64_t of_doc[PAGE_STATES];
            doc_pages(w->backlog, (struct doc_ref){b, d}, of_doc);
            uint64_t sum = 0;
            for (int s = 0; s < PAGE_STATES; s++) {
                pages[s] += of_doc[s];
                sum += of_doc[s];
            }
            const struct doc *doc = doc_look(batch, d);
            docs[doc->state]++;
            if (sum != doc->pages)
                fail_msg("seed %llu: document %u/%u has %u pages, its states %llu", (unsigned long long)w->seed, b, d,
                         doc->pages, (unsigned long long)sum);
        }
        for (int s = 0; s < PAGE_STATES; s++)
            if (pages[s] != batch->page_count[s])
                fail_msg("seed %llu: batch %u counts %llu pages %s, there are %llu", (unsigned long long)w->seed, b,
                         (unsigned long long)batch->page_count[s], page_state_name(s), (unsigned long long)pages[s]);
        assert_memory_equal(docs, batch->doc_count, sizeof docs);
    }
}

static uint64_t pages_leased(const struct world *w)
{
    uint64_t pages = 0;
    for (uint32_t i = 0; i < w->backlog->works; i++)
        for (uint32_t p = 0; p < cut_of(&w->backlog->work[i])->parts; p++) {
            const struct part *part = &w->backlog->work[i].cut->part[p];
            pages += part->state == PAGE_LEASED ? part->count : 0;
        }
    return pages;
}

/* ---- blobs ---- */

static char **blob_at(struct world *w, const char *name)
{
    char **blob = (char **)(void *)w->durable.blobs.data;
    for (size_t i = 0; i < w->durable.blobs.size / sizeof *blob; i++)
        if (!strcmp(blob[i], name))
            return &blob[i];
    return NULL;
}

static void blob_add(struct world *w, const char *name)
{
    char *copy = strdup(name);
    if (blob_at(w, name))
        free(copy);
    else
        buf_append(&w->durable.blobs, &copy, sizeof copy);
}

static void blob_remove(struct world *w, const char *name)
{
    char **blob = blob_at(w, name);
    if (!blob)
        return;
    free(*blob);
    w->durable.blobs.size -= sizeof *blob;
    memmove(blob, blob + 1, w->durable.blobs.data + w->durable.blobs.size - (uint8_t *)blob);
}

static const char *bundle_name(struct name *name, const uint8_t sha256[SHA256_BYTES], uint32_t generation,
                               uint32_t first, uint32_t count)
{
    return name_bundle(name, sha256, pipeline_digest_of_test, generation, first, count);
}

static const char *words_name(struct name *name, const uint8_t sha256[SHA256_BYTES], uint32_t generation)
{
    return name_out(name, sha256, pipeline_digest_of_test, generation, "words");
}

/* Nothing that a stopped source's reported pages left may stay. */
static void check_purged(struct world *w)
{
    char **blob = (char **)(void *)w->durable.blobs.data;
    for (uint32_t i = 0; i < w->backlog->works; i++) {
        char hex[SHA256_HEX_CHARS + 1];
        sha256_hex(w->backlog->work[i].sha256, hex);
        for (size_t k = 0; w->backlog->work[i].phase == WORK_STOPPED && k < w->durable.blobs.size / sizeof *blob; k++)
            if (strstr(blob[k], hex))
                fail_msg("seed %llu: %s is left of a quarantined source", (unsigned long long)w->seed, blob[k]);
    }
}

/* ---- what the coordinator makes durable ---- */

/* No document ends twice without having been opened again. */
static void acts_follow(struct world *w)
{
    for (size_t i = 0; i < w->acts.count; i++) {
        const struct act *act = &w->acts.at[i];
        if (act->kind == ACT_PLACED)
            w->ended[act->doc.batch][act->doc.doc] = false;
        if (act->kind != ACT_OUTCOME)
            continue;
        bool *ended = &w->ended[act->doc.batch][act->doc.doc];
        if (*ended && doc_at(w->backlog, act->doc)->state != SOHOA__DOC_STATE__DOC_QUARANTINED)
            fail_msg("seed %llu: document %u/%u ended twice", (unsigned long long)w->seed, act->doc.batch,
                     act->doc.doc);
        *ended = true;
    }
}

/* Redis follows, but sometimes dies before it is rewritten. */
static void bits_commit(struct world *w, const struct group *group)
{
    const struct progress_change *change = (const struct progress_change *)(const void *)group->changes.data;
    for (size_t i = 0; i < group->changes.size / sizeof *change; i++)
        for (uint64_t k = 0; change[i].kind == PROGRESS_STORED && k < change[i].count; k++)
            w->bit[backlog_batch(w->backlog, change[i].batch)->index][change[i].first + k] = true;
    if (group->recount && chance(w, 2))
        memset(w->bit, 0, sizeof w->bit);
}

static void garbage_commit(struct world *w, const struct group *group)
{
    size_t count;
    const char *name = buf_text(group_garbage(group, &count));
    for (size_t i = 0; i < count; i++, name += strlen(name) + 1)
        blob_remove(w, name);
    const char *prefix = buf_text(group_purge(group, &count));
    for (size_t i = 0; i < count; i++, prefix += strlen(prefix) + 1)
        for (size_t k = 0; k < w->durable.blobs.size / sizeof(char *);) {
            char *blob = ((char **)(void *)w->durable.blobs.data)[k];
            if (strncmp(blob, prefix, strlen(prefix)))
                k++;
            else
                blob_remove(w, blob);
        }
}

/* The group is written; what it acknowledges is forgotten, but now and then the acknowledgement is lost. */
static void commit(struct world *w)
{
    size_t count;
    struct group *group = w->group;
    const struct doc_ref *placed = group_placed(group, &count);
    buf_append(&w->durable.layouts, group->layouts.data, group->layouts.size);
    buf_append(&w->durable.entries, group->entries.data, group->entries.size);
    for (size_t i = 0; i < count; i++)
        sched_placed(w->sched, placed[i]);
    bits_commit(w, group);
    garbage_commit(w, group);
    group_destroy(&w->group);
    w->group = group_new();
    for (uint32_t p = 0; p < WORKERS; p++)
        for (size_t i = 0; i < w->player[p].count;) {
            if (w->player[p].held[i].reported && (w->calm || chance(w, 10)))
                w->player[p].held[i] = w->player[p].held[--w->player[p].count];
            else
                i++;
        }
    check_purged(w);
}

static void keep(struct world *w)
{
    acts_follow(w);
    group_add(w->group, w->backlog, &w->acts);
    w->acts.count = 0;
    if (w->calm || chance(w, 3))
        commit(w);
    check_counts(w);
}

static void entry_load(struct world *w, const Sohoa__LedgerEntry *entry)
{
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY_OUTCOME)
        sched_restore_outcome(
            w->sched, (struct doc_ref){backlog_batch(w->backlog, entry->outcome->batch)->index, entry->outcome->doc},
            entry->outcome);
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY_SPLIT)
        sched_restore_split(w->sched,
                            (struct doc_ref){backlog_batch(w->backlog, entry->split->batch)->index, entry->split->doc},
                            entry->split);
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY_RELEASED)
        sched_restore_reopened(
            w->sched, (struct doc_ref){backlog_batch(w->backlog, entry->released->batch)->index, entry->released->doc});
    for (size_t i = 0; entry->body_case == SOHOA__LEDGER_ENTRY__BODY_RERUN && i < entry->rerun->n_docs; i++)
        sched_restore_reopened(
            w->sched, (struct doc_ref){backlog_batch(w->backlog, entry->rerun->batch)->index, entry->rerun->docs[i]});
}

static void entries_load(struct world *w)
{
    const struct buf *entries = &w->durable.entries;
    for (size_t at = 0; at < entries->size;) {
        uint32_t bytes;
        memcpy(&bytes, entries->data + at, sizeof bytes);
        Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, bytes, entries->data + at + sizeof bytes);
        assert_non_null(entry);
        entry_load(w, entry);
        sohoa__ledger_entry__free_unpacked(entry, NULL);
        at += sizeof bytes + bytes;
    }
}

static void bits_load(struct world *w)
{
    for (uint32_t b = 0; b < BATCHES; b++)
        for (uint32_t d = 0; d < DOCS; d++) {
            const struct doc *doc = doc_look(w->backlog->batch[b], d);
            for (uint32_t page = 0, run = 0; page <= doc->pages; page++) {
                bool set = page < doc->pages && w->bit[b][doc->first_ordinal + page];
                if (!set && run)
                    sched_restore_stored(w->sched, (struct doc_ref){b, d}, page - run + 1, run);
                run = set ? run + 1 : 0;
            }
        }
}

static void batches_admit(struct world *w)
{
    char id[16];
    uint32_t pipeline = backlog_pipeline(w->backlog, pipeline_digest_of_test);
    for (uint32_t b = 0; b < BATCHES; b++) {
        snprintf(id, sizeof id, "b%u", b);
        struct batch *batch = batch_add(w->backlog, id, DOCS, pipeline);
        batch->priority = 1 + b;
        batch->reads_on = b == 0;
    }
}

static void world_load(struct world *w)
{
    w->backlog = backlog_new();
    w->sched = sched_new(w->backlog, &rules, (++w->epoch << 32) + 1);
    w->group = group_new();
    batches_admit(w);
    const struct group_layout *layout = (const struct group_layout *)(const void *)w->durable.layouts.data;
    for (size_t i = 0; i < w->durable.layouts.size / sizeof *layout; i++) {
        struct placement placed = {.first_ordinal = layout[i].entry.first_ordinal,
                                   .pages = layout[i].entry.pages,
                                   .range_pages = layout[i].entry.range_pages,
                                   .generation = layout[i].entry.generation};
        memcpy(placed.sha256, layout[i].entry.sha256, SHA256_BYTES);
        sched_restore_placed(w->sched,
                             (struct doc_ref){backlog_batch(w->backlog, layout[i].batch)->index, layout[i].entry.doc},
                             &placed);
    }
    entries_load(w);
    if (chance(w, 2))
        bits_load(w);
    for (uint32_t b = 0; b < BATCHES; b++)
        sched_enter(w->sched, w->backlog->batch[b], &w->acts);
    sched_purge(w->sched, &w->acts);
    for (uint32_t b = 0; b < BATCHES; b++)
        for (uint32_t d = 0; d < DOCS; d++)
            w->ended[b][d] = doc_look(w->backlog->batch[b], d)->state != SOHOA__DOC_STATE__DOC_OPEN;
    for (size_t i = 0; i < w->acts.count; i++)
        if (w->acts.at[i].kind == ACT_OUTCOME)
            w->ended[w->acts.at[i].doc.batch][w->acts.at[i].doc.doc] = false;
    keep(w);
}

static void world_unload(struct world *w)
{
    sched_destroy(&w->sched);
    backlog_destroy(&w->backlog);
    acts_destroy(&w->acts);
    group_destroy(&w->group);
}

static void durable_forget(struct durable *durable)
{
    char **blob = (char **)(void *)durable->blobs.data;
    for (size_t i = 0; i < durable->blobs.size / sizeof *blob; i++)
        free(blob[i]);
    buf_destroy(&durable->blobs);
    buf_destroy(&durable->entries);
    buf_destroy(&durable->layouts);
}

/* What was decided, before and after a restart that lost nothing. */
static void restart(struct world *w, bool clean)
{
    struct doc before[BATCHES][DOCS];
    if (clean)
        commit(w);
    for (uint32_t b = 0; b < BATCHES; b++)
        for (uint32_t d = 0; d < DOCS; d++)
            before[b][d] = *doc_look(w->backlog->batch[b], d);
    world_unload(w);
    world_load(w);
    for (uint32_t p = 0; p < WORKERS; p++)
        w->player[p].up = false;
    for (uint32_t b = 0; clean && b < BATCHES; b++)
        for (uint32_t d = 0; d < DOCS; d++) {
            const struct doc *is = doc_look(w->backlog->batch[b], d), *was = &before[b][d];
            bool final = was->state != SOHOA__DOC_STATE__DOC_OPEN;
            if (is->state != was->state || is->pages != was->pages ||
                (final && (is->pages_stored != was->pages_stored || is->pages_dead != was->pages_dead ||
                           is->duplicate_of != was->duplicate_of || is->generation != was->generation ||
                           (is->fault == NONE) != (was->fault == NONE))))
                fail_msg("seed %llu: document %u/%u was %u (%u stored, %u dead, duplicate of %u, generation %u, fault "
                         "%u), after a restart %u (%u, %u, %u, %u, %u)",
                         (unsigned long long)w->seed, b, d, was->state, was->pages_stored, was->pages_dead,
                         was->duplicate_of, was->generation, was->fault, is->state, is->pages_stored, is->pages_dead,
                         is->duplicate_of, is->generation, is->fault);
        }
}

/* ---- workers ---- */

static void player_hello(struct world *w, uint32_t p)
{
    struct player *player = &w->player[p];
    char name[16];
    uint64_t kept[64];
    size_t n = 0;
    snprintf(name, sizeof name, "w%u", p);
    player->index = sched_hello(w->sched, name, 0, 2);
    player->up = true;
    for (size_t i = 0; i < player->count;) {
        struct held *held = &player->held[i];
        Sohoa__Job job = SOHOA__JOB__INIT;
        Sohoa__Range range = SOHOA__RANGE__INIT;
        char id[16];
        snprintf(id, sizeof id, "b%u", held->lease.doc.batch);
        range.first = held->lease.first;
        range.count = held->lease.count;
        job.lease = held->lease.id;
        job.kind = held->lease.kind;
        job.batch = id;
        job.doc = held->lease.doc.doc;
        job.generation = held->lease.generation;
        job.assemble = held->lease.assemble;
        job.range = &range;
        job.sha256 = (ProtobufCBinaryData){SHA256_BYTES, held->sha256};
        if (sched_adopt(w->sched, player->index, &job, w->now_ms)) {
            kept[n++] = held->lease.id;
            i++;
        } else {
            *held = player->held[--player->count];
        }
    }
    sched_keep_only(w->sched, player->index, kept, n, &w->acts, w->now_ms);
    player->received = 0;
    player->jobs_total = 4;
    sched_credit(w->sched, player->index, player->jobs_total);
    keep(w);
}

/* The job that said so is the worker's: was all that it folds there? */
static void check_folded(struct world *w, const struct held *held)
{
    struct name name;
    if (blob_at(w, words_name(&name, held->sha256, held->lease.generation)))
        return; /* done before */
    for (uint32_t i = 0; i < held->parts; i++) {
        const struct part *part = &held->part[i];
        const char *need = NULL;
        if (part->state == PAGE_STORED && part->kept)
            need = words_name(&name, held->sha256, held->words_generation);
        else if (part->state == PAGE_STORED)
            need = bundle_name(&name, held->sha256, held->lease.generation, part->first, part->count);
        else if (part->state != PAGE_DEAD)
            fail_msg("seed %llu: pages %u+%u are %s while their document is assembled", (unsigned long long)w->seed,
                     part->first, part->count, page_state_name(part->state));
        if (need && !blob_at(w, need))
            fail_msg("seed %llu: an assembly of document %u/%u does not find %s", (unsigned long long)w->seed,
                     held->lease.doc.batch, held->lease.doc.doc, need);
    }
    if (!held->parts)
        fail_msg("seed %llu: an assembly of document %u/%u has nothing to fold", (unsigned long long)w->seed,
                 held->lease.doc.batch, held->lease.doc.doc);
}

static void player_take(struct world *w, struct player *player)
{
    const struct lease *lease;
    while (player->count < 60 && (lease = sched_grant(w->sched, player->index, w->now_ms))) {
        struct held *held = &player->held[player->count++];
        held->lease = *lease;
        memset(held->sha256, 0, sizeof held->sha256);
        held->reported = false;
        held->parts = 0;
        if (lease->work != NONE) {
            const struct work *work = &w->backlog->work[lease->work];
            memcpy(held->sha256, work->sha256, SHA256_BYTES);
            const struct cut *cut = cut_of(work);
            held->parts = work->cut ? cut->parts : 1;
            held->part[0] = (struct part){.first = 1, .count = work->pages, .state = PAGE_STORED};
            held->words_generation = cut->words_generation;
            assert_true(cut->parts <= 16);
            for (uint32_t i = 0; i < cut->parts; i++)
                held->part[i] = cut->part[i];
        }
        assert_true(++player->received <= player->jobs_total);
    }
    check_counts(w);
}

/* An answer to PAGES: all well, some pages failed, or all of it. With a probe: to a PROBE that was read on. */
static void report_pages(struct world *w, struct player *player, const struct lease *lease,
                         const uint8_t sha256[SHA256_BYTES], Sohoa__Probe *probe)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range[16], *stored[16];
    Sohoa__PageFailure failure[16], *failed[16];
    Sohoa__Err err = SOHOA__ERR__INIT;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    uint32_t run = 0;
    result.lease = lease->id;
    result.probe = probe;
    result.stored = stored;
    result.failed = failed;
    err.code = chance(w, 4) ? E_SLOT : E_PAGE_BROKEN;
    for (uint32_t page = lease->first; page <= lease->first + lease->count; page++) {
        bool good = page < lease->first + lease->count && (w->calm || chance(w, 6));
        if (!good && run) {
            sohoa__range__init(&range[result.n_stored]);
            range[result.n_stored].first = page - run;
            range[result.n_stored].count = run;
            stored[result.n_stored] = &range[result.n_stored];
            result.n_stored++;
        }
        run = good ? run + 1 : 0;
        if (good || page == lease->first + lease->count)
            continue;
        sohoa__page_failure__init(&failure[result.n_failed]);
        failure[result.n_failed].page_no = page;
        failure[result.n_failed].err = &err;
        failed[result.n_failed] = &failure[result.n_failed];
        result.n_failed++;
    }
    if (lease->assemble && !result.n_failed)
        result.assembled = &assembled;
    if (!sched_finish(w->sched, player->index, &result, w->now_ms, &w->acts))
        return;
    struct name name;
    for (size_t i = 0; i < result.n_stored && !result.assembled; i++)
        blob_add(w, bundle_name(&name, sha256, lease->generation, range[i].first, range[i].count));
    if (result.assembled)
        blob_add(w, words_name(&name, sha256, lease->generation));
}

static void report(struct world *w, struct player *player, size_t at)
{
    struct lease lease = player->held[at].lease;
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    Sohoa__Probe probe = SOHOA__PROBE__INIT;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    uint8_t sha256[SHA256_BYTES];
    bool fails = !w->calm && !chance(w, 8);
    result.lease = lease.id;
    if (fails) {
        static const int code[] = {E_STORE, E_SLOT, E_TIME, E_SOURCE_BROKEN};
        err.code = code[chance(w, 4)];
        result.err = &err;
        sched_finish(w->sched, player->index, &result, w->now_ms, &w->acts);
    } else if (lease.kind == SOHOA__JOB_KIND__JOB_PROBE) {
        uint32_t source = doc_source(lease.doc.batch, lease.doc.doc);
        source_sha256(source, sha256);
        probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
        probe.pages = source_pages(source);
        result.probe = &probe;
        lease.first = 1;
        lease.count = probe.pages;
        lease.assemble = true;
        lease.generation = 0;
        if (probe.pages <= rules.range_pages && lease.doc.batch == 0)
            report_pages(w, player, &lease, sha256, &probe);
        else
            sched_finish(w->sched, player->index, &result, w->now_ms, &w->acts);
    } else if (lease.kind == SOHOA__JOB_KIND__JOB_ASSEMBLE) {
        struct name name;
        result.assembled = &assembled;
        if (sched_finish(w->sched, player->index, &result, w->now_ms, &w->acts)) {
            check_folded(w, &player->held[at]);
            blob_add(w, words_name(&name, player->held[at].sha256, lease.generation));
        }
    } else {
        report_pages(w, player, &lease, player->held[at].sha256, NULL);
    }
    player->held[at].reported = true;
    keep(w);
}

static void order_entry(struct world *w, Sohoa__LedgerEntry *entry)
{
    group_add_entry(w->group, entry);
}

static void order_rerun(struct world *w, struct doc_ref ref)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Rerun rerun = SOHOA__RERUN__INIT;
    uint32_t doc = ref.doc;
    rerun.batch = w->backlog->batch[ref.batch]->id;
    rerun.docs = &doc;
    rerun.n_docs = 1;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RERUN;
    entry.rerun = &rerun;
    order_entry(w, &entry);
    sched_rerun(w->sched, ref, &w->acts);
}

static void order_release(struct world *w, struct doc_ref ref)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Released released = SOHOA__RELEASED__INIT;
    released.batch = w->backlog->batch[ref.batch]->id;
    released.doc = ref.doc;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RELEASED;
    entry.released = &released;
    order_entry(w, &entry);
    sched_release(w->sched, ref, &w->acts);
}

/* Some documents belong to files, over all batches. */
static uint32_t doc_file(uint32_t doc)
{
    return doc % 6 ? 0 : 1 + doc / 12;
}

static void order_quarantine(struct world *w, struct doc_ref ref)
{
    struct doc_ref of_file[BATCHES * DOCS] = {ref};
    size_t count = 1;
    for (uint32_t b = 0; b < BATCHES; b++)
        for (uint32_t d = 0; d < DOCS; d++)
            if (doc_file(d) && doc_file(d) == doc_file(ref.doc) && (b != ref.batch || d != ref.doc))
                of_file[count++] = (struct doc_ref){b, d};
    sched_quarantine(w->sched, of_file, count, &w->acts);
}

static void operator_orders(struct world *w)
{
    struct doc_ref ref = {chance(w, BATCHES), chance(w, DOCS)};
    const struct doc *doc = doc_at(w->backlog, ref);
    if (doc->state == SOHOA__DOC_STATE__DOC_WITHDRAWN)
        return;
    if (!chance(w, 50) && ref.batch == BATCHES - 1)
        sched_withdraw(w->sched, w->backlog->batch[ref.batch], &w->acts);
    else if (doc->state == SOHOA__DOC_STATE__DOC_QUARANTINED)
        order_release(w, ref);
    else if (!chance(w, 4))
        order_quarantine(w, ref);
    else if (doc->state == SOHOA__DOC_STATE__DOC_STORED || doc->state == SOHOA__DOC_STATE__DOC_DEAD ||
             doc->state == SOHOA__DOC_STATE__DOC_REFUSED)
        order_rerun(w, ref);
    if (doc->state == SOHOA__DOC_STATE__DOC_OPEN)
        w->ended[ref.batch][ref.doc] = false;
    keep(w);
}

static void step(struct world *w)
{
    struct player *player = &w->player[chance(w, WORKERS)];
    w->now_ms += chance(w, 400);
    if (!player->up) {
        if (!chance(w, 4))
            player_hello(w, (uint32_t)(player - w->player));
        return;
    }
    player->jobs_total = player->received + 4;
    sched_credit(w->sched, player->index, player->jobs_total);
    player_take(w, player);
    if (player->count)
        report(w, player, chance(w, (uint32_t)player->count));
    sched_expire(w->sched, w->now_ms, &w->acts);
    keep(w);
    if (w->calm)
        return;
    if (w->operators && !chance(w, 15))
        operator_orders(w);
    if (!chance(w, 60)) { /* silent, with or without what it holds */
        sched_lost(w->sched, player->index, &w->acts, w->now_ms);
        player->up = false;
        if (chance(w, 2))
            player->count = 0;
        keep(w);
    }
    if (!chance(w, 300)) /* the coordinator starts again */
        restart(w, chance(w, 2));
}

static bool all_final(const struct world *w)
{
    for (uint32_t b = 0; b < BATCHES; b++)
        if (w->backlog->batch[b]->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
            return false;
    return true;
}

static void check_end(struct world *w)
{
    if (!all_final(w))
        fail_msg("seed %llu: documents are left open", (unsigned long long)w->seed);
    assert_int_equal(pages_leased(w), 0);
    for (uint32_t b = 0; b < BATCHES; b++) {
        const struct batch *batch = w->backlog->batch[b];
        assert_int_equal(batch->page_count[PAGE_QUEUED] + batch->page_count[PAGE_LEASED], 0);
    }
}

static void run_seed(uint64_t seed)
{
    struct world w = {.seed = seed, .random = seed * 0x9e3779b97f4a7c15u + 1, .now_ms = 1000, .operators = seed % 2};
    world_load(&w);
    for (int i = 0; i < STEPS && !(all_final(&w) && i > STEPS / 4); i++)
        step(&w);
    w.calm = true;
    for (int i = 0; i < 10 * STEPS && !all_final(&w); i++)
        step(&w);
    check_end(&w);
    restart(&w, true);
    check_end(&w);
    world_unload(&w);
    durable_forget(&w.durable);
}

static void random_runs_end_with_every_page_in_one_state(void **state)
{
    const char *one = getenv("SOHOA_SEED"), *many = getenv("SOHOA_SEEDS");
    uint64_t last = many ? strtoull(many, NULL, 10) : SEEDS;
    (void)state;
    for (uint64_t seed = one ? strtoull(one, NULL, 10) : 1; seed <= last || one; seed++) {
        run_seed(seed);
        if (one)
            break;
    }
}

/* ---- single matters ---- */

static void one_doc(struct world *w, uint32_t source, uint32_t workers)
{
    *w = (struct world){.random = 1, .now_ms = 1000};
    w->group = group_new();
    w->backlog = backlog_new();
    w->sched = sched_new(w->backlog, &rules, 1);
    struct batch *batch = batch_add(w->backlog, "b0", 2, backlog_pipeline(w->backlog, pipeline_digest_of_test));
    sched_enter(w->sched, batch, &w->acts);
    struct acts none = {0};
    for (uint32_t p = 0; p < workers; p++) {
        char name[16];
        snprintf(name, sizeof name, "w%u", p);
        w->player[p].index = sched_hello(w->sched, name, 0, 1);
        sched_credit(w->sched, w->player[p].index, 1000);
    }
    for (uint32_t d = 0; d < 2; d++) {
        const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Probe probe = SOHOA__PROBE__INIT;
        uint8_t sha256[SHA256_BYTES];
        source_sha256(source + d, sha256);
        probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
        probe.pages = source_pages(source + d);
        result.lease = lease->id;
        result.probe = &probe;
        assert_int_equal(lease->kind, SOHOA__JOB_KIND__JOB_PROBE);
        assert_true(sched_finish(w->sched, 0, &result, w->now_ms, &none));
        sched_placed(w->sched, (struct doc_ref){0, d});
    }
    acts_destroy(&none);
}

static void a_failed_page_goes_to_another_worker_then_degraded_then_dies(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 2); /* document 0 has one page */
    uint32_t workers_seen[ATTEMPTS] = {0};
    for (uint32_t i = 0; i < ATTEMPTS; i++) {
        const struct lease *lease = NULL;
        uint32_t worker = i ? workers_seen[i - 1] : 1; /* ask the one that just failed first: it must not get it */
        lease = sched_grant(w.sched, worker, w.now_ms);
        if (i && lease)
            assert_int_not_equal(lease->work, 0);
        while (!lease || lease->work != 0) {
            worker = 1 - worker;
            lease = sched_grant(w.sched, worker, w.now_ms);
            assert_non_null(lease);
        }
        workers_seen[i] = worker;
        assert_int_equal(lease->degraded, i == 2);
        assert_int_equal(lease->attempt, i + 1);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__PageFailure failure = SOHOA__PAGE_FAILURE__INIT, *failed = &failure;
        Sohoa__Err err = SOHOA__ERR__INIT;
        err.code = E_SLOT;
        failure.page_no = 1;
        failure.err = &err;
        result.lease = lease->id;
        result.failed = &failed;
        result.n_failed = 1;
        assert_true(sched_finish(w.sched, worker, &result, w.now_ms, &w.acts));
        check_counts(&w);
        if (i)
            assert_int_not_equal(workers_seen[i], workers_seen[i - 1]);
    }
    assert_int_equal(w.backlog->work[0].cut->part[0].state, PAGE_DEAD);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_DEAD], 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    assert_int_equal(lease->kind, SOHOA__JOB_KIND__JOB_ASSEMBLE);
    world_unload(&w);
}

static void finish_document(struct world *w, uint32_t work)
{
    for (;;) {
        const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
        Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
        if (!lease)
            return;
        result.lease = lease->id;
        if (lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE || lease->assemble)
            result.assembled = &assembled;
        if (lease->kind == SOHOA__JOB_KIND__JOB_PAGES) {
            range.first = lease->first;
            range.count = lease->count;
            result.stored = &stored;
            result.n_stored = 1;
        }
        sched_finish(w->sched, 0, &result, w->now_ms, &w->acts);
        for (size_t i = 0; i < w->acts.count; i++)
            if (w->acts.at[i].kind == ACT_PLACED)
                sched_placed(w->sched, w->acts.at[i].doc);
        w->acts.count = 0;
        check_counts(w);
        (void)work;
    }
}

static void quarantine_takes_stored_pages_and_release_queues_them(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1); /* 10 and 2 pages */
    finish_document(&w, 0);
    const struct batch *batch = w.backlog->batch[0];
    assert_int_equal(batch->page_count[PAGE_STORED], 12);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    check_counts(&w);
    assert_int_equal(batch->page_count[PAGE_QUARANTINED], 10);
    assert_int_equal(batch->page_count[PAGE_STORED], 2);
    bool stopped = false;
    for (size_t i = 0; i < w.acts.count; i++)
        stopped = stopped || w.acts.at[i].kind == ACT_STOPPED;
    assert_true(stopped);
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    w.acts.count = 0;
    sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
    check_counts(&w);
    assert_int_equal(batch->page_count[PAGE_QUEUED], 10);
    sched_placed(w.sched, (struct doc_ref){0, 0});
    w.acts.count = 0;
    finish_document(&w, 0);
    assert_int_equal(batch->page_count[PAGE_STORED], 12);
    assert_int_equal(doc_look(batch, 0)->generation, 1);
    world_unload(&w);
}

static void withdrawal_keeps_what_is_stored_and_drops_leases(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
    result.lease = lease->id;
    range.first = lease->first;
    range.count = lease->count;
    result.stored = &stored;
    result.n_stored = 1;
    assert_int_equal(lease->count, 4);
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    lease = sched_grant(w.sched, 0, w.now_ms);
    assert_non_null(lease);
    w.acts.count = 0;
    sched_withdraw(w.sched, w.backlog->batch[0], &w.acts);
    check_counts(&w);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_STORED], 4);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_WITHDRAWN], 8);
    bool dropped = false;
    for (size_t i = 0; i < w.acts.count; i++)
        dropped = dropped || w.acts.at[i].kind == ACT_DROP;
    assert_true(dropped);
    assert_int_equal(sched_leases(w.sched), 0);
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void rerun_of_a_dead_page_keeps_the_others(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
    Sohoa__PageFailure failure = SOHOA__PAGE_FAILURE__INIT, *failed = &failure;
    Sohoa__Err err = SOHOA__ERR__INIT;
    err.code = E_PAGE_BROKEN;
    failure.page_no = 1;
    failure.err = &err;
    range.first = 2;
    range.count = 3;
    result.lease = lease->id;
    result.stored = &stored;
    result.n_stored = 1;
    result.failed = &failed;
    result.n_failed = 1;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    w.acts.count = 0;
    finish_document(&w, 0);
    const struct batch *batch = w.backlog->batch[0];
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_DEAD);
    assert_int_equal(batch->page_count[PAGE_DEAD], 1);
    sched_rerun(w.sched, (struct doc_ref){0, 0}, &w.acts);
    check_counts(&w);
    assert_int_equal(batch->page_count[PAGE_QUEUED], 1);
    sched_placed(w.sched, (struct doc_ref){0, 0});
    w.acts.count = 0;
    lease = sched_grant(w.sched, 0, w.now_ms);
    assert_int_equal(lease->first, 1);
    assert_int_equal(lease->count, 1);
    assert_int_equal(lease->generation, 1);
    assert_false(lease->assemble);
    world_unload(&w);
}

static void a_document_found_with_a_dead_page_ends_at_once(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 1, 1); /* document 0 has four pages */
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
    Sohoa__PageFailure failure = SOHOA__PAGE_FAILURE__INIT, *failed = &failure;
    Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    assert_true(lease->assemble && lease->count == 4);
    err.code = E_TIME; /* RETRY: but it was tried out when the document was made */
    failure.page_no = 1;
    failure.err = &err;
    range.first = 2;
    range.count = 3;
    result.lease = lease->id;
    result.found = true;
    result.assembled = &assembled;
    result.stored = &stored;
    result.n_stored = 1;
    result.failed = &failed;
    result.n_failed = 1;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    check_counts(&w);
    assert_int_equal(doc_look(w.backlog->batch[0], 0)->state, SOHOA__DOC_STATE__DOC_DEAD);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_DEAD], 1);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_STORED], 3);
    world_unload(&w);
}

static void a_result_that_does_not_cover_its_lease_is_a_failed_attempt(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 3, 1);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT, *stored[2] = {&range, &range};
    range.first = lease->first;
    range.count = 2; /* twice the same half */
    result.lease = lease->id;
    result.stored = stored;
    result.n_stored = 2;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    check_counts(&w);
    assert_int_equal(w.backlog->batch[0]->page_count[PAGE_STORED], 0);
    world_unload(&w);
}

/* The next job fails for the page's or the process's sake. */
static uint32_t fail_next(struct world *w, uint32_t worker, int code)
{
    const struct lease *lease = sched_grant(w->sched, worker, w->now_ms);
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    assert_non_null(lease);
    uint32_t work = lease->work;
    err.code = code;
    result.lease = lease->id;
    result.err = &err;
    assert_true(sched_finish(w->sched, worker, &result, w->now_ms, &w->acts));
    return work;
}

static void a_failed_page_does_not_wait_for_a_worker_of_another_pipeline(void **state)
{
    static const uint8_t other[SHA256_BYTES] = {43};
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    uint32_t stranger = sched_hello(w.sched, "stranger", backlog_pipeline(w.backlog, other), 1);
    sched_credit(w.sched, stranger, 1000);
    uint32_t work = fail_next(&w, 0, E_SLOT);
    assert_null(sched_grant(w.sched, stranger, w.now_ms));
    assert_int_equal(fail_next(&w, 0, E_SLOT), work);
    uint32_t second = sched_hello(w.sched, "second", 0, 1);
    sched_credit(w.sched, second, 1000);
    assert_int_not_equal(sched_grant(w.sched, 0, w.now_ms)->work, work); /* now there is another */
    assert_int_equal(sched_grant(w.sched, second, w.now_ms)->work, work);
    world_unload(&w);
}

static void works_in_their_backoff_do_not_hide_others(void **state)
{
    enum { MANY = 100 };
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    finish_document(&w, 0);
    struct batch *batch = batch_add(w.backlog, "many", MANY, 0);
    for (uint32_t d = 0; d < MANY; d++) {
        struct placement placed = {.first_ordinal = d, .pages = 1, .range_pages = 1};
        source_sha256(100 + d, placed.sha256);
        sched_restore_placed(w.sched, (struct doc_ref){batch->index, d}, &placed);
    }
    sched_enter(w.sched, batch, &w.acts);
    fail_next(&w, 0, E_STORE); /* waits a little */
    for (uint32_t d = 1; d < MANY; d++)
        assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    w.now_ms += 2 * RETRY_BACKOFF_MS;
    assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void a_probe_waits_out_its_backoff(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    finish_document(&w, 0);
    struct batch *batch = batch_add(w.backlog, "late", 1, 0);
    sched_enter(w.sched, batch, &w.acts);
    w.now_ms = 10999; /* nearly a whole second */
    fail_next(&w, 0, E_STORE);
    w.now_ms += RETRY_BACKOFF_MS - 1;
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    w.now_ms += RETRY_BACKOFF_MS;
    assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void a_job_that_never_left_costs_no_credit(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    sched_hello(w.sched, "w0", 0, 1);
    sched_credit(w.sched, 0, 1);
    fail_next(&w, 0, E_STORE);
    w.now_ms += 2 * RETRY_BACKOFF_MS;
    assert_null(sched_grant(w.sched, 0, w.now_ms));
    sched_ungrant(w.sched, 0);
    assert_non_null(sched_grant(w.sched, 0, w.now_ms));
    world_unload(&w);
}

static void quarantine_stops_a_source_under_every_pipeline(void **state)
{
    static const uint8_t other[SHA256_BYTES] = {43};
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    struct batch *batch = batch_add(w.backlog, "again", 1, backlog_pipeline(w.backlog, other));
    struct placement placed = {.pages = 1, .range_pages = 4};
    source_sha256(0, placed.sha256);
    sched_restore_placed(w.sched, (struct doc_ref){batch->index, 0}, &placed);
    sched_enter(w.sched, batch, &w.acts);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_OPEN);
    world_unload(&w);
}

static void the_last_word_on_a_source_wins_within_a_group(void **state)
{
    struct world w;
    (void)state;
    one_doc(&w, 0, 1);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    group_add(w.group, w.backlog, &w.acts);
    w.acts.count = 0;
    group_add_release(w.group, w.backlog->work[0].sha256);
    sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
    sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
    group_add(w.group, w.backlog, &w.acts);
    const struct group_stop *stop = (const struct group_stop *)(const void *)w.group->stops.data;
    size_t count = w.group->stops.size / sizeof *stop;
    assert_int_equal(count, 3);
    assert_true(stop[1].release);
    assert_false(stop[count - 1].release);
    world_unload(&w);
}

static void a_split_of_very_many_pages_fits_in_the_ledger(void **state)
{
    struct world w;
    struct err err;
    char text[ERR_TEXT_BYTES];
    (void)state;
    one_doc(&w, 0, 1);
    uint8_t sha256[SHA256_BYTES] = {200};
    uint32_t work = work_add(w.backlog, sha256, 0, DOC_MAX_PAGES, 1);
    work_cut(&w.backlog->work[work]);
    work_subscribe(w.backlog, work, (struct doc_ref){batch_add(w.backlog, "large", 1, 0)->index, 0});
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, E_PAGE_BROKEN, "%s", text);
    for (uint32_t i = 0; i < DOC_MAX_PAGES; i++) {
        w.backlog->work[work].cut->part[i].state = PAGE_DEAD;
        w.backlog->work[work].cut->part[i].fault = backlog_fault(w.backlog, &err);
    }
    struct act act = {.kind = ACT_SPLIT, .work = work};
    group_add(w.group, w.backlog, &(struct acts){.at = &act, .count = 1});
    size_t dead = 0;
    for (size_t at = 0; at < w.group->entries.size;) {
        uint32_t bytes;
        memcpy(&bytes, w.group->entries.data + at, sizeof bytes);
        assert_true(bytes <= LEDGER_ENTRY_BYTES);
        Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, bytes, w.group->entries.data + at + sizeof bytes);
        dead += entry->split->n_dead;
        sohoa__ledger_entry__free_unpacked(entry, NULL);
        at += sizeof bytes + bytes;
    }
    assert_int_equal(dead, DOC_MAX_PAGES);
    world_unload(&w);
}

/* Stores what is granted until there is something to assemble. */
static uint64_t store_pages(struct world *w)
{
    for (;;) {
        const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
        Sohoa__Result result = SOHOA__RESULT__INIT;
        Sohoa__Range range = SOHOA__RANGE__INIT, *stored = &range;
        Sohoa__Assembled assembled = SOHOA__ASSEMBLED__INIT;
        assert_non_null(lease);
        if (lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE)
            return lease->id;
        result.lease = lease->id;
        range.first = lease->first;
        range.count = lease->count;
        result.stored = &stored;
        result.n_stored = 1;
        result.assembled = lease->assemble ? &assembled : NULL;
        sched_finish(w->sched, 0, &result, w->now_ms, &w->acts);
    }
}

static void who_comes_after_a_failed_assembly_has_the_whole_ladder(void **state)
{
    struct world w;
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err err = SOHOA__ERR__INIT;
    struct placement placed = {.pages = 10, .range_pages = 4};
    (void)state;
    one_doc(&w, 3, 1); /* 10 and 2 pages */
    result.lease = store_pages(&w);
    result.err = &err;
    err.code = E_ASSEMBLE;
    sched_finish(w.sched, 0, &result, w.now_ms, &w.acts);
    assert_int_equal(doc_look(w.backlog->batch[0], 0)->state, SOHOA__DOC_STATE__DOC_DEAD);
    finish_document(&w, 0);
    struct batch *batch = batch_add(w.backlog, "later", 1, 0);
    source_sha256(3, placed.sha256);
    sched_restore_placed(w.sched, (struct doc_ref){batch->index, 0}, &placed);
    sched_enter(w.sched, batch, &w.acts);
    const struct lease *lease = sched_grant(w.sched, 0, w.now_ms);
    assert_int_equal(lease->kind, SOHOA__JOB_KIND__JOB_ASSEMBLE);
    assert_int_equal(lease->attempt, 1);
    world_unload(&w);
}

/* A probe of the only document of a batch under another pipeline finds source 0. */
static void probe_elsewhere(struct world *w, struct batch *batch, Sohoa__Err *err)
{
    static uint8_t sha256[SHA256_BYTES];
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Probe probe = SOHOA__PROBE__INIT;
    source_sha256(0, sha256);
    probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    probe.pages = 1;
    const struct lease *lease = sched_grant(w->sched, 0, w->now_ms);
    assert_int_equal(lease->doc.batch, batch->index);
    result.lease = lease->id;
    result.probe = &probe;
    result.err = err;
    sched_finish(w->sched, 0, &result, w->now_ms, &w->acts);
}

static void a_probe_of_a_stopped_source_shares_its_quarantine(void **state)
{
    static const uint8_t other[SHA256_BYTES] = {43};
    for (int told = 0; told < 2; told++) { /* whether the worker saw the tombstone */
        struct world w;
        Sohoa__Err err = SOHOA__ERR__INIT;
        (void)state;
        one_doc(&w, 0, 1);
        finish_document(&w, 0);
        struct batch *batch = batch_add(w.backlog, "again", 1, backlog_pipeline(w.backlog, other));
        sched_enter(w.sched, batch, &w.acts);
        sched_quarantine(w.sched, &(struct doc_ref){0, 0}, 1, &w.acts);
        err.code = E_STOPPED;
        probe_elsewhere(&w, batch, told ? &err : NULL);
        check_counts(&w);
        assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
        sched_release(w.sched, (struct doc_ref){0, 0}, &w.acts);
        assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_OPEN);
        world_unload(&w);
    }
}

/* Two documents of one source are placed, the second as of generation; the ledger says that the first is quarantined, and
 * before that, perhaps, that the second shared its result. */
static void two_restored(struct world *w, uint32_t generation, bool shared)
{
    struct placement placed = {.pages = 1, .range_pages = 4};
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    one_doc(w, 3, 1);
    finish_document(w, 0);
    struct batch *batch = batch_add(w->backlog, "two", 2, 0);
    source_sha256(0, placed.sha256);
    sched_restore_placed(w->sched, (struct doc_ref){batch->index, 0}, &placed);
    placed.generation = generation;
    sched_restore_placed(w->sched, (struct doc_ref){batch->index, 1}, &placed);
    outcome.batch = batch->id;
    outcome.sha256 = (ProtobufCBinaryData){SHA256_BYTES, placed.sha256};
    outcome.doc = 1;
    outcome.state = SOHOA__DOC_STATE__DOC_DUPLICATE;
    if (shared)
        sched_restore_outcome(w->sched, (struct doc_ref){batch->index, 1}, &outcome);
    outcome.doc = 0;
    outcome.state = SOHOA__DOC_STATE__DOC_QUARANTINED;
    sched_restore_outcome(w->sched, (struct doc_ref){batch->index, 0}, &outcome);
    sched_enter(w->sched, batch, &w->acts);
    sched_purge(w->sched, &w->acts);
    check_counts(w);
}

static void a_quarantine_cut_short_is_whole_after_a_restart(void **state)
{
    struct world w;
    (void)state;
    two_restored(&w, 0, true);
    assert_int_equal(doc_look(w.backlog->batch[1], 1)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    world_unload(&w);
}

static void a_release_cut_short_did_not_happen(void **state)
{
    struct world w;
    (void)state;
    two_restored(&w, 1, false);
    assert_int_equal(doc_look(w.backlog->batch[1], 0)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    assert_int_equal(doc_look(w.backlog->batch[1], 1)->state, SOHOA__DOC_STATE__DOC_QUARANTINED);
    world_unload(&w);
}

static void a_document_placed_after_its_outcome_is_open(void **state)
{
    struct world w;
    Sohoa__DocOutcome outcome = SOHOA__DOC_OUTCOME__INIT;
    struct placement placed = {.pages = 1, .range_pages = 4};
    (void)state;
    one_doc(&w, 0, 1);
    struct batch *batch = batch_add(w.backlog, "late", 1, 0); /* its pipeline was not known then */
    outcome.batch = batch->id;
    outcome.state = SOHOA__DOC_STATE__DOC_QUARANTINED;
    sched_restore_outcome(w.sched, (struct doc_ref){batch->index, 0}, &outcome);
    source_sha256(5, placed.sha256);
    sched_restore_placed(w.sched, (struct doc_ref){batch->index, 0}, &placed);
    sched_enter(w.sched, batch, &w.acts);
    check_counts(&w);
    assert_int_equal(doc_look(batch, 0)->state, SOHOA__DOC_STATE__DOC_OPEN);
    world_unload(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_runs_end_with_every_page_in_one_state),
        cmocka_unit_test(a_failed_page_goes_to_another_worker_then_degraded_then_dies),
        cmocka_unit_test(quarantine_takes_stored_pages_and_release_queues_them),
        cmocka_unit_test(withdrawal_keeps_what_is_stored_and_drops_leases),
        cmocka_unit_test(rerun_of_a_dead_page_keeps_the_others),
        cmocka_unit_test(a_document_found_with_a_dead_page_ends_at_once),
        cmocka_unit_test(a_result_that_does_not_cover_its_lease_is_a_failed_attempt),
        cmocka_unit_test(a_failed_page_does_not_wait_for_a_worker_of_another_pipeline),
        cmocka_unit_test(works_in_their_backoff_do_not_hide_others),
        cmocka_unit_test(a_probe_waits_out_its_backoff),
        cmocka_unit_test(a_job_that_never_left_costs_no_credit),
        cmocka_unit_test(quarantine_stops_a_source_under_every_pipeline),
        cmocka_unit_test(the_last_word_on_a_source_wins_within_a_group),
        cmocka_unit_test(a_split_of_very_many_pages_fits_in_the_ledger),
        cmocka_unit_test(who_comes_after_a_failed_assembly_has_the_whole_ladder),
        cmocka_unit_test(a_probe_of_a_stopped_source_shares_its_quarantine),
        cmocka_unit_test(a_quarantine_cut_short_is_whole_after_a_restart),
        cmocka_unit_test(a_release_cut_short_did_not_happen),
        cmocka_unit_test(a_document_placed_after_its_outcome_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
