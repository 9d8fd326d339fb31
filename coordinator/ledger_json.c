/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Entries are told by protobuf-c's descriptors, so that a kind of entry needs nothing here to be shown. */
#include "coordinator/ledger_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

#define PROOF_FORMAT "sohoa-proof/1"

/* ---- values ---- */

static json_t *hex_json(const uint8_t *data, size_t bytes)
{
    AUTO(buf_destroy) struct buf text = {0};
    for (size_t i = 0; i < bytes; i++)
        buf_printf(&text, "%02x", data[i]);
    return json_string(buf_text(&text));
}

static json_t *base64_json(const void *data, size_t bytes)
{
    AUTO(buf_destroy) struct buf text = {0};
    base64_put(&text, data, bytes);
    return json_string(buf_text(&text));
}

static json_t *bytes_json(const ProtobufCBinaryData *data)
{
    uint8_t digest[SHA256_BYTES];
    if (data->len <= LEDGER_JSON_BYTES)
        return hex_json(data->data, data->len);
    sha256_of(data->data, data->len, digest);
    return json_pack("{s:I, s:o}", "bytes", (json_int_t)data->len, "sha256", hex_json(digest, sizeof digest));
}

static json_t *text_json(const char *text)
{
    AUTO(buf_destroy) struct buf cut = {0};
    size_t chars = strlen(text ? text : "");
    if (chars <= LEDGER_JSON_CHARS) {
        json_t *whole = json_string(text ? text : "");
        return whole ? whole : hex_json((const uint8_t *)text, chars);
    }
    chars = LEDGER_JSON_CHARS;
    while (chars && ((uint8_t)text[chars] & 0xc0) == 0x80) /* not within a letter */
        chars--;
    buf_append(&cut, text, chars);
    buf_puts(&cut, " ...");
    json_t *part = json_string(buf_text(&cut));
    return part ? part : json_string("");
}

static json_t *message_json(const ProtobufCMessage *message);

static json_t *enum_json(const ProtobufCFieldDescriptor *field, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(field->descriptor, number);
    return value ? json_string(value->name) : json_integer(number);
}

static json_t *value_json(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32: return json_integer(*(const int32_t *)at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32: return json_integer(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: return json_integer((json_int_t) * (const uint64_t *)at);
    case PROTOBUF_C_TYPE_BOOL: return json_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_FLOAT: return json_real(*(const float *)at);
    case PROTOBUF_C_TYPE_DOUBLE: return json_real(*(const double *)at);
    case PROTOBUF_C_TYPE_ENUM: return enum_json(field, *(const int *)at);
    case PROTOBUF_C_TYPE_STRING: return text_json(*(char *const *)at);
    case PROTOBUF_C_TYPE_BYTES: return bytes_json(at);
    case PROTOBUF_C_TYPE_MESSAGE: return message_json(*(ProtobufCMessage *const *)at);
    }
    return json_null();
}

static size_t value_bytes(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE: return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
    default: return sizeof(uint32_t);
    }
}

static void row_json(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message, json_t *into)
{
    size_t count = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
    const char *at = *(char *const *)(const void *)((const char *)message + field->offset);
    json_t *row = json_array();
    for (size_t i = 0; i < count && i < LEDGER_JSON_ITEMS; i++)
        json_array_append_new(row, value_json(field, at + i * value_bytes(field)));
    if (count)
        json_object_set(into, field->name, row);
    if (count > LEDGER_JSON_ITEMS) {
        AUTO(buf_destroy) struct buf name = {0};
        buf_printf(&name, "%s_more", field->name);
        json_object_set_new(into, buf_text(&name), json_integer((json_int_t)(count - LEDGER_JSON_ITEMS)));
    }
    json_decref(row);
}

static bool is_secret(const ProtobufCFieldDescriptor *field)
{
    return !strcmp(field->name, "password_hash") || !strcmp(field->name, "token_hash");
}

static json_t *message_json(const ProtobufCMessage *message)
{
    json_t *into = json_object();
    for (unsigned i = 0; message && i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *at = (const char *)message + field->offset;
        if (is_secret(field))
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            row_json(field, message, into);
        else if (field->type != PROTOBUF_C_TYPE_MESSAGE || *(void *const *)at)
            json_object_set_new(into, field->name, value_json(field, at));
    }
    return into;
}

/* ---- entries ---- */

json_t *ledger_entry_json(const void *packed, size_t bytes)
{
    Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, bytes, packed);
    uint8_t hash[SHA256_BYTES];
    if (!entry)
        return NULL;
    const ProtobufCFieldDescriptor *body =
        protobuf_c_message_descriptor_get_field(&sohoa__ledger_entry__descriptor, entry->body_case);
    sha256_of(packed, bytes, hash);
    json_t *json = json_pack("{s:I, s:I, s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)entry->number, "time_ms",
                             (json_int_t)entry->time_ms, "epoch", (json_int_t)entry->epoch, "actor",
                             text_json(entry->actor), "kind", body ? body->name : "", "before",
                             hex_json(entry->before.data, entry->before.len), "hash", hex_json(hash, sizeof hash),
                             "body", body ? message_json((const ProtobufCMessage *)entry->admitted) : json_object());
    sohoa__ledger_entry__free_unpacked(entry, NULL);
    return json;
}

