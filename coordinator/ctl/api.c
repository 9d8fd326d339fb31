/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One libcurl handle, which keeps its connection. Proxies are never used: the coordinator is in the same network. */
#include "coordinator/ctl/api.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/ctl/args.h"
#include "proto/auto.h"
#include "proto/sha256.h"

#define CONNECT_MS        5000L
#define STALL_SECONDS     300L /* without a byte: admitting a large batch takes the coordinator a while */
#define ANSWER_MAX_BYTES  ((size_t)256 << 20)
#define PROBLEM_MAX_BYTES ((size_t)64 << 10)

struct api {
    CURL *curl;
    char *address; /* as given, for errors */
    struct buf base;
};

void json_print(const json_t *json)
{
    json_dumpf(json, stdout, JSON_COMPACT);
    puts("");
}

void api_destroy(struct api **api)
{
    if (!*api)
        return;
    curl_easy_cleanup((*api)->curl);
    free((*api)->address);
    buf_destroy(&(*api)->base);
    free(*api);
    *api = NULL;
}

static int address_take(struct api *api, const char *address, struct err *err)
{
    if (!strncmp(address, "unix:", 5) && address[5]) {
        CURLcode code = curl_easy_setopt(api->curl, CURLOPT_UNIX_SOCKET_PATH, address + 5);
        buf_puts(&api->base, "http://localhost/api/v1/");
        return code == CURLE_OK ? 0 : err_set(err, E_USAGE, "%s: %s", address, curl_easy_strerror(code));
    }
    static const char secure[] = "https://";
    bool encrypted = !strncmp(address, secure, sizeof secure - 1);
    address += encrypted ? sizeof secure - 1 : 0;
    const char *port = strrchr(address, ':');
    if (!port || port == address || !port[1] || port[1 + strspn(port + 1, "0123456789")] || strchr(address, '/'))
        return err_set(
            err, E_USAGE,
            "coordinator '%.80s' is not ADDRESS:PORT, https://ADDRESS:PORT or unix:PATH (--api or SOHOA_API)", address);
    buf_printf(&api->base, "%s%s/api/v1/", encrypted ? secure : "http://", address);
    return 0;
}

int api_new(const char *address, struct api **ret_api, struct err *err)
{
    AUTO(api_destroy) struct api *api = calloc(1, sizeof *api);
    if (!api || !(api->address = strdup(address)) || !(api->curl = curl_easy_init()))
        return err_set(err, E_NOMEM, "no memory for the HTTP client");
    int rc = address_take(api, address, err);
    if (rc)
        return rc;
    *ret_api = api;
    api = NULL;
    return 0;
}

int api_open(const struct ctl *ctl, struct api **ret_api, struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(buf_destroy) struct buf token = {0};
    const char *said = getenv("SOHOA_TOKEN"), *ca = ctl->ca_file ? ctl->ca_file : getenv("SOHOA_CA");
    int rc = api_new(ctl->api, &api, err);
    if (!rc && ctl->token_file)
        rc = args_line(ctl->token_file, &token, err);
    else if (!rc && said)
        buf_puts(&token, said);
    if (rc)
        return rc;
    if (ca)
        curl_easy_setopt(api->curl, CURLOPT_CAINFO, ca);
    if (token.size) {
        curl_easy_setopt(api->curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(api->curl, CURLOPT_XOAUTH2_BEARER, buf_text(&token));
    }
    *ret_api = api;
    api = NULL;
    return 0;
}

void api_escape(struct buf *path, const char *text)
{
    for (; *text; text++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~", *text))
            buf_append(path, text, 1);
        else
            buf_printf(path, "%%%02X", (unsigned char)*text);
}

/* ---- one exchange ---- */

struct exchange {
    CURL *curl;
    const char *method, *path;
    const char *body;
    size_t body_bytes;
    const char *body_type;
    struct buf *into; /* answers go here ... */
    size_t into_most;
    int fd;             /* ... or to this file, when it is not negative */
    struct buf problem; /* what came with a status of 400 and above */
    int write_errno;
    bool too_large;
    long status;
};

static void exchange_destroy(struct exchange *x)
{
    buf_destroy(&x->problem);
}

static size_t keep(struct exchange *x, struct buf *into, size_t most, const char *data, size_t bytes)
{
    x->too_large = into->size + bytes > most;
    if (x->too_large)
        return 0;
    buf_append(into, data, bytes);
    return bytes;
}

static size_t save(struct exchange *x, const char *data, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = write(x->fd, data + at, bytes - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            x->write_errno = errno;
            return 0;
        }
        at += (size_t)n;
    }
    return bytes;
}

static size_t body_arrived(char *data, size_t size, size_t count, void *user)
{
    struct exchange *x = user;
    size_t bytes = size * count;
    curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &x->status);
    if (x->status >= 400)
        return keep(x, &x->problem, PROBLEM_MAX_BYTES, data, bytes);
    return x->fd >= 0 ? save(x, data, bytes) : keep(x, x->into, x->into_most, data, bytes);
}

