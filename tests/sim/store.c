/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/store.h"

#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "storage/layout.h"
#include "storage/ledger.h"
#include "storage/renewal.h"
#include "tests/sim/source.h"
#include "tests/sim/world.h"

enum { PIECES_MOST = 4, UNDOOMED = UINT32_MAX };

struct store {
    struct blob *blob;
    size_t blobs, room;
    struct buf entries;                      /* packed ledger entries, each behind its u32 length */
    struct buf layout[BATCHES][PIECES_MOST]; /* struct layout_entry */
    uint64_t epoch, orders;
    uint32_t doom; /* writes until the coordinator is dead */
};

struct ledger {
    struct buf queued; /* as entries */
};

static struct store the_disk;

struct store *disk(void)
{
    return &the_disk;
}

void disk_reset(void)
{
    for (size_t i = 0; i < the_disk.blobs; i++)
        free(the_disk.blob[i].name);
    free(the_disk.blob);
    buf_destroy(&the_disk.entries);
    for (int b = 0; b < BATCHES; b++)
        for (int p = 0; p < PIECES_MOST; p++)
            buf_destroy(&the_disk.layout[b][p]);
    the_disk = (struct store){.doom = UNDOOMED};
}

void disk_mount(void)
{
    the_disk.epoch++;
    the_disk.doom = UNDOOMED;
}

void disk_doom(uint32_t writes)
{
    the_disk.doom = writes;
}

bool disk_doomed(void)
{
    return the_disk.doom == 0;
}

/* The coordinator writes: false: it is dead, and does not. */
static bool write_allowed(void)
{
    if (the_disk.doom == 0)
        return false;
    if (the_disk.doom != UNDOOMED)
        the_disk.doom--;
    return the_disk.doom != 0;
}

static int write_fails(struct err *err)
{
    return happens(world.one_in.store) ? err_set(err, E_STORE, "the store is away") : 0;
}

/* ---- blobs ---- */

static uint64_t name_hash(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return hash;
}

const struct blob *blob_find(const char *name)
{
    uint64_t hash = name_hash(name);
    for (size_t i = 0; i < the_disk.blobs; i++)
        if (the_disk.blob[i].hash == hash && !strcmp(the_disk.blob[i].name, name))
            return &the_disk.blob[i];
    return NULL;
}

void blob_create(const char *name, uint32_t dead)
{
    if (blob_find(name))
        return;
    if (the_disk.blobs == the_disk.room) {
        the_disk.room = the_disk.room ? the_disk.room * 2 : 256;
        the_disk.blob = realloc(the_disk.blob, the_disk.room * sizeof *the_disk.blob);
    }
    char *copy = strdup(name);
    if (!the_disk.blob || !copy)
        abort();
    the_disk.blob[the_disk.blobs++] = (struct blob){name_hash(name), copy, dead};
}

void blob_remove(const char *name)
{
    const struct blob *found = blob_find(name);
    if (!found)
        return;
    struct blob *blob = &the_disk.blob[found - the_disk.blob];
    free(blob->name);
    *blob = the_disk.blob[--the_disk.blobs];
}

const char *blob_of_source(uint32_t source)
{
    uint8_t sha256[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1];
    source_sha256(source, sha256);
    sha256_hex(sha256, hex);
    for (size_t i = 0; i < the_disk.blobs; i++) {
        const char *name = the_disk.blob[i].name, *behind = strchr(name, '/') + 1;
        if ((!strncmp(name, "out/", 4) || !strncmp(name, "bundle/", 7)) && !strncmp(behind, hex, SHA256_HEX_CHARS))
            return name;
    }
    return NULL;
}

/* ---- what the coordinator calls: store.h ---- */

uint64_t store_epoch(const struct store *store)
{
    return store->epoch;
}

int renewal_look(struct renewal *renewal, struct err *err)
{
    (void)renewal;
    (void)err;
    return 0;
}

int store_guard_create(struct store *store, const char *name, const void *data, size_t bytes, struct err *err)
{
    int rc = write_fails(err);
    (void)store;
    (void)data;
    (void)bytes;
    if (rc || !write_allowed())
        return rc;
    if (blob_find(name))
        return err_set(err, E_EXISTS, "%s", name);
    blob_create(name, 0);
    return 0;
}

/* What is appended is not looked at. */
int store_guard_append(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
                       struct err *err)
{
    (void)ret_offset;
    int rc = store_guard_create(store, name, data, bytes, err);
    return rc == E_EXISTS ? 0 : rc;
}

int store_guard_remove(struct store *store, const char *name, struct err *err)
{
    int rc = write_fails(err);
    (void)store;
    if (!rc && write_allowed())
        blob_remove(name);
    return rc;
}

int store_stat(struct store *store, const char *name, uint64_t *ret_bytes, struct err *err)
{
    (void)store;
    (void)ret_bytes;
    return blob_find(name) ? 0 : err_set(err, E_ABSENT, "%s", name);
}

int store_remove(struct store *store, const char *name, struct err *err)
{
    (void)store;
    (void)err;
    blob_remove(name);
    return 0;
}

int store_list(struct store *store, const char *prefix, int (*each)(const char *name, void *user), void *user,
               struct err *err)
{
    int rc = 0;
    (void)err;
    for (size_t i = 0; i < store->blobs && !rc; i++)
        if (!strncmp(store->blob[i].name, prefix, strlen(prefix)))
            rc = each(store->blob[i].name, user);
    return rc;
}

