/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Days are numbers since 1970-01-01, a Thursday, in Hanoi. */
#include "coordinator/calendar.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "coordinator/manifest.h"
#include "proto/auto.h"
#include "proto/limits.h"

enum {
    DAY_MS = 24 * 3600 * 1000,
    HANOI_MS = 7 * 3600 * 1000,
    STEP_MS = 30 * 60 * 1000,
    WEEK_STEPS = 7 * 48,
    DAY_MINUTES = 24 * 60,
    CORES_MOST = 10000000
};

struct span {
    int64_t first, last; /* days; of a weekday: first is -1 and last the bits of the days, bit 0 a Monday */
};

struct row {
    char workers[NAME_BYTES];
    double cores;
    struct span span[16];
    unsigned spans;
    int from, to; /* minutes; to may be the next day's: above DAY_MINUTES */
};

struct calendar {
    struct row row[CALENDAR_ROWS];
    unsigned rows;
};

void calendar_destroy(struct calendar **calendar)
{
    free(*calendar);
    *calendar = NULL;
}

/* ---- reading ---- */

static int weekday_named(const char *at, size_t n)
{
    static const char *const name[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int i = 0; i < 7; i++)
        if (n == 3 && !strncasecmp(at, name[i], 3))
            return i;
    return -1;
}

static bool date_take(const char *at, size_t n, int64_t *ret_day)
{
    char day[16] = "";
    uint64_t end_ms;
    struct err err;
    if (n != 10)
        return false;
    memcpy(day, at, n);
    if (manifest_deadline(day, &end_ms, &err))
        return false;
    *ret_day = (int64_t)((end_ms + HANOI_MS) / DAY_MS);
    return true;
}

/* One word of days. */
static bool span_take(const char *at, size_t n, struct span *span)
{
    const char *dots = memmem(at, n, "..", 2), *dash = memchr(at, '-', n);
    *span = (struct span){-1, 0};
    if (n == 3 && !strncasecmp(at, "all", 3)) {
        span->last = 0x7f;
        return true;
    }
    if (dots)
        return date_take(at, (size_t)(dots - at), &span->first) &&
               date_take(dots + 2, n - (size_t)(dots - at) - 2, &span->last) && span->first <= span->last;
    if (date_take(at, n, &span->first)) {
        span->last = span->first;
        return true;
    }
    int first = weekday_named(at, dash ? (size_t)(dash - at) : n);
    int last = dash ? weekday_named(dash + 1, n - (size_t)(dash - at) - 1) : first;
    for (int day = first; first >= 0 && last >= first && day <= last; day++)
        span->last |= INT64_C(1) << day;
    return span->last;
}

static bool days_take(const char *text, struct row *row)
{
    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (row->spans == sizeof row->span / sizeof row->span[0] || !span_take(at, n, &row->span[row->spans++]))
            return false;
        at += n;
    }
    return row->spans;
}

static bool time_take(const char *text, int preset, int *ret_minutes)
{
    *ret_minutes = preset;
    if (!text)
        return true;
    if (strlen(text) != 5 || text[2] != ':' || strspn(text, "0123456789") != 2 || strspn(text + 3, "0123456789") != 2)
        return false;
    *ret_minutes = atoi(text) * 60 + atoi(text + 3);
    return *ret_minutes <= DAY_MINUTES && atoi(text + 3) < 60;
}

static int on_row(json_t *said, uint64_t line_no, void *user, struct err *err)
{
    struct calendar *calendar = user;
    const char *workers = json_string_value(json_object_get(said, "workers")),
               *days = json_string_value(json_object_get(said, "days"));
    const char *cores = json_string_value(json_object_get(said, "cores"));
    char *end = NULL;
    if (calendar->rows == CALENDAR_ROWS)
        return err_set(err, E_LIMIT, "a calendar has at most %d rows (CALENDAR_ROWS)", CALENDAR_ROWS);
    struct row *row = &calendar->row[calendar->rows++];
    row->cores = cores ? strtod(cores, &end) : 0;
    if (!workers || strlen(workers) >= sizeof row->workers)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": workers is a name or a glob, such as night-*", line_no);
    if (!cores || *end || !(row->cores >= 0 && row->cores <= CORES_MOST))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": cores is a number, 0 to %d", line_no, CORES_MOST);
    if (!days || !days_take(days, row))
        return err_set(err, E_MANIFEST,
                       "line %" PRIu64 ": days are all, mon-fri, sat, 2027-02-06 or 2027-02-06..2027-02-10", line_no);
    if (!time_take(json_string_value(json_object_get(said, "from")), 0, &row->from) ||
        !time_take(json_string_value(json_object_get(said, "to")), DAY_MINUTES, &row->to))
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": from and to are HH:MM", line_no);
    row->to += row->to <= row->from ? DAY_MINUTES : 0;
    memcpy(row->workers, workers, strlen(workers) + 1);
    return 0;
}

