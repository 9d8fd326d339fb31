/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/hold.h"

static bool is_of(const struct hold *hold, struct doc_ref ref)
{
    return hold->by && hold->ref.batch == ref.batch && hold->ref.doc == ref.doc;
}

void hold_take(struct holds *holds, struct doc_ref ref, const struct account *by, uint64_t now_ms)
{
    uint32_t to = 0;
    for (uint32_t i = 0; i < HOLDS_MAX; i++) {
        if (is_of(&holds->at[i], ref)) {
            to = i;
            break;
        }
        if (holds->at[i].until_ms < holds->at[to].until_ms)
            to = i;
    }
    holds->at[to] = (struct hold){ref, by, now_ms + HOLD_MS};
}

bool hold_other(const struct holds *holds, struct doc_ref ref, const struct account *by, uint64_t now_ms)
{
    for (uint32_t i = 0; i < HOLDS_MAX; i++)
        if (is_of(&holds->at[i], ref))
            return holds->at[i].by != by && holds->at[i].until_ms > now_ms;
    return false;
}
