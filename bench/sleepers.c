/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A slot counts as busy from the moment that it gets a job until the one at which this is through, not until somebody here notices:
 * whatever the machine is late with is time in which the slot is idle. */
#include "bench/sleepers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "bench/chance.h"
#include "bench/quantiles.h"
#include "proto/array.h"
#include "worker/job.h"

enum {
    PROBE_US = 20000,   /* a slot opens a source, and reads none of it */
    ASSEMBLE_PART = 50, /* assembling costs that part of reading */
};

enum nap_state { NAP_FETCHING, NAP_WAITING, NAP_SLEEPING, NAP_DROPPED };

struct nap {
    TAILQ_ENTRY(nap) entry; /* of its worker's queue, while it waits */
    Sohoa__Job *job;
    unsigned worker;
    enum nap_state state;
    uint64_t began_us, due_us; /* of what goes on: the fetch, then the sleep */
    uint64_t sleep_us;
};

struct dorm {
    TAILQ_HEAD(, nap) queue;
    unsigned wanting; /* jobs that have a slot, or will want one */
    unsigned free;    /* slots; when each became free, the longest idle one first: */
    uint64_t *free_since_us;
};

struct sleepers {
    struct sleepers_rules rules;
    struct dorm *dorm;
    struct nap **heap; /* what goes on, the next to end first */
    size_t heap_count;
    unsigned busy;              /* slots */
    uint64_t first_us, last_us; /* the first grant, the last end */
    uint64_t steady_us;         /* all slots slept for the first time; 0: not yet */
    uint64_t busy_us, busy_steady_us;
    uint64_t jobs_steady, pages_granted, pages_steady, dropped;
    struct quantiles waits_ms; /* of slots, between two jobs, in the steady state */
};

/* ---- what goes on, in order of its end ---- */

static void heap_swap(struct nap **a, struct nap **b)
{
    struct nap *nap = *a;
    *a = *b;
    *b = nap;
}

static void heap_push(struct sleepers *s, struct nap *nap)
{
    s->heap = array_room(s->heap, s->heap_count, sizeof(struct nap *));
    size_t at = s->heap_count++;
    s->heap[at] = nap;
    for (; at && s->heap[(at - 1) / 2]->due_us > s->heap[at]->due_us; at = (at - 1) / 2)
        heap_swap(&s->heap[(at - 1) / 2], &s->heap[at]);
}

static struct nap *heap_pop(struct sleepers *s)
{
    struct nap *top = s->heap[0];
    s->heap[0] = s->heap[--s->heap_count];
    for (size_t at = 0, child; (child = 2 * at + 1) < s->heap_count; at = child) {
        child += child + 1 < s->heap_count && s->heap[child + 1]->due_us < s->heap[child]->due_us;
        if (s->heap[at]->due_us <= s->heap[child]->due_us)
            break;
        heap_swap(&s->heap[at], &s->heap[child]);
    }
    return top;
}

/* ---- what is counted ---- */

static uint64_t steady_end_us(const struct sleepers *s)
{
    return s->steady_us + (uint64_t)(s->rules.steady_s * 1e6);
}

static bool is_steady(const struct sleepers *s, uint64_t at_us)
{
    return s->steady_us && at_us >= s->steady_us && at_us < steady_end_us(s);
}

/* What of it lies in the steady state. */
static uint64_t steady_share_us(const struct sleepers *s, uint64_t from_us, uint64_t to_us)
{
    if (!s->steady_us)
        return 0;
    from_us = from_us > s->steady_us ? from_us : s->steady_us;
    to_us = to_us < steady_end_us(s) ? to_us : steady_end_us(s);
    return from_us < to_us ? to_us - from_us : 0;
}

static void steady_begin(struct sleepers *s, uint64_t now_us)
{
    s->steady_us = now_us;
    for (size_t i = 0; i < s->heap_count; i++)
        if (s->heap[i]->state == NAP_SLEEPING)
            s->busy_steady_us += steady_share_us(s, s->heap[i]->began_us, s->heap[i]->due_us);
}

/* ---- a job's way ---- */

static double draw(struct chance *chance, double mean_ms)
{
    return mean_ms * 0.5 * (1 - log(1 - chance_real(chance, 0, 1)));
}

