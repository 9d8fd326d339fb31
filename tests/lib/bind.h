/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A ROUTER at a port that the kernel chooses. CZMQ's "*" takes the first free one of a range, which is the one that the
 * next test program takes, too, while ours is between two sockets: its worker then joins us. */
#ifndef TESTS_BIND_H
#define TESTS_BIND_H

#include <czmq.h>

/* endpoint: where it is bound; "" when it could not. */
static inline void bind_somewhere(zsock_t *socket, char *endpoint, size_t room)
{
    char *bound = zsock_bind(socket, "tcp://127.0.0.1:0") < 0 ? NULL : zsock_last_endpoint(socket);
    snprintf(endpoint, room, "%s", bound ? bound : "");
    zstr_free(&bound);
}

#endif
