/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One list of views, short enough to be walked, and one of who waits. A view is told of, or dropped, in view_end() and
 * views_made() alone. */
#include "coordinator/view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

struct node {
    TAILQ_ENTRY(node) entry;
    struct view view;
};

struct waiter {
    TAILQ_ENTRY(waiter) entry;
    const struct node *node;
    uint64_t until_ms;
    view_tell *tell;
    void *user;
};

TAILQ_HEAD(node_list, node);
TAILQ_HEAD(waiter_list, waiter);

struct views {
    struct node_list list; /* in the order they were first asked for */
    struct waiter_list waiters;
    size_t waiting, running, kept;
    uint64_t kept_bytes, next_id, uses;
    void (*dropped)(const struct view *view, void *user);
    void *user;
};

struct views *views_new(uint64_t first_id, void (*dropped)(const struct view *view, void *user), void *user)
{
    struct views *views = calloc(1, sizeof *views);
    if (!views)
        abort();
    TAILQ_INIT(&views->list);
    TAILQ_INIT(&views->waiters);
    views->next_id = first_id | VIEW_LEASE;
    views->dropped = dropped;
    views->user = user;
    return views;
}

static void waiter_free(struct views *views, struct waiter *waiter)
{
    TAILQ_REMOVE(&views->waiters, waiter, entry);
    views->waiting--;
    free(waiter);
}

static void node_free(struct views *views, struct node *node)
{
    TAILQ_REMOVE(&views->list, node, entry);
    free(node);
}

void views_destroy(struct views **views)
{
    if (!*views)
        return;
    while (!TAILQ_EMPTY(&(*views)->waiters))
        waiter_free(*views, TAILQ_FIRST(&(*views)->waiters));
    while (!TAILQ_EMPTY(&(*views)->list))
        node_free(*views, TAILQ_FIRST(&(*views)->list));
    free(*views);
    *views = NULL;
}

/* ---- one view ---- */

static bool key_same(const struct view_key *a, const struct view_key *b)
{
    return a->page_no == b->page_no && a->width_px == b->width_px && a->pipeline == b->pipeline &&
           a->generation == b->generation && !memcmp(a->sha256, b->sha256, SHA256_BYTES);
}

static struct node *node_find(struct views *views, const struct view_key *key)
{
    struct node *node = TAILQ_FIRST(&views->list);
    while (node && !key_same(&node->view.key, key))
        node = TAILQ_NEXT(node, entry);
    return node;
}

static struct node *node_add(struct views *views, const struct view_key *key)
{
    struct node *node = calloc(1, sizeof *node);
    if (!node)
        abort();
    node->view = (struct view){.id = views->next_id++, .key = *key};
    TAILQ_INSERT_TAIL(&views->list, node, entry);
    return node;
}

static void view_move(struct views *views, struct view *view, enum view_state to)
{
    views->running += (to == VIEW_RUNNING) - (view->state == VIEW_RUNNING);
    views->kept += (to == VIEW_KEPT) - (view->state == VIEW_KEPT);
    view->state = to;
}

static bool is_waited_for(const struct views *views, const struct node *node)
{
    const struct waiter *waiter = TAILQ_FIRST(&views->waiters);
    while (waiter && waiter->node != node)
        waiter = TAILQ_NEXT(waiter, entry);
    return waiter;
}

static void waiters_tell(struct views *views, const struct node *node, const struct err *why)
{
    struct waiter *waiter = TAILQ_FIRST(&views->waiters), *next;
    for (; waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, entry);
        if (waiter->node != node)
            continue;
        waiter->tell(why ? NULL : &node->view, why, waiter->user);
        waiter_free(views, waiter);
    }
}

/* It is forgotten; who waits for it hears why. */
static void view_end(struct views *views, struct node *node, const struct err *why)
{
    waiters_tell(views, node, why);
    if (node->view.state == VIEW_KEPT)
        views->kept_bytes -= node->view.bytes;
    if (node->view.tries)
        views->dropped(&node->view, views->user);
    view_move(views, &node->view, VIEW_QUEUED);
    node_free(views, node);
}

/* ---- who asks ---- */

int views_ask(struct views *views, const struct view_key *key, uint64_t now_ms, view_tell *tell, void *user,
              struct err *err)
{
    struct node *node = node_find(views, key);
    if (node && node->view.state == VIEW_KEPT) {
        node->view.used = ++views->uses;
        tell(&node->view, NULL, user);
        return 0;
    }
    if (views->waiting == VIEW_WAITERS_MAX)
        return err_set(err, E_TIME, "%d requests wait for pages already (VIEW_WAITERS_MAX)", VIEW_WAITERS_MAX);
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter)
        abort();
    *waiter = (struct waiter){
        .node = node ? node : node_add(views, key), .until_ms = now_ms + VIEW_WAIT_MS, .tell = tell, .user = user};
    TAILQ_INSERT_TAIL(&views->waiters, waiter, entry);
    views->waiting++;
    return 0;
}

/* ---- who makes it ---- */

