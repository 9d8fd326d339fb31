/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who opens the ledger for writing first makes a guarded write of nothing to the last segment, and reads it then: an
 * older holder can't append behind what was read. A segment is created exclusively; when another holder was faster,
 * that segment is closed and read in the same way. After a failed append nobody knows whether it arrived, now or later.
 * So nothing is appended behind it: what is queued goes to a new segment from its first entry on, and a reader passes
 * over an entry that it has seen before. */
#include "storage/ledger.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/crc32c.h"

enum {
    HEADER_BYTES = 8,          /* length and CRC-32C */
    RECORD_LEAST_BYTES = 16,   /* no record is smaller: number, time and epoch are always there */
    NUMBER_TAG = 1 << 3,       /* how a packed LedgerEntry begins: field 1, varint */
    SEGMENT_NAME_BYTES = 32,   /* ledger/12345678 */
    SEGMENTS_MAX = 99999999,   /* eight digits */
    SEGMENTS_LOOKED_AHEAD = 8, /* for a segment missing in the middle */

    /* What may come twice is what one failed append held. */
    SEEN_ENTRIES = LEDGER_APPEND_BYTES / RECORD_LEAST_BYTES,
};

struct segment_name {
    char text[SEGMENT_NAME_BYTES];
};

static const char *segment_name(struct segment_name *name, uint32_t segment)
{
    assert(segment <= SEGMENTS_MAX);
    snprintf(name->text, sizeof name->text, "ledger/%08" PRIu32, segment);
    return name->text;
}

/* ---- records ---- */

struct record {
    uint32_t bytes, crc;
    const uint8_t *body;
};

static void record_header(const uint8_t *data, struct record *record)
{
    uint32_t word[2];
    memcpy(word, data, sizeof word);
    record->bytes = le32toh(word[0]);
    record->crc = le32toh(word[1]);
    record->body = data + HEADER_BYTES;
}

/* head comes first, so that a record begins with its number; fields of a message may come in any order. */
static void record_pack(const Sohoa__LedgerEntry *head, const void *rest, size_t rest_bytes, struct buf *queue)
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

enum record_state {
    RECORD_WHOLE,
    RECORD_SHORT, /* the segment ends within it */
    RECORD_DAMAGED
};

/* What lies at data, bytes (at least 1) before the segment's end. */
static enum record_state record_look(const uint8_t *data, size_t bytes, struct record *record)
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

/* Whether a short record is one whose length was damaged: then its body, or a record after it, is whole. */
static bool hides_records(const uint8_t *data, size_t bytes)
{
    struct record record;
    if (bytes < HEADER_BYTES)
        return false;
    record_header(data, &record);
    if (crc32c(record.body, bytes - HEADER_BYTES) == record.crc)
        return true;
    for (size_t at = 1; bytes - at > HEADER_BYTES; at++)
        if (data[at + HEADER_BYTES] == NUMBER_TAG && record_look(data + at, bytes - at, &record) == RECORD_WHOLE)
            return true;
    return false;
}

/* Whether the segment ends at data, but for bytes of an append that did not arrive whole. */
static bool tail_is_torn(const uint8_t *data, size_t bytes, enum record_state state)
{
    return all_zero(data, bytes) || (state == RECORD_SHORT && !hides_records(data, bytes));
}

/* ---- reading ---- */

struct seen {
    uint32_t bytes, crc;
};

struct replay {
    struct store *store;
    int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err);
    void *user;
    uint64_t next;     /* the number that the next new entry must have */
    struct seen *seen; /* the last SEEN_ENTRIES, by number */
};

/* A place in the ledger, for errors. */
struct place {
    const char *segment;
    size_t offset;
};

static void entry_destroy(Sohoa__LedgerEntry **entry)
{
    if (*entry)
        sohoa__ledger_entry__free_unpacked(*entry, NULL);
    *entry = NULL;
}

static int corrupt(const struct place *place, const char *what, struct err *err)
{
    return err_set(err, E_CORRUPT, "%s at byte %zu: %s", place->segment, place->offset, what);
}

static int repeated_check(const struct replay *r, uint64_t number, const struct record *record,
                          const struct place *place, struct err *err)
{
    const struct seen *seen = &r->seen[number % SEEN_ENTRIES];
    if (number && r->next - number <= SEEN_ENTRIES && seen->bytes == record->bytes && seen->crc == record->crc)
        return 0;
    return err_set(err, E_CORRUPT, "%s at byte %zu: entry %" PRIu64 " comes again and is another", place->segment,
                   place->offset, number);
}

