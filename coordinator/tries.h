/* SPDX-License-Identifier: AGPL-3.0-or-later
 * How often something was tried under a name: so many times in TRIES_WINDOW_MS, then it has to wait. Pure: the clock is the
 * caller's. */
#ifndef SOHOA_TRIES_H
#define SOHOA_TRIES_H

#include <stdint.h>

enum {
    TRIES_KEYS = 1024, /* names that are known at once; beyond, the oldest is forgotten */
    TRIES_KEY_BYTES = 160,
    TRIES_WINDOW_MS = 60000,
};

struct tries;

struct tries *tries_new(void);
void tries_destroy(struct tries **tries);

/* One more try under the key. Returns 0: it may be; or for how many ms not, when there were most of them already. */
uint64_t tries_take(struct tries *tries, const char *key, uint32_t most, uint64_t now_ms);
/* The last try was none. */
void tries_give_back(struct tries *tries, const char *key);
void tries_forget(struct tries *tries, const char *key);

#endif
