/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Of many rows only those asked for are kept, in order, so that a look at a long queue is one pass over it. */
#include "coordinator/queue.h"

#include <stdlib.h>
#include <string.h>

enum { SURE_CPCT = 10000 };

struct place {
    struct doc_ref ref;
    bool held;
    uint16_t doubts, unread_cpct; /* the more, the earlier */
};

static int place_order(const struct place *a, const struct place *b)
{
    if (a->held != b->held)
        return a->held ? 1 : -1;
    if (a->doubts != b->doubts)
        return a->doubts > b->doubts ? -1 : 1;
    if (a->unread_cpct != b->unread_cpct)
        return a->unread_cpct > b->unread_cpct ? -1 : 1;
    if (a->ref.batch != b->ref.batch)
        return a->ref.batch < b->ref.batch ? -1 : 1;
    return (a->ref.doc > b->ref.doc) - (a->ref.doc < b->ref.doc);
}

struct taking {
    const struct queue_query *query;
    const struct backlog *backlog;
    struct place *place; /* in order; most at most */
    size_t count, most;
    uint64_t total;
};

static bool place_fits(const struct taking *of, const struct place *place)
{
    return of->count < of->most || place_order(place, &of->place[of->count - 1]) < 0;
}

static void place_put(struct taking *of, const struct place *place)
{
    size_t low = 0, high = of->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (place_order(&of->place[middle], place) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    of->count -= of->count == of->most;
    memmove(of->place + low + 1, of->place + low, (of->count - low) * sizeof *place);
    of->place[low] = *place;
    of->count++;
}

static bool text_is(const char *wanted, const char *text)
{
    return !wanted || !*wanted || !strcmp(wanted, text);
}

static void doc_take(struct taking *of, const struct review *review, const struct batch *batch, uint32_t number)
{
    const struct queue_query *query = of->query;
    enum stand stand = review_stand(of->backlog, review, batch, number);
    uint32_t doubts = doc_doubts(batch, number);
    if (stand == STAND_NONE || (stand == STAND_WAITING) == query->decided ||
        (query->field >= 0 && !(doubts >> query->field & 1)) ||
        !text_is(query->unit, lot_of(batch, number)->terms.unit) || !account_covers_doc(query->account, batch, number))
        return;
    struct place place = {
        .ref = {batch->index, number},
        .doubts = (uint16_t)__builtin_popcount(doubts),
        .unread_cpct = (uint16_t)(SURE_CPCT - doc_look(batch, number)->confidence_cpct)
    };
    if (place.unread_cpct == SURE_CPCT) /* nothing was read: blank, or born digital */
        place.unread_cpct = 0;
    of->total++;
    if (!place_fits(of, &place)) /* nor if it is held */
        return;
    place.held = hold_other(query->holds, place.ref, query->account, query->now_ms);
    if (place_fits(of, &place))
        place_put(of, &place);
}

uint64_t queue_take(const struct backlog *backlog, const struct reviews *reviews, const struct queue_query *query,
                    struct buf *rows)
{
    struct taking of = {.query = query, .backlog = backlog, .most = (size_t)query->after + query->limit};
    of.place = malloc((of.most + 1) * sizeof *of.place);
    if (!of.place)
        abort();
    for (uint32_t b = 0; b < backlog->batches; b++) {
        const struct batch *batch = backlog->batch[b];
        const struct review *review = batch ? review_of(reviews, batch) : NULL;
        if (!review_open(review) || !text_is(query->batch, batch->id))
            continue;
        for (uint32_t i = 0; i < review->docs; i++)
            if (review->doc[i].round == review->rounds)
                doc_take(&of, review, batch, review->doc[i].doc);
    }
    for (size_t i = query->after; i < of.count; i++)
        buf_append(rows, &of.place[i].ref, sizeof of.place[i].ref);
    free(of.place);
    return of.total;
}
