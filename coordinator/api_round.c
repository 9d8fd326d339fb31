/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_round.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api_body.h"
#include "coordinator/api_review.h"
#include "coordinator/rerun_ledger.h"
#include "coordinator/review_ledger.h"
#include "coordinator/review_limit.h"
#include "coordinator/secret.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum {
    SEED_BYTES = 6, /* of one that nobody said: within REVIEW_SEED_MAX */
    DRAWN_LISTED = 1000,
};

/* ---- how it stands ---- */

static const struct round *round_last(const struct review *review)
{
    return review && review->rounds ? &review->round[review->rounds - 1] : NULL;
}

static json_t *counts_json(const struct standing_counts *counts)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "fresh", (json_int_t)counts->count[STAND_FRESH], "waiting",
                     (json_int_t)counts->count[STAND_WAITING], "accepted", (json_int_t)counts->count[STAND_ACCEPTED],
                     "rejected", (json_int_t)counts->count[STAND_REJECTED], "none",
                     (json_int_t)counts->count[STAND_NONE], "open", (json_int_t)counts->open);
}

static json_t *rates_json(const struct round *round, const struct review_limits *limits)
{
    json_t *rates = json_array();
    for (int row = 0; row < REVIEW_LIMITS; row++)
        json_array_append_new(rates, json_pack("{s:s, s:I, s:f, s:f, s:b}", "field", review_limit_name(row),
                                               "documents", (json_int_t)review_limit_count(round, row), "percent",
                                               review_limit_share(round, row), "limit_percent", limits->percent[row],
                                               "over", review_limit_met(limits, round, row)));
    return rates;
}

static json_t *round_json(const struct coordinator *c, const struct round *round, uint32_t number,
                          const struct review_limits *limits)
{
    bool open = round->verdict == SOHOA__ROUND_VERDICT__ROUND_OPEN;
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:o, s:o, s:s, s:o}", "round", (json_int_t)number,
        "percent", (json_int_t)round->percent, "seed", (json_int_t)round->seed, "documents", (json_int_t)round->docs,
        "waiting", (json_int_t)round->count[SOHOA__DECISION__DECISION_NONE], "accepted",
        (json_int_t)round->count[SOHOA__DECISION__DECISION_ACCEPTED], "corrected",
        (json_int_t)round->count[SOHOA__DECISION__DECISION_CORRECTED], "rejected",
        (json_int_t)round->count[SOHOA__DECISION__DECISION_REJECTED], "verdict", review_verdict_word(round->verdict),
        "begun_by", reviewer_name(c->reviews, round->begun_by), "begun_ms", (json_int_t)round->begun_ms, "closed_by",
        open ? json_null() : json_string(reviewer_name(c->reviews, round->closed_by)), "closed_ms",
        open ? json_null() : json_integer((json_int_t)round->closed_ms), "reason", round->reason ? round->reason : "",
        "rates", rates_json(round, limits));
}

/* Who decided what, of what is known of each document last. */
static json_t *people_json(const struct coordinator *c, const struct review *review)
{
    json_t *people = json_object(), *list = json_array();
    const char *name;
    json_t *person;
    for (uint32_t i = 0; review && i < review->docs; i++) {
        const struct reviewed *it = &review->doc[i];
        if (it->decision == SOHOA__DECISION__DECISION_NONE)
            continue;
        person = json_object_get(people, reviewer_name(c->reviews, it->by));
        if (!person) {
            person = json_pack("{s:i, s:i, s:i}", "decided", 0, "corrected", 0, "rejected", 0);
            json_object_set_new(people, reviewer_name(c->reviews, it->by), person);
        }
        json_t *decided = json_object_get(person, "decided"), *kind = NULL;
        json_integer_set(decided, json_integer_value(decided) + 1);
        if (it->decision == SOHOA__DECISION__DECISION_CORRECTED)
            kind = json_object_get(person, "corrected");
        else if (it->decision == SOHOA__DECISION__DECISION_REJECTED)
            kind = json_object_get(person, "rejected");
        if (kind)
            json_integer_set(kind, json_integer_value(kind) + 1);
    }
    json_object_foreach(people, name, person)
    {
        json_object_set_new(person, "name", json_string(name));
        json_array_append(list, person);
    }
    json_decref(people);
    return list;
}

