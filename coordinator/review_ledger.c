/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The same message is entered and done, so that a restart comes to the same. */
#include "coordinator/review_ledger.h"

#include <assert.h>

#include "storage/ledger.h"

enum { ENTRY_DOCS = 1 << 19, NUMBER_BYTES = 5 };
_Static_assert(ENTRY_DOCS *NUMBER_BYTES + NAME_BYTES + 64 <= LEDGER_ENTRY_BYTES,
               "documents of a round fit in an entry");

struct remarks_named { /* what an entry points to */
    Sohoa__FieldName field[REVIEW_FIELDS], withdrawn[REVIEW_FIELDS];
    uint8_t sha256[SHA256_BYTES];
};

void review_order_round(struct reviews *reviews, const struct batch *batch, struct group *group, uint32_t percent,
                        uint64_t seed, const struct buf *docs, const char *actor, uint64_t time_ms)
{
    const struct review *before = review_of(reviews, batch);
    size_t count = docs->size / sizeof(uint32_t);
    uint32_t round = before ? before->rounds + 1 : 1;
    struct err err;
    for (size_t first = 0; first < count; first += ENTRY_DOCS) {
        Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
        Sohoa__ReviewRound said = SOHOA__REVIEW_ROUND__INIT;
        said.batch = (char *)(uintptr_t)batch->id;
        said.round = round;
        said.percent = percent;
        said.seed = seed;
        said.docs = (uint32_t *)(void *)docs->data + first;
        said.n_docs = count - first < ENTRY_DOCS ? count - first : ENTRY_DOCS;
        entry.actor = (char *)(uintptr_t)actor;
        entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REVIEW_ROUND;
        entry.review_round = &said;
        int rc = review_begin(reviews, batch, &said, actor, time_ms, &err);
        assert(!rc);
        group_add_entry(group, &entry);
    }
}

/* Which fields are corrected, and what commits the remarks. Without words there are none. */
static void remarks_name(struct group *group, const Sohoa__Remarks *remarks, struct remarks_named *named,
                         Sohoa__Reviewed *said)
{
    said->fields = named->field;
    said->withdrawn = named->withdrawn;
    for (size_t i = 0; i < remarks->n_corrections; i++)
        if (remarks->corrections[i]->withdrawn)
            named->withdrawn[said->n_withdrawn++] = remarks->corrections[i]->field;
        else
            named->field[said->n_fields++] = remarks->corrections[i]->field;
    if (!remarks->n_corrections && !*remarks->reason)
        return;
    group_add_remarks(group, said->batch, said->doc, remarks, named->sha256);
    said->remarks_sha256 = (ProtobufCBinaryData){SHA256_BYTES, named->sha256};
}

void review_order_decision(struct reviews *reviews, const struct batch *batch, struct group *group,
                           Sohoa__Reviewed *said, const Sohoa__Remarks *remarks, const char *actor)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    struct remarks_named named;
    struct err err;
    said->batch = (char *)(uintptr_t)batch->id;
    remarks_name(group, remarks, &named, said);
    entry.actor = (char *)(uintptr_t)actor;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REVIEWED;
    entry.reviewed = said;
    int rc = review_decide(reviews, batch, said, actor, &err);
    assert(!rc);
    group_add_entry(group, &entry);
}

void review_order_close(struct reviews *reviews, const struct batch *batch, struct group *group,
                        Sohoa__RoundVerdict verdict, const char *reason, const char *actor, uint64_t time_ms)
{
    Sohoa__LedgerEntry entry = SOHOA__LEDGER_ENTRY__INIT;
    Sohoa__ReviewClosed said = SOHOA__REVIEW_CLOSED__INIT;
    struct err err;
    said.batch = (char *)(uintptr_t)batch->id;
    said.round = review_of(reviews, batch)->rounds;
    said.verdict = verdict;
    said.reason = (char *)(uintptr_t)reason;
    entry.actor = (char *)(uintptr_t)actor;
    entry.body_case = SOHOA__LEDGER_ENTRY__BODY_REVIEW_CLOSED;
    entry.review_closed = &said;
    int rc = review_close(reviews, batch, &said, actor, time_ms, &err);
    assert(!rc);
    group_add_entry(group, &entry);
}

static int batch_find(const struct backlog *backlog, const char *id, const struct batch **ret_batch, struct err *err)
{
    *ret_batch = backlog_batch(backlog, id);
    return *ret_batch ? 0 : err_set(err, E_CORRUPT, "the ledger reviews batch %s, which was never admitted", id);
}

int review_restore(struct reviews *reviews, const struct backlog *backlog, const Sohoa__LedgerEntry *entry,
                   struct err *err)
{
    const struct batch *batch;
    int rc;
    switch (entry->body_case) {
    case SOHOA__LEDGER_ENTRY__BODY_REVIEW_ROUND:
        rc = batch_find(backlog, entry->review_round->batch, &batch, err);
        return rc ? rc : review_begin(reviews, batch, entry->review_round, entry->actor, entry->time_ms, err);
    case SOHOA__LEDGER_ENTRY__BODY_REVIEWED:
        rc = batch_find(backlog, entry->reviewed->batch, &batch, err);
        return rc ? rc : review_decide(reviews, batch, entry->reviewed, entry->actor, err);
    case SOHOA__LEDGER_ENTRY__BODY_REVIEW_CLOSED:
        rc = batch_find(backlog, entry->review_closed->batch, &batch, err);
        return rc ? rc : review_close(reviews, batch, entry->review_closed, entry->actor, entry->time_ms, err);
    default: return 0;
    }
}
