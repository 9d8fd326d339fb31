/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/renewal.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/trace.h"
#include "storage/thread.h"

struct renewal {
    struct store *store;
    uint32_t every_ms;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t ends;
    bool runs, stop;
    int rc, fd;                 /* rc: how the lock was lost, and */
    struct err err;             /* why */
    _Atomic uint64_t looked_ms; /* 0: not yet */
};

static bool holder_is_stuck(const struct renewal *renewal)
{
    uint64_t looked_ms = atomic_load(&renewal->looked_ms);
    return looked_ms && clock_mono_ms() > looked_ms + RENEWAL_SILENT_MS;
}

static int renew(struct renewal *renewal, struct err *err)
{
    if (holder_is_stuck(renewal)) {
        trace(TRACE_ERROR, "holder_stuck", "epoch=%" PRIu64, store_epoch(renewal->store));
        return 0; /* the lock runs out, unless it wakes before */
    }
    int rc = store_renew(renewal->store, err);
    if (rc && err_class(rc) == ERR_RETRY) {
        trace_err(TRACE_WARN, "renewal_failed", err, "epoch=%" PRIu64, store_epoch(renewal->store));
        return 0;
    }
    return rc;
}

/* False: it is to end. */
static bool renewal_pause(struct renewal *renewal)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += renewal->every_ms / 1000;
    end.tv_nsec += renewal->every_ms % 1000 * 1000000L;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    while (!renewal->stop && !pthread_cond_timedwait(&renewal->ends, &renewal->mutex, &end)) {
    }
    return !renewal->stop;
}

static void *renewal_run(void *user)
{
    struct renewal *renewal = user;
    pthread_mutex_lock(&renewal->mutex);
    while (!renewal->rc && renewal_pause(renewal)) {
        struct err err = {0};
        pthread_mutex_unlock(&renewal->mutex);
        int rc = renew(renewal, &err);
        pthread_mutex_lock(&renewal->mutex);
        renewal->rc = rc;
        renewal->err = err;
    }
    if (renewal->rc && write(renewal->fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        trace(TRACE_ERROR, "renewal_unheard", "fd=%d", renewal->fd);
    pthread_mutex_unlock(&renewal->mutex);
    return NULL;
}

int renewal_start(struct store *store, uint32_t ttl_ms, struct renewal **ret_renewal, struct err *err)
{
    AUTO(renewal_stop) struct renewal *renewal = calloc(1, sizeof *renewal);
    pthread_condattr_t clock;
    if (!renewal)
        return err_set(err, E_NOMEM, "no memory to renew the store's lock");
    renewal->store = store;
    renewal->every_ms = ttl_ms / 3;
    pthread_mutex_init(&renewal->mutex, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&renewal->ends, &clock);
    pthread_condattr_destroy(&clock);
    renewal->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc =
        renewal->fd < 0 ? err_errno(err, E_IO, "eventfd") : thread_start(&renewal->thread, renewal_run, renewal, err);
    renewal->runs = !rc;
    if (rc)
        return rc;
    *ret_renewal = renewal;
    renewal = NULL;
    return 0;
}

void renewal_stop(struct renewal **ref)
{
    struct renewal *renewal = *ref;
    if (!renewal)
        return;
    pthread_mutex_lock(&renewal->mutex);
    renewal->stop = true;
    pthread_cond_signal(&renewal->ends);
    pthread_mutex_unlock(&renewal->mutex);
    if (renewal->runs)
        pthread_join(renewal->thread, NULL);
    fd_destroy(&renewal->fd);
    pthread_cond_destroy(&renewal->ends);
    pthread_mutex_destroy(&renewal->mutex);
    free(renewal);
    *ref = NULL;
}

int renewal_fd(const struct renewal *renewal)
{
    return renewal->fd;
}

int renewal_look(struct renewal *renewal, struct err *err)
{
    atomic_store(&renewal->looked_ms, clock_mono_ms());
    pthread_mutex_lock(&renewal->mutex);
    int rc = renewal->rc;
    if (rc)
        *err = renewal->err;
    pthread_mutex_unlock(&renewal->mutex);
    return rc;
}
