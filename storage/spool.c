/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "storage/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "proto/auto.h"

enum { TAKE_BYTES = 1 << 16 };

int spool_file(FILE **ret_file, struct err *err)
{
    const char *folder = getenv("TMPDIR");
    folder = folder && *folder ? folder : "/var/tmp";
    AUTO(fd_destroy) int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");
    if (!file)
        return err_errno(err, E_IO, "a file in %s", folder);
    fd = -1;
    *ret_file = file;
    return 0;
}

int spool_add(struct spool *spool, unsigned bucket, const char *name, struct err *err)
{
    int rc = spool->file[bucket] ? 0 : spool_file(&spool->file[bucket], err);
    if (!rc && fwrite(name, strlen(name) + 1, 1, spool->file[bucket]) != 1)
        rc = err_errno(err, E_IO, "noting names of blobs");
    return rc;
}

int spool_take(struct spool *spool, unsigned bucket, struct buf *names, struct err *err)
{
    AUTO(file_destroy) FILE *file = spool->file[bucket];
    spool->file[bucket] = NULL;
    if (!file)
        return 0;
    size_t got = 1;
    bool good = !fflush(file) && !fseek(file, 0, SEEK_SET);
    while (good && got) {
        got = fread(buf_reserve(names, TAKE_BYTES), 1, TAKE_BYTES, file);
        names->size += got;
        names->data[names->size] = 0;
    }
    return good && !ferror(file) ? 0 : err_errno(err, E_IO, "reading noted names of blobs");
}

void spool_destroy(struct spool *spool)
{
    for (unsigned i = 0; i < SPOOL_BUCKETS; i++)
        file_destroy(&spool->file[i]);
}
