/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/lib/play.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/lib/bind.h"

static const char worker_name[] = "node-1";

struct play play;

/* ---- the coordinator's part ---- */

void play_bind(void)
{
    play.router = zsock_new(ZMQ_ROUTER);
    assert_non_null(play.router);
    zsock_set_router_handover(play.router, 1);
    zsock_set_linger(play.router, 0);
    if (!*play.endpoint) {
        bind_somewhere(play.router, play.endpoint, sizeof play.endpoint);
        return;
    }
    int port = -1;
    for (uint64_t end_ms = clock_mono_ms() + 10000; port < 0 && clock_mono_ms() < end_ms; zclock_sleep(5))
        port = zsock_bind(play.router, "%s", play.endpoint); /* the one before closes in its own time */
    assert_true(port > 0);
}

static void say(const Sohoa__Frame *frame)
{
    AUTO(buf_destroy) struct buf packed = {0};
    wire_encode(frame, &packed);
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, worker_name);
    zmsg_addmem(message, packed.data, packed.size);
    zmsg_send(&message, play.router);
    zmsg_destroy(&message);
}

static void say_welcome(void)
{
    Sohoa__Welcome welcome = SOHOA__WELCOME__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    welcome.version = PROTOCOL_VERSION;
    welcome.heartbeat_ms = PLAY_BEAT_MS;
    frame.body_case = SOHOA__FRAME__BODY_WELCOME;
    frame.welcome = &welcome;
    say(&frame);
}

static void say_beat(void)
{
    Sohoa__Heartbeat beat = SOHOA__HEARTBEAT__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    if (clock_mono_ms() - play.beat_ms < PLAY_BEAT_MS)
        return;
    play.beat_ms = clock_mono_ms();
    frame.body_case = SOHOA__FRAME__BODY_HEARTBEAT;
    frame.heartbeat = &beat;
    say(&frame);
}

static void say_acks(uint64_t lease)
{
    Sohoa__Acks acks = SOHOA__ACKS__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    acks.leases = &lease;
    acks.n_leases = 1;
    frame.body_case = SOHOA__FRAME__BODY_ACKS;
    frame.acks = &acks;
    say(&frame);
}

void play_drop(uint64_t lease)
{
    Sohoa__Drop drop = SOHOA__DROP__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    drop.leases = &lease;
    drop.n_leases = 1;
    frame.body_case = SOHOA__FRAME__BODY_DROP;
    frame.drop = &drop;
    say(&frame);
}

uint64_t play_grant(Sohoa__Job *job)
{
    Sohoa__Grant grant = SOHOA__GRANT__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    job->lease = ++play.next_lease;
    if (!job->lease_ms)
        job->lease_ms = PLAY_LEASE_MS;
    job->attempt = 1;
    grant.jobs = &job;
    grant.n_jobs = 1;
    frame.body_case = SOHOA__FRAME__BODY_GRANT;
    frame.grant = &grant;
    say(&frame);
    return job->lease;
}

void play_view(Sohoa__Job *job)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    job->lease = ++play.next_lease | VIEW_LEASE;
    job->kind = SOHOA__JOB_KIND__JOB_VIEW;
    job->lease_ms = PLAY_LEASE_MS;
    frame.body_case = SOHOA__FRAME__BODY_VIEW;
    frame.view = job;
    say(&frame);
}

static void heard(Sohoa__Frame **frame)
{
    switch ((*frame)->body_case) {
    case SOHOA__FRAME__BODY_HELLO:
        memcpy(play.pipeline, (*frame)->hello->pipeline.data, SHA256_BYTES);
        play.hello_held = (*frame)->hello->n_held;
        say_welcome();
        break;
    case SOHOA__FRAME__BODY_CREDIT: play.credit = (*frame)->credit->jobs_total; break;
    case SOHOA__FRAME__BODY_BYE: play.said_bye = true; break;
    case SOHOA__FRAME__BODY_RESULTS:
        for (size_t i = 0; i < PLAY_RESULTS && *frame; i++)
            if (!play.results[i]) {
                play.results[i] = *frame;
                *frame = NULL;
            }
        break;
    case SOHOA__FRAME__BODY_VIEWED:
        result_destroy(&play.viewed);
        play.viewed = (*frame)->viewed;
        (*frame)->body_case = SOHOA__FRAME__BODY__NOT_SET;
        break;
    default: break;
    }
}

/* One frame from the worker, if there is one within a moment. */
void play_listen_once(void)
{
    zsock_set_rcvtimeo(play.router, 10);
    say_beat();
    zmsg_t *message = zmsg_recv(play.router);
    if (!message)
        return;
    AUTO(frame_destroy) Sohoa__Frame *frame = NULL;
    zframe_t *body = zmsg_last(message);
    struct err err;
    if (wire_decode(zframe_data(body), zframe_size(body), &frame, &err))
        fail_msg("%s", err.text);
    zmsg_destroy(&message);
    heard(&frame);
}