static json_t *review_json(const struct coordinator *c, const struct batch *batch, const struct review_limits *limits)
{
    const struct review *review = review_of(c->reviews, batch);
    struct standing_counts counts;
    json_t *rounds = json_array();
    review_count(c->backlog, review, batch, &counts);
    for (uint32_t i = 0; review && i < review->rounds; i++)
        json_array_append_new(rounds, round_json(c, &review->round[i], i + 1, limits));
    return json_pack("{s:s, s:s, s:o, s:I, s:o, s:o}", "batch", batch->id, "state", review_word(review, &counts),
                     "documents", counts_json(&counts), "rounds_wanted",
                     (json_int_t)config_int(c->config, CFG_REVIEW_ROUNDS), "rounds", rounds, "people",
                     people_json(c, review));
}

static int limits_take(const struct coordinator *c, struct review_limits *limits, struct err *err)
{
    return review_limits_load(config_text(c->config, CFG_REVIEW_LIMITS), limits, err);
}

void get_batch_review(struct coordinator *c, struct request *request, const struct route_args *args)
{
    struct review_limits limits;
    struct err err;
    if (limits_take(c, &limits, &err))
        request_answer_err(request, &err);
    else
        request_answer(request, 200, review_json(c, args->batch, &limits));
}

/* ---- a round begins ---- */

/* One that can be said again without a loss in JSON. */
static uint64_t seed_new(void)
{
    char hex[2 * SEED_BYTES + 1];
    secret_random(hex, SEED_BYTES);
    return strtoull(hex, NULL, 16);
}

static int draw_take(const struct coordinator *c, json_t *body, uint32_t *percent, uint64_t *seed, struct err *err)
{
    static const char *const known[] = {"percent", "seed", NULL};
    const json_t *share = json_object_get(body, "percent"), *said = json_object_get(body, "seed");
    json_int_t percents = share ? json_integer_value(share) : config_int(c->config, CFG_REVIEW_PERCENT);
    json_int_t number = said ? json_integer_value(said) : 0;
    int rc = keys_check(body, known, "a round", err);
    if (rc)
        return rc;
    if ((share && !json_is_integer(share)) || percents < 1 || percents > REVIEW_PERCENT_ALL)
        return err_set(err, E_USAGE, "percent is 1 to %d", REVIEW_PERCENT_ALL);
    if ((said && !json_is_integer(said)) || number < 0 || (uint64_t)number > REVIEW_SEED_MAX)
        return err_set(err, E_USAGE, "seed is 0 to %" PRIu64 " (REVIEW_SEED_MAX)", REVIEW_SEED_MAX);
    *percent = (uint32_t)percents;
    *seed = said ? (uint64_t)number : seed_new();
    return 0;
}

static json_t *drawn_json(const struct buf *docs)
{
    const uint32_t *doc = (const uint32_t *)(const void *)docs->data;
    size_t count = docs->size / sizeof *doc;
    json_t *list = json_array();
    for (size_t i = 0; i < count && i < DRAWN_LISTED; i++)
        json_array_append_new(list, json_integer(doc[i]));
    return list;
}

/* ?dry_run=1 only says what would be drawn. */
void post_round(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    AUTO(buf_destroy) struct buf docs = {0};
    const char *dry = request_argument(request, "dry_run"), *actor = request_account(request)->name;
    const struct review *review = review_of(c->reviews, args->batch);
    uint32_t percent, round = review ? review->rounds + 1 : 1;
    uint64_t seed;
    struct err err;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = draw_take(c, body, &percent, &seed, &err);
    if (!rc)
        rc = review_draw(c->backlog, review, args->batch, &percent, &seed, &docs, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    json_t *answer = json_pack("{s:s, s:I, s:I, s:I, s:I, s:o}", "batch", args->batch->id, "round", (json_int_t)round,
                               "percent", (json_int_t)percent, "seed", (json_int_t)seed, "documents",
                               (json_int_t)(docs.size / sizeof(uint32_t)), "drawn", drawn_json(&docs));
    if (dry && !strcmp(dry, "1")) {
        request_answer(request, 200, answer);
        return;
    }
    review_order_round(c->reviews, args->batch, c->group, percent, seed, &docs, actor, clock_wall_ms());
    trace(TRACE_INFO, "review_round", "batch=%s round=%u percent=%u seed=%" PRIu64 " docs=%zu", args->batch->id, round,
          percent, seed, docs.size / sizeof(uint32_t));
    coordinator_apply(c);
    answer_then(c, request, answer);
}

/* ---- a round ends ---- */

/* Of the round under way: also those that are being read again. */
static uint32_t waiting_count(const struct coordinator *c, const struct review *review, const struct batch *batch)
{
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < review->docs; i++) {
        uint32_t doc = review->doc[i].doc;
        waiting +=
            review->doc[i].round == review->rounds && (doc_look(batch, doc)->state == SOHOA__DOC_STATE__DOC_OPEN ||
                                                       review_stand(c->backlog, review, batch, doc) == STAND_WAITING);
    }
    return waiting;
}

