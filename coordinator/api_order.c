/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What operators order. An order is in the group that its effects are in, and is answered when that is durable; admission and
 * rebuild when they are done. */
#include "coordinator/api_order.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/manifest.h"
#include "proto/auto.h"
#include "proto/trace.h"

enum {
    OFFSET_DIGITS = 18,
    REASON_BYTES = 4096, /* why a document is quarantined, with the 0 */
};

struct ordered {
    struct request *request;
    json_t *answer;
};

static void on_durable(int rc, const struct err *err, void *user)
{
    struct ordered *ordered = user;
    if (rc)
        request_answer_err(ordered->request, err);
    else
        request_answer(ordered->request, 200, json_incref(ordered->answer));
    json_decref(ordered->answer);
    free(ordered);
}

void answer_then(struct coordinator *c, struct request *request, json_t *answer)
{
    struct ordered *ordered = malloc(sizeof *ordered);
    if (!ordered)
        abort();
    *ordered = (struct ordered){request, answer};
    group_add_then(c->group, (struct group_then){on_durable, ordered});
}

/* ---- admission ---- */

static void on_admitted(struct admission *admission, void *user)
{
    struct request *request = user;
    if (admission->rc)
        request_answer_err(request, &admission->err);
    else
        request_answer(request, admission->created ? 201 : 200,
                       json_pack("{s:s, s:I, s:I, s:b, s:b}", "id", admission->id, "documents",
                                 (json_int_t)admission->batch->docs, "manifest_bytes",
                                 (json_int_t)admission->batch->manifest_bytes, "more", admission->batch->more,
                                 "created", admission->created));
}

static int admission_arguments(const struct request *request, uint32_t *ret_priority, uint64_t *ret_deadline_ms,
                               struct err *err)
{
    const char *priority = request_argument(request, "priority"), *deadline = request_argument(request, "deadline");
    if (priority && (strlen(priority) != 1 || *priority < '1' || *priority > '5'))
        return err_set(err, E_USAGE, "priority=%.20s: 1 (first) to 5", priority);
    *ret_priority = priority ? (uint32_t)(*priority - '0') : 0;
    return deadline && *deadline ? manifest_deadline(deadline, ret_deadline_ms, err) : 0;
}

static int offset_argument(const struct request *request, uint64_t *ret_offset, struct err *err)
{
    const char *offset = request_argument(request, "offset");
    size_t digits = offset ? strspn(offset, "0123456789") : 0;
    if (!offset)
        return 0;
    if (!digits || offset[digits] || digits > OFFSET_DIGITS)
        return err_set(err, E_USAGE, "offset=%.20s is not a number of bytes", offset);
    *ret_offset = strtoull(offset, NULL, 10);
    return 0;
}

void post_batch(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *id = request_argument(request, "id"), *more = request_argument(request, "more");
    struct admission asked = {
        .by = request_account(request), .more = more && !strcmp(more, "1"), .done = on_admitted, .user = request};
    struct err err;
    (void)args;
    int rc = admission_arguments(request, &asked.priority, &asked.deadline_ms, &err);
    if (!rc)
        rc = offset_argument(request, &asked.offset, &err);
    if (!rc && id && strlen(id) >= sizeof asked.id)
        rc = err_set(&err, E_MANIFEST, "batch id '%.40s...' is longer than %zu letters", id, sizeof asked.id - 1);
    if (!rc) {
        snprintf(asked.id, sizeof asked.id, "%s", id ? id : "");
        asked.lines = *request_body(request);
        *request_body(request) = (struct buf){0};
        rc = admit(c, &asked, &err);
    }
    buf_destroy(&asked.lines);
    if (rc)
        request_answer_err(request, &err);
}

/* ---- withdraw, quarantine, release ---- */

static void answer_batch_id(struct coordinator *c, struct request *request, const struct batch *batch)
{
    answer_then(c, request, json_pack("{s:s}", "id", batch->id));
}

