/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Demands of the same priority and deadline are one group: they are served alike. While not all deadlines can be met, time is cut
 * into slots, at deadlines and on a grid, and fluid.c says how much of each priority is served in which; within a slot the more
 * important comes first, and within a priority the earlier deadline. */
#include "coordinator/forecast.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/fluid.h"
#include "proto/auto.h"

enum { GRID_SLOTS = 256, CUT_SLOTS = 1024 }; /* deadlines nearer to each other than a CUT_SLOTSth of the time are one */

#define NO_DEADLINE UINT64_MAX

static const double z90 = 1.2816; /* of the standard normal distribution */
static const double tolerance =
    0.01; /* work that is over by less may well be none: what is left is not known any better */
/* What is put off to the last moment is meant to end before its deadline: by a share of the time until then, because there may be a
 * little more of it than expected (the nearer, the better that is known), and by what it takes until jobs that run have ended and what
 * they bring has been planned with. */
static const double margin = 0.01;
static const uint64_t lead_ms = 30000;

struct sum { /* of independent amounts of work */
    double work, variance;
};

struct group {
    uint64_t deadline_ms; /* NO_DEADLINE */
    uint32_t priority;
    struct sum own;
    struct sum due;   /* until its deadline, itself included */
    struct sum kept;  /* of that, what no less important work puts off */
    struct sum until; /* all that is served until it ends */
    uint64_t turn_ms;
};

struct step { /* of the supply */
    uint64_t from_ms;
    double cores, before; /* core-milliseconds from now until it begins */
};

struct slots {
    uint64_t *start_ms; /* count + 1 of them */
    uint32_t count;
};

struct forecasting {
    uint64_t now_ms;
    struct step *step;
    size_t steps;
    struct group *group; /* by deadline, then priority */
    uint32_t groups;
    uint32_t *of; /* the demand's group */
    double speed_sd;
    double missing; /* cores, to meet all deadlines */
    bool fit;       /* they can be met */
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

static void forecasting_destroy(struct forecasting *f)
{
    free(f->step);
    free(f->group);
    free(f->of);
}

static void sum_add(struct sum *sum, const struct sum *more)
{
    sum->work += more->work;
    sum->variance += more->variance;
}

/* What it may come to one time of ten. */
static double sum_p90(const struct sum *sum, double speed_sd)
{
    return sum->work + z90 * hypot(sqrt(sum->variance), speed_sd * sum->work);
}

/* ---- supply ---- */

static void supply_take(struct forecasting *f, const struct supply *supply, size_t supplies)
{
    assert(supplies && supply[0].from_ms <= f->now_ms);
    f->step = zeroed(supplies, sizeof *f->step);
    f->steps = supplies;
    for (size_t i = 0; i < supplies; i++) { /* those that are over take no time */
        f->step[i].from_ms = supply[i].from_ms > f->now_ms ? supply[i].from_ms : f->now_ms;
        f->step[i].cores = supply[i].cores;
        if (i)
            f->step[i].before =
                f->step[i - 1].before + f->step[i - 1].cores * (double)(f->step[i].from_ms - f->step[i - 1].from_ms);
    }
}

/* Core-milliseconds from now until then. */
static double supplied(const struct forecasting *f, uint64_t until_ms)
{
    size_t low = 0, high = f->steps;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (f->step[middle].from_ms <= until_ms)
            low = middle;
        else
            high = middle;
    }
    const struct step *step = &f->step[low];
    return until_ms > step->from_ms ? step->before + step->cores * (double)(until_ms - step->from_ms) : step->before;
}

