/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The store in a folder: content. A blob is a file. It is written under a name of its own in ~temp, flushed, and then
 * linked (never over what is there) or renamed to its place, and the folder flushed: a name never has half a blob.
 * Writers hold a flock on their temporary file, so the sweep of a new lock holder takes only what killed ones left. */
#include "storage/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/auto.h"

enum {
    DIR_COPY_BYTES = 1 << 20, /* store_create_from copies in these steps */
    DIR_PLACE_TRIES = 16,     /* a folder made for a blob may be pruned by who removes its last one */
    DIR_DEPTH = STORE_NAME_BYTES / 2,
    TEMP_NAME_BYTES = 24,
};

static const char temp_folder[] = "~temp";

struct temp {
    int fd;
    int folder_fd; /* borrowed */
    char name[TEMP_NAME_BYTES];
};

static struct dir *dir_of(struct store *store)
{
    return (struct dir *)store;
}

static void folder_destroy(DIR **folder)
{
    if (*folder)
        closedir(*folder);
    *folder = NULL;
}

/* ---- reading ---- */

int dir_blob_open(const struct dir *dir, const char *name, int flags, int *ret_fd, struct stat *ret_stat,
                  struct err *err)
{
    AUTO(fd_destroy) int fd = openat(dir->root_fd, name, flags | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EISDIR))
        return err_set(err, E_ABSENT, "%s is not in the store", name);
    if (fd < 0)
        return err_errno(err, E_STORE, "%s", name);
    if (fstat(fd, ret_stat))
        return err_errno(err, E_STORE, "%s", name);
    if (!S_ISREG(ret_stat->st_mode))
        return err_set(err, E_ABSENT, "%s is not in the store", name);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int dir_read_at(int fd, const char *name, uint64_t offset, size_t bytes, struct buf *into, struct err *err)
{
    uint8_t *to = buf_reserve(into, bytes);
    size_t have = 0;
    while (have < bytes) {
        ssize_t n = pread(fd, to + have, bytes - have, (off_t)(offset + have));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int rc = err_errno(err, E_STORE, "reading %s", name);
            *to = 0;
            return rc;
        }
        if (n == 0)
            break;
        have += (size_t)n;
    }
    into->size += have;
    into->data[into->size] = 0;
    return 0;
}

static int dir_get(struct store *store, const char *name, size_t max_bytes, struct buf *into, struct err *err)
{
    AUTO(fd_destroy) int fd = -1;
    struct stat st;
    int rc = dir_blob_open(dir_of(store), name, O_RDONLY, &fd, &st, err);
    if (!rc && (uint64_t)st.st_size > max_bytes)
        rc = err_set(err, E_LIMIT, "%s has %jd bytes; at most %zu", name, (intmax_t)st.st_size, max_bytes);
    if (!rc)
        rc = dir_read_at(fd, name, 0, (size_t)st.st_size, into, err);
    return rc;
}

static int dir_read(struct store *store, const char *name, uint64_t offset, size_t bytes, struct buf *into,
                    struct err *err)
{
    AUTO(fd_destroy) int fd = -1;
    struct stat st;
    int rc = dir_blob_open(dir_of(store), name, O_RDONLY, &fd, &st, err);
    if (rc || offset >= (uint64_t)st.st_size)
        return rc;
    uint64_t left = (uint64_t)st.st_size - offset;
    return dir_read_at(fd, name, offset, left < bytes ? (size_t)left : bytes, into, err);
}

static int dir_stat(struct store *store, const char *name, uint64_t *ret_bytes, struct err *err)
{
    struct stat st;
    if (fstatat(dir_of(store)->root_fd, name, &st, AT_SYMLINK_NOFOLLOW)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return err_set(err, E_ABSENT, "%s is not in the store", name);
        return err_errno(err, E_STORE, "%s", name);
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, E_ABSENT, "%s is not in the store", name);
    *ret_bytes = (uint64_t)st.st_size;
    return 0;
}

/* ---- folders ---- */

/* Cuts the last component off path; false: there was only one. */
static bool path_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    return slash;
}

