/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Documents lie in blocks and have numbers in the order they came; a document keeps its number for good. A group is a ring of numbers. The
 * index is an open-addressing table cut into shards, so that growing never takes long. A place of it has a number and eight bits of the
 * key; whether the key is the document's is looked up in its sketch, so what a document no longer has needs no removal. */
#include "coordinator/twins.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK = 4096,  /* documents that get their memory at once */
    SHARDS = 4096, /* of the index */
    SHARD_SHIFT = 52,
    TAG_SHIFT = 44,
    TAG_BITS = 8,
    SHARD_LEAST = 16, /* places of a shard at first */
    FULL_PERCENT = 75,
    GROWN_PERCENT = 133,

    TEXT_RUN = 3, /* samples of a key */
    TEXT_KEYS = SKETCH_TEXT / TEXT_RUN,
    MARK_KEYS = 4,
    PICTURE_KEYS = 4,
    KEYS_MOST = 1 + TEXT_KEYS + MARK_KEYS,
    KEY_MOST = 16, /* documents that are found by the same key: of more, a form's, the first are enough */
};

struct entry {
    struct sketch sketch;
    uint64_t source; /* of its sha256; 0: not live */
    struct doc_ref ref;
    uint32_t next;  /* of its group; itself: it is alone */
    uint16_t dead;  /* pages */
    uint16_t grade; /* mean of its pages' in 1/100; 0: none has one */
    bool bare;      /* it shares another's result: no sketch */
    uint32_t tried; /* the last search that has come upon it */
};

struct shard {
    uint32_t *place; /* number and 1, then the tag; 0: empty */
    uint32_t places, used;
};

struct numbers {      /* of a batch's documents */
    uint32_t *number; /* and 1; 0: it has none */
    uint32_t docs;
};

struct twins {
    uint32_t most;
    struct entry **block;
    uint64_t *leads; /* a bit for each number: the least of a group of two and more */
    uint32_t entries, blocks;
    uint32_t searches;
    struct ring waiting; /* numbers */
    struct numbers *batch;
    uint32_t batches;
    struct shard shard[SHARDS];
    struct twins_counts counts;
};

static void *grown(void *at, size_t had, size_t count, size_t bytes)
{
    uint8_t *grown = realloc(at, count * bytes);
    if (!grown)
        abort();
    memset(grown + had * bytes, 0, (count - had) * bytes);
    return grown;
}

struct twins *twins_new(uint32_t most)
{
    struct twins *twins = grown(NULL, 0, 1, sizeof *twins);
    twins->most = most < TWINS_MOST ? most : TWINS_MOST;
    twins->counts.bytes = sizeof *twins;
    return twins;
}

void twins_destroy(struct twins **twins)
{
    if (!*twins)
        return;
    for (uint32_t i = 0; i < (*twins)->blocks; i++)
        free((*twins)->block[i]);
    for (uint32_t i = 0; i < (*twins)->batches; i++)
        free((*twins)->batch[i].number);
    for (uint32_t i = 0; i < SHARDS; i++)
        free((*twins)->shard[i].place);
    free((*twins)->block);
    free((*twins)->batch);
    free((*twins)->leads);
    free((*twins)->waiting.at);
    free(*twins);
    *twins = NULL;
}

void twins_count(const struct twins *twins, struct twins_counts *counts)
{
    *counts = twins->counts;
    counts->waiting = twins->waiting.count;
}

static struct entry *entry_at(const struct twins *twins, uint32_t number)
{
    return &twins->block[number / BLOCK][number % BLOCK];
}

/* ---- numbers ---- */

static uint32_t number_of(const struct twins *twins, struct doc_ref ref)
{
    if (ref.batch >= twins->batches || ref.doc >= twins->batch[ref.batch].docs)
        return NONE;
    return twins->batch[ref.batch].number[ref.doc] - 1;
}

