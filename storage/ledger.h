/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ledger: what was decided, by whom or by what, append-only. Segments ledger/00000001, ... are created exclusively
 * (the loser is fenced) by whoever opens the ledger for writing, and when one is full. A segment is a row of records:
 * u32 little-endian length, u32 CRC-32C of the body, body (packed LedgerEntry). A torn tail of the last segment (a crash in the middle of an
 * append) is ignored on reading; a torn or damaged record anywhere else is E_CORRUPT. */
#ifndef SOHOA_LEDGER_H
#define SOHOA_LEDGER_H

#include "proto/sohoa.pb-c.h"
#include "storage/store.h"

enum { LEDGER_SEGMENT_BYTES = 16 << 20, LEDGER_APPEND_BYTES = 4 << 20 };

struct ledger;

/* Reads all segments in order and calls each for every entry (borrowed during the call); each returns 0 or an error, which
 * ends the replay. Then opens a new segment for writing. The store must be locked by the caller. */
int ledger_open(struct store *store, int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err),
                void *user, struct ledger **ret_ledger, struct err *err);
void ledger_destroy(struct ledger **ledger);

/* The same reading, without writing or needing the lock: for tools. */
int ledger_read(struct store *store, int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err),
                void *user, struct err *err);

/* Gives entry its number, time and epoch and queues it (packed: entry is borrowed for the call). */
void ledger_add(struct ledger *ledger, Sohoa__LedgerEntry *entry);

/* Makes everything queued durable, in one append or a few. On failure what was queued stays queued, and a repeated
 * commit writes it once. Errors: E_STORE, E_FENCED. */
int ledger_commit(struct ledger *ledger, struct err *err);

uint64_t ledger_next(const struct ledger *ledger); /* the number that the next entry will get */

#endif
