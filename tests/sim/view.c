/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/view.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/sched_private.h"
#include "proto/auto.h"
#include "tests/sim/worker.h"
#include "tests/sim/world.h"

static uint32_t grades_of(const struct batch *batch, const struct doc *doc)
{
    uint8_t packed[SOURCE_PAGES / GRADES_A_BYTE + 1] = {0};
    if (doc->state != SOHOA__DOC_STATE__DOC_STORED && doc->state != SOHOA__DOC_STATE__DOC_DEAD)
        return 0;
    grades_pack(&batch->grades, doc->first_ordinal, doc->pages, packed);
    return packed[0] | (uint32_t)packed[1] << 8 | (uint32_t)packed[2] << 16;
}

void view_docs(const struct coordinator *c, struct sight sight[BATCHES][BATCH_DOCS])
{
    for (uint32_t i = 0; i < BATCHES * BATCH_DOCS; i++)
        sight[i / BATCH_DOCS][i % BATCH_DOCS] = (struct sight){.duplicate_of = NONE};
    for (uint32_t b = 0; b < c->backlog->batches; b++) {
        const struct batch *batch = c->backlog->batch[b];
        uint32_t pipeline = batch->pipeline == NONE ? NONE : pipeline_named(c->backlog->pipeline[batch->pipeline]);
        for (uint32_t d = 0; d < batch->docs; d++) {
            const struct doc *doc = doc_look(batch, d);
            sight[batch_number(batch->id)][d] =
                (struct sight){.state = (uint8_t)doc->state,
                               .pages = doc->pages,
                               .pages_stored = doc->pages_stored,
                               .pages_dead = doc->pages_dead,
                               .generation = doc->generation,
                               .duplicate_of = doc->duplicate_of,
                               .fault = doc->fault == NONE ? 0 : c->backlog->fault[doc->fault].code,
                               .confidence_cpct = doc->confidence_cpct,
                               .grades = grades_of(batch, doc),
                               .first_ordinal = doc->first_ordinal,
                               .pipeline = pipeline,
                               .admitted = true,
                               .source_known = doc->work != NONE,
                               .behind = doc->work != NONE && doc->generation < c->backlog->work[doc->work].generation};
        }
    }
}

static void work_view(const struct coordinator *c, const struct work *work, void (*each)(const struct page_sight *page))
{
    const struct cut *cut = cut_of(work);
    struct page_sight page = {.source = source_named(work->sha256),
                              .pipeline = pipeline_named(c->backlog->pipeline[work->pipeline]),
                              .generation = work->generation};
    bool stored = work->phase == WORK_DONE || work->phase == WORK_ASSEMBLING;
    page.state = stored ? PAGE_STORED : PAGE_QUEUED;
    for (page.page_no = 1; !work->cut && page.page_no <= work->pages; page.page_no++)
        each(&page);
    for (uint32_t i = 0; i < cut->parts; i++) {
        page.state = cut->part[i].state;
        page.faulted = cut->part[i].fault != NONE;
        for (uint32_t p = 0; p < cut->part[i].count; p++) {
            page.page_no = cut->part[i].first + p;
            each(&page);
        }
    }
}

void view_pages(const struct coordinator *c, void (*each)(const struct page_sight *page))
{
    for (uint32_t i = 0; i < c->backlog->works; i++)
        if (c->backlog->work[i].phase != WORK_STOPPED)
            work_view(c, &c->backlog->work[i], each);
}

static uint32_t index_of(const struct coordinator *c, uint32_t worker)
{
    char name[8];
    snprintf(name, sizeof name, "w%u", worker);
    for (uint32_t i = 0; i < c->sched->workers; i++)
        if (!strcmp(c->sched->worker[i].public.name, name))
            return i;
    return NONE;
}

bool view_lease(const struct coordinator *c, uint32_t worker, uint64_t lease)
{
    uint32_t index = index_of(c, worker);
    return index != NONE && lease_find(c->sched, index, lease);
}

bool view_copied(const struct coordinator *c, uint32_t worker, uint64_t lease)
{
    uint32_t index = index_of(c, worker);
    const struct lease *found = index == NONE ? NULL : lease_find(c->sched, index, lease);
    return found && found->copied;
}

uint32_t view_readers(const struct coordinator *c, uint32_t worker)
{
    return c->sched->readers[c->sched->worker[index_of(c, worker)].public.pipeline];
}

uint32_t view_leases(const struct coordinator *c, uint32_t worker)
{
    return c->sched->worker[index_of(c, worker)].public.leases;
}

uint32_t view_pipeline(const struct coordinator *c, uint32_t worker)
{
    return pipeline_named(c->backlog->pipeline[c->sched->worker[index_of(c, worker)].public.pipeline]);
}

