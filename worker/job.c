/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The way of a job:
 *
 *     PROBE      READ  TAKE  OPEN  KEEP   (a source of at most read_most pages goes on as PAGES with assemble)
 *     PAGES      LOOK  FETCH TAKE  OPEN  PAGES  BUNDLE             CHECK
 *      +assemble LOOK  FETCH TAKE  OPEN  PAGES  ASSEMBLE STORE SEAL CHECK
 *     ASSEMBLE   LOOK  GATHER FETCH TAKE OPEN   ASSEMBLE STORE SEAL CHECK
 *     VIEW       PERMIT QUOTE FETCH TAKE OPEN DRAW SHOW    (a picture)
 *                PERMIT QUOTE SHOW                         (words)
 *
 * A step that fails ends the job with that error, but: what the store failed is tried again after a while; pages that fail
 * are counted, not the job; and a document that can't be assembled in the same lease, because a page or the assembling
 * failed, goes on as plain PAGES, so that what was read is not lost. */
#include "worker/job.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "proto/trace.h"
#include "worker/step.h"

/* clang-format off */
static const enum step plan_steps[PLANS][STEPS] = {
    [PLAN_PROBE]    = {STEP_READ, STEP_TAKE, STEP_OPEN, STEP_KEEP, STEP_END},
    [PLAN_PAGES]    = {STEP_LOOK, STEP_FETCH, STEP_TAKE, STEP_OPEN, STEP_PAGES,
                       STEP_BUNDLE, STEP_CHECK, STEP_END},
    [PLAN_DOCUMENT] = {STEP_LOOK, STEP_FETCH, STEP_TAKE, STEP_OPEN, STEP_PAGES,
                       STEP_ASSEMBLE, STEP_STORE, STEP_SEAL, STEP_CHECK, STEP_END},
    [PLAN_ASSEMBLE] = {STEP_LOOK, STEP_GATHER, STEP_FETCH, STEP_TAKE, STEP_OPEN,
                       STEP_ASSEMBLE, STEP_STORE, STEP_SEAL, STEP_CHECK, STEP_END},
    [PLAN_PICTURE]  = {STEP_PERMIT, STEP_QUOTE, STEP_FETCH, STEP_TAKE, STEP_OPEN, STEP_DRAW, STEP_SHOW, STEP_END},
    [PLAN_WORDS]    = {STEP_PERMIT, STEP_QUOTE, STEP_SHOW, STEP_END},
};

/* A step has either work, on as many io threads as it has parts, or ask and answer. */
static const struct step_rule {
    const char *name;
    enum stage stage;
    unsigned parts;
    int (*work)(struct job *job, unsigned part, struct err *err);
    int (*ask)(struct job *job, struct err *err);
    int (*answer)(struct job *job, const struct slot_answer *answer, struct err *err);
} step_rule[STEPS] = {
    [STEP_PERMIT]   = {.name = "permit",   .parts = 1, .work = step_permit},
    [STEP_LOOK]     = {.name = "look",     .parts = 1, .work = step_look},
    [STEP_READ]     = {.name = "read",     .parts = 1, .work = step_read},
    [STEP_GATHER]   = {.name = "gather",   .parts = 1, .work = step_gather},
    [STEP_FETCH]    = {.name = "fetch",    .stage = STAGE_FETCH,    .parts = 1, .work = step_fetch},
    [STEP_TAKE]     = {.name = "take"},
    [STEP_OPEN]     = {.name = "open",     .stage = STAGE_OPEN,     .ask = step_open_ask,     .answer = step_open_answer},
    [STEP_PAGES]    = {.name = "pages",    .stage = STAGE_PAGE,     .ask = step_pages_ask,    .answer = step_pages_answer},
    [STEP_ASSEMBLE] = {.name = "assemble", .stage = STAGE_ASSEMBLE, .ask = step_assemble_ask, .answer = step_assemble_answer},
    [STEP_KEEP]     = {.name = "keep",     .stage = STAGE_STORE,    .parts = 1, .work = step_keep},
    [STEP_BUNDLE]   = {.name = "bundle",   .stage = STAGE_STORE,    .parts = 1, .work = step_bundle},
    [STEP_STORE]    = {.name = "store",    .stage = STAGE_STORE,    .parts = RECORD_PARTS, .work = step_store},
    [STEP_SEAL]     = {.name = "seal",     .stage = STAGE_STORE,    .parts = 1, .work = step_seal},
    [STEP_QUOTE]    = {.name = "quote",    .parts = 1, .work = step_quote},
    [STEP_DRAW]     = {.name = "draw",     .ask = step_draw_ask,     .answer = step_draw_answer},
    [STEP_SHOW]     = {.name = "show",     .parts = 1, .work = step_show},
    [STEP_CHECK]    = {.name = "check",    .parts = 1, .work = step_check},
    [STEP_END]      = {.name = "end"},
};
/* clang-format on */

