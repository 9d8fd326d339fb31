/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which cores are expected when: nodes that come at night, holidays. Pure. A calendar is CSV (csv.h) with these columns:
 *
 *     workers,cores,days,from,to
 *     night-*,640,mon-fri,18:00,06:00
 *     night-*,640,sat sun,,
 *     night-*,0,2026-02-14..2026-02-22,,
 *
 * workers: a name or a pattern as of file names (fnmatch); cores: how many are there, of all workers of that pattern taken together;
 * days: all, weekdays (mon tue wed thu fri sat sun, and ranges, with spaces between), a date or a range of dates; from, to: HH:MM in Hanoi,
 * both empty for the whole day. A window over midnight belongs to the day that it begins on.
 * Of a pattern, rows that name a date go before rows that name weekdays, so that date's windows are theirs alone (with 0 cores: closed);
 * where rows name different dates, the last row with the day and those with the very same dates. Where windows of a pattern overlap, the
 * most cores count, once. Different patterns add up. */
#ifndef SOHOA_CALENDAR_H
#define SOHOA_CALENDAR_H

#include "coordinator/forecast.h"
#include "proto/err.h"

enum {
    CALENDAR_ROWS_MAX = 256,
    CALENDAR_CORES_MAX = 1000000, /* of a row */
    CALENDAR_DAYS_MAX = 1100,     /* that are looked ahead */
    CALENDAR_STEPS_MAX = 4096,
    CALENDAR_BYTES = 1 << 16,
};

struct calendar;

/* Errors: E_MANIFEST, which names the line, the column and what is allowed; E_LIMIT: too many rows. *ret_calendar is then untouched. */
int calendar_parse(const char *csv_text, size_t bytes, struct calendar **ret_calendar, struct err *err);
void calendar_destroy(struct calendar **calendar);

/* Whether a row speaks of the worker. NULL: none does. */
bool calendar_names(const struct calendar *calendar, const char *worker);

/* Fills supply, which has room for CALENDAR_STEPS_MAX steps, from now_ms on; returns how many there are, at least one. other_cores: of
 * workers that no row names, which stay; of those that one names, this share of the cores that the rows say, connected or not. The calendar
 * is followed for CALENDAR_DAYS_MAX days, exactly as long as the steps last; then with one step a day, its mean; the last step is the mean
 * of the week behind that. A NULL calendar has no rows. */
size_t calendar_supply(const struct calendar *calendar, uint64_t now_ms, double other_cores, double row_share,
                       struct supply *supply);

#endif
