/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Built once, from places and links in the order they were read: then places are sorted, and each has its kin as pointers into the
 * same gazetteer, in the order of the links. */
#include "coordinator/gazetteer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "coordinator/day.h"
#include "hanoi_units.h"
#include "proto/buf.h"

enum link_kind { LINK_BECAME, LINK_SHARED, LINK_WITHIN }; /* SHARED: what became of its communes became of a district */

struct link {
    char from[UNIT_BYTES], to[UNIT_BYTES];
    enum link_kind kind;
    enum coverage coverage;
};

struct gazetteer {
    unsigned users;
    struct buf place; /* struct place */
    struct buf link;  /* struct link */
    struct kin *kin;
};

static struct gazetteer *current;

static const char *const coverage_text[COVERAGES] = {"whole", "part", "part_of_area", "part_of_area_all_people"};

const char *coverage_name(enum coverage coverage)
{
    return coverage_text[coverage];
}

bool coverage_named(const char *name, enum coverage *ret_coverage)
{
    for (int i = 0; i < COVERAGES; i++)
        if (!strcmp(coverage_text[i], name)) {
            *ret_coverage = (enum coverage)i;
            return true;
        }
    return false;
}

/* ---- building ---- */

static struct place *places_of(const struct gazetteer *gazetteer, size_t *ret_count)
{
    *ret_count = gazetteer->place.size / sizeof(struct place);
    return (struct place *)(void *)gazetteer->place.data;
}

static struct link *links_of(const struct gazetteer *gazetteer, size_t *ret_count)
{
    *ret_count = gazetteer->link.size / sizeof(struct link);
    return (struct link *)(void *)gazetteer->link.data;
}

/* Known or new; there are so few that they are looked through. */
static struct place *place_named(struct gazetteer *gazetteer, const char *unit, const char *name)
{
    struct place fresh = {.unit = ""};
    size_t count;
    struct place *place = places_of(gazetteer, &count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(place[i].unit, unit))
            return &place[i];
    assert(count < PLACES_MAX);
    snprintf(fresh.unit, sizeof fresh.unit, "%s", unit);
    snprintf(fresh.name, sizeof fresh.name, "%s", name);
    buf_append(&gazetteer->place, &fresh, sizeof fresh);
    place = places_of(gazetteer, &count);
    return &place[count - 1];
}

static void link_add(struct gazetteer *gazetteer, const char *from, const char *to, enum link_kind kind,
                     enum coverage coverage)
{
    struct link fresh = {.kind = kind, .coverage = coverage};
    size_t count;
    const struct link *link = links_of(gazetteer, &count);
    snprintf(fresh.from, sizeof fresh.from, "%s", from);
    snprintf(fresh.to, sizeof fresh.to, "%s", to);
    for (size_t i = 0; i < count; i++)
        if (link[i].kind == kind && !strcmp(link[i].from, from) && !strcmp(link[i].to, to))
            return; /* a district's successors are those of many of its communes */
    buf_append(&gazetteer->link, &fresh, sizeof fresh);
}

static int place_order(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->unit, ((const struct place *)b)->unit);
}

static void kin_count(struct gazetteer *gazetteer, const struct link *link)
{
    struct place *from = (struct place *)(uintptr_t)gazetteer_find(gazetteer, link->from),
                 *to = (struct place *)(uintptr_t)gazetteer_find(gazetteer, link->to);
    if (link->kind == LINK_WITHIN) {
        from->parent = to;
        to->communes++;
        return;
    }
    from->successors++;
    assert(from->successors <= SUCCESSORS_MOST);
    to->predecessors += link->kind == LINK_BECAME;
}

static void kin_add(const struct kin *list, size_t *count, const struct place *place, enum coverage coverage)
{
    struct kin *at = (struct kin *)(uintptr_t)list + (*count)++;
    *at = (struct kin){place, coverage};
}

