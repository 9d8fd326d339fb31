/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A random sample of documents that anyone can draw again who knows its seed. Pure. */
#ifndef SOHOA_SAMPLE_H
#define SOHOA_SAMPLE_H

#include <stdint.h>

enum { SAMPLE_POOL_MAX = 2 << 20 }; /* documents that one is drawn of: it takes a second or two */

/* Of count documents percent in a hundred, rounded up, into the same place, ascending; returns how many. Of each document SHA-256 is taken
 * over the seed (8 bytes, the highest first) and its number (4 bytes, likewise): those with the smallest first 8 bytes are in it; of two with the same ones, that with the smaller number. */
uint32_t sample_draw(uint32_t *docs, uint32_t count, uint32_t percent, uint64_t seed);

#endif
