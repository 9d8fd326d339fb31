/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The first reading finds the entries, the second one tells all leaves to their proofs. */
#include "storage/ledger_proof.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/ledger_record.h"
#include "storage/ledger_search.h"
#include "storage/merkle.h"

struct proving {
    const char *batch;
    uint32_t doc;
    uint64_t size, told;
    const atomic_bool *stop;
    struct ledger_proof *proof;
    struct merkle_proof *path; /* of each entry */
};

static void proven_clear(struct ledger_proven *proven)
{
    buf_destroy(&proven->packed);
    free(proven->path);
    *proven = (struct ledger_proven){0};
}

void ledger_proof_destroy(struct ledger_proof *proof)
{
    for (size_t i = 0; i < proof->count; i++)
        proven_clear(&proof->entry[i]);
    proof->count = 0;
}

static void entry_keep(struct ledger_proof *proof, uint64_t index, const void *entry, size_t bytes)
{
    if (proof->count == LEDGER_PROOF_ENTRIES) {
        proven_clear(&proof->entry[0]);
        memmove(&proof->entry[0], &proof->entry[1], sizeof proof->entry - sizeof proof->entry[0]);
        proof->count--;
    }
    proof->entry[proof->count] = (struct ledger_proven){.index = index};
    buf_append(&proof->entry[proof->count++].packed, entry, bytes);
}

static int entry_look(const struct record_head *head, const void *entry, size_t bytes, void *user)
{
    struct proving *proving = user;
    if (head->kind == SOHOA__LEDGER_ENTRY__BODY_OUTCOME &&
        memmem(head->body, head->body_bytes, proving->batch, strlen(proving->batch))) {
        Sohoa__LedgerEntry *read = sohoa__ledger_entry__unpack(NULL, bytes, entry);
        if (read && ledger_concerns(read, proving->batch, proving->doc))
            entry_keep(proving->proof, head->number - 1, entry, bytes);
        if (read)
            sohoa__ledger_entry__free_unpacked(read, NULL);
    }
    return ++proving->told == proving->size || atomic_load(proving->stop);
}

static int leaf_tell(const struct record_head *head, const void *entry, size_t bytes, void *user)
{
    struct proving *proving = user;
    uint8_t leaf[SHA256_BYTES];
    (void)head;
    merkle_leaf(&proving->path[0].tree, entry, bytes, leaf);
    for (size_t i = 0; i < proving->proof->count; i++)
        merkle_proof_tell(&proving->path[i], leaf);
    return ++proving->told == proving->size || atomic_load(proving->stop);
}

static int stopped(struct err *err)
{
    return err_set(err, E_STATE, "the proof was stopped");
}

static void path_take(struct merkle_proof *from, struct ledger_proven *into)
{
    into->path_count = from->count;
    into->path = calloc(from->count + 1, sizeof *into->path);
    if (!into->path)
        abort();
    for (size_t i = 0; i < from->count; i++)
        memcpy(into->path[i], from->part[i].root, SHA256_BYTES);
    merkle_proof_destroy(from);
}

static int paths_find(struct store *store, struct proving *proving, struct err *err)
{
    struct ledger_proof *proof = proving->proof;
    AUTO(mem_destroy) struct merkle_proof *path = calloc(proof->count, sizeof *path);
    if (!path)
        return err_set(err, E_NOMEM, "no memory for a proof");
    for (size_t i = 0; i < proof->count; i++)
        merkle_proof_init(&path[i], proof->entry[i].index, proving->size);
    proving->path = path;
    proving->told = 0;
    int rc = ledger_read_packed(store, leaf_tell, proving, err);
    for (size_t i = 0; i < proof->count; i++)
        path_take(&path[i], &proof->entry[i]);
    if (!rc && proving->told < proving->size)
        rc = stopped(err);
    return rc;
}

int ledger_prove(struct store *store, uint64_t size, const char *batch, uint32_t doc, const atomic_bool *stop,
                 struct ledger_proof *ret_proof, struct err *err)
{
    struct ledger_proof proof = {.count = 0};
    struct proving proving = {.batch = batch, .doc = doc, .size = size, .stop = stop, .proof = &proof};
    int rc = size ? ledger_read_packed(store, entry_look, &proving, err) : 0;
    if (!rc && atomic_load(stop))
        rc = stopped(err);
    if (!rc && proving.told < size)
        rc = err_set(err, E_CORRUPT, "the ledger has fewer entries than its checkpoint says");
    if (!rc && !proof.count)
        rc = err_set(err, E_ABSENT, "the ledger has no outcome of document %u of batch %s yet", doc, batch);
    if (!rc)
        rc = paths_find(store, &proving, err);
    if (rc)
        ledger_proof_destroy(&proof);
    else
        *ret_proof = proof;
    return rc;
}
