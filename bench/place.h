/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Hanoi before July 2025: districts with some of their communes (names and codes of the General Statistics Office), and
 * the names that people in them may bear. */
#ifndef SOHOA_BENCH_PLACE_H
#define SOHOA_BENCH_PLACE_H

#include <stddef.h>

#include "bench/chance.h"

enum { PLACE_COMMUNES = 5 };

struct commune {
    const char *code, *kind, *name; /* "00004", "phường", "Trúc Bạch" */
};

struct district {
    const char *code, *kind, *name; /* "001", "quận", "Ba Đình" */
    struct commune communes[PLACE_COMMUNES];
};

const struct district *place_district(struct chance *chance);
const struct commune *place_commune(struct chance *chance, const struct district *district);

/* Writes "Nguyễn Thị Thu Hà"; bytes is the size of name. */
void place_person(struct chance *chance, char *name, size_t bytes);

#endif