static uint64_t sleep_draw_us(const struct sleepers *s, const Sohoa__Job *job, uint32_t pages)
{
    uint64_t key = job->doc * UINT64_C(1000003) + (job->range ? job->range->first : 0);
    struct chance chance = chance_branch(s->rules.seed, key);
    double ms = 0;
    if (job->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE)
        return (uint64_t)(s->rules.page_ms * job->doc_pages / ASSEMBLE_PART * 1000);
    for (uint32_t i = 0; i < pages; i++)
        ms += draw(&chance, s->rules.page_ms);
    return pages ? (uint64_t)(ms * 1000) : PROBE_US;
}

static void nap_free(struct nap *nap)
{
    if (nap->job)
        sohoa__job__free_unpacked(nap->job, NULL);
    free(nap);
}

static void nap_sleep(struct sleepers *s, struct nap *nap, uint64_t now_us)
{
    struct dorm *dorm = &s->dorm[nap->worker];
    uint64_t since_us = dorm->free_since_us[0];
    memmove(dorm->free_since_us, dorm->free_since_us + 1, --dorm->free * sizeof *dorm->free_since_us);
    if (is_steady(s, since_us))
        quantiles_add(&s->waits_ms, (double)(now_us - since_us) / 1000);
    s->jobs_steady += is_steady(s, now_us);
    nap->state = NAP_SLEEPING;
    nap->began_us = now_us;
    nap->due_us = now_us + nap->sleep_us;
    s->busy_us += nap->sleep_us;
    s->busy_steady_us += steady_share_us(s, now_us, nap->due_us);
    heap_push(s, nap);
    if (++s->busy == s->rules.workers * s->rules.slots && !s->steady_us)
        steady_begin(s, now_us);
}

static void dorm_serve(struct sleepers *s, struct dorm *dorm, uint64_t now_us)
{
    struct nap *nap;
    while (dorm->free && (nap = TAILQ_FIRST(&dorm->queue))) {
        TAILQ_REMOVE(&dorm->queue, nap, entry);
        nap_sleep(s, nap, now_us);
    }
}

static void slot_free(struct sleepers *s, struct nap *nap, uint64_t at_us)
{
    struct dorm *dorm = &s->dorm[nap->worker];
    dorm->free_since_us[dorm->free++] = at_us;
    dorm->wanting--;
    s->busy--;
    s->last_us = at_us > s->last_us ? at_us : s->last_us;
}

void sleepers_take(struct sleepers *s, unsigned worker, Sohoa__Job *job, uint32_t pages, uint64_t now_us)
{
    struct nap *nap = calloc(1, sizeof *nap);
    if (!nap)
        abort();
    s->first_us = s->first_us ? s->first_us : now_us;
    s->pages_granted += pages;
    if (!s->steady_us || is_steady(s, now_us))
        s->pages_steady = s->pages_granted;
    nap->job = job;
    nap->worker = worker;
    nap->sleep_us = sleep_draw_us(s, job, pages);
    nap->due_us = now_us + (uint64_t)(s->rules.fetch_ms * 1000);
    s->dorm[worker].wanting++;
    heap_push(s, nap);
}

static struct nap *nap_find(const struct sleepers *s, unsigned worker, uint64_t lease)
{
    struct nap *nap = TAILQ_FIRST(&s->dorm[worker].queue);
    while (nap && nap->job->lease != lease)
        nap = TAILQ_NEXT(nap, entry);
    for (size_t i = 0; i < s->heap_count && !nap; i++)
        if (s->heap[i]->worker == worker && s->heap[i]->state != NAP_DROPPED && s->heap[i]->job->lease == lease)
            nap = s->heap[i];
    return nap;
}

void sleepers_drop(struct sleepers *s, unsigned worker, uint64_t lease, uint64_t now_us)
{
    struct nap *nap = nap_find(s, worker, lease);
    if (!nap)
        return;
    enum nap_state was = nap->state;
    nap->state = NAP_DROPPED;
    s->dropped++;
    if (was == NAP_SLEEPING) {
        uint64_t at_us = now_us < nap->due_us ? now_us : nap->due_us;
        s->busy_us -= nap->due_us - at_us;
        s->busy_steady_us -= steady_share_us(s, at_us, nap->due_us);
        slot_free(s, nap, at_us);
        dorm_serve(s, &s->dorm[worker], now_us);
    } else {
        s->dorm[worker].wanting--;
    }
    if (was == NAP_WAITING) { /* any other leaves the heap when its time is over */
        TAILQ_REMOVE(&s->dorm[worker].queue, nap, entry);
        nap_free(nap);
    }
}

