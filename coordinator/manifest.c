/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Manifests: one table of the keys that mean something to the coordinator, one reader of JSON lines over it, and one
 * reader of CSV that turns each row into such a line. Nothing is cut or guessed: what does not fit is an error that
 * names it. */
#include "coordinator/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "coordinator/day.h"
#include "proto/auto.h"
#include "proto/imported.h"
#include "proto/json.h"
#include "proto/unit.h"

/* ---- JSON lines ---- */

struct place {
    uint64_t line_no;
    const char *key;
};

static int text_take(const struct place *place, const json_t *value, char *to, size_t bytes, struct err *err)
{
    if (!json_is_string(value))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s is not text", place->line_no, place->key);
    if (json_string_length(value) >= bytes)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s is longer than %zu bytes", place->line_no, place->key,
                       bytes - 1);
    memcpy(to, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int number_take(const struct place *place, const json_t *value, uint32_t most, uint32_t *to, struct err *err)
{
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        char *end;
        errno = 0;
        number = strtoll(text, &end, 10);
        if (errno || end == text || *end)
            number = 0;
    }
    if (number < 1 || number > most)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s is not a number from 1 to %" PRIu32, place->line_no,
                       place->key, most);
    *to = (uint32_t)number;
    return 0;
}

int manifest_deadline(const char *day, uint64_t *ret_deadline_ms, struct err *err)
{
    int64_t number;
    if (strlen(day) != DAY_CHARS || !day_parse(day, &number))
        return err_set(err, E_MANIFEST, "deadline '%.20s' is not a day of the form YYYY-MM-DD", day);
    *ret_deadline_ms = day_start_ms(number + 1) - 1;
    return 0;
}

static int deadline_take(const struct place *place, const json_t *value, uint64_t *to, struct err *err)
{
    if (!json_is_string(value))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": deadline is not text (YYYY-MM-DD)", place->line_no);
    struct err why = {0};
    if (manifest_deadline(json_string_value(value), to, &why))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s", place->line_no, why.text);
    return 0;
}

#define TEXT_ROW(key)                                                                                                  \
    {                                                                                                                  \
#key, KEY_TEXT, offsetof(struct manifest_row, key), sizeof(((struct manifest_row *)0)->key)                    \
    }
#define NUMBER_ROW(key, most)                                                                                          \
    {                                                                                                                  \
#key, KEY_NUMBER, offsetof(struct manifest_row, key), most                                                     \
    }

static const struct {
    const char *name;
    enum { KEY_TEXT, KEY_NUMBER } kind;
    size_t offset, most; /* most: bytes of a text, value of a number */
} key_rule[] = {
    TEXT_ROW(source), TEXT_ROW(unit),      TEXT_ROW(bloc),          TEXT_ROW(intake),
    TEXT_ROW(fonds),  TEXT_ROW(file_code), NUMBER_ROW(priority, 5), NUMBER_ROW(pages, DOC_MAX_PAGES),
};

/* The other values of retention are terms of years, and of no meaning here. */
static bool retention_permanent(const char *retention)
{
    static const char *const permanent[] = {"permanent", "Permanent", "vĩnh viễn", "Vĩnh viễn", "VĨNH VIỄN"};
    for (size_t i = 0; retention && i < sizeof permanent / sizeof permanent[0]; i++)
        if (!strcmp(retention, permanent[i]))
            return true;
    return false;
}

static int keys_take(const json_t *json, uint64_t line_no, struct manifest_row *row, struct err *err)
{
    for (size_t i = 0; i < sizeof key_rule / sizeof key_rule[0]; i++) {
        const json_t *value = json_object_get(json, key_rule[i].name);
        if (!value || json_is_null(value))
            continue;
        struct place place = {line_no, key_rule[i].name};
        char *to = (char *)row + key_rule[i].offset;
        int rc = key_rule[i].kind == KEY_TEXT
                     ? text_take(&place, value, to, key_rule[i].most, err)
                     : number_take(&place, value, (uint32_t)key_rule[i].most, (uint32_t *)(void *)to, err);
        if (rc)
            return rc;
    }
    const json_t *deadline = json_object_get(json, "deadline");
    struct place place = {line_no, "deadline"};
    row->permanent = retention_permanent(json_string_value(json_object_get(json, "retention")));
    return deadline && !json_is_null(deadline) ? deadline_take(&place, deadline, &row->deadline_ms, err) : 0;
}

/* What an older system says of the document; it travels in the row, and is checked here. */
static int imported_check(const json_t *json, uint64_t line_no, struct err *err)
{
    const char *raw[IMPORTED_FIELDS];
    char *value[IMPORTED_FIELDS];
    struct err why = {0};
    for (size_t i = 0; i < IMPORTED_FIELDS; i++) {
        const json_t *said = json_object_get(json, imported_name(i));
        raw[i] = json_string_value(said);
        if (said && !raw[i] && !json_is_null(said))
            return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s is not text", line_no, imported_name(i));
    }
    int rc = imported_read(raw, value, &why);
    imported_clear(value);
    return rc ? err_set(err, E_MANIFEST, "line %" PRIu64 ": %s", line_no, why.text) : 0;
}

static int digitised_check(const json_t *json, uint64_t line_no, struct err *err)
{
    const json_t *said = json_object_get(json, IMPORTED_DIGITISED);
    struct err why = {0};
    bool digitised;
    if (!said || json_is_null(said) || json_is_boolean(said))
        return 0;
    const char *text = json_string_value(said);
    if (imported_digitised(text ? text : "", &digitised, &why))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s", line_no, why.text);
    return 0;
}

static int row_take(const json_t *json, uint64_t line_no, struct manifest_row *row, struct err *err)
{
    *row = (struct manifest_row){0};
    int rc = keys_take(json, line_no, row, err);
    if (rc)
        return rc;
    if (!*row->source)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": source is missing; every row needs one", line_no);
    struct err why = {0};
    if (unit_check(row->unit, &why))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s", line_no, why.text);
    rc = imported_check(json, line_no, err);
    return rc ? rc : digitised_check(json, line_no, err);
}

int manifest_row_parse(const char *json, size_t bytes, uint64_t line_no, struct manifest_row *row, struct err *err)
{
    if (bytes > MANIFEST_ROW_BYTES)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": longer than %d bytes", line_no, MANIFEST_ROW_BYTES);
    json_error_t why;
    AUTO(json_drop) json_t *object = json_loadb(json, bytes, JSON_REJECT_DUPLICATES, &why);
    if (!object)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": not JSON: %s", line_no, why.text);
    if (!json_is_object(object))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": not a JSON object", line_no);
    return row_take(object, line_no, row, err);
}

/* ---- CSV ---- */

static int row_append(json_t *object, uint64_t line_no, void *user, struct err *err)
{
    struct buf *json_lines = user;
    struct manifest_row row;
    int rc = row_take(object, line_no, &row, err);
    if (rc)
        return rc;
    size_t bytes = json_dumpb(object, NULL, 0, JSON_COMPACT);
    if (bytes > MANIFEST_ROW_BYTES)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": longer than %d bytes", line_no, MANIFEST_ROW_BYTES);
    json_dumpb(object, (char *)buf_reserve(json_lines, bytes), bytes, JSON_COMPACT);
    json_lines->size += bytes;
    buf_puts(json_lines, "\n");
    return 0;
}

int manifest_from_csv(const char *csv_text, size_t bytes, struct buf *json_lines, struct err *err)
{
    return csv_read(csv_text, bytes, "source", row_append, json_lines, err);
}
