/* SPDX-License-Identifier: AGPL-3.0-or-later
 * HTTP for the coordinator's loop (libmicrohttpd, no thread of its own). A request is read whole, within HTTP_BODY_BYTES,
 * and handed to api_handle(), which answers at once or later; blobs are streamed from the store in chunks read on the
 * back threads, so that neither a slow reader nor a slow store holds the loop. */
#ifndef SOHOA_HTTP_H
#define SOHOA_HTTP_H

#include <jansson.h>

#include "coordinator/asset.h"
#include "coordinator/coordinator.h"
#include "proto/json.h"

enum {
    HTTP_BODY_BYTES = PIECE_MAX_BYTES, /* a piece of a manifest */
    HTTP_CHUNK_BYTES = 1 << 20,
    HTTP_CONNECTIONS = 256,
    HTTP_FOLLOWERS = 128, /* of events, of those */
    HTTP_HEADERS = 4,     /* of an answer, beside those that all have */
    HTTP_TIMEOUT_S = 60,  /* of a connection on which nothing moves */
};

struct request;

/* Who asks: found out in auth.c. */
struct caller {
    const struct account *account; /* NULL: nobody who is known */
    const char *csrf;              /* of its session, borrowed until the handler returns; NULL: it has none */
    bool forged;                   /* it may be another site's page that asks, in the name of who is logged in */
};

/* listen: ADDRESS:PORT or unix:PATH. Errors: E_NET, E_CONFIG. */
int http_new(struct coordinator *c, const char *listen, struct http **ret_http, struct err *err);
void http_destroy(struct http **http);
int http_fd(const struct http *http);
int http_wait_ms(const struct http *http, int most_ms);
void http_run(struct http *http);

enum { HTTP_CLASSES = 6 }; /* of status, by its first digit */
struct http_counts {
    uint64_t answered[HTTP_CLASSES];
    unsigned followers; /* now */
};
void http_count(const struct http *http, struct http_counts *counts);

/* ---- for the API ---- */

const char *request_method(const struct request *request);
const char *request_path(const struct request *request);
const char *request_argument(const struct request *request, const char *name); /* NULL: not given */
struct buf *request_body(struct request *request);
const char *request_header(const struct request *request, const char *name); /* NULL: there is none */
const char *request_cookie(const struct request *request, const char *name); /* likewise */
struct caller *request_caller(struct request *request);
const struct account *request_account(struct request *request); /* of a request that a handler got: there is one */

enum peer_kind { PEER_LOCAL_SOCKET, PEER_LOOPBACK, PEER_REMOTE };
/* Where it came from; address gets a text of at most NAME_BYTES: of IPv6 only the network. */
enum peer_kind request_peer(const struct request *request, char address[NAME_BYTES]);

/* The answer will have that header, too, or in the place of the one that all have: value is copied. At most HTTP_HEADERS of them (asserted). */
void request_add_header(struct request *request, const char *name, const char *value);

/* Each request gets exactly one answer. body is taken over. */
void request_answer(struct request *request, unsigned status, json_t *body);
void request_answer_err(struct request *request,
                        const struct err *err); /* RFC 9457; the status follows from the code */
/* The same with text of any type, which is borrowed for good; the text is copied. */
void request_answer_text(struct request *request, unsigned status, const char *content_type, const struct buf *text);
/* A file of the dashboard. */
void request_answer_asset(struct request *request, const struct asset *asset);

/* Server-sent events, until the browser leaves: the last one that was told, and then what http_tell() says; unless it may hear the whole,
 * only that there was something (`changed`). It ends when who asked is not let in any more. E_LIMIT: there are HTTP_FOLLOWERS already. */
int request_follow(struct request *request, bool whole, struct err *err);
bool http_followed(const struct http *http); /* somebody would hear it */
/* A slow browser misses what came before the last. event NULL: a comment, which tells that we are there. */
void http_tell(struct http *http, const char *event, const char *data);

void request_answer_blob(struct request *request, const char *name, const char *content_type, const char *file_name);

#endif
