/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who comes next, and what will be on time: the backlog's lots and what targets still expect, put to the forecast. It sets each
 * lot's turn, which the scheduler grants in order of; the same, with something changed and without setting anything, answers
 * what-ifs. Times are since 1970. Pure. */
#ifndef SOHOA_PLAN_H
#define SOHOA_PLAN_H

#include "coordinator/forecast.h"
#include "coordinator/sched.h"

/* What is left of a lot, or of a target's pages that are not admitted yet, and when it ends. */
struct plan_row {
    const struct lot *lot; /* NULL: of a target */
    const char *unit;
    double pages;
    double unknown_ms; /* of its core time, that only what other batches cost tells */
    struct demand demand;
    struct outlook outlook;
};

struct plan {
    struct plan_row *row;
    size_t rows;
    bool feasible; /* all deadlines can be met */
    double cores;  /* now */
};
void plan_destroy(struct plan *plan);

/* What would be different: terms, and pages that are read again. */
struct plan_change {
    const char *subject;  /* a unit, or a batch */
    uint64_t deadline_ms; /* 0: as it is; DEADLINE_NONE */
    bool pause, resume;
};

struct plan_ifs {
    const struct plan_change *change;
    size_t changes;
    const struct lot_pages *again; /* lots in the backlog's order */
    size_t agains;
};

/* Fills an empty plan: what is left of sched's backlog, served by supply; ifs may be NULL. */
void plan_make(struct plan *plan, struct sched *sched, uint64_t now_ms, const struct supply *supply, size_t supplies,
               const struct plan_ifs *ifs);

/* The lots' turns are the plan's from now on. */
void plan_apply(const struct plan *plan, struct sched *sched);

/* Some rows taken together. */
struct plan_total {
    size_t rows;
    double pages, core_ms;
    double undated_pages; /* of them, have no deadline */
    uint64_t p50_ms, p90_ms,
        deadline_ms;      /* the last ends; the first deadline that is not met, else the last; 0: none */
    int64_t slack_ms;     /* the least */
    enum verdict verdict; /* the worst */
    double cores_needed;  /* the most */
    bool shed;
};
void plan_all(const struct plan *plan, struct plan_total *total);

/* Each unit once, by name; what has none is of the unit "". The caller frees *ret_units. Returns how many there are. */
struct plan_unit {
    const char *unit; /* borrowed from the plan */
    struct plan_total total;
};
size_t plan_units(const struct plan *plan, struct plan_unit **ret_units);

/* Each batch, by its index, of which there are so many. Without rows: nothing is left of it. */
void plan_batches(const struct plan *plan, struct plan_total *total, size_t batches);

#endif
