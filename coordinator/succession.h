/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Rights that follow units through mergers: the successors of the units that an account is bound to are proposed, and an
 * administrator decides of each whether the account's rights go with it. Never by itself: many units were split over several,
 * and most new ones have people of several. The day of the merger and the moment of the decision are kept. Pure. */
#ifndef SOHOA_SUCCESSION_H
#define SOHOA_SUCCESSION_H

#include "coordinator/account.h"

/* What is to be decided: successors (gazetteer.h) that the account does not cover yet, each for each of its units that they took
 * over from: units that it is bound to, or whose successors its rights went with before. proposed has room for ACCOUNT_SUCCESSIONS_MAX; returns how many there are. */
size_t successions_proposed(const struct account *account, struct succession *proposed);

/* That the account's rights go with unit, or don't, whichever of its units it took over from; also when it was decided otherwise
 * before. Errors: E_USAGE: it is no successor of the account's units; E_LIMIT. */
int succession_decide(struct account *account, const char *unit, bool declined, uint64_t now_ms, struct err *err);

/* After its units changed: what was decided of those that it is no longer bound to is forgotten, and so on. */
void successions_prune(struct account *account);

#endif
