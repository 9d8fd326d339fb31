/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The only file that knows libseccomp. Nothing here trusts what runs behind the walls: a slot that is taken over can
 * burn its own time and memory, write to its own out file, and lie in its answers; it reaches no file, process or
 * network. */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/auto.h"

/* Standard streams, the socket, the document, a request's two files, and one to spare. */
enum { SLOT_MAX_FDS = 8 };

#define OOM_SCORE_ADJ "500"

#define ALLOW  SCMP_ACT_ALLOW
#define REFUSE SCMP_ACT_ERRNO(EACCES)
#define NO_TTY SCMP_ACT_ERRNO(ENOTTY)

/* What a slot may do; everything else ends it. */
static const struct rule {
    int call;
    uint32_t action;
} slot_rule[] = {
  /* requests, sources and answers, on descriptors it was given */
    {SCMP_SYS(recvmsg),           ALLOW },
    {SCMP_SYS(read),              ALLOW },
    {SCMP_SYS(pread64),           ALLOW },
    {SCMP_SYS(write),             ALLOW },
    {SCMP_SYS(lseek),             ALLOW },
    {SCMP_SYS(close),             ALLOW },
 /* memory: mmap and mprotect are in w_xor_x_rules() */
    {SCMP_SYS(munmap),            ALLOW },
    {SCMP_SYS(mremap),            ALLOW },
    {SCMP_SYS(madvise),           ALLOW },
    {SCMP_SYS(brk),               ALLOW },
 /* C and C++ run time: locks, clocks, sizes of the machine (qsort asks), random seeds of hash tables */
    {SCMP_SYS(futex),             ALLOW },
    {SCMP_SYS(clock_gettime),     ALLOW },
    {SCMP_SYS(gettimeofday),      ALLOW },
    {SCMP_SYS(sysinfo),           ALLOW },
    {SCMP_SYS(getrandom),         ALLOW },
    {SCMP_SYS(restart_syscall),   ALLOW },
 /* the end; abort() is to read as SIGABRT: its tgkill is further held to the slot itself */
    {SCMP_SYS(exit_group),        ALLOW },
    {SCMP_SYS(rt_sigreturn),      ALLOW },
    {SCMP_SYS(rt_sigprocmask),    ALLOW },
    {SCMP_SYS(rt_sigaction),      ALLOW },
    {SCMP_SYS(getpid),            ALLOW },
    {SCMP_SYS(gettid),            ALLOW },
    {SCMP_SYS(tgkill),            ALLOW },
 /* libraries look for files and terminals; they get over not finding any */
    {SCMP_SYS(openat),            REFUSE},
    {SCMP_SYS(open),              REFUSE},
    {SCMP_SYS(access),            REFUSE},
    {SCMP_SYS(faccessat),         REFUSE},
    {SCMP_SYS(faccessat2),        REFUSE},
    {SCMP_SYS(fstat),             REFUSE},
    {SCMP_SYS(newfstatat),        REFUSE},
    {SCMP_SYS(readlink),          REFUSE},
    {SCMP_SYS(readlinkat),        REFUSE},
    {SCMP_SYS(ioctl),             NO_TTY},
#ifdef SOHOA_SANITIZED
  /* AddressSanitizer and UBSan, to poison stacks and to report */
    {SCMP_SYS(sigaltstack),       ALLOW },
    {SCMP_SYS(sched_yield),       ALLOW },
    {SCMP_SYS(getrlimit),         ALLOW },
    {SCMP_SYS(prlimit64),         ALLOW },
    {SCMP_SYS(sched_getaffinity), ALLOW },
    {SCMP_SYS(prctl),             REFUSE},
    {SCMP_SYS(process_vm_readv),  REFUSE},
#endif
};

struct sandbox {
    struct sock_fprog program;
};