void play_listen(uint64_t ms)
{
    for (uint64_t end_ms = clock_mono_ms() + ms; clock_mono_ms() < end_ms;)
        play_listen_once();
}

/* The lease's result if it has come; then it is acknowledged. */
Sohoa__Result *play_result(uint64_t lease)
{
    Sohoa__Result *found = NULL;
    for (size_t i = 0; i < PLAY_RESULTS && !found; i++) {
        Sohoa__Results *results = play.results[i] ? play.results[i]->results : NULL;
        for (size_t k = 0; results && k < results->n_results && !found; k++)
            if (results->results[k]->lease == lease) {
                found = results->results[k];
                results->results[k] = results->results[--results->n_results];
            }
        if (results && !results->n_results)
            frame_destroy(&play.results[i]);
    }
    if (found)
        say_acks(lease);
    return found;
}

Sohoa__Result *play_await(uint64_t lease)
{
    for (uint64_t end_ms = clock_mono_ms() + PLAY_WAIT_MS; clock_mono_ms() < end_ms; play_listen_once()) {
        Sohoa__Result *result = play_result(lease);
        if (result)
            return result;
        int status;
        if (waitpid(play.worker, &status, WNOHANG) == play.worker)
            fail_msg("the worker ended with status %d", status);
    }
    fail_msg("no result of lease %lu within %d ms", (unsigned long)lease, PLAY_WAIT_MS);
    return NULL;
}

Sohoa__Result *play_await_view(void)
{
    for (uint64_t end_ms = clock_mono_ms() + PLAY_WAIT_MS; !play.viewed && clock_mono_ms() < end_ms;)
        play_listen_once();
    Sohoa__Result *viewed = play.viewed;
    play.viewed = NULL;
    assert_non_null(viewed);
    return viewed;
}

void result_destroy(Sohoa__Result **result)
{
    if (*result)
        sohoa__result__free_unpacked(*result, NULL);
    *result = NULL;
}

/* ---- the worker and its files ---- */

bool play_start(unsigned slots)
{
    char program[512], store[128], connect[128], option[32], name[64];
    snprintf(program, sizeof program, "%s/sohoa-worker", getenv("SOHOA_BIN"));
    snprintf(store, sizeof store, "--store=dir:%s/store", play.home);
    snprintf(connect, sizeof connect, "--connect=%s", play.endpoint);
    snprintf(option, sizeof option, "--slots=%u", slots);
    snprintf(name, sizeof name, "--name=%s", worker_name);
    play.worker = fork();
    assert_true(play.worker >= 0);
    if (play.worker == 0) {
        setpgid(0, 0);
        unsetenv("OMP_THREAD_LIMIT"); /* it finds out by itself */
        execl(program, program, store, connect, option, name, "--page_max_ms=60000", (char *)NULL);
        _exit(127);
    }
    setpgid(play.worker, play.worker);
    play.credit = 0;
    for (uint64_t end_ms = clock_mono_ms() + 60000; !play.credit && clock_mono_ms() < end_ms;)
        play_listen_once();
    return play.credit;
}

int play_stop(void)
{
    int status = 0;
    if (!play.worker)
        return 0;
    kill(play.worker, SIGTERM);
    for (uint64_t end_ms = clock_mono_ms() + 20000; waitpid(play.worker, &status, WNOHANG) == 0; play_listen_once())
        if (clock_mono_ms() > end_ms)
            kill(-play.worker, SIGKILL);
    play.worker = 0;
    return status;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

int play_tear_down(void **state)
{
    (void)state;
    play_stop();
    for (size_t i = 0; i < PLAY_RESULTS; i++)
        frame_destroy(&play.results[i]);
    result_destroy(&play.viewed);
    store_destroy(&play.store);
    zsock_destroy(&play.router);
    return nftw(play.home, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int play_set_up(void **state)
{
    (void)state;
    char url[128];
    struct err err;
    snprintf(play.home, sizeof play.home, "/tmp/sohoa-worker-XXXXXX");
    if (!mkdtemp(play.home))
        return 1;
    snprintf(url, sizeof url, "dir:%s/store", play.home);
    if (store_open(url, &play.store, &err))
        return 1;
    play_bind();
    return play_start(PLAY_SLOTS) ? 0 : 1;
}

void play_blob(const char *name, struct buf *into)
{
    struct err err;
    if (store_get(play.store, name, 64 << 20, into, &err))
        fail_msg("%s: %s", name, err.text);
}

bool play_there(const char *name)
{
    struct err err;
    return store_stat(play.store, name, NULL, &err) == 0;
}

const char *play_out(struct name *name, const Sohoa__Probe *probe, uint32_t generation, const char *part)
{
    return name_out(name, probe->sha256.data, play.pipeline, generation, part);
}