static void kin_link(struct gazetteer *gazetteer, const struct link *link)
{
    struct place *from = (struct place *)(uintptr_t)gazetteer_find(gazetteer, link->from),
                 *to = (struct place *)(uintptr_t)gazetteer_find(gazetteer, link->to);
    if (link->kind == LINK_WITHIN)
        kin_add(to->commune, &to->communes, from, link->coverage);
    else
        kin_add(from->successor, &from->successors, to, link->coverage);
    if (link->kind == LINK_BECAME)
        kin_add(to->predecessor, &to->predecessors, from, link->coverage);
}

/* The room for its kin, one list behind the other; they are filled in then. */
static void kin_place(struct place *place, struct kin **at)
{
    place->successor = *at;
    place->predecessor = place->successor + place->successors;
    place->commune = place->predecessor + place->predecessors;
    *at += place->successors + place->predecessors + place->communes;
    place->successors = place->predecessors = place->communes = 0;
}

static bool is_whole(const struct place *place)
{
    for (size_t i = 0; i < place->communes; i++)
        if (!is_whole(place->commune[i].place))
            return false;
    return place->communes || place->successors > 1 ||
           (place->successors == 1 && place->successor[0].coverage == COVERAGE_WHOLE);
}

static struct gazetteer *finished(struct gazetteer *gazetteer)
{
    size_t places, links;
    struct place *place = places_of(gazetteer, &places);
    const struct link *link = links_of(gazetteer, &links);
    struct kin *at = gazetteer->kin = calloc(2 * links + 1, sizeof *at);
    if (!at)
        abort();
    qsort(place, places, sizeof *place, place_order);
    for (size_t i = 0; i < links; i++)
        kin_count(gazetteer, &link[i]);
    for (size_t i = 0; i < places; i++)
        kin_place(&place[i], &at);
    for (size_t i = 0; i < links; i++)
        kin_link(gazetteer, &link[i]);
    for (size_t i = 0; i < places; i++)
        place[i].whole = is_whole(&place[i]);
    return gazetteer;
}

/* ---- what the program has itself ---- */

