/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Every connection is a new socket: what an old one still had queued dies with it, so nothing is said twice or late. A
 * ZeroMQ descriptor is edge-triggered and also changes silently with every call: link_wait_ms() asks for the events
 * after all sends of a turn. Leases are held from Grant until Ack, Drop or link_forget(); those are what Hello names. */
#include "worker/link.h"

#include <assert.h>
#include <czmq.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/epoll.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/curve.h"
#include "proto/self.h"
#include "proto/trace.h"

enum {
    HELLO_REST_BYTES = 4096, /* of a Hello without its jobs */
    FIELD_HEAD_BYTES = 16,   /* tag and length of a message in a message */
};

enum link_state { LINK_CLOSED, LINK_HELLO, LINK_JOINED };

struct held {
    Sohoa__Job *job;       /* as granted, without its subscribers */
    Sohoa__Result *result; /* NULL: it is running */
    bool sent;             /* the result, on this connection */
};

struct link {
    struct link_self self;
    char *endpoint[LINK_ENDPOINTS_MOST];
    size_t endpoints;
    struct link_keys keys;
    struct curve own;
    char coordinator_key[LINK_COORDINATORS_MOST][CURVE_KEY_BYTES];
    size_t coordinators; /* of these keys; 1 without keys */
    size_t at;           /* the pair of both that is in use, or to be tried next: endpoints first */
    uint64_t keys_stamp, look_ms, told_ms;
    enum link_state state;
    zsock_t *socket;
    zactor_t *monitor; /* tells when the connection breaks */
    int epoll_fd;

    uint64_t state_ms; /* when the state was entered */
    uint64_t retry_ms; /* CLOSED: when to try again */
    uint64_t backoff_ms;
    uint64_t heard_ms, beat_ms; /* last frame from, last heartbeat to the coordinator */
    uint32_t heartbeat_ms;

    uint64_t jobs_received, jobs_offered; /* since Hello */
    struct held *held;
    size_t held_count, held_room;
    size_t unacked, unsent; /* of them with a result; of those not sent on this connection */
};

/* ---- connecting ---- */

static void link_move(struct link *link, enum link_state state, uint64_t now_ms)
{
    static const char *const name[] = {"closed", "hello", "joined"};
    bool worth_a_line = state == LINK_JOINED || link->state == LINK_JOINED;
    trace(worth_a_line ? TRACE_INFO : TRACE_DEBUG, "link", "state=%s from=%s held=%zu unacked=%zu", name[state],
          name[link->state], link->held_count, link->unacked);
    link->state = state;
    link->state_ms = now_ms;
}

static void link_watch(struct link *link, void *socket)
{
    struct epoll_event event = {.events = EPOLLIN};
    int rc = epoll_ctl(link->epoll_fd, EPOLL_CTL_ADD, (int)zsock_fd(socket), &event);
    assert(!rc);
    (void)rc;
}

static void link_disconnect(struct link *link, int linger_ms)
{
    if (!link->socket)
        return;
    epoll_ctl(link->epoll_fd, EPOLL_CTL_DEL, (int)zsock_fd(link->monitor), NULL);
    epoll_ctl(link->epoll_fd, EPOLL_CTL_DEL, (int)zsock_fd(link->socket), NULL);
    zactor_destroy(&link->monitor);
    zsock_set_linger(link->socket, linger_ms);
    zsock_destroy(&link->socket);
}

/* Leaves the connection and tries again in wait_ms, at the next endpoint. */
static void link_close(struct link *link, uint64_t wait_ms, uint64_t now_ms)
{
    link_disconnect(link, 0);
    link->at = (link->at + 1) % (link->endpoints * link->coordinators);
    link->retry_ms = now_ms + wait_ms;
    link_move(link, LINK_CLOSED, now_ms);
}

static void link_lose(struct link *link, const char *why, uint64_t now_ms)
{
    trace(link->state == LINK_JOINED ? TRACE_WARN : TRACE_DEBUG, "link_lost", "why=%s", why);
    link_close(link, link->backoff_ms, now_ms);
    if (link->at == 0) /* nobody of the whole list would have us */
        link->backoff_ms = link->backoff_ms * 2 < LINK_BACKOFF_MOST_MS ? link->backoff_ms * 2 : LINK_BACKOFF_MOST_MS;
}

static const char *endpoint_at(const struct link *link)
{
    return link->endpoint[link->at % link->endpoints];
}

