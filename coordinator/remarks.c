/* SPDX-License-Identifier: AGPL-3.0-or-later
 * After what is no record the next one is looked for byte by byte: nothing is lost behind what was cut short. */
#include "coordinator/remarks.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "proto/array.h"

enum { MARK_BYTES = 4, CHECK_BYTES = 4, HEAD_BYTES = 12 };
static const char mark[MARK_BYTES + 1] = "RMK1";

void remarks_append(struct buf *blob, const Sohoa__Remarks *remarks, uint8_t sha256[SHA256_BYTES])
{
    size_t bytes = sohoa__remarks__get_packed_size(remarks);
    uint32_t length = htole32((uint32_t)bytes);
    assert(bytes <= REMARKS_BYTES);
    buf_append(blob, mark, MARK_BYTES);
    buf_append(blob, &length, sizeof length);
    uint8_t *check = buf_reserve(blob, CHECK_BYTES + bytes);
    sohoa__remarks__pack(remarks, check + CHECK_BYTES);
    sha256_of(check + CHECK_BYTES, bytes, sha256);
    memcpy(check, sha256, CHECK_BYTES);
    blob->size += CHECK_BYTES + bytes;
    blob->data[blob->size] = 0;
}

/* Bytes of the record that begins here, and its hash; 0: none does. */
static size_t record_bytes(const uint8_t *at, size_t left, uint8_t sha256[SHA256_BYTES])
{
    uint32_t length;
    if (left < HEAD_BYTES || memcmp(at, mark, MARK_BYTES))
        return 0;
    memcpy(&length, at + MARK_BYTES, sizeof length);
    length = le32toh(length);
    if (length > REMARKS_BYTES || length > left - HEAD_BYTES)
        return 0;
    sha256_of(at + HEAD_BYTES, length, sha256);
    return memcmp(at + MARK_BYTES + sizeof length, sha256, CHECK_BYTES) ? 0 : HEAD_BYTES + length;
}

void remarks_read(const struct buf *blob, struct remarks_book *book)
{
    book->bytes = blob->size;
    for (size_t at = 0, step; at < blob->size; at += step) {
        struct remarks_record record = {0};
        size_t bytes = record_bytes(blob->data + at, blob->size - at, record.sha256);
        Sohoa__Remarks *said =
            bytes ? sohoa__remarks__unpack(NULL, bytes - HEAD_BYTES, blob->data + at + HEAD_BYTES) : NULL;
        step = said ? bytes : 1;
        if (!said)
            continue;
        record.said = said;
        book->record = array_room(book->record, book->records, sizeof record);
        book->record[book->records++] = record;
    }
}

void remarks_clear(struct remarks_book *book)
{
    for (size_t i = 0; i < book->records; i++)
        sohoa__remarks__free_unpacked(book->record[i].said, NULL);
    free(book->record);
    *book = (struct remarks_book){0};
}

const Sohoa__Remarks *remarks_find(const struct remarks_book *book, const uint8_t sha256[SHA256_BYTES])
{
    for (size_t i = 0; i < book->records; i++)
        if (!memcmp(book->record[i].sha256, sha256, SHA256_BYTES))
            return book->record[i].said;
    return NULL;
}

const Sohoa__Correction *remarks_correction(const Sohoa__Remarks *remarks, int field)
{
    for (size_t i = 0; i < remarks->n_corrections; i++)
        if ((int)remarks->corrections[i]->field == field && !remarks->corrections[i]->withdrawn)
            return remarks->corrections[i];
    return NULL;
}
