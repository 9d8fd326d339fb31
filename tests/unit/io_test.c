/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Tasks run on threads and end on the loop's thread, in order, however many there are. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <semaphore.h>
#include <stdlib.h>

#include "proto/auto.h"
#include "storage/io.h"

enum { MANY = 20000, WAIT_MS = 10000 };

struct job {
    struct io_task task;
    struct io *io;
    pthread_t worked_on, done_on;
    unsigned again;   /* to be submitted so often more */
    unsigned started; /* the how-manieth to start */
    unsigned ended;   /* the how-manieth whose done was called */
    unsigned works;   /* written by the thread, read by the loop */
};

static _Atomic unsigned starts;
static unsigned ends;

static struct job *job_of(struct io_task *task)
{
    return (struct job *)task;
}

static void job_work(struct io_task *task)
{
    struct job *job = job_of(task);
    job->worked_on = pthread_self();
    job->started = atomic_fetch_add(&starts, 1);
    job->works++;
}

static void job_done(struct io_task *task)
{
    struct job *job = job_of(task);
    job->done_on = pthread_self();
    job->ended = ends++;
    if (job->again) {
        job->again--;
        io_submit(job->io, task);
    }
}

static void job_free(struct io_task *task)
{
    ends++;
    free(task);
}

/* Polls and dispatches until nothing is pending. */
static void drain(struct io *io)
{
    while (io_pending(io)) {
        struct pollfd p = {.fd = io_fd(io), .events = POLLIN};
        assert_int_equal(poll(&p, 1, WAIT_MS), 1);
        io_dispatch(io);
    }
}

static struct io *start(unsigned threads)
{
    struct io *io = NULL;
    assert_int_equal(io_new(threads, &io, NULL), 0);
    starts = 0;
    ends = 0;
    return io;
}

static void one_thread_keeps_the_order(void **state)
{
    (void)state;
    AUTO(io_destroy) struct io *io = start(1);
    struct job job[100] = {0};
    for (unsigned i = 0; i < 100; i++) {
        job[i].task = (struct io_task){.work = job_work, .done = job_done};
        io_submit(io, &job[i].task);
    }
    assert_int_equal(io_pending(io), 100);
    drain(io);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(job[i].started, i);
        assert_int_equal(job[i].ended, i);
        assert_false(pthread_equal(job[i].worked_on, pthread_self()));
        assert_true(pthread_equal(job[i].done_on, pthread_self()));
    }
}

static void nothing_is_told_without_an_end(void **state)
{
    (void)state;
    AUTO(io_destroy) struct io *io = start(2);
    struct pollfd p = {.fd = io_fd(io), .events = POLLIN};
    io_dispatch(io);
    assert_int_equal(poll(&p, 1, 0), 0);
    struct job job = {
        .task = {.work = job_work, .done = job_done}
    };
    io_submit(io, &job.task);
    drain(io);
    assert_int_equal(poll(&p, 1, 0), 0);
    io_dispatch(io);
    assert_int_equal(ends, 1);
}

static void a_task_may_be_submitted_again_by_its_done(void **state)
{
    (void)state;
    AUTO(io_destroy) struct io *io = start(3);
    struct job job[8] = {0};
    for (unsigned i = 0; i < 8; i++) {
        job[i] = (struct job){
            .task = {.work = job_work, .done = job_done},
              .io = io, .again = 500
        };
        io_submit(io, &job[i].task);
    }
    drain(io);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(job[i].works, 501);
    assert_int_equal(ends, 8 * 501);
}

static void many_tasks_free_themselves(void **state)
{
    (void)state;
    AUTO(io_destroy) struct io *io = start(8);
    for (unsigned i = 0; i < MANY; i++) {
        struct job *job = calloc(1, sizeof *job);
        assert_non_null(job);
        job->task = (struct io_task){.work = job_work, .done = job_free};
        io_submit(io, &job->task);
    }
    drain(io);
    assert_int_equal(starts, MANY);
    assert_int_equal(ends, MANY);
}

struct gate {
    struct io_task task;
    sem_t entered, open;
    bool left;
};

static void gate_work(struct io_task *task)
{
    struct gate *gate = (struct gate *)task;
    sem_post(&gate->entered);
    sem_wait(&gate->open);
    gate->left = true;
}

static void *gate_opener(void *user)
{
    sem_post(&((struct gate *)user)->open);
    return NULL;
}

static void destroy_waits_for_what_runs_and_calls_no_done(void **state)
{
    (void)state;
    struct io *io = start(1);
    struct gate gate = {
        .task = {.work = gate_work, .done = job_done}
    };
    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.open, 0, 0);
    io_submit(io, &gate.task);
    struct job job[10] = {0};
    for (unsigned i = 0; i < 10; i++) {
        job[i].task = (struct io_task){.work = job_work, .done = job_done};
        io_submit(io, &job[i].task);
    }
    sem_wait(&gate.entered);
    assert_int_equal(io_pending(io), 11);
    pthread_t opener;
    assert_int_equal(pthread_create(&opener, NULL, gate_opener, &gate), 0);
    io_destroy(&io);
    assert_null(io);
    pthread_join(opener, NULL);
    assert_true(gate.left);
    assert_int_equal(ends, 0);
}

static void a_pool_needs_threads(void **state)
{
    (void)state;
    struct io *io = NULL;
    struct err err;
    assert_int_equal(io_new(0, &io, &err), E_USAGE);
    assert_int_equal(io_new(1000000, &io, &err), E_USAGE);
    assert_null(io);
    io_destroy(&io);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_keeps_the_order),
        cmocka_unit_test(nothing_is_told_without_an_end),
        cmocka_unit_test(a_task_may_be_submitted_again_by_its_done),
        cmocka_unit_test(many_tasks_free_themselves),
        cmocka_unit_test(destroy_waits_for_what_runs_and_calls_no_done),
        cmocka_unit_test(a_pool_needs_threads),
    };
    return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
