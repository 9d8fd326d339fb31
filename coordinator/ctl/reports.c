/* SPDX-License-Identifier: AGPL-3.0-or-later
 * What came out in some days: as a table here, or as the coordinator writes it for spreadsheets and printers, into a file. */
#include "coordinator/ctl/reports.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "coordinator/ctl/api.h"
#include "coordinator/ctl/args.h"
#include "coordinator/ctl/table.h"
#include "coordinator/day.h"
#include "proto/auto.h"

enum { MONTH_CHARS = 7, WEEK_DAYS = 7, MONTH_DAYS_MOST = 31 };

struct wanted {
    const char *day, *week, *month, *from, *to, *unit, *lang, *html, *csv;
};

/* ---- which days ---- */

static int day_take(const char *name, const char *text, int64_t *ret_day, struct err *err)
{
    if (strlen(text) == DAY_CHARS && day_parse(text, ret_day))
        return 0;
    return err_set(err, E_USAGE, "--%s '%.20s' is not a day: YYYY-MM-DD", name, text);
}

static int month_take(const char *text, int64_t *ret_first, int64_t *ret_last, struct err *err)
{
    char day[DAY_CHARS + 1], other[DAY_CHARS + 1];
    if (strlen(text) != MONTH_CHARS)
        return err_set(err, E_USAGE, "--month '%.20s' is not a month: YYYY-MM", text);
    snprintf(day, sizeof day, "%s-01", text);
    if (!day_parse(day, ret_first))
        return err_set(err, E_USAGE, "--month '%.20s' is not a month: YYYY-MM", text);
    *ret_last = *ret_first + MONTH_DAYS_MOST - 1;
    while (strncmp(day_date(day_start_ms(*ret_last), other), day, MONTH_CHARS))
        --*ret_last;
    return 0;
}

/* Without any of them: the last seven days. */
static int days_take(const struct wanted *wanted, int64_t *ret_first, int64_t *ret_last, struct err *err)
{
    int ways = !!wanted->day + !!wanted->week + !!wanted->month + (wanted->from || wanted->to);
    int rc = 0;
    *ret_last = day_of((uint64_t)time(NULL) * 1000);
    *ret_first = *ret_last - WEEK_DAYS + 1;
    if (ways > 1)
        return err_set(err, E_USAGE, "one of --day, --week, --month, or --from with --to");
    if (wanted->month)
        return month_take(wanted->month, ret_first, ret_last, err);
    if (wanted->day || wanted->week)
        rc = day_take(wanted->day ? "day" : "week", wanted->day ? wanted->day : wanted->week, ret_first, err);
    if (!rc && wanted->week)
        *ret_first -= day_weekday(*ret_first);
    if (wanted->day || wanted->week)
        *ret_last = *ret_first + (wanted->week ? WEEK_DAYS - 1 : 0);
    if (!rc && wanted->from)
        rc = day_take("from", wanted->from, ret_first, err);
    if (!rc && wanted->to)
        rc = day_take("to", wanted->to, ret_last, err);
    if (!rc && *ret_last < *ret_first)
        rc = err_set(err, E_USAGE, "the last day is before the first");
    return rc;
}

/* ---- the table ---- */

static void unit_print(const json_t *report, const char *unit, const json_t *values, const char *verdict)
{
    json_t *one;
    size_t i;
    printf("%-13s", unit);
    json_array_foreach(json_object_get(report, "indicators"), i, one)
    {
        const json_t *value = json_object_get(values, cell_text(one, "code"));
        if (json_is_number(value))
            printf(" %11.*f", (int)cell_number(one, "digits"), json_number_value(value));
        else
            printf(" %11s", "-");
    }
    printf("  %s\n", verdict);
}

static void report_print(const json_t *report)
{
    json_t *one, *row;
    size_t i;
    printf("%s to %s\n%-13s", cell_text(report, "from"), cell_text(report, "to"), "unit");
    json_array_foreach(json_object_get(report, "indicators"), i, one)
    {
        printf(" %11.11s", cell_text(one, "code"));
    }
    puts("  verdict");
    json_array_foreach(json_object_get(report, "units"), i, row)
    {
        unit_print(report, *cell_text(row, "unit") ? cell_text(row, "unit") : "(no unit)",
                   json_object_get(row, "values"), cell_text(row, "verdict"));
    }
    unit_print(report, "all", json_object_get(report, "all"), "");
}

