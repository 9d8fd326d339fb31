/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Batches on their way in. The manifest is checked on a back thread (a million rows take seconds), written by the commit
 * thread when its turn comes, and the batch is in force once its ledger entry is durable. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/manifest.h"
#include "proto/auto.h"
#include "proto/trace.h"

enum { PRIORITY_PRESET = 3 };

static void admission_destroy(struct admission **admission)
{
    if (!*admission)
        return;
    buf_destroy(&(*admission)->manifest);
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

static bool admission_waits(const struct coordinator *c, const char *id)
{
    for (const struct admission *a = c->admissions; a; a = a->next)
        if (!strcmp(a->id, id))
            return true;
    return false;
}

static void admission_end(struct admission *a, int rc)
{
    a->rc = rc;
    a->done(a, a->user);
    admission_destroy(&a);
}

static void check_work(struct io_task *task)
{
    struct admission *a = (struct admission *)task;
    char hex[SHA256_HEX_CHARS + 1];
    a->rc = rows_check(buf_text(&a->manifest), a->manifest.size, &a->plan, &a->err);
    if (a->rc || *a->id)
        return;
    sha256_hex(a->plan.sha256, hex); /* the same manifest again is the same batch */
    snprintf(a->id, sizeof a->id, "batch-%.16s", hex);
}

/* Into the queue, unless the batch is there or on its way already. */
static void check_done(struct io_task *task)
{
    struct admission *a = (struct admission *)task;
    struct admission **last = &a->c->admissions;
    const struct batch *there = backlog_batch(a->c->backlog, a->id);
    if (a->rc) {
        admission_end(a, a->rc);
    } else if (there && !memcmp(there->manifest_sha256, a->plan.sha256, SHA256_BYTES)) {
        admission_end(a, 0);
    } else if (there) {
        admission_end(a, err_set(&a->err, E_EXISTS, "batch %s exists with another manifest: choose another id", a->id));
    } else if (admission_waits(a->c, a->id)) {
        admission_end(a, err_set(&a->err, E_EXISTS, "batch %s is being admitted right now", a->id));
    } else {
        a->created = true;
        a->pipeline = worker_pipeline(a->c);
        a->priority = a->priority ? a->priority : a->plan.priority ? a->plan.priority : PRIORITY_PRESET;
        a->deadline_ms = a->deadline_ms ? a->deadline_ms : a->plan.deadline_ms;
        a->task = (struct io_task){0};
        while (*last)
            last = &(*last)->next;
        *last = a;
    }
}

int admit(struct coordinator *c, const char *id, struct buf *manifest, uint32_t priority, uint64_t deadline_ms,
          void (*done)(struct admission *admission, void *user), void *user, struct err *err)
{
    int rc = id ? batch_id_check(id, err) : 0;
    if (rc)
        return rc;
    struct admission *admission = calloc(1, sizeof *admission);
    if (!admission)
        return err_set(err, E_NOMEM, "no memory for a batch");
    if (id)
        memcpy(admission->id, id, strlen(id) + 1);
    admission->manifest = *manifest;
    *manifest = (struct buf){0};
    admission->c = c;
    admission->priority = priority;
    admission->deadline_ms = deadline_ms;
    admission->done = done;
    admission->user = user;
    admission->task = (struct io_task){.work = check_work, .done = check_done};
    io_submit(c->back_io, &admission->task);
    return 0;
}

static void admission_work(struct io_task *task)
{
    struct admission *a = (struct admission *)task;
    struct coordinator *c = a->c;
    a->rc = rows_write(c->store, a->id, buf_text(&a->manifest), a->manifest.size, &a->plan, &a->err);
    if (a->rc)
        return;
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__BatchAdmitted admitted = SOHOA__BATCH_ADMITTED__INIT;
    admitted.batch = a->id;
    admitted.docs = a->plan.docs;
    admitted.priority = (int32_t)a->priority;
    admitted.deadline_ms = a->deadline_ms;
    admitted.unit = a->plan.unit;
    admitted.manifest_sha256 = (ProtobufCBinaryData){SHA256_BYTES, a->plan.sha256};
    if (a->pipeline != NONE)
        admitted.pipeline = (ProtobufCBinaryData){SHA256_BYTES, a->digest};
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ADMITTED;
    entry.admitted = &admitted;
    a->rc = committer_write_entry(c->committer, &entry, &a->err);
}

static void file_keys_set(struct batch *batch, const struct rows_plan *plan)
{
    for (uint32_t i = 0; i < batch->docs; i++)
        memcpy(&batch->doc[i].file_key, plan->rows.data + (size_t)i * ROW_ENTRY_BYTES + 8, sizeof(uint64_t));
}

static void admission_done(struct io_task *task)
{
    struct admission *a = (struct admission *)task;
    struct coordinator *c = a->c;
    if (!a->rc) {
        struct batch *batch = batch_add(c->backlog, a->id, a->plan.docs, a->pipeline);
        batch->priority = a->priority;
        batch->deadline_ms = a->deadline_ms;
        memcpy(batch->unit, a->plan.unit, sizeof batch->unit);
        memcpy(batch->manifest_sha256, a->plan.sha256, SHA256_BYTES);
        file_keys_set(batch, &a->plan);
        if (batch->pipeline == NONE && worker_pipeline(c) != NONE) /* the first came while this was being written */
            peers_pin(c, worker_pipeline(c));
        sched_enter(c->sched, batch, &c->acts);
        coordinator_apply(c);
        committer_stale(c->committer); /* its counters appear in Redis */
        trace(TRACE_INFO, "batch_admitted", "batch=%s docs=%u priority=%u unit=%s", a->id, a->plan.docs, a->priority,
              trace_value(a->plan.unit));
    }
    c->admissions = a->next;
    admission_end(a, a->rc);
}

void admissions_start(struct coordinator *c)
{
    struct admission *a = c->admissions;
    if (!a || a->task.work)
        return;
    if (a->pipeline == NONE)
        a->pipeline = worker_pipeline(c);
    if (a->pipeline != NONE)
        memcpy(a->digest, c->backlog->pipeline[a->pipeline], SHA256_BYTES);
    a->task = (struct io_task){.work = admission_work, .done = admission_done};
    io_submit(c->commit_io, &a->task);
}

int admit_check(struct coordinator *c, const struct buf *manifest, struct batch **ret_batch, struct err *err)
{
    struct rows_plan plan = {0};
    char id[NAME_BYTES];
    int rc = rows_check(buf_text(manifest), manifest->size, &plan, err);
    if (rc) {
        rows_plan_destroy(&plan);
        return rc;
    }
    /* A colon: no batch is called like that. The epoch: no worker takes it for one of before a restart. */
    snprintf(id, sizeof id, "check:%" PRIu64 "-%u", store_epoch(c->store), ++c->checks);
    struct batch *batch = batch_add(c->backlog, id, plan.docs, NONE);
    AUTO(mem_destroy) struct manifest_row *row = malloc(sizeof *row);
    batch->check_only = true;
    batch->check_source = calloc(plan.docs, sizeof *batch->check_source);
    batch->check_pages = calloc(plan.docs, sizeof *batch->check_pages);
    if (!row || !batch->check_source || !batch->check_pages)
        abort();
    for (uint32_t i = 0; i < plan.docs; i++) {
        uint64_t begin, end;
        memcpy(&begin, plan.rows.data + (size_t)i * ROW_ENTRY_BYTES, sizeof begin);
        memcpy(&end, plan.rows.data + (size_t)(i + 1) * ROW_ENTRY_BYTES, sizeof end);
        const char *line = buf_text(manifest) + begin;
        const char *newline = memchr(line, '\n', (size_t)(end - begin));
        rc = manifest_row_parse(line, newline ? (size_t)(newline - line) : (size_t)(end - begin), i + 1, row, err);
        assert(!rc); /* rows_check parsed it */
        batch->check_source[i] = strdup(row->source);
        batch->check_pages[i] = row->pages;
    }
    rows_plan_destroy(&plan);
    sched_enter(c->sched, batch, &c->acts);
    coordinator_apply(c);
    *ret_batch = batch;
    return 0;
}
