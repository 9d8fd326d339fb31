/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/gazetteer.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "hanoi_units.h"

enum { PLACES_MAX = 1024 };

static struct place place[PLACES_MAX];
static size_t places;

static int place_order(const void *a, const void *b)
{
    return strcmp(((const struct place *)a)->unit, ((const struct place *)b)->unit);
}

/* Known or new; there are so few that they are looked through. */
static struct place *place_named(const char *kind, json_t *row, const char *code_key, const char *name_key)
{
    const char *code = json_string_value(json_object_get(row, code_key)),
               *name = json_string_value(json_object_get(row, name_key));
    char unit[UNIT_BYTES];
    size_t i = 0;
    snprintf(unit, sizeof unit, "%s:%.5s", kind, code ? code : "");
    while (i < places && strcmp(place[i].unit, unit))
        i++;
    assert(i < PLACES_MAX);
    if (i < places)
        return &place[i];
    memcpy(place[i].unit, unit, sizeof unit);
    snprintf(place[i].name, sizeof place[i].name, "%s", name ? name : "");
    return &place[places++];
}

/* A district's are those of its communes. */
static void successor_add(struct place *of, const char *unit)
{
    for (size_t i = 0; i < of->successors; i++)
        if (!strcmp(of->successor[i], unit))
            return;
    assert(of->successors < SUCCESSORS_MOST);
    memcpy(of->successor[of->successors++], unit, UNIT_BYTES);
}

static int on_row(json_t *row, uint64_t line_no, void *user, struct err *err)
{
    (void)line_no;
    (void)user;
    (void)err;
    struct place *district = place_named("district", row, "old_district_code", "old_district_name");
    const struct place *new = place_named("new", row, "new_commune_code", "new_commune_name");
    struct place *old = place_named("old", row, "old_commune_code", "old_commune_name");
    memcpy(old->parent, district->unit, sizeof old->parent);
    successor_add(old, new->unit);
    successor_add(district, new->unit);
    return 0;
}

static void places_read(void)
{
    struct err err;
    if (places)
        return;
    int rc = csv_read((const char *)hanoi_units, sizeof hanoi_units, "old_commune_code", on_row, NULL, &err);
    assert(!rc);
    (void)rc;
    qsort(place, places, sizeof *place, place_order);
}

const struct place *place_find(const char *unit)
{
    struct place wanted = {.unit = ""};
    places_read();
    snprintf(wanted.unit, sizeof wanted.unit, "%s", unit);
    return strcmp(wanted.unit, unit) ? NULL : bsearch(&wanted, place, places, sizeof *place, place_order);
}

const struct place *place_at(size_t index)
{
    places_read();
    return index < places ? &place[index] : NULL;
}
