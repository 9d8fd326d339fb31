/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Demands of the same priority and deadline are one group: they are served alike. Time is cut into slots, at every deadline and
 * on a grid; within a slot nothing comes before anything else. */
#include "coordinator/forecast.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GRID_SLOTS = 1024, PRIORITIES = 5 };

static const double z90 = 1.2816; /* of the standard normal distribution */
static const double crumb_ms = 1; /* of core time, that rounding may leave */
static const double tolerance =
    0.01; /* work that is over by less may well be none: what is left is not known any better */
static const double margin = 0.01; /* of the time to its deadline, that important work is meant to end before it */

struct group {
    uint64_t deadline_ms; /* UINT64_MAX: none */
    uint32_t priority;
    double work, variance;
    double due_work, due_variance;  /* of all that is due until its deadline, itself included */
    double before, before_variance; /* of all that is served until it ends, likewise */
    uint64_t turn_ms;
    uint32_t last; /* slot that it ends in */
    bool shed;
};

struct slots {
    uint64_t *start_ms; /* count + 1 of them */
    double *capacity;   /* core-milliseconds */
    double *free;       /* of them */
    uint32_t count;
};

struct forecasting {
    uint64_t now_ms;
    const struct supply *supply;
    size_t supplies;
    struct group *group; /* by deadline, then priority */
    uint32_t groups;
    uint32_t *of; /* the demand's group */
    struct slots slots;
};

const char *verdict_name(enum verdict verdict)
{
    static const char *const name[] = {"no deadline", "on time", "paused", "at risk", "late"};
    return name[verdict];
}

static void *zeroed(size_t count, size_t bytes)
{
    void *at = calloc(count ? count : 1, bytes);
    if (!at)
        abort();
    return at;
}

/* ---- supply ---- */

/* Core-milliseconds from now until then. */
static double supplied(const struct forecasting *f, uint64_t until_ms)
{
    double sum = 0;
    for (size_t i = 0; i < f->supplies; i++) {
        uint64_t from = f->supply[i].from_ms > f->now_ms ? f->supply[i].from_ms : f->now_ms;
        uint64_t to = i + 1 < f->supplies && f->supply[i + 1].from_ms < until_ms ? f->supply[i + 1].from_ms : until_ms;
        if (to > from)
            sum += f->supply[i].cores * (double)(to - from);
    }
    return sum;
}

/* When so much has been done. */
static uint64_t supplied_at(const struct forecasting *f, double work)
{
    for (size_t i = 0; i < f->supplies; i++) {
        uint64_t from = f->supply[i].from_ms > f->now_ms ? f->supply[i].from_ms : f->now_ms;
        bool last = i + 1 == f->supplies;
        if (!last && f->supply[i + 1].from_ms <= from)
            continue;
        double room = last ? INFINITY : f->supply[i].cores * (double)(f->supply[i + 1].from_ms - from);
        if (f->supply[i].cores > 0 && work <= room) {
            double ms = work / f->supply[i].cores;
            return ms < 1e15 ? from + (uint64_t)ms : FORECAST_NEVER;
        }
        work -= last ? 0 : room;
    }
    return work <= 0 ? f->now_ms : FORECAST_NEVER;
}

/* ---- groups ---- */

struct member {
    uint64_t deadline_ms;
    uint32_t priority, demand;
};

static int member_order(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->deadline_ms != y->deadline_ms)
        return x->deadline_ms < y->deadline_ms ? -1 : 1;
    return x->priority < y->priority ? -1 : x->priority > y->priority;
}

static void group_up(struct forecasting *f, const struct demand *demand, size_t demands)
{
    struct member *member = zeroed(demands, sizeof *member);
    size_t members = 0;
    for (size_t i = 0; i < demands; i++) {
        assert(demand[i].priority >= 1 && demand[i].priority <= PRIORITIES);
        if (!demand[i].paused)
            member[members++] = (struct member){demand[i].deadline_ms ? demand[i].deadline_ms : UINT64_MAX,
                                                demand[i].priority, (uint32_t)i};
    }
    qsort(member, members, sizeof *member, member_order);
    for (size_t i = 0; i < members; i++) {
        const struct demand *of = &demand[member[i].demand];
        if (!i || member_order(&member[i - 1], &member[i]))
            f->group[f->groups++] = (struct group){.deadline_ms = member[i].deadline_ms, .priority = of->priority};
        f->group[f->groups - 1].work += of->core_ms;
        f->group[f->groups - 1].variance += of->core_ms_sd * of->core_ms_sd;
        f->of[member[i].demand] = f->groups - 1;
    }
    free(member);
}

/* What is due until each deadline; whether that can be done. */
static bool groups_fit(struct forecasting *f)
{
    double work = 0, variance = 0;
    bool fit = true;
    for (uint32_t first = 0, i; first < f->groups; first = i) {
        for (i = first; i < f->groups && f->group[i].deadline_ms == f->group[first].deadline_ms; i++) {
            work += f->group[i].work;
            variance += f->group[i].variance;
        }
        for (uint32_t k = first; k < i; k++) {
            f->group[k].due_work = work;
            f->group[k].due_variance = variance;
        }
        bool dated = f->group[first].deadline_ms != UINT64_MAX;
        fit = fit && (!dated || work <= (1 + tolerance) * supplied(f, f->group[first].deadline_ms));
    }
    return fit;
}

