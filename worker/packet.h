/* SPDX-License-Identifier: AGPL-3.0-or-later
 * One message over a SOCK_SEQPACKET pair with file descriptors beside it (SCM_RIGHTS), as the supervisor, the warm
 * process and the slots exchange them. */
#ifndef SOHOA_PACKET_H
#define SOHOA_PACKET_H

#include <stddef.h>
#include <sys/types.h>

enum { PACKET_MAX_FDS = 2 };

/* As sendmsg(2), without SIGPIPE; the first fds of fd[] go along and stay the caller's. */
ssize_t packet_send(int socket, const void *data, size_t bytes, const int fd[PACKET_MAX_FDS], unsigned fds);

/* As recvmsg(2): up to bytes bytes into data, 0 when the other end is gone. fd[] gets the descriptors that came along
 * (close-on-exec, the caller's to close) and -1 in the places left over. A message that was cut, or that brought more
 * than PACKET_MAX_FDS, fails with EMSGSIZE and leaves no descriptor open. */
ssize_t packet_receive(int socket, void *data, size_t bytes, int fd[PACKET_MAX_FDS]);

#endif
