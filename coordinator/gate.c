/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/gate.h"

#include <czmq.h>

#include "proto/auto.h"
#include "proto/trace.h"

struct gate {
    zsock_t *socket;
    void *handle;
    struct buf out;
};

int gate_new(const char *endpoint, struct gate **ret_gate, struct err *err)
{
    AUTO(gate_destroy) struct gate *gate = calloc(1, sizeof *gate);
    if (!gate)
        return err_set(err, E_NOMEM, "no memory for the gate");
    zsys_handler_set(NULL);
    gate->socket = zsock_new(ZMQ_ROUTER);
    if (!gate->socket)
        return err_set(err, E_NET, "no ZeroMQ socket");
    gate->handle = zsock_resolve(gate->socket);
    zsock_set_router_mandatory(gate->socket, 1);
    zsock_set_router_handover(gate->socket, 1);
    zsock_set_linger(gate->socket, 0);
    zsock_set_sndhwm(gate->socket, GATE_SEND_HWM);
    zsock_set_maxmsgsize(gate->socket, FRAME_MAX_BYTES);
    zsock_set_ipv6(gate->socket, 1);
    if (zsock_bind(gate->socket, "%s", endpoint) < 0)
        return err_set(err, E_NET, "bind = %s: %s", endpoint, zmq_strerror(zmq_errno()));
    *ret_gate = gate;
    gate = NULL;
    return 0;
}

void gate_destroy(struct gate **gate)
{
    if (!*gate)
        return;
    zsock_destroy(&(*gate)->socket);
    buf_destroy(&(*gate)->out);
    free(*gate);
    *gate = NULL;
}

int gate_fd(const struct gate *gate)
{
    return (int)zsock_fd(gate->socket);
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
