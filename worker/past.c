/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/past.h"

#include <assert.h>

static void set(json_t *object, const char *key, json_t *value)
{
    int rc = json_object_set_new(object, key, value);
    assert(!rc); /* only without memory */
    (void)rc;
}

static json_t *reading_new(const json_t *rec)
{
    const json_t *provenance = json_object_get(rec, "provenance");
    json_t *reading = json_object();
    set(reading, "generation", json_incref(json_object_get(rec, "generation")));
    set(reading, "created", json_incref(json_object_get(provenance, "created")));
    set(reading, "worker", json_incref(json_object_get(provenance, "worker")));
    set(reading, "build", json_incref(json_object_get(provenance, "build")));
    return reading;
}

/* Which reading a page of a record is of. */
static json_t *reading_of(const json_t *rec, const json_t *page)
{
    json_t *reading = json_object_get(page, "reading");
    return reading ? json_copy(reading) : reading_new(rec);
}

static json_t *history_of(const json_t *page)
{
    json_t *history = json_object_get(page, "history");
    return json_is_array(history) ? json_copy(history) : json_array();
}

/* What came of the reading before. */
static void history_add(json_t *history, const json_t *before, const json_t *page)
{
    static const char *const key[] = {"state", "kind", "grade", "confidence", "words", "error"};
    json_t *reading = reading_of(before, page);
    for (size_t i = 0; i < sizeof key / sizeof key[0]; i++)
        if (json_object_get(page, key[i]))
            set(reading, key[i], json_incref(json_object_get(page, key[i])));
    json_array_append_new(history, reading);
    while (json_array_size(history) > PAST_READINGS_MOST)
        json_array_remove(history, 0);
}

static void page_put(json_t *page, const json_t *rec, const json_t *before, const json_t *was, bool kept)
{
    json_t *history = history_of(was);
    bool is_earlier = json_integer_value(json_object_get(before, "generation")) <
                      json_integer_value(json_object_get(rec, "generation"));
    if (was && !kept && is_earlier)
        history_add(history, before, was);
    set(page, "reading", was && kept ? reading_of(before, was) : reading_new(rec));
    set(page, "history", history);
}

void past_put(json_t *rec, const json_t *before, const bool *kept)
{
    json_t *pages = json_array(), *page;
    size_t i;
    json_array_foreach(json_object_get(rec, "pages"), i, page)
    {
        json_t *copy = json_copy(page); /* done's own stays as it is */
        page_put(copy, rec, before, json_array_get(json_object_get(before, "pages"), i), kept[i]);
        json_array_append_new(pages, copy);
    }
    set(rec, "pages", pages);
}
