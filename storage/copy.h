/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One blob from a store to another, hashed on the way, in bounded memory. The store that it comes from is only read. */
#ifndef SOHOA_COPY_H
#define SOHOA_COPY_H

#include "storage/inventory.h"

/* The hash of what the store has there; of src/<sha256> it must be what the name says. Errors: E_ABSENT, E_STORE, E_CORRUPT. */
int blob_hash(struct store *store, const char *name, enum inventory_kind kind, struct blob_hash *ret_hash,
              struct err *err);

struct copy {
    struct store *from, *to; /* to is locked */
    const char *name;
    enum inventory_kind kind;
    const struct blob_hash *there; /* what `to` is known to have: the same is not written again; NULL: nothing */
    const struct blob_hash
        *wanted;    /* E_CORRUPT if `from` has anything else, and nothing is written; NULL: what it has is right */
    bool look;      /* what `to` has is not known: what is the same there is not written again */
    bool read_back; /* E_CORRUPT if it is not what was written */
};

/* *ret_hash: what `to` has then; *ret_written: more than was there. The ledger's segments are not copied here: backup_ledger.c. Errors: E_ABSENT,
 * E_STORE, E_CORRUPT, E_FENCED, E_IO. */
int blob_copy(const struct copy *copy, struct blob_hash *ret_hash, bool *ret_written, struct err *err);

/* Makes data the state blob of that name in copy->to, as blob_copy() would. */
int blob_put(const struct copy *copy, const struct buf *data, struct blob_hash *ret_hash, bool *ret_written,
             struct err *err);

bool blob_same(const struct blob_hash *a, const struct blob_hash *b);

#endif
