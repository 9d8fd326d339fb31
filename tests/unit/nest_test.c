/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The keeper with a real redis-server: it starts what it is told to, tells what ended by itself, and leaves no process and no socket
 * behind, however its run ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/keeper.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum { WAIT_MS = 10000, LOOK_MS = 10 };

#define REDIS "/usr/bin/redis-server"

/* Everything of one test lies in a folder of its own, whose name is in its processes' arguments. */
struct place {
    char root[64], sockets[96], redis[128], log[96];
};

static void place_make(struct place *place)
{
    snprintf(place->root, sizeof place->root, "/tmp/sohoa-nest-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->sockets, sizeof place->sockets, "%s/sockets", place->root);
    snprintf(place->redis, sizeof place->redis, "%s/redis.sock", place->sockets);
    snprintf(place->log, sizeof place->log, "%s/log", place->root);
    assert_int_equal(mkdir(place->sockets, 0700), 0);
}

static void place_remove(const struct place *place)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", place->root);
    assert_int_equal(system(command), 0);
}

static struct daemon redis_in(const struct place *place)
{
    return (struct daemon){
        .name = "redis-server",
        .program = REDIS,
        .argument = {"--port", "0", "--unixsocket", place->redis, "--save", ""},
        .folder = place->root,
        .log = place->log,
        .ping = place->redis
    };
}

static struct daemon shell_in(const struct place *place, const char *script)
{
    return (struct daemon){
        .name = "sh",
        .program = "/bin/sh",
        .argument = {"-c", script, place->root},
        .folder = place->root,
        .log = place->log
    };
}

/* Is there a process, not only its entry, with text in its arguments? */
static bool any_runs(const char *text)
{
    FILE *list = popen("ps -eo pid=,stat=,args=", "re");
    assert_non_null(list);
    char line[1024];
    bool found = false;
    while (fgets(line, sizeof line, list)) {
        char stat[16] = "";
        sscanf(line, "%*d %15s", stat);
        found |= stat[0] != 'Z' && strstr(line, text);
    }
    pclose(list);
    return found;
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void await_log(const struct place *place, const char *text)
{
    uint64_t until_ms = clock_mono_ms() + WAIT_MS;
    char log[4096] = "";
    while (!strstr(log, text) && clock_mono_ms() < until_ms) {
        AUTO(fd_destroy) int fd = open(place->log, O_RDONLY);
        ssize_t n = fd < 0 ? 0 : read(fd, log, sizeof log - 1);
        log[n > 0 ? n : 0] = 0;
        interrupt_sleep(LOOK_MS);
    }
    assert_non_null(strstr(log, text));
}

static void await_end(const struct place *place)
{
    uint64_t until_ms = clock_mono_ms() + WAIT_MS;
    while ((any_runs(place->root) || is_there(place->sockets)) && clock_mono_ms() < until_ms)
        interrupt_sleep(LOOK_MS);
    assert_false(any_runs(place->root));
    assert_false(is_there(place->sockets));
}

static void news_read(const struct keeper *keeper, struct keeper_news *news)
{
    uint64_t until_ms = clock_mono_ms() + WAIT_MS;
    while (read(keeper->news, news, sizeof *news) != sizeof *news) {
        assert_true(clock_mono_ms() < until_ms);
        interrupt_sleep(LOOK_MS);
    }
}

static void ends_in_order(void **state)
{
    (void)state;
    struct place place;
    struct keeper keeper;
    place_make(&place);
    const struct daemon daemons[] = {redis_in(&place), shell_in(&place, "echo up $0; while :; do sleep 0.1; done")};
    assert_int_equal(keeper_start(daemons, 2, place.sockets, -1, &keeper, NULL), 0);
    await_log(&place, "up ");
    assert_true(is_there(place.redis));
    keeper_end(&keeper);
    assert_false(any_runs(place.root));
    assert_false(is_there(place.sockets));
    await_log(&place, "ready to exit");
    place_remove(&place);
}

static void tells_an_end(void **state)
{
    (void)state;
    struct place place;
    struct keeper keeper;
    struct keeper_news news;
    place_make(&place);
    const struct daemon daemons[] = {redis_in(&place), shell_in(&place, "exit 7")};
    assert_int_equal(keeper_start(daemons, 2, place.sockets, -1, &keeper, NULL), 0);
    news_read(&keeper, &news);
    assert_int_equal(news.daemon, 1);
    assert_int_equal(WEXITSTATUS(news.status), 7);
    keeper_end(&keeper);
    assert_false(any_runs(place.root));
    place_remove(&place);
}

static void tells_a_program_that_is_not_there(void **state)
{
    (void)state;
    struct place place;
    struct keeper keeper;
    struct keeper_news news;
    place_make(&place);
    struct daemon redis = redis_in(&place);
    redis.program = "/nowhere/redis-server";
    assert_int_equal(keeper_start(&redis, 1, place.sockets, -1, &keeper, NULL), 0);
    news_read(&keeper, &news);
    assert_int_equal(WEXITSTATUS(news.status), 127);
    await_log(&place, "/nowhere/redis-server: can't be started: No such file");
    keeper_end(&keeper);
    place_remove(&place);
}

/* A run in a process of its own, so that it can be killed. */
static pid_t run_fork(const struct place *place, const struct daemon *daemons, size_t count)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct keeper keeper;
        if (keeper_start(daemons, count, place->sockets, -1, &keeper, NULL))
            _exit(1);
        for (;;)
            pause();
    }
    return pid;
}