static const char *cell(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static void typed(const json_t *row, const char *kind, const char *key, char unit[UNIT_BYTES])
{
    snprintf(unit, UNIT_BYTES, "%s:%.5s", kind, cell(row, key));
}

static int on_row(json_t *row, uint64_t line_no, void *user, struct err *err)
{
    struct gazetteer *gazetteer = user;
    char district[UNIT_BYTES], old[UNIT_BYTES], new[UNIT_BYTES];
    enum coverage coverage;
    int64_t day = 0;
    bool known = coverage_named(cell(row, "coverage"), &coverage) && day_parse(PLACES_MERGED_ON, &day);
    assert(known);
    (void)known;
    (void)line_no;
    (void)err;
    typed(row, "district", "old_district_code", district);
    typed(row, "old", "old_commune_code", old);
    typed(row, "new", "new_commune_code", new);
    place_named(gazetteer, district, cell(row, "old_district_name"))->until_day = day - 1;
    place_named(gazetteer, new, cell(row, "new_commune_name"))->from_day = day;
    place_named(gazetteer, old, cell(row, "old_commune_name"))->until_day = day - 1;
    link_add(gazetteer, old, district, LINK_WITHIN, COVERAGE_WHOLE);
    link_add(gazetteer, old, new, LINK_BECAME, coverage);
    link_add(gazetteer, district, new, LINK_SHARED, COVERAGE_PART);
    return 0;
}

static struct gazetteer *empty(void)
{
    struct gazetteer *gazetteer = calloc(1, sizeof *gazetteer);
    if (!gazetteer)
        abort();
    gazetteer->users = 1;
    return gazetteer;
}

struct gazetteer *gazetteer_new(void)
{
    struct gazetteer *gazetteer = empty();
    struct err err;
    int rc = csv_read((const char *)hanoi_units, sizeof hanoi_units, "old_commune_code", on_row, gazetteer, &err);
    assert(!rc);
    (void)rc;
    return finished(gazetteer);
}

/* ---- what came later ---- */

static struct gazetteer *copied(const struct gazetteer *base)
{
    struct gazetteer *gazetteer = empty();
    size_t count;
    buf_append(&gazetteer->place, base->place.data, base->place.size);
    buf_append(&gazetteer->link, base->link.data, base->link.size);
    struct place *place = places_of(gazetteer, &count);
    for (size_t i = 0; i < count; i++) {
        place[i].parent = NULL;
        place[i].successors = place[i].predecessors = place[i].communes = 0;
    }
    return gazetteer;
}

struct gazetteer *gazetteer_changed(const struct gazetteer *base, const struct handover *handover, size_t count,
                                    int64_t day)
{
    struct gazetteer *gazetteer = copied(base);
    char date[DAY_CHARS + 1], unit[UNIT_BYTES];
    day_date(day_start_ms(day), date);
    for (size_t i = 0; i < count; i++) {
        const struct place *old = gazetteer_find(base, handover[i].old_unit);
        assert(old && !old->until_day);
        snprintf(unit, sizeof unit, "new:%s@%s", handover[i].new_code, date);
        place_named(gazetteer, old->unit, old->name)->until_day = day - 1;
        place_named(gazetteer, unit, handover[i].new_name)->from_day = day;
        link_add(gazetteer, old->unit, unit, LINK_BECAME, handover[i].coverage);
    }
    return finished(gazetteer);
}

struct gazetteer *gazetteer_keep(struct gazetteer *gazetteer)
{
    gazetteer->users++;
    return gazetteer;
}

void gazetteer_drop(struct gazetteer **gazetteer)
{
    if (*gazetteer && !--(*gazetteer)->users) {
        buf_destroy(&(*gazetteer)->place);
        buf_destroy(&(*gazetteer)->link);
        free((*gazetteer)->kin);
        free(*gazetteer);
    }
    *gazetteer = NULL;
}

size_t gazetteer_places(const struct gazetteer *gazetteer)
{
    return gazetteer->place.size / sizeof(struct place);
}

const struct place *gazetteer_find(const struct gazetteer *gazetteer, const char *unit)
{
    struct place wanted = {.unit = ""};
    size_t count;
    const struct place *place = places_of(gazetteer, &count);
    snprintf(wanted.unit, sizeof wanted.unit, "%s", unit);
    return strcmp(wanted.unit, unit) ? NULL : bsearch(&wanted, place, count, sizeof *place, place_order);
}

const struct place *gazetteer_at(const struct gazetteer *gazetteer, size_t index)
{
    size_t count;
    const struct place *place = places_of(gazetteer, &count);
    return index < count ? &place[index] : NULL;
}

const struct place *gazetteer_code(const struct gazetteer *gazetteer, const char *code)
{
    const struct place *place;
    char own[CODE_BYTES];
    for (size_t i = 0; (place = gazetteer_at(gazetteer, i)); i++)
        if (place_kind(place) == PLACE_NEW && !place->until_day && !strcmp(place_code(place, own), code))
            return place;
    return NULL;
}

/* ---- the one in force ---- */

void gazetteer_use(struct gazetteer *gazetteer)
{
    gazetteer_drop(&current);
    current = gazetteer;
}

struct gazetteer *gazetteer_now(void)
{
    if (!current)
        current = gazetteer_new();
    return current;
}

const struct place *place_find(const char *unit)
{
    return gazetteer_find(gazetteer_now(), unit);
}

const struct place *place_at(size_t index)
{
    return gazetteer_at(gazetteer_now(), index);
}

/* ---- what a unit is ---- */

static const char *const kind_text[PLACE_KINDS] = {"district", "old", "new"};

const char *place_kind_name(enum place_kind kind)
{
    return kind_text[kind];
}

enum place_kind place_kind(const struct place *place)
{
    size_t chars = strcspn(place->unit, ":");
    int kind = PLACE_DISTRICT;
    while (strlen(kind_text[kind]) != chars || strncmp(kind_text[kind], place->unit, chars))
        kind++;
    return (enum place_kind)kind;
}

const char *place_code(const struct place *place, char code[CODE_BYTES])
{
    const char *from = strchr(place->unit, ':') + 1;
    size_t chars = strcspn(from, "@");
    assert(chars < CODE_BYTES);
    memcpy(code, from, chars);
    code[chars] = '\0';
    return code;
}

bool place_ended(const struct place *place, int64_t day)
{
    return place->until_day && place->until_day < day;
}
