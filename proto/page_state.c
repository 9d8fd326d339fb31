/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/page_state.h"

#include <assert.h>

#define TO(state) (1u << PAGE_##state)

static const struct {
    const char *name;
    unsigned next;
} page_rule[PAGE_STATES] = {
    [PAGE_QUEUED] = {"queued",      TO(LEASED) | TO(DUPLICATE) | TO(QUARANTINED) | TO(WITHDRAWN)        },
    [PAGE_LEASED] = {"leased",      TO(STORED) | TO(QUEUED) | TO(DEAD) | TO(QUARANTINED) | TO(WITHDRAWN)},
    [PAGE_STORED] = {"stored",      TO(QUARANTINED)                                                     },
    [PAGE_DEAD] = {"dead",        TO(QUEUED) | TO(QUARANTINED)                                        },
    [PAGE_DUPLICATE] = {"duplicate",   TO(QUEUED) | TO(QUARANTINED)                                        },
    [PAGE_QUARANTINED] = {"quarantined", TO(QUEUED)                                                          },
    [PAGE_WITHDRAWN] = {"withdrawn",   0                                                                   },
};

const char *page_state_name(enum page_state state)
{
    return state < PAGE_STATES ? page_rule[state].name : "?";
}

bool page_may_move(enum page_state from, enum page_state to)
{
    return from < PAGE_STATES && to < PAGE_STATES && (page_rule[from].next & 1u << to);
}

void page_move(uint8_t *state, enum page_state to)
{
    assert(page_may_move(*state, to));
    *state = (uint8_t)to;
}
