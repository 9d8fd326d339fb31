/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The steps of PAGES, most of which the other jobs share. What a slot says is checked here: a probe or page that is not
 * well-formed counts as that attempt's failure. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "storage/name.h"
#include "worker/bundle.h"
#include "worker/step.h"

/* ---- LOOK, FETCH ---- */

int look_stopped(struct job *job, struct err *err)
{
    struct name stop;
    int rc = store_stat(job->node->store, name_stop(&stop, job->order->sha256.data), NULL, err);
    if (!rc)
        return err_set(err, E_STOPPED, "%s is there", stop.text);
    return rc == E_ABSENT ? 0 : rc;
}

static int look_bundle(struct job *job, struct err *err)
{
    struct name name;
    name_bundle(&name, job->order->sha256.data, job->node->pipeline, job->order->generation, job->first, job->count);
    int rc = store_stat(job->node->store, name.text, NULL, err);
    job->found = rc == 0;
    return rc == E_ABSENT ? 0 : rc;
}

int step_look(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    int rc = look_stopped(job, err);
    if (!rc)
        rc = job->plan == PLAN_PAGES ? look_bundle(job, err) : step_found(job, err);
    return rc;
}

int step_fetch(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    return source_fetch(job->node->store, job->order->sha256.data,
                        (uint64_t)config_int(job->node->config, CFG_SOURCE_MAX_BYTES), &job->source, err);
}

/* ---- OPEN ---- */

int step_open_ask(struct job *job, struct err *err)
{
    (void)err;
    struct slot_request request = {
        .op = SLOT_OPEN, .degraded = job->order->degraded, .source_bytes = job->source->bytes};
    job_send(job, &request, job->source->fd, PROBE_OUT_BYTES, (uint32_t)config_int(job->node->config, CFG_OPEN_MAX_MS));
    return 0;
}

static int probe_check(const struct job *job, const Sohoa__Probe *probe, struct err *err)
{
    if (!probe->pages || probe->pages > DOC_MAX_PAGES)
        return err_set(err, E_SOURCE_PAGES, "%u pages, DOC_MAX_PAGES is %d", probe->pages, DOC_MAX_PAGES);
    if (job->plan != PLAN_PROBE && probe->pages != job->order->doc_pages)
        return err_set(err, E_SOURCE_PAGES, "%u pages, the job says %u", probe->pages, job->order->doc_pages);
    return probe->n_signatures <= SIGNATURES_MAX
               ? 0
               : err_set(err, E_FRAME, "%zu signatures, SIGNATURES_MAX is %d", probe->n_signatures, SIGNATURES_MAX);
}

/* Takes the probe that the slot made of the source. */
static int probe_take(struct job *job, const struct slot_answer *answer, struct err *err)
{
    Sohoa__Probe *probe = sohoa__probe__unpack(NULL, answer->section[0].bytes, answer->section[0].data);
    if (!probe)
        return err_set(err, E_FRAME, "the slot's probe is malformed");
    int rc = probe_check(job, probe, err);
    if (job->probe)
        sohoa__probe__free_unpacked(job->probe, NULL);
    job->probe = probe;
    return rc;
}

int slot_said(const struct slot_answer *answer, struct err *err)
{
    *err = answer->err;
    err->code = answer->rc;
    return answer->rc;
}

int step_open_answer(struct job *job, const struct slot_answer *answer, struct err *err)
{
    if (answer->rc)
        return slot_said(answer, err);
    int rc = probe_take(job, answer, err);
    job->open = rc == 0;
    return rc;
}

/* ---- PAGES ---- */

void page_keep(struct job_page *to, const Sohoa__Page *page, const void *packed, size_t bytes)
{
    buf_clear(&to->packed);
    buf_append(&to->packed, packed, bytes);
    record_page_fill(page, &to->said);
    to->good = true;
}

static int page_take(struct job *job, const void *packed, size_t bytes, struct err *err)
{
    AUTO(page_destroy) Sohoa__Page *page = NULL;
    uint32_t page_no = job->first + job->page_at;
    int rc = page_unpack(packed, bytes, &page, err);
    if (!rc && page->page_no != page_no)
        rc = err_set(err, E_FRAME, "page %u where page %u belongs", page->page_no, page_no);
    if (!rc)
        rc = suspicion_take(job, page, err);
    if (!rc)
        page_keep(&job->pages[job->page_at], page, packed, bytes);
    return rc;
}

