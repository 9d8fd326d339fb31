/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The order of work that costs least when there is too much: time in slots, work as a fluid of five priorities. What is late costs
 * 10^(5-priority) a core-millisecond and millisecond; no order costs less than this one. Pure. */
#ifndef SOHOA_FLUID_H
#define SOHOA_FLUID_H

#include <stdint.h>

enum { FLUID_PRIORITIES = 5, FLUID_SLOTS_MAX = 2048 };

struct fluid;

/* slots of them, of so many milliseconds and with room for so much core time each. What the last can hold has no limit: it is what
 * never comes. At most FLUID_SLOTS_MAX (asserted). */
struct fluid *fluid_new(const int64_t *slot_ms, const int64_t *room_core_ms, uint32_t slots);
void fluid_destroy(struct fluid **fluid);

/* Finds a place for work that is on time in the slot due and in those before it. Other work is moved where that costs less. The order of
 * calls does not change what all costs; calls are fast for work that is on time in what is free. */
void fluid_add(struct fluid *fluid, uint32_t priority, uint32_t due, int64_t core_ms);

/* How much work of the priority is in the slot. Of the priority's work, what is due earlier comes first. */
int64_t fluid_served(const struct fluid *fluid, uint32_t priority, uint32_t slot);

#endif
