/* SPDX-License-Identifier: AGPL-3.0-or-later
 * ZIP files, written and read member by member (libarchive). The same members give the same bytes: times are all the same. */
#ifndef SOHOA_PACKAGE_ZIP_H
#define SOHOA_PACKAGE_ZIP_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/buf.h"
#include "proto/err.h"
#include "proto/limits.h"

enum { ZIP_HEAD_BYTES = 5 };

struct zip;

/* fd is borrowed: an empty file. */
int zip_new(int fd, struct zip **ret_zip, struct err *err);
void zip_destroy(struct zip **zip);

/* sha256 becomes the member's. Errors: E_IO. */
int zip_add(struct zip *zip, const char *name, const void *data, size_t bytes, uint8_t sha256[SHA256_BYTES],
            struct err *err);
/* All of the file, as it is (it is compressed already), from its start. */
int zip_add_file(struct zip *zip, const char *name, int fd, uint64_t bytes, uint8_t sha256[SHA256_BYTES],
                 struct err *err);
int zip_end(struct zip *zip, struct err *err); /* the directory: the file is whole */

struct zip_member {
    const char *name; /* as it is in the ZIP */
    bool file;        /* neither a folder nor a link */
    uint64_t bytes;
    uint8_t sha256[SHA256_BYTES];
    const struct buf *data; /* of members that keep() wants; else NULL */
    char head[ZIP_HEAD_BYTES + 1];
    bool has;          /* the needle */
    const char *fault; /* NULL: it was read whole, and its CRC is right */
};

/* Calls each for every member; keep says whether its bytes are wanted, of members of at most keep_bytes; needle is looked for in all. Errors: E_IO, E_CORRUPT (no ZIP);
 * what each returns ends the reading. */
int zip_read(const char *path, bool (*keep)(const char *name), size_t keep_bytes, const char *needle,
             int (*each)(const struct zip_member *member, void *user, struct err *err), void *user, struct err *err);

#endif
