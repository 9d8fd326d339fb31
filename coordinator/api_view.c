/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A page is shown while its document's result is in force: looked at when it is asked for, and again when it is there. */
#include "coordinator/api_view.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/api.h"
#include "proto/clock.h"
#include "storage/name.h"

static const uint32_t width_px[] = {240, 800, VIEW_MAX_PX}; /* few, so that people share pictures */

/* ---- who asks ---- */

struct asking {
    struct coordinator *c;
    struct request *request;
    struct doc_ref ref;
};

static int document_check(const struct coordinator *c, struct doc_ref ref, uint32_t *ret_generation, struct err *err)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    const struct doc *doc = doc_look(batch, ref.doc);
    if (document_in_force(doc, ret_generation))
        return 0;
    return err_set(err, E_STATE, "document %u of batch %s is %s", ref.doc, batch->id, doc_state_name(doc->state));
}

static int page_take(const struct coordinator *c, const struct route_args *args, struct view_key *key, struct err *err)
{
    struct doc_ref ref = {args->batch->index, args->doc};
    const struct doc *doc = doc_look(args->batch, ref.doc);
    char *end;
    int rc = document_check(c, ref, &key->generation, err);
    if (rc)
        return rc;
    const struct work *work = &c->backlog->work[doc->work];
    unsigned long page_no = strtoul(args->word, &end, 10);
    if (*args->word < '0' || *args->word > '9' || *end || !page_no || page_no > work->pages)
        return err_set(err, E_ABSENT, "the document has no page '%.20s': 1 to %u", args->word, (unsigned)work->pages);
    memcpy(key->sha256, work->sha256, SHA256_BYTES);
    key->pipeline = work->pipeline;
    key->page_no = (uint32_t)page_no;
    key->doc_pages = work->pages;
    return 0;
}

static int width_take(const struct request *request, uint32_t *ret_px, struct err *err)
{
    const char *text = request_argument(request, "width");
    for (size_t i = 0; text && i < sizeof width_px / sizeof width_px[0]; i++) {
        char known[16];
        snprintf(known, sizeof known, "%u", width_px[i]);
        if (!strcmp(text, known)) {
            *ret_px = width_px[i];
            return 0;
        }
    }
    return err_set(err, E_USAGE, "width is %u, %u or %u pixels", width_px[0], width_px[1], width_px[2]);
}

static void view_answer(const struct view *view, const struct err *why, void *user)
{
    struct asking *asking = user;
    struct name name;
    struct err err;
    uint32_t generation;
    if (view && document_check(asking->c, asking->ref, &generation, &err))
        why = &err;
    if (why)
        request_answer_err(asking->request, why);
    else if (!view->key.width_px)
        request_answer_blob(asking->request, name_view(&name, view->key.sha256, view->id), "application/json",
                            "words.json");
    else
        request_answer_blob(asking->request, name_view(&name, view->key.sha256, view->id),
                            view->jpeg ? "image/jpeg" : "image/png", view->jpeg ? "page.jpg" : "page.png");
    free(asking);
}

static void view_ask(struct coordinator *c, struct request *request, const struct route_args *args,
                     const struct view_key *key)
{
    struct asking *asking = calloc(1, sizeof *asking);
    struct err err;
    if (!asking)
        abort();
    *asking = (struct asking){
        c, request, {args->batch->index, args->doc}
    };
    if (views_ask(c->views, key, clock_mono_ms(), view_answer, asking, &err)) {
        request_answer_err(request, &err);
        free(asking);
    }
}

void get_picture(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct view_key key = {.page_no = 0};
    struct err err;
    int rc = page_take(c, args, &key, &err);
    if (!rc)
        rc = width_take(request, &key.width_px, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    view_ask(c, request, args, &key);
}

void get_words(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct view_key key = {.page_no = 0};
    struct err err;
    if (page_take(c, args, &key, &err))
        request_answer_err(request, &err);
    else
        view_ask(c, request, args, &key);
}
