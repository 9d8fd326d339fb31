/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a request asks for is copied: its texts don't outlive the handler. */
#include "coordinator/api_ledger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/day.h"
#include "coordinator/ledger_json.h"
#include "coordinator/notary.h"
#include "coordinator/verification.h"
#include "proto/auto.h"

enum {
    ENTRIES_PRESET = 100,
    ENTRIES_MOST = 1000,
    CHECKPOINTS_PRESET = 20,
    CHECKPOINTS_MOST = 200,
    PROOFS_AT_ONCE = 2, /* each reads the whole ledger, on one of a few threads */
    ASKED_BYTES = 256,  /* of a text in a query */
};

/* ---- entries ---- */

struct search {
    struct io_task task;
    struct coordinator *c;
    struct request *request;
    struct ledger_query query;
    struct ledger_place from;
    uint32_t limit;
    char batch[ASKED_BYTES], actor[ASKED_BYTES], subject[ASKED_BYTES];
    json_t *answer;
    int rc;
    struct err err;
};

static void search_work(struct io_task *task)
{
    struct search *search = (struct search *)task;
    struct ledger_page page;
    search->rc = ledger_search(search->c->store, &search->query, search->from, search->limit, &page, &search->err);
    if (search->rc)
        return;
    search->answer = ledger_page_json(&page);
    ledger_page_destroy(&page);
}

static void search_done(struct io_task *task)
{
    struct search *search = (struct search *)task;
    if (search->rc)
        request_answer_err(search->request, &search->err);
    else
        request_answer(search->request, 200, search->answer);
    free(search);
}

/* *ret_text: what is asked for, kept in copy; NULL: nothing is. */
static int text_take(const struct request *request, const char *name, char copy[ASKED_BYTES], const char **ret_text,
                     struct err *err)
{
    const char *text = request_argument(request, name);
    *ret_text = NULL;
    if (!text || !*text)
        return 0;
    if (snprintf(copy, ASKED_BYTES, "%s", text) >= ASKED_BYTES)
        return err_set(err, E_USAGE, "%s has at most %d bytes", name, ASKED_BYTES - 1);
    *ret_text = copy;
    return 0;
}

/* The start of the day asked for, or of the one after it; 0: none is. */
static int day_take(const struct request *request, const char *name, bool after, uint64_t *ret_ms, struct err *err)
{
    const char *text = request_argument(request, name);
    int64_t day;
    *ret_ms = 0;
    if (!text || !*text)
        return 0;
    if (!day_parse(text, &day) || day < 1)
        return err_set(err, E_USAGE, "%s=%.20s is no day: 2026-11-28", name, text);
    *ret_ms = day_start_ms(day + after);
    return 0;
}

static int kind_take(const struct request *request, uint32_t *ret_kind, struct err *err)
{
    const char *text = request_argument(request, "kind");
    if (!text || !*text || (*ret_kind = ledger_kind_named(text)))
        return 0;
    return err_set(err, E_USAGE, "kind=%.40s: the ledger has no such entries", text);
}

static int document_take(const struct request *request, const struct ledger_query *query, int64_t *ret_doc,
                         struct err *err)
{
    uint32_t doc = 0;
    const char *text = request_argument(request, "document");
    if (!text || !*text)
        return 0;
    if (!query->batch || !number_parse(text, UINT32_MAX, &doc))
        return err_set(err, E_USAGE, "document=%.20s is the number of one of batch=", text);
    *ret_doc = doc;
    return 0;
}

static int place_take(const struct request *request, struct ledger_place *ret_place, struct err *err)
{
    const char *text = request_argument(request, "after");
    if (!text || !*text || ledger_place_parse(text, ret_place))
        return 0;
    return err_set(err, E_USAGE, "after=%.40s is no 'next' of an answer", text);
}

/* ?number= is the first entry wanted; ?order=newest begins with the last one. */
static int order_take(const struct request *request, struct ledger_query *query, struct err *err)
{
    const char *order = request_argument(request, "order"), *number = request_argument(request, "number");
    if (order && *order && strcmp(order, "newest") && strcmp(order, "oldest"))
        return err_set(err, E_USAGE, "order=%.20s is neither newest nor oldest", order);
    query->newest_first = order && !strcmp(order, "newest");
    if (!number || !*number)
        return 0;
    if (number[strspn(number, "0123456789")])
        return err_set(err, E_USAGE, "number=%.20s is not a number", number);
    query->from_number = strtoull(number, NULL, 10);
    return 0;
}

