/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Appending a leaf is adding 1 to size in binary: each carry joins two subtrees of the same depth. */
#include "storage/merkle.h"

#include <assert.h>
#include <string.h>

static const uint8_t leaf_tag[] = {0x00}, node_tag[] = {0x01};

void merkle_init(struct merkle *tree)
{
    *tree = (struct merkle){.hash = sha256_new()};
}

void merkle_destroy(struct merkle *tree)
{
    sha256_destroy(&tree->hash);
}

void merkle_leaf(const struct merkle *tree, const void *record, size_t bytes, uint8_t leaf[SHA256_BYTES])
{
    sha256_restart(tree->hash);
    sha256_update(tree->hash, leaf_tag, sizeof leaf_tag);
    sha256_update(tree->hash, record, bytes);
    sha256_final(tree->hash, leaf);
}

/* node may be left or right. */
static void join(struct sha256 *hash, const uint8_t left[SHA256_BYTES], const uint8_t right[SHA256_BYTES],
                 uint8_t node[SHA256_BYTES])
{
    sha256_restart(hash);
    sha256_update(hash, node_tag, sizeof node_tag);
    sha256_update(hash, left, SHA256_BYTES);
    sha256_update(hash, right, SHA256_BYTES);
    sha256_final(hash, node);
}

void merkle_append(struct merkle *tree, const uint8_t leaf[SHA256_BYTES])
{
    uint8_t node[SHA256_BYTES];
    size_t depth = 0;
    memcpy(node, leaf, sizeof node);
    for (; tree->size >> depth & 1; depth++)
        join(tree->hash, tree->node[depth], node, node);
    memcpy(tree->node[depth], node, sizeof node);
    tree->size++;
}

void merkle_root(const struct merkle *tree, uint8_t root[SHA256_BYTES])
{
    size_t depth = 0;
    if (!tree->size) {
        sha256_of("", 0, root);
        return;
    }
    while (!(tree->size >> depth & 1))
        depth++;
    memcpy(root, tree->node[depth], SHA256_BYTES);
    while (++depth < MERKLE_DEPTH)
        if (tree->size >> depth & 1)
            join(tree->hash, tree->node[depth], root, root);
}

/* ---- proofs ---- */

/* The largest power of two below size, which is above 1. */
static uint64_t split(uint64_t size)
{
    uint64_t left = 1;
    while (left < size - left)
        left *= 2;
    return left;
}

static void part_add(struct merkle_proof *proof, uint64_t first, uint64_t end)
{
    assert(proof->count < MERKLE_DEPTH);
    proof->part[proof->count].first = first;
    proof->part[proof->count++].end = end;
}

/* They come from the root down, and a proof lists them from the leaf up. */
static void parts_turn(struct merkle_proof *proof)
{
    for (size_t i = 0; i < proof->count / 2; i++) {
        uint64_t first = proof->part[i].first, end = proof->part[i].end;
        size_t other = proof->count - 1 - i;
        proof->part[i].first = proof->part[other].first;
        proof->part[i].end = proof->part[other].end;
        proof->part[other].first = first;
        proof->part[other].end = end;
    }
}

void merkle_proof_init(struct merkle_proof *proof, uint64_t index, uint64_t size)
{
    uint64_t first = 0, end = size;
    assert(index < size);
    *proof = (struct merkle_proof){0};
    merkle_init(&proof->tree);
    while (end - first > 1) {
        uint64_t middle = first + split(end - first);
        if (index < middle) {
            part_add(proof, middle, end);
            end = middle;
        } else {
            part_add(proof, first, middle);
            first = middle;
        }
    }
    parts_turn(proof);
}

void merkle_consistency_init(struct merkle_proof *proof, uint64_t before, uint64_t size)
{
    uint64_t first = 0, end = size;
    assert(before && before <= size);
    *proof = (struct merkle_proof){0};
    merkle_init(&proof->tree);
    while (before != end) {
        uint64_t middle = first + split(end - first);
        if (before <= middle) {
            part_add(proof, middle, end);
            end = middle;
        } else {
            part_add(proof, first, middle);
            first = middle;
        }
    }
    if (first) /* the whole old tree is known to who asks */
        part_add(proof, first, end);
    parts_turn(proof);
}

void merkle_proof_destroy(struct merkle_proof *proof)
{
    merkle_destroy(&proof->tree);
}

void merkle_proof_tell(struct merkle_proof *proof, const uint8_t leaf[SHA256_BYTES])
{
    uint64_t index = proof->told++;
    size_t i = 0;
    while (i < proof->count && (index < proof->part[i].first || index >= proof->part[i].end))
        i++;
    if (i == proof->count)
        return;
    if (index == proof->part[i].first)
        proof->tree.size = 0;
    merkle_append(&proof->tree, leaf);
    if (index + 1 == proof->part[i].end)
        merkle_root(&proof->tree, proof->part[i].root);
}
