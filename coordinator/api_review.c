/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A decision is checked, then the record is read for what the machine said, then it is checked again: the loop went on meanwhile. */
#include "coordinator/api_review.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/api.h"
#include "coordinator/api_body.h"
#include "coordinator/correction.h"
#include "coordinator/queue.h"
#include "coordinator/record.h"
#include "coordinator/review_ledger.h"
#include "coordinator/secret.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "storage/name.h"

enum { LISTED_PRESET = 50, LISTED_MOST = 1000, LISTED_BEHIND_MOST = 100000 };

const char *stand_name(const struct coordinator *c, const struct batch *batch, uint32_t doc)
{
    static const char *const name[STANDS] = {[STAND_NONE] = "none",
                                             [STAND_FRESH] = "fresh",
                                             [STAND_WAITING] = "waiting",
                                             [STAND_ACCEPTED] = "accepted",
                                             [STAND_REJECTED] = "rejected"};
    const struct review *review = review_of(c->reviews, batch);
    enum stand stand = review_stand(c->backlog, review, batch, doc);
    bool corrected =
        stand == STAND_ACCEPTED && review_find(review, doc)->decision == SOHOA__DECISION__DECISION_CORRECTED;
    return corrected ? "corrected" : name[stand];
}

/* As records have it: behind the fields a bit says that the document looks damaged. */
static const char *doubt_name(int bit)
{
    return bit < REVIEW_FIELDS ? correction_field(bit) : "format";
}

static json_t *doubts_json(uint32_t doubts)
{
    json_t *list = json_array();
    for (int bit = 0; bit <= REVIEW_FIELDS; bit++)
        if (doubts >> bit & 1)
            json_array_append_new(list, json_string(doubt_name(bit)));
    return list;
}

static json_t *decided_json(const struct coordinator *c, const struct reviewed *reviewed)
{
    if (!reviewed || reviewed->decision == SOHOA__DECISION__DECISION_NONE)
        return json_null();
    return json_pack("{s:s, s:I, s:i}", "by", reviewer_name(c->reviews, reviewed->by), "at_ms",
                     (json_int_t)reviewed->at_ms, "generation", (int)reviewed->generation);
}

/* What lists say of a document. */
static json_t *row_json(const struct coordinator *c, struct doc_ref ref)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    const struct doc *doc = doc_look(batch, ref.doc);
    const struct reviewed *reviewed = review_find(review_of(c->reviews, batch), ref.doc);
    return json_pack("{s:s, s:I, s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:o}", "batch", batch->id, "document",
                     (json_int_t)ref.doc, "unit", lot_of(batch, ref.doc)->terms.unit, "state",
                     stand_name(c, batch, ref.doc), "round", reviewed ? json_integer(reviewed->round) : json_null(),
                     "generation", (json_int_t)doc->generation, "pages", (json_int_t)doc->pages, "doubts",
                     doubts_json(doc_doubts(batch, ref.doc)), "confidence",
                     doc->confidence_cpct ? json_real(doc->confidence_cpct / 10000.0) : json_null(), "decided",
                     decided_json(c, reviewed));
}

/* What is said of one alone: the reason, too, which is read with its record. */
static json_t *document_json(const struct coordinator *c, struct doc_ref ref, const char *reason)
{
    json_t *row = row_json(c, ref), *decided = json_object_get(row, "decided");
    if (json_is_object(decided))
        json_object_set_new(decided, "reason", json_string(reason));
    return row;
}

/* ---- which wait ---- */

static int query_take(const struct request *request, struct queue_query *query, uint32_t *limit, struct err *err)
{
    const char *field = request_argument(request, "field"), *decided = request_argument(request, "decided");
    query->batch = request_argument(request, "batch");
    query->unit = request_argument(request, "unit");
    query->decided = decided && !strcmp(decided, "1");
    query->field = -1;
    if (field && *field && (query->field = correction_field_named(field)) < 0)
        return err_set(err, E_USAGE, "field=%.40s: there is no such field", field);
    int rc = number_argument(request, "limit", LISTED_MOST, limit, err);
    return rc ? rc : number_argument(request, "after", LISTED_BEHIND_MOST, &query->after, err);
}

