/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the coordinator's files share: one struct, one loop (coordinator.c), one thread. */
#ifndef SOHOA_COORDINATOR_H
#define SOHOA_COORDINATOR_H

#include <stdatomic.h>

#include "coordinator/account.h"
#include "coordinator/calendar.h"
#include "coordinator/commit.h"
#include "coordinator/gate.h"
#include "coordinator/history.h"
#include "coordinator/hold.h"
#include "coordinator/meter.h"
#include "coordinator/plan.h"
#include "coordinator/review.h"
#include "coordinator/rows.h"
#include "coordinator/sched.h"
#include "coordinator/view.h"
#include "proto/certificate.h"
#include "proto/config.h"
#include "storage/io.h"
#include "storage/renewal.h"

struct auth;
struct herald;
struct http;
struct live;
struct notary;
struct others;
struct recall;
struct reorganisations;
struct stories;
struct verification;
struct watch;

enum { LEASES_AN_EPOCH = 40 }; /* bits: numbers of leases and views never repeat over restarts */

struct peer { /* by the scheduler's worker index */
    uint64_t heard_ms;
    uint64_t rss_bytes;
    uint32_t busy_slots;
    bool views; /* it takes VIEW jobs */
    char build[NAME_BYTES], lang[NAME_BYTES];
};

struct admission; /* a batch on its way in */

struct coordinator {
    const struct config *config;
    char name[NAME_BYTES];
    struct store *store;
    struct ledger *ledger;
    struct checkpoints checkpoints;    /* of ours: the ledger must agree with them */
    struct notary *notary;             /* NULL: there is no key to sign with */
    struct verification *verification; /* of the ledger; NULL: nobody asked for one yet */
    unsigned proofs;                   /* being made */
    atomic_bool ending;                /* long reads on the back threads stop */
    struct backlog *backlog;
    struct sched *sched;
    struct committer *committer;
    struct gate *gate;
    struct certificate certificate; /* of HTTP */
    struct rows *rows;
    struct http *http;
    struct live *live;
    struct watch *watch;
    struct herald *herald;
    struct renewal *renewal; /* of the store's lock */
    struct io *commit_io;    /* one thread: everything that writes state, in order */
    struct io *back_io;      /* removal of blobs, reads for the API */
    struct views *views;
    bool views_swept; /* what a coordinator before had made is removed */
    struct history *history;
    struct tally *tally;
    struct twins *twins;
    struct recall *recall; /* NULL: the index has been read */
    struct buf ended;      /* struct doc_ref: documents that ended meanwhile */
    struct accounts *accounts;
    struct reviews *reviews;
    struct holds holds;                      /* who looks at what of them */
    struct reorganisations *reorganisations; /* of communes */
    struct quarantines *quarantines;
    struct stopping *stopping; /* of files */
    struct packages *packages; /* made for hand-over */
    struct stories *stories;
    struct others *others;
    struct auth *auth;
    struct group *group; /* being collected ... */
    uint64_t group_ms;   /* ... since then; 0: nothing is in it */
    struct acts acts;
    struct peer *peer;
    uint32_t peers;
    struct admission *admissions;     /* in the order they came */
    bool admitting;                   /* the first of them is being written */
    bool admitted_last;               /* a group has its turn before the next of them */
    uint64_t started_ms, granting_ms; /* nothing is granted before granting_ms ... */
    struct buf awaited;               /* ... or until all these workers are back: their names, each ended by a 0 */
    uint64_t beat_ms, expire_ms, rewrite_ms, plan_ms;
    struct meter meter;
    struct plan plan;          /* in force */
    struct calendar *calendar; /* NULL: none */
    struct buf calendar_csv;   /* as it was given */
    uint32_t checks;           /* made so far */
    uint32_t rewrites;         /* of Redis, begun so far */
    bool rebuilding;
    void (*committed)(struct group *group, int rc, const struct err *err, void *user);
    bool stop;
    int rc;
    struct err err;
};

/* The document's row; source, when asked for, is the caller's. Errors: as rows_read. */
int coordinator_row(struct coordinator *c, struct doc_ref ref, struct row *row, char **ret_source, struct err *err);

/* ---- turn.c ---- */

/* Removes the blob, on the back threads. */
void coordinator_remove(struct coordinator *c, const char *name);
void blobs_remove(struct store *store, const char *prefix); /* all that begin with it; blocks */

enum { TURN_MOST_MS = 50 }; /* the longest the loop sleeps */

/* Turns the collected actions into the next group and tells workers what to drop. After every event. */
void coordinator_apply(struct coordinator *c);

