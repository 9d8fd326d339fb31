/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Requests are written to the socket here and not by hiredis, which would raise SIGPIPE on a server that went away and
 * moves its whole buffer at each partial write. hiredis connects and reads answers.
 * Invariant: window holds what was sent and not yet answered; it is empty whenever the connection is closed. */
#include "storage/redis.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/auto.h"

enum { RUN_ID_CHARS = 40, SCRIPT_ID_CHARS = 40, NUMBER_CHARS = 20 };

struct redis {
    const char *socket_path;
    const char *script;
    size_t script_bytes;
    char script_id[SCRIPT_ID_CHARS + 1];
    char run_id[RUN_ID_CHARS + 1]; /* of the last server */
    unsigned servers;
    redisContext *link; /* NULL: not connected */
    struct buf window;
    size_t start[REDIS_WINDOW]; /* where each request of the window begins */
    size_t under_way;
};

static void reply_destroy(redisReply **reply)
{
    if (*reply)
        freeReplyObject(*reply);
    *reply = NULL;
}

/* ---- requests ---- */

/* Writes number's digits so that they end at end; returns where they begin. */
static char *digits_before(char *end, uint64_t number)
{
    do
        *--end = (char)('0' + number % 10);
    while (number /= 10);
    return end;
}

/* "*12\r\n" or "$12\r\n" */
static void put_count(struct buf *to, char sign, size_t count)
{
    char line[NUMBER_CHARS + 3], *end = line + sizeof line;
    end[-2] = '\r';
    end[-1] = '\n';
    char *begin = digits_before(end - 2, count);
    *--begin = sign;
    buf_append(to, begin, (size_t)(end - begin));
}

void redis_add(struct redis_request *request, const void *data, size_t bytes)
{
    put_count(&request->words, '$', bytes);
    buf_append(&request->words, data, bytes);
    buf_append(&request->words, "\r\n", 2);
    request->count++;
}

void redis_add_text(struct redis_request *request, const char *text)
{
    redis_add(request, text, strlen(text));
}

void redis_add_number(struct redis_request *request, int64_t number)
{
    char text[NUMBER_CHARS + 1], *end = text + sizeof text;
    char *begin = digits_before(end, number < 0 ? -(uint64_t)number : (uint64_t)number);
    if (number < 0)
        *--begin = '-';
    redis_add(request, begin, (size_t)(end - begin));
}

void redis_begin(struct redis_request *request, const char *command)
{
    buf_clear(&request->words);
    request->count = 0;
    redis_add_text(request, command);
}

void redis_begin_script(struct redis *redis, struct redis_request *request)
{
    redis_begin(request, "EVALSHA");
    redis_add_text(request, redis->script_id);
    redis_add_text(request, "0");
}

void redis_request_destroy(struct redis_request *request)
{
    buf_destroy(&request->words);
    request->count = 0;
}

/* ---- the connection ---- */

struct redis *redis_new(const char *socket_path, const char *script, size_t script_bytes)
{
    struct redis *redis = calloc(1, sizeof *redis);
    assert(redis);
    redis->socket_path = socket_path;
    redis->script = script;
    redis->script_bytes = script_bytes;
    return redis;
}

static void redis_close(struct redis *redis)
{
    if (redis->link)
        redisFree(redis->link);
    redis->link = NULL;
    redis->under_way = 0;
    buf_clear(&redis->window);
}

void redis_destroy(struct redis **redis)
{
    if (!*redis)
        return;
    redis_close(*redis);
    buf_destroy(&(*redis)->window);
    free(*redis);
    *redis = NULL;
}

unsigned redis_servers(const struct redis *redis)
{
    return redis->servers;
}

static int redis_lost(struct redis *redis, const char *why, struct err *err)
{
    int rc = err_set(err, E_REDIS, "Redis at %s: %s", redis->socket_path, why);
    redis_close(redis);
    return rc;
}

static int redis_lost_errno(struct redis *redis, struct err *err)
{
    if (errno != EAGAIN && errno != EWOULDBLOCK)
        return redis_lost(redis, strerror(errno), err);
    char why[64];
    snprintf(why, sizeof why, "no answer within %d ms", REDIS_TIMEOUT_MS);
    return redis_lost(redis, why, err);
}

