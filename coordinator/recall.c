/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Documents that end meanwhile are passed over: their outcomes are on their way into the index. */
#include "coordinator/recall.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "proto/trace.h"
#include "storage/layout.h"

struct found { /* an outcome in the index */
    uint32_t doc, generation, state;
    size_t sketch; /* where it lies in sketches */
    uint32_t sketch_bytes;
};

struct recall {
    struct io_task task;
    struct coordinator *c;
    const char *id; /* of the batch */
    uint32_t batch, batches, shard;
    struct buf found, sketches;
    uint64_t ended[(LAYOUT_SHARD_DOCS + 63) / 64]; /* documents of the shard that ended meanwhile */
    uint64_t began_ms, documents, missing;
    int rc;
    struct err err;
};

static void on_outcome(const Sohoa__DocOutcome *outcome, void *user)
{
    struct recall *recall = user;
    struct found found = {outcome->doc, outcome->generation, outcome->state, recall->sketches.size,
                          (uint32_t)outcome->sketch.len};
    buf_append(&recall->sketches, outcome->sketch.data, outcome->sketch.len);
    buf_append(&recall->found, &found, sizeof found);
}

static void recall_work(struct io_task *task)
{
    struct recall *recall = (struct recall *)task;
    buf_clear(&recall->found);
    buf_clear(&recall->sketches);
    recall->rc = index_read(recall->c->store, recall->id, recall->shard, on_outcome, recall, &recall->err);
}

static void ended_mark(struct recall *recall)
{
    const struct doc_ref *ref = (const struct doc_ref *)(const void *)recall->c->ended.data;
    memset(recall->ended, 0, sizeof recall->ended);
    for (size_t i = 0; i < recall->c->ended.size / sizeof *ref; i++)
        if (ref[i].batch == recall->batch && ref[i].doc / LAYOUT_SHARD_DOCS == recall->shard)
            recall->ended[ref[i].doc % LAYOUT_SHARD_DOCS / 64] |= UINT64_C(1) << ref[i].doc % LAYOUT_SHARD_DOCS % 64;
}

/* found: NULL: the index has none. */
static void doc_recall(struct recall *recall, struct doc_ref ref, const struct found *found)
{
    struct coordinator *c = recall->c;
    const struct doc *doc = doc_at(c->backlog, ref);
    uint32_t place = ref.doc % LAYOUT_SHARD_DOCS;
    bool final = doc->state != SOHOA__DOC_STATE__DOC_OPEN;
    if (recall->ended[place / 64] >> place % 64 & 1)
        return;
    if (final && (!found || found->state != doc->state || found->generation != doc->generation)) {
        group_add_indexed(c->group, c->backlog, ref);
        recall->missing++;
    } else if (found && found->sketch_bytes) {
        twins_sketch(c->twins, ref, &(ProtobufCBinaryData){found->sketch_bytes, recall->sketches.data + found->sketch});
    }
}

static void shard_recall(struct recall *recall)
{
    const struct batch *batch = recall->c->backlog->batch[recall->batch];
    const struct found *found = (const struct found *)(const void *)recall->found.data,
                       *end = found + recall->found.size / sizeof *found;
    uint64_t behind = (uint64_t)(recall->shard + 1) * LAYOUT_SHARD_DOCS;
    ended_mark(recall);
    recall->documents += (uint64_t)(end - found);
    for (uint32_t d = doc_next(batch, recall->shard * LAYOUT_SHARD_DOCS); d < batch->docs && d < behind;
         d = doc_next(batch, d + 1)) {
        while (found < end && found->doc < d)
            found++;
        doc_recall(recall, (struct doc_ref){recall->batch, d}, found < end && found->doc == d ? found : NULL);
    }
}

static void recall_next(struct recall *recall);

static void recall_done(struct io_task *task)
{
    struct recall *recall = (struct recall *)task;
    if (recall->rc)
        trace_err(TRACE_WARN, "index_unread", &recall->err, "batch=%s shard=%u", recall->id, recall->shard);
    else
        shard_recall(recall);
    recall->shard++;
    recall_next(recall);
}

static void recall_end(struct recall *recall)
{
    struct coordinator *c = recall->c;
    trace(recall->missing ? TRACE_WARN : TRACE_INFO, "recalled",
          "documents=%" PRIu64 " missing=%" PRIu64 " ms=%" PRIu64, recall->documents, recall->missing,
          clock_mono_ms() - recall->began_ms);
    buf_destroy(&c->ended);
    recall_destroy(&c->recall);
}

static void recall_next(struct recall *recall)
{
    for (; recall->batch < recall->batches; recall->batch++, recall->shard = 0) {
        const struct batch *batch = recall->c->backlog->batch[recall->batch];
        if (!batch || batch->check_only || (uint64_t)recall->shard * LAYOUT_SHARD_DOCS >= batch->docs)
            continue;
        recall->id = batch->id;
        io_submit(recall->c->back_io, &recall->task);
        return;
    }
    recall_end(recall);
}

void recall_start(struct coordinator *c)
{
    struct recall *recall = calloc(1, sizeof *recall);
    if (!recall)
        abort();
    recall->task = (struct io_task){.work = recall_work, .done = recall_done};
    recall->c = c;
    recall->batches = c->backlog->batches;
    recall->began_ms = clock_mono_ms();
    c->recall = recall;
    recall_next(recall);
}

void recall_destroy(struct recall **recall)
{
    if (!*recall)
        return;
    buf_destroy(&(*recall)->found);
    buf_destroy(&(*recall)->sketches);
    free(*recall);
    *recall = NULL;
}
