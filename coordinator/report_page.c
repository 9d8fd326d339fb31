/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The report for people: CSV for spreadsheets, HTML that prints on A4 across, in one file without scripts. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/day.h"
#include "coordinator/report.h"

enum { CHART_W = 960, CHART_H = 120, CHART_GAP = 2 };

static const char *const style =
    "@page{size:A4 landscape;margin:12mm}"
    "body{font:10pt/1.35 \"Noto Sans\",\"Liberation Sans\",sans-serif;color:#1b2430;margin:12mm;background:#fff}"
    "@media print{body{margin:0}}"
    "h1{font-size:15pt;margin:0 0 2mm}p{margin:0 0 4mm;color:#4f5b6b}"
    "table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:8.5pt}"
    "thead{display:table-header-group}tr{break-inside:avoid}"
    "th,td{border-bottom:.3mm solid #cfd6de;padding:1mm 1.5mm;text-align:right;vertical-align:top}"
    "th{border-bottom-color:#1b2430;vertical-align:bottom}th:first-child,td:first-child{text-align:left}"
    "td:first-child,td:last-child{white-space:nowrap}"
    "tr.all td{font-weight:700;border-bottom:.4mm solid #1b2430}"
    ".late{color:#b3261e;font-weight:700}.risk{color:#8a5200}.good{color:#17693a}"
    "svg{display:block;width:100%;height:auto;margin:0 0 4mm}rect{fill:#0b5cad}svg text{font-size:9px;fill:#4f5b6b}";

static const struct {
    const char *key, *text[2];
} word[] = {
    {"title",       {"Báo cáo số hóa", "Digitisation report"}},
    {"unit",        {"Đơn vị", "Unit"}                        },
    {"all",         {"Tổng cộng", "In all"}                   },
    {"deadline",    {"Hạn", "Deadline"}                         },
    {"p50",         {"Dự kiến (P50)", "Forecast (P50)"}       },
    {"p90",         {"Muộn nhất (P90)", "Latest (P90)"}       },
    {"verdict",     {"Đánh giá", "Verdict"}                    },
    {"made",        {"Lập lúc", "Made"}                        },
    {"code",        {"Mã", "Code"}                               },
    {"by day",      {"Số trang theo ngày", "Pages by day"}     },
    {"none",        {"(không có đơn vị)", "(no unit)"}      },
    {"late",        {"trễ hạn", "late"}                       },
    {"at risk",     {"có nguy cơ", "at risk"}                   },
    {"on time",     {"kịp hạn", "on time"}                    },
    {"paused",      {"tạm dừng", "paused"}                    },
    {"no deadline", {"chưa có hạn", "no deadline"}            },
    {"done",        {"đã xong", "done"}                         },
};

