/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The plan for the city: what each unit is expected to bring, and by when. Pure; kept in the backlog. */
#ifndef SOHOA_TARGET_H
#define SOHOA_TARGET_H

#include "coordinator/backlog.h"

enum { TARGETS_MAX = 20000 }; /* 526 communes of 5 priorities are 2,630 */

/* The target of just that unit and priority; NULL. */
struct target *target_find(const struct backlog *backlog, const char *unit, uint32_t priority);

/* Puts it in the place of the one of the same unit and priority, or adds it. False: there are TARGETS_MAX. */
bool target_set(struct backlog *backlog, const struct target *target);

/* The one that counts for documents of the unit: of their priority, else of the whole unit, else the most urgent; priority 0: it
 * is not known. NULL: the unit has none. */
const struct target *target_of(const struct backlog *backlog, const char *unit, uint32_t priority);

/* Takes together what manifest, target and operators say of the lot: priority, due_ms and paused. With another deadline its turn
 * is that, until the next plan. */
void lot_settle(const struct backlog *backlog, struct lot *lot);

#endif