void post_withdraw(struct coordinator *c, struct request *request, const struct route_args *args)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__BatchWithdrawn withdrawn = SOHOA__BATCH_WITHDRAWN__INIT;
    withdrawn.batch = args->batch->id;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_WITHDRAWN;
    entry.withdrawn = &withdrawn;
    group_add_entry(c->group, &entry);
    sched_withdraw(c->sched, args->batch, &c->acts);
    coordinator_apply(c);
    trace(TRACE_INFO, "withdrawn", "batch=%s", args->batch->id);
    answer_batch_id(c, request, args->batch);
}

static ProtobufCBinaryData doc_sha256(const struct coordinator *c, const struct doc *doc)
{
    if (doc->work == NONE)
        return (ProtobufCBinaryData){0, NULL};
    return (ProtobufCBinaryData){SHA256_BYTES, c->backlog->work[doc->work].sha256};
}

/* A file's documents may lie in any batch: their manifests are looked through on a back thread. */
struct quarantine {
    struct io_task task;
    struct coordinator *c;
    struct request *request;
    struct doc_ref doc; /* that raised it */
    char *reason;
    uint64_t file_key;
    struct buf pieces; /* struct piece_place: to be looked through */
    struct buf found;  /* struct doc_ref */
    uint32_t *looked;  /* pieces looked through, by batch */
    uint32_t batches;
    int rc;
    struct err err;
};

struct piece_place {
    char id[NAME_BYTES];
    uint32_t batch, piece, first_doc;
};

static void quarantine_destroy(struct quarantine **quarantine)
{
    if (!*quarantine)
        return;
    buf_destroy(&(*quarantine)->pieces);
    buf_destroy(&(*quarantine)->found);
    free((*quarantine)->looked);
    free((*quarantine)->reason);
    free(*quarantine);
    *quarantine = NULL;
}

static void found_add(struct quarantine *quarantine, struct doc_ref ref)
{
    buf_append(&quarantine->found, &ref, sizeof ref);
}

struct piece_look {
    struct quarantine *quarantine;
    uint32_t batch;
};

static void on_file_doc(uint32_t doc, void *user)
{
    const struct piece_look *look = user;
    found_add(look->quarantine, (struct doc_ref){look->batch, doc});
}

static void quarantine_work(struct io_task *task)
{
    struct quarantine *q = (struct quarantine *)task;
    const struct piece_place *at = (const struct piece_place *)(const void *)q->pieces.data;
    for (size_t i = 0; i < q->pieces.size / sizeof *at && !q->rc; i++) {
        struct piece_look look = {q, at[i].batch};
        q->rc =
            rows_of_file(q->c->store, at[i].id, at[i].piece, at[i].first_doc, q->file_key, on_file_doc, &look, &q->err);
    }
}

/* What was admitted since the last look, if anything. */
static bool quarantine_aim(struct quarantine *q)
{
    const struct backlog *backlog = q->c->backlog;
    buf_clear(&q->pieces);
    q->looked = realloc(q->looked, (backlog->batches + 1) * sizeof *q->looked);
    if (!q->looked)
        abort();
    for (uint32_t b = 0; b < backlog->batches; b++) {
        const struct batch *batch = backlog->batch[b];
        uint32_t first = b < q->batches ? q->looked[b] : 0;
        q->looked[b] = batch ? batch->pieces : 0;
        for (uint32_t p = first; p < q->looked[b]; p++) {
            struct piece_place piece = {.batch = b, .piece = p, .first_doc = batch->piece[p].first_doc};
            snprintf(piece.id, sizeof piece.id, "%s", batch->id);
            buf_append(&q->pieces, &piece, sizeof piece);
        }
    }
    q->batches = backlog->batches;
    return q->pieces.size;
}

static void quarantine_enter(struct quarantine *q)
{
    struct coordinator *c = q->c;
    const struct batch *batch = c->backlog->batch[q->doc.batch];
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Quarantined quarantined = SOHOA__QUARANTINED__INIT;
    quarantined.sha256 = doc_sha256(c, doc_look(batch, q->doc.doc));
    quarantined.batch = (char *)(uintptr_t)batch->id;
    quarantined.doc = q->doc.doc;
    quarantined.reason = q->reason;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_QUARANTINED;
    entry.quarantined = &quarantined;
    group_add_entry(c->group, &entry);
    sched_quarantine(c->sched, (const struct doc_ref *)(const void *)q->found.data,
                     q->found.size / sizeof(struct doc_ref), &c->acts);
    coordinator_apply(c);
    trace(TRACE_WARN, "quarantined", "batch=%s doc=%u documents=%zu", batch->id, q->doc.doc,
          q->found.size / sizeof(struct doc_ref));
    answer_batch_id(c, q->request, batch);
}