bool view_stopped(const struct coordinator *c, uint32_t source)
{
    for (uint32_t i = 0; i < c->backlog->works; i++)
        if (source_named(c->backlog->work[i].sha256) == source && c->backlog->work[i].phase == WORK_STOPPED)
            return true;
    return false;
}

/* ---- what holds at any time ---- */

static void check_doc(const struct coordinator *c, struct doc_ref ref, uint64_t pages[PAGE_STATES])
{
    const struct doc *doc = doc_look(c->backlog->batch[ref.batch], ref.doc);
    uint64_t of_doc[PAGE_STATES], sum = 0;
    doc_pages(c->backlog, ref, of_doc);
    for (int s = 0; s < PAGE_STATES; s++) {
        pages[s] += of_doc[s];
        sum += of_doc[s];
    }
    if (sum != doc->pages)
        violation("document %u/%u has %u pages, its states %llu", ref.batch, ref.doc, doc->pages,
                  (unsigned long long)sum);
    if ((doc->phase == PHASE_FINAL) != (doc->state != SOHOA__DOC_STATE__DOC_OPEN))
        violation("document %u/%u is %s in phase %u", ref.batch, ref.doc, doc_state_name(doc->state), doc->phase);
}

/* Together its lots have what the batch has. */
static void check_lots(const struct batch *batch)
{
    uint64_t pages[PAGE_STATES] = {0};
    uint32_t docs[DOC_STATES] = {0}, next = 0;
    for (uint32_t i = 0; i < batch->lots; i++) {
        const struct lot *lot = batch->lot[i];
        if (lot->first_doc != next || lot->placed > lot->doc_count[SOHOA__DOC_STATE__DOC_OPEN])
            violation("lot %u of batch %s begins at %u, and has %u documents placed", i, batch->id, lot->first_doc,
                      lot->placed);
        next += lot->docs;
        for (int s = 0; s < PAGE_STATES; s++)
            pages[s] += lot->page_count[s];
        for (int s = 0; s < DOC_STATES; s++)
            docs[s] += lot->doc_count[s];
    }
    if (next != batch->docs || memcmp(pages, batch->page_count, sizeof pages) ||
        memcmp(docs, batch->doc_count, sizeof docs))
        violation("the lots of batch %s do not add up", batch->id);
}

static void check_batch(const struct coordinator *c, uint32_t index)
{
    const struct batch *batch = c->backlog->batch[index];
    check_lots(batch);
    uint64_t pages[PAGE_STATES] = {0};
    uint32_t docs[DOC_STATES] = {0};
    for (uint32_t d = 0; d < batch->docs; d++) {
        check_doc(c, (struct doc_ref){index, d}, pages);
        docs[doc_look(batch, d)->state]++;
    }
    for (int s = 0; s < PAGE_STATES; s++)
        if (pages[s] != batch->page_count[s])
            violation("batch %s counts %llu pages %s, there are %llu", batch->id,
                      (unsigned long long)batch->page_count[s], page_state_name(s), (unsigned long long)pages[s]);
    for (int s = 0; s < DOC_STATES; s++)
        if (docs[s] != batch->doc_count[s])
            violation("batch %s counts %u documents %s, there are %u", batch->id, batch->doc_count[s],
                      doc_state_name(s), docs[s]);
    uint32_t most = 0; /* a work is offered once whenever a lease of one of its parts ends */
    for (uint32_t w = 0; w < c->backlog->works; w++)
        most += (LEASE_LOSSES_MAX + c->sched->rules.page_attempts + 2) * (c->backlog->work[w].pages + 1u);
    for (uint32_t i = 0; i < batch->lots; i++) {
        const struct lot *lot = batch->lot[i];
        if (lot->ready.count > most || lot->assemble.count > most || lot->reprobe.count > batch->docs + most)
            violation("lot %u of batch %s has %u works ready, %u to assemble, %u documents to probe again", i,
                      batch->id, lot->ready.count, lot->assemble.count, lot->reprobe.count);
    }
}

static void check_faults(const struct coordinator *c)
{
    AUTO(mem_destroy) uint32_t *docs = calloc(c->backlog->faults + 1, sizeof *docs);
    for (uint32_t b = 0; docs && b < c->backlog->batches; b++)
        for (uint32_t d = 0; c->backlog->batch[b] && d < c->backlog->batch[b]->docs; d++) {
            const struct doc *doc = doc_look(c->backlog->batch[b], d);
            bool ended = doc->state == SOHOA__DOC_STATE__DOC_DEAD || doc->state == SOHOA__DOC_STATE__DOC_REFUSED ||
                         doc->state == SOHOA__DOC_STATE__DOC_QUARANTINED;
            if (ended && doc->fault != NONE)
                docs[doc->fault]++;
        }
    for (uint32_t i = 0; docs && i < c->backlog->faults; i++)
        if (docs[i] != c->backlog->fault[i].docs)
            violation("%u documents ended with %s, %u are counted", docs[i], err_name(c->backlog->fault[i].code),
                      c->backlog->fault[i].docs);
}