static const char *t(const char *key, enum report_lang lang)
{
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        if (!strcmp(word[i].key, key))
            return word[i].text[lang];
    return key;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *indicator_name(const json_t *indicator, enum report_lang lang)
{
    return text_of(json_object_get(indicator, "name"), lang == LANG_VI ? "vi" : "en");
}

/* ---- CSV: numbers with a point, days as ISO has them ---- */

static void csv_put(struct buf *into, const char *text)
{
    bool quoted = text[strcspn(text, ",\"\r\n")];
    buf_puts(into, quoted ? "\"" : "");
    for (; *text; text++)
        buf_printf(into, "%s%c", *text == '"' ? "\"" : "", *text);
    buf_puts(into, quoted ? "\"" : "");
}

static void csv_values(const json_t *report, const json_t *values, struct buf *into)
{
    json_t *indicators = json_object_get(report, "indicators"), *one;
    size_t i;
    json_array_foreach(indicators, i, one)
    {
        const json_t *value = json_object_get(values, text_of(one, "code"));
        int digits = (int)json_integer_value(json_object_get(one, "digits"));
        buf_puts(into, ",");
        if (json_is_number(value))
            buf_printf(into, "%.*f", digits, json_number_value(value));
    }
}

static void csv_day(const json_t *row, const char *key, struct buf *into)
{
    char text[DAY_CHARS + 1];
    uint64_t ms = (uint64_t)json_integer_value(json_object_get(row, key));
    buf_printf(into, ",%s", ms ? day_date(ms, text) : "");
}

static void csv_head(const json_t *report, enum report_lang lang, struct buf *into)
{
    json_t *one;
    size_t i;
    buf_printf(into, "\xef\xbb\xbf%s,%s", t("code", lang), t("unit", lang)); /* spreadsheets know UTF-8 by that mark */
    json_array_foreach(json_object_get(report, "indicators"), i, one)
    {
        buf_puts(into, ",");
        csv_put(into, indicator_name(one, lang));
    }
    buf_printf(into, ",%s,%s,%s,%s\r\n", t("deadline", lang), t("p50", lang), t("p90", lang), t("verdict", lang));
}

void report_csv(const json_t *report, enum report_lang lang, struct buf *into)
{
    json_t *row;
    size_t i;
    csv_head(report, lang, into);
    json_array_foreach(json_object_get(report, "units"), i, row)
    {
        csv_put(into, text_of(row, "unit"));
        buf_puts(into, ",");
        csv_put(into, text_of(row, "name"));
        csv_values(report, json_object_get(row, "values"), into);
        csv_day(row, "deadline_ms", into);
        csv_day(row, "p50_ms", into);
        csv_day(row, "p90_ms", into);
        buf_printf(into, ",%s\r\n", t(text_of(row, "verdict"), lang));
    }
    buf_printf(into, ",%s", t("all", lang));
    csv_values(report, json_object_get(report, "all"), into);
    buf_puts(into, ",,,,\r\n");
}

/* ---- HTML ---- */

static void html_put(struct buf *into, const char *text)
{
    for (; *text; text++)
        if (strchr("<>&\"", *text))
            buf_printf(into, "&#%d;", *text);
        else
            buf_append(into, text, 1);
}

/* Groups of three, as the language has them. */
static void number_put(double value, int digits, enum report_lang lang, struct buf *into)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%.*f", digits, fabs(value)), whole = digits ? n - digits - 1 : n;
    buf_puts(into, value < 0 && strspn(text, "0.") != (size_t)n ? "-" : "");
    for (int i = 0; i < n; i++) {
        if (i && i < whole && (whole - i) % 3 == 0)
            buf_puts(into, lang == LANG_VI ? "." : ",");
        if (text[i] == '.')
            buf_puts(into, lang == LANG_VI ? "," : ".");
        else
            buf_append(into, &text[i], 1);
    }
}

/* "2026-11-27" as people here write it. */
static void date_put(const char *iso, struct buf *into)
{
    buf_printf(into, "%.2s/%.2s/%.4s", iso + 8, iso + 5, iso);
}

static void html_values(const json_t *report, const json_t *values, enum report_lang lang, struct buf *into)
{
    json_t *one;
    size_t i;
    json_array_foreach(json_object_get(report, "indicators"), i, one)
    {
        const json_t *value = json_object_get(values, text_of(one, "code"));
        buf_puts(into, "<td>");
        if (json_is_number(value))
            number_put(json_number_value(value), (int)json_integer_value(json_object_get(one, "digits")), lang, into);
        else
            buf_puts(into, "–");
        buf_puts(into, "</td>");
    }
}

static void html_day(const json_t *row, const char *key, struct buf *into)
{
    char text[DAY_CHARS + 1];
    uint64_t ms = (uint64_t)json_integer_value(json_object_get(row, key));
    buf_puts(into, "<td>");
    if (ms)
        date_put(day_date(ms, text), into);
    else
        buf_puts(into, "–");
    buf_puts(into, "</td>");
}

static const char *verdict_class(const char *verdict)
{
    return !strcmp(verdict, "late")                                  ? "late"
           : !strcmp(verdict, "at risk")                             ? "risk"
           : !strcmp(verdict, "on time") || !strcmp(verdict, "done") ? "good"
                                                                     : "";
}

static void html_unit(const json_t *report, const json_t *row, enum report_lang lang, struct buf *into)
{
    const char *unit = text_of(row, "unit"), *name = text_of(row, "name"), *verdict = text_of(row, "verdict");
    buf_puts(into, "<tr><td>");
    html_put(into, *name ? name : *unit ? unit : t("none", lang));
    if (*name)
        buf_printf(into, " (%s)", unit);
    buf_puts(into, "</td>");
    html_values(report, json_object_get(row, "values"), lang, into);
    html_day(row, "deadline_ms", into);
    html_day(row, "p50_ms", into);
    html_day(row, "p90_ms", into);
    buf_printf(into, "<td class=\"%s\">%s</td></tr>\n", verdict_class(verdict), t(verdict, lang));
}

