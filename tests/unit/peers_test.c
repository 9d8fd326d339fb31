/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The real sohoa-coordinator with a real redis-server and a store in a folder, and workers played by hand: of another version,
 * without Hello, back on a new connection with what they hold, and one that asks for jobs and never takes a frame. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <czmq.h>

#include "coordinator/ctl/api.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/wire.h"
#include "tests/lib/redis.h"

enum {
    DOCUMENTS = 6000,
    WAIT_MS = 20000,
    LOST_MS = 2000,
    PIN_ROUNDS = 12,
    PIN_STEP_MS = 14,     /* later in each round */
    PIN_DOCUMENTS = 8000, /* of PIN_SOURCE_BYTES each: four pieces of a manifest */
    PIN_SOURCE_BYTES = 4000,
};

static struct redis_server redis;
static char endpoint[160], http[160];
static pid_t coordinator;

/* ---- the coordinator ---- */

static void coordinator_exec(void)
{
    char binary[512], store[200], socket[200], bind[200], listen[200], lost[64];
    snprintf(binary, sizeof binary, "%s/sohoa-coordinator", getenv("SOHOA_BIN"));
    snprintf(store, sizeof store, "--store=dir:%s/store", redis.dir);
    snprintf(socket, sizeof socket, "--redis=%s", redis.socket);
    snprintf(bind, sizeof bind, "--bind=%s", endpoint);
    snprintf(listen, sizeof listen, "--http=%s", http);
    snprintf(lost, sizeof lost, "--worker_lost_ms=%d", LOST_MS);
    execl(binary, binary, store, socket, bind, listen, lost, "--name=c1", "--log=error", "--breaker_failures=0",
          (char *)NULL);
    _exit(127);
}

static void batch_admit(void)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(buf_destroy) struct buf lines = {0};
    struct err err = {0};
    for (int i = 0; i < DOCUMENTS; i++)
        buf_printf(&lines, "{\"source\":\"/nowhere/%d.pdf\"}\n", i);
    assert_int_equal(api_new(http, &api, &err), 0);
    uint64_t end_ms = clock_mono_ms() + WAIT_MS;
    while (api_admit(api, "peers", "", &lines, NULL, &err) && clock_mono_ms() < end_ms)
        zclock_sleep(20);
    assert_true(clock_mono_ms() < end_ms);
}

static void coordinator_start(void)
{
    coordinator = fork();
    if (!coordinator)
        coordinator_exec();
}

static int set_up(void **state)
{
    (void)state;
    zsys_handler_set(NULL);
    redis_server_start(&redis);
    snprintf(endpoint, sizeof endpoint, "ipc://%s/zmq", redis.dir);
    snprintf(http, sizeof http, "unix:%s/http", redis.dir);
    coordinator_start();
    batch_admit();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int status;
    kill(coordinator, SIGTERM);
    assert_int_equal(waitpid(coordinator, &status, 0), coordinator);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    redis_server_stop(&redis);
    return 0;
}

/* ---- a worker ---- */

static zsock_t *worker_new(const char *name)
{
    zsock_t *socket = zsock_new(ZMQ_DEALER);
    zsock_set_identity(socket, name);
    zsock_set_linger(socket, 0);
    assert_int_equal(zsock_connect(socket, "%s", endpoint), 0);
    return socket;
}

static void say(zsock_t *socket, const Sohoa__Frame *frame)
{
    AUTO(buf_destroy) struct buf packed = {0};
    wire_encode(frame, &packed);
    assert_true(zmq_send(zsock_resolve(socket), packed.data, packed.size, 0) >= 0);
}

static void say_hello(zsock_t *socket, const char *name, uint32_t version, Sohoa__Job **held, size_t count)
{
    static uint8_t pipeline[SHA256_BYTES] = "peers";
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Hello hello = SOHOA__HELLO__INIT;
    hello.version = version;
    hello.worker = (char *)(uintptr_t)name;
    hello.pipeline = (ProtobufCBinaryData){SHA256_BYTES, pipeline};
    hello.slots = 1;
    hello.held = held;
    hello.n_held = count;
    frame.body_case = SOHOA__FRAME__BODY_HELLO;
    frame.hello = &hello;
    say(socket, &frame);
}

static void say_credit(zsock_t *socket, uint64_t jobs_total)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Credit credit = SOHOA__CREDIT__INIT;
    credit.jobs_total = jobs_total;
    frame.body_case = SOHOA__FRAME__BODY_CREDIT;
    frame.credit = &credit;
    say(socket, &frame);
}

static void say_beat(zsock_t *socket)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Heartbeat beat = SOHOA__HEARTBEAT__INIT;
    frame.body_case = SOHOA__FRAME__BODY_HEARTBEAT;
    frame.heartbeat = &beat;
    say(socket, &frame);
}

/* The source can't be read: the document is refused. */
static void say_refused(zsock_t *socket, uint64_t lease)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Results results = SOHOA__RESULTS__INIT;
    Sohoa__Result result = SOHOA__RESULT__INIT, *all = &result;
    Sohoa__Err err = SOHOA__ERR__INIT;
    err.code = E_SOURCE_BROKEN;
    result.lease = lease;
    result.err = &err;
    results.results = &all;
    results.n_results = 1;
    frame.body_case = SOHOA__FRAME__BODY_RESULTS;
    frame.results = &results;
    say(socket, &frame);
}

