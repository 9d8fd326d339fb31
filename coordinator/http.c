/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A request's life: received by MHD piece by piece; handed over whole; suspended until its answer is there (at once, in
 * most cases); resumed and sent. Everything runs on the loop's thread. */
#include "coordinator/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "coordinator/api.h"
#include "coordinator/auth.h"
#include "coordinator/sse.h"
#include "proto/auto.h"
#include "proto/listen.h"
#include "proto/sha256.h"
#include "proto/tls.h"
#include "proto/trace.h"

enum { TAG_BYTES = 24, EVENTS_BLOCK = 8192 };

struct http {
    struct coordinator *c;
    struct sse *last; /* with an event; NULL: there was none */
    struct http_counts counts;
    struct MHD_Daemon *daemon;
    struct request *requests; /* all that are under way */
    char unix_path[108];
};

struct request {
    struct io_task task; /* reading a chunk of a blob */
    struct http *http;
    struct MHD_Connection *connection;
    struct request *next, **link;
    char method[16];
    char *path;
    struct buf body;
    bool handed, answered, suspended, too_large;
    unsigned status;
    struct buf answer;
    const char *content_type;
    struct caller caller;
    struct {
        const char *name;
        char *value;
    } header[HTTP_HEADERS];
    size_t headers;
    /* a blob */
    char blob[STORE_NAME_BYTES], file_name[NAME_BYTES];
    uint64_t blob_bytes, chunk_offset, want_offset;
    struct buf chunk;
    bool has_size;
    int rc;
    struct err err;
    const struct asset *asset;
    bool follows, whole, over;          /* whole: it may hear everything; over: nothing any more */
    struct sse *telling, *next_telling; /* what is being sent, from tell_offset on, and what comes then */
    uint64_t tell_offset;               /* in all that was sent */
};

/* ---- answers ---- */

static void request_wake(struct request *request)
{
    if (!request->suspended)
        return;
    request->suspended = false;
    MHD_resume_connection(request->connection);
}

static void request_sleep(struct request *request)
{
    request->suspended = true;
    MHD_suspend_connection(request->connection);
}

void request_add_header(struct request *request, const char *name, const char *value)
{
    char *copy = strdup(value);
    assert(request->headers < HTTP_HEADERS);
    if (!copy)
        abort();
    request->header[request->headers].name = name;
    request->header[request->headers++].value = copy;
}

static void request_ready(struct request *request, unsigned status, const char *content_type)
{
    request->status = status;
    request->content_type = content_type;
    request->answered = true;
    request_wake(request);
}

