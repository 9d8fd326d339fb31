/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Two queues under one mutex: tasks that wait for a thread, and tasks that wait for their done. The eventfd is readable
 * while the second is not empty. */
#include "storage/io.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "storage/thread.h"

enum { IO_THREADS_MAX = 64 };

struct queue {
    struct io_task *first, **end;
};

struct io {
    pthread_mutex_t mutex;
    pthread_cond_t more; /* waiting is not empty, or stop */
    struct queue waiting, ended;
    bool stop;
    int fd;
    _Atomic unsigned pending;
    unsigned threads;
    pthread_t thread[IO_THREADS_MAX];
};

static void queue_clear(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void queue_add(struct queue *queue, struct io_task *task)
{
    task->next = NULL;
    *queue->end = task;
    queue->end = &task->next;
}

static struct io_task *queue_take(struct queue *queue)
{
    struct io_task *task = queue->first;
    queue->first = task->next;
    if (!queue->first)
        queue->end = &queue->first;
    return task;
}

static void io_wake(const struct io *io)
{
    ssize_t n = write(io->fd, &(uint64_t){1}, sizeof(uint64_t));
    assert(n == sizeof(uint64_t));
    (void)n;
}

static void *io_thread(void *user)
{
    struct io *io = user;
    pthread_mutex_lock(&io->mutex);
    for (;;) {
        while (!io->waiting.first && !io->stop)
            pthread_cond_wait(&io->more, &io->mutex);
        if (io->stop)
            break;
        struct io_task *task = queue_take(&io->waiting);
        pthread_mutex_unlock(&io->mutex);
        task->work(task);
        pthread_mutex_lock(&io->mutex);
        if (!io->ended.first)
            io_wake(io);
        queue_add(&io->ended, task);
    }
    pthread_mutex_unlock(&io->mutex);
    return NULL;
}

static int io_start(struct io *io, unsigned threads, struct err *err)
{
    int rc = 0;
    while (!rc && io->threads < threads) {
        rc = thread_start(&io->thread[io->threads], io_thread, io, err);
        io->threads += !rc;
    }
    return rc;
}

int io_new(unsigned threads, struct io **ret_io, struct err *err)
{
    if (threads < 1 || threads > IO_THREADS_MAX)
        return err_set(err, E_USAGE, "%u threads; 1 to %d", threads, IO_THREADS_MAX);
    struct io *io = calloc(1, sizeof *io);
    if (!io)
        return err_set(err, E_NOMEM, "no memory for threads");
    pthread_mutex_init(&io->mutex, NULL);
    pthread_cond_init(&io->more, NULL);
    queue_clear(&io->waiting);
    queue_clear(&io->ended);
    io->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int rc = io->fd < 0 ? err_errno(err, E_IO, "eventfd") : io_start(io, threads, err);
    if (rc) {
        io_destroy(&io);
        return rc;
    }
    *ret_io = io;
    return 0;
}

void io_destroy(struct io **ref)
{
    struct io *io = *ref;
    if (!io)
        return;
    pthread_mutex_lock(&io->mutex);
    io->stop = true;
    pthread_cond_broadcast(&io->more);
    pthread_mutex_unlock(&io->mutex);
    for (unsigned i = 0; i < io->threads; i++)
        pthread_join(io->thread[i], NULL);
    if (io->fd >= 0)
        close(io->fd);
    pthread_cond_destroy(&io->more);
    pthread_mutex_destroy(&io->mutex);
    free(io);
    *ref = NULL;
}

void io_submit(struct io *io, struct io_task *task)
{
    pthread_mutex_lock(&io->mutex);
    queue_add(&io->waiting, task);
    atomic_fetch_add(&io->pending, 1);
    pthread_cond_signal(&io->more);
    pthread_mutex_unlock(&io->mutex);
}

int io_fd(const struct io *io)
{
    return io->fd;
}

void io_dispatch(struct io *io)
{
    pthread_mutex_lock(&io->mutex);
    struct io_task *task = io->ended.first;
    if (task) {
        uint64_t woken;
        ssize_t n = read(io->fd, &woken, sizeof woken);
        assert(n == sizeof woken);
        (void)n;
    }
    queue_clear(&io->ended);
    pthread_mutex_unlock(&io->mutex);
    while (task) {
        struct io_task *next = task->next; /* done may free or submit the task */
        atomic_fetch_sub(&io->pending, 1);
        task->done(task);
        task = next;
    }
}

unsigned io_pending(const struct io *io)
{
    return atomic_load(&io->pending);
}
