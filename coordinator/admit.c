/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Batches on their way in. The manifest is checked on the loop, written by the commit thread when its turn comes, and the batch is in force
 * once its ledger entry is durable. */
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

int admit(struct coordinator *c, const char *id, struct buf *manifest, uint32_t priority, uint64_t deadline_ms,
          void (*done)(struct admission *admission, void *user), void *user, bool *ret_created, struct err *err)
{
    int rc = batch_id_check(id, err);
    if (rc)
        return rc;
    if (admission_waits(c, id))
        return err_set(err, E_EXISTS, "batch %s is being admitted right now", id);
    AUTO(admission_destroy) struct admission *admission = calloc(1, sizeof *admission);
    if (!admission)
        return err_set(err, E_NOMEM, "no memory for a batch");
    rc = rows_check(buf_text(manifest), manifest->size, &admission->plan, err);
    if (rc)
        return rc;
    const struct batch *there = backlog_batch(c->backlog, id);
    *ret_created = !there;
    if (there)
        return !memcmp(there->manifest_sha256, admission->plan.sha256, SHA256_BYTES)
                   ? 0
                   : err_set(err, E_EXISTS, "batch %s exists with another manifest: choose another id", id);
    memcpy(admission->id, id, strlen(id) + 1);
    admission->manifest = *manifest;
    *manifest = (struct buf){0};
    admission->c = c;
    admission->pipeline = worker_pipeline(c);
    admission->priority = priority ? priority : admission->plan.priority ? admission->plan.priority : PRIORITY_PRESET;
    admission->deadline_ms = deadline_ms ? deadline_ms : admission->plan.deadline_ms;
    admission->done = done;
    admission->user = user;
    struct admission **last = &c->admissions;
    while (*last)
        last = &(*last)->next;
    *last = admission;
    admission = NULL;
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
    a->done(a, a->user);
    admission_destroy(&a);
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
