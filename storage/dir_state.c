/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The store in a folder: the lock and what only its holder writes. PATH/lock carries the flock, the epoch and the
 * holder's name; the epoch is on disk before it is used. An append counts all or none: PATH/~append tells, before the
 * blob is touched, how long it was and what will be added; the next holder cuts off what did not arrive whole. */
#include "storage/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "storage/map_log.h"

enum {
    LOCK_RECORD_BYTES = 256,   /* one sector holds it: it changes all or not at all */
    INTENT_BYTES = 1024,       /* room for the longest name */
    EPOCH_CHARS = 20,          /* of the largest uint64_t */
    STATE_LOG_BYTES = 1 << 30, /* the longest map log that is read */
};

static const char lock_name[] = "lock", intent_name[] = "~append";

static struct dir *dir_of(struct store *store)
{
    return (struct dir *)store;
}

static void guard_release(pthread_mutex_t **guard)
{
    if (*guard)
        pthread_mutex_unlock(*guard);
}

static pthread_mutex_t *guard_take(struct dir *dir)
{
    pthread_mutex_lock(&dir->guard);
    return &dir->guard;
}

#define GUARDED(dir) __attribute__((unused)) AUTO(guard_release) pthread_mutex_t *guarded = guard_take(dir)

/* ---- the lock ---- */

/* The file's text "<epoch> <owner>"; an empty file: epoch 0. */
static int lock_read(int fd, uint64_t *ret_epoch, char owner[LOCK_RECORD_BYTES], struct err *err)
{
    char record[LOCK_RECORD_BYTES + 1] = "";
    ssize_t n = pread(fd, record, LOCK_RECORD_BYTES, 0);
    if (n < 0)
        return err_errno(err, E_STORE, "reading the lock");
    *ret_epoch = 0;
    owner[0] = '\0';
    char *end;
    errno = 0;
    unsigned long long epoch = strtoull(record, &end, 10);
    if (n && (errno || end == record || *end != ' ' || epoch == UINT64_MAX))
        return err_set(err, E_CORRUPT, "the store's lock file does not begin with an epoch");
    if (n) {
        *ret_epoch = epoch;
        snprintf(owner, LOCK_RECORD_BYTES, "%.*s", (int)strcspn(end + 1, "\n"), end + 1);
    }
    return 0;
}

static int lock_write(const struct dir *dir, int fd, uint64_t epoch, const char *owner, struct err *err)
{
    char record[LOCK_RECORD_BYTES];
    memset(record, ' ', sizeof record);
    int n = snprintf(record, sizeof record, "%0*" PRIu64 " %s\n", EPOCH_CHARS, epoch, owner);
    record[n] = ' ';
    if (pwrite(fd, record, sizeof record, 0) != sizeof record || fsync(fd) || fsync(dir->root_fd))
        return err_errno(err, E_STORE, "writing the lock");
    return 0;
}

static int lock_take(struct dir *dir, const char *owner, int *ret_fd, uint64_t *ret_epoch, struct err *err)
{
    AUTO(fd_destroy) int fd = openat(dir->root_fd, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0)
        return err_errno(err, E_STORE, "opening the lock");
    bool taken = !flock(fd, LOCK_EX | LOCK_NB);
    if (!taken && errno != EWOULDBLOCK)
        return err_errno(err, E_STORE, "locking");
    char holder[LOCK_RECORD_BYTES];
    uint64_t epoch;
    int rc = lock_read(fd, &epoch, holder, err);
    if (!rc && !taken)
        rc = store_locked(&dir->store, holder, epoch, err);
    if (!rc)
        rc = lock_write(dir, fd, ++epoch, owner, err);
    if (rc)
        return rc;
    *ret_epoch = epoch;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* The flock outlives everything but the lock file's own removal, or the loss of the lock that was noticed before. */
static int held_check(struct dir *dir, const char *name, struct err *err)
{
    struct stat ours, there = {0};
    if (fstat(dir->lock_fd, &ours))
        return err_errno(err, E_STORE, "looking at the lock");
    if (fstatat(dir->root_fd, lock_name, &there, 0) && errno != ENOENT)
        return err_errno(err, E_STORE, "looking at the lock");
    if (ours.st_nlink && ours.st_ino == there.st_ino)
        return 0;
    atomic_store(&dir->store.epoch, 0);
    return err_set(err, E_FENCED, "%s: the store's lock file was replaced", name);
}

int dir_renew(struct store *store, struct err *err)
{
    return held_check(dir_of(store), "renewing", err);
}

void dir_unlock(struct dir *dir)
{
    atomic_store(&dir->store.epoch, 0);
    fd_destroy(&dir->intent_fd);
    fd_destroy(&dir->lock_fd);
}

/* ---- appending ---- */

/* "<offset> <bytes> <sha256 of what is added> <name>\n"; empty: nothing is being appended. */
static int intent_write(struct dir *dir, const char *text, struct err *err)
{
    char record[INTENT_BYTES] = "";
    snprintf(record, sizeof record, "%s", text);
    dir->intent = true; /* also when writing fails: who knows what is on disk then */
    if (pwrite(dir->intent_fd, record, sizeof record, 0) != sizeof record || fdatasync(dir->intent_fd))
        return err_errno(err, E_STORE, "writing %s", intent_name);
    dir->intent = *text;
    return 0;
}

static int intent_set(struct dir *dir, const char *name, uint64_t offset, const void *data, size_t bytes,
                      struct err *err)
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1], text[INTENT_BYTES];
    sha256_of(data, bytes, digest);
    sha256_hex(digest, hex);
    snprintf(text, sizeof text, "%" PRIu64 " %zu %s %s\n", offset, bytes, hex, name);
    return intent_write(dir, text, err);
}

