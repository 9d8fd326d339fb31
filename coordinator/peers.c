/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The talk with workers: what they say becomes the scheduler's events, what it grants becomes frames. A peer that is not
 * known (this coordinator was restarted, or gave it up) is refused with a RETRY error, and says Hello. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/stopping.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum {
    GRANT_BYTES = 1 << 20,
    RECEIVE_FRAMES = 1000,   /* at once, before what else there is to do has its turn */
    GROUP_ACKS_MAX = 100000, /* results that wait for the store: then no more jobs go out */
};

static uint32_t peer_find(const struct coordinator *c, const char *name)
{
    for (uint32_t i = 0; i < sched_workers(c->sched); i++)
        if (sched_worker(c->sched, i)->connected && !strcmp(sched_worker(c->sched, i)->name, name))
            return i;
    return NONE;
}

static void refuse(struct coordinator *c, const char *peer, const struct err *why)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Refuse body = SOHOA__REFUSE__INIT;
    Sohoa__Err wire;
    wire_err(why, &wire);
    body.err = &wire;
    frame.body_case = SOHOA__FRAME__BODY_REFUSE;
    frame.refuse = &body;
    trace_err(TRACE_WARN, "worker_refused", why, "worker=%s", trace_value(peer));
    gate_send(c->gate, peer, &frame);
}

/* ---- Hello ---- */

void peers_pin(struct coordinator *c, uint32_t pipeline)
{
    for (uint32_t i = 0; i < c->backlog->batches; i++) {
        struct batch *batch = c->backlog->batch[i];
        if (!batch || batch->pipeline != NONE || batch->check_only)
            continue;
        Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
        Sohoa__BatchAdmitted admitted = SOHOA__BATCH_ADMITTED__INIT;
        batch->pipeline = pipeline;
        admitted.batch = batch->id;
        admitted.pipeline = (ProtobufCBinaryData){SHA256_BYTES, c->backlog->pipeline[pipeline]};
        entry.body_case = SOHOA__LEDGER_ENTRY__BODY_ADMITTED;
        entry.admitted = &admitted;
        group_add_entry(c->group, &entry);
    }
}

static struct peer *peer_at(struct coordinator *c, uint32_t worker)
{
    if (worker >= c->peers) {
        c->peer = realloc(c->peer, (worker + 1) * sizeof *c->peer);
        if (!c->peer)
            abort();
        memset(c->peer + c->peers, 0, (worker + 1 - c->peers) * sizeof *c->peer);
        c->peers = worker + 1;
    }
    return &c->peer[worker];
}

static void welcome(struct coordinator *c, uint32_t worker, uint64_t *dropped, size_t count)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Welcome body = SOHOA__WELCOME__INIT;
    body.version = PROTOCOL_VERSION;
    body.epoch = store_epoch(c->store);
    body.heartbeat_ms = (uint32_t)config_int(c->config, CFG_HEARTBEAT_MS);
    body.dropped = dropped;
    body.n_dropped = count;
    frame.body_case = SOHOA__FRAME__BODY_WELCOME;
    frame.welcome = &body;
    gate_send(c->gate, sched_worker(c->sched, worker)->name, &frame);
}

/* Takes up what the worker still holds and can keep; the rest of its leases are lost, the rest of its jobs dropped. */
static void adopt_held(struct coordinator *c, uint32_t worker, const Sohoa__Hello *hello, uint64_t now_ms)
{
    uint64_t *kept = calloc(hello->n_held + 1, sizeof *kept), *dropped = calloc(hello->n_held + 1, sizeof *dropped);
    size_t n_kept = 0, n_dropped = 0;
    if (!kept || !dropped)
        abort();
    for (size_t i = 0; i < hello->n_held; i++) {
        if (sched_adopt(c->sched, worker, hello->held[i], now_ms))
            kept[n_kept++] = hello->held[i]->lease;
        else
            dropped[n_dropped++] = hello->held[i]->lease;
    }
    sched_keep_only(c->sched, worker, kept, n_kept, &c->acts, now_ms);
    trace(TRACE_INFO, "worker_hello", "worker=%s slots=%u kept=%zu dropped=%zu build=%s", trace_value(hello->worker),
          hello->slots, n_kept, n_dropped, trace_value(hello->build));
    welcome(c, worker, dropped, n_dropped);
    free(kept);
    free(dropped);
}

