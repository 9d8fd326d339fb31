/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What people say of results: documents of a batch are looked at in *rounds*, one at a time. A round takes up all documents that nobody
 * decided on since they were read; where there are none, a random share of those that passed (sample.h).
 *
 *   (read) --round--> WAITING --decision--> ACCEPTED, CORRECTED (accepted, with what a person says in the place of fields)
 *                        ^                  or REJECTED
 *                        +--- re-run ------ any of them: the decision was of the result before
 *
 * A decision stands as long as the document's generation is the one that it was of; so a re-run takes it away, and one that is undone
 * gives it back. Corrections are of the document and stay.
 *
 * All that changes comes as ledger entries, whether they are entered or read again. Pure. */
#ifndef SOHOA_REVIEW_H
#define SOHOA_REVIEW_H

#include "coordinator/backlog.h"
#include "proto/buf.h"
#include "proto/sha256.h"

enum {
    REVIEW_FIELDS = SOHOA__FIELD_NAME__FIELD_LANGUAGE + 1,
    REVIEW_ROUNDS_MAX = 1000, /* of a batch */
    REVIEWERS_MAX = UINT16_MAX,
    REVIEW_PERCENT_ALL = 100,
};
#define REVIEW_SEED_MAX ((UINT64_C(1) << 53) - 1) /* what JSON can say exactly */

/* Texts are of the document, so they are not here, nor in the ledger, but in the document's remarks (remarks.h). */
struct correction {
    uint8_t field; /* Sohoa__FieldName */
    bool purged;   /* it counts in the round's rates, and is of no more use */
    uint16_t by, round, generation;
    uint64_t at_ms;
    uint8_t sha256[SHA256_BYTES]; /* of the remarks that have its text */
};

struct remarks { /* what only some have */
    bool said;   /* with the last decision: */
    uint8_t sha256[SHA256_BYTES];
    struct correction *correction; /* by field */
    uint32_t corrections;
};

struct reviewed { /* a document that is, or was, in a round */
    uint32_t doc;
    uint16_t round;      /* the last one that it was in */
    uint16_t generation; /* of the result that was decided on */
    uint16_t by;         /* index, reviewer_name() */
    uint8_t decision;    /* Sohoa__Decision, in that round */
    uint64_t at_ms;
    struct remarks *remarks; /* NULL: none */
};
_Static_assert(sizeof(struct reviewed) == 32, "a reviewed document is small");

enum { DECISIONS = SOHOA__DECISION__DECISION_REJECTED + 1 };

struct round {
    uint32_t percent;
    uint64_t seed;
    uint32_t docs;
    uint32_t count[DECISIONS];     /* its documents, by their decision */
    uint32_t wrong[REVIEW_FIELDS]; /* those where the field was corrected in this round */
    uint16_t begun_by, closed_by;
    uint64_t begun_ms, closed_ms;
    uint8_t verdict; /* Sohoa__RoundVerdict */
    char *reason;    /* NULL: not closed */
};

struct review {           /* of a batch */
    struct reviewed *doc; /* by number */
    uint32_t docs;
    struct round *round; /* round n is at n - 1 */
    uint32_t rounds;
};

struct reviews;
struct reviews *reviews_new(void);
void reviews_destroy(struct reviews **reviews);

const struct review *review_of(const struct reviews *reviews,
                               const struct batch *batch);                     /* NULL: it has had no round */
const struct reviewed *review_find(const struct review *review, uint32_t doc); /* NULL: was in none */
const struct round *review_open(const struct review *review); /* the round under way; NULL: none. review may be NULL */
const struct correction *review_correction(const struct reviewed *reviewed, int field); /* NULL: there is none */
const char *reviewer_name(const struct reviews *reviews, uint16_t by);

/* ---- where a document stands ---- */

enum stand {
    STAND_NONE,     /* it has no result of its own */
    STAND_FRESH,    /* nobody decided on it since it was read, and it is in no round */
    STAND_WAITING,  /* it is in the round under way */
    STAND_ACCEPTED, /* with or without corrections */
    STAND_REJECTED,
    STANDS
};
enum stand review_stand(const struct backlog *backlog, const struct review *review, const struct batch *batch,
                        uint32_t doc);

struct standing_counts {
    uint32_t count[STANDS];
    uint32_t open; /* documents of the batch that are still to be read */
};
/* Looks at each document of the batch. review may be NULL. */
void review_count(const struct backlog *backlog, const struct review *review, const struct batch *batch,
                  struct standing_counts *counts);

const char *review_verdict_word(uint8_t verdict); /* of a round: "open", "passed", "failed", "accepted", "rejected" */
/* How it stands: none, the last round's verdict, or "reopened": accepted, but something was read again since. */
const char *review_word(const struct review *review, const struct standing_counts *counts);

/* ---- rounds ---- */

/* What a round begun now would have: to docs go numbers (uint32_t, ascending); *percent and *seed become what the ledger is to say. Errors: E_STATE, E_LIMIT. */
int review_draw(const struct backlog *backlog, const struct review *review, const struct batch *batch,
                uint32_t *percent, uint64_t *seed, struct buf *docs, struct err *err);

/* Rounds that passed one after another, up to the last one that is closed. */
uint32_t review_passed(const struct review *review);

/* ---- as the ledger says. Errors: E_CORRUPT: it makes no sense after what was said before; nothing has changed. ---- */

int review_begin(struct reviews *reviews, const struct batch *batch, const Sohoa__ReviewRound *said, const char *actor,
                 uint64_t time_ms, struct err *err);
int review_decide(struct reviews *reviews, const struct batch *batch, const Sohoa__Reviewed *said, const char *actor,
                  struct err *err);
/* The document is in quarantine: nothing is left of what was said of it but its decision, and in which fields the round was wrong. */
void review_purge(struct reviews *reviews, const struct batch *batch, uint32_t doc);
int review_close(struct reviews *reviews, const struct batch *batch, const Sohoa__ReviewClosed *said, const char *actor,
                 uint64_t time_ms, struct err *err);

#endif