void get_reviews(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(buf_destroy) struct buf rows = {0};
    struct queue_query query = {.account = request_account(request), .holds = &c->holds, .now_ms = clock_mono_ms()};
    uint32_t limit = LISTED_PRESET;
    struct err err;
    (void)args;
    if (query_take(request, &query, &limit, &err)) {
        request_answer_err(request, &err);
        return;
    }
    query.limit = limit ? limit : 1;
    uint64_t total = queue_take(c->backlog, c->reviews, &query, &rows);
    const struct doc_ref *at = (const struct doc_ref *)(const void *)rows.data;
    json_t *list = json_array();
    for (size_t i = 0; i < rows.size / sizeof *at; i++)
        json_array_append_new(list, row_json(c, at[i]));
    uint64_t next = query.after + json_array_size(list);
    request_answer(request, 200,
                   json_pack("{s:o, s:I, s:o}", "documents", list, "total", (json_int_t)total, "next",
                             next < total ? json_integer((json_int_t)next) : json_null()));
}

/* ---- what is known of one ---- */

static json_t *place_json(const json_t *record, int field)
{
    struct record_place place;
    if (!record_place(record, field, &place))
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:[I, I, I, I]}", "page", place.page, "width", place.page_width, "height",
                     place.page_height, "box", place.x, place.y, place.w, place.h);
}

static json_t *or_null(json_t *borrowed)
{
    return borrowed ? json_incref(borrowed) : json_null();
}

/* The value is what counts: a person's, else the machine's. */
static json_t *field_json(const struct record_read *read, const struct reviewed *reviewed, int field, bool doubted)
{
    const json_t *record = read->record;
    const struct correction *correction = review_correction(reviewed, field);
    const json_t *said = record_field(record, field);
    const char *raw = json_string_value(json_object_get(said, "raw"));
    json_t *candidates = json_object_get(said, "candidates"), *machine = or_null(json_object_get(said, "value"));
    json_t *corrected = correction ? record_corrected(read, correction) : json_null();
    json_t *value = correction ? json_incref(json_object_get(corrected, "value")) : json_incref(machine);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:o}", "name", correction_field(field), "value",
                     value, "machine", machine, "confidence", or_null(json_object_get(said, "confidence")), "doubt",
                     or_null(json_object_get(said, "doubt")), "doubted", doubted, "raw", raw ? raw : "", "candidates",
                     candidates ? json_incref(candidates) : json_array(), "place", place_json(record, field),
                     "corrected", corrected);
}

static json_t *fields_json(const struct record_read *read, const struct reviewed *reviewed, uint32_t doubts)
{
    json_t *fields = json_array();
    for (int doubted = 1; doubted >= 0; doubted--)
        for (int field = 0; field < REVIEW_FIELDS; field++)
            if ((int)(doubts >> field & 1) == doubted)
                json_array_append_new(fields, field_json(read, reviewed, field, doubted));
    return fields;
}

static void review_show(struct record_read *read)
{
    const struct coordinator *c = read->c;
    const struct batch *batch = c->backlog->batch[read->ref.batch];
    const struct reviewed *reviewed = review_find(review_of(c->reviews, batch), read->ref.doc);
    uint32_t generation;
    if (!read->rc && !document_in_force(doc_look(batch, read->ref.doc), &generation))
        read->rc = err_set(&read->err, E_STATE, "document %u of batch %s has no result", read->ref.doc, batch->id);
    if (read->rc) {
        request_answer_err(read->request, &read->err);
        return;
    }
    json_t *answer = document_json(c, read->ref, record_reason(read, reviewed));
    json_object_set_new(answer, "fields", fields_json(read, reviewed, record_doubts(read->record)));
    request_answer(read->request, 200, answer);
}

static int force_check(const struct batch *batch, uint32_t doc, struct err *err)
{
    uint32_t generation;
    const struct doc *is = doc_look(batch, doc);
    return document_in_force(is, &generation)
               ? 0
               : err_set(err, E_STATE, "document %u of batch %s is %s", doc, batch->id, doc_state_name(is->state));
}