static void awaited_none(struct coordinator *c)
{
    trace(TRACE_INFO, "workers_back", "ms=%" PRIu64, clock_mono_ms() - c->started_ms);
    c->granting_ms = 0;
}

void peers_await(struct coordinator *c, const char *names)
{
    while (*names) {
        size_t bytes = strcspn(names, " ");
        buf_append(&c->awaited, names, bytes);
        buf_append(&c->awaited, "", 1);
        names += bytes + (names[bytes] == ' ');
    }
    if (!c->awaited.size)
        awaited_none(c);
}

/* Those who are not back by now are gone. */
static void awaited_forget(struct coordinator *c)
{
    for (size_t at = 0; at < c->awaited.size; at += strlen((char *)c->awaited.data + at) + 1)
        group_add_worker(c->group, (char *)c->awaited.data + at, 0);
    buf_clear(&c->awaited);
}

static void peer_back(struct coordinator *c, const char *name)
{
    size_t at = 0, bytes = strlen(name) + 1;
    while (at < c->awaited.size && strcmp((char *)c->awaited.data + at, name))
        at += strlen((char *)c->awaited.data + at) + 1;
    if (at == c->awaited.size)
        return;
    memmove(c->awaited.data + at, c->awaited.data + at + bytes, c->awaited.size - at - bytes);
    c->awaited.size -= bytes;
    if (!c->awaited.size)
        awaited_none(c);
}

/* These go into answers, logs and Redis as they are. */
static bool is_plain(const char *text)
{
    while (*text >= ' ' && *text <= '~')
        text++;
    return !*text;
}

static int hello_check(struct coordinator *c, const char *name, const Sohoa__Hello *hello, uint32_t *ret_pipeline,
                       struct err *err)
{
    if (!is_plain(hello->worker) || !is_plain(hello->build) || !is_plain(hello->lang) || !is_plain(hello->tags))
        return err_set(err, E_FRAME, "a worker's name, build, languages and tags are of ASCII only");
    if (hello->version != PROTOCOL_VERSION)
        return err_set(err, E_VERSION,
                       "worker %s speaks version %u, this coordinator %d: install the same release on both", name,
                       hello->version, PROTOCOL_VERSION);
    if (strcmp(name, hello->worker))
        return err_set(err, E_FRAME, "worker %s came with the identity of another", hello->worker);
    if (sched_workers(c->sched) == WORKERS_MAX && !sched_knows(c->sched, name))
        return err_set(err, E_LIMIT, "%d workers are known already (WORKERS_MAX)", WORKERS_MAX);
    *ret_pipeline = backlog_pipeline(c->backlog, hello->pipeline.data);
    if (*ret_pipeline == NONE)
        return err_set(err, E_LIMIT, "workers came with %d pipelines already (PIPELINES_MAX)", PIPELINES_MAX);
    return 0;
}

static void on_hello(struct coordinator *c, const char *name, const Sohoa__Hello *hello, uint64_t now_ms)
{
    struct err err;
    uint32_t pipeline;
    if (hello_check(c, name, hello, &pipeline, &err)) {
        refuse(c, name, &err);
        return;
    }
    uint32_t worker = sched_hello(c->sched, name, pipeline, hello->slots);
    struct peer *peer = peer_at(c, worker);
    peer->heard_ms = now_ms;
    snprintf(peer->build, sizeof peer->build, "%s", hello->build);
    peer->views = hello->views;
    views_lost(c->views, worker); /* what it says of them now may have been lost with the connection */
    sched_tag(c->sched, worker, hello->tags);
    snprintf(peer->lang, sizeof peer->lang, "%s", hello->lang);
    peers_pin(c, pipeline);
    adopt_held(c, worker, hello, now_ms);
    peer_back(c, name);
    group_add_worker(c->group, name, hello->slots);
}

