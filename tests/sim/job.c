/* SPDX-License-Identifier: AGPL-3.0-or-later
 * As worker/job.c, document.c and report.c: results that are in the store already are found; what was written is taken
 * back if the source is stopped by then; a probe may go on to read the document. */
#include "tests/sim/job.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/grades.h"
#include "storage/name.h"
#include "tests/sim/check.h"
#include "tests/sim/source.h"
#include "tests/sim/store.h"
#include "tests/sim/world.h"

enum { PROBE_MS = 100, PAGE_LEAST_MS = 100, PAGE_MOST_MS = 500, SLOW = 12 };

struct work_in_hand {
    const Sohoa__Job *job;
    uint32_t worker, source, pipeline, generation, first, count;
    uint8_t sha256[SHA256_BYTES];
    bool document; /* the whole of it, to be assembled */
    Sohoa__Result result;
    Sohoa__Probe probe;
    Sohoa__Assembled assembled;
    uint8_t grades[SOURCE_PAGES / GRADES_A_BYTE + 1];
    Sohoa__Err err, page_err[SOURCE_PAGES];
    Sohoa__Range range[SOURCE_PAGES], *stored[SOURCE_PAGES];
    Sohoa__PageFailure failure[SOURCE_PAGES], *failed[SOURCE_PAGES];
};

uint64_t job_ms(const Sohoa__Job *job)
{
    uint64_t ms = job->kind == SOHOA__JOB_KIND__JOB_PAGES ? 0 : PROBE_MS;
    for (uint32_t i = 0; job->range && i < job->range->count; i++)
        ms += between(PAGE_LEAST_MS, PAGE_MOST_MS);
    return happens(world.one_in.slow) ? ms * SLOW : ms;
}

/* ---- saying ---- */

static void say_failed(struct work_in_hand *w, int code)
{
    sohoa__err__init(&w->err);
    w->err.code = code;
    w->result.err = &w->err;
}

static void say_page(struct work_in_hand *w, uint32_t page_no, int code)
{
    size_t n = w->result.n_failed++;
    sohoa__err__init(&w->page_err[n]);
    w->page_err[n].code = code;
    w->page_err[n].page_no = page_no;
    sohoa__page_failure__init(&w->failure[n]);
    w->failure[n].page_no = page_no;
    w->failure[n].attempts = w->job->attempt;
    w->failure[n].err = &w->page_err[n];
    w->failed[n] = &w->failure[n];
}

static void say_stored(struct work_in_hand *w, uint32_t first, uint32_t count)
{
    size_t n = w->result.n_stored++;
    sohoa__range__init(&w->range[n]);
    w->range[n].first = first;
    w->range[n].count = count;
    w->stored[n] = &w->range[n];
}

/* Pages whose bit is set failed with their code; the others make ranges. */
static void say_pages(struct work_in_hand *w, const int code[SOURCE_PAGES + 1])
{
    uint32_t run = 0;
    for (uint32_t page = w->first; page < w->first + w->count; page++) {
        if (!code[page - 1]) {
            run++;
            continue;
        }
        if (run)
            say_stored(w, page - run, run);
        run = 0;
        say_page(w, page, code[page - 1]);
    }
    if (run)
        say_stored(w, w->first + w->count - run, run);
}

static void say_assembled(struct work_in_hand *w)
{
    memset(w->grades, 0, sizeof w->grades);
    for (uint32_t page_no = 1; page_no <= source_pages(w->source); page_no++)
        grade_put(w->grades, page_no, page_grade(w->source, page_no));
    sohoa__assembled__init(&w->assembled);
    w->assembled.confidence_cpct = 9000 + w->source;
    w->assembled.grades = (ProtobufCBinaryData){grades_bytes(source_pages(w->source)), w->grades};
    w->result.assembled = &w->assembled;
}

static void say_probe(struct work_in_hand *w)
{
    sohoa__probe__init(&w->probe);
    w->probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, w->sha256};
    w->probe.pages = source_pages(w->source);
    w->result.probe = &w->probe;
}

