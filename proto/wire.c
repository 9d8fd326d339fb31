/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/wire.h"

#include "proto/auto.h"
#include "proto/grades.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

enum { SLOTS_MAX = 4096, CONFIDENCE_MAX_CPCT = 10000 };

void wire_encode(const Sohoa__Frame *frame, struct buf *out)
{
    size_t bytes = sohoa__frame__get_packed_size(frame);
    assert(bytes <= FRAME_MAX_BYTES);
    sohoa__frame__pack(frame, buf_reserve(out, bytes));
    out->size += bytes;
    out->data[out->size] = 0;
}

void frame_destroy(Sohoa__Frame **frame)
{
    if (*frame)
        sohoa__frame__free_unpacked(*frame, NULL);
    *frame = NULL;
}

static bool text_within(const char *text, size_t limit_bytes)
{
    return strlen(text) < limit_bytes;
}

/* A name goes into logs, keys and pages as it is: letters, digits and signs of ASCII, no space. */
static bool name_ok(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return *name && text_within(name, NAME_BYTES);
}

static bool blob_ok(const char *name)
{
    return !strncmp(name, "view/", 5) && text_within(name, STORE_NAME_BYTES);
}

/* A range of pages of a document of so many. */
static bool range_ok(const Sohoa__Range *range, uint32_t doc_pages)
{
    return range->first && range->count && range->first <= doc_pages && range->count <= doc_pages - range->first + 1;
}

static bool ranges_ok(Sohoa__Range *const *ranges, size_t count, uint32_t doc_pages)
{
    bool ok = count <= doc_pages;
    for (size_t i = 0; i < count && ok; i++)
        ok = range_ok(ranges[i], doc_pages);
    return ok;
}

static bool failures_ok(Sohoa__PageFailure *const *failures, size_t count, uint32_t doc_pages)
{
    bool ok = count <= doc_pages;
    for (size_t i = 0; i < count && ok; i++)
        ok = failures[i]->page_no && failures[i]->page_no <= doc_pages && failures[i]->err &&
             failures[i]->err->code <= 0;
    return ok;
}

static const char *probe_fault(const Sohoa__Probe *probe)
{
    if (probe->sha256.len != SHA256_BYTES || !probe->pages || probe->pages > DOC_MAX_PAGES)
        return "result.probe";
    return probe->n_signatures <= SIGNATURES_MAX ? NULL : "result.probe.signatures";
}

static const char *assembled_fault(const Sohoa__Assembled *assembled)
{
    return assembled->pages_stored <= DOC_MAX_PAGES && assembled->pages_dead <= DOC_MAX_PAGES &&
                   assembled->confidence_cpct <= CONFIDENCE_MAX_CPCT &&
                   assembled->grades.len <= grades_bytes(DOC_MAX_PAGES)
               ? NULL
               : "result.assembled";
}

static const char *result_fault(const Sohoa__Result *result)
{
    if (result->err && result->err->code >= 0)
        return "result.err.code";
    if (!ranges_ok(result->stored, result->n_stored, DOC_MAX_PAGES))
        return "result.stored";
    if (!failures_ok(result->failed, result->n_failed, DOC_MAX_PAGES))
        return "result.failed";
    for (size_t i = 0; i < result->n_failed; i++)
        if (!result->failed[i]->err->code)
            return "result.failed.err.code";
    if (result->viewed && !blob_ok(result->viewed->blob))
        return "result.viewed.blob";
    const char *fault = result->probe ? probe_fault(result->probe) : NULL;
    return !fault && result->assembled ? assembled_fault(result->assembled) : fault;
}

static const char *results_fault(const Sohoa__Results *results)
{
    if (results->n_results > RESULTS_MAX)
        return "results";
    const char *fault = NULL;
    for (size_t i = 0; i < results->n_results && !fault; i++)
        fault = result_fault(results->results[i]);
    return fault;
}

static const char *subscribers_fault(const Sohoa__Job *job)
{
    for (size_t i = 0; i < job->n_subscribers; i++)
        if (!text_within(job->subscribers[i]->batch, NAME_BYTES) ||
            !text_within(job->subscribers[i]->row, MANIFEST_ROW_BYTES + 1))
            return "job.subscribers";
    return NULL;
}

/* PAGES and ASSEMBLE */
static const char *job_pages_fault(const Sohoa__Job *job)
{
    if (job->sha256.len != SHA256_BYTES)
        return "job.sha256";
    if (!job->doc_pages || job->doc_pages > DOC_MAX_PAGES)
        return "job.doc_pages";
    if (job->kind == SOHOA__JOB_KIND__JOB_PAGES && (!job->range || !range_ok(job->range, job->doc_pages)))
        return "job.range";
    if (!ranges_ok(job->bundles, job->n_bundles, job->doc_pages))
        return "job.bundles";
    return failures_ok(job->dead, job->n_dead, job->doc_pages) ? subscribers_fault(job) : "job.dead";
}

