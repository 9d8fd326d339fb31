/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A file is opened in two moves: O_PATH first, to see that it is a regular file beneath the root, then for reading; so a
 * device or a pipe is never really opened. What was copied is what was hashed: both happen in one pass over a buffer. */
#include "worker/source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/sha256.h"
#include "storage/name.h"

enum {
    COPY_BYTES = 1 << 20,  /* read at once from a file */
    FETCH_BYTES = 8 << 20, /* read at once from the store */
    MAGIC_BYTES = 1024,    /* a PDF's header lies in its first 1024 bytes (PDF 1.7, appendix H, note 13) */
    FD_PATH_BYTES = 32,
};

/* ---- where the bytes are put ---- */

/* An empty file for bytes bytes: in memory, or in TMPDIR when there are many. */
static int spool_new(uint64_t bytes, int *ret_fd, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    int fd = bytes <= STORE_PART_BYTES ? memfd_create("sohoa", MFD_CLOEXEC | MFD_ALLOW_SEALING)
                                       : open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, E_IO, "can't make a spool file of %llu bytes in %s", (unsigned long long)bytes,
                         bytes <= STORE_PART_BYTES ? "memory" : folder);
    *ret_fd = fd;
    return 0;
}

static int spool_write(int fd, const void *data, size_t bytes, struct err *err)
{
    const uint8_t *from = data;
    while (bytes) {
        ssize_t n = write(fd, from, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_errno(err, E_IO, "can't write the spool file");
        from += n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* From now on nobody can change it; a file on a disk has no seals, but its readers get it read-only. */
static int spool_seal(int fd, struct err *err)
{
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) && errno != EINVAL)
        return err_errno(err, E_IO, "can't seal the memory file");
    return lseek(fd, 0, SEEK_SET) < 0 ? err_errno(err, E_IO, "can't rewind the spool file") : 0;
}

int spool_bytes(const void *data, size_t bytes, int *ret_fd, struct err *err)
{
    AUTO(fd_destroy) int fd = -1;
    int rc = spool_new(bytes, &fd, err);
    if (!rc)
        rc = spool_write(fd, data, bytes, err);
    if (!rc)
        rc = spool_seal(fd, err);
    if (rc)
        return rc;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* ---- finding a file ---- */

/* The part of path that starts at root, or NULL when path is absolute and not beneath it. */
static const char *path_beneath(const char *root, const char *path)
{
    size_t n = strlen(root);
    while (n > 0 && root[n - 1] == '/')
        n--;
    if (*path != '/')
        return path;
    if (strncmp(path, root, n) || path[n] != '/')
        return NULL;
    path += n;
    while (*path == '/')
        path++;
    return path;
}

static int find_fault(const char *path, struct err *err)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return err_errno(err, E_SOURCE_MISSING, "%s", path);
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG: return err_errno(err, E_SOURCE_DENIED, "%s", path);
    case EXDEV: return err_set(err, E_SOURCE_DENIED, "%s leads out of source_root", path);
    default: return err_errno(err, E_IO, "%s", path);
    }
}

/* An O_PATH descriptor of what lies at path beneath root. */
static int file_find(const char *root, const char *path, int *ret_fd, struct err *err)
{
    const char *beneath = path_beneath(root, path);
    if (!beneath)
        return err_set(err, E_SOURCE_DENIED, "%s is not beneath source_root %s", path, root);
    AUTO(fd_destroy) int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return find_fault(root, err);
    /* Nothing is outside "/", and absolute links are allowed there. */
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    if (strcmp(root, "/"))
        how.resolve |= RESOLVE_BENEATH;
    int fd = (int)syscall(SYS_openat2, folder, *beneath ? beneath : ".", &how, sizeof how);
    if (fd < 0)
        return find_fault(path, err);
    *ret_fd = fd;
    return 0;
}

static int reopen(int fd, int *ret_fd)
{
    char path[FD_PATH_BYTES];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return *ret_fd < 0 ? E_IO : 0;
}

/* Opens the file for reading and says how large it is. */
static int file_open(const char *root, const char *path, uint64_t max_bytes, int *ret_fd, struct stat *st,
                     struct err *err)
{
    AUTO(fd_destroy) int found = -1;
    int rc = file_find(root, path, &found, err);
    if (rc)
        return rc;
    if (fstat(found, st))
        return err_errno(err, E_IO, "%s", path);
    if (!S_ISREG(st->st_mode))
        return err_set(err, E_SOURCE_DENIED, "%s is not a regular file", path);
    if (st->st_size == 0)
        return err_set(err, E_SOURCE_EMPTY, "%s", path);
    if ((uint64_t)st->st_size > max_bytes)
        return err_set(err, E_SOURCE_SIZE, "%s has %lld bytes, source_max_bytes is %llu", path, (long long)st->st_size,
                       (unsigned long long)max_bytes);
    return reopen(found, ret_fd) ? find_fault(path, err) : 0;
}

