/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/thread.h"

#include <errno.h>
#include <signal.h>

int thread_start(pthread_t *ret_thread, void *(*run)(void *user), void *user, struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(ret_thread, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return failed ? err_errno(err, E_NOMEM, "starting a thread") : 0;
}
