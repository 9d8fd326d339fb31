/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/tries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tried {
    char key[TRIES_KEY_BYTES]; /* "": free */
    uint64_t since_ms;
    uint32_t count;
};

struct tries {
    struct tried at[TRIES_KEYS];
};

struct tries *tries_new(void)
{
    struct tries *tries = calloc(1, sizeof *tries);
    if (!tries)
        abort();
    return tries;
}

void tries_destroy(struct tries **tries)
{
    free(*tries);
    *tries = NULL;
}

static struct tried *tried_find(struct tries *tries, const char *key)
{
    for (size_t i = 0; i < TRIES_KEYS; i++)
        if (!strncmp(tries->at[i].key, key, TRIES_KEY_BYTES - 1))
            return &tries->at[i];
    return NULL;
}

/* In the place of a free or of the oldest one. */
static struct tried *tried_new(struct tries *tries, const char *key, uint64_t now_ms)
{
    struct tried *oldest = &tries->at[0];
    for (size_t i = 1; i < TRIES_KEYS && *oldest->key; i++)
        if (!*tries->at[i].key || tries->at[i].since_ms < oldest->since_ms)
            oldest = &tries->at[i];
    *oldest = (struct tried){.since_ms = now_ms};
    snprintf(oldest->key, sizeof oldest->key, "%s", key);
    return oldest;
}

uint64_t tries_take(struct tries *tries, const char *key, uint32_t most, uint64_t now_ms)
{
    struct tried *tried = tried_find(tries, key);
    if (!tried)
        tried = tried_new(tries, key, now_ms);
    if (now_ms - tried->since_ms >= TRIES_WINDOW_MS) {
        tried->since_ms = now_ms;
        tried->count = 0;
    }
    if (tried->count >= most)
        return tried->since_ms + TRIES_WINDOW_MS - now_ms;
    tried->count++;
    return 0;
}

void tries_give_back(struct tries *tries, const char *key)
{
    struct tried *tried = tried_find(tries, key);
    if (tried && tried->count)
        tried->count--;
}

void tries_forget(struct tries *tries, const char *key)
{
    struct tried *tried = tried_find(tries, key);
    if (tried)
        *tried = (struct tried){0};
}
