/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which documents somebody is looking at, so that the next one who asks gets others first. A hint, in memory alone: it ends by itself, and
 * forbids nothing. Pure. */
#ifndef SOHOA_HOLD_H
#define SOHOA_HOLD_H

#include "coordinator/account.h"

enum { HOLDS_MAX = 1024, HOLD_MS = 3 * 60 * 1000 };

struct holds { /* zero-initialised: none */
    struct hold {
        struct doc_ref ref;
        const struct account *by; /* NULL: none */
        uint64_t until_ms;
    } at[HOLDS_MAX];
};

/* In the place of whoever had it; of HOLDS_MAX others the one that ends first goes. */
void hold_take(struct holds *holds, struct doc_ref ref, const struct account *by, uint64_t now_ms);
bool hold_other(const struct holds *holds, struct doc_ref ref, const struct account *by, uint64_t now_ms); /* not by */

#endif
