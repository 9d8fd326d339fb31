/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A pass looks through rows for the keys of files that are wanted, and for those of files that are stopped; without anything wanted only
 * pieces that no pass has seen. One pass at a time: what comes meanwhile waits for the next. */
#include "coordinator/stopping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_order.h"
#include "coordinator/quarantine.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum { PASS_RETRY_MS = 1000, REASON_BYTES = 4096 /* with the 0 */ };

enum act_on { ON_STOP, ON_RELEASE, ON_PURGE };

struct want {
    enum act_on act;
    uint64_t file_key;
    struct doc_ref ref;
    char *reason;
    struct request *request; /* NULL: nobody waits */
};

struct piece_place {
    char id[NAME_BYTES];
    uint32_t batch, piece, first_doc;
};

struct found {
    struct doc_ref ref;
    uint64_t file_key;
};

struct stopping {
    struct io_task task; /* the pass */
    struct coordinator *c;
    struct buf wants;   /* struct want: for the next pass */
    struct buf looking; /* struct want: of the pass under way */
    struct buf pieces;  /* struct piece_place: it looks through */
    struct buf keys;    /* uint64_t: that it looks for */
    struct buf found;
    uint32_t *looked; /* pieces that passes have seen, by batch */
    uint32_t batches;
    bool under_way;
    uint64_t retry_ms; /* not 0: a pass failed, and is tried again then */
    int rc;
    struct err err;
};

struct stopping *stopping_new(struct coordinator *c)
{
    struct stopping *stopping = calloc(1, sizeof *stopping);
    if (!stopping)
        abort();
    stopping->c = c;
    return stopping;
}

static struct want *wants_at(const struct buf *wants, size_t *count)
{
    *count = wants->size / sizeof(struct want);
    return (struct want *)(void *)wants->data;
}

static void wants_destroy(struct buf *wants)
{
    size_t count;
    struct want *want = wants_at(wants, &count);
    for (size_t i = 0; i < count; i++)
        free(want[i].reason);
    buf_destroy(wants);
}

void stopping_destroy(struct stopping **stopping)
{
    if (!*stopping)
        return;
    wants_destroy(&(*stopping)->wants);
    wants_destroy(&(*stopping)->looking);
    buf_destroy(&(*stopping)->pieces);
    buf_destroy(&(*stopping)->keys);
    buf_destroy(&(*stopping)->found);
    free((*stopping)->looked);
    free(*stopping);
    *stopping = NULL;
}

/* ---- one document ---- */

static ProtobufCBinaryData doc_sha256(const struct coordinator *c, struct doc_ref ref)
{
    const struct doc *doc = doc_at(c->backlog, ref);
    if (doc->work == NONE)
        return (ProtobufCBinaryData){0, NULL};
    return (ProtobufCBinaryData){SHA256_BYTES, c->backlog->work[doc->work].sha256};
}

static void entry_enter(struct coordinator *c, Sohoa__LedgerEntry *entry)
{
    group_add_entry(c->group, entry);
    quarantines_add(c->quarantines, c->backlog, entry, clock_wall_ms());
}

static void enter_raised(struct coordinator *c, struct doc_ref ref, const char *reason, Sohoa__Suspicion **suspicions,
                         size_t count)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Quarantined said = SOHOA__QUARANTINED__INIT;
    said.sha256 = doc_sha256(c, ref);
    said.batch = c->backlog->batch[ref.batch]->id;
    said.doc = ref.doc;
    said.reason = (char *)(uintptr_t)reason;
    said.suspicions = suspicions;
    said.n_suspicions = count < SUSPICIONS_MOST ? count : SUSPICIONS_MOST;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_QUARANTINED;
    entry.quarantined = &said;
    entry_enter(c, &entry);
    trace(TRACE_WARN, "quarantined", "batch=%s doc=%u suspicions=%zu", said.batch, ref.doc, said.n_suspicions);
}

static void enter_released(struct coordinator *c, struct doc_ref ref, const char *reason)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Released said = SOHOA__RELEASED__INIT;
    said.sha256 = doc_sha256(c, ref);
    said.batch = c->backlog->batch[ref.batch]->id;
    said.doc = ref.doc;
    said.reason = (char *)(uintptr_t)reason;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RELEASED;
    entry.released = &said;
    entry_enter(c, &entry);
    if (said.sha256.len)
        group_add_release(c->group, said.sha256.data);
    sched_release(c->sched, ref, &c->acts);
    trace(TRACE_WARN, "released", "batch=%s doc=%u", said.batch, ref.doc);
}

