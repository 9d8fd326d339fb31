/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/package/values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

enum { NUMBER_BYTES = 16, DAY_BYTES = 11, SIDES = 2 };

const char *values_get(const char *field, void *user)
{
    return json_string_value(json_object_get((const json_t *)user, field));
}

const char *values_manifest(const json_t *record, const char *column)
{
    const char *text = json_string_value(json_object_get(json_object_get(record, "manifest"), column));
    return text && *text ? text : NULL;
}

/* ---- where a value comes from ---- */

static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && *text ? text : NULL;
}

/* What a person or the record says of the field, as the record calls it. */
static const char *in_force(const json_t *record, const char *field)
{
    const json_t *it = json_object_get(json_object_get(record, "metadata"), field);
    const json_t *corrected = json_object_get(it, "corrected");
    return json_is_object(corrected) ? text_of(json_object_get(corrected, "value"))
                                     : text_of(json_object_get(it, "value"));
}

static const char *proposed(const json_t *record, const char *field, const struct values_rules *rules)
{
    size_t i;
    json_t *accepted;
    json_array_foreach(rules->accepted, i, accepted)
    {
        if (!strcmp(json_string_value(accepted), field)) {
            const char *name = strcmp(field, "keyword") ? field : "keywords";
            return text_of(json_object_get(json_object_get(json_object_get(record, "proposals"), name), "value"));
        }
    }
    return NULL;
}

/* The record's own name of a field of the profile. */
static const char *record_name(const char *field)
{
    return strcmp(field, "typeName") ? field : "typeCode";
}

static const char *value_of(const json_t *record, const char *field, const struct values_rules *rules)
{
    const char *value = text_of(json_object_get(rules->set, field));
    if (!value)
        value = in_force(record, record_name(field));
    if (!value && !strcmp(field, "typeName"))
        value = in_force(record, field);
    if (!value && !strcmp(field, "maintenance"))
        value = values_manifest(record, "retention");
    return value ? value : proposed(record, field, rules);
}

/* A code where the field has a list and the text stands for one; else the text as it is, for the check to refuse. */
static void put(json_t *values, const char *field, const char *text)
{
    const char *code = text ? profile_code(field, text) : NULL;
    if (text)
        json_object_set_new(values, field, json_string(code ? code : text));
}

static void put_number(json_t *values, const char *field, uint64_t number)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%" PRIu64, number);
    json_object_set_new(values, field, json_string(text));
}

/* ISO 8601 as the rules write days; anything else as it is. */
static void put_day(json_t *values, const char *field, const char *iso)
{
    char day[DAY_BYTES];
    if (!iso)
        return;
    if (strlen(iso) == DAY_BYTES - 1 && iso[4] == '-' && iso[7] == '-')
        snprintf(day, sizeof day, "%.2s/%.2s/%.4s", iso + 8, iso + 5, iso);
    json_object_set_new(values, field, json_string(strlen(iso) == DAY_BYTES - 1 && iso[4] == '-' ? day : iso));
}

static uint64_t count_of(const json_t *record, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(record, name));
}

static uint64_t pages_of(const json_t *record)
{
    return count_of(record, "pages_stored") + count_of(record, "pages_dead");
}

/* Pages that are the document's own text, and pages that were scanned. */
static void origins(const json_t *record, bool *born, bool *scanned)
{
    size_t i;
    json_t *page;
    json_array_foreach(json_object_get(record, "pages"), i, page)
    {
        const char *kind = json_string_value(json_object_get(page, "kind"));
        if (kind && !strcmp(kind, "text"))
            *born = true;
        else
            *scanned = true;
    }
}

static const char *level(bool born, bool scanned)
{
    return born && scanned ? "03" : born ? "01" : "02";
}

/* ---- a document ---- */

