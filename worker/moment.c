/* SPDX-License-Identifier: AGPL-3.0-or-later
 * Day and month are mostly handwritten, and what the recogniser says of them is worth little by itself. A signature's stamp bounds
 * the day: it is put on the day of issue or within the days after. */
#include "worker/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/auto.h"
#include "worker/guess.h"
#include "worker/header.h"

enum {
    YEAR_FIRST = 1945,
    YEAR_LAST = 2099,
    DAY_MOST = 31,
    MONTH_MOST = 12,
    PLACE_CPCT = 9500,
    DATE_ALONE_CPCT = 8800, /* nobody but the recogniser read it, and no stamp bounds it */
    DATE_SURE_CPCT = 9800,
    DATE_WORTH_CPCT = 200, /* candidates that are less likely are not named */
    STAMPED_LAG_DAYS = 31,
    YEAR_DAYS = 366,
    OWN_CPCT = 10000,
    ISO_BYTES = 16,
};

#define WEEKEND_LIKELY      0.4
#define STAMPED_LATE_LIKELY 0.005
#define STAMPED_OUT_LIKELY  0.0005

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

/* ---- what it may be ---- */

/* Weights of the days, the months and the years that it may be; index 0: what is none of these. */
struct calendar {
    double day[DAY_MOST + 1], month[MONTH_MOST + 1];
    uint32_t year; /* 0: not read */
};

/* A part of the date as digits, by who reads handwriting and by the recogniser. */
static void part_weigh(const struct lines *page, const struct line *line, size_t from, size_t to, Sohoa__HandKind kind,
                       struct guesses *guesses)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    const Sohoa__Hand *hand = guess_hand(page, line, kind);
    char digits[GUESS_BYTES];
    bool clean;
    uint32_t number = digits_of(line, from, to, &clean);
    evidence_add(&evidence, page, line, from, to);
    guesses_begin(guesses, hand);
    snprintf(digits, sizeof digits, kind == SOHOA__HAND_KIND__HAND_YEAR ? "%u" : "%02u", number);
    if (clean && number)
        guesses_support(guesses, digits, guess_reading_ratio(evidence.least_cpct));
}

/* "5" and "05" are the same. What is not listed shares what is left. */
static void numbers_weigh(const struct guesses *guesses, double *weight, uint32_t most)
{
    for (uint32_t i = 1; i <= most; i++)
        weight[i] = guesses->other / most;
    for (size_t i = 0; i < guesses->count; i++) {
        long number = strtol(guesses->at[i].text, NULL, 10);
        if (number > 0 && number <= (long)most)
            weight[number] += guesses->at[i].weight;
    }
}

static void calendar_weigh(const struct lines *page, const struct line *line, const struct moment *at,
                           struct calendar *calendar)
{
    struct guesses day, month, year;
    *calendar = (struct calendar){0};
    part_weigh(page, line, at->day, at->day_end, SOHOA__HAND_KIND__HAND_DAY, &day);
    part_weigh(page, line, at->month, at->month_end, SOHOA__HAND_KIND__HAND_MONTH, &month);
    part_weigh(page, line, at->year, at->year_end, SOHOA__HAND_KIND__HAND_YEAR, &year);
    numbers_weigh(&day, calendar->day, DAY_MOST);
    numbers_weigh(&month, calendar->month, MONTH_MOST);
    guesses_sort(&year);
    int number = guesses_cpct(&year, 0) >= GUESS_ANSWER_CPCT ? (int)strtol(year.at[0].text, NULL, 10) : 0;
    calendar->year = number >= YEAR_FIRST && number <= YEAR_LAST ? (uint32_t)number : 0;
}

/* ---- what is likely ---- */

/* Days since 1 March of the year 0 (proleptic Gregorian). */
static int64_t day_number(uint32_t year, uint32_t month, uint32_t day)
{
    int64_t y = year - (month < 3), m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1;
}

static bool on_weekend(int64_t number)
{
    return number % 7 == 3 || number % 7 == 4; /* 1 March of the year 0 was a Wednesday */
}

