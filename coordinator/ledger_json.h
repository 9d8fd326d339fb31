/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The ledger in JSON, for the coordinator's API and for the program sohoa, which reads a store by itself. References are the caller's. */
#ifndef SOHOA_LEDGER_JSON_H
#define SOHOA_LEDGER_JSON_H

#include <jansson.h>

#include "storage/ledger_proof.h"
#include "storage/ledger_search.h"
#include "storage/ledger_verify.h"

enum {
    LEDGER_JSON_BYTES = 64,  /* bytes that are shown as they are, in hexadecimal; of more their number and SHA-256 */
    LEDGER_JSON_ITEMS = 64,  /* of a row in an entry; how many there are more is told */
    LEDGER_JSON_CHARS = 4096 /* of a text */
};

/* A packed entry by the schema of messages: {number, time_ms, epoch, actor, kind, before, hash, body}. Hashes of passwords and tokens are
 * left out. NULL: it is none. */
json_t *ledger_entry_json(const void *packed, size_t bytes);

/* {entries: [... with segment and offset], next: text or null}. */
json_t *ledger_page_json(const struct ledger_page *page);
/* The text of next; false: it is none. */
bool ledger_place_parse(const char *text, struct ledger_place *ret_place);

json_t *ledger_verdict_json(const struct ledger_verdict *verdict);
json_t *ledger_key_json(const uint8_t public[SIGNING_PUBLIC_BYTES]);

/* {size, time, root, note}; note is as stored, too when it can't be read (then without root). */
json_t *ledger_checkpoint_json(const struct buf *note);

/* What `sohoa prove` writes. */
json_t *ledger_proof_json(const struct ledger_proof *proof, const char *batch, uint32_t doc, const struct buf *note,
                          const uint8_t public[SIGNING_PUBLIC_BYTES]);

#endif
