/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A job's result as the wire message, in protobuf-c memory. Says what is in the store, nothing more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/trace.h"
#include "worker/step.h"

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

static Sohoa__Err *wire_err_new(const struct err *err)
{
    Sohoa__Err *wire = must(malloc(sizeof *wire));
    sohoa__err__init(wire);
    wire->code = err->code;
    wire->page_no = err->page_no;
    wire->text = must(strdup(err->text));
    return wire;
}

static void add_stored(Sohoa__Result *result, uint32_t first, uint32_t count)
{
    result->stored = must(realloc(result->stored, (result->n_stored + 1) * sizeof(void *)));
    Sohoa__Range *range = must(malloc(sizeof *range));
    sohoa__range__init(range);
    range->first = first;
    range->count = count;
    result->stored[result->n_stored++] = range;
}

static void add_failed(Sohoa__Result *result, uint32_t attempts, const struct err *err)
{
    result->failed = must(realloc(result->failed, (result->n_failed + 1) * sizeof(void *)));
    Sohoa__PageFailure *failure = must(malloc(sizeof *failure));
    sohoa__page_failure__init(failure);
    failure->page_no = err->page_no;
    failure->attempts = attempts;
    failure->err = wire_err_new(err);
    result->failed[result->n_failed++] = failure;
}

/* What was read here: the good runs, and each page that failed. */
static void say_pages(const struct job *job, Sohoa__Result *result)
{
    for (uint32_t at = 0; at < job->count;) {
        uint32_t good = job_run(job, at, true);
        if (good)
            add_stored(result, job->first + at, good);
        for (at += good; at < job->count && !job->pages[at].good; at++)
            add_failed(result, job->order->attempt, &job->pages[at].said.err);
    }
}

/* What was done before: as done says, its dead pages with their evidence. */
static void say_done_pages(const struct job *job, Sohoa__Result *result)
{
    uint32_t first = 1, pages = record_pages(job->record);
    for (uint32_t page_no = 1; page_no <= pages; page_no++) {
        struct err why;
        if (!record_page_dead(job->record, page_no, &why))
            continue;
        if (page_no > first)
            add_stored(result, first, page_no - first);
        add_failed(result, job->order->attempt, &why);
        first = page_no + 1;
    }
    if (pages >= first)
        add_stored(result, first, pages - first + 1);
}

static void say_viewed(const struct job *job, Sohoa__Result *result)
{
    result->viewed = must(malloc(sizeof *result->viewed));
    sohoa__viewed__init(result->viewed);
    result->viewed->blob = must(strdup(job->order->blob));
    result->viewed->bytes = job->output[0].size;
    result->viewed->jpeg = job->plan == PLAN_PICTURE && picture_is_jpeg(&job->output[0]);
}

static void say_assembled(const struct job *job, Sohoa__Result *result)
{
    result->assembled = must(malloc(sizeof *result->assembled));
    sohoa__assembled__init(result->assembled);
    record_assembled(job->record, result->assembled);
}

static void say_suspicions(const struct job *job, Sohoa__Result *result)
{
    result->suspicions = must(calloc(job->suspicions + 1, sizeof(void *)));
    for (uint32_t i = 0; i < job->suspicions; i++) {
        Sohoa__Suspicion *suspicion = must(malloc(sizeof *suspicion));
        sohoa__suspicion__init(suspicion);
        suspicion->page_no = job->suspicion[i].page_no;
        suspicion->stamp = must(malloc(sizeof *suspicion->stamp));
        *suspicion->stamp = job->suspicion[i].stamp;
        result->suspicions[result->n_suspicions++] = suspicion;
    }
}

static void say_probe(const struct job *job, Sohoa__Result *result)
{
    size_t bytes = sohoa__probe__get_packed_size(job->probe);
    uint8_t *packed = must(malloc(bytes + 1));
    sohoa__probe__pack(job->probe, packed);
    result->probe = must(sohoa__probe__unpack(NULL, bytes, packed));
    free(packed);
    free(result->probe->sha256.data);
    result->probe->sha256.data = must(malloc(SHA256_BYTES));
    memcpy(result->probe->sha256.data, job->source->sha256, SHA256_BYTES);
    result->probe->sha256.len = SHA256_BYTES;
    result->probe->bytes = job->source->bytes;
}

/* Nothing, when a probe was all there is to say. */
static void say_stored(const struct job *job, Sohoa__Result *result)
{
    if (job->plan == PLAN_PROBE)
        return;
    if (job_is_view(job))
        say_viewed(job, result);
    else if (job->plan == PLAN_PAGES && job->found)
        add_stored(result, job->first, job->count);
    else if (job->plan == PLAN_PAGES)
        say_pages(job, result);
    else {
        say_assembled(job, result);
        if (job->found || job->plan == PLAN_DOCUMENT)
            say_done_pages(job, result);
    }
}

static void result_trace(const struct job *job, const Sohoa__Result *result)
{
    /* A PROBE's scan has no sha256 as long as it was not read. */
    bool named = job->plan != PLAN_PROBE || job->source;
    const char *key = named ? "page" : "source";
    const char *subject = !named ? trace_value(job->order->source)
                                 : trace_page(job->source ? job->source->sha256 : job->order->sha256.data,
                                              job->plan == PLAN_PAGES ? job->first : 0);
    if (job->err.code)
        trace_err(TRACE_WARN, "job_failed", &job->err, "lease=%" PRIu64 " %s=%s wall_ms=%u", result->lease, key,
                  subject, result->wall_ms);
    else
        trace(TRACE_INFO, "job_ended", "lease=%" PRIu64 " %s=%s count=%u found=%d failed=%zu cpu_ms=%u wall_ms=%u",
              result->lease, key, subject, job->count, job->found, result->n_failed, result->cpu_ms, result->wall_ms);
}

Sohoa__Result *job_result(const struct job *job, uint32_t wall_ms)
{
    Sohoa__Result *result = must(malloc(sizeof *result));
    sohoa__result__init(result);
    result->lease = job->order->lease;
    result->found = job->found;
    result->cpu_ms = job->cpu_ms;
    result->wall_ms = wall_ms;
    /* What failed behind its probe is probed all the same: the pages go on in leases of their own. */
    bool stops = job->err.code == E_STOPPED || job->err.code == E_SECRET;
    bool failed = job->err.code && (stops || !job->reads_on);
    if (failed)
        result->err = wire_err_new(&job->err);
    else if (!job->err.code)
        say_stored(job, result);
    /* A quarantined source is named, so that the document can be tied to its quarantine. */
    if (job->order->kind == SOHOA__JOB_KIND__JOB_PROBE && (!failed || stops))
        say_probe(job, result);
    if (job->err.code == E_SECRET)
        say_suspicions(job, result);
    result_trace(job, result);
    return result;
}
