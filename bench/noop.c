/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Workers that read nothing: real frames over real ZeroMQ, and every job answered at once as if its document had been read
 * and stored. What is left is the coordinator. All of them live in one thread.
 *
 * Flat out, each keeps --window jobs that are not acknowledged; with --rate the workers ask for that many jobs a second in all,
 * one at a time, and the time from asking (a slot is ready) to getting it is kept. With --hold each takes that many and keeps
 * them, over a restart of the coordinator, too: then they ask for more, and what is granted twice is counted. With --page-ms
 * each has --slots that sleep over their jobs (bench/sleepers.h), with --prefetch jobs fetched ahead, and how busy they are is
 * measured for --steady seconds. Ends after --jobs, --seconds or by SIGTERM. */
#include <czmq.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/quantiles.h"
#include "bench/sleepers.h"
#include "proto/auto.h"
#include "proto/limits.h"
#include "proto/wire.h"

enum {
    WORKERS_MOST = 256,
    FRAMES_AT_ONCE = 64, /* of one worker, before the next has its turn */
    BEAT_US = 500000,
    WAIT_US = 10000,
    WAITING = 65536,
    HOLD_AGAIN = 100, /* jobs a worker asks for when the coordinator is back */
};

struct noop {
    zsock_t *socket;
    void *handle;
    char name[16];
    bool welcome;
    uint64_t credit;       /* jobs asked for in all */
    uint64_t granted;      /* jobs got in all */
    uint64_t acknowledged; /* of them */
    uint64_t *asked_us;    /* --rate: when each was asked for, by its number modulo WAITING */
    Sohoa__Job **held;     /* --hold: taken and never answered */
    size_t held_count;
};

static struct plan {
    const char *connect;
    unsigned workers, window;
    uint64_t jobs;               /* to be acknowledged in all, then it ends */
    double rate;                 /* jobs a second; 0: flat out */
    double seconds;              /* at most */
    unsigned hold;               /* jobs that each worker takes and never answers */
    struct sleepers_rules sleep; /* page_ms 0: every job is answered at once */
} plan = {
    .workers = 8, .window = 256, .seconds = 3600, .sleep = {.slots = 64, .steady_s = 60, .seed = 1}
};

static volatile sig_atomic_t stop;
static struct noop worker[WORKERS_MOST];
static struct buf out;
static struct quantiles delays_us;
static struct sleepers *sleepers; /* NULL: nobody sleeps */
static uint64_t pages_done, jobs_done;
static uint64_t dropped, granted_twice, granted_again, first_again_us; /* --hold: once the coordinator was back */
static bool came_back;

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench-noop: %s\n", what);
    exit(EXIT_FAILURE);
}

/* ---- frames ---- */

static void frame_send(struct noop *w, const Sohoa__Frame *frame)
{
    buf_clear(&out);
    wire_encode(frame, &out);
    if (zmq_send(w->handle, out.data, out.size, 0) < 0)
        fail(zmq_strerror(zmq_errno()));
}

static void hello_send(struct noop *w)
{
    static uint8_t pipeline[SHA256_BYTES] = "no-op";
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Hello hello = SOHOA__HELLO__INIT;
    hello.version = PROTOCOL_VERSION;
    hello.worker = w->name;
    hello.pipeline = (ProtobufCBinaryData){SHA256_BYTES, pipeline};
    hello.slots = plan.sleep.slots;
    hello.held = w->held;
    hello.n_held = w->held_count;
    frame.body_case = SOHOA__FRAME__BODY_HELLO;
    frame.hello = &hello;
    frame_send(w, &frame);
}

static void credit_send(struct noop *w)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Credit credit = SOHOA__CREDIT__INIT;
    credit.jobs_total = w->credit;
    frame.body_case = SOHOA__FRAME__BODY_CREDIT;
    frame.credit = &credit;
    frame_send(w, &frame);
}

static void beat_send(struct noop *w)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Heartbeat beat = SOHOA__HEARTBEAT__INIT;
    frame.body_case = SOHOA__FRAME__BODY_HEARTBEAT;
    frame.heartbeat = &beat;
    frame_send(w, &frame);
}

/* ---- answers ---- */