void request_answer(struct request *request, unsigned status, json_t *body)
{
    assert(!request->answered);
    char *text = json_dumps(body, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        abort();
    buf_puts(&request->answer, text);
    buf_puts(&request->answer, "\n");
    free(text);
    json_decref(body);
    request_ready(request, status, request->content_type ? request->content_type : "application/json");
}

void request_answer_text(struct request *request, unsigned status, const char *content_type, const struct buf *text)
{
    buf_append(&request->answer, text->data, text->size);
    request_ready(request, status, content_type);
}

static unsigned err_status(int code)
{
    switch (code) {
    case E_ABSENT: return MHD_HTTP_NOT_FOUND;
    case E_EXISTS:
    case E_STATE:
    case E_STOPPED: return MHD_HTTP_CONFLICT;
    case E_LOGIN: return MHD_HTTP_UNAUTHORIZED;
    case E_DENIED: return MHD_HTTP_FORBIDDEN;
    case E_TRIES: return MHD_HTTP_TOO_MANY_REQUESTS;
    case E_LIMIT: return MHD_HTTP_CONTENT_TOO_LARGE;
    case E_USAGE:
    case E_WHERE:
    case E_MANIFEST: return MHD_HTTP_BAD_REQUEST;
    case E_STORE:
    case E_NET:
    case E_TIME:
    case E_REDIS: return MHD_HTTP_SERVICE_UNAVAILABLE;
    default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

void request_answer_err(struct request *request, const struct err *err)
{
    unsigned status = err_status(err->code);
    if (status == MHD_HTTP_UNAUTHORIZED)
        request_add_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    request->content_type = "application/problem+json";
    request_answer(request, status,
                   json_pack("{s:s, s:s, s:i, s:s, s:s}", "type", "about:blank", "title", err_meaning(err->code),
                             "status", (int)status, "detail", err->text, "code", err_name(err->code)));
}

/* ---- blobs ---- */

static void chunk_work(struct io_task *task)
{
    struct request *request = (struct request *)task;
    struct store *store = request->http->c->store;
    request->rc = 0;
    if (!request->has_size)
        request->rc = store_stat(store, request->blob, &request->blob_bytes, &request->err);
    buf_clear(&request->chunk);
    if (!request->rc)
        request->rc =
            store_read(store, request->blob, request->want_offset, HTTP_CHUNK_BYTES, &request->chunk, &request->err);
    request->chunk_offset = request->want_offset;
}

static void chunk_done(struct io_task *task)
{
    struct request *request = (struct request *)task;
    bool first = !request->has_size;
    request->has_size = true;
    if (first && request->rc) {
        request_answer_err(request, &request->err);
        return;
    }
    request->answered = true;
    request_wake(request);
}

static void chunk_start(struct request *request, uint64_t offset)
{
    request->want_offset = offset;
    request->task = (struct io_task){.work = chunk_work, .done = chunk_done};
    io_submit(request->http->c->back_io, &request->task);
}

void request_answer_blob(struct request *request, const char *name, const char *content_type, const char *file_name)
{
    snprintf(request->blob, sizeof request->blob, "%s", name);
    snprintf(request->file_name, sizeof request->file_name, "%s", file_name);
    request->content_type = content_type;
    request->status = MHD_HTTP_OK;
    chunk_start(request, 0);
}

static ssize_t blob_reader(void *cls, uint64_t position, char *into, size_t most)
{
    struct request *request = cls;
    if (request->rc || position >= request->blob_bytes)
        return request->rc ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    if (position < request->chunk_offset || position >= request->chunk_offset + request->chunk.size) {
        if (position == request->chunk_offset && request->has_size && position == request->want_offset &&
            !request->chunk.size)
            return MHD_CONTENT_READER_END_WITH_ERROR; /* the blob became shorter */
        chunk_start(request, position);
        request_sleep(request);
        return 0;
    }
    size_t at = (size_t)(position - request->chunk_offset);
    size_t n = request->chunk.size - at < most ? request->chunk.size - at : most;
    memcpy(into, request->chunk.data + at, n);
    return (ssize_t)n;
}

/* ---- events ---- */

int request_follow(struct request *request, bool whole, struct err *err)
{
    struct http *http = request->http;
    if (http->counts.followers == HTTP_FOLLOWERS)
        return err_set(err, E_LIMIT, "%d follow the events already (HTTP_FOLLOWERS)", HTTP_FOLLOWERS);
    http->counts.followers++;
    request->follows = true;
    request->whole = whole;
    request->telling = whole && http->last ? sse_hold(http->last) : sse_new(NULL, NULL);
    request_ready(request, MHD_HTTP_OK, "text/event-stream");
    return 0;
}

bool http_followed(const struct http *http)
{
    return http->counts.followers;
}

void http_tell(struct http *http, const char *event, const char *data)
{
    struct sse *message = sse_new(event, data), *part = sse_new(event ? "changed" : NULL, "{}");
    for (struct request *request = http->requests; request; request = request->next)
        if (request->follows) {
            bool holds = auth_holds(http->c, request) && request->whole == !request_account(request)->units;
            sse_drop(&request->next_telling);
            request->over = !holds;
            request->next_telling = !holds ? NULL : sse_hold(request->whole ? message : part);
            request_wake(request);
        }
    sse_drop(&part);
    if (event) {
        sse_drop(&http->last);
        http->last = sse_hold(message);
    }
    sse_drop(&message);
}

static ssize_t events_reader(void *cls, uint64_t position, char *into, size_t most)
{
    struct request *request = cls;
    if (request->telling && position >= request->tell_offset + request->telling->bytes)
        sse_drop(&request->telling);
    if (!request->telling) {
        request->telling = request->next_telling;
        request->next_telling = NULL;
        request->tell_offset = position;
    }
    if (!request->telling && request->over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!request->telling) {
        request_sleep(request);
        return 0;
    }
    size_t at = (size_t)(position - request->tell_offset), left = request->telling->bytes - at;
    size_t n = left < most ? left : most;
    memcpy(into, request->telling->text + at, n);
    return (ssize_t)n;
}

/* ---- sending ---- */

/* A page of ours runs no script but ours, talks to nobody else, and is in nobody else's frame. */
static const struct {
    const char *name, *value;
} header_rule[] = {
    {"Content-Security-Policy",      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
                                "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
                                "frame-ancestors 'none'"},
    {"X-Content-Type-Options",       "nosniff"                                         },
    {"Referrer-Policy",              "no-referrer"                                     },
    {"Cross-Origin-Opener-Policy",   "same-origin"                                     },
    {"Cross-Origin-Resource-Policy", "same-origin"                                     },
};

static bool has_own(const struct request *request, const char *header)
{
    size_t i = 0;
    while (i < request->headers && strcmp(request->header[i].name, header))
        i++;
    return i < request->headers;
}

static void headers_send(const struct request *request, struct MHD_Response *response)
{
    for (size_t i = 0; i < sizeof header_rule / sizeof header_rule[0]; i++)
        if (!has_own(request, header_rule[i].name))
            MHD_add_response_header(response, header_rule[i].name, header_rule[i].value);
    for (size_t i = 0; i < request->headers; i++)
        MHD_add_response_header(response, request->header[i].name, request->header[i].value);
}

void request_answer_asset(struct request *request, const struct asset *asset)
{
    request->asset = asset;
    request_ready(request, MHD_HTTP_OK, asset->content_type);
}

/* What a browser has already is not sent again: its tag is the content's hash. True: it has it. */
static bool tag_check(struct request *request, const void *data, size_t bytes, char tag[TAG_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1];
    sha256_of(data, bytes, digest);
    sha256_hex(digest, hex);
    snprintf(tag, TAG_BYTES, "\"%.16s\"", hex);
    const char *has = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    return has && strstr(has, tag);
}

/* It says so itself. */
static bool keeps_nothing(const struct request *request)
{
    for (size_t i = 0; i < request->headers; i++)
        if (!strcmp(request->header[i].name, MHD_HTTP_HEADER_CACHE_CONTROL))
            return true;
    return false;
}

static struct MHD_Response *content_response(struct request *request)
{
    const struct asset *asset = request->asset;
    const void *data = asset ? (const void *)asset->data : request->answer.data;
    size_t bytes = asset ? asset->bytes : request->answer.size;
    char tag[TAG_BYTES] = "";
    if (request->status == MHD_HTTP_OK && !strcmp(request->method, MHD_HTTP_METHOD_GET) && !keeps_nothing(request) &&
        tag_check(request, data, bytes, tag)) {
        request->status = MHD_HTTP_NOT_MODIFIED;
        bytes = 0;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(bytes, (void *)(uintptr_t)data, MHD_RESPMEM_PERSISTENT);
    if (response && *tag)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
    if (response && *tag)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"); /* ask whether it is the same */
    return response;
}

static enum MHD_Result answer_send(struct request *request)
{
    struct MHD_Response *response;
    bool stream = *request->blob && !request->answer.size;
    if (request->follows)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENTS_BLOCK, events_reader, request, NULL);
    else if (stream)
        response = MHD_create_response_from_callback(request->blob_bytes, HTTP_CHUNK_BYTES, blob_reader, request, NULL);
    else
        response = content_response(request);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->content_type);
    headers_send(request, response);
    if (stream) {
        char disposition[NAME_BYTES + 32];
        snprintf(disposition, sizeof disposition, "inline; filename=\"%s\"", request->file_name);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
    }
    request->http->counts.answered[request->status / 100 % HTTP_CLASSES]++;
    enum MHD_Result rc = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return rc;
}

/* ---- MHD's calls ---- */

static struct request *request_new(struct http *http, struct MHD_Connection *connection, const char *url,
                                   const char *method)
{
    struct request *request = calloc(1, sizeof *request);
    if (!request || !(request->path = strdup(url)))
        abort();
    request->http = http;
    request->connection = connection;
    snprintf(request->method, sizeof request->method, "%s", method);
    request->next = http->requests;
    request->link = &http->requests;
    if (request->next)
        request->next->link = &request->next;
    http->requests = request;
    return request;
}

static void body_add(struct request *request, const char *data, size_t bytes)
{
    if (request->body.size + bytes > HTTP_BODY_BYTES)
        request->too_large = true;
    else
        buf_append(&request->body, data, bytes);
}

static void request_hand_over(struct request *request)
{
    struct err err;
    request->handed = true;
    if (request->too_large) {
        err_set(&err, E_LIMIT, "the request is over %d bytes (HTTP_BODY_BYTES)", HTTP_BODY_BYTES);
        request_answer_err(request, &err);
    } else {
        api_handle(request->http->c, request);
    }
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_bytes, void **state)
{
    struct request *request = *state;
    (void)version;
    if (!request) {
        *state = request_new(cls, connection, url, method);
        return MHD_YES;
    }
    if (*data_bytes) {
        body_add(request, data, *data_bytes);
        *data_bytes = 0;
        return MHD_YES;
    }
    if (!request->handed)
        request_hand_over(request);
    if (request->answered)
        return answer_send(request);
    request_sleep(request);
    return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;
    (void)cls;
    (void)connection;
    (void)code;
    if (!request)
        return;
    *request->link = request->next;
    if (request->next)
        request->next->link = request->link;
    buf_destroy(&request->body);
    buf_destroy(&request->answer);
    buf_destroy(&request->chunk);
    request->http->counts.followers -= request->follows;
    sse_drop(&request->telling);
    sse_drop(&request->next_telling);
    for (size_t i = 0; i < request->headers; i++)
        free(request->header[i].value);
    free(request->path);
    free(request);
    *state = NULL;
}

int http_new(struct coordinator *c, const char *listen_text, struct http **ret_http, struct err *err)
{
    AUTO(http_destroy) struct http *http = calloc(1, sizeof *http);
    struct MHD_OptionItem tls[TLS_OPTIONS];
    int fd = -1;
    if (!http)
        return err_set(err, E_NOMEM, "no memory for HTTP");
    http->c = c;
    const char *path = listen_path(listen_text);
    int rc = listen_at(config_key_name(CFG_HTTP), listen_text, &fd, err);
    if (!rc && path)
        snprintf(http->unix_path, sizeof http->unix_path, "%s", path);
    if (rc)
        return rc;
    unsigned encrypted = tls_options(&c->certificate, tls);
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | encrypted, 0, NULL, NULL, on_request, http, MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_TIMEOUT_S, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!http->daemon) {
        close(fd);
        return err_set(err, E_NET, "http = %s: libmicrohttpd does not start%s", listen_text,
                       encrypted ? ": do http_cert_file and http_key_file hold a certificate and its key (PEM)?" : "");
    }
    *ret_http = http;
    http = NULL;
    return 0;
}

void http_destroy(struct http **http)
{
    if (!*http)
        return;
    for (struct request *request = (*http)->requests; request; request = request->next)
        request_wake(request);
    if ((*http)->daemon)
        MHD_stop_daemon((*http)->daemon);
    sse_drop(&(*http)->last);
    if (*(*http)->unix_path)
        unlink((*http)->unix_path);
    free(*http);
    *http = NULL;
}

int http_fd(const struct http *http)
{
    return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_wait_ms(const struct http *http, int most_ms)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (MHD_get_timeout(http->daemon, &wait_ms) == MHD_NO || wait_ms > (MHD_UNSIGNED_LONG_LONG)most_ms)
        return most_ms;
    return (int)wait_ms;
}

void http_run(struct http *http)
{
    MHD_run(http->daemon);
}

void http_count(const struct http *http, struct http_counts *counts)
{
    *counts = http->counts;
}

const char *request_method(const struct request *request)
{
    return request->method;
}

const char *request_path(const struct request *request)
{
    return request->path;
}

const char *request_argument(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct buf *request_body(struct request *request)
{
    return &request->body;
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *request_cookie(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);
}

struct caller *request_caller(struct request *request)
{
    return &request->caller;
}

const struct account *request_account(struct request *request)
{
    assert(request->caller.account);
    return request->caller.account;
}

static enum peer_kind peer_ipv6(const struct in6_addr *ip, char *address)
{
    struct in6_addr network = *ip;
    if (IN6_IS_ADDR_V4MAPPED(ip)) {
        inet_ntop(AF_INET, &ip->s6_addr[12], address, NAME_BYTES);
        return ip->s6_addr[12] == IN_LOOPBACKNET ? PEER_LOOPBACK : PEER_REMOTE;
    }
    memset(&network.s6_addr[8], 0, 8); /* a host has as many addresses there as it likes */
    inet_ntop(AF_INET6, IN6_IS_ADDR_LOOPBACK(ip) ? ip : &network, address, NAME_BYTES);
    return IN6_IS_ADDR_LOOPBACK(ip) ? PEER_LOOPBACK : PEER_REMOTE;
}

enum peer_kind request_peer(const struct request *request, char address[NAME_BYTES])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    snprintf(address, NAME_BYTES, *request->http->unix_path ? "unix" : "?");
    if (*request->http->unix_path)
        return PEER_LOCAL_SOCKET;
    if (info && info->client_addr->sa_family == AF_INET6)
        return peer_ipv6(&((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr, address);
    if (!info || info->client_addr->sa_family != AF_INET)
        return PEER_REMOTE;
    struct in_addr ip = ((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr;
    inet_ntop(AF_INET, &ip, address, NAME_BYTES);
    return ntohl(ip.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET ? PEER_LOOPBACK : PEER_REMOTE;
}