/* When so much has been done. */
static uint64_t supplied_at(const struct forecasting *f, double work)
{
    size_t low = 0, high = f->steps;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (f->step[middle].before < work)
            low = middle;
        else
            high = middle;
    }
    const struct step *step = &f->step[low];
    double ms = work > step->before ? (work - step->before) / step->cores : 0;
    return ms < 1e15 ? step->from_ms + (uint64_t)ms : FORECAST_NEVER;
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
    AUTO(mem_destroy) struct member *member = zeroed(demands, sizeof *member);
    size_t members = 0;
    f->group = zeroed(demands, sizeof *f->group);
    f->of = zeroed(demands, sizeof *f->of);
    for (size_t i = 0; i < demands; i++) {
        assert(demand[i].priority >= 1 && demand[i].priority <= FLUID_PRIORITIES);
        if (!demand[i].paused)
            member[members++] = (struct member){demand[i].deadline_ms ? demand[i].deadline_ms : NO_DEADLINE,
                                                demand[i].priority, (uint32_t)i};
    }
    qsort(member, members, sizeof *member, member_order);
    for (size_t i = 0; i < members; i++) {
        const struct demand *of = &demand[member[i].demand];
        struct sum own = {of->core_ms, of->core_ms_sd * of->core_ms_sd};
        if (!i || member_order(&member[i - 1], &member[i]))
            f->group[f->groups++] = (struct group){.deadline_ms = member[i].deadline_ms, .priority = of->priority};
        sum_add(&f->group[f->groups - 1].own, &own);
        f->of[member[i].demand] = f->groups - 1;
    }
}

/* Takes into account what is due at a deadline: whether all until then can be done, and how many cores are missing for that. */
static void deadline_check(struct forecasting *f, uint64_t deadline_ms, const struct sum *due)
{
    double supply = supplied(f, deadline_ms), missing = sum_p90(due, f->speed_sd) - supply;
    f->fit = f->fit && due->work <= (1 + tolerance) * supply;
    if (missing > 0 && deadline_ms > f->now_ms)
        f->missing = fmax(f->missing, missing / (double)(deadline_ms - f->now_ms));
}

static void groups_check(struct forecasting *f)
{
    struct sum due = {0}, kept[FLUID_PRIORITIES] = {{0}}; /* kept[p - 1]: of priority p and the more important */
    f->fit = true;
    for (uint32_t first = 0, i; first < f->groups; first = i) {
        uint64_t deadline_ms = f->group[first].deadline_ms;
        for (i = first; i < f->groups && f->group[i].deadline_ms == deadline_ms; i++) {
            sum_add(&due, &f->group[i].own);
            for (uint32_t p = f->group[i].priority; p <= FLUID_PRIORITIES; p++)
                sum_add(&kept[p - 1], &f->group[i].own);
        }
        for (uint32_t k = first; k < i; k++) {
            f->group[k].due = due;
            f->group[k].kept = kept[f->group[k].priority - 1];
        }
        if (deadline_ms != NO_DEADLINE)
            deadline_check(f, deadline_ms, &due);
    }
}

/* ---- all can be met: earliest deadline first ---- */

static void serve_by_deadline(struct forecasting *f)
{
    struct sum until = {0};
    for (uint32_t i = 0; i < f->groups; i++) {
        sum_add(&until, &f->group[i].own);
        f->group[i].until = until;
        f->group[i].turn_ms = f->group[i].deadline_ms;
    }
}

/* ---- not all can be met: what is late costs least ---- */

/* When a group is meant to end. */
static uint64_t due_ms(const struct forecasting *f, const struct group *g)
{
    uint64_t left_ms = g->deadline_ms > f->now_ms ? g->deadline_ms - f->now_ms : 0;
    uint64_t early_ms = (uint64_t)(margin * (double)left_ms) + lead_ms;
    return early_ms < left_ms ? g->deadline_ms - early_ms : f->now_ms;
}

static int time_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* All that has a deadline. */
static struct sum dated_sum(const struct forecasting *f)
{
    uint32_t i = f->groups;
    while (i > 0 && f->group[i - 1].deadline_ms == NO_DEADLINE)
        i--;
    return i ? f->group[i - 1].due : (struct sum){0};
}

/* From now until all that has a deadline is done, or the last deadline. */
static uint64_t slots_end(const struct forecasting *f)
{
    uint64_t end = f->now_ms + CUT_SLOTS, done = supplied_at(f, dated_sum(f).work);
    for (uint32_t i = 0; i < f->groups; i++)
        if (f->group[i].deadline_ms != NO_DEADLINE && f->group[i].deadline_ms > end)
            end = f->group[i].deadline_ms;
    return done != FORECAST_NEVER && done >= end ? done + 1 : end;
}