static void survives_no_kill(void **state)
{
    (void)state;
    struct place place;
    place_make(&place);
    /* the last has a child of its own that has no parent any more and ignores SIGTERM */
    const struct daemon daemons[] = {
        redis_in(&place),
        shell_in(&place, "(trap '' TERM; (while :; do sleep 0.1; done) & ) ; echo up $0; while :; do sleep 0.1; done")};
    pid_t run = run_fork(&place, daemons, 2);
    await_log(&place, "up ");
    kill(run, SIGKILL);
    waitpid(run, NULL, 0);
    await_end(&place);
    place_remove(&place);
}

static void holds_the_lock_to_the_end(void **state)
{
    (void)state;
    struct place place;
    char path[96];
    place_make(&place);
    snprintf(path, sizeof path, "%s/lock", place.root);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    AUTO(fd_destroy) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    AUTO(fd_destroy) int other = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
    struct keeper keeper;
    const struct daemon daemons[] = {redis_in(&place), shell_in(&place, "trap 'sleep 0.5; exit' TERM; echo up; "
                                                                        "while :; do sleep 0.05; done")};
    assert_int_equal(keeper_start(daemons, 2, place.sockets, fd, &keeper, NULL), 0);
    await_log(&place, "up");
    fd_destroy(&fd);
    fd_destroy(&keeper.leash);
    assert_int_not_equal(fcntl(other, F_OFD_SETLK, &whole), 0);
    keeper_end(&keeper);
    assert_int_equal(fcntl(other, F_OFD_SETLK, &whole), 0);
    place_remove(&place);
}

/* Should even the keeper be killed, SIGTERM comes from the kernel. */
static void keeper_killed(void **state)
{
    (void)state;
    struct place place;
    struct keeper keeper;
    place_make(&place);
    const struct daemon redis = redis_in(&place);
    assert_int_equal(keeper_start(&redis, 1, place.sockets, -1, &keeper, NULL), 0);
    await_log(&place, "ready to accept connections");
    kill(keeper.pid, SIGKILL);
    keeper_end(&keeper);
    uint64_t until_ms = clock_mono_ms() + WAIT_MS;
    while (any_runs(place.root) && clock_mono_ms() < until_ms)
        interrupt_sleep(LOOK_MS);
    assert_false(any_runs(place.root));
    place_remove(&place);
}

int main(void)
{
    if (!is_there(REDIS)) {
        puts("skipped: " REDIS " is not installed (deploy/deps run)");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_in_order),    cmocka_unit_test(tells_an_end),
        cmocka_unit_test(survives_no_kill), cmocka_unit_test(tells_a_program_that_is_not_there),
        cmocka_unit_test(keeper_killed),    cmocka_unit_test(holds_the_lock_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