Sohoa__Job *sleepers_wake(struct sleepers *s, uint64_t now_us, unsigned *ret_worker, uint32_t *ret_cpu_ms)
{
    Sohoa__Job *job = NULL;
    while (!job && sleepers_due_us(s) <= now_us) {
        struct nap *nap = heap_pop(s);
        struct dorm *dorm = &s->dorm[nap->worker];
        if (nap->state == NAP_FETCHING) {
            nap->state = NAP_WAITING;
            TAILQ_INSERT_TAIL(&dorm->queue, nap, entry);
            dorm_serve(s, dorm, now_us);
            continue;
        }
        if (nap->state == NAP_SLEEPING) {
            *ret_worker = nap->worker;
            *ret_cpu_ms = (uint32_t)(nap->sleep_us / 1000);
            job = nap->job;
            nap->job = NULL;
            slot_free(s, nap, nap->due_us);
            dorm_serve(s, dorm, now_us);
        }
        nap_free(nap);
    }
    return job;
}

uint64_t sleepers_due_us(const struct sleepers *s)
{
    return s->heap_count ? s->heap[0]->due_us : UINT64_MAX;
}

unsigned sleepers_room(const struct sleepers *s, unsigned worker)
{
    unsigned most = s->rules.slots + s->rules.ahead, wanting = s->dorm[worker].wanting;
    return wanting < most ? most - wanting : 0;
}

/* ---- all of them ---- */

struct sleepers *sleepers_new(const struct sleepers_rules *rules)
{
    struct sleepers *s = calloc(1, sizeof *s);
    if (!s || !(s->dorm = calloc(rules->workers, sizeof *s->dorm)))
        abort();
    s->rules = *rules;
    s->rules.ahead = rules->ahead ? rules->ahead : jobs_ahead(rules->slots);
    for (unsigned i = 0; i < rules->workers; i++) {
        TAILQ_INIT(&s->dorm[i].queue);
        s->dorm[i].free = rules->slots;
        if (!(s->dorm[i].free_since_us = calloc(rules->slots, sizeof(uint64_t))))
            abort();
    }
    return s;
}

void sleepers_destroy(struct sleepers **sleepers)
{
    struct sleepers *s = *sleepers;
    *sleepers = NULL;
    if (!s)
        return;
    while (s->heap_count)
        nap_free(heap_pop(s));
    for (unsigned i = 0; i < s->rules.workers; i++) {
        for (struct nap *nap; (nap = TAILQ_FIRST(&s->dorm[i].queue));) {
            TAILQ_REMOVE(&s->dorm[i].queue, nap, entry);
            nap_free(nap);
        }
        free(s->dorm[i].free_since_us);
    }
    quantiles_destroy(&s->waits_ms);
    free(s->heap);
    free(s->dorm);
    free(s);
}

double sleepers_efficiency(const struct sleepers *s, uint64_t now_us)
{
    if (!s->steady_us || now_us < steady_end_us(s))
        return 0;
    return (double)s->busy_steady_us / 1e6 / (s->rules.workers * s->rules.slots) / s->rules.steady_s;
}

void sleepers_tell(struct sleepers *s, uint64_t now_us)
{
    double slots = s->rules.workers * s->rules.slots, whole_s = (double)(s->last_us - s->first_us) / 1e6;
    printf("\"ramp_s\": %.3f, \"whole_s\": %.3f, ", s->steady_us ? (double)(s->steady_us - s->first_us) / 1e6 : 0,
           whole_s);
    printf("\"efficiency\": %.5f, \"efficiency_whole\": %.5f, ", sleepers_efficiency(s, now_us),
           whole_s > 0 ? (double)s->busy_us / 1e6 / slots / whole_s : 0);
    printf("\"jobs_per_s\": %.1f, \"pages_steady\": %llu, \"abandoned\": %llu, ",
           (double)s->jobs_steady / s->rules.steady_s, (unsigned long long)s->pages_steady,
           (unsigned long long)s->dropped);
    printf("\"wait_p50_ms\": %.3f, \"wait_p99_ms\": %.3f, \"wait_max_ms\": %.3f, ", quantiles_share(&s->waits_ms, 0.5),
           quantiles_share(&s->waits_ms, 0.99), quantiles_share(&s->waits_ms, 1));
}
