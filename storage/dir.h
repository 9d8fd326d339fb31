/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Shared by the files of the dir backend and no one else: store_dir.c (content) and dir_state.c (lock and state). */
#ifndef SOHOA_DIR_H
#define SOHOA_DIR_H

#include <pthread.h>
#include <sys/stat.h>

#include "storage/backend.h"

struct dir {
    struct store store;
    int root_fd;           /* PATH */
    int temp_fd;           /* PATH/~temp: blobs being written */
    int lock_fd;           /* PATH/lock; -1: not taken */
    int intent_fd;         /* PATH/~append; -1 without the lock */
    bool intent;           /* it tells of an append */
    pthread_mutex_t guard; /* one guarded write at a time */
};

/* Errors: E_ABSENT. */
int dir_blob_open(const struct dir *dir, const char *name, int flags, int *ret_fd, struct stat *ret_stat,
                  struct err *err);

/* Writes all or fails with errno set. */
int dir_write_all(int fd, const void *data, size_t bytes);

/* Appends up to bytes of fd at offset to *into, untouched on failure. */
int dir_read_at(int fd, const char *name, uint64_t offset, size_t bytes, struct buf *into, struct err *err);

/* Makes the blob with data in it, durable, in place of what is there or (replace false) only if nothing is: E_EXISTS.
 */
int dir_put(struct dir *dir, const char *name, const void *data, size_t bytes, mode_t mode, bool replace,
            struct err *err);

int dir_unlink(struct dir *dir, const char *name, struct err *err);

/* Removes what killed writers left, if it is older than when. */
void dir_temp_sweep(struct dir *dir, const struct timespec *when);

/* dir_state.c */
int dir_lock(struct store *store, const char *owner, uint32_t ttl_ms, struct err *err);
int dir_renew(struct store *store, struct err *err);
void dir_unlock(struct dir *dir);
int dir_guard_put(struct dir *dir, const char *name, const void *data, size_t bytes, bool replace, struct err *err);
int dir_guard_remove(struct dir *dir, const char *name, struct err *err);
int dir_append(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
               struct err *err);
int dir_map_set(struct store *store, const char *name, const struct store_pair *pairs, size_t count, struct err *err);
int dir_map_renew(struct store *store, const char *name, const struct store_pair *pairs, size_t count, struct err *err);
int dir_map_read(struct store *store, const char *name, const char *after, size_t limit,
                 void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more, struct err *err);

#endif
