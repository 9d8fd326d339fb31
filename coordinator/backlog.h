/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is there to do and what became of it: batches of documents, and works. A *work* is one source under one
 * pipeline; documents of any batch with that source subscribe to it, and share its result. Pure: no clock, no I/O.
 *
 * A document:  UNPROBED -> PROBING -> PLACED (its layout entry is being committed) -> WORKING -> FINAL
 * A work:      HELD (until its layout entry is durable) -> READY -> ASSEMBLING -> DONE, or STOPPED by quarantine
 *
 * A work's pages lie in *parts*: ranges that are leased, stored and retried as one. Their state is a page state and
 * moves only through part_move(); a part's pages are counted in every subscriber's batch. Parts exist from the first
 * lease on, and after the end only where pages are dead; a work that is DONE or ASSEMBLING without parts is stored as a
 * whole. */
#ifndef SOHOA_BACKLOG_H
#define SOHOA_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"
#include "proto/page_state.h"
#include "proto/sohoa.pb-c.h"

#define NONE UINT32_MAX /* no index */

struct doc_ref {
    uint32_t batch, doc; /* batch NONE: no document */
};

enum doc_phase { PHASE_UNPROBED, PHASE_PROBING, PHASE_PLACED, PHASE_WORKING, PHASE_FINAL };
enum { DOC_STATES = SOHOA__DOC_STATE__DOC_REFUSED + 1 };

struct doc {
    uint64_t first_ordinal;
    uint64_t file_key;                 /* hash of fonds and file code; 0: the document has none */
    struct doc_ref next;               /* next subscriber of its work */
    uint32_t work;                     /* NONE until probed */
    uint32_t pages;                    /* 0 until probed */
    uint32_t pages_stored, pages_dead; /* once final */
    uint32_t duplicate_of;
    uint32_t fault;      /* index of the reason; NONE */
    uint8_t phase;       /* enum doc_phase */
    uint8_t state;       /* Sohoa__DocState; DOC_OPEN until final */
    uint8_t attempts;    /* of PROBE, that failed */
    uint8_t losses;      /* leases of PROBE that were lost */
    bool named;          /* among the subscribers whose records the running lease writes */
    uint32_t generation; /* of the result in force or in work */
    uint64_t not_before_ms;
};

struct ring { /* a queue of indices */
    uint32_t *at;
    uint32_t first, count, capacity;
};

struct batch {
    char id[NAME_BYTES];
    char unit[NAME_BYTES];
    uint8_t manifest_sha256[SHA256_BYTES];
    uint64_t deadline_ms; /* 0: none */
    uint32_t index;
    uint32_t pipeline; /* index; NONE: to be pinned by the first worker */
    uint32_t priority; /* 1 to 5 */
    uint32_t docs;
    struct doc *doc;
    uint64_t ordinals; /* given out so far */
    uint64_t page_count[PAGE_STATES];
    uint32_t doc_count[DOC_STATES];
    uint64_t cpu_ms;      /* of slots, since this coordinator started */
    uint64_t pages_read;  /* likewise: pages that workers read, not those found in the store */
    uint32_t probe_next;  /* documents before it are past UNPROBED or in reprobe */
    struct ring reprobe;  /* documents */
    struct ring ready;    /* works with queued parts; may name a work that has none any more */
    struct ring assemble; /* works */
    bool withdrawn;
    bool check_only;       /* probes only, not kept in the store */
    char **check_source;   /* check_only: its documents' sources ... */
    uint32_t *check_pages; /* ... and the page counts that the manifest says; 0: none */
};

struct part {
    uint32_t first, count;
    uint8_t state;        /* PAGE_QUEUED, LEASED, STORED or DEAD */
    bool kept;            /* STORED in the words of an earlier generation, not in a bundle */
    uint8_t attempts;     /* that failed */
    uint8_t losses;       /* leases lost or failed for the cluster's reasons */
    uint32_t last_worker; /* of the failed attempt; NONE */
    uint32_t fault;       /* index of the last failure; NONE */
    uint64_t not_before_ms;
};

enum work_phase { WORK_HELD, WORK_READY, WORK_ASSEMBLING, WORK_DONE, WORK_STOPPED };

