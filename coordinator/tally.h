/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What came out on which day, by unit: the figures of reports. A document counts on the day of its first result, so that nothing is billed
 * twice; what is read again later is counted apart. It is added up from the ledger's outcomes as they come, at a start from all of them.
 * Days are Hanoi's. Pure. */
#ifndef SOHOA_TALLY_H
#define SOHOA_TALLY_H

#include "coordinator/backlog.h"

enum {
    TALLY_DAYS_MOST = 1100, /* three years back: older days are forgotten */
    TALLY_UNITS_MOST = 4096,
};

struct tally_row {
    uint64_t documents, pages;                 /* stored, of first results */
    uint64_t a4;                               /* what these count as A4 pages */
    uint64_t dead;                             /* pages of first results that could not be read */
    uint64_t grade[SOHOA__GRADE__GRADE_C + 1]; /* pages by grade, likewise */
    uint64_t again;                            /* documents that were read again */
    uint64_t refused, quarantined;             /* documents */
};

struct tally;

struct tally *tally_new(void);
void tally_destroy(struct tally **tally);

/* The document's outcome, of its unit, at time_ms since 1970. */
void tally_add(struct tally *tally, struct doc_ref ref, const char *unit, const Sohoa__DocOutcome *outcome,
               uint64_t time_ms);

/* Adds to *row what came out from the first day to the last, both counted from 1970-01-01 (day.h). unit NULL: of all. */
void tally_sum(const struct tally *tally, const char *unit, int64_t first, int64_t last, struct tally_row *row);

void tally_row_add(struct tally_row *sum, const struct tally_row *row);

const char *tally_unit(const struct tally *tally, size_t nth); /* those that it knows, in no order; NULL: no more */

#endif
