/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What operators order. An order is in the group that its effects are in, and is answered when that is durable; admission and
 * rebuild when they are done. */
#include "coordinator/api_order.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/manifest.h"
#include "coordinator/stopping.h"
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

/* {"reason": "", "file": false}, or nothing. */
static int decision_take(struct request *request, json_t **ret_body, struct err *err)
{
    static const char *const known[] = {"reason", "file", NULL};
    const json_t *reason, *file;
    int rc = 0;
    *ret_body = json_object();
    if (request_body(request)->size) {
        json_decref(*ret_body);
        *ret_body = NULL;
        rc = body_take(request, ret_body, err);
    }
    if (!rc)
        rc = keys_check(*ret_body, known, "a decision on a quarantine", err);
    reason = json_object_get(*ret_body, "reason");
    file = json_object_get(*ret_body, "file");
    if (!rc && ((reason && !json_is_string(reason)) || (file && !json_is_boolean(file))))
        rc = err_set(err, E_USAGE, "reason is a text, file true or false");
    return rc;
}

static const char *body_reason(const json_t *body)
{
    const char *reason = json_string_value(json_object_get(body, "reason"));
    return reason ? reason : "";
}

void post_quarantine(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    struct err err;
    if (decision_take(request, &body, &err))
        request_answer_err(request, &err);
    else
        stopping_order(c, request, (struct doc_ref){args->batch->index, args->doc}, body_reason(body));
}

static void post_end(struct coordinator *c, struct request *request, const struct route_args *args,
                     enum stopping_end end)
{
    AUTO(json_drop) json_t *body = NULL;
    struct err err;
    if (decision_take(request, &body, &err))
        request_answer_err(request, &err);
    else
        stopping_end(c, request, (struct doc_ref){args->batch->index, args->doc}, end,
                     json_is_true(json_object_get(body, "file")), body_reason(body));
}

void post_release(struct coordinator *c, struct request *request, const struct route_args *args)
{
    post_end(c, request, args, STOPPING_RELEASE);
}

void post_purge(struct coordinator *c, struct request *request, const struct route_args *args)
{
    post_end(c, request, args, STOPPING_PURGE);
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
