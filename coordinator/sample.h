/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A random sample of documents that anyone can draw again who knows its seed. Pure. */
#ifndef SOHOA_SAMPLE_H
#define SOHOA_SAMPLE_H

#include <stdint.h>

/* Of count documents percent in a hundred, rounded up, into the same place, ascending; returns how many. Of each document SHA-256 is taken
 * over the seed (8 bytes, the highest first) and its number (4 bytes, likewise): those with the smallest hashes are in it. */
uint32_t sample_draw(uint32_t *docs, uint32_t count, uint32_t percent, uint64_t seed);

#endif