/* The next frame that is no heartbeat, answering the coordinator's; NULL: none came. */
static Sohoa__Frame *hear(zsock_t *socket, int wait_ms)
{
    Sohoa__Frame *frame = NULL;
    struct err err;
    for (uint64_t end_ms = clock_mono_ms() + (uint64_t)wait_ms; clock_mono_ms() < end_ms; frame_destroy(&frame)) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        zsock_set_rcvtimeo(socket, 50);
        if (zmq_msg_recv(&message, zsock_resolve(socket), 0) < 0)
            continue;
        assert_int_equal(wire_decode(zmq_msg_data(&message), zmq_msg_size(&message), &frame, &err), 0);
        zmq_msg_close(&message);
        if (frame->body_case != SOHOA__FRAME__BODY_HEARTBEAT)
            return frame;
        say_beat(socket);
    }
    return NULL;
}

static Sohoa__Frame *hear_kind(zsock_t *socket, Sohoa__Frame__BodyCase kind)
{
    Sohoa__Frame *frame = hear(socket, WAIT_MS);
    assert_non_null(frame);
    assert_int_equal(frame->body_case, kind);
    return frame;
}

static zsock_t *worker_welcome(const char *name)
{
    zsock_t *socket = worker_new(name);
    say_hello(socket, name, PROTOCOL_VERSION, NULL, 0);
    Sohoa__Frame *frame = hear_kind(socket, SOHOA__FRAME__BODY_WELCOME);
    frame_destroy(&frame);
    return socket;
}

static void say_bye(zsock_t *socket)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Bye bye = SOHOA__BYE__INIT;
    frame.body_case = SOHOA__FRAME__BODY_BYE;
    frame.bye = &bye;
    say(socket, &frame);
}

/* ---- tests ---- */

static bool workers_connected(void)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *status = NULL;
    struct err err;
    json_t *worker;
    size_t i;
    assert_int_equal(api_new(http, &api, &err), 0);
    assert_int_equal(api_get(api, "status", &status, &err), 0);
    json_array_foreach(json_object_get(status, "workers"), i,
                       worker) if (json_is_true(json_object_get(worker, "connected"))) return true;
    return false;
}

static json_int_t batch_figure(const char *batch, const char *object, const char *key)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *answer = NULL;
    char path[64];
    struct err err;
    snprintf(path, sizeof path, "batches/%s", batch);
    assert_int_equal(api_new(http, &api, &err), 0);
    if (api_get(api, path, &answer, &err))
        return -1;
    return json_integer_value(json_object_get(object ? json_object_get(answer, object) : answer, key));
}

static bool figure_comes(const char *batch, const char *object, const char *key, json_int_t least)
{
    for (uint64_t end_ms = clock_mono_ms() + WAIT_MS; clock_mono_ms() < end_ms; zclock_sleep(1))
        if (batch_figure(batch, object, key) >= least)
            return true;
    return false;
}

static pid_t admit_long(const char *batch)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    struct api *api = NULL;
    struct buf lines = {0};
    struct err err;
    for (int i = 0; i < PIN_DOCUMENTS; i++)
        buf_printf(&lines, "{\"source\":\"/%0*d.pdf\"}\n", PIN_SOURCE_BYTES, i);
    _exit(api_new(http, &api, &err) || api_admit(api, batch, "", &lines, NULL, &err));
}

/* The first worker comes, and its pipeline is everyone's, while a piece of a manifest is being written. */
static void a_pin_between_pieces_survives_a_restart(void **state)
{
    (void)state;
    char batch[16];
    int status;
    for (int round = 0; round < PIN_ROUNDS; round++) {
        snprintf(batch, sizeof batch, "pin-%d", round);
        while (workers_connected())
            zclock_sleep(20);
        pid_t admitting = admit_long(batch);
        assert_true(figure_comes(batch, NULL, "manifest_bytes", 1));
        zclock_sleep(round * PIN_STEP_MS);
        zsock_t *socket = worker_new("pin");
        say_hello(socket, "pin", PROTOCOL_VERSION, NULL, 0);
        Sohoa__Frame *frame = hear_kind(socket, SOHOA__FRAME__BODY_WELCOME);
        frame_destroy(&frame);
        assert_int_equal(waitpid(admitting, &status, 0), admitting);
        assert_int_equal(status, 0);
        say_bye(socket);
        zclock_sleep(20); /* the group with the pin is written */
        zsock_destroy(&socket);
    }
    kill(coordinator, SIGKILL);
    assert_int_equal(waitpid(coordinator, &status, 0), coordinator);
    coordinator_start();
    for (int round = 0; round < PIN_ROUNDS; round++) {
        snprintf(batch, sizeof batch, "pin-%d", round);
        assert_true(figure_comes(batch, "documents", "total", PIN_DOCUMENTS));
        assert_int_equal(batch_figure(batch, "documents", "total"), PIN_DOCUMENTS);
    }
}

