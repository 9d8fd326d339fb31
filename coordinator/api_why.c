/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_why.h"

#include <stdio.h>

#include "coordinator/api_body.h"
#include "coordinator/gazetteer.h"
#include "coordinator/live.h"
#include "coordinator/story.h"
#include "coordinator/why.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

static struct why_scene scene_of(const struct coordinator *c)
{
    return (struct why_scene){.backlog = c->backlog,
                              .sched = c->sched,
                              .plan = &c->plan,
                              .now_ms = clock_mono_ms(),
                              .granting_ms = c->granting_ms};
}

static void reasons_answer(struct request *request, const struct reasons *reasons)
{
    json_t *list = json_array();
    for (size_t i = 0; i < reasons->count; i++) {
        const struct reason *reason = &reasons->reason[i];
        json_array_append_new(list, json_pack("{s:s, s:i, s:s, s:s}", "kind", why_name(reason->kind), "times",
                                              (int)reason->times, "text", buf_text(&reason->text), "hint",
                                              buf_text(&reason->hint)));
    }
    request_answer(request, 200, json_pack("{s:o}", "reasons", list));
}

void get_batch_why(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(reasons_destroy) struct reasons reasons = {0};
    const struct why_scene scene = scene_of(c);
    why_batch(&scene, args->batch, &reasons);
    reasons_answer(request, &reasons);
}

void get_document_why(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(reasons_destroy) struct reasons reasons = {0};
    const struct why_scene scene = scene_of(c);
    why_document(&scene, (struct doc_ref){args->batch->index, args->doc}, &reasons);
    reasons_answer(request, &reasons);
}

void get_unit_why(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(reasons_destroy) struct reasons reasons = {0};
    const struct why_scene scene = scene_of(c);
    struct err err;
    int rc = live_unit(c->live, args->word) || place_find(args->word)
                 ? account_may_unit(request_account(request), args->word, &err)
                 : err_set(&err, E_ABSENT, "there is no unit '%.60s'", args->word);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    why_unit(&scene, args->word, &reasons);
    reasons_answer(request, &reasons);
}

/* ?page=: of one page. */
void get_document_trace(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(mem_destroy) char *source = NULL;
    const struct doc *doc = doc_look(args->batch, args->doc);
    char document[NAME_BYTES + 32], page[2 * SHA256_BYTES] = ""; /* trace_page()'s own does not last */
    uint32_t page_no = 0;
    struct row row;
    struct err err;
    int rc = number_argument(request, "page", DOC_MAX_PAGES, &page_no, &err);
    if (!rc)
        rc = coordinator_row(c, (struct doc_ref){args->batch->index, args->doc}, &row, &source, &err);
    snprintf(document, sizeof document, "batch=%s doc=%u", args->batch->id, args->doc);
    if (doc->work != NONE)
        snprintf(page, sizeof page, "%s", trace_page(c->backlog->work[doc->work].sha256, 0));
    const struct trace_subject subject = {.page = doc->work == NONE ? ""
                                                                    : trace_page(c->backlog->work[doc->work].sha256, 0),
                                          .page_no = page_no,
                                          .source = rc ? "" : source,
                                          .document = document};
    if (!rc)
        rc = story_ask(c, request, &subject, &err);
    if (rc)
        request_answer_err(request, &err);
}