TAILQ_HEAD(job_list, job);

struct jobs {
    struct node node;
    struct job_list list; /* oldest first: also the order in which they get slots */
    unsigned count;
    struct shelf *shelf;
    void (*ended)(uint64_t lease, Sohoa__Result *result, void *user);
    void *user;
};

static void job_enter(struct job *job);
static void jobs_unpark(struct jobs *jobs, const struct job *fetched);

static enum step job_step(const struct job *job)
{
    return plan_steps[job->plan][job->at];
}

/* "page=ab12.../3", or the scan's path as long as the sha256 is not known */
static const char *job_subject(const struct job *job)
{
    if (job->plan == PLAN_PROBE)
        return trace_value(job->order->source);
    return trace_page(job->order->sha256.data, job->plan == PLAN_ASSEMBLE ? 0 : job->first);
}

static void job_trace(const struct job *job, enum trace_level level, const char *event)
{
    trace(level, event, "lease=%" PRIu64 " %s=%s count=%u step=%s attempt=%u", job->order->lease,
          job->plan == PLAN_PROBE ? "source" : "page", job_subject(job), job->count, step_rule[job_step(job)].name,
          job->order->attempt);
}

/* ---- birth and death ---- */

static enum plan order_plan(const Sohoa__Job *order)
{
    switch (order->kind) {
    case SOHOA__JOB_KIND__JOB_PROBE: return PLAN_PROBE;
    case SOHOA__JOB_KIND__JOB_ASSEMBLE: return PLAN_ASSEMBLE;
    case SOHOA__JOB_KIND__JOB_VIEW: return order->width_px ? PLAN_PICTURE : PLAN_WORDS;
    default: return order->assemble ? PLAN_DOCUMENT : PLAN_PAGES;
    }
}

static void job_pages_new(struct job *job)
{
    job->pages = calloc(job->count, sizeof *job->pages);
    if (!job->pages)
        abort();
}

static struct job *job_new(struct jobs *jobs, Sohoa__Job *order, uint64_t now_ms)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        abort();
    job->jobs = jobs;
    job->node = &jobs->node;
    job->order = order;
    job->plan = order_plan(order);
    job->began_ms = now_ms;
    job->expires_ms = now_ms + order->lease_ms;
    if (job->plan != PLAN_PROBE) {
        job->first = job->plan == PLAN_ASSEMBLE ? 1 : order->range->first;
        job->count = job->plan == PLAN_ASSEMBLE ? order->doc_pages : order->range->count;
        job_pages_new(job);
    }
    for (unsigned i = 0; i < JOB_PARTS; i++)
        job->part[i] = (struct job_part){.job = job, .number = i};
    TAILQ_INSERT_TAIL(&jobs->list, job, entry);
    jobs->count++;
    return job;
}

static void job_free(struct job *job)
{
    TAILQ_REMOVE(&job->jobs->list, job, entry);
    job->jobs->count--;
    for (uint32_t i = 0; job->pages && i < job->count; i++) {
        if (job->err.code == E_SECRET && job->pages[i].packed.data)
            explicit_bzero(job->pages[i].packed.data, job->pages[i].packed.size);
        buf_destroy(&job->pages[i].packed);
    }
    free(job->pages);
    buf_destroy(&job->row);
    for (int part = 0; part < RECORD_PARTS; part++)
        buf_destroy(&job->output[part]);
    record_destroy(&job->record);
    source_destroy(&job->source);
    if (job->probe)
        sohoa__probe__free_unpacked(job->probe, NULL);
    if (job->description)
        description_destroy(&job->description);
    sohoa__job__free_unpacked(job->order, NULL);
    free(job);
}

