/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Whoever described the document before had the paper: that value is in force. What was read is kept beside it, so that a
 * person sees both where they differ. */
#include "worker/prior.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/imported.h"

static const double prior_sure = 0.9; /* confidence from which what was read can put the imported value in doubt */

static void put(json_t *object, const char *key, json_t *value)
{
    int rc = json_object_set_new(object, key, value);
    assert(!rc);
    (void)rc;
}

static bool text_is(const json_t *value, const char *text)
{
    return json_is_string(value) && !strcmp(json_string_value(value), text);
}

static json_t *or_null(json_t *value)
{
    return value ? value : json_null();
}

/* ---- whether two values say the same ---- */

static bool is_tone(utf8proc_int32_t rune)
{
    return rune == 0x300 || rune == 0x301 || rune == 0x303 || rune == 0x309 || rune == 0x323;
}

static bool is_of_word(utf8proc_int32_t rune)
{
    utf8proc_category_t category = utf8proc_category(rune);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME) || category == UTF8PROC_CATEGORY_ND;
}

static void rune_put(struct buf *text, utf8proc_int32_t rune)
{
    utf8proc_uint8_t bytes[4];
    buf_append(text, bytes, (size_t)utf8proc_encode_char(rune, bytes));
}

static void word_end(struct buf *folded, struct buf *tones)
{
    buf_append(folded, buf_text(tones), tones->size);
    buf_clear(tones);
    if (folded->size && folded->data[folded->size - 1] != ' ')
        buf_puts(folded, " ");
}

/* Without case, punctuation, and zeros before a number, the tone of a word behind it: "Hoà, 05" and "HÒA 5" are alike. */
static void text_fold(const char *text, struct buf *folded)
{
    AUTO(buf_destroy) struct buf tones = {0};
    AUTO(mem_destroy) utf8proc_uint8_t *apart = NULL;
    utf8proc_option_t options = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD;
    if (utf8proc_map((const utf8proc_uint8_t *)text, 0, &apart, options) < 0)
        return;
    for (const utf8proc_uint8_t *at = apart; *at;) {
        utf8proc_int32_t rune;
        at += utf8proc_iterate(at, -1, &rune);
        bool begins = !folded->size || folded->data[folded->size - 1] == ' ';
        if (is_tone(rune))
            rune_put(&tones, rune);
        else if (!is_of_word(rune))
            word_end(folded, &tones);
        else if (rune != '0' || !begins)
            rune_put(folded, rune);
    }
    word_end(folded, &tones);
}

static bool texts_alike(const char *a, const char *b)
{
    AUTO(buf_destroy) struct buf one = {0};
    AUTO(buf_destroy) struct buf other = {0};
    text_fold(a, &one);
    text_fold(b, &other);
    return one.size == other.size && !memcmp(buf_text(&one), buf_text(&other), one.size);
}

/* Older systems keep a type by its code. */
static const json_t *field_against(const json_t *metadata, const char *name, const char *value)
{
    bool code = !strcmp(name, "typeName") && strspn(value, "0123456789") == strlen(value);
    return json_object_get(metadata, code ? "typeCode" : name);
}

static bool read_otherwise(const json_t *metadata, const char *name, const char *value)
{
    const json_t *read = field_against(metadata, name, value);
    const char *text = json_string_value(json_object_get(read, "value"));
    return text && json_number_value(json_object_get(read, "confidence")) >= prior_sure && !texts_alike(value, text);
}

/* ---- fields ---- */

static json_t *field_json(json_t *read, const char *value, bool doubted)
{
    json_t *field = json_object();
    put(field, "value", json_string(value));
    put(field, "origin", json_string("imported"));
    put(field, "imported", json_pack("{s:s}", "value", value));
    put(field, "read", read ? json_deep_copy(read) : json_null());
    put(field, "confidence", json_null());
    put(field, "page", or_null(json_deep_copy(json_object_get(read, "page"))));
    put(field, "box", or_null(json_deep_copy(json_object_get(read, "box"))));
    put(field, "raw", read ? json_deep_copy(json_object_get(read, "raw")) : json_string(""));
    put(field, "candidates", json_array());
    put(field, "doubt", doubted ? json_string("the page says something else") : json_null());
    return field;
}

static void list_drop(json_t *list, const char *name)
{
    for (size_t i = json_array_size(list); i-- > 0;)
        if (text_is(json_array_get(list, i), name))
            json_array_remove(list, i);
}

static void fields_put(json_t *rec, char *const value[IMPORTED_FIELDS])
{
    const json_t *read = json_object_get(rec, "metadata");
    json_t *metadata = json_deep_copy(read), *doubts = json_deep_copy(json_object_get(rec, "doubts"));
    assert(metadata && doubts); /* record_done() puts both */
    for (size_t i = 0; i < IMPORTED_FIELDS; i++) {
        const char *name = imported_name(i);
        if (!value[i])
            continue;
        bool doubted = read_otherwise(read, name, value[i]);
        put(metadata, name, field_json(json_object_get(read, name), value[i], doubted));
        list_drop(doubts, name);
        if (doubted)
            json_array_append_new(doubts, json_string(name));
    }
    put(rec, "doubts", doubts);
    put(rec, "metadata", metadata);
}

/* ---- a document that was digitised before ---- */

static bool has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (text_is(json_array_get(list, i), text))
            return true;
    return false;
}

/* Nothing of the page was read: it has its own text, or none, or a layer that was trusted. */
static bool page_taken_over(const json_t *page)
{
    bool scan = text_is(json_object_get(page, "kind"), "scan");
    return text_is(json_object_get(page, "state"), "stored") &&
           (!scan || has_text(json_object_get(page, "notes"), "layer"));
}

static bool rec_taken_over(const json_t *rec)
{
    const json_t *pages = json_object_get(rec, "pages");
    for (size_t i = 0; i < json_array_size(pages); i++)
        if (!page_taken_over(json_array_get(pages, i)))
            return false;
    return true;
}

void prior_put(json_t *rec, const json_t *row)
{
    const char *raw[IMPORTED_FIELDS], *said = json_string_value(json_object_get(row, IMPORTED_DIGITISED));
    char *value[IMPORTED_FIELDS];
    bool digitised = json_is_true(json_object_get(row, IMPORTED_DIGITISED));
    struct err why = {0};
    size_t values = 0;
    for (size_t i = 0; i < IMPORTED_FIELDS; i++) {
        raw[i] = json_string_value(json_object_get(row, imported_name(i)));
        values += raw[i] != NULL;
    }
    int rc = values ? imported_read(raw, value, &why) : 0;
    if (!rc && said)
        rc = imported_digitised(said, &digitised, &why);
    if (rc)
        put(rec, "import_error", json_string(why.text));
    if (!rc && values)
        fields_put(rec, value);
    if (values)
        imported_clear(value);
    if (digitised)
        put(rec, "synchronised", json_boolean(rec_taken_over(rec)));
}
