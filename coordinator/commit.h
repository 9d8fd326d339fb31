/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Durable before acknowledged. The loop collects what the scheduler's actions mean into a *group*; the committer's one thread
 * writes a group at a time, in this order: layout, remarks, tombstones, ledger, index, Redis. Then the loop acknowledges, lets
 * placed documents run and removes bundles. Every step may be repeated. The store is waited for as long as it takes;
 * Redis is not: it is a view, and is rewritten from memory when it is back. */
#ifndef SOHOA_COMMIT_H
#define SOHOA_COMMIT_H

#include "coordinator/history.h"
#include "coordinator/sched.h"
#include "coordinator/tally.h"
#include "coordinator/twins.h"
#include "storage/io.h"
#include "storage/ledger.h"
#include "storage/progress.h"
#include "storage/store.h"

struct group;
struct committer;

/* ---- a group, on the loop's thread ---- */

/* history, tally and twins: get what is entered, too; NULL: nobody asks for it. */
struct group *group_new(struct history *history, struct tally *tally, struct twins *twins);
void group_destroy(struct group **group);
bool group_empty(const struct group *group);

/* What acts mean, read from the backlog as it is right after them. ACT_DROP is left to the caller. */
void group_add(struct group *group, const struct backlog *backlog, const struct acts *acts);

/* The batch's counters are to be told to Redis. */
void group_touch(struct group *group, uint32_t batch);
/* Before it is submitted: adds the counters of what was touched, as they are now. */
void group_seal(struct group *group, const struct backlog *backlog);

/* The index misses what became of the document, which has ended. */
void group_add_indexed(struct group *group, const struct backlog *backlog, struct doc_ref ref);

/* What stands of the batch, as it is now. */
void group_add_standing(struct group *group, const struct backlog *backlog, uint32_t batch);

/* Whose orders are entered from now on; NULL: nobody's. Borrowed until that. */
void group_set_actor(struct group *group, const char *actor);

/* A ledger entry of an operator's action, which gets the actor; entry is borrowed for the call. */
void group_add_entry(struct group *group, Sohoa__LedgerEntry *entry);

/* What a decision on the document says in words (remarks.h), written before the ledger; batch outlives the group. sha256: what the ledger is to say of it. */
void group_add_remarks(struct group *group, const char *batch, uint32_t doc, const Sohoa__Remarks *remarks,
                       uint8_t sha256[SHA256_BYTES]);

/* The source is out of quarantine: its tombstone goes. */
void group_add_release(struct group *group, const uint8_t sha256[SHA256_BYTES]);

/* The source itself goes, once the group is durable; its tombstone stays. */
void group_add_purge(struct group *group, const uint8_t sha256[SHA256_BYTES]);

/* The worker's line in Redis; slots 0: it is gone. */
void group_add_worker(struct group *group, const char *name, uint32_t slots);

/* What the webhook was told (notify.h), as Redis keeps it; value "": nothing any more. */
void group_add_told(struct group *group, const char *field, const char *value);

/* Called when the group is durable (rc 0), or never will be. A group that somebody waits for is not kept back to grow. */
struct group_then {
    void (*tell)(int rc, const struct err *err, void *user);
    void *user;
};
void group_add_then(struct group *group, struct group_then then);
const struct group_then *group_thens(const struct group *group, size_t *count);

/* Acknowledged to worker when the group is durable. */
struct group_ack {
    uint32_t worker;
    uint64_t lease;
};
void group_add_ack(struct group *group, struct group_ack ack);

const struct group_ack *group_acks(const struct group *group, size_t *count);
struct group_placed {
    struct doc_ref ref;
    uint32_t generation;
};
const struct group_placed *group_placed(const struct group *group, size_t *count);

/* Blobs to remove once the group is durable, each ended by a 0. */
const struct buf *group_garbage(const struct group *group, size_t *count);

/* Likewise, what stopped sources left: for each the name of its tombstone, behind it names, or with a slash at the end what
 * names begin with. They go only as long as the tombstone is there: a source that is released meanwhile may have new ones. */
const struct buf *group_purge(const struct group *group, size_t *count);

/* ---- the committer ---- */

/* Borrows all of them. done is called on the loop's thread with the group, given back; rc is 0 or a FATAL error. Of what was no group
 * only an error is told: group is NULL. */
int committer_new(struct store *store, struct ledger *ledger, const char *redis_socket, struct io *io,
                  void (*done)(struct group *group, int rc, const struct err *err, void *user), void *user,
                  struct committer **ret_committer, struct err *err);
void committer_destroy(struct committer **committer);

/* The process ends: a store that fails is not tried again. committer may be NULL. */
void committer_stop(struct committer *committer);

bool committer_idle(const struct committer *committer);
void committer_submit(struct committer *committer, struct group *group); /* takes it; the committer is idle */

/* On the commit thread, while the committer is idle: one entry for the ledger. It is in for good once it was queued, so this
 * waits for the store as long as it takes. Errors: FATAL. */
int committer_write_entry(struct committer *committer, Sohoa__LedgerEntry *entry, struct err *err);

/* Asks Redis whether it is there still, since nobody else does while nothing is written; the committer is idle. */
void committer_look(struct committer *committer);

/* True when Redis holds what memory holds, but for groups under way. */
bool committer_redis_ok(const struct committer *committer);

/* Starts to write all of Redis from the backlog and the workers as they are now; the committer is idle. awaited: names of workers
 * that are known from before and not back yet, each ended by a 0; they stay known. */
void committer_rewrite(struct committer *committer, const struct backlog *backlog, const struct sched *sched,
                       const struct buf *awaited);

/* Redis is to be rewritten at the next occasion; done tells when that has ended. One such wish at a time; a further one ends the one before with E_STATE. */
void committer_rewrite_then(struct committer *committer, void (*done)(int rc, const struct err *err, void *user),
                            void *user);

/* What progress_before() says, for the start only; epoch 0 when Redis is not there. */
void committer_before(struct committer *committer, uint64_t *ret_epoch, struct buf *workers);

/* What progress_rates() says, for the start only; nothing when Redis is not there. */
void committer_rates(struct committer *committer, progress_rate *each, void *user);

/* Likewise what progress_told() says. */
void committer_told(struct committer *committer, progress_told_one *each, void *user);

/* The bitmap of stored pages of a batch, as Redis kept it; for the start only, before any group. Empty when Redis is not there. */
void committer_bits(struct committer *committer, const char *batch, struct buf *into);

#endif