static int query_take(const struct request *request, struct search *search, struct err *err)
{
    struct ledger_query *query = &search->query;
    int rc = text_take(request, "batch", search->batch, &query->batch, err);
    if (!rc)
        rc = document_take(request, query, &query->doc, err);
    if (!rc)
        rc = text_take(request, "actor", search->actor, &query->actor, err);
    if (!rc)
        rc = text_take(request, "subject", search->subject, &query->subject, err);
    if (!rc)
        rc = kind_take(request, &query->kind, err);
    if (!rc)
        rc = day_take(request, "from", false, &query->from_ms, err);
    if (!rc)
        rc = day_take(request, "to", true, &query->to_ms, err);
    if (!rc)
        rc = order_take(request, query, err);
    if (!rc)
        rc = place_take(request, &search->from, err);
    return rc ? rc : number_argument(request, "limit", ENTRIES_MOST, &search->limit, err);
}

/* Accounts are an auditor's business. */
static uint32_t hidden_kind(const struct account *account)
{
    return account_may(account, RIGHT_AUDIT, REACH_ALL, NULL) ? SOHOA__LEDGER_ENTRY__BODY_ACCOUNT : 0;
}

void get_ledger(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct search *search = calloc(1, sizeof *search);
    struct err err;
    (void)args;
    if (!search)
        abort();
    *search = (struct search){
        .task = {.work = search_work, .done = search_done},
          .c = c, .request = request, .limit = ENTRIES_PRESET
    };
    search->query.doc = LEDGER_DOC_ANY;
    search->query.hidden = hidden_kind(request_account(request));
    if (query_take(request, search, &err)) {
        request_answer_err(request, &err);
        free(search);
        return;
    }
    search->limit += !search->limit;
    io_submit(c->back_io, &search->task);
}

/* ---- checkpoints ---- */

struct listing {
    struct io_task task;
    struct coordinator *c;
    struct request *request;
    uint32_t limit;
    uint64_t before; /* 0: from the newest on */
    json_t *answer;
    int rc;
    struct err err;
};

static json_t *listed_json(const struct listing *listing, const struct buf *note, uint64_t size)
{
    static const char *const signer[] = {
        [SIGNED_BY_KEY] = "key", [SIGNED_BY_OTHERS] = "others", [SIGNED_FALSELY] = "false"};
    const uint8_t *public = notary_public(listing->c->notary);
    json_t *json = ledger_checkpoint_json(note);
    json_object_set_new(json, "size", json_integer((json_int_t)size));
    json_object_set_new(json, "signed", public ? json_string(signer[checkpoint_signer(note, public)]) : json_null());
    return json;
}

static void listing_work(struct io_task *task)
{
    struct listing *listing = (struct listing *)task;
    AUTO(buf_destroy) struct buf sizes = {0};
    json_t *list = json_array(), *next = json_null();
    int rc = checkpoints_find(listing->c->store, &sizes, &listing->err);
    const uint64_t *size = (const uint64_t *)(const void *)sizes.data;
    size_t count = sizes.size / sizeof *size, total = count;
    while (count && listing->before && size[count - 1] >= listing->before)
        count--;
    for (; count && !rc && json_array_size(list) < listing->limit; count--) {
        AUTO(buf_destroy) struct buf note = {0};
        struct name name;
        rc = store_get(listing->c->store, checkpoint_name(&name, size[count - 1]), CHECKPOINT_BYTES, &note,
                       &listing->err);
        if (!rc || rc == E_LIMIT)
            json_array_append_new(list, listed_json(listing, &note, size[count - 1]));
        rc = rc == E_LIMIT || rc == E_ABSENT ? 0 : rc;
    }
    if (count && !rc)
        next = json_integer((json_int_t)size[count]);
    listing->rc = rc;
    listing->answer = json_pack("{s:o, s:o, s:I}", "checkpoints", list, "next", next, "total", (json_int_t)total);
}

static void listing_done(struct io_task *task)
{
    struct listing *listing = (struct listing *)task;
    if (listing->rc) {
        json_decref(listing->answer);
        request_answer_err(listing->request, &listing->err);
    } else {
        request_answer(listing->request, 200, listing->answer);
    }
    free(listing);
}

void get_checkpoints(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct listing *listing = calloc(1, sizeof *listing);
    const char *before = request_argument(request, "before");
    struct err err;
    (void)args;
    if (!listing)
        abort();
    *listing = (struct listing){
        .task = {.work = listing_work, .done = listing_done},
        .c = c,
        .request = request,
        .limit = CHECKPOINTS_PRESET,
        .before = before ? strtoull(before, NULL, 10) : 0
    };
    if (number_argument(request, "limit", CHECKPOINTS_MOST, &listing->limit, &err)) {
        request_answer_err(request, &err);
        free(listing);
        return;
    }
    listing->limit += !listing->limit;
    io_submit(c->back_io, &listing->task);
}

