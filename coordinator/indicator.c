/* SPDX-License-Identifier: AGPL-3.0-or-later
 * A formula is short and told a few hundred times a report: it is read anew each time. */
#include "coordinator/indicator.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "indicators.h"
#include "proto/auto.h"
#include "proto/buf.h"

enum { FILE_BYTES = 1 << 20 };

static const char *const name[FIGURES] = {
    [FIGURE_DOCUMENTS] = "documents",
    [FIGURE_PAGES] = "pages",
    [FIGURE_A4] = "a4",
    [FIGURE_DEAD] = "dead",
    [FIGURE_GRADE_A] = "grade_a",
    [FIGURE_GRADE_B] = "grade_b",
    [FIGURE_GRADE_C] = "grade_c",
    [FIGURE_AGAIN] = "again",
    [FIGURE_REFUSED] = "refused",
    [FIGURE_QUARANTINED] = "quarantined",
    [FIGURE_DAYS] = "days",
    [FIGURE_PAGES_DONE] = "pages_done",
    [FIGURE_PAGES_LEFT] = "pages_left",
};

const char *figure_name(enum figure figure)
{
    return name[figure];
}

/* ---- formulas ---- */

struct reading {
    const char *text, *at;
    const double *figure;
    int nest;
    struct err *err;
    int rc;
};

static double sum(struct reading *r);

static double fault(struct reading *r, const char *what)
{
    if (!r->rc)
        r->rc =
            err_set(r->err, E_CONFIG, "formula '%.80s', at letter %d: %s", r->text, (int)(r->at - r->text) + 1, what);
    return 0;
}

static char next(struct reading *r)
{
    r->at += strspn(r->at, " ");
    return *r->at;
}

static double figure_of(struct reading *r)
{
    size_t n = strspn(r->at, "abcdefghijklmnopqrstuvwxyz_0123456789");
    for (int i = 0; i < FIGURES; i++)
        if (strlen(name[i]) == n && !memcmp(name[i], r->at, n)) {
            r->at += n;
            return r->figure[i];
        }
    return fault(
        r, "a figure, a number or '(' is expected; figures are documents, pages, a4, dead, grade_a, grade_b, grade_c, "
           "again, refused, quarantined, days, pages_done and pages_left");
}

static double factor(struct reading *r)
{
    char c = next(r);
    char *end;
    if (c >= '0' && c <= '9') {
        double value = strtod(r->at, &end);
        r->at = end;
        return value;
    }
    if (c == '-') {
        r->at++;
        return -factor(r);
    }
    if (c != '(')
        return figure_of(r);
    if (r->nest++ == FORMULA_NEST)
        return fault(r, "it is nested too deeply (FORMULA_NEST)");
    r->at++;
    double value = sum(r);
    if (next(r) != ')')
        return fault(r, "')' is expected");
    r->at++;
    r->nest--;
    return value;
}

static double product(struct reading *r)
{
    double value = factor(r);
    for (char c = next(r); !r->rc && (c == '*' || c == '/'); c = next(r)) {
        r->at++;
        double by = factor(r);
        value = c == '*' ? value * by : by == 0 ? NAN : value / by;
    }
    return value;
}

static double sum(struct reading *r)
{
    double value = product(r);
    for (char c = next(r); !r->rc && (c == '+' || c == '-'); c = next(r)) {
        r->at++;
        double more = product(r);
        value = c == '+' ? value + more : value - more;
    }
    return value;
}

int formula_value(const char *formula, const double figure[FIGURES], double *ret_value, struct err *err)
{
    struct reading r = {.text = formula, .at = formula, .figure = figure, .err = err};
    double value = sum(&r);
    if (!r.rc && next(&r))
        fault(&r, "+, -, *, / or the end is expected");
    if (!r.rc)
        *ret_value = value;
    return r.rc;
}

/* ---- definitions ---- */

static int text_take(const json_t *row, const char *key, char *into, size_t bytes, struct err *err)
{
    const char *text = json_string_value(json_object_get(row, key));
    if (!text || strlen(text) >= bytes)
        return err_set(err, E_CONFIG, "%s has 1 to %zu bytes", key, bytes - 1);
    snprintf(into, bytes, "%s", text);
    return 0;
}

static int row_take(const json_t *row, struct indicator *one, struct err *err)
{
    static const double none[FIGURES];
    const char *digits = json_string_value(json_object_get(row, "digits"));
    double value;
    int rc = text_take(row, "code", one->code, sizeof one->code, err);
    if (!rc)
        rc = text_take(row, "name_vi", one->name_vi, sizeof one->name_vi, err);
    if (!rc)
        rc = text_take(row, "name_en", one->name_en, sizeof one->name_en, err);
    if (!rc)
        rc = text_take(row, "formula", one->formula, sizeof one->formula, err);
    if (!rc)
        rc = formula_value(one->formula, none, &value, err);
    if (!rc && digits && (strlen(digits) != 1 || *digits < '0' || *digits > '0' + DIGITS_MOST))
        rc = err_set(err, E_CONFIG, "digits is 0 to %d", DIGITS_MOST);
    one->digits = digits ? (unsigned)(*digits - '0') : 0;
    return rc;
}

static int on_row(json_t *row, uint64_t line_no, void *user, struct err *err)
{
    struct indicators *indicators = user;
    struct err why;
    if (indicators->count == INDICATORS_MOST)
        return err_set(err, E_CONFIG, "line %d: there are %d indicators already (INDICATORS_MOST)", (int)line_no,
                       INDICATORS_MOST);
    if (row_take(row, &indicators->indicator[indicators->count++], &why))
        return err_set(err, E_CONFIG, "line %d: %s", (int)line_no, why.text);
    return 0;
}

int indicators_load(const char *path, struct indicators *indicators, struct err *err)
{
    AUTO(buf_destroy) struct buf file = {0};
    struct err why;
    int rc = *path ? csv_file(path, FILE_BYTES, &file, err) : 0;
    if (rc)
        return rc;
    if (!*path)
        buf_append(&file, indicators_csv, sizeof indicators_csv);
    indicators->count = 0;
    rc = csv_read((const char *)file.data, file.size, "code", on_row, indicators, &why);
    return rc ? err_set(err, rc, "%s: %s", *path ? path : "indicators.csv", why.text) : 0;
}