json_t *ledger_page_json(const struct ledger_page *page)
{
    const struct ledger_hit *hit = (const struct ledger_hit *)(const void *)page->hits.data;
    json_t *entries = json_array(), *next = json_null();
    for (size_t i = 0; i < page->hits.size / sizeof *hit; i++) {
        json_t *entry = ledger_entry_json(page->bytes.data + hit[i].at, hit[i].bytes);
        if (!entry)
            continue;
        json_object_set_new(entry, "segment", json_integer(hit[i].place.segment));
        json_object_set_new(entry, "offset", json_integer((json_int_t)hit[i].place.offset));
        json_array_append_new(entries, entry);
    }
    if (page->more) {
        AUTO(buf_destroy) struct buf text = {0};
        buf_printf(&text, "%" PRIu32 "-%" PRIu64, page->next.segment, page->next.offset);
        next = json_string(buf_text(&text));
    }
    return json_pack("{s:o, s:o}", "entries", entries, "next", next);
}

bool ledger_place_parse(const char *text, struct ledger_place *ret_place)
{
    char *end;
    unsigned long segment = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '-' || end[1] < '0' || end[1] > '9' || !segment || segment > UINT32_MAX)
        return false;
    ret_place->segment = (uint32_t)segment;
    ret_place->offset = strtoull(end + 1, &end, 10);
    return !*end;
}

/* ---- what was verified, and by what ---- */

json_t *ledger_verdict_json(const struct ledger_verdict *verdict)
{
    json_t *findings = json_array();
    for (uint64_t i = 0; i < verdict->findings && i < LEDGER_FINDINGS_MAX; i++) {
        const struct ledger_finding *finding = &verdict->finding[i];
        json_array_append_new(findings, json_pack("{s:s, s:I, s:I, s:s}", "blob", finding->blob, "offset",
                                                  (json_int_t)finding->offset, "entry", (json_int_t)finding->entry,
                                                  "text", finding->text));
    }
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:o, s:{s:I, s:I, s:I, s:I}, s:I, s:o}", "good", verdict->findings == 0,
                     "entries", (json_int_t)verdict->entries, "segments", (json_int_t)verdict->segments, "bytes",
                     (json_int_t)verdict->bytes, "chained_from", (json_int_t)verdict->chained_from, "root",
                     base64_json(verdict->root, SHA256_BYTES), "checkpoints", "good",
                     (json_int_t)verdict->checkpoints.good, "bad", (json_int_t)verdict->checkpoints.bad, "others",
                     (json_int_t)verdict->checkpoints.others, "unchecked", (json_int_t)verdict->checkpoints.unchecked,
                     "findings_total", (json_int_t)verdict->findings, "findings", findings);
}

json_t *ledger_key_json(const uint8_t public[SIGNING_PUBLIC_BYTES])
{
    AUTO(buf_destroy) struct buf vkey = {0};
    char origin[CHECKPOINT_ORIGIN_BYTES];
    uint8_t digest[SHA256_BYTES];
    sha256_of(public, SIGNING_PUBLIC_BYTES, digest);
    checkpoint_vkey(public, &vkey);
    return json_pack("{s:o, s:o, s:s, s:s}", "key", base64_json(public, SIGNING_PUBLIC_BYTES), "fingerprint",
                     hex_json(digest, sizeof digest), "origin", checkpoint_origin(public, origin), "vkey",
                     buf_text(&vkey));
}

json_t *ledger_checkpoint_json(const struct buf *note)
{
    struct checkpoint said;
    struct err why;
    json_t *text = json_string(buf_text(note));
    if (!text)
        text = json_string("");
    if (checkpoint_read(note, &said, &why))
        return json_pack("{s:s, s:o}", "time", "", "note", text);
    return json_pack("{s:I, s:s, s:o, s:o}", "size", (json_int_t)said.size, "time", said.time, "root",
                     base64_json(said.root, SHA256_BYTES), "note", text);
}

/* ---- proofs ---- */

/* What a verifier finds in the packed bytes; here for people. */
static json_t *outcome_json(const struct ledger_proven *proven)
{
    Sohoa__LedgerEntry *entry = sohoa__ledger_entry__unpack(NULL, proven->packed.size, proven->packed.data);
    if (!entry)
        return json_object();
    const Sohoa__DocOutcome *outcome = entry->outcome;
    const ProtobufCEnumValue *state =
        protobuf_c_enum_descriptor_get_value(&sohoa__doc_state__descriptor, outcome->state);
    json_t *json = json_pack("{s:I, s:I, s:o, s:o, s:I, s:I, s:s, s:o, s:I}", "number", (json_int_t)entry->number,
                             "time_ms", (json_int_t)entry->time_ms, "actor", text_json(entry->actor), "batch",
                             text_json(outcome->batch), "document", (json_int_t)outcome->doc, "generation",
                             (json_int_t)outcome->generation, "state", state ? state->name : "", "sha256",
                             hex_json(outcome->sha256.data, outcome->sha256.len), "pages", (json_int_t)outcome->pages);
    sohoa__ledger_entry__free_unpacked(entry, NULL);
    return json;
}

static json_t *proven_json(const struct ledger_proven *proven)
{
    json_t *path = json_array();
    for (size_t i = 0; i < proven->path_count; i++)
        json_array_append_new(path, base64_json(proven->path[i], SHA256_BYTES));
    return json_pack("{s:I, s:o, s:o, s:o}", "index", (json_int_t)proven->index, "says", outcome_json(proven), "packed",
                     base64_json(proven->packed.data, proven->packed.size), "path", path);
}

json_t *ledger_proof_json(const struct ledger_proof *proof, const char *batch, uint32_t doc, const struct buf *note,
                          const uint8_t public[SIGNING_PUBLIC_BYTES])
{
    json_t *entries = json_array();
    for (size_t i = 0; i < proof->count; i++)
        json_array_append_new(entries, proven_json(&proof->entry[i]));
    return json_pack("{s:s, s:s, s:I, s:o, s:s, s:o}", "format", PROOF_FORMAT, "batch", batch, "document",
                     (json_int_t)doc, "key", base64_json(public, SIGNING_PUBLIC_BYTES), "checkpoint", buf_text(note),
                     "entries", entries);
}