static uint64_t keys_stamp(const struct link *link)
{
    return curve_stamp(link->keys.own) * 31 + curve_stamp(link->keys.coordinators);
}

static int is_shown(const struct dirent *entry)
{
    return *entry->d_name != '.';
}

/* In the order of their files' names. */
static int coordinators_read(struct link *link, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    struct dirent **entry = NULL;
    struct curve coordinator;
    int count = scandir(link->keys.coordinators, &entry, is_shown, alphasort), rc = 0;
    link->coordinators = 0;
    for (int i = 0; i < count; i++) {
        buf_clear(&path);
        buf_printf(&path, "%s/%s", link->keys.coordinators, entry[i]->d_name);
        if (!rc && link->coordinators < LINK_COORDINATORS_MOST &&
            !(rc = curve_load(buf_text(&path), &coordinator, err)))
            memcpy(link->coordinator_key[link->coordinators++], coordinator.public_key, CURVE_KEY_BYTES);
        free(entry[i]);
    }
    free(entry);
    if (!rc && !link->coordinators)
        rc = err_set(err, E_CONFIG, "curve_coordinators = %s: there is no key in it", link->keys.coordinators);
    return rc;
}

static int keys_read(struct link *link, struct err *err)
{
    link->keys_stamp = keys_stamp(link);
    link->at = 0;
    int rc = curve_load_own(link->keys.own, &link->own, err);
    return rc ? rc : coordinators_read(link, err);
}

static void keys_apply(struct link *link)
{
    if (!*link->keys.own)
        return;
    zsock_set_curve_publickey(link->socket, link->own.public_key);
    zsock_set_curve_secretkey(link->socket, link->own.secret_key);
    zsock_set_curve_serverkey(link->socket, link->coordinator_key[link->at / link->endpoints]);
}

static int link_connect(struct link *link, struct err *err)
{
    link->socket = zsock_new(ZMQ_DEALER);
    if (!link->socket)
        return err_errno(err, E_NET, "can't make a socket");
    zsock_set_identity(link->socket, link->self.name);
    zsock_set_maxmsgsize(link->socket, FRAME_MAX_BYTES);
    zsock_set_reconnect_ivl(link->socket, LINK_BACKOFF_LEAST_MS);
    zsock_set_reconnect_ivl_max(link->socket, LINK_BACKOFF_MOST_MS);
    keys_apply(link);
    link->monitor = zactor_new(zmonitor, link->socket);
    if (!link->monitor) {
        zsock_destroy(&link->socket);
        return err_errno(err, E_NET, "can't watch the socket");
    }
    zstr_sendx(link->monitor, "LISTEN", "DISCONNECTED", "HANDSHAKE_FAILED_AUTH", "HANDSHAKE_FAILED_PROTOCOL", NULL);
    if (link->endpoints * link->coordinators > 1) /* nobody is there: no use in waiting for them */
        zstr_sendx(link->monitor, "LISTEN", "CONNECT_RETRIED", NULL);
    zstr_send(link->monitor, "START");
    zsock_wait(link->monitor);
    link_watch(link, link->monitor);
    link_watch(link, link->socket);
    if (zsock_connect(link->socket, "%s", endpoint_at(link))) {
        err_errno(err, E_NET, "can't connect to %s", endpoint_at(link));
        link_disconnect(link, 0);
        return E_NET;
    }
    return 0;
}

/* ---- sending ---- */

/* false: the connection takes no more for now. */
static bool link_send(struct link *link, const Sohoa__Frame *frame)
{
    AUTO(buf_destroy) struct buf packed = {0};
    wire_encode(frame, &packed);
    zframe_t *part = zframe_new(packed.data, packed.size);
    bool sent = zframe_send(&part, link->socket, ZFRAME_DONTWAIT) == 0;
    zframe_destroy(&part);
    return sent;
}

/* The held jobs that one Hello has room for; the others are lost to us, which the coordinator then sees. */
static size_t hello_jobs(struct link *link, Sohoa__Job **jobs)
{
    size_t count = 0, bytes = HELLO_REST_BYTES;
    for (size_t i = 0; i < link->held_count; i++) {
        bytes += sohoa__job__get_packed_size(link->held[i].job) + FIELD_HEAD_BYTES;
        if (bytes > FRAME_MAX_BYTES)
            break;
        jobs[count++] = link->held[i].job;
    }
    return count;
}

