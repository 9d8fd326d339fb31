/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What the API says is checked here once: document numbers and states that can't be are E_VERSION. */
#include "coordinator/ctl/outcome.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

static const char *const state_name[DOC_STATES] = {
    [DOC_IS_OPEN] = "open",           [DOC_IS_STORED] = "stored",           [DOC_IS_DEAD] = "dead",
    [DOC_IS_DUPLICATE] = "duplicate", [DOC_IS_QUARANTINED] = "quarantined", [DOC_IS_WITHDRAWN] = "withdrawn",
    [DOC_IS_REFUSED] = "refused",
};

const char *doc_state_name(enum doc_state state)
{
    assert(state < DOC_STATES);
    return state_name[state];
}

void outcomes_init(struct outcomes *outcomes, size_t count)
{
    outcomes->item = calloc(count ? count : 1, sizeof *outcomes->item);
    assert(outcomes->item);
    outcomes->count = count;
}

void outcomes_destroy(struct outcomes *outcomes)
{
    for (size_t i = 0; i < outcomes->count; i++) {
        free(outcomes->item[i].source);
        free(outcomes->item[i].reason);
        free(outcomes->item[i].name);
    }
    free(outcomes->item);
    *outcomes = (struct outcomes){0};
}

uint64_t batch_count(const json_t *batch, const char *what, const char *key)
{
    json_int_t count = json_integer_value(json_object_get(json_object_get(batch, what), key));
    return count > 0 ? (uint64_t)count : 0;
}

const char *batch_path(struct buf *path, const char *batch, const char *rest)
{
    buf_clear(path);
    buf_puts(path, "batches/");
    api_escape(path, batch);
    buf_puts(path, rest);
    return buf_text(path);
}

static void text_set(char **text, const char *value)
{
    free(*text);
    *text = strdup(value ? value : "");
    assert(*text);
}

static void reason_set(struct outcome *outcome, const json_t *error)
{
    AUTO(buf_destroy) struct buf reason = {0};
    if (json_is_object(error)) {
        const char *code = json_string_value(json_object_get(error, "code"));
        const char *text = json_string_value(json_object_get(error, "text"));
        json_int_t page = json_integer_value(json_object_get(error, "page"));
        buf_printf(&reason, "%s: ", code ? code : "E_?");
        if (page > 0)
            buf_printf(&reason, "page %" JSON_INTEGER_FORMAT ": ", page);
        buf_puts(&reason, text ? text : "");
    }
    text_set(&outcome->reason, buf_text(&reason));
}

static uint32_t number(const json_t *json, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(json, key));
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static enum doc_state state_of(const json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "state"));
    int state = 0;
    while (name && state < DOC_STATES && strcmp(name, state_name[state]))
        state++;
    return name ? (enum doc_state)state : DOC_STATES;
}

static int outcome_take(struct outcomes *outcomes, const json_t *json, size_t *ret_doc, struct err *err)
{
    json_t *doc = json_object_get(json, "document");
    enum doc_state state = state_of(json);
    if (!json_is_integer(doc) || json_integer_value(doc) < 0 || (size_t)json_integer_value(doc) >= outcomes->count ||
        state == DOC_STATES)
        return err_set(err, E_VERSION, "the list of documents names one that can't be (of %zu)", outcomes->count);
    *ret_doc = (size_t)json_integer_value(doc);
    struct outcome *outcome = &outcomes->item[*ret_doc];
    outcome->exported &= outcome->state == state && outcome->generation == number(json, "generation");
    outcome->state = state;
    outcome->generation = number(json, "generation");
    outcome->pages = number(json, "pages");
    outcome->pages_stored = number(json, "pages_stored");
    outcome->pages_dead = number(json, "pages_dead");
    outcome->duplicate_of = number(json, "duplicate_of");
    if (state == DOC_IS_DUPLICATE && outcome->duplicate_of >= outcomes->count)
        return err_set(err, E_VERSION, "document %zu is a duplicate of one that can't be", *ret_doc);
    reason_set(outcome, json_object_get(json, "error"));
    text_set(&outcome->source, json_string_value(json_object_get(json, "source")));
    return 0;
}

static int call_read(struct api *api, const char *batch, struct outcomes *outcomes, size_t *next, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(json_drop) json_t *json = NULL;
    batch_path(&path, batch, "/documents");
    buf_printf(&path, "?limit=%d", OUTCOMES_A_CALL);
    if (*next > 0)
        buf_printf(&path, "&after=%zu", *next - 1);
    int rc = api_get(api, buf_text(&path), &json, err);
    if (rc)
        return rc;
    size_t from = *next, i, doc = 0;
    json_t *each;
    json_array_foreach(json_object_get(json, "documents"), i, each)
    {
        rc = outcome_take(outcomes, each, &doc, err);
        if (rc)
            return rc;
        *next = doc + 1 > *next ? doc + 1 : *next;
    }
    if (json_is_null(json_object_get(json, "next")))
        *next = outcomes->count;
    return *next > from ? 0 : err_set(err, E_VERSION, "the list of documents does not go on after %zu", from);
}

int outcomes_read(struct api *api, const char *batch, size_t first, unsigned calls, struct outcomes *outcomes,
                  size_t *ret_next, struct err *err)
{
    size_t next = first;
    int rc = 0;
    for (unsigned call = 0; call < calls && next < outcomes->count && !rc; call++)
        rc = call_read(api, batch, outcomes, &next, err);
    if (!rc)
        *ret_next = next;
    return rc;
}
