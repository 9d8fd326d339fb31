/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which documents of rounds under way wait for a person, the most doubtful first: by the number of doubted fields, then by how badly
 * the text was read. What another person is looking at comes behind all that. Pure. */
#ifndef SOHOA_QUEUE_H
#define SOHOA_QUEUE_H

#include "coordinator/hold.h"
#include "coordinator/review.h"

struct queue_query {
    const struct account *account; /* documents of its units */
    const char *batch, *unit;      /* NULL or "": any */
    int field;                     /* it is doubted there; -1: any */
    bool decided;                  /* those that wait no more, instead */
    const struct holds *holds;
    uint64_t now_ms;
    uint32_t after, limit; /* limit rows behind so many */
};

/* Appends struct doc_ref; returns how many there are in all. */
uint64_t queue_take(const struct backlog *backlog, const struct reviews *reviews, const struct queue_query *query,
                    struct buf *rows);

#endif
