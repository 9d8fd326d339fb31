/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Batches on their way in, a piece of their manifest at a time. A piece is checked on a back thread (a million rows take
 * seconds), written by the commit thread when its turn comes, and in force once its ledger entry is durable: then its
 * documents are granted, whatever pieces are still to come. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/manifest.h"
#include "coordinator/stopping.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum {
    ADMISSIONS_MAX = 16,
    CHECKS_MAX = 16,
    CHECK_KEPT_MS = 3600 * 1000, /* then whoever asked for it has gone */
};

_Static_assert(PIECE_MAX_LOTS *(3 * NAME_BYTES + 64) + 1024 <= LEDGER_ENTRY_BYTES, "a piece's lots fit in an entry");

static void admission_destroy(struct admission **admission)
{
    if (!*admission)
        return;
    buf_destroy(&(*admission)->lines);
    rows_plan_destroy(&(*admission)->plan);
    free(*admission);
    *admission = NULL;
}

static int batch_id_check(const char *id, struct err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = strlen(id);
    if (!n || n >= NAME_BYTES || strspn(id, allowed) != n || id[0] == '.')
        return err_set(err, E_MANIFEST, "batch id '%.40s': 1 to %d of the letters A-Z a-z 0-9 . _ -, no leading dot",
                       id, NAME_BYTES - 1);
    return 0;
}

static uint32_t worker_pipeline(const struct coordinator *c)
{
    for (uint32_t i = 0; i < sched_workers(c->sched); i++)
        if (sched_worker(c->sched, i)->connected)
            return sched_worker(c->sched, i)->pipeline;
    return NONE;
}

/* ---- checking ---- */

static void check_work(struct io_task *task)
{
    struct admission *a = (struct admission *)task;
    char hex[SHA256_HEX_CHARS + 1];
    a->rc = rows_check(buf_text(&a->lines), a->lines.size, a->priority, a->deadline_ms, &a->plan, &a->err);
    if (!a->rc && !a->plan.docs && (!a->offset || a->lines.size))
        a->rc = err_set(&a->err, E_MANIFEST, "the manifest names no document");
    if (a->rc || *a->id)
        return;
    sha256_hex(a->plan.sha256, hex); /* the same manifest again is the same batch */
    snprintf(a->id, sizeof a->id, "batch-%.16s", hex);
}

static void check_done(struct io_task *task)
{
    ((struct admission *)task)->checked = true;
}

int admit(struct coordinator *c, struct admission *asked, struct err *err)
{
    struct admission **last = &c->admissions;
    unsigned waiting = 0;
    int rc = *asked->id ? batch_id_check(asked->id, err) : 0;
    if (!rc && !*asked->id && (asked->offset || asked->more))
        rc = err_set(err, E_USAGE, "a manifest that comes in pieces needs an id");
    for (; *last; last = &(*last)->next)
        waiting++;
    if (!rc && waiting == ADMISSIONS_MAX)
        rc = err_set(err, E_STATE, "%d pieces of manifests are being admitted (ADMISSIONS_MAX): try again", waiting);
    if (rc)
        return rc;
    struct admission *a = malloc(sizeof *a);
    if (!a)
        abort();
    *a = *asked;
    asked->lines = (struct buf){0};
    a->c = c;
    a->task = (struct io_task){.work = check_work, .done = check_done};
    *last = a;
    io_submit(c->back_io, &a->task);
    return 0;
}

/* ---- writing ---- */

/* Whether the piece is one that the batch has; E_EXISTS: another one is there. */
static int piece_find(const struct admission *a, bool *ret_there, struct err *err)
{
    const struct batch *batch = a->batch;
    uint32_t i = 0;
    *ret_there = false;
    while (i < batch->pieces && batch->piece[i].offset < a->offset)
        i++;
    if (i == batch->pieces || batch->piece[i].offset != a->offset)
        return 0;
    *ret_there = !memcmp(batch->piece[i].sha256, a->plan.sha256, SHA256_BYTES);
    return *ret_there ? 0 : err_set(err, E_EXISTS, "batch %s exists with another manifest: choose another id", a->id);
}

/* Neither in its rows nor in the batch that they would go to is a unit that is not of who admits it. */
static int admission_allow(const struct admission *a, struct err *err)
{
    size_t lots;
    const struct plan_lot *lot = rows_plan_lots(&a->plan, &lots);
    int rc = a->batch ? account_may_touch(a->by, a->batch, NONE, err) : 0;
    for (size_t i = 0; i < lots && !rc; i++)
        rc = account_may_unit(a->by, lot[i].terms.unit, err);
    return rc;
}

