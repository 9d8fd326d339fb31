/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The keeper: a process between `sohoa run` and the daemons it needs. It starts them, one after the other, and ends them, the
 * last one first, as soon as its leash is gone: closed in order, or by the death of whoever held it. So there is one way to
 * end, and SIGKILL of the run takes it, too. Then it removes the folder of their sockets. Should the keeper itself be
 * killed, the kernel sends the daemons SIGTERM.
 *
 *     sohoa run --leash--> keeper --starts, SIGTERM, SIGKILL--> redis-server, sohoa-coordinator, sohoa-worker
 *               <--news---                                                                         \-> slots
 */
#ifndef SOHOA_KEEPER_H
#define SOHOA_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "proto/err.h"

enum {
    KEEPER_DAEMONS = 3,
    KEEPER_ARGS = 16,
    KEEPER_TERM_MS = 8000,  /* from SIGTERM to SIGKILL, for each */
    KEEPER_PING_MS = 60000, /* until a Redis that loads its file answers */
};

struct daemon {
    const char *name;
    const char *program;               /* path */
    const char *argument[KEEPER_ARGS]; /* behind argv[0]; NULL ends them */
    const char *folder;                /* working directory */
    const char *log;                   /* stdout and stderr are appended to it */
    const char *ping;                  /* unix socket: the next is started when a Redis answers there; NULL: at once */
};

struct keeper {
    pid_t pid;
    int leash; /* closing it ends everything */
    int news;  /* one struct keeper_news for each daemon that ended by itself */
};

struct keeper_news {
    int daemon; /* index */
    int status; /* as of waitpid */
};

/* Forks the keeper. It keeps lock_fd open until all is ended, then removes the folder sockets and what is in it. */
int keeper_start(const struct daemon *daemons, size_t count, const char *sockets, int lock_fd, struct keeper *keeper,
                 struct err *err);

/* Lets go of the leash and waits for the end. */
void keeper_end(struct keeper *keeper);

#endif