static void enter_purged(struct coordinator *c, struct doc_ref ref, const char *reason)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Purged said = SOHOA__PURGED__INIT;
    said.sha256 = doc_sha256(c, ref);
    said.batch = c->backlog->batch[ref.batch]->id;
    said.doc = ref.doc;
    said.reason = (char *)(uintptr_t)reason;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_PURGED;
    entry.purged = &said;
    entry_enter(c, &entry);
    if (said.sha256.len)
        group_add_purge(c->group, said.sha256.data);
    trace(TRACE_WARN, "purged", "batch=%s doc=%u", said.batch, ref.doc);
}

/* Whether a person may still decide on it: it is quarantined, and not gone for good. */
static bool may_end(const struct coordinator *c, struct doc_ref ref)
{
    ProtobufCBinaryData sha256 = doc_sha256(c, ref);
    return doc_at(c->backlog, ref)->state == SOHOA__DOC_STATE__DOC_QUARANTINED &&
           !quarantines_purged(c->quarantines, ref, sha256.data);
}

static void end_one(struct coordinator *c, struct doc_ref ref, enum act_on act, const char *reason)
{
    if (!may_end(c, ref))
        return;
    if (act == ON_RELEASE)
        enter_released(c, ref, reason);
    else
        enter_purged(c, ref, reason);
    coordinator_apply(c);
}

/* ---- a pass ---- */

static bool raised_stops(const struct raised *raised)
{
    return raised->file_key && !raised->released && !raised_alone(raised);
}

static void key_add(struct buf *keys, uint64_t key)
{
    const uint64_t *at = (const uint64_t *)(const void *)keys->data;
    for (size_t i = 0; i < keys->size / sizeof *at; i++)
        if (at[i] == key)
            return;
    buf_append(keys, &key, sizeof key);
}

static void keys_collect(struct stopping *s)
{
    const struct raised *raised;
    size_t count;
    const struct want *want = wants_at(&s->looking, &count);
    buf_clear(&s->keys);
    for (size_t i = 0; i < count; i++)
        key_add(&s->keys, want[i].file_key);
    for (size_t i = 0; (raised = quarantines_nth(s->c->quarantines, i)); i++)
        if (raised_stops(raised))
            key_add(&s->keys, raised->file_key);
}

/* all: pieces that passes have seen, too. */
static void pieces_collect(struct stopping *s, bool all)
{
    const struct backlog *backlog = s->c->backlog;
    buf_clear(&s->pieces);
    s->looked = realloc(s->looked, (backlog->batches + 1) * sizeof *s->looked);
    if (!s->looked)
        abort();
    for (uint32_t b = 0; b < backlog->batches; b++) {
        const struct batch *batch = backlog->batch[b];
        uint32_t seen = b < s->batches ? s->looked[b] : 0;
        s->looked[b] = batch && !batch->check_only ? batch->pieces : 0;
        for (uint32_t p = all ? 0 : seen; p < s->looked[b]; p++) {
            struct piece_place piece = {.batch = b, .piece = p, .first_doc = batch->piece[p].first_doc};
            snprintf(piece.id, sizeof piece.id, "%s", batch->id);
            buf_append(&s->pieces, &piece, sizeof piece);
        }
    }
    s->batches = backlog->batches;
}

struct piece_look {
    struct stopping *stopping;
    uint32_t batch;
};

static void on_row(uint32_t doc, uint64_t file_key, void *user)
{
    const struct piece_look *look = user;
    struct found found = {
        {look->batch, doc},
        file_key
    };
    buf_append(&look->stopping->found, &found, sizeof found);
}

static void pass_work(struct io_task *task)
{
    struct stopping *s = (struct stopping *)task;
    const struct piece_place *at = (const struct piece_place *)(const void *)s->pieces.data;
    const uint64_t *keys = (const uint64_t *)(const void *)s->keys.data;
    s->rc = 0;
    buf_clear(&s->found);
    for (size_t i = 0; i < s->pieces.size / sizeof *at && !s->rc; i++) {
        struct piece_look look = {s, at[i].batch};
        s->rc = rows_of_files(s->c->store, at[i].id, at[i].piece, at[i].first_doc, keys, s->keys.size / sizeof *keys,
                              on_row, &look, &s->err);
    }
}

static void pass_done(struct io_task *task);

