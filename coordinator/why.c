/* SPDX-License-Identifier: AGPL-3.0-or-later
 * From the cluster over the lot to the document and its pages. A reason that is there already is only counted. */
#include "coordinator/why.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/day.h"
#include "coordinator/target.h"

static const char *const why_text[WHY_KINDS] = {
    [WHY_STARTING] = "starting",   [WHY_NO_WORKERS] = "no workers",
    [WHY_DRAINED] = "drained",     [WHY_PAUSED] = "paused",
    [WHY_BROKEN] = "broken",       [WHY_UNIT_PAUSED] = "unit paused",
    [WHY_NO_READER] = "no reader", [WHY_NO_INTAKE] = "no intake",
    [WHY_RUNNING] = "running",     [WHY_TURN] = "turn",
    [WHY_NEXT] = "next",           [WHY_RETRY] = "retry",
    [WHY_PROBE] = "probe",         [WHY_ASSEMBLY] = "assembly",
    [WHY_LATE] = "late",           [WHY_AT_RISK] = "at risk",
    [WHY_FAILED] = "failed",       [WHY_QUARANTINED] = "quarantined",
    [WHY_DUPLICATE] = "duplicate", [WHY_WITHDRAWN] = "withdrawn",
    [WHY_DONE] = "done",
};

const char *why_name(enum why kind)
{
    return why_text[kind];
}

void reasons_destroy(struct reasons *reasons)
{
    for (size_t i = 0; i < reasons->count; i++) {
        buf_destroy(&reasons->reason[i].text);
        buf_destroy(&reasons->reason[i].hint);
    }
    reasons->count = 0;
}

