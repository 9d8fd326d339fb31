/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What official documents are known to say, as tables (worker/rules/NAME.tsv, part of the program): a line a row, cells parted by
 * tabs (commas in a .csv), the first row names them, # begins a remark. What results depend on changes with them, so an edit wants a new
 * RESULTS_VERSION; the golden test says so. */
#ifndef SOHOA_RULES_H
#define SOHOA_RULES_H

#include <stddef.h>

enum rules_name {
    RULES_TYPES,
    RULES_BODIES,
    RULES_ACRONYMS,
    RULES_URGENCY,
    RULES_SURNAMES,
    RULES_OFFICES,
    RULES_AREAS,
    RULES_RETENTION,
    RULES_PERSONAL,
    RULES_BLOCS,
    RULES_SECRECY,
    RULES_PLACES, /* the units of Hanoi, as coordinator/gazetteer.h has them */
    RULES_TABLES
};

enum { RULES_CELLS = 8 };

struct rules {
    size_t rows;
    const char *(*row)[RULES_CELLS]; /* "" behind the last cell */
};

/* Read once, kept for good. */
const struct rules *rules_of(enum rules_name name);

/* Whether list, parted by commas, has item. */
int rules_list_has(const char *list, const char *item);

#endif
