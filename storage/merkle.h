/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The Merkle tree of RFC 9162, 2.1, over a log of records: a leaf is SHA-256(0x00 || record), a node SHA-256(0x01 || left || right).
 * Pure, and in memory that grows with the depth only: leaves are told one after the other. */
#ifndef SOHOA_MERKLE_H
#define SOHOA_MERKLE_H

#include "proto/sha256.h"

enum { MERKLE_DEPTH = 64 }; /* a tree of 2^63 leaves, and the longest proof */

/* The whole subtrees, from the left, that the leaves so far make: that of 2^k leaves is there when bit k of size is set. */
struct merkle {
    uint64_t size;
    struct sha256 *hash;
    uint8_t node[MERKLE_DEPTH][SHA256_BYTES];
};

void merkle_init(struct merkle *tree);
void merkle_destroy(struct merkle *tree); /* one of zeros, too */
void merkle_leaf(const struct merkle *tree, const void *record, size_t bytes, uint8_t leaf[SHA256_BYTES]);
void merkle_append(struct merkle *tree, const uint8_t leaf[SHA256_BYTES]);
void merkle_root(const struct merkle *tree, uint8_t root[SHA256_BYTES]); /* of no leaves: SHA-256 of nothing */

/* What a proof is made of: roots of ranges of leaves, in the order in which RFC 9162 lists them. */
struct merkle_proof {
    uint64_t told; /* leaves so far */
    size_t count;
    struct {
        uint64_t first, end;
        uint8_t root[SHA256_BYTES];
    } part[MERKLE_DEPTH];
    struct merkle tree; /* of the range that is being told */
};

/* That leaf index (0-based, < size) is in the tree of size leaves (2.1.3.1). merkle_proof_tell() of all its leaves in their order fills it in. */
void merkle_proof_init(struct merkle_proof *proof, uint64_t index, uint64_t size);
void merkle_proof_destroy(struct merkle_proof *proof); /* one of zeros, too */
void merkle_proof_tell(struct merkle_proof *proof, const uint8_t leaf[SHA256_BYTES]);

/* That the tree of size leaves begins with that of before (1 to size) leaves (2.1.4.1); told in the same way. */
void merkle_consistency_init(struct merkle_proof *proof, uint64_t before, uint64_t size);

#endif
