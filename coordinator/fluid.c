/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A flow of least cost (successive shortest paths: Ahuja, Magnanti, Orlin, "Network Flows", 9.7). Each priority has a line of
 * places, one a slot; work enters it where it is due, moves along it and leaves it into a slot. All that is known of a line
 * between two slots is how much of its work is late there: due before, not served yet. Less than 0: it is served ahead.
 * To move work later costs its weight where it is late then, nothing where it was ahead; to move it earlier saves the weight where it
 * was late. Whole numbers, so there is no rounding to go round in circles of. */
#include "coordinator/fluid.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#include "proto/auto.h"

enum step {
    STEP_NONE,
    STEP_LATER,   /* from the slot before, on the same line */
    STEP_EARLIER, /* from the slot after */
    STEP_SWAP,    /* it is put out of its slot by work of another priority, swap_from */
    STEP_START,
};

struct way { /* to a place */
    int64_t cost;
    uint32_t
        swaps; /* of ways that cost the same, the one with the least: otherwise many ways take turns in tiny steps */
};

struct place {
    struct way way; /* the cheapest */
    enum step step;
    uint32_t swap_from;
};

struct line {
    struct place *place; /* a slot */
    int64_t *served;     /* in the slot */
    int64_t *late;       /* at its end */
    int64_t weight;
};

struct fluid {
    uint32_t slots;
    struct line line[FLUID_PRIORITIES];
    int64_t *slot_ms, *room;
    uint32_t *roomy; /* by slot: between the one that this names and it there is no room; slots: nor before */
};

static void *zeroed(size_t count, size_t bytes)
{
    void *at = calloc(count, bytes);
    if (!at)
        abort();
    return at;
}

struct fluid *fluid_new(const int64_t *slot_ms, const int64_t *room_core_ms, uint32_t slots)
{
    assert(slots && slots <= FLUID_SLOTS_MAX);
    struct fluid *f = zeroed(1, sizeof *f);
    f->slots = slots;
    f->slot_ms = zeroed(slots, sizeof *f->slot_ms);
    f->room = zeroed(slots, sizeof *f->room);
    f->roomy = zeroed(slots, sizeof *f->roomy);
    for (uint32_t t = 0; t < slots; t++) {
        f->slot_ms[t] = slot_ms[t];
        f->room[t] = t + 1 < slots ? room_core_ms[t] : INT64_MAX / 2;
        f->roomy[t] = t;
    }
    int64_t weight = 1;
    for (uint32_t p = FLUID_PRIORITIES; p-- > 0; weight *= 10) {
        f->line[p].weight = weight;
        f->line[p].place = zeroed(slots, sizeof *f->line[p].place);
        f->line[p].served = zeroed(slots, sizeof *f->line[p].served);
        f->line[p].late = zeroed(slots, sizeof *f->line[p].late);
    }
    return f;
}

void fluid_destroy(struct fluid **fluid)
{
    if (!*fluid)
        return;
    for (uint32_t p = 0; p < FLUID_PRIORITIES; p++) {
        free((*fluid)->line[p].place);
        free((*fluid)->line[p].served);
        free((*fluid)->line[p].late);
    }
    free((*fluid)->slot_ms);
    free((*fluid)->room);
    free((*fluid)->roomy);
    free(*fluid);
    *fluid = NULL;
}

/* ---- what fits on time ---- */

/* The latest slot with room until this one; slots: none (union-find). */
static uint32_t latest_room(struct fluid *f, uint32_t slot)
{
    uint32_t at = f->roomy[slot];
    while (at < f->slots && !f->room[at])
        at = at ? f->roomy[at - 1] : f->slots;
    f->roomy[slot] = at;
    return at;
}

static void put(struct fluid *f, struct line *line, uint32_t slot, int64_t core_ms)
{
    f->room[slot] -= core_ms;
    line->served[slot] += core_ms;
}

/* As late as possible, so that what is early stays free for others. Returns what did not fit. */
static int64_t put_on_time(struct fluid *f, struct line *line, uint32_t due, int64_t core_ms)
{
    for (uint32_t slot; core_ms && (slot = latest_room(f, due)) < f->slots;) {
        int64_t fits = f->room[slot] < core_ms ? f->room[slot] : core_ms;
        put(f, line, slot, fits);
        for (uint32_t t = slot; t < due; t++)
            line->late[t] -= fits;
        core_ms -= fits;
    }
    return core_ms;
}

/* ---- what does not: the cheapest way to some slot with room ---- */

static bool cheaper(const struct place *a, const struct place *b)
{
    if (a->step == STEP_NONE || b->step == STEP_NONE)
        return a->step != STEP_NONE && b->step == STEP_NONE;
    return a->way.cost != b->way.cost ? a->way.cost < b->way.cost : a->way.swaps < b->way.swaps;
}

static bool improve(struct place *place, struct place better)
{
    bool improved = cheaper(&better, place);
    if (improved)
        *place = better;
    return improved;
}

/* Work that comes to a slot may put out work of other priorities that is there. */
static bool improve_swaps(struct fluid *f, uint32_t slot)
{
    uint32_t best = 0;
    bool better = false;
    for (uint32_t p = 1; p < FLUID_PRIORITIES; p++)
        if (cheaper(&f->line[p].place[slot], &f->line[best].place[slot]))
            best = p;
    struct place swap = f->line[best].place[slot];
    if (swap.step == STEP_NONE)
        return false;
    swap = (struct place){
        {swap.way.cost, swap.way.swaps + 1},
        STEP_SWAP, best
    };
    for (uint32_t p = 0; p < FLUID_PRIORITIES; p++)
        if (p != best && f->line[p].served[slot])
            better |= improve(&f->line[p].place[slot], swap);
    return better;
}

