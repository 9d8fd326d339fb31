/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Rounds of a batch's review: what is drawn, what decisions come to, what a re-run takes away, which come first, what a field may hold, and
 * that the ledger, read again, comes to the same. */
#include "coordinator/review_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "coordinator/correction.h"
#include "coordinator/group.h"
#include "coordinator/queue.h"
#include "coordinator/remarks.h"
#include "coordinator/review_limit.h"
#include "coordinator/sample.h"
#include "proto/auto.h"
#include "worker/field.h"

enum { DOCS = 100, BOUND_DOCS = 10, TENTH = 10, PERCENT = 10, SEED = 42, NOW_MS = 1000 };

static struct world {
    struct backlog *backlog;
    struct batch *batch;
    struct reviews *reviews;
    struct group *ledger; /* all that was said so far */
} now;

static void doc_state(uint32_t number, Sohoa__DocState state)
{
    struct doc *doc = doc_at(now.backlog, (struct doc_ref){0, number});
    now.batch->doc_count[doc->state]--;
    now.batch->doc_count[state]++;
    doc->generation = (uint16_t)(doc->generation + (state == SOHOA__DOC_STATE__DOC_OPEN));
    doc->state = (uint16_t)state & 7;
}

static int set_up(void **state)
{
    (void)state;
    now = (struct world){.backlog = backlog_new(), .reviews = reviews_new(), .ledger = group_new(NULL, NULL, NULL)};
    now.batch = batch_add(now.backlog, "b", 0, NONE);
    batch_add_lot(now.batch, &(struct terms){.unit = "district:001"}, DOCS - BOUND_DOCS, 0);
    batch_add_lot(now.batch, &(struct terms){.unit = "district:002"}, BOUND_DOCS, 0);
    for (uint32_t d = 0; d < DOCS; d++)
        doc_state(d, SOHOA__DOC_STATE__DOC_STORED);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    backlog_destroy(&now.backlog);
    reviews_destroy(&now.reviews);
    group_destroy(&now.ledger);
    return 0;
}

static const struct review *review(void)
{
    return review_of(now.reviews, now.batch);
}

static uint32_t round_begin(uint32_t percent, uint64_t seed)
{
    AUTO(buf_destroy) struct buf docs = {0};
    struct err err;
    assert_int_equal(review_draw(now.backlog, review(), now.batch, &percent, &seed, &docs, &err), 0);
    review_order_round(now.reviews, now.batch, now.ledger, percent, seed, &docs, "lan", NOW_MS);
    return (uint32_t)(docs.size / sizeof(uint32_t));
}

static void decide(uint32_t doc, Sohoa__Decision decision, Sohoa__Correction *correction, const char *who)
{
    Sohoa__Reviewed said = SOHOA__REVIEWED__INIT;
    said.batch = (char *)"b";
    said.doc = doc;
    said.generation = doc_look(now.batch, doc)->generation;
    said.round = review()->rounds;
    said.decision = decision;
    Sohoa__Remarks remarks = SOHOA__REMARKS__INIT;
    remarks.corrections = &correction;
    remarks.n_corrections = correction != NULL;
    remarks.reason = (char *)(decision == SOHOA__DECISION__DECISION_REJECTED ? "upside down" : "");
    said.at_ms = NOW_MS + doc;
    review_order_decision(now.reviews, now.batch, now.ledger, &said, &remarks, who);
}

static void accept_all(void)
{
    for (uint32_t d = 0; d < DOCS; d++)
        if (review_stand(now.backlog, review(), now.batch, d) == STAND_WAITING)
            decide(d, SOHOA__DECISION__DECISION_ACCEPTED, NULL, "lan");
}

static void round_close(Sohoa__RoundVerdict verdict)
{
    review_order_close(now.reviews, now.batch, now.ledger, verdict, "so it is", "root", NOW_MS + DOCS);
}

static Sohoa__Correction corrected(Sohoa__FieldName field, const char *value)
{
    Sohoa__Correction correction = SOHOA__CORRECTION__INIT;
    correction.field = field;
    correction.value = (char *)(uintptr_t)value;
    correction.was = (char *)"was";
    return correction;
}

