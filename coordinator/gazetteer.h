/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Hanoi's units, each with the days from which and until which it was in force, by their typed codes (proto/unit.h): those before and
 * since July 2025 (hanoi-units-2025.csv: each old commune, its district, and the new communes that took it over), read from the program itself,
 * and those of later re-organisations on top. A gazetteer never changes: a re-organisation makes another one. The one in force is
 * the program's (gazetteer_use()); it is kept, dropped and used by one thread only, what was kept may be read by another. */
#ifndef SOHOA_GAZETTEER_H
#define SOHOA_GAZETTEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"
#include "proto/unit.h"

enum {
    PLACES_MAX = 16384,
    SUCCESSORS_MOST = 16, /* of a commune or a district */
    CODE_BYTES = 6,       /* a commune's code, with the 0 */
};

#define PLACES_MERGED_ON "2025-07-01" /* the new communes' first day (Resolution 1656/NQ-UBTVQH15) */

enum coverage { COVERAGE_WHOLE, COVERAGE_PART, COVERAGE_AREA, COVERAGE_AREA_PEOPLE, COVERAGES };

const char *coverage_name(enum coverage coverage); /* "whole", "part", "part_of_area", "part_of_area_all_people" */
bool coverage_named(const char *name, enum coverage *ret_coverage);

struct kin {
    const struct place *place;
    enum coverage coverage; /* how much of the one that ended went over */
};

struct place {
    char unit[UNIT_BYTES]; /* "district:001", "old:00004", "new:00004", "new:00004@2027-07-01" */
    char name[NAME_BYTES];
    int64_t from_day, until_day;   /* the first and the last in force (day.h); 0: not known; 0: it has no end */
    const struct place *parent;    /* the district of an old commune; else NULL */
    const struct kin *successor;   /* all that have a part of it; a district's are those of its communes */
    const struct kin *predecessor; /* communes that it has a part of */
    const struct kin *commune;     /* of a district: those that were in it */
    size_t successors, predecessors, communes;
    bool whole; /* nothing of it is anywhere else but in its successors */
};

struct gazetteer;

/* What one row of a re-organisation says: a part of the old commune goes to one that has the new code and that name from then on. */
struct handover {
    char old_unit[UNIT_BYTES], new_code[CODE_BYTES];
    char new_name[NAME_BYTES];
    enum coverage coverage;
    uint64_t line_no; /* where it was read */
};

struct gazetteer *gazetteer_new(void); /* what the program has itself */

/* base, after a re-organisation that takes effect on day: old communes end the day before, those of new codes begin. Every old one is in
 * force, no new code is of one that stays; the limits above hold (asserted). */
struct gazetteer *gazetteer_changed(const struct gazetteer *base, const struct handover *handover, size_t count,
                                    int64_t day);

struct gazetteer *gazetteer_keep(struct gazetteer *gazetteer); /* the same, once more */
void gazetteer_drop(struct gazetteer **gazetteer);

size_t gazetteer_places(const struct gazetteer *gazetteer); /* how many it has: those that ended, too */

/* Borrowed from the gazetteer. find: NULL: nobody knows it. at: from the first on, in the order of units; NULL: there are no more. */
const struct place *gazetteer_find(const struct gazetteer *gazetteer, const char *unit);
const struct place *gazetteer_at(const struct gazetteer *gazetteer, size_t index);
const struct place *gazetteer_code(const struct gazetteer *gazetteer,
                                   const char *code); /* the commune in force that has it; NULL: none */

/* ---- the one in force ---- */

void gazetteer_use(struct gazetteer *gazetteer); /* takes it over; NULL: what the program has itself */
struct gazetteer *gazetteer_now(void);           /* borrowed */
const struct place *place_find(const char *unit);
const struct place *place_at(size_t index);

/* ---- what a unit is ---- */

enum place_kind { PLACE_DISTRICT, PLACE_OLD, PLACE_NEW, PLACE_KINDS };

const char *place_kind_name(enum place_kind kind); /* "district", "old", "new" */
enum place_kind place_kind(const struct place *place);
const char *place_code(const struct place *place, char code[CODE_BYTES]); /* "00004": returns code */
bool place_ended(const struct place *place, int64_t day);                 /* it is not in force any more then */

#endif
