/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Every write goes to .FILE.part beside its place first: a file under its own name is always whole. */
#include "coordinator/ctl/export.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "coordinator/ctl/names.h"
#include "proto/auto.h"
#include "proto/sha256.h"

enum { COPY_BYTES = 1 << 16 };

struct export
{
    struct api *api;
    const char *batch;
    char *out;
    int out_fd;
};

#define RECORD_FILE "record.json"

static const struct {
    const char *part, *file; /* of the API and in the record's outputs; in the folder */
} output[] = {
    {"pdf",  "document.pdf"},
    {"text", "text.txt"    },
    {"alto", "alto.xml"    }
};

enum { OUTPUTS = sizeof output / sizeof output[0], FILES = OUTPUTS + 1 };

static const char *file_name(unsigned i)
{
    return i < OUTPUTS ? output[i].file : RECORD_FILE;
}

void export_destroy(struct export **export)
{
    if (!*export)
        return;
    fd_destroy(&(*export)->out_fd);
    free((*export)->out);
    free(*export);
    *export = NULL;
}

/* Makes the folders of path below fd, the last one included. */
static int folders_make(int fd, const char *path, struct err *err)
{
    AUTO(mem_destroy) char *part = strdup(path);
    assert(part);
    for (char *slash = part; slash;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = 0;
        if (mkdirat(fd, part, 0755) && errno != EEXIST)
            return err_errno(err, E_IO, "folder %s", part);
        if (slash)
            *slash = '/';
    }
    return 0;
}

int export_folder(const char *path, struct err *err)
{
    return folders_make(AT_FDCWD, path, err);
}