struct signing {
    struct notary_ask ask;
    struct request *request;
};

static void signing_done(struct notary_ask *ask)
{
    struct signing *signing = (struct signing *)ask;
    if (ask->rc)
        request_answer_err(signing->request, &ask->err);
    else
        request_answer(signing->request, 200, ledger_checkpoint_json(&ask->note));
    buf_destroy(&ask->note);
    free(signing);
}

void post_checkpoint(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct signing *signing = calloc(1, sizeof *signing);
    (void)args;
    if (!signing)
        abort();
    *signing = (struct signing){
        .ask = {.c = c, .done = signing_done},
          .request = request
    };
    notary_sign(&signing->ask);
}

void get_ledger_key(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const uint8_t *public = notary_public(c->notary);
    struct err err;
    (void)args;
    if (public) {
        request_answer(request, 200, ledger_key_json(public));
        return;
    }
    err_set(&err, E_ABSENT, "this coordinator has no key: set ledger_key_file");
    request_answer_err(request, &err);
}

/* ---- verification ---- */

void get_verification(struct coordinator *c, struct request *request, const struct route_args *args)
{
    (void)args;
    request_answer(request, 200, verification_json(c->verification));
}

void post_verification(struct coordinator *c, struct request *request, const struct route_args *args)
{
    static const char *const known[] = {"checkpoint", NULL};
    AUTO(json_drop) json_t *body = NULL;
    struct err err;
    (void)args;
    int rc = request_body(request)->size ? body_take(request, &body, &err) : 0;
    if (!rc && body)
        rc = keys_check(body, known, "the body", &err);
    if (!rc)
        rc = verification_start(c, json_string_value(json_object_get(body, "checkpoint")), &err);
    if (rc)
        request_answer_err(request, &err);
    else
        request_answer(request, 200, verification_json(c->verification));
}

/* ---- proofs ---- */

struct proving {
    struct notary_ask ask; /* first: a checkpoint that has all of the document */
    struct io_task task;   /* then the proof; see proving_of() */
    struct request *request;
    const struct batch *batch;
    uint32_t doc;
    json_t *answer;
    int rc;
    struct err err;
};

static struct proving *proving_of(struct io_task *task)
{
    return (struct proving *)(void *)((char *)task - offsetof(struct proving, task));
}

static void proving_work(struct io_task *task)
{
    struct proving *proving = proving_of(task);
    struct coordinator *c = proving->ask.c;
    struct ledger_proof proof;
    proving->rc =
        ledger_prove(c->store, proving->ask.size, proving->batch->id, proving->doc, &c->ending, &proof, &proving->err);
    if (proving->rc)
        return;
    proving->answer =
        ledger_proof_json(&proof, proving->batch->id, proving->doc, &proving->ask.note, notary_public(c->notary));
    ledger_proof_destroy(&proof);
}

static void proving_end(struct proving *proving, int rc, const struct err *err)
{
    proving->ask.c->proofs--;
    if (rc)
        request_answer_err(proving->request, err);
    else
        request_answer(proving->request, 200, proving->answer);
    buf_destroy(&proving->ask.note);
    free(proving);
}

static void proving_done(struct io_task *task)
{
    struct proving *proving = proving_of(task);
    proving_end(proving, proving->rc, &proving->err);
}

static void proving_signed(struct notary_ask *ask)
{
    struct proving *proving = (struct proving *)ask;
    if (ask->rc) {
        proving_end(proving, ask->rc, &ask->err);
        return;
    }
    proving->task = (struct io_task){.work = proving_work, .done = proving_done};
    io_submit(ask->c->back_io, &proving->task);
}

void get_proof(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct err err;
    if (c->proofs == PROOFS_AT_ONCE) {
        err_set(&err, E_LIMIT, "%d proofs are being made (PROOFS_AT_ONCE); try again", PROOFS_AT_ONCE);
        request_answer_err(request, &err);
        return;
    }
    struct proving *proving = calloc(1, sizeof *proving);
    if (!proving)
        abort();
    c->proofs++;
    *proving = (struct proving){
        .ask = {.c = c, .done = proving_signed},
          .request = request, .batch = args->batch, .doc = args->doc
    };
    notary_sign(&proving->ask);
}
