/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is there to do and what became of it: batches of documents, and works. A *work* is one source under one
 * pipeline; documents of any batch with that source subscribe to it, and share its result. Pure: no clock, no I/O.
 *
 * A document:  UNPROBED -> PROBING -> PLACED (its layout entry is being committed) -> WORKING -> FINAL
 * A work:      HELD (until its layout entry is durable) -> READY -> ASSEMBLING -> DONE, or STOPPED by quarantine
 *
 * A work's pages lie in *parts*: ranges that are leased, stored and retried as one. Their state is a page state and
 * moves only through part_move(); a part's pages are counted in every subscriber's batch. A work is *cut* into parts from
 * the first lease on, and after the end only where pages are dead; one that is DONE or ASSEMBLING and not cut is stored
 * as a whole.
 *
 * 94 million pages are 13 million documents, so what all have is small: a document that nothing has happened to takes no
 * memory, any other 36 bytes, a work 64 and its place in the hash table, a page's grade two bits. What only some have lies
 * in the work's cut. */
#ifndef SOHOA_BACKLOG_H
#define SOHOA_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/grades.h"
#include "coordinator/terms.h"
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
    struct doc_ref next; /* next subscriber of its work */
    uint32_t first_ordinal;
    uint32_t work;                     /* NONE until probed */
    uint16_t generation;               /* of the result in force or in work */
    uint16_t confidence_cpct;          /* of the last result, mean; 0: no word was read */
    uint32_t duplicate_of;             /* NONE */
    uint32_t fault;                    /* index of the reason; NONE */
    uint16_t pages;                    /* 0 until probed */
    uint16_t pages_stored, pages_dead; /* once final */
    uint16_t phase : 3;                /* enum doc_phase */
    uint16_t state : 3;                /* Sohoa__DocState; DOC_OPEN until final */
    uint16_t named : 1;                /* among the subscribers whose records the running lease writes */
    uint16_t attempts : 5;             /* of PROBE, that failed */
    uint16_t losses : 4;               /* leases of PROBE that were lost */
};
_Static_assert(sizeof(struct doc) == 36 && DOC_MAX_PAGES <= UINT16_MAX, "a document is small");

enum {
    DOC_BLOCK = 4096,            /* documents that get their memory at once */
    GENERATION_MAX = UINT16_MAX, /* re-runs and releases of a document */
};

struct ring { /* a queue of numbers */
    uint64_t *at;
    uint32_t first, count, capacity;
};

struct piece { /* of a manifest */
    uint8_t sha256[SHA256_BYTES];
    uint64_t offset; /* bytes of the pieces before it */
    uint32_t first_doc;
    bool loaded; /* its part of the layout */
};

/* Documents of a batch, one after another, that have the same terms. */
struct lot {
    struct terms terms; /* as the manifest says */
    uint32_t batch;
    uint32_t first_doc, docs;
    uint64_t pages_said; /* by the rows of its documents, where they say it */
    uint64_t page_count[PAGE_STATES];
    uint32_t doc_count[DOC_STATES];
    uint32_t placed;      /* open documents whose pages are known, and counted above */
    uint64_t cpu_ms;      /* of slots, since this coordinator started */
    uint64_t pages_read;  /* likewise: pages that workers read, not those found in the store */
    uint32_t probe_next;  /* documents before it are past UNPROBED or in reprobe */
    struct ring reprobe;  /* documents, each with the second before which it is not tried again in the upper 32 bits */
    struct ring ready;    /* works with queued parts; may name a work that has none any more */
    struct ring assemble; /* works */
    uint32_t priority;    /* 1 to 5: what counts, of terms, target and standing (lot_settle) */
    uint64_t due_ms;      /* likewise; DEADLINE_NONE: there is no deadline */
    bool paused;          /* likewise */
    uint64_t turn_ms;     /* lots are granted in its order: the deadline, or what the plan says (plan.h) */
    uint32_t sample;      /* so many documents are probed before any other's turn: they tell what its batch costs */
};

struct lot_pages {
    const struct lot *lot;
    uint64_t pages;
};

