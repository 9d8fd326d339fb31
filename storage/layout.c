/* SPDX-License-Identifier: AGPL-3.0-or-later
 * An entry, little-endian:
 *
 *      0  u32  document
 *      4  u32  pages
 *      8  u64  first ordinal
 *     16  u32  pages a range
 *     20  u32  generation
 *     24  32   SHA-256 of the source
 *     56  u8   kind: ENTRY_DOC, ENTRY_MEND
 *     57  u8   class of cost
 *     58  u16  0
 *     60  u32  CRC-32C of bytes 0 to 59
 *
 * An append that was cut short leaves a torn entry. The next append first fills it up and puts an ENTRY_MEND behind it,
 * which tells a reader to pass over the damaged entries directly before it; any other damage is E_CORRUPT.
 *
 * The index: key = document in 8 digits, value = packed DocOutcome. */
#include "storage/layout.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/crc32c.h"
#include "storage/name.h"

enum {
    ENTRY_DOC = 1,
    ENTRY_MEND = 2,
    CRC_OFFSET = 60,
    READ_ENTRIES = 65536,    /* in one read: 4 MiB */
    APPEND_ENTRIES = 262144, /* in one append: 16 MiB */
    INDEX_PAIRS = 1024,      /* outcomes in one write or read */
    KEY_BYTES = 9,
};

/* What the offsets above say; fields hold little-endian numbers. */
struct disk_entry {
    uint32_t doc, pages;
    uint64_t first_ordinal;
    uint32_t range_pages, generation;
    uint8_t sha256[SHA256_BYTES];
    uint8_t kind, cost;
    uint16_t zero;
    uint32_t crc;
};
_Static_assert(sizeof(struct disk_entry) == LAYOUT_ENTRY_BYTES, "an entry has no holes");
_Static_assert(offsetof(struct disk_entry, crc) == CRC_OFFSET, "the CRC is last");

/* ---- entries ---- */

static void entry_append(struct buf *to, uint8_t kind, const struct layout_entry *entry)
{
    struct disk_entry disk = {
        .doc = htole32(entry->doc),
        .pages = htole32(entry->pages),
        .first_ordinal = htole64(entry->first_ordinal),
        .range_pages = htole32(entry->range_pages),
        .generation = htole32(entry->generation),
        .kind = kind,
        .cost = entry->cost,
    };
    memcpy(disk.sha256, entry->sha256, sizeof disk.sha256);
    disk.crc = htole32(crc32c(&disk, CRC_OFFSET));
    buf_append(to, &disk, sizeof disk);
}

static struct layout_entry entry_of(const struct disk_entry *disk)
{
    struct layout_entry entry = {
        .doc = le32toh(disk->doc),
        .pages = le32toh(disk->pages),
        .first_ordinal = le64toh(disk->first_ordinal),
        .range_pages = le32toh(disk->range_pages),
        .generation = le32toh(disk->generation),
        .cost = disk->cost,
    };
    memcpy(entry.sha256, disk->sha256, sizeof entry.sha256);
    return entry;
}

/* Fills a torn entry at the layout's end up, and mends it. */
static void mend_append(struct buf *to, uint64_t layout_bytes)
{
    static const uint8_t zeros[LAYOUT_ENTRY_BYTES];
    static const struct layout_entry none;
    if (layout_bytes % LAYOUT_ENTRY_BYTES == 0)
        return;
    buf_append(to, zeros, LAYOUT_ENTRY_BYTES - layout_bytes % LAYOUT_ENTRY_BYTES);
    entry_append(to, ENTRY_MEND, &none);
}

int layout_append(struct store *store, const char *batch, uint32_t piece, const struct layout_entry *entries,
                  size_t count, struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0};
    struct name name;
    uint64_t layout_bytes = 0;
    int rc = store_stat(store, name_batch(&name, batch, "layout", piece), &layout_bytes, err);
    if (rc && rc != E_ABSENT)
        return rc;
    mend_append(&data, layout_bytes);
    rc = 0;
    for (size_t at = 0; at < count && !rc;) {
        for (size_t n = 0; n < APPEND_ENTRIES && at < count; n++, at++)
            entry_append(&data, ENTRY_DOC, &entries[at]);
        rc = store_guard_append(store, name.text, data.data, data.size, NULL, err);
        buf_clear(&data);
    }
    return rc;
}