/* "signer 7.5 % (limit 2 %)"; nothing: it is within all. */
static void over_put(const struct round *round, const struct review_limits *limits, struct buf *text)
{
    for (int row = 0; row < REVIEW_LIMITS; row++)
        if (review_limit_met(limits, round, row))
            buf_printf(text, "%s%s %.1f %% (limit %g %%)", text->size ? ", " : "", review_limit_name(row),
                       review_limit_share(round, row), limits->percent[row]);
}

static bool all_stand(const struct coordinator *c, const struct review *review, const struct batch *batch)
{
    struct standing_counts counts;
    review_count(c->backlog, review, batch, &counts);
    return !counts.open && !counts.count[STAND_FRESH] && !counts.count[STAND_REJECTED];
}

static int accept_check(const struct coordinator *c, const struct review *review, const struct batch *batch,
                        struct err *err)
{
    struct standing_counts counts;
    review_count(c->backlog, review, batch, &counts);
    if (counts.count[STAND_REJECTED])
        return err_set(err, E_STATE, "%u documents of batch %s are rejected: they go back to work first",
                       counts.count[STAND_REJECTED], batch->id);
    if (counts.open || counts.count[STAND_FRESH])
        return err_set(err, E_STATE, "%u documents of batch %s were read since, and nobody looked at them",
                       counts.open + counts.count[STAND_FRESH], batch->id);
    return 0;
}

struct closing {
    bool accept;
    const char *reason; /* borrowed */
    Sohoa__RoundVerdict verdict;
    struct buf text;
};

static int verdict_find(const struct coordinator *c, const struct batch *batch, const struct review_limits *limits,
                        struct closing *closing, struct err *err)
{
    const struct review *review = review_of(c->reviews, batch);
    const struct round *open = review_open(review), *last = round_last(review);
    uint32_t waiting = open ? waiting_count(c, review, batch) : 0;
    if (!last || (!open && !(closing->accept && last->verdict == SOHOA__ROUND_VERDICT__ROUND_PASSED)))
        return err_set(err, E_STATE, "batch %s has no round under way%s", batch->id,
                       closing->accept ? ", and none that has passed" : "");
    if (waiting)
        return err_set(err, E_STATE, "%u documents of round %u wait for a decision", waiting, review->rounds);
    over_put(last, limits, &closing->text);
    bool over = closing->text.size;
    if (closing->accept && over)
        return err_set(err, E_STATE, "round %u is over its limits: %.200s", review->rounds, buf_text(&closing->text));
    int rc = closing->accept ? accept_check(c, review, batch, err) : 0;
    bool enough = review_passed(review) + (open != NULL) >= (uint64_t)config_int(c->config, CFG_REVIEW_ROUNDS);
    bool accepted = closing->accept || (enough && all_stand(c, review, batch));
    closing->verdict = over       ? SOHOA__ROUND_VERDICT__ROUND_FAILED
                       : accepted ? SOHOA__ROUND_VERDICT__ROUND_ACCEPTED
                                  : SOHOA__ROUND_VERDICT__ROUND_PASSED;
    return rc;
}

static int close_take(json_t *body, struct closing *closing, struct err *err)
{
    static const char *const known[] = {"accept", "reason", NULL};
    const json_t *accept = json_object_get(body, "accept");
    int rc = keys_check(body, known, "what closes a round", err);
    if (!rc && accept && !json_is_boolean(accept))
        rc = err_set(err, E_USAGE, "accept is true or false");
    closing->accept = json_is_true(accept);
    return rc ? rc : reason_take(body, &closing->reason, err);
}

static void close_enter(struct coordinator *c, const struct batch *batch, const char *actor, struct closing *closing)
{
    if (*closing->reason)
        buf_printf(&closing->text, "%s%s", closing->text.size ? "; " : "", closing->reason);
    review_order_close(c->reviews, batch, c->group, closing->verdict, buf_text(&closing->text), actor, clock_wall_ms());
    trace(TRACE_INFO, "review_closed", "batch=%s round=%u verdict=%s", batch->id, review_of(c->reviews, batch)->rounds,
          review_verdict_word((uint8_t)closing->verdict));
}

