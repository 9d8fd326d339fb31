/* SPDX-License-Identifier: AGPL-3.0-or-later
 * VIEW jobs on their way: outside credit and leases, each said once. What is lost with a connection, another worker makes;
 * what comes when nobody knows of it any more is removed. */
#include <inttypes.h>
#include <stdlib.h>

#include "coordinator/coordinator.h"
#include "proto/trace.h"
#include "storage/name.h"

static void view_dropped(const struct view *view, void *user)
{
    struct name name;
    coordinator_remove(user, name_view(&name, view->key.sha256, view->id));
}

struct sweep {
    struct io_task task;
    struct coordinator *c;
};

static void sweep_work(struct io_task *task)
{
    blobs_remove(((struct sweep *)task)->c->store, "view/");
}

static void sweep_done(struct io_task *task)
{
    ((struct sweep *)task)->c->views_swept = true;
    free(task);
}

void viewing_start(struct coordinator *c)
{
    struct sweep *sweep = calloc(1, sizeof *sweep);
    if (!sweep)
        abort();
    *sweep = (struct sweep){
        .task = {.work = sweep_work, .done = sweep_done},
          .c = c
    };
    c->views = views_new((store_epoch(c->store) << LEASES_AN_EPOCH) + 1, view_dropped, c);
    io_submit(c->back_io, &sweep->task);
}

static bool view_send(struct coordinator *c, const char *worker, const struct view *view)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Job job = SOHOA__JOB__INIT;
    Sohoa__Range range = SOHOA__RANGE__INIT;
    struct name blob, words;
    range.first = view->key.page_no;
    range.count = 1;
    job.lease = view->id;
    job.kind = SOHOA__JOB_KIND__JOB_VIEW;
    job.lease_ms = VIEW_LEASE_MS;
    job.sha256 = (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)view->key.sha256};
    job.range = &range;
    job.doc_pages = view->key.doc_pages;
    job.width_px = view->key.width_px;
    job.attempt = view->tries;
    job.blob = (char *)name_view(&blob, view->key.sha256, view->id);
    job.source = (char *)name_out(&words, view->key.sha256, c->backlog->pipeline[view->key.pipeline],
                                  view->key.generation, "words");
    frame.body_case = SOHOA__FRAME__BODY_VIEW;
    frame.view = &job;
    trace(TRACE_DEBUG, "view", "lease=%" PRIu64 " worker=%s page=%s width=%u", view->id, trace_value(worker),
          trace_page(view->key.sha256, view->key.page_no), view->key.width_px);
    return gate_send(c->gate, worker, &frame);
}

void viewing_grant(struct coordinator *c, uint64_t now_ms)
{
    const struct view *view;
    for (uint32_t i = 0; i < c->peers && c->views_swept; i++) {
        const struct sched_worker *worker = sched_worker(c->sched, i);
        if (!worker->connected || worker->drained || !c->peer[i].views)
            continue;
        while ((view = views_next(c->views, i, now_ms)))
            if (!view_send(c, worker->name, view)) {
                peers_gone(c, i, "unreachable", now_ms);
                coordinator_apply(c);
                break;
            }
    }
    views_expire(c->views, now_ms);
}

void viewing_result(struct coordinator *c, uint32_t worker, const Sohoa__Result *result)
{
    const Sohoa__Viewed *viewed = result->viewed;
    struct err why;
    err_from_wire(result->err, &why);
    if (why.code)
        trace_err(TRACE_INFO, "viewed", &why, "lease=%" PRIu64, result->lease);
    if (!views_made(c->views, worker, result->lease, viewed ? viewed->bytes : 0, viewed && viewed->jpeg, &why) &&
        viewed)
        coordinator_remove(c, viewed->blob);
}