static void pass_start(struct stopping *s)
{
    if (s->under_way || s->retry_ms)
        return;
    struct buf none = s->looking;
    s->looking = s->wants;
    s->wants = none;
    keys_collect(s);
    if (!s->keys.size) /* what is admitted meanwhile is looked through when a file is wanted: that looks at all */
        return;
    pieces_collect(s, s->looking.size > 0);
    if (!s->pieces.size && !s->looking.size)
        return;
    s->under_way = true;
    s->task = (struct io_task){.work = pass_work, .done = pass_done};
    io_submit(s->c->back_io, &s->task);
}

/* The latest moment at which somebody stopped that file; 0: nobody did. */
static uint64_t stopped_order(const struct coordinator *c, uint64_t file_key)
{
    const struct raised *raised;
    uint64_t order = 0;
    for (size_t i = 0; (raised = quarantines_nth(c->quarantines, i)); i++)
        if (raised->file_key == file_key && raised_stops(raised))
            order = raised->order;
    return order;
}

static void stop_found(struct stopping *s)
{
    AUTO(buf_destroy) struct buf refs = {0};
    struct coordinator *c = s->c;
    const struct found *found = (const struct found *)(const void *)s->found.data;
    for (size_t i = 0; i < s->found.size / sizeof *found; i++) {
        uint64_t order = stopped_order(c, found[i].file_key);
        if (order && !quarantines_released(c->quarantines, found[i].ref, order))
            buf_append(&refs, &found[i].ref, sizeof found[i].ref);
    }
    sched_quarantine(c->sched, (const struct doc_ref *)(const void *)refs.data, refs.size / sizeof(struct doc_ref),
                     &c->acts);
    coordinator_apply(c);
}

static void end_found(struct stopping *s, const struct want *want)
{
    const struct found *found = (const struct found *)(const void *)s->found.data;
    end_one(s->c, want->ref, want->act, want->reason);
    for (size_t i = 0; i < s->found.size / sizeof *found; i++)
        if (found[i].file_key == want->file_key)
            end_one(s->c, found[i].ref, want->act, want->reason);
}

static void answer_batch(struct coordinator *c, struct request *request, uint32_t batch)
{
    answer_then(c, request, json_pack("{s:s}", "id", c->backlog->batch[batch]->id));
}

static void want_done(struct stopping *s, const struct want *want)
{
    struct coordinator *c = s->c;
    if (want->act != ON_STOP) {
        group_set_actor(c->group, request_account(want->request)->name);
        end_found(s, want);
        group_set_actor(c->group, NULL);
    }
    if (want->request)
        answer_batch(c, want->request, want->ref.batch);
}

/* A store that fails is asked again; who waits is told. */
static void pass_failed(struct stopping *s)
{
    size_t count;
    struct want *want = wants_at(&s->looking, &count);
    trace_err(TRACE_WARN, "stopping_waits", &s->err, "retry_ms=%d", PASS_RETRY_MS);
    for (size_t i = 0; i < count; i++) {
        if (want[i].request)
            request_answer_err(want[i].request, &s->err);
        want[i].request = NULL;
        if (want[i].act == ON_STOP)
            buf_append(&s->wants, &want[i], sizeof want[i]);
        else
            free(want[i].reason);
    }
    s->looking.size = 0;
    s->batches = 0; /* nothing counts as seen */
    s->retry_ms = clock_mono_ms() + PASS_RETRY_MS;
}

static void pass_done(struct io_task *task)
{
    struct stopping *s = (struct stopping *)task;
    size_t count;
    s->under_way = false;
    if (s->rc) {
        pass_failed(s);
        return;
    }
    stop_found(s);
    const struct want *want = wants_at(&s->looking, &count);
    for (size_t i = 0; i < count; i++)
        want_done(s, &want[i]);
    wants_destroy(&s->looking);
    s->looking = (struct buf){0};
    pass_start(s);
}

static void want_add(struct coordinator *c, enum act_on act, uint64_t file_key, struct doc_ref ref, const char *reason,
                     struct request *request)
{
    struct want want = {act, file_key, ref, strdup(reason), request};
    if (!want.reason)
        abort();
    buf_append(&c->stopping->wants, &want, sizeof want);
    pass_start(c->stopping);
}

void stopping_admitted(struct coordinator *c)
{
    pass_start(c->stopping);
}

