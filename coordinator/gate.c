/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/gate.h"

#include <czmq.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "coordinator/allow.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/curve.h"
#include "proto/trace.h"

enum { ADDRESS_BYTES = 64, PORT_BYTES = 8, MINUTE_MS = 60000, REBIND_TRIES = 100, REBIND_WAIT_MS = 2 };

#define MONITOR   "inproc://sohoa-gate-monitor"
#define ZAP       "inproc://zeromq.zap.01"
#define ZAP_PARTS 7 /* of a request with a CURVE key: version, request, domain, address, identity, mechanism, key */

struct gate {
    zsock_t *socket;
    void *handle;
    struct buf out;
    int epoll_fd;

    char *endpoint, *own_file; /* own_file: NULL when there are no keys */
    struct curve own;
    uint64_t own_stamp, look_ms;
    struct allow *allow;
    zsock_t *zap, *monitor;
    char newest[ADDRESS_BYTES]; /* who connected last */
    uint64_t told_since_ms;
    unsigned told, untold;
};

/* ---- refusals ---- */

/* Whoever knocks can't fill the log. */
static void refusal_tell(struct gate *gate, const char *address, const char *why, const char *key)
{
    uint64_t now_ms = clock_mono_ms();
    if (now_ms - gate->told_since_ms >= MINUTE_MS) {
        if (gate->untold)
            trace(TRACE_WARN, "peers_refused", "more=%u", gate->untold);
        gate->told_since_ms = now_ms;
        gate->told = gate->untold = 0;
    }
    if (gate->told == GATE_REFUSALS_TOLD) {
        gate->untold++;
        return;
    }
    gate->told++;
    trace(TRACE_WARN, "peer_refused", "address=%s key=%s why=%s", trace_value(address), trace_value(key),
          trace_value(why));
}

/* ---- who may connect (ZAP) ---- */

static bool zap_is(const zmq_msg_t *part, const char *text)
{
    return zmq_msg_size(part) == strlen(text) &&
           !memcmp(zmq_msg_data((zmq_msg_t *)(uintptr_t)part), text, strlen(text));
}

