/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Where ledger.c stops, this goes on: what is not as it should be becomes a finding, and what can't be told any more after it is
 * not held against what follows. After a gap, the tree is another than it was: it is in doubt, and a checkpoint that does not fit
 * says nothing new. */
#include "storage/ledger_verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/chain.h"
#include "storage/ledger_record.h"

enum { KEPT_ELSEWHERE = 1 };

struct seen {
    uint64_t number;
    uint32_t bytes, crc;
};

struct noted { /* a checkpoint that can be read */
    struct checkpoint said;
    bool ours, elsewhere;
};

struct verify {
    struct store *store;
    const uint8_t *public;
    struct ledger_watch *watch;
    struct ledger_verdict *verdict;
    struct buf noted;  /* struct noted, ascending by size */
    size_t checked;    /* of them, so far */
    struct seen *seen; /* by number */
    struct chain chain;
    uint64_t next; /* the number that should come next */
    bool follows;  /* the entry before is known */
    bool doubt;    /* what was found makes the tree another */
};

struct place {
    const char *blob;
    size_t offset;
};

static void __attribute__((format(printf, 4, 5)))
found(struct verify *v, const struct place *place, uint64_t entry, const char *format, ...)
{
    struct ledger_verdict *verdict = v->verdict;
    if (verdict->findings++ >= LEDGER_FINDINGS_MAX)
        return;
    struct ledger_finding *finding = &verdict->finding[verdict->findings - 1];
    va_list args;
    snprintf(finding->blob, sizeof finding->blob, "%s", place->blob);
    finding->offset = place->offset;
    finding->entry = entry;
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
}

/* ---- checkpoints ---- */

static int noted_order(const void *a, const void *b)
{
    const struct noted *x = a, *y = b;
    return x->said.size < y->said.size ? -1 : x->said.size > y->said.size;
}

static const struct noted *noted_at(const struct verify *v, size_t index)
{
    return index < v->noted.size / sizeof(struct noted) ? (const struct noted *)(const void *)v->noted.data + index
                                                        : NULL;
}

static const char *noted_name(const struct noted *noted, struct name *name)
{
    checkpoint_name(name, noted->said.size);
    if (noted->elsewhere)
        snprintf(name->text, sizeof name->text, "the checkpoint given");
    return name->text;
}

/* The note of blob, of size entries. */
static void note_take(struct verify *v, const char *blob, const struct buf *note, uint64_t size, bool elsewhere)
{
    struct place place = {blob, 0};
    struct noted noted = {.elsewhere = elsewhere};
    struct err why;
    bool whole = !checkpoint_read(note, &noted.said, &why) && noted.said.size == size;
    enum checkpoint_signer signer = v->public ? checkpoint_signer(note, v->public) : SIGNED_BY_KEY;
    noted.ours = signer == SIGNED_BY_KEY;
    if (whole && signer != SIGNED_FALSELY && (noted.ours || !elsewhere)) {
        buf_append(&v->noted, &noted, sizeof noted);
        return;
    }
    v->verdict->checkpoints.bad++;
    found(v, &place, size, "%s",
          !whole                     ? "it is no checkpoint of that many entries"
          : signer == SIGNED_FALSELY ? "its signature is false: it was changed"
                                     : "it is signed with another key");
}

static int checkpoints_note(struct verify *v, struct err *err)
{
    AUTO(buf_destroy) struct buf sizes = {0};
    int rc = checkpoints_find(v->store, &sizes, err);
    for (size_t i = 0; i < sizes.size / sizeof(uint64_t) && !rc && !atomic_load(&v->watch->stop); i++) {
        AUTO(buf_destroy) struct buf note = {0};
        struct name name;
        uint64_t size = ((const uint64_t *)(const void *)sizes.data)[i];
        rc = store_get(v->store, checkpoint_name(&name, size), CHECKPOINT_BYTES, &note, err);
        if (!rc || rc == E_LIMIT)
            note_take(v, name.text, &note, size, false);
        if (rc == E_LIMIT || rc == E_ABSENT)
            rc = 0;
    }
    return rc;
}

static bool noted_there(const struct verify *v, uint64_t size)
{
    struct noted key = {.said.size = size};
    size_t count = v->noted.size / sizeof key;
    return count && bsearch(&key, v->noted.data, count, sizeof key, noted_order);
}

/* Each says which was written before it. */
static void checkpoints_row(struct verify *v)
{
    const struct noted *noted;
    for (size_t i = 0; (noted = noted_at(v, i)); i++) {
        struct name missing, name;
        struct place place = {checkpoint_name(&missing, noted->said.after), 0};
        if (!noted->ours || !noted->said.after || noted_there(v, noted->said.after) ||
            !store_stat(v->store, missing.text, NULL, &(struct err){0}))
            continue;
        v->verdict->checkpoints.bad++;
        found(v, &place, noted->said.after, "it is missing: %s was written after it", noted_name(noted, &name));
    }
}

