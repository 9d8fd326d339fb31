/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Days as they are in Hanoi (UTC+7, the same all year), counted from 1970-01-01. Moments are milliseconds since 1970, UTC. */
#ifndef SOHOA_DAY_H
#define SOHOA_DAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MINUTE_MS = 60 * 1000,
    DAY_MINUTES = 24 * 60,
    DAY_MS = DAY_MINUTES * MINUTE_MS,
    DAY_CHARS = 10,
    DAY_MOMENT_BYTES = 20
};

/* The first DAY_CHARS of text, "YYYY-MM-DD", from 1970 on. False: they are no such day; *ret_day is untouched. */
bool day_parse(const char *text, int64_t *ret_day);

int64_t day_of(uint64_t ms);
uint64_t day_start_ms(int64_t day); /* of 1970-01-02 or later */
unsigned day_weekday(int64_t day);  /* 0: Monday; 6: Sunday */

/* "2026-11-27", and "2026-11-27 08:30", of a moment until the year 9999 ("?" later). They return text. */
char *day_date(uint64_t ms, char text[DAY_CHARS + 1]);
char *day_moment(uint64_t ms, char text[DAY_MOMENT_BYTES]);

#endif
