/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What a back-up has (backup.h): each blob with its length and SHA-256, kept beside them as text, a row a line:
 *
 *     <sha256, 64 hexadecimal digits> <bytes> <name>
 *     all <sha256 of the lines above>
 *
 * A row is in the shard inventory/<kind>/<4 hexadecimal digits> that its name says; the blobs of one source share theirs. The hash of a
 * map is that of its pairs in order of keys, each as u32 length of the key, key, u32 length of the value, value; little-endian. */
#ifndef SOHOA_INVENTORY_H
#define SOHOA_INVENTORY_H

#include <stdbool.h>

#include "proto/buf.h"
#include "proto/sha256.h"
#include "storage/name.h"
#include "storage/store.h"

/* In the order in which they are copied: what refers to others comes behind them. */
enum inventory_kind {
    INVENTORY_BUNDLE, /* before out: where a bundle was folded meanwhile, what it was folded into is there */
    INVENTORY_SRC,
    INVENTORY_OUT,
    INVENTORY_REC,
    INVENTORY_REMARKS, /* batch/<id>/remarks/ */
    INVENTORY_BATCH,   /* manifests, rows, layouts */
    INVENTORY_STOP,
    INVENTORY_LEDGER,     /* its segments */
    INVENTORY_INDEX,      /* batch/<id>/index/: maps */
    INVENTORY_CHECKPOINT, /* of the ledger */
    INVENTORY_KINDS       /* view, inventory and whatever else there may be */
};

extern const char *const inventory_kind_name[INVENTORY_KINDS];

enum inventory_kind inventory_kind(const char *name);

/* How many shards it has, and the one that a name of that kind is in. */
uint32_t inventory_shards(enum inventory_kind kind);
uint32_t inventory_shard(enum inventory_kind kind, const char *name);

/* Of the shard itself. */
const char *inventory_name(struct name *name, enum inventory_kind kind, uint32_t shard);

/* The other way round; false: no shard is called so. */
bool inventory_name_read(const char *name, enum inventory_kind *ret_kind, uint32_t *ret_shard);

struct blob_hash {
    uint64_t bytes; /* of a map: of its pairs, as they are hashed */
    uint8_t sha256[SHA256_BYTES];
};

struct inventory_row {
    const char *name;
    struct blob_hash hash;
};

/* Reads a shard: *text keeps what the rows (struct inventory_row, appended) borrow. A shard that is absent has none. Errors: E_STORE;
 * E_CORRUPT: it is not what was written. */
int inventory_load(struct store *store, enum inventory_kind kind, uint32_t shard, struct buf *text, struct buf *rows,
                   struct err *err);

/* Writes a shard (guarded), in the order given; without rows it goes. */
int inventory_save(struct store *store, enum inventory_kind kind, uint32_t shard, const struct inventory_row *rows,
                   size_t count, struct err *err);

/* A text that ends with its own hash, as shards do: "all <sha256>\n" is appended; looked at. */
void inventory_seal(struct buf *text);
bool inventory_sealed(const struct buf *text, size_t *ret_bytes); /* of the lines above the last */

#endif
