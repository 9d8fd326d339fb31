/* SPDX-License-Identifier: AGPL-3.0-or-later
 * While a coordinator stands by its Redis copies that of the active one, so that a takeover keeps what the store does not tell: rates,
 * and what was told of alerts. Who takes over ends that as it connects (storage/redis.h). */
#ifndef SOHOA_REPLICA_H
#define SOHOA_REPLICA_H

#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"

enum { REPLICA_ASK_MS = 10000 }; /* a Redis that was restarted copies again after so long */

struct replica {
    const char *others;  /* the setting redis_others, borrowed */
    const char *own;     /* name of this coordinator, borrowed */
    const char *socket;  /* of this host's Redis, borrowed */
    char of[NAME_BYTES]; /* coordinator whose Redis it copies; "" nobody's yet */
    uint64_t ask_ms;     /* when it is told again */
};

/* Errors: E_CONFIG: the setting is not NAME=ADDRESS:PORT,... */
int replica_init(struct replica *replica, const char *others, const char *own, const char *socket, struct err *err);

/* holder: who is active, or was as this host began anew. What fails is told in the log, and tried again. */
void replica_keep(struct replica *replica, const char *holder, uint64_t now_ms);

#endif
