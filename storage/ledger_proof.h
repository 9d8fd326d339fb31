/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What proves to somebody who has no access to the store, and does not trust who has, what became of a document: its outcome entries as
 * they are stored, each with the path of hashes (RFC 9162, 2.1.3) that leads to the root of a signed checkpoint. */
#ifndef SOHOA_LEDGER_PROOF_H
#define SOHOA_LEDGER_PROOF_H

#include <stdatomic.h>

#include "storage/checkpoint.h"

enum { LEDGER_PROOF_ENTRIES = 32 }; /* outcomes of a document: the last so many */

struct ledger_proven {
    uint64_t index; /* 0-based, in the tree */
    struct buf packed;
    size_t path_count;
    uint8_t (*path)[SHA256_BYTES]; /* from the leaf up */
};

struct ledger_proof {
    struct ledger_proven entry[LEDGER_PROOF_ENTRIES];
    size_t count;
};

/* Of the first size entries, which must be there; reads them twice, unless *stop becomes true meanwhile (E_STATE). Errors: E_ABSENT: none is an outcome of the document; E_CORRUPT,
 * E_STORE. */
int ledger_prove(struct store *store, uint64_t size, const char *batch, uint32_t doc, const atomic_bool *stop,
                 struct ledger_proof *ret_proof, struct err *err);
void ledger_proof_destroy(struct ledger_proof *proof);

#endif