static void number_set(struct twins *twins, struct doc_ref ref, uint32_t number)
{
    if (ref.batch >= twins->batches) {
        uint32_t batches = ref.batch + 1 + ref.batch / 2;
        twins->batch = grown(twins->batch, twins->batches, batches, sizeof *twins->batch);
        twins->counts.bytes += (batches - twins->batches) * sizeof *twins->batch;
        twins->batches = batches;
    }
    struct numbers *numbers = &twins->batch[ref.batch];
    if (ref.doc >= numbers->docs) {
        uint32_t docs = ref.doc + 1 + ref.doc / 4;
        numbers->number = grown(numbers->number, numbers->docs, docs, sizeof *numbers->number);
        twins->counts.bytes += (docs - numbers->docs) * sizeof *numbers->number;
        numbers->docs = docs;
    }
    numbers->number[ref.doc] = number + 1;
}

static uint32_t number_new(struct twins *twins, struct doc_ref ref)
{
    uint32_t number = twins->entries;
    if (number == twins->most)
        return NONE;
    if (number == twins->blocks * BLOCK) {
        uint32_t blocks = twins->blocks + 1;
        twins->block = grown(twins->block, twins->blocks, blocks, sizeof *twins->block);
        twins->block[twins->blocks] = grown(NULL, 0, BLOCK, sizeof **twins->block);
        twins->leads = grown(twins->leads, twins->blocks * (BLOCK / 64u), blocks * (BLOCK / 64u), sizeof *twins->leads);
        twins->counts.bytes += sizeof *twins->block + BLOCK * sizeof **twins->block + BLOCK / 8;
        twins->blocks = blocks;
    }
    twins->entries++;
    number_set(twins, ref, number);
    *entry_at(twins, number) = (struct entry){.ref = ref, .next = number};
    return number;
}

/* ---- keys ---- */

static uint64_t mixed(uint64_t x) /* SplitMix64's finaliser */
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

enum key_kind { KEY_SOURCE = 1, KEY_TEXT, KEY_MARKS, KEY_PICTURE };

static uint64_t key_of(enum key_kind kind, uint64_t nth, uint64_t value)
{
    return mixed(mixed(value + kind) + nth);
}

static uint64_t mark_of(const struct sketch *sketch, unsigned i)
{
    return (uint64_t)sketch->context[i] << 8 | sketch->value[i];
}

static size_t sketch_keys(const struct sketch *sketch, uint64_t *key)
{
    size_t count = 0;
    for (unsigned i = 0; i < TEXT_KEYS && sketch->shingles; i++) {
        const uint8_t *run = &sketch->text[TEXT_RUN * i];
        key[count++] = key_of(KEY_TEXT, i, run[0] | (uint64_t)run[1] << 8 | (uint64_t)run[2] << 16);
    }
    for (unsigned i = 0; i < MARK_KEYS && i + 1u < sketch->marks; i++)
        key[count++] = key_of(KEY_MARKS, 0, mark_of(sketch, i) << 24 | mark_of(sketch, i + 1));
    for (unsigned i = 0; i < PICTURE_KEYS && !sketch->shingles && sketch->pictures; i++)
        key[count++] = key_of(KEY_PICTURE, i, sketch->picture[0] >> 16 * i & 0xffff);
    return count;
}

static size_t keys_of(const struct entry *entry, uint64_t key[KEYS_MOST])
{
    if (!entry->source)
        return 0;
    key[0] = key_of(KEY_SOURCE, 0, entry->source);
    return 1 + (entry->bare ? 0 : sketch_keys(&entry->sketch, key + 1));
}

static bool has_key(const struct entry *entry, uint64_t wanted)
{
    uint64_t key[KEYS_MOST];
    size_t count = keys_of(entry, key);
    for (size_t i = 0; i < count; i++)
        if (key[i] == wanted)
            return true;
    return false;
}

/* ---- the index ---- */

static uint32_t shard_of(uint64_t key)
{
    return (uint32_t)(key >> SHARD_SHIFT);
}

static uint32_t tag_of(uint64_t key)
{
    return (uint32_t)(key >> TAG_SHIFT) & ((1u << TAG_BITS) - 1);
}

static uint32_t place_first(const struct shard *shard, uint64_t key)
{
    return (uint32_t)((key & UINT32_MAX) * shard->places >> 32);
}

