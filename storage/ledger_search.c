/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Segments are in the order of time and number, so where to begin is found by halving. What is damaged is passed over: to say so is
 * ledger_verify()'s. Of fields the messages' schema is asked, so that a new kind of entry is found as well. */
#include "storage/ledger_search.h"

#include <inttypes.h>
#include <string.h>

#include "proto/auto.h"
#include "storage/ledger_record.h"

enum { FIRST_BYTES = 64 }; /* has a record's number and time */

struct search {
    struct store *store;
    const struct ledger_query *query;
    size_t limit;
    struct ledger_page *page;
    uint64_t last_number; /* of what was taken: what comes again is passed over */
};

uint32_t ledger_kind_named(const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(&sohoa__ledger_entry__descriptor, name);
    return field && field->type == PROTOBUF_C_TYPE_MESSAGE ? field->id : 0;
}

/* ---- what is in an entry ---- */

static const void *member(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    return (const char *)message + field->offset;
}

static const ProtobufCMessage *body_of(const Sohoa__LedgerEntry *entry)
{
    return entry->body_case ? (const ProtobufCMessage *)entry->admitted : NULL; /* whichever of the union it is */
}

static bool text_is(const ProtobufCMessage *message, const char *name, const char *text)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
    return field && field->type == PROTOBUF_C_TYPE_STRING && field->label != PROTOBUF_C_LABEL_REPEATED &&
           !strcmp(*(char *const *)member(message, field), text);
}

static bool doc_is(const ProtobufCMessage *message, uint32_t doc)
{
    const ProtobufCFieldDescriptor *one = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "doc");
    const ProtobufCFieldDescriptor *all = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "docs");
    if (one && one->type == PROTOBUF_C_TYPE_UINT32)
        return *(const uint32_t *)member(message, one) == doc;
    if (!all || all->type != PROTOBUF_C_TYPE_UINT32 || all->label != PROTOBUF_C_LABEL_REPEATED)
        return false;
    const uint32_t *number = *(uint32_t *const *)member(message, all);
    size_t count = *(const size_t *)(const void *)((const char *)message + all->quantifier_offset);
    for (size_t i = 0; i < count; i++)
        if (number[i] == doc)
            return true;
    return false;
}

bool ledger_concerns(const Sohoa__LedgerEntry *entry, const char *batch, int64_t doc)
{
    const ProtobufCMessage *body = body_of(entry);
    return body && text_is(body, "batch", batch) && (doc == LEDGER_DOC_ANY || doc_is(body, (uint32_t)doc));
}

static bool says(const ProtobufCMessage *message, const char *text);

static bool field_says(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, const char *text)
{
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    const void *at = member(message, field);
    size_t count = repeated ? *(const size_t *)(const void *)((const char *)message + field->quantifier_offset) : 1;
    void *const *item = repeated ? *(void **const *)at : (void *const *)at;
    for (size_t i = 0; i < count; i++) {
        if (field->type == PROTOBUF_C_TYPE_STRING && item[i] && !strcmp(item[i], text))
            return true;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && item[i] && says(item[i], text))
            return true;
    }
    return false;
}

static bool says(const ProtobufCMessage *message, const char *text)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if ((field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) &&
            field_says(message, field, text))
            return true;
    }
    return false;
}

static bool head_fits(const struct ledger_query *query, const struct record_head *head)
{
    size_t actor_chars = query->actor ? strlen(query->actor) : 0;
    return (!query->kind || head->kind == query->kind) && !(query->hidden && head->kind == query->hidden) &&
           head->number >= query->from_number && (!query->from_ms || head->time_ms >= query->from_ms) &&
           (!query->to_ms || head->time_ms < query->to_ms) &&
           (!query->actor ||
            (head->actor_bytes == actor_chars && !(actor_chars && memcmp(head->actor, query->actor, actor_chars))));
}

