/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A batch's documents that were ever looked at lie in one array by number; a round under way is those that name it as theirs. Its
 * counts are kept as decisions come and are replaced. */
#include "coordinator/review.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sample.h"
#include "proto/auto.h"

struct reviews {
    struct review **of; /* by batch */
    uint32_t batches;
    char **reviewer;
    uint32_t reviewers;
};

struct reviews *reviews_new(void)
{
    struct reviews *reviews = calloc(1, sizeof *reviews);
    if (!reviews)
        abort();
    return reviews;
}

static void remarks_destroy(struct remarks **remarks)
{
    if (!*remarks)
        return;
    free((*remarks)->correction);
    free(*remarks);
    *remarks = NULL;
}

static void review_destroy(struct review **review)
{
    if (!*review)
        return;
    for (uint32_t i = 0; i < (*review)->docs; i++)
        remarks_destroy(&(*review)->doc[i].remarks);
    for (uint32_t i = 0; i < (*review)->rounds; i++)
        free((*review)->round[i].reason);
    free((*review)->doc);
    free((*review)->round);
    free(*review);
    *review = NULL;
}

void reviews_destroy(struct reviews **reviews)
{
    if (!*reviews)
        return;
    for (uint32_t i = 0; i < (*reviews)->batches; i++)
        review_destroy(&(*reviews)->of[i]);
    for (uint32_t i = 0; i < (*reviews)->reviewers; i++)
        free((*reviews)->reviewer[i]);
    free((*reviews)->of);
    free((*reviews)->reviewer);
    free(*reviews);
    *reviews = NULL;
}

static char *copy_of(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        abort();
    return copy;
}

static void *grown(void *at, size_t count, size_t bytes)
{
    at = realloc(at, count * bytes);
    if (!at)
        abort();
    return at;
}

/* ---- looking ---- */

const struct review *review_of(const struct reviews *reviews, const struct batch *batch)
{
    return batch->index < reviews->batches ? reviews->of[batch->index] : NULL;
}

/* Where doc is, or would be. */
static uint32_t doc_place(const struct review *review, uint32_t doc)
{
    uint32_t low = 0, high = review->docs;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (review->doc[middle].doc < doc)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct reviewed *doc_find(const struct review *review, uint32_t doc)
{
    uint32_t at = review ? doc_place(review, doc) : 0;
    return review && at < review->docs && review->doc[at].doc == doc ? &review->doc[at] : NULL;
}

const struct reviewed *review_find(const struct review *review, uint32_t doc)
{
    return doc_find(review, doc);
}

static struct round *round_open(const struct review *review)
{
    struct round *last = review && review->rounds ? &review->round[review->rounds - 1] : NULL;
    return last && last->verdict == SOHOA__ROUND_VERDICT__ROUND_OPEN ? last : NULL;
}

const struct round *review_open(const struct review *review)
{
    return round_open(review);
}

const struct correction *review_correction(const struct reviewed *reviewed, int field)
{
    const struct remarks *remarks = reviewed ? reviewed->remarks : NULL;
    for (uint32_t i = 0; remarks && i < remarks->corrections; i++)
        if (remarks->correction[i].field == field && !remarks->correction[i].purged)
            return &remarks->correction[i];
    return NULL;
}

const char *reviewer_name(const struct reviews *reviews, uint16_t by)
{
    return reviews->reviewer[by];
}

uint32_t review_passed(const struct review *review)
{
    uint32_t closed = review->rounds - (round_open(review) != NULL), passed = 0;
    while (passed < closed && review->round[closed - 1 - passed].verdict == SOHOA__ROUND_VERDICT__ROUND_PASSED)
        passed++;
    return passed;
}

/* ---- where a document stands ---- */

static bool has_result(const struct backlog *backlog, const struct doc *doc)
{
    bool assembled = doc->fault == NONE || backlog->fault[doc->fault].code != E_ASSEMBLE;
    return doc->state == SOHOA__DOC_STATE__DOC_STORED || (doc->state == SOHOA__DOC_STATE__DOC_DEAD && assembled);
}

enum stand review_stand(const struct backlog *backlog, const struct review *review, const struct batch *batch,
                        uint32_t number)
{
    const struct doc *doc = doc_look(batch, number);
    const struct reviewed *reviewed = review_find(review, number);
    if (!has_result(backlog, doc))
        return STAND_NONE;
    bool decided =
        reviewed && reviewed->decision != SOHOA__DECISION__DECISION_NONE && reviewed->generation == doc->generation;
    if (decided)
        return reviewed->decision == SOHOA__DECISION__DECISION_REJECTED ? STAND_REJECTED : STAND_ACCEPTED;
    return reviewed && round_open(review) && reviewed->round == review->rounds ? STAND_WAITING : STAND_FRESH;
}

void review_count(const struct backlog *backlog, const struct review *review, const struct batch *batch,
                  struct standing_counts *counts)
{
    *counts = (struct standing_counts){.open = batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN]};
    for (uint32_t d = doc_next(batch, 0); d < batch->docs; d = doc_next(batch, d + 1))
        counts->count[review_stand(backlog, review, batch, d)]++;
}