static void quarantine_done(struct io_task *task)
{
    struct quarantine *q = (struct quarantine *)task;
    if (q->rc) {
        request_answer_err(q->request, &q->err);
    } else if (q->file_key && quarantine_aim(q)) {
        io_submit(q->c->back_io, &q->task);
        return;
    } else {
        group_set_actor(q->c->group, request_account(q->request)->name);
        quarantine_enter(q);
        group_set_actor(q->c->group, NULL);
    }
    quarantine_destroy(&q);
}

static int quarantine_check(struct coordinator *c, const struct quarantine *q, const char *reason, struct row *row,
                            struct err *err)
{
    const struct batch *batch = c->backlog->batch[q->doc.batch];
    if (doc_look(batch, q->doc.doc)->state == SOHOA__DOC_STATE__DOC_WITHDRAWN)
        return err_set(err, E_STATE, "document %u of batch %s is withdrawn", q->doc.doc, batch->id);
    if (reason && strlen(reason) >= REASON_BYTES)
        return err_set(err, E_LIMIT, "the reason is longer than %d bytes (REASON_BYTES)", REASON_BYTES - 1);
    return coordinator_row(c, q->doc, row, NULL, err);
}

void post_quarantine(struct coordinator *c, struct request *request, const struct route_args *args)
{
    json_t *body = json_loads(buf_text(request_body(request)), 0, NULL);
    const char *reason = json_string_value(json_object_get(body, "reason"));
    struct quarantine *q = calloc(1, sizeof *q);
    struct row row;
    struct err err;
    if (!q)
        abort();
    *q = (struct quarantine){
        .task = {.work = quarantine_work, .done = quarantine_done},
        .c = c,
        .request = request,
        .doc = {args->batch->index,      args->doc              }
    };
    int rc = quarantine_check(c, q, reason, &row, &err);
    if (!rc && !(q->reason = strdup(reason ? reason : "")))
        abort();
    json_decref(body);
    if (rc) {
        request_answer_err(request, &err);
        quarantine_destroy(&q);
        return;
    }
    q->file_key = row.file_key;
    found_add(q, q->doc);
    quarantine_done(&q->task); /* looks through everything first, if it belongs to a file */
}

void post_release(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct doc_ref ref = {args->batch->index, args->doc};
    const struct doc *doc = doc_look(args->batch, ref.doc);
    struct err err;
    if (doc->state != SOHOA__DOC_STATE__DOC_QUARANTINED) {
        err_set(&err, E_STATE, "document %u of batch %s is not quarantined", ref.doc, args->batch->id);
        request_answer_err(request, &err);
        return;
    }
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__Released released = SOHOA__RELEASED__INIT;
    released.sha256 = doc_sha256(c, doc);
    released.batch = args->batch->id;
    released.doc = args->doc;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_RELEASED;
    entry.released = &released;
    group_add_entry(c->group, &entry);
    if (doc->work != NONE)
        group_add_release(c->group, c->backlog->work[doc->work].sha256);
    sched_release(c->sched, ref, &c->acts);
    coordinator_apply(c);
    trace(TRACE_WARN, "released", "batch=%s doc=%u", args->batch->id, args->doc);
    answer_batch_id(c, request, args->batch);
}

/* ---- checks ---- */

void post_check(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct batch *batch;
    struct err err;
    (void)args;
    if (admit_check(c, request_body(request), &batch, &err))
        request_answer_err(request, &err);
    else
        request_answer(request, 201, json_pack("{s:s, s:I}", "id", batch->id, "documents", (json_int_t)batch->docs));
}

