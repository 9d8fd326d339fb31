/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/sim/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "coordinator/gate.h"
#include "proto/auto.h"
#include "tests/sim/check.h"
#include "tests/sim/worker.h"
#include "tests/sim/world.h"

enum { FRAMES_MOST = 4096, FLIGHT_MS = 8, DELAY_MOST_MS = 4000, NOTICE_MOST_MS = 3000 };

struct frame {
    uint64_t due_ms, number; /* number: in the order they were sent */
    uint64_t connection;
    uint32_t worker;
    bool up;          /* to the coordinator */
    struct buf bytes; /* none: the connection ends */
};

struct line {                /* between a worker and the coordinator */
    uint64_t connection;     /* the worker's; 0: none */
    uint64_t route;          /* the one that the coordinator heard last ... */
    bool routed;             /* ... and may answer on */
    uint64_t up_ms, down_ms; /* when the last frame arrives that kept its place */
    uint64_t cut_ms;         /* nothing passes before */
};

static struct {
    struct frame frame[FRAMES_MOST];
    uint32_t frames;
    struct frame inbox[FRAMES_MOST];
    uint32_t heard, read;
    struct line line[WORKERS];
    uint64_t numbers, connections;
} net;

void network_reset(void)
{
    for (uint32_t i = 0; i < net.frames; i++)
        buf_destroy(&net.frame[i].bytes);
    for (uint32_t i = net.read; i < net.heard; i++)
        buf_destroy(&net.inbox[i].bytes);
    memset(&net, 0, sizeof net);
}

uint32_t network_frames(void)
{
    return net.frames + net.heard - net.read;
}

/* ---- sending ---- */

static void fly(uint32_t worker, bool up, uint64_t connection, uint64_t due_ms, const struct buf *bytes)
{
    if (net.frames == FRAMES_MOST)
        violation("more than %d frames are on their way", FRAMES_MOST);
    struct frame *frame = &net.frame[net.frames++];
    *frame =
        (struct frame){.due_ms = due_ms, .number = net.numbers++, .connection = connection, .worker = worker, .up = up};
    if (bytes->size)
        buf_append(&frame->bytes, bytes->data, bytes->size);
}

static bool opens(const Sohoa__Frame *frame)
{
    return frame->body_case == SOHOA__FRAME__BODY_HELLO || frame->body_case == SOHOA__FRAME__BODY_WELCOME;
}

static void post(uint32_t worker, bool up, uint64_t connection, const Sohoa__Frame *frame)
{
    AUTO(buf_destroy) struct buf bytes = {0};
    struct line *line = &net.line[worker];
    uint64_t *place_ms = up ? &line->up_ms : &line->down_ms;
    uint64_t leaves_ms = line->cut_ms > world.now_ms ? line->cut_ms : world.now_ms;
    uint64_t due_ms = leaves_ms + between(1, FLIGHT_MS) + (happens(world.one_in.delay) ? chance(DELAY_MOST_MS) : 0);
    wire_encode(frame, &bytes);
    if (happens(world.one_in.lose)) {
        worker_break(worker, world.now_ms + chance(NOTICE_MOST_MS));
        return;
    }
    if (opens(frame) || !happens(world.one_in.swap)) {
        due_ms = due_ms > *place_ms ? due_ms : *place_ms;
        *place_ms = due_ms;
    } else {
        due_ms = due_ms > line->down_ms || up ? due_ms : line->down_ms; /* never before Welcome */
    }
    fly(worker, up, connection, due_ms, &bytes);
    /* A Grant twice would be jobs twice: no connection does that. */
    bool once = opens(frame) || frame->body_case == SOHOA__FRAME__BODY_GRANT;
    if (!once && happens(world.one_in.twice))
        fly(worker, up, connection, due_ms + chance(DELAY_MOST_MS), &bytes);
}

void network_connect(uint32_t worker)
{
    network_close(worker);
    struct line *line = &net.line[worker];
    line->connection = ++net.connections;
    line->up_ms = line->down_ms = 0;
}

/* The other side hears of it in its time. */
void network_close(uint32_t worker)
{
    struct line *line = &net.line[worker];
    static const struct buf end;
    if (line->connection)
        fly(worker, true, line->connection, world.now_ms + chance(NOTICE_MOST_MS), &end);
    line->connection = 0;
}

void network_send(uint32_t worker, const Sohoa__Frame *frame)
{
    if (net.line[worker].connection)
        post(worker, true, net.line[worker].connection, frame);
}