struct answer {
    Sohoa__Result result;
    Sohoa__Probe probe;
    Sohoa__Assembled assembled;
    Sohoa__Range range, *ranges[1];
    uint8_t sha256[SHA256_BYTES];
};

/* As even as a SHA-256, and another one for every document. */
static void sha256_make(const char *batch, uint32_t doc, uint8_t sha256[SHA256_BYTES])
{
    uint64_t seed = doc;
    for (const char *c = batch; *c; c++)
        seed = seed * 31 + (uint8_t)*c;
    for (int i = 0; i < SHA256_BYTES / 8; i++) { /* splitmix64 */
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        z ^= z >> 31;
        memcpy(sha256 + 8 * i, &z, sizeof z);
    }
}

static uint32_t job_pages(const Sohoa__Job *job)
{
    if (job->kind != SOHOA__JOB_KIND__JOB_PROBE)
        return job->doc_pages;
    const char *said = strrchr(job->source, '-'); /* bench-manifest's "...-7p.pdf" */
    return said ? (uint32_t)strtoul(said + 1, NULL, 10) : 1;
}

/* How many of them a worker would read for that job. */
static uint32_t job_reads(const Sohoa__Job *job)
{
    uint32_t pages = job_pages(job);
    if (job->kind == SOHOA__JOB_KIND__JOB_PROBE)
        return pages <= job->read_most ? pages : 0;
    return job->kind == SOHOA__JOB_KIND__JOB_PAGES ? job->range->count : 0;
}

static void answer_fill(struct answer *a, const Sohoa__Job *job, uint32_t cpu_ms)
{
    uint32_t pages = job_pages(job), reads = job_reads(job);
    bool probe = job->kind == SOHOA__JOB_KIND__JOB_PROBE;
    sohoa__result__init(&a->result);
    a->result.lease = job->lease;
    a->result.cpu_ms = cpu_ms;
    if (probe) {
        sohoa__probe__init(&a->probe);
        sha256_make(job->batch, job->doc, a->sha256);
        a->probe.sha256 = (ProtobufCBinaryData){SHA256_BYTES, a->sha256};
        a->probe.bytes = 1000;
        a->probe.pages = pages;
        a->probe.kind = SOHOA__SOURCE_KIND__SOURCE_PDF;
        a->result.probe = &a->probe;
    }
    if (probe && !reads)
        return;
    sohoa__assembled__init(&a->assembled);
    a->assembled.pages_stored = pages;
    if (job->kind == SOHOA__JOB_KIND__JOB_ASSEMBLE || job->assemble || probe)
        a->result.assembled = &a->assembled;
    sohoa__range__init(&a->range);
    a->range.first = job->range ? job->range->first : 1;
    a->range.count = job->range ? job->range->count : pages;
    a->ranges[0] = &a->range;
    a->result.stored = a->ranges;
    a->result.n_stored = 1;
    pages_done += reads;
}

static void results_send(struct noop *w, Sohoa__Job *const *jobs, size_t count, uint32_t cpu_ms)
{
    static struct answer answer[GRANT_MAX_JOBS];
    static Sohoa__Result *result[GRANT_MAX_JOBS];
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Results results = SOHOA__RESULTS__INIT;
    for (size_t i = 0; i < count; i++) {
        answer_fill(&answer[i], jobs[i], cpu_ms);
        result[i] = &answer[i].result;
    }
    results.results = result;
    results.n_results = count;
    frame.body_case = SOHOA__FRAME__BODY_RESULTS;
    frame.results = &results;
    frame_send(w, &frame);
}

/* The same document, and not other pages of it. */
static bool jobs_clash(const Sohoa__Job *a, const Sohoa__Job *b)
{
    if (a->doc != b->doc || strcmp(a->batch, b->batch))
        return false;
    return !a->range || !b->range ||
           (a->range->first < b->range->first + b->range->count && b->range->first < a->range->first + a->range->count);
}

static bool is_held(const Sohoa__Job *job)
{
    for (unsigned i = 0; i < plan.workers; i++)
        for (size_t k = 0; k < worker[i].held_count; k++)
            if (jobs_clash(worker[i].held[k], job))
                return true;
    return false;
}