const char *review_verdict_word(uint8_t verdict)
{
    static const char *const word[] = {"open", "passed", "failed", "accepted", "rejected"};
    return word[verdict];
}

const char *review_word(const struct review *review, const struct standing_counts *counts)
{
    if (!review || !review->rounds)
        return "none";
    uint8_t verdict = review->round[review->rounds - 1].verdict;
    bool again = counts->open || counts->count[STAND_FRESH];
    return again && verdict == SOHOA__ROUND_VERDICT__ROUND_ACCEPTED ? "reopened" : review_verdict_word(verdict);
}

/* ---- rounds ---- */

static void stand_collect(const struct backlog *backlog, const struct review *review, const struct batch *batch,
                          enum stand stand, struct buf *docs)
{
    for (uint32_t d = doc_next(batch, 0); d < batch->docs; d = doc_next(batch, d + 1))
        if (review_stand(backlog, review, batch, d) == stand)
            buf_append(docs, &d, sizeof d);
}

static int draw_check(const struct review *review, const struct batch *batch, struct err *err)
{
    if (round_open(review))
        return err_set(err, E_STATE, "round %u of batch %s is under way", review->rounds, batch->id);
    if (batch->more || batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
        return err_set(err, E_STATE, "batch %s has %u documents that are still to be read", batch->id,
                       batch->doc_count[SOHOA__DOC_STATE__DOC_OPEN]);
    if (review && review->rounds == REVIEW_ROUNDS_MAX)
        return err_set(err, E_LIMIT, "batch %s had %d rounds already (REVIEW_ROUNDS_MAX)", batch->id,
                       REVIEW_ROUNDS_MAX);
    return 0;
}

int review_draw(const struct backlog *backlog, const struct review *review, const struct batch *batch,
                uint32_t *percent, uint64_t *seed, struct buf *docs, struct err *err)
{
    int rc = draw_check(review, batch, err);
    if (rc)
        return rc;
    stand_collect(backlog, review, batch, STAND_FRESH, docs);
    if (docs->size) {
        *percent = REVIEW_PERCENT_ALL;
        *seed = 0;
        return 0;
    }
    stand_collect(backlog, review, batch, STAND_ACCEPTED, docs);
    if (!docs->size)
        return err_set(err, E_STATE, "batch %s has no documents to be looked at", batch->id);
    size_t count = docs->size / sizeof(uint32_t);
    *seed = *percent == REVIEW_PERCENT_ALL ? 0 : *seed;
    if (*percent == REVIEW_PERCENT_ALL)
        return 0;
    if (count > SAMPLE_POOL_MAX)
        return err_set(
            err, E_LIMIT,
            "%zu documents of batch %s have passed, a sample is of at most %d (SAMPLE_POOL_MAX): 100 %% can be looked at",
            count, batch->id, SAMPLE_POOL_MAX);
    docs->size = sizeof(uint32_t) * sample_draw((uint32_t *)(void *)docs->data, (uint32_t)count, *percent, *seed);
    return 0;
}

/* ---- as the ledger says ---- */

static uint16_t reviewer_of(struct reviews *reviews, const char *name)
{
    for (uint32_t i = 0; i < reviews->reviewers; i++)
        if (!strcmp(reviews->reviewer[i], name))
            return (uint16_t)i;
    assert(reviews->reviewers < REVIEWERS_MAX);
    reviews->reviewer = grown(reviews->reviewer, reviews->reviewers + 1, sizeof *reviews->reviewer);
    reviews->reviewer[reviews->reviewers] = copy_of(name);
    return (uint16_t)reviews->reviewers++;
}

static struct review *review_need(struct reviews *reviews, const struct batch *batch)
{
    if (batch->index >= reviews->batches) {
        uint32_t batches = batch->index + 1;
        reviews->of = grown(reviews->of, batches, sizeof(struct review *));
        memset(reviews->of + reviews->batches, 0, (batches - reviews->batches) * sizeof(struct review *));
        reviews->batches = batches;
    }
    struct review **review = &reviews->of[batch->index];
    if (!*review && !(*review = calloc(1, sizeof **review)))
        abort();
    return *review;
}

/* Documents that come to the round under way: those that are there from before stay, with what was said of them. */
static void docs_merge(struct review *review, const uint32_t *docs, uint32_t count)
{
    struct reviewed *merged = grown(NULL, review->docs + count, sizeof *merged);
    uint32_t at = 0, n = 0;
    for (uint32_t i = 0; i < count; i++) {
        while (at < review->docs && review->doc[at].doc < docs[i])
            merged[n++] = review->doc[at++];
        merged[n] =
            at < review->docs && review->doc[at].doc == docs[i] ? review->doc[at++] : (struct reviewed){.doc = docs[i]};
        merged[n].round = (uint16_t)review->rounds;
        merged[n++].decision = SOHOA__DECISION__DECISION_NONE;
    }
    while (at < review->docs)
        merged[n++] = review->doc[at++];
    free(review->doc);
    review->doc = merged;
    review->docs = n;
    review->round[review->rounds - 1].docs += count;
    review->round[review->rounds - 1].count[SOHOA__DECISION__DECISION_NONE] += count;
}

static bool docs_make_sense(const struct batch *batch, const Sohoa__ReviewRound *said)
{
    for (size_t i = 0; i < said->n_docs; i++)
        if (said->docs[i] >= batch->docs || (i && said->docs[i] <= said->docs[i - 1]))
            return false;
    return said->n_docs && said->percent && said->percent <= REVIEW_PERCENT_ALL;
}

int review_begin(struct reviews *reviews, const struct batch *batch, const Sohoa__ReviewRound *said, const char *actor,
                 uint64_t time_ms, struct err *err)
{
    const struct review *before = review_of(reviews, batch);
    uint32_t rounds = before ? before->rounds : 0;
    bool goes_on = said->round == rounds && round_open(before),
         fresh = said->round == rounds + 1 && !round_open(before);
    if ((!goes_on && !fresh) || said->round > REVIEW_ROUNDS_MAX || !docs_make_sense(batch, said))
        return err_set(err, E_CORRUPT, "round %u of batch %s does not follow what was said before", said->round,
                       batch->id);
    struct review *review = review_need(reviews, batch);
    if (fresh) {
        review->round = grown(review->round, review->rounds + 1, sizeof *review->round);
        review->round[review->rounds++] = (struct round){
            .percent = said->percent, .seed = said->seed, .begun_by = reviewer_of(reviews, actor), .begun_ms = time_ms};
    }
    docs_merge(review, said->docs, (uint32_t)said->n_docs);
    return 0;
}

/* Adds what was decided to the round's counts, or takes it away. */
static void decision_count(struct round *round, const struct reviewed *reviewed, int sign)
{
    const struct remarks *remarks = reviewed->remarks;
    round->count[reviewed->decision] += (uint32_t)sign;
    for (uint32_t i = 0; remarks && i < remarks->corrections; i++)
        if (remarks->correction[i].round == reviewed->round)
            round->wrong[remarks->correction[i].field] += (uint32_t)sign;
}

static struct remarks *remarks_need(struct reviewed *reviewed)
{
    if (!reviewed->remarks && !(reviewed->remarks = calloc(1, sizeof *reviewed->remarks)))
        abort();
    return reviewed->remarks;
}

static void correction_put(struct remarks *remarks, const struct correction *correction)
{
    uint32_t at = 0;
    while (at < remarks->corrections && remarks->correction[at].field < correction->field)
        at++;
    if (at == remarks->corrections || remarks->correction[at].field != correction->field) {
        remarks->correction = grown(remarks->correction, remarks->corrections + 1, sizeof *correction);
        memmove(remarks->correction + at + 1, remarks->correction + at,
                (remarks->corrections++ - at) * sizeof *correction);
    }
    remarks->correction[at] = *correction;
}

static bool is_withdrawn(const Sohoa__Reviewed *said, int field)
{
    for (size_t i = 0; i < said->n_withdrawn; i++)
        if ((int)said->withdrawn[i] == field)
            return true;
    return false;
}

/* Those that are withdrawn, and those that are purged, go. */
static void corrections_drop(struct remarks *remarks, const Sohoa__Reviewed *said)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < remarks->corrections; i++)
        if (!remarks->correction[i].purged && !is_withdrawn(said, remarks->correction[i].field))
            remarks->correction[kept++] = remarks->correction[i];
    remarks->corrections = kept;
}