/* ---- the command ---- */

static void query_put(const struct wanted *wanted, int64_t first, int64_t last, struct buf *path)
{
    char from[DAY_CHARS + 1], to[DAY_CHARS + 1];
    buf_printf(path, "?from=%s&to=%s", day_date(day_start_ms(first), from), day_date(day_start_ms(last), to));
    if (wanted->unit) {
        buf_puts(path, "&unit=");
        api_escape(path, wanted->unit);
    }
    if (wanted->lang)
        buf_printf(path, "&lang=%s", wanted->lang);
}

static int file_save(struct api *api, const char *kind, const char *query, const char *file, struct err *err)
{
    AUTO(fd_destroy) int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    AUTO(buf_destroy) struct buf path = {0};
    if (fd < 0)
        return err_errno(err, E_IO, "%s", file);
    buf_printf(&path, "reports/%s%s", kind, query);
    return api_save(api, buf_text(&path), fd, err);
}

static int report_show(const struct ctl *ctl, struct api *api, const char *query, struct err *err)
{
    AUTO(json_drop) json_t *report = NULL;
    AUTO(buf_destroy) struct buf path = {0};
    buf_printf(&path, "reports%s", query);
    int rc = api_get(api, buf_text(&path), &report, err);
    if (rc)
        return rc;
    if (ctl->json)
        json_print(report);
    else
        report_print(report);
    return 0;
}

int reports_main(const struct command *command, struct ctl *ctl, int argc, char **argv, struct err *err)
{
    AUTO(texts_destroy) struct texts operands = {0};
    AUTO(api_destroy) struct api *api = NULL;
    AUTO(buf_destroy) struct buf query = {0};
    struct wanted wanted = {0};
    const struct flag flags[] = {
        {.name = "day",   .meta = "DAY",     .text = &wanted.day,   .doc = "of that day: YYYY-MM-DD"             },
        {.name = "week",  .meta = "DAY",     .text = &wanted.week,  .doc = "of the week that has it, from Monday"},
        {.name = "month", .meta = "YYYY-MM", .text = &wanted.month, .doc = "of that month"                       },
        {.name = "from",  .meta = "DAY",     .text = &wanted.from,  .doc = "from that day [six days ago]"        },
        {.name = "to",    .meta = "DAY",     .text = &wanted.to,    .doc = "to that day, it included [today]"    },
        {.name = "unit",  .meta = "UNIT",    .text = &wanted.unit,  .doc = "only of this"                        },
        {.name = "html",  .meta = "FILE",    .text = &wanted.html,  .doc = "as a page to be printed, into FILE"  },
        {.name = "csv",   .meta = "FILE",    .text = &wanted.csv,   .doc = "for spreadsheets, into FILE"         },
        {.name = "lang",  .meta = "vi|en",   .text = &wanted.lang,  .doc = "of page and spreadsheet [vi]"        },
    };
    int64_t first = 0, last = 0;
    int rc = args_parse(command, ctl, flags, sizeof flags / sizeof flags[0], argc, argv, &operands, err);
    if (rc)
        return rc == ARGS_HELPED ? EXIT_SUCCESS : rc;
    if (operands.count)
        return err_set(err, E_USAGE, "'%.60s': report takes no operand", operands.item[0]);
    if (wanted.lang && strcmp(wanted.lang, "vi") && strcmp(wanted.lang, "en"))
        return err_set(err, E_USAGE, "--lang '%.20s' is neither vi nor en", wanted.lang);
    rc = days_take(&wanted, &first, &last, err);
    query_put(&wanted, first, last, &query);
    if (!rc)
        rc = api_open(ctl, &api, err);
    if (!rc && wanted.html)
        rc = file_save(api, "html", buf_text(&query), wanted.html, err);
    if (!rc && wanted.csv)
        rc = file_save(api, "csv", buf_text(&query), wanted.csv, err);
    if (!rc && ((!wanted.html && !wanted.csv) || ctl->json))
        rc = report_show(ctl, api, buf_text(&query), err);
    return rc ? rc : EXIT_SUCCESS;
}
