/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The dashboard's files, in the program itself. */
#ifndef SOHOA_ASSET_H
#define SOHOA_ASSET_H

#include <stddef.h>

struct asset {
    const char *path; /* "index.html", "lib/chart.js" */
    const char *content_type;
    const unsigned char *data;
    size_t bytes;
};

/* "" is index.html. NULL: there is none. */
const struct asset *asset_find(const char *path);

#endif
