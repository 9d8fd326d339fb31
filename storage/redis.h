/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A connection to the Redis of this host, with one Lua script loaded into it. Requests are queued and sent in order
 * (pipelined); redis_settle() waits for their answers. A server that does not answer within REDIS_TIMEOUT_MS costs
 * E_REDIS. Whatever fails with E_REDIS closes the connection; redis_connect() makes a new one. */
#ifndef SOHOA_REDIS_H
#define SOHOA_REDIS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/err.h"

enum {
    REDIS_TIMEOUT_MS = 5000, /* for one read or write */
    REDIS_WINDOW = 64,       /* requests sent before their answers are read */
};

struct redis;

/* A request being built: the words of a command. Zero-initialised is empty. */
struct redis_request {
    struct buf words;
    size_t count;
};
void redis_request_destroy(struct redis_request *request);
void redis_begin(struct redis_request *request, const char *command);
void redis_begin_script(struct redis *redis, struct redis_request *request);
void redis_add(struct redis_request *request, const void *data, size_t bytes);
void redis_add_text(struct redis_request *request, const char *text);
void redis_add_number(struct redis_request *request, int64_t number);

/* Does not connect. socket_path and script are borrowed for the life of the redis. */
struct redis *redis_new(const char *socket_path, const char *script, size_t script_bytes);
void redis_destroy(struct redis **redis);

/* Connects and loads the script, unless that is so already. A server that copies another one (redis_follow) stops to, and keeps
 * what it has. Errors: E_REDIS. */
int redis_connect(struct redis *redis, struct err *err);

/* Makes the server at socket_path a copy of the one at host and port; what it had is gone then. Errors: E_REDIS. */
int redis_follow(const char *socket_path, const char *host, const char *port, struct err *err);

/* How many different servers (by run_id) it has been connected to: grows when Redis was restarted in between. */
unsigned redis_servers(const struct redis *redis);

/* Queues and sends; settles by itself when REDIS_WINDOW requests are under way, so it fails as redis_settle does.
 * It must be connected. */
int redis_send(struct redis *redis, const struct redis_request *request, struct err *err);

/* Queues and sends the loading of the script: before it is used within a MULTI. */
int redis_send_script(struct redis *redis, struct err *err);

/* Waits for every answer under way. A script that Redis has forgotten is loaded again, and sent again from the first
 * request that missed it. Errors: the first that Redis reported: E_FENCED and E_STATE as the script says, else E_REDIS.
 */
int redis_settle(struct redis *redis, struct err *err);

/* Sends one request and appends the text of its answer to *into; nothing for an absent value. Nothing may be under way.
 * Errors: as redis_settle. */
int redis_ask(struct redis *redis, const struct redis_request *request, struct buf *into, struct err *err);

#endif
