/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Plans the three daemons and hands them to a keeper. The lock is held by the run and its keeper together, so it is free
 * only when nothing that a run started is left. */
#include "coordinator/ctl/nest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "coordinator/ctl/interrupt.h"
#include "coordinator/ctl/keeper.h"
#include "coordinator/ctl/names.h"
#include "proto/auto.h"
#include "proto/buf.h"
#include "proto/clock.h"

enum { REDIS, COORDINATOR, WORKER, TEXTS = 24, LOCK_LOOK_MS = 100, TAIL_BYTES = 4096 };

static const char *const program_name[KEEPER_DAEMONS] = {"redis-server", "sohoa-coordinator", "sohoa-worker"};

struct nest {
    struct keeper keeper;
    struct daemon daemon[KEEPER_DAEMONS];
    int lock_fd;
    int failed; /* index of a daemon that ended by itself; -1: none */
    char *sockets;
    const char *api;
    char *text[TEXTS]; /* what the daemons' arguments point to */
    size_t texts;
};

/* A text that lives as long as the nest. */
__attribute__((format(printf, 2, 3))) static const char *nest_text(struct nest *nest, const char *format, ...)
{
    assert(nest->texts < TEXTS);
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&nest->text[nest->texts], format, ap);
    va_end(ap);
    assert(n >= 0);
    return nest->text[nest->texts++];
}

void nest_destroy(struct nest **nest)
{
    if (!*nest)
        return;
    keeper_end(&(*nest)->keeper);
    if ((*nest)->sockets)
        rmdir((*nest)->sockets); /* the keeper did, if it was started */
    free((*nest)->sockets);
    for (size_t i = 0; i < (*nest)->texts; i++)
        free((*nest)->text[i]);
    fd_destroy(&(*nest)->lock_fd);
    free(*nest);
    *nest = NULL;
}

/* ---- the lock ---- */

static bool holder_lives(int fd, long *ret_pid)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    *ret_pid = n > 0 ? strtol(text, NULL, 10) : 0;
    return *ret_pid > 0 && (kill((pid_t)*ret_pid, 0) == 0 || errno == EPERM);
}

static int lock_take(struct nest *nest, const char *out, struct err *err)
{
    const char *path = nest_text(nest, "%s/" RUN_FOLDER "/" RUN_LOCK, out);
    nest->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (nest->lock_fd < 0)
        return err_errno(err, E_IO, "%s", path);
    uint64_t until_ms = clock_mono_ms() + NEST_LEFTOVER_MS;
    while (flock(nest->lock_fd, LOCK_EX | LOCK_NB)) {
        long pid;
        if (errno != EWOULDBLOCK)
            return err_errno(err, E_IO, "%s", path);
        if (holder_lives(nest->lock_fd, &pid) || clock_mono_ms() > until_ms || interrupt_seen())
            return err_set(err, E_LOCKED,
                           "another sohoa run (process %ld) works on %s: wait for its end or take another --out", pid,
                           out);
        interrupt_sleep(LOCK_LOOK_MS);
    }
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(nest->lock_fd, 0) || pwrite(nest->lock_fd, text, (size_t)n, 0) != n)
        return err_errno(err, E_IO, "%s", path);
    return 0;
}

/* ---- what is to be started ---- */

static bool program_in(const char *folders, const char *name, char path[PATH_MAX])
{
    char *copy = strdup(folders), *rest = copy;
    bool found = false;
    for (char *folder = strsep(&rest, ":"); folder && !found; folder = strsep(&rest, ":"))
        found = *folder == '/' && snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX && access(path, X_OK) == 0;
    free(copy);
    return found;
}

/* Ours lie beside the program that runs. */
static int program_find(struct nest *nest, int i, struct err *err)
{
    char path[PATH_MAX], self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    const char *folders = getenv("PATH") ? getenv("PATH") : "/usr/local/bin:/usr/bin:/bin";
    bool found = (i != REDIS && n > 0 && program_in(dirname(self), program_name[i], path)) ||
                 program_in(folders, program_name[i], path);
    if (!found)
        return err_set(err, E_CONFIG, "%s is neither beside this program nor in PATH%s", program_name[i],
                       i == REDIS ? "; deploy/deps run installs it" : "; build or install it");
    nest->daemon[i].program = nest_text(nest, "%s", path);
    return 0;
}

static int folder_make(const char *path, struct err *err)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : err_errno(err, E_IO, "%s", path);
}

static int folders_make(struct nest *nest, const char *out, struct err *err)
{
    static const char *const below[] = {"", "/redis", "/store", "/log"};
    int rc = 0;
    for (size_t i = 0; i < sizeof below / sizeof below[0] && !rc; i++)
        rc = folder_make(nest_text(nest, "%s/%s%s", out, RUN_FOLDER, below[i]), err);
    return rc;
}

/* A private folder with a path short enough for a socket in it. */
static int sockets_make(struct nest *nest, struct err *err)
{
    static const char longest[] = "/redis.sock";
    const char *const root[] = {getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp"};
    const size_t most = sizeof((struct sockaddr_un *)0)->sun_path - sizeof longest;
    for (size_t i = 0; i < sizeof root / sizeof root[0] && !nest->sockets; i++) {
        if (!root[i] || *root[i] != '/')
            continue;
        int n = asprintf(&nest->sockets, "%s/sohoa-XXXXXX", root[i]);
        assert(n > 0);
        if ((size_t)n > most || !mkdtemp(nest->sockets)) {
            free(nest->sockets);
            nest->sockets = NULL;
        }
    }
    return nest->sockets ? 0 : err_errno(err, E_IO, "no folder for sockets in XDG_RUNTIME_DIR, TMPDIR or /tmp");
}

static void log_bound(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && st.st_size > NEST_LOG_BYTES && truncate(path, 0))
        fprintf(stderr, "sohoa: %s is large and can't be emptied: %s\n", path, strerror(errno));
}

