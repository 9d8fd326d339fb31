/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The link against a real ROUTER on loopback that plays the coordinator: joining, credit, results until they are
 * acknowledged, heartbeats, and joining again after the coordinator was lost, silent or refused it. */
#include <czmq.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "tests/lib/bind.h"
#include "worker/link.h"

enum { WAIT_MS = 8000, BEAT_MS = 100 };

static const uint8_t pipeline[SHA256_BYTES] = {7};
static const struct link_self self = {
    .name = "node-1", .build = "test", .simd = "none", .lang = "vie", .tags = "", .pipeline = pipeline, .slots = 2};

static const struct link_keys no_keys = {"", ""};

struct play {
    struct link *link;
    zsock_t *router;
    char endpoint[64];
    unsigned room;
    Sohoa__Frame *given; /* by the link, last */
};

static void router_bind(struct play *play)
{
    play->router = zsock_new(ZMQ_ROUTER);
    assert_non_null(play->router);
    zsock_set_router_mandatory(play->router, 1);
    zsock_set_router_handover(play->router, 1); /* a worker's new connection replaces its old one */
    zsock_set_linger(play->router, 0);
    if (*play->endpoint) { /* ZeroMQ closes the socket before in its own time */
        int port = -1;
        for (uint64_t end_ms = clock_mono_ms() + WAIT_MS; port < 0 && clock_mono_ms() < end_ms; zclock_sleep(5))
            port = zsock_bind(play->router, "%s", play->endpoint);
        assert_true(port > 0);
    } else
        bind_somewhere(play->router, play->endpoint, sizeof play->endpoint);
}

static int set_up(void **state)
{
    static struct play play;
    struct err err = {0};
    memset(&play, 0, sizeof play);
    play.room = 3;
    router_bind(&play);
    if (link_new(play.endpoint, &no_keys, &self, &play.link, &err))
        fail_msg("%s", err.text);
    *state = &play;
    return 0;
}

static int tear_down(void **state)
{
    struct play *play = *state;
    frame_destroy(&play->given);
    link_destroy(&play->link);
    zsock_destroy(&play->router);
    return 0;
}

/* One turn of the worker's loop. */
static void turn(struct play *play)
{
    struct pollfd ready = {link_fd(play->link), POLLIN, 0};
    uint64_t wait_ms = link_wait_ms(play->link, clock_mono_ms());
    Sohoa__Frame *frame = NULL;
    poll(&ready, 1, wait_ms > 5 ? 5 : (int)wait_ms);
    while (link_next(play->link, clock_mono_ms(), &frame)) {
        frame_destroy(&play->given);
        play->given = frame;
        frame = NULL;
    }
    link_tick(play->link, play->room, 1, clock_mono_ms());
}

/* The frame that is at the ROUTER. */
static Sohoa__Frame *hear_raw(struct play *play)
{
    Sohoa__Frame *frame = NULL;
    struct err err;
    zmsg_t *message = zmsg_recv(play->router);
    assert_non_null(message);
    assert_int_equal(zmsg_size(message), 2);
    assert_true(zframe_streq(zmsg_first(message), "node-1"));
    zframe_t *body = zmsg_last(message);
    if (wire_decode(zframe_data(body), zframe_size(body), &frame, &err))
        fail_msg("%s", err.text);
    zmsg_destroy(&message);
    return frame;
}

/* The next frame at the ROUTER, whatever it is; NULL after wait_ms. */
static Sohoa__Frame *hear_any(struct play *play, uint64_t wait_ms)
{
    for (uint64_t end_ms = clock_mono_ms() + wait_ms; clock_mono_ms() < end_ms;) {
        turn(play);
        if (zsock_events(play->router) & ZMQ_POLLIN)
            return hear_raw(play);
    }
    return NULL;
}

/* The next frame of this kind; heartbeats and others pass. */
static Sohoa__Frame *hear(struct play *play, int body_case)
{
    for (uint64_t end_ms = clock_mono_ms() + WAIT_MS; clock_mono_ms() < end_ms;) {
        Sohoa__Frame *frame = hear_any(play, 100);
        if (frame && (int)frame->body_case == body_case)
            return frame;
        frame_destroy(&frame);
    }
    fail_msg("no frame of kind %d within %d ms", body_case, WAIT_MS);
    return NULL;
}

