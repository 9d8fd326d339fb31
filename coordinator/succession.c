/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/succession.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/gazetteer.h"

static struct succession *decided(const struct account *account, const char *unit, const char *of)
{
    for (uint32_t i = 0; i < account->successions; i++)
        if (!strcmp(account->succession[i].unit, unit) && !strcmp(account->succession[i].of, of))
            return &account->succession[i];
    return NULL;
}

static struct succession succession_of(const struct place *old, size_t which)
{
    struct succession succession = {.since = PLACES_MERGED_ON};
    memcpy(succession.unit, old->successor[which], sizeof succession.unit);
    memcpy(succession.of, old->unit, sizeof succession.of);
    return succession;
}

size_t successions_proposed(const struct account *account, struct succession *proposed)
{
    size_t count = 0;
    for (uint32_t i = 0; i < account->units; i++) {
        const struct place *old = place_find(account->unit[i]);
        for (size_t j = 0; old && j < old->successors && count < ACCOUNT_SUCCESSIONS_MAX; j++)
            if (!account_covers(account, old->successor[j]) && !decided(account, old->successor[j], old->unit))
                proposed[count++] = succession_of(old, j);
    }
    return count;
}

static int succession_set(struct account *account, const struct succession *succession, struct err *err)
{
    struct succession *there = decided(account, succession->unit, succession->of);
    if (!there)
        return account_add_succession(account, succession, err);
    *there = *succession;
    return 0;
}

int succession_decide(struct account *account, const char *unit, bool declined, uint64_t now_ms, struct err *err)
{
    bool found = false;
    int rc = 0;
    for (uint32_t i = 0; i < account->units && !rc; i++) {
        const struct place *old = place_find(account->unit[i]);
        for (size_t j = 0; old && j < old->successors && !rc; j++) {
            struct succession succession = succession_of(old, j);
            succession.decided_ms = now_ms;
            succession.declined = declined;
            if (strcmp(succession.unit, unit))
                continue;
            found = true;
            rc = succession_set(account, &succession, err);
        }
    }
    if (!rc && !found)
        rc = err_set(err, E_USAGE, "%.40s took over nothing of the units that '%s' is bound to", unit, account->name);
    return rc;
}

static bool is_of(const struct account *account, const char *unit)
{
    uint32_t i = 0;
    while (i < account->units && strcmp(account->unit[i], unit))
        i++;
    return i < account->units;
}

void successions_prune(struct account *account)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < account->successions; i++)
        if (is_of(account, account->succession[i].of))
            account->succession[kept++] = account->succession[i];
    account->successions = kept;
}