/* ---- reading it ---- */

static bool magic_known(const uint8_t *head, size_t bytes)
{
    static const struct {
        const char *bytes;
        size_t length;
    } magic[] = {
        {"II*\0",             4}, /* TIFF */
        {"MM\0*",             4},
        {"\xff\xd8\xff",      3}, /* JPEG */
        {"\x89PNG\r\n\x1a\n", 8},
    };
    for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++)
        if (bytes >= magic[i].length && !memcmp(head, magic[i].bytes, magic[i].length))
            return true;
    return memmem(head, bytes < MAGIC_BYTES ? bytes : MAGIC_BYTES, "%PDF-", 5) != NULL;
}

/* As many bytes as there are, up to bytes. */
static ssize_t read_full(int fd, uint8_t *to, size_t bytes)
{
    size_t got = 0;
    while (got < bytes) {
        ssize_t n = read(fd, to + got, bytes - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (ssize_t)got;
}

/* Hashes from to its end, and writes what it reads to to (unless -1). Not more than bytes and one more are read: a file
 * that grows without end doesn't hold us. */
static int file_pass(const char *path, int from, uint64_t bytes, int to, uint8_t sha256[SHA256_BYTES], struct err *err)
{
    AUTO(mem_destroy) uint8_t *buffer = malloc(COPY_BYTES);
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    if (!buffer)
        return err_set(err, E_NOMEM, "no memory to read %s", path);
    uint64_t got = 0;
    for (;;) {
        ssize_t n = read_full(from, buffer, COPY_BYTES);
        if (n < 0)
            return err_errno(err, E_IO, "%s", path);
        if (n == 0)
            break;
        got += (uint64_t)n;
        if (got > bytes)
            return err_set(err, E_SOURCE_CHANGED, "%s grew beyond %llu bytes", path, (unsigned long long)bytes);
        if (to >= 0 && got == (uint64_t)n && !magic_known(buffer, (size_t)n))
            return err_set(err, E_SOURCE_TYPE, "%s does not begin as a PDF, TIFF, JPEG or PNG does", path);
        sha256_update(hash, buffer, (size_t)n);
        int rc = to >= 0 ? spool_write(to, buffer, (size_t)n, err) : 0;
        if (rc)
            return rc;
    }
    if (got < bytes)
        return err_set(err, E_SOURCE_CHANGED, "%s shrank from %llu to %llu bytes", path, (unsigned long long)bytes,
                       (unsigned long long)got);
    sha256_final(hash, sha256);
    return 0;
}

static struct source *source_new(int *fd, uint64_t bytes)
{
    struct source *source = calloc(1, sizeof *source);
    if (!source)
        abort();
    source->fd = *fd;
    source->bytes = bytes;
    source->users = 1;
    *fd = -1;
    return source;
}

int source_read(const char *root, const char *path, uint64_t max_bytes, struct source **ret_source, struct err *err)
{
    AUTO(fd_destroy) int from = -1;
    AUTO(fd_destroy) int to = -1;
    struct stat before, after;
    uint8_t sha256[SHA256_BYTES];
    int rc = file_open(root, path, max_bytes, &from, &before, err);
    if (!rc)
        rc = spool_new((uint64_t)before.st_size, &to, err);
    if (!rc)
        rc = file_pass(path, from, (uint64_t)before.st_size, to, sha256, err);
    if (!rc)
        rc = spool_seal(to, err);
    if (!rc && fstat(from, &after))
        rc = err_errno(err, E_IO, "%s", path);
    if (!rc && (after.st_mtim.tv_sec != before.st_mtim.tv_sec || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec))
        rc = err_set(err, E_SOURCE_CHANGED, "%s was written while it was read", path);
    if (rc)
        return rc;
    *ret_source = source_new(&to, (uint64_t)before.st_size);
    memcpy((*ret_source)->sha256, sha256, sizeof sha256);
    return 0;
}

int source_confirm(const char *root, const char *path, const struct source *source, struct err *err)
{
    AUTO(fd_destroy) int from = -1;
    struct stat st;
    uint8_t sha256[SHA256_BYTES];
    int rc = file_open(root, path, UINT64_MAX, &from, &st, err);
    if (rc)
        return rc;
    if ((uint64_t)st.st_size != source->bytes)
        return err_set(err, E_SOURCE_CHANGED, "%s went from %llu to %lld bytes", path,
                       (unsigned long long)source->bytes, (long long)st.st_size);
    rc = file_pass(path, from, source->bytes, -1, sha256, err);
    if (!rc && memcmp(sha256, source->sha256, sizeof sha256))
        rc = err_set(err, E_SOURCE_CHANGED, "%s reads differently the second time", path);
    return rc;
}

/* ---- from the store ---- */

static int fetch_pass(struct store *store, const char *name, uint64_t bytes, int to, uint8_t sha256[SHA256_BYTES],
                      struct err *err)
{
    AUTO(buf_destroy) struct buf part = {0};
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    int rc = 0;
    for (uint64_t at = 0; at < bytes && !rc; at += part.size) {
        buf_clear(&part);
        rc = store_read(store, name, at, FETCH_BYTES, &part, err);
        if (!rc && (!part.size || part.size > bytes - at))
            rc = err_set(err, E_CORRUPT, "%s does not have the %llu bytes it says", name, (unsigned long long)bytes);
        if (!rc)
            rc = spool_write(to, part.data, part.size, err);
        if (!rc)
            sha256_update(hash, part.data, part.size);
    }
    if (!rc)
        sha256_final(hash, sha256);
    return rc;
}

int source_fetch(struct store *store, const uint8_t sha256[SHA256_BYTES], uint64_t max_bytes,
                 struct source **ret_source, struct err *err)
{
    AUTO(fd_destroy) int to = -1;
    struct name name;
    uint64_t bytes = 0;
    uint8_t got[SHA256_BYTES];
    int rc = store_stat(store, name_src(&name, sha256), &bytes, err);
    if (!rc && bytes > max_bytes)
        rc = err_set(err, E_SOURCE_SIZE, "%s has %llu bytes, source_max_bytes is %llu", name.text,
                     (unsigned long long)bytes, (unsigned long long)max_bytes);
    if (!rc)
        rc = spool_new(bytes, &to, err);
    if (!rc)
        rc = fetch_pass(store, name.text, bytes, to, got, err);
    if (!rc && memcmp(got, sha256, sizeof got))
        rc = err_set(err, E_CORRUPT, "%s does not have the SHA-256 it is named by", name.text);
    if (!rc)
        rc = spool_seal(to, err);
    if (rc)
        return rc;
    *ret_source = source_new(&to, bytes);
    memcpy((*ret_source)->sha256, sha256, SHA256_BYTES);
    return 0;
}

struct source *source_keep(struct source *source)
{
    source->users++;
    return source;
}

void source_destroy(struct source **source)
{
    if (!*source)
        return;
    assert((*source)->users > 0);
    if (--(*source)->users == 0) {
        close((*source)->fd);
        free(*source);
    }
    *source = NULL;
}

/* ---- the shelf ---- */

struct shelf {
    struct source *first; /* most recently used first */
    uint64_t max_bytes;
    unsigned max_count; /* each is an open file */
};

struct shelf *shelf_new(uint64_t max_bytes, unsigned max_count)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    if (!shelf)
        abort();
    shelf->max_bytes = max_bytes;
    shelf->max_count = max_count;
    return shelf;
}

/* Drops what lies behind the first ones that fit. */
static void shelf_trim(struct shelf *shelf, uint64_t max_bytes, unsigned max_count)
{
    uint64_t bytes = 0;
    struct source **at = &shelf->first;
    for (unsigned count = 0; *at && count < max_count && (*at)->bytes <= max_bytes - bytes; count++) {
        bytes += (*at)->bytes;
        at = &(*at)->next;
    }
    struct source *rest = *at;
    *at = NULL;
    while (rest) {
        struct source *next = rest->next;
        rest->next = NULL;
        source_destroy(&rest);
        rest = next;
    }
}

void shelf_destroy(struct shelf **shelf)
{
    if (!*shelf)
        return;
    shelf_trim(*shelf, 0, 0);
    assert(!(*shelf)->first);
    free(*shelf);
    *shelf = NULL;
}

struct source *shelf_find(struct shelf *shelf, const uint8_t sha256[SHA256_BYTES])
{
    for (struct source **at = &shelf->first; *at; at = &(*at)->next) {
        struct source *source = *at;
        if (memcmp(source->sha256, sha256, SHA256_BYTES))
            continue;
        *at = source->next;
        source->next = shelf->first;
        shelf->first = source;
        return source_keep(source);
    }
    return NULL;
}

void shelf_add(struct shelf *shelf, struct source *source)
{
    if (source->bytes > shelf->max_bytes)
        return;
    struct source *there = shelf_find(shelf, source->sha256);
    if (there) {
        source_destroy(&there);
        return;
    }
    source->next = shelf->first;
    shelf->first = source_keep(source);
    shelf_trim(shelf, shelf->max_bytes, shelf->max_count);
}
