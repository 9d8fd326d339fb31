/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is certain and what is not are told apart everywhere: a commune that was split is counted with each candidate beside
 * what surely is that one's, and summed once, as undecided. */
#include "coordinator/api_units.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "coordinator/belonging.h"
#include "coordinator/live.h"
#include "coordinator/naming.h"
#include "coordinator/shape.h"
#include "proto/auto.h"
#include "proto/clock.h"

/* ---- which there are and were ---- */

static json_t *names_json(const struct belonging *belonging)
{
    json_t *list = json_array();
    for (size_t i = 0; i < belonging_count(belonging); i++) {
        const struct place *place = belonging_at(belonging, i);
        json_array_append_new(list, json_pack("{s:s, s:s}", "unit", place->unit, "name", place->name));
    }
    return list;
}

static json_t *place_json(const struct place *place, int64_t today)
{
    AUTO(belonging_destroy) struct belonging now = {0};
    char code[CODE_BYTES];
    belonging_of(place, PLACE_NEW, today, &now);
    json_t *district =
        place->parent ? json_pack("{s:s, s:s}", "unit", place->parent->unit, "name", place->parent->name) : json_null();
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:b}", "unit", place->unit, "code",
                     place_code(place, code), "kind", place_kind_name(place_kind(place)), "name", place->name, "from",
                     day_json(place->from_day), "until", day_json(place->until_day), "old", place_ended(place, today),
                     "district", district, "communes", kin_json(place->commune, place->communes), "became",
                     kin_json(place->successor, place->successors), "came_from",
                     kin_json(place->predecessor, place->predecessors), "now", names_json(&now), "sure", now.sure);
}

/* ?q=: a unit, a bare code or a name. */
void get_places(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *text = request_argument(request, "q");
    AUTO(buf_destroy) struct buf found = {0};
    json_t *places = json_array();
    struct err err;
    (void)c;
    (void)args;
    if (text && *text)
        naming_find(gazetteer_now(), text, &found);
    const struct place *const *place = (const struct place *const *)(const void *)found.data;
    for (size_t i = 0; i < found.size / sizeof *place; i++)
        json_array_append_new(places, place_json(place[i], day_of(clock_wall_ms())));
    if (json_array_size(places)) {
        request_answer(request, 200, json_pack("{s:o}", "places", places));
        return;
    }
    json_decref(places);
    if (text && *text)
        err_set(&err, E_ABSENT, "no unit is or was called '%.60s'", text);
    else
        err_set(&err, E_USAGE, "q is a unit, a code or a name");
    request_answer_err(request, &err);
}

/* ---- progress by those of one time ---- */

struct sum {
    uint64_t docs, pages, done, left;
};

struct heap { /* of a unit that documents may belong to */
    struct sum sure, perhaps;
};

struct heaps {
    const struct place *first; /* heap[i] is of first[i] */
    struct heap *heap;
    struct sum all, sure, undecided;
};

static void sum_add(struct sum *sum, const struct live_unit *unit)
{
    sum->docs += unit->docs;
    sum->pages += unit->pages;
    sum->done += unit->pages_done;
    sum->left += (uint64_t)unit->total.pages;
}

static json_t *sum_json(const struct sum *sum)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "documents", (json_int_t)sum->docs, "pages", (json_int_t)sum->pages,
                     "pages_done", (json_int_t)sum->done, "pages_left", (json_int_t)sum->left);
}

static void heaps_add(struct heaps *heaps, const struct live_unit *unit, enum place_kind kind, int64_t today)
{
    AUTO(belonging_destroy) struct belonging belonging = {0};
    const struct place *place = place_find(unit->unit);
    if (place)
        belonging_of(place, kind, today, &belonging);
    sum_add(&heaps->all, unit);
    sum_add(belonging.sure ? &heaps->sure : &heaps->undecided, unit);
    for (size_t i = 0; i < belonging_count(&belonging); i++) {
        struct heap *heap = &heaps->heap[belonging_at(&belonging, i) - heaps->first];
        sum_add(belonging.sure ? &heap->sure : &heap->perhaps, unit);
    }
}

static bool is_empty(const struct sum *sum)
{
    return !sum->docs && !sum->pages && !sum->left;
}

static json_t *heap_json(const struct place *place, const struct heap *heap, int64_t today)
{
    return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "unit", place->unit, "name", place->name, "old",
                     place_ended(place, today), "from", day_json(place->from_day), "until", day_json(place->until_day),
                     "sure", sum_json(&heap->sure), "perhaps", sum_json(&heap->perhaps));
}

static bool is_asked_for(const struct place *place, const char *part)
{
    return !part || strcasestr(place->unit, part) || strcasestr(place->name, part);
}

static json_t *heaps_json(const struct heaps *heaps, const char *part, int64_t today)
{
    json_t *units = json_array();
    const struct place *place;
    for (size_t i = 0; (place = place_at(i)); i++) {
        const struct heap *heap = &heaps->heap[i];
        if ((!is_empty(&heap->sure) || !is_empty(&heap->perhaps)) && is_asked_for(place, part))
            json_array_append_new(units, heap_json(place, heap, today));
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "day", day_json(today), "units", units, "all", sum_json(&heaps->all),
                     "sure", sum_json(&heaps->sure), "undecided", sum_json(&heaps->undecided));
}

static int kind_named(const char *name, enum place_kind *ret_kind, struct err *err)
{
    for (int kind = 0; kind < PLACE_KINDS; kind++)
        if (!strcmp(place_kind_name((enum place_kind)kind), name)) {
            *ret_kind = (enum place_kind)kind;
            return 0;
        }
    return err_set(err, E_USAGE, "by=%.20s: district, old or new", name);
}

void get_units_by(struct coordinator *c, struct request *request, const char *by)
{
    size_t units;
    const struct live_unit *unit = live_units(c->live, &units);
    int64_t today = day_of(clock_wall_ms());
    enum place_kind kind = PLACE_NEW;
    struct err err;
    if (kind_named(by, &kind, &err)) {
        request_answer_err(request, &err);
        return;
    }
    AUTO(mem_destroy) struct heap *heap = calloc(gazetteer_places(gazetteer_now()), sizeof *heap);
    struct heaps heaps = {.first = place_at(0), .heap = heap};
    if (!heap)
        abort();
    for (size_t i = 0; i < units; i++)
        if (account_covers(request_account(request), unit[i].unit))
            heaps_add(&heaps, &unit[i], kind, today);
    request_answer(request, 200, heaps_json(&heaps, request_argument(request, "q"), today));
}
