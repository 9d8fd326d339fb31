/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Which cores are expected when: nodes that come at night, holidays. Editable data, a CSV of the columns
 *
 *     workers,cores,days,from,to
 *     night-*,64,mon-fri,20:00,06:00
 *     night-*,64,sat sun,,
 *     *,0,2027-02-06..2027-02-10,,
 *
 * workers: a name or a glob; days: all, days of the week, dates or ranges of them, with spaces between; from and to: Hanoi time (UTC+7), the
 * whole day if empty, into the next day if to is not after from. Rows of dates count before those of weekdays, of the same workers
 * the later before the earlier. Workers of no row are counted as they are connected. Pure. */
#ifndef SOHOA_CALENDAR_H
#define SOHOA_CALENDAR_H

#include "coordinator/forecast.h"
#include "proto/err.h"

enum {
    CALENDAR_ROWS = 64,
    CALENDAR_DAYS = 60, /* looked ahead; then the mean of the last week goes on */
    CALENDAR_SUPPLIES = CALENDAR_DAYS * 24 * 2 + 2,
    CALENDAR_BYTES = 1 << 16,
};

struct calendar;

/* Errors: E_MANIFEST, which names line and column; E_LIMIT. */
int calendar_parse(const char *csv, size_t bytes, struct calendar **ret_calendar, struct err *err);
void calendar_destroy(struct calendar **calendar);

/* Whether a row speaks of the worker. */
bool calendar_names(const struct calendar *calendar, const char *worker);

/* Cores that rows expect then. */
double calendar_cores(const struct calendar *calendar, uint64_t ms);

/* What is supplied from now on: cores that no row speaks of, and what the rows say. calendar may be NULL. Half-hour steps; at most
 * CALENDAR_SUPPLIES, whose number is returned. */
size_t calendar_supply(const struct calendar *calendar, uint64_t now_ms, double other_cores, double row_share,
                       struct supply *supply);

#endif