static const char *probe_job_fault(const Sohoa__Job *job)
{
    if (!*job->source)
        return "job.source";
    return job->read_most <= DOC_MAX_PAGES ? subscribers_fault(job) : "job.read_most";
}

static const char *job_fault(const Sohoa__Job *job)
{
    if (!text_within(job->batch, NAME_BYTES) || !text_within(job->source, SOURCE_PATH_BYTES))
        return "job.batch or source";
    switch (job->kind) {
    case SOHOA__JOB_KIND__JOB_PROBE: return probe_job_fault(job);
    case SOHOA__JOB_KIND__JOB_PAGES:
    case SOHOA__JOB_KIND__JOB_ASSEMBLE: return job_pages_fault(job);
    default: return "job.kind";
    }
}

static const char *view_fault(const Sohoa__Job *job)
{
    if (job->kind != SOHOA__JOB_KIND__JOB_VIEW || !(job->lease & VIEW_LEASE))
        return "view.kind or lease";
    if (job->sha256.len != SHA256_BYTES || !job->doc_pages || job->doc_pages > DOC_MAX_PAGES)
        return "view.sha256 or doc_pages";
    if (!job->range || job->range->count != 1 || !range_ok(job->range, job->doc_pages))
        return "view.range";
    if (job->width_px > VIEW_MAX_PX || !*job->source || !text_within(job->source, STORE_NAME_BYTES))
        return "view.width_px or source";
    return blob_ok(job->blob) ? NULL : "view.blob";
}

static const char *viewed_fault(const Sohoa__Result *result)
{
    if (!result->viewed == !result->err)
        return "viewed.viewed or err";
    return result_fault(result);
}

/* FRAME_MAX_BYTES bounds how many jobs a worker can name. */
static const char *hello_fault(const Sohoa__Hello *hello)
{
    if (!name_ok(hello->worker))
        return "hello.worker";
    if (hello->pipeline.len != SHA256_BYTES)
        return "hello.pipeline";
    if (!hello->slots || hello->slots > SLOTS_MAX)
        return "hello.slots";
    if (!text_within(hello->build, NAME_BYTES) || !text_within(hello->simd, NAME_BYTES) ||
        !text_within(hello->lang, NAME_BYTES) || !text_within(hello->tags, NAME_BYTES))
        return "hello.build, simd, lang or tags";
    const char *fault = NULL;
    for (size_t i = 0; i < hello->n_held && !fault; i++)
        fault = job_fault(hello->held[i]);
    return fault;
}

static const char *grant_fault(const Sohoa__Grant *grant)
{
    if (grant->n_jobs > GRANT_MAX_JOBS)
        return "grant.jobs";
    const char *fault = NULL;
    for (size_t i = 0; i < grant->n_jobs && !fault; i++)
        fault = job_fault(grant->jobs[i]);
    return fault;
}

static const char *frame_fault(const Sohoa__Frame *frame)
{
    switch (frame->body_case) {
    case SOHOA__FRAME__BODY_HELLO: return hello_fault(frame->hello);
    case SOHOA__FRAME__BODY_RESULTS: return results_fault(frame->results);
    case SOHOA__FRAME__BODY_GRANT: return grant_fault(frame->grant);
    case SOHOA__FRAME__BODY_VIEW: return view_fault(frame->view);
    case SOHOA__FRAME__BODY_VIEWED: return viewed_fault(frame->viewed);
    case SOHOA__FRAME__BODY_REFUSE: return frame->refuse->err ? NULL : "refuse.err";
    case SOHOA__FRAME__BODY__NOT_SET: return "body";
    default: return NULL;
    }
}

int wire_decode(const void *data, size_t bytes, Sohoa__Frame **ret_frame, struct err *err)
{
    if (bytes > FRAME_MAX_BYTES)
        return err_set(err, E_FRAME, "a frame of %zu bytes is over FRAME_MAX_BYTES (%d)", bytes, FRAME_MAX_BYTES);
    AUTO(frame_destroy) Sohoa__Frame *frame = sohoa__frame__unpack(NULL, bytes, data);
    if (!frame)
        return err_set(err, E_FRAME, "a frame of %zu bytes is not a sohoa.Frame", bytes);
    const char *fault = frame_fault(frame);
    if (fault)
        return err_set(err, E_FRAME, "field %s is missing, over its limit or makes no sense", fault);
    *ret_frame = frame;
    frame = NULL;
    return 0;
}

void wire_err(const struct err *err, Sohoa__Err *wire)
{
    sohoa__err__init(wire);
    wire->code = err->code;
    wire->page_no = err->page_no;
    wire->text = (char *)err->text;
}

void err_from_wire(const Sohoa__Err *wire, struct err *err)
{
    *err = (struct err){0};
    if (!wire)
        return;
    err_set(err, wire->code, "%s", wire->text);
    err->page_no = wire->page_no;
}