/* Whether what the intent tells of is there whole. */
static int intent_done(int fd, const char *name, uint64_t offset, size_t bytes, const char *hex, bool *ret_done,
                       struct err *err)
{
    AUTO(buf_destroy) struct buf tail = {0};
    int rc = dir_read_at(fd, name, offset, bytes, &tail, err);
    if (rc)
        return rc;
    uint8_t digest[SHA256_BYTES];
    char found[SHA256_HEX_CHARS + 1];
    sha256_of(tail.data, tail.size, digest);
    sha256_hex(digest, found);
    *ret_done = tail.size == bytes && !strcmp(found, hex);
    return 0;
}

static int intent_undo(const struct dir *dir, const char *name, uint64_t offset, size_t bytes, const char *hex,
                       struct err *err)
{
    AUTO(fd_destroy) int fd = -1;
    struct stat st;
    int rc = dir_blob_open(dir, name, O_RDWR, &fd, &st, err);
    if (rc == E_ABSENT)
        return 0;
    bool done = true;
    if (!rc && (uint64_t)st.st_size > offset)
        rc = intent_done(fd, name, offset, bytes, hex, &done, err);
    if (!rc && !done && (ftruncate(fd, (off_t)offset) || fsync(fd)))
        rc = err_errno(err, E_STORE, "cutting a torn append off %s", name);
    return rc;
}

/* Cuts off what the last holder did not append whole. */
static int intent_recover(struct dir *dir, struct err *err)
{
    char record[INTENT_BYTES + 1] = "", hex[SHA256_HEX_CHARS + 1], name[STORE_NAME_BYTES];
    uint64_t offset;
    size_t bytes;
    if (pread(dir->intent_fd, record, INTENT_BYTES, 0) < 0)
        return err_errno(err, E_STORE, "reading %s", intent_name);
    if (sscanf(record, "%" SCNu64 " %zu %64s %511s\n", &offset, &bytes, hex, name) != 4)
        return 0;
    if (bytes > STORE_PART_BYTES)
        return err_set(err, E_CORRUPT, "%s tells of %zu bytes", intent_name, bytes);
    int rc = intent_undo(dir, name, offset, bytes, hex, err);
    return rc ? rc : intent_write(dir, "", err);
}

/* Opens the blob for appending and tells its length; makes it, durably, when it is absent. */
static int append_open(struct dir *dir, const char *name, int *ret_fd, uint64_t *ret_offset, struct err *err)
{
    struct stat st;
    int rc = dir_blob_open(dir, name, O_WRONLY | O_APPEND, ret_fd, &st, err);
    if (rc == E_ABSENT) {
        rc = dir_put(dir, name, "", 0, 0644, false, err);
        if (!rc)
            rc = dir_blob_open(dir, name, O_WRONLY | O_APPEND, ret_fd, &st, err);
    }
    if (!rc)
        *ret_offset = (uint64_t)st.st_size;
    return rc;
}