/* ---- the store ---- */

static const char *words(const struct work_in_hand *w, struct name *name, uint32_t generation)
{
    return name_out(name, w->sha256, pipeline_digest_of[w->pipeline], generation, "words");
}

static const char *bundle(const struct work_in_hand *w, struct name *name, uint32_t first, uint32_t count)
{
    return name_bundle(name, w->sha256, pipeline_digest_of[w->pipeline], w->generation, first, count);
}

static bool stopped(const struct work_in_hand *w)
{
    struct name name;
    return blob_find(name_stop(&name, w->sha256));
}

static void records_write(const struct work_in_hand *w)
{
    struct name name;
    for (size_t i = 0; i < w->job->n_subscribers; i++)
        blob_create(name_rec(&name, w->job->subscribers[i]->batch, w->job->subscribers[i]->doc), 0);
}

static void take_back(struct work_in_hand *w)
{
    struct name name;
    for (size_t i = 0; i < w->result.n_stored && !w->document; i++)
        blob_remove(bundle(w, &name, w->range[i].first, w->range[i].count));
    blob_remove(words(w, &name, w->generation));
    for (size_t i = 0; i < w->job->n_subscribers; i++)
        blob_remove(name_rec(&name, w->job->subscribers[i]->batch, w->job->subscribers[i]->doc));
    w->result.n_stored = w->result.n_failed = 0;
    w->result.assembled = NULL;
    say_failed(w, E_STOPPED);
}

/* ---- working ---- */

static int page_fault(const struct work_in_hand *w, uint32_t page_no)
{
    static const int passing[] = {E_SLOT, E_TIME, E_MEMORY, E_SLOT};
    if (page_broken(w->source, page_no))
        return E_PAGE_BROKEN;
    return happens(world.one_in.page_fail) ? passing[chance(4)] : 0;
}

/* As the secrecy pass: the page, where it could be looked at, ends the job. */
static bool suspects(struct work_in_hand *w, uint32_t page_no)
{
    if (w->job->cleared || source_secret(w->source) != page_no)
        return false;
    say_failed(w, E_SECRET);
    w->err.page_no = page_no;
    return true;
}

/* Assembled before: as it was then. */
static bool document_found(struct work_in_hand *w)
{
    struct name name;
    int code[SOURCE_PAGES + 1] = {0};
    const struct blob *blob = blob_find(words(w, &name, w->generation));
    if (!blob)
        return false;
    for (uint32_t page = 1; page <= source_pages(w->source); page++)
        code[page - 1] = blob->dead & 1u << (page - 1) ? E_TIME : 0;
    w->first = 1;
    w->count = source_pages(w->source);
    w->result.found = true;
    say_assembled(w);
    say_pages(w, code);
    records_write(w);
    return true;
}

static void pages_do(struct work_in_hand *w)
{
    struct name name;
    int code[SOURCE_PAGES + 1] = {0};
    bool good = true;
    if (w->document ? document_found(w) : blob_find(bundle(w, &name, w->first, w->count)) != NULL) {
        if (!w->document)
            say_stored(w, w->first, w->count);
        w->result.found = true;
        return;
    }
    for (uint32_t page = w->first; page < w->first + w->count; page++) {
        code[page - 1] = page_fault(w, page);
        if (!code[page - 1] && suspects(w, page))
            return;
        good = good && !code[page - 1];
    }
    say_pages(w, code);
    w->document = w->document && good;
    if (w->document) {
        blob_create(words(w, &name, w->generation), 0);
        records_write(w);
        say_assembled(w);
        return;
    }
    for (size_t i = 0; i < w->result.n_stored; i++)
        blob_create(bundle(w, &name, w->range[i].first, w->range[i].count), 0);
}