static void say(struct play *play, const Sohoa__Frame *frame)
{
    AUTO(buf_destroy) struct buf packed = {0};
    wire_encode(frame, &packed);
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, "node-1");
    zmsg_addmem(message, packed.data, packed.size);
    assert_int_equal(zmsg_send(&message, play->router), 0);
}

static void say_welcome(struct play *play, uint64_t *dropped, size_t count)
{
    Sohoa__Welcome welcome = SOHOA__WELCOME__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    welcome.version = PROTOCOL_VERSION;
    welcome.heartbeat_ms = BEAT_MS;
    welcome.dropped = dropped;
    welcome.n_dropped = count;
    frame.body_case = SOHOA__FRAME__BODY_WELCOME;
    frame.welcome = &welcome;
    say(play, &frame);
}

static void say_grant(struct play *play, uint64_t lease)
{
    Sohoa__Job job = SOHOA__JOB__INIT;
    Sohoa__Subscriber subscriber = SOHOA__SUBSCRIBER__INIT;
    Sohoa__Subscriber *subscribers[] = {&subscriber};
    Sohoa__Job *jobs[] = {&job};
    Sohoa__Grant grant = SOHOA__GRANT__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    job.lease = lease;
    job.kind = SOHOA__JOB_KIND__JOB_PROBE;
    job.source = (char *)"a.pdf";
    job.subscribers = subscribers;
    job.n_subscribers = 1;
    grant.jobs = jobs;
    grant.n_jobs = 1;
    frame.body_case = SOHOA__FRAME__BODY_GRANT;
    frame.grant = &grant;
    say(play, &frame);
}

static void say_acks(struct play *play, uint64_t lease)
{
    Sohoa__Acks acks = SOHOA__ACKS__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    acks.leases = &lease;
    acks.n_leases = 1;
    frame.body_case = SOHOA__FRAME__BODY_ACKS;
    frame.acks = &acks;
    say(play, &frame);
}

static void say_refuse(struct play *play, int code)
{
    Sohoa__Err err = SOHOA__ERR__INIT;
    Sohoa__Refuse refuse = SOHOA__REFUSE__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    err.code = code;
    err.text = (char *)"no";
    refuse.err = &err;
    frame.body_case = SOHOA__FRAME__BODY_REFUSE;
    frame.refuse = &refuse;
    say(play, &frame);
}

static void join(struct play *play)
{
    Sohoa__Frame *hello = hear(play, SOHOA__FRAME__BODY_HELLO);
    frame_destroy(&hello);
    say_welcome(play, NULL, 0);
    Sohoa__Frame *credit = hear(play, SOHOA__FRAME__BODY_CREDIT);
    frame_destroy(&credit);
}

/* Grants lease, and lets the link see it. */
static void grant(struct play *play, uint64_t lease)
{
    play->room--;
    say_grant(play, lease);
    for (uint64_t end_ms = clock_mono_ms() + WAIT_MS; clock_mono_ms() < end_ms;) {
        turn(play);
        if (play->given && play->given->body_case == SOHOA__FRAME__BODY_GRANT &&
            play->given->grant->jobs[0]->lease == lease)
            return;
    }
    fail_msg("the grant did not arrive");
}

static void report(struct play *play, uint64_t lease)
{
    Sohoa__Result *result = malloc(sizeof *result);
    assert_non_null(result);
    sohoa__result__init(result);
    result->lease = lease;
    result->cpu_ms = 42;
    link_report(play->link, result);
}

static void hear_result(struct play *play, uint64_t lease)
{
    Sohoa__Frame *results = hear(play, SOHOA__FRAME__BODY_RESULTS);
    assert_int_equal(results->results->n_results, 1);
    assert_int_equal(results->results->results[0]->lease, lease);
    frame_destroy(&results);
}

