/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Who opens the ledger for writing first makes a guarded write of nothing to the last segment, and reads it then: an
 * older holder can't append behind what was read. A segment is created exclusively; when another holder was faster,
 * that segment is closed and read in the same way. After a failed append nobody knows whether it arrived, now or later.
 * So nothing is appended behind it: what is queued goes to a new segment from its first entry on, and a reader passes
 * over an entry that it has seen before. */
#include "storage/ledger.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "storage/chain.h"
#include "storage/ledger_record.h"

/* ---- reading ---- */

enum { LINKED_BESIDE = 1000 }; /* so many entries are worth a thread */

struct seen {
    uint32_t bytes, crc;
};

struct replay {
    struct store *store;
    int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err);
    int (*packed)(const struct record_head *head, const void *entry, size_t bytes, void *user); /* or this one */
    void *user;
    const struct checkpoints *signed_by_us; /* NULL: none is looked at */
    size_t checked;                         /* of them, so far */
    uint64_t next;                          /* the number that the next new entry must have */
    struct seen *seen;                      /* the last SEEN_ENTRIES, by number */
    struct chain chain;
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

static int checkpoint_differs(const struct checkpoint *checkpoint, const char *how, struct err *err)
{
    struct name name;
    return err_set(err, E_CORRUPT, "%s, of %s: the ledger %s", checkpoint_name(&name, checkpoint->size),
                   checkpoint->time, how);
}

/* The checkpoints of a tree of so many entries. */
static int checkpoints_check(struct replay *r, struct err *err)
{
    const struct checkpoints *all = r->signed_by_us;
    uint8_t root[SHA256_BYTES];
    for (; all && r->checked < all->count && all->at[r->checked].size == r->chain.tree.size; r->checked++) {
        merkle_root(&r->chain.tree, root);
        if (memcmp(root, all->at[r->checked].root, sizeof root))
            return checkpoint_differs(&all->at[r->checked], "is another now", err);
    }
    return 0;
}

/* A record whose entry was not seen before. */
struct taken {
    size_t offset;         /* of the record in its segment */
    const uint8_t *before; /* what the entry says of the one before */
    size_t before_bytes;
    uint64_t number;
};

/* A segment's new entries: their chain is computed beside what is done with them. */
struct linking {
    struct replay *r;
    const char *segment;
    const uint8_t *data;
    const struct taken *taken;
    size_t count;
    int rc;
    struct err err;
};

static int link_replay(struct linking *linking, const struct taken *taken)
{
    struct replay *r = linking->r;
    struct record record;
    const char *wrong = chain_check(&r->chain, taken->before, taken->before_bytes);
    if (wrong)
        return err_set(&linking->err, E_CORRUPT, "%s at byte %zu: entry %" PRIu64 " %s", linking->segment,
                       taken->offset, taken->number, wrong);
    record_header(linking->data + taken->offset, &record);
    chain_add(&r->chain, record.body, record.bytes, taken->before_bytes);
    return checkpoints_check(r, &linking->err);
}

static void *linking_work(void *arg)
{
    struct linking *linking = arg;
    for (size_t i = 0; i < linking->count && !linking->rc; i++)
        linking->rc = link_replay(linking, &linking->taken[i]);
    return NULL;
}

static int entry_tell(const struct replay *r, const struct taken *taken, const uint8_t *data, const char *segment,
                      struct err *err)
{
    struct place place = {segment, taken->offset};
    struct record_head head;
    struct record record;
    record_header(data + taken->offset, &record);
    if (r->packed) {
        record_head(record.body, record.bytes, &head);
        return r->packed(&head, record.body, record.bytes, r->user);
    }
    AUTO(entry_destroy) Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, record.bytes, record.body);
    return entry ? r->each(entry, r->user, err) : corrupt(&place, "not a sohoa.LedgerEntry", err);
}

/* Tells the entries while a thread, if there is one to be had, looks at their chain: what is wrong there is said first. */
static int entries_tell(struct linking *linking, struct err *err)
{
    pthread_t thread;
    bool beside = linking->count > LINKED_BESIDE && !pthread_create(&thread, NULL, linking_work, linking);
    int rc = 0;
    if (!beside)
        linking_work(linking);
    for (size_t i = 0; i < linking->count && !rc && (beside || !linking->rc); i++)
        rc = entry_tell(linking->r, &linking->taken[i], linking->data, linking->segment, err);
    if (beside)
        pthread_join(thread, NULL);
    if (!linking->rc)
        return rc;
    *err = linking->err;
    return linking->rc;
}

/* Appends to *taken, unless it came before. */
static int record_take(struct replay *r, const struct record *record, const struct place *place, struct buf *taken,
                       struct err *err)
{
    struct record_head head;
    if (!record_head(record->body, record->bytes, &head))
        return corrupt(place, "not a sohoa.LedgerEntry", err);
    if (head.number < r->next)
        return repeated_check(r, head.number, record, place, err);
    if (head.number > r->next)
        return err_set(err, E_CORRUPT, "%s at byte %zu: entry %" PRIu64 " where %" PRIu64 " should follow",
                       place->segment, place->offset, head.number, r->next);
    r->seen[r->next++ % SEEN_ENTRIES] = (struct seen){record->bytes, record->crc};
    struct taken one = {place->offset, head.before, head.before_bytes, head.number};
    buf_append(taken, &one, sizeof one);
    return 0;
}