/* NULL: it is there already, or there are too many. */
static struct reason *reason_add(struct reasons *reasons, enum why kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct reason *reason_add(struct reasons *reasons, enum why kind, const char *format, ...)
{
    char text[1024];
    va_list args;
    for (size_t i = 0; i < reasons->count; i++)
        if (reasons->reason[i].kind == kind) {
            reasons->reason[i].times++;
            return NULL;
        }
    if (reasons->count == WHY_REASONS_MOST)
        return NULL;
    struct reason *reason = &reasons->reason[reasons->count++];
    *reason = (struct reason){.kind = kind, .times = 1};
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_puts(&reason->text, text);
    return reason;
}

static void hint(struct reason *reason, const char *text, const char *of)
{
    if (reason)
        buf_printf(&reason->hint, "%s%s", text, of);
}

/* ---- the cluster ---- */

struct crowd {
    uint32_t connected, working, reading; /* not drained; ... and of the pipeline */
    bool sees;                            /* one of these has the tag */
};

static struct crowd crowd_of(const struct sched *sched, uint32_t pipeline, const char *tag)
{
    struct crowd crowd = {0};
    for (uint32_t i = 0; i < sched_workers(sched); i++) {
        const struct sched_worker *worker = sched_worker(sched, i);
        bool works = worker->connected && !worker->drained;
        bool reads = works && (pipeline == NONE || worker->pipeline == pipeline);
        crowd.connected += worker->connected;
        crowd.working += works;
        crowd.reading += reads;
        crowd.sees |= reads && sched_sees(worker, tag);
    }
    return crowd;
}

static void cluster_why(const struct why_scene *scene, struct reasons *reasons)
{
    struct crowd crowd = crowd_of(scene->sched, NONE, "");
    if (!crowd.connected)
        hint(reason_add(reasons, WHY_NO_WORKERS, "no worker is connected"), "start workers; sohoa workers shows them",
             "");
    else if (!crowd.working)
        hint(reason_add(reasons, WHY_DRAINED, "all %u connected workers are drained", crowd.connected),
             "sohoa undrain WORKER", "");
    if (scene->now_ms < scene->granting_ms)
        reason_add(reasons, WHY_STARTING,
                   "the coordinator has just started and waits up to %" PRIu64 " s for the workers of before",
                   (scene->granting_ms - scene->now_ms) / 1000 + 1);
}

/* ---- a lot ---- */

static void pause_why(const struct why_scene *scene, const struct batch *batch, const struct lot *lot,
                      struct reasons *reasons)
{
    const struct standing *standing = &batch->standing;
    if (standing->paused && standing->fault != NONE) {
        const struct fault *fault = &scene->backlog->fault[standing->fault];
        struct reason *reason =
            reason_add(reasons, WHY_BROKEN, "batch %s paused after the same failure over and over, %s: %s", batch->id,
                       err_name(fault->code), fault->text);
        hint(reason, "see to the cause, then sohoa resume ", batch->id);
    } else if (standing->paused) {
        hint(reason_add(reasons, WHY_PAUSED, "a person paused batch %s", batch->id), "sohoa resume ", batch->id);
    } else {
        hint(reason_add(reasons, WHY_UNIT_PAUSED, "a person paused unit %s", lot->terms.unit), "sohoa resume ",
             lot->terms.unit);
    }
}

/* Pages that are read before those of the lot. */
static double pages_ahead(const struct why_scene *scene, const struct lot *lot)
{
    double pages = 0;
    for (size_t i = 0; i < scene->plan->rows; i++) {
        const struct plan_row *row = &scene->plan->row[i];
        if (row->lot && row->lot != lot && !row->lot->paused && row->lot->turn_ms < lot->turn_ms)
            pages += row->pages;
    }
    return pages;
}

/* True: something of the lot could be granted at once. */
static bool lot_why(const struct why_scene *scene, const struct lot *lot, struct reasons *reasons)
{
    const struct batch *batch = scene->backlog->batch[lot->batch];
    struct crowd crowd = crowd_of(scene->sched, batch->pipeline, lot->terms.intake);
    if (lot->paused) {
        pause_why(scene, batch, lot, reasons);
        return false;
    }
    if (crowd.working && !crowd.reading) {
        hint(reason_add(reasons, WHY_NO_READER,
                        "no worker that is connected reads as batch %s is to be read: its pipeline is another",
                        batch->id),
             "sohoa workers shows pipelines; a re-run may take another", "");
        return false;
    }
    if (crowd.reading && !crowd.sees) {
        hint(reason_add(reasons, WHY_NO_INTAKE, "no worker that is connected has the tag '%s', which sees the sources",
                        lot->terms.intake),
             "start one with --tags=", lot->terms.intake);
        return false;
    }
    return crowd.reading;
}

static void turn_why(const struct why_scene *scene, const struct lot *lot, struct reasons *reasons)
{
    uint64_t leased = lot->page_count[PAGE_LEASED];
    double ahead = pages_ahead(scene, lot);
    if (leased)
        reason_add(reasons, WHY_RUNNING, "%" PRIu64 " of its pages are being read", leased);
    if (ahead >= 1) {
        struct reason *reason = reason_add(reasons, WHY_TURN, "%.0f pages that are more urgent come first", ahead);
        hint(reason, "sohoa deadline or priority moves it; sohoa plan tells what that does", "");
    } else if (!leased) {
        reason_add(reasons, WHY_NEXT, "nothing stands in its way: its turn is next");
    }
}

/* ---- what the forecast says ---- */

/* Puts what is worse into total. */
static void outlook_take(const struct plan_row *row, struct outlook *worst, uint64_t *deadline_ms)
{
    if (row->outlook.verdict < worst->verdict ||
        (row->outlook.verdict == worst->verdict && row->outlook.slack_ms >= worst->slack_ms))
        return;
    *worst = row->outlook;
    *deadline_ms = row->demand.deadline_ms;
}

static void outlook_why(const struct outlook *outlook, uint64_t deadline_ms, struct reasons *reasons)
{
    char p50[DAY_MOMENT_BYTES] = "never", p90[DAY_MOMENT_BYTES] = "never", due[DAY_CHARS + 1];
    bool late = outlook->verdict == VERDICT_LATE;
    if (!late && outlook->verdict != VERDICT_AT_RISK)
        return;
    if (outlook->p50_ms != FORECAST_NEVER)
        day_moment(outlook->p50_ms, p50);
    if (outlook->p90_ms != FORECAST_NEVER)
        day_moment(outlook->p90_ms, p90);
    struct reason *reason =
        reason_add(reasons, late ? WHY_LATE : WHY_AT_RISK, "due %s, it ends %s (one time of two), %s (nine of ten)%s",
                   day_date(deadline_ms, due), p50, p90, outlook->shed ? ": more important work makes it late" : "");
    if (reason && outlook->cores_needed > 0 && outlook->cores_needed < 1e9)
        buf_printf(&reason->hint, "%.1f more cores would be enough; ", outlook->cores_needed);
    hint(reason, "sohoa plan --add-cores N, or another deadline, tells what would help", "");
}

/* ---- what can be asked ---- */

struct gathering {
    bool open, ready;
    uint64_t docs, finished; /* that are final */
    struct outlook worst;
    uint64_t deadline_ms;
};

static void lot_gather(const struct why_scene *scene, const struct lot *lot, struct gathering *all,
                       struct reasons *reasons)
{
    bool open = lot_open(lot) && !scene->backlog->batch[lot->batch]->withdrawn;
    all->docs += lot->docs;
    all->finished += lot->docs - lot->doc_count[SOHOA__DOC_STATE__DOC_OPEN];
    all->open |= open;
    if (open && lot_why(scene, lot, reasons)) {
        all->ready = true;
        turn_why(scene, lot, reasons);
    }
}

static void row_gather(const struct plan_row *row, struct gathering *all)
{
    outlook_take(row, &all->worst, &all->deadline_ms);
}

static struct gathering gathering_new(void)
{
    return (struct gathering){.worst = {.slack_ms = INT64_MAX}};
}

static void gathering_end(const struct gathering *all, struct reasons *reasons)
{
    if (!all->open)
        reason_add(reasons, WHY_DONE, "%" PRIu64 " of %" PRIu64 " documents are final: nothing of it is left to do",
                   all->finished, all->docs);
    outlook_why(&all->worst, all->deadline_ms, reasons);
}

void why_batch(const struct why_scene *scene, const struct batch *batch, struct reasons *reasons)
{
    struct gathering all = gathering_new();
    if (batch->withdrawn) {
        reason_add(reasons, WHY_WITHDRAWN, "it was withdrawn: what was not done then is given up");
        return;
    }
    bool open = false;
    for (uint32_t i = 0; i < batch->lots; i++)
        open |= lot_open(batch->lot[i]);
    if (open)
        cluster_why(scene, reasons);
    for (uint32_t i = 0; i < batch->lots; i++)
        lot_gather(scene, batch->lot[i], &all, reasons);
    for (size_t i = 0; i < scene->plan->rows; i++)
        if (scene->plan->row[i].lot && scene->plan->row[i].lot->batch == batch->index)
            row_gather(&scene->plan->row[i], &all);
    gathering_end(&all, reasons);
}

static bool is_of_unit(const struct plan_row *row, const char *unit)
{
    return !strcmp(row->lot ? row->lot->terms.unit : row->unit, unit);
}

void why_unit(const struct why_scene *scene, const char *unit, struct reasons *reasons)
{
    const struct target *target = target_of(scene->backlog, unit, 0);
    struct gathering all = gathering_new();
    cluster_why(scene, reasons);
    for (uint32_t b = 0; b < scene->backlog->batches; b++) {
        const struct batch *batch = scene->backlog->batch[b];
        for (uint32_t i = 0; batch && !batch->check_only && i < batch->lots; i++)
            if (!strcmp(batch->lot[i]->terms.unit, unit))
                lot_gather(scene, batch->lot[i], &all, reasons);
    }
    if (target && target->paused && !all.open)
        hint(reason_add(reasons, WHY_UNIT_PAUSED, "a person paused unit %s", unit), "sohoa resume ", unit);
    for (size_t i = 0; i < scene->plan->rows; i++)
        if (is_of_unit(&scene->plan->row[i], unit))
            row_gather(&scene->plan->row[i], &all);
    gathering_end(&all, reasons);
}

/* ---- a document ---- */

static const struct lease *lease_of(const struct why_scene *scene, struct doc_ref ref, uint32_t work,
                                    const char **ret_worker)
{
    const struct lease *lease;
    for (uint32_t i = 0; i < sched_workers(scene->sched); i++)
        for (uint32_t j = 0; (lease = sched_lease(scene->sched, i, j)); j++)
            if (work == NONE ? lease->work == NONE && lease->doc.batch == ref.batch && lease->doc.doc == ref.doc
                             : lease->work == work) {
                *ret_worker = sched_worker(scene->sched, i)->name;
                return lease;
            }
    return NULL;
}

static void lease_why(const struct why_scene *scene, struct doc_ref ref, uint32_t work, struct reasons *reasons)
{
    const char *worker = "";
    const struct lease *lease = lease_of(scene, ref, work, &worker);
    static const char *const doing[] = {
        [SOHOA__JOB_KIND__JOB_PROBE] = "looks at its source",
        [SOHOA__JOB_KIND__JOB_PAGES] = "reads its pages",
        [SOHOA__JOB_KIND__JOB_ASSEMBLE] = "puts it together",
    };
    if (lease)
        reason_add(reasons, WHY_RUNNING, "worker %s %s since %" PRIu64 " s, attempt %u (lease %" PRIu64 ")", worker,
                   doing[lease->kind], (scene->now_ms - lease->granted_ms) / 1000, lease->attempt, lease->id);
}

/* The page that failed last, while it waits for another attempt. */
static void retry_why(const struct why_scene *scene, const struct work *work, struct reasons *reasons)
{
    const struct cut *cut = cut_of(work);
    for (uint32_t i = 0; i < cut->parts; i++) {
        const struct part *part = &cut->part[i];
        if (part->state != PAGE_QUEUED || part->fault == NONE)
            continue;
        const struct fault *fault = &scene->backlog->fault[part->fault];
        uint64_t wait_ms = part->not_before_ms > scene->now_ms ? part->not_before_ms - scene->now_ms : 0;
        reason_add(reasons, WHY_RETRY,
                   "pages %u-%u failed %u times, last with %s: %s; they are tried again, not before %" PRIu64 " s",
                   part->first, part->first + part->count - 1, part->attempts, err_name(fault->code), fault->text,
                   wait_ms / 1000);
    }
}

static void work_why(const struct why_scene *scene, struct doc_ref ref, const struct doc *doc, struct reasons *reasons)
{
    const struct work *work = &scene->backlog->work[doc->work];
    lease_why(scene, ref, doc->work, reasons);
    if (work->phase == WORK_READY)
        retry_why(scene, work, reasons);
    else if (work->phase == WORK_ASSEMBLING && !work->leased)
        reason_add(reasons, WHY_ASSEMBLY, "all its pages are read; it waits to be put together");
    else if (work->phase == WORK_STOPPED)
        reason_add(reasons, WHY_QUARANTINED, "its source is stopped");
}

static void open_why(const struct why_scene *scene, struct doc_ref ref, const struct doc *doc, struct reasons *reasons)
{
    const struct batch *batch = scene->backlog->batch[ref.batch];
    if (doc->phase == PHASE_UNPROBED && doc->attempts)
        reason_add(reasons, WHY_PROBE, "its source could not be read %u times; it is tried again", doc->attempts);
    else if (doc->phase == PHASE_UNPROBED)
        reason_add(reasons, WHY_PROBE, "its source was not looked at yet");
    else if (doc->phase == PHASE_PROBING)
        lease_why(scene, ref, NONE, reasons);
    else if (doc->phase == PHASE_PLACED)
        reason_add(reasons, WHY_PROBE, "its source was looked at; the store is about to have that");
    else if (doc->work != NONE)
        work_why(scene, ref, doc, reasons);
    bool runs = reasons->count && reasons->reason[reasons->count - 1].kind == WHY_RUNNING;
    if (runs)
        return;
    cluster_why(scene, reasons);
    if (lot_why(scene, lot_of(batch, ref.doc), reasons))
        turn_why(scene, lot_of(batch, ref.doc), reasons);
}

static void final_why(const struct why_scene *scene, struct doc_ref ref, const struct doc *doc, struct reasons *reasons)
{
    const struct batch *batch = scene->backlog->batch[ref.batch];
    const struct fault *fault = doc->fault == NONE ? NULL : &scene->backlog->fault[doc->fault];
    struct reason *reason;
    switch (doc->state) {
    case SOHOA__DOC_STATE__DOC_DUPLICATE:
        reason_add(reasons, WHY_DUPLICATE, "its source is that of document %u of the batch, whose result is its",
                   doc->duplicate_of);
        return;
    case SOHOA__DOC_STATE__DOC_WITHDRAWN: reason_add(reasons, WHY_WITHDRAWN, "it was withdrawn"); return;
    case SOHOA__DOC_STATE__DOC_QUARANTINED:
        reason_add(reasons, WHY_QUARANTINED, "it is quarantined%s%s", fault ? ": " : "", fault ? fault->text : "");
        return;
    case SOHOA__DOC_STATE__DOC_STORED:
        reason_add(reasons, WHY_DONE, "it is done: %u pages are stored", doc->pages_stored);
        return;
    default:
        reason =
            reason_add(reasons, WHY_FAILED, "it is %s, %u of %u pages stored; %s: %s", doc_state_name(doc->state),
                       doc->pages_stored, doc->pages, fault ? err_name(fault->code) : "-", fault ? fault->text : "");
        if (reason)
            buf_printf(&reason->hint, "when the cause is gone: sohoa rerun %s --document %u", batch->id, ref.doc);
    }
}

void why_document(const struct why_scene *scene, struct doc_ref ref, struct reasons *reasons)
{
    const struct doc *doc = doc_look(scene->backlog->batch[ref.batch], ref.doc);
    if (doc->state == SOHOA__DOC_STATE__DOC_OPEN)
        open_why(scene, ref, doc, reasons);
    else
        final_why(scene, ref, doc, reasons);
}