/* How likely a day is by itself: offices work on weekdays, and a stamp is put on the day of issue or soon after. */
static double day_likely(uint32_t year, uint32_t month, uint32_t day, uint32_t stamped)
{
    static const double after[] = {0.3, 0.24, 0.12, 0.1, 0.06, 0.05, 0.04, 0.03};
    int64_t number = day_number(year, month, day);
    double likely = on_weekend(number) ? WEEKEND_LIKELY : 1;
    if (!stamped)
        return likely;
    int64_t lag = day_number(stamped / 10000, stamped / 100 % 100, stamped % 100) - number;
    if (lag < 0 || lag > STAMPED_LAG_DAYS)
        return likely * STAMPED_OUT_LIKELY;
    return likely * (lag < (int64_t)(sizeof after / sizeof *after) ? after[lag] : STAMPED_LATE_LIKELY);
}

struct dated {
    uint32_t month, day;
    double weight;
};

static int by_weight(const void *a, const void *b)
{
    const struct dated *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return (x->month * 100 + x->day > y->month * 100 + y->day) - (x->month * 100 + x->day < y->month * 100 + y->day);
}

/* All days of the year, the likeliest first; returns how many there are, and the sum of their weights. */
static size_t days_weigh(const struct calendar *calendar, uint32_t stamped, struct dated *dated, double *ret_sum)
{
    size_t count = 0;
    *ret_sum = 0;
    for (uint32_t month = 1; month <= MONTH_MOST; month++)
        for (uint32_t day = 1; day <= month_days(calendar->year, month); day++) {
            double weight =
                calendar->day[day] * calendar->month[month] * day_likely(calendar->year, month, day, stamped);
            dated[count++] = (struct dated){month, day, weight};
            *ret_sum += weight;
        }
    qsort(dated, count, sizeof *dated, by_weight);
    return count;
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

/* Nobody but the recogniser read it, and no stamp bounds it. */
static bool is_alone(const struct header *header, uint32_t stamped)
{
    return !stamped && header->date->confidence_cpct < OWN_CPCT &&
           !guess_hand(header->page, header->date, SOHOA__HAND_KIND__HAND_DAY);
}

static void date_describe(const struct header *header, const struct calendar *calendar, uint32_t stamped,
                          const struct evidence *evidence, Sohoa__Description *description)
{
    struct dated dated[YEAR_DAYS];
    double sum;
    size_t count = days_weigh(calendar, stamped, dated, &sum);
    uint32_t most = is_alone(header, stamped) ? DATE_ALONE_CPCT : DATE_SURE_CPCT;
    field_place(description, SOHOA__FIELD_NAME__FIELD_DATE, evidence);
    for (size_t i = 0; i < count && sum > 0; i++) {
        char iso[ISO_BYTES];
        uint32_t cpct = (uint32_t)(dated[i].weight / sum * 10000);
        snprintf(iso, sizeof iso, "%04u-%02u-%02u", calendar->year, dated[i].month, dated[i].day);
        if (i == 0 && cpct >= GUESS_ANSWER_CPCT)
            field_set(description, SOHOA__FIELD_NAME__FIELD_DATE, iso, cpct < most ? cpct : most, evidence);
        else if (cpct >= DATE_WORTH_CPCT)
            field_candidate(description, SOHOA__FIELD_NAME__FIELD_DATE, iso, cpct);
        else
            break;
    }
}

void moment_describe(const struct header *header, uint32_t stamped, Sohoa__Description *description)
{
    AUTO(evidence_clear) struct evidence evidence = {0};
    struct calendar calendar;
    struct moment at;
    if (!header->date || !moment_in(header->date, &at))
        return;
    place_describe(header->page, header->date, &at, description);
    calendar_weigh(header->page, header->date, &at, &calendar);
    evidence_add(&evidence, header->page, header->date, at.place_end + 1, at.year_end);
    if (calendar.year)
        date_describe(header, &calendar, stamped, &evidence, description);
    else
        field_place(description, SOHOA__FIELD_NAME__FIELD_DATE, &evidence);
}
