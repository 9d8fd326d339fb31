/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/api_report.h"

#include <string.h>

#include "coordinator/report.h"
#include "coordinator/tally.h"
#include "proto/auto.h"
#include "proto/clock.h"

enum { WEEK_DAYS = 7, REPORT_DAYS_MOST = 400 };

static int day_argument(const struct request *request, const char *name, int64_t *ret_day, struct err *err)
{
    const char *text = request_argument(request, name);
    if (!text || (strlen(text) == DAY_CHARS && day_parse(text, ret_day)))
        return 0;
    return err_set(err, E_USAGE, "%s '%.20s' is not a day: YYYY-MM-DD", name, text);
}

/* ?from=&to=, both included; without: the last seven days, today with them. */
static int query_take(const struct request *request, struct report_query *query, struct err *err)
{
    int64_t today = day_of(clock_wall_ms());
    query->first = today - WEEK_DAYS + 1;
    query->last = today;
    query->unit = request_argument(request, "unit");
    int rc = day_argument(request, "from", &query->first, err);
    if (!rc)
        rc = day_argument(request, "to", &query->last, err);
    if (!rc && (query->last < query->first || query->last - query->first >= REPORT_DAYS_MOST))
        rc = err_set(err, E_USAGE, "a report is of 1 to %d days (REPORT_DAYS_MOST), from the first to the last",
                     REPORT_DAYS_MOST);
    if (!rc && query->unit && *query->unit)
        rc = account_may_unit(query->account, query->unit, err);
    if (query->unit && !*query->unit)
        query->unit = NULL;
    return rc;
}

static int report_take(struct coordinator *c, struct request *request, json_t **ret_report, struct err *err)
{
    struct report_query query = {.account = request_account(request)};
    static struct indicators indicators;
    int rc = query_take(request, &query, err);
    if (!rc)
        rc = indicators_load(config_text(c->config, CFG_INDICATORS), &indicators, err);
    return rc ? rc : report_json(c, &query, &indicators, clock_wall_ms(), ret_report, err);
}

void get_report(struct coordinator *c, struct request *request, const struct route_args *args)
{
    json_t *report = NULL;
    struct err err;
    (void)args;
    if (report_take(c, request, &report, &err))
        request_answer_err(request, &err);
    else
        request_answer(request, 200, report);
}

/* ?lang=vi or en. The page has its style within, and nothing else is let in. */
void get_report_as(struct coordinator *c, struct request *request, const struct route_args *args)
{
    AUTO(json_drop) json_t *report = NULL;
    AUTO(buf_destroy) struct buf text = {0};
    const char *said = request_argument(request, "lang");
    enum report_lang lang = said && !strcmp(said, "en") ? LANG_EN : LANG_VI;
    bool csv = !strcmp(args->word, "csv");
    struct err err;
    int rc = csv || !strcmp(args->word, "html")
                 ? 0
                 : err_set(&err, E_ABSENT, "a report is csv or html, not '%.20s'", args->word);
    if (!rc)
        rc = report_take(c, request, &report, &err);
    if (rc) {
        request_answer_err(request, &err);
        return;
    }
    if (csv)
        report_csv(report, lang, &text);
    else
        report_html(report, lang, &text);
    if (csv)
        request_add_header(request, "Content-Disposition", "attachment; filename=\"sohoa-report.csv\"");
    else
        request_add_header(request, "Content-Security-Policy",
                           "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    request_answer_text(request, 200, csv ? "text/csv; charset=utf-8" : "text/html; charset=utf-8", &text);
}
