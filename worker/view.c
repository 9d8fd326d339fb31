/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The steps of VIEW: a page for people, as a picture that a slot draws, or as its words. What is stored is looked at
 * once more for a tombstone, so that a quarantine wins whichever of the two came first. */
#include <string.h>

#include "proto/auto.h"
#include "proto/trace.h"
#include "worker/bundle.h"
#include "worker/page.h"
#include "worker/quote.h"
#include "worker/step.h"

bool job_is_view(const struct job *job)
{
    return job->plan == PLAN_PICTURE || job->plan == PLAN_WORDS;
}

int step_permit(struct job *job, unsigned part, struct err *err)
{
    (void)part;
    return look_stopped(job, err);
}

/* ---- words ---- */

static int page_quote(const void *packed, size_t bytes, void *user, struct err *err)
{
    struct job *job = user;
    AUTO(page_destroy) Sohoa__Page *page = NULL;
    int rc = page_unpack(packed, bytes, &page, err);
    if (rc || page->page_no != job->first)
        return rc;
    job->rotation_deg = page->rotation_deg;
    return quote_words(page, &job->output[0], err);
}

int step_quote(struct job *job, unsigned part, struct err *err)
{
    AUTO(buf_destroy) struct buf bundle = {0};
    AUTO(buf_destroy) struct buf row = {0};
    (void)part;
    buf_clear(&job->output[0]);
    int rc = store_get(job->node->store, job->order->source, WORDS_MAX_BYTES, &bundle, err);
    if (rc == E_ABSENT && job->plan == PLAN_PICTURE) /* a document that could not be assembled is shown as it lies */
        return 0;
    if (!rc)
        rc = bundle_unpack(bundle.data, bundle.size, WORDS_MAX_BYTES, &row, err);
    if (!rc)
        rc = pages_each(row.data, row.size, page_quote, job, err);
    if (!rc && !job->output[0].size)
        rc = err_set(err, E_ABSENT, "%s has no page %u", job->order->source, job->first);
    return rc;
}

/* ---- the picture ---- */

int step_draw_ask(struct job *job, struct err *err)
{
    struct slot_request request = {
        .op = SLOT_VIEW, .page_no = job->first, .rotation_deg = job->rotation_deg, .width_px = job->order->width_px};
    (void)err;
    job_send(job, &request, -1, VIEW_MAX_BYTES, (uint32_t)config_int(job->node->config, CFG_PAGE_MAX_MS));
    return 0;
}

static bool starts_with(const struct buf *picture, const char *magic, size_t bytes)
{
    return picture->size > bytes && !memcmp(picture->data, magic, bytes);
}

bool picture_is_jpeg(const struct buf *picture)
{
    return starts_with(picture, "\xff\xd8\xff", 3);
}

/* What else a slot may give is nothing that browsers are to be told is a picture. */
int step_draw_answer(struct job *job, const struct slot_answer *answer, struct err *err)
{
    struct buf *picture = &job->output[0];
    if (answer->rc)
        return slot_said(answer, err);
    buf_clear(picture);
    buf_append(picture, answer->section[0].data, answer->section[0].bytes);
    if (!picture_is_jpeg(picture) && !starts_with(picture, "\x89PNG\r\n\x1a\n", 8))
        return err_set(err, E_FRAME, "the slot's picture is neither PNG nor JPEG");
    return 0;
}

/* ---- store it ---- */

int step_show(struct job *job, unsigned part, struct err *err)
{
    const struct buf *output = &job->output[0];
    struct store *store = job->node->store;
    struct err fault = {0};
    (void)part;
    int rc = blob_put(store, job->order->blob, output->data, output->size, err);
    if (rc && rc != E_EXISTS)
        return rc;
    rc = look_stopped(job, err);
    if (rc == E_STOPPED && store_remove(store, job->order->blob, &fault)) {
        *err = fault;
        rc = fault.code;
    }
    return rc;
}