/* ---- results ---- */

static void result_trace(const char *name, const Sohoa__Result *result, bool ours)
{
    struct err err;
    err_from_wire(result->err, &err);
    if (err.code)
        trace_err(TRACE_INFO, "result", &err, "lease=%" PRIu64 " worker=%s ours=%d", result->lease, trace_value(name),
                  ours);
    else
        trace(TRACE_DEBUG, "result", "lease=%" PRIu64 " worker=%s ours=%d stored=%zu failed=%zu found=%d",
              result->lease, trace_value(name), ours, result->n_stored, result->n_failed, result->found);
}

static void result_count(struct meter *meter, const Sohoa__Result *result)
{
    struct err err;
    err_from_wire(result->err, &err);
    if (err.code)
        toll_count(&meter->failures, err.code, 1);
    for (size_t i = 0; i < result->n_failed; i++) {
        err_from_wire(result->failed[i]->err, &err);
        toll_count(&meter->failures, err.code, 1);
    }
}

static void on_results(struct coordinator *c, uint32_t worker, const Sohoa__Results *results, uint64_t now_ms)
{
    for (size_t i = 0; i < results->n_results; i++) {
        const Sohoa__Result *result = results->results[i];
        bool ours = sched_finish(c->sched, worker, result, now_ms, &c->acts);
        result_trace(sched_worker(c->sched, worker)->name, result, ours);
        if (ours)
            result_count(&c->meter, result);
        if (ours && result->err && result->err->code == E_SECRET)
            stopping_suspected(c, result);
        group_add_ack(c->group, (struct group_ack){worker, result->lease});
    }
}

void peers_gone(struct coordinator *c, uint32_t worker, const char *why, uint64_t now_ms)
{
    const struct sched_worker *w = sched_worker(c->sched, worker);
    trace(TRACE_WARN, "worker_gone", "worker=%s why=%s leases=%u", trace_value(w->name), why, w->leases);
    sched_lost(c->sched, worker, &c->acts, now_ms);
    views_lost(c->views, worker);
    group_add_worker(c->group, w->name, 0);
}

/* A key that was taken back, or another worker's name: what is known by that name must come again. */
static void on_refused(struct coordinator *c, const char *name, const struct err *why, uint64_t now_ms)
{
    uint32_t worker = peer_find(c, name);
    refuse(c, name, why);
    if (why->code == E_KEY && worker != NONE)
        peers_gone(c, worker, "key", now_ms);
}

static void on_frame(struct coordinator *c, const char *name, const Sohoa__Frame *frame, uint64_t now_ms)
{
    uint32_t worker = peer_find(c, name);
    struct err err;
    if (frame->body_case == SOHOA__FRAME__BODY_HELLO) {
        on_hello(c, name, frame->hello, now_ms);
        return;
    }
    if (worker == NONE) {
        err_set(&err, E_NET, "this coordinator does not know worker %s yet: say Hello", name);
        if (frame->body_case != SOHOA__FRAME__BODY_BYE)
            refuse(c, name, &err);
        return;
    }
    c->peer[worker].heard_ms = now_ms;
    switch (frame->body_case) {
    case SOHOA__FRAME__BODY_CREDIT: sched_credit(c->sched, worker, frame->credit->jobs_total); break;
    case SOHOA__FRAME__BODY_RESULTS: on_results(c, worker, frame->results, now_ms); break;
    case SOHOA__FRAME__BODY_VIEWED: viewing_result(c, worker, frame->viewed); break;
    case SOHOA__FRAME__BODY_RECALLED: story_told(c, worker, frame->recalled); break;
    case SOHOA__FRAME__BODY_BYE: peers_gone(c, worker, "bye", now_ms); break;
    case SOHOA__FRAME__BODY_HEARTBEAT:
        c->peer[worker].rss_bytes = frame->heartbeat->rss_bytes;
        c->peer[worker].busy_slots = frame->heartbeat->busy_slots;
        break;
    default: err_set(&err, E_FRAME, "worker %s sent a frame that only coordinators send", name); refuse(c, name, &err);
    }
}

