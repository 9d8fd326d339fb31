/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/ledger_record.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "storage/crc32c.h"

enum {
    NUMBER_TAG = 1 << 3,       /* how a packed LedgerEntry begins: field 1, varint */
    SEGMENTS_LOOKED_AHEAD = 8, /* for a segment missing in the middle */
    VARINT_BITS = 64,
};

const char *segment_name(struct segment_name *name, uint32_t segment)
{
    assert(segment <= SEGMENTS_MAX);
    snprintf(name->text, sizeof name->text, "ledger/%08" PRIu32, segment);
    return name->text;
}

int segments_find(struct store *store, uint32_t *last, struct err *err)
{
    struct segment_name name;
    int rc;
    while (!(rc = store_stat(store, segment_name(&name, *last + 1), NULL, err)))
        ++*last;
    for (uint32_t ahead = 2; rc == E_ABSENT && ahead <= SEGMENTS_LOOKED_AHEAD; ahead++) {
        rc = store_stat(store, segment_name(&name, *last + ahead), NULL, err);
        if (!rc)
            return err_set(err, E_CORRUPT, "%s is there, but ledger/%08" PRIu32 " is missing", name.text, *last + 1);
    }
    return rc == E_ABSENT ? 0 : rc;
}

void record_header(const uint8_t *data, struct record *record)
{
    uint32_t word[2];
    memcpy(word, data, sizeof word);
    record->bytes = le32toh(word[0]);
    record->crc = le32toh(word[1]);
    record->body = data + HEADER_BYTES;
}

void record_pack(const Sohoa__LedgerEntry *head, const void *rest, size_t rest_bytes, struct buf *queue)
{
    size_t head_bytes = sohoa__ledger_entry__get_packed_size(head), bytes = head_bytes + rest_bytes;
    assert(bytes >= RECORD_LEAST_BYTES - HEADER_BYTES && bytes <= LEDGER_ENTRY_BYTES);
    uint8_t *record = buf_reserve(queue, HEADER_BYTES + bytes);
    sohoa__ledger_entry__pack(head, record + HEADER_BYTES);
    if (rest_bytes)
        memcpy(record + HEADER_BYTES + head_bytes, rest, rest_bytes);
    const uint32_t word[2] = {htole32((uint32_t)bytes), htole32(crc32c(record + HEADER_BYTES, bytes))};
    memcpy(record, word, sizeof word);
    queue->size += HEADER_BYTES + bytes;
    queue->data[queue->size] = 0;
}

enum record_state record_look(const uint8_t *data, size_t bytes, struct record *record)
{
    if (bytes < HEADER_BYTES)
        return RECORD_SHORT;
    record_header(data, record);
    if (!record->bytes || record->bytes > LEDGER_ENTRY_BYTES)
        return RECORD_DAMAGED;
    if (record->bytes > bytes - HEADER_BYTES)
        return RECORD_SHORT;
    return crc32c(record->body, record->bytes) == record->crc ? RECORD_WHOLE : RECORD_DAMAGED;
}

static bool all_zero(const uint8_t *data, size_t bytes)
{
    return bytes == 0 || (!data[0] && !memcmp(data, data + 1, bytes - 1));
}

size_t record_seek(const uint8_t *data, size_t bytes)
{
    struct record record;
    for (size_t at = 1; bytes > at + HEADER_BYTES; at++)
        if (data[at + HEADER_BYTES] == NUMBER_TAG && record_look(data + at, bytes - at, &record) == RECORD_WHOLE)
            return at;
    return bytes;
}

/* Whether a short record is one whose length was damaged: then its body, or a record after it, is whole. */
static bool hides_records(const uint8_t *data, size_t bytes)
{
    struct record record;
    if (bytes < HEADER_BYTES)
        return false;
    record_header(data, &record);
    return crc32c(record.body, bytes - HEADER_BYTES) == record.crc || record_seek(data, bytes) < bytes;
}

bool tail_is_torn(const uint8_t *data, size_t bytes, enum record_state state)
{
    return all_zero(data, bytes) || (state == RECORD_SHORT && !hides_records(data, bytes));
}

/* ---- an entry's outer fields (protobuf's wire format) ---- */

static bool varint(const uint8_t **at, const uint8_t *end, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; *at < end && shift < VARINT_BITS; shift += 7) {
        uint8_t byte = *(*at)++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static void head_number(struct record_head *head, uint64_t field, uint64_t number)
{
    if (field == 1)
        head->number = number;
    else if (field == 2)
        head->time_ms = number;
    else if (field == 3)
        head->epoch = number;
}

static void head_bytes(struct record_head *head, uint64_t field, const uint8_t *data, size_t bytes)
{
    if (field == 4) {
        head->actor = (const char *)data;
        head->actor_bytes = bytes;
    } else if (field == 5) {
        head->before = data;
        head->before_bytes = bytes;
    } else if (protobuf_c_message_descriptor_get_field(&sohoa__ledger_entry__descriptor, (unsigned)field)) {
        head->kind = (uint32_t)field;
        head->body = data;
        head->body_bytes = bytes;
    }
}

bool record_head(const uint8_t *data, size_t bytes, struct record_head *head)
{
    const uint8_t *at = data, *end = data + bytes;
    *head = (struct record_head){0};
    while (at < end) {
        uint64_t tag, number;
        if (!varint(&at, end, &tag) || !varint(&at, end, &number))
            return false;
        if ((tag & 7) == 0) {
            head_number(head, tag >> 3, number);
            continue;
        }
        if ((tag & 7) != 2 || number > (uint64_t)(end - at))
            return false;
        head_bytes(head, tag >> 3, at, (size_t)number);
        at += number;
    }
    return true;
}
