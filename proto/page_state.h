/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What may happen to a page. Every change of a page's state goes through page_move(), which holds it to this table:
 *
 *                     +----------- a failed attempt, a lost lease -----------+
 *                     v                                                     |
 *     admitted --> QUEUED --------------> LEASED ----> STORED               |
 *                   ^ |  \                  | |  \------+-------------------+
 *        re-run or  | |   \--> DUPLICATE    | |---> DEAD (with evidence)
 *        release    | |   \--> WITHDRAWN <--+ |
 *                   | +--------> QUARANTINED <+---- any state but WITHDRAWN
 *
 * STORED is final within a generation: a re-run is a new generation, not a step back. */
#ifndef SOHOA_PAGE_STATE_H
#define SOHOA_PAGE_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum page_state {
    PAGE_QUEUED,
    PAGE_LEASED,
    PAGE_STORED,
    PAGE_DEAD,
    PAGE_DUPLICATE,
    PAGE_QUARANTINED,
    PAGE_WITHDRAWN,
    PAGE_STATES
};

const char *page_state_name(enum page_state state);
bool page_may_move(enum page_state from, enum page_state to);

/* Asserts that the move is allowed, and makes it. */
void page_move(uint8_t *state, enum page_state to);

#endif
