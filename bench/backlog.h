/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A backlog of synthetic scans with its truth beside it. The same plan (out apart) gives the same bytes. */
#ifndef SOHOA_BENCH_BACKLOG_H
#define SOHOA_BENCH_BACKLOG_H

#include <stdio.h>

#include "bench/damage.h"
#include "bench/organ.h"
#include "bench/source.h"

enum { BACKLOG_DOCUMENTS_MAX = 1000000, BACKLOG_PAGES_MEAN_MAX = 50, BACKLOG_SCANS_MAX = 1000 };

#define BACKLOG_ALL(count) ((1u << (count)) - 1) /* all bits of an enum of that many */

struct backlog_plan {
    const char *out; /* made when it is not there; must not hold scans or truth yet */
    uint32_t documents;
    uint64_t seed;
    uint32_t scan; /* 0: the first time; else the same documents, scanned for the so manieth time more */
    enum damage_level damage;
    unsigned kinds;                    /* bits 1 << ORGAN_*, at least one */
    unsigned formats;                  /* bits 1 << SOURCE_*, at least one */
    unsigned dpi;                      /* bits 1 << DPI_*, at least one */
    double duplicates, blank, rotated; /* percent: of documents; of sheets with a blank back; of pages turned */
    double pages_mean;                 /* printed pages a document, at least 1 */
    FILE *progress;                    /* NULL: quiet */
};

struct backlog_count {
    uint64_t documents, pages, bytes;
};

/* Errors: E_IO, E_EXISTS, E_CONFIG (no font). What was written until then stays. */
int backlog_write(const struct backlog_plan *plan, struct backlog_count *ret_count, struct err *err);

#endif