static void another_version_is_refused_with_words(void **state)
{
    (void)state;
    zsock_t *socket = worker_new("old");
    char versions[80];
    say_hello(socket, "old", PROTOCOL_VERSION + 1, NULL, 0);
    AUTO(frame_destroy) Sohoa__Frame *frame = hear_kind(socket, SOHOA__FRAME__BODY_REFUSE);
    snprintf(versions, sizeof versions, "speaks version %d, this coordinator %d", PROTOCOL_VERSION + 1,
             PROTOCOL_VERSION);
    assert_int_equal(frame->refuse->err->code, E_VERSION);
    assert_non_null(strstr(frame->refuse->err->text, versions));
    zsock_destroy(&socket);
}

static void a_name_that_is_no_text_is_refused(void **state)
{
    (void)state;
    zsock_t *socket = worker_new("n\xff");
    say_hello(socket, "n\xff", PROTOCOL_VERSION, NULL, 0);
    AUTO(frame_destroy) Sohoa__Frame *frame = hear_kind(socket, SOHOA__FRAME__BODY_REFUSE);
    assert_int_equal(frame->refuse->err->code, E_FRAME);
    zsock_destroy(&socket);
}

static void who_did_not_say_hello_is_told_to(void **state)
{
    (void)state;
    zsock_t *socket = worker_new("stranger");
    say_credit(socket, 10);
    AUTO(frame_destroy) Sohoa__Frame *frame = hear_kind(socket, SOHOA__FRAME__BODY_REFUSE);
    assert_int_equal(frame->refuse->err->code, E_NET);
    assert_int_equal(err_class(frame->refuse->err->code), ERR_RETRY);
    zsock_destroy(&socket);
}

/* What it still holds stays its own over a new connection; what it has lost goes out again. */
static void a_new_connection_keeps_its_leases(void **state)
{
    (void)state;
    zsock_t *socket = worker_welcome("roamer");
    say_credit(socket, 2);
    AUTO(frame_destroy) Sohoa__Frame *grant = hear_kind(socket, SOHOA__FRAME__BODY_GRANT);
    assert_int_equal(grant->grant->n_jobs, 2);
    Sohoa__Job *kept = grant->grant->jobs[0], *lost = grant->grant->jobs[1];
    zsock_t *other = worker_new("roamer");
    say_hello(other, "roamer", PROTOCOL_VERSION, &kept, 1);
    AUTO(frame_destroy) Sohoa__Frame *welcome = hear_kind(other, SOHOA__FRAME__BODY_WELCOME);
    assert_int_equal(welcome->welcome->n_dropped, 0);
    zsock_destroy(&socket);
    say_credit(other, 1);
    AUTO(frame_destroy) Sohoa__Frame *again = hear_kind(other, SOHOA__FRAME__BODY_GRANT);
    assert_int_equal(again->grant->n_jobs, 1);
    assert_int_equal(again->grant->jobs[0]->doc, lost->doc);
    assert_true(again->grant->jobs[0]->lease != lost->lease);
    say_refused(other, kept->lease);
    AUTO(frame_destroy) Sohoa__Frame *acks = hear_kind(other, SOHOA__FRAME__BODY_ACKS);
    assert_int_equal(acks->acks->n_leases, 1);
    assert_int_equal(acks->acks->leases[0], kept->lease);
    zsock_destroy(&other);
}

/* One asks for a job at a time and reads nothing. When no more frames fit it is given up, and another gets every document. */
static void a_peer_that_does_not_read_holds_nobody_up(void **state)
{
    (void)state;
    zsock_t *deaf = worker_welcome("deaf"), *other = worker_welcome("other");
    zsock_set_rcvtimeo(deaf, 0);
    for (uint64_t i = 1; i <= DOCUMENTS / 2; i++)
        say_credit(deaf, i);
    say_credit(other, DOCUMENTS);
    bool seen[DOCUMENTS] = {false};
    size_t refused = 0;
    for (uint64_t end_ms = clock_mono_ms() + 3 * WAIT_MS; refused < DOCUMENTS - 1 && clock_mono_ms() < end_ms;) {
        AUTO(frame_destroy) Sohoa__Frame *frame = hear(other, 1000);
        if (!frame || frame->body_case != SOHOA__FRAME__BODY_GRANT)
            continue;
        for (size_t i = 0; i < frame->grant->n_jobs; i++) {
            const Sohoa__Job *job = frame->grant->jobs[i];
            assert_false(seen[job->doc]);
            seen[job->doc] = true;
            refused++;
            say_refused(other, job->lease);
        }
    }
    assert_int_equal(refused, DOCUMENTS - 1); /* one was refused by the test before */
    zsock_destroy(&deaf);
    zsock_destroy(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_version_is_refused_with_words),
        cmocka_unit_test(a_name_that_is_no_text_is_refused),
        cmocka_unit_test(who_did_not_say_hello_is_told_to),
        cmocka_unit_test(a_new_connection_keeps_its_leases),
        cmocka_unit_test(a_peer_that_does_not_read_holds_nobody_up),
        cmocka_unit_test(a_pin_between_pieces_survives_a_restart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