static void hello_then_credit(void **state)
{
    struct play *play = *state;
    Sohoa__Frame *frame = hear(play, SOHOA__FRAME__BODY_HELLO);
    assert_string_equal(frame->hello->worker, "node-1");
    assert_int_equal(frame->hello->version, PROTOCOL_VERSION);
    assert_memory_equal(frame->hello->pipeline.data, pipeline, SHA256_BYTES);
    assert_int_equal(frame->hello->slots, 2);
    assert_int_equal(frame->hello->n_held, 0);
    frame_destroy(&frame);
    assert_null(hear_any(play, 200)); /* nothing before Welcome */
    say_welcome(play, NULL, 0);
    frame = hear(play, SOHOA__FRAME__BODY_CREDIT);
    assert_int_equal(frame->credit->jobs_total, 3);
    frame_destroy(&frame);
}

static void credit_grows_with_what_was_received(void **state)
{
    struct play *play = *state;
    join(play);
    grant(play, 1);
    grant(play, 2);
    Sohoa__Frame *frame = hear_any(play, BEAT_MS * 3); /* both run: 2 + 1 = 3, which was said */
    assert_int_equal(frame->body_case, SOHOA__FRAME__BODY_HEARTBEAT);
    assert_int_equal(frame->heartbeat->busy_slots, 1);
    assert_true(frame->heartbeat->rss_bytes > 0);
    frame_destroy(&frame);
    play->room = 2;
    frame = hear(play, SOHOA__FRAME__BODY_CREDIT);
    assert_int_equal(frame->credit->jobs_total, 4);
    frame_destroy(&frame);
}

static void results_are_repeated_until_acknowledged(void **state)
{
    struct play *play = *state;
    join(play);
    grant(play, 11);
    grant(play, 12);
    report(play, 11);
    hear_result(play, 11);
    zsock_destroy(&play->router); /* the coordinator dies without a word */
    for (int i = 0; i < 40; i++)
        turn(play);
    router_bind(play);
    Sohoa__Frame *hello = hear(play, SOHOA__FRAME__BODY_HELLO);
    assert_int_equal(hello->hello->n_held, 2);
    assert_int_equal(hello->hello->held[0]->lease, 11);
    assert_int_equal(hello->hello->held[1]->lease, 12);
    assert_string_equal(hello->hello->held[1]->source, "a.pdf");
    assert_int_equal(hello->hello->held[1]->n_subscribers, 0);
    frame_destroy(&hello);
    say_welcome(play, NULL, 0);
    hear_result(play, 11);
    say_acks(play, 11);
    report(play, 12);
    hear_result(play, 12);
    zsock_destroy(&play->router);
    router_bind(play);
    hello = hear(play, SOHOA__FRAME__BODY_HELLO);
    assert_int_equal(hello->hello->n_held, 1);
    assert_int_equal(hello->hello->held[0]->lease, 12);
    frame_destroy(&hello);
}

static void dropped_leases_are_forgotten(void **state)
{
    struct play *play = *state;
    join(play);
    grant(play, 21);
    grant(play, 22);
    report(play, 21);
    hear_result(play, 21);
    zsock_destroy(&play->router);
    router_bind(play);
    Sohoa__Frame *hello = hear(play, SOHOA__FRAME__BODY_HELLO);
    frame_destroy(&hello);
    say_welcome(play, (uint64_t[]){21, 22}, 2);
    Sohoa__Frame *credit = hear(play, SOHOA__FRAME__BODY_CREDIT);
    frame_destroy(&credit);
    assert_int_equal(play->given->body_case, SOHOA__FRAME__BODY_WELCOME);
    assert_int_equal(play->given->welcome->n_dropped, 2);
    report(play, 22); /* late: nobody hears of it */
    Sohoa__Frame *next = hear_any(play, BEAT_MS * 3);
    assert_int_equal(next->body_case, SOHOA__FRAME__BODY_HEARTBEAT);
    frame_destroy(&next);
}

static void silence_makes_it_join_again(void **state)
{
    struct play *play = *state;
    join(play);
    uint64_t began_ms = clock_mono_ms();
    Sohoa__Frame *hello = hear(play, SOHOA__FRAME__BODY_HELLO); /* the router lives, but says nothing */
    uint64_t took_ms = clock_mono_ms() - began_ms;
    frame_destroy(&hello);
    assert_in_range(took_ms, LINK_SILENT_LEAST_MS - 100, LINK_SILENT_LEAST_MS + 1500);
}

