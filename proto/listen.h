/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The sockets that HTTP is listened for on: ADDRESS:PORT, or unix:PATH. */
#ifndef SOHOA_LISTEN_H
#define SOHOA_LISTEN_H

#include <stdbool.h>

#include "proto/err.h"

/* The path of a unix socket; NULL: it is none. */
const char *listen_path(const char *where);

/* Nobody reaches it from another host: a unix socket, or an address of the loopback. */
bool listen_is_near(const char *where);

/* A listening socket that does not block; a unix socket that is there is replaced. key: of the setting that says where. Errors: E_CONFIG, E_NET. */
int listen_at(const char *key, const char *where, int *ret_fd, struct err *err);

#endif
