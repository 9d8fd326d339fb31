/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A batch is handed over when every document is done with and people have accepted it. What a package asks of each document's fields is
 * another matter (profiles). */
#include "coordinator/api_handover.h"

#include <string.h>

#include "coordinator/review.h"

enum { BLOCK_FIRST_DOCS = 20 }; /* that are named of those with the same reason */

/* A document in one of these states is in no package. Duplicates are in it as the document that they are duplicates of. */
static const struct {
    Sohoa__DocState state;
    const char *why;
} block_rule[] = {
    {SOHOA__DOC_STATE__DOC_OPEN,        "open"       },
    {SOHOA__DOC_STATE__DOC_DEAD,        "dead"       },
    {SOHOA__DOC_STATE__DOC_REFUSED,     "refused"    },
    {SOHOA__DOC_STATE__DOC_QUARANTINED, "quarantined"},
};

static json_t *first_docs(const struct batch *batch, Sohoa__DocState state)
{
    json_t *first = json_array();
    for (uint32_t d = doc_next(batch, 0); d < batch->docs && json_array_size(first) < BLOCK_FIRST_DOCS;
         d = doc_next(batch, d + 1))
        if (doc_look(batch, d)->state == state)
            json_array_append_new(first, json_integer((json_int_t)d));
    return first;
}

static json_t *blocks_json(const struct batch *batch)
{
    json_t *blocks = json_array();
    for (size_t i = 0; i < sizeof block_rule / sizeof block_rule[0]; i++) {
        uint32_t count = batch->doc_count[block_rule[i].state];
        if (count)
            json_array_append_new(blocks,
                                  json_pack("{s:s, s:I, s:o}", "why", block_rule[i].why, "documents", (json_int_t)count,
                                            "first", first_docs(batch, block_rule[i].state)));
    }
    return blocks;
}

void get_handover(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const struct batch *batch = args->batch;
    const struct review *review = review_of(c->reviews, batch);
    struct standing_counts counts;
    review_count(c->backlog, review, batch, &counts);
    const char *state = review_word(review, &counts);
    bool accepted = !strcmp(state, "accepted");
    json_t *blocks = blocks_json(batch);
    request_answer(request, 200,
                   json_pack("{s:s, s:b, s:s, s:I, s:I, s:o}", "batch", batch->id, "ready",
                             accepted && !json_array_size(blocks), "review", state, "documents",
                             (json_int_t)batch->docs, "stored",
                             (json_int_t)batch->doc_count[SOHOA__DOC_STATE__DOC_STORED], "blocks", blocks));
}
