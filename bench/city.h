/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A made-up Hanoi: 30 districts, 526 communes, documents of 5 priorities, each with so many pages and due some day. The same seed
 * gives the same city. What documents have and cost follows from their number alone, so none of them takes memory. */
#ifndef SOHOA_CITY_H
#define SOHOA_CITY_H

#include <stdint.h>

enum { CITY_DISTRICTS = 30, CITY_COMMUNES = 526, CITY_PRIORITIES = 5, CITY_LOTS = CITY_COMMUNES * CITY_PRIORITIES };

struct city_lot {
    uint32_t commune, priority;
    uint32_t docs;
    double due;     /* 0 to 1: of the campaign, before it is scaled */
    double page_ms; /* what its pages cost in the mean */
    uint64_t pages;
    double core_ms; /* of all its documents */
};

struct city {
    uint64_t seed;
    struct city_lot lot[CITY_LOTS]; /* by commune, then priority */
    uint64_t pages;
    double core_ms;
};

/* Of about so many pages. */
void city_make(struct city *city, uint64_t seed, uint64_t pages);

/* The nth document of a lot. */
uint32_t city_doc_pages(const struct city *city, uint32_t lot, uint32_t doc);
double city_doc_ms(const struct city *city, uint32_t lot, uint32_t doc); /* core time of a page of it, in the mean */

/* The city is due in horizon_ms times each lot's due, with so many cores: the fullest moment's work as a share of what the cores can do
 * until then. */
double city_load(const struct city *city, double horizon_ms, double cores);

#endif
