/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Few things are quarantined: lists are looked through. */
#include "coordinator/quarantine.h"

#include <stdlib.h>
#include <string.h>

#include "proto/array.h"
#include "proto/auto.h"
#include "proto/buf.h"

struct decided {
    struct doc_ref ref;
    uint64_t order;
};

struct quarantines {
    struct raised **raised;
    size_t raised_count;
    struct buf released; /* struct decided */
    struct buf purged;   /* struct decided */
    struct buf sources;  /* SHA256_BYTES each: purged */
    uint64_t order;
};

struct quarantines *quarantines_new(void)
{
    struct quarantines *quarantines = calloc(1, sizeof *quarantines);
    if (!quarantines)
        abort();
    return quarantines;
}

static void raised_free(struct raised *raised)
{
    free(raised->actor);
    free(raised->reason);
    free(raised);
}

void quarantines_destroy(struct quarantines **quarantines)
{
    if (!*quarantines)
        return;
    for (size_t i = 0; i < (*quarantines)->raised_count; i++)
        raised_free((*quarantines)->raised[i]);
    free((*quarantines)->raised);
    buf_destroy(&(*quarantines)->released);
    buf_destroy(&(*quarantines)->purged);
    buf_destroy(&(*quarantines)->sources);
    free(*quarantines);
    *quarantines = NULL;
}

static bool same(struct doc_ref a, struct doc_ref b)
{
    return a.batch == b.batch && a.doc == b.doc;
}

/* ---- as the ledger says ---- */

static struct suspicion suspicion_of(const Sohoa__Suspicion *said)
{
    struct suspicion suspicion = {.page_no = said->page_no, .kind = SOHOA__STAMP_KIND__STAMP_UNREAD};
    const Sohoa__Stamp *stamp = said->stamp;
    if (!stamp)
        return suspicion;
    if ((int)stamp->kind >= 0 && (int)stamp->kind <= SOHOA__STAMP_KIND__STAMP_UNSEEN)
        suspicion.kind = (uint8_t)stamp->kind;
    suspicion.picture = stamp->picture;
    suspicion.words = stamp->words;
    suspicion.x = stamp->x;
    suspicion.y = stamp->y;
    suspicion.w = stamp->w;
    suspicion.h = stamp->h;
    suspicion.confidence_cpct = stamp->confidence_cpct;
    return suspicion;
}

static void raise(struct quarantines *q, struct doc_ref ref, const Sohoa__Quarantined *said, const char *actor,
                  uint64_t time_ms)
{
    struct raised *raised = calloc(1, sizeof *raised);
    if (!raised)
        abort();
    q->raised = array_room(q->raised, q->raised_count, sizeof(struct raised *));
    *raised = (struct raised){.ref = ref,
                              .order = q->order,
                              .time_ms = time_ms,
                              .actor = text_copy(actor),
                              .reason = text_copy(said->reason)};
    for (size_t i = 0; i < said->n_suspicions && raised->suspicions < SUSPICIONS_MOST; i++)
        raised->suspicion[raised->suspicions++] = suspicion_of(said->suspicions[i]);
    q->raised[q->raised_count++] = raised;
}

static void decide(struct quarantines *q, struct buf *list, struct doc_ref ref)
{
    struct decided decided = {ref, q->order};
    buf_append(list, &decided, sizeof decided);
    for (size_t i = 0; i < q->raised_count && list == &q->released; i++)
        if (same(q->raised[i]->ref, ref))
            q->raised[i]->released = true;
}

void quarantines_add(struct quarantines *q, const struct backlog *backlog, const Sohoa__LedgerEntry *entry,
                     uint64_t time_ms)
{
    const Sohoa__Quarantined *quarantined = entry->quarantined;
    const Sohoa__Released *released = entry->released;
    const Sohoa__Purged *purged = entry->purged;
    bool raises = entry->body_case == SOHOA__LEDGER_ENTRY__BODY_QUARANTINED;
    bool releases = entry->body_case == SOHOA__LEDGER_ENTRY__BODY_RELEASED;
    if (!raises && !releases && entry->body_case != SOHOA__LEDGER_ENTRY__BODY_PURGED)
        return;
    const struct batch *batch = backlog_batch(backlog, raises     ? quarantined->batch
                                                       : releases ? released->batch
                                                                  : purged->batch);
    uint32_t doc = raises ? quarantined->doc : releases ? released->doc : purged->doc;
    if (!batch || doc >= batch->docs)
        return;
    struct doc_ref ref = {batch->index, doc};
    q->order++;
    if (raises)
        raise(q, ref, quarantined, entry->actor, time_ms);
    else
        decide(q, releases ? &q->released : &q->purged, ref);
    if (!raises && !releases && purged->sha256.len == SHA256_BYTES)
        buf_append(&q->sources, purged->sha256.data, SHA256_BYTES);
}

/* ---- asked ---- */

const struct raised *quarantines_of(const struct quarantines *q, struct doc_ref ref)
{
    for (size_t i = q->raised_count; i > 0; i--)
        if (same(q->raised[i - 1]->ref, ref))
            return q->raised[i - 1];
    return NULL;
}

struct raised *quarantines_nth(const struct quarantines *q, size_t n)
{
    return n < q->raised_count ? q->raised[n] : NULL;
}

bool raised_alone(const struct raised *raised)
{
    for (uint32_t i = 0; i < raised->suspicions; i++)
        if (raised->suspicion[i].kind != SOHOA__STAMP_KIND__STAMP_UNSEEN)
            return false;
    return raised->suspicions > 0;
}

static bool decided_after(const struct buf *list, struct doc_ref ref, uint64_t order)
{
    const struct decided *at = (const struct decided *)(const void *)list->data;
    for (size_t i = list->size / sizeof *at; i > 0; i--)
        if (same(at[i - 1].ref, ref) && at[i - 1].order > order)
            return true;
    return false;
}

bool quarantines_released(const struct quarantines *q, struct doc_ref ref, uint64_t order)
{
    return decided_after(&q->released, ref, order);
}

const uint8_t *quarantines_purged_source(const struct quarantines *q, size_t n)
{
    return (n + 1) * SHA256_BYTES <= q->sources.size ? q->sources.data + n * SHA256_BYTES : NULL;
}

bool quarantines_purged(const struct quarantines *q, struct doc_ref ref, const uint8_t *sha256)
{
    const uint8_t *source;
    for (size_t i = 0; sha256 && (source = quarantines_purged_source(q, i)); i++)
        if (!memcmp(source, sha256, SHA256_BYTES))
            return true;
    return decided_after(&q->purged, ref, 0);
}

const char *stamp_word(uint8_t kind)
{
    static const char *const word[] = {
        [SOHOA__STAMP_KIND__STAMP_UNREAD] = "unread",     [SOHOA__STAMP_KIND__STAMP_MAT] = "mat",
        [SOHOA__STAMP_KIND__STAMP_TOI_MAT] = "toi_mat",   [SOHOA__STAMP_KIND__STAMP_TUYET_MAT] = "tuyet_mat",
        [SOHOA__STAMP_KIND__STAMP_GIAI_MAT] = "giai_mat", [SOHOA__STAMP_KIND__STAMP_UNSEEN] = "unseen",
    };
    return kind < sizeof word / sizeof word[0] ? word[kind] : "unread";
}
