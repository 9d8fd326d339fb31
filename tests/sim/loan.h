/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Every lease that was ever granted, as the frames tell; and of every page what was said of it in its generation. */
#ifndef SOHOA_SIM_LOAN_H
#define SOHOA_SIM_LOAN_H

#include <stdbool.h>

#include "proto/wire.h"
#include "tests/sim/source.h"

enum { GENERATIONS = 32 };

struct loan {
    uint64_t lease;
    Sohoa__JobKind kind;
    uint32_t worker, batch, doc;
    uint32_t source, pipeline, generation, first, count; /* PAGES, ASSEMBLE */
    uint64_t answered_epoch;                             /* of the coordinator that heard its result last; 0: none */
    uint64_t answered_commits;                           /* writes that had begun when it first did */
};

struct page_story {      /* of a page under a pipeline */
    uint32_t settled;    /* bit g: it is durably stored in generation g */
    uint32_t generation; /* the rest is of this one */
    uint32_t grants, failures;
    bool poison;
    uint32_t failed_on;                 /* the worker of the last failure that counts, and 1; 0: none */
    uint64_t not_before_ms;             /* after an error of the cluster */
    uint64_t failed_epoch, waits_epoch; /* of the coordinator that knows: the next one does not */
};

void loans_reset(void);
struct loan *loan_add(uint64_t lease);
struct loan *loan_find(uint64_t lease); /* NULL: it never was granted */
uint64_t lease_epoch(uint64_t lease);

struct page_story *story_of(uint32_t source, uint32_t pipeline, uint32_t page_no);
/* The same, begun anew if it was of another generation. */
struct page_story *story_in(uint32_t source, uint32_t pipeline, uint32_t page_no, uint32_t generation);

#endif