static uint32_t place_next(const struct shard *shard, uint32_t at)
{
    return at + 1 < shard->places ? at + 1 : 0;
}

static void place_take(struct shard *shard, uint64_t key, uint32_t number)
{
    uint32_t value = (number + 1) << TAG_BITS | tag_of(key), at = place_first(shard, key);
    while (shard->place[at] && shard->place[at] != value)
        at = place_next(shard, at);
    shard->used += !shard->place[at];
    shard->place[at] = value;
}

/* Puts what is still true of the place's document where it belongs now. */
static void place_move(const struct twins *twins, struct shard *into, uint32_t index, uint32_t value)
{
    uint64_t key[KEYS_MOST];
    uint32_t number = (value >> TAG_BITS) - 1;
    size_t count = keys_of(entry_at(twins, number), key);
    for (size_t i = 0; i < count; i++)
        if (shard_of(key[i]) == index && tag_of(key[i]) == (value & ((1u << TAG_BITS) - 1)))
            place_take(into, key[i], number);
}

static void shard_grow(struct twins *twins, uint32_t index)
{
    struct shard *shard = &twins->shard[index], wide = {0};
    wide.places = shard->places ? shard->places * GROWN_PERCENT / 100 : SHARD_LEAST;
    wide.place = grown(NULL, 0, wide.places, sizeof *wide.place);
    for (uint32_t i = 0; i < shard->places; i++)
        if (shard->place[i])
            place_move(twins, &wide, index, shard->place[i]);
    twins->counts.bytes += (wide.places - shard->places) * sizeof *wide.place;
    free(shard->place);
    *shard = wide;
}

/* The documents that have the key: KEY_MOST at most. */
static size_t key_find(const struct twins *twins, uint64_t key, uint32_t number[KEY_MOST])
{
    const struct shard *shard = &twins->shard[shard_of(key)];
    size_t count = 0;
    if (!shard->places)
        return 0;
    for (uint32_t at = place_first(shard, key); shard->place[at] && count < KEY_MOST; at = place_next(shard, at)) {
        uint32_t found = (shard->place[at] >> TAG_BITS) - 1;
        if ((shard->place[at] & ((1u << TAG_BITS) - 1)) == tag_of(key) && has_key(entry_at(twins, found), key))
            number[count++] = found;
    }
    return count;
}

static void key_add(struct twins *twins, uint64_t key, uint32_t number)
{
    uint32_t index = shard_of(key);
    struct shard *shard = &twins->shard[index];
    if ((uint64_t)(shard->used + 1) * 100 > (uint64_t)shard->places * FULL_PERCENT)
        shard_grow(twins, index);
    place_take(shard, key, number);
}

/* ---- groups ---- */

static uint32_t group_least(const struct twins *twins, uint32_t number)
{
    uint32_t least = number;
    for (uint32_t at = entry_at(twins, number)->next; at != number; at = entry_at(twins, at)->next)
        least = at < least ? at : least;
    return least;
}

static size_t group_list(const struct twins *twins, uint32_t number, uint32_t member[TWINS_GROUP_MOST])
{
    size_t count = 0;
    uint32_t at = number;
    do {
        assert(count < TWINS_GROUP_MOST);
        member[count++] = at;
        at = entry_at(twins, at)->next;
    } while (at != number);
    return count;
}

/* Around every change of a group: whether it is one, and by which number. */
static void group_tell(struct twins *twins, uint32_t number, bool there)
{
    if (entry_at(twins, number)->next == number)
        return;
    uint32_t least = group_least(twins, number);
    uint64_t bit = UINT64_C(1) << least % 64;
    twins->leads[least / 64] = there ? twins->leads[least / 64] | bit : twins->leads[least / 64] & ~bit;
    twins->counts.groups += there ? 1 : -1u;
}

static bool entries_contradict(const struct entry *a, const struct entry *b)
{
    return !a->bare && !b->bare && a->source != b->source && alike_contradict(&a->sketch, &b->sketch);
}

