/* SPDX-License-Identifier: AGPL-3.0-or-later */
#ifndef SOHOA_THREAD_H
#define SOHOA_THREAD_H

#include <pthread.h>

#include "proto/err.h"

/* Starts one that takes no signals: those stay with the threads that are there. Errors: E_NOMEM. */
int thread_start(pthread_t *ret_thread, void *(*run)(void *user), void *user, struct err *err);

#endif