json_t *values_document(const json_t *record, const char *code, uint32_t ordinal, const struct values_rules *rules)
{
    static const char *const plain[] = {"codeNumber",  "codeNotation", "organName", "subject",  "inforSign",
                                        "autograph",   "description",  "typeName",  "language", "mode",
                                        "maintenance", "format",       "keyword",   "process"};
    json_t *values = json_object();
    char text[NAME_BYTES + NUMBER_BYTES];
    bool born = false, scanned = false;
    origins(record, &born, &scanned);
    json_object_set_new(values, "arcFileCode", json_string(code));
    snprintf(text, sizeof text, "%s.%07" PRIu32, code, ordinal);
    json_object_set_new(values, "docCode", json_string(text));
    put_number(values, "docOrdinal", ordinal);
    snprintf(text, sizeof text, "%.24s", json_string_value(json_object_get(record, "sha256")));
    json_object_set_new(values, "docId", json_string(text));
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        put(values, plain[i], value_of(record, plain[i], rules));
    put_day(values, "issuedDate", value_of(record, "issuedDate", rules));
    put_number(values, "numberOfPage", pages_of(record));
    json_object_set_new(values, "confidenceLevel", json_string(level(born, scanned)));
    const char *risk = value_of(record, "riskRecovery", rules);
    json_object_set_new(values, "riskRecovery",
                        json_string(risk && (!strcmp(risk, "yes") || !strcmp(risk, "1")) ? "1" : "0"));
    put(values, "riskRecoveryStatus", value_of(record, "riskRecoveryStatus", rules));
    return values;
}

/* ---- a file ---- */

void values_sum_clear(struct values_sum *sum)
{
    json_decref(sum->language);
    json_decref(sum->title);
    json_decref(sum->maintenance);
    json_decref(sum->mode);
    *sum = (struct values_sum){0};
}

static void keep_first(json_t **kept, const char *text)
{
    if (!*kept && text)
        *kept = json_string(text);
}

void values_add(struct values_sum *sum, const json_t *record, const json_t *document)
{
    const char *day = in_force(record, "issuedDate"), *format = values_get("format", (void *)(uintptr_t)document);
    const char *language = values_get("language", (void *)(uintptr_t)document);
    if (day && strlen(day) == DAY_BYTES - 1) {
        if (!*sum->first || strcmp(day, sum->first) < 0)
            memcpy(sum->first, day, DAY_BYTES);
        if (strcmp(day, sum->last) > 0)
            memcpy(sum->last, day, DAY_BYTES);
    }
    sum->documents++;
    sum->pages += (uint32_t)pages_of(record);
    sum->sheets += (uint32_t)((pages_of(record) + SIDES - 1) / SIDES);
    origins(record, &sum->born, &sum->scanned);
    sum->damaged = sum->damaged || (format && !strcmp(format, "03"));
    sum->worn = sum->worn || (format && !strcmp(format, "02"));
    if (!sum->language)
        sum->language = json_object();
    if (language)
        json_object_set_new(sum->language, language, json_true());
    keep_first(&sum->title,
               in_force(record, "title") ? in_force(record, "title") : values_manifest(record, "file_title"));
    keep_first(&sum->maintenance, values_get("maintenance", (void *)(uintptr_t)document));
    keep_first(&sum->mode, values_get("mode", (void *)(uintptr_t)document));
}

/* One language, or "11": others. */
static const char *language_of(const json_t *languages)
{
    void *only = json_object_iter((json_t *)(uintptr_t)languages);
    return !only ? NULL : json_object_size(languages) == 1 ? json_object_iter_key(only) : "11";
}

json_t *values_file(const struct values_sum *sum, const char *code, const struct values_rules *rules)
{
    json_t *values = json_object(), *value;
    const char *field;
    json_object_set_new(values, "fileCode", json_string(code));
    json_object_set_new(values, "arcFileCode", json_string(code));
    put(values, "title", json_string_value(sum->title));
    put(values, "maintenance", json_string_value(sum->maintenance));
    put(values, "mode", json_string_value(sum->mode));
    put(values, "language", language_of(sum->language));
    put_day(values, "startDate", *sum->first ? sum->first : NULL);
    put_day(values, "endDate", *sum->last ? sum->last : NULL);
    put_number(values, "totalDoc", sum->documents);
    put_number(values, "numberOfPaper", sum->sheets);
    put_number(values, "numberOfPage", sum->pages);
    put(values, "format", sum->damaged ? "03" : sum->worn ? "02" : NULL);
    put(values, "confidenceLevel", level(sum->born, sum->scanned));
    if (sum->scanned)
        put(values, "paperFileCode", code);
    json_object_set_new(values, "riskRecovery", json_string("0"));
    json_object_foreach((json_t *)(uintptr_t)rules->set, field, value) put(values, field, json_string_value(value));
    json_object_foreach(json_object_get(rules->files, code), field, value) put(values, field, json_string_value(value));
    return values;
}
