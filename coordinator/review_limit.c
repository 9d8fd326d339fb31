/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/review_limit.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/correction.h"
#include "coordinator/csv.h"
#include "proto/auto.h"
#include "proto/buf.h"
#include "review_limits.h"

enum { FILE_BYTES = 1 << 16 };

const char *review_limit_name(int row)
{
    return row == LIMIT_DOCUMENT ? "document" : row == LIMIT_REJECTED ? "rejected" : correction_field(row);
}

static uint32_t decided_count(const struct round *round)
{
    return round->count[SOHOA__DECISION__DECISION_ACCEPTED] + round->count[SOHOA__DECISION__DECISION_CORRECTED] +
           round->count[SOHOA__DECISION__DECISION_REJECTED];
}

uint32_t review_limit_count(const struct round *round, int row)
{
    uint32_t rejected = round->count[SOHOA__DECISION__DECISION_REJECTED];
    if (row == LIMIT_REJECTED)
        return rejected;
    return row == LIMIT_DOCUMENT ? rejected + round->count[SOHOA__DECISION__DECISION_CORRECTED] : round->wrong[row];
}

double review_limit_share(const struct round *round, int row)
{
    uint32_t decided = decided_count(round);
    return decided ? 100.0 * review_limit_count(round, row) / decided : 0;
}

bool review_limit_met(const struct review_limits *limits, const struct round *round, int row)
{
    return review_limit_share(round, row) > limits->percent[row];
}

static int on_row(json_t *row, uint64_t line_no, void *user, struct err *err)
{
    struct review_limits *limits = user;
    const char *field = json_string_value(json_object_get(row, "field"));
    const char *text = json_string_value(json_object_get(row, "limit_percent"));
    char *end = NULL;
    double percent = text ? strtod(text, &end) : -1;
    int at = 0;
    while (at < REVIEW_LIMITS && field && strcmp(field, review_limit_name(at)))
        at++;
    if (!field || at == REVIEW_LIMITS)
        return err_set(err, E_CONFIG, "line %d: there is no field '%.40s'", (int)line_no, field ? field : "");
    if (!text || *end || !(percent >= 0 && percent <= 100))
        return err_set(err, E_CONFIG, "line %d: limit_percent of %s is 0 to 100", (int)line_no, field);
    limits->percent[at] = percent;
    return 0;
}

int review_limits_load(const char *path, struct review_limits *limits, struct err *err)
{
    AUTO(buf_destroy) struct buf file = {0};
    struct err why;
    int rc = *path ? csv_file(path, FILE_BYTES, &file, err) : 0;
    if (rc)
        return rc;
    if (!*path)
        buf_append(&file, review_limits_csv, sizeof review_limits_csv);
    for (int i = 0; i < REVIEW_LIMITS; i++)
        limits->percent[i] = 100;
    rc = csv_read(buf_text(&file), file.size, "field", on_row, limits, &why);
    return rc ? err_set(err, rc, "%s: %s", *path ? path : "review_limits.csv", why.text) : 0;
}
