/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "tests/lib/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_TRIES = 500, TRY_US = 20000 };

__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "tests/lib/redis: %s: %s\n", what, strerror(errno));
    abort();
}

static void server_exec(const struct redis_server *server)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", server->socket, "--dir", server->dir,
           "--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--daemonize", "no", NULL);
    _exit(127);
}

static bool server_answers(const struct redis_server *server)
{
    redisContext *link = redisConnectUnix(server->socket);
    redisReply *reply = link && !link->err ? redisCommand(link, "PING") : NULL;
    bool answers = reply && reply->type == REDIS_REPLY_STATUS;
    if (reply)
        freeReplyObject(reply);
    if (link)
        redisFree(link);
    return answers;
}

void redis_server_again(struct redis_server *server)
{
    server->pid = fork();
    if (server->pid < 0)
        give_up("fork");
    if (!server->pid)
        server_exec(server);
    for (int i = 0; i < START_TRIES; i++) {
        if (server_answers(server))
            return;
        if (waitpid(server->pid, NULL, WNOHANG))
            give_up("redis-server ended");
        usleep(TRY_US);
    }
    give_up("redis-server does not answer");
}

void redis_server_start(struct redis_server *server)
{
    const char *tmp = getenv("TMPDIR");
    *server = (struct redis_server){0};
    int n = snprintf(server->dir, sizeof server->dir, "%s/sohoa-redis.XXXXXX", tmp ? tmp : "/tmp");
    if (n >= (int)sizeof server->dir)
        snprintf(server->dir, sizeof server->dir, "/tmp/sohoa-redis.XXXXXX");
    if (!mkdtemp(server->dir))
        give_up(server->dir);
    snprintf(server->socket, sizeof server->socket, "%s/redis.sock", server->dir);
    redis_server_again(server);
}

void redis_server_kill(struct redis_server *server)
{
    if (!server->pid)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
    unlink(server->socket);
}

static int entry_remove(const char *path, const struct stat *stat, int kind, struct FTW *walk)
{
    (void)stat;
    (void)kind;
    return walk->level && remove(path) ? -errno : 0;
}

void redis_server_wipe(struct redis_server *server)
{
    if (nftw(server->dir, entry_remove, 8, FTW_DEPTH | FTW_PHYS))
        give_up("removing the server's files");
}

void redis_server_stop(struct redis_server *server)
{
    redis_server_kill(server);
    redis_server_wipe(server);
    if (rmdir(server->dir))
        give_up(server->dir);
}