static int checkpoints_start(struct verify *v, const struct buf *kept, struct err *err)
{
    struct checkpoint said;
    int rc = checkpoints_note(v, err);
    if (rc)
        return rc;
    checkpoints_row(v);
    if (kept) {
        rc = checkpoint_read(kept, &said, err);
        if (!rc)
            note_take(v, "the checkpoint given", kept, said.size, KEPT_ELSEWHERE);
    }
    if (v->noted.size)
        qsort(v->noted.data, v->noted.size / sizeof(struct noted), sizeof(struct noted), noted_order);
    return rc;
}

/* Those of the entries so far. */
static void checkpoints_check(struct verify *v)
{
    const struct noted *noted;
    uint8_t root[SHA256_BYTES];
    for (; (noted = noted_at(v, v->checked)) && noted->said.size < v->next; v->checked++) {
        struct name name;
        struct place place = {noted_name(noted, &name), 0};
        merkle_root(&v->chain.tree, root);
        bool fits = noted->said.size == v->next - 1 && !memcmp(root, noted->said.root, sizeof root);
        if (fits && noted->ours)
            v->verdict->checkpoints.good++;
        else if (fits)
            v->verdict->checkpoints.others++;
        else if (v->doubt)
            v->verdict->checkpoints.unchecked++;
        else {
            v->verdict->checkpoints.bad++;
            found(v, &place, noted->said.size,
                  "the first %" PRIu64 " entries are others than on %s: they were rewritten", noted->said.size,
                  noted->said.time);
            v->doubt = true;
        }
    }
}

static void checkpoints_end(struct verify *v)
{
    size_t left = v->noted.size / sizeof(struct noted) - v->checked;
    if (!left)
        return;
    struct name name;
    const struct noted *last = noted_at(v, v->checked + left - 1);
    struct place place = {noted_name(last, &name), 0};
    v->verdict->checkpoints.bad += left;
    found(v, &place, last->said.size,
          "the ledger had %" PRIu64 " entries on %s and ends with entry %" PRIu64 ": its end was cut off",
          last->said.size, last->said.time, v->next - 1);
}

/* ---- entries ---- */

static struct seen *seen_of(struct verify *v, uint64_t number)
{
    struct seen *seen = &v->seen[number % SEEN_ENTRIES];
    return seen->number == number ? seen : NULL;
}

static void entry_add(struct verify *v, const struct record *record, const struct record_head *head)
{
    v->seen[head->number % SEEN_ENTRIES] = (struct seen){head->number, record->bytes, record->crc};
    chain_add(&v->chain, record->body, record->bytes, head->before_bytes);
    v->next = head->number + 1;
    while (seen_of(v, v->next)) /* those that came too early */
        v->next++;
    atomic_fetch_add_explicit(&v->watch->entries, 1, memory_order_relaxed);
    checkpoints_check(v);
}

static void entry_early(struct verify *v, const struct record_head *head, const struct place *place)
{
    if (head->number == v->next + 1)
        found(v, place, v->next, "entry %" PRIu64 " is missing: entry %" PRIu64 " stands here", v->next, head->number);
    else
        found(v, place, v->next, "entries %" PRIu64 " to %" PRIu64 " are missing: entry %" PRIu64 " stands here",
              v->next, head->number - 1, head->number);
    v->doubt = true;
}

/* Its number came before; false: with the same bytes. */
static bool entry_late(struct verify *v, const struct record *record, const struct record_head *head,
                       const struct place *place)
{
    const struct seen *seen = head->number ? seen_of(v, head->number) : NULL;
    if (seen && seen->bytes == record->bytes && seen->crc == record->crc)
        return false;
    found(v, place, head->number,
          seen ? "entry %" PRIu64 " comes again and is another" : "entry %" PRIu64 " is out of order", head->number);
    v->doubt = true;
    return true;
}

static bool entry_reads(const struct record *record, struct record_head *head)
{
    Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, record->bytes, record->body);
    if (entry)
        sohoa__ledger_entry__free_unpacked(entry, NULL);
    return entry && record_head(record->body, record->bytes, head);
}

static void entry_verify(struct verify *v, const struct record *record, const struct place *place)
{
    struct record_head head;
    bool in_order = false;
    if (!entry_reads(record, &head)) {
        found(v, place, v->next, "that is no ledger entry, though its CRC is right");
        v->follows = false;
        v->doubt = true;
        return;
    }
    if (head.number < v->next && !entry_late(v, record, &head, place))
        return;
    if (head.number > v->next)
        entry_early(v, &head, place);
    else if (head.number == v->next)
        in_order = true;
    const char *wrong = in_order && v->follows ? chain_check(&v->chain, head.before, head.before_bytes) : NULL;
    if (wrong)
        found(v, place, head.number, "entry %" PRIu64 " %s: that was changed", head.number, wrong);
    v->follows = in_order || head.number >= v->next;
    entry_add(v, record, &head);
}

