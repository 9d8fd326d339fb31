/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which documents of all batches are the same: of the same bytes, scanned twice, or read twice. It is a report: no document's state follows
 * from it. Added up from outcomes as they come, at a start from all of the ledger's and the sketches of the index.
 *
 * Documents that may be the same are found by what their sketches have in common, the keys of an index: runs of samples of the text, pairs
 * of marks, parts of a picture. alike.h decides. Groups hold together by pairs that are alike, and nobody is in one with a document that
 * contradicts it. What there are bounds for is told in counts. Pure. */
#ifndef SOHOA_TWINS_H
#define SOHOA_TWINS_H

#include "coordinator/alike.h"
#include "coordinator/backlog.h"

enum {
    TWINS_MOST = (1 << 24) - 2, /* documents, whatever the setting duplicates_max says */
    TWINS_GROUP_MOST = 256,     /* documents of a group: others stay out of it */
};

struct twins;

/* most: documents that are remembered. */
struct twins *twins_new(uint32_t most);
void twins_destroy(struct twins **twins);

/* What became of the document, in the place of what did before. One without a result is forgotten. It is compared later, in the order they came: a
 * start with many documents is not held up. */
void twins_add(struct twins *twins, struct doc_ref ref, const Sohoa__DocOutcome *outcome);
/* Its sketch, when the outcome came without: from the ledger, which has none. Passed over where it has one, or no result any more. */
void twins_sketch(struct twins *twins, struct doc_ref ref, const ProtobufCBinaryData *sketch);
/* Compares so many of those that wait. True: there are more. */
bool twins_compare(struct twins *twins, uint32_t most);

struct twins_counts {
    uint32_t documents, groups; /* remembered; of two and more */
    uint32_t waiting;           /* to be compared */
    uint64_t left_out;          /* documents that duplicates_max left no room for */
    uint64_t full_groups;       /* documents that did not get into a group, which had TWINS_GROUP_MOST */
    uint64_t bytes;             /* of memory */
};
void twins_count(const struct twins *twins, struct twins_counts *counts);

/* A document of a group beside its master: the one of the best quality (fewest dead pages, best grade, most resolution and colour, least error
 * predicted, earliest). */
struct twin {
    struct doc_ref ref;
    struct alike alike; /* to the master; ALIKE_NOT: only to others of the group, or it is the master itself */
};

/* The first group from number on; NONE: there is none. Numbers stay as long as the group's first document is in it. */
uint32_t twins_next(const struct twins *twins, uint32_t number);
/* The group of a document; NONE: it is alone. */
uint32_t twins_group(const struct twins *twins, struct doc_ref ref);
/* Fills member with the group's documents, its master first, then by when they came. Returns how many. */
size_t twins_members(const struct twins *twins, uint32_t number, struct twin member[TWINS_GROUP_MOST]);

#endif