/* ---- a restart ---- */

static void book_read(struct remarks_book *book)
{
    remarks_clear(book);
    remarks_read(&now.ledger->remarks_data, book);
}

static const Sohoa__Correction *said_in(const struct remarks_book *book, const struct correction *correction)
{
    const Sohoa__Correction *said = remarks_correction(remarks_find(book, correction->sha256), correction->field);
    assert_non_null(said);
    return said;
}

static void remarks_tell(const struct reviews *reviews, const struct remarks *remarks, const struct remarks_book *book,
                         struct buf *text)
{
    buf_printf(text, " '%s'", remarks->said ? remarks_find(book, remarks->sha256)->reason : "");
    for (uint32_t i = 0; i < remarks->corrections; i++) {
        const struct correction *it = &remarks->correction[i];
        buf_printf(text, " %u=%s was %s by %s %u.%u %u", it->field, said_in(book, it)->value, said_in(book, it)->was,
                   reviewer_name(reviews, it->by), it->round, it->generation, (unsigned)it->at_ms);
    }
}

static void reviews_tell(const struct reviews *reviews, struct buf *text)
{
    AUTO(remarks_clear) struct remarks_book book = {0};
    const struct review *of = review_of(reviews, now.batch);
    book_read(&book);
    for (uint32_t i = 0; i < of->rounds; i++) {
        const struct round *round = &of->round[i];
        buf_printf(text, "%u%% %u of %u: %u %u %u %u, signer %u, %u %s by %s\n", round->percent, (unsigned)round->seed,
                   round->docs, round->count[0], round->count[1], round->count[2], round->count[3],
                   round->wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], round->verdict, round->reason ? round->reason : "-",
                   reviewer_name(reviews, round->begun_by));
    }
    for (uint32_t i = 0; i < of->docs; i++) {
        const struct reviewed *it = &of->doc[i];
        buf_printf(text, "%u: %u.%u %u %u", it->doc, it->round, it->generation, it->decision, (unsigned)it->at_ms);
        if (it->remarks)
            remarks_tell(reviews, it->remarks, &book, text);
        buf_puts(text, "\n");
    }
}

static void ledger_read_again(struct reviews *reviews)
{
    struct err err;
    for (size_t at = 0; at < now.ledger->entries.size;) {
        uint32_t bytes;
        memcpy(&bytes, now.ledger->entries.data + at, sizeof bytes);
        Sohoa__LedgerEntry *entry =
            sohoa__ledger_entry__unpack(NULL, bytes, now.ledger->entries.data + at + sizeof bytes);
        assert_non_null(entry);
        entry->time_ms = NOW_MS;
        assert_int_equal(review_restore(reviews, now.backlog, entry, &err), 0);
        sohoa__ledger_entry__free_unpacked(entry, NULL);
        at += sizeof bytes + bytes;
    }
}

static void assert_restart_is_same(void)
{
    AUTO(reviews_destroy) struct reviews *again = reviews_new();
    AUTO(buf_destroy) struct buf was = {0};
    AUTO(buf_destroy) struct buf is = {0};
    ledger_read_again(again);
    reviews_tell(now.reviews, &was);
    reviews_tell(again, &is);
    assert_string_equal(buf_text(&is), buf_text(&was));
}

/* ---- tests ---- */

/* Drawn by another program (Python's hashlib), too. */
static void a_sample_repeats_from_its_seed(void **state)
{
    static const uint32_t of_42[TENTH] = {7, 13, 28, 46, 51, 74, 78, 89, 93, 98},
                          of_43[TENTH] = {0, 9, 15, 19, 60, 67, 69, 84, 90, 99};
    uint32_t docs[DOCS], few[3] = {7, 8, 9};
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < DOCS; i++)
            docs[i] = turn ? DOCS - 1 - i : i; /* in whatever order they come */
        assert_int_equal(sample_draw(docs, DOCS, PERCENT, SEED), TENTH);
        assert_memory_equal(docs, of_42, sizeof of_42);
    }
    for (uint32_t i = 0; i < DOCS; i++)
        docs[i] = i;
    assert_int_equal(sample_draw(docs, DOCS, PERCENT, SEED + 1), TENTH);
    assert_memory_equal(docs, of_43, sizeof of_43);
    assert_int_equal(sample_draw(few, 3, 1, SEED), 1);
    assert_int_equal(sample_draw(docs, 0, PERCENT, SEED), 0);
}

