/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Children walk into the sandbox and try to get out of it. */
#include "worker/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/clock.h"

#define MEMORY_BYTES (UINT64_C(64) << 20)

enum { PASSED = 0, GOT_OUT = 1, NOT_ENTERED = 2 };

static struct sandbox *sandbox;

/* Runs what in a child behind the walls; its exit status is what's result. Gives the wait status. */
static int confined(int (*what)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err err;
        if (sandbox_enter(sandbox, MEMORY_BYTES, &err)) {
            fprintf(stderr, "%s\n", err.text);
            _exit(NOT_ENTERED);
        }
        _exit(what());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_killed(int (*what)(void), int signal_number)
{
    int status = confined(what);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), signal_number);
    assert_false(WCOREDUMP(status));
}

static void assert_exit(int (*what)(void), int code)
{
    int status = confined(what);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static int try_socket(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
    return GOT_OUT;
}

static int try_socketpair(void)
{
    int end[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, end);
    return GOT_OUT;
}

static int try_fork(void)
{
    fork();
    return GOT_OUT;
}

static void *thread_run(void *unused)
{
    return unused;
}

static int try_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, thread_run, NULL);
    return GOT_OUT;
}

static int try_execve(void)
{
    char program[] = "/bin/true";
    char *const argument[] = {program, NULL}, *const environment[] = {NULL};
    execve(program, argument, environment);
    return GOT_OUT;
}

static int try_ptrace(void)
{
    syscall(SYS_ptrace, PTRACE_ATTACH, getppid(), 0, 0);
    return GOT_OUT;
}

static pid_t parent_pid;

static int try_kill(void)
{
    kill(parent_pid, 0);
    return GOT_OUT;
}

static int try_tgkill(void)
{
    syscall(SYS_tgkill, parent_pid, parent_pid, SIGCONT);
    return GOT_OUT;
}

static int try_pidfd(void)
{
    syscall(SYS_pidfd_open, parent_pid, 0);
    return GOT_OUT;
}

static int try_unlink(void)
{
    unlink("/tmp/sohoa-sandbox-test");
    return GOT_OUT;
}

static int try_io_uring(void)
{
    syscall(SYS_io_uring_setup, 1, NULL);
    return GOT_OUT;
}

static int try_sendmsg(void)
{
    struct msghdr message = {0};
    sendmsg(STDIN_FILENO, &message, 0);
    return GOT_OUT;
}

static int try_ftruncate(void)
{
    int refused = ftruncate(STDIN_FILENO, 0);
    (void)refused;
    return GOT_OUT;
}

static int try_code_mapping(void)
{
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return GOT_OUT;
}

static int try_code_protection(void)
{
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(data, 4096, PROT_READ | PROT_EXEC);
    return GOT_OUT;
}

static int try_raise_limits(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    syscall(SYS_setrlimit, RLIMIT_AS, &limit);
    return GOT_OUT;
}

static void test_escapes_are_killed(void **state)
{
    (void)state;
    static int (*const attempt[])(void) = {
        try_socket,          try_socketpair,  try_fork,   try_thread,   try_execve,  try_ptrace,    try_kill,
        try_tgkill,          try_pidfd,       try_unlink, try_io_uring, try_sendmsg, try_ftruncate, try_code_mapping,
        try_code_protection, try_raise_limits};
    for (size_t i = 0; i < sizeof attempt / sizeof attempt[0]; i++) {
        int status = confined(attempt[i]);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
            fail_msg("attempt %zu ended with wait status %#x", i, (unsigned)status);
    }
}

static int open_file(void)
{
    return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? PASSED : GOT_OUT;
}

static int open_upgrade(void)
{
    return open("/proc/self/fd/0", O_RDWR) < 0 && errno == EACCES ? PASSED : GOT_OUT;
}

static int stat_file(void)
{
    struct stat about;
    return stat("/etc/passwd", &about) && errno == EACCES && fstat(0, &about) && errno == EACCES ? PASSED : GOT_OUT;
}

static int use_terminal(void)
{
    int bytes;
    return ioctl(0, FIONREAD, &bytes) && errno == ENOTTY ? PASSED : GOT_OUT;
}

