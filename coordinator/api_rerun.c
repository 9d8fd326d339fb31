/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a predicate chooses is counted, or ordered, in one turn of the loop. */
#include "coordinator/api_rerun.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_forecast.h"
#include "coordinator/rerun_ledger.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum { LISTED = 1000 }; /* the last so many orders */

/* ---- what is asked for ---- */

static int batches_check(const struct coordinator *c, const struct where *where, struct err *err)
{
    const char *id;
    for (uint32_t i = 0; (id = where_value(where, WHERE_BATCH, i)); i++)
        if (!backlog_batch(c->backlog, id))
            return err_set(err, E_ABSENT, "there is no batch '%.60s'", id);
    return 0;
}

/* "0, 1, 2", of documents that can be run again. */
static int numbers_take(const struct batch *batch, const struct account *account, const json_t *docs, struct buf *text,
                        struct err *err)
{
    size_t i;
    json_t *number;
    if (!json_array_size(docs))
        return err_set(err, E_USAGE, "the body must be {\"where\": \"state=dead\"} or {\"documents\": [0, 1]}");
    json_array_foreach(docs, i, number)
    {
        json_int_t doc = json_integer_value(number);
        if (!json_is_integer(number) || doc < 0 || doc >= batch->docs)
            return err_set(err, E_ABSENT, "batch %s has no such document: 0 to %u", batch->id, batch->docs - 1);
        int rc = account_may_touch(account, batch, (uint32_t)doc, err);
        if (rc)
            return rc;
        if (!doc_may_rerun(doc_look(batch, (uint32_t)doc)))
            return err_set(err, E_STATE, "document %u is neither stored, dead nor refused", (uint32_t)doc);
        buf_printf(text, "%s%u", i ? ", " : "", (uint32_t)doc);
    }
    return 0;
}

static int text_check(const char *text, struct err *err)
{
    AUTO(where_destroy) struct where *where = NULL;
    return where_parse(text, &where, err);
}

static void unit_put(const char *unit, void *user)
{
    buf_puts(user, buf_text(user)[((struct buf *)user)->size - 1] == '(' ? "" : ", ");
    buf_puts(user, unit);
}

/* What the predicate is within, whatever it says: the batch, the account's units. True: there is something. */
static bool bounds_put(const struct batch *batch, const struct account *account, struct buf *text)
{
    if (batch)
        buf_printf(text, "batch=\"%s\" and ", batch->id);
    if (!account->units)
        return text->size;
    buf_puts(text, "unit in (");
    account_each_unit(account, unit_put, text);
    buf_puts(text, ") and ");
    return true;
}

/* The predicate that the body says, within its bounds. It stands for itself: mistakes are at its letters. */
static int text_take(const struct batch *batch, const struct account *account, const char *body, struct buf *text,
                     struct err *err)
{
    AUTO(json_drop) json_t *json = json_loads(body, 0, NULL);
    const char *said = json_string_value(json_object_get(json, "where"));
    if (!batch && !said)
        return err_set(err, E_USAGE, "the body must be {\"where\": \"state=dead\"}");
    int rc = said ? text_check(said, err) : 0;
    bool bound = bounds_put(batch, account, text);
    if (bound)
        buf_puts(text, said ? "(" : "document in (");
    if (!rc && !said)
        rc = numbers_take(batch, account, json_object_get(json, "documents"), text, err);
    buf_puts(text, said ? said : "");
    buf_puts(text, bound ? ")" : "");
    return rc;
}

static int where_take(const struct coordinator *c, const struct batch *batch, const struct account *account,
                      const char *body, struct buf *text, struct where **ret_where, struct err *err)
{
    int rc = text_take(batch, account, body, text, err);
    if (!rc)
        rc = where_parse(buf_text(text), ret_where, err);
    return rc ? rc : batches_check(c, *ret_where, err);
}

/* ---- orders ---- */

static json_t *choice_json(const struct choice *choice, json_t *number)
{
    size_t count;
    choice_docs(choice, &count);
    return json_pack("{s:o, s:I, s:I, s:o}", "number", number, "documents", (json_int_t)count, "pages",
                     (json_int_t)choice->pages, "core_hours",
                     choice->core_ms < 0 ? json_null() : json_real(choice->core_ms / 3.6e6));
}

