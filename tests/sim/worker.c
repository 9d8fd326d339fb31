/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "tests/sim/job.h"
#include "tests/sim/network.h"
#include "tests/sim/source.h"
#include "tests/sim/world.h"

enum {
    SLOTS = 2,
    PREFETCH = 2,
    HELD_MOST = 64,
    BACKOFF_MS = 100,
    BACKOFF_MOST_MS = 3000,
    WELCOME_MS = 3000,
    SILENT_BEATS = 5,
    DEAD_MOST_MS = 15000,
    STALL_MOST_MS = 20000,
    CUT_MOST_MS = 12000,
};

enum link_state { LINK_CLOSED, LINK_HELLO, LINK_JOINED };

struct held {
    Sohoa__Job *job;
    Sohoa__Result *result; /* NULL: it waits or runs */
    bool sent;
    uint64_t end_ms, lease_ms; /* when its slot is done, when the lease runs out */
};

struct worker {
    char name[8];
    uint32_t pipeline;
    enum link_state state;
    uint64_t due_ms; /* CLOSED: to try again; HELLO: to give up */
    uint64_t heard_ms, beat_ms;
    uint32_t heartbeat_ms;
    uint64_t break_ms; /* the connection breaks then; NEVER */
    uint64_t away_ms;  /* dead or stalled until then */
    uint64_t backoff_ms;
    uint64_t received, offered; /* jobs since Hello */
    struct held held[HELD_MOST];
    uint32_t count;
    uint64_t slot_ms[SLOTS]; /* free from then on */
};

static struct worker workers[WORKERS];

static uint32_t number_of(const struct worker *w)
{
    return (uint32_t)(w - workers);
}

/* ---- what it holds ---- */

static void held_free(struct held *held)
{
    sohoa__job__free_unpacked(held->job, NULL);
    if (held->result)
        sohoa__result__free_unpacked(held->result, NULL);
}

static void held_forget(struct worker *w, uint64_t lease)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->held[i].job->lease == lease) {
            held_free(&w->held[i]);
            w->held[i] = w->held[--w->count];
            return;
        }
}

static void held_forget_all(struct worker *w)
{
    while (w->count)
        held_free(&w->held[--w->count]);
}

static bool held_has(const struct worker *w, uint64_t lease)
{
    for (uint32_t i = 0; i < w->count; i++)
        if (w->held[i].job->lease == lease)
            return true;
    return false;
}

static uint32_t held_running(const struct worker *w)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->count; i++)
        n += !w->held[i].result;
    return n;
}

/* ---- talking ---- */

static void say_hello(struct worker *w)
{
    Sohoa__Job *jobs[HELD_MOST];
    Sohoa__Hello hello = SOHOA__HELLO__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    for (uint32_t i = 0; i < w->count; i++) {
        jobs[i] = w->held[i].job;
        w->held[i].sent = false;
    }
    hello.version = PROTOCOL_VERSION;
    hello.worker = w->name;
    hello.pipeline = (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)(uintptr_t)pipeline_digest_of[w->pipeline]};
    hello.slots = SLOTS;
    hello.held = jobs;
    hello.n_held = w->count;
    frame.body_case = SOHOA__FRAME__BODY_HELLO;
    frame.hello = &hello;
    w->received = w->offered = 0;
    w->state = LINK_HELLO;
    w->due_ms = world.now_ms + WELCOME_MS;
    w->break_ms = NEVER;
    network_connect(number_of(w));
    network_send(number_of(w), &frame);
}

static void say_credit(struct worker *w)
{
    uint32_t running = held_running(w);
    uint64_t total = w->received + (running < SLOTS + PREFETCH ? SLOTS + PREFETCH - running : 0);
    Sohoa__Credit credit = SOHOA__CREDIT__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    if (total <= w->offered)
        return;
    credit.jobs_total = w->offered = total;
    frame.body_case = SOHOA__FRAME__BODY_CREDIT;
    frame.credit = &credit;
    network_send(number_of(w), &frame);
}

static void say_results(struct worker *w)
{
    Sohoa__Result *some[HELD_MOST];
    Sohoa__Results results = SOHOA__RESULTS__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    results.results = some;
    for (uint32_t i = 0; i < w->count; i++) {
        if (!w->held[i].result || w->held[i].sent)
            continue;
        some[results.n_results++] = w->held[i].result;
        w->held[i].sent = true;
    }
    if (!results.n_results)
        return;
    frame.body_case = SOHOA__FRAME__BODY_RESULTS;
    frame.results = &results;
    network_send(number_of(w), &frame);
}