/* Most entries have not even the letters. */
static bool body_fits(const struct ledger_query *query, const struct record *record, const struct record_head *head)
{
    const char *const text[] = {query->batch, query->subject};
    if (!query->batch && !query->subject)
        return true;
    for (size_t i = 0; i < 2; i++)
        if (text[i] && !memmem(head->body, head->body_bytes, text[i], strlen(text[i])))
            return false;
    Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, record->bytes, record->body);
    bool fits = entry && (!query->batch || ledger_concerns(entry, query->batch, query->doc)) &&
                (!query->subject || (body_of(entry) && says(body_of(entry), query->subject)));
    if (entry)
        sohoa__ledger_entry__free_unpacked(entry, NULL);
    return fits;
}

/* ---- a segment ---- */

/* The whole records before end, their places in *hits. */
static void segment_look(const struct search *s, uint32_t segment, const struct buf *data, uint64_t from, uint64_t end,
                         struct buf *hits)
{
    size_t at = (size_t)from;
    while (at < data->size && at < end) {
        struct record record;
        struct record_head head;
        if (record_look(data->data + at, data->size - at, &record) != RECORD_WHOLE) {
            at += record_seek(data->data + at, data->size - at);
            continue;
        }
        struct ledger_hit hit = {
            .place = {segment, at},
              .at = at + HEADER_BYTES, .bytes = record.bytes
        };
        if (record_head(record.body, record.bytes, &head) && head_fits(s->query, &head) &&
            body_fits(s->query, &record, &head))
            buf_append(hits, &hit, sizeof hit);
        at += HEADER_BYTES + record.bytes;
    }
}

/* Takes the hit, whose at is still that in its segment; false: the page is full. */
static bool hit_take(struct search *s, const struct ledger_hit *found, const struct buf *data)
{
    struct ledger_hit hit = *found;
    struct record_head head;
    record_head(data->data + hit.at, hit.bytes, &head);
    bool again =
        s->last_number && (s->query->newest_first ? head.number >= s->last_number : head.number <= s->last_number);
    if (again)
        return true;
    if (s->page->hits.size / sizeof hit == s->limit)
        return false;
    s->last_number = head.number;
    hit.at = s->page->bytes.size;
    buf_append(&s->page->bytes, data->data + found->at, hit.bytes);
    buf_append(&s->page->hits, &hit, sizeof hit);
    return true;
}

/* *place goes on behind what was taken, or in the next segment. */
static int segment_search(struct search *s, struct ledger_place *place, struct err *err)
{
    AUTO(buf_destroy) struct buf data = {0}, hits = {0};
    struct segment_name name;
    bool back = s->query->newest_first;
    int rc = store_get(s->store, segment_name(&name, place->segment), LEDGER_SEGMENT_BYTES, &data, err);
    if (rc && rc != E_ABSENT && rc != E_LIMIT)
        return rc;
    segment_look(s, place->segment, &data, back ? 0 : place->offset, back ? place->offset : UINT64_MAX, &hits);
    const struct ledger_hit *hit = (const struct ledger_hit *)(const void *)hits.data;
    size_t count = hits.size / sizeof *hit;
    for (size_t i = 0; i < count; i++) {
        const struct ledger_hit *next = &hit[back ? count - 1 - i : i];
        if (!hit_take(s, next, &data)) {
            place->offset = back ? next->place.offset + 1 : next->place.offset;
            return 0;
        }
    }
    *place = (struct ledger_place){back ? place->segment - 1 : place->segment + 1, back ? UINT64_MAX : 0};
    return 0;
}

/* ---- where to begin ---- */

/* The last segment; 0: there is none. */
static int segment_last(struct store *store, uint32_t *ret_last, struct err *err)
{
    struct segment_name name;
    uint32_t there = 0, step = 1;
    while (step && there + step <= SEGMENTS_MAX) {
        int rc = store_stat(store, segment_name(&name, there + step), NULL, err);
        if (rc && rc != E_ABSENT)
            return rc;
        if (rc) {
            step /= 2;
            break;
        }
        there += step;
        step *= 2;
    }
    for (; step; step /= 2) {
        int rc = store_stat(store, segment_name(&name, there + step), NULL, err);
        if (rc && rc != E_ABSENT)
            return rc;
        there += rc ? 0 : step;
    }
    *ret_last = there;
    return 0;
}