bool peers_receive(struct coordinator *c, uint64_t now_ms)
{
    char name[NAME_BYTES];
    struct err err;
    Sohoa__Frame *frame;
    gate_tend(c->gate, now_ms);
    for (int i = 0; i < RECEIVE_FRAMES; i++) {
        if (!gate_receive(c->gate, name, &frame, &err))
            return false;
        if (frame)
            on_frame(c, name, frame, now_ms);
        else
            on_refused(c, name, &err, now_ms);
        frame_destroy(&frame);
        coordinator_apply(c);
    }
    return true;
}

/* ---- jobs ---- */

/* Messages of a grant are malloc'd as protobuf-c's own unpacking would, so that its free_unpacked() ends them. */
static void *fresh(size_t bytes)
{
    void *at = calloc(1, bytes);
    if (!at)
        abort();
    return at;
}

static ProtobufCBinaryData digest_copy(const uint8_t digest[SHA256_BYTES])
{
    ProtobufCBinaryData data = {SHA256_BYTES, fresh(SHA256_BYTES)};
    memcpy(data.data, digest, SHA256_BYTES);
    return data;
}

static Sohoa__Range *range_new(uint32_t first, uint32_t count)
{
    Sohoa__Range *range = fresh(sizeof *range);
    sohoa__range__init(range);
    range->first = first;
    range->count = count;
    return range;
}

static void job_subscribe(struct coordinator *c, Sohoa__Job *job, struct doc_ref ref, const struct row *row)
{
    Sohoa__Subscriber *subscriber = fresh(sizeof *subscriber);
    sohoa__subscriber__init(subscriber);
    subscriber->batch = text_copy(c->backlog->batch[ref.batch]->id);
    subscriber->doc = ref.doc;
    subscriber->row = strndup(row->line, row->line_bytes);
    if (!subscriber->row)
        abort();
    job->subscribers[job->n_subscribers++] = subscriber;
}

static int job_subscribers(struct coordinator *c, Sohoa__Job *job, const struct work *work, struct err *err)
{
    size_t count = 0;
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(c->backlog, ref)->next)
        count += doc_at(c->backlog, ref)->named;
    job->subscribers = fresh((count + 1) * sizeof(Sohoa__Subscriber *));
    for (struct doc_ref ref = work->subscriber; ref.batch != NONE; ref = doc_at(c->backlog, ref)->next) {
        struct row row;
        if (!doc_at(c->backlog, ref)->named)
            continue;
        int rc = coordinator_row(c, ref, &row, NULL, err);
        if (rc)
            return rc;
        job_subscribe(c, job, ref, &row);
    }
    return 0;
}

static void job_parts(struct coordinator *c, Sohoa__Job *job, const struct work *work)
{
    const struct cut *cut = cut_of(work);
    job->bundles = fresh((cut->parts + 1) * sizeof(Sohoa__Range *));
    job->dead = fresh((work->pages + 1) * sizeof(Sohoa__PageFailure *));
    for (uint32_t i = 0; i < cut->parts; i++) {
        const struct part *part = &cut->part[i];
        if (part->state == PAGE_STORED && !part->kept)
            job->bundles[job->n_bundles++] = range_new(part->first, part->count);
        job->keep_words = job->keep_words || part->kept;
        for (uint32_t p = 0; p < part->count && part->state == PAGE_DEAD; p++) {
            Sohoa__PageFailure *failure = fresh(sizeof *failure);
            sohoa__page_failure__init(failure);
            failure->page_no = part->first + p;
            failure->attempts = part->attempts;
            failure->err = fresh(sizeof *failure->err);
            sohoa__err__init(failure->err);
            if (part->fault != NONE) {
                fault_wire(c->backlog, part->fault, failure->err);
                failure->err->text = text_copy(failure->err->text);
            }
            job->dead[job->n_dead++] = failure;
        }
    }
    job->words_generation = cut->words_generation;
}