/* ---- layout.h ---- */

int layout_append(struct store *store, const char *batch, uint32_t piece, const struct layout_entry *entries,
                  size_t count, struct err *err)
{
    int rc = write_fails(err);
    if (!write_allowed())
        return 0;
    /* A write that failed may have been done in part. */
    size_t done = rc ? chance((uint32_t)count + 1) : count;
    buf_append(&store->layout[batch_number(batch)][piece], entries, done * sizeof *entries);
    return rc;
}

int layout_read(struct store *store, const char *batch, uint32_t piece,
                void (*each)(const struct layout_entry *entry, void *user), void *user, struct err *err)
{
    const struct buf *layout = &store->layout[batch_number(batch)][piece];
    const struct layout_entry *entry = (const struct layout_entry *)(const void *)layout->data;
    (void)err;
    for (size_t i = 0; i < layout->size / sizeof *entry; i++)
        each(&entry[i], user);
    return 0;
}

int index_put(struct store *store, const char *batch, const struct index_entry *entries, size_t count, struct err *err)
{
    (void)store;
    (void)batch;
    (void)entries;
    (void)count;
    write_allowed();
    return write_fails(err);
}

/* ---- ledger.h ---- */

static void queue_entry(struct buf *queue, const void *entry, size_t bytes)
{
    uint32_t size = (uint32_t)bytes;
    buf_append(queue, &size, sizeof size);
    buf_append(queue, entry, bytes);
}

void ledger_begin(const void *entry, size_t bytes)
{
    queue_entry(&the_disk.entries, entry, bytes);
}

void ledger_add_packed(struct ledger *ledger, const void *entry, size_t bytes)
{
    queue_entry(&ledger->queued, entry, bytes);
}

void ledger_add(struct ledger *ledger, Sohoa__LedgerEntry *entry)
{
    AUTO(buf_destroy) struct buf packed = {0};
    size_t bytes = sohoa__ledger_entry__get_packed_size(entry);
    sohoa__ledger_entry__pack(entry, buf_reserve(&packed, bytes));
    queue_entry(&ledger->queued, packed.data, bytes);
}

static bool by_operator(const Sohoa__LedgerEntry *entry)
{
    return entry->body_case == SOHOA__LEDGER_ENTRY__BODY_RERUN ||
           entry->body_case == SOHOA__LEDGER_ENTRY__BODY_UNDONE ||
           entry->body_case == SOHOA__LEDGER_ENTRY__BODY_RELEASED ||
           entry->body_case == SOHOA__LEDGER_ENTRY__BODY_QUARANTINED ||
           entry->body_case == SOHOA__LEDGER_ENTRY__BODY_WITHDRAWN;
}

static int entries_read(const struct buf *entries,
                        int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err), void *user,
                        struct err *err)
{
    int rc = 0;
    for (size_t at = 0; at < entries->size && !rc;) {
        uint32_t bytes;
        memcpy(&bytes, entries->data + at, sizeof bytes);
        Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, bytes, entries->data + at + sizeof bytes);
        if (!entry)
            violation("the ledger has an entry that is none");
        rc = each(entry, user, err);
        sohoa__ledger_entry__free_unpacked(entry, NULL);
        at += sizeof bytes + bytes;
    }
    return rc;
}

static int count_order(const Sohoa__LedgerEntry *entry, void *user, struct err *err)
{
    (void)user;
    (void)err;
    the_disk.orders += by_operator(entry);
    return 0;
}

uint64_t ledger_orders(void)
{
    return the_disk.orders;
}

/* Some of the first entries, as a torn end leaves them. */
static size_t torn_bytes(const struct buf *queued)
{
    size_t at = 0;
    while (at < queued->size && chance(4)) {
        uint32_t bytes;
        memcpy(&bytes, queued->data + at, sizeof bytes);
        at += sizeof bytes + bytes;
    }
    return at;
}

int ledger_commit(struct ledger *ledger, struct err *err)
{
    bool dead = disk_doomed();
    int rc = write_fails(err);
    if (rc)
        return rc;
    bool whole = write_allowed();
    if (!dead)
        buf_append(&the_disk.entries, ledger->queued.data, whole ? ledger->queued.size : torn_bytes(&ledger->queued));
    if (whole)
        entries_read(&ledger->queued, count_order, NULL, err);
    buf_clear(&ledger->queued);
    return 0;
}

int ledger_read(struct store *store, int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err),
                void *user, struct err *err)
{
    return entries_read(&store->entries, each, user, err);
}

int ledger_open(struct store *store, const struct checkpoints *signed_by_us,
                int (*each)(const Sohoa__LedgerEntry *entry, void *user, struct err *err), void *user,
                struct ledger **ret_ledger, struct err *err)
{
    (void)signed_by_us;
    int rc = ledger_read(store, each, user, err);
    if (rc)
        return rc;
    *ret_ledger = calloc(1, sizeof **ret_ledger);
    if (!*ret_ledger)
        abort();
    return 0;
}

void ledger_destroy(struct ledger **ledger)
{
    if (*ledger)
        buf_destroy(&(*ledger)->queued);
    free(*ledger);
    *ledger = NULL;
}

uint64_t ledger_next(const struct ledger *ledger)
{
    (void)ledger;
    return 1;
}
