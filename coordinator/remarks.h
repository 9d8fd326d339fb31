/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What decisions on a document say in words: corrections and reasons. They are of the document, so they go when it is quarantined, which the
 * ledger never does; that only has the hash of each. batch/<id>/remarks/<doc> is append-only, of records, each
 *
 *      0  4    "RMK1"
 *      4  u32  bytes, little-endian
 *      8  4    the first ones of its hash
 *     12       a packed Remarks, salted
 *
 * A record is the one whose hash the ledger has. Others are passed over: one cut short by a crash, one that is there twice. Pure. */
#ifndef SOHOA_REMARKS_H
#define SOHOA_REMARKS_H

#include "proto/buf.h"
#include "proto/sha256.h"
#include "proto/sohoa.pb-c.h"

enum {
    REMARKS_SALT_BYTES = 32,
    REMARKS_BYTES = 1 << 20,       /* of a record, packed: within it all that the API takes */
    REMARKS_BLOB_BYTES = 16 << 20, /* of a document */
};

/* Adds the record to blob; sha256 becomes the hash of what is packed. */
void remarks_append(struct buf *blob, const Sohoa__Remarks *remarks, uint8_t sha256[SHA256_BYTES]);

struct remarks_record {
    uint8_t sha256[SHA256_BYTES];
    Sohoa__Remarks *said;
};

struct remarks_book { /* {0}: empty */
    struct remarks_record *record;
    size_t records;
    size_t bytes; /* of the blob */
};

/* All that can be read of the blob; the book owns it. */
void remarks_read(const struct buf *blob, struct remarks_book *book);
void remarks_clear(struct remarks_book *book);

const Sohoa__Remarks *remarks_find(const struct remarks_book *book,
                                   const uint8_t sha256[SHA256_BYTES]); /* NULL: none */
/* Of the field; NULL: it is not among them. */
const Sohoa__Correction *remarks_correction(const Sohoa__Remarks *remarks, int field);

#endif