static int job_source(struct coordinator *c, Sohoa__Job *job, const struct lease *lease, struct err *err)
{
    const struct batch *batch = c->backlog->batch[lease->doc.batch];
    uint32_t read_most = sched_read_most(c->sched);
    struct row row;
    job->check_only = batch->check_only;
    if (batch->check_only) {
        job->source = text_copy(batch->check_source[lease->doc.doc]);
        return 0;
    }
    int rc = coordinator_row(c, lease->doc, &row, &job->source, err);
    /* Any worker may look at a source, but what it reads is of its own pipeline. */
    bool reads = batch->pipeline == sched_worker(c->sched, lease->worker)->pipeline;
    if (rc || !row.pages || row.pages > read_most || !reads)
        return rc;
    job->read_most = read_most;
    job->subscribers = fresh(sizeof *job->subscribers);
    job_subscribe(c, job, lease->doc, &row);
    return 0;
}

static int job_fill(struct coordinator *c, Sohoa__Job *job, const struct lease *lease, uint64_t now_ms, struct err *err)
{
    sohoa__job__init(job);
    job->lease = lease->id;
    job->kind = lease->kind;
    job->lease_ms = (uint32_t)(lease->deadline_ms - now_ms);
    job->batch = text_copy(c->backlog->batch[lease->doc.batch]->id);
    job->doc = lease->doc.doc;
    job->generation = lease->generation;
    job->attempt = lease->attempt;
    if (lease->kind == SOHOA__JOB_KIND__JOB_PROBE)
        return job_source(c, job, lease, err);
    const struct work *work = &c->backlog->work[lease->work];
    job->sha256 = digest_copy(work->sha256);
    job->cleared = sched_cleared(c->sched, work->sha256);
    job->doc_pages = work->pages;
    job->assemble = lease->assemble;
    job->degraded = lease->degraded;
    if (lease->kind == SOHOA__JOB_KIND__JOB_PAGES)
        job->range = range_new(lease->first, lease->count);
    else
        job_parts(c, job, work);
    if (lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE || lease->assemble)
        return job_subscribers(c, job, work, err);
    return 0;
}

/* The lease came to nothing here: its worker never hears of it, and it is tried again. */
static void grant_failed(struct coordinator *c, uint32_t worker, uint64_t lease, const struct err *why, uint64_t now_ms)
{
    Sohoa__Result result = SOHOA__RESULT__INIT;
    Sohoa__Err wire;
    struct err err = *why;
    if (err.code == E_ABSENT || err.code == E_STATE)
        err.code = E_STORE;
    wire_err(&err, &wire);
    result.lease = lease;
    result.err = &wire;
    trace_err(TRACE_ERROR, "grant_failed", &err, "lease=%" PRIu64, lease);
    sched_finish(c->sched, worker, &result, now_ms, &c->acts);
    sched_ungrant(c->sched, worker);
    coordinator_apply(c);
}

static void grant_trace(const struct coordinator *c, const struct lease *lease, const char *worker)
{
    static const char *const kind[] = {"none", "probe", "pages", "assemble"};
    if (!trace_on(TRACE_DEBUG))
        return;
    const char *page = lease->work == NONE ? "-" : trace_page(c->backlog->work[lease->work].sha256, lease->first);
    trace(TRACE_DEBUG, "grant", "lease=%" PRIu64 " kind=%s worker=%s batch=%s doc=%u page=%s count=%u attempt=%u",
          lease->id, kind[lease->kind], trace_value(worker), c->backlog->batch[lease->doc.batch]->id, lease->doc.doc,
          page, lease->count, lease->attempt);
}