int calendar_parse(const char *csv, size_t bytes, struct calendar **ret_calendar, struct err *err)
{
    AUTO(calendar_destroy) struct calendar *calendar = calloc(1, sizeof *calendar);
    if (!calendar)
        return err_set(err, E_NOMEM, "no memory for a calendar");
    if (bytes > CALENDAR_BYTES)
        return err_set(err, E_LIMIT, "a calendar has at most %d bytes (CALENDAR_BYTES)", CALENDAR_BYTES);
    int rc = csv_read(csv, bytes, "workers", on_row, calendar, err);
    if (rc)
        return rc;
    *ret_calendar = calendar;
    calendar = NULL;
    return 0;
}

/* ---- looking ---- */

bool calendar_names(const struct calendar *calendar, const char *worker)
{
    for (unsigned i = 0; calendar && i < calendar->rows; i++)
        if (!fnmatch(calendar->row[i].workers, worker, 0))
            return true;
    return false;
}

static bool row_dated(const struct row *row)
{
    return row->span[0].first >= 0;
}

static bool row_has_day(const struct row *row, int64_t day)
{
    for (unsigned i = 0; i < row->spans; i++) {
        const struct span *span = &row->span[i];
        if (span->first >= 0 ? day >= span->first && day <= span->last : span->last >> (day + 3) % 7 & 1)
            return true;
    }
    return false;
}

/* What rows say of the minute of the day that they began on; false: nothing. Of rows of dates the last that has the day decides. */
static bool day_cores(const struct calendar *calendar, const char *workers, bool dated, int64_t day, int minute,
                      double *cores)
{
    bool spoken = false;
    for (unsigned i = 0; i < calendar->rows; i++) {
        const struct row *row = &calendar->row[i];
        bool within = minute >= row->from && minute < row->to;
        if (strcmp(row->workers, workers) || row_dated(row) != dated || !row_has_day(row, day) || (!dated && !within))
            continue;
        *cores = within ? row->cores : 0;
        spoken = true;
    }
    return spoken;
}

/* Dates before weekdays, and the day itself before what is left of the night before. */
static double workers_cores(const struct calendar *calendar, const char *workers, int64_t day, int minute)
{
    double cores = 0;
    if (!day_cores(calendar, workers, true, day, minute, &cores) &&
        !day_cores(calendar, workers, false, day, minute, &cores) &&
        !day_cores(calendar, workers, true, day - 1, minute + DAY_MINUTES, &cores))
        day_cores(calendar, workers, false, day - 1, minute + DAY_MINUTES, &cores);
    return cores;
}

double calendar_cores(const struct calendar *calendar, uint64_t ms)
{
    int64_t day = (int64_t)((ms + HANOI_MS) / DAY_MS);
    int minute = (int)((ms + HANOI_MS) % DAY_MS / 60000);
    double cores = 0;
    for (unsigned i = 0; calendar && i < calendar->rows; i++) {
        unsigned first = 0;
        while (strcmp(calendar->row[first].workers, calendar->row[i].workers))
            first++;
        if (first == i) /* each kind of workers once */
            cores += workers_cores(calendar, calendar->row[i].workers, day, minute);
    }
    return cores;
}

size_t calendar_supply(const struct calendar *calendar, uint64_t now_ms, double other_cores, double row_share,
                       struct supply *supply)
{
    size_t count = 1;
    double week = 0;
    uint64_t step_ms = now_ms - now_ms % STEP_MS;
    supply[0] = (struct supply){0, other_cores + row_share * calendar_cores(calendar, now_ms)};
    for (int i = 1; calendar && i <= CALENDAR_DAYS * 48; i++) {
        double cores = other_cores + row_share * calendar_cores(calendar, step_ms + (uint64_t)i * STEP_MS);
        week += i > CALENDAR_DAYS * 48 - WEEK_STEPS ? cores / WEEK_STEPS : 0;
        if (fabs(cores - supply[count - 1].cores) > 1e-9)
            supply[count++] = (struct supply){step_ms + (uint64_t)i * STEP_MS, cores};
    }
    if (calendar)
        supply[count++] = (struct supply){step_ms + (uint64_t)(CALENDAR_DAYS * 48 + 1) * STEP_MS, week};
    return count;
}