/* ---- all can be met: earliest deadline first ---- */

static void serve_by_deadline(struct forecasting *f)
{
    double work = 0, variance = 0;
    for (uint32_t i = 0; i < f->groups; i++) {
        struct group *g = &f->group[i];
        work += g->work;
        variance += g->variance;
        g->before = work;
        g->before_variance = variance;
        g->turn_ms = g->deadline_ms;
    }
}

/* ---- not all can be met ---- */

static int time_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* From now until all is done, or the last deadline. */
static uint64_t slots_end(const struct forecasting *f)
{
    double work = 0;
    uint64_t end = f->now_ms + GRID_SLOTS;
    for (uint32_t i = 0; i < f->groups; i++) {
        work += f->group[i].work;
        if (f->group[i].deadline_ms != UINT64_MAX && f->group[i].deadline_ms > end)
            end = f->group[i].deadline_ms;
    }
    uint64_t done = supplied_at(f, work);
    return done != FORECAST_NEVER && done >= end ? done + 1 : end;
}

static void slots_cut(struct forecasting *f)
{
    struct slots *s = &f->slots;
    uint64_t end = slots_end(f);
    uint32_t n = 0;
    s->start_ms = zeroed(GRID_SLOTS + f->groups + 2, sizeof *s->start_ms);
    for (uint32_t i = 0; i <= GRID_SLOTS; i++)
        s->start_ms[n++] = f->now_ms + (uint64_t)((double)(end - f->now_ms) * i / GRID_SLOTS);
    for (uint32_t i = 0; i < f->groups; i++)
        if (f->group[i].deadline_ms > f->now_ms && f->group[i].deadline_ms < end)
            s->start_ms[n++] = f->group[i].deadline_ms;
    qsort(s->start_ms, n, sizeof *s->start_ms, time_order);
    for (uint32_t i = 1; i < n; i++)
        if (s->start_ms[i] != s->start_ms[s->count])
            s->start_ms[++s->count] = s->start_ms[i];
    s->capacity = zeroed(s->count, sizeof *s->capacity);
    s->free = zeroed(s->count, sizeof *s->free);
    double before = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        double until = supplied(f, s->start_ms[i + 1]);
        s->free[i] = s->capacity[i] = until - before;
        before = until;
    }
}

