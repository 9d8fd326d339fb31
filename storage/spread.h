/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The same work on many things, on some threads, while the thread that asked looks after what is its alone. */
#ifndef SOHOA_SPREAD_H
#define SOHOA_SPREAD_H

#include <stddef.h>

#include "proto/err.h"

enum { SPREAD_WATCH_MS = 200 };

/* Calls work(0 .. count - 1, user, err) from threads in no order, and watch(user, err) every SPREAD_WATCH_MS from this one. The first
 * error of any of them ends it, and is returned once all that was begun is done. */
int spread(size_t count, unsigned threads, int (*work)(size_t nth, void *user, struct err *err),
           int (*watch)(void *user, struct err *err), void *user, struct err *err);

#endif
