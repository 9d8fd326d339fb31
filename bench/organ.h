/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A body that issues documents: what its letterhead, its numbers and its signatures say. Government bodies follow Decree
 * 30/2020/ND-CP, Party bodies Regulation 66-QD/TW, the Youth Union its own rules. */
#ifndef SOHOA_BENCH_ORGAN_H
#define SOHOA_BENCH_ORGAN_H

#include "bench/place.h"

enum organ_kind { ORGAN_STATE, ORGAN_PARTY, ORGAN_YOUTH, ORGAN_KIND_NR };

enum { ORGAN_TEXT_BYTES = 128 };

struct organ {
    enum organ_kind kind;
    const struct district *district;
    const struct commune *commune; /* NULL: a body of the district */
    char parent[ORGAN_TEXT_BYTES]; /* the body above it in the letterhead; "" where there is none */
    char issuer[ORGAN_TEXT_BYTES]; /* its own name as one or two lines: "Ủy ban nhân dân\nphường Trúc Bạch" */
    char name[ORGAN_TEXT_BYTES];   /* the same in one line */
    char brief[ORGAN_TEXT_BYTES];  /* in running text: "UBND phường Trúc Bạch" */
    char area[ORGAN_TEXT_BYTES];   /* "phường Trúc Bạch" */
    char above[ORGAN_TEXT_BYTES];  /* whom it reports to: "UBND quận Ba Đình" */
    char code[ORGAN_TEXT_BYTES];   /* in numbers: "UBND" */
    char on_behalf
        [ORGAN_TEXT_BYTES]; /* first line of a signature, caps: "TM. ỦY BAN NHÂN DÂN"; "" where the head signs for himself */
    const char *head, *deputy; /* "Chủ tịch", "Phó Chủ tịch" */
    const char *types;         /* abbreviations of what it issues, blank between: "QĐ KH BC CV" */
};

const char *organ_kind_name(enum organ_kind kind); /* "state", "party", "youth" */

/* Draws a body of that kind; a pure function of chance's state. */
void organ_draw(struct chance *chance, enum organ_kind kind, struct organ *organ);

const char *organ_place(const struct organ *organ); /* as in dates: "Ba Đình" */

/* The same text in capitals; free with mem_destroy. */
char *organ_capitals(const char *text);

#endif