/* The last slot is what comes after all that. */
static void slots_cut(const struct forecasting *f, struct slots *s)
{
    uint64_t end = slots_end(f), least = (end - f->now_ms) / CUT_SLOTS;
    uint32_t cuts = 0;
    s->start_ms = zeroed(GRID_SLOTS + f->groups + 2, sizeof *s->start_ms);
    for (uint32_t i = 0; i < GRID_SLOTS; i++)
        s->start_ms[cuts++] = f->now_ms + (uint64_t)((double)(end - f->now_ms) * i / GRID_SLOTS);
    for (uint32_t i = 0; i < f->groups && f->group[i].deadline_ms != NO_DEADLINE; i++)
        s->start_ms[cuts++] = due_ms(f, &f->group[i]);
    qsort(s->start_ms, cuts, sizeof *s->start_ms, time_order);
    for (uint32_t i = 1; i < cuts; i++)
        if (s->start_ms[i] >= s->start_ms[s->count] + least && s->start_ms[i] + least <= end)
            s->start_ms[++s->count] = s->start_ms[i];
    s->start_ms[++s->count] = end;
    s->start_ms[++s->count] = end + (end - f->now_ms);
}

/* The last slot that ends by then; the first one when none does. */
static uint32_t slot_until(const struct slots *s, uint64_t ms)
{
    uint32_t low = 0, high = s->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (s->start_ms[middle + 1] <= ms)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static struct fluid *slots_fill(const struct forecasting *f, const struct slots *s)
{
    AUTO(mem_destroy) int64_t *slot_ms = zeroed(s->count, sizeof *slot_ms);
    AUTO(mem_destroy) int64_t *room = zeroed(s->count, sizeof *room);
    for (uint32_t i = 0; i < s->count; i++) {
        slot_ms[i] = (int64_t)(s->start_ms[i + 1] - s->start_ms[i]);
        room[i] = (int64_t)(supplied(f, s->start_ms[i + 1]) - supplied(f, s->start_ms[i]));
    }
    struct fluid *fluid = fluid_new(slot_ms, room, s->count);
    for (uint32_t priority = 1; priority <= FLUID_PRIORITIES;
         priority++) /* most of it fits on time, if it comes first */
        for (uint32_t i = 0; i < f->groups && f->group[i].deadline_ms != NO_DEADLINE; i++)
            if (f->group[i].priority == priority)
                fluid_add(fluid, priority, slot_until(s, due_ms(f, &f->group[i])), llround(f->group[i].own.work));
    return fluid;
}

/* Gives what the slots have of a priority to its groups. before: all that comes before the priority's part of each slot. */
static void groups_place(struct forecasting *f, const struct fluid *fluid, uint32_t priority, const double *before)
{
    struct sum all = dated_sum(f);
    uint32_t slot = 0;
    int64_t taken = 0; /* of that part */
    for (uint32_t i = 0; i < f->groups && f->group[i].deadline_ms != NO_DEADLINE; i++) {
        struct group *g = &f->group[i];
        int64_t left = llround(g->own.work);
        if (g->priority != priority)
            continue;
        for (; left && taken == fluid_served(fluid, priority, slot); slot++)
            taken = 0;
        g->turn_ms = supplied_at(f, before[slot] + (double)taken);
        for (; left > fluid_served(fluid, priority, slot) - taken; slot++) {
            left -= fluid_served(fluid, priority, slot) - taken;
            taken = 0;
        }
        taken += left;
        g->until.work = before[slot] + (double)taken;
        g->until.variance = all.work > 0 ? all.variance * g->until.work / all.work : 0;
    }
}

static void undated_place(struct forecasting *f)
{
    struct sum until = dated_sum(f);
    for (uint32_t i = 0; i < f->groups; i++) {
        if (f->group[i].deadline_ms != NO_DEADLINE)
            continue;
        sum_add(&until, &f->group[i].own);
        f->group[i].until = until;
        f->group[i].turn_ms = NO_DEADLINE;
    }
}

static void serve_by_cost(struct forecasting *f)
{
    struct slots slots = {0};
    slots_cut(f, &slots);
    AUTO(fluid_destroy) struct fluid *fluid = slots_fill(f, &slots);
    AUTO(mem_destroy) double *before = zeroed(slots.count, sizeof *before);
    double sum = 0;
    for (uint32_t i = 0; i < slots.count; i++) {
        before[i] = sum;
        for (uint32_t p = 1; p <= FLUID_PRIORITIES; p++)
            sum += (double)fluid_served(fluid, p, i);
    }
    for (uint32_t p = 1; p <= FLUID_PRIORITIES; p++) {
        groups_place(f, fluid, p, before);
        for (uint32_t i = 0; i < slots.count; i++)
            before[i] += (double)fluid_served(fluid, p, i);
    }
    undated_place(f);
    free(slots.start_ms);
}

/* ---- what comes of it ---- */

/* Less important work gives way when there is more than expected: until the deadline, if what is not put off fits until then. */
static uint64_t group_p90(const struct forecasting *f, const struct group *g, uint64_t p50_ms)
{
    uint64_t p90_ms = supplied_at(f, sum_p90(&g->until, f->speed_sd));
    bool kept = g->deadline_ms != NO_DEADLINE && sum_p90(&g->kept, f->speed_sd) <= supplied(f, g->deadline_ms);
    return !f->fit && kept && p50_ms <= g->deadline_ms && p90_ms > g->deadline_ms ? g->deadline_ms : p90_ms;
}

static double cores_needed(const struct forecasting *f, const struct group *g)
{
    if (g->deadline_ms <= f->now_ms)
        return INFINITY;
    double missing = sum_p90(&g->due, f->speed_sd) - supplied(f, g->deadline_ms);
    return missing > 0 ? missing / (double)(g->deadline_ms - f->now_ms) : f->missing;
}

static struct outlook outlook_of(const struct forecasting *f, const struct group *g)
{
    uint64_t p50_ms = supplied_at(f, g->until.work);
    struct outlook out = {.p50_ms = p50_ms, .p90_ms = group_p90(f, g, p50_ms), .turn_ms = g->turn_ms};
    out.slack_ms = INT64_MAX;
    out.verdict = VERDICT_NO_DEADLINE;
    if (g->deadline_ms == NO_DEADLINE)
        return out;
    out.slack_ms = p50_ms == FORECAST_NEVER ? INT64_MIN : (int64_t)(g->deadline_ms - p50_ms);
    out.verdict = p50_ms > g->deadline_ms       ? VERDICT_LATE
                  : out.p90_ms > g->deadline_ms ? VERDICT_AT_RISK
                                                : VERDICT_ON_TIME;
    out.shed = !f->fit && out.verdict == VERDICT_LATE;
    out.cores_needed = out.verdict == VERDICT_ON_TIME ? 0 : cores_needed(f, g);
    return out;
}

bool forecast(uint64_t now_ms, const struct supply *supply, size_t supplies, const struct demand *demand,
              size_t demands, double speed_sd, struct outlook *out)
{
    static const struct outlook paused = {.p50_ms = FORECAST_NEVER,
                                          .p90_ms = FORECAST_NEVER,
                                          .slack_ms = INT64_MAX,
                                          .turn_ms = UINT64_MAX,
                                          .verdict = VERDICT_PAUSED};
    AUTO(forecasting_destroy) struct forecasting f = {.now_ms = now_ms, .speed_sd = speed_sd};
    supply_take(&f, supply, supplies);
    group_up(&f, demand, demands);
    groups_check(&f);
    if (f.fit)
        serve_by_deadline(&f);
    else
        serve_by_cost(&f);
    for (size_t i = 0; i < demands; i++)
        out[i] = demand[i].paused ? paused : outlook_of(&f, &f.group[f.of[i]]);
    return f.fit;
}
