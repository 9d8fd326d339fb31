/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Re-organisations of communes: read from a table in the shape of hanoi-units-2025.csv, looked through before they are ordered, each put on top of those
 * before, and taken back as long as none that came later stands on it. They are about names, validity and succession; no document's unit
 * is changed. Pure, but that the gazetteer in force (gazetteer_use()) is theirs. */
#ifndef SOHOA_REORGANISATION_H
#define SOHOA_REORGANISATION_H

#include "coordinator/gazetteer.h"
#include "proto/buf.h"
#include "proto/err.h"

enum {
    REORGANISATIONS_MAX = 64,           /* those that were taken back, too */
    REORGANISATION_CSV_BYTES = 1 << 20, /* of one table */
    REORGANISATION_ROWS_MAX = 2048,     /* likewise */
    REORGANISATION_FINDINGS_MOST = 100, /* that are told of a table */
};

struct finding {
    uint64_t line_no; /* 0: of the table as a whole */
    char text[ERR_TEXT_BYTES];
};

/* A table that was read, and what is wrong with it. */
struct draft {
    int64_t day;         /* its first */
    struct buf handover; /* struct handover, each */
    struct buf finding;  /* struct finding, each; none: it can be ordered */
};

struct reorganisation {
    uint32_t number; /* 1, 2, 3 ... */
    int64_t day;
    uint64_t time_ms, undone_ms; /* ordered; taken back, or 0 */
    uint32_t ends, begins;       /* communes */
    struct draft draft;
};

struct reorganisations;

struct reorganisations *reorganisations_new(void); /* none: the gazetteer in force is the program's own */
void reorganisations_destroy(struct reorganisations **all);
const struct reorganisation *reorganisations_at(const struct reorganisations *all, uint32_t index); /* NULL: no more */

/* Reads the table for what is in force now, from day on. draft is made anew, and says all that is wrong: unknown and doubled codes, names that are another's,
 * parts of which nobody says where the rest goes, codes that are still another's, a day before those that stand. */
void reorganisation_read(const struct reorganisations *all, const char *csv, size_t bytes, int64_t day,
                         struct draft *draft);
void draft_clear(struct draft *draft); /* for AUTO */
/* What is wrong as one error (E_MANIFEST), 0 if nothing is. */
int draft_check(const struct draft *draft, struct err *err);
/* Communes that end, and that begin. */
void draft_count(const struct draft *draft, uint32_t *ret_ends, uint32_t *ret_begins);
/* The gazetteer as it would be, the caller's own. The draft was read last, and has no findings. */
struct gazetteer *draft_gazetteer(const struct draft *draft);

/* In force from now on, with the next number, which is returned. The draft was read last, and has no findings; it is taken over and empty then.
 * Errors: E_LIMIT. */
int reorganisations_add(struct reorganisations *all, struct draft *draft, uint64_t time_ms, uint32_t *ret_number,
                        struct err *err);

/* The gazetteer is as if it had never been. Errors: E_ABSENT; E_STATE: it was taken back before, or a later one stands on it. Nothing
 * is changed then. */
int reorganisations_undo(struct reorganisations *all, uint32_t number, uint64_t time_ms, struct err *err);

#endif
