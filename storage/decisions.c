/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Sources that were ever quarantined are few, and kept as a sorted row; documents are bits of their batch. */
#include "storage/decisions.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/array.h"
#include "proto/auto.h"
#include "storage/crc32c.h"
#include "storage/inventory.h"
#include "storage/layout.h"
#include "storage/ledger_record.h"

enum { HEADS = 4096, WORD_BITS = 64 };

struct source {
    uint8_t sha256[SHA256_BYTES];
    bool stopped, stopped_since, purged;
};

/* A bit a document. */
struct bits {
    uint64_t *word;
    size_t words;
};

struct batch_said {
    char id[NAME_BYTES];
    uint32_t next; /* of those with the same head; + 1, 0: none */
    bool touched;  /* an entry after `since` names it */
    struct bits ended, stopped,
        stopped_since; /* documents with an outcome after `since`; that are quarantined; that were after it */
};

struct decisions {
    uint64_t since, entries;
    uint8_t last[SHA256_BYTES], at_since[SHA256_BYTES];
    struct source *source;
    size_t sources;
    struct batch_said *batch;
    size_t batches;
    uint32_t head[HEADS]; /* of batches, by hash; + 1, 0: none */
    int (*alive)(void *user, struct err *err);
    void *user;
    int rc;
    struct err *err;
};

/* ---- what was said ---- */

static void bits_set(struct bits *bits, uint32_t bit, bool on)
{
    size_t word = bit / WORD_BITS;
    if (word >= bits->words && !on)
        return;
    if (word >= bits->words) {
        size_t words = 2 * word + 1;
        bits->word = realloc(bits->word, words * sizeof *bits->word);
        if (!bits->word)
            abort();
        memset(bits->word + bits->words, 0, (words - bits->words) * sizeof *bits->word);
        bits->words = words;
    }
    uint64_t mask = UINT64_C(1) << bit % WORD_BITS;
    bits->word[word] = on ? bits->word[word] | mask : bits->word[word] & ~mask;
}

