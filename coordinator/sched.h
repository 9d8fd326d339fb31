/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Decides what runs where: workers with credit, leases, retries. Pure: events and a clock value go in, actions come
 * out; no socket, store or clock is reachable from here, and nothing foreign is linked.
 *
 * The ladder of a page: an attempt that failed is tried again on another node; then with the degraded profile; then the
 * page is dead, with its last error as evidence. Errors of class POISON are dead at once. A lease that is lost with its
 * worker, and errors of the cluster itself (store, network), climb a ladder of their own, much longer one.
 *
 * What pages cost is learned from results (cost.h): it cuts documents into ranges of about range_ms, and says how long a lease
 * lives. When nothing is left to grant, an idle worker gets a *copy* of a lease that another is slow with; the first result
 * counts, the other lease is dropped.
 *
 * Actions must be made durable in their order (commit.c) before the lease that caused them is acknowledged. A document
 * that ACT_PLACED named is granted only after sched_placed(). */
#ifndef SOHOA_SCHED_H
#define SOHOA_SCHED_H

#include "coordinator/backlog.h"
#include "coordinator/cost.h"
#include "proto/buf.h"

enum {
    LEASE_LOSSES_MAX = 10,   /* then one more counts as a failed attempt, unless nobody can store anything */
    RETRY_BACKOFF_MS = 1000, /* after an error of the cluster, times the losses so far */
    WORKERS_MAX = 65536,
};

enum act_kind {
    ACT_PLACED,  /* doc: its source, pages, ordinals and generation are known: layout */
    ACT_SPLIT,   /* work: its parts are no longer what the layout says: ledger */
    ACT_OUTCOME, /* doc: final: ledger, index */
    ACT_STORED,  /* doc: pages first..first+count-1 are stored: Redis */
    ACT_DEAD,    /* doc: page first is dead with fault: Redis */
    ACT_RECOUNT, /* doc.batch: pages went back: Redis is rewritten for the batch */
    ACT_BUNDLE,  /* work: this bundle of it may go, once all the above is durable */
    ACT_STOPPED, /* work: its source is quarantined: tombstone, and purge what is derived */
    ACT_SECRET, /* doc: its worker suspects it to be a secret; its source is stopped: ledger, and the rest of its file */
    ACT_BROKEN, /* doc.batch: it was paused, the same failure came again and again: ledger */
    ACT_DROP,   /* lease of worker: abandon it */
};

struct act {
    enum act_kind kind;
    struct doc_ref doc;
    uint32_t work;
    uint32_t first, count;
    uint32_t generation; /* ACT_BUNDLE */
    uint32_t fault;
    uint32_t worker;
    uint64_t lease;
    uint32_t sketch, sketch_bytes; /* ACT_OUTCOME of a result: where it lies in the acts' sketches */
};

struct acts {
    struct act *at;
    size_t count, capacity;
    struct buf sketches; /* of those that are there; forgotten when the first act after them comes */
};
void acts_destroy(struct acts *acts);

struct sched_rules {
    uint32_t range_ms;    /* of core time, that a job is meant to take */
    uint32_t range_pages; /* at most */
    uint32_t page_attempts;
    uint32_t lease_page_ms, lease_least_ms;
    uint32_t breaker_failures; /* of the same kind and no success between them pause a batch; 0: never */
};

struct lease {
    uint64_t id; /* 0: free */
    uint64_t deadline_ms;
    struct doc_ref doc; /* PROBE: whose; otherwise the work's first subscriber */
    uint32_t worker;
    uint32_t work; /* NONE for PROBE */
    uint32_t first, count;
    uint32_t generation;
    Sohoa__JobKind kind;
    bool assemble, degraded;
    bool copied; /* another worker has the same: whichever reports first */
    uint32_t attempt;
    uint64_t granted_ms;
    uint32_t stops;    /* sources that had been stopped by then */
    float expected_ms; /* of core time */
};

struct sched_worker {
    char name[NAME_BYTES];
    uint32_t pipeline;
    uint32_t slots;
    uint64_t granted, accepted; /* jobs since its Hello; it accepts `accepted` in all */
    uint32_t leases;
    bool connected;
    bool drained;          /* by an operator: it gets nothing new */
    char tags[NAME_BYTES]; /* joined by commas */
    float pace;            /* time from grant to result, as a multiple of what was expected */
    uint32_t results;      /* that it was learned from */
    uint64_t copies;       /* leases it got of those that others were slow with */
};

struct sched;

struct sched *sched_new(struct backlog *backlog, const struct sched_rules *rules, uint64_t first_lease);
void sched_destroy(struct sched **sched);

/* A batch was admitted or loaded: its unprobed documents and ready works are up for grant. */
void sched_enter(struct sched *sched, struct batch *batch, struct acts *acts);
void sched_reorder(struct sched *sched); /* a target, or what stands of a batch, changed */

/* The worker's index; the same name gets the same one. Its leases of before stay. */
uint32_t sched_hello(struct sched *sched, const char *name, uint32_t pipeline, uint32_t slots);
void sched_tag(struct sched *sched, uint32_t worker,
               const char *tags); /* joined by commas; those too many are not kept */