static bool improve_later(struct line *line, uint32_t slot, int64_t ms)
{
    const struct place *from = &line->place[slot];
    int64_t cost = line->late[slot] < 0 ? 0 : line->weight * ms;
    struct place later = {
        {from->way.cost + cost, from->way.swaps},
        STEP_LATER, 0
    };
    return from->step != STEP_NONE && improve(&line->place[slot + 1], later);
}

static bool improve_earlier(struct line *line, uint32_t slot, int64_t ms)
{
    const struct place *from = &line->place[slot + 1];
    int64_t saved = line->late[slot] > 0 ? line->weight * ms : 0;
    struct place earlier = {
        {from->way.cost - saved, from->way.swaps},
        STEP_EARLIER, 0
    };
    return from->step != STEP_NONE && improve(&line->place[slot], earlier);
}

static bool sweep_later(struct fluid *f)
{
    bool better = false;
    for (uint32_t t = 0; t < f->slots; t++) {
        better |= improve_swaps(f, t);
        for (uint32_t p = 0; p < FLUID_PRIORITIES && t + 1 < f->slots; p++)
            better |= improve_later(&f->line[p], t, f->slot_ms[t + 1]);
    }
    return better;
}

static bool sweep_earlier(struct fluid *f)
{
    bool better = false;
    for (uint32_t t = f->slots; t-- > 0;) {
        better |= improve_swaps(f, t);
        for (uint32_t p = 0; p < FLUID_PRIORITIES && t; p++)
            better |= improve_earlier(&f->line[p], t - 1, f->slot_ms[t]);
    }
    return better;
}

struct spot {
    uint32_t line, slot;
};

/* Of the slots that have room. */
static struct spot cheapest(const struct fluid *f)
{
    static const struct place none;
    const struct place *best = &none;
    struct spot spot = {0};
    for (uint32_t p = 0; p < FLUID_PRIORITIES; p++)
        for (uint32_t t = 0; t < f->slots; t++)
            if (f->room[t] && cheaper(&f->line[p].place[t], best)) {
                best = &f->line[p].place[t];
                spot = (struct spot){p, t};
            }
    assert(best != &none);
    return spot;
}

static struct spot find_way(struct fluid *f, struct spot start)
{
    for (uint32_t p = 0; p < FLUID_PRIORITIES; p++)
        for (uint32_t t = 0; t < f->slots; t++)
            f->line[p].place[t].step = STEP_NONE;
    f->line[start.line].place[start.slot] = (struct place){.step = STEP_START};
    sweep_later(f);
    while (sweep_earlier(f) && sweep_later(f))
        ;
    return cheapest(f);
}

/* The step that led to the spot: how much work can take it, and where it came from. */
static struct spot step_back(const struct fluid *f, struct spot at, int64_t *most)
{
    const struct line *line = &f->line[at.line];
    const struct place *place = &line->place[at.slot];
    int64_t limit = INT64_MAX;
    struct spot from = at;
    if (place->step == STEP_LATER) {
        from.slot--;
        limit = line->late[from.slot] < 0 ? -line->late[from.slot] : limit;
    } else if (place->step == STEP_EARLIER) {
        from.slot++;
        limit = line->late[at.slot] > 0 ? line->late[at.slot] : limit;
    } else {
        from.line = place->swap_from;
        limit = line->served[at.slot];
    }
    *most = limit < *most ? limit : *most;
    return from;
}

static void step_take(struct fluid *f, struct spot at, struct spot from, int64_t core_ms)
{
    struct line *line = &f->line[at.line];
    if (from.slot < at.slot) {
        line->late[from.slot] += core_ms;
    } else if (from.slot > at.slot) {
        line->late[at.slot] -= core_ms;
    } else {
        line->served[at.slot] -= core_ms;
        f->line[from.line].served[at.slot] += core_ms;
    }
}

/* As much of the work as all steps of the way can take. Returns the rest. */
static int64_t put_cheapest(struct fluid *f, struct spot start, int64_t core_ms)
{
    struct spot end = find_way(f, start), from;
    int64_t most = f->room[end.slot] < core_ms ? f->room[end.slot] : core_ms;
    for (struct spot at = end; f->line[at.line].place[at.slot].step != STEP_START; at = from)
        from = step_back(f, at, &most);
    int64_t any = INT64_MAX;
    for (struct spot at = end; f->line[at.line].place[at.slot].step != STEP_START; at = from) {
        from = step_back(f, at, &any);
        step_take(f, at, from, most);
    }
    put(f, &f->line[end.line], end.slot, most);
    return core_ms - most;
}

void fluid_add(struct fluid *fluid, uint32_t priority, uint32_t due, int64_t core_ms)
{
    assert(priority >= 1 && priority <= FLUID_PRIORITIES && due < fluid->slots && core_ms >= 0);
    struct spot start = {priority - 1, due};
    core_ms = put_on_time(fluid, &fluid->line[start.line], due, core_ms);
    while (core_ms)
        core_ms = put_cheapest(fluid, start, core_ms);
}

int64_t fluid_served(const struct fluid *fluid, uint32_t priority, uint32_t slot)
{
    return fluid->line[priority - 1].served[slot];
}