static int record_replay(struct replay *r, const struct record *record, const struct place *place, struct err *err)
{
    AUTO(entry_destroy) Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, record->bytes, record->body);
    if (!entry)
        return corrupt(place, "not a sohoa.LedgerEntry", err);
    if (entry->number < r->next)
        return repeated_check(r, entry->number, record, place, err);
    if (entry->number > r->next)
        return err_set(err, E_CORRUPT, "%s at byte %zu: entry %" PRIu64 " where %" PRIu64 " should follow",
                       place->segment, place->offset, entry->number, r->next);
    r->seen[r->next++ % SEEN_ENTRIES] = (struct seen){record->bytes, record->crc};
    return r->each(entry, r->user, err);
}

static int segment_replay(struct replay *r, uint32_t segment, struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0};
    struct segment_name name;
    struct place place = {segment_name(&name, segment), 0};
    int rc = store_get(r->store, place.segment, LEDGER_SEGMENT_BYTES, &data, err);
    if (rc == E_LIMIT)
        return err_set(err, E_CORRUPT, "%s is over LEDGER_SEGMENT_BYTES (%d)", place.segment, LEDGER_SEGMENT_BYTES);
    while (!rc && place.offset < data.size) {
        struct record record;
        const uint8_t *at = data.data + place.offset;
        size_t left = data.size - place.offset;
        enum record_state state = record_look(at, left, &record);
        if (state != RECORD_WHOLE)
            return tail_is_torn(at, left, state) ? 0 : corrupt(&place, "a damaged record", err);
        rc = record_replay(r, &record, &place, err);
        place.offset += HEADER_BYTES + record.bytes;
    }
    return rc;
}

/* *last, a segment that exists or 0, becomes the last of the row. */
static int segments_find(struct store *store, uint32_t *last, struct err *err)
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

static void replay_destroy(struct replay *r)
{
    free(r->seen);
}

static int replay_init(struct replay *r, struct err *err)
{
    r->next = 1;
    r->seen = calloc(SEEN_ENTRIES, sizeof *r->seen);
    return r->seen ? 0 : err_set(err, E_NOMEM, "no memory to read the ledger");
}

int ledger_read(struct store *store, int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err),
                void *user, struct err *err)
{
    AUTO(replay_destroy) struct replay r = {.store = store, .each = each, .user = user};
    uint32_t last = 0;
    int rc = replay_init(&r, err);
    if (!rc)
        rc = segments_find(store, &last, err);
    for (uint32_t segment = 1; segment <= last && !rc; segment++)
        rc = segment_replay(&r, segment, err);
    return rc;
}

/* ---- writing ---- */

struct ledger {
    struct store *store;
    uint64_t epoch, next;
    uint32_t segment; /* the last one that is ours */
    size_t segment_bytes;
    bool usable; /* everything appended to it so far arrived */
    bool fenced;
    struct buf queue; /* records that are not known to be durable */
};

/* No older holder appends to the segment from now on. Errors: E_FENCED, when a newer one does. */
static int segment_fence(struct store *store, uint32_t segment, uint64_t *ret_bytes, struct err *err)
{
    struct segment_name name;
    return store_guard_append(store, segment_name(&name, segment), "", 0, ret_bytes, err);
}

static int segment_create(struct store *store, uint32_t segment, struct err *err)
{
    struct segment_name name;
    if (segment > SEGMENTS_MAX)
        return err_set(err, E_LIMIT, "the ledger is over SEGMENTS_MAX (%d) segments", SEGMENTS_MAX);
    return store_guard_create(store, segment_name(&name, segment), "", 0, err);
}

/* Reads everything, and leaves *ret_segment a new segment. */
static int ledger_take(struct replay *r, uint32_t *ret_segment, struct err *err)
{
    uint32_t last = 0, done = 0;
    int rc;
    do {
        rc = segments_find(r->store, &last, err);
        if (!rc && last > done)
            rc = segment_fence(r->store, last, NULL, err);
        while (!rc && done < last)
            rc = segment_replay(r, ++done, err);
        if (!rc)
            rc = segment_create(r->store, last + 1, err);
    } while (rc == E_EXISTS);
    *ret_segment = last + 1;
    return rc;
}