static struct alike entries_alike(const struct entry *a, const struct entry *b)
{
    if (a->source == b->source)
        return (struct alike){ALIKE_BYTES, 10000};
    return a->bare || b->bare ? (struct alike){ALIKE_NOT, 0} : alike_of(&a->sketch, &b->sketch);
}

static void groups_join(struct twins *twins, uint32_t a, uint32_t b)
{
    uint32_t of_a[TWINS_GROUP_MOST], of_b[TWINS_GROUP_MOST];
    size_t count_a = group_list(twins, a, of_a), count_b = group_list(twins, b, of_b);
    for (size_t i = 0; i < count_b; i++)
        if (of_b[i] == a)
            return;
    for (size_t i = 0; i < count_a; i++)
        for (size_t k = 0; k < count_b; k++)
            if (entries_contradict(entry_at(twins, of_a[i]), entry_at(twins, of_b[k])))
                return;
    if (count_a + count_b > TWINS_GROUP_MOST) {
        twins->counts.full_groups++;
        return;
    }
    group_tell(twins, a, false);
    group_tell(twins, b, false);
    uint32_t next = entry_at(twins, a)->next;
    entry_at(twins, a)->next = entry_at(twins, b)->next;
    entry_at(twins, b)->next = next;
    group_tell(twins, a, true);
}

/* Out of its group; the others find together again, or don't. */
static void group_leave(struct twins *twins, uint32_t number)
{
    uint32_t member[TWINS_GROUP_MOST];
    size_t count = group_list(twins, number, member);
    group_tell(twins, number, false);
    for (size_t i = 0; i < count; i++)
        entry_at(twins, member[i])->next = member[i];
    for (size_t i = 1; i < count; i++)
        for (size_t k = 1; k < i; k++)
            if (entries_alike(entry_at(twins, member[i]), entry_at(twins, member[k])).kind)
                groups_join(twins, member[i], member[k]);
}

/* Once a search: documents have several keys in common. */
static void entry_try(struct twins *twins, uint32_t number, uint32_t other)
{
    struct entry *found = entry_at(twins, other);
    if (other == number || found->tried == twins->searches)
        return;
    found->tried = twins->searches;
    if (entries_alike(entry_at(twins, number), found).kind)
        groups_join(twins, number, other);
}

static void entry_match(struct twins *twins, uint32_t number)
{
    uint64_t key[KEYS_MOST];
    const struct entry *entry = entry_at(twins, number);
    size_t keys = keys_of(entry, key);
    twins->searches++;
    for (size_t i = 0; i < keys; i++) {
        uint32_t found[KEY_MOST];
        size_t count = key_find(twins, key[i], found);
        bool there = false;
        for (size_t k = 0; k < count; k++) {
            there = there || found[k] == number;
            entry_try(twins, number, found[k]);
        }
        if (!there && count < KEY_MOST)
            key_add(twins, key[i], number);
    }
}

/* ---- documents ---- */

static bool has_result(const Sohoa__DocOutcome *outcome)
{
    return outcome->state == SOHOA__DOC_STATE__DOC_STORED || outcome->state == SOHOA__DOC_STATE__DOC_DEAD;
}

static uint16_t grade_mean(const Sohoa__DocOutcome *outcome)
{
    uint32_t sum = 0, count = 0;
    if (outcome->grades.len != grades_bytes(outcome->pages))
        return 0;
    for (uint32_t page_no = 1; page_no <= outcome->pages; page_no++) {
        uint32_t grade = grade_get(outcome->grades.data, page_no);
        sum += grade;
        count += grade != SOHOA__GRADE__GRADE_NONE;
    }
    return (uint16_t)(count ? 100 * sum / count : 0);
}

static uint64_t source_of(const Sohoa__DocOutcome *outcome)
{
    uint64_t source = 0;
    if (outcome->sha256.len == SHA256_BYTES)
        memcpy(&source, outcome->sha256.data, sizeof source);
    return source;
}

static void entry_fill(struct entry *entry, const Sohoa__DocOutcome *outcome)
{
    struct err err;
    entry->bare =
        !has_result(outcome) || sketch_unpack(outcome->sketch.data, outcome->sketch.len, &entry->sketch, &err);
    entry->source = source_of(outcome);
    entry->dead = (uint16_t)outcome->pages_dead;
    entry->grade = has_result(outcome) ? grade_mean(outcome) : 0;
}

