/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Everything below keeper_run() happens in the forked process, which never returns: it has no terminal, no signal reaches
 * it but SIGKILL, and the daemons' orphans become its children, so that it can end them as well. */
#include "coordinator/ctl/keeper.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/clock.h"

enum { PING_EVERY_MS = 20, PING_ANSWER_MS = 1000, ORPHANS_MS = 5000, NEVER = -1 };

struct kept {
    pid_t pid;
    int fd; /* pidfd; -1: not running */
};

struct charge {
    const struct daemon *daemons;
    size_t count;
    struct kept kept[KEEPER_DAEMONS];
    int leash, news;
};

/* ---- starting ---- */

static _Noreturn void daemon_exec(const struct daemon *daemon, pid_t keeper)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != keeper)
        _exit(EXIT_FAILURE);
    int log = open(daemon->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0 || chdir(daemon->folder))
        _exit(EXIT_FAILURE);
    const char *argv[KEEPER_ARGS + 1] = {daemon->name};
    memcpy(argv + 1, daemon->argument, sizeof daemon->argument);
    argv[KEEPER_ARGS] = NULL;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setenv("OMP_THREAD_LIMIT", "1", 1); /* Tesseract's own threads only slow it down */
    execv(daemon->program, (char *const *)(const void *)argv);
    dprintf(STDERR_FILENO, "%s: can't be started: %s\n", daemon->program, strerror(errno));
    _exit(127);
}

static void daemon_start(struct charge *charge, size_t i)
{
    pid_t keeper = getpid();
    struct kept *kept = &charge->kept[i];
    kept->pid = fork();
    if (kept->pid == 0)
        daemon_exec(&charge->daemons[i], keeper);
    kept->fd = kept->pid > 0 ? pidfd_open(kept->pid, 0) : -1;
}

static bool redis_answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    AUTO(fd_destroy) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address))
        return false;
    char answer[8] = "";
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return write(fd, "PING\r\n", 6) == 6 && poll(&wait, 1, PING_ANSWER_MS) == 1 && read(fd, answer, 5) == 5 &&
           !memcmp(answer, "+PONG", 5);
}

/* ---- watching ---- */

/* Waits until the leash is gone (false), a daemon ends, or wait_ms have passed. */
static bool charge_wait(const struct charge *charge, int wait_ms)
{
    struct pollfd look[KEEPER_DAEMONS + 1] = {
        {.fd = charge->leash, .events = POLLIN}
    };
    for (size_t i = 0; i < charge->count; i++)
        look[i + 1] = (struct pollfd){.fd = charge->kept[i].fd, .events = POLLIN};
    while (poll(look, charge->count + 1, wait_ms) < 0 && errno == EINTR)
        ;
    return look[0].revents == 0;
}

static void daemon_reap(struct charge *charge, size_t i)
{
    struct kept *kept = &charge->kept[i];
    struct keeper_news news = {.daemon = (int)i};
    if (kept->fd < 0 || waitpid(kept->pid, &news.status, WNOHANG) != kept->pid)
        return;
    fd_destroy(&kept->fd);
    ssize_t n = write(charge->news, &news, sizeof news); /* nobody may be there to read it */
    (void)n;
}

static void charge_reap(struct charge *charge)
{
    for (size_t i = 0; i < charge->count; i++)
        daemon_reap(charge, i);
}

static bool daemon_await(struct charge *charge, size_t i)
{
    const char *ping = charge->daemons[i].ping;
    uint64_t until_ms = clock_mono_ms() + KEEPER_PING_MS;
    bool held = true;
    while (ping && held && charge->kept[i].fd >= 0 && clock_mono_ms() < until_ms && !redis_answers(ping)) {
        held = charge_wait(charge, PING_EVERY_MS);
        charge_reap(charge);
    }
    return held;
}

/* ---- ending ---- */

static void daemon_stop(struct kept *kept)
{
    if (kept->fd < 0)
        return;
    struct pollfd gone = {.fd = kept->fd, .events = POLLIN};
    pidfd_send_signal(kept->fd, SIGTERM, NULL, 0);
    if (poll(&gone, 1, KEEPER_TERM_MS) != 1)
        pidfd_send_signal(kept->fd, SIGKILL, NULL, 0);
    waitpid(kept->pid, NULL, 0);
    fd_destroy(&kept->fd);
}

/* What the daemons left without a parent is a child of the keeper now. */
static void orphans_kill(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *list = fopen(path, "re");
    AUTO(mem_destroy) char *number = NULL;
    size_t bytes = 0;
    while (list && getdelim(&number, &bytes, ' ', list) > 0) {
        long pid = strtol(number, NULL, 10);
        if (pid > 0)
            kill((pid_t)pid, SIGKILL);
    }
    if (list)
        fclose(list);
}

static void orphans_end(void)
{
    uint64_t until_ms = clock_mono_ms() + ORPHANS_MS;
    while (clock_mono_ms() < until_ms) {
        orphans_kill();
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return;
        if (pid == 0)
            usleep(1000 * PING_EVERY_MS);
    }
}

static void folder_remove(const char *folder)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(folder);
}

static void charge_end(struct charge *charge, const char *sockets)
{
    for (size_t i = charge->count; i-- > 0;)
        daemon_stop(&charge->kept[i]);
    orphans_end();
    folder_remove(sockets);
}

/* ---- the keeper ---- */

static void others_close(int leash, int news, int lock_fd)
{
    int last = (int)sysconf(_SC_OPEN_MAX);
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        int fd = (int)strtol(entry->d_name, NULL, 10);
        if (fd > STDERR_FILENO && fd < last && fd != dirfd(dir) && fd != leash && fd != news && fd != lock_fd)
            close(fd);
    }
    if (dir)
        closedir(dir);
}

static void solitude(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    prctl(PR_SET_NAME, "sohoa-keeper");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
}

static _Noreturn void keeper_run(struct charge *charge, const char *sockets, int lock_fd)
{
    solitude();
    others_close(charge->leash, charge->news, lock_fd);
    bool held = true;
    for (size_t i = 0; i < charge->count && held; i++) {
        daemon_start(charge, i);
        held = daemon_await(charge, i);
    }
    while (held) {
        held = charge_wait(charge, NEVER);
        charge_reap(charge);
    }
    charge_end(charge, sockets);
    _exit(EXIT_SUCCESS);
}

int keeper_start(const struct daemon *daemons, size_t count, const char *sockets, int lock_fd, struct keeper *keeper,
                 struct err *err)
{
    assert(count <= KEEPER_DAEMONS);
    int leash[2], news[2];
    if (pipe2(leash, O_CLOEXEC))
        return err_errno(err, E_IO, "pipe");
    if (pipe2(news, O_CLOEXEC | O_NONBLOCK)) {
        close(leash[0]);
        close(leash[1]);
        return err_errno(err, E_IO, "pipe");
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(leash[1]);
        struct charge charge = {.daemons = daemons, .count = count, .leash = leash[0], .news = news[1]};
        for (size_t i = 0; i < KEEPER_DAEMONS; i++)
            charge.kept[i].fd = -1;
        keeper_run(&charge, sockets, lock_fd);
    }
    int rc = pid < 0 ? err_errno(err, E_IO, "fork") : 0;
    close(leash[0]);
    close(news[1]);
    *keeper = (struct keeper){.pid = pid, .leash = leash[1], .news = news[0]};
    return rc;
}

void keeper_end(struct keeper *keeper)
{
    fd_destroy(&keeper->leash);
    if (keeper->pid > 0)
        waitpid(keeper->pid, NULL, 0);
    keeper->pid = 0;
    fd_destroy(&keeper->news);
}
