/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Names of a listing, in unlinked files: there may be more than fit into memory. They come back a bucket at a time. */
#ifndef SOHOA_SPOOL_H
#define SOHOA_SPOOL_H

#include <stdio.h>

#include "proto/buf.h"
#include "proto/err.h"

enum { SPOOL_BUCKETS = 256 };

struct spool { /* {0} is empty */
    FILE *file[SPOOL_BUCKETS];
};

/* A file without a name, in TMPDIR or /var/tmp, to write and read. Errors: E_IO. */
int spool_file(FILE **ret_file, struct err *err);

int spool_add(struct spool *spool, unsigned bucket, const char *name, struct err *err);

/* Appends the names, each ended by a 0; the bucket is empty then. */
int spool_take(struct spool *spool, unsigned bucket, struct buf *names, struct err *err);
void spool_destroy(struct spool *spool);

#endif
