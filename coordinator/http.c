/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A request's life: received by MHD piece by piece; handed over whole; suspended until its answer is there (at once, in
 * most cases); resumed and sent. Everything runs on the loop's thread. */
#include "coordinator/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "coordinator/api.h"
#include "proto/auto.h"
#include "proto/trace.h"

struct http {
    struct coordinator *c;
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
    /* a blob */
    char blob[STORE_NAME_BYTES], file_name[NAME_BYTES];
    uint64_t blob_bytes, chunk_offset, want_offset;
    struct buf chunk;
    bool has_size;
    int rc;
    struct err err;
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
    request->status = status;
    request->answered = true;
    if (!request->content_type)
        request->content_type = "application/json";
    request_wake(request);
}

static unsigned err_status(int code)
{
    switch (code) {
    case E_ABSENT: return MHD_HTTP_NOT_FOUND;
    case E_EXISTS:
    case E_STATE:
    case E_STOPPED: return MHD_HTTP_CONFLICT;
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

static enum MHD_Result answer_send(struct request *request)
{
    struct MHD_Response *response;
    bool stream = *request->blob && !request->answer.size;
    if (stream)
        response = MHD_create_response_from_callback(request->blob_bytes, HTTP_CHUNK_BYTES, blob_reader, request, NULL);
    else
        response = MHD_create_response_from_buffer(request->answer.size, request->answer.data, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, request->content_type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (stream) {
        char disposition[NAME_BYTES + 32];
        snprintf(disposition, sizeof disposition, "inline; filename=\"%s\"", request->file_name);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_DISPOSITION, disposition);
    }
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
    free(request->path);
    free(request);
    *state = NULL;
}

/* ---- the listener ---- */

static int listen_unix(struct http *http, const char *path, int *ret_fd, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO(fd_destroy) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, E_CONFIG, "http = unix:%s: the path has over %zu bytes", path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    memcpy(http->unix_path, path, strlen(path) + 1);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, SOMAXCONN))
        return err_errno(err, E_NET, "http = unix:%s", path);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int listen_tcp(const char *listen_text, int *ret_fd, struct err *err)
{
    char host[NAME_BYTES];
    const char *colon = strrchr(listen_text, ':');
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (!colon || (size_t)(colon - listen_text) >= sizeof host)
        return err_set(err, E_CONFIG, "http = %s is not ADDRESS:PORT or unix:PATH", listen_text);
    snprintf(host, sizeof host, "%.*s", (int)(colon - listen_text), listen_text);
    int failed = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
    if (failed)
        return err_set(err, E_CONFIG, "http = %s: %s", listen_text, gai_strerror(failed));
    AUTO(fd_destroy) int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool bound = fd >= 0 && !bind(fd, found->ai_addr, found->ai_addrlen) && !listen(fd, SOMAXCONN);
    if (!bound)
        err_errno(err, E_NET, "http = %s", listen_text);
    freeaddrinfo(found);
    if (!bound)
        return E_NET;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int http_new(struct coordinator *c, const char *listen_text, struct http **ret_http, struct err *err)
{
    AUTO(http_destroy) struct http *http = calloc(1, sizeof *http);
    int fd = -1;
    if (!http)
        return err_set(err, E_NOMEM, "no memory for HTTP");
    http->c = c;
    bool local = !strncmp(listen_text, "unix:", 5);
    int rc = local ? listen_unix(http, listen_text + 5, &fd, err) : listen_tcp(listen_text, &fd, err);
    if (rc)
        return rc;
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, http,
                                    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                                    MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS,
                                    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_TIMEOUT_S, MHD_OPTION_END);
    if (!http->daemon) {
        close(fd);
        return err_set(err, E_NET, "http = %s: libmicrohttpd does not start", listen_text);
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
