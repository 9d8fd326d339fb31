/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Re-runs: which pages of which documents a predicate chooses and what they cost, what was ordered so far, and how it is taken
 * back. A re-run is a new generation of a document's work. Pages that were not chosen are kept from the words of the
 * generation before (dead ones stay dead), and the result before stays in force until the new one is there. As long as
 * nothing of the new generation was leased, the work can go back to what it was. Pure. */
#ifndef SOHOA_RERUN_H
#define SOHOA_RERUN_H

#include "coordinator/sched.h"
#include "coordinator/where.h"
#include "proto/buf.h"

enum { RERUNS_MAX = 100000 };

struct rerun_doc {
    struct doc_ref ref;
    uint16_t generation; /* that it has by this re-run */
};

/* One that was ordered. Its documents are those that were not taken back. */
struct rerun {
    uint64_t time_ms; /* since 1970 */
    char *where;      /* for people */
    struct rerun_doc *doc;
    uint32_t docs, capacity;
    uint32_t undone; /* documents that were taken back */
    uint64_t pages;  /* that were to run again */
};

/* ---- choosing ---- */

struct chosen {
    struct doc_ref ref;
    uint8_t grades; /* the pages with one of these; WHERE_ALL: the dead ones, or all where none is dead */
};

struct choice {
    struct buf docs; /* struct chosen, in the order of their batches */
    struct buf lots; /* struct lot_pages: pages of which lots would run, in the backlog's order */
    uint64_t pages;  /* that would run */
    double core_ms;  /* as far as the batches' pages were measured, the others as the mean of these; < 0: none was */
};
void choice_destroy(struct choice *choice);
const struct chosen *choice_docs(const struct choice *choice, size_t *ret_count);
const struct lot_pages *choice_lots(const struct choice *choice, size_t *ret_count);

bool doc_may_rerun(const struct doc *doc); /* stored, dead or refused */
void choose(const struct backlog *backlog, const struct where *where, struct choice *choice);

/* ---- ordering, and what was ordered ---- */

/* The next one. Its number is the count of them. RERUNS_MAX at most (asserted). where is copied. */
struct rerun *rerun_add(struct backlog *backlog, const char *where, uint64_t pages, uint64_t time_ms);
/* NULL: there is none of that number. */
struct rerun *rerun_at(const struct backlog *backlog, uint32_t number);
void rerun_add_doc(struct rerun *rerun, struct doc_ref ref, uint16_t generation);
/* They were taken back; in the order that they have there. */
void rerun_forget_docs(struct rerun *rerun, const struct rerun_doc *undone, size_t count);
uint32_t rerun_finished(const struct backlog *backlog, const struct rerun *rerun); /* of its documents */
void reruns_destroy(struct backlog *backlog);

uint32_t rerun_pages(const struct backlog *backlog,
                     const struct chosen *chosen); /* of a placed document, that would run */
/* Runs what was chosen of the document again, unless one of the same source took it along. ranges: appends struct page_range for
 * the pages, where these are not all or the dead ones. Returns the document's generation. */
uint16_t rerun_chosen(struct sched *sched, const struct chosen *chosen, struct buf *ranges, struct acts *acts);

/* Takes back what has not begun: to undone go its documents (struct rerun_doc). */
void rerun_undo(struct sched *sched, struct rerun *rerun, struct buf *undone, struct acts *acts);

/* ---- a work's part in it, for those and for a restart ---- */

/* A new generation of the work, in which the pages of the ranges run; none: the dead ones, or all. Returns whether pages are
 * kept or stay dead. */
bool work_renew(struct work *work, const struct page_range *range, size_t ranges);
uint32_t work_renew_pages(const struct work *work, const struct page_range *range, size_t ranges); /* that would run */
/* The same choice of a generation that has begun already, and where none was dead before. */
void work_choose(struct work *work, const struct page_range *range, size_t ranges);
bool work_untouched(const struct work *work); /* nothing of this generation was leased */
void work_revert(struct work *work);          /* back to the generation before, of which it is known */

#endif
