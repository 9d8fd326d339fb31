/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Names of Hanoi's units before and since July 2025 (hanoi-units-2025.csv: each old commune, its district, and the new communes that
 * took it over), by their typed codes (proto/unit.h). Read from the program itself, once. */
#ifndef SOHOA_GAZETTEER_H
#define SOHOA_GAZETTEER_H

#include <stddef.h>

#include "proto/limits.h"
#include "proto/unit.h"

enum { SUCCESSORS_MOST = 16 };

#define PLACES_MERGED_ON "2025-07-01" /* the new communes' first day (Resolution 1656/NQ-UBTVQH15) */

struct place {
    char unit[UNIT_BYTES];   /* "district:001", "old:00004", "new:00004" */
    char parent[UNIT_BYTES]; /* the district of an old commune; else "" */
    char name[NAME_BYTES];
    char successor[SUCCESSORS_MOST][UNIT_BYTES]; /* of an old commune or a district: all that have a part of it */
    size_t successors;
};

/* NULL: nobody knows it. */
const struct place *place_find(const char *unit);

/* From the first on, in the order of their units; NULL: there are no more. */
const struct place *place_at(size_t index);

#endif