/* false: something to fold is not there. */
static bool fold_complete(const struct work_in_hand *w)
{
    const Sohoa__Job *job = w->job;
    struct name name;
    uint32_t pages = (uint32_t)job->n_dead;
    for (size_t i = 0; i < job->n_bundles; i++) {
        pages += job->bundles[i]->count;
        if (!blob_find(bundle(w, &name, job->bundles[i]->first, job->bundles[i]->count))) {
            check_missing(w->worker, job->lease, name.text);
            return false;
        }
    }
    if (pages == job->doc_pages || (job->keep_words && blob_find(words(w, &name, job->words_generation))))
        return true;
    words(w, &name, job->keep_words ? job->words_generation : w->generation);
    check_missing(w->worker, job->lease, name.text);
    return false;
}

static void assemble_do(struct work_in_hand *w)
{
    struct name name;
    uint32_t dead = 0;
    if (document_found(w))
        return;
    if (!fold_complete(w)) {
        say_failed(w, E_STORE);
        return;
    }
    for (size_t i = 0; i < w->job->n_dead; i++) {
        dead |= 1u << (w->job->dead[i]->page_no - 1);
        if (suspects(w, w->job->dead[i]->page_no))
            return;
    }
    blob_create(words(w, &name, w->generation), dead);
    records_write(w);
    say_assembled(w);
}

static void probe_do(struct work_in_hand *w)
{
    int fault = doc_fault(batch_number(w->job->batch), w->job->doc);
    if (fault) {
        say_failed(w, fault);
        return;
    }
    say_probe(w);
    if (stopped(w)) {
        say_failed(w, E_STOPPED);
        return;
    }
    if (w->count > w->job->read_most)
        return;
    w->document = true;
    pages_do(w);
}

static bool fails_at_once(struct work_in_hand *w)
{
    static const int code[] = {E_STORE, E_NET, E_SLOT, E_TIME, E_SOURCE_MISSING, E_ASSEMBLE, E_MEMORY, E_STORE};
    if (!happens(world.one_in.fail))
        return false;
    int drawn = code[chance(8)];
    say_failed(w, drawn == E_ASSEMBLE && w->job->kind != SOHOA__JOB_KIND__JOB_ASSEMBLE ? E_SLOT : drawn);
    return true;
}

static void work_begin(struct work_in_hand *w, const Sohoa__Job *job, uint32_t worker, uint32_t pipeline)
{
    bool probe = job->kind == SOHOA__JOB_KIND__JOB_PROBE;
    *w = (struct work_in_hand){.job = job, .worker = worker, .pipeline = pipeline, .first = 1};
    sohoa__result__init(&w->result);
    w->result.lease = job->lease;
    w->result.cpu_ms = 1;
    w->result.stored = w->stored;
    w->result.failed = w->failed;
    w->source = probe ? doc_source(batch_number(job->batch), job->doc) : source_named(job->sha256.data);
    w->count = source_pages(w->source);
    w->generation = probe ? 0 : job->generation;
    w->document = job->assemble;
    source_sha256(w->source, w->sha256);
    if (job->range) {
        w->first = job->range->first;
        w->count = job->range->count;
    }
}

static Sohoa__Result *result_copy(const Sohoa__Result *result)
{
    AUTO(buf_destroy) struct buf packed = {0};
    size_t bytes = sohoa__result__get_packed_size(result);
    sohoa__result__pack(result, buf_reserve(&packed, bytes));
    Sohoa__Result *copy = sohoa__result__unpack(NULL, bytes, packed.data);
    if (!copy)
        abort();
    return copy;
}

Sohoa__Result *job_do(const Sohoa__Job *job, uint32_t worker, uint32_t pipeline)
{
    struct work_in_hand w;
    work_begin(&w, job, worker, pipeline);
    if (!fails_at_once(&w)) {
        switch (job->kind) {
        case SOHOA__JOB_KIND__JOB_PROBE: probe_do(&w); break;
        case SOHOA__JOB_KIND__JOB_PAGES: pages_do(&w); break;
        default: assemble_do(&w);
        }
        if (!w.result.err && (w.result.n_stored || w.result.assembled) && stopped(&w))
            take_back(&w);
    }
    return result_copy(&w.result);
}
