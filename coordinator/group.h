/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Inside of a group: shared by group.c, which fills it, and commit.c, which writes it. */
#ifndef SOHOA_GROUP_H
#define SOHOA_GROUP_H

#include "coordinator/commit.h"
#include "storage/layout.h"

struct group_layout {
    const char *batch; /* its id, which outlives the group */
    uint32_t piece;
    struct layout_entry entry;
};

struct group_outcome {
    const char *batch; /* its id, which outlives the group */
    uint32_t doc, state;
    bool again; /* the ledger and those who follow know it: only the index did not */
    size_t at;  /* where the packed DocOutcome lies in outcomes ... */
    size_t bytes;
};

struct group_remarks {
    const char *batch; /* its id, which outlives the group */
    uint32_t doc;
    size_t at, bytes; /* in remarks_data */
};

struct group_stop {
    uint8_t sha256[SHA256_BYTES];
    bool release; /* the tombstone goes; otherwise it comes */
};

struct group {
    struct history *history; /* or NULL */
    struct tally *tally;     /* likewise */
    struct twins *twins;     /* likewise */
    const char *actor;       /* whose orders are entered; NULL: nobody's */
    struct buf layouts;      /* struct group_layout */
    struct buf remarks;      /* struct group_remarks */
    struct buf remarks_data; /* what their blobs get */
    struct buf stops;        /* struct group_stop, in the order they were said */
    struct buf entries;      /* packed ledger entries, each behind its u32 length */
    struct buf ended;        /* struct group_outcome */
    struct buf outcomes;     /* packed for the index: as the entries', and the sketch */
    struct buf changes;      /* struct progress_change */
    struct buf texts;        /* char *: what the changes point to */
    struct buf acks;         /* struct group_ack */
    struct buf thens;        /* struct group_then */
    struct buf placed;       /* struct group_placed */
    struct buf touched;      /* uint32_t: batches whose counters changed, each once */
    struct buf garbage;      /* names, each ended by a 0 */
    size_t garbage_count;
    struct buf purge; /* as group_purge() says, likewise */
    size_t purge_count;
    bool recount; /* pages went back: Redis is rewritten */
};

void group_add_change(struct group *group, struct progress_change change);
void group_add_counters(struct group *group, const struct batch *batch);
/* For a rewrite: withdrawn documents have pages stored or dead that no bit stands for any more. */
void group_add_page_counters(struct group *group, const struct batch *batch);

#endif
