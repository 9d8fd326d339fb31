/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The signals stay blocked and are taken out of the queue while sleeping or looking, so none falls between a look and a
 * sleep. Whoever starts a process must unblock them in it. */
#include "coordinator/ctl/interrupt.h"

#include <assert.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t watched;
static bool seen;

void interrupt_watch(void)
{
    sigemptyset(&watched);
    sigaddset(&watched, SIGINT);
    sigaddset(&watched, SIGTERM);
    struct sigaction hangup;
    sigaction(SIGHUP, NULL, &hangup);
    if (hangup.sa_handler != SIG_IGN) /* under nohup it is to be ignored */
        sigaddset(&watched, SIGHUP);
    int rc = sigprocmask(SIG_BLOCK, &watched, NULL);
    assert(rc == 0);
    (void)rc;
}

void interrupt_sleep(uint32_t ms)
{
    if (seen)
        return;
    struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
    seen = sigtimedwait(&watched, NULL, &wait) > 0;
}

bool interrupt_seen(void)
{
    interrupt_sleep(0);
    return seen;
}

bool interrupt_join(pthread_t thread, uint32_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}