static bool bits_get(const struct bits *bits, uint32_t bit)
{
    return bit / WORD_BITS < bits->words && bits->word[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

static bool bits_any(const struct bits *bits, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count && i / WORD_BITS < bits->words; i++)
        if (bits_get(bits, i))
            return true;
    return false;
}

/* id: its first bytes. NULL: no entry names it. */
static struct batch_said *batch_find(const struct decisions *d, const char *id, size_t bytes)
{
    for (uint32_t i = d->head[crc32c(id, bytes) % HEADS]; i; i = d->batch[i - 1].next)
        if (strlen(d->batch[i - 1].id) == bytes && !memcmp(d->batch[i - 1].id, id, bytes))
            return &d->batch[i - 1];
    return NULL;
}

static struct batch_said *batch_take(struct decisions *d, const char *id)
{
    struct batch_said *batch = batch_find(d, id, strlen(id));
    if (batch)
        return batch;
    uint32_t *head = &d->head[crc32c(id, strlen(id)) % HEADS];
    d->batch = array_room(d->batch, d->batches, sizeof *d->batch);
    batch = &d->batch[d->batches++];
    *batch = (struct batch_said){.next = *head};
    snprintf(batch->id, sizeof batch->id, "%s", id);
    *head = (uint32_t)d->batches;
    return batch;
}

/* Where the source is among the sorted, or belongs. */
static size_t source_place(const struct decisions *d, const uint8_t *sha256)
{
    size_t low = 0, high = d->sources;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(d->source[middle].sha256, sha256, SHA256_BYTES) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: it was never stopped. */
static struct source *source_find(const struct decisions *d, const uint8_t *sha256)
{
    size_t at = source_place(d, sha256);
    return at < d->sources && !memcmp(d->source[at].sha256, sha256, SHA256_BYTES) ? &d->source[at] : NULL;
}

static void source_stop(struct decisions *d, const uint8_t *sha256, bool since, bool purged)
{
    struct source *source = source_find(d, sha256);
    if (!source) {
        size_t at = source_place(d, sha256);
        d->source = array_room(d->source, d->sources, sizeof *d->source);
        memmove(d->source + at + 1, d->source + at, (d->sources++ - at) * sizeof *d->source);
        source = &d->source[at];
        *source = (struct source){0};
        memcpy(source->sha256, sha256, SHA256_BYTES);
    }
    source->stopped = true;
    source->stopped_since = source->stopped_since || since;
    source->purged = source->purged || purged;
}

void decisions_add_stop(struct decisions *d, const char *name)
{
    uint8_t sha256[SHA256_BYTES];
    if (sha256_unhex(name + strlen("stop/"), sha256))
        source_stop(d, sha256, false, false);
}

/* ---- entries ---- */

static void on_outcome(struct decisions *d, const Sohoa__DocOutcome *outcome, bool since)
{
    struct batch_said *batch = batch_take(d, outcome->batch);
    bool stopped = outcome->state == SOHOA__DOC_STATE__DOC_QUARANTINED;
    if (outcome->doc >= BATCH_MAX_DOCS)
        return;
    batch->touched = batch->touched || since;
    bits_set(&batch->stopped, outcome->doc, stopped);
    if (since)
        bits_set(&batch->ended, outcome->doc, true);
    if (since && stopped)
        bits_set(&batch->stopped_since, outcome->doc, true);
    if (stopped && outcome->sha256.len == SHA256_BYTES)
        source_stop(d, outcome->sha256.data, since, false);
}

static void on_released(struct decisions *d, const Sohoa__Released *released)
{
    if (released->doc < BATCH_MAX_DOCS)
        bits_set(&batch_take(d, released->batch)->stopped, released->doc, false);
    struct source *source = released->sha256.len == SHA256_BYTES ? source_find(d, released->sha256.data) : NULL;
    if (source)
        source->stopped = source->purged;
}

/* Whatever the entry is about: the batch that it names. */
static void on_other(struct decisions *d, const ProtobufCMessage *body, bool since)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(body->descriptor, "batch");
    if (!field || field->type != PROTOBUF_C_TYPE_STRING)
        return;
    const char *id = *(const char *const *)(const void *)((const char *)body + field->offset);
    struct batch_said *batch = batch_take(d, id);
    batch->touched = batch->touched || since;
}

static void on_entry(struct decisions *d, const Sohoa__LedgerEntry *entry, bool since)
{
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY_OUTCOME) {
        on_outcome(d, entry->outcome, since);
        return;
    }
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY__NOT_SET)
        return;
    on_other(d, (const ProtobufCMessage *)(const void *)entry->admitted, since); /* all are in the same place */
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY_RELEASED)
        on_released(d, entry->released);
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY_QUARANTINED && entry->quarantined->sha256.len == SHA256_BYTES)
        source_stop(d, entry->quarantined->sha256.data, since, false);
    if (entry->body_case == SOHOA__LEDGER_ENTRY__BODY_PURGED && entry->purged->sha256.len == SHA256_BYTES)
        source_stop(d, entry->purged->sha256.data, since, true);
}

static int entry_read(const struct record_head *head, const void *packed, size_t bytes, void *user)
{
    struct decisions *d = user;
    Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, bytes, packed);
    d->rc = entry ? d->alive(d->user, d->err)
                  : err_set(d->err, E_CORRUPT, "entry %" PRIu64 " of the ledger can't be read", head->number);
    if (!d->rc) {
        on_entry(d, entry, head->number > d->since);
        d->entries = head->number;
        sha256_of(packed, bytes, d->last);
        if (head->number == d->since)
            memcpy(d->at_since, d->last, SHA256_BYTES);
    }
    if (entry)
        sohoa__ledger_entry__free_unpacked(entry, NULL);
    return d->rc != 0;
}