int dir_append(struct store *store, const char *name, const void *data, size_t bytes, uint64_t *ret_offset,
               struct err *err)
{
    struct dir *dir = dir_of(store);
    AUTO(fd_destroy) int fd = -1;
    GUARDED(dir);
    int rc = held_check(dir, name, err);
    if (!rc)
        rc = append_open(dir, name, &fd, ret_offset, err);
    if (!rc)
        rc = intent_set(dir, name, *ret_offset, data, bytes, err);
    if (rc)
        return rc;
    if (!dir_write_all(fd, data, bytes) && !fdatasync(fd))
        return 0;
    rc = err_errno(err, E_STORE, "appending to %s", name);
    /* What can't be cut off now, the intent leaves to the next holder; until then nobody may append behind it. */
    if (ftruncate(fd, (off_t)*ret_offset) || fdatasync(fd))
        atomic_store(&store->epoch, 0);
    return rc;
}

/* ---- the other guarded writes ---- */

/* An intent tells of the blob that was there; a new one of the same name must not be cut by it. */
static int guard_change(struct dir *dir, const char *name, struct err *err)
{
    int rc = held_check(dir, name, err);
    return rc || !dir->intent ? rc : intent_write(dir, "", err);
}

int dir_guard_put(struct dir *dir, const char *name, const void *data, size_t bytes, bool replace, struct err *err)
{
    GUARDED(dir);
    int rc = guard_change(dir, name, err);
    return rc ? rc : dir_put(dir, name, data, bytes, 0644, replace, err);
}

int dir_guard_remove(struct dir *dir, const char *name, struct err *err)
{
    GUARDED(dir);
    int rc = guard_change(dir, name, err);
    return rc ? rc : dir_unlink(dir, name, err);
}

int dir_map_set(struct store *store, const char *name, const struct store_pair *pairs, size_t count, struct err *err)
{
    AUTO(buf_destroy) struct buf record = {0};
    uint64_t offset;
    map_log_pack(pairs, count, &record);
    return dir_append(store, name, record.data, record.size, &offset, err);
}

int dir_map_renew(struct store *store, const char *name, const struct store_pair *pairs, size_t count, struct err *err)
{
    AUTO(buf_destroy) struct buf log = {0};
    AUTO(buf_destroy) struct buf whole = {0};
    AUTO(buf_destroy) struct buf renewed = {0};
    int rc = store->ops->get(store, name, STATE_LOG_BYTES, &log, err);
    if (rc && rc != E_ABSENT)
        return rc;
    /* First without what is torn at its end: a record behind that would not be found. */
    rc = map_log_compact(name, &log, &whole, err);
    map_log_pack(pairs, count, &whole);
    if (!rc)
        rc = map_log_compact(name, &whole, &renewed, err);
    return rc ? rc : dir_guard_put(dir_of(store), name, renewed.data, renewed.size, true, err);
}

int dir_map_read(struct store *store, const char *name, const char *after, size_t limit,
                 void (*each)(const struct store_pair *pair, void *user), void *user, bool *ret_more, struct err *err)
{
    AUTO(buf_destroy) struct buf log = {0};
    int rc = store->ops->get(store, name, STATE_LOG_BYTES, &log, err);
    if (rc == E_ABSENT) {
        *ret_more = false;
        return 0;
    }
    return rc ? rc : map_log_read(name, log.data, log.size, after, limit, each, user, ret_more, err);
}

int dir_lock(struct store *store, const char *owner, uint32_t ttl_ms, struct err *err)
{
    (void)ttl_ms; /* the kernel gives a dead holder's flock up at once */
    struct dir *dir = dir_of(store);
    dir_unlock(dir);
    uint64_t epoch;
    struct stat st;
    int rc = lock_take(dir, owner, &dir->lock_fd, &epoch, err);
    if (rc)
        return rc;
    dir->intent_fd = openat(dir->root_fd, intent_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
    if (dir->intent_fd < 0 || fstat(dir->lock_fd, &st))
        rc = err_errno(err, E_STORE, "opening %s", intent_name);
    if (!rc)
        rc = intent_recover(dir, err);
    if (rc) {
        dir_unlock(dir);
        return rc;
    }
    dir_temp_sweep(dir, &st.st_mtim);
    atomic_store(&store->epoch, epoch);
    return 0;
}