static void the_first_round_has_all_and_later_ones_a_sample(void **state)
{
    AUTO(buf_destroy) struct buf docs = {0};
    uint32_t percent = PERCENT;
    uint64_t seed = SEED;
    struct err err;
    (void)state;
    doc_state(5, SOHOA__DOC_STATE__DOC_REFUSED);
    assert_int_equal(round_begin(PERCENT, SEED), DOCS - 1);
    assert_int_equal(review()->round[0].percent, REVIEW_PERCENT_ALL);
    assert_int_equal(review()->round[0].seed, 0);
    assert_int_equal(review_stand(now.backlog, review(), now.batch, 5), STAND_NONE);
    assert_int_equal(review_draw(now.backlog, review(), now.batch, &percent, &seed, &docs, &err), E_STATE);
    accept_all();
    decide(9, SOHOA__DECISION__DECISION_REJECTED, NULL, "lan");
    round_close(SOHOA__ROUND_VERDICT__ROUND_PASSED);
    assert_int_equal(review_passed(review()), 1);
    assert_int_equal(round_begin(PERCENT, SEED), TENTH); /* of 98 that passed, rounded up */
    assert_int_equal(review_passed(review()), 1);        /* as long as the second is under way */
    assert_int_equal(review()->round[1].seed, SEED);
    assert_int_equal(review_stand(now.backlog, review(), now.batch, 9), STAND_REJECTED);
    assert_restart_is_same();
}

static void nothing_is_drawn_of_what_is_still_read(void **state)
{
    AUTO(buf_destroy) struct buf docs = {0};
    uint32_t percent = PERCENT;
    uint64_t seed = SEED;
    struct err err;
    (void)state;
    doc_state(1, SOHOA__DOC_STATE__DOC_OPEN);
    assert_int_equal(review_draw(now.backlog, review(), now.batch, &percent, &seed, &docs, &err), E_STATE);
    assert_non_null(strstr(err.text, "1 documents that are still to be read"));
}

/* A re-run takes a decision away, its undoing gives it back, and the next round has what was read again, all of it. */
static void a_re_run_loses_its_acceptance(void **state)
{
    Sohoa__Correction signer = corrected(SOHOA__FIELD_NAME__FIELD_SIGNER, "Nguyễn Văn An");
    AUTO(remarks_clear) struct remarks_book book = {0};
    struct doc *doc = doc_at(now.backlog, (struct doc_ref){0, 3});
    (void)state;
    round_begin(PERCENT, SEED);
    accept_all();
    decide(3, SOHOA__DECISION__DECISION_CORRECTED, &signer, "lan");
    round_close(SOHOA__ROUND_VERDICT__ROUND_ACCEPTED);
    doc_state(3, SOHOA__DOC_STATE__DOC_OPEN);
    assert_int_equal(review_stand(now.backlog, review(), now.batch, 3), STAND_NONE);
    doc->generation--;
    doc_state(3, SOHOA__DOC_STATE__DOC_STORED);
    assert_int_equal(review_stand(now.backlog, review(), now.batch, 3), STAND_ACCEPTED);
    doc->generation++;
    assert_int_equal(review_stand(now.backlog, review(), now.batch, 3), STAND_FRESH);
    assert_int_equal(round_begin(PERCENT, SEED), 1);
    assert_int_equal(review_stand(now.backlog, review(), now.batch, 3), STAND_WAITING);
    book_read(&book);
    assert_string_equal(
        said_in(&book, review_correction(review_find(review(), 3), SOHOA__FIELD_NAME__FIELD_SIGNER))->value,
        "Nguyễn Văn An");
    decide(3, SOHOA__DECISION__DECISION_ACCEPTED, NULL, "lan");
    assert_int_equal(review_open(review())->wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], 0); /* it was in the round before */
    assert_int_equal(review()->round[0].wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], 1);
    assert_restart_is_same();
}