static void filter_destroy(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

/* Memory is never executable unless it was before: no code can be brought in. */
static int w_xor_x_rules(scmp_filter_ctx filter)
{
    int rc = seccomp_rule_add(filter, ALLOW, SCMP_SYS(mmap), 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (!rc)
        rc = seccomp_rule_add(filter, ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return rc;
}

static int filter_build(scmp_filter_ctx filter)
{
    int rc = w_xor_x_rules(filter);
    for (size_t i = 0; i < sizeof slot_rule / sizeof slot_rule[0] && !rc; i++)
        rc = seccomp_rule_add(filter, slot_rule[i].action, slot_rule[i].call, 0);
    return rc;
}

/* libseccomp 2.5 writes a compiled filter to a file only. */
static int filter_export(scmp_filter_ctx filter, struct sandbox *sandbox, struct err *err)
{
    AUTO(fd_destroy) int file = memfd_create("sohoa-filter", MFD_CLOEXEC);
    if (file < 0)
        return err_errno(err, E_SANDBOX, "memfd_create");
    int rc = seccomp_export_bpf(filter, file);
    if (rc)
        return err_set(err, E_SANDBOX, "seccomp_export_bpf: error %d", rc);
    off_t bytes = lseek(file, 0, SEEK_END);
    sandbox->program.len = (unsigned short)((size_t)bytes / sizeof *sandbox->program.filter);
    sandbox->program.filter = malloc((size_t)bytes);
    if (!sandbox->program.filter)
        return err_set(err, E_SANDBOX, "no memory for a filter of %jd bytes", (intmax_t)bytes);
    if (pread(file, sandbox->program.filter, (size_t)bytes, 0) != bytes)
        return err_errno(err, E_SANDBOX, "reading the compiled filter");
    return 0;
}

int sandbox_new(struct sandbox **ret_sandbox, struct err *err)
{
    AUTO(sandbox_destroy) struct sandbox *sandbox = calloc(1, sizeof *sandbox);
    AUTO(filter_destroy) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!sandbox || !filter)
        return err_set(err, E_SANDBOX, "no memory for the system call filter, or seccomp(2) is refused");
    int rc = filter_build(filter);
    if (rc)
        return err_set(err, E_SANDBOX, "the system call filter can't be built: error %d", rc);
    rc = filter_export(filter, sandbox, err);
    if (rc)
        return rc;
    *ret_sandbox = sandbox;
    sandbox = NULL;
    return 0;
}

void sandbox_destroy(struct sandbox **sandbox)
{
    if (!*sandbox)
        return;
    free((*sandbox)->program.filter);
    free(*sandbox);
    *sandbox = NULL;
}

/* libc has no wrapper for capset(2). It is refused only where there are none to drop. */
static void capabilities_drop(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    syscall(SYS_capset, &header, none);
}

bool sandbox_isolate(void)
{
    static const int wanted[] = {CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC, CLONE_NEWNET | CLONE_NEWIPC,
                                 CLONE_NEWNET};
    bool alone = false;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0] && !alone; i++)
        alone = unshare(wanted[i]) == 0;
    capabilities_drop();
    return alone;
}

static int limit_set(__rlimit_resource_t resource, const char *name, uint64_t most, struct err *err)
{
    struct rlimit now;
    if (getrlimit(resource, &now))
        return err_errno(err, E_SANDBOX, "getrlimit %s", name);
    if (most > now.rlim_max)
        most = now.rlim_max;
    struct rlimit limit = {most, most};
    return setrlimit(resource, &limit) ? err_errno(err, E_SANDBOX, "setrlimit %s %" PRIu64, name, most) : 0;
}

#ifndef SOHOA_SANITIZED

static int address_space_limit(uint64_t memory_bytes, struct err *err)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return err_errno(err, E_SANDBOX, "/proc/self/statm");
    uint64_t pages = 0;
    int fields = fscanf(file, "%" SCNu64, &pages);
    fclose(file);
    if (fields != 1)
        return err_set(err, E_SANDBOX, "/proc/self/statm can't be understood");
    return limit_set(RLIMIT_AS, "RLIMIT_AS", pages * (uint64_t)sysconf(_SC_PAGESIZE) + memory_bytes, err);
}

/* abort() after a refused allocation (bad_alloc, a buffer that can't grow) and the use of a NULL that no one checked
 * both come here with errno still saying so. Otherwise the signal takes its usual course (SA_RESETHAND). */
static void crash_explain(int number)
{
    if (errno == ENOMEM)
        _exit(SANDBOX_EXIT_MEMORY);
    raise(number);
}

static void crash_watch(void)
{
    struct sigaction action = {.sa_handler = crash_explain, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
}

#else

static int address_space_limit(uint64_t memory_bytes, struct err *err)
{
    (void)memory_bytes;
    (void)err;
    return 0;
}

static void crash_watch(void)
{
}

#endif

static int limits_set(uint64_t memory_bytes, struct err *err)
{
    int rc = limit_set(RLIMIT_CORE, "RLIMIT_CORE", 0, err);
    if (!rc)
        rc = limit_set(RLIMIT_NPROC, "RLIMIT_NPROC", 0, err);
    if (!rc)
        rc = address_space_limit(memory_bytes, err);
    if (!rc)
        rc = limit_set(RLIMIT_NOFILE, "RLIMIT_NOFILE", SLOT_MAX_FDS, err);
    return rc;
}

/* A second filter, since the process id is not known when the first is compiled: signals go to the slot itself only. */
static int signals_confine(struct err *err)
{
    AUTO(filter_destroy) scmp_filter_ctx filter = seccomp_init(ALLOW);
    if (!filter)
        return err_set(err, E_SANDBOX, "no memory for the signal filter");
    int rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(tgkill), 1,
                              SCMP_A0_64(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0));
    if (!rc)
        rc = seccomp_load(filter);
    return rc ? err_set(err, E_SANDBOX, "the signal filter can't be set: error %d", rc) : 0;
}

/* Where the host itself runs out of memory, a slot is the least to lose. */
static void oom_offer(void)
{
    AUTO(fd_destroy) int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file >= 0 && write(file, OOM_SCORE_ADJ, sizeof OOM_SCORE_ADJ - 1) < 0)
        return; /* best effort */
}

int sandbox_enter(const struct sandbox *sandbox, uint64_t memory_bytes, struct err *err)
{
    crash_watch();
    oom_offer();
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return err_errno(err, E_SANDBOX, "prctl");
    int rc = limits_set(memory_bytes, err);
    if (!rc)
        rc = signals_confine(err);
    if (!rc && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &sandbox->program, 0, 0))
        rc = err_errno(err, E_SANDBOX, "the system call filter can't be set");
    errno = 0;
    return rc;
}
