/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "coordinator/report.h"

#include <math.h>
#include <string.h>

#include "coordinator/day.h"
#include "coordinator/gazetteer.h"
#include "coordinator/live.h"
#include "coordinator/tally.h"
#include "proto/auto.h"

static json_t *day_json(int64_t day)
{
    char text[DAY_CHARS + 1];
    return json_string(day_date(day_start_ms(day), text));
}

static json_t *indicators_json(const struct indicators *indicators)
{
    json_t *list = json_array();
    for (size_t i = 0; i < indicators->count; i++) {
        const struct indicator *one = &indicators->indicator[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:{s:s, s:s}, s:s, s:i}", "code", one->code, "name", "vi", one->name_vi,
                                        "en", one->name_en, "formula", one->formula, "digits", (int)one->digits));
    }
    return list;
}

static void figures_fill(const struct tally_row *row, double days, double done, double left, double figure[FIGURES])
{
    figure[FIGURE_DOCUMENTS] = (double)row->documents;
    figure[FIGURE_PAGES] = (double)row->pages;
    figure[FIGURE_A4] = (double)row->a4;
    figure[FIGURE_DEAD] = (double)row->dead;
    figure[FIGURE_GRADE_A] = (double)row->grade[SOHOA__GRADE__GRADE_A];
    figure[FIGURE_GRADE_B] = (double)row->grade[SOHOA__GRADE__GRADE_B];
    figure[FIGURE_GRADE_C] = (double)row->grade[SOHOA__GRADE__GRADE_C];
    figure[FIGURE_AGAIN] = (double)row->again;
    figure[FIGURE_REFUSED] = (double)row->refused;
    figure[FIGURE_QUARANTINED] = (double)row->quarantined;
    figure[FIGURE_DAYS] = days;
    figure[FIGURE_PAGES_DONE] = done;
    figure[FIGURE_PAGES_LEFT] = left;
}

static int values_json(const struct indicators *indicators, const double figure[FIGURES], json_t **ret_values,
                       struct err *err)
{
    AUTO(json_drop) json_t *values = json_object();
    for (size_t i = 0; i < indicators->count; i++) {
        const struct indicator *one = &indicators->indicator[i];
        double value = 0;
        int rc = formula_value(one->formula, figure, &value, err);
        if (rc)
            return rc;
        json_object_set_new(values, one->code, isfinite(value) ? json_real(value) : json_null());
    }
    *ret_values = json_incref(values);
    return 0;
}

static json_t *moment_json(uint64_t ms)
{
    return ms && ms != FORECAST_NEVER ? json_integer((json_int_t)ms) : json_null();
}

static json_t *unit_json(const struct live_unit *unit, json_t *values)
{
    const struct place *place = place_find(unit->unit);
    const struct plan_total *total = &unit->total;
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s}", "unit", unit->unit, "name", place ? place->name : "",
                     "values", values, "deadline_ms", moment_json(total->rows ? total->deadline_ms : 0), "p50_ms",
                     moment_json(total->rows ? total->p50_ms : 0), "p90_ms",
                     moment_json(total->rows ? total->p90_ms : 0), "verdict",
                     total->rows ? verdict_name(total->verdict) : "done");
}

static bool is_wanted(const struct report_query *query, const char *unit)
{
    return account_covers(query->account, unit) && (!query->unit || !strcmp(query->unit, unit));
}

/* What came out each day, of all units that the report has. */
static json_t *days_json(const struct coordinator *c, const struct report_query *query)
{
    size_t units;
    const struct live_unit *unit = live_units(c->live, &units);
    json_t *list = json_array();
    for (int64_t day = query->first; day <= query->last; day++) {
        struct tally_row row = {0};
        for (size_t i = 0; i < units; i++)
            if (is_wanted(query, unit[i].unit))
                tally_sum(c->tally, unit[i].unit, day, day, &row);
        json_array_append_new(list, json_pack("{s:o, s:I, s:I, s:I}", "day", day_json(day), "documents",
                                              (json_int_t)row.documents, "pages", (json_int_t)row.pages, "a4",
                                              (json_int_t)row.a4));
    }
    return list;
}

static int units_report(struct coordinator *c, const struct report_query *query, const struct indicators *indicators,
                        json_t *list, json_t **ret_all, struct err *err)
{
    size_t units;
    const struct live_unit *unit = live_units(c->live, &units);
    double figure[FIGURES], days = (double)(query->last - query->first + 1), done = 0, left = 0;
    struct tally_row all = {0};
    int rc = 0;
    for (size_t i = 0; i < units && !rc; i++) {
        struct tally_row row = {0};
        json_t *values;
        if (!is_wanted(query, unit[i].unit))
            continue;
        tally_sum(c->tally, unit[i].unit, query->first, query->last, &row);
        tally_row_add(&all, &row);
        done += (double)unit[i].pages_done;
        left += unit[i].total.pages;
        figures_fill(&row, days, (double)unit[i].pages_done, unit[i].total.pages, figure);
        rc = values_json(indicators, figure, &values, err);
        if (!rc)
            json_array_append_new(list, unit_json(&unit[i], values));
    }
    figures_fill(&all, days, done, left, figure);
    return rc ? rc : values_json(indicators, figure, ret_all, err);
}

int report_json(struct coordinator *c, const struct report_query *query, const struct indicators *indicators,
                uint64_t now_ms, json_t **ret_report, struct err *err)
{
    json_t *list = json_array(), *all = NULL;
    int rc = units_report(c, query, indicators, list, &all, err);
    if (rc) {
        json_decref(list);
        return rc;
    }
    *ret_report =
        json_pack("{s:o, s:o, s:I, s:s, s:o, s:o, s:o, s:o}", "from", day_json(query->first), "to",
                  day_json(query->last), "made_ms", (json_int_t)now_ms, "unit", query->unit ? query->unit : "",
                  "indicators", indicators_json(indicators), "units", list, "all", all, "days", days_json(c, query));
    return 0;
}