/* A record whose CRC is wrong, or whose length. Its body counts as an entry when its frame holds, so that only it is wrong. */
static size_t damage_pass(struct verify *v, const struct place *place, const uint8_t *data, size_t bytes)
{
    struct record record, after;
    struct record_head head;
    if (bytes > HEADER_BYTES) {
        record_header(data, &record);
        size_t end = HEADER_BYTES + (size_t)record.bytes;
        bool framed = record.bytes && end <= bytes &&
                      (end == bytes || record_look(data + end, bytes - end, &after) == RECORD_WHOLE);
        if (framed) {
            found(v, place, v->next, "entry %" PRIu64 ": its CRC is wrong: it was damaged", v->next);
            v->doubt = true;
            v->follows = false;
            if (!record_head(record.body, record.bytes, &head) || head.number != v->next)
                head = (struct record_head){.number = v->next, .before_bytes = v->chain.from ? SHA256_BYTES : 0};
            entry_add(v, &record, &head);
            return end;
        }
    }
    size_t skipped = record_seek(data, bytes);
    found(v, place, v->next, "%zu bytes are damaged, where entry %" PRIu64 " should be", skipped, v->next);
    v->doubt = true;
    v->follows = false;
    return skipped;
}

static int segment_verify(struct verify *v, uint32_t segment, struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0};
    struct segment_name name;
    struct place place = {segment_name(&name, segment), 0};
    int rc = store_get(v->store, place.blob, LEDGER_SEGMENT_BYTES, &data, err);
    if (rc == E_ABSENT || rc == E_LIMIT) {
        found(v, &place, v->next, rc == E_LIMIT ? "the segment is too large" : "the segment is missing");
        v->doubt = true;
        return 0;
    }
    while (!rc && place.offset < data.size) {
        struct record record;
        const uint8_t *at = data.data + place.offset;
        size_t left = data.size - place.offset;
        enum record_state state = record_look(at, left, &record);
        if (state == RECORD_WHOLE) {
            entry_verify(v, &record, &place);
            place.offset += HEADER_BYTES + record.bytes;
        } else if (tail_is_torn(at, left, state))
            break;
        else
            place.offset += damage_pass(v, &place, at, left);
    }
    v->verdict->bytes += data.size;
    atomic_fetch_add(&v->watch->bytes, data.size);
    return rc;
}

/* ---- all of it ---- */

static int segment_found(const char *name, void *user)
{
    char *end;
    unsigned long segment = strtoul(name + strlen("ledger/"), &end, 10);
    uint32_t *last = user;
    if (!*end && end != name + strlen("ledger/") && segment <= SEGMENTS_MAX && segment > *last)
        *last = (uint32_t)segment;
    return 0;
}

static int verify_segments(struct verify *v, struct err *err)
{
    uint32_t last = 0;
    int rc = store_list(v->store, "ledger/", segment_found, &last, err);
    v->verdict->segments = last;
    for (uint32_t segment = 1; segment <= last && !rc; segment++) {
        struct segment_name name;
        uint64_t bytes = 0;
        rc = store_stat(v->store, segment_name(&name, segment), &bytes, err);
        atomic_fetch_add(&v->watch->bytes_all, bytes);
        if (rc == E_ABSENT)
            rc = 0;
    }
    for (uint32_t segment = 1; segment <= last && !rc; segment++) {
        rc = segment_verify(v, segment, err);
        if (!rc && atomic_load(&v->watch->stop))
            rc = err_set(err, E_STATE, "the ledger's verification was stopped");
    }
    return rc;
}

static void verify_destroy(struct verify *v)
{
    buf_destroy(&v->noted);
    chain_destroy(&v->chain);
    free(v->seen);
}

int ledger_verify(struct store *store, const uint8_t public[SIGNING_PUBLIC_BYTES], const struct buf *kept,
                  struct ledger_watch *watch, struct ledger_verdict *verdict, struct err *err)
{
    AUTO(verify_destroy)
    struct verify v = {
        .store = store, .public = public, .watch = watch, .verdict = verdict, .next = 1, .follows = true};
    *verdict = (struct ledger_verdict){0};
    chain_init(&v.chain);
    v.seen = calloc(SEEN_ENTRIES, sizeof *v.seen);
    if (!v.seen)
        return err_set(err, E_NOMEM, "no memory to verify the ledger");
    /* First, so that what they vouch for is there even when somebody writes meanwhile. */
    int rc = checkpoints_start(&v, kept, err);
    if (!rc)
        rc = verify_segments(&v, err);
    if (rc)
        return rc;
    checkpoints_end(&v);
    verdict->entries = v.chain.tree.size;
    verdict->chained_from = v.chain.from;
    merkle_root(&v.chain.tree, verdict->root);
    return 0;
}
