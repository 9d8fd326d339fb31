/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Reproducible chance: one 64-bit state (SplitMix64: Steele, Lea, Flood, OOPSLA 2014). The same seed gives the same draws
 * on every machine; nothing here knows the clock, the process or libc's rand(). Never draw twice in the arguments of one
 * call or in one initialiser: compilers differ in the order. */
#ifndef SOHOA_BENCH_CHANCE_H
#define SOHOA_BENCH_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

/* A stream of its own for each (seed, branch): what one branch draws does not move another. */
struct chance chance_branch(uint64_t seed, uint64_t branch);

uint64_t chance_next(struct chance *chance);
uint32_t chance_below(struct chance *chance, uint32_t n);             /* 0..n-1; n > 0 */
int chance_between(struct chance *chance, int least, int most);       /* both included */
double chance_real(struct chance *chance, double least, double most); /* least <= x < most */
bool chance_percent(struct chance *chance, double percent);           /* true in percent of 100 draws */

/* Draws an index by weight; the weights end with a 0 and their sum is positive. */
unsigned chance_weighed(struct chance *chance, const unsigned *weights);

#define CHANCE_PICK(chance, list) ((list)[chance_below((chance), sizeof(list) / sizeof((list)[0]))])

#endif