static void grant_worker(struct coordinator *c, uint32_t worker, uint64_t now_ms)
{
    Sohoa__Grant grant = SOHOA__GRANT__INIT;
    Sohoa__Job *jobs[GRANT_MAX_JOBS];
    const char *name = sched_worker(c->sched, worker)->name;
    const struct lease *lease;
    size_t bytes = 0;
    grant.jobs = jobs;
    while (grant.n_jobs < GRANT_MAX_JOBS && bytes < GRANT_BYTES && (lease = sched_grant(c->sched, worker, now_ms))) {
        struct err err;
        uint64_t id = lease->id;
        Sohoa__Job *job = fresh(sizeof *job);
        grant_trace(c, lease, name);
        if (job_fill(c, job, lease, now_ms, &err)) {
            grant_failed(c, worker, id, &err, now_ms);
            sohoa__job__free_unpacked(job, NULL);
            continue;
        }
        bytes += sohoa__job__get_packed_size(job);
        c->meter.grants[job->kind]++;
        grant.jobs[grant.n_jobs++] = job;
    }
    if (!grant.n_jobs)
        return;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_GRANT;
    frame.grant = &grant;
    if (!gate_send(c->gate, name, &frame)) {
        peers_gone(c, worker, "unreachable", now_ms);
        coordinator_apply(c);
    }
    for (size_t i = 0; i < grant.n_jobs; i++)
        sohoa__job__free_unpacked(jobs[i], NULL);
}

void peers_grant(struct coordinator *c, uint64_t now_ms)
{
    if (now_ms < c->granting_ms)
        return;
    size_t waiting;
    awaited_forget(c);
    group_acks(c->group, &waiting);
    if (waiting >= GROUP_ACKS_MAX)
        return;
    for (uint32_t i = 0; i < sched_workers(c->sched); i++)
        if (sched_worker(c->sched, i)->connected)
            grant_worker(c, i, now_ms);
}

/* ---- time ---- */

static void beat(struct coordinator *c, uint32_t worker, uint64_t now_ms)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Heartbeat body = SOHOA__HEARTBEAT__INIT;
    body.sent_ms = now_ms;
    frame.body_case = SOHOA__FRAME__BODY_HEARTBEAT;
    frame.heartbeat = &body;
    gate_send(c->gate, sched_worker(c->sched, worker)->name, &frame);
}

void peers_tick(struct coordinator *c, uint64_t now_ms)
{
    uint64_t lost_ms = (uint64_t)config_int(c->config, CFG_WORKER_LOST_MS);
    for (uint32_t i = 0; i < sched_workers(c->sched); i++) {
        if (!sched_worker(c->sched, i)->connected)
            continue;
        if (now_ms - c->peer[i].heard_ms > lost_ms)
            peers_gone(c, i, "silent", now_ms);
        else
            beat(c, i, now_ms);
    }
    coordinator_apply(c);
}

void peers_acknowledge(struct coordinator *c, const struct group *group)
{
    size_t count;
    const struct group_ack *ack = group_acks(group, &count);
    for (size_t first = 0, n; first < count; first += n) {
        Sohoa__Frame frame = SOHOA__FRAME__INIT;
        Sohoa__Acks body = SOHOA__ACKS__INIT;
        uint64_t leases[RESULTS_MAX];
        for (n = 0; first + n < count && n < RESULTS_MAX && ack[first + n].worker == ack[first].worker; n++)
            leases[n] = ack[first + n].lease;
        body.leases = leases;
        body.n_leases = n;
        frame.body_case = SOHOA__FRAME__BODY_ACKS;
        frame.acks = &body;
        const struct sched_worker *w = sched_worker(c->sched, ack[first].worker);
        /* It must hear of them: who does not take frames says Hello again, with what it still holds. */
        if (w->connected && !gate_send(c->gate, w->name, &frame))
            peers_gone(c, ack[first].worker, "unreachable", clock_mono_ms());
    }
    coordinator_apply(c);
}
