/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/operator.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/rerun_ledger.h"
#include "coordinator/stopping.h"
#include "proto/auto.h"
#include "tests/sim/check.h"
#include "tests/sim/seat.h"
#include "tests/sim/source.h"
#include "tests/sim/store.h"
#include "tests/sim/view.h"
#include "tests/sim/world.h"

enum {
    LATE_BATCH = BATCHES - 1,
    UNPINNED_BATCH = BATCHES - 2,
    PIECES = 2, /* of the late batch */
    PAUSE_MOST_MS = 3000,
    LOTS = 2, /* of a piece */
    DEADLINE_STEP_MS = 20000,
    REMEMBERED = 32, /* re-runs */
    REGRET_MS = 50,
};

static struct {
    uint64_t due_ms;
    uint32_t piece;                                       /* of the late batch: the next one */
    struct sight before[REMEMBERED][BATCHES][BATCH_DOCS]; /* a re-run, by its number */
    bool released[SOURCES];                               /* durably, and not stopped since */
    bool ever[SOURCES];                                   /* somebody tried to release it */
} op;

bool operator_released(uint32_t source)
{
    return op.ever[source];
}

/* ---- admission ---- */

static uint32_t docs_up_to(uint32_t batch, uint32_t piece)
{
    uint32_t docs = batch_docs(batch);
    return batch == LATE_BATCH && piece + 1 < PIECES ? docs / PIECES : docs;
}

static void entry_fill(Sohoa__LedgerEntry *entry, Sohoa__BatchAdmitted *admitted, char id[8], uint32_t batch,
                       uint32_t piece)
{
    static uint8_t digest[SHA256_BYTES];
    static Sohoa__Lot lot[LOTS], *lots[LOTS];
    uint32_t docs = docs_up_to(batch, piece) - (piece ? docs_up_to(batch, piece - 1) : 0);
    snprintf(id, 8, "b%u", batch);
    sohoa__ledger_entry__init(entry);
    sohoa__batch_admitted__init(admitted);
    admitted->batch = id;
    admitted->docs = docs_up_to(batch, piece);
    admitted->lots = lots;
    admitted->n_lots = LOTS;
    for (uint32_t i = 0; i < LOTS; i++) {
        lots[i] = &lot[i];
        sohoa__lot__init(lots[i]);
        lot[i].docs = i ? docs - docs / LOTS * (LOTS - 1) : docs / LOTS;
        lot[i].priority = 1 + (batch + 2 * i) % 5;
        lot[i].deadline_ms = i ? 0 : (batch + 1) * DEADLINE_STEP_MS;
        lot[i].unit = (char *)(uintptr_t)(i ? "district:001" : "district:002");
    }
    admitted->piece = piece;
    admitted->manifest_bytes = piece + 1;
    admitted->more = batch == LATE_BATCH && piece + 1 < PIECES;
    admitted->pages = batch % 3 == 0;
    admitted->manifest_sha256 = (ProtobufCBinaryData){SHA256_BYTES, digest};
    if (batch != UNPINNED_BATCH)
        admitted->pipeline =
            (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)(uintptr_t)pipeline_digest_of[batch % PIPELINES]};
    entry->body_case = SOHOA__LEDGER_ENTRY__BODY_ADMITTED;
    entry->admitted = admitted;
}

void operator_reset(void)
{
    memset(&op, 0, sizeof op);
    op.due_ms = world.now_ms + chance(PAUSE_MOST_MS);
    for (uint32_t batch = 0; batch < LATE_BATCH; batch++) {
        AUTO(buf_destroy) struct buf packed = {0};
        Sohoa__LedgerEntry entry;
        Sohoa__BatchAdmitted admitted;
        char id[8];
        entry_fill(&entry, &admitted, id, batch, 0);
        size_t bytes = sohoa__ledger_entry__get_packed_size(&entry);
        sohoa__ledger_entry__pack(&entry, buf_reserve(&packed, bytes));
        ledger_begin(packed.data, bytes);
    }
}

bool operator_done(void)
{
    return op.piece == PIECES;
}