static void job_release(struct job *job)
{
    if (job->slot)
        slot_release(&job->slot);
    job->open = false;
}

static void job_end(struct job *job)
{
    struct jobs *jobs = job->jobs;
    uint64_t lease = job->order->lease;
    Sohoa__Result *result = NULL;
    job_release(job);
    job->retry_ms = 0;
    if (job_step(job) == STEP_FETCH && !job->parked)
        jobs_unpark(jobs, job);
    odometer_job(job->node->odometer, job->order->kind, job->abandoned, job->err.code);
    if (job->abandoned)
        job_trace(job, TRACE_INFO, "job_abandoned");
    else
        result = job_result(job, (uint32_t)(clock_mono_ms() - job->began_ms));
    job_free(job);
    jobs->ended(lease, result, jobs->user);
}

/* A request that runs is killed with its slot; what runs on io threads is waited for. */
static void job_abandon(struct job *job)
{
    job->abandoned = true;
    if (!job->parts_left)
        job_end(job);
}

/* ---- from step to step ---- */

static bool job_pages_good(const struct job *job)
{
    return job_run(job, 0, true) == job->count;
}

/* What was looked at is read in the same lease: the order becomes that of its pages. */
static void job_read_on(struct job *job)
{
    uint8_t *sha256 = malloc(SHA256_BYTES);
    if (!sha256)
        abort();
    memcpy(sha256, job->source->sha256, SHA256_BYTES);
    job->order->sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    job->order->doc_pages = job->probe->pages;
    job->order->generation = 0; /* of the source's results, whatever its document went through before */
    job->plan = PLAN_DOCUMENT;
    job->at = 0;
    job->reads_on = true;
    job->first = 1;
    job->count = job->probe->pages;
    job_pages_new(job);
    job_enter(job);
}

static void job_advance(struct job *job)
{
    job->tries = 0;
    if (job_step(job) == STEP_KEEP && job->probe->pages <= job->order->read_most) {
        job_read_on(job);
        return;
    }
    if (job_step(job) == STEP_PAGES && job->plan == PLAN_DOCUMENT && !job_pages_good(job))
        job->plan = PLAN_PAGES;
    job->at++;
    while (job->found && job_step(job) != STEP_END)
        job->at++;
    job_enter(job);
}

static void job_fail(struct job *job, const struct err *err)
{
    job->tries = 0;
    if (job_step(job) == STEP_ASSEMBLE && job->plan == PLAN_DOCUMENT) {
        trace_err(TRACE_WARN, "assemble_failed", err, "lease=%" PRIu64 " page=%s", job->order->lease, job_subject(job));
        job->plan = PLAN_PAGES;
        assert(job_step(job) == STEP_BUNDLE);
        job_enter(job);
        return;
    }
    job->err = *err;
    job_trace(job, TRACE_DEBUG, "job_failed");
    while (job_step(job) != STEP_END)
        job->at++;
    job_enter(job);
}

/* A step is over, well or not. */
static void job_continue(struct job *job, int rc, const struct err *err)
{
    if (job->abandoned)
        job_end(job);
    else if (rc)
        job_fail(job, err);
    else
        job_advance(job);
}

static void job_time(const struct job *job, enum stage stage)
{
    odometer_stage(job->node->odometer, stage, clock_mono_ms() - job->asked_ms);
}

/* ---- work on io threads ---- */

static void part_work(struct io_task *task)
{
    struct job_part *part = (struct job_part *)task;
    part->err = (struct err){0};
    part->rc = step_rule[job_step(part->job)].work(part->job, part->number, &part->err);
}

static bool fetching(const struct job *job, const uint8_t *sha256)
{
    return job_step(job) == STEP_FETCH && (job->parts_left || job->retry_ms) &&
           !memcmp(job->order->sha256.data, sha256, SHA256_BYTES);
}

/* A fetch is over: who waited for it looks on the shelf again. */
static void jobs_unpark(struct jobs *jobs, const struct job *fetched)
{
    struct job *job = TAILQ_FIRST(&jobs->list), *next;
    if (fetched->source)
        shelf_add(jobs->shelf, fetched->source);
    for (; job; job = next) {
        next = TAILQ_NEXT(job, entry);
        if (!job->parked || memcmp(job->order->sha256.data, fetched->order->sha256.data, SHA256_BYTES))
            continue;
        job->parked = false;
        job_enter(job);
    }
}