/* What is left to do: *ret_write. */
static int admission_place(struct admission *a, bool *ret_write, struct err *err)
{
    const struct batch *batch = a->batch = backlog_batch(a->c->backlog, a->id);
    bool there = false;
    *ret_write = true;
    int rc = admission_allow(a, err);
    if (rc)
        return rc;
    if (!batch)
        return a->offset ? err_set(err, E_STATE, "batch %s does not exist: it begins at offset 0", a->id) : 0;
    rc = piece_find(a, &there, err);
    *ret_write = !there;
    if (rc || there)
        return rc;
    if (a->offset != batch->manifest_bytes || !batch->more)
        return err_set(err, E_STATE, "batch %s %s %" PRIu64 " bytes of manifest, the piece begins at %" PRIu64, a->id,
                       batch->more ? "has" : "is complete with", batch->manifest_bytes, a->offset);
    if (batch->withdrawn)
        return err_set(err, E_STATE, "batch %s was withdrawn", a->id);
    if (a->plan.docs > BATCH_MAX_DOCS - batch->docs)
        return err_set(err, E_LIMIT, "a batch holds at most %u documents (BATCH_MAX_DOCS)", BATCH_MAX_DOCS);
    return 0;
}

/* The unit of all lots; "" when they differ. */
static const char *plan_unit(const struct rows_plan *plan)
{
    size_t lots;
    const struct plan_lot *lot = rows_plan_lots(plan, &lots);
    for (size_t i = 1; i < lots; i++)
        if (strcmp(lot[i].terms.unit, lot[0].terms.unit))
            return "";
    return lots ? lot[0].terms.unit : "";
}

/* The batch as it will be with this piece. */
static void entry_fill(struct admission *a)
{
    static const struct batch none = {.pipeline = NONE};
    const struct batch *batch = a->batch ? a->batch : &none;
    const char *unit = plan_unit(&a->plan);
    a->entry.piece = batch->pieces;
    a->entry.docs = batch->docs + a->plan.docs;
    a->entry.pipeline = batch->pipeline != NONE ? batch->pipeline : worker_pipeline(a->c);
    if (a->entry.pipeline != NONE)
        memcpy(a->entry.digest, a->c->backlog->pipeline[a->entry.pipeline], SHA256_BYTES);
    bool one_unit = !batch->pieces || !a->plan.docs || !strcmp(batch->unit, unit);
    snprintf(a->entry.unit, sizeof a->entry.unit, "%s", !one_unit ? "" : a->plan.docs ? unit : batch->unit);
}

/* The plan's lots, to be freed by lots_free(). */
static void lots_say(const struct admission *a, Sohoa__BatchAdmitted *admitted)
{
    size_t lots;
    const struct plan_lot *lot = rows_plan_lots(&a->plan, &lots);
    if (!lots)
        return;
    Sohoa__Lot *said = calloc(lots, sizeof *said);
    admitted->lots = calloc(lots, sizeof(Sohoa__Lot *));
    if (!said || !admitted->lots)
        abort();
    for (size_t i = 0; i < lots; i++) {
        sohoa__lot__init(&said[i]);
        said[i].docs = lot[i].docs;
        said[i].pages = lot[i].pages;
        said[i].unit = (char *)(uintptr_t)lot[i].terms.unit;
        said[i].bloc = (char *)(uintptr_t)lot[i].terms.bloc;
        said[i].intake = (char *)(uintptr_t)lot[i].terms.intake;
        said[i].priority = lot[i].terms.priority;
        said[i].deadline_ms = lot[i].terms.deadline_ms;
        said[i].permanent = lot[i].terms.permanent;
        admitted->lots[i] = &said[i];
    }
    admitted->n_lots = lots;
}

static void lots_free(Sohoa__BatchAdmitted *admitted)
{
    if (admitted->n_lots)
        free(admitted->lots[0]);
    free(admitted->lots);
}

static void admission_work(struct io_task *task)
{
    struct admission *a = (struct admission *)task;
    struct coordinator *c = a->c;
    a->rc = rows_write(c->store, a->id, a->entry.piece, buf_text(&a->lines), a->lines.size, &a->plan, &a->err);
    if (a->rc)
        return;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__BatchAdmitted admitted = SOHOA__BATCH_ADMITTED__INIT;
    admitted.batch = a->id;
    admitted.docs = a->entry.docs;
    admitted.unit = a->entry.unit;
    admitted.piece = a->entry.piece;
    admitted.manifest_bytes = a->offset + a->lines.size;
    admitted.more = a->more;
    admitted.pages = a->plan.pages;
    admitted.manifest_sha256 = (ProtobufCBinaryData){SHA256_BYTES, a->plan.sha256};
    if (a->entry.pipeline != NONE)
        admitted.pipeline = (ProtobufCBinaryData){SHA256_BYTES, a->entry.digest};
    entry.actor = (char *)(uintptr_t)a->by->name;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ADMITTED;
    entry.admitted = &admitted;
    lots_say(a, &admitted);
    a->rc = committer_write_entry(c->committer, &entry, &a->err);
    lots_free(&admitted);
}

/* As the ledger's entry of the piece tells it. */
static void history_enter(struct admission *a, const struct batch *batch)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__BatchAdmitted admitted = SOHOA__BATCH_ADMITTED__INIT;
    admitted.batch = a->id;
    admitted.docs = batch->docs;
    admitted.more = a->more;
    admitted.manifest_sha256 = (ProtobufCBinaryData){SHA256_BYTES, a->plan.sha256};
    entry.actor = (char *)(uintptr_t)a->by->name;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ADMITTED;
    entry.admitted = &admitted;
    history_add(a->c->history, &entry, clock_wall_ms());
}