static int folder_open(int fd, const char *path, int *ret_fd, struct err *err)
{
    int rc = folders_make(fd, path, err);
    if (rc)
        return rc;
    *ret_fd = openat(fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? err_errno(err, E_IO, "folder %s", path) : 0;
}

int export_new(struct api *api, const char *batch, const char *out, struct export **ret_export, struct err *err)
{
    AUTO(export_destroy) struct export *export = calloc(1, sizeof *export);
    assert(export);
    *export = (struct export){.api = api, .batch = batch, .out = strdup(out), .out_fd = -1};
    assert(export->out);
    int rc = folder_open(AT_FDCWD, out, &export->out_fd, err);
    if (rc)
        return rc;
    *ret_export = export;
    export = NULL;
    return 0;
}

/* ---- one file ---- */

static const char *part_name(const char *file, char temp[NAME_MAX])
{
    snprintf(temp, NAME_MAX, ".%s.part", file);
    return temp;
}

static int hash_file(int fd, char hex[SHA256_HEX_CHARS + 1])
{
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    AUTO(mem_destroy) uint8_t *step = malloc(COPY_BYTES);
    assert(step);
    ssize_t n;
    for (off_t at = 0; (n = pread(fd, step, COPY_BYTES, at)) > 0; at += n)
        sha256_update(hash, step, (size_t)n);
    uint8_t digest[SHA256_BYTES];
    sha256_final(hash, digest);
    sha256_hex(digest, hex);
    return n < 0 ? E_IO : 0;
}

/* Does the file have this hash? One that can't be read does not. */
static bool file_has(int folder, const char *file, const char *sha256, uint64_t bytes)
{
    char hex[SHA256_HEX_CHARS + 1];
    struct stat st;
    AUTO(fd_destroy) int fd = openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes &&
           hash_file(fd, hex) == 0 && !strcmp(hex, sha256);
}

static int part_open(int folder, const char *file, int *ret_fd, struct err *err)
{
    char temp[NAME_MAX];
    *ret_fd = openat(folder, part_name(file, temp), O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    return *ret_fd < 0 ? err_errno(err, E_IO, "%s", temp) : 0;
}

/* Puts the part in the place of the file; on an earlier failure takes it away. */
static int part_end(int folder, const char *file, int rc, struct err *err)
{
    char temp[NAME_MAX];
    part_name(file, temp);
    if (!rc && renameat(folder, temp, folder, file))
        rc = err_errno(err, E_IO, "%s", file);
    if (rc)
        unlinkat(folder, temp, 0);
    return rc;
}

static int bytes_write(int fd, const void *data, size_t bytes, struct err *err)
{
    for (size_t at = 0; at < bytes;) {
        ssize_t n = write(fd, (const char *)data + at, bytes - at);
        if (n < 0 && errno != EINTR)
            return err_errno(err, E_IO, "writing");
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int bytes_put(int folder, const char *file, const void *data, size_t bytes, struct err *err)
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_CHARS + 1];
    sha256_of(data, bytes, digest);
    sha256_hex(digest, hex);
    if (file_has(folder, file, hex, bytes))
        return 0;
    AUTO(fd_destroy) int fd = -1;
    int rc = part_open(folder, file, &fd, err);
    return rc ? rc : part_end(folder, file, bytes_write(fd, data, bytes, err), err);
}

int export_file(struct export *export, const char *file, const void *data, size_t bytes, struct err *err)
{
    return bytes_put(export->out_fd, file, data, bytes, err);
}

/* ---- a document with results of its own ---- */

static const char *document_path(const struct export *export, uint32_t doc, const char *part, struct buf *path)
{
    batch_path(path, export->batch, "/documents/");
    buf_printf(path, "%" PRIu32 "/%s", doc, part);
    return buf_text(path);
}

static int output_fetch(const struct export *export, int folder, uint32_t doc, unsigned i, const char *sha256,
                        struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(fd_destroy) int fd = -1;
    char hex[SHA256_HEX_CHARS + 1];
    int rc = part_open(folder, output[i].file, &fd, err);
    if (rc)
        return rc;
    rc = api_save(export->api, document_path(export, doc, output[i].part, &path), fd, err);
    if (!rc && hash_file(fd, hex))
        rc = err_errno(err, E_IO, "%s", output[i].file);
    if (!rc && strcmp(hex, sha256))
        rc = err_set(err, E_CORRUPT, "document %" PRIu32 ": its %s is not the one of its record", doc, output[i].part);
    return part_end(folder, output[i].file, rc, err);
}

static int output_put(const struct export *export, int folder, uint32_t doc, unsigned i, const json_t *record,
                      struct err *err)
{
    const json_t *entry = json_object_get(json_object_get(record, "outputs"), output[i].part);
    const char *sha256 = json_string_value(json_object_get(entry, "sha256"));
    if (!sha256)
        return err_set(err, E_VERSION, "document %" PRIu32 ": its record has no hash of %s", doc, output[i].part);
    if (file_has(folder, output[i].file, sha256, (uint64_t)json_integer_value(json_object_get(entry, "bytes"))))
        return 0;
    return output_fetch(export, folder, doc, i, sha256, err);
}

static int results_put(const struct export *export, struct outcome *outcome, uint32_t doc, struct err *err)
{
    AUTO(buf_destroy) struct buf path = {0};
    AUTO(buf_destroy) struct buf text = {0};
    AUTO(fd_destroy) int folder = -1;
    struct err why = {0};
    int rc = api_load(export->api, document_path(export, doc, "record", &path), RECORD_MAX_BYTES, &text, &why);
    if (rc == E_ABSENT && outcome->state == DOC_IS_DEAD)
        return 0; /* not even its pictures could be put together */
    if (rc)
        return err_set(err, rc, "document %" PRIu32 ": %s", doc, why.text);
    AUTO(json_drop) json_t *record = json_loadb(buf_text(&text), text.size, 0, NULL);
    rc = folder_open(export->out_fd, outcome->name, &folder, err);
    for (unsigned i = 0; i < OUTPUTS && !rc; i++)
        rc = output_put(export, folder, doc, i, record, err);
    if (!rc)
        rc = bytes_put(folder, RECORD_FILE, text.data, text.size, err);
    outcome->there = !rc;
    return rc;
}

/* ---- a duplicate ---- */

static int file_copy(int from_folder, int folder, const char *file, struct err *err)
{
    char hex[SHA256_HEX_CHARS + 1];
    struct stat st;
    AUTO(fd_destroy) int from = openat(from_folder, file, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &st) || hash_file(from, hex))
        return err_errno(err, E_IO, "%s", file);
    if (file_has(folder, file, hex, (uint64_t)st.st_size))
        return 0;
    AUTO(fd_destroy) int fd = -1;
    AUTO(mem_destroy) uint8_t *step = malloc(COPY_BYTES);
    assert(step);
    int rc = part_open(folder, file, &fd, err);
    if (rc)
        return rc;
    ssize_t n = 0;
    while (!rc && (n = read(from, step, COPY_BYTES)) > 0)
        rc = bytes_write(fd, step, (size_t)n, err);
    if (!rc && n < 0)
        rc = err_errno(err, E_IO, "%s", file);
    return part_end(folder, file, rc, err);
}

static int file_link(int from_folder, int folder, const char *file, struct err *err)
{
    char temp[NAME_MAX];
    struct stat master, own;
    if (fstatat(from_folder, file, &master, 0))
        return err_errno(err, E_IO, "%s", file);
    if (fstatat(folder, file, &own, AT_SYMLINK_NOFOLLOW) == 0 && own.st_ino == master.st_ino &&
        own.st_dev == master.st_dev)
        return 0;
    unlinkat(folder, part_name(file, temp), 0);
    if (linkat(from_folder, file, folder, temp, 0) == 0)
        return part_end(folder, file, 0, err);
    if (errno == EPERM || errno == EMLINK || errno == EXDEV || errno == EOPNOTSUPP || errno == ENOSYS)
        return file_copy(from_folder, folder, file, err);
    return err_errno(err, E_IO, "%s", file);
}

static int duplicate_put(struct export *export, struct outcomes *outcomes, struct outcome *outcome, struct err *err)
{
    struct outcome *master = &outcomes->item[outcome->duplicate_of];
    if (master == outcome || master->state == DOC_IS_DUPLICATE)
        return err_set(err, E_VERSION, "%s is a duplicate of a duplicate", outcome->name);
    int rc = export_document(export, outcomes, outcome->duplicate_of, err);
    if (rc || !master->there)
        return rc;
    AUTO(fd_destroy) int from = -1;
    AUTO(fd_destroy) int to = -1;
    rc = folder_open(export->out_fd, master->name, &from, err);
    if (!rc)
        rc = folder_open(export->out_fd, outcome->name, &to, err);
    for (unsigned i = 0; i < FILES && !rc; i++)
        rc = file_link(from, to, file_name(i), err);
    outcome->there = !rc;
    return rc;
}

/* ---- what is to be gone ---- */

static int results_remove(struct export *export, const char *name, struct err *err)
{
    AUTO(fd_destroy) int folder = openat(export->out_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(err, E_IO, "%s", name);
    char temp[NAME_MAX];
    for (unsigned i = 0; i < FILES; i++) {
        unlinkat(folder, part_name(file_name(i), temp), 0);
        if (unlinkat(folder, file_name(i), 0) && errno != ENOENT)
            return err_errno(err, E_IO, "%s/%s is quarantined and can't be removed", name, file_name(i));
    }
    unlinkat(export->out_fd, name, AT_REMOVEDIR); /* stays when somebody put something else there */
    return 0;
}

int export_document(struct export *export, struct outcomes *outcomes, uint32_t doc, struct err *err)
{
    struct outcome *outcome = &outcomes->item[doc];
    if (outcome->exported || outcome->state == DOC_IS_OPEN)
        return 0;
    struct err why = {0};
    int rc = 0;
    outcome->there = false;
    assert(name_stays(outcome->name));
    if (outcome->state == DOC_IS_STORED || outcome->state == DOC_IS_DEAD)
        rc = results_put(export, outcome, doc, &why);
    else if (outcome->state == DOC_IS_DUPLICATE)
        rc = duplicate_put(export, outcomes, outcome, &why);
    else if (outcome->state == DOC_IS_QUARANTINED)
        rc = results_remove(export, outcome->name, &why);
    outcome->exported = !rc && (outcome->state != DOC_IS_DUPLICATE || outcomes->item[outcome->duplicate_of].exported);
    return rc ? err_set(err, rc, "%s/%s: %s", export->out, outcome->name, why.text) : 0;
}
