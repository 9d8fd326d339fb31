/* SPDX-License-Identifier: AGPL-3.0-or-later
 * HTTP for the coordinator's loop (libmicrohttpd, no thread of its own). A request is read whole, within HTTP_BODY_BYTES,
 * and handed to api_handle(), which answers at once or later; blobs are streamed from the store in chunks read on the
 * back threads, so that neither a slow reader nor a slow store holds the loop. */
#ifndef SOHOA_HTTP_H
#define SOHOA_HTTP_H

#include <jansson.h>

#include "coordinator/asset.h"
#include "coordinator/coordinator.h"

enum {
    HTTP_BODY_BYTES = PIECE_MAX_BYTES, /* a piece of a manifest */
    HTTP_CHUNK_BYTES = 1 << 20,
    HTTP_CONNECTIONS = 256,
    HTTP_FOLLOWERS = 128, /* of events, of those */
    HTTP_TIMEOUT_S = 60,  /* of a connection on which nothing moves */
};

struct request;

/* listen: ADDRESS:PORT or unix:PATH. Errors: E_NET, E_CONFIG. */
int http_new(struct coordinator *c, const char *listen, struct http **ret_http, struct err *err);
void http_destroy(struct http **http);
int http_fd(const struct http *http);
int http_wait_ms(const struct http *http, int most_ms);
void http_run(struct http *http);

/* ---- for the API ---- */

static inline void json_drop(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

const char *request_method(const struct request *request);
const char *request_path(const struct request *request);
const char *request_argument(const struct request *request, const char *name); /* NULL: not given */
struct buf *request_body(struct request *request);

/* Each request gets exactly one answer. body is taken over. */
void request_answer(struct request *request, unsigned status, json_t *body);
void request_answer_err(struct request *request,
                        const struct err *err); /* RFC 9457; the status follows from the code */
/* A file of the dashboard. */
void request_answer_asset(struct request *request, const struct asset *asset);

/* Server-sent events, until the browser leaves: it hears the last one of each kind, and then what http_tell() says. E_LIMIT: there are
 * HTTP_FOLLOWERS already. */
int request_follow(struct request *request, struct err *err);
bool http_followed(const struct http *http); /* somebody would hear it */
/* A slow browser misses what came before the last. event NULL: a comment, which tells that we are there. */
void http_tell(struct http *http, const char *event, const char *data);

void request_answer_blob(struct request *request, const char *name, const char *content_type, const char *file_name);

#endif
