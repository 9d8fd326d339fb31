/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/webhook.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"

struct webhook {
    CURL *curl; /* which keeps its connection */
    struct curl_slist *headers;
    char said[CURL_ERROR_SIZE];
    atomic_bool stopping;
};

void webhook_destroy(struct webhook **webhook)
{
    if (!*webhook)
        return;
    curl_easy_cleanup((*webhook)->curl);
    curl_slist_free_all((*webhook)->headers);
    free(*webhook);
    *webhook = NULL;
}

void webhook_stop(struct webhook *webhook)
{
    if (webhook)
        atomic_store(&webhook->stopping, true);
}

/* ---- what the operator said ---- */

static void url_destroy(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void text_destroy(char **text)
{
    curl_free(*text);
}

static int url_check(const char *text, struct err *err)
{
    AUTO(url_destroy) CURLU *url = curl_url();
    AUTO(text_destroy) char *scheme = NULL;
    CURLUcode code = url ? curl_url_set(url, CURLUPART_URL, text, 0) : CURLUE_OUT_OF_MEMORY;
    if (!code)
        code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    if (code)
        return err_set(err, E_CONFIG, "notify_url: %s", curl_url_strerror(code));
    return strcmp(scheme, "http") && strcmp(scheme, "https")
               ? err_set(err, E_CONFIG, "notify_url begins with %.20s://, which is neither http nor https", scheme)
               : 0;
}

static int token_read(const char *path, char token[WEBHOOK_TOKEN_BYTES], struct err *err)
{
    AUTO(file_destroy) FILE *file = fopen(path, "re");
    if (!file)
        return err_errno(err, E_CONFIG, "notify_token_file: %s", path);
    token[0] = '\0';
    if (!fgets(token, WEBHOOK_TOKEN_BYTES, file) && ferror(file))
        return err_errno(err, E_CONFIG, "notify_token_file: %s", path);
    size_t bytes = strcspn(token, "\r\n");
    bool whole = bytes < WEBHOOK_TOKEN_BYTES - 1;
    token[bytes] = '\0';
    for (size_t i = 0; i < bytes; i++)
        whole = whole && token[i] > ' ' && token[i] < 0x7f;
    return bytes && whole ? 0
                          : err_set(err, E_CONFIG,
                                    "notify_token_file: %s: its first line is no token: 1 to %d visible ASCII letters",
                                    path, WEBHOOK_TOKEN_BYTES - 2);
}

/* ---- the handle ---- */

static size_t answer_pass(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

static int stop_look(void *user, curl_off_t in_most, curl_off_t in, curl_off_t out_most, curl_off_t out)
{
    const struct webhook *webhook = user;
    (void)in_most;
    (void)in;
    (void)out_most;
    (void)out;
    return atomic_load(&webhook->stopping);
}

static void options_set(struct webhook *webhook, const char *url, const char *token)
{
    CURL *curl = webhook->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)WEBHOOK_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)WEBHOOK_TOTAL_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, webhook->headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sohoa");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_pass);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, webhook->said);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_look);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, webhook);
    if (*token) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token);
    }
}

int webhook_new(const char *url, const char *token_file, struct webhook **ret_webhook, struct err *err)
{
    AUTO(webhook_destroy) struct webhook *webhook = NULL;
    char token[WEBHOOK_TOKEN_BYTES] = "";
    int rc = url_check(url, err);
    if (!rc && *token_file)
        rc = token_read(token_file, token, err);
    if (rc)
        return rc;
    webhook = curl_global_init(CURL_GLOBAL_DEFAULT) ? NULL : calloc(1, sizeof *webhook);
    if (!webhook || !(webhook->curl = curl_easy_init()) ||
        !(webhook->headers = curl_slist_append(NULL, "Content-Type: application/json")))
        return err_set(err, E_NOMEM, "no memory for the webhook");
    options_set(webhook, url, token);
    *ret_webhook = webhook;
    webhook = NULL;
    return 0;
}

int webhook_post(struct webhook *webhook, const void *body, size_t bytes, unsigned *ret_status, unsigned *ret_ms,
                 struct err *err)
{
    long status = 0;
    curl_off_t us = 0;
    webhook->said[0] = '\0';
    curl_easy_setopt(webhook->curl, CURLOPT_POSTFIELDSIZE, (long)bytes);
    curl_easy_setopt(webhook->curl, CURLOPT_POSTFIELDS, body);
    CURLcode code = curl_easy_perform(webhook->curl);
    curl_easy_getinfo(webhook->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(webhook->curl, CURLINFO_TOTAL_TIME_T, &us);
    *ret_status = (unsigned)status;
    *ret_ms = (unsigned)(us / 1000);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, E_TIME, "the receiver of alerts did not answer within %u ms", *ret_ms);
    if (code)
        return err_set(err, E_NET, "the receiver of alerts: %s",
                       *webhook->said ? webhook->said : curl_easy_strerror(code));
    return status / 100 == 2 ? 0 : err_set(err, E_NET, "the receiver of alerts answered %ld", status);
}