static void batch_enter(struct admission *a)
{
    struct coordinator *c = a->c;
    struct batch *batch = backlog_batch(c->backlog, a->id);
    a->created = true;
    if (!batch)
        batch = batch_add(c->backlog, a->id, 0, a->entry.pipeline);
    memcpy(batch->unit, a->entry.unit, sizeof batch->unit);
    batch->more = a->more;
    batch->reads_on = batch->reads_on || a->plan.pages;
    size_t lots;
    const struct plan_lot *lot = rows_plan_lots(&a->plan, &lots);
    batch_add_piece(batch, a->plan.sha256, a->lines.size);
    for (size_t i = 0; i < lots; i++)
        batch_add_lot(batch, &lot[i].terms, lot[i].docs, lot[i].pages);
    a->batch = batch;
    history_enter(a, batch);
    if (batch->pipeline == NONE && worker_pipeline(c) != NONE) /* the first came while this was being written */
        peers_pin(c, worker_pipeline(c));
    sched_reorder(c->sched);
    group_touch(c->group, batch->index);
    stopping_admitted(c);
    trace(TRACE_INFO, "batch_admitted", "batch=%s docs=%u piece=%u more=%d priority=%u unit=%s", a->id, batch->docs,
          a->entry.piece, a->more, batch_priority(batch), trace_value(batch->unit));
}

/* The first of the queue is over. */
static void admission_end(struct coordinator *c)
{
    struct admission *a = c->admissions;
    c->admissions = a->next;
    c->admitting = false;
    a->done(a, a->user);
    admission_destroy(&a);
}

static void admission_done(struct io_task *task)
{
    struct admission *a = (struct admission *)task;
    if (!a->rc)
        batch_enter(a);
    admission_end(a->c);
}

bool admissions_start(struct coordinator *c)
{
    while (c->admissions && c->admissions->checked) {
        struct admission *a = c->admissions;
        bool write = false;
        if (!a->rc)
            a->rc = admission_place(a, &write, &a->err);
        if (!a->rc && write) {
            entry_fill(a);
            c->admitting = true;
            a->task = (struct io_task){.work = admission_work, .done = admission_done};
            io_submit(c->commit_io, &a->task);
            return true;
        }
        admission_end(c);
    }
    return false;
}

/* ---- checks ---- */

static uint32_t checks_open(const struct coordinator *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->backlog->batches; i++)
        n += c->backlog->batch[i] && c->backlog->batch[i]->check_only;
    return n;
}

void checks_expire(struct coordinator *c, uint64_t now_ms)
{
    for (uint32_t i = 0; c->checks && i < c->backlog->batches; i++) {
        struct batch *batch = c->backlog->batch[i];
        if (batch && batch->check_only && now_ms - batch->check_ms > CHECK_KEPT_MS)
            sched_discard(c->sched, batch, &c->acts);
    }
    coordinator_apply(c);
}

int admit_check(struct coordinator *c, const struct buf *manifest, struct batch **ret_batch, struct err *err)
{
    struct rows_plan plan = {0};
    char id[NAME_BYTES];
    int rc = rows_check(buf_text(manifest), manifest->size, 0, 0, &plan, err);
    if (!rc && !plan.docs)
        rc = err_set(err, E_MANIFEST, "the manifest names no document");
    if (!rc && checks_open(c) >= CHECKS_MAX)
        rc = err_set(err, E_LIMIT, "%d checks are open (CHECKS_MAX): end one first", CHECKS_MAX);
    if (rc) {
        rows_plan_destroy(&plan);
        return rc;
    }
    /* A colon: no batch is called like that. The epoch: no worker takes it for one of before a restart. */
    snprintf(id, sizeof id, "check:%" PRIu64 "-%u", store_epoch(c->store), ++c->checks);
    struct batch *batch = batch_add(c->backlog, id, plan.docs, NONE);
    AUTO(mem_destroy) struct manifest_row *row = malloc(sizeof *row);
    batch->check_only = true;
    batch->check_ms = clock_mono_ms();
    batch->check_source = calloc(plan.docs, sizeof *batch->check_source);
    batch->check_pages = calloc(plan.docs, sizeof *batch->check_pages);
    if (!row || !batch->check_source || !batch->check_pages)
        abort();
    size_t at = 0;
    for (uint32_t i = 0; i < plan.docs; i++) {
        at += strspn(buf_text(manifest) + at, "\n");
        size_t bytes = strcspn(buf_text(manifest) + at, "\n");
        rc = manifest_row_parse(buf_text(manifest) + at, bytes, i + 1, row, err);
        assert(!rc); /* rows_check parsed it */
        batch->check_source[i] = strdup(row->source);
        batch->check_pages[i] = row->pages;
        at += bytes;
    }
    rows_plan_destroy(&plan);
    sched_enter(c->sched, batch, &c->acts);
    coordinator_apply(c);
    *ret_batch = batch;
    return 0;
}