static void what_was_decided_in_a_round_may_be_decided_anew(void **state)
{
    Sohoa__Correction signer = corrected(SOHOA__FIELD_NAME__FIELD_SIGNER, "An"), back = signer;
    AUTO(remarks_clear) struct remarks_book book = {0};
    const struct round *round;
    (void)state;
    round_begin(PERCENT, SEED);
    round = review_open(review());
    decide(0, SOHOA__DECISION__DECISION_CORRECTED, &signer, "lan");
    assert_int_equal(round->wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], 1);
    signer.value = (char *)"Anh";
    decide(0, SOHOA__DECISION__DECISION_CORRECTED, &signer, "root");
    assert_int_equal(round->wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], 1);
    assert_int_equal(round->count[SOHOA__DECISION__DECISION_CORRECTED], 1);
    const struct correction *kept = review_correction(review_find(review(), 0), SOHOA__FIELD_NAME__FIELD_SIGNER);
    book_read(&book);
    assert_string_equal(said_in(&book, kept)->value, "Anh");
    assert_string_equal(said_in(&book, kept)->was, "was");
    assert_string_equal(reviewer_name(now.reviews, kept->by), "root");
    assert_restart_is_same();
    back.withdrawn = true;
    decide(0, SOHOA__DECISION__DECISION_ACCEPTED, &back, "lan");
    assert_null(review_correction(review_find(review(), 0), SOHOA__FIELD_NAME__FIELD_SIGNER));
    assert_int_equal(round->wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], 0);
    assert_int_equal(round->count[SOHOA__DECISION__DECISION_NONE], DOCS - 1);
    assert_restart_is_same();
}

static bool is_in(const struct buf *where, const char *text)
{
    return memmem(where->data, where->size, text, strlen(text));
}

/* The ledger has no word of it. What is left is which fields the round was wrong in, until it is decided anew. */
static void a_quarantine_leaves_nothing_of_what_was_said(void **state)
{
    Sohoa__Correction signer = corrected(SOHOA__FIELD_NAME__FIELD_SIGNER, "Nguyễn Văn An");
    (void)state;
    round_begin(PERCENT, SEED);
    decide(0, SOHOA__DECISION__DECISION_CORRECTED, &signer, "lan");
    decide(1, SOHOA__DECISION__DECISION_REJECTED, NULL, "lan");
    decide(2, SOHOA__DECISION__DECISION_ACCEPTED, NULL, "lan");
    assert_true(is_in(&now.ledger->remarks_data, "Nguyễn Văn An") && is_in(&now.ledger->remarks_data, "upside down"));
    assert_false(is_in(&now.ledger->entries, "Nguyễn Văn An") || is_in(&now.ledger->entries, "upside down"));
    assert_null(review_find(review(), 2)->remarks);
    review_purge(now.reviews, now.batch, 0);
    review_purge(now.reviews, now.batch, 1);
    review_purge(now.reviews, now.batch, 2);
    assert_null(review_correction(review_find(review(), 0), SOHOA__FIELD_NAME__FIELD_SIGNER));
    assert_false(review_find(review(), 1)->remarks->said);
    assert_int_equal(review_open(review())->wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], 1);
    decide(0, SOHOA__DECISION__DECISION_ACCEPTED, NULL, "lan");
    assert_int_equal(review_open(review())->wrong[SOHOA__FIELD_NAME__FIELD_SIGNER], 0);
    assert_int_equal(review_open(review())->count[SOHOA__DECISION__DECISION_CORRECTED], 0);
}