static void zap_reply(struct gate *gate, zmq_msg_t *request, const char *key)
{
    void *zap = zsock_resolve(gate->zap);
    const char *const part[] = {key ? "200" : "400", key ? "OK" : "this key is not allowed", key ? key : "", ""};
    zmq_send(zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(zap, zmq_msg_data(request), zmq_msg_size(request), ZMQ_SNDMORE);
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        zmq_send(zap, part[i], strlen(part[i]), i + 1 < sizeof part / sizeof part[0] ? ZMQ_SNDMORE : 0);
}

static void zap_decide(struct gate *gate, zmq_msg_t part[ZAP_PARTS], size_t parts)
{
    char key[CURVE_KEY_BYTES] = "", address[ADDRESS_BYTES] = "";
    bool curve =
        parts == ZAP_PARTS && zap_is(&part[0], "1.0") && zap_is(&part[5], "CURVE") && zmq_msg_size(&part[6]) == 32;
    if (parts > 3)
        snprintf(address, sizeof address, "%.*s", (int)zmq_msg_size(&part[3]), (char *)zmq_msg_data(&part[3]));
    if (curve)
        zmq_z85_encode(key, zmq_msg_data(&part[6]), 32);
    const char *name = curve ? allow_name(gate->allow, key) : NULL;
    if (!name)
        refusal_tell(gate, address, "its key is not among those that curve_workers allows", key);
    else
        trace(TRACE_DEBUG, "peer_allowed", "address=%s worker=%s key=%s", trace_value(address), trace_value(name), key);
    if (parts > 1)
        zap_reply(gate, &part[1], name ? key : NULL);
}

/* False: nobody asks. */
static bool zap_serve(struct gate *gate)
{
    void *zap = zsock_resolve(gate->zap);
    zmq_msg_t part[ZAP_PARTS], rest;
    size_t parts = 0;
    bool more = true;
    while (more) {
        zmq_msg_t *at = parts < ZAP_PARTS ? &part[parts] : &rest;
        zmq_msg_init(at);
        if (zmq_msg_recv(at, zap, ZMQ_DONTWAIT) < 0)
            break;
        more = zmq_msg_more(at);
        if (at == &rest)
            zmq_msg_close(&rest);
        else
            parts++;
    }
    if (parts)
        zap_decide(gate, part, parts);
    for (size_t i = 0; i < parts; i++)
        zmq_msg_close(&part[i]);
    return parts;
}

/* ---- who did not get through ---- */

/* Of who connects; of one that is gone already it is not known. */
static void address_take(struct gate *gate, int fd)
{
    struct sockaddr_storage address;
    socklen_t bytes = sizeof address;
    char host[ADDRESS_BYTES - PORT_BYTES], port[PORT_BYTES];
    *gate->newest = '\0';
    if (!getpeername(fd, (struct sockaddr *)&address, &bytes) &&
        !getnameinfo((struct sockaddr *)&address, bytes, host, sizeof host, port, sizeof port,
                     NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(gate->newest, sizeof gate->newest, "%s:%s", host, port);
}

static const char *failure_text(uint32_t code)
{
    switch (code) {
    case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
        return "it does not encrypt: curve_file and curve_coordinators are missing there";
    case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC: return "it knows another key of this coordinator";
    case ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE: return "a frame came twice or out of turn";
    default: return "it does not speak as it should";
    }
}

/* False: nothing happened. */
static bool monitor_serve(struct gate *gate)
{
    struct __attribute__((packed)) {
        uint16_t event;
        uint32_t value;
    } happened = {0};
    zmq_msg_t part;
    void *monitor = zsock_resolve(gate->monitor);
    zmq_msg_init(&part);
    if (zmq_msg_recv(&part, monitor, ZMQ_DONTWAIT) < 0)
        return false;
    memcpy(&happened, zmq_msg_data(&part), sizeof happened);
    zmq_msg_recv(&part, monitor, ZMQ_DONTWAIT); /* our own address */
    zmq_msg_close(&part);
    if (happened.event == ZMQ_EVENT_ACCEPTED)
        address_take(gate, (int)happened.value);
    else if (happened.value == ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE) /* of some connection that there is */
        refusal_tell(gate, "", failure_text(happened.value), "");
    else
        refusal_tell(gate, gate->newest, failure_text(happened.value), "");
    return true;
}

/* ---- keys ---- */

static void own_apply(struct gate *gate)
{
    zsock_set_curve_server(gate->socket, 1);
    zsock_set_curve_publickey(gate->socket, gate->own.public_key);
    zsock_set_curve_secretkey(gate->socket, gate->own.secret_key);
}

/* ZeroMQ gives the address back in its own time. */
static int gate_rebind(struct gate *gate)
{
    int port = -1;
    zsock_unbind(gate->socket, "%s", zsock_endpoint(gate->socket));
    for (int i = 0; i < REBIND_TRIES && port < 0; i++) {
        if (i)
            zclock_sleep(REBIND_WAIT_MS);
        port = zsock_bind(gate->socket, "%s", gate->endpoint);
    }
    return port;
}

/* A listener keeps the key that it was begun with, and its end is that of its connections: workers come again. */
static void own_look(struct gate *gate)
{
    struct err err;
    uint64_t stamp = curve_stamp(gate->own_file);
    if (stamp == gate->own_stamp)
        return;
    gate->own_stamp = stamp;
    int rc = curve_load_own(gate->own_file, &gate->own, &err);
    if (!rc) {
        own_apply(gate);
        if (gate_rebind(gate) < 0) {
            rc = err_set(&err, E_NET, "bind = %s: %s", gate->endpoint, zmq_strerror(zmq_errno()));
            gate->own_stamp = 0; /* tried again */
        }
    }
    if (rc)
        trace_err(TRACE_ERROR, "own_key", &err, "file=%s", trace_value(gate->own_file));
    else
        trace(TRACE_INFO, "own_key", "key=%s", gate->own.public_key);
}

void gate_tend(struct gate *gate, uint64_t now_ms)
{
    if (!gate->own_file)
        return;
    while (zap_serve(gate)) {
    }
    while (monitor_serve(gate)) {
    }
    if (now_ms < gate->look_ms)
        return;
    gate->look_ms = now_ms + GATE_LOOK_MS;
    allow_look(gate->allow);
    own_look(gate);
}

/* Until somebody answers who wants to connect, everybody with a key may: so this comes before the socket is bound. */
static int keys_take(struct gate *gate, const struct gate_keys *keys, struct err *err)
{
    if (!*keys->own)
        return curve_is_near(gate->endpoint)
                   ? 0
                   : err_set(err, E_CONFIG,
                             "bind = %s can be reached from other hosts: it needs curve_file and curve_workers",
                             gate->endpoint);
    if (!*keys->workers)
        return err_set(err, E_CONFIG, "curve_file needs curve_workers, too: whom to let in");
    int rc = allow_new(keys->workers, &gate->allow, err);
    if (!rc)
        rc = curve_load_own(keys->own, &gate->own, err);
    if (rc)
        return rc;
    gate->own_file = strdup(keys->own);
    gate->own_stamp = curve_stamp(keys->own);
    gate->zap = zsock_new_rep("@" ZAP);
    if (!gate->own_file || !gate->zap ||
        zmq_socket_monitor(gate->handle, MONITOR, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL) ||
        !(gate->monitor = zsock_new_pair(">" MONITOR)))
        return err_set(err, E_NET, "no socket to watch %s with", gate->endpoint);
    own_apply(gate);
    return 0;
}

/* ---- the gate itself ---- */

static int gate_watch(struct gate *gate, zsock_t *socket, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN};
    return socket && epoll_ctl(gate->epoll_fd, EPOLL_CTL_ADD, (int)zsock_fd(socket), &event)
               ? err_errno(err, E_NET, "epoll_ctl")
               : 0;
}

static int gate_open(struct gate *gate, const struct gate_keys *keys, struct err *err)
{
    gate->socket = zsock_new(ZMQ_ROUTER);
    gate->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!gate->socket || gate->epoll_fd < 0)
        return err_set(err, E_NET, "no ZeroMQ socket");
    gate->handle = zsock_resolve(gate->socket);
    zsock_set_router_mandatory(gate->socket, 1);
    zsock_set_router_handover(gate->socket, 1);
    zsock_set_linger(gate->socket, 0);
    zsock_set_sndhwm(gate->socket, GATE_SEND_HWM);
    zsock_set_maxmsgsize(gate->socket, FRAME_MAX_BYTES);
    zsock_set_ipv6(gate->socket, 1);
    int rc = keys_take(gate, keys, err);
    if (rc)
        return rc;
    if (zsock_bind(gate->socket, "%s", gate->endpoint) < 0)
        return err_set(err, E_NET, "bind = %s: %s", gate->endpoint, zmq_strerror(zmq_errno()));
    zsock_t *const watched[] = {gate->socket, gate->zap, gate->monitor};
    for (size_t i = 0; i < sizeof watched / sizeof watched[0] && !rc; i++)
        rc = gate_watch(gate, watched[i], err);
    return rc;
}

int gate_new(const char *endpoint, const struct gate_keys *keys, struct gate **ret_gate, struct err *err)
{
    AUTO(gate_destroy) struct gate *gate = calloc(1, sizeof *gate);
    if (!gate || !(gate->endpoint = strdup(endpoint)))
        return err_set(err, E_NOMEM, "no memory for the gate");
    zsys_handler_set(NULL);
    gate->epoll_fd = -1;
    int rc = gate_open(gate, keys, err);
    if (rc)
        return rc;
    *ret_gate = gate;
    gate = NULL;
    return 0;
}

void gate_destroy(struct gate **gate)
{
    if (!*gate)
        return;
    zsock_destroy(&(*gate)->monitor);
    zsock_destroy(&(*gate)->socket);
    zsock_destroy(&(*gate)->zap);
    allow_destroy(&(*gate)->allow);
    fd_destroy(&(*gate)->epoll_fd);
    buf_destroy(&(*gate)->out);
    free((*gate)->endpoint);
    free((*gate)->own_file);
    free(*gate);
    *gate = NULL;
}

int gate_fd(const struct gate *gate)
{
    return gate->epoll_fd;
}

/* ---- frames ---- */

/* Whether the frame's key is that of the worker that it says it is from. */
static int sender_check(struct gate *gate, zmq_msg_t *body, const char *peer, struct err *err)
{
    if (!gate->own_file)
        return 0;
    const char *key = zmq_msg_gets(body, "User-Id");
    const char *name = key ? allow_name(gate->allow, key) : NULL;
    if (name && !strcmp(name, peer))
        return 0;
    return err_set(err, E_KEY, "the key %s of worker %s is %s%s", key ? key : "", peer,
                   name ? "that of " : "not allowed any more", name ? name : "");
}

/* Receives one part; -1 when there is none. */
static int part_receive(struct gate *gate, zmq_msg_t *part)
{
    zmq_msg_init(part);
    int n = zmq_msg_recv(part, gate->handle, ZMQ_DONTWAIT);
    if (n < 0)
        zmq_msg_close(part);
    return n;
}

static void parts_skip(struct gate *gate, zmq_msg_t *last)
{
    bool more = zmq_msg_more(last);
    while (more) {
        zmq_msg_t part;
        if (part_receive(gate, &part) < 0)
            return;
        more = zmq_msg_more(&part);
        zmq_msg_close(&part);
    }
}

bool gate_receive(struct gate *gate, char peer[NAME_BYTES], Sohoa__Frame **ret_frame, struct err *err)
{
    zmq_msg_t identity, body;
    if (part_receive(gate, &identity) < 0)
        return false;
    size_t n = zmq_msg_size(&identity);
    n = n < NAME_BYTES ? n : NAME_BYTES - 1;
    memcpy(peer, zmq_msg_data(&identity), n);
    peer[n] = '\0';
    *ret_frame = NULL;
    bool more = zmq_msg_more(&identity);
    zmq_msg_close(&identity);
    if (!more || part_receive(gate, &body) < 0) {
        err_set(err, E_FRAME, "a message without a body");
        return true;
    }
    if (!sender_check(gate, &body, peer, err))
        wire_decode(zmq_msg_data(&body), zmq_msg_size(&body), ret_frame, err);
    parts_skip(gate, &body);
    zmq_msg_close(&body);
    return true;
}

bool gate_send(struct gate *gate, const char *peer, const Sohoa__Frame *frame)
{
    buf_clear(&gate->out);
    wire_encode(frame, &gate->out);
    /* A refused send fails on the identity part; then the rest must not be sent. */
    if (zmq_send(gate->handle, peer, strlen(peer), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        trace(TRACE_DEBUG, "send_refused", "worker=%s why=%s", trace_value(peer),
              trace_value(zmq_strerror(zmq_errno())));
        return false;
    }
    return zmq_send(gate->handle, gate->out.data, gate->out.size, ZMQ_DONTWAIT) >= 0;
}
