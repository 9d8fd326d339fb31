/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The sheet as it lies on the scanner's glass: print, ink and wear, painted at a resolution. */
#ifndef SOHOA_BENCH_PAPER_H
#define SOHOA_BENCH_PAPER_H

#include "bench/damage.h"
#include "bench/ink.h"
#include "bench/print.h"

struct paper {
    const struct print *print; /* NULL: a blank side */
    size_t sheet_no;
    const struct organ *organ;
    struct damage_ink ink;
    uint64_t ink_seed;
};

/* Which of the inks wanted have their place on that sheet. */
struct damage_ink paper_ink(const struct print *print, size_t sheet_no, const struct damage_ink *wanted);

/* Gives a picture of A4 size with its resolution set: 32-bit colour, or 8-bit gray. damage may be NULL: no wear. */
PIX *paper_paint(const struct paper *paper, const struct damage *damage, uint32_t dpi, bool colour);

#endif
