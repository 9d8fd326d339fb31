/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Redis as progress.h shows it: an epoch, bitmaps of stored pages and the known workers. It may lose all of it, come
 * back as it was a while ago, or not answer for a while. */
#ifndef SOHOA_SIM_REDIS_H
#define SOHOA_SIM_REDIS_H

#include <stdbool.h>
#include <stdint.h>

void redis_reset(void);
void redis_fail(void); /* one or the other happens to it */
bool redis_stored(uint32_t batch, uint64_t ordinal);

#endif
