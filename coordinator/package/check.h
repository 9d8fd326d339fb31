/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Whether a package is whole and as it should be, by what is in it alone: every member is named once, with its size and SHA-256, by a METS;
 * fields keep to the profile that they name; PREMIS has the same hashes; the folder is called like the package. */
#ifndef SOHOA_PACKAGE_CHECK_H
#define SOHOA_PACKAGE_CHECK_H

#include "proto/err.h"

enum {
    CHECK_MEMBERS_MAX = 1 << 20,
    CHECK_XML_BYTES = 512 << 20, /* the largest METS or PREMIS */
};

struct check_result {
    unsigned members, documents, findings;
};

/* Calls found for each: member "": the package. Findings are no error. Errors: E_IO; E_CORRUPT: no ZIP at all; E_LIMIT. */
int package_check(const char *path, void (*found)(const char *member, const char *what, void *user), void *user,
                  struct check_result *ret_result, struct err *err);

#endif