void stopping_tick(struct coordinator *c, uint64_t now_ms)
{
    if (!c->stopping->retry_ms || now_ms < c->stopping->retry_ms)
        return;
    c->stopping->retry_ms = 0;
    pass_start(c->stopping);
}

/* ---- what begins it ---- */

/* The file of the document that was raised last goes with it. */
static int file_aim(struct coordinator *c, struct raised *raised, struct request *request, struct err *err)
{
    struct row row;
    int rc = raised_alone(raised) ? 0 : coordinator_row(c, raised->ref, &row, NULL, err);
    if (rc)
        return rc;
    raised->file_key = raised_alone(raised) ? 0 : row.file_key;
    if (raised->file_key)
        want_add(c, ON_STOP, raised->file_key, raised->ref, "", request);
    else if (request)
        answer_batch(c, request, raised->ref.batch);
    return 0;
}

static struct raised *raised_last(const struct coordinator *c)
{
    struct raised *last = NULL, *raised;
    for (size_t i = 0; (raised = quarantines_nth(c->quarantines, i)); i++)
        last = raised;
    return last;
}

void stopping_suspected(struct coordinator *c, const Sohoa__Result *result)
{
    struct err err;
    for (size_t i = c->acts.count; i > 0; i--) {
        if (c->acts.at[i - 1].kind != ACT_SECRET)
            continue;
        enter_raised(c, c->acts.at[i - 1].doc, "", result->suspicions, result->n_suspicions);
        if (file_aim(c, raised_last(c), NULL, &err))
            trace_err(TRACE_ERROR, "file_unknown", &err, "batch=%s doc=%u",
                      c->backlog->batch[c->acts.at[i - 1].doc.batch]->id, c->acts.at[i - 1].doc.doc);
        return;
    }
}

static int reason_check(const char *reason, struct err *err)
{
    return strlen(reason) < REASON_BYTES
               ? 0
               : err_set(err, E_LIMIT, "the reason is longer than %d bytes (REASON_BYTES)", REASON_BYTES - 1);
}

void stopping_order(struct coordinator *c, struct request *request, struct doc_ref ref, const char *reason)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    struct row row;
    struct err err;
    int rc = reason_check(reason, &err);
    if (!rc && doc_look(batch, ref.doc)->state == SOHOA__DOC_STATE__DOC_WITHDRAWN)
        rc = err_set(&err, E_STATE, "document %u of batch %s is withdrawn", ref.doc, batch->id);
    if (!rc)
        rc = coordinator_row(c, ref, &row, NULL, &err); /* what file it is of must be known before anything stops */
    if (!rc) {
        enter_raised(c, ref, reason, NULL, 0);
        sched_quarantine(c->sched, &ref, 1, &c->acts);
        coordinator_apply(c);
        rc = file_aim(c, raised_last(c), request, &err);
    }
    if (rc)
        request_answer_err(request, &err);
}

void stopping_end(struct coordinator *c, struct request *request, struct doc_ref ref, enum stopping_end end, bool file,
                  const char *reason)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    enum act_on act = end == STOPPING_RELEASE ? ON_RELEASE : ON_PURGE;
    struct row row = {0};
    struct err err;
    int rc = reason_check(reason, &err);
    if (!rc && doc_look(batch, ref.doc)->state != SOHOA__DOC_STATE__DOC_QUARANTINED)
        rc = err_set(&err, E_STATE, "document %u of batch %s is not quarantined", ref.doc, batch->id);
    if (!rc && !may_end(c, ref))
        rc = err_set(&err, E_STATE, "document %u of batch %s was purged: its source is gone for good", ref.doc,
                     batch->id);
    if (!rc && file)
        rc = coordinator_row(c, ref, &row, NULL, &err);
    if (rc) {
        request_answer_err(request, &err);
    } else if (row.file_key) {
        want_add(c, act, row.file_key, ref, reason, request);
    } else {
        end_one(c, ref, act, reason);
        answer_batch(c, request, ref.batch);
    }
}

int stopping_recover(struct coordinator *c, struct err *err)
{
    struct raised *raised;
    const uint8_t *sha256;
    int rc = 0;
    for (size_t i = 0; (raised = quarantines_nth(c->quarantines, i)) && !rc; i++)
        if (!raised->released)
            rc = file_aim(c, raised, NULL, err);
    for (size_t i = 0; (sha256 = quarantines_purged_source(c->quarantines, i)); i++)
        group_add_purge(c->group, sha256);
    return rc;
}
