/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is known of quarantines: who or what raised them, why, and what people decided since. Added up from the ledger's entries as they come,
 * at a start from all of them. Which documents are stopped is the backlog's to say: a file's others stop without an entry of their own. Pure. */
#ifndef SOHOA_QUARANTINE_H
#define SOHOA_QUARANTINE_H

#include "coordinator/backlog.h"
#include "proto/limits.h"

struct suspicion { /* as Sohoa__Suspicion */
    uint32_t page_no;
    uint8_t kind; /* Sohoa__StampKind */
    bool picture, words;
    int32_t x, y;
    uint32_t w, h, confidence_cpct;
};

struct raised {
    struct doc_ref ref;
    uint64_t order; /* of the ledger's entries on quarantines: 1, 2, 3 ... */
    uint64_t time_ms;
    uint64_t file_key; /* of the file that stops with it; 0: none, or not looked up yet */
    char *actor;       /* "": the secrecy pass */
    char *reason;      /* a person's */
    struct suspicion suspicion[SUSPICIONS_MOST];
    uint32_t suspicions;
    bool released; /* a person released the document since: its file is stopped no more by this */
};

struct quarantines;
struct quarantines *quarantines_new(void);
void quarantines_destroy(struct quarantines **quarantines);

/* Entries that are none of Quarantined, Released and Purged, and those of unknown batches, are passed over. */
void quarantines_add(struct quarantines *quarantines, const struct backlog *backlog, const Sohoa__LedgerEntry *entry,
                     uint64_t time_ms);

/* The last one that this document raised; NULL: it raised none. */
const struct raised *quarantines_of(const struct quarantines *quarantines, struct doc_ref ref);
/* All, by their order, until NULL. */
struct raised *quarantines_nth(const struct quarantines *quarantines, size_t n);

/* Nothing but pages that the secrecy pass could not look at: the document stops alone. */
bool raised_alone(const struct raised *raised);

/* A person released the document after that moment: the file's quarantine passes it by. */
bool quarantines_released(const struct quarantines *quarantines, struct doc_ref ref, uint64_t order);
/* Gone for good: the document, or its source under any name. sha256 may be NULL. */
bool quarantines_purged(const struct quarantines *quarantines, struct doc_ref ref, const uint8_t *sha256);
/* Sources that are gone for good, until NULL. */
const uint8_t *quarantines_purged_source(const struct quarantines *quarantines, size_t n);

const char *stamp_word(uint8_t kind); /* "mat", "toi_mat", "tuyet_mat", "giai_mat", "unread", "unseen" */

#endif
