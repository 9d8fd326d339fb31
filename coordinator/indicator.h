/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What reports tell of a unit: definitions that anyone may edit (a CSV of code,name_vi,name_en,formula,digits), since who is reported to
 * sets them. A formula is + - * / and parentheses over numbers and figures. Division by nothing is nothing to be told (NAN). Pure. */
#ifndef SOHOA_INDICATOR_H
#define SOHOA_INDICATOR_H

#include <stddef.h>

#include "proto/err.h"
#include "proto/limits.h"

enum { INDICATORS_MOST = 40, FORMULA_NEST = 20, DIGITS_MOST = 6 };

enum figure {
    FIGURE_DOCUMENTS,
    FIGURE_PAGES,
    FIGURE_A4,
    FIGURE_DEAD,
    FIGURE_GRADE_A,
    FIGURE_GRADE_B,
    FIGURE_GRADE_C,
    FIGURE_AGAIN,
    FIGURE_REFUSED,
    FIGURE_QUARANTINED,
    FIGURE_DAYS,       /* of the report */
    FIGURE_PAGES_DONE, /* in all, when the report is made ... */
    FIGURE_PAGES_LEFT, /* ... with those that are expected but not admitted */
    FIGURES
};
const char *figure_name(enum figure figure);

struct indicator {
    char code[NAME_BYTES], name_vi[NAME_BYTES], name_en[NAME_BYTES], formula[256];
    unsigned digits; /* behind the point */
};

struct indicators {
    struct indicator indicator[INDICATORS_MOST];
    size_t count;
};

/* path "": those that the program has. Errors: E_MANIFEST and E_CONFIG, which name file, line and letter; E_ABSENT. */
int indicators_load(const char *path, struct indicators *indicators, struct err *err);

/* Errors: E_CONFIG: at which letter, and what is expected there. */
int formula_value(const char *formula, const double figure[FIGURES], double *ret_value, struct err *err);

#endif
