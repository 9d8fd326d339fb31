/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What sched.c, finish.c and orders.c share. */
#ifndef SOHOA_SCHED_PRIVATE_H
#define SOHOA_SCHED_PRIVATE_H

#include "coordinator/sched.h"

enum {
    READY_LOOKAHEAD = 32, /* works looked at for one grant */
    PROBE_AHEAD = 4,      /* works ready a slot, before probing pauses */
    MS_A_SECOND = 1000,
    LEASE_SPREAD = 20, /* a lease lives as many times what its pages cost nine times of ten: jobs wait on nodes, too */
    COPY_EVERY_MS = 1000, /* an idle worker asks as often for a lease to copy */
};

struct worker {
    struct sched_worker public;
    struct lease *lease; /* public.leases of them */
    size_t lease_capacity;
    uint32_t last_work; /* whose source it has; NONE */
    uint64_t copy_ms;   /* when it asks again for a lease to copy */
};

struct sched {
    struct backlog *backlog;
    struct sched_rules rules;
    struct cost *cost;
    uint64_t next_lease;
    uint32_t stops; /* of sources, so far */
    struct worker *worker;
    size_t worker_capacity;
    uint32_t workers, connected_slots;
    uint32_t *readers; /* connected workers, by pipeline */
    size_t pipelines;
    struct lot **order; /* lots with open documents, most urgent first */
    size_t ordered, order_capacity;
    uint64_t measured_ms;   /* until then: */
    double cpu_ms, slot_ms; /* told by results, and had by slots with leases; older ones count less */
    bool stale;             /* the order of lots is not what it should be any more */
    bool store_fails;       /* since then nothing was stored by anybody */
};

void acts_add(struct acts *acts, struct act act);
/* The last one is an outcome: its document's sketch. What is none is left away. */
void acts_add_sketch(struct acts *acts, const ProtobufCBinaryData *sketch);

/* The worker's lease of that id, or NULL. */
struct lease *lease_find(struct sched *sched, uint32_t worker, uint64_t id);
/* Takes the lease out of its worker's list and returns what it was. */
struct lease lease_take(struct sched *sched, struct lease *lease);

/* The same job of another worker; NULL: there is none. */
struct lease *lease_copy(struct sched *sched, const struct lease *lease);
/* A copy of what another worker is slow with, or NULL. */
struct lease *copy_grant(struct sched *sched, uint32_t worker, uint64_t now_ms);
/* What a result says of costs and of the worker's pace. */
void cost_result(struct sched *sched, const struct lease *lease, const Sohoa__Result *result, uint64_t now_ms);
struct lease *lease_add(struct sched *sched, uint32_t worker, struct lease lease);
/* About range_ms, and all ranges of the document alike. */
uint32_t range_size(const struct sched *sched, uint8_t cost, uint32_t pages);
uint64_t lease_deadline(const struct sched *sched, uint8_t cost, uint32_t pages, uint64_t now_ms);

bool cluster_fault(int code); /* of the store, the network and the like: the source is not at fault */
/* After each result: pauses its batch when the same failure came again and again. */
void breaker_feel(struct sched *sched, struct batch *batch, const Sohoa__Result *result, struct acts *acts);

/* Makes a document final. */
void doc_settle(struct sched *sched, struct doc_ref ref, Sohoa__DocState state, uint32_t stored, uint32_t dead,
                struct acts *acts);
/* Opens a final document of a work that has a new generation; and one whose source could not be read. */
void doc_reopen(struct sched *sched, struct doc_ref ref, struct acts *acts);
void doc_follow(struct sched *sched, struct doc_ref ref, struct acts *acts);
void doc_probe_again(struct sched *sched, struct doc_ref ref, struct acts *acts);
/* Subscribes the document to its source's work. */
void sched_place(struct sched *sched, struct doc_ref ref, const struct placement *placed);
/* The subscriber that stands for the work in names and ledger: the first that still works for it; batch NONE: none. */
struct doc_ref work_lead(const struct sched *sched, const struct work *work);
void work_offer(struct sched *sched, uint32_t work);
void work_advance(struct sched *sched, uint32_t work);
/* Forgets the leases of a work, or (work NONE) of a document's probe, and tells their workers. */
void sched_drop_leases(struct sched *sched, struct doc_ref doc, uint32_t work, struct acts *acts);
/* Quarantine of a source: every subscriber stops, of its works under other pipelines, too. */
void sched_stop_work(struct sched *sched, uint32_t work, struct acts *acts);
/* Under any pipeline. */
bool sched_source_stopped(const struct sched *sched, const uint8_t sha256[SHA256_BYTES]);
/* The bundles of its stored parts are of no more use. */
void work_tell_bundles(const struct work *work, uint32_t index, struct acts *acts);

#endif
