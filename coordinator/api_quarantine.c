/* SPDX-License-Identifier: AGPL-3.0-or-later
 * In the order of batches and documents. */
#include "coordinator/api_quarantine.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/quarantine.h"
#include "proto/auto.h"

enum { LISTED_PRESET = 100, LISTED_MOST = 1000, PLACE_BYTES = NAME_BYTES + 16, ALL_CPCT = 10000 };

struct query {
    const struct account *account;
    const struct batch *only; /* NULL: all batches */
    struct doc_ref from;
    uint32_t limit;
};

/* ---- one ---- */

static json_t *suspicion_json(const struct suspicion *it)
{
    return json_pack("{s:I, s:s, s:i, s:i, s:I, s:I, s:f, s:b, s:b}", "page", (json_int_t)it->page_no, "kind",
                     stamp_word(it->kind), "x", it->x, "y", it->y, "w", (json_int_t)it->w, "h", (json_int_t)it->h,
                     "confidence", it->confidence_cpct / (double)ALL_CPCT, "picture", it->picture, "words", it->words);
}

static json_t *raised_json(const struct raised *raised)
{
    json_t *suspicions = json_array();
    if (!raised) {
        json_decref(suspicions);
        return json_null();
    }
    for (uint32_t i = 0; i < raised->suspicions; i++)
        json_array_append_new(suspicions, suspicion_json(&raised->suspicion[i]));
    return json_pack("{s:I, s:s, s:s, s:o}", "time_ms", (json_int_t)raised->time_ms, "actor", raised->actor, "reason",
                     raised->reason, "suspicions", suspicions);
}

static json_t *quarantined_json(const struct coordinator *c, struct doc_ref ref)
{
    const struct doc *doc = doc_at(c->backlog, ref);
    const uint8_t *sha256 = doc->work == NONE ? NULL : c->backlog->work[doc->work].sha256;
    char hex[SHA256_HEX_CHARS + 1] = "";
    if (sha256)
        sha256_hex(sha256, hex);
    return json_pack("{s:s, s:I, s:s, s:I, s:b, s:o}", "batch", c->backlog->batch[ref.batch]->id, "document",
                     (json_int_t)ref.doc, "sha256", hex, "pages", (json_int_t)doc->pages, "purged",
                     quarantines_purged(c->quarantines, ref, sha256), "raised",
                     raised_json(quarantines_of(c->quarantines, ref)));
}

/* ---- the list ---- */

static void batch_list(const struct coordinator *c, const struct query *query, const struct batch *batch, uint32_t from,
                       json_t *list)
{
    if (!batch || batch->check_only || !batch->doc_count[SOHOA__DOC_STATE__DOC_QUARANTINED])
        return;
    for (uint32_t d = doc_next(batch, from); d < batch->docs && json_array_size(list) < query->limit;
         d = doc_next(batch, d + 1))
        if (doc_look(batch, d)->state == SOHOA__DOC_STATE__DOC_QUARANTINED &&
            account_covers_doc(query->account, batch, d))
            json_array_append_new(list, quarantined_json(c, (struct doc_ref){batch->index, d}));
}

static void quarantine_list(const struct coordinator *c, const struct query *query, json_t *list)
{
    for (uint32_t b = query->from.batch; b < c->backlog->batches && json_array_size(list) < query->limit; b++)
        if (!query->only || c->backlog->batch[b] == query->only)
            batch_list(c, query, c->backlog->batch[b], b == query->from.batch ? query->from.doc : 0, list);
}

/* "BATCH/N": the one to go on after. */
static int after_take(const struct coordinator *c, const char *after, struct query *query, struct err *err)
{
    const char *slash = after ? strrchr(after, '/') : NULL;
    char id[NAME_BYTES];
    uint32_t doc;
    if (!after || !*after)
        return 0;
    if (!slash || (size_t)(slash - after) >= sizeof id)
        return err_set(err, E_USAGE, "after=%.60s: BATCH/N", after);
    snprintf(id, sizeof id, "%.*s", (int)(slash - after), after);
    const struct batch *batch = backlog_batch(c->backlog, id);
    if (!batch || !number_parse(slash + 1, batch->docs, &doc))
        return err_set(err, E_ABSENT, "there is no document '%.60s'", after);
    query->from = (struct doc_ref){batch->index, doc + 1};
    return 0;
}

static int query_take(const struct coordinator *c, struct request *request, struct query *query, struct err *err)
{
    const char *id = request_argument(request, "batch");
    query->account = request_account(request);
    int rc = 0;
    if (id && *id) {
        query->only = backlog_batch(c->backlog, id);
        rc = query->only && !query->only->check_only ? account_may_see(query->account, query->only, err)
                                                     : err_set(err, E_ABSENT, "there is no batch '%.60s'", id);
    }
    if (!rc)
        rc = number_argument(request, "limit", LISTED_MOST, &query->limit, err);
    query->limit += query->limit == 0;
    return rc ? rc : after_take(c, request_argument(request, "after"), query, err);
}

static json_t *next_json(const json_t *list, uint32_t limit)
{
    const json_t *last = json_array_get(list, json_array_size(list) - 1);
    char place[PLACE_BYTES];
    if (!last || json_array_size(list) < limit)
        return json_null();
    snprintf(place, sizeof place, "%s/%" JSON_INTEGER_FORMAT, json_string_value(json_object_get(last, "batch")),
             json_integer_value(json_object_get(last, "document")));
    return json_string(place);
}

void get_quarantine(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct query query = {.limit = LISTED_PRESET};
    struct err err;
    (void)args;
    if (query_take(c, request, &query, &err)) {
        request_answer_err(request, &err);
        return;
    }
    json_t *list = json_array();
    quarantine_list(c, &query, list);
    json_t *next = next_json(list, query.limit);
    request_answer(request, 200, json_pack("{s:o, s:o}", "quarantined", list, "next", next));
}
