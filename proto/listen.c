/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "proto/listen.h"

#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/limits.h"

const char *listen_path(const char *where)
{
    return strncmp(where, "unix:", 5) ? NULL : where + 5;
}

bool listen_is_near(const char *where)
{
    static const char *const near[] = {"unix:", "127.", "localhost:", "[::1]:"};
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++)
        if (!strncmp(where, near[i], strlen(near[i])))
            return true;
    return false;
}

static int listen_unix(const char *key, const char *path, int *ret_fd, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO(fd_destroy) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, E_CONFIG, "%s = unix:%s: the path has over %zu bytes", key, path,
                       sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, SOMAXCONN))
        return err_errno(err, E_NET, "%s = unix:%s", key, path);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static int listen_tcp(const char *key, const char *listen_text, int *ret_fd, struct err *err)
{
    char host[NAME_BYTES];
    const char *colon = strrchr(listen_text, ':');
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (!colon || (size_t)(colon - listen_text) >= sizeof host)
        return err_set(err, E_CONFIG, "%s = %s is not ADDRESS:PORT or unix:PATH", key, listen_text);
    snprintf(host, sizeof host, "%.*s", (int)(colon - listen_text), listen_text);
    int failed = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
    if (failed)
        return err_set(err, E_CONFIG, "%s = %s: %s", key, listen_text, gai_strerror(failed));
    AUTO(fd_destroy) int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool bound = fd >= 0 && !bind(fd, found->ai_addr, found->ai_addrlen) && !listen(fd, SOMAXCONN);
    if (!bound)
        err_errno(err, E_NET, "%s = %s", key, listen_text);
    freeaddrinfo(found);
    if (!bound)
        return E_NET;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int listen_at(const char *key, const char *where, int *ret_fd, struct err *err)
{
    const char *path = listen_path(where);
    return path ? listen_unix(key, path, ret_fd, err) : listen_tcp(key, where, ret_fd, err);
}
