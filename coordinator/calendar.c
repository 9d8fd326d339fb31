/* SPDX-License-Identifier: AGPL-3.0-or-later
 * All windows begin and end at the same few minutes of the day, the cuts; so a day is as many numbers of cores. */
#include "coordinator/calendar.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/csv.h"
#include "coordinator/day.h"
#include "proto/auto.h"
#include "proto/limits.h"

enum { WEEKDAYS = 7, EVERY_DAY = (1 << WEEKDAYS) - 1, WEEKDAY_CHARS = 3, CUTS_MAX = 2 * CALENDAR_ROWS_MAX + 1 };

_Static_assert(CUTS_MAX + CALENDAR_DAYS_MAX + 2 <= CALENDAR_STEPS_MAX,
               "a day fits exactly, and a mean of each other one");

struct row {
    char workers[NAME_BYTES];
    uint32_t pattern;            /* index of the first row with the same workers */
    unsigned weekdays;           /* bits, Monday first; 0: dates */
    int64_t first_day, last_day; /* dates */
    uint32_t from, to;           /* minutes of the day; from < to: over midnight, to is more than DAY_MINUTES */
    double cores;
};

struct calendar {
    struct row row[CALENDAR_ROWS_MAX];
    uint32_t rows;
    uint32_t cut[CUTS_MAX + 1]; /* minutes; the first is 0, behind the last is DAY_MINUTES */
    uint32_t cuts;
};

void calendar_destroy(struct calendar **calendar)
{
    free(*calendar);
    *calendar = NULL;
}

/* ---- parsing ---- */

static int weekday_take(const char *text)
{
    static const char names[] = "montuewedthufrisatsun";
    for (int i = 0; i < WEEKDAYS; i++)
        if (!strncmp(text, names + i * WEEKDAY_CHARS, WEEKDAY_CHARS))
            return i;
    return -1;
}

/* "mon", "mon-fri", "fri-mon", and such with spaces between them. 0: it is none. */
static unsigned weekdays_take(const char *text)
{
    unsigned days = 0;
    for (;; text++) {
        int first = weekday_take(text), last = first;
        if (first < 0)
            return 0;
        text += WEEKDAY_CHARS;
        if (*text == '-') {
            last = weekday_take(text + 1);
            if (last < 0)
                return 0;
            text += 1 + WEEKDAY_CHARS;
        }
        for (int day = first; day != last; day = (day + 1) % WEEKDAYS)
            days |= 1U << day;
        days |= 1U << last;
        if (*text != ' ')
            return *text ? 0 : days;
    }
}

static bool dates_take(const char *text, struct row *row)
{
    if (!day_parse(text, &row->first_day))
        return false;
    row->last_day = row->first_day;
    text += DAY_CHARS;
    if (!strncmp(text, "..", 2)) {
        if (!day_parse(text + 2, &row->last_day))
            return false;
        text += 2 + DAY_CHARS;
    }
    return !*text && row->first_day <= row->last_day;
}

static int days_take(const char *text, uint64_t line_no, struct row *row, struct err *err)
{
    row->weekdays = strcmp(text, "all") ? weekdays_take(text) : EVERY_DAY;
    if (row->weekdays || dates_take(text, row))
        return 0;
    return err_set(err, E_MANIFEST,
                   "line %" PRIu64 ": days '%.30s' is not all, nor like mon-fri or sat sun or 2026-09-02 or "
                   "2026-02-14..2026-02-22",
                   line_no, text);
}

/* "HH:MM", at most `most` minutes after midnight. */
static int minute_take(const char *column, const char *text, uint32_t most, uint64_t line_no, uint32_t *ret_minute,
                       struct err *err)
{
    static const char digits[] = "0123456789";
    bool formed = strlen(text) == 5 && strspn(text, digits) == 2 && text[2] == ':' && strspn(text + 3, digits) == 2;
    uint32_t hour = formed ? (uint32_t)strtoul(text, NULL, 10) : 0;
    uint32_t minute = formed ? (uint32_t)strtoul(text + 3, NULL, 10) : 0;
    if (!formed || minute >= 60 || hour * 60 + minute > most)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": %s '%.20s' is not a time from 00:00 to %02u:%02u", line_no,
                       column, text, most / 60, most % 60);
    *ret_minute = hour * 60 + minute;
    return 0;
}