int ledger_open(struct store *store, int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err),
                void *user, struct ledger **ret_ledger, struct err *err)
{
    AUTO(ledger_destroy) struct ledger *ledger = calloc(1, sizeof *ledger);
    AUTO(replay_destroy) struct replay r = {.store = store, .each = each, .user = user};
    if (!ledger)
        return err_set(err, E_NOMEM, "no memory for the ledger");
    ledger->store = store;
    ledger->epoch = store_epoch(store);
    int rc = replay_init(&r, err);
    if (!rc)
        rc = ledger_take(&r, &ledger->segment, err);
    if (rc)
        return rc;
    ledger->next = r.next;
    ledger->usable = true;
    *ret_ledger = ledger;
    ledger = NULL;
    return 0;
}

void ledger_destroy(struct ledger **ledger)
{
    if (!*ledger)
        return;
    buf_destroy(&(*ledger)->queue);
    free(*ledger);
    *ledger = NULL;
}

uint64_t ledger_next(const struct ledger *ledger)
{
    return ledger->next;
}

static void entry_stamp(struct ledger *ledger, Sohoa__LedgerEntry *entry)
{
    entry->number = ledger->next++;
    entry->time_ms = clock_wall_ms();
    entry->epoch = ledger->epoch;
}

void ledger_add(struct ledger *ledger, Sohoa__LedgerEntry *entry)
{
    entry_stamp(ledger, entry);
    record_pack(entry, NULL, 0, &ledger->queue);
}

void ledger_add_packed(struct ledger *ledger, const void *entry, size_t bytes)
{
    Sohoa__LedgerEntry head = SOHOA__LEDGER_ENTRY__INIT;
    entry_stamp(ledger, &head);
    record_pack(&head, entry, bytes, &ledger->queue);
}

/* Goes on in a new segment. One that is there already came from a try of ours that seemed to fail, or from a newer
 * holder, who fences us. */
static int segment_next(struct ledger *ledger, struct err *err)
{
    uint64_t bytes = 0;
    int rc = segment_create(ledger->store, ledger->segment + 1, err);
    if (rc == E_EXISTS)
        rc = segment_fence(ledger->store, ledger->segment + 1, &bytes, err);
    if (!rc && bytes)
        rc = err_set(err, E_CORRUPT, "ledger/%08" PRIu32 " was written by somebody else", ledger->segment + 1);
    if (rc)
        return rc;
    ledger->segment++;
    ledger->segment_bytes = 0;
    ledger->usable = true;
    return 0;
}

/* The bytes of as many records from offset on as fit one append. */
static size_t chunk_bytes(const struct buf *queue, size_t offset)
{
    size_t bytes = 0;
    while (offset + bytes < queue->size) {
        struct record record;
        record_header(queue->data + offset + bytes, &record);
        if (bytes + HEADER_BYTES + record.bytes > LEDGER_APPEND_BYTES)
            break;
        bytes += HEADER_BYTES + record.bytes;
    }
    return bytes;
}

static int chunk_append(struct ledger *ledger, size_t offset, size_t bytes, struct err *err)
{
    struct segment_name name;
    int rc = 0;
    if (!ledger->usable || ledger->segment_bytes + bytes > LEDGER_SEGMENT_BYTES)
        rc = segment_next(ledger, err);
    if (rc)
        return rc;
    rc = store_guard_append(ledger->store, segment_name(&name, ledger->segment), ledger->queue.data + offset, bytes,
                            NULL, err);
    ledger->segment_bytes += bytes;
    ledger->usable = !rc;
    return rc;
}

static void queue_drop(struct buf *queue, size_t bytes)
{
    memmove(queue->data, queue->data + bytes, queue->size - bytes);
    queue->size -= bytes;
    queue->data[queue->size] = 0;
}

int ledger_commit(struct ledger *ledger, struct err *err)
{
    size_t done = 0;
    int rc = 0;
    if (ledger->fenced)
        return err_set(err, E_FENCED, "the ledger belongs to another coordinator");
    while (done < ledger->queue.size && !rc) {
        size_t bytes = chunk_bytes(&ledger->queue, done);
        rc = chunk_append(ledger, done, bytes, err);
        if (!rc)
            done += bytes;
    }
    if (done)
        queue_drop(&ledger->queue, done);
    /* A new segment has nothing to compare our epoch with: without this a repeated commit could pass by the fence. */
    ledger->fenced = rc == E_FENCED;
    return rc;
}
