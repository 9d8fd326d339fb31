/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The only file that knows libarchive. */
#include "coordinator/package/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/auto.h"
#include "proto/sha256.h"

enum { STEP_BYTES = 1 << 16, NEEDLE_BYTES = 64, MEMBER_MODE = 0644 };

static const time_t member_time = 315532800; /* 1980-01-01, where ZIP's own times begin */

struct zip {
    struct archive *archive;
};

static void archive_drop(struct archive **archive)
{
    if (*archive)
        archive_free(*archive);
    *archive = NULL;
}

static void entry_drop(struct archive_entry **entry)
{
    if (*entry)
        archive_entry_free(*entry);
    *entry = NULL;
}

static int fault(struct archive *archive, const char *what, struct err *err)
{
    const char *why = archive_error_string(archive);
    return err_set(err, E_IO, "%s: %s", what, why ? why : "it failed");
}

/* ---- writing ---- */

int zip_new(int fd, struct zip **ret_zip, struct err *err)
{
    struct zip *zip = calloc(1, sizeof *zip);
    if (!zip || !(zip->archive = archive_write_new()))
        abort();
    if (archive_write_set_format_zip(zip->archive) || archive_write_set_bytes_in_last_block(zip->archive, 1) ||
        archive_write_open_fd(zip->archive, fd)) {
        int rc = fault(zip->archive, "a new ZIP", err);
        zip_destroy(&zip);
        return rc;
    }
    *ret_zip = zip;
    return 0;
}

void zip_destroy(struct zip **zip)
{
    if (!*zip)
        return;
    archive_drop(&(*zip)->archive);
    free(*zip);
    *zip = NULL;
}

static int member_begin(struct zip *zip, const char *name, uint64_t bytes, bool store, struct err *err)
{
    AUTO(entry_drop) struct archive_entry *entry = archive_entry_new();
    if (!entry)
        abort();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)bytes);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, MEMBER_MODE);
    archive_entry_set_mtime(entry, member_time, 0);
    if (store ? archive_write_zip_set_compression_store(zip->archive)
              : archive_write_zip_set_compression_deflate(zip->archive))
        return fault(zip->archive, name, err);
    return archive_write_header(zip->archive, entry) ? fault(zip->archive, name, err) : 0;
}

static int member_data(struct zip *zip, const char *name, const void *data, size_t bytes, struct err *err)
{
    return archive_write_data(zip->archive, data, bytes) == (la_ssize_t)bytes ? 0 : fault(zip->archive, name, err);
}

int zip_add(struct zip *zip, const char *name, const void *data, size_t bytes, uint8_t sha256[SHA256_BYTES],
            struct err *err)
{
    sha256_of(data, bytes, sha256);
    int rc = member_begin(zip, name, bytes, false, err);
    return rc ? rc : member_data(zip, name, data, bytes, err);
}

int zip_add_file(struct zip *zip, const char *name, int fd, uint64_t bytes, uint8_t sha256[SHA256_BYTES],
                 struct err *err)
{
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    AUTO(mem_destroy) uint8_t *step = malloc(STEP_BYTES);
    uint64_t at = 0;
    if (!step)
        abort();
    int rc = member_begin(zip, name, bytes, true, err);
    while (!rc && at < bytes) {
        ssize_t n = pread(fd, step, STEP_BYTES, (off_t)at);
        if (n <= 0)
            return err_errno(err, E_IO, "%s ends at byte %llu of %llu", name, (unsigned long long)at,
                             (unsigned long long)bytes);
        sha256_update(hash, step, (size_t)n);
        rc = member_data(zip, name, step, (size_t)n, err);
        at += (uint64_t)n;
    }
    sha256_final(hash, sha256);
    return rc;
}

int zip_end(struct zip *zip, struct err *err)
{
    return archive_write_close(zip->archive) ? fault(zip->archive, "the ZIP's directory", err) : 0;
}

/* ---- reading ---- */

/* Reads the member that the reader stands at. */
static void member_read(struct archive *archive, struct zip_member *member, struct buf *data, bool wanted, size_t most,
                        const char *needle)
{
    AUTO(sha256_destroy) struct sha256 *hash = sha256_new();
    AUTO(mem_destroy) uint8_t *room = calloc(1, STEP_BYTES + NEEDLE_BYTES);
    uint8_t *step = room ? room + NEEDLE_BYTES : NULL; /* before it lies the end of the step before */
    la_ssize_t n;
    if (!room)
        abort();
    while ((n = archive_read_data(archive, step, STEP_BYTES)) > 0) {
        sha256_update(hash, step, (size_t)n);
        if (!member->bytes)
            memcpy(member->head, step, (size_t)n < ZIP_HEAD_BYTES ? (size_t)n : ZIP_HEAD_BYTES);
        member->has = member->has || memmem(room, NEEDLE_BYTES + (size_t)n, needle, strlen(needle));
        memmove(room, step + n - NEEDLE_BYTES, NEEDLE_BYTES);
        member->bytes += (uint64_t)n;
        if (wanted && member->bytes <= most)
            buf_append(data, step, (size_t)n);
    }
    sha256_final(hash, member->sha256);
    if (n < 0)
        member->fault = archive_error_string(archive);
    if (n < 0 && !member->fault)
        member->fault = "it can't be read";
    if (wanted && member->bytes > most)
        member->fault = "it is larger than is believable";
    member->data = wanted && !member->fault ? data : NULL;
}

static int reader_open(const char *path, struct archive **ret_archive, struct err *err)
{
    struct archive *archive = archive_read_new();
    if (!archive)
        abort();
    *ret_archive = archive;
    if (archive_read_support_format_zip_seekable(archive))
        return fault(archive, path, err);
    if (!archive_read_open_filename(archive, path, STEP_BYTES))
        return 0;
    if (access(path, R_OK))
        return err_errno(err, E_IO, "%s", path);
    return err_set(err, E_CORRUPT, "%s is no ZIP: %s", path, archive_error_string(archive));
}

int zip_read(const char *path, bool (*keep)(const char *name), size_t keep_bytes, const char *needle,
             int (*each)(const struct zip_member *member, void *user, struct err *err), void *user, struct err *err)
{
    AUTO(archive_drop) struct archive *archive = NULL;
    struct archive_entry *entry;
    int rc = reader_open(path, &archive, err), got = 0;
    while (!rc && (got = archive_read_next_header(archive, &entry)) != ARCHIVE_EOF) {
        AUTO(buf_destroy) struct buf data = {0};
        struct zip_member member = {.name = got < ARCHIVE_WARN ? NULL : archive_entry_pathname(entry)};
        if (!member.name)
            return err_set(err, E_CORRUPT, "%s: %s", path, archive_error_string(archive));
        member.file = archive_entry_filetype(entry) == AE_IFREG;
        member_read(archive, &member, &data, keep(member.name), keep_bytes, needle);
        rc = each(&member, user, err);
    }
    return rc;
}