/* In the place of the one before. Takes calendar over; csv is copied. */
void coordinator_calendar(struct coordinator *c, struct calendar *calendar, const char *csv);

/* What cores are and will be there, but for the workers named in without (an array of texts; NULL: none), and with add more. Fills
 * CALENDAR_STEPS_MAX at most, whose number is returned. */
size_t coordinator_supply(const struct coordinator *c, uint64_t now_ms, const struct buf *without, double add,
                          struct supply *supply);

int turn_wait_ms(struct coordinator *c, uint64_t now_ms); /* until turn_commit() may have something to write */
void turn_time(struct coordinator *c, uint64_t now_ms);   /* beats, expires leases, renews the lock */
void turn_commit(struct coordinator *c,
                 uint64_t now_ms); /* hands the next group, admission or rewrite to the committer */
/* The committer's done: user is the coordinator. */
void turn_committed(struct group *group, int rc, const struct err *err, void *user);

/* ---- recover.c ---- */

/* Loads ledger, layouts and Redis bits into the backlog, and opens the ledger for writing. */
int recover(struct coordinator *c, struct err *err);

/* The same reading into a fresh backlog of its own, for a rebuild that trusts nothing in memory. */
int recover_count(struct coordinator *c, struct backlog **ret_backlog, struct err *err);

/* ---- peers.c ---- */

/* True: there may be more. */
bool peers_receive(struct coordinator *c, uint64_t now_ms);
void peers_grant(struct coordinator *c, uint64_t now_ms);
void peers_tick(struct coordinator *c, uint64_t now_ms);
void peers_acknowledge(struct coordinator *c, const struct group *group);
/* Grants begin once the named workers (with spaces between) have said Hello, at granting_ms at the latest. */
void peers_await(struct coordinator *c, const char *names);
/* Batches admitted before any worker was known take this pipeline. */
void peers_pin(struct coordinator *c, uint32_t pipeline);

/* Its leases and views go to others. */
void peers_gone(struct coordinator *c, uint32_t worker, const char *why, uint64_t now_ms);

/* ---- story.c ---- */

void story_told(struct coordinator *c, uint32_t worker,
                const Sohoa__Recalled *said); /* what a worker remembers of a page */

/* ---- viewing.c ---- */

/* Nobody knows what a coordinator before had made: it is removed, and only then the first VIEW job goes out. */
void viewing_start(struct coordinator *c);
void viewing_grant(struct coordinator *c, uint64_t now_ms); /* gives workers with room what is waited for */
void viewing_result(struct coordinator *c, uint32_t worker, const Sohoa__Result *result);

/* ---- admit.c ---- */

/* A piece of a manifest on its way. */
struct admission {
    struct io_task task;
    struct coordinator *c;
    struct admission *next;
    char id[NAME_BYTES];
    const struct account *by;
    uint64_t offset;      /* of the piece in the manifest */
    bool more;            /* pieces are still to come */
    uint32_t priority;    /* asked for; 0: what the rows say */
    uint64_t deadline_ms; /* likewise */
    struct buf lines;
    struct rows_plan plan;
    bool checked;
    struct { /* what is written for it */
        uint32_t piece, docs, pipeline;
        char unit[NAME_BYTES];
        uint8_t digest[SHA256_BYTES]; /* of pipeline, unless that is NONE: no worker is known yet */
    } entry;
    const struct batch *batch; /* in the end: what there is of it */
    bool created;              /* not: the piece was there already */
    int rc;
    struct err err;
    void (*done)(struct admission *admission, void *user); /* then the admission is freed */
    void *user;
};

/* Takes over asked.lines; asked's id "": named after the lines, which must be the whole manifest. Pieces of one batch are
 * admitted in the order of these calls; documents of a piece can be granted once it is durable, whatever is still to come.
 * done is called then, or when the piece is there already with the same bytes, or with rc: E_MANIFEST, E_EXISTS, E_STATE
 * (that is not where the manifest goes on), E_LIMIT, E_DENIED (it has units that asked.by is not for). Errors at once, and no done: E_MANIFEST (the id), E_USAGE. */
int admit(struct coordinator *c, struct admission *asked, struct err *err);
/* Starts to write the next one, if it is checked; the committer is idle. False: there is none. */
bool admissions_start(struct coordinator *c);

/* A batch of probes only, kept in memory alone, for CHECK_KEPT_MS at most. Errors: as of a manifest, E_LIMIT. */
int admit_check(struct coordinator *c, const struct buf *manifest, struct batch **ret_batch, struct err *err);
void checks_expire(struct coordinator *c, uint64_t now_ms);

#endif