static void what_makes_no_sense_is_refused(void **state)
{
    Sohoa__Reviewed said = SOHOA__REVIEWED__INIT;
    Sohoa__ReviewRound round = SOHOA__REVIEW_ROUND__INIT;
    Sohoa__ReviewClosed closed = SOHOA__REVIEW_CLOSED__INIT;
    uint32_t docs[] = {1, 1, DOCS};
    struct err err;
    (void)state;
    said.round = closed.round = 1;
    said.decision = SOHOA__DECISION__DECISION_ACCEPTED;
    closed.verdict = SOHOA__ROUND_VERDICT__ROUND_PASSED;
    assert_int_equal(review_decide(now.reviews, now.batch, &said, "", &err), E_CORRUPT);
    assert_int_equal(review_close(now.reviews, now.batch, &closed, "", 0, &err), E_CORRUPT);
    round.percent = REVIEW_PERCENT_ALL;
    round.docs = docs;
    for (round.round = 1, round.n_docs = 0; round.n_docs <= 3; round.n_docs++)
        if (round.n_docs != 1)
            assert_int_equal(review_begin(now.reviews, now.batch, &round, "", 0, &err), E_CORRUPT);
    round.n_docs = 1;
    round.round = 2;
    assert_int_equal(review_begin(now.reviews, now.batch, &round, "", 0, &err), E_CORRUPT);
    round_begin(PERCENT, SEED);
    said.doc = DOCS;
    assert_int_equal(review_decide(now.reviews, now.batch, &said, "", &err), E_CORRUPT);
    Sohoa__FieldName field = SOHOA__FIELD_NAME__FIELD_SIGNER;
    said.doc = 0;
    said.fields = &field;
    said.n_fields = 1; /* and no remarks that would have it */
    assert_int_equal(review_decide(now.reviews, now.batch, &said, "", &err), E_CORRUPT);
}

static void limits_name_the_fields(void **state)
{
    struct review_limits limits;
    struct err err;
    (void)state;
    assert_int_equal(review_limits_load("", &limits, &err), 0);
    round_begin(PERCENT, SEED);
    accept_all();
    const struct round *round = review_open(review());
    for (uint32_t d = 0; d < 3; d++) {
        Sohoa__Correction signer = corrected(SOHOA__FIELD_NAME__FIELD_SIGNER, "An");
        assert_false(review_limit_met(&limits, round, SOHOA__FIELD_NAME__FIELD_SIGNER)); /* 2 % is not over it */
        decide(d, SOHOA__DECISION__DECISION_CORRECTED, &signer, "lan");
    }
    for (int row = 0; row < REVIEW_LIMITS; row++)
        assert_int_equal(review_limit_met(&limits, round, row), row == SOHOA__FIELD_NAME__FIELD_SIGNER);
    for (uint32_t d = 0; d < 6; d++)
        decide(50 + d, SOHOA__DECISION__DECISION_REJECTED, NULL, "lan");
    assert_true(review_limit_met(&limits, round, LIMIT_REJECTED));
    assert_int_equal(review_limit_count(round, LIMIT_DOCUMENT), 9);
    assert_int_equal((int)review_limit_share(round, LIMIT_DOCUMENT), 9);
}