/* ?hold=1: others get it last for a while. */
void get_doc_review(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *hold = request_argument(request, "hold");
    struct doc_ref ref = {args->batch->index, args->doc};
    struct err err;
    if (force_check(args->batch, args->doc, &err)) {
        request_answer_err(request, &err);
        return;
    }
    if (hold && !strcmp(hold, "1"))
        hold_take(&c->holds, ref, request_account(request), clock_mono_ms());
    record_read(c, request, ref, review_show, NULL);
}

static void record_answer(struct record_read *read)
{
    AUTO(buf_destroy) struct buf text = {0};
    const struct batch *batch = read->c->backlog->batch[read->ref.batch];
    if (!read->rc)
        read->rc = force_check(batch, read->ref.doc, &read->err);
    if (read->rc) {
        request_answer_err(read->request, &read->err);
        return;
    }
    record_correct(read, review_find(review_of(read->c->reviews, batch), read->ref.doc));
    record_write(read->record, &text);
    request_answer_text(read->request, 200, "application/json", &text);
}

void get_record(struct coordinator *c, struct request *request, struct doc_ref ref)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    const struct reviewed *reviewed = review_find(review_of(c->reviews, batch), ref.doc);
    struct name name;
    if (reviewed && reviewed->remarks && reviewed->remarks->corrections)
        record_read(c, request, ref, record_answer, NULL);
    else
        request_answer_blob(request, name_rec(&name, batch->id, ref.doc), "application/json", "record.json");
}

/* ---- deciding ---- */

struct deciding {
    const char *actor; /* stays: an account's name */
    Sohoa__Decision decision;
    char *reason;
    json_int_t generation; /* that was looked at; -1: not said */
    json_int_t decided_ms; /* when it was decided on last, as far as the person saw: 0: not yet; -1: not said */
    json_t *corrections;   /* field -> text, or null: the machine is right; NULL: none */
};

static void deciding_destroy(struct deciding **deciding)
{
    if (!*deciding)
        return;
    json_decref((*deciding)->corrections);
    free((*deciding)->reason);
    free(*deciding);
    *deciding = NULL;
}

int reason_take(const json_t *body, const char **ret_reason, struct err *err)
{
    const json_t *reason = json_object_get(body, "reason");
    *ret_reason = reason ? json_string_value(reason) : "";
    if (!*ret_reason)
        return err_set(err, E_USAGE, "reason is a text");
    return strlen(*ret_reason) < REVIEW_REASON_BYTES
               ? 0
               : err_set(err, E_LIMIT, "the reason is longer than %d bytes (REVIEW_REASON_BYTES)",
                         REVIEW_REASON_BYTES - 1);
}

/* Takes them over as they are to be kept. */
static int corrections_take(const json_t *said, struct deciding *deciding, struct err *err)
{
    const char *key;
    json_t *value;
    if (!said || json_is_null(said))
        return 0;
    if (!json_is_object(said))
        return err_set(err, E_USAGE, "corrections are {\"codeNumber\": \"05\"}; null: the machine is right");
    deciding->corrections = json_object();
    json_object_foreach((json_t *)(uintptr_t)said, key, value)
    {
        AUTO(mem_destroy) char *text = NULL;
        int field = correction_field_named(key), rc = 0;
        if (field < 0)
            return err_set(err, E_USAGE, "there is no field '%.40s'", key);
        if (!json_is_string(value) && !json_is_null(value))
            return err_set(err, E_USAGE, "%s is a text, or null: the machine is right", key);
        if (json_is_string(value))
            rc = correction_value(field, json_string_value(value), &text, err);
        if (rc)
            return rc;
        json_object_set_new(deciding->corrections, key, text ? json_string(text) : json_null());
    }
    return 0;
}

/* -1: it is not said. */
static int number_take(const json_t *body, const char *key, json_int_t *ret_number, struct err *err)
{
    const json_t *said = json_object_get(body, key);
    *ret_number = said ? json_integer_value(said) : -1;
    return !said || (json_is_integer(said) && *ret_number >= 0) ? 0 : err_set(err, E_USAGE, "%s is a number", key);
}