void post_close(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    struct closing closing = {.accept = false};
    struct review_limits limits;
    struct err err;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = close_take(body, &closing, &err);
    if (!rc)
        rc = limits_take(c, &limits, &err);
    if (!rc)
        rc = verdict_find(c, args->batch, &limits, &closing, &err);
    if (rc) {
        request_answer_err(request, &err);
    } else {
        close_enter(c, args->batch, request_account(request)->name, &closing);
        coordinator_apply(c);
        answer_then(c, request, review_json(c, args->batch, &limits));
    }
    buf_destroy(&closing.text);
}

/* ---- back to work ---- */

static void back_collect(const struct coordinator *c, const struct review *review, const struct batch *batch, bool all,
                         struct choice *choice)
{
    for (uint32_t d = doc_next(batch, 0); d < batch->docs; d = doc_next(batch, d + 1)) {
        enum stand stand = review_stand(c->backlog, review, batch, d);
        struct chosen chosen = {
            {batch->index, d},
            WHERE_ALL
        };
        if ((all ? stand == STAND_NONE : stand != STAND_REJECTED) || !doc_may_rerun(doc_look(batch, d)))
            continue;
        buf_append(&choice->docs, &chosen, sizeof chosen);
        choice->pages += rerun_pages(c->backlog, &chosen);
    }
}

static int reject_take(const struct coordinator *c, const struct batch *batch, json_t *body, bool *all,
                       const char **reason, struct err *err)
{
    static const char *const known[] = {"all", "reason", NULL};
    const json_t *said = json_object_get(body, "all");
    int rc = keys_check(body, known, "what rejects a batch", err);
    if (!rc && said && !json_is_boolean(said))
        rc = err_set(err, E_USAGE, "all is true or false");
    if (!rc)
        rc = reason_take(body, reason, err);
    if (!rc && !**reason)
        rc = err_set(err, E_USAGE, "who rejects a batch gives a reason");
    if (!rc && !round_last(review_of(c->reviews, batch)))
        rc = err_set(err, E_STATE, "batch %s has had no round", batch->id);
    if (!rc && c->backlog->reruns == RERUNS_MAX)
        rc = err_set(err, E_LIMIT, "there were %d re-runs already (RERUNS_MAX)", RERUNS_MAX);
    *all = json_is_true(said);
    return rc;
}

/* Its documents run again by the same way as any re-run, and the order can be undone like any. */
static uint32_t reject_enter(struct coordinator *c, const struct batch *batch, const char *actor, const char *reason,
                             bool all, const struct choice *choice)
{
    AUTO(buf_destroy) struct buf where = {0};
    buf_printf(&where, "batch=\"%s\", %s in round %u of its review", batch->id, all ? "rejected" : "what was rejected",
               review_of(c->reviews, batch)->rounds);
    review_order_close(c->reviews, batch, c->group, SOHOA__ROUND_VERDICT__ROUND_REJECTED, reason, actor,
                       clock_wall_ms());
    uint32_t number = rerun_order(c->sched, c->backlog, c->group, buf_text(&where), choice, clock_wall_ms(), &c->acts);
    coordinator_apply(c);
    trace(TRACE_INFO, "review_rejected", "batch=%s rerun=%u pages=%" PRIu64, batch->id, number, choice->pages);
    return number;
}

void post_reject(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    AUTO(choice_destroy) struct choice choice = {0};
    const char *reason = "";
    bool all = false;
    struct err err;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = reject_take(c, args->batch, body, &all, &reason, &err);
    if (!rc)
        back_collect(c, review_of(c->reviews, args->batch), args->batch, all, &choice);
    if (!rc && !choice.docs.size)
        rc = err_set(&err, E_STATE, "no document of batch %s is rejected: \"all\" sends all of it back",
                     args->batch->id);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    size_t count;
    choice_docs(&choice, &count);
    uint32_t number = reject_enter(c, args->batch, request_account(request)->name, reason, all, &choice);
    answer_then(c, request,
                json_pack("{s:s, s:I, s:I, s:I}", "batch", args->batch->id, "rerun", (json_int_t)number, "documents",
                          (json_int_t)count, "pages", (json_int_t)choice.pages));
}