static void say_hello(struct link *link, uint64_t now_ms)
{
    AUTO(mem_destroy) Sohoa__Job **jobs = calloc(link->held_count + 1, sizeof(void *));
    if (!jobs)
        abort();
    for (size_t i = 0; i < link->held_count; i++)
        link->held[i].sent = false;
    link->unsent = link->unacked;
    link->jobs_received = link->jobs_offered = 0;

    Sohoa__Hello hello = SOHOA__HELLO__INIT;
    hello.version = PROTOCOL_VERSION;
    hello.worker = (char *)link->self.name;
    hello.pipeline = (ProtobufCBinaryData){SHA256_BYTES, (uint8_t *)link->self.pipeline};
    hello.slots = link->self.slots;
    hello.build = (char *)link->self.build;
    hello.simd = (char *)link->self.simd;
    hello.lang = (char *)link->self.lang;
    hello.tags = (char *)link->self.tags;
    hello.views = true;
    hello.held = jobs;
    hello.n_held = hello_jobs(link, jobs);
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_HELLO;
    frame.hello = &hello;
    if (link_send(link, &frame))
        link_move(link, LINK_HELLO, now_ms);
    else
        link_lose(link, "full", now_ms);
}

static void say_credit(struct link *link, unsigned room)
{
    uint64_t total = link->jobs_received + (link->unacked < LINK_RESULTS_KEPT ? room : 0);
    if (total <= link->jobs_offered)
        return;
    Sohoa__Credit credit = SOHOA__CREDIT__INIT;
    credit.jobs_total = total;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_CREDIT;
    frame.credit = &credit;
    if (link_send(link, &frame))
        link->jobs_offered = total;
}

static void say_heartbeat(struct link *link, unsigned busy_slots, uint64_t now_ms)
{
    Sohoa__Heartbeat beat = SOHOA__HEARTBEAT__INIT;
    beat.sent_ms = now_ms;
    beat.busy_slots = busy_slots;
    beat.rss_bytes = self_rss_bytes(); /* the slots' own is in their answers */
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_HEARTBEAT;
    frame.heartbeat = &beat;
    link->beat_ms = now_ms;
    /* A beat that finds no room is not missed: what fills the connection tells as much. */
    link_send(link, &frame);
}

/* As many unsent results as one frame holds. false: nothing was sent. */
static bool say_results(struct link *link)
{
    Sohoa__Result *some[RESULTS_MAX];
    struct held *of[RESULTS_MAX];
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < link->held_count && count < RESULTS_MAX; i++) {
        struct held *held = &link->held[i];
        if (!held->result || held->sent)
            continue;
        bytes += sohoa__result__get_packed_size(held->result) + FIELD_HEAD_BYTES;
        if (count && bytes > FRAME_MAX_BYTES - FIELD_HEAD_BYTES)
            break;
        of[count] = held;
        some[count++] = held->result;
    }
    Sohoa__Results results = SOHOA__RESULTS__INIT;
    results.results = some;
    results.n_results = count;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_RESULTS;
    frame.results = &results;
    if (!count || !link_send(link, &frame))
        return false;
    for (size_t i = 0; i < count; i++)
        of[i]->sent = true;
    link->unsent -= count;
    return true;
}

void link_bye(struct link *link)
{
    Sohoa__Bye bye = SOHOA__BYE__INIT;
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_BYE;
    frame.bye = &bye;
    if (link->state != LINK_JOINED)
        return;
    while (link->unsent && say_results(link)) {
    }
    link_send(link, &frame);
    link_disconnect(link, LINK_LINGER_MS);
    link_move(link, LINK_CLOSED, clock_mono_ms());
}

/* ---- leases ---- */

static struct held *held_find(struct link *link, uint64_t lease)
{
    for (size_t i = 0; i < link->held_count; i++)
        if (link->held[i].job->lease == lease)
            return &link->held[i];
    return NULL;
}

/* A copy that Hello can name it by: subscribers may be many, and the coordinator knows them. */
static Sohoa__Job *job_copy(Sohoa__Job *job)
{
    AUTO(buf_destroy) struct buf packed = {0};
    size_t subscribers = job->n_subscribers;
    job->n_subscribers = 0;
    sohoa__job__pack(job, buf_reserve(&packed, sohoa__job__get_packed_size(job)));
    Sohoa__Job *copy = sohoa__job__unpack(NULL, sohoa__job__get_packed_size(job), packed.data);
    job->n_subscribers = subscribers;
    if (!copy)
        abort();
    return copy;
}

