/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/wire.h"

#include "proto/auto.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

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

static const char *hello_fault(const Sohoa__Hello *hello)
{
    if (!*hello->worker || !text_within(hello->worker, NAME_BYTES))
        return "hello.worker";
    if (hello->pipeline.len != SHA256_BYTES)
        return "hello.pipeline";
    if (!hello->slots || hello->slots > 4096)
        return "hello.slots";
    return text_within(hello->build, NAME_BYTES) && text_within(hello->simd, NAME_BYTES) &&
                   text_within(hello->lang, NAME_BYTES)
               ? NULL
               : "hello.build, simd or lang";
}

static const char *result_fault(const Sohoa__Result *result)
{
    if (result->n_stored > DOC_MAX_PAGES || result->n_failed > DOC_MAX_PAGES)
        return "result.stored or failed";
    for (size_t i = 0; i < result->n_stored; i++)
        if (!result->stored[i]->first || !result->stored[i]->count || result->stored[i]->first > DOC_MAX_PAGES ||
            result->stored[i]->count > DOC_MAX_PAGES)
            return "result.stored";
    for (size_t i = 0; i < result->n_failed; i++)
        if (!result->failed[i]->page_no || result->failed[i]->page_no > DOC_MAX_PAGES || !result->failed[i]->err)
            return "result.failed";
    const Sohoa__Probe *probe = result->probe;
    if (probe && (probe->sha256.len != SHA256_BYTES || !probe->pages || probe->pages > DOC_MAX_PAGES))
        return "result.probe";
    return NULL;
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

static const char *job_fault(const Sohoa__Job *job)
{
    if (!text_within(job->batch, NAME_BYTES) || !text_within(job->source, SOURCE_PATH_BYTES))
        return "job.batch or source";
    if (job->kind == SOHOA__JOB_KIND__JOB_PROBE)
        return *job->source ? NULL : "job.source";
    if (job->sha256.len != SHA256_BYTES)
        return "job.sha256";
    if (!job->doc_pages || job->doc_pages > DOC_MAX_PAGES)
        return "job.doc_pages";
    const Sohoa__Range *range = job->range;
    if (job->kind == SOHOA__JOB_KIND__JOB_PAGES &&
        (!range || !range->first || !range->count || range->first > job->doc_pages ||
         range->count > job->doc_pages - range->first + 1))
        return "job.range";
    return NULL;
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
        return err_set(err, E_FRAME, "field %s is missing or over its limit", fault);
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
