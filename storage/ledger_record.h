/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The bytes of the ledger's segments (ledger.h), for those who read or write them. Internal to storage. */
#ifndef SOHOA_LEDGER_RECORD_H
#define SOHOA_LEDGER_RECORD_H

#include "storage/ledger.h"

enum {
    HEADER_BYTES = 8,        /* length and CRC-32C */
    RECORD_LEAST_BYTES = 16, /* no record is smaller: number, time and epoch are always there */
    SEGMENT_NAME_BYTES = 32, /* ledger/12345678 */
    SEGMENTS_MAX = 99999999, /* eight digits */

    /* What may come twice is what one failed append held. */
    SEEN_ENTRIES = LEDGER_APPEND_BYTES / RECORD_LEAST_BYTES,
};

struct segment_name {
    char text[SEGMENT_NAME_BYTES];
};
const char *segment_name(struct segment_name *name, uint32_t segment);

/* *last, a segment that exists or 0, becomes the last of the row. Errors: E_STORE, E_CORRUPT: one is missing in the middle. */
int segments_find(struct store *store, uint32_t *last, struct err *err);

struct record {
    uint32_t bytes, crc;
    const uint8_t *body;
};

/* head comes first, so that a record begins with its number; fields of a message may come in any order. Appended to *queue. */
void record_pack(const Sohoa__LedgerEntry *head, const void *rest, size_t rest_bytes, struct buf *queue);

void record_header(const uint8_t *data, struct record *record); /* of a record that was packed or looked at */

enum record_state {
    RECORD_WHOLE,
    RECORD_SHORT, /* the segment ends within it */
    RECORD_DAMAGED
};

/* What lies at data, bytes (at least 1) before the segment's end. */
enum record_state record_look(const uint8_t *data, size_t bytes, struct record *record);

/* Whether the segment ends at data, but for bytes of an append that did not arrive whole. */
bool tail_is_torn(const uint8_t *data, size_t bytes, enum record_state state);

/* The next place behind data where a whole record begins; bytes: there is none. */
size_t record_seek(const uint8_t *data, size_t bytes);

/* What an entry says of itself, and of the last of its bodies; texts and bytes are borrowed from the record. */
struct record_head {
    uint64_t number, time_ms, epoch;
    const char *actor; /* not ended by a 0 */
    const uint8_t *before, *body;
    size_t actor_bytes, before_bytes, body_bytes;
    uint32_t kind; /* Sohoa__LedgerEntry__BodyCase; 0: none that is known */
};

/* False: it is no packed message. Looks at the outer fields only. */
bool record_head(const uint8_t *data, size_t bytes, struct record_head *head);

/* As ledger_read(), of entries as they are stored; each may end it with 1, which is no error. */
int ledger_read_packed(struct store *store,
                       int (*each)(const struct record_head *head, const void *entry, size_t bytes, void *user),
                       void *user, struct err *err);

#endif
