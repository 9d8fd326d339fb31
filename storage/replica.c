/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/replica.h"

#include <stdio.h>
#include <string.h>

#include "proto/trace.h"
#include "storage/redis.h"

enum { PORT_BYTES = 6, ADDRESS_BYTES = 256 };

struct server {
    char name[NAME_BYTES], host[ADDRESS_BYTES], port[PORT_BYTES];
};

/* Takes one off the list: where the next begins; NULL: what stands there is none. */
static const char *server_next(const char *at, struct server *server)
{
    const char *end = at + strcspn(at, ","), *host = memchr(at, '=', (size_t)(end - at)), *port = end;
    if (!host)
        return NULL;
    size_t name_chars = (size_t)(host++ - at);
    while (port > host && port[-1] != ':')
        port--;
    size_t host_chars = port > host ? (size_t)(port - host) - 1 : 0, port_chars = (size_t)(end - port);
    if (host_chars > 2 && *host == '[' && host[host_chars - 1] == ']') { /* IPv6 */
        host++;
        host_chars -= 2;
    }
    if (!name_chars || !host_chars || !port_chars || strspn(port, "0123456789") < port_chars ||
        name_chars >= sizeof server->name || host_chars >= sizeof server->host || port_chars >= sizeof server->port)
        return NULL;
    snprintf(server->name, sizeof server->name, "%.*s", (int)name_chars, at);
    snprintf(server->host, sizeof server->host, "%.*s", (int)host_chars, host);
    snprintf(server->port, sizeof server->port, "%.*s", (int)port_chars, port);
    return end + (*end == ',');
}

int replica_init(struct replica *replica, const char *others, const char *own, const char *socket, struct err *err)
{
    struct server server;
    *replica = (struct replica){.others = others, .own = own, .socket = socket};
    for (const char *at = others; *at;)
        if (!(at = server_next(at, &server)))
            return err_set(err, E_CONFIG, "redis_others = %.200s: it is not NAME=ADDRESS:PORT joined by commas",
                           others);
    return 0;
}

void replica_keep(struct replica *replica, const char *holder, uint64_t now_ms)
{
    struct server server = {0};
    struct err err;
    bool other = strcmp(replica->of, holder);
    if (!strcmp(holder, replica->own) || (!other && now_ms < replica->ask_ms))
        return;
    for (const char *at = replica->others; *at && strcmp(server.name, holder);)
        at = server_next(at, &server);
    replica->ask_ms = now_ms + REPLICA_ASK_MS;
    snprintf(replica->of, sizeof replica->of, "%s", holder);
    if (strcmp(server.name, holder))
        return;
    if (redis_follow(replica->socket, server.host, server.port, &err))
        trace_err(TRACE_WARN, "replica_failed", &err, "of=%s", trace_value(holder));
    else if (other)
        trace(TRACE_INFO, "replica", "of=%s address=%s port=%s", trace_value(holder), trace_value(server.host),
              server.port);
}