static int window_take(const char *from, const char *to, uint64_t line_no, struct row *row, struct err *err)
{
    row->to = DAY_MINUTES;
    if (!*from && !*to)
        return 0;
    int rc = minute_take("from", from, DAY_MINUTES - 1, line_no, &row->from, err);
    if (!rc)
        rc = minute_take("to", to, DAY_MINUTES, line_no, &row->to, err);
    if (!rc && row->from == row->to)
        rc = err_set(err, E_MANIFEST, "line %" PRIu64 ": from and to are both %s; leave them empty for the whole day",
                     line_no, from);
    row->to += row->to < row->from ? DAY_MINUTES : 0;
    return rc;
}

static int cores_take(const char *text, uint64_t line_no, struct row *row, struct err *err)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long cores = digits && digits < 10 ? strtoul(text, NULL, 10) : CALENDAR_CORES_MAX + 1UL;
    if (text[digits] || cores > CALENDAR_CORES_MAX)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": cores '%.20s' is not a number from 0 to %d", line_no, text,
                       CALENDAR_CORES_MAX);
    row->cores = (double)cores;
    return 0;
}

static const char *cell(const json_t *json, const char *column)
{
    const char *text = json_string_value(json_object_get(json, column));
    return text ? text : "";
}

static int columns_check(json_t *json, uint64_t line_no, struct err *err)
{
    static const char *const known[] = {"workers", "cores", "days", "from", "to"};
    const char *column;
    json_t *value;
    json_object_foreach(json, column, value)
    {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] && strcmp(known[i], column))
            i++;
        if (i == sizeof known / sizeof known[0])
            return err_set(err, E_MANIFEST, "line %" PRIu64 ": column '%.40s' is not workers, cores, days, from or to",
                           line_no, column);
    }
    return 0;
}

static int workers_take(const char *text, uint64_t line_no, struct row *row, struct err *err)
{
    if (!*text || strlen(text) >= sizeof row->workers)
        return err_set(err, E_MANIFEST, "line %" PRIu64 ": workers is not a name or pattern of 1 to %zu bytes", line_no,
                       sizeof row->workers - 1);
    memcpy(row->workers, text, strlen(text) + 1);
    return 0;
}

static int row_take(json_t *json, uint64_t line_no, void *user, struct err *err)
{
    struct calendar *calendar = user;
    struct row row = {.pattern = 0};
    if (calendar->rows == CALENDAR_ROWS_MAX)
        return err_set(err, E_LIMIT, "line %" PRIu64 ": a calendar has at most %d rows (CALENDAR_ROWS_MAX)", line_no,
                       CALENDAR_ROWS_MAX);
    int rc = columns_check(json, line_no, err);
    if (!rc)
        rc = workers_take(cell(json, "workers"), line_no, &row, err);
    if (!rc)
        rc = cores_take(cell(json, "cores"), line_no, &row, err);
    if (!rc)
        rc = days_take(cell(json, "days"), line_no, &row, err);
    if (!rc)
        rc = window_take(cell(json, "from"), cell(json, "to"), line_no, &row, err);
    while (row.pattern < calendar->rows && strcmp(calendar->row[row.pattern].workers, row.workers))
        row.pattern++;
    if (!rc)
        calendar->row[calendar->rows++] = row;
    return rc;
}

static int cut_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static void cuts_find(struct calendar *c)
{
    uint32_t count = 1;
    for (uint32_t i = 0; i < c->rows; i++) {
        c->cut[count++] = c->row[i].from;
        c->cut[count++] = c->row[i].to % DAY_MINUTES;
    }
    qsort(c->cut, count, sizeof c->cut[0], cut_order);
    c->cuts = 1;
    for (uint32_t i = 1; i < count; i++)
        if (c->cut[i] != c->cut[c->cuts - 1])
            c->cut[c->cuts++] = c->cut[i];
    c->cut[c->cuts] = DAY_MINUTES;
}

int calendar_parse(const char *csv_text, size_t bytes, struct calendar **ret_calendar, struct err *err)
{
    AUTO(calendar_destroy) struct calendar *calendar = calloc(1, sizeof *calendar);
    if (!calendar)
        return err_set(err, E_NOMEM, "a calendar");
    int rc = csv_read(csv_text, bytes, "workers", row_take, calendar, err);
    if (rc)
        return rc;
    cuts_find(calendar);
    *ret_calendar = calendar;
    calendar = NULL;
    return 0;
}

/* ---- what it says of a day ---- */

static bool row_dated(const struct row *row, int64_t day)
{
    return !row->weekdays && row->first_day <= day && day <= row->last_day;
}