static int limits_of(const char *text, struct review_limits *limits, struct err *err)
{
    char path[] = "/tmp/review_limits_XXXXXX";
    AUTO(fd_destroy) int fd = mkstemp(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    int rc = review_limits_load(path, limits, err);
    unlink(path);
    return rc;
}

static void wrong_limits_are_named(void **state)
{
    struct review_limits limits;
    struct err err;
    (void)state;
    assert_int_equal(limits_of("field,limit_percent\nsigner,0.5\n", &limits, &err), 0);
    assert_true(limits.percent[SOHOA__FIELD_NAME__FIELD_SIGNER] == 0.5);
    assert_true(limits.percent[LIMIT_DOCUMENT] == 100);
    assert_int_equal(limits_of("field,limit_percent\nsigner,101\n", &limits, &err), E_CONFIG);
    assert_non_null(strstr(err.text, "line 2: limit_percent of signer"));
    assert_int_equal(limits_of("field,limit_percent\nsigned,1\n", &limits, &err), E_CONFIG);
    assert_non_null(strstr(err.text, "there is no field 'signed'"));
    assert_int_equal(review_limits_load("/nowhere", &limits, &err), E_ABSENT);
}

static void assert_value(int field, const char *text, const char *wanted)
{
    AUTO(mem_destroy) char *value = NULL;
    struct err err;
    int rc = correction_value(field, text, &value, &err);
    if (wanted)
        assert_string_equal(value, wanted);
    else
        assert_true(rc && strstr(err.text, correction_field(field)) == err.text);
}

static void values_have_the_form_of_their_field(void **state)
{
    char most[502];
    (void)state;
    assert_value(SOHOA__FIELD_NAME__FIELD_DATE, "1954-10-10", "1954-10-10");
    assert_value(SOHOA__FIELD_NAME__FIELD_DATE, "2024-02-29", "2024-02-29");
    assert_value(SOHOA__FIELD_NAME__FIELD_DATE, "2023-02-29", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_DATE, "10/10/1954", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_DATE, "", "");
    assert_value(SOHOA__FIELD_NAME__FIELD_TYPE_CODE, "32", "32");
    assert_value(SOHOA__FIELD_NAME__FIELD_TYPE_CODE, "33", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_TYPE_CODE, "2", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_HEADER, "party", "party");
    assert_value(SOHOA__FIELD_NAME__FIELD_HEADER, "parts", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_NUMBER, "12345678901", "12345678901");
    assert_value(SOHOA__FIELD_NAME__FIELD_NUMBER, "123456789012", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_COPIES, "5b", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_SIGNER, "  Nguye\xcc\x82\xcc\x83n Va\xcc\x86n An\n",
                 "Nguyễn Văn An"); /* NFC */
    assert_value(SOHOA__FIELD_NAME__FIELD_SIGNER, "An\x01", NULL);
    assert_value(SOHOA__FIELD_NAME__FIELD_SIGNER, "\xff", NULL);
    memset(most, 'x', sizeof most - 1);
    most[501] = '\0';
    assert_value(SOHOA__FIELD_NAME__FIELD_SUBJECT, most, NULL);
    most[500] = '\0';
    assert_value(SOHOA__FIELD_NAME__FIELD_SUBJECT, most, most);
}

static void fields_are_called_as_in_records(void **state)
{
    (void)state;
    assert_int_equal(REVIEW_FIELDS, FIELDS);
    for (int field = 0; field < REVIEW_FIELDS; field++) {
        assert_string_equal(correction_field(field), field_name((Sohoa__FieldName)field));
        assert_int_equal(correction_field_named(correction_field(field)), field);
    }
    assert_int_equal(correction_field_named("signed"), -1);
}

/* ---- the queue ---- */

static struct holds holds;

static const struct doc_ref *queue(struct queue_query query, struct buf *rows, uint64_t *ret_total)
{
    query.holds = &holds;
    query.now_ms = query.now_ms ? query.now_ms : NOW_MS;
    buf_clear(rows);
    *ret_total = queue_take(now.backlog, now.reviews, &query, rows);
    return (const struct doc_ref *)(const void *)rows->data;
}

static void the_most_doubtful_come_first(void **state)
{
    AUTO(buf_destroy) struct buf rows = {0};
    struct account all = {.role = SOHOA__ROLE__ROLE_ARCHIVIST};
    uint64_t total;
    (void)state;
    doc_set_doubts(now.batch, 70, 0x7);
    doc_set_doubts(now.batch, 60, 0x3);
    doc_set_doubts(now.batch, 50, 0x5);
    doc_at(now.backlog, (struct doc_ref){0, 50})->confidence_cpct = 9000;
    doc_at(now.backlog, (struct doc_ref){0, 60})->confidence_cpct = 8000;
    queue((struct queue_query){.account = &all, .field = -1, .limit = 4}, &rows, &total);
    assert_int_equal(total, 0); /* no round is under way */
    round_begin(PERCENT, SEED);
    const struct doc_ref *at = queue((struct queue_query){.account = &all, .field = -1, .limit = 4}, &rows, &total);
    assert_int_equal(total, DOCS);
    assert_true(rows.size == 4 * sizeof *at && at[0].doc == 70 && at[1].doc == 60 && at[2].doc == 50 && at[3].doc == 0);
    at = queue((struct queue_query){.account = &all, .field = -1, .limit = 4, .after = 2}, &rows, &total);
    assert_true(rows.size == 4 * sizeof *at && at[0].doc == 50 && at[3].doc == 2);
    at = queue((struct queue_query){.account = &all, .field = 1, .limit = 4}, &rows, &total);
    assert_true(total == 2 && at[0].doc == 70 && at[1].doc == 60);
    decide(70, SOHOA__DECISION__DECISION_ACCEPTED, NULL, "lan");
    at = queue((struct queue_query){.account = &all, .field = -1, .limit = 1}, &rows, &total);
    assert_true(total == DOCS - 1 && at[0].doc == 60);
    at = queue((struct queue_query){.account = &all, .field = -1, .limit = 4, .decided = true}, &rows, &total);
    assert_true(total == 1 && at[0].doc == 70);
}

static void what_another_looks_at_comes_last(void **state)
{
    AUTO(buf_destroy) struct buf rows = {0};
    struct account lan = {.role = SOHOA__ROLE__ROLE_ARCHIVIST}, minh = lan;
    struct queue_query of_lan = {.account = &lan, .field = -1, .limit = DOCS}, of_minh = of_lan, later = of_lan;
    uint64_t total;
    (void)state;
    round_begin(PERCENT, SEED);
    hold_take(&holds, (struct doc_ref){0, 0}, &minh, NOW_MS);
    const struct doc_ref *at = queue(of_lan, &rows, &total);
    assert_true(total == DOCS && at[0].doc == 1 && at[DOCS - 1].doc == 0);
    of_minh.account = &minh;
    assert_int_equal(queue(of_minh, &rows, &total)->doc, 0);
    hold_take(&holds, (struct doc_ref){0, 0}, &lan, NOW_MS);
    assert_int_equal(queue(of_minh, &rows, &total)->doc, 1);
    for (uint32_t i = 0; i < HOLDS_MAX; i++) /* more than there is room for: the oldest goes */
        hold_take(&holds, (struct doc_ref){1, i}, &minh, NOW_MS + 1);
    assert_int_equal(queue(of_minh, &rows, &total)->doc, 0);
    hold_take(&holds, (struct doc_ref){0, 0}, &minh, NOW_MS + 2);
    later.now_ms = NOW_MS + 2 + HOLD_MS;
    assert_int_equal(queue(later, &rows, &total)->doc, 0);
    holds = (struct holds){0};
}

static void only_documents_of_the_account_are_listed(void **state)
{
    AUTO(buf_destroy) struct buf rows = {0};
    struct account bound = {.role = SOHOA__ROLE__ROLE_ARCHIVIST};
    uint64_t total;
    struct err err;
    (void)state;
    assert_int_equal(account_add_unit(&bound, "district:002", &err), 0);
    round_begin(PERCENT, SEED);
    const struct doc_ref *at = queue((struct queue_query){.account = &bound, .field = -1, .limit = 4}, &rows, &total);
    assert_true(total == BOUND_DOCS && at[0].doc == DOCS - BOUND_DOCS);
    queue((struct queue_query){.account = &bound, .field = -1, .limit = 4, .unit = "district:001"}, &rows, &total);
    assert_int_equal(total, 0);
    account_clear(&bound);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_sample_repeats_from_its_seed),
        TEST(the_first_round_has_all_and_later_ones_a_sample),
        TEST(nothing_is_drawn_of_what_is_still_read),
        TEST(a_re_run_loses_its_acceptance),
        TEST(what_was_decided_in_a_round_may_be_decided_anew),
        TEST(a_quarantine_leaves_nothing_of_what_was_said),
        TEST(what_makes_no_sense_is_refused),
        TEST(limits_name_the_fields),
        TEST(wrong_limits_are_named),
        TEST(values_have_the_form_of_their_field),
        TEST(fields_are_called_as_in_records),
        TEST(the_most_doubtful_come_first),
        TEST(what_another_looks_at_comes_last),
        TEST(only_documents_of_the_account_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