static json_t *check_row(const struct coordinator *c, const struct batch *batch, uint32_t doc)
{
    const struct doc *d = doc_look(batch, doc);
    const struct fault *why = d->fault == NONE ? NULL : &c->backlog->fault[d->fault];
    return json_pack("{s:I, s:s, s:s, s:o, s:I, s:I}", "document", (json_int_t)doc, "source", batch->check_source[doc],
                     "state", why ? "fault" : "ok", "error",
                     why ? json_pack("{s:s, s:s}", "code", err_name(why->code), "text", why->text) : json_null(),
                     "pages", (json_int_t)d->pages, "pages_manifest", (json_int_t)batch->check_pages[doc]);
}

void get_check(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const struct batch *batch = args->batch;
    uint32_t probed = 0;
    json_t *rows = json_array();
    for (uint32_t i = 0; i < batch->docs; i++)
        probed += doc_look(batch, i)->phase == PHASE_FINAL;
    for (uint32_t i = 0; i < batch->docs && probed == batch->docs; i++)
        json_array_append_new(rows, check_row(c, batch, i));
    request_answer(request, 200,
                   json_pack("{s:b, s:I, s:I, s:o}", "done", probed == batch->docs, "documents",
                             (json_int_t)batch->docs, "probed", (json_int_t)probed, "rows", rows));
}

void delete_check(struct coordinator *c, struct request *request, const struct route_args *args)
{
    sched_discard(c->sched, args->batch, &c->acts);
    coordinator_apply(c);
    request_answer(request, 200, json_object());
}

/* ---- rebuild ---- */

struct rebuild {
    struct io_task task;
    struct coordinator *c;
    struct request *request;
    struct backlog *backlog;
    int rc;
    struct err err;
};

static void rebuild_work(struct io_task *task)
{
    struct rebuild *rebuild = (struct rebuild *)task;
    rebuild->rc = recover_count(rebuild->c, &rebuild->backlog, &rebuild->err);
}

static void rebuild_answer(struct rebuild *rebuild)
{
    uint64_t docs = 0, pages = 0, stored = 0, dead = 0;
    const struct backlog *backlog = rebuild->backlog;
    for (uint32_t i = 0; i < backlog->batches; i++) {
        const struct batch *batch = backlog->batch[i];
        docs += batch->docs;
        stored += batch->page_count[PAGE_STORED];
        dead += batch->page_count[PAGE_DEAD];
        for (int s = 0; s < PAGE_STATES; s++)
            pages += batch->page_count[s];
    }
    request_answer(rebuild->request, 200,
                   json_pack("{s:I, s:I, s:I, s:I, s:I}", "batches", (json_int_t)backlog->batches, "documents",
                             (json_int_t)docs, "pages", (json_int_t)pages, "pages_stored", (json_int_t)stored,
                             "pages_dead", (json_int_t)dead));
}

/* Redis was written from memory; what is answered was read from the store alone. */
static void rebuild_written(int rc, const struct err *err, void *user)
{
    struct rebuild *rebuild = user;
    if (rc)
        request_answer_err(rebuild->request, err);
    else
        rebuild_answer(rebuild);
    backlog_destroy(&rebuild->backlog);
    free(rebuild);
}

static void rebuild_done(struct io_task *task)
{
    struct rebuild *rebuild = (struct rebuild *)task;
    rebuild->c->rebuilding = false;
    if (rebuild->rc)
        rebuild_written(rebuild->rc, &rebuild->err, rebuild);
    else
        committer_rewrite_then(rebuild->c->committer, rebuild_written, rebuild);
}

void post_rebuild(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct rebuild *rebuild = calloc(1, sizeof *rebuild);
    (void)args;
    if (!rebuild)
        abort();
    if (c->rebuilding) {
        struct err err;
        err_set(&err, E_STATE, "a rebuild is under way");
        request_answer_err(request, &err);
        free(rebuild);
        return;
    }
    c->rebuilding = true;
    rebuild->task = (struct io_task){.work = rebuild_work, .done = rebuild_done};
    rebuild->c = c;
    rebuild->request = request;
    io_submit(c->commit_io, &rebuild->task);
}
