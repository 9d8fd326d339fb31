/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Blocking calls (store, files, Redis) on a few threads, their ends told to an event loop: the loop polls io_fd() and
 * calls io_dispatch(). Tasks start in the order given; with one thread they also run one after the other. */
#ifndef SOHOA_IO_H
#define SOHOA_IO_H

#include "proto/err.h"

struct io;

/* Embed it as the first member of what the task works on. */
struct io_task {
    void (*work)(struct io_task *task); /* on a thread of the pool */
    void (*done)(struct io_task *task); /* on the loop's thread; may free the task or submit it again */
    struct io_task *next;               /* io's own */
};

int io_new(unsigned threads, struct io **ret_io, struct err *err);

/* Waits for running tasks, runs no further one and calls no done. */
void io_destroy(struct io **io);

void io_submit(struct io *io, struct io_task *task);
int io_fd(const struct io *io);           /* readable: call io_dispatch() */
void io_dispatch(struct io *io);          /* calls done for every task that has ended */
unsigned io_pending(const struct io *io); /* submitted, done not yet called */

#endif