static int code_of(const char *name)
{
#define CODE_ROW(code, number, class, text)                                                                            \
    if (!strcmp(name, #code))                                                                                          \
        return code;
    ERR_TABLE(CODE_ROW)
#undef CODE_ROW
    return E_NET;
}

static int problem_take(const struct exchange *x, struct err *err)
{
    AUTO(json_drop) json_t *json = json_loadb(buf_text(&x->problem), x->problem.size, 0, NULL);
    const char *code = json_string_value(json_object_get(json, "code"));
    const char *detail = json_string_value(json_object_get(json, "detail"));
    if (!code)
        return err_set(err, E_NET, "%s %s: HTTP status %ld; is that a Sohoa coordinator?", x->method, x->path,
                       x->status);
    int number = code_of(code);
    return err_set(err, number, "%s", detail && *detail ? detail : err_meaning(number));
}

static int failure_take(const struct api *api, const struct exchange *x, CURLcode code, struct err *err)
{
    if (x->write_errno) {
        errno = x->write_errno;
        return err_errno(err, E_IO, "writing what %s gave", x->path);
    }
    if (x->too_large)
        return err_set(err, E_LIMIT, "%s: the answer is larger than %zu bytes", x->path, x->into_most);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        return err_set(err, E_NET, "no coordinator answers at %s (--api or SOHOA_API says where it is)", api->address);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(err, E_NET,
                       "%s proves itself with a certificate that nobody vouches for here (--ca or SOHOA_CA): %s",
                       api->address, curl_easy_strerror(code));
    if (code == CURLE_SSL_CACERT_BADFILE)
        return err_set(err, E_USAGE, "the file in --ca or SOHOA_CA: %s", curl_easy_strerror(code));
    return err_set(err, E_NET, "%s: %s: %s", api->address, x->path, curl_easy_strerror(code));
}

static struct curl_slist *headers_set(CURL *curl, const struct exchange *x)
{
    struct buf type = {0};
    buf_printf(&type, "Content-Type: %s", x->body_type);
    struct curl_slist *headers = curl_slist_append(NULL, buf_text(&type));
    headers = curl_slist_append(headers, "Expect:");
    buf_destroy(&type);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, x->body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body_bytes);
    return headers;
}

static void options_set(CURL *curl, const char *url, struct exchange *x)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_arrived);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    if (strcmp(x->method, "GET"))
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, x->method);
    else
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL), curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
}

