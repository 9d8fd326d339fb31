/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The generator and the draws made from it. */
#include "bench/chance.h"

#include <assert.h>

static uint64_t chance_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t chance_next(struct chance *chance)
{
    chance->state += 0x9e3779b97f4a7c15u;
    return chance_mix(chance->state);
}

struct chance chance_branch(uint64_t seed, uint64_t branch)
{
    return (struct chance){chance_mix(chance_mix(seed + 0x9e3779b97f4a7c15u) ^ (branch * 0xd1342543de82ef95u))};
}

uint32_t chance_below(struct chance *chance, uint32_t n)
{
    assert(n > 0);
    return (uint32_t)(((chance_next(chance) >> 32) * n) >> 32);
}

int chance_between(struct chance *chance, int least, int most)
{
    assert(least <= most);
    return least + (int)chance_below(chance, (uint32_t)(most - least) + 1);
}

double chance_real(struct chance *chance, double least, double most)
{
    return least + (most - least) * (double)(chance_next(chance) >> 11) * 0x1p-53;
}

bool chance_percent(struct chance *chance, double percent)
{
    return chance_real(chance, 0, 100) < percent;
}

unsigned chance_weighed(struct chance *chance, const unsigned *weights)
{
    uint32_t sum = 0;
    for (unsigned i = 0; weights[i]; i++)
        sum += weights[i];
    uint32_t draw = chance_below(chance, sum);
    unsigned i = 0;
    while (draw >= weights[i])
        draw -= weights[i++];
    return i;
}