static int records_take(struct replay *r, const struct buf *data, struct place *place, struct buf *taken,
                        struct err *err)
{
    int rc = 0;
    while (!rc && place->offset < data->size) {
        struct record record;
        const uint8_t *at = data->data + place->offset;
        size_t left = data->size - place->offset;
        enum record_state state = record_look(at, left, &record);
        if (state != RECORD_WHOLE)
            return tail_is_torn(at, left, state) ? 0 : corrupt(place, "a damaged record", err);
        rc = record_take(r, &record, place, taken, err);
        place->offset += HEADER_BYTES + record.bytes;
    }
    return rc;
}

static int segment_replay(struct replay *r, uint32_t segment, struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0}, taken = {0};
    struct segment_name name;
    struct place place = {segment_name(&name, segment), 0};
    struct err later;
    int rc = store_get(r->store, place.segment, LEDGER_SEGMENT_BYTES, &data, err);
    if (rc == E_LIMIT)
        return err_set(err, E_CORRUPT, "%s is over LEDGER_SEGMENT_BYTES (%d)", place.segment, LEDGER_SEGMENT_BYTES);
    if (rc)
        return rc;
    int taking = records_take(r, &data, &place, &taken, &later);
    struct linking linking = {.r = r,
                              .segment = place.segment,
                              .data = data.data,
                              .taken = (const struct taken *)(const void *)taken.data,
                              .count = taken.size / sizeof(struct taken)};
    rc = entries_tell(&linking, err);
    if (rc || !taking)
        return rc;
    *err = later;
    return taking;
}

static void replay_destroy(struct replay *r)
{
    free(r->seen);
    chain_destroy(&r->chain);
}

static int replay_init(struct replay *r, struct err *err)
{
    r->next = 1;
    chain_init(&r->chain);
    r->seen = calloc(SEEN_ENTRIES, sizeof *r->seen);
    return r->seen ? 0 : err_set(err, E_NOMEM, "no memory to read the ledger");
}

static int all_replay(struct replay *r, struct err *err)
{
    uint32_t last = 0;
    int rc = replay_init(r, err);
    if (!rc)
        rc = segments_find(r->store, &last, err);
    for (uint32_t segment = 1; segment <= last && !rc; segment++)
        rc = segment_replay(r, segment, err);
    return rc;
}

int ledger_read(struct store *store, int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err),
                void *user, struct err *err)
{
    AUTO(replay_destroy) struct replay r = {.store = store, .each = each, .user = user};
    return all_replay(&r, err);
}

int ledger_read_packed(struct store *store,
                       int (*each)(const struct record_head *head, const void *entry, size_t bytes, void *user),
                       void *user, struct err *err)
{
    AUTO(replay_destroy) struct replay r = {.store = store, .packed = each, .user = user};
    int rc = all_replay(&r, err);
    return rc > 0 ? 0 : rc;
}

/* ---- writing ---- */

struct ledger {
    struct store *store;
    uint64_t epoch, next;
    uint32_t segment; /* the last one that is ours */
    size_t segment_bytes;
    bool usable; /* everything appended to it so far arrived */
    bool fenced;
    struct buf queue;   /* records that are not known to be durable */
    struct chain chain; /* they are in it */
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

/* Entries that a checkpoint of ours vouches for are there. */
static int end_check(const struct replay *r, struct err *err)
{
    char how[64];
    if (!r->signed_by_us || r->checked == r->signed_by_us->count)
        return 0;
    snprintf(how, sizeof how, "ends with entry %" PRIu64, r->next - 1);
    return checkpoint_differs(&r->signed_by_us->at[r->signed_by_us->count - 1], how, err);
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
            rc = end_check(r, err);
        if (!rc)
            rc = segment_create(r->store, last + 1, err);
    } while (rc == E_EXISTS);
    *ret_segment = last + 1;
    return rc;
}

int ledger_open(struct store *store, const struct checkpoints *signed_by_us,
                int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err), void *user,
                struct ledger **ret_ledger, struct err *err)
{
    AUTO(ledger_destroy) struct ledger *ledger = calloc(1, sizeof *ledger);
    AUTO(replay_destroy)
    struct replay r = {.store = store, .each = each, .user = user, .signed_by_us = signed_by_us};
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
    ledger->chain = r.chain;
    r.chain = (struct chain){0};
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
    chain_destroy(&(*ledger)->chain);
    free(*ledger);
    *ledger = NULL;
}

uint64_t ledger_next(const struct ledger *ledger)
{
    return ledger->next;
}

/* entry says, packed, what comes first in its record. */
static void entry_queue(struct ledger *ledger, Sohoa__LedgerEntry *entry, const void *rest, size_t rest_bytes)
{
    entry->number = ledger->next++;
    entry->time_ms = clock_wall_ms();
    entry->epoch = ledger->epoch;
    entry->before.data = ledger->chain.last;
    entry->before.len = entry->number > 1 ? SHA256_BYTES : 0;
    size_t at = ledger->queue.size;
    struct record record;
    record_pack(entry, rest, rest_bytes, &ledger->queue);
    record_header(ledger->queue.data + at, &record);
    chain_add(&ledger->chain, record.body, record.bytes, entry->before.len);
}

void ledger_add(struct ledger *ledger, Sohoa__LedgerEntry *entry)
{
    entry_queue(ledger, entry, NULL, 0);
    entry->before = (ProtobufCBinaryData){0};
}

void ledger_add_packed(struct ledger *ledger, const void *entry, size_t bytes)
{
    Sohoa__LedgerEntry head = SOHOA__LEDGER_ENTRY__INIT;
    entry_queue(ledger, &head, entry, bytes);
}

bool ledger_root(const struct ledger *ledger, uint64_t *ret_size, uint8_t root[SHA256_BYTES])
{
    if (ledger->queue.size || ledger->fenced)
        return false;
    *ret_size = ledger->chain.tree.size;
    merkle_root(&ledger->chain.tree, root);
    return true;
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