static void held_add(struct link *link, Sohoa__Job *job)
{
    if (held_find(link, job->lease))
        return;
    if (link->held_count == link->held_room) {
        link->held_room = link->held_room ? link->held_room * 2 : 64;
        link->held = realloc(link->held, link->held_room * sizeof *link->held);
        if (!link->held)
            abort();
    }
    link->held[link->held_count++] = (struct held){.job = job_copy(job)};
}

void link_forget(struct link *link, uint64_t lease)
{
    struct held *held = held_find(link, lease);
    if (!held)
        return;
    if (held->result) {
        link->unacked--;
        link->unsent -= !held->sent;
        sohoa__result__free_unpacked(held->result, NULL);
    }
    sohoa__job__free_unpacked(held->job, NULL);
    *held = link->held[--link->held_count];
}

void link_report(struct link *link, Sohoa__Result *result)
{
    struct held *held = held_find(link, result->lease);
    if (!held || held->result) {
        sohoa__result__free_unpacked(result, NULL);
        return;
    }
    held->result = result;
    link->unacked++;
    link->unsent++;
}

void link_viewed(struct link *link, Sohoa__Result *result)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    frame.body_case = SOHOA__FRAME__BODY_VIEWED;
    frame.viewed = result;
    if (!result)
        return;
    if (link->state == LINK_JOINED)
        link_send(link, &frame);
    sohoa__result__free_unpacked(result, NULL);
}

void link_recalled(struct link *link, uint64_t number, const char *lines)
{
    Sohoa__Frame frame = SOHOA__FRAME__INIT;
    Sohoa__Recalled recalled = SOHOA__RECALLED__INIT;
    recalled.number = number;
    recalled.lines = (char *)(uintptr_t)lines;
    frame.body_case = SOHOA__FRAME__BODY_RECALLED;
    frame.recalled = &recalled;
    if (link->state == LINK_JOINED)
        link_send(link, &frame);
}

static void forget_all(struct link *link, const uint64_t *leases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        link_forget(link, leases[i]);
}

/* ---- receiving ---- */

/* Why the connection broke, by the monitor's events. */
static const struct {
    const char *event, *why, *text;
} broken_rule[] = {
    {"HANDSHAKE_FAILED_AUTH",     "key",          "the coordinator does not allow this worker's key (curve_workers there)"     },
    {"HANDSHAKE_FAILED_PROTOCOL", "handshake",
     "no common key: see curve_file and curve_coordinators here, curve_file there"                                             },
    {"DISCONNECTED",              "disconnected", "the coordinator hung up at once: see curve_file and curve_coordinators here"},
    {"",                          "nobody",       NULL                                                                         },
};

/* NULL: it did not. Why nobody welcomes this worker is told from time to time. */
static const char *link_broken(struct link *link, uint64_t now_ms)
{
    if (!(zsock_events(link->monitor) & ZMQ_POLLIN))
        return NULL;
    zmsg_t *event = zmsg_recv(link->monitor);
    char *name = zmsg_popstr(event);
    size_t i = 0;
    while (*broken_rule[i].event && (!name || strcmp(name, broken_rule[i].event)))
        i++;
    freen(name);
    zmsg_destroy(&event);
    if (link->state == LINK_HELLO && broken_rule[i].text && now_ms >= link->told_ms) {
        link->told_ms = now_ms + LINK_TOLD_MS;
        trace(TRACE_WARN, "link_refused", "endpoint=%s why=%s", trace_value(endpoint_at(link)),
              trace_value(broken_rule[i].text));
    }
    return broken_rule[i].why;
}

static void heard_welcome(struct link *link, const Sohoa__Welcome *welcome, uint64_t now_ms)
{
    link->heartbeat_ms = welcome->heartbeat_ms < LINK_BEAT_LEAST_MS ? LINK_BEAT_LEAST_MS : welcome->heartbeat_ms;
    link->backoff_ms = LINK_BACKOFF_LEAST_MS;
    link->beat_ms = now_ms;
    forget_all(link, welcome->dropped, welcome->n_dropped);
    link_move(link, LINK_JOINED, now_ms);
}

