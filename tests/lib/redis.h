/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A private redis-server for a test: unix socket in a folder of its own, no TCP port, AOF everysec. It dies with the
 * test. What goes wrong here ends the test program with a message. */
#ifndef SOHOA_TESTS_REDIS_H
#define SOHOA_TESTS_REDIS_H

#include <sys/types.h>

struct redis_server {
    char dir[64];    /* made and removed here */
    char socket[96]; /* what to connect to */
    pid_t pid;       /* 0: not running */
};

void redis_server_start(struct redis_server *server); /* returns when it answers */
void redis_server_kill(struct redis_server *server);  /* SIGKILL; its files stay */
void redis_server_again(struct redis_server *server); /* after a kill: starts on the same files */
void redis_server_wipe(struct redis_server *server);  /* after a kill: removes its files */
void redis_server_stop(struct redis_server *server);  /* kills it and removes the folder */

#endif
