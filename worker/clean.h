/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Leptonica: makes a picture readable. What it turns or scales it also writes into the raster's to_view. */
#ifndef SOHOA_CLEAN_H
#define SOHOA_CLEAN_H

#include <stdbool.h>

#include "proto/err.h"
#include "worker/raster.h"

struct clean_report {
    bool blank;            /* nothing to read: no need to call the reader */
    uint32_t rotation_deg; /* clockwise turn applied: 0, 90, 180, 270 */
    int32_t skew_mdeg;     /* clockwise skew taken out */
};

/* Replaces *raster by the cleaned picture (gray or bilevel). On failure *raster is untouched. Errors: E_MEMORY,
 * E_PAGE_BROKEN. */
int clean_page(struct raster **raster, bool degraded, struct clean_report *report, struct err *err);

#endif