/* ---- reading the layout ---- */

struct layout_reader {
    const char *name;
    void (*each)(const struct layout_entry *entry, void *user);
    void *user;
    uint64_t offset;  /* of the next entry */
    uint64_t damaged; /* offset of the first damaged entry that waits for its mending, or SOUND */
};
#define SOUND UINT64_MAX

static int damage_told(const struct layout_reader *reader, struct err *err)
{
    return err_set(err, E_CORRUPT, "%s at byte %" PRIu64 ": a damaged entry", reader->name, reader->damaged);
}

static int entry_read(struct layout_reader *reader, const uint8_t *at, struct err *err)
{
    struct disk_entry disk;
    memcpy(&disk, at, sizeof disk);
    bool whole = le32toh(disk.crc) == crc32c(&disk, CRC_OFFSET);
    if (!whole && reader->damaged == SOUND)
        reader->damaged = reader->offset;
    else if (whole && disk.kind == ENTRY_MEND)
        reader->damaged = SOUND;
    else if (whole && reader->damaged != SOUND)
        return damage_told(reader, err);
    else if (whole && disk.kind != ENTRY_DOC)
        return err_set(err, E_CORRUPT, "%s at byte %" PRIu64 ": an entry of kind %u", reader->name, reader->offset,
                       disk.kind);
    else if (whole) {
        const struct layout_entry entry = entry_of(&disk);
        reader->each(&entry, reader->user);
    }
    reader->offset += sizeof disk;
    return 0;
}

int layout_read(struct store *store, const char *batch, uint32_t piece,
                void (*each)(const struct layout_entry *entry, void *user), void *user, struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0};
    struct name name;
    struct layout_reader reader = {name_batch(&name, batch, "layout", piece), each, user, 0, SOUND};
    size_t whole;
    do {
        buf_clear(&data);
        int rc = store_read(store, name.text, reader.offset, READ_ENTRIES * LAYOUT_ENTRY_BYTES, &data, err);
        if (rc == E_ABSENT && reader.offset == 0)
            return 0;
        whole = data.size / LAYOUT_ENTRY_BYTES;
        for (size_t i = 0; i < whole && !rc; i++)
            rc = entry_read(&reader, data.data + i * LAYOUT_ENTRY_BYTES, err);
        if (rc)
            return rc;
    } while (whole == READ_ENTRIES);
    /* Behind a torn entry a torn mending may follow. */
    bool torn = data.size % LAYOUT_ENTRY_BYTES != 0;
    return reader.damaged == SOUND || torn ? 0 : damage_told(&reader, err);
}

/* ---- the index ---- */

struct ranked {
    const struct index_entry *entry;
    size_t rank; /* its place in the call */
};

static int ranked_order(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->entry->doc != y->entry->doc)
        return x->entry->doc < y->entry->doc ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* By document; of several for one document the last stays. Returns how many; NULL in *ret_sorted: no memory. */
static size_t entries_sort(const struct index_entry *entries, size_t count, struct ranked **ret_sorted)
{
    size_t kept = 0;
    struct ranked *sorted = calloc(count ? count : 1, sizeof *sorted);
    *ret_sorted = sorted;
    if (!sorted)
        return 0;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct ranked){&entries[i], i};
    qsort(sorted, count, sizeof *sorted, ranked_order);
    for (size_t i = 0; i < count; i++)
        if (kept && sorted[kept - 1].entry->doc == sorted[i].entry->doc)
            sorted[kept - 1] = sorted[i];
        else
            sorted[kept++] = sorted[i];
    return kept;
}

