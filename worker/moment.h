/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Place and date: "Hà Nội, ngày 05 tháng 02 năm 2025"; and the days that stamps tell, on which it had been issued already: "Thời gian
 * ký: 05/01/2021 08:15:24", "18.03.2024 09:29:39 +07:00". */
#ifndef SOHOA_MOMENT_H
#define SOHOA_MOMENT_H

#include "worker/field.h"

struct header;

/* Where the parts are, in characters of the line's bare text. */
struct moment {
    size_t place, place_end, day, day_end, month, month_end, year, year_end;
};

/* Whether the line has a date in words; then where (moment may be NULL). */
bool moment_in(const struct line *line, struct moment *moment);

/* The earliest day of a stamp on the page, as 10000 * year + 100 * month + day; 0: there is none. */
uint32_t moment_stamped(const struct lines *page);

/* Sets place and issuedDate. stamped: a day on which it had been issued (10000 * year + 100 * month + day); 0: not known. */
void moment_describe(const struct header *header, uint32_t stamped, Sohoa__Description *description);

#endif