static int decision_check(const struct deciding *deciding, struct err *err)
{
    if (deciding->decision != SOHOA__DECISION__DECISION_REJECTED)
        return 0;
    if (!*deciding->reason)
        return err_set(err, E_USAGE, "who rejects a document gives a reason");
    return json_object_size(deciding->corrections)
               ? err_set(err, E_USAGE, "a document is corrected or rejected, not both")
               : 0;
}

static int decision_take(json_t *body, struct deciding *deciding, struct err *err)
{
    static const char *const known[] = {"decision", "corrections", "reason", "generation", "decided_ms", NULL};
    const char *decision = json_string_value(json_object_get(body, "decision")), *reason = "";
    int rc = keys_check(body, known, "a decision", err);
    if (!rc && (!decision || (strcmp(decision, "accept") && strcmp(decision, "reject"))))
        rc = err_set(err, E_USAGE, "decision is \"accept\", with or without corrections, or \"reject\"");
    if (!rc)
        rc = reason_take(body, &reason, err);
    if (!rc)
        rc = number_take(body, "generation", &deciding->generation, err);
    if (!rc)
        rc = number_take(body, "decided_ms", &deciding->decided_ms, err);
    if (!rc)
        rc = corrections_take(json_object_get(body, "corrections"), deciding, err);
    if (rc)
        return rc;
    deciding->decision =
        strcmp(decision, "reject") ? SOHOA__DECISION__DECISION_ACCEPTED : SOHOA__DECISION__DECISION_REJECTED;
    if (!(deciding->reason = strdup(reason)))
        abort();
    return decision_check(deciding, err);
}

/* In the round under way, with the result that was looked at. What was decided in that round may be decided anew. */
static int turn_check(const struct coordinator *c, struct doc_ref ref, const struct deciding *deciding, struct err *err)
{
    const struct batch *batch = c->backlog->batch[ref.batch];
    const struct review *review = review_of(c->reviews, batch);
    const struct reviewed *reviewed = review_find(review, ref.doc);
    const struct doc *doc = doc_look(batch, ref.doc);
    if (!review_open(review))
        return err_set(err, E_STATE, "batch %s has no round under way", batch->id);
    if (!reviewed || reviewed->round != review->rounds)
        return err_set(err, E_STATE, "document %u is not in round %u of batch %s", ref.doc, review->rounds, batch->id);
    if (review_stand(c->backlog, review, batch, ref.doc) == STAND_NONE)
        return err_set(err, E_STATE, "document %u of batch %s is %s", ref.doc, batch->id, doc_state_name(doc->state));
    if (deciding->generation >= 0 && deciding->generation != doc->generation)
        return err_set(err, E_STATE, "document %u of batch %s was read again meanwhile", ref.doc, batch->id);
    json_int_t decided_ms = reviewed->decision == SOHOA__DECISION__DECISION_NONE ? 0 : (json_int_t)reviewed->at_ms;
    if (deciding->decided_ms >= 0 && deciding->decided_ms != decided_ms)
        return err_set(err, E_STATE, "'%s' decided on document %u of batch %s meanwhile",
                       reviewer_name(c->reviews, reviewed->by), ref.doc, batch->id);
    return 0;
}

struct said { /* remarks with what they point to */
    Sohoa__Remarks remarks;
    uint8_t salt[REMARKS_SALT_BYTES];
    Sohoa__Correction correction[REVIEW_FIELDS], *corrections[REVIEW_FIELDS];
};

/* What the machine says itself is no correction, but may take one away. */
static void correction_say(struct said *said, const struct record_read *read, const struct reviewed *reviewed,
                           int field, const json_t *value)
{
    const char *was = record_value(read->record, field), *text = json_string_value(value);
    bool withdrawn = !text || !strcmp(text, was);
    const struct correction *before = review_correction(reviewed, field);
    bool same = before && !withdrawn && !strcmp(record_correction(read, before), text);
    if (withdrawn ? !before : same && before->round == reviewed->round)
        return;
    Sohoa__Correction *correction = &said->correction[said->remarks.n_corrections];
    sohoa__correction__init(correction);
    correction->field = (Sohoa__FieldName)field;
    correction->value = withdrawn ? (char *)"" : (char *)(uintptr_t)text;
    correction->was = (char *)(uintptr_t)was;
    correction->withdrawn = withdrawn;
    said->corrections[said->remarks.n_corrections++] = correction;
}

