/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What no plan can do better than. */
#ifndef SOHOA_TESTS_OPTIMUM_H
#define SOHOA_TESTS_OPTIMUM_H

#include <stddef.h>
#include <stdint.h>

/* The transport problem: work[k] units of each kind go into slots of time, of which each has room[s], and a unit costs
 * cost[k * slots + s] (0 or more) there. Returns the least that all can cost. There must be room for all (asserted). Exact, by
 * successive shortest paths with potentials (Edmonds and Karp, 1972); units are whole. */
double optimum(const uint32_t *work, size_t kinds, const uint32_t *room, size_t slots, const double *cost);

#endif