static void test_files_are_refused(void **state)
{
    (void)state;
    assert_exit(open_file, PASSED);
    assert_exit(open_upgrade, PASSED);
    assert_exit(stat_file, PASSED);
    assert_exit(use_terminal, PASSED);
}

static int page_work(void)
{
    struct timespec now;
    char *text = malloc(1 << 20);
    if (!text || clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now))
        return GOT_OUT;
    memset(text, 'a', 1 << 20);
    text = realloc(text, 8 << 20);
    if (!text)
        return GOT_OUT;
    free(text);
    return PASSED;
}

static int give_up(void)
{
    abort();
}

static void test_work_is_allowed(void **state)
{
    (void)state;
    assert_exit(page_work, PASSED);
    assert_killed(give_up, SIGABRT);
}

#ifndef SOHOA_SANITIZED

static int fault(void)
{
    volatile int *volatile nowhere = NULL;
    *nowhere = 1;
    return GOT_OUT;
}

/* Compilers leave out a malloc() whose memory is not used. */
static void *(*volatile take)(size_t) = malloc;

static int take_memory(void)
{
    volatile char *data = take(MEMORY_BYTES / 2);
    if (!data)
        return GOT_OUT;
    data[0] = 1;
    data = take(MEMORY_BYTES);
    return !data && errno == ENOMEM ? PASSED : GOT_OUT;
}

static int take_memory_in_bits(void)
{
    size_t bytes = 0;
    while (bytes < 2 * MEMORY_BYTES && take(1000))
        bytes += 1000;
    return bytes > MEMORY_BYTES / 2 && bytes < MEMORY_BYTES ? PASSED : GOT_OUT;
}

static int abort_for_memory(void)
{
    volatile char *data = take(2 * MEMORY_BYTES);
    if (!data)
        abort();
    return GOT_OUT;
}

static int fault_for_memory(void)
{
    volatile char *data = take(2 * MEMORY_BYTES);
    data[0] = 1;
    return GOT_OUT;
}

static void test_memory_is_limited(void **state)
{
    (void)state;
    assert_exit(take_memory, PASSED);
    assert_exit(take_memory_in_bits, PASSED);
    assert_exit(abort_for_memory, SANDBOX_EXIT_MEMORY);
    assert_exit(fault_for_memory, SANDBOX_EXIT_MEMORY);
    assert_killed(fault, SIGSEGV);
}

#else

static void test_memory_is_limited(void **state)
{
    (void)state;
    print_message("no address space limit under a sanitizer\n");
    skip();
}

#endif

static int reach_network(void)
{
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return udp >= 0 && connect(udp, (struct sockaddr *)&here, sizeof here) == 0 ? GOT_OUT : PASSED;
}

static void test_network_is_empty(void **state)
{
    (void)state;
    enum { NO_NAMESPACE = 3 };
    pid_t pid = fork();
    if (pid == 0)
        _exit(sandbox_isolate() ? reach_network() : NO_NAMESPACE);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NAMESPACE) {
        print_message("namespaces are not allowed here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), PASSED);
}

static int nothing(void)
{
    return PASSED;
}

static void test_entering_is_quick(void **state)
{
    (void)state;
    enum { TIMES = 50 };
    uint64_t begun_ms = clock_mono_ms();
    for (int i = 0; i < TIMES; i++)
        assert_exit(nothing, PASSED);
    uint64_t us = (clock_mono_ms() - begun_ms) * 1000 / TIMES;
    print_message("fork, sandbox_enter and exit: %" PRIu64 " us\n", us);
    assert_true(us < 200000);
}

static int sandbox_make(void **state)
{
    (void)state;
    struct err err;
    parent_pid = getpid();
    return sandbox_new(&sandbox, &err);
}

static int sandbox_end(void **state)
{
    (void)state;
    sandbox_destroy(&sandbox);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escapes_are_killed), cmocka_unit_test(test_files_are_refused),
        cmocka_unit_test(test_work_is_allowed),    cmocka_unit_test(test_memory_is_limited),
        cmocka_unit_test(test_network_is_empty),   cmocka_unit_test(test_entering_is_quick),
    };
    return cmocka_run_group_tests(tests, sandbox_make, sandbox_end);
}