struct work {
    uint8_t sha256[SHA256_BYTES];
    struct doc_ref subscriber; /* the first */
    struct part *part;         /* NULL: all pages are queued, or all are stored once DONE */
    uint32_t parts;
    uint32_t pipeline;
    uint32_t pages;
    uint32_t range_pages;
    uint32_t generation;
    uint32_t words_generation; /* where kept parts lie */
    uint8_t phase;
    uint8_t attempts; /* of ASSEMBLE */
    uint8_t losses;
    bool leased; /* ASSEMBLING: a worker has it */
    bool folded; /* the words of this generation are stored */
    uint32_t last_worker;
    uint64_t not_before_ms;
};

struct fault {
    struct err err;
};

struct backlog {
    struct batch **batch;
    uint32_t batches, batch_capacity;
    struct work *work;
    uint32_t works, work_capacity;
    uint32_t *slot; /* hash table of work indices by (sha256, pipeline) */
    uint32_t slots;
    struct fault *fault;
    uint32_t faults, fault_capacity;
    uint8_t (*pipeline)[SHA256_BYTES];
    uint32_t pipelines;
};

const char *doc_state_name(int state); /* "open", "stored", ...: a Sohoa__DocState as people read it */

void ring_push(struct ring *ring, uint32_t value);
uint32_t ring_pop(struct ring *ring); /* asserts that it is not empty */
uint32_t ring_peek(const struct ring *ring, uint32_t nth);

struct backlog *backlog_new(void);
void backlog_destroy(struct backlog **backlog);

uint32_t backlog_pipeline(struct backlog *backlog, const uint8_t digest[SHA256_BYTES]); /* known or new */
uint32_t backlog_fault(struct backlog *backlog, const struct err *err);
struct batch *backlog_batch(const struct backlog *backlog, const char *id); /* NULL: there is none */

/* All documents unprobed. priority 3 when 0. */
struct batch *batch_add(struct backlog *backlog, const char *id, uint32_t docs, uint32_t pipeline);
/* Documents of a check batch, once looked at, are of no use to others. */
void batch_remove(struct backlog *backlog, struct batch *batch);

struct doc *doc_at(const struct backlog *backlog, struct doc_ref ref);

/* Adds what doc's pages are now to its batch's counters, or takes it away: around every change of a whole document. */
void doc_count(struct backlog *backlog, struct doc_ref ref, int sign);
/* Pages of the document by state, as they count in its batch. */
void doc_pages(const struct backlog *backlog, struct doc_ref ref, uint64_t pages[PAGE_STATES]);

uint32_t work_find(const struct backlog *backlog, const uint8_t sha256[SHA256_BYTES], uint32_t pipeline);
uint32_t work_add(struct backlog *backlog, const uint8_t sha256[SHA256_BYTES], uint32_t pipeline, uint32_t pages,
                  uint32_t range_pages);
/* The document is counted, too; it is WORKING or, as far as the work is DONE, stays to be finished by the caller. */
void work_subscribe(struct backlog *backlog, uint32_t work, struct doc_ref ref);
void work_unsubscribe(struct backlog *backlog, struct doc_ref ref);
/* The subscriber of this batch that is no duplicate; NONE. */
uint32_t work_subscriber_in(const struct backlog *backlog, uint32_t work, uint32_t batch);

void work_cut(struct work *work); /* makes its parts, if it has none */
/* The part that holds all of first..first+count-1; NULL: they are in several, or not in the work. */
struct part *work_part(struct work *work, uint32_t first, uint32_t count);
/* Cuts the part of which first..first+count-1 lie so that they are a part of their own, and returns it (asserted: there is such a part). */
struct part *work_isolate(struct work *work, uint32_t first, uint32_t count);
uint32_t work_parts_in(const struct work *work, enum page_state state);

/* As doc_count, for every open subscriber: around a change of the whole work. */
void work_count(struct backlog *backlog, uint32_t work, int sign);

/* The one way for a part's pages to change state: over the table, counted in each subscriber's batch. */
void part_move(struct backlog *backlog, uint32_t work, struct part *part, enum page_state to);

#endif