static void refused_for_now_it_asks_again(void **state)
{
    struct play *play = *state;
    Sohoa__Frame *hello = hear(play, SOHOA__FRAME__BODY_HELLO);
    frame_destroy(&hello);
    say_refuse(play, E_NET); /* class retry: after the back-off, not after LINK_REFUSED_MS */
    hello = hear(play, SOHOA__FRAME__BODY_HELLO);
    frame_destroy(&hello);
    assert_int_equal(play->given->body_case, SOHOA__FRAME__BODY_REFUSE);
    say_refuse(play, E_PIPELINE);
    for (uint64_t end_ms = clock_mono_ms() + 1000; clock_mono_ms() < end_ms;)
        turn(play);
    assert_true(link_wait_ms(play->link, clock_mono_ms()) > LINK_REFUSED_MS - 2000);
}

static void garbage_costs_the_connection_only(void **state)
{
    struct play *play = *state;
    join(play);
    zmsg_t *message = zmsg_new();
    zmsg_addstr(message, "node-1");
    zmsg_addmem(message, "\xff\xff\xff", 3);
    assert_int_equal(zmsg_send(&message, play->router), 0);
    join(play);
}

/* Of three coordinators the first is gone, and the second there but stopped. */
static void the_active_one_of_a_list_is_found(void **state)
{
    struct play *play = *state;
    struct err err;
    char list[192], silent[64];
    zsock_t *stopped = zsock_new(ZMQ_ROUTER);
    link_destroy(&play->link);
    zsock_destroy(&play->router);
    router_bind(play);
    bind_somewhere(stopped, silent, sizeof silent);
    snprintf(list, sizeof list, "tcp://127.0.0.1:1, %s,%s", silent, play->endpoint);
    assert_int_equal(link_new(list, &no_keys, &self, &play->link, &err), 0);
    uint64_t began_ms = clock_mono_ms();
    join(play);
    grant(play, 41);
    assert_in_range(clock_mono_ms() - began_ms, LINK_WELCOME_LIST_MS, LINK_WELCOME_LIST_MS + 1000);
    zsock_destroy(&play->router); /* and back, at the same place, after the others were asked */
    router_bind(play);
    Sohoa__Frame *hello = hear(play, SOHOA__FRAME__BODY_HELLO);
    assert_int_equal(hello->hello->n_held, 1);
    frame_destroy(&hello);
    zsock_destroy(&stopped);
}

static void a_list_is_of_endpoints(void **state)
{
    static const char *const wrong[] = {"", ",", "tcp://127.0.0.1:1,,tcp://127.0.0.1:2", "a b", "a,b,c,d,e,f,g,h,i"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct link *link = NULL;
        struct err err;
        assert_int_equal(link_new(wrong[i], &no_keys, &self, &link, &err), E_CONFIG);
        assert_null(link);
    }
}

static void bye_is_the_last_word(void **state)
{
    static const int order[] = {SOHOA__FRAME__BODY_RESULTS, SOHOA__FRAME__BODY_BYE};
    struct play *play = *state;
    join(play);
    grant(play, 31);
    report(play, 31); /* not sent yet */
    link_bye(play->link);
    zsock_set_rcvtimeo(play->router, WAIT_MS);
    for (int i = 0; i < 2;) {
        AUTO(frame_destroy) Sohoa__Frame *frame = hear_raw(play);
        if (frame->body_case == SOHOA__FRAME__BODY_HEARTBEAT || frame->body_case == SOHOA__FRAME__BODY_CREDIT)
            continue;
        assert_int_equal(frame->body_case, order[i++]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hello_then_credit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(credit_grows_with_what_was_received, set_up, tear_down),
        cmocka_unit_test_setup_teardown(results_are_repeated_until_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dropped_leases_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(silence_makes_it_join_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_for_now_it_asks_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(garbage_costs_the_connection_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_active_one_of_a_list_is_found, set_up, tear_down),
        cmocka_unit_test(a_list_is_of_endpoints),
        cmocka_unit_test_setup_teardown(bye_is_the_last_word, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
