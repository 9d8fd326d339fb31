/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What makes the ledger provable: each entry says the SHA-256 of the one before, and all are leaves of a Merkle tree. */
#ifndef SOHOA_CHAIN_H
#define SOHOA_CHAIN_H

#include "storage/merkle.h"

struct chain {
    struct merkle tree;         /* its leaves are the packed entries so far */
    uint8_t last[SHA256_BYTES]; /* SHA-256 of the last of them */
    uint64_t from;              /* from this entry on a change is seen by the entry after it; 0: of none */
};

void chain_init(struct chain *chain);
void chain_destroy(struct chain *chain); /* one of zeros, too */

/* Whether an entry that says before may come next; NULL, or what is wrong. Entries from before there was a chain say nothing, and
 * none of them follows one that does. */
const char *chain_check(const struct chain *chain, const void *before, size_t bytes);

void chain_add(struct chain *chain, const void *entry, size_t bytes, bool says_before);

#endif
