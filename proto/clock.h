/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Clock values in milliseconds. The scheduler gets them as arguments and never calls these. */
#ifndef SOHOA_CLOCK_H
#define SOHOA_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* For durations and deadlines within one process. */
static inline uint64_t clock_mono_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

/* For people and ledgers: since 1970, UTC. */
static inline uint64_t clock_wall_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

#endif