void post_rerun(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(where_destroy) struct where *where = NULL;
    AUTO(choice_destroy) struct choice choice = {0};
    AUTO(buf_destroy) struct buf text = {0};
    const char *dry = request_argument(request, "dry_run");
    bool only_counts = dry && !strcmp(dry, "1");
    struct err err;
    int rc = where_take(c, args->batch, request_account(request), buf_text(request_body(request)), &text, &where, &err);
    if (!rc && !only_counts && c->backlog->reruns == RERUNS_MAX)
        rc = err_set(&err, E_LIMIT, "there were %d re-runs already (RERUNS_MAX)", RERUNS_MAX);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    choose(c->backlog, where, &choice);
    if (only_counts || !choice.docs.size) {
        json_t *answer = choice_json(&choice, json_null());
        size_t lots;
        const struct lot_pages *again = choice_lots(&choice, &lots);
        json_t *deadlines = forecast_effect_json(c, again, lots);
        forecast_narrow(c, request_account(request), deadlines);
        json_object_set_new(answer, "deadlines", deadlines);
        request_answer(request, 200, answer);
        return;
    }
    uint32_t number = rerun_order(c->sched, c->backlog, c->group, buf_text(&text), &choice, clock_wall_ms(), &c->acts);
    coordinator_apply(c);
    trace(TRACE_INFO, "rerun", "number=%u pages=%" PRIu64, number, choice.pages);
    answer_then(c, request, choice_json(&choice, json_integer(number)));
}

/* All that it still runs again is of the account's units. */
static bool rerun_is_of(const struct backlog *backlog, const struct rerun *rerun, const struct account *account)
{
    for (uint32_t i = 0; account->units && i < rerun->docs; i++) {
        struct doc_ref ref = rerun->doc[i].ref;
        if (!account_covers_doc(account, backlog->batch[ref.batch], ref.doc))
            return false;
    }
    return !account->units || rerun->docs;
}

static json_t *rerun_json(const struct backlog *backlog, uint32_t number)
{
    const struct rerun *rerun = rerun_at(backlog, number);
    return json_pack("{s:i, s:s, s:I, s:I, s:I, s:I, s:I}", "number", (int)number, "where", rerun->where, "time_ms",
                     (json_int_t)rerun->time_ms, "documents", (json_int_t)rerun->docs, "pages",
                     (json_int_t)rerun->pages, "finished", (json_int_t)rerun_finished(backlog, rerun), "undone",
                     (json_int_t)rerun->undone);
}

void get_reruns(struct coordinator *c, struct request *request, const struct route_args *args)
{
    json_t *list = json_array();
    (void)args;
    for (uint32_t i = c->backlog->reruns > LISTED ? c->backlog->reruns - LISTED : 0; i < c->backlog->reruns; i++)
        if (rerun_is_of(c->backlog, rerun_at(c->backlog, i + 1), request_account(request)))
            json_array_append_new(list, rerun_json(c->backlog, i + 1));
    request_answer(request, 200, json_pack("{s:o}", "reruns", list));
}

void delete_rerun(struct coordinator *c, struct request *request, const struct route_args *args)
{
    char *end;
    unsigned long number = strtoul(args->word, &end, 10);
    const struct rerun *rerun = *end || number > RERUNS_MAX ? NULL : rerun_at(c->backlog, (uint32_t)number);
    struct err err;
    if (!rerun) {
        err_set(&err, E_ABSENT, "there is no re-run '%.20s': %u were ordered", args->word, c->backlog->reruns);
        request_answer_err(request, &err);
        return;
    }
    if (!rerun_is_of(c->backlog, rerun, request_account(request))) {
        err_set(&err, E_DENIED, "re-run %lu has documents of other units", number);
        request_answer_err(request, &err);
        return;
    }
    size_t undone = rerun_take_back(c->sched, c->backlog, c->group, (uint32_t)number, &c->acts);
    coordinator_apply(c);
    trace(TRACE_INFO, "rerun_undone", "number=%lu docs=%zu begun=%u", number, undone, rerun->docs);
    answer_then(c, request,
                json_pack("{s:I, s:I, s:I}", "number", (json_int_t)number, "undone", (json_int_t)undone, "begun",
                          (json_int_t)rerun->docs));
}