/* As batch_enter() of admit.c. */
static void piece_enter(struct coordinator *c, const Sohoa__BatchAdmitted *admitted)
{
    struct batch *batch = backlog_batch(c->backlog, admitted->batch);
    uint32_t pipeline = backlog_pipeline(c->backlog, admitted->pipeline.data);
    if (!batch)
        batch = batch_add(c->backlog, admitted->batch, 0, pipeline);
    batch->more = admitted->more;
    batch->reads_on = batch->reads_on || admitted->pages;
    batch_add_piece(batch, admitted->manifest_sha256.data, 1);
    for (size_t i = 0; i < admitted->n_lots; i++) {
        struct terms terms = {.priority = admitted->lots[i]->priority, .deadline_ms = admitted->lots[i]->deadline_ms};
        snprintf(terms.unit, sizeof terms.unit, "%s", admitted->lots[i]->unit);
        batch_add_lot(batch, &terms, admitted->lots[i]->docs, 0);
    }
    sched_reorder(c->sched);
    group_touch(c->group, batch->index);
}

bool operator_admits(struct coordinator *c)
{
    Sohoa__LedgerEntry entry;
    Sohoa__BatchAdmitted admitted;
    struct err err;
    char id[8];
    if (operator_done() || chance(50))
        return false;
    entry_fill(&entry, &admitted, id, LATE_BATCH, op.piece);
    const struct batch *batch = backlog_batch(c->backlog, id);
    if (batch && batch->withdrawn) {
        op.piece = PIECES;
        return false;
    }
    if (committer_write_entry(c->committer, &entry, &err))
        violation("a piece can't be admitted: %s", err.text);
    piece_enter(c, &admitted);
    op.piece++;
    return false;
}

/* ---- orders: as api_order.c ---- */

static void on_durable(int rc, const struct err *err, void *user)
{
    uint64_t order = (uintptr_t)user;
    (void)err;
    if (!rc && ledger_orders() < order)
        violation("order %llu is answered, the ledger has %llu", (unsigned long long)order,
                  (unsigned long long)ledger_orders());
}

/* What the group is to say is in it; it is answered when that is durable. */
static void order_said(struct coordinator *c)
{
    uint64_t order = ledger_orders() + 1; /* at least this one is there by then */
    group_add_then(c->group, (struct group_then){on_durable, (void *)(uintptr_t)order});
}

static void order_enter(struct coordinator *c, Sohoa__LedgerEntry *entry)
{
    group_add_entry(c->group, entry);
    order_said(c);
}

/* Some of its pages, or all, or the dead ones. */
static uint8_t grades_drawn(const struct batch *batch, const struct doc *doc)
{
    uint8_t some = doc->work == NONE ? 0 : (uint8_t)(1 + chance(WHERE_ALL - 1));
    some &= some ? grades_seen(&batch->grades, doc->first_ordinal, doc->pages) : 0;
    return some && chance(2) ? some : WHERE_ALL;
}

static void order_rerun(struct coordinator *c, struct doc_ref ref)
{
    AUTO(choice_destroy) struct choice choice = {0};
    const struct batch *batch = c->backlog->batch[ref.batch];
    struct chosen chosen = {ref, grades_drawn(batch, doc_look(batch, ref.doc))};
    view_docs(c, op.before[(c->backlog->reruns + 1) % REMEMBERED]);
    buf_append(&choice.docs, &chosen, sizeof chosen);
    rerun_order(c->sched, c->backlog, c->group, "", &choice, world.now_ms, &c->acts);
    order_said(c);
}

static void order_undo(struct coordinator *c, uint32_t number)
{
    struct sight now[BATCHES][BATCH_DOCS];
    const struct rerun *order = rerun_at(c->backlog, number);
    if (!order->docs)
        return;
    struct doc_ref ref = order->doc->ref;
    if (!rerun_take_back(c->sched, c->backlog, c->group, number, &c->acts))
        return;
    uint32_t batch = batch_number(c->backlog->batch[ref.batch]->id);
    view_docs(c, now);
    check_undone(batch, ref.doc, &op.before[number % REMEMBERED][batch][ref.doc], &now[batch][ref.doc]);
    order_said(c);
}

static void on_released(int rc, const struct err *err, void *user)
{
    (void)err;
    if (!rc)
        op.released[(uintptr_t)user] = true;
}

static uint32_t ref_source(const struct coordinator *c, struct doc_ref ref)
{
    return doc_source(batch_number(c->backlog->batch[ref.batch]->id), ref.doc);
}

