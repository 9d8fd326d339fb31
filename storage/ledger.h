/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ledger: what was decided, by whom or by what, append-only. Segments ledger/00000001, ... are created exclusively
 * by whoever opens the ledger for writing, when one is full, and after a failed append. A segment is a row of records:
 *
 *     u32 length of the body, u32 CRC-32C of the body, both little-endian; body: a packed LedgerEntry
 *
 * Entries are numbered 1, 2, 3 ... over all segments. A reader takes an entry once that comes again with the same body
 * (an append that seemed to fail). The end of any segment may be torn (a crash, or a failed append) as long as the
 * numbers go on without a gap. Each entry says the SHA-256 of the packed entry before it; entries from before ledgers had that say
 * nothing, and are accepted where none that does comes before. Everything else is E_CORRUPT, which names segment and offset. */
#ifndef SOHOA_LEDGER_H
#define SOHOA_LEDGER_H

#include "proto/sohoa.pb-c.h"
#include "storage/checkpoint.h"
#include "storage/store.h"

enum {
    LEDGER_SEGMENT_BYTES = 16 << 20,
    LEDGER_APPEND_BYTES = 4 << 20,
    LEDGER_ENTRY_BYTES = LEDGER_APPEND_BYTES - 8, /* one packed entry */
};

struct ledger;

/* Reads all segments in order and calls each for every entry (borrowed during the call); each returns 0 or an error,
 * which ends the replay. Then opens a new segment for writing. The store must be locked by the caller. Errors: E_STORE,
 * E_FENCED, E_LIMIT (no segment number is left), E_CORRUPT: also when the ledger is not what a checkpoint (signed_by_us, NULL: none)
 * says that it was, or ends before. */
int ledger_open(struct store *store, const struct checkpoints *signed_by_us,
                int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err), void *user,
                struct ledger **ret_ledger, struct err *err);
void ledger_destroy(struct ledger **ledger);

/* The same reading, without writing or needing the lock: for tools. */
int ledger_read(struct store *store, int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err),
                void *user, struct err *err);

/* Gives entry its number, time, epoch and the hash of the one before, and queues it (packed: entry is borrowed for the call). Asserts that it is
 * within LEDGER_ENTRY_BYTES. */
void ledger_add(struct ledger *ledger, Sohoa__LedgerEntry *entry);

/* The same of an entry that is packed already, but for those four. */
void ledger_add_packed(struct ledger *ledger, const void *entry, size_t bytes);

/* Makes everything queued durable, in one append or a few. On failure what was queued stays queued, and a repeated
 * commit makes it read once. Errors: E_STORE, E_LIMIT; E_FENCED: for good. */
int ledger_commit(struct ledger *ledger, struct err *err);

uint64_t ledger_next(const struct ledger *ledger); /* the number that the next entry will get */

/* The root of the Merkle tree of all entries (checkpoint.h). False: some of them are not known to be durable. */
bool ledger_root(const struct ledger *ledger, uint64_t *ret_size, uint8_t root[SHA256_BYTES]);

#endif
