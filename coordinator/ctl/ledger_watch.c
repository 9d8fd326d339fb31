/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A verification and how far it is: of a store on this machine in a thread of its own, of a coordinator by asking it. */
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "coordinator/ctl/args.h"
#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/ledger.h"
#include "coordinator/ctl/rows.h"
#include "coordinator/ledger_json.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum { LOOK_MS = 200, LINE_MS = 5000 };

struct far {
    uint64_t entries, bytes, bytes_all;
};

struct watching {
    uint64_t began_ms, shown_ms;
    bool terminal;
};

static void far_show(struct watching *watching, const struct far *far)
{
    uint64_t now_ms = clock_mono_ms(), took_ms = now_ms - watching->began_ms;
    if (!took_ms || (watching->shown_ms && now_ms - watching->shown_ms < (watching->terminal ? LOOK_MS : LINE_MS)))
        return;
    if (!watching->shown_ms && took_ms < LOOK_MS)
        return;
    watching->shown_ms = now_ms;
    double percent = far->bytes_all ? 100.0 * (double)far->bytes / (double)far->bytes_all : 0;
    fprintf(stderr, watching->terminal ? "\r\033[K" : "sohoa: ");
    fprintf(stderr, "%" PRIu64 " entries, %.0f %%, %.0f entries/s", far->entries, percent,
            (double)far->entries * 1000 / (double)took_ms);
    if (far->bytes && far->bytes < far->bytes_all)
        fprintf(stderr, ", ETA %.0f s",
                (double)(far->bytes_all - far->bytes) * (double)took_ms / 1000 / (double)far->bytes);
    fputs(watching->terminal ? "" : "\n", stderr);
}

static void far_end(const struct watching *watching)
{
    if (watching->terminal && watching->shown_ms)
        fputs("\r\033[K", stderr);
}

/* ---- here ---- */

struct local {
    struct store *store;
    const uint8_t *public;
    const struct buf *kept;
    struct ledger_watch watch;
    struct ledger_verdict verdict;
    int rc;
    struct err err;
};

static void *local_run(void *arg)
{
    struct local *local = arg;
    local->rc = ledger_verify(local->store, local->public, local->kept, &local->watch, &local->verdict, &local->err);
    return NULL;
}

static int local_watch(struct local *local, struct watching *watching, struct err *err)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, local_run, local))
        return err_errno(err, E_NOMEM, "a thread to verify the ledger");
    while (!interrupt_join(thread, LOOK_MS)) {
        struct far far = {atomic_load(&local->watch.entries), atomic_load(&local->watch.bytes),
                          atomic_load(&local->watch.bytes_all)};
        far_show(watching, &far);
        if (interrupt_seen())
            atomic_store(&local->watch.stop, true);
    }
    if (local->rc)
        *err = local->err;
    return local->rc;
}

static int local_verify(const struct ledger_verifying *what, const struct buf *kept, struct watching *watching,
                        json_t **ret_verdict, struct err *err)
{
    AUTO(store_destroy) struct store *store = NULL;
    AUTO(mem_destroy) struct local *local = calloc(1, sizeof *local);
    uint8_t public[SIGNING_PUBLIC_BYTES];
    if (!local)
        return err_set(err, E_NOMEM, "no memory to verify the ledger");
    if (!strncmp(what->store, "dir:", 4) && access(what->store + 4, F_OK)) /* it would be made */
        return err_errno(err, E_ABSENT, "%s", what->store + 4);
    int rc = what->key ? signing_public_read(what->key, public, err) : 0;
    if (!rc)
        rc = store_open(what->store, &store, err);
    if (rc)
        return rc;
    local->store = store;
    local->public = what->key ? public : NULL;
    local->kept = kept;
    rc = local_watch(local, watching, err);
    if (!rc) {
        *ret_verdict = ledger_verdict_json(&local->verdict);
        json_object_set_new(*ret_verdict, "signatures", json_boolean(what->key != NULL));
    }
    return rc;
}

/* ---- by the coordinator ---- */

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static int state_take(const json_t *state, json_t **ret_verdict, struct err *err)
{
    const json_t *error = json_object_get(state, "error"), *result = json_object_get(state, "result");
    const char *text = json_string_value(json_object_get(error, "text"));
    if (text)
        return err_set(err, E_STATE, "the ledger was not verified: %s", text);
    if (!json_is_object(result))
        return err_set(err, E_VERSION, "the coordinator does not say what it found");
    *ret_verdict = json_incref((json_t *)(uintptr_t)result);
    return 0;
}

static int remote_verify(const struct ctl *ctl, const struct buf *kept, struct watching *watching, json_t **ret_verdict,
                         struct err *err)
{
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(json_drop) json_t *state = NULL;
    AUTO(json_drop) json_t *body = json_pack("{s:s*}", "checkpoint", kept ? buf_text(kept) : NULL);
    AUTO(mem_destroy) char *text = json_dumps(body, 0);
    int rc = api_open(ctl, &api, err);
    if (!rc)
        rc = api_post(api, "ledger/verify", text, text ? strlen(text) : 0, &state, err);
    while (!rc && !strcmp(json_string_value(json_object_get(state, "state")), "running")) {
        struct far far = {number_of(state, "entries"), number_of(state, "bytes"), number_of(state, "bytes_all")};
        far_show(watching, &far);
        if (interrupt_seen())
            return err_set(err, E_STATE, "interrupted; the coordinator goes on");
        interrupt_sleep(LOOK_MS);
        json_drop(&state);
        rc = api_get(api, "ledger/verify", &state, err);
        if (!rc && !json_string_value(json_object_get(state, "state")))
            rc = err_set(err, E_VERSION, "the coordinator does not say how far it is");
    }
    return rc ? rc : state_take(state, ret_verdict, err);
}

int ledger_watched(const struct ctl *ctl, const struct ledger_verifying *what, json_t **ret_verdict, struct err *err)
{
    AUTO(buf_destroy) struct buf kept = {0};
    struct watching watching = {.began_ms = clock_mono_ms(), .terminal = isatty(STDERR_FILENO)};
    interrupt_watch();
    int rc = what->checkpoint ? file_load(what->checkpoint, &kept, err) : 0;
    if (rc)
        return rc;
    rc = what->store ? local_verify(what, what->checkpoint ? &kept : NULL, &watching, ret_verdict, err)
                     : remote_verify(ctl, what->checkpoint ? &kept : NULL, &watching, ret_verdict, err);
    far_end(&watching);
    return rc;
}
