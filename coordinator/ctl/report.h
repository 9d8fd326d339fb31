/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a run says at its end: report.json, which depends on the scans and their results alone, never on when or how fast. */
#ifndef SOHOA_REPORT_H
#define SOHOA_REPORT_H

#include <stdio.h>

#include "coordinator/ctl/inputs.h"
#include "coordinator/ctl/outcome.h"

enum { REPORT_FAILURES_SHOWN = 20, REPORT_GRADES = 3 };

struct report {
    json_t *documents; /* one object for every input, in their order */
    uint64_t docs[DOC_STATES];
    uint64_t foreign;               /* of the refused ones: files that are no scans at all */
    uint64_t graded[REPORT_GRADES]; /* pages with grade A, B, C */
    uint64_t pages, pages_stored, pages_dead, pages_duplicate, pages_quarantined, pages_withdrawn;
};

/* outcomes: of the admitted inputs, in their order, all final. */
void report_init(struct report *report, const struct inputs *inputs, const struct outcomes *outcomes);
void report_destroy(struct report *report);

/* Adds what the records of the results below out say of pages' grades: to each entry that has results of its own its
 * "grade" and "pages_c", the pages to be looked at; records of older versions say nothing, nor do duplicates. */
void report_grade(struct report *report, const char *out);

/* {"documents":{state:n},"pages":{state:n},"grades":{grade:n}}; the caller's. */
json_t *report_totals(const struct report *report);

/* The bytes of report.json. */
void report_print(const struct report *report, struct buf *json);

/* EXIT_SUCCESS, or EXIT_FINDINGS when something is dead, quarantined, withdrawn or refused; foreign files don't count. */
int report_exit(const struct report *report);

/* The counts, the first failures and the first documents with pages of grade C, for people. */
void report_tell(const struct report *report, FILE *to);

#endif