void network_cut(uint32_t worker, uint64_t until_ms)
{
    struct line *line = &net.line[worker];
    line->cut_ms = until_ms;
    for (uint32_t i = 0; i < net.frames; i++)
        if (net.frame[i].worker == worker)
            net.frame[i].due_ms += until_ms - world.now_ms;
    line->up_ms += until_ms - world.now_ms;
    line->down_ms += until_ms - world.now_ms;
}

/* What several cuts put off, one after the other, comes soon, too. */
void network_heal(void)
{
    uint64_t soon_ms = world.now_ms + DELAY_MOST_MS;
    for (uint32_t i = 0; i < net.frames; i++)
        net.frame[i].due_ms = net.frame[i].due_ms < soon_ms ? net.frame[i].due_ms : soon_ms;
    for (uint32_t i = 0; i < WORKERS; i++) {
        struct line *line = &net.line[i];
        line->cut_ms = 0;
        line->up_ms = line->up_ms < soon_ms ? line->up_ms : soon_ms;
        line->down_ms = line->down_ms < soon_ms ? line->down_ms : soon_ms;
    }
}

void network_forsake(void)
{
    for (uint32_t i = 0; i < net.frames; i++)
        buf_destroy(&net.frame[i].bytes);
    for (; net.read < net.heard; net.read++)
        buf_destroy(&net.inbox[net.read].bytes);
    net.frames = net.read = net.heard = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        net.line[i].routed = false;
        if (net.line[i].connection)
            worker_break(i, world.now_ms + chance(NOTICE_MOST_MS));
    }
}

/* ---- arriving ---- */

static uint32_t first_due(void)
{
    uint32_t first = 0;
    for (uint32_t i = 1; i < net.frames; i++) {
        const struct frame *a = &net.frame[i], *b = &net.frame[first];
        if (a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->number < b->number))
            first = i;
    }
    return first;
}

uint64_t network_due_ms(void)
{
    return net.frames ? net.frame[first_due()].due_ms : NEVER;
}

bool network_heard(void)
{
    return net.read < net.heard;
}

static void arrive_up(struct frame *frame)
{
    struct line *line = &net.line[frame->worker];
    if (frame->connection < line->route || net.heard == FRAMES_MOST) {
        buf_destroy(&frame->bytes);
        return;
    }
    line->routed = frame->bytes.size;
    line->route = frame->connection;
    if (frame->bytes.size)
        net.inbox[net.heard++] = *frame;
}

static void arrive_down(struct frame *frame)
{
    AUTO(frame_destroy) Sohoa__Frame *message = NULL;
    struct err err;
    if (frame->connection == net.line[frame->worker].connection) {
        if (wire_decode(frame->bytes.data, frame->bytes.size, &message, &err))
            violation("the coordinator sent a frame that is none: %s", err.text);
        worker_hear(frame->worker, message);
    }
    buf_destroy(&frame->bytes);
}

void network_step(void)
{
    uint32_t at = first_due();
    struct frame frame = net.frame[at];
    net.frame[at] = net.frame[--net.frames];
    note(frame.worker << 1 | frame.up);
    note_bytes(frame.bytes.data, frame.bytes.size);
    if (frame.up)
        arrive_up(&frame);
    else
        arrive_down(&frame);
}

/* ---- the coordinator's side: gate.h ---- */

/* Nobody connects, and there are no keys. */
void gate_tend(struct gate *gate, uint64_t now_ms)
{
    (void)gate;
    (void)now_ms;
}

bool gate_receive(struct gate *gate, char peer[NAME_BYTES], Sohoa__Frame **ret_frame, struct err *err)
{
    (void)gate;
    *ret_frame = NULL;
    if (net.read == net.heard) {
        net.read = net.heard = 0;
        return false;
    }
    struct frame *frame = &net.inbox[net.read++];
    snprintf(peer, NAME_BYTES, "w%u", frame->worker);
    if (wire_decode(frame->bytes.data, frame->bytes.size, ret_frame, err))
        violation("worker %s sent a frame that is none: %s", peer, err->text);
    buf_destroy(&frame->bytes);
    check_heard(frame->worker, *ret_frame);
    return true;
}

void story_told(struct coordinator *c, uint32_t worker, const Sohoa__Recalled *said) /* nobody asks */
{
    (void)c;
    (void)worker;
    (void)said;
}

bool gate_send(struct gate *gate, const char *peer, const Sohoa__Frame *frame)
{
    uint32_t worker = (uint32_t)strtoul(peer + 1, NULL, 10);
    struct line *line = &net.line[worker];
    (void)gate;
    check_said(worker, frame);
    if (!line->routed || happens(world.one_in.full))
        return false;
    post(worker, false, line->route, frame);
    return true;
}