static double most_pages(json_t *days)
{
    double most = 1;
    json_t *day;
    size_t i;
    json_array_foreach(days, i, day)
    {
        most = fmax(most, (double)json_integer_value(json_object_get(day, "pages")));
    }
    return most;
}

/* A bar a day, with what it stands for where there is room. */
static void chart_put(const json_t *report, enum report_lang lang, struct buf *into)
{
    json_t *days = json_object_get(report, "days"), *day;
    size_t i, count = json_array_size(days), every = count / 15 + 1;
    double step = CHART_W / (double)(count ? count : 1), most = most_pages(days);
    buf_printf(into, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>%s</title>\n", CHART_W, CHART_H + 26,
               t("by day", lang));
    json_array_foreach(days, i, day)
    {
        double pages = (double)json_integer_value(json_object_get(day, "pages"));
        double height = CHART_H * pages / most;
        const char *iso = text_of(day, "day");
        buf_printf(into, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", step * (double)i,
                   CHART_H + 12 - height, step - CHART_GAP, height);
        if (i % every)
            continue;
        buf_printf(into, "<text x=\"%.1f\" y=\"%d\">%.2s/%.2s</text><text x=\"%.1f\" y=\"%.1f\">", step * (double)i,
                   CHART_H + 23, iso + 8, iso + 5, step * (double)i, CHART_H + 9 - height);
        number_put(pages, 0, lang, into);
        buf_puts(into, "</text>\n");
    }
    buf_puts(into, "</svg>\n");
}

static void head_put(const json_t *report, enum report_lang lang, struct buf *into)
{
    char made[DAY_MOMENT_BYTES];
    const char *from = text_of(report, "from"), *to = text_of(report, "to"), *unit = text_of(report, "unit");
    buf_printf(
        into,
        "<!doctype html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\"><title>%s %s – %s</title><style>%s</style></head><body>\n<h1>%s ",
        lang == LANG_VI ? "vi" : "en", t("title", lang), from, to, style, t("title", lang));
    date_put(from, into);
    if (strcmp(from, to)) {
        buf_puts(into, " – ");
        date_put(to, into);
    }
    buf_puts(into, *unit ? ", " : "");
    html_put(into, unit);
    day_moment((uint64_t)json_integer_value(json_object_get(report, "made_ms")), made);
    buf_printf(into, "</h1>\n<p>Sohoa · %s ", t("made", lang));
    date_put(made, into);
    buf_printf(into, "%s · %s</p>\n", made + DAY_CHARS, t("by day", lang));
}

static void columns_put(const json_t *report, enum report_lang lang, struct buf *into)
{
    json_t *one;
    size_t i;
    buf_printf(into, "<table><thead><tr><th>%s</th>", t("unit", lang));
    json_array_foreach(json_object_get(report, "indicators"), i, one)
    {
        buf_puts(into, "<th>");
        html_put(into, indicator_name(one, lang));
        buf_puts(into, "</th>");
    }
    buf_printf(into, "<th>%s</th><th>%s</th><th>%s</th><th>%s</th></tr></thead><tbody>\n", t("deadline", lang),
               t("p50", lang), t("p90", lang), t("verdict", lang));
}

void report_html(const json_t *report, enum report_lang lang, struct buf *into)
{
    json_t *row;
    size_t i;
    head_put(report, lang, into);
    chart_put(report, lang, into);
    columns_put(report, lang, into);
    buf_printf(into, "<tr class=\"all\"><td>%s</td>", t("all", lang));
    html_values(report, json_object_get(report, "all"), lang, into);
    buf_puts(into, "<td></td><td></td><td></td><td></td></tr>\n");
    json_array_foreach(json_object_get(report, "units"), i, row)
    {
        html_unit(report, row, lang, into);
    }
    buf_puts(into, "</tbody></table></body></html>\n");
}
