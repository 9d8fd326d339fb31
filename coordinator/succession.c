/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/succession.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/day.h"
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
    struct succession succession = {.unit = ""};
    const struct place *successor = old->successor[which].place;
    day_date(day_start_ms(successor->from_day), succession.since);
    memcpy(succession.unit, successor->unit, sizeof succession.unit);
    memcpy(succession.of, old->unit, sizeof succession.of);
    return succession;
}

static bool is_named(const struct account *account, const char *unit)
{
    uint32_t i = 0;
    while (i < account->units && strcmp(account->unit[i], unit))
        i++;
    return i < account->units;
}

static bool is_confirmed(const struct account *account, uint32_t successions, const char *unit)
{
    for (uint32_t i = 0; i < successions; i++)
        if (!account->succession[i].declined && !strcmp(account->succession[i].unit, unit))
            return true;
    return false;
}

/* The units that the account is bound to: those that are named, and then those that its rights went with, each once. NULL stands for others,
 * and for what nobody knows (any more). False: there are no more. */
static bool bound_at(const struct account *account, uint32_t index, const struct place **ret_place)
{
    const char *unit;
    if (index >= account->units + account->successions)
        return false;
    *ret_place = NULL;
    if (index < account->units) {
        *ret_place = place_find(account->unit[index]);
        return true;
    }
    index -= account->units;
    unit = account->succession[index].unit;
    if (!account->succession[index].declined && !is_named(account, unit) && !is_confirmed(account, index, unit))
        *ret_place = place_find(unit);
    return true;
}

size_t successions_proposed(const struct account *account, struct succession *proposed)
{
    const struct place *old;
    size_t count = 0;
    for (uint32_t i = 0; bound_at(account, i, &old); i++)
        for (size_t j = 0; old && j < old->successors && count < ACCOUNT_SUCCESSIONS_MAX; j++) {
            const char *unit = old->successor[j].place->unit;
            if (!account_covers(account, unit) && !decided(account, unit, old->unit))
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
    const struct place *old;
    bool found = false;
    int rc = 0;
    for (uint32_t i = 0; bound_at(account, i, &old) && !rc; i++) {
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
    if (!rc)
        successions_prune(account);
    return rc;
}

/* One may be of another that is forgotten only now. */
void successions_prune(struct account *account)
{
    uint32_t before;
    do {
        uint32_t kept = 0;
        before = account->successions;
        for (uint32_t i = 0; i < before; i++) {
            const char *of = account->succession[i].of;
            if (is_named(account, of) || is_confirmed(account, before, of))
                account->succession[kept++] = account->succession[i];
        }
        account->successions = kept;
    } while (account->successions < before);
}
