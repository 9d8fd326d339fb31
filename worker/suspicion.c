/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page that may be a state secret ends its whole job: nothing of the document is stored by it, and what is told has the page and the
 * stamp's place, never a word. Pages that can't be read are looked at before their document is made; where that fails, too, a person has
 * to say what they are. */
#include <inttypes.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/trace.h"
#include "worker/secrecy.h"
#include "worker/step.h"

static void suspicion_add(struct job *job, uint32_t page_no, const Sohoa__Stamp *stamp)
{
    if (job->suspicions == SUSPICIONS_MOST)
        return;
    struct suspicion *suspicion = &job->suspicion[job->suspicions++];
    suspicion->page_no = page_no;
    sohoa__stamp__init(&suspicion->stamp);
    suspicion->stamp.kind = stamp->kind;
    suspicion->stamp.x = stamp->x;
    suspicion->stamp.y = stamp->y;
    suspicion->stamp.w = stamp->w;
    suspicion->stamp.h = stamp->h;
    suspicion->stamp.confidence_cpct = stamp->confidence_cpct;
    suspicion->stamp.picture = stamp->picture;
    suspicion->stamp.words = stamp->words;
}

int suspicion_fail(const struct job *job, struct err *err)
{
    const struct suspicion *first = &job->suspicion[0];
    bool unseen = first->stamp.kind == SOHOA__STAMP_KIND__STAMP_UNSEEN;
    err_set(err, E_SECRET,
            unseen ? "page %u can't be looked at: a person has to say what it is"
                   : "page %u may bear a secrecy stamp: a person has to say what it is",
            first->page_no);
    err->page_no = first->page_no;
    trace_err(TRACE_WARN, "page_suspected", err, "lease=%" PRIu64 " page=%s stamps=%u", job->order->lease,
              trace_page(job->order->sha256.data, first->page_no), job->suspicions);
    return E_SECRET;
}

int suspicion_take(struct job *job, const Sohoa__Page *page, struct err *err)
{
    if (job->order->cleared || !secrecy_suspects(page))
        return 0;
    for (size_t i = 0; i < page->n_stamps; i++)
        suspicion_add(job, page->page_no, page->stamps[i]);
    return suspicion_fail(job, err);
}

/* ---- dead pages ---- */

static uint32_t dead_next(const struct job *job, uint32_t from)
{
    while (from < job->count && !job->pages[from].said.dead)
        from++;
    return from;
}

bool suspicion_ask(struct job *job)
{
    if (job->order->cleared)
        return false;
    job->look_at = dead_next(job, job->look_at);
    if (job->look_at == job->count)
        return false;
    struct slot_request request = {.op = SLOT_LOOK, .page_no = job->first + job->look_at};
    job->looking = true;
    job_send(job, &request, -1, PAGE_MAX_BYTES, (uint32_t)config_int(job->node->config, CFG_PAGE_MAX_MS));
    return true;
}

void suspicion_answer(struct job *job, const struct slot_answer *answer)
{
    AUTO(page_destroy) Sohoa__Page *page = NULL;
    uint32_t page_no = job->first + job->look_at++;
    struct err err = {0};
    Sohoa__Stamp unseen = SOHOA__STAMP__INIT;
    unseen.kind = SOHOA__STAMP_KIND__STAMP_UNSEEN;
    job->looking = false;
    int rc = answer->rc ? answer->rc : page_unpack(answer->section[0].data, answer->section[0].bytes, &page, &err);
    if (rc)
        suspicion_add(job, page_no, &unseen);
    else if (secrecy_suspects(page))
        for (size_t i = 0; i < page->n_stamps; i++)
            suspicion_add(job, page_no, page->stamps[i]);
}