static int redis_write(struct redis *redis, const uint8_t *data, size_t bytes, struct err *err)
{
    while (bytes) {
        ssize_t n = send(redis->link->fd, data, bytes, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return redis_lost_errno(redis, err);
        data += n;
        bytes -= (size_t)n;
    }
    return 0;
}

static int redis_read(struct redis *redis, redisReply **ret_reply, struct err *err)
{
    void *reply = NULL;
    errno = 0;
    if (redisGetReply(redis->link, &reply) != REDIS_OK)
        return redis->link->err == REDIS_ERR_IO ? redis_lost_errno(redis, err)
                                                : redis_lost(redis, redis->link->errstr, err);
    assert(reply);
    *ret_reply = reply;
    return 0;
}

/* What Redis answered, as our error: 0 when it is none. Any but the script's own refusals closes the connection. */
static int reply_error(struct redis *redis, const redisReply *reply, struct err *err)
{
    static const int refusal[] = {E_FENCED, E_STATE};
    int rc = 0;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && !rc; i++)
        rc = reply_error(redis, reply->element[i], err);
    if (reply->type != REDIS_REPLY_ERROR)
        return rc;
    for (size_t i = 0; i < sizeof refusal / sizeof refusal[0]; i++) {
        size_t n = strlen(err_name(refusal[i]));
        if (!strncmp(reply->str, err_name(refusal[i]), n))
            return err_set(err, refusal[i], "Redis at %s:%s", redis->socket_path, reply->str + n);
    }
    return err_set(err, E_REDIS, "Redis at %s: %s", redis->socket_path, reply->str);
}

static void request_put(struct buf *to, const struct redis_request *request)
{
    put_count(to, '*', request->count);
    buf_append(to, request->words.data, request->words.size);
}

/* One request and its answer, with nothing else under way. */
static int redis_once(struct redis *redis, const struct redis_request *request, redisReply **ret_reply, struct err *err)
{
    AUTO(reply_destroy) redisReply *reply = NULL;
    AUTO(buf_destroy) struct buf bytes = {0};
    assert(redis->link && !redis->under_way);
    request_put(&bytes, request);
    int rc = redis_write(redis, bytes.data, bytes.size, err);
    if (!rc)
        rc = redis_read(redis, &reply, err);
    if (rc)
        return rc;
    rc = reply_error(redis, reply, err);
    if (rc == E_REDIS)
        redis_close(redis);
    if (rc)
        return rc;
    *ret_reply = reply;
    reply = NULL;
    return 0;
}

static void script_request(struct redis *redis, struct redis_request *request)
{
    redis_begin(request, "SCRIPT");
    redis_add_text(request, "LOAD");
    redis_add(request, redis->script, redis->script_bytes);
}

static int script_load(struct redis *redis, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request request = {0};
    AUTO(reply_destroy) redisReply *reply = NULL;
    script_request(redis, &request);
    int rc = redis_once(redis, &request, &reply, err);
    if (rc)
        return rc;
    if (reply->type != REDIS_REPLY_STRING || reply->len != SCRIPT_ID_CHARS)
        return redis_lost(redis, "SCRIPT LOAD did not answer with a digest", err);
    memcpy(redis->script_id, reply->str, SCRIPT_ID_CHARS);
    return 0;
}

/* "NO" "ONE": of none. */
static int replica_of(struct redis *redis, const char *host, const char *port, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request request = {0};
    AUTO(reply_destroy) redisReply *reply = NULL;
    redis_begin(&request, "REPLICAOF");
    redis_add_text(&request, host);
    redis_add_text(&request, port);
    return redis_once(redis, &request, &reply, err);
}

static int server_look(struct redis *redis, struct err *err)
{
    static const char key[] = "run_id:";
    AUTO(redis_request_destroy) struct redis_request request = {0};
    AUTO(reply_destroy) redisReply *reply = NULL;
    redis_begin(&request, "INFO");
    redis_add_text(&request, "server");
    redis_add_text(&request, "replication");
    int rc = redis_once(redis, &request, &reply, err);
    if (rc)
        return rc;
    const char *found = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, key) : NULL;
    if (!found || strlen(found) < sizeof key - 1 + RUN_ID_CHARS)
        return redis_lost(redis, "INFO does not tell its run_id", err);
    found += sizeof key - 1;
    if (strncmp(redis->run_id, found, RUN_ID_CHARS))
        redis->servers++;
    memcpy(redis->run_id, found, RUN_ID_CHARS);
    return strstr(reply->str, "role:slave") ? replica_of(redis, "NO", "ONE", err) : 0;
}

