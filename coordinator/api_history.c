/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_history.h"

#include <string.h>

static json_t *event_json(const struct event *event)
{
    return json_pack("{s:I, s:s, s:s, s:s, s:s}", "time_ms", (json_int_t)event->time_ms, "kind", event->kind, "actor",
                     event->actor, "subject", event->subject, "text", event->text);
}

/* What concerns no batch or unit is for all, but accounts for who may see them. */
static bool is_shown(const struct coordinator *c, const struct account *account, const struct event *event)
{
    const struct batch *batch = backlog_batch(c->backlog, event->subject);
    if (!strcmp(event->kind, "account"))
        return !account_may(account, RIGHT_AUDIT, REACH_ALL, NULL);
    if (!strcmp(event->kind, "target"))
        return account_covers(account, event->subject);
    if (!strcmp(event->kind, "rerun") || !strcmp(event->kind, "undone"))
        return !account->units; /* its predicate may name what is of others */
    return !batch || account_covers_some(account, batch);
}

/* ?subject=: of a batch, unit, worker or account; ?kind=. The oldest first. */
void get_history(struct coordinator *c, struct request *request, const struct route_args *args)
{
    const char *subject = request_argument(request, "subject"), *kind = request_argument(request, "kind");
    const struct event *event;
    json_t *events = json_array();
    (void)args;
    for (size_t i = 0; (event = history_at(c->history, i)); i++)
        if (is_shown(c, request_account(request), event) && (!subject || !strcmp(subject, event->subject)) &&
            (!kind || !strcmp(kind, event->kind)))
            json_array_append_new(events, event_json(event));
    request_answer(request, 200, json_pack("{s:o}", "events", events));
}