static bool job_tries_again(struct job *job, int rc)
{
    if (rc != E_STORE || job->abandoned || ++job->tries >= JOB_STORE_TRIES)
        return false;
    job->retry_ms = clock_mono_ms() + ((uint64_t)JOB_STORE_WAIT_MS << (job->tries - 1));
    return true;
}

static void part_done(struct io_task *task)
{
    struct job_part *part = (struct job_part *)task;
    struct job *job = part->job;
    if (--job->parts_left)
        return;
    job_time(job, step_rule[job_step(job)].stage);
    const struct job_part *failed = NULL;
    for (unsigned i = 0; i < step_rule[job_step(job)].parts && !failed; i++)
        if (job->part[i].rc)
            failed = &job->part[i];
    if (failed && job_tries_again(job, failed->rc)) {
        trace_err(TRACE_WARN, "store_again", &failed->err, "lease=%" PRIu64 " try=%u", job->order->lease, job->tries);
        return;
    }
    struct err err = failed ? failed->err : (struct err){0};
    if (job_step(job) == STEP_FETCH)
        jobs_unpark(job->jobs, job);
    if (job_step(job) == STEP_KEEP && !failed && !job->order->check_only)
        shelf_add(job->jobs->shelf, job->source);
    job_continue(job, failed ? failed->rc : 0, &err);
}

static void job_submit(struct job *job)
{
    job->retry_ms = 0;
    job->asked_ms = clock_mono_ms();
    job->parts_left = step_rule[job_step(job)].parts;
    for (unsigned i = 0, parts = job->parts_left; i < parts; i++) {
        job->part[i].task = (struct io_task){.work = part_work, .done = part_done};
        io_submit(job->node->io, &job->part[i].task);
    }
}

/* From the shelf, from a fetch under way, or by itself. */
static void job_fetch(struct job *job)
{
    if (!job->source)
        job->source = shelf_find(job->jobs->shelf, job->order->sha256.data);
    if (job->source) {
        job_advance(job);
        return;
    }
    for (const struct job *other = TAILQ_FIRST(&job->jobs->list); other && !job->parked;
         other = TAILQ_NEXT(other, entry))
        job->parked = other != job && fetching(other, job->order->sha256.data);
    if (!job->parked)
        job_submit(job);
}

/* ---- the slot ---- */

static void job_ask(struct job *job)
{
    struct err err = {0};
    int rc = step_rule[job_step(job)].ask(job, &err);
    if (rc)
        job_fail(job, &err);
}

static void slot_ended(const struct slot_answer *answer, void *user)
{
    struct job *job = user;
    struct err err = {0};
    job->cpu_ms += answer->cpu_ms;
    job->node->odometer->slot_cpu_ms += answer->cpu_ms;
    job->node->odometer->slots_lost += answer->lost;
    job_time(job, job->opening ? STAGE_OPEN : step_rule[job_step(job)].stage);
    if (answer->lost)
        job->open = false;
    int rc = step_rule[job_step(job)].answer(job, answer, &err);
    if (rc == STEP_AGAIN)
        job_ask(job);
    else
        job_continue(job, rc, &err);
}

void job_send(struct job *job, const struct slot_request *request, int fd, uint64_t out_max_bytes, uint32_t limit_ms)
{
    job->asked_ms = clock_mono_ms();
    job->opening = request->op == SLOT_OPEN;
    slot_send(job->slot, request, fd, out_max_bytes, limit_ms, slot_ended, job);
}

static void job_enter(struct job *job)
{
    enum step step = job_step(job);
    job_trace(job, TRACE_DEBUG, "step");
    if (!step_rule[step].ask)
        job_release(job);
    if (step == STEP_END)
        job_end(job);
    else if (step == STEP_TAKE)
        job->waiting = true; /* jobs_tick() serves in order */
    else if (step == STEP_FETCH)
        job_fetch(job);
    else if (step_rule[step].ask)
        job_ask(job);
    else
        job_submit(job);
}