/* Kept as a worker keeps them for its next Hello: without their subscribers. */
static void jobs_hold(struct noop *w, const Sohoa__Grant *grant)
{
    for (size_t i = 0; i < grant->n_jobs; i++) {
        Sohoa__Job bare = *grant->jobs[i];
        AUTO(buf_destroy) struct buf packed = {0};
        bare.n_subscribers = 0;
        if (came_back) {
            granted_again++;
            granted_twice += is_held(&bare);
            first_again_us = first_again_us ? first_again_us : now_us();
            continue;
        }
        packed.size = sohoa__job__pack(&bare, buf_reserve(&packed, sohoa__job__get_packed_size(&bare)));
        w->held[w->held_count++] = sohoa__job__unpack(NULL, packed.size, packed.data);
    }
}

static void jobs_sleep(struct noop *w, Sohoa__Grant *grant)
{
    for (size_t i = 0; i < grant->n_jobs; i++)
        sleepers_take(sleepers, (unsigned)(w - worker), grant->jobs[i], job_reads(grant->jobs[i]), now_us());
    grant->n_jobs = 0; /* the jobs are theirs now */
}

static void on_grant(struct noop *w, Sohoa__Grant *grant)
{
    uint64_t at_us = plan.rate > 0 ? now_us() : 0;
    for (size_t i = 0; i < grant->n_jobs; i++, w->granted++) {
        if (plan.rate > 0)
            quantiles_add(&delays_us, (double)(at_us - w->asked_us[w->granted % WAITING]));
    }
    if (plan.hold)
        jobs_hold(w, grant);
    else if (sleepers)
        jobs_sleep(w, grant);
    else
        results_send(w, grant->jobs, grant->n_jobs, 1);
}

static void on_drop(const struct noop *w, const Sohoa__Drop *drop)
{
    for (size_t i = 0; i < drop->n_leases && sleepers; i++)
        sleepers_drop(sleepers, (unsigned)(w - worker), drop->leases[i], now_us());
}

/* The coordinator was restarted, or gave this worker up. */
static void on_refuse(struct noop *w, const Sohoa__Refuse *refuse)
{
    if (refuse->err->code != E_NET || sleepers)
        fail(refuse->err->text);
    came_back = true;
    w->welcome = false;
    w->credit = w->granted = w->acknowledged = 0;
    hello_send(w);
}

static void on_welcome(struct noop *w, const Sohoa__Welcome *welcome)
{
    w->welcome = true;
    dropped += welcome->n_dropped;
    if (!plan.hold)
        return;
    w->credit = came_back ? HOLD_AGAIN : plan.hold;
    credit_send(w);
}

static void on_frame(struct noop *w, Sohoa__Frame *frame)
{
    switch (frame->body_case) {
    case SOHOA__FRAME__BODY_WELCOME: on_welcome(w, frame->welcome); break;
    case SOHOA__FRAME__BODY_GRANT: on_grant(w, frame->grant); break;
    case SOHOA__FRAME__BODY_ACKS:
        w->acknowledged += frame->acks->n_leases;
        jobs_done += frame->acks->n_leases;
        break;
    case SOHOA__FRAME__BODY_DROP: on_drop(w, frame->drop); break;
    case SOHOA__FRAME__BODY_REFUSE: on_refuse(w, frame->refuse); break;
    default: break;
    }
}

static void frames_take(struct noop *w)
{
    for (int i = 0; i < FRAMES_AT_ONCE; i++) {
        zmq_msg_t message;
        AUTO(frame_destroy) Sohoa__Frame *frame = NULL;
        struct err err;
        zmq_msg_init(&message);
        if (zmq_msg_recv(&message, w->handle, ZMQ_DONTWAIT) < 0)
            return;
        if (wire_decode(zmq_msg_data(&message), zmq_msg_size(&message), &frame, &err))
            fail(err.text);
        zmq_msg_close(&message);
        on_frame(w, frame);
    }
}

/* ---- the run ---- */

