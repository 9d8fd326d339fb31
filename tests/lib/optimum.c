/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Nodes are the kinds, then the slots. Any kind may go into any slot; what went into a slot may leave it again. Potentials keep
 * all lengths from being negative. */
#include "tests/lib/optimum.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

struct transport {
    size_t kinds, slots, nodes;
    const double *cost;
    uint32_t *left, *room; /* work of a kind, room of a slot */
    uint32_t *flow;        /* of a kind in a slot */
    double *potential, *distance;
    size_t *from; /* the node before it on the shortest path; itself: a path begins */
    bool *settled;
};

static void *room_for(size_t count, size_t bytes)
{
    void *at = calloc(count, bytes);
    assert(at);
    return at;
}

static void transport_free(struct transport *t)
{
    free(t->left);
    free(t->room);
    free(t->flow);
    free(t->potential);
    free(t->distance);
    free(t->from);
    free(t->settled);
}

/* Lengths are 0 or more but for rounding. */
static void relax(struct transport *t, size_t from, size_t to, double cost)
{
    double length = fmax(0, cost + t->potential[from] - t->potential[to]);
    if (!t->settled[to] && t->distance[from] + length < t->distance[to]) {
        t->distance[to] = t->distance[from] + length;
        t->from[to] = from;
    }
}

static void relax_all(struct transport *t, size_t node)
{
    size_t slot = node - t->kinds;
    if (node < t->kinds)
        for (size_t s = 0; s < t->slots; s++)
            relax(t, node, t->kinds + s, t->cost[node * t->slots + s]);
    else
        for (size_t k = 0; k < t->kinds; k++)
            if (t->flow[k * t->slots + slot])
                relax(t, node, k, -t->cost[k * t->slots + slot]);
}

static size_t nearest(const struct transport *t)
{
    size_t best = t->nodes;
    for (size_t i = 0; i < t->nodes; i++)
        if (!t->settled[i] && (best == t->nodes || t->distance[i] < t->distance[best]))
            best = i;
    assert(best < t->nodes && isfinite(t->distance[best]));
    return best;
}

/* From any kind that has work left (Dijkstra, 1959). The slot with room that is reached first. */
static size_t shortest(struct transport *t)
{
    for (size_t i = 0; i < t->nodes; i++) {
        bool begins = i < t->kinds && t->left[i];
        t->distance[i] = begins ? fmax(0, -t->potential[i]) : INFINITY;
        t->from[i] = i;
        t->settled[i] = false;
    }
    for (;;) {
        size_t node = nearest(t);
        t->settled[node] = true;
        if (node >= t->kinds && t->room[node - t->kinds])
            return node;
        relax_all(t, node);
    }
}

/* Where work of a kind in a slot is kept, which the step between the two nodes changes. */
static uint32_t *step_flow(const struct transport *t, size_t a, size_t b)
{
    return a < t->kinds ? &t->flow[a * t->slots + b - t->kinds] : &t->flow[b * t->slots + a - t->kinds];
}

/* As much as the path to the node allows. Returns it. */
static uint32_t augment(struct transport *t, size_t end)
{
    uint32_t amount = t->room[end - t->kinds];
    size_t node = end;
    for (; t->from[node] != node; node = t->from[node])
        if (node < t->kinds && *step_flow(t, t->from[node], node) < amount)
            amount = *step_flow(t, t->from[node], node);
    amount = t->left[node] < amount ? t->left[node] : amount;
    t->left[node] -= amount;
    t->room[end - t->kinds] -= amount;
    for (node = end; t->from[node] != node; node = t->from[node])
        *step_flow(t, t->from[node], node) += node < t->kinds ? -amount : amount;
    for (size_t i = 0; i < t->nodes; i++)
        t->potential[i] += fmin(t->distance[i], t->distance[end]);
    return amount;
}

double optimum(const uint32_t *work, size_t kinds, const uint32_t *room, size_t slots, const double *cost)
{
    struct transport t = {.kinds = kinds, .slots = slots, .nodes = kinds + slots, .cost = cost};
    uint64_t left = 0;
    double sum = 0;
    t.left = room_for(kinds, sizeof *t.left);
    t.room = room_for(slots, sizeof *t.room);
    t.flow = room_for(kinds * slots, sizeof *t.flow);
    t.potential = room_for(t.nodes, sizeof *t.potential);
    t.distance = room_for(t.nodes, sizeof *t.distance);
    t.from = room_for(t.nodes, sizeof *t.from);
    t.settled = room_for(t.nodes, sizeof *t.settled);
    for (size_t k = 0; k < kinds; k++)
        left += t.left[k] = work[k];
    for (size_t s = 0; s < slots; s++)
        t.room[s] = room[s];
    while (left)
        left -= augment(&t, shortest(&t));
    for (size_t i = 0; i < kinds * slots; i++)
        sum += t.flow[i] * cost[i];
    transport_free(&t);
    return sum;
}