void sched_drain(struct sched *sched, const char *name, bool drained); /* also one that is not known yet */
void sched_credit(struct sched *sched, uint32_t worker, uint64_t jobs_total);

/* The worker says it still has this job: true when the lease is its own, or can be made so again (a restart). */
bool sched_adopt(struct sched *sched, uint32_t worker, const Sohoa__Job *job, uint64_t now_ms);

/* Leases of worker that are not in held[] are lost: what runs no more, runs again. */
void sched_keep_only(struct sched *sched, uint32_t worker, const uint64_t *held, size_t count, struct acts *acts,
                     uint64_t now_ms);
void sched_lost(struct sched *sched, uint32_t worker, struct acts *acts, uint64_t now_ms);

/* The next job for worker, if it has credit and there is one. lease is borrowed until the next call. */
const struct lease *sched_grant(struct sched *sched, uint32_t worker, uint64_t now_ms);
void sched_ungrant(struct sched *sched, uint32_t worker); /* a job never left for the worker: its credit is back */

/* A result. False: the lease is not worker's (late, or someone else's by now): nothing happened; acknowledge it anyway.
 */
bool sched_finish(struct sched *sched, uint32_t worker, const Sohoa__Result *result, uint64_t now_ms,
                  struct acts *acts);

/* The placed document's layout entry is durable, of that generation: it may have another by now, which is not yet. */
void sched_placed(struct sched *sched, struct doc_ref doc, uint32_t generation);

void sched_expire(struct sched *sched, uint64_t now_ms, struct acts *acts);

/* Operators. Each acts on documents that are there (asserted). */
void sched_withdraw(struct sched *sched, struct batch *batch, struct acts *acts);
/* Ends a check batch and forgets it. */
void sched_discard(struct sched *sched, struct batch *batch, struct acts *acts);
/* Of a document that doc_may_rerun() (rerun.h) the pages of the ranges; none: the dead ones, or all where none is dead. */
void sched_rerun(struct sched *sched, struct doc_ref doc, const struct page_range *range, size_t ranges,
                 struct acts *acts);
/* All documents of a file, and of their sources. */
void sched_quarantine(struct sched *sched, const struct doc_ref *doc, size_t count, struct acts *acts);
void sched_release(struct sched *sched, struct doc_ref doc, struct acts *acts);
/* A person released that source: what its pages are stamped with stops nothing any more. */
bool sched_cleared(const struct sched *sched, const uint8_t sha256[SHA256_BYTES]);
/* After loading: what a crash may have left of stopped sources is purged again, whom it may have left out is stopped, too. */
void sched_purge(struct sched *sched, struct acts *acts);

/* While loading, before sched_enter: what layout, ledger and Redis say of documents and works. */
struct placement {
    uint8_t sha256[SHA256_BYTES];
    uint64_t first_ordinal;
    uint32_t pages, range_pages, generation;
    uint8_t cost;
};
void sched_restore_placed(struct sched *sched, struct doc_ref doc, const struct placement *placed);
/* All that the layout says of documents first..end-1 of the batch was restored: the last word on each counts. */
void sched_restore_laid(struct sched *sched, struct batch *batch, uint32_t first, uint32_t end);
void sched_restore_outcome(struct sched *sched, struct doc_ref doc, const Sohoa__DocOutcome *outcome);
void sched_restore_split(struct sched *sched, struct doc_ref doc, const Sohoa__PagesSplit *split);
/* What there was of the source is purged: also of works that nobody subscribes to, which no layout tells of. */
void sched_restore_released(struct sched *sched, const uint8_t sha256[SHA256_BYTES]);
/* The ledger says that it was released; or re-run, with the generation that it had then; or that this was undone. */
void sched_restore_reopened(struct sched *sched, struct doc_ref doc);
void sched_restore_rerun(struct sched *sched, struct doc_ref doc, uint32_t generation, const struct page_range *range,
                         size_t ranges);
void sched_restore_undone(struct sched *sched, struct doc_ref doc, uint32_t generation);
void sched_restore_stored(struct sched *sched, struct doc_ref doc, uint32_t first,
                          uint32_t count); /* a whole part, or nothing */

uint32_t sched_workers(const struct sched *sched);
const struct sched_worker *sched_worker(const struct sched *sched, uint32_t worker);
bool sched_sees(const struct sched_worker *worker, const char *tag); /* it has the tag; "": all have */
bool sched_knows(const struct sched *sched, const char *worker);     /* there was one of that name */
uint32_t sched_leases(const struct sched *sched);
const struct lease *sched_lease(const struct sched *sched, uint32_t worker,
                                uint32_t nth); /* of the worker; NULL: no more. Borrowed until anything is called */
struct cost *sched_cost(struct sched *sched);
/* The core time that results have told of a slot's time lately: at most 1. */
double sched_use(const struct sched *sched);
void sched_measure(struct sched *sched, uint64_t now_ms); /* every few seconds */
/* Up to so many pages are read in the lease of their PROBE: about range_ms of what is not known yet. */
uint32_t sched_read_most(const struct sched *sched);

#endif
