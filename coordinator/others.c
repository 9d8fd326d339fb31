/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What is asked for is the task's alone while it runs; what came out is looked at afterwards. */
#include "coordinator/others.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "proto/auto.h"

struct other {
    char address[NAME_BYTES];
    bool answered; /* the task's */
    unsigned misses;
};

struct others {
    struct io_task task;
    struct other other[OTHERS_MOST];
    const char *ca_file;
    size_t count;
    bool asking;
    uint64_t asked_ms;
};

static int address_add(struct others *others, const char *address, struct err *err)
{
    const char *port = strrchr(address, ':');
    struct other *other = &others->other[others->count];
    if (!port || port == address || !port[1] || port[1 + strspn(port + 1, "0123456789")] ||
        strlen(address) >= sizeof other->address)
        return err_set(err, E_CONFIG, "others: '%.60s' is not ADDRESS:PORT or https://ADDRESS:PORT", address);
    if (others->count == OTHERS_MOST)
        return err_set(err, E_CONFIG, "others: there are more than %d (OTHERS_MOST)", OTHERS_MOST);
    snprintf(other->address, sizeof other->address, "%s", address);
    others->count++;
    return 0;
}

int others_new(const char *setting, const char *ca_file, struct others **ret_others, struct err *err)
{
    AUTO(others_destroy) struct others *others = calloc(1, sizeof *others);
    AUTO(mem_destroy) char *copy = strdup(setting);
    char *rest = copy;
    int rc = 0;
    if (!others || !copy)
        return err_set(err, E_NOMEM, "no memory for the other coordinators");
    others->ca_file = ca_file;
    for (char *address; !rc && *setting && (address = strsep(&rest, ","));)
        rc = address_add(others, address, err);
    if (!rc && others->count && curl_global_init(CURL_GLOBAL_DEFAULT))
        rc = err_set(err, E_NOMEM, "no memory to ask the other coordinators");
    if (rc)
        return rc;
    *ret_others = others;
    others = NULL;
    return 0;
}

void others_destroy(struct others **others)
{
    free(*others);
    *others = NULL;
}

/* ---- asking ---- */

static void curl_destroy(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

/* What it says does not matter. */
static size_t body_pass(char *data, size_t size, size_t count, void *user)
{
    (void)data;
    (void)user;
    return size * count;
}

static bool is_well(const char *address, const char *ca_file)
{
    AUTO(curl_destroy) CURL *curl = curl_easy_init();
    AUTO(buf_destroy) struct buf url = {0};
    long status = 0;
    if (!curl)
        return false;
    buf_printf(&url, "%s%s/healthz", strstr(address, "://") ? "" : "http://", address);
    curl_easy_setopt(curl, CURLOPT_URL, buf_text(&url));
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    if (*ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)OTHERS_WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_pass);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return code == CURLE_OK && status == 200;
}

static void ask_work(struct io_task *task)
{
    struct others *others = (struct others *)task;
    for (size_t i = 0; i < others->count; i++)
        others->other[i].answered = is_well(others->other[i].address, others->ca_file);
}

static void ask_done(struct io_task *task)
{
    struct others *others = (struct others *)task;
    others->asking = false;
    for (size_t i = 0; i < others->count; i++)
        others->other[i].misses = others->other[i].answered ? 0 : others->other[i].misses + 1;
}

void others_tick(struct coordinator *c, uint64_t now_ms)
{
    struct others *others = c->others;
    if (!others->count || others->asking || (others->asked_ms && now_ms < others->asked_ms + OTHERS_ASK_MS))
        return;
    others->asking = true;
    others->asked_ms = now_ms;
    others->task = (struct io_task){.work = ask_work, .done = ask_done};
    io_submit(c->back_io, &others->task);
}

const char *others_lost(const struct others *others, size_t nth)
{
    for (size_t i = 0; i < others->count; i++)
        if (others->other[i].misses >= OTHERS_MISSES && !nth--)
            return others->other[i].address;
    return NULL;
}
