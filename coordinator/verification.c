/* SPDX-License-Identifier: AGPL-3.0-or-later
 * While it runs, its verdict is the thread's. */
#include "coordinator/verification.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/ledger_json.h"
#include "coordinator/notary.h"
#include "proto/clock.h"
#include "proto/trace.h"

struct verification {
    struct io_task task;
    struct store *store;
    const uint8_t *public;
    struct buf kept; /* empty: none */
    struct ledger_watch watch;
    struct ledger_verdict verdict;
    uint64_t began_ms, took_ms; /* monotonic */
    uint64_t ended_ms;          /* since 1970, UTC */
    bool running;
    int rc;
    struct err err;
};

static void verify_work(struct io_task *task)
{
    struct verification *it = (struct verification *)task;
    it->rc = ledger_verify(it->store, it->public, it->kept.size ? &it->kept : NULL, &it->watch, &it->verdict, &it->err);
}

static void verify_done(struct io_task *task)
{
    struct verification *it = (struct verification *)task;
    it->running = false;
    it->took_ms = clock_mono_ms() - it->began_ms;
    it->ended_ms = clock_wall_ms();
    if (it->rc)
        trace_err(TRACE_WARN, "ledger_not_verified", &it->err, "ms=%" PRIu64, it->took_ms);
    else if (it->verdict.findings)
        trace(TRACE_ERROR, "ledger_altered", "findings=%" PRIu64 " first=%s entry=%" PRIu64, it->verdict.findings,
              it->verdict.finding[0].blob, it->verdict.finding[0].entry);
    else
        trace(TRACE_INFO, "ledger_verified", "entries=%" PRIu64 " ms=%" PRIu64, it->verdict.entries, it->took_ms);
}

int verification_start(struct coordinator *c, const char *kept, struct err *err)
{
    if (!c->verification && !(c->verification = calloc(1, sizeof *c->verification)))
        return err_set(err, E_NOMEM, "no memory to verify the ledger");
    struct verification *it = c->verification;
    if (it->running)
        return err_set(err, E_STATE, "the ledger is being verified already");
    buf_destroy(&it->kept);
    *it = (struct verification){
        .store = c->store,
        .public = notary_public(c->notary),
        .began_ms = clock_mono_ms(),
        .running = true,
        .task = {.work = verify_work, .done = verify_done}
    };
    if (kept)
        buf_puts(&it->kept, kept);
    io_submit(c->back_io, &it->task);
    return 0;
}

void verification_stop(struct verification *verification)
{
    if (verification)
        atomic_store(&verification->watch.stop, true);
}

void verification_destroy(struct verification **verification)
{
    if (*verification)
        buf_destroy(&(*verification)->kept);
    free(*verification);
    *verification = NULL;
}

json_t *verification_json(const struct verification *it)
{
    if (!it)
        return json_pack("{s:s}", "state", "none");
    bool told = !it->running && !it->rc;
    return json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "state",
        it->running ? "running"
        : it->rc    ? "failed"
                    : "done",
        "entries", (json_int_t)atomic_load(&it->watch.entries), "bytes", (json_int_t)atomic_load(&it->watch.bytes),
        "bytes_all", (json_int_t)atomic_load(&it->watch.bytes_all), "ms",
        (json_int_t)(it->running ? clock_mono_ms() - it->began_ms : it->took_ms), "ended_ms",
        it->running ? json_null() : json_integer((json_int_t)it->ended_ms), "error",
        it->running || !it->rc ? json_null() : json_pack("{s:s, s:s}", "code", err_name(it->rc), "text", it->err.text),
        "result", told ? ledger_verdict_json(&it->verdict) : json_null());
}
