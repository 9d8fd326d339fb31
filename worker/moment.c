/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Day and month are mostly handwritten, and what the recogniser says of them is worth little by itself. A signature's stamp bounds
 * the day: it is put on the day of issue or within the days after. */
#include "worker/moment.h"

#include <stdio.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/header.h"

enum {
    YEAR_FIRST = 1945,
    YEAR_LAST = 2099,
    DAY_MOST = 31,
    MONTH_MOST = 12,
    PLACE_CPCT = 9500,
    DATE_PRINTED_CPCT = 9300, /* words read so well are print, ... */
    DATE_ALONE_CPCT = 8800,   /* ... and yet no surer than this by themselves */
    DATE_DOUBTED_CPCT = 5000,
    STAMPED_LAG_DAYS = 31,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* what, or what is but for one letter, from `from` on; sets *ret_end behind it. */
static size_t word_find(const struct line *line, size_t from, const char *what, size_t *ret_end)
{
    const char *at = from < line->length ? strstr(line->bare + from, what) : NULL;
    if (!at)
        return SIZE_MAX;
    *ret_end = (size_t)(at - line->bare) + strlen(what);
    return (size_t)(at - line->bare);
}

bool moment_in(const struct line *line, struct moment *moment)
{
    struct moment found = {0};
    size_t day = word_find(line, 0, "ngay", &found.day);
    size_t month = day == SIZE_MAX ? day : word_find(line, found.day, "thang", &found.month);
    size_t year = month == SIZE_MAX ? month : word_find(line, found.month, "nam", &found.year);
    if (year == SIZE_MAX || month - found.day > 12 || year - found.month > 10)
        return false;
    found.day_end = month;
    found.month_end = year;
    found.year_end = found.year;
    while (line->bare[found.year_end] == ' ' || is_digit(line->bare[found.year_end]))
        found.year_end++;
    found.place_end = day;
    while (found.place_end && !is_letter(line->bare[found.place_end - 1]))
        found.place_end--;
    while (found.place < found.place_end && !is_letter(line->bare[found.place]))
        found.place++;
    if (found.year_end == found.year || found.place_end - found.place > 40)
        return false;
    if (moment)
        *moment = found;
    return true;
}

/* ---- stamps ---- */

static bool two_digits(const char *at, uint32_t *ret_number)
{
    if (!is_digit(at[0]) || !is_digit(at[1]))
        return false;
    *ret_number = (uint32_t)(at[0] - '0') * 10 + (uint32_t)(at[1] - '0');
    return true;
}

/* dd.mm.yyyy hh:mm:ss, with . / or - between. */
static uint32_t stamp_at(const char *at)
{
    uint32_t day, month, century, year;
    if (!two_digits(at, &day) || !strchr("./-", at[2]) || !at[2] || !two_digits(at + 3, &month) || at[5] != at[2] ||
        !two_digits(at + 6, &century) || !two_digits(at + 8, &year) || is_digit(at[10]))
        return 0;
    year += century * 100;
    return day && day <= DAY_MOST && month && month <= MONTH_MOST && year >= YEAR_FIRST && year <= YEAR_LAST
               ? year * 10000 + month * 100 + day
               : 0;
}

/* A date by itself may be anything's; one with a time beside it, in its line or the next, is a signature's. */
static bool has_time(const struct line *line)
{
    for (const char *at = line->bare; *at; at++)
        if (is_digit(at[0]) && is_digit(at[1]) && at[2] == ':' && is_digit(at[3]) && is_digit(at[4]) && at[5] == ':')
            return true;
    return false;
}

static bool time_is_near(const struct lines *page, const struct line *stamp)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct line *line = &page->at[i];
        if (line->y - stamp->bottom < page->em && stamp->y - line->bottom < page->em && line->x < stamp->right &&
            line->right > stamp->x && has_time(line))
            return true;
    }
    return false;
}

uint32_t moment_stamped(const struct lines *page)
{
    uint32_t earliest = 0;
    for (size_t i = 0; i < page->count; i++) {
        const struct line *line = &page->at[i];
        for (size_t at = 0; at < line->length; at++) {
            uint32_t day = at && is_digit(line->bare[at - 1]) ? 0 : stamp_at(line->bare + at);
            if (day && (!earliest || day < earliest) && time_is_near(page, line))
                earliest = day;
        }
    }
    return earliest;
}

/* ---- the date ---- */

static uint32_t month_days(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* The digits of [from, to) as a number, and whether nothing else but blanks and dots is there. */
static uint32_t digits_of(const struct line *line, size_t from, size_t to, bool *ret_clean)
{
    uint32_t number = 0, digits = 0;
    bool clean = true;
    for (size_t at = from; at < to; at++)
        if (is_digit(line->bare[at])) {
            number = number < YEAR_LAST ? number * 10 + (uint32_t)(line->bare[at] - '0') : number;
            digits++;
        } else if (line->bare[at] != ' ' && line->bare[at] != '.')
            clean = false;
    *ret_clean = clean && digits;
    return number;
}

struct reading {
    uint32_t day, month, year; /* 0: not read */
    bool printed;              /* all of it, as far as can be told */
};

static void date_read(const struct lines *page, const struct line *line, const struct moment *at,
                      struct reading *reading)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    bool day, month, year;
    reading->day = digits_of(line, at->day, at->day_end, &day);
    reading->month = digits_of(line, at->month, at->month_end, &month);
    reading->year = digits_of(line, at->year, at->year_end, &year);
    evidence_add(&evidence, page, line, at->day, at->year_end);
    if (!year || reading->year < YEAR_FIRST || reading->year > YEAR_LAST)
        reading->year = 0;
    if (!month || !reading->month || reading->month > MONTH_MOST)
        reading->month = 0;
    if (!day || !reading->day || reading->day > DAY_MOST ||
        (reading->year && reading->month && reading->day > month_days(reading->year, reading->month)))
        reading->day = 0;
    reading->printed = reading->day && reading->month && reading->year && evidence.least_cpct >= DATE_PRINTED_CPCT;
}

static void place_describe(const struct lines *page, const struct line *line, const struct moment *at,
                           Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    AUTO(buf_destroy) struct buf value = {0};
    if (at->place == at->place_end)
        return;
    evidence_add(&evidence, page, line, at->place, at->place_end);
    buf_append(&value, line->text + line->at[at->place], line->at[at->place_end] - line->at[at->place]);
    uint32_t read = evidence_cpct(&evidence);
    field_set(description, SOHOA__FIELD_NAME__FIELD_PLACE, buf_text(&value), read < PLACE_CPCT ? read : PLACE_CPCT,
              &evidence);
}

void moment_describe(const struct header *header, uint32_t stamped, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    struct moment at;
    struct reading reading;
    (void)stamped;
    if (!header->date || !moment_in(header->date, &at))
        return;
    place_describe(header->page, header->date, &at, description);
    date_read(header->page, header->date, &at, &reading);
    evidence_add(&evidence, header->page, header->date, at.place_end, at.year_end);
    if (!reading.day || !reading.month || !reading.year) {
        field_place(description, SOHOA__FIELD_NAME__FIELD_DATE, &evidence);
        return;
    }
    char iso[16];
    snprintf(iso, sizeof iso, "%04u-%02u-%02u", reading.year, reading.month, reading.day);
    field_set(description, SOHOA__FIELD_NAME__FIELD_DATE, iso, reading.printed ? DATE_ALONE_CPCT : DATE_DOUBTED_CPCT,
              &evidence);
}