static void say_beat(struct worker *w)
{
    Sohoa__Heartbeat beat = SOHOA__HEARTBEAT__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    beat.sent_ms = w->beat_ms = world.now_ms;
    frame.body_case = SOHOA__FRAME__BODY_HEARTBEAT;
    frame.heartbeat = &beat;
    network_send(number_of(w), &frame);
}

static void say_bye(struct worker *w)
{
    Sohoa__Bye bye = SOHOA__BYE__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_BYE;
    frame.bye = &bye;
    network_send(number_of(w), &frame);
}

static void link_lose(struct worker *w)
{
    network_close(number_of(w));
    w->state = LINK_CLOSED;
    w->due_ms = world.now_ms + w->backoff_ms;
    w->backoff_ms = w->backoff_ms * 2 < BACKOFF_MOST_MS ? w->backoff_ms * 2 : BACKOFF_MOST_MS;
    w->break_ms = NEVER;
}

/* ---- hearing ---- */

static void job_take(struct worker *w, const Sohoa__Job *job)
{
    AUTO(buf_destroy) struct buf packed = {0};
    size_t bytes = sohoa__job__get_packed_size(job);
    if (held_has(w, job->lease))
        return;
    if (++w->received > w->offered)
        violation("worker %s was given %llu jobs and asked for %llu", w->name, (unsigned long long)w->received,
                  (unsigned long long)w->offered);
    if (w->count == HELD_MOST)
        violation("worker %s holds more than %d jobs", w->name, HELD_MOST);
    sohoa__job__pack(job, buf_reserve(&packed, bytes));
    uint64_t *slot = w->slot_ms[0] <= w->slot_ms[1] ? &w->slot_ms[0] : &w->slot_ms[1];
    *slot = (*slot > world.now_ms ? *slot : world.now_ms) + job_ms(job);
    w->held[w->count++] = (struct held){
        .job = sohoa__job__unpack(NULL, bytes, packed.data), .end_ms = *slot, .lease_ms = world.now_ms + job->lease_ms};
}

static void hear_welcome(struct worker *w, const Sohoa__Welcome *welcome)
{
    if (w->state != LINK_HELLO)
        return;
    w->state = LINK_JOINED;
    w->heartbeat_ms = welcome->heartbeat_ms;
    w->beat_ms = world.now_ms;
    w->backoff_ms = BACKOFF_MS;
    for (size_t i = 0; i < welcome->n_dropped; i++)
        held_forget(w, welcome->dropped[i]);
}

static void hear_joined(struct worker *w, const Sohoa__Frame *frame)
{
    switch (frame->body_case) {
    case SOHOA__FRAME__BODY_GRANT:
        for (size_t i = 0; i < frame->grant->n_jobs; i++)
            job_take(w, frame->grant->jobs[i]);
        break;
    case SOHOA__FRAME__BODY_DROP:
        for (size_t i = 0; i < frame->drop->n_leases; i++)
            held_forget(w, frame->drop->leases[i]);
        break;
    case SOHOA__FRAME__BODY_ACKS:
        for (size_t i = 0; i < frame->acks->n_leases; i++)
            held_forget(w, frame->acks->leases[i]);
        break;
    default: break;
    }
}

void worker_break(uint32_t worker, uint64_t at_ms)
{
    if (workers[worker].break_ms > at_ms)
        workers[worker].break_ms = at_ms;
}

/* ---- mischief ---- */

static void die(struct worker *w)
{
    held_forget_all(w);
    link_lose(w);
    memset(w->slot_ms, 0, sizeof w->slot_ms);
    w->backoff_ms = BACKOFF_MS;
    w->away_ms = w->due_ms = world.now_ms + chance(DEAD_MOST_MS);
    if (number_of(w) == WORKERS / 2 && !chance(3)) /* another release */
        w->pipeline = 1 - w->pipeline;
}

/* What it hears meanwhile is lost on it, so that its connection must go, too. */
static void stall(struct worker *w)
{
    w->away_ms = world.now_ms + chance(STALL_MOST_MS);
    w->break_ms = w->away_ms;
}