/* How many from the first on go into one write. */
static size_t shard_run(const struct ranked *sorted, size_t count)
{
    size_t n = 1;
    while (n < count && n < INDEX_PAIRS &&
           sorted[n].entry->doc / LAYOUT_SHARD_DOCS == sorted->entry->doc / LAYOUT_SHARD_DOCS)
        n++;
    return n;
}

struct index_pairs {
    char key[INDEX_PAIRS][KEY_BYTES];
    struct store_pair pair[INDEX_PAIRS];
};

/* The document in eight digits: %08u, for every document that ends. */
static void key_write(char key[KEY_BYTES], uint32_t doc)
{
    assert(doc < BATCH_MAX_DOCS);
    for (int i = KEY_BYTES - 2; i >= 0; i--, doc /= 10)
        key[i] = (char)('0' + doc % 10);
    key[KEY_BYTES - 1] = '\0';
}

/* Outcomes of one shard. */
static int pairs_put(struct store *store, const char *batch, const struct ranked *sorted, size_t count,
                     struct index_pairs *pairs, struct err *err)
{
    struct name name;
    bool renew = false;
    for (size_t i = 0; i < count; i++) {
        renew = renew || sorted[i].entry->quarantined;
        key_write(pairs->key[i], sorted[i].entry->doc);
        pairs->pair[i] = (struct store_pair){
            .key = pairs->key[i], .value = sorted[i].entry->outcome, .bytes = sorted[i].entry->bytes};
    }
    name_batch(&name, batch, "index", sorted->entry->doc / LAYOUT_SHARD_DOCS);
    return renew ? store_guard_map_renew(store, name.text, pairs->pair, count, err)
                 : store_guard_map_set(store, name.text, pairs->pair, count, err);
}

int index_put(struct store *store, const char *batch, const struct index_entry *entries, size_t count, struct err *err)
{
    AUTO(mem_destroy) struct index_pairs *pairs = calloc(1, sizeof *pairs);
    AUTO(mem_destroy) struct ranked *sorted = NULL;
    size_t left = entries_sort(entries, count, &sorted);
    if (!pairs || !sorted)
        return err_set(err, E_NOMEM, "no memory for the index of batch %s", batch);
    int rc = 0;
    for (size_t at = 0, n; left && !rc; at += n, left -= n) {
        n = shard_run(sorted + at, left);
        rc = pairs_put(store, batch, sorted + at, n, pairs, err);
    }
    return rc;
}

struct index_reader {
    const char *name;
    void (*each)(const Sohoa__DocOutcome *outcome, void *user);
    void *user;
    char after[KEY_BYTES]; /* the last key read */
    int rc;
    struct err *err;
};

static void outcome_destroy(Sohoa__DocOutcome **outcome)
{
    if (*outcome)
        sohoa__doc_outcome__free_unpacked(*outcome, NULL);
    *outcome = NULL;
}

static void pair_read(const struct store_pair *pair, void *user)
{
    struct index_reader *reader = user;
    char key[KEY_BYTES] = "";
    if (reader->rc)
        return;
    AUTO(outcome_destroy) Sohoa__DocOutcome *outcome = sohoa__doc_outcome__unpack(NULL, pair->bytes, pair->value);
    if (outcome)
        key_write(key, outcome->doc % BATCH_MAX_DOCS);
    if (!outcome || strcmp(key, pair->key)) {
        reader->rc =
            err_set(reader->err, E_CORRUPT, "%s: what key %s holds is not its outcome", reader->name, pair->key);
        return;
    }
    memcpy(reader->after, key, sizeof key);
    reader->each(outcome, reader->user);
}

int index_read(struct store *store, const char *batch, uint32_t shard,
               void (*each)(const Sohoa__DocOutcome *outcome, void *user), void *user, struct err *err)
{
    struct name name;
    struct index_reader reader = {
        .name = name_batch(&name, batch, "index", shard), .each = each, .user = user, .err = err};
    bool more = true;
    int rc = 0;
    while (more && !rc) {
        rc = store_map_read(store, reader.name, reader.after, INDEX_PAIRS, pair_read, &reader, &more, err);
        rc = rc ? rc : reader.rc;
    }
    return rc;
}