/* The last slot that ends by then; the first one when it was before now. */
static uint32_t slot_until(const struct slots *s, uint64_t ms)
{
    uint32_t low = 0, high = s->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (s->start_ms[middle] < ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The slot that a group is meant to end in: what is put off to the last moment must not be late by a little. */
static uint32_t slot_due(const struct forecasting *f, const struct group *g)
{
    if (g->deadline_ms <= f->now_ms)
        return 0;
    return slot_until(&f->slots, g->deadline_ms - (uint64_t)(margin * (double)(g->deadline_ms - f->now_ms)));
}

/* Work of a group, and the slot it must be done in at the latest. */
struct piece {
    uint32_t group, latest;
    double work;
};

struct pieces {
    struct piece *at;
    uint32_t count;
};

static void piece_add(struct pieces *pieces, uint32_t group, uint32_t latest, double work)
{
    struct piece *last = pieces->count ? &pieces->at[pieces->count - 1] : NULL;
    if (last && last->group == group && last->latest == latest)
        last->work += work;
    else
        pieces->at[pieces->count++] = (struct piece){group, latest, work};
}

/* As early as possible, by deadline: no order makes work of one priority less late (it is all of one weight). */
static void priority_forward(const struct forecasting *f, uint32_t priority, struct pieces *pieces)
{
    double left = f->slots.free[0];
    uint32_t slot = 0, end = f->slots.count - 1;
    for (uint32_t i = 0; i < f->groups; i++) {
        const struct group *g = &f->group[i];
        if (g->priority != priority || g->deadline_ms == UINT64_MAX)
            continue;
        uint32_t due = slot_due(f, g);
        for (double work = g->work; work > crumb_ms;) {
            while (left <= crumb_ms && slot < end)
                left = f->slots.free[++slot];
            double take = work < left || slot == end ? work : left;
            piece_add(pieces, i, slot > due ? slot : due, take);
            work -= take;
            left -= take;
        }
    }
}

/* Then as late as that allows: pieces come in the order of their latest slot. */
static void priority_backward(struct forecasting *f, const struct pieces *pieces)
{
    uint32_t slot = f->slots.count - 1;
    for (uint32_t i = pieces->count; i > 0; i--) {
        const struct piece *piece = &pieces->at[i - 1];
        struct group *g = &f->group[piece->group];
        slot = slot < piece->latest ? slot : piece->latest;
        for (double work = piece->work; work > crumb_ms;) {
            while (f->slots.free[slot] <= crumb_ms && slot)
                slot--;
            double take = work < f->slots.free[slot] || !slot ? work : f->slots.free[slot];
            f->slots.free[slot] -= take;
            work -= take;
            g->last = slot > g->last ? slot : g->last;
            g->turn_ms = f->slots.start_ms[slot];
        }
        g->shed = g->shed || piece->latest > slot_until(&f->slots, g->deadline_ms);
    }
}

/* What has no deadline comes last; what else is reserved until a group's last slot is served before that group ends. */
static void groups_end(struct forecasting *f)
{
    double work = 0, variance = 0, dated = 0, dated_variance = 0;
    for (uint32_t i = 0; i < f->groups; i++) {
        dated += f->group[i].deadline_ms == UINT64_MAX ? 0 : f->group[i].work;
        dated_variance += f->group[i].deadline_ms == UINT64_MAX ? 0 : f->group[i].variance;
    }
    double *until = zeroed(f->slots.count, sizeof *until);
    for (uint32_t i = 0; i < f->slots.count; i++) {
        work += f->slots.capacity[i] - f->slots.free[i];
        until[i] = work;
    }
    work = dated;
    variance = dated_variance;
    for (uint32_t i = 0; i < f->groups; i++) {
        struct group *g = &f->group[i];
        if (g->deadline_ms == UINT64_MAX) {
            work += g->work;
            variance += g->variance;
            g->before = work;
            g->before_variance = variance;
            g->turn_ms = UINT64_MAX;
        } else {
            g->before = until[g->last];
            g->before_variance = dated > 0 ? dated_variance * g->before / dated : 0;
        }
    }
    free(until);
}

static void serve_by_importance(struct forecasting *f)
{
    slots_cut(f);
    struct pieces pieces = {.at = zeroed((size_t)f->groups + f->slots.count + 1, sizeof *pieces.at)};
    for (uint32_t priority = 1; priority <= PRIORITIES; priority++) {
        pieces.count = 0;
        priority_forward(f, priority, &pieces);
        priority_backward(f, &pieces);
    }
    groups_end(f);
    free(pieces.at);
}

/* ---- what comes of it ---- */

static double with_spread(double work, double variance, double speed_sd)
{
    return work + z90 * sqrt(variance + speed_sd * work * speed_sd * work);
}

static double cores_needed(const struct forecasting *f, const struct group *g, double speed_sd)
{
    if (g->deadline_ms <= f->now_ms)
        return INFINITY;
    double missing = with_spread(g->due_work, g->due_variance, speed_sd) - supplied(f, g->deadline_ms);
    return missing > 0 ? missing / (double)(g->deadline_ms - f->now_ms) : 0;
}

static void outlook_of(const struct forecasting *f, const struct group *g, double speed_sd, struct outlook *out)
{
    uint64_t p50 = supplied_at(f, g->before),
             p90 = supplied_at(f, with_spread(g->before, g->before_variance, speed_sd));
    *out =
        (struct outlook){.p50_ms = p50, .p90_ms = p90, .slack_ms = INT64_MAX, .turn_ms = g->turn_ms, .shed = g->shed};
    out->verdict = VERDICT_NO_DEADLINE;
    if (g->deadline_ms == UINT64_MAX)
        return;
    out->slack_ms = p50 == FORECAST_NEVER ? INT64_MIN : (int64_t)(g->deadline_ms - p50);
    out->verdict = p50 > g->deadline_ms ? VERDICT_LATE : p90 > g->deadline_ms ? VERDICT_AT_RISK : VERDICT_ON_TIME;
    out->cores_needed = out->verdict == VERDICT_ON_TIME ? 0 : cores_needed(f, g, speed_sd);
}

bool forecast(uint64_t now_ms, const struct supply *supply, size_t supplies, const struct demand *demand,
              size_t demands, double speed_sd, struct outlook *out)
{
    struct forecasting f = {.now_ms = now_ms, .supply = supply, .supplies = supplies};
    assert(supplies && supply[0].from_ms <= now_ms);
    f.group = zeroed(demands, sizeof *f.group);
    f.of = zeroed(demands, sizeof *f.of);
    group_up(&f, demand, demands);
    bool fit = groups_fit(&f);
    if (fit)
        serve_by_deadline(&f);
    else
        serve_by_importance(&f);
    for (size_t i = 0; i < demands; i++)
        if (demand[i].paused)
            out[i] = (struct outlook){.p50_ms = FORECAST_NEVER,
                                      .p90_ms = FORECAST_NEVER,
                                      .slack_ms = INT64_MAX,
                                      .turn_ms = UINT64_MAX,
                                      .verdict = VERDICT_PAUSED};
        else
            outlook_of(&f, &f.group[f.of[i]], speed_sd, &out[i]);
    free(f.group);
    free(f.of);
    free(f.slots.start_ms);
    free(f.slots.capacity);
    free(f.slots.free);
    return fit;
}