static void order_release(struct coordinator *c, struct doc_ref ref)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Released released = SOHOA__RELEASED__INIT;
    uint32_t work = doc_at(c->backlog, ref)->work;
    released.batch = c->backlog->batch[ref.batch]->id;
    released.doc = ref.doc;
    if (work != NONE)
        released.sha256 = (ProtobufCBinaryData){SHA256_BYTES, c->backlog->work[work].sha256};
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RELEASED;
    entry.released = &released;
    order_enter(c, &entry);
    if (work != NONE)
        group_add_release(c->group, c->backlog->work[work].sha256);
    sched_release(c->sched, ref, &c->acts);
    op.ever[ref_source(c, ref)] = true;
    if (work != NONE)
        group_add_then(c->group, (struct group_then){on_released, (void *)(uintptr_t)ref_source(c, ref)});
}

/* As stopping.c, but that a file is looked up at once. */
static void order_quarantine(struct coordinator *c, struct doc_ref ref)
{
    struct doc_ref of_file[BATCHES * BATCH_DOCS] = {ref};
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Quarantined quarantined = SOHOA__QUARANTINED__INIT;
    size_t count = 1;
    uint32_t file = doc_file(batch_number(c->backlog->batch[ref.batch]->id), ref.doc);
    for (uint32_t b = 0; b < c->backlog->batches && file; b++)
        for (uint32_t d = 0; d < c->backlog->batch[b]->docs; d++)
            if (doc_file(batch_number(c->backlog->batch[b]->id), d) == file && (b != ref.batch || d != ref.doc))
                of_file[count++] = (struct doc_ref){b, d};
    for (size_t i = 0; i < count; i++)
        op.released[ref_source(c, of_file[i])] = false;
    quarantined.batch = c->backlog->batch[ref.batch]->id;
    quarantined.doc = ref.doc;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_QUARANTINED;
    entry.quarantined = &quarantined;
    order_enter(c, &entry);
    sched_quarantine(c->sched, of_file, count, &c->acts);
}

void stopping_suspected(struct coordinator *c, const Sohoa__Result *result)
{
    for (size_t i = c->acts.count; i > 0; i--) {
        struct act act = c->acts.at[i - 1];
        if (act.kind != ACT_SECRET)
            continue;
        if (op.released[ref_source(c, act.doc)])
            violation("source %u is suspected again on page %u, after its release", ref_source(c, act.doc),
                      result->err->page_no);
        order_quarantine(c, act.doc);
        return;
    }
}

void stopping_tick(struct coordinator *c, uint64_t now_ms)
{
    (void)c;
    (void)now_ms;
}

static void order_withdraw(struct coordinator *c, struct batch *batch)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__BatchWithdrawn withdrawn = SOHOA__BATCH_WITHDRAWN__INIT;
    withdrawn.batch = batch->id;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_WITHDRAWN;
    entry.withdrawn = &withdrawn;
    order_enter(c, &entry);
    sched_withdraw(c->sched, batch, &c->acts);
}

/* One of the last re-runs, mostly the last. */
static uint32_t last_but(uint32_t reruns)
{
    uint32_t back = chance(2) ? 0 : chance(4);
    return back < reruns ? reruns - back : reruns;
}

static void order(struct coordinator *c)
{
    struct doc_ref ref = {.batch = chance(c->backlog->batches)};
    struct batch *batch = c->backlog->batch[ref.batch];
    ref.doc = chance(batch->docs);
    Sohoa__DocState state = doc_look(batch, ref.doc)->state;
    if (state == SOHOA__DOC_STATE__DOC_WITHDRAWN)
        return;
    if (!chance(30))
        order_withdraw(c, batch);
    else if (c->backlog->reruns && !chance(3))
        order_undo(c, last_but(c->backlog->reruns));
    else if (state == SOHOA__DOC_STATE__DOC_QUARANTINED)
        order_release(c, ref);
    else if (!chance(4))
        order_quarantine(c, ref);
    else if (state == SOHOA__DOC_STATE__DOC_STORED || state == SOHOA__DOC_STATE__DOC_DEAD ||
             state == SOHOA__DOC_STATE__DOC_REFUSED)
        order_rerun(c, ref);
    coordinator_apply(c);
}

uint64_t operator_due_ms(void)
{
    return world.calm ? NEVER : op.due_ms;
}

void operator_step(void)
{
    op.due_ms = world.now_ms + 1 + chance(chance(3) ? PAUSE_MOST_MS : REGRET_MS);
    if (seat() && happens(world.one_in.order))
        order(seat());
}
