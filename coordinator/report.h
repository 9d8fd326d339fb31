/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What came out in some days, unit by unit, with the indicators that are defined (indicator.h) and what is forecast: as JSON, and that as a
 * table for spreadsheets or as a page to be printed. */
#ifndef SOHOA_COORDINATOR_REPORT_H
#define SOHOA_COORDINATOR_REPORT_H

#include "coordinator/coordinator.h"
#include "coordinator/http.h"
#include "coordinator/indicator.h"
#include "proto/buf.h"

enum report_lang { LANG_VI, LANG_EN };

struct report_query {
    const struct account *account; /* whose units */
    const char *unit;              /* only this; NULL: all */
    int64_t first, last;           /* days, as day.h counts them */
};

/* The answer of GET reports. Errors: E_CONFIG: a formula. */
int report_json(struct coordinator *c, const struct report_query *query, const struct indicators *indicators,
                uint64_t now_ms, json_t **ret_report, struct err *err);

/* Of such an answer. */
void report_csv(const json_t *report, enum report_lang lang, struct buf *into);
void report_html(const json_t *report, enum report_lang lang, struct buf *into);

#endif
