/* SPDX-License-Identifier: AGPL-3.0-or-later
 * AUTO(x_destroy) struct x *x = NULL; destroys x when the variable leaves its scope.
 * The destructor takes a pointer to the variable, accepts NULL in it and nulls it. */
#ifndef SOHOA_AUTO_H
#define SOHOA_AUTO_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUTO(destroy) __attribute__((cleanup(destroy), unused))

/* Destructors for what has no type of its own. */
static inline void mem_destroy(void *slot)
{
    free(*(void **)slot);
    *(void **)slot = NULL;
}

static inline void fd_destroy(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static inline void file_destroy(FILE **file)
{
    if (*file)
        fclose(*file);
    *file = NULL;
}

/* A copy to be freed, of NULL an empty one; without memory the process ends. */
static inline char *text_copy(const char *text)
{
    char *copy = strdup(text ? text : "");
    if (!copy)
        abort();
    return copy;
}

#endif
