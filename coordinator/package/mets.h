/* SPDX-License-Identifier: AGPL-3.0-or-later
 * METS as E-ARK CSIP 2.0.4 wants it: one for the package, one for its representation. Every member of the ZIP but itself is in one of them,
 * with its size and SHA-256. */
#ifndef SOHOA_PACKAGE_METS_H
#define SOHOA_PACKAGE_METS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/err.h"
#include "proto/limits.h"

enum member_use { USE_EAD, USE_EAD_DOC, USE_PREMIS, USE_SCHEMA, USE_DATA, USE_REPRESENTATION };

struct member {
    enum member_use use;
    char *path; /* relative to the METS that names it */
    uint64_t bytes;
    uint8_t sha256[SHA256_BYTES];
};

struct members {
    struct member *at;
    size_t count;
};
void members_add(struct members *members, enum member_use use, const char *path, uint64_t bytes,
                 const uint8_t sha256[SHA256_BYTES]);
void members_clear(struct members *members);

struct mets {
    const char *id;      /* OBJID */
    const char *type;    /* "AIP", "SIP" */
    const char *label;   /* of the package */
    const char *created; /* ISO 8601, of what is in it */
    const char *build;   /* of the program */
};

/* fd: an empty file. Errors: E_IO. */
int mets_write(const struct mets *mets, const struct members *members, bool representation, int fd, struct err *err);

#endif
