/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which documents a predicate chooses, among millions. A lot is decided as a whole as far as it can be; of the others only what
 * lies in the documents themselves and in the bits of their pages' grades is looked at, one block of memory after the other. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/rerun.h"
#include "proto/auto.h"
#include "proto/sha256.h"

enum {
    MAY_RERUN = 1 << SOHOA__DOC_STATE__DOC_STORED | 1 << SOHOA__DOC_STATE__DOC_DEAD | 1 << SOHOA__DOC_STATE__DOC_REFUSED
};

struct choosing {
    const struct backlog *backlog;
    const struct where *where;
    struct choice *choice;
    uint8_t *wanted;                /* by work: what any of its documents chose */
    bool differ;                    /* two of one work chose otherwise */
    uint64_t pages, measured_pages; /* that run; of these, in batches where pages were measured */
    double core_ms;                 /* that those cost */
    struct where_op op[WHERE_OPS];
    uint32_t ops;
    bool asks;
    uint8_t grades; /* what is chosen of each document, unless it asks */
};

void choice_destroy(struct choice *choice)
{
    buf_destroy(&choice->docs);
    buf_destroy(&choice->lots);
}

const struct chosen *choice_docs(const struct choice *choice, size_t *ret_count)
{
    *ret_count = choice->docs.size / sizeof(struct chosen);
    return (const struct chosen *)(const void *)choice->docs.data;
}

const struct lot_pages *choice_lots(const struct choice *choice, size_t *ret_count)
{
    *ret_count = choice->lots.size / sizeof(struct lot_pages);
    return (const struct lot_pages *)(const void *)choice->lots.data;
}

bool doc_may_rerun(const struct doc *doc)
{
    return MAY_RERUN >> doc->state & 1 && doc->generation < GENERATION_MAX;
}

/* ---- one document ---- */

static void facts_take(const struct choosing *of, const struct doc *doc, uint32_t number, struct where_facts *facts)
{
    int code = doc->fault == NONE ? 0 : of->backlog->fault[doc->fault].code;
    facts->number[WHERE_STATE] = doc->state;
    facts->number[WHERE_ERROR] = code ? (uint32_t)-code : WHERE_NOTHING;
    facts->number[WHERE_CONFIDENCE] = doc->confidence_cpct ? doc->confidence_cpct : WHERE_NOTHING;
    facts->number[WHERE_PAGES] = doc->pages;
    facts->number[WHERE_DEAD] = doc->pages_dead;
    facts->number[WHERE_DOCUMENT] = number;
    facts->number[WHERE_GENERATION] = doc->generation;
}

/* Pages of the document's source that run: each is read once, whoever chose it. */
static uint32_t pages_of(const struct choosing *of, const struct batch *batch, const struct chosen *chosen)
{
    const struct doc *doc = doc_look(batch, chosen->ref.doc);
    if (doc->state == SOHOA__DOC_STATE__DOC_DEAD)
        return rerun_pages(of->backlog, chosen);
    return chosen->grades == WHERE_ALL ? doc->pages
                                       : grades_count(&batch->grades, doc->first_ordinal, doc->pages, chosen->grades);
}

static void price_add(struct choosing *of, const struct batch *batch, struct chosen chosen, uint32_t work)
{
    struct chosen all = {chosen.ref, of->wanted[work] | chosen.grades};
    uint8_t before = of->wanted[work];
    if (all.grades == before)
        return;
    uint32_t pages = pages_of(of, batch, &all);
    if (before) {
        of->differ = true;
        chosen.grades = before;
        pages -= pages_of(of, batch, &chosen);
    }
    of->wanted[work] = all.grades;
    of->pages += pages;
    if (!batch->pages_read)
        return;
    of->measured_pages += pages;
    of->core_ms += (double)batch->cpu_ms / (double)batch->pages_read * pages;
}

