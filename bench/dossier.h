/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A hồ sơ: the few documents of one body and one year that lie in one folder under one file code, and what the manifest
 * says of them. */
#ifndef SOHOA_BENCH_DOSSIER_H
#define SOHOA_BENCH_DOSSIER_H

#include "bench/truth.h"

struct dossier {
    struct organ organ;
    int year;
    unsigned left; /* documents still to come */
    struct truth_place place;
    char folder[ORGAN_TEXT_BYTES]; /* "Quận Ba Đình" */
};

/* Opens dossier number index of a body of one of the kinds (bits 1 << ORGAN_*). */
void dossier_open(struct dossier *dossier, struct chance *chance, unsigned kinds, unsigned index);

/* Writes a file name without its suffix, in one of the ways people name scans. */
void dossier_name(const struct dossier *dossier, struct chance *chance, const struct letter_fields *fields,
                  struct buf *name);

#endif