/* Opens the folder at path from root_fd, making what is missing, durably. -1 with errno. */
static int folder_make(int root_fd, char *path)
{
    int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
        return fd;
    char *slash = strrchr(path, '/');
    AUTO(fd_destroy) int parent = -1;
    if (slash && slash != path) {
        *slash = '\0';
        parent = folder_make(root_fd, path);
        *slash = '/';
    } else {
        parent = openat(root_fd, slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    const char *component = slash ? slash + 1 : path;
    if (parent < 0 || (mkdirat(parent, component, 0755) && errno != EEXIST) || fsync(parent))
        return -1;
    return openat(parent, component, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Removes the folders above name that are empty now, areas excepted, and flushes the first that stays. */
static int folder_prune(const struct dir *dir, const char *name, struct err *err)
{
    char path[STORE_NAME_BYTES];
    snprintf(path, sizeof path, "%s", name);
    while (path_up(path)) {
        bool area = !strchr(path, '/');
        if (!area && (!unlinkat(dir->root_fd, path, AT_REMOVEDIR) || errno == ENOENT))
            continue;
        AUTO(fd_destroy) int fd = openat(dir->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0 || fsync(fd))
            return err_errno(err, E_STORE, "flushing the folder of %s", name);
        break;
    }
    return 0;
}

/* ---- writing ---- */

int dir_write_all(int fd, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    while (bytes) {
        ssize_t n = write(fd, from, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return n;
        from += n;
        bytes -= (size_t)n;
    }
    return 0;
}

static void temp_destroy(struct temp *temp)
{
    if (temp->fd >= 0)
        unlinkat(temp->folder_fd, temp->name, 0);
    fd_destroy(&temp->fd);
}

static int temp_new(const struct dir *dir, const char *name, mode_t mode, struct temp *temp, struct err *err)
{
    uint64_t random;
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return err_errno(err, E_STORE, "getrandom");
    snprintf(temp->name, sizeof temp->name, "%016" PRIx64, random);
    temp->folder_fd = dir->temp_fd;
    temp->fd = openat(dir->temp_fd, temp->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (temp->fd < 0 || flock(temp->fd, LOCK_EX))
        return err_errno(err, E_STORE, "writing %s", name);
    return 0;
}

/* Links or renames the temporary file into folder. Errors beside E_STORE: E_EXISTS; E_ABSENT: the folder was pruned. */
static int temp_move(const struct temp *temp, int folder, const char *name, bool replace, struct err *err)
{
    const char *base = strrchr(name, '/') + 1;
    int failed = replace ? renameat(temp->folder_fd, temp->name, folder, base)
                         : linkat(temp->folder_fd, temp->name, folder, base, 0);
    if (failed && errno == ENOENT)
        return err_set(err, E_ABSENT, "%s: its folder went away again and again", name);
    if (failed && errno != EEXIST)
        return err_errno(err, E_STORE, "placing %s", name);
    /* Also when another was first: who hears E_EXISTS takes the blob for durable. */
    bool taken = failed;
    if (fsync(folder))
        return err_errno(err, E_STORE, "flushing the folder of %s", name);
    return taken ? err_set(err, E_EXISTS, "%s is in the store", name) : 0;
}

static int temp_place(const struct dir *dir, const struct temp *temp, const char *name, bool replace, struct err *err)
{
    if (fsync(temp->fd))
        return err_errno(err, E_STORE, "flushing %s", name);
    char path[STORE_NAME_BYTES];
    snprintf(path, sizeof path, "%s", name);
    path_up(path);
    int rc = E_ABSENT;
    for (int tries = 0; rc == E_ABSENT && tries < DIR_PLACE_TRIES; tries++) {
        AUTO(fd_destroy) int folder = folder_make(dir->root_fd, path);
        if (folder >= 0)
            rc = temp_move(temp, folder, name, replace, err);
        else if (errno != ENOENT)
            rc = err_errno(err, E_STORE, "making the folder of %s", name);
    }
    return rc == E_ABSENT ? err_set(err, E_STORE, "%s: its folder went away again and again", name) : rc;
}

/* E_EXISTS before any work, where that is already sure. */
static int absent_check(const struct dir *dir, const char *name, struct err *err)
{
    if (faccessat(dir->root_fd, name, F_OK, 0))
        return 0;
    char path[STORE_NAME_BYTES];
    snprintf(path, sizeof path, "%s", name);
    path_up(path);
    AUTO(fd_destroy) int folder = openat(dir->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return 0;
    if (fsync(folder))
        return err_errno(err, E_STORE, "flushing the folder of %s", name);
    return err_set(err, E_EXISTS, "%s is in the store", name);
}

int dir_put(struct dir *dir, const char *name, const void *data, size_t bytes, mode_t mode, bool replace,
            struct err *err)
{
    AUTO(temp_destroy) struct temp temp = {.fd = -1};
    int rc = replace ? 0 : absent_check(dir, name, err);
    if (!rc)
        rc = temp_new(dir, name, mode, &temp, err);
    if (!rc && dir_write_all(temp.fd, data, bytes))
        rc = err_errno(err, E_STORE, "writing %s", name);
    if (!rc)
        rc = temp_place(dir, &temp, name, replace, err);
    return rc;
}

static int dir_store_put(struct store *store, const char *name, enum store_put how, const void *data, size_t bytes,
                         struct err *err)
{
    bool replace = how == PUT_REPLACE || how == PUT_GUARD_REPLACE;
    if (how == PUT_GUARD_CREATE || how == PUT_GUARD_REPLACE)
        return dir_guard_put(dir_of(store), name, data, bytes, replace, err);
    return dir_put(dir_of(store), name, data, bytes, 0444, replace, err);
}

static int copy_from(int from, const struct temp *temp, const char *name, uint64_t bytes, struct err *err)
{
    AUTO(mem_destroy) uint8_t *step = malloc(DIR_COPY_BYTES);
    if (!step)
        return err_set(err, E_NOMEM, "%s: no memory to copy with", name);
    for (uint64_t offset = 0; offset < bytes;) {
        size_t want = bytes - offset < DIR_COPY_BYTES ? (size_t)(bytes - offset) : DIR_COPY_BYTES;
        ssize_t n = pread(from, step, want, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, E_IO, "reading what is to be %s", name);
        if (n == 0)
            return err_set(err, E_IO, "what is to be %s ends after %" PRIu64 " of %" PRIu64 " bytes", name, offset,
                           bytes);
        if (dir_write_all(temp->fd, step, (size_t)n))
            return err_errno(err, E_STORE, "writing %s", name);
        offset += (uint64_t)n;
    }
    return 0;
}

static int dir_create_from(struct store *store, const char *name, int fd, uint64_t bytes, struct err *err)
{
    struct dir *dir = dir_of(store);
    AUTO(temp_destroy) struct temp temp = {.fd = -1};
    int rc = absent_check(dir, name, err);
    if (!rc)
        rc = temp_new(dir, name, 0444, &temp, err);
    if (!rc)
        rc = copy_from(fd, &temp, name, bytes, err);
    if (!rc)
        rc = temp_place(dir, &temp, name, false, err);
    return rc;
}

int dir_unlink(struct dir *dir, const char *name, struct err *err)
{
    if (unlinkat(dir->root_fd, name, 0)) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR)
            return 0;
        return err_errno(err, E_STORE, "removing %s", name);
    }
    return folder_prune(dir, name, err);
}

static int dir_remove(struct store *store, const char *name, bool guarded, struct err *err)
{
    return guarded ? dir_guard_remove(dir_of(store), name, err) : dir_unlink(dir_of(store), name, err);
}

static bool temp_abandoned(int folder, const char *name, const struct timespec *when)
{
    AUTO(fd_destroy) int fd = openat(folder, name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return false;
    bool older =
        st.st_mtim.tv_sec < when->tv_sec || (st.st_mtim.tv_sec == when->tv_sec && st.st_mtim.tv_nsec < when->tv_nsec);
    return older && !flock(fd, LOCK_EX | LOCK_NB);
}

void dir_temp_sweep(struct dir *dir, const struct timespec *when)
{
    int fd = openat(dir->temp_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(folder_destroy) DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        fd_destroy(&fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(folder));)
        if (temp_abandoned(fd, entry->d_name, when))
            unlinkat(fd, entry->d_name, 0);
}

/* ---- listing ---- */

struct listing {
    const char *prefix;
    int (*each)(const char *name, void *user);
    void *user;
    struct err *err;
    char path[STORE_NAME_BYTES]; /* where the walk is; each level knows its length */
};

/* Whether a name that starts with path may start with prefix. */
static bool listing_may(const struct listing *l)
{
    size_t path = strlen(l->path), prefix = strlen(l->prefix);
    return !strncmp(l->path, l->prefix, path < prefix ? path : prefix);
}

static int listing_walk(struct listing *l, int parent, const char *component, int depth);

static int listing_entry(struct listing *l, int folder, const char *component, int depth)
{
    struct stat st;
    if (!listing_may(l))
        return 0;
    if (fstatat(folder, component, &st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? 0 : err_errno(l->err, E_STORE, "listing %s", l->path);
    if (S_ISDIR(st.st_mode))
        return listing_walk(l, folder, component, depth + 1);
    if (!S_ISREG(st.st_mode) || strncmp(l->path, l->prefix, strlen(l->prefix)))
        return 0;
    return l->each(l->path, l->user);
}

static int listing_walk(struct listing *l, int parent, const char *component, int depth)
{
    int fd = openat(parent, component, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(l->err, E_STORE, "listing %s", l->path);
    AUTO(folder_destroy) DIR *folder = fdopendir(fd);
    if (!folder) {
        fd_destroy(&fd);
        return err_errno(l->err, E_STORE, "listing %s", l->path);
    }
    size_t at = strlen(l->path);
    int rc = 0;
    for (struct dirent *entry; !rc && depth < DIR_DEPTH && (entry = readdir(folder));) {
        size_t n = strlen(entry->d_name);
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || at + 1 + n >= sizeof l->path)
            continue;
        l->path[at] = '/';
        memcpy(l->path + at + 1, entry->d_name, n + 1);
        rc = listing_entry(l, fd, entry->d_name, depth);
        l->path[at] = '\0';
    }
    return rc;
}

static int dir_list(struct store *store, const char *prefix, int (*each)(const char *name, void *user), void *user,
                    struct err *err)
{
    struct listing l = {.prefix = prefix, .each = each, .user = user, .err = err};
    int rc = 0;
    for (enum store_area area = 0; !rc && area < STORE_AREAS; area++) {
        if (!store_area_listed(area, prefix))
            continue;
        snprintf(l.path, sizeof l.path, "%s", store_area_name[area]);
        rc = listing_walk(&l, dir_of(store)->root_fd, store_area_name[area], 0);
    }
    return rc;
}

static int dir_space(struct store *store, uint64_t *ret_free_bytes, uint64_t *ret_total_bytes, struct err *err)
{
    struct statvfs st;
    if (fstatvfs(dir_of(store)->root_fd, &st))
        return err_errno(err, E_STORE, "asking for free space");
    *ret_free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    *ret_total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
    return 0;
}

/* ---- opening ---- */

static void dir_destroy(struct store *store)
{
    struct dir *dir = dir_of(store);
    dir_unlock(dir);
    fd_destroy(&dir->temp_fd);
    fd_destroy(&dir->root_fd);
    pthread_mutex_destroy(&dir->guard);
    free(dir);
}

static const struct store_ops dir_ops = {
    .destroy = dir_destroy,
    .get = dir_get,
    .read = dir_read,
    .stat = dir_stat,
    .put = dir_store_put,
    .create_from = dir_create_from,
    .remove = dir_remove,
    .list = dir_list,
    .space = dir_space,
    .lock = dir_lock,
    .renew = dir_renew,
    .append = dir_append,
    .map_set = dir_map_set,
    .map_renew = dir_map_renew,
    .map_read = dir_map_read,
};

static int root_open(struct dir *dir, const char *path, struct err *err)
{
    char copy[SOURCE_PATH_BYTES];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    snprintf(copy, sizeof copy, "%.*s", (int)n, path);
    dir->root_fd = folder_make(AT_FDCWD, copy);
    if (dir->root_fd >= 0)
        snprintf(copy, sizeof copy, "%s", temp_folder);
    dir->temp_fd = dir->root_fd < 0 ? -1 : folder_make(dir->root_fd, copy);
    return dir->temp_fd < 0 ? err_errno(err, E_STORE, "opening the store at %s", path) : 0;
}

int store_dir_open(const char *rest, struct store **ret_store, struct err *err)
{
    if (!*rest || strlen(rest) >= SOURCE_PATH_BYTES)
        return err_set(err, E_CONFIG, "dir: needs the path of a folder");
    AUTO(store_destroy) struct store *store = NULL;
    struct dir *dir = calloc(1, sizeof *dir);
    if (!dir)
        return err_set(err, E_NOMEM, "no memory to open a store");
    *dir = (struct dir){.store.ops = &dir_ops, .root_fd = -1, .temp_fd = -1, .lock_fd = -1, .intent_fd = -1};
    pthread_mutex_init(&dir->guard, NULL);
    store = &dir->store;
    int rc = root_open(dir, rest, err);
    if (rc)
        return rc;
    *ret_store = store;
    store = NULL;
    return 0;
}
