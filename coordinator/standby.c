/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/standby.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "proto/auto.h"
#include "proto/clock.h"
#include "proto/listen.h"
#include "proto/scrape.h"
#include "proto/trace.h"
#include "storage/replica.h"

enum { LOCK_RETRY_MS = 500 }; /* the lock is asked for this often */

static void standby_tell(struct buf *text, void *user)
{
    struct exposition to = {.text = text};
    (void)user;
    metric_begin(&to, &coordinator_metric[CM_BUILD]);
    metric_add(&to, 1, "coordinator", SOHOA_BUILD);
    metric_put(&to, &coordinator_metric[CM_ACTIVE], 0);
}

static const char *standby_unready(void *user)
{
    (void)user;
    return "another coordinator is active: this one stands by";
}

/* Where that can't be listened for nobody is told, and the coordinator stands by all the same. */
static void standby_listen(const struct coordinator *c, struct scrape **ret_scrape)
{
    const struct scrape_source source = {standby_tell, standby_unready, E_LOCKED, NULL};
    const char *where = config_text(c->config, CFG_HTTP);
    struct err err;
    if (!listen_path(where) && scrape_new(config_key_name(CFG_HTTP), where, &c->certificate, &source, ret_scrape, &err))
        trace_err(TRACE_WARN, "standby_unheard", &err, "http=%s", trace_value(where));
}

/* False: it is told to go. */
static bool standby_pause(struct scrape *scrape, int signals)
{
    uint64_t now_ms = clock_mono_ms(), end_ms = now_ms + LOCK_RETRY_MS;
    for (; now_ms < end_ms; now_ms = clock_mono_ms()) {
        struct pollfd ready[] = {
            {signals,           POLLIN, 0},
            {scrape_fd(scrape), POLLIN, 0}
        };
        poll(ready, 2, scrape_wait_ms(scrape, (int)(end_ms - now_ms)));
        scrape_run(scrape);
        if (ready[0].revents)
            return false;
    }
    return true;
}

int standby_wait(struct coordinator *c, struct err *err)
{
    AUTO(scrape_destroy) struct scrape *scrape = NULL;
    AUTO(fd_destroy) int signals = -1;
    struct replica replica;
    sigset_t set;
    if (replica_init(&replica, config_text(c->config, CFG_REDIS_OTHERS), c->name, config_text(c->config, CFG_REDIS),
                     err))
        return E_CONFIG;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    for (;;) {
        int rc = store_lock(c->store, c->name, (uint32_t)config_int(c->config, CFG_LOCK_TTL_MS), err);
        if (rc != E_LOCKED)
            return rc;
        if (signals < 0) {
            signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
            if (signals < 0)
                return err_errno(err, E_IO, "signalfd");
            standby_listen(c, &scrape);
            trace_err(TRACE_INFO, "standby", err, "store=%s", trace_value(config_text(c->config, CFG_STORE)));
        }
        replica_keep(&replica, store_holder(c->store), clock_mono_ms());
        if (!standby_pause(scrape, signals)) {
            c->stop = true;
            return E_LOCKED;
        }
    }
}