static void workers_start(void)
{
    for (unsigned i = 0; i < plan.workers; i++) {
        struct noop *w = &worker[i];
        snprintf(w->name, sizeof w->name, "noop-%u", i);
        w->asked_us = calloc(WAITING, sizeof *w->asked_us);
        w->held = calloc(plan.hold + 1, sizeof(Sohoa__Job *));
        w->socket = zsock_new(ZMQ_DEALER);
        if (!w->socket || !w->asked_us || !w->held)
            fail("no socket");
        zsock_set_identity(w->socket, w->name);
        zsock_set_linger(w->socket, 0);
        zsock_set_sndhwm(w->socket, 0);
        zsock_set_rcvhwm(w->socket, 0);
        if (zsock_connect(w->socket, "%s", plan.connect))
            fail("the endpoint makes no sense");
        w->handle = zsock_resolve(w->socket);
        hello_send(w);
    }
}

/* Flat out: as much credit as keeps the window full, told in steps of a quarter. Sleepers ask for what they have room for. */
static void credit_fill(struct noop *w)
{
    uint64_t most =
        sleepers ? w->granted + sleepers_room(sleepers, (unsigned)(w - worker)) : w->acknowledged + plan.window;
    if (!w->welcome || most < w->credit + (sleepers ? 1 : (plan.window + 3) / 4))
        return;
    w->credit = most;
    credit_send(w);
}

static uint64_t asked; /* --rate: jobs in all */

/* At the set rate: what is due by now, one worker after another. */
static void credit_pace(uint64_t began_us)
{
    uint64_t at_us = now_us(), due = (uint64_t)((double)(at_us - began_us) * plan.rate / 1e6);
    for (; asked < due; asked++) {
        struct noop *w = &worker[asked % plan.workers];
        w->asked_us[w->credit++ % WAITING] = at_us;
        credit_send(w);
    }
}

static bool all_welcome(void)
{
    for (unsigned i = 0; i < plan.workers; i++)
        if (!worker[i].welcome)
            return false;
    return true;
}

static long wait_ms(void)
{
    uint64_t at_us = now_us(), due_us = sleepers ? sleepers_due_us(sleepers) : UINT64_MAX;
    uint64_t left_us = due_us > at_us ? due_us - at_us : 0;
    return (long)((left_us < WAIT_US ? left_us : WAIT_US) + 999) / 1000;
}

static void wait_some(zmq_pollitem_t *items, bool paced)
{
    if (!paced) {
        zmq_poll(items, (int)plan.workers, wait_ms());
        return;
    }
    struct timespec pause = {0, 50000}; /* zmq_poll counts in milliseconds */
    if (!zmq_poll(items, (int)plan.workers, 0))
        nanosleep(&pause, NULL);
}

static void beat(uint64_t *next_us)
{
    if (now_us() < *next_us)
        return;
    *next_us = now_us() + BEAT_US;
    for (unsigned i = 0; i < plan.workers; i++)
        beat_send(&worker[i]);
}

static void sleepers_answer(void)
{
    unsigned of;
    uint32_t cpu_ms;
    for (Sohoa__Job *job; sleepers && (job = sleepers_wake(sleepers, now_us(), &of, &cpu_ms));) {
        results_send(&worker[of], &job, 1, cpu_ms);
        sohoa__job__free_unpacked(job, NULL);
    }
}

static double run(void)
{
    zmq_pollitem_t items[WORKERS_MOST] = {0};
    uint64_t began_us = 0, start_us = now_us(), beat_us = start_us + BEAT_US;
    for (unsigned i = 0; i < plan.workers; i++)
        items[i] = (zmq_pollitem_t){.socket = worker[i].handle, .events = ZMQ_POLLIN};
    while (!stop && jobs_done < plan.jobs && (double)(now_us() - start_us) < plan.seconds * 1e6) {
        wait_some(items, plan.rate > 0 && began_us);
        for (unsigned i = 0; i < plan.workers; i++)
            if (items[i].revents)
                frames_take(&worker[i]);
        sleepers_answer();
        if (!began_us && all_welcome())
            began_us = now_us();
        if (began_us && plan.rate > 0)
            credit_pace(began_us);
        for (unsigned i = 0; i < plan.workers && plan.rate <= 0 && !plan.hold; i++)
            credit_fill(&worker[i]);
        beat(&beat_us);
    }
    return (double)(now_us() - (began_us ? began_us : start_us)) / 1e6;
}