struct batch {
    char id[NAME_BYTES];
    char unit[NAME_BYTES];
    struct piece *piece;
    uint32_t pieces;
    uint64_t manifest_bytes; /* of all pieces */
    bool more;               /* pieces are still to come */
    uint32_t index;
    uint32_t pipeline; /* index; NONE: to be pinned by the first worker */
    struct lot **lot;
    uint32_t lots;
    uint32_t docs;
    uint32_t blocks;
    struct doc **block;   /* DOC_BLOCK documents each; NULL: nothing has happened to them */
    uint64_t ordinals;    /* given out so far */
    struct grades grades; /* of pages, by ordinal, in the last result */
    uint32_t **doubts;    /* by block, as block; NULL: nobody doubts one of its documents */
    uint64_t page_count[PAGE_STATES];
    uint32_t doc_count[DOC_STATES];
    uint64_t cpu_ms;     /* of slots, since this coordinator started */
    uint64_t pages_read; /* likewise: pages that workers read, not those found in the store */
    struct standing standing;
    bool sampled;        /* it had a lot with a sample */
    int same_code;       /* of the failures since the last success ... */
    uint32_t same_count; /* ... which were so many */
    bool withdrawn;
    bool reads_on;         /* its manifest tells page counts: short documents are read in the lease of their PROBE */
    bool check_only;       /* probes only, not kept in the store */
    uint64_t check_ms;     /* check_only: when it began */
    char **check_source;   /* check_only: its documents' sources ... */
    uint32_t *check_pages; /* ... and the page counts that the manifest says; 0: none */
};