static bool stays_corrected(const struct said *said, const struct reviewed *reviewed)
{
    bool corrected = false;
    for (int field = 0; field < REVIEW_FIELDS; field++) {
        const struct correction *before = review_correction(reviewed, field);
        bool now = before && before->round == reviewed->round;
        for (size_t i = 0; i < said->remarks.n_corrections; i++)
            if ((int)said->correction[i].field == field)
                now = !said->correction[i].withdrawn;
        corrected = corrected || now;
    }
    return corrected;
}

static void decision_enter(struct record_read *read, const struct deciding *deciding)
{
    struct coordinator *c = read->c;
    const struct batch *batch = c->backlog->batch[read->ref.batch];
    const struct review *review = review_of(c->reviews, batch);
    const struct reviewed *reviewed = review_find(review, read->ref.doc);
    struct said said = {.remarks = SOHOA__REMARKS__INIT};
    Sohoa__Reviewed decision = SOHOA__REVIEWED__INIT;
    secret_salt(said.salt, sizeof said.salt);
    said.remarks.salt = (ProtobufCBinaryData){sizeof said.salt, said.salt};
    said.remarks.reason = deciding->reason;
    said.remarks.corrections = said.corrections;
    for (int field = 0; field < REVIEW_FIELDS; field++) {
        const json_t *value = json_object_get(deciding->corrections, correction_field(field));
        if (value)
            correction_say(&said, read, reviewed, field, value);
    }
    bool accepted = deciding->decision == SOHOA__DECISION__DECISION_ACCEPTED;
    decision.doc = read->ref.doc;
    decision.generation = doc_look(batch, read->ref.doc)->generation;
    decision.round = review->rounds;
    decision.at_ms = clock_wall_ms();
    decision.decision =
        accepted && stays_corrected(&said, reviewed) ? SOHOA__DECISION__DECISION_CORRECTED : deciding->decision;
    group_set_actor(c->group, deciding->actor);
    review_order_decision(c->reviews, batch, c->group, &decision, &said.remarks, deciding->actor);
    group_set_actor(c->group, NULL);
    trace(TRACE_INFO, "reviewed", "batch=%s doc=%u round=%u corrections=%zu", batch->id, read->ref.doc, review->rounds,
          said.remarks.n_corrections);
    coordinator_apply(c);
    answer_then(c, read->request, document_json(c, read->ref, deciding->reason));
}

static void decision_done(struct record_read *read)
{
    AUTO(deciding_destroy) struct deciding *deciding = read->user;
    if (!read->rc)
        read->rc = turn_check(read->c, read->ref, deciding, &read->err);
    if (!read->rc && read->book.bytes > REMARKS_BLOB_BYTES - 2 * REMARKS_BYTES)
        read->rc = err_set(&read->err, E_LIMIT,
                           "more was said of document %u of batch %s than is kept of one (REMARKS_BLOB_BYTES)",
                           read->ref.doc, read->batch);
    if (read->rc)
        request_answer_err(read->request, &read->err);
    else
        decision_enter(read, deciding);
}

void post_decision(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *body = NULL;
    AUTO(deciding_destroy) struct deciding *deciding = calloc(1, sizeof *deciding);
    struct doc_ref ref = {args->batch->index, args->doc};
    struct err err;
    if (!deciding)
        abort();
    deciding->actor = request_account(request)->name;
    int rc = body_take(request, &body, &err);
    if (!rc)
        rc = decision_take(body, deciding, &err);
    if (!rc)
        rc = turn_check(c, ref, deciding, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    record_read(c, request, ref, decision_done, deciding);
    deciding = NULL;
}