static void page_ended(struct job *job, struct job_page *page, const struct err *why)
{
    uint32_t page_no = job->first + job->page_at;
    page->wall_ms = (uint32_t)(clock_mono_ms() - job->asked_ms);
    odometer_page(job->node->odometer, page->good ? 0 : why->code);
    if (page->good) {
        trace(TRACE_INFO, "page_read", "lease=%" PRIu64 " page=%s words=%u wall_ms=%u", job->order->lease,
              trace_page(job->order->sha256.data, page_no), page->said.figures.words, page->wall_ms);
    } else {
        page->said.err = *why;
        page->said.err.page_no = page_no;
        trace_err(TRACE_WARN, "page_failed", why, "lease=%" PRIu64 " page=%s attempt=%u wall_ms=%u", job->order->lease,
                  trace_page(job->order->sha256.data, page_no), job->order->attempt, page->wall_ms);
    }
    job->page_at++;
}

int step_pages_ask(struct job *job, struct err *err)
{
    if (!job->open)
        return step_open_ask(job, err);
    struct slot_request request = {
        .op = SLOT_PAGE, .page_no = job->first + job->page_at, .degraded = job->order->degraded};
    job_send(job, &request, -1, PAGE_MAX_BYTES, (uint32_t)config_int(job->node->config, CFG_PAGE_MAX_MS));
    return 0;
}

/* The source was opened again, because the page before cost the slot. If that fails, so do the pages left. */
static int pages_reopened(struct job *job, const struct slot_answer *answer)
{
    struct err why = {0};
    if (!step_open_answer(job, answer, &why))
        return STEP_AGAIN;
    while (job->page_at < job->count)
        page_ended(job, &job->pages[job->page_at], &why);
    return 0;
}

int step_pages_answer(struct job *job, const struct slot_answer *answer, struct err *err)
{
    if (job->opening)
        return pages_reopened(job, answer);
    struct job_page *page = &job->pages[job->page_at];
    struct err why = {0};
    if (answer->rc)
        slot_said(answer, &why);
    else
        page_take(job, answer->section[0].data, answer->section[0].bytes, &why);
    if (why.code == E_SECRET) {
        *err = why;
        return E_SECRET;
    }
    page_ended(job, page, &why);
    return job->page_at < job->count ? STEP_AGAIN : 0;
}

/* ---- BUNDLE ---- */

uint32_t job_run(const struct job *job, uint32_t from, bool good)
{
    uint32_t at = from;
    while (at < job->count && job->pages[at].good == good)
        at++;
    return at - from;
}

int blob_put(struct store *store, const char *name, const void *data, size_t bytes, struct err *err)
{
    if (bytes <= STORE_PART_BYTES)
        return store_create(store, name, data, bytes, err);
    AUTO(fd_destroy) int fd = -1;
    int rc = spool_bytes(data, bytes, &fd, err);
    return rc ? rc : store_create_from(store, name, fd, bytes, err);
}

static int bundle_put(struct job *job, uint32_t from, uint32_t count, struct err *err)
{
    AUTO(buf_destroy) struct buf row = {0};
    AUTO(buf_destroy) struct buf bundle = {0};
    struct name name;
    for (uint32_t i = from; i < from + count; i++)
        pages_append(&row, job->pages[i].packed.data, job->pages[i].packed.size);
    int rc = bundle_pack(row.data, row.size, &bundle, err);
    name_bundle(&name, job->order->sha256.data, job->node->pipeline, job->order->generation, job->first + from, count);
    if (!rc)
        rc = blob_put(job->node->store, name.text, bundle.data, bundle.size, err);
    return rc == E_EXISTS ? 0 : rc;
}

int step_bundle(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    int rc = 0;
    for (uint32_t at = 0; at < job->count && !rc;) {
        uint32_t good = job_run(job, at, true);
        if (good)
            rc = bundle_put(job, at, good, err);
        at += good + job_run(job, at + good, false);
    }
    return rc;
}

/* ---- CHECK ---- */

static int bundles_take_back(struct job *job, struct err *err)
{
    struct name name;
    int rc = 0;
    for (uint32_t at = 0; at < job->count && !rc;) {
        uint32_t good = job_run(job, at, true);
        name_bundle(&name, job->order->sha256.data, job->node->pipeline, job->order->generation, job->first + at, good);
        if (good)
            rc = store_remove(job->node->store, name.text, err);
        at += good + job_run(job, at + good, false);
    }
    return rc;
}

int step_check(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    struct err fault = {0};
    int rc = look_stopped(job, err);
    if (rc != E_STOPPED)
        return rc;
    int taken = job->plan == PLAN_PAGES ? bundles_take_back(job, &fault) : document_take_back(job, &fault);
    if (taken)
        *err = fault;
    return taken ? taken : E_STOPPED;
}
