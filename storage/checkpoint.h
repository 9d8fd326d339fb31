/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Checkpoints of the ledger: what its Merkle tree was at some size, signed. The form is C2SP's tlog-checkpoint, a signed note:
 *
 *     sohoa-ledger/<16 hexadecimal digits: the key's fingerprint>
 *     <entries>
 *     <root, base64>
 *     time <UTC, as 2026-01-31T23:59:59Z>
 *     after <entries of the checkpoint written before; 0: the first>
 *
 *     — sohoa-ledger/<as above> <base64 of the key's number (4 bytes) and the Ed25519 signature of the lines above the empty one>
 *
 * They are the store's blobs ledger/checkpoint-<entries, 12 digits>, and worth most when copies are kept elsewhere. */
#ifndef SOHOA_CHECKPOINT_H
#define SOHOA_CHECKPOINT_H

#include "proto/sha256.h"
#include "storage/name.h"
#include "storage/signing.h"
#include "storage/store.h"

enum {
    CHECKPOINT_BYTES = 1024,        /* a note */
    CHECKPOINT_ORIGIN_BYTES = 32,   /* with the 0 */
    CHECKPOINT_TIME_BYTES = 24,     /* likewise */
    CHECKPOINT_SIZE_MAX_DIGITS = 12 /* of entries */
};

struct checkpoint {
    uint64_t size, after;
    uint8_t root[SHA256_BYTES];
    char time[CHECKPOINT_TIME_BYTES];
};

const char *checkpoint_name(struct name *name, uint64_t size);
const char *checkpoint_origin(const uint8_t public[SIGNING_PUBLIC_BYTES], char origin[CHECKPOINT_ORIGIN_BYTES]);

/* How standard tools want the public key: <origin>+<number>+<base64 of 1 and the key>; appended to *text. */
void checkpoint_vkey(const uint8_t public[SIGNING_PUBLIC_BYTES], struct buf *text);

/* Signs one and stores it (guarded); one of that many entries that is there already stays. Its time is the clock's. Errors: E_STORE,
 * E_FENCED. */
int checkpoint_put(struct store *store, const struct signing_key *key, uint64_t size, const uint8_t root[SHA256_BYTES],
                   uint64_t after, struct err *err);

/* What the note says, whoever signed it. Errors: E_CORRUPT. */
int checkpoint_read(const struct buf *note, struct checkpoint *ret_checkpoint, struct err *err);

enum checkpoint_signer { SIGNED_BY_KEY, SIGNED_BY_OTHERS, SIGNED_FALSELY };
enum checkpoint_signer checkpoint_signer(const struct buf *note, const uint8_t public[SIGNING_PUBLIC_BYTES]);

/* The sizes (uint64_t) of those in the store, ascending. Errors: E_STORE. */
int checkpoints_find(struct store *store, struct buf *sizes, struct err *err);

/* A row of them, ascending by size. */
struct checkpoints {
    struct checkpoint *at;
    size_t count;
};

/* The last most that the key signed; what can't be read or is of others is passed over. Errors: E_STORE. */
int checkpoints_load(struct store *store, const uint8_t public[SIGNING_PUBLIC_BYTES], size_t most,
                     struct checkpoints *ret_checkpoints, struct err *err);
void checkpoints_destroy(struct checkpoints *checkpoints);

#endif
