/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Looks entries up, some segments a call, from the oldest or from the newest on. Needs no lock. */
#ifndef SOHOA_LEDGER_SEARCH_H
#define SOHOA_LEDGER_SEARCH_H

#include "storage/ledger.h"

enum {
    LEDGER_SEARCH_SEGMENTS = 4, /* read by one call at most */
    LEDGER_DOC_ANY = -1,
};

struct ledger_query {
    uint32_t hidden;         /* a kind that is not told of; 0: none */
    uint32_t kind;           /* Sohoa__LedgerEntry__BodyCase; 0: any */
    const char *batch;       /* NULL: any */
    int64_t doc;             /* of batch, or LEDGER_DOC_ANY */
    const char *actor;       /* NULL: any; "": the coordinator itself */
    const char *subject;     /* some text of the entry is exactly that: a batch, unit, worker or account; NULL: any */
    uint64_t from_ms, to_ms; /* 0: any; the second is the first moment that is too late */
    uint64_t from_number;
    bool newest_first;
};

/* Where a search goes on; {0} begins it. */
struct ledger_place {
    uint32_t segment;
    uint64_t offset;
};

struct ledger_hit {
    struct ledger_place place;
    size_t at, bytes; /* of the packed entry in the page's bytes */
};

struct ledger_page {
    struct buf hits; /* struct ledger_hit */
    struct buf bytes;
    struct ledger_place next;
    bool more;
};

/* Up to limit entries that the query wants, from place on; fewer when LEDGER_SEARCH_SEGMENTS were read. An entry that
 * was appended twice (ledger.h) is told once a page. Errors: E_STORE. */
int ledger_search(struct store *store, const struct ledger_query *query, struct ledger_place from, size_t limit,
                  struct ledger_page *page, struct err *err);
void ledger_page_destroy(struct ledger_page *page);

/* Of the kind's name, as the messages' schema has it ("outcome"); 0: there is none. */
uint32_t ledger_kind_named(const char *name);

/* Whether the entry is of that document of the batch. */
bool ledger_concerns(const Sohoa__LedgerEntry *entry, const char *batch, int64_t doc);

#endif
