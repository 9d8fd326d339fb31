/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/chain.h"

#include <string.h>

void chain_init(struct chain *chain)
{
    *chain = (struct chain){0};
    merkle_init(&chain->tree);
}

void chain_destroy(struct chain *chain)
{
    merkle_destroy(&chain->tree);
}

const char *chain_check(const struct chain *chain, const void *before, size_t bytes)
{
    if (!bytes)
        return chain->from ? "does not say which entry it follows" : NULL;
    if (bytes != SHA256_BYTES || !chain->tree.size)
        return "says that it follows what no entry can be";
    return memcmp(before, chain->last, SHA256_BYTES) ? "follows another entry than the one before it" : NULL;
}

void chain_add(struct chain *chain, const void *entry, size_t bytes, bool says_before)
{
    uint8_t leaf[SHA256_BYTES];
    struct sha256 *hash = chain->tree.hash;
    if (says_before && !chain->from)
        chain->from = chain->tree.size;
    sha256_restart(hash);
    sha256_update(hash, entry, bytes);
    sha256_final(hash, chain->last);
    merkle_leaf(&chain->tree, entry, bytes, leaf);
    merkle_append(&chain->tree, leaf);
}
