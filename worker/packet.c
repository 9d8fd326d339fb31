/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "worker/packet.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
    char bytes[CMSG_SPACE(PACKET_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
};

ssize_t packet_send(int socket, const void *data, size_t bytes, const int fd[PACKET_MAX_FDS], unsigned fds)
{
    assert(fds <= PACKET_MAX_FDS);
    union control control = {0};
    struct iovec part = {(void *)data, bytes};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fds) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fds * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds * sizeof(int));
        memcpy(CMSG_DATA(header), fd, fds * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

static void fds_take(struct msghdr *message, int fd[PACKET_MAX_FDS])
{
    for (int i = 0; i < PACKET_MAX_FDS; i++)
        fd[i] = -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(header), header->cmsg_len - CMSG_LEN(0));
}

static void fds_close(int fd[PACKET_MAX_FDS])
{
    for (int i = 0; i < PACKET_MAX_FDS; i++) {
        if (fd[i] >= 0)
            close(fd[i]);
        fd[i] = -1;
    }
}

ssize_t packet_receive(int socket, void *data, size_t bytes, int fd[PACKET_MAX_FDS])
{
    union control control;
    struct iovec part = {data, bytes};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        message.msg_controllen = 0;
    fds_take(&message, fd);
    if (n >= 0 && message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        fds_close(fd);
        errno = EMSGSIZE;
        n = -1;
    }
    return n;
}
