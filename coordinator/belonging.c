/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Along the kin of a unit: to what came of it, or to what it came from, until the time that is asked for. */
#include "coordinator/belonging.h"

#include <string.h>

#include "proto/auto.h"

struct walk {
    struct belonging *into;
    struct buf seen; /* const struct place *: what was split and merged again is looked at once */
    enum place_kind kind;
    int64_t day;
    bool leaks; /* a part of it went nobody knows where */
};

void belonging_destroy(struct belonging *belonging)
{
    buf_destroy(&belonging->candidates);
}

size_t belonging_count(const struct belonging *belonging)
{
    return belonging->candidates.size / sizeof(const struct place *);
}

const struct place *belonging_at(const struct belonging *belonging, size_t index)
{
    return ((const struct place *const *)(const void *)belonging->candidates.data)[index];
}

static bool add_once(struct buf *list, const struct place *place)
{
    const struct place *const *there = (const struct place *const *)(const void *)list->data;
    for (size_t i = 0; i < list->size / sizeof place; i++)
        if (there[i] == place)
            return false;
    buf_append(list, &place, sizeof place);
    return true;
}

static void walk_on(struct walk *walk, const struct place *place);

static void walk_all(struct walk *walk, const struct kin *kin, size_t count)
{
    for (size_t i = 0; i < count; i++)
        walk_on(walk, kin[i].place);
}

static void walk_on(struct walk *walk, const struct place *place)
{
    bool since = walk->kind == PLACE_NEW, too_early = place->from_day > walk->day;
    if (!add_once(&walk->seen, place))
        return;
    if (since && place_ended(place, walk->day)) {
        walk->leaks = walk->leaks || !place->whole;
        walk_all(walk, place->successor, place->successors);
    } else if (place_kind(place) == PLACE_NEW && (!since || too_early)) {
        walk_all(walk, place->predecessor, place->predecessors);
    } else if (walk->kind == PLACE_OLD && place_kind(place) == PLACE_DISTRICT) {
        walk_all(walk, place->commune, place->communes);
    } else {
        bool up = walk->kind == PLACE_DISTRICT && place->parent;
        add_once(&walk->into->candidates, up ? place->parent : place);
    }
}

void belonging_of(const struct place *place, enum place_kind kind, int64_t day, struct belonging *belonging)
{
    struct walk walk = {.into = belonging, .kind = kind, .day = day};
    buf_clear(&belonging->candidates);
    walk_on(&walk, place);
    belonging->sure = belonging_count(belonging) == 1 && !walk.leaks;
    buf_destroy(&walk.seen);
}

enum relation belonging_to(const struct place *place, const struct place *unit)
{
    AUTO(belonging_destroy) struct belonging belonging = {0};
    belonging_of(place, place_kind(unit), unit->from_day, &belonging);
    for (size_t i = 0; i < belonging_count(&belonging); i++)
        if (belonging_at(&belonging, i) == unit)
            return belonging.sure ? RELATION_SURE : RELATION_PERHAPS;
    return RELATION_NONE;
}