int decisions_read(struct store *store, uint64_t since, int (*alive)(void *user, struct err *err), void *user,
                   struct decisions **ret_decisions, struct err *err)
{
    AUTO(decisions_destroy) struct decisions *d = calloc(1, sizeof *d);
    if (!d)
        return err_set(err, E_NOMEM, "no memory to read the ledger");
    d->since = since;
    d->alive = alive;
    d->user = user;
    d->err = err;
    int rc = ledger_read_packed(store, entry_read, d, err);
    if (!rc)
        rc = d->rc;
    if (rc)
        return rc;
    *ret_decisions = d;
    d = NULL;
    return 0;
}

void decisions_destroy(struct decisions **decisions)
{
    struct decisions *d = *decisions;
    if (!d)
        return;
    for (size_t i = 0; i < d->batches; i++) {
        free(d->batch[i].ended.word);
        free(d->batch[i].stopped.word);
        free(d->batch[i].stopped_since.word);
    }
    free(d->batch);
    free(d->source);
    free(d);
    *decisions = NULL;
}

/* ---- asked ---- */

uint64_t decisions_entries(const struct decisions *d)
{
    return d->entries;
}

const uint8_t *decisions_last(const struct decisions *d)
{
    return d->last;
}

const uint8_t *decisions_since(const struct decisions *d)
{
    return d->at_since;
}

/* The source that a name is of: its second component. */
static const struct source *source_of(const struct decisions *d, const char *name)
{
    char hex[SHA256_HEX_CHARS + 1];
    uint8_t sha256[SHA256_BYTES];
    const char *at = strchr(name, '/') + 1;
    if (strcspn(at, "/") != SHA256_HEX_CHARS)
        return NULL;
    snprintf(hex, sizeof hex, "%s", at);
    return sha256_unhex(hex, sha256) ? source_find(d, sha256) : NULL;
}

static const struct batch_said *batch_of(const struct decisions *d, const char *name)
{
    const char *at = strchr(name, '/') + 1;
    return batch_find(d, at, strcspn(at, "/"));
}

/* The number that a name ends with. */
static uint32_t number_of(const char *name)
{
    return (uint32_t)strtoul(strrchr(name, '/') + 1, NULL, 10);
}

bool decisions_end(const struct decisions *d, const char *name)
{
    const struct source *source = NULL;
    const struct batch_said *batch = NULL;
    switch (inventory_kind(name)) {
    case INVENTORY_SRC: source = source_of(d, name); return source && source->purged;
    case INVENTORY_OUT:
    case INVENTORY_BUNDLE: source = source_of(d, name); return source && source->stopped;
    case INVENTORY_REC:
    case INVENTORY_REMARKS: batch = batch_of(d, name); return batch && bits_get(&batch->stopped, number_of(name));
    default: return false;
    }
}

bool decisions_explain(const struct decisions *d, const char *name)
{
    const struct source *source = NULL;
    const struct batch_said *batch = NULL;
    switch (inventory_kind(name)) {
    case INVENTORY_BUNDLE: return true; /* it was folded */
    case INVENTORY_OUT: source = source_of(d, name); return source && source->stopped_since;
    case INVENTORY_STOP: source = source_of(d, name); return !source || !source->stopped;
    case INVENTORY_REC:
    case INVENTORY_REMARKS: batch = batch_of(d, name); return batch && bits_get(&batch->stopped_since, number_of(name));
    default: return false;
    }
}

bool decisions_touch(const struct decisions *d, const char *name)
{
    const struct batch_said *batch = NULL;
    switch (inventory_kind(name)) {
    case INVENTORY_REC: batch = batch_of(d, name); return !batch || bits_get(&batch->ended, number_of(name));
    case INVENTORY_INDEX:
        batch = batch_of(d, name);
        return !batch || number_of(name) >= BATCH_MAX_DOCS / LAYOUT_SHARD_DOCS + 1 ||
               bits_any(&batch->ended, number_of(name) * LAYOUT_SHARD_DOCS, LAYOUT_SHARD_DOCS);
    case INVENTORY_BATCH:
    case INVENTORY_REMARKS: batch = batch_of(d, name); return !batch || batch->touched;
    default: return false;
    }
}