struct page_range {
    uint32_t first, count;
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

struct cut {            /* of a work that is under way, or has dead pages */
    struct cut *before; /* of a re-run: the cut of the result that is in force; NULL: that is stored as a whole */
    uint32_t parts;
    uint32_t words_generation; /* where kept parts lie */
    uint32_t last_worker;      /* of ASSEMBLE's failed attempt; NONE */
    uint8_t attempts, losses;  /* of ASSEMBLE */
    bool folded;               /* of one that is before: the words of its generation are stored */
    uint64_t not_before_ms;
    struct part part[];
};

enum work_phase { WORK_HELD, WORK_READY, WORK_ASSEMBLING, WORK_DONE, WORK_STOPPED };

struct work {
    uint8_t sha256[SHA256_BYTES];
    struct doc_ref subscriber; /* the first */
    struct cut *cut;           /* NULL: all pages are queued, or all are stored once DONE or ASSEMBLING */
    uint16_t generation;
    uint16_t reached; /* the highest generation so far: one that was undone may have left something in the store */
    uint16_t pages;
    uint16_t range_pages;
    uint16_t pipeline;
    uint16_t a4_more; /* A4 pages that its stored pages are worth, above one each */
    uint8_t phase;
    uint8_t cost;     /* class, cost.h */
    bool leased : 1;  /* ASSEMBLING: a worker has it */
    bool folded : 1;  /* the words of this generation are stored */
    bool cleared : 1; /* a person released its source: stamps on it stop nothing any more */
};
_Static_assert(sizeof(struct work) == 64, "a work is small");

enum { PIPELINES_MAX = 1000 };

struct fault { /* an error, with no more text than it has */
    int code;
    uint32_t page_no;
    uint32_t docs; /* that ended with it: dead, refused or quarantined */
    char *text;
};

/* The hash says where a slot belongs: others are passed, and all are moved, without a look at their works. */
struct slot {
    uint32_t work; /* NONE: empty */
    uint32_t hash;
};

struct backlog {
    struct batch **batch;
    uint32_t batches, batch_capacity;
    struct work *work;
    uint32_t works, work_capacity;
    struct slot *slot; /* hash table of works by (sha256, pipeline) */
    uint32_t slots;
    struct fault *fault;
    uint32_t faults, fault_capacity;
    uint8_t (*pipeline)[SHA256_BYTES];
    uint32_t pipelines;
    struct target *target; /* by unit and priority */
    uint32_t targets;
    struct rerun *rerun; /* by number */
    uint32_t reruns;
};

const char *doc_state_name(int state); /* "open", "stored", ...: a Sohoa__DocState as people read it */

void ring_push(struct ring *ring, uint64_t value);
uint64_t ring_pop(struct ring *ring); /* asserts that it is not empty */
uint64_t ring_peek(const struct ring *ring, uint32_t nth);

struct backlog *backlog_new(void);
void backlog_destroy(struct backlog **backlog);

/* Known or new; NONE: there are PIPELINES_MAX already. */
uint32_t backlog_pipeline(struct backlog *backlog, const uint8_t digest[SHA256_BYTES]);
uint32_t backlog_fault(struct backlog *backlog, const struct err *err);
void fault_wire(const struct backlog *backlog, uint32_t fault, Sohoa__Err *wire); /* its text is borrowed */
struct batch *backlog_batch(const struct backlog *backlog, const char *id);       /* NULL: there is none */

/* All documents unprobed, in one lot without terms. */
struct batch *batch_add(struct backlog *backlog, const char *id, uint32_t docs, uint32_t pipeline);
/* Documents of a check batch, once looked at, are of no use to others. */
void batch_remove(struct backlog *backlog, struct batch *batch);

/* The next piece of its manifest. Its documents come with batch_add_lot(). */
void batch_add_piece(struct batch *batch, const uint8_t sha256[SHA256_BYTES], uint64_t bytes);
/* The piece whose row doc has. */
uint32_t batch_piece(const struct batch *batch, uint32_t doc);

/* More documents come behind those that the batch has; of the same terms as the last ones, they are of the same lot. */
void batch_add_lot(struct batch *batch, const struct terms *terms, uint32_t docs, uint64_t pages_said);
struct lot *lot_of(const struct batch *batch, uint32_t doc);
bool batch_has_unit(const struct batch *batch, const char *unit); /* documents of it */
bool lot_open(const struct lot *lot);                             /* it has documents that are not final */
/* Of its lots: the most urgent priority (1 to 5) and the earliest deadline (0: none). */
uint32_t batch_priority(const struct batch *batch);
uint64_t batch_deadline_ms(const struct batch *batch);

struct doc *doc_at(const struct backlog *backlog, struct doc_ref ref);
/* To look at only: documents that nothing has happened to are all the same one. */
const struct doc *doc_look(const struct batch *batch, uint32_t doc);
/* The first document from doc on that something may have happened to; batch->docs: none. */
uint32_t doc_next(const struct batch *batch, uint32_t doc);

/* What came out of it, in its last result: packed grades of other than its pages' number are none. */
void doc_grade(struct batch *batch, uint32_t doc, uint32_t confidence_cpct, const uint8_t *packed, size_t bytes);

/* Likewise: bits 1 << FieldName of what a person should look at. */
void doc_set_doubts(struct batch *batch, uint32_t doc, uint32_t doubts);
uint32_t doc_doubts(const struct batch *batch, uint32_t doc);

bool doc_failed(const struct doc *doc); /* dead, refused or quarantined, and there is an error that says why */
/* The one way to say why it ended as it did; NONE: nothing went wrong. */
void doc_blame(struct backlog *backlog, struct doc_ref ref, uint32_t fault);

/* Adds what doc's pages are now to its batch's and lot's counters, or takes it away: around every change of a whole
 * document. */
void doc_count(struct backlog *backlog, struct doc_ref ref, int sign);
/* Pages of the document by state, as they count in its batch. */
void doc_pages(const struct backlog *backlog, struct doc_ref ref, uint64_t pages[PAGE_STATES]);

uint32_t work_find(const struct backlog *backlog, const uint8_t sha256[SHA256_BYTES], uint32_t pipeline);
uint32_t work_add(struct backlog *backlog, const uint8_t sha256[SHA256_BYTES], uint32_t pipeline, uint32_t pages,
                  uint32_t range_pages, uint8_t cost);
/* The document is counted, too; it is WORKING or, as far as the work is DONE, stays to be finished by the caller. */
void work_subscribe(struct backlog *backlog, uint32_t work, struct doc_ref ref);
void work_unsubscribe(struct backlog *backlog, struct doc_ref ref);
/* The subscriber of this batch that is no duplicate; NONE. */
uint32_t work_subscriber_in(const struct backlog *backlog, uint32_t work, uint32_t batch);

const struct cut *cut_of(const struct work *work); /* to look at only; without parts where it is not cut */
struct cut *work_cut(struct work *work);           /* cuts it, unless it is */
void work_uncut(struct work *work);                /* and forgets the cut before, too */
/* The cut of the result before, of a work that is run again: as the layout cuts it, unless it is known already. */
struct cut *work_before(struct work *work);
void work_forget_before(struct work *work);
void work_weigh(struct work *work, uint32_t a4_pages, uint32_t pages); /* that its so many stored pages are worth */
void work_reach(struct work *work, uint16_t generation);               /* its generation, from now on */
/* A cut of so many parts, all zero but for what is no index. */
struct cut *cut_new(uint32_t parts);
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
