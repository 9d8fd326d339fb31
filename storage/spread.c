/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/spread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

enum { SPREAD_THREADS_MAX = 64 };

struct spreading {
    size_t count;
    int (*work)(size_t nth, void *user, struct err *err);
    void *user;
    _Atomic size_t next;
    _Atomic bool stop;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    unsigned running; /* threads */
    int rc;           /* of the first that failed */
    struct err err;
};

static void failed(struct spreading *s, int rc, const struct err *err)
{
    pthread_mutex_lock(&s->mutex);
    if (!s->rc) {
        s->rc = rc;
        s->err = *err;
    }
    pthread_mutex_unlock(&s->mutex);
    atomic_store(&s->stop, true);
}

static void work_on(struct spreading *s)
{
    struct err err = {0};
    for (size_t nth; !atomic_load(&s->stop) && (nth = atomic_fetch_add(&s->next, 1)) < s->count;) {
        int rc = s->work(nth, s->user, &err);
        if (rc)
            failed(s, rc, &err);
    }
}

static void *spread_thread(void *user)
{
    struct spreading *s = user;
    work_on(s);
    pthread_mutex_lock(&s->mutex);
    if (!--s->running)
        pthread_cond_signal(&s->ended);
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

/* Whether all have ended, after SPREAD_WATCH_MS at most. */
static bool spread_ended(struct spreading *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += SPREAD_WATCH_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&s->mutex);
    int late = 0;
    while (s->running && !late)
        late = pthread_cond_timedwait(&s->ended, &s->mutex, &until);
    bool ended = !s->running;
    pthread_mutex_unlock(&s->mutex);
    return ended;
}

static void watch_on(struct spreading *s, int (*watch)(void *user, struct err *err))
{
    struct err err = {0};
    while (!spread_ended(s)) {
        int rc = atomic_load(&s->stop) ? 0 : watch(s->user, &err);
        if (rc)
            failed(s, rc, &err);
    }
}

int spread(size_t count, unsigned threads, int (*work)(size_t nth, void *user, struct err *err),
           int (*watch)(void *user, struct err *err), void *user, struct err *err)
{
    struct spreading s = {.count = count, .work = work, .user = user};
    pthread_t thread[SPREAD_THREADS_MAX];
    unsigned started = 0;
    if (!count)
        return 0;
    pthread_mutex_init(&s.mutex, NULL);
    pthread_cond_init(&s.ended, NULL);
    threads = threads > SPREAD_THREADS_MAX ? SPREAD_THREADS_MAX : threads;
    s.running = threads > count ? (unsigned)count : threads;
    for (unsigned wanted = s.running; started < wanted; started++)
        if (pthread_create(&thread[started], NULL, spread_thread, &s))
            break;
    pthread_mutex_lock(&s.mutex);
    s.running -= (threads > count ? (unsigned)count : threads) - started; /* those that could not be started */
    pthread_mutex_unlock(&s.mutex);
    if (!started)
        work_on(&s);
    watch_on(&s, watch);
    for (unsigned i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    pthread_cond_destroy(&s.ended);
    pthread_mutex_destroy(&s.mutex);
    if (s.rc)
        *err = s.err;
    return s.rc;
}