static unsigned worker_has(const struct views *views, uint32_t worker)
{
    unsigned has = 0;
    for (const struct node *node = TAILQ_FIRST(&views->list); node; node = TAILQ_NEXT(node, entry))
        has += node->view.state == VIEW_RUNNING && node->view.worker == worker;
    return has;
}

static struct node *node_queued(struct views *views)
{
    struct node *node = TAILQ_FIRST(&views->list);
    while (node && node->view.state != VIEW_QUEUED)
        node = TAILQ_NEXT(node, entry);
    return node;
}

const struct view *views_next(struct views *views, uint32_t worker, uint64_t now_ms)
{
    if (!views->waiting || views->running >= VIEW_RUNNING_MAX || worker_has(views, worker) >= VIEW_WORKER_MAX)
        return NULL;
    struct node *node = node_queued(views);
    if (!node)
        return NULL;
    view_move(views, &node->view, VIEW_RUNNING);
    node->view.worker = worker;
    node->view.lease_end_ms = now_ms + VIEW_LEASE_MS;
    node->view.tries++;
    return &node->view;
}

static void view_retry(struct views *views, struct node *node, const struct err *why)
{
    if (node->view.tries < VIEW_TRIES_MAX && is_waited_for(views, node))
        view_move(views, &node->view, VIEW_QUEUED);
    else
        view_end(views, node, why);
}

/* One view is never more than the room: VIEW_MAX_BYTES. */
static void kept_bound(struct views *views)
{
    while (views->kept > VIEW_KEPT_MAX || views->kept_bytes > VIEW_KEPT_BYTES) {
        struct node *oldest = NULL;
        for (struct node *node = TAILQ_FIRST(&views->list); node; node = TAILQ_NEXT(node, entry))
            if (node->view.state == VIEW_KEPT && (!oldest || node->view.used < oldest->view.used))
                oldest = node;
        assert(oldest);
        view_end(views, oldest, NULL);
    }
}

bool views_made(struct views *views, uint32_t worker, uint64_t id, uint64_t bytes, bool jpeg, const struct err *why)
{
    struct node *node = TAILQ_FIRST(&views->list);
    while (node && node->view.id != id)
        node = TAILQ_NEXT(node, entry);
    if (!node)
        return false;
    if (node->view.state != VIEW_RUNNING || node->view.worker != worker)
        return true; /* the blob is the same, whoever made it: another is at it, or has done it */
    if (why->code && err_class(why->code) == ERR_RETRY) {
        view_retry(views, node, why);
    } else if (why->code) {
        view_end(views, node, why);
    } else {
        view_move(views, &node->view, VIEW_KEPT);
        node->view.used = ++views->uses;
        node->view.bytes = bytes;
        node->view.jpeg = jpeg;
        views->kept_bytes += bytes;
        waiters_tell(views, node, NULL);
        kept_bound(views);
    }
    return true;
}

void views_lost(struct views *views, uint32_t worker)
{
    struct node *node = TAILQ_FIRST(&views->list), *next;
    struct err why;
    err_set(&why, E_NET, "%d workers were lost while they made the page (VIEW_TRIES_MAX)", VIEW_TRIES_MAX);
    for (; node; node = next) {
        next = TAILQ_NEXT(node, entry);
        if (node->view.state == VIEW_RUNNING && node->view.worker == worker)
            view_retry(views, node, &why);
    }
}

/* ---- time, and quarantine ---- */

static void waiters_expire(struct views *views, uint64_t now_ms)
{
    struct waiter *waiter = TAILQ_FIRST(&views->waiters), *next;
    struct err why;
    err_set(&why, E_TIME, "no worker made the page within %d ms (VIEW_WAIT_MS)", VIEW_WAIT_MS);
    for (; waiter; waiter = next) {
        next = TAILQ_NEXT(waiter, entry);
        if (now_ms < waiter->until_ms)
            continue;
        waiter->tell(NULL, &why, waiter->user);
        waiter_free(views, waiter);
    }
}

void views_expire(struct views *views, uint64_t now_ms)
{
    struct node *node = TAILQ_FIRST(&views->list), *next;
    struct err why;
    waiters_expire(views, now_ms);
    err_set(&why, E_TIME, "a worker did not make the page within %d ms (VIEW_LEASE_MS)", VIEW_LEASE_MS);
    for (; node; node = next) {
        next = TAILQ_NEXT(node, entry);
        if (node->view.state == VIEW_RUNNING && now_ms >= node->view.lease_end_ms)
            view_retry(views, node, &why);
        else if (node->view.state == VIEW_QUEUED && !is_waited_for(views, node))
            view_end(views, node, &why);
    }
}

void views_stop(struct views *views, const uint8_t sha256[SHA256_BYTES])
{
    struct node *node = TAILQ_FIRST(&views->list), *next;
    struct err why;
    err_set(&why, E_STOPPED, "the document was quarantined meanwhile");
    for (; node; node = next) {
        next = TAILQ_NEXT(node, entry);
        if (!memcmp(node->view.key.sha256, sha256, SHA256_BYTES))
            view_end(views, node, &why);
    }
}