/* The first entry of the segment, or of the first one behind it, up to last, that has one; number 0: none has. */
static int segment_first(struct store *store, uint32_t segment, uint32_t last, struct record_head *head,
                         struct err *err)
{
    int rc = 0;
    *head = (struct record_head){0};
    for (; segment <= last && !head->number && !rc; segment++) {
        AUTO(buf_destroy) struct buf data = {0};
        struct segment_name name;
        rc = store_read(store, segment_name(&name, segment), 0, FIRST_BYTES, &data, err);
        if (!rc && data.size > HEADER_BYTES)
            record_head(data.data + HEADER_BYTES, data.size - HEADER_BYTES, head);
    }
    return rc;
}

static bool begins_before(const struct record_head *first, uint64_t number, uint64_t time_ms)
{
    return first->number && (number ? first->number <= number : first->time_ms < time_ms);
}

/* The last segment whose first entry is not behind the number, or is before the time: nothing that is looked for is before it (from the
 * oldest on), or behind it (from the newest on). */
static int segment_begin(const struct search *s, uint32_t last, uint32_t *ret_segment, struct err *err)
{
    uint64_t number = s->query->newest_first ? 0 : s->query->from_number;
    uint64_t time_ms = s->query->newest_first ? s->query->to_ms : s->query->from_ms;
    uint32_t low = 1, high = last;
    int rc = 0;
    if (!number && !time_ms) {
        *ret_segment = s->query->newest_first ? last : 1;
        return 0;
    }
    while (low < high && !rc) {
        uint32_t middle = low + (high - low + 1) / 2;
        struct record_head first;
        rc = segment_first(s->store, middle, last, &first, err);
        if (begins_before(&first, number, time_ms))
            low = middle;
        else
            high = middle - 1;
    }
    *ret_segment = low;
    return rc;
}

/* Whether segments from there on can't have anything in time. */
static int all_past(const struct search *s, uint32_t segment, uint32_t last, bool *ret_past, struct err *err)
{
    const struct ledger_query *query = s->query;
    struct record_head first;
    *ret_past = false;
    if (!(query->newest_first ? query->from_ms : query->to_ms) || segment == last)
        return 0;
    int rc = segment_first(s->store, query->newest_first ? segment + 1 : segment, last, &first, err);
    *ret_past =
        !rc && first.number && (query->newest_first ? first.time_ms < query->from_ms : first.time_ms >= query->to_ms);
    return rc;
}

int ledger_search(struct store *store, const struct ledger_query *query, struct ledger_place from, size_t limit,
                  struct ledger_page *page, struct err *err)
{
    struct search s = {.store = store, .query = query, .limit = limit, .page = page};
    uint32_t last = 0, read = 0;
    bool past = false;
    *page = (struct ledger_page){0};
    int rc = segment_last(store, &last, err);
    if (!rc && !from.segment && last) {
        from.offset = query->newest_first ? UINT64_MAX : 0;
        rc = segment_begin(&s, last, &from.segment, err);
    }
    while (!rc && !past && read++ < LEDGER_SEARCH_SEGMENTS && from.segment >= 1 && from.segment <= last &&
           page->hits.size / sizeof(struct ledger_hit) < limit) {
        rc = segment_search(&s, &from, err);
        if (!rc && from.segment >= 1 && from.segment <= last)
            rc = all_past(&s, from.segment, last, &past, err);
    }
    if (rc) {
        ledger_page_destroy(page);
        return rc;
    }
    page->next = from;
    page->more = !past && from.segment >= 1 && from.segment <= last;
    return 0;
}

void ledger_page_destroy(struct ledger_page *page)
{
    buf_destroy(&page->hits);
    buf_destroy(&page->bytes);
}
