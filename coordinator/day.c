/* SPDX-License-Identifier: AGPL-3.0-or-later
 * The proleptic Gregorian calendar. */
#include "coordinator/day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HANOI_OFFSET_MS = 7 * 3600 * 1000 };
#define MOMENT_LAST_MS (UINT64_C(253402300799000) - HANOI_OFFSET_MS) /* 9999-12-31 */

/* Howard Hinnant, "chrono-compatible low-level date algorithms": days since 1970-01-01 of a day after 1 March 0000. */
static int64_t days_since_1970(int year, int month, int date)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + date - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool day_parse(const char *text, int64_t *ret_day)
{
    static const char digits[] = "0123456789";
    char day[DAY_CHARS + 1] = "";
    strncpy(day, text, DAY_CHARS);
    if (strspn(day, digits) != 4 || day[4] != '-' || strspn(day + 5, digits) != 2 || day[7] != '-' ||
        strspn(day + 8, digits) != 2)
        return false;
    int year = (int)strtol(day, NULL, 10), month = (int)strtol(day + 5, NULL, 10),
        date = (int)strtol(day + 8, NULL, 10);
    if (year < 1970 || month < 1 || month > 12 || date < 1 || date > month_days(year, month))
        return false;
    *ret_day = days_since_1970(year, month, date);
    return true;
}

int64_t day_of(uint64_t ms)
{
    return (int64_t)((ms + HANOI_OFFSET_MS) / DAY_MS);
}

uint64_t day_start_ms(int64_t day)
{
    return (uint64_t)day * DAY_MS - HANOI_OFFSET_MS;
}

unsigned day_weekday(int64_t day)
{
    return (unsigned)((day + 3) % 7); /* 1970-01-01 was a Thursday */
}

static char *written(uint64_t ms, const char *format, char *text, size_t bytes)
{
    time_t s = (time_t)((ms + HANOI_OFFSET_MS) / 1000);
    struct tm tm;
    if (ms > MOMENT_LAST_MS || !gmtime_r(&s, &tm) || !strftime(text, bytes, format, &tm))
        snprintf(text, bytes, "?");
    return text;
}

char *day_date(uint64_t ms, char text[DAY_CHARS + 1])
{
    return written(ms, "%Y-%m-%d", text, DAY_CHARS + 1);
}

char *day_moment(uint64_t ms, char text[DAY_MOMENT_BYTES])
{
    return written(ms, "%Y-%m-%d %H:%M", text, DAY_MOMENT_BYTES);
}