static void doc_choose(struct choosing *of, const struct batch *batch, const struct doc *doc, uint32_t number)
{
    struct where_facts facts;
    if (!doc_may_rerun(doc))
        return;
    uint8_t grades = of->grades;
    if (of->asks) {
        facts_take(of, doc, number, &facts);
        grades = where_grades(of->where, of->op, of->ops, &facts);
    }
    if (grades && grades != WHERE_ALL)
        grades &= doc->work == NONE ? 0 : grades_seen(&batch->grades, doc->first_ordinal, doc->pages);
    if (!grades)
        return;
    struct chosen chosen = {
        {batch->index, number},
        grades
    };
    buf_append(&of->choice->docs, &chosen, sizeof chosen);
    if (doc->work != NONE)
        price_add(of, batch, chosen, doc->work);
}

/* ---- all of them ---- */

static uint32_t lot_states(const struct lot *lot)
{
    uint32_t states = 0;
    for (int s = 0; s < DOC_STATES; s++)
        states |= (uint32_t)(lot->doc_count[s] != 0) << s;
    return states & MAY_RERUN;
}

static void lot_choose(struct choosing *of, const struct batch *batch, const struct lot *lot, const char *pipeline)
{
    struct where_lot known = {
        .text = {[WHERE_BATCH] = batch->id,
                 [WHERE_UNIT] = lot->terms.unit,
                 [WHERE_BLOC] = lot->terms.bloc,
                 [WHERE_PIPELINE] = pipeline},
        .priority = lot->priority,
        .states = lot_states(lot)
    };
    uint32_t end = lot->first_doc + lot->docs;
    of->ops = where_bind(of->where, &known, of->op);
    of->asks = where_asks(of->op, of->ops);
    of->grades = of->asks ? 0 : where_grades(of->where, of->op, of->ops, NULL);
    if (!known.states || where_never(of->op, of->ops))
        return;
    for (uint32_t d = doc_next(batch, lot->first_doc); d < end; d = doc_next(batch, d)) {
        const struct doc *block = batch->block[d / DOC_BLOCK];
        uint32_t block_end = (d / DOC_BLOCK + 1) * DOC_BLOCK;
        for (block_end = block_end < end ? block_end : end; d < block_end; d++)
            doc_choose(of, batch, &block[d % DOC_BLOCK], d);
    }
}

static void batch_choose(struct choosing *of, const struct batch *batch)
{
    char pipeline[SHA256_HEX_CHARS + 1] = "";
    if (batch->pipeline != NONE)
        sha256_hex(of->backlog->pipeline[batch->pipeline], pipeline);
    for (uint32_t i = 0; i < batch->lots; i++) {
        uint64_t before = of->pages;
        lot_choose(of, batch, batch->lot[i], pipeline);
        struct lot_pages more = {batch->lot[i], of->pages - before};
        if (more.pages)
            buf_append(&of->choice->lots, &more, sizeof more);
    }
}

/* Who comes first of a work runs all that is wanted of it. */
static void choice_unite(const struct choosing *of)
{
    struct chosen *at = (struct chosen *)(void *)of->choice->docs.data;
    for (size_t i = 0; i < of->choice->docs.size / sizeof *at; i++) {
        uint32_t work = doc_look(of->backlog->batch[at[i].ref.batch], at[i].ref.doc)->work;
        at[i].grades = work == NONE ? at[i].grades : of->wanted[work];
    }
}

void choose(const struct backlog *backlog, const struct where *where, struct choice *choice)
{
    AUTO(mem_destroy) uint8_t *wanted = calloc(backlog->works + 1, 1);
    struct choosing of = {.backlog = backlog, .where = where, .choice = choice, .wanted = wanted};
    if (!wanted)
        abort();
    for (uint32_t i = 0; i < backlog->batches; i++)
        if (backlog->batch[i] && !backlog->batch[i]->check_only)
            batch_choose(&of, backlog->batch[i]);
    if (of.differ)
        choice_unite(&of);
    choice->pages = of.pages;
    choice->core_ms = of.measured_pages ? of.core_ms / (double)of.measured_pages * (double)of.pages : -1;
}
