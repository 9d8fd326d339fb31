/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Runs in the warm process, but for warm_start() itself. Everything a slot should find ready is made before the first
 * fork; nothing here looks at untrusted bytes. */
#include "worker/warm.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/array.h"
#include "proto/auto.h"
#include "worker/packet.h"
#include "worker/reading.h"
#include "worker/render.h"
#include "worker/sandbox.h"
#include "worker/slot.h"

struct child {
    pid_t pid;
    uint64_t serial;
};

struct warm {
    int socket;  /* to the supervisor */
    int signals; /* a signalfd for SIGCHLD */
    struct sandbox *sandbox;
    struct render *render;
    struct reader *reader;
    struct child *child; /* not yet reaped */
    size_t children;
};

/* The socket to the other side is always this descriptor, in the warm process and in slots; all others are closed. */
enum { SOCKET_FD = 3 };

static void socket_keep(int socket)
{
    if (socket != SOCKET_FD)
        dup2(socket, SOCKET_FD);
    close_range(SOCKET_FD + 1, ~0u, 0);
}

/* Libraries print what they like, as much as they like, parts of documents too: none of it is kept. Sanitizers' reports
 * are. */
static void streams_mute(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        _exit(EXIT_FAILURE);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
#ifndef SOHOA_SANITIZED
    dup2(null, STDERR_FILENO);
#endif
    if (null > STDERR_FILENO)
        close(null);
}

/* The parent may have died before prctl: then no signal comes any more. */
static void die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent)
        _exit(EXIT_FAILURE);
}

/* The supervisor decides when work ends; what a terminal or an init system sends to all of its processes does not
 * count. */
static void signals_ignore(void)
{
    static const int number[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        signal(number[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void event_send(const struct warm *warm, const struct warm_event *event, int fd)
{
    ssize_t n = packet_send(warm->socket, event, sizeof *event, (const int[PACKET_MAX_FDS]){fd, -1}, fd >= 0);
    if (n != (ssize_t)sizeof *event)
        _exit(EXIT_FAILURE);
}

static void child_add(struct warm *warm, pid_t pid, uint64_t serial)
{
    warm->child = array_room(warm->child, warm->children, sizeof *warm->child);
    warm->child[warm->children++] = (struct child){pid, serial};
}

static uint64_t child_remove(struct warm *warm, pid_t pid)
{
    size_t i = 0;
    while (i < warm->children && warm->child[i].pid != pid)
        i++;
    assert(i < warm->children);
    uint64_t serial = warm->child[i].serial;
    warm->child[i] = warm->child[--warm->children];
    return serial;
}

static _Noreturn void slot_begin(const struct warm *warm, const struct warm_order *order, int socket, pid_t parent)
{
    die_with(parent);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    socket_keep(socket);
    struct slot_reply hello = {0};
    hello.code = sandbox_enter(warm->sandbox, order->memory_bytes, &hello.err);
    slot_run(SOCKET_FD, &hello, warm->render, warm->reader);
}

static void slot_fork(struct warm *warm, const struct warm_order *order, int socket)
{
    struct warm_event event = {.kind = WARM_STARTED, .serial = order->serial};
    AUTO(fd_destroy) int pidfd = -1;
    pid_t parent = getpid();
    event.pid = fork();
    if (event.pid == 0)
        slot_begin(warm, order, socket, parent);
    if (event.pid > 0)
        pidfd = (int)syscall(SYS_pidfd_open, event.pid, 0);
    if (pidfd < 0) {
        event.kind = WARM_FAILED;
        err_errno(&event.err, E_SANDBOX, event.pid > 0 ? "pidfd_open" : "fork");
    }
    if (event.pid > 0)
        child_add(warm, event.pid, order->serial);
    if (event.pid > 0 && pidfd < 0)
        kill(event.pid, SIGKILL);
    event_send(warm, &event, pidfd);
}

/* Gives false when the supervisor is gone. */
static bool order_take(struct warm *warm)
{
    struct warm_order order;
    int fd[PACKET_MAX_FDS];
    ssize_t n = packet_receive(warm->socket, &order, sizeof order, fd);
    if (n <= 0)
        return false;
    assert(n == (ssize_t)sizeof order && fd[0] >= 0);
    slot_fork(warm, &order, fd[0]);
    close(fd[0]);
    return true;
}

static void children_reap(struct warm *warm)
{
    struct signalfd_siginfo ignored;
    if (read(warm->signals, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
        _exit(EXIT_FAILURE);
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) || !info.si_pid)
            return;
        struct warm_event event = {.kind = WARM_EXIT,
                                   .serial = child_remove(warm, info.si_pid),
                                   .pid = info.si_pid,
                                   .code = info.si_code,
                                   .status = info.si_status};
        event_send(warm, &event, -1);
    }
}

static void children_end(struct warm *warm)
{
    for (size_t i = 0; i < warm->children; i++)
        kill(warm->child[i].pid, SIGKILL);
    while (warm->children) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED) && errno != EINTR)
            return;
        if (info.si_pid)
            child_remove(warm, info.si_pid);
    }
}

static void signals_watch(struct warm *warm)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    warm->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (warm->signals < 0)
        _exit(EXIT_FAILURE);
}

static void warm_serve(struct warm *warm)
{
    signals_watch(warm);
    struct pollfd ready[] = {
        {.fd = warm->socket,  .events = POLLIN},
        {.fd = warm->signals, .events = POLLIN}
    };
    for (;;) {
        if (poll(ready, 2, -1) < 0)
            continue;
        if (ready[1].revents)
            children_reap(warm);
        if (ready[0].revents && !order_take(warm))
            return;
    }
}

static int warm_load(struct warm *warm, const struct config *config, uint8_t model[SHA256_BYTES], struct err *err)
{
    const char *tessdata = config_text(config, CFG_TESSDATA);
    int rc = reader_new(tessdata, config_text(config, CFG_LANG), model, &warm->reader, err);
    if (!rc)
        rc = render_new((uint64_t)config_int(config, CFG_PAGE_MAX_PIXELS), tessdata, &warm->render, err);
    if (!rc)
        rc = sandbox_new(&warm->sandbox, err);
    return rc;
}

/* Namespaces come before die_with(): a change of credentials may clear the signal that it asks for. */
static _Noreturn void warm_run(const struct config *config, int socket, pid_t parent)
{
    signals_ignore();
    die_with(parent);
    socket_keep(socket);
    streams_mute();
    struct warm warm = {.socket = SOCKET_FD, .signals = -1};
    struct warm_event ready = {.kind = WARM_READY};
    int rc = warm_load(&warm, config, ready.model, &ready.err);
    if (!rc)
        ready.isolated = sandbox_isolate();
    die_with(parent);
    event_send(&warm, &ready, -1);
    if (!rc)
        warm_serve(&warm);
    children_end(&warm);
    _exit(EXIT_SUCCESS);
}

int warm_start(const struct config *config, pid_t *ret_pid, int *ret_socket, struct err *err)
{
    int end[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end))
        return err_errno(err, E_SANDBOX, "socketpair");
    AUTO(fd_destroy) int theirs = end[1], ours = end[0];
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        warm_run(config, theirs, parent);
    if (pid < 0)
        return err_errno(err, E_SANDBOX, "fork of the warm process");
    fcntl(ours, F_SETFL, O_NONBLOCK);
    *ret_pid = pid;
    *ret_socket = ours;
    ours = -1;
    return 0;
}