static int exchange_run(struct api *api, struct exchange *x, struct err *err)
{
    AUTO(buf_destroy) struct buf url = {0};
    buf_printf(&url, "%s%s", buf_text(&api->base), x->path);
    x->curl = api->curl;
    options_set(api->curl, buf_text(&url), x);
    struct curl_slist *headers = x->body ? headers_set(api->curl, x) : NULL;
    CURLcode code = curl_easy_perform(api->curl);
    curl_easy_getinfo(api->curl, CURLINFO_RESPONSE_CODE, &x->status);
    curl_easy_setopt(api->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return failure_take(api, x, code, err);
    return x->status >= 400 ? problem_take(x, err) : 0;
}

/* ---- the calls ---- */

static int json_exchange(struct api *api, struct exchange *x, json_t **ret_json, struct err *err)
{
    AUTO(buf_destroy) struct buf answer = {0};
    x->into = &answer;
    x->into_most = ANSWER_MAX_BYTES;
    x->fd = -1;
    int rc = exchange_run(api, x, err);
    if (rc || !ret_json)
        return rc;
    json_error_t why;
    AUTO(json_drop) json_t *json = json_loadb(buf_text(&answer), answer.size, 0, &why);
    if (!json_is_object(json))
        return err_set(err, E_VERSION, "%s %s: the answer is not a JSON object (%s)", x->method, x->path,
                       json ? "another kind" : why.text);
    *ret_json = json;
    json = NULL;
    return 0;
}

int api_get(struct api *api, const char *path, json_t **ret_json, struct err *err)
{
    AUTO(exchange_destroy) struct exchange x = {.method = "GET", .path = path};
    return json_exchange(api, &x, ret_json, err);
}

static int post(struct api *api, const char *path, const char *type, const void *body, size_t bytes, json_t **ret_json,
                struct err *err)
{
    AUTO(exchange_destroy)
    struct exchange x = {
        .method = "POST", .path = path, .body = bytes ? body : "", .body_bytes = bytes, .body_type = type};
    return json_exchange(api, &x, ret_json, err);
}

int api_post(struct api *api, const char *path, const char *body, size_t bytes, json_t **ret_json, struct err *err)
{
    return post(api, path, "application/json", body, bytes, ret_json, err);
}

int api_post_lines(struct api *api, const char *path, const void *lines, size_t bytes, json_t **ret_json,
                   struct err *err)
{
    return post(api, path, "application/x-ndjson", lines, bytes, ret_json, err);
}

/* Whole lines from offset on. */
static size_t piece_bytes(const struct buf *lines, size_t offset)
{
    size_t bytes = lines->size - offset;
    if (bytes <= API_PIECE_BYTES)
        return bytes;
    const uint8_t *newline = memrchr(lines->data + offset, '\n', API_PIECE_BYTES);
    return newline ? (size_t)(newline + 1 - (lines->data + offset)) : API_PIECE_BYTES;
}

static int piece_admit(struct api *api, const char *id, const char *query, const struct buf *lines, size_t offset,
                       size_t bytes, json_t **ret_json, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    buf_puts(&path, "batches?id=");
    api_escape(&path, id);
    buf_printf(&path, "&offset=%zu&more=%d%s%s", offset, offset + bytes < lines->size, *query ? "&" : "", query);
    return api_post_lines(api, buf_text(&path), buf_text(lines) + offset, bytes, ret_json, err);
}

int api_admit(struct api *api, const char *id, const char *query, const struct buf *lines, json_t **ret_json,
              struct err *err)
{
    char name[SHA256_HEX_CHARS + 8], hex[SHA256_HEX_CHARS + 1];
    uint8_t sha256[SHA256_BYTES];
    AUTO(json_drop) json_t *batch = NULL;
    bool created = false;
    size_t offset = 0;
    if (!id) {
        sha256_of(lines->data, lines->size, sha256);
        sha256_hex(sha256, hex);
        snprintf(name, sizeof name, "batch-%.16s", hex);
    }
    do {
        size_t bytes = piece_bytes(lines, offset);
        json_drop(&batch);
        int rc = piece_admit(api, id ? id : name, query, lines, offset, bytes, &batch, err);
        if (rc)
            return rc;
        created = created || json_is_true(json_object_get(batch, "created"));
        offset += bytes;
    } while (offset < lines->size || json_is_true(json_object_get(batch, "more")));
    json_object_set_new(batch, "created", json_boolean(created));
    if (ret_json)
        *ret_json = json_incref(batch);
    return 0;
}

int api_delete(struct api *api, const char *path, json_t **ret_json, struct err *err)
{
    AUTO(exchange_destroy) struct exchange x = {.method = "DELETE", .path = path};
    return json_exchange(api, &x, ret_json, err);
}

int api_load(struct api *api, const char *path, size_t most, struct buf *into, struct err *err)
{
    AUTO(exchange_destroy)
    struct exchange x = {.method = "GET", .path = path, .into = into, .into_most = most, .fd = -1};
    return exchange_run(api, &x, err);
}

int api_save(struct api *api, const char *path, int fd, struct err *err)
{
    AUTO(exchange_destroy) struct exchange x = {.method = "GET", .path = path, .fd = fd};
    return exchange_run(api, &x, err);
}