static void entry_forget(struct twins *twins, uint32_t number)
{
    struct entry *entry = entry_at(twins, number);
    if (!entry->source)
        return;
    group_leave(twins, number);
    entry->source = 0;
    entry->sketch = (struct sketch){0}; /* it may be secret */
    twins->counts.documents--;
}

void twins_add(struct twins *twins, struct doc_ref ref, const Sohoa__DocOutcome *outcome)
{
    uint32_t number = number_of(twins, ref);
    bool kept = (has_result(outcome) || outcome->state == SOHOA__DOC_STATE__DOC_DUPLICATE) && source_of(outcome);
    if (number != NONE)
        entry_forget(twins, number);
    if (!kept)
        return;
    if (number == NONE)
        number = number_new(twins, ref);
    if (number == NONE) {
        twins->counts.left_out++;
        return;
    }
    entry_fill(entry_at(twins, number), outcome);
    twins->counts.documents++;
    ring_push(&twins->waiting, number);
}

void twins_sketch(struct twins *twins, struct doc_ref ref, const ProtobufCBinaryData *sketch)
{
    uint32_t number = number_of(twins, ref);
    struct entry *entry = number == NONE ? NULL : entry_at(twins, number);
    struct err err;
    if (entry && entry->source && entry->bare)
        entry->bare = sketch_unpack(sketch->data, sketch->len, &entry->sketch, &err);
}

bool twins_compare(struct twins *twins, uint32_t most)
{
    for (; twins->waiting.count && most > 0; most--)
        entry_match(twins, (uint32_t)ring_pop(&twins->waiting));
    if (twins->waiting.count)
        return true;
    free(twins->waiting.at); /* after a start it is long */
    twins->waiting = (struct ring){0};
    return false;
}

/* ---- groups as they are told ---- */

uint32_t twins_next(const struct twins *twins, uint32_t number)
{
    for (; number < twins->entries; number++) {
        uint64_t bits = twins->leads[number / 64] >> number % 64;
        if (bits)
            return number + (uint32_t)__builtin_ctzll(bits);
        number |= 63;
    }
    return NONE;
}

uint32_t twins_group(const struct twins *twins, struct doc_ref ref)
{
    uint32_t number = number_of(twins, ref);
    if (number == NONE || entry_at(twins, number)->next == number)
        return NONE;
    return group_least(twins, number);
}

/* Negative: a is of better quality; what comes first differs in the order of the rule. */
static int quality_order(const struct entry *a, const struct entry *b)
{
    const int64_t rule[][2] = {
        {a->bare,              b->bare             },
        {a->dead,              b->dead             },
        {a->grade,             b->grade            },
        {b->sketch.dpi,        a->sketch.dpi       },
        {b->sketch.bits,       a->sketch.bits      },
        {a->sketch.error_cpct, b->sketch.error_cpct},
    };
    for (size_t i = 0; i < sizeof rule / sizeof rule[0]; i++)
        if (rule[i][0] != rule[i][1])
            return rule[i][0] < rule[i][1] ? -1 : 1;
    return 0;
}

static int number_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

size_t twins_members(const struct twins *twins, uint32_t number, struct twin member[TWINS_GROUP_MOST])
{
    uint32_t list[TWINS_GROUP_MOST];
    size_t count = group_list(twins, number, list), best = 0;
    qsort(list, count, sizeof *list, number_order);
    for (size_t i = 1; i < count; i++)
        if (quality_order(entry_at(twins, list[i]), entry_at(twins, list[best])) < 0)
            best = i;
    const struct entry *master = entry_at(twins, list[best]);
    member[0] = (struct twin){
        master->ref, {ALIKE_NOT, 0}
    };
    for (size_t i = 0, at = 1; i < count; i++) {
        const struct entry *entry = entry_at(twins, list[i]);
        if (i != best)
            member[at++] = (struct twin){entry->ref, entries_alike(entry, master)};
    }
    return count;
}
