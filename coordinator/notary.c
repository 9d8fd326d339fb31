/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/notary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

struct notary {
    struct io_task task; /* of the tick */
    struct coordinator *c;
    struct signing_key key;
    uint64_t last; /* entries of the last checkpoint; the committer thread's */
    uint64_t due_ms;
    bool busy; /* task is under way */
};

static int last_find(struct coordinator *c, uint64_t *last, struct err *err)
{
    AUTO(buf_destroy) struct buf sizes = {0};
    int rc = checkpoints_find(c->store, &sizes, err);
    if (!rc && sizes.size)
        memcpy(last, sizes.data + sizes.size - sizeof *last, sizeof *last);
    return rc;
}

int notary_new(struct coordinator *c, struct notary **ret_notary, struct err *err)
{
    const char *path = config_text(c->config, CFG_LEDGER_KEY_FILE);
    if (!*path)
        return 0;
    AUTO(notary_destroy) struct notary *notary = calloc(1, sizeof *notary);
    if (!notary)
        return err_set(err, E_NOMEM, "no memory to sign checkpoints");
    notary->c = c;
    int rc = signing_key_load(path, &notary->key, err);
    if (!rc)
        rc = last_find(c, &notary->last, err);
    if (!rc)
        rc = checkpoints_load(c->store, notary->key.public, NOTARY_CHECKED, &c->checkpoints, err);
    if (rc)
        return rc;
    *ret_notary = notary;
    notary = NULL;
    return 0;
}

void notary_destroy(struct notary **notary)
{
    if (*notary)
        signing_key_forget(&(*notary)->key);
    free(*notary);
    *notary = NULL;
}

const uint8_t *notary_public(const struct notary *notary)
{
    return notary ? notary->key.public : NULL;
}

/* *ret_size: of the last checkpoint, new or not. */
static int sign(struct notary *notary, uint64_t *ret_size, struct err *err)
{
    uint8_t root[SHA256_BYTES];
    uint64_t size;
    int rc = 0;
    if (!ledger_root(notary->c->ledger, &size, root))
        return err_set(err, E_STATE, "entries of the ledger wait to be written; try again");
    if (!size)
        return err_set(err, E_STATE, "the ledger has no entry yet");
    if (size != notary->last)
        rc = checkpoint_put(notary->c->store, &notary->key, size, root, notary->last, err);
    if (rc)
        return rc;
    notary->last = *ret_size = size;
    return 0;
}

/* ---- by itself ---- */

static void tick_work(struct io_task *task)
{
    struct notary *notary = (struct notary *)task;
    struct err err;
    uint64_t size;
    int rc = sign(notary, &size, &err);
    if (rc && rc != E_STATE && rc != E_FENCED)
        trace_err(TRACE_WARN, "checkpoint_failed", &err, "after=%" PRIu64, notary->last);
}

static void tick_done(struct io_task *task)
{
    ((struct notary *)task)->busy = false;
}

void notary_tick(struct coordinator *c, uint64_t now_ms)
{
    struct notary *notary = c->notary;
    if (!notary || notary->busy || now_ms < notary->due_ms)
        return;
    notary->busy = true;
    notary->due_ms = now_ms + (uint64_t)config_int(c->config, CFG_LEDGER_CHECKPOINT_S) * 1000;
    notary->task = (struct io_task){.work = tick_work, .done = tick_done};
    io_submit(c->commit_io, &notary->task);
}

void notary_end(struct coordinator *c)
{
    if (c->notary && c->ledger)
        tick_work(&c->notary->task);
}

/* ---- when asked ---- */

static void ask_work(struct io_task *task)
{
    struct notary_ask *ask = (struct notary_ask *)task;
    struct name name;
    if (!ask->c->notary) {
        ask->rc = err_set(&ask->err, E_CONFIG, "this coordinator has no key to sign with: set ledger_key_file");
        return;
    }
    ask->rc = sign(ask->c->notary, &ask->size, &ask->err);
    if (!ask->rc)
        ask->rc = store_get(ask->c->store, checkpoint_name(&name, ask->size), CHECKPOINT_BYTES, &ask->note, &ask->err);
}

static void ask_done(struct io_task *task)
{
    struct notary_ask *ask = (struct notary_ask *)task;
    ask->done(ask);
}

void notary_sign(struct notary_ask *ask)
{
    ask->task = (struct io_task){.work = ask_work, .done = ask_done};
    io_submit(ask->c->commit_io, &ask->task);
}
