/* SPDX-License-Identifier: AGPL-3.0-or-later
 * `sohoa submit --check`: what is wrong with a manifest, before anything starts. */
#ifndef SOHOA_CHECK_H
#define SOHOA_CHECK_H

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/rows.h"

struct check {
    struct api *api;
    const struct rows *rows; /* their paths: where the sources are, seen from here */
    const struct buf *lines; /* the same as JSON lines */
    const char *manifest;    /* its path, which is no extra file; NULL: a folder was given, so nothing can be extra */
    bool json;
};

/* Has a worker look at each source; prints what it found: sources that are missing or can't be read, page counts that differ
 * from the manifest, and files lying in the folders of the sources that the manifest does not name. Returns EXIT_SUCCESS,
 * EXIT_FINDINGS or E_*. */
int check_run(const struct check *check, struct err *err);

#endif