/* true: it can't go on as it wanted. */
static bool mischief(struct worker *w)
{
    if (happens(world.one_in.die))
        die(w);
    else if (happens(world.one_in.stall))
        stall(w);
    else if (happens(world.one_in.cut))
        network_cut(number_of(w), world.now_ms + chance(CUT_MOST_MS));
    else if (w->state == LINK_JOINED && happens(world.one_in.unwilling)) {
        say_bye(w);
        die(w);
    } else
        return false;
    note(number_of(w));
    return true;
}

/* ---- its turn ---- */

static void jobs_step(struct worker *w)
{
    for (uint32_t i = 0; i < w->count;) {
        struct held *held = &w->held[i];
        if (!held->result && held->lease_ms <= world.now_ms) {
            held_forget(w, held->job->lease);
            continue;
        }
        if (!held->result && held->end_ms <= world.now_ms) {
            held->result = job_do(held->job, number_of(w), w->pipeline);
            if (happens(world.one_in.die)) { /* before it could say so */
                die(w);
                return;
            }
        }
        i++;
    }
}

static void link_step(struct worker *w)
{
    if (w->state == LINK_CLOSED && w->due_ms <= world.now_ms)
        say_hello(w);
    else if (w->state != LINK_CLOSED && w->break_ms <= world.now_ms)
        link_lose(w);
    else if (w->state == LINK_HELLO && w->due_ms <= world.now_ms)
        link_lose(w);
    else if (w->state == LINK_JOINED && w->heard_ms + SILENT_BEATS * w->heartbeat_ms <= world.now_ms)
        link_lose(w);
    if (w->state != LINK_JOINED)
        return;
    if (w->beat_ms + w->heartbeat_ms <= world.now_ms)
        say_beat(w);
    say_results(w);
    say_credit(w);
}

void worker_hear(uint32_t worker, const Sohoa__Frame *frame)
{
    struct worker *w = &workers[worker];
    if (w->away_ms > world.now_ms) { /* stalled: what it does not read is lost, and its connection with it */
        worker_break(worker, w->away_ms);
        return;
    }
    w->heard_ms = world.now_ms;
    if (frame->body_case == SOHOA__FRAME__BODY_REFUSE)
        link_lose(w);
    else if (frame->body_case == SOHOA__FRAME__BODY_WELCOME)
        hear_welcome(w, frame->welcome);
    else if (w->state == LINK_JOINED)
        hear_joined(w, frame);
    link_step(w);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t due_ms(const struct worker *w)
{
    uint64_t due = w->state == LINK_JOINED
                       ? least(w->beat_ms + w->heartbeat_ms, w->heard_ms + SILENT_BEATS * w->heartbeat_ms)
                       : w->due_ms;
    if (w->state != LINK_CLOSED)
        due = least(due, w->break_ms);
    for (uint32_t i = 0; i < w->count; i++)
        if (!w->held[i].result)
            due = least(due, least(w->held[i].end_ms, w->held[i].lease_ms));
    return due > w->away_ms ? due : w->away_ms;
}

static struct worker *first_due(void)
{
    struct worker *first = &workers[0];
    for (uint32_t i = 1; i < WORKERS; i++)
        if (due_ms(&workers[i]) < due_ms(first))
            first = &workers[i];
    return first;
}

uint64_t workers_due_ms(void)
{
    return due_ms(first_due());
}

void workers_step(void)
{
    struct worker *w = first_due();
    if (mischief(w))
        return;
    jobs_step(w);
    if (w->away_ms <= world.now_ms)
        link_step(w);
}

void workers_calm(void)
{
    network_heal();
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct worker *w = &workers[i];
        w->away_ms = least(w->away_ms, world.now_ms);
        w->break_ms = w->break_ms == NEVER ? NEVER : least(w->break_ms, world.now_ms); /* what is broken is noticed */
    }
}

void workers_leave(void)
{
    for (uint32_t i = 0; i < WORKERS; i++)
        held_forget_all(&workers[i]);
}

void workers_reset(void)
{
    workers_leave();
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct worker *w = &workers[i];
        *w = (struct worker){.pipeline = i > WORKERS / 2, .break_ms = NEVER, .backoff_ms = BACKOFF_MS};
        snprintf(w->name, sizeof w->name, "w%u", i);
        w->due_ms = world.now_ms + chance(1000);
    }
}

uint64_t worker_received(uint32_t worker)
{
    return workers[worker].received;
}

bool worker_joined(uint32_t worker)
{
    return workers[worker].state == LINK_JOINED;
}

uint32_t worker_holds(uint32_t worker)
{
    return workers[worker].count;
}