static void remarks_take(struct reviewed *reviewed, const Sohoa__Reviewed *said)
{
    if (!reviewed->remarks && !said->remarks_sha256.len)
        return;
    struct remarks *remarks = remarks_need(reviewed);
    corrections_drop(remarks, said);
    remarks->said = said->remarks_sha256.len;
    if (!remarks->said)
        return;
    memcpy(remarks->sha256, said->remarks_sha256.data, SHA256_BYTES);
    for (size_t i = 0; i < said->n_fields; i++) {
        struct correction correction = {.field = (uint8_t)said->fields[i],
                                        .by = reviewed->by,
                                        .round = reviewed->round,
                                        .generation = reviewed->generation,
                                        .at_ms = reviewed->at_ms};
        memcpy(correction.sha256, remarks->sha256, SHA256_BYTES);
        correction_put(remarks, &correction);
    }
}

void review_purge(struct reviews *reviews, const struct batch *batch, uint32_t doc)
{
    struct reviewed *reviewed = doc_find(review_of(reviews, batch), doc);
    struct remarks *remarks = reviewed ? reviewed->remarks : NULL;
    if (!remarks)
        return;
    remarks->said = false;
    memset(remarks->sha256, 0, SHA256_BYTES);
    for (uint32_t i = 0; i < remarks->corrections; i++) {
        remarks->correction[i].purged = true;
        memset(remarks->correction[i].sha256, 0, SHA256_BYTES);
    }
}