static int usage(void)
{
    fputs(
        "usage: bench-noop --connect ENDPOINT [--workers N] [--window N] [--jobs N] [--rate N] [--seconds S] [--hold N]\n"
        "                  [--page-ms MS [--slots N] [--prefetch N] [--fetch-ms MS] [--steady S] [--seed N]]\n",
        stderr);
    return 2;
}

static bool options_take(int argc, char **argv)
{
    static const struct option option[] = {
        {"connect",  1, NULL, 'c'},
        {"workers",  1, NULL, 'n'},
        {"window",   1, NULL, 'w'},
        {"jobs",     1, NULL, 'j'},
        {"rate",     1, NULL, 'r'},
        {"seconds",  1, NULL, 's'},
        {"hold",     1, NULL, 'h'},
        {"page-ms",  1, NULL, 'p'},
        {"slots",    1, NULL, 'o'},
        {"prefetch", 1, NULL, 'a'},
        {"fetch-ms", 1, NULL, 'f'},
        {"steady",   1, NULL, 't'},
        {"seed",     1, NULL, 'd'},
        {NULL,       0, NULL, 0  }
    };
    plan.jobs = UINT64_MAX;
    for (int c; (c = getopt_long(argc, argv, "", option, NULL)) != -1;)
        switch (c) {
        case 'c': plan.connect = optarg; break;
        case 'n': plan.workers = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'w': plan.window = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'j': plan.jobs = strtoull(optarg, NULL, 10); break;
        case 'r': plan.rate = strtod(optarg, NULL); break;
        case 's': plan.seconds = strtod(optarg, NULL); break;
        case 'h': plan.hold = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'p': plan.sleep.page_ms = strtod(optarg, NULL); break;
        case 'o': plan.sleep.slots = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'a': plan.sleep.ahead = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'f': plan.sleep.fetch_ms = strtod(optarg, NULL); break;
        case 't': plan.sleep.steady_s = strtod(optarg, NULL); break;
        case 'd': plan.sleep.seed = strtoull(optarg, NULL, 10); break;
        default: return false;
        }
    plan.sleep.workers = plan.workers;
    return plan.connect && plan.workers && plan.workers <= WORKERS_MOST && plan.window && plan.sleep.slots;
}

static size_t held_count(void)
{
    size_t count = 0;
    for (unsigned i = 0; i < plan.workers; i++)
        count += worker[i].held_count;
    return count;
}

static void on_term(int number)
{
    (void)number;
    stop = 1;
}

int main(int argc, char **argv)
{
    if (!options_take(argc, argv))
        return usage();
    zsys_handler_set(NULL);
    signal(SIGTERM, on_term);
    sleepers = plan.sleep.page_ms > 0 ? sleepers_new(&plan.sleep) : NULL;
    workers_start();
    double seconds = run();
    printf("{\"workers\": %u, \"jobs\": %llu, \"pages\": %llu, \"seconds\": %.3f, ", plan.workers,
           (unsigned long long)jobs_done, (unsigned long long)pages_done, seconds);
    printf("\"delay_p50_ms\": %.3f, \"delay_p99_ms\": %.3f, \"delay_max_ms\": %.3f, ",
           quantiles_share(&delays_us, 0.5) / 1000, quantiles_share(&delays_us, 0.99) / 1000,
           quantiles_share(&delays_us, 1) / 1000);
    if (sleepers)
        sleepers_tell(sleepers, now_us());
    printf("\"cpu_s\": %.3f, ", (double)clock() / CLOCKS_PER_SEC);
    printf(
        "\"held\": %zu, \"dropped\": %llu, \"granted_again\": %llu, \"granted_twice\": %llu, \"first_again_us\": %llu}\n",
        held_count(), (unsigned long long)dropped, (unsigned long long)granted_again, (unsigned long long)granted_twice,
        (unsigned long long)first_again_us);
    sleepers_destroy(&sleepers);
    quantiles_destroy(&delays_us);
    buf_destroy(&out);
    for (unsigned i = 0; i < plan.workers; i++) {
        zsock_destroy(&worker[i].socket);
        free(worker[i].asked_us);
        for (size_t k = 0; k < worker[i].held_count; k++)
            sohoa__job__free_unpacked(worker[i].held[k], NULL);
        free(worker[i].held);
    }
    return EXIT_SUCCESS;
}