/* Which rows have a window that begins on the day. */
static void rows_in_force(const struct calendar *c, int64_t day, bool *in_force)
{
    const struct row *dated[CALENDAR_ROWS_MAX] = {NULL}; /* by pattern */
    for (uint32_t i = 0; i < c->rows; i++)
        if (row_dated(&c->row[i], day))
            dated[c->row[i].pattern] = &c->row[i];
    for (uint32_t i = 0; i < c->rows; i++) {
        const struct row *row = &c->row[i], *rule = dated[row->pattern];
        in_force[i] = rule ? row_dated(row, day) && row->first_day == rule->first_day && row->last_day == rule->last_day
                           : row->weekdays >> day_weekday(day) & 1;
    }
}

static double cores_at(const struct calendar *c, const bool *today, const bool *yesterday, uint32_t minute)
{
    double most[CALENDAR_ROWS_MAX] = {0}, sum = 0; /* by pattern */
    for (uint32_t i = 0; i < c->rows; i++) {
        const struct row *row = &c->row[i];
        bool on =
            (today[i] && row->from <= minute && minute < row->to) || (yesterday[i] && minute + DAY_MINUTES < row->to);
        if (on && row->cores > most[row->pattern])
            most[row->pattern] = row->cores;
    }
    for (uint32_t i = 0; i < c->rows; i++)
        sum += most[i];
    return sum;
}

/* Cores of the day from each cut on. */
static void day_cores(const struct calendar *c, int64_t day, double *cores)
{
    bool today[CALENDAR_ROWS_MAX], yesterday[CALENDAR_ROWS_MAX];
    rows_in_force(c, day, today);
    rows_in_force(c, day - 1, yesterday);
    for (uint32_t i = 0; i < c->cuts; i++)
        cores[i] = cores_at(c, today, yesterday, c->cut[i]);
}

static double day_mean(const struct calendar *c, int64_t day)
{
    double cores[CUTS_MAX], sum = 0;
    day_cores(c, day, cores);
    for (uint32_t i = 0; i < c->cuts; i++)
        sum += cores[i] * (c->cut[i + 1] - c->cut[i]);
    return sum / DAY_MINUTES;
}

static double week_mean(const struct calendar *c, int64_t day)
{
    double sum = 0;
    for (int i = 0; i < WEEKDAYS; i++)
        sum += day_mean(c, day + i);
    return sum / WEEKDAYS;
}

/* ---- supply ---- */

struct steps {
    struct supply *at; /* the first begins now */
    size_t count;
    double always; /* cores that are there besides the calendar's */
    double share;  /* of the calendar's, that count */
};

static void step_add(struct steps *steps, uint64_t from_ms, double cores)
{
    struct supply *last = &steps->at[steps->count - 1];
    cores = steps->always + steps->share * cores;
    if (from_ms <= steps->at[0].from_ms)
        last->cores = cores;
    else if (last->cores < cores || last->cores > cores)
        steps->at[steps->count++] = (struct supply){from_ms, cores};
}

static void day_add(struct steps *steps, const struct calendar *c, int64_t day)
{
    double cores[CUTS_MAX];
    day_cores(c, day, cores);
    for (uint32_t i = 0; i < c->cuts; i++)
        step_add(steps, day_start_ms(day) + (uint64_t)c->cut[i] * MINUTE_MS, cores[i]);
}

bool calendar_names(const struct calendar *calendar, const char *worker)
{
    for (uint32_t i = 0; calendar && i < calendar->rows; i++)
        if (calendar->row[i].pattern == i && !fnmatch(calendar->row[i].workers, worker, 0))
            return true;
    return false;
}

size_t calendar_supply(const struct calendar *calendar, uint64_t now_ms, double other_cores, double row_share,
                       struct supply *supply)
{
    struct steps steps = {supply, 1, other_cores, row_share};
    supply[0] = (struct supply){now_ms, other_cores};
    if (!calendar || !calendar->rows)
        return 1;
    int64_t first = day_of(now_ms), end = first + CALENDAR_DAYS_MAX;
    for (int64_t day = first; day < end; day++) {
        size_t left =
            CALENDAR_STEPS_MAX - steps.count - (size_t)(end - day); /* a step for each other day and the end */
        if (calendar->cuts <= left)
            day_add(&steps, calendar, day);
        else
            step_add(&steps, day_start_ms(day), day_mean(calendar, day));
    }
    step_add(&steps, day_start_ms(end), week_mean(calendar, end));
    return steps.count;
}
