/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Between start and done of the task its message, body and what came of it are the back thread's. */
#include "coordinator/herald.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/message.h"
#include "coordinator/watch.h"
#include "coordinator/webhook.h"
#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"

enum { LOOK_MS = 500 };

struct herald {
    struct io_task task;
    struct coordinator *c;
    struct webhook *webhook; /* NULL: there is no notify_url */
    struct notify *notify;
    struct buf alerts; /* struct alert: what stands */
    uint64_t looked_ms;
    size_t passed;     /* alerts that were too many, at the last look */
    uint32_t rewrites; /* of Redis that what was told is known to */
    struct request *test;
    bool busy, testing; /* testing: what is sent is the test */
    struct notify_message message;
    char *body;
    unsigned status, ms;
    int rc;
    struct err err;
};

/* Redis, as long as it is away, is told nothing; what it missed is told when it is rewritten. */
static void told_save(const char *field, const char *value, void *user)
{
    struct herald *herald = user;
    group_add_told(herald->c->group, field ? field : PROGRESS_TOLD_ALL, value);
}

int herald_new(struct coordinator *c, struct herald **ret_herald, struct err *err)
{
    AUTO(herald_destroy) struct herald *herald = calloc(1, sizeof *herald);
    const char *url = config_text(c->config, CFG_NOTIFY_URL), *file = config_text(c->config, CFG_NOTIFY_TOKEN_FILE);
    if (!herald)
        abort();
    herald->c = c;
    herald->notify =
        notify_new(&(struct notify_rules){.hold_ms = (uint64_t)config_int(c->config, CFG_NOTIFY_HOLD_MS),
                                          .repeat_ms = (uint64_t)config_int(c->config, CFG_NOTIFY_REPEAT_MS),
                                          .save = told_save,
                                          .user = herald});
    if (!*url && *file)
        return err_set(err, E_CONFIG, "there is a notify_token_file, but no notify_url");
    int rc = *url ? webhook_new(url, file, &herald->webhook, err) : 0;
    if (rc)
        return rc;
    *ret_herald = herald;
    herald = NULL;
    return 0;
}

void herald_stop(struct herald *herald)
{
    if (herald)
        webhook_stop(herald->webhook);
}

void herald_destroy(struct herald **herald)
{
    if (!*herald)
        return;
    webhook_destroy(&(*herald)->webhook);
    notify_destroy(&(*herald)->notify);
    buf_destroy(&(*herald)->alerts);
    free((*herald)->body);
    free(*herald);
    *herald = NULL;
}

static void told_take(const char *field, const char *value, void *user)
{
    notify_restore(user, field, value);
}

static void missed_take(const char *worker, void *user)
{
    watch_miss(user, worker);
}

void herald_restore(struct coordinator *c)
{
    if (!c->herald->webhook)
        return;
    committer_told(c->committer, told_take, c->herald->notify);
    notify_told(c->herald->notify, ALERT_WORKER_LOST, missed_take, c->watch);
}

/* ---- sending ---- */

static void send_work(struct io_task *task)
{
    struct herald *herald = (struct herald *)task;
    herald->rc =
        webhook_post(herald->webhook, herald->body, strlen(herald->body), &herald->status, &herald->ms, &herald->err);
}

static void test_done(struct herald *herald)
{
    struct request *request = herald->test;
    herald->test = NULL;
    trace(TRACE_INFO, "notify_test", "status=%u ms=%u", herald->status, herald->ms);
    if (herald->rc)
        request_answer_err(request, &herald->err);
    else
        request_answer(request, 200, json_pack("{s:i, s:i}", "status", (int)herald->status, "ms", (int)herald->ms));
}

static void message_done(struct herald *herald)
{
    const struct notify_message *message = &herald->message;
    uint64_t retry_ms = notify_sent(herald->notify, !herald->rc, clock_wall_ms());
    const char *kind = alert_rule(message->kind)->name;
    if (herald->rc)
        trace_err(TRACE_WARN, "notify_failed", &herald->err, "kind=%s state=%s subjects=%zu retry_ms=%" PRIu64, kind,
                  message->over ? "resolved" : "firing", message->subjects, retry_ms);
    else
        trace(TRACE_INFO, "notified", "kind=%s state=%s subjects=%zu subject=%s status=%u ms=%u", kind,
              message->over ? "resolved" : "firing", message->subjects, trace_value(message->subject[0]),
              herald->status, herald->ms);
}

static void send_done(struct io_task *task)
{
    struct herald *herald = (struct herald *)task;
    herald->busy = false;
    free(herald->body);
    herald->body = NULL;
    if (herald->testing)
        test_done(herald);
    else
        message_done(herald);
}

/* A test goes before what is due. */
static void send_next(struct herald *herald, uint64_t now_ms)
{
    AUTO(json_drop) json_t *json = NULL;
    if (herald->busy)
        return;
    herald->testing = herald->test;
    if (herald->testing)
        json = message_test_json(herald->c->name, now_ms);
    else if (notify_next(herald->notify, now_ms, &herald->message))
        json = message_json(herald->c->name, &herald->message);
    if (!json)
        return;
    herald->body = json_dumps(json, JSON_COMPACT);
    herald->busy = true;
    herald->task = (struct io_task){.work = send_work, .done = send_done};
    io_submit(herald->c->back_io, &herald->task);
}

int herald_test(struct coordinator *c, struct request *request, struct err *err)
{
    struct herald *herald = c->herald;
    if (!herald->webhook)
        return err_set(err, E_STATE, "the coordinator has no notify_url: it tells nobody of alerts");
    if (herald->test)
        return err_set(err, E_TRIES, "a test is under way: wait for its end");
    herald->test = request;
    send_next(herald, clock_wall_ms());
    return 0;
}

/* ---- looking ---- */

static void alert_take(const struct alert *alert, const char *text, void *user)
{
    (void)text;
    buf_append(user, alert, sizeof *alert);
}

static void look(struct herald *herald, uint64_t now_ms)
{
    static const struct account whole; /* of all units */
    herald->looked_ms = now_ms;
    buf_clear(&herald->alerts);
    watch_alerts(herald->c, &whole, alert_take, &herald->alerts);
    size_t passed = notify_look(herald->notify, (struct alert *)(void *)herald->alerts.data,
                                herald->alerts.size / sizeof(struct alert), now_ms);
    if (passed > herald->passed)
        trace(TRACE_WARN, "alerts_passed_over", "count=%zu most=%d", passed, NOTIFY_ALERTS_MAX);
    herald->passed = passed;
}

void herald_tick(struct coordinator *c, uint64_t now_ms)
{
    struct herald *herald = c->herald;
    if (!herald->webhook)
        return;
    if (herald->rewrites != c->rewrites) {
        herald->rewrites = c->rewrites;
        notify_save(herald->notify);
    }
    if (now_ms < herald->looked_ms + LOOK_MS && now_ms >= herald->looked_ms)
        return;
    look(herald, now_ms);
    send_next(herald, now_ms);
}