/* ---- all of them ---- */

struct jobs *jobs_new(const struct node *node, void (*ended)(uint64_t lease, Sohoa__Result *result, void *user),
                      void *user)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs)
        abort();
    jobs->node = *node;
    TAILQ_INIT(&jobs->list);
    jobs->shelf = shelf_new(JOB_SHELF_BYTES, JOB_SHELF_COUNT);
    jobs->ended = ended;
    jobs->user = user;
    return jobs;
}

void jobs_destroy(struct jobs **jobs)
{
    if (!*jobs)
        return;
    while (!TAILQ_EMPTY(&(*jobs)->list))
        job_free(TAILQ_FIRST(&(*jobs)->list));
    shelf_destroy(&(*jobs)->shelf);
    free(*jobs);
    *jobs = NULL;
}

static struct job *jobs_find(struct jobs *jobs, uint64_t lease)
{
    struct job *job = TAILQ_FIRST(&jobs->list);
    while (job && (job->order->lease != lease || job->abandoned))
        job = TAILQ_NEXT(job, entry);
    return job;
}

void jobs_start(struct jobs *jobs, Sohoa__Job *order, uint64_t now_ms)
{
    if (jobs_find(jobs, order->lease)) {
        trace(TRACE_WARN, "lease_twice", "lease=%" PRIu64, order->lease);
        sohoa__job__free_unpacked(order, NULL);
        return;
    }
    struct job *job = job_new(jobs, order, now_ms);
    job_trace(job, TRACE_INFO, "job_begins");
    job_enter(job);
}

void jobs_drop(struct jobs *jobs, uint64_t lease)
{
    struct job *job = jobs_find(jobs, lease);
    if (job)
        job_abandon(job);
}

static struct slot *slot_for(const struct job *job)
{
    return job_is_view(job) ? crew_take_view(job->node->crew) : crew_take(job->node->crew, job->order->degraded);
}

/* Repeats what the store failed; gives a slot to who waits for one. */
static void job_serve(struct job *job, uint64_t now_ms)
{
    if (job->retry_ms && now_ms >= job->retry_ms)
        job_submit(job);
    if (job->waiting && (job->slot = slot_for(job))) {
        job->waiting = false;
        job_advance(job);
    }
}

/* Leases that ran out go first: they leave their slots to the others. */
void jobs_tick(struct jobs *jobs, uint64_t now_ms)
{
    struct job *job, *next;
    for (job = TAILQ_FIRST(&jobs->list); job; job = next) {
        next = TAILQ_NEXT(job, entry);
        if (!job->abandoned && now_ms >= job->expires_ms)
            job_abandon(job);
    }
    for (job = TAILQ_FIRST(&jobs->list); job; job = next) {
        next = TAILQ_NEXT(job, entry);
        job_serve(job, now_ms);
    }
}

uint64_t jobs_wait_ms(const struct jobs *jobs, uint64_t now_ms)
{
    uint64_t due_ms = UINT64_MAX;
    for (const struct job *job = TAILQ_FIRST(&jobs->list); job; job = TAILQ_NEXT(job, entry)) {
        if (!job->abandoned && job->expires_ms < due_ms)
            due_ms = job->expires_ms;
        if (job->retry_ms && job->retry_ms < due_ms)
            due_ms = job->retry_ms;
    }
    if (due_ms == UINT64_MAX)
        return UINT64_MAX;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

unsigned jobs_count(const struct jobs *jobs)
{
    return jobs->count;
}

static bool job_wants_slot(const struct job *job)
{
    const enum step *step = &plan_steps[job->plan][job->at];
    while (*step != STEP_END && !step_rule[*step].ask)
        step++;
    return *step != STEP_END;
}

unsigned jobs_room(const struct jobs *jobs, unsigned ahead)
{
    unsigned wanting = 0, most = ahead + JOB_STORING_MAX;
    for (const struct job *job = TAILQ_FIRST(&jobs->list); job; job = TAILQ_NEXT(job, entry))
        wanting += job_wants_slot(job) && !job_is_view(job);
    if (wanting >= ahead || jobs->count >= most)
        return 0;
    return ahead - wanting < most - jobs->count ? ahead - wanting : most - jobs->count;
}