static void redis_plan(struct nest *nest, const char *out)
{
    struct daemon *redis = &nest->daemon[REDIS];
    redis->folder = nest_text(nest, "%s/%s/redis", out, RUN_FOLDER);
    redis->ping = nest_text(nest, "%s/redis.sock", nest->sockets);
    const char *const argument[] = {"--port",       "0",      "--unixsocket",  redis->ping, "--unixsocketperm", "700",
                                    "--appendonly", "yes",    "--appendfsync", "everysec",  "--save",           "",
                                    "--loglevel",   "warning"};
    memcpy(redis->argument, argument, sizeof argument);
}

static void coordinator_plan(struct nest *nest, const char *out)
{
    struct daemon *coordinator = &nest->daemon[COORDINATOR];
    const char *const argument[] = {
        "--breaker_failures=0", /* nobody is there to go on, and the report says what failed */
        nest_text(nest, "--bind=ipc://%s/zmq", nest->sockets),
        nest_text(nest, "--http=%s", nest->api),
        nest_text(nest, "--store=dir:%s/%s/store", out, RUN_FOLDER),
        nest_text(nest, "--redis=%s", nest->daemon[REDIS].ping),
        nest_text(nest, "--ledger_key_file=%s/%s/ledger.key", out, RUN_FOLDER),
    };
    memcpy(coordinator->argument, argument, sizeof argument);
}

static void worker_plan(struct nest *nest, const struct nest_plan *plan, const char *out)
{
    const char *const argument[] = {
        nest_text(nest, "--connect=ipc://%s/zmq", nest->sockets),
        nest_text(nest, "--store=dir:%s/%s/store", out, RUN_FOLDER),
        nest_text(nest, "--lang=%s", plan->lang),
        nest_text(nest, "--pdfa=%s", plan->pdfa),
        nest_text(nest, "--slots=%" PRIu32, plan->slots),
    };
    memcpy(nest->daemon[WORKER].argument, argument, sizeof argument);
}

static int daemons_plan(struct nest *nest, const struct nest_plan *plan, const char *out, struct err *err)
{
    int rc = 0;
    for (int i = 0; i < KEEPER_DAEMONS && !rc; i++) {
        struct daemon *daemon = &nest->daemon[i];
        daemon->name = program_name[i];
        daemon->folder = "/";
        daemon->log = nest_text(nest, "%s/%s/log/%s.log", out, RUN_FOLDER, program_name[i]);
        log_bound(daemon->log);
        rc = program_find(nest, i, err);
    }
    if (rc)
        return rc;
    nest->api = nest_text(nest, "unix:%s/http", nest->sockets);
    redis_plan(nest, out);
    coordinator_plan(nest, out);
    worker_plan(nest, plan, out);
    return 0;
}

int nest_open(const struct nest_plan *plan, struct nest **ret_nest, struct err *err)
{
    AUTO(nest_destroy) struct nest *nest = calloc(1, sizeof *nest);
    char out[PATH_MAX];
    assert(nest);
    nest->keeper = (struct keeper){.leash = -1, .news = -1};
    nest->lock_fd = nest->failed = -1;
    if (!realpath(plan->out, out))
        return err_errno(err, E_IO, "%s", plan->out);
    int rc = folders_make(nest, out, err);
    if (!rc)
        rc = lock_take(nest, out, err);
    if (!rc)
        rc = sockets_make(nest, err);
    if (!rc)
        rc = daemons_plan(nest, plan, out, err);
    if (!rc)
        rc = keeper_start(nest->daemon, KEEPER_DAEMONS, nest->sockets, nest->lock_fd, &nest->keeper, err);
    if (rc)
        return rc;
    *ret_nest = nest;
    nest = NULL;
    return 0;
}

const char *nest_api(const struct nest *nest)
{
    return nest->api;
}

/* ---- how they are ---- */

int nest_check(struct nest *nest, struct err *err)
{
    struct keeper_news news;
    ssize_t n = read(nest->keeper.news, &news, sizeof news);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n != sizeof news)
        return err_set(err, E_STATE, "the keeper of Redis, coordinator and worker was killed");
    nest->failed = news.daemon;
    const char *name = program_name[news.daemon];
    if (WIFSIGNALED(news.status))
        return err_set(err, E_STATE, "%s was ended by signal %d (%s)", name, WTERMSIG(news.status),
                       strsignal(WTERMSIG(news.status)));
    return err_set(err, E_STATE, "%s ended with exit code %d", name, WEXITSTATUS(news.status));
}

static void tail_show(const char *path, FILE *to)
{
    char text[TAIL_BYTES + 1];
    AUTO(fd_destroy) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st))
        return;
    off_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
    ssize_t bytes = pread(fd, text, TAIL_BYTES, from);
    text[bytes > 0 ? bytes : 0] = 0;
    char *start = text + strlen(text);
    for (int lines = 0; start > text && (lines += start[-1] == '\n') <= NEST_TAIL_LINES;)
        start--;
    fprintf(to, "last lines of %s:\n%s%s", path, start, *start ? "" : "(it is empty)\n");
}

void nest_explain(const struct nest *nest, FILE *to)
{
    for (int i = 0; i < KEEPER_DAEMONS; i++)
        if (nest->failed == i || (nest->failed < 0 && i != REDIS))
            tail_show(nest->daemon[i].log, to);
}