/* Does the link's own part. true: the worker wants to see the frame, too. */
static bool link_heard(struct link *link, const Sohoa__Frame *frame, uint64_t now_ms)
{
    if (link->state == LINK_HELLO && frame->body_case != SOHOA__FRAME__BODY_WELCOME &&
        frame->body_case != SOHOA__FRAME__BODY_REFUSE)
        return false;
    switch (frame->body_case) {
    case SOHOA__FRAME__BODY_WELCOME: heard_welcome(link, frame->welcome, now_ms); return true;
    case SOHOA__FRAME__BODY_REFUSE:
        link_close(link, err_class(frame->refuse->err->code) == ERR_RETRY ? link->backoff_ms : LINK_REFUSED_MS, now_ms);
        return true;
    case SOHOA__FRAME__BODY_GRANT:
        for (size_t i = 0; i < frame->grant->n_jobs; i++)
            held_add(link, frame->grant->jobs[i]);
        link->jobs_received += frame->grant->n_jobs;
        return true;
    case SOHOA__FRAME__BODY_VIEW:
    case SOHOA__FRAME__BODY_RECALL: return true;
    case SOHOA__FRAME__BODY_DROP: forget_all(link, frame->drop->leases, frame->drop->n_leases); return true;
    case SOHOA__FRAME__BODY_ACKS: forget_all(link, frame->acks->leases, frame->acks->n_leases); return false;
    case SOHOA__FRAME__BODY_BYE: link_lose(link, "bye", now_ms); return false;
    default: return false;
    }
}

/* One frame off the socket. false: none there. *ret_frame stays NULL when it was not one. */
static bool link_receive(struct link *link, uint64_t now_ms, Sohoa__Frame **ret_frame)
{
    zframe_t *part = zframe_recv_nowait(link->socket);
    if (!part)
        return false;
    struct err err;
    link->heard_ms = now_ms;
    if (wire_decode(zframe_data(part), zframe_size(part), ret_frame, &err)) {
        trace_err(TRACE_WARN, "frame_refused", &err, "bytes=%zu", zframe_size(part));
        link_lose(link, "frame", now_ms);
    }
    zframe_destroy(&part);
    return true;
}

bool link_next(struct link *link, uint64_t now_ms, Sohoa__Frame **ret_frame)
{
    const char *why = link->socket ? link_broken(link, now_ms) : NULL;
    if (why)
        link_lose(link, why, now_ms);
    while (link->socket) {
        AUTO(frame_destroy) Sohoa__Frame *frame = NULL;
        if (!link_receive(link, now_ms, &frame))
            return false;
        if (frame && link_heard(link, frame, now_ms)) {
            *ret_frame = frame;
            frame = NULL;
            return true;
        }
    }
    return false;
}

/* ---- time ---- */

static uint64_t silent_limit_ms(const struct link *link)
{
    uint64_t limit_ms = (uint64_t)link->heartbeat_ms * LINK_SILENT_BEATS;
    return limit_ms < LINK_SILENT_LEAST_MS ? LINK_SILENT_LEAST_MS : limit_ms;
}

static uint64_t welcome_limit_ms(const struct link *link)
{
    return link->endpoints * link->coordinators > 1 ? LINK_WELCOME_LIST_MS : LINK_WELCOME_MS;
}

static void link_join(struct link *link, uint64_t now_ms)
{
    struct err err;
    if (link_connect(link, &err)) {
        trace_err(TRACE_ERROR, "link_connect", &err, "endpoint=%s", trace_value(endpoint_at(link)));
        link_lose(link, "connect", now_ms);
        return;
    }
    link->heard_ms = now_ms;
    say_hello(link, now_ms);
}

static void link_speak(struct link *link, unsigned room, unsigned busy_slots, uint64_t now_ms)
{
    while (link->unsent && say_results(link)) {
    }
    say_credit(link, room);
    if (now_ms - link->beat_ms >= link->heartbeat_ms)
        say_heartbeat(link, busy_slots, now_ms);
}

/* New keys hold for new connections: leases outlast those. Until what is wrong with them is mended there is none. */
static void keys_look(struct link *link, uint64_t now_ms)
{
    struct err err;
    if (!*link->keys.own || now_ms < link->look_ms)
        return;
    link->look_ms = now_ms + LINK_LOOK_MS;
    if (keys_stamp(link) == link->keys_stamp)
        return;
    int rc = keys_read(link, &err);
    if (rc) {
        trace_err(TRACE_ERROR, "link_keys", &err, "held=%zu", link->held_count);
        link->coordinators = link->coordinators ? link->coordinators : 1;
    }
    if (link->socket && !rc)
        link_lose(link, "keys_changed", now_ms);
}

