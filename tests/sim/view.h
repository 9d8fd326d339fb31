/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The one place of the simulator that knows how backlog and scheduler keep things. */
#ifndef SOHOA_SIM_VIEW_H
#define SOHOA_SIM_VIEW_H

#include "coordinator/coordinator.h"
#include "tests/sim/source.h"

/* A document as an operator sees it, and where its result lies. */
struct sight {
    uint8_t state; /* Sohoa__DocState */
    uint16_t pages, pages_stored, pages_dead;
    uint32_t generation;
    uint32_t duplicate_of; /* NONE */
    int fault;             /* E_*; 0 */
    uint16_t confidence_cpct;
    uint32_t grades; /* packed, of something that came out */
    uint32_t first_ordinal;
    uint32_t pipeline; /* of its batch, by the numbers of source.h; NONE */
    bool admitted, source_known;
    bool behind; /* others of its source went on to a later generation (a re-run that a crash cut short) */
};

/* By the numbers of source.h. */
void view_docs(const struct coordinator *c, struct sight sight[BATCHES][BATCH_DOCS]);

/* Calls each for every page of every work: what it is, and what a lease of it would be of. */
struct page_sight {
    uint32_t source, pipeline, generation, page_no;
    uint8_t state; /* enum page_state */
    bool faulted;  /* there is evidence */
};
void view_pages(const struct coordinator *c, void (*each)(const struct page_sight *page));

/* Another worker has the same job, too. */
bool view_copied(const struct coordinator *c, uint32_t worker, uint64_t lease);
bool view_lease(const struct coordinator *c, uint32_t worker, uint64_t lease); /* it is this worker's */
uint32_t view_leases(const struct coordinator *c, uint32_t worker);
uint32_t view_pipeline(const struct coordinator *c, uint32_t worker); /* by the numbers of source.h */
/* Connected workers that read with this one's pipeline. */
uint32_t view_readers(const struct coordinator *c, uint32_t worker);
bool view_stopped(const struct coordinator *c, uint32_t source);

/* Violations of what holds inside at any time: counters against what is counted, leases against what is leased, credit,
 * lengths of queues. */
void view_check(const struct coordinator *c);

/* When nothing is on its way: each worker has received what it was granted. */
void view_credit(const struct coordinator *c);

#endif