struct tally { /* what leases cover */
    uint32_t probes, assemblies, pages;
    uint8_t taken[2 * SOURCES * PIPELINES][SOURCE_PAGES + 1];
};

static void tally_pages(const struct coordinator *c, const struct lease *lease, struct tally *tally)
{
    const struct work *work = &c->backlog->work[lease->work];
    const struct cut *cut = cut_of(work);
    for (uint32_t page = lease->first; page < lease->first + lease->count; page++) {
        uint32_t i = 0;
        while (i < cut->parts && page >= cut->part[i].first + cut->part[i].count)
            i++;
        if (i == cut->parts || cut->part[i].state != PAGE_LEASED)
            violation("lease %llu has page %u, which is not leased", (unsigned long long)lease->id, page);
        if (tally->taken[lease->work][page]++)
            violation("page %u of source %u is leased twice", page, source_named(work->sha256));
    }
    tally->pages += lease->count;
}

/* The younger of two leases of the same: the scheduler meant it. */
static bool is_copy(const struct coordinator *c, const struct lease *lease)
{
    const struct lease *other = lease_copy(c->sched, lease);
    if (lease->copied && (!other || !other->copied || other->worker == lease->worker))
        violation("lease %llu is copied, and there is no other", (unsigned long long)lease->id);
    return other && other->id < lease->id;
}

static void tally_lease(const struct coordinator *c, const struct lease *lease, struct tally *tally)
{
    if (is_copy(c, lease))
        return;
    if (lease->kind == SOHOA__JOB_KIND__JOB_PROBE) {
        tally->probes++;
        if (doc_at(c->backlog, lease->doc)->phase != PHASE_PROBING)
            violation("lease %llu probes document %u/%u, which is not being probed", (unsigned long long)lease->id,
                      lease->doc.batch, lease->doc.doc);
    } else if (lease->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE) {
        tally->assemblies++;
        if (!c->backlog->work[lease->work].leased)
            violation("lease %llu assembles what is not leased", (unsigned long long)lease->id);
    } else {
        tally_pages(c, lease, tally);
    }
}

static void check_leases(const struct coordinator *c)
{
    struct tally tally = {0};
    uint32_t probing = 0, assembling = 0, leased = 0;
    for (uint32_t w = 0; w < c->sched->workers; w++)
        for (uint32_t i = 0; i < c->sched->worker[w].public.leases; i++)
            tally_lease(c, &c->sched->worker[w].lease[i], &tally);
    for (uint32_t b = 0; b < c->backlog->batches; b++)
        for (uint32_t d = 0; d < c->backlog->batch[b]->docs; d++)
            probing += doc_look(c->backlog->batch[b], d)->phase == PHASE_PROBING;
    for (uint32_t w = 0; w < c->backlog->works; w++) {
        const struct cut *cut = cut_of(&c->backlog->work[w]);
        assembling += c->backlog->work[w].leased;
        for (uint32_t i = 0; i < cut->parts; i++)
            leased += cut->part[i].state == PAGE_LEASED ? cut->part[i].count : 0;
    }
    if (probing != tally.probes || assembling != tally.assemblies || leased != tally.pages)
        violation("%u probes, %u assemblies and %u pages are leased, the leases are of %u, %u and %u", probing,
                  assembling, leased, tally.probes, tally.assemblies, tally.pages);
}

void view_check(const struct coordinator *c)
{
    for (uint32_t b = 0; b < c->backlog->batches; b++)
        check_batch(c, b);
    check_faults(c);
    check_leases(c);
    for (uint32_t w = 0; w < c->sched->workers; w++) {
        const struct sched_worker *worker = &c->sched->worker[w].public;
        if (worker->granted > worker->accepted)
            violation("worker %s was granted %llu jobs of %llu", worker->name, (unsigned long long)worker->granted,
                      (unsigned long long)worker->accepted);
        if (!worker->connected && worker->leases)
            violation("worker %s is gone with %u leases", worker->name, worker->leases);
    }
}

void view_credit(const struct coordinator *c)
{
    for (uint32_t worker = 0; worker < WORKERS; worker++) {
        uint32_t index = index_of(c, worker);
        if (index == NONE || !c->sched->worker[index].public.connected || !worker_joined(worker))
            violation("worker w%u has not come back", worker);
        if (c->sched->worker[index].public.granted != worker_received(worker))
            violation("worker w%u was granted %llu jobs and received %llu", worker,
                      (unsigned long long)c->sched->worker[index].public.granted,
                      (unsigned long long)worker_received(worker));
    }
}
