/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/scrape.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/listen.h"
#include "proto/metric.h"
#include "proto/tls.h"

struct scrape {
    struct scrape_source source;
    struct MHD_Daemon *daemon;
    char *unix_path; /* NULL: it is none */
};

/* Takes text's bytes. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *content_type,
                              struct buf *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(text->size, text->data, MHD_RESPMEM_MUST_FREE);
    if (!response)
        return MHD_NO;
    *text = (struct buf){0};
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

/* As the API says what it refuses. */
static unsigned answer_elsewhere(const struct scrape *scrape, struct buf *text, const char **ret_content_type)
{
    int code = scrape->source.elsewhere;
    *ret_content_type = "application/problem+json";
    buf_printf(text, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\",\"code\":\"%s\"}\n",
               err_meaning(code), MHD_HTTP_SERVICE_UNAVAILABLE, scrape->source.unready(scrape->source.user),
               err_name(code));
    return MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned answer_make(const struct scrape *scrape, const char *path, struct buf *text,
                            const char **ret_content_type)
{
    const char *why = NULL;
    *ret_content_type = METRIC_CONTENT_TYPE;
    if (!strcmp(path, "/metrics")) {
        scrape->source.metrics(text, scrape->source.user);
        return MHD_HTTP_OK;
    }
    if (!strcmp(path, "/readyz")) {
        why = scrape->source.unready(scrape->source.user);
    } else if (strcmp(path, "/healthz")) {
        if (scrape->source.elsewhere)
            return answer_elsewhere(scrape, text, ret_content_type);
        buf_puts(text, "there are /metrics, /healthz and /readyz\n");
        return MHD_HTTP_NOT_FOUND;
    }
    buf_printf(text, "%s\n", why ? why : "ok");
    return why ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK;
}

/* Called first with the head of a request alone, then once more; what else is sent is not of interest. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *data, size_t *data_bytes, void **state)
{
    static char seen;
    AUTO(buf_destroy) struct buf text = {0};
    (void)method;
    (void)version;
    (void)data;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*data_bytes) {
        *data_bytes = 0;
        return MHD_YES;
    }
    const char *content_type;
    unsigned status = answer_make(cls, url, &text, &content_type);
    return answer(connection, status, content_type, &text);
}

int scrape_new(const char *key, const char *listen, const struct certificate *certificate,
               const struct scrape_source *source, struct scrape **ret_scrape, struct err *err)
{
    static const struct certificate none;
    struct MHD_OptionItem tls[TLS_OPTIONS];
    AUTO(scrape_destroy) struct scrape *scrape = calloc(1, sizeof *scrape);
    int fd = -1;
    if (!scrape)
        return err_set(err, E_NOMEM, "no memory for HTTP");
    scrape->source = *source;
    int rc = listen_at(key, listen, &fd, err);
    if (rc)
        return rc;
    if (listen_path(listen))
        scrape->unix_path = strdup(listen_path(listen));
    unsigned encrypted = tls_options(certificate ? certificate : &none, tls);
    scrape->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | encrypted, 0, NULL, NULL, on_request, scrape, MHD_OPTION_LISTEN_SOCKET, fd,
                         MHD_OPTION_CONNECTION_LIMIT, (unsigned)SCRAPE_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)SCRAPE_TIMEOUT_S, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!scrape->daemon) {
        close(fd);
        return err_set(err, E_NET, "%s = %s: libmicrohttpd does not start", key, listen);
    }
    *ret_scrape = scrape;
    scrape = NULL;
    return 0;
}

void scrape_destroy(struct scrape **scrape)
{
    if (!*scrape)
        return;
    if ((*scrape)->daemon)
        MHD_stop_daemon((*scrape)->daemon);
    if ((*scrape)->unix_path)
        unlink((*scrape)->unix_path);
    free((*scrape)->unix_path);
    free(*scrape);
    *scrape = NULL;
}

int scrape_fd(const struct scrape *scrape)
{
    return scrape ? MHD_get_daemon_info(scrape->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd : -1;
}

int scrape_wait_ms(const struct scrape *scrape, int most_ms)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;
    if (!scrape || MHD_get_timeout(scrape->daemon, &wait_ms) == MHD_NO || wait_ms > (MHD_UNSIGNED_LONG_LONG)most_ms)
        return most_ms;
    return (int)wait_ms;
}

void scrape_run(struct scrape *scrape)
{
    if (scrape)
        MHD_run(scrape->daemon);
}