static int link_open(struct redis *redis, struct err *err)
{
    const struct timeval timeout = {REDIS_TIMEOUT_MS / 1000, REDIS_TIMEOUT_MS % 1000 * 1000};
    redis->link = redisConnectUnixWithTimeout(redis->socket_path, timeout);
    assert(redis->link);
    if (redis->link->err)
        return redis_lost(redis, redis->link->errstr, err);
    if (redisSetTimeout(redis->link, timeout) != REDIS_OK)
        return redis_lost(redis, redis->link->errstr, err);
    return 0;
}

int redis_connect(struct redis *redis, struct err *err)
{
    if (redis->link)
        return 0;
    int rc = link_open(redis, err);
    if (!rc)
        rc = server_look(redis, err);
    return rc ? rc : script_load(redis, err);
}

int redis_follow(const char *socket_path, const char *host, const char *port, struct err *err)
{
    AUTO(redis_destroy) struct redis *redis = redis_new(socket_path, "", 0);
    int rc = link_open(redis, err);
    return rc ? rc : replica_of(redis, host, port, err);
}

/* ---- many requests ---- */

int redis_send(struct redis *redis, const struct redis_request *request, struct err *err)
{
    assert(redis->link);
    int rc = redis->under_way == REDIS_WINDOW ? redis_settle(redis, err) : 0;
    if (rc)
        return rc;
    size_t start = redis->window.size;
    redis->start[redis->under_way++] = start;
    request_put(&redis->window, request);
    return redis_write(redis, redis->window.data + start, redis->window.size - start, err);
}

int redis_send_script(struct redis *redis, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request request = {0};
    script_request(redis, &request);
    return redis_send(redis, &request, err);
}

static bool script_is_missing(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && !strncmp(reply->str, "NOSCRIPT", strlen("NOSCRIPT"));
}

/* Reads the answers of the window from first on. *ret_missed: the first request that Redis lacked the script for, or
 * under_way. What follows such a request must have been refused as well: what was done out of order can't be repeated.
 */
static int window_read(struct redis *redis, size_t first, size_t *ret_missed, struct err *err)
{
    size_t missed = redis->under_way;
    int rc = 0;
    for (size_t i = first; i < redis->under_way; i++) {
        AUTO(reply_destroy) redisReply *reply = NULL;
        struct err why = {0};
        int now = redis_read(redis, &reply, err);
        if (now)
            return now;
        if (script_is_missing(reply))
            missed = missed < i ? missed : i;
        else if (missed < i)
            now = err_set(&why, E_REDIS, "Redis at %s: the script was loaded by somebody else", redis->socket_path);
        else
            now = reply_error(redis, reply, &why);
        if (now && !rc && err)
            *err = why;
        rc = rc ? rc : now;
    }
    *ret_missed = missed;
    return rc;
}

static int window_again(struct redis *redis, size_t missed, struct err *err)
{
    AUTO(redis_request_destroy) struct redis_request request = {0};
    AUTO(buf_destroy) struct buf load = {0};
    AUTO(reply_destroy) redisReply *reply = NULL;
    script_request(redis, &request);
    request_put(&load, &request);
    size_t start = redis->start[missed], missed_again = redis->under_way;
    int rc = redis_write(redis, load.data, load.size, err);
    if (!rc)
        rc = redis_write(redis, redis->window.data + start, redis->window.size - start, err);
    if (!rc)
        rc = redis_read(redis, &reply, err);
    if (!rc)
        rc = reply_error(redis, reply, err);
    if (!rc)
        rc = window_read(redis, missed, &missed_again, err);
    if (!rc && missed_again < redis->under_way)
        rc = err_set(err, E_REDIS, "Redis at %s does not keep the script", redis->socket_path);
    return rc;
}

int redis_settle(struct redis *redis, struct err *err)
{
    size_t missed = redis->under_way;
    if (!missed)
        return 0;
    int rc = window_read(redis, 0, &missed, err);
    if (!rc && missed < redis->under_way)
        rc = window_again(redis, missed, err);
    redis->under_way = 0;
    buf_clear(&redis->window);
    if (rc == E_REDIS)
        redis_close(redis);
    return rc;
}

int redis_ask(struct redis *redis, const struct redis_request *request, struct buf *into, struct err *err)
{
    AUTO(reply_destroy) redisReply *reply = NULL;
    int rc = redis_once(redis, request, &reply, err);
    if (rc)
        return rc;
    if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS)
        buf_append(into, reply->str, reply->len);
    return 0;
}