static bool decision_makes_sense(const struct review *review, const struct reviewed *reviewed,
                                 const Sohoa__Reviewed *said)
{
    for (size_t i = 0; i < said->n_fields; i++)
        if ((unsigned)said->fields[i] >= REVIEW_FIELDS)
            return false;
    if (said->remarks_sha256.len ? said->remarks_sha256.len != SHA256_BYTES : said->n_fields)
        return false;
    return reviewed && round_open(review) && said->round == review->rounds && reviewed->round == review->rounds &&
           said->generation <= GENERATION_MAX && said->decision > SOHOA__DECISION__DECISION_NONE &&
           (unsigned)said->decision < DECISIONS;
}

int review_decide(struct reviews *reviews, const struct batch *batch, const Sohoa__Reviewed *said, const char *actor,
                  struct err *err)
{
    const struct review *review = review_of(reviews, batch);
    struct reviewed *reviewed = doc_find(review, said->doc);
    struct round *round = round_open(review);
    if (!decision_makes_sense(review, reviewed, said))
        return err_set(err, E_CORRUPT, "document %u of batch %s was not to be decided on in round %u", said->doc,
                       batch->id, said->round);
    decision_count(round, reviewed, -1);
    reviewed->generation = (uint16_t)said->generation;
    reviewed->by = reviewer_of(reviews, actor);
    reviewed->decision = (uint8_t)said->decision;
    reviewed->at_ms = said->at_ms;
    remarks_take(reviewed, said);
    decision_count(round, reviewed, 1);
    return 0;
}

/* One that passed may be accepted later; any other verdict is the round's last. */
int review_close(struct reviews *reviews, const struct batch *batch, const Sohoa__ReviewClosed *said, const char *actor,
                 uint64_t time_ms, struct err *err)
{
    const struct review *review = review_of(reviews, batch);
    struct round *last = review && review->rounds ? &review->round[review->rounds - 1] : NULL;
    if (!last || said->round != review->rounds || said->verdict <= SOHOA__ROUND_VERDICT__ROUND_OPEN ||
        said->verdict > SOHOA__ROUND_VERDICT__ROUND_REJECTED)
        return err_set(err, E_CORRUPT, "round %u of batch %s can't be closed after what was said before", said->round,
                       batch->id);
    free(last->reason);
    last->verdict = (uint8_t)said->verdict;
    last->closed_by = reviewer_of(reviews, actor);
    last->closed_ms = time_ms;
    last->reason = copy_of(said->reason);
    return 0;
}