void link_tick(struct link *link, unsigned room, unsigned busy_slots, uint64_t now_ms)
{
    keys_look(link, now_ms);
    if (link->state == LINK_JOINED && now_ms - link->heard_ms > silent_limit_ms(link))
        link_lose(link, "silent", now_ms);
    if (link->state == LINK_HELLO && now_ms - link->state_ms > welcome_limit_ms(link))
        link_lose(link, "no_welcome", now_ms);
    if (link->state == LINK_CLOSED && now_ms >= link->retry_ms)
        link_join(link, now_ms);
    if (link->state == LINK_JOINED)
        link_speak(link, room, busy_slots, now_ms);
}

static uint64_t link_due_ms(const struct link *link)
{
    uint64_t beat_ms = link->beat_ms + link->heartbeat_ms;
    uint64_t silent_ms = link->heard_ms + silent_limit_ms(link) + 1;
    switch (link->state) {
    case LINK_CLOSED: return link->retry_ms;
    case LINK_HELLO: return link->state_ms + welcome_limit_ms(link) + 1;
    default: return beat_ms < silent_ms ? beat_ms : silent_ms;
    }
}

uint64_t link_wait_ms(struct link *link, uint64_t now_ms)
{
    if (link->socket && ((zsock_events(link->socket) | zsock_events(link->monitor)) & ZMQ_POLLIN))
        return 0;
    uint64_t due_ms = link_due_ms(link);
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

bool link_joined(const struct link *link)
{
    return link->state == LINK_JOINED;
}

int link_fd(const struct link *link)
{
    return link->epoll_fd;
}

/* ---- the link itself ---- */

static int endpoints_take(struct link *link, const char *list, struct err *err)
{
    for (const char *at = list;;) {
        at += strspn(at, " ");
        size_t chars = strcspn(at, ", ");
        if (!chars || link->endpoints == LINK_ENDPOINTS_MOST)
            break;
        if (!(link->endpoint[link->endpoints++] = strndup(at, chars)))
            return err_set(err, E_NOMEM, "no memory for the link");
        at += chars;
        at += strspn(at, " ");
        if (!*at)
            return 0;
        if (*at++ != ',')
            break;
    }
    return err_set(err, E_CONFIG, "'%s' are not one to %d endpoints, joined by commas", list, LINK_ENDPOINTS_MOST);
}

static int keys_take(struct link *link, const struct link_keys *keys, struct err *err)
{
    link->keys = *keys;
    link->coordinators = 1;
    if (*keys->own)
        return keys_read(link, err);
    for (size_t i = 0; i < link->endpoints; i++)
        if (!curve_is_near(link->endpoint[i]))
            return err_set(err, E_CONFIG, "connect = %s is another host: it needs curve_file and curve_coordinators",
                           link->endpoint[i]);
    return 0;
}

int link_new(const char *endpoints, const struct link_keys *keys, const struct link_self *self, struct link **ret_link,
             struct err *err)
{
    zsys_handler_set(NULL); /* signals are the worker's */
    AUTO(link_destroy) struct link *link = calloc(1, sizeof *link);
    if (!link)
        return err_set(err, E_NOMEM, "no memory for the link");
    link->self = *self;
    link->backoff_ms = LINK_BACKOFF_LEAST_MS;
    link->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (link->epoll_fd < 0)
        return err_errno(err, E_NET, "can't make the link");
    uint64_t now_ms = clock_mono_ms();
    int rc = endpoints_take(link, endpoints, err);
    if (!rc)
        rc = keys_take(link, keys, err);
    if (!rc)
        rc = link_connect(link, err);
    if (rc)
        return rc;
    link->heard_ms = now_ms;
    say_hello(link, now_ms);
    *ret_link = link;
    link = NULL;
    return 0;
}

void link_destroy(struct link **link)
{
    if (!*link)
        return;
    link_disconnect(*link, 0);
    while ((*link)->held_count)
        link_forget(*link, (*link)->held[0].job->lease);
    free((*link)->held);
    for (size_t i = 0; i < (*link)->endpoints; i++)
        free((*link)->endpoint[i]);
    if ((*link)->epoll_fd >= 0)
        close((*link)->epoll_fd);
    free(*link);
    *link = NULL;
}
